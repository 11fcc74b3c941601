use crate::liveness::graph::{Graph, OUTSIDE};

/// Finds strongly connected components within parts of a graph.
///
/// Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own instead
/// of recursion: a path may have millions of configurations.
pub(crate) struct Components<'g> {
    graph: &'g Graph,
    /// Whether faults connect.
    with_faults: bool,
    /// For each configuration when it was met, from 1; 0 where it was not.
    met: Vec<u32>,
    /// For each configuration the earliest one on the stack that is known to be reached from it.
    low: Vec<u32>,
}

/// The [`Components::low`] of a configuration whose component is complete.
const COMPLETE: u32 = u32::MAX;

impl<'g> Components<'g> {
    pub(crate) fn new(graph: &'g Graph, with_faults: bool) -> Self {
        Self { graph, with_faults, met: vec![0; graph.nodes], low: vec![0; graph.nodes] }
    }

    /// The components of more than one configuration within those that carry a label.
    ///
    /// A component of one has no cycle: what changes nothing is not in the graph.
    pub(crate) fn within(&mut self, nodes: &[u32], label: u32, labels: &[u32]) -> Vec<Vec<u32>> {
        for node in nodes {
            self.met[*node as usize] = 0;
            self.low[*node as usize] = 0;
        }
        let mut found = Vec::new();
        let mut count = 0;
        for root in nodes {
            if labels[*root as usize] == label && self.met[*root as usize] == 0 {
                self.search(*root, &mut count, &mut found, |node| labels[node as usize] == label);
            }
        }
        found
    }

    fn search(
        &mut self,
        root: u32,
        count: &mut u32,
        found: &mut Vec<Vec<u32>>,
        is_within: impl Fn(u32) -> bool,
    ) {
        let mut open: Vec<u32> = Vec::new();
        let mut path = vec![(root, self.meet(root, count, &mut open))];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let end = self.graph.leaving(node).end;
            let edge = (*next < end).then(|| self.graph.edges[*next]);
            *next += 1;
            match edge {
                Some(edge) if self.connects(edge.to, edge.is_fault(), &is_within) => {
                    if self.met[edge.to as usize] == 0 {
                        path.push((edge.to, self.meet(edge.to, count, &mut open)));
                    } else if self.low[edge.to as usize] != COMPLETE {
                        let met = self.met[edge.to as usize];
                        self.low[node as usize] = self.low[node as usize].min(met);
                    }
                }
                Some(_) => {}
                None => {
                    path.pop();
                    if let Some((parent, _)) = path.last() {
                        let low = self.low[node as usize];
                        self.low[*parent as usize] = self.low[*parent as usize].min(low);
                    }
                    if self.low[node as usize] == self.met[node as usize] {
                        self.complete(node, &mut open, found);
                    }
                }
            }
        }
    }

    /// Meets a configuration; gives the position of the first edge that leads away from it.
    fn meet(&mut self, node: u32, count: &mut u32, open: &mut Vec<u32>) -> usize {
        *count += 1;
        self.met[node as usize] = *count;
        self.low[node as usize] = *count;
        open.push(node);
        self.graph.leaving(node).start
    }

    fn connects(&self, to: u32, is_fault: bool, is_within: impl Fn(u32) -> bool) -> bool {
        to != OUTSIDE && (self.with_faults || !is_fault) && is_within(to)
    }

    fn complete(&mut self, first: u32, open: &mut Vec<u32>, found: &mut Vec<Vec<u32>>) {
        let start = open.iter().rposition(|node| *node == first);
        let component = open.split_off(start.expect("what is not complete is open"));
        for node in &component {
            self.low[*node as usize] = COMPLETE;
        }
        if component.len() > 1 {
            found.push(component);
        }
    }
}
