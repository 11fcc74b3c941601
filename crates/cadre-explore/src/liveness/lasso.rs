use std::collections::{BTreeSet, HashMap, VecDeque};

use cadre_trace::Fairness;

use crate::liveness::fairness::Wanted;
use crate::liveness::graph::{Graph, OUTSIDE};

/// A fair cycle from a configuration through which one leads, as edges: a short one, though not
/// always the shortest.
///
/// What the cycle owes is paid one after the other, the nearest first: being broken, a class that
/// happens or, where it must only not be possible all along, a configuration in which it is not.
/// The configurations on the way may add to what is owed only with strong fairness, and what has
/// happened is never owed again: so the tour ends.
pub(crate) fn fair_cycle(
    graph: &Graph,
    labels: &[u32],
    wanted: Wanted<'_>,
    entry: u32,
) -> Vec<usize> {
    let mut tour = Tour {
        graph,
        labels,
        wanted,
        at: entry,
        edges: Vec::new(),
        is_broken: wanted.broken.is_none(),
        owed: BTreeSet::new(),
        happened: BTreeSet::new(),
    };
    if wanted.fairness == Fairness::Weak {
        tour.owed.extend(tour.possible(entry));
    }
    tour.arrive(entry);
    loop {
        let leg = match tour.owes() {
            true => tour.leg(|tour, edge| tour.pays(edge)),
            false if tour.at == entry && !tour.edges.is_empty() => return tour.edges,
            false => tour.leg(|tour, edge| tour.graph.edges[edge].to == entry),
        };
        for edge in leg {
            tour.take(edge);
        }
    }
}

struct Tour<'g> {
    graph: &'g Graph,
    labels: &'g [u32],
    wanted: Wanted<'g>,
    at: u32,
    edges: Vec<usize>,
    is_broken: bool,
    owed: BTreeSet<u32>,
    happened: BTreeSet<u32>,
}

impl Tour<'_> {
    fn owes(&self) -> bool {
        !self.is_broken || !self.owed.is_empty()
    }

    /// Whether an edge pays something that is owed.
    fn pays(&self, edge: usize) -> bool {
        let edge = self.graph.edges[edge];
        let happens = edge.owed().is_some_and(|class| self.owed.contains(&class));
        let breaks = || !self.is_broken && self.breaks(edge.to);
        let interrupts = || self.owed.iter().any(|class| !self.graph.allows(edge.to, *class));
        happens || breaks() || (self.wanted.fairness == Fairness::Weak && interrupts())
    }

    fn take(&mut self, edge: usize) {
        self.edges.push(edge);
        let edge = self.graph.edges[edge];
        if let Some(class) = edge.owed() {
            self.owed.remove(&class);
            self.happened.insert(class);
        }
        self.at = edge.to;
        self.arrive(edge.to);
    }

    fn arrive(&mut self, node: u32) {
        self.is_broken = self.is_broken || self.breaks(node);
        match self.wanted.fairness {
            Fairness::None => {}
            Fairness::Weak => self.owed.retain(|class| self.graph.allows(node, *class)),
            Fairness::Strong => {
                let possible = self.possible(node);
                self.owed.extend(possible.difference(&self.happened));
            }
        }
    }

    fn breaks(&self, node: u32) -> bool {
        self.wanted.broken.is_some_and(|broken| !broken.contains(node))
    }

    fn possible(&self, node: u32) -> BTreeSet<u32> {
        let edges = &self.graph.edges[self.graph.leaving(node)];
        edges.iter().filter_map(|edge| edge.owed()).collect()
    }

    /// A shortest path within the component that ends with an edge of a kind.
    fn leg(&self, is_last: impl Fn(&Self, usize) -> bool) -> Vec<usize> {
        let label = self.labels[self.at as usize];
        let mut came_by: HashMap<u32, usize> = HashMap::new();
        let mut queue = VecDeque::from([self.at]);
        while let Some(node) = queue.pop_front() {
            for position in self.graph.leaving(node) {
                let edge = self.graph.edges[position];
                let is_open = self.wanted.with_faults || !edge.is_fault();
                if !is_open || edge.to == OUTSIDE || self.labels[edge.to as usize] != label {
                    continue;
                }
                if is_last(self, position) {
                    return self.path_by(&came_by, position);
                }
                if edge.to != self.at && !came_by.contains_key(&edge.to) {
                    came_by.insert(edge.to, position);
                    queue.push_back(edge.to);
                }
            }
        }
        unreachable!("a fair component has what is owed, and is connected")
    }

    fn path_by(&self, came_by: &HashMap<u32, usize>, last: usize) -> Vec<usize> {
        let mut path = vec![last];
        let mut node = self.graph.source(last);
        while node != self.at {
            let edge = came_by[&node];
            path.push(edge);
            node = self.graph.source(edge);
        }
        path.reverse();
        path
    }
}
