use std::collections::BTreeMap;

use cadre_step::NodeId;

use crate::totalizer::Totalizer;
use crate::{ChannelRound, Fault, FaultSet, FaultSpec, Literal, Solver};

/// The admissible fault sets as variables of a solver.
///
/// Crashes are in order, as "by this round", so that more faults are more true literals. What
/// counts as one fault is an omission, and a node that crashes at all.
#[derive(Debug)]
pub(crate) struct FaultLiterals {
    count: Totalizer,
    pub(crate) omitted: BTreeMap<ChannelRound, Literal>,
    /// For each node and round from 1: whether it has crashed by then.
    crashed: Vec<Vec<Literal>>,
}

impl FaultLiterals {
    pub(crate) fn new<S: Solver>(spec: FaultSpec, nodes: usize, solver: &mut S) -> Self {
        let mut crashed = Vec::new();
        for _ in 0..nodes {
            let by: Vec<Literal> = (0..spec.last_crash()).map(|_| solver.variable()).collect();
            for pair in by.windows(2) {
                solver.add_clause(&[!pair[0], pair[1]]);
            }
            crashed.push(by);
        }
        let at_all: Vec<Literal> = crashed.iter().filter_map(|by| by.last().copied()).collect();
        let mut count = Totalizer::default();
        count.extend(solver, &at_all);
        if let Some(bound) = count.at_most(spec.crashes as usize) {
            solver.add_clause(&[bound]);
        }
        Self { count, omitted: BTreeMap::new(), crashed }
    }

    /// What is assumed of sets of at most so many faults.
    pub(crate) fn at_most(&self, size: usize) -> Option<Literal> {
        self.count.at_most(size)
    }

    /// The set that the solver has found.
    pub(crate) fn faults<S: Solver>(&self, solver: &S) -> FaultSet {
        let omitted = self.omitted.iter().filter(|(_, literal)| solver.is_true(**literal));
        let crashed = self.crashed.iter().enumerate().filter_map(|(node, by)| {
            let round = by.iter().zip(1..).find(|(literal, _)| solver.is_true(**literal))?.1;
            Some(Fault::Crash { node: NodeId::from_index(node), round })
        });
        omitted.map(|(channel, _)| Fault::Omit(*channel)).chain(crashed).collect()
    }

    /// Whether a node has crashed by a round; nothing where it cannot have.
    pub(crate) fn crashed_by(&self, node: NodeId, round: u32) -> Option<Literal> {
        let by = &self.crashed[node.index()];
        let last = by.len().min(round as usize);
        last.checked_sub(1).map(|last| by[last])
    }

    /// The literals of which one is true where a node does not crash exactly then, or at all.
    pub(crate) fn crashes_otherwise(&self, node: NodeId, crash: Option<u32>) -> Vec<Literal> {
        match crash {
            None => self.crashed_by(node, u32::MAX).into_iter().collect(),
            Some(round) => {
                let this = self.crashed_by(node, round).map(|by| !by);
                this.into_iter().chain(self.crashed_by(node, round - 1)).collect()
            }
        }
    }

    /// Makes omissions variables, and counts them.
    pub(crate) fn count_omissions<S: Solver>(
        &mut self,
        solver: &mut S,
        channels: impl IntoIterator<Item = ChannelRound>,
    ) {
        let mut added = Vec::new();
        for channel in channels {
            self.omitted.entry(channel).or_insert_with(|| {
                let literal = solver.variable();
                added.push(literal);
                literal
            });
        }
        self.count.extend(solver, &added);
    }
}
