use std::collections::BTreeSet;

use cadre_step::NodeId;

use super::faults::{Faults, Spend};

/// What of a configuration concerns neither a node, nor a message in flight, nor a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Conditions {
    /// The links that are cut, each in one direction.
    pub(super) cut: BTreeSet<(NodeId, NodeId)>,
    /// The keys of the messages that have been delivered, where they can be replayed.
    pub(super) past: BTreeSet<u128>,
}

/// The id of the conditions of the beginning, where nothing is out of the ordinary.
pub(super) const NO_CONDITIONS: u32 = 0;

/// What changes the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    /// A message is delivered and may be replayed.
    Delivered {
        /// The envelope.
        envelope: u32,
    },
    /// One of the actions that concern more than one node.
    Wide {
        /// Its position among them.
        action: u32,
    },
}

/// The partitions that a cluster's faults allow, each as the links that it cuts.
///
/// The shapes are those of Alquraan et al., "An Analysis of Network-Partitioning Failures in Cloud
/// Systems" (2018): complete, simplex and partial. A partition of two nodes is complete as well as
/// partial; it counts as what has a budget.
pub(super) fn partitions(nodes: usize, faults: &Faults) -> Vec<Vec<(NodeId, NodeId)>> {
    let mut found: Vec<Vec<(NodeId, NodeId)>> = Vec::new();
    let mut add = |mut cut: Vec<(NodeId, NodeId)>| {
        cut.sort_unstable();
        if !found.contains(&cut) {
            found.push(cut);
        }
    };
    let node = NodeId::from_index;
    // The first node is always in the part of the zeros, so that each pair of parts comes once.
    let splits = 1..1_u32 << nodes.saturating_sub(1).min(PARTED_MAX);
    let part = |split: u32, at: usize| at > 0 && split >> (at - 1) & 1 == 1;
    let between = |split: u32, from_part: bool| {
        let pairs = (0..nodes).flat_map(move |from| (0..nodes).map(move |to| (from, to)));
        pairs
            .filter(move |(from, to)| {
                part(split, *from) == from_part && part(split, *to) != from_part
            })
            .map(|(from, to)| (node(from), node(to)))
    };
    for split in splits.clone() {
        if faults.allows(Spend::Partition) {
            add(between(split, false).chain(between(split, true)).collect());
        }
        if faults.allows(Spend::OneWayPartition) {
            add(between(split, false).collect());
            add(between(split, true).collect());
        }
    }
    if faults.allows(Spend::PartialPartition) {
        for one in 0..nodes {
            for other in one + 1..nodes {
                add(vec![(node(one), node(other)), (node(other), node(one))]);
            }
        }
    }
    found
}

/// How many nodes, the first one aside, are put into one part or the other in every way.
pub(super) const PARTED_MAX: usize = 9;
