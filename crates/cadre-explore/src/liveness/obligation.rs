use std::collections::VecDeque;

use cadre_trace::{Fairness, GuaranteeKind};

use crate::liveness::fairness::Wanted;
use crate::liveness::graph::{Bits, Graph, OUTSIDE};

/// What a guarantee demands to happen some time, and from when on it does.
pub(crate) struct Obligation<'g> {
    graph: &'g Graph,
    fairness: Fairness,
    arises: Arises<'g>,
}

/// When something is owed, and what.
enum Arises<'g> {
    /// At the beginning; the predicate once.
    AtFirst(&'g Bits),
    /// Wherever the first predicate is true; the second one.
    Where(&'g Bits, &'g Bits),
    /// Everywhere; the predicate, for ever.
    Always(&'g Bits),
}

impl<'g> Obligation<'g> {
    pub(crate) fn new(
        graph: &'g Graph,
        kind: GuaranteeKind,
        main: &'g Bits,
        post: &'g Bits,
    ) -> Self {
        let (fairness, arises) = match kind {
            GuaranteeKind::Eventually(fairness) => (fairness, Arises::AtFirst(main)),
            GuaranteeKind::LeadsTo(fairness) => (fairness, Arises::Where(main, post)),
            GuaranteeKind::Convergent(fairness) => (fairness, Arises::Always(main)),
            GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost => {
                unreachable!("what finite executions violate is judged by the search")
            }
        };
        Self { graph, fairness, arises }
    }

    /// The cycles that violate the guarantee, among those in which something is owed.
    pub(crate) fn wanted(&self) -> Wanted<'g> {
        let (with_faults, broken) = match self.arises {
            Arises::AtFirst(_) | Arises::Where(..) => (true, None),
            Arises::Always(settled) => (false, Some(settled)),
        };
        Wanted { fairness: self.fairness, with_faults, broken }
    }

    /// Whether something is owed in a configuration, given whether it was before; `None` where
    /// nothing is owed, then or ever after.
    fn after(&self, is_owed: bool, node: u32) -> Option<bool> {
        match self.arises {
            Arises::AtFirst(reached) => (is_owed && !reached.contains(node)).then_some(true),
            Arises::Where(from, to) => Some(!to.contains(node) && (is_owed || from.contains(node))),
            Arises::Always(_) => Some(true),
        }
    }

    fn at_first(&self, node: u32) -> Option<bool> {
        match self.arises {
            Arises::AtFirst(_) => self.after(true, node),
            Arises::Where(..) | Arises::Always(_) => self.after(false, node),
        }
    }

    /// Follows all executions, breadth first, and whether something is owed.
    pub(crate) fn owing(&self) -> Owing<'g> {
        let mut owing = Owing {
            graph: self.graph,
            came_by: [vec![UNMET; self.graph.nodes], vec![UNMET; self.graph.nodes]],
            order: Vec::new(),
        };
        let mut queue = VecDeque::new();
        for node in self.graph.initial.iter().filter(|node| **node != OUTSIDE) {
            if let Some(is_owed) = self.at_first(*node) {
                owing.meet(*node, is_owed, FIRST, &mut queue);
            }
        }
        while let Some((node, is_owed)) = queue.pop_front() {
            for edge in self.graph.leaving(node) {
                let to = self.graph.edges[edge].to;
                if to != OUTSIDE
                    && let Some(is_owed_then) = self.after(is_owed, to)
                {
                    let step = 2 * edge as u64 + u64::from(is_owed);
                    owing.meet(to, is_owed_then, step, &mut queue);
                }
            }
        }
        owing
    }
}

/// Where something is owed, and shortest executions to there.
pub(crate) struct Owing<'g> {
    graph: &'g Graph,
    /// For each configuration, first where nothing is owed and then where something is: twice the
    /// position of the edge by which it was met, plus one where something was owed before it.
    came_by: [Vec<u64>; 2],
    /// The configurations in which something is owed, nearest first.
    order: Vec<u32>,
}

/// A configuration that was not met.
const UNMET: u64 = u64::MAX;
/// A configuration that is an initial one.
const FIRST: u64 = u64::MAX - 1;

impl Owing<'_> {
    /// The configurations in which something is owed, nearest first.
    pub(crate) fn nodes(&self) -> Vec<u32> {
        self.order.clone()
    }

    /// A shortest execution to a configuration in which something is owed: where it begins, and its
    /// edges.
    pub(crate) fn path_to(&self, node: u32) -> (u32, Vec<usize>) {
        let (mut at, mut is_owed) = (node, true);
        let mut edges = Vec::new();
        loop {
            let step = self.came_by[usize::from(is_owed)][at as usize];
            if step == FIRST {
                edges.reverse();
                return (at, edges);
            }
            let edge = (step / 2) as usize;
            edges.push(edge);
            (at, is_owed) = (self.graph.source(edge), step % 2 == 1);
        }
    }

    fn meet(&mut self, node: u32, is_owed: bool, step: u64, queue: &mut VecDeque<(u32, bool)>) {
        let came_by = &mut self.came_by[usize::from(is_owed)][node as usize];
        if *came_by == UNMET {
            *came_by = step;
            queue.push_back((node, is_owed));
            if is_owed {
                self.order.push(node);
            }
        }
    }
}
