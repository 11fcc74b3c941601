use cadre_step::Protocol;

use super::builder::{Network, Spend};
use super::configuration::{Configuration, set_members};
use super::rows::Row;
use super::steps::{Change, Unknown};
use super::tables::{ENVELOPE_BITS, Tables};
use super::{Choice, Cluster, Packed};
use crate::expansion::Asleep;

/// Finds what can happen in configurations, one after the other, without allocating for each.
///
/// # Sleep sets
///
/// The actions of one node are a group. Actions of two groups commute: a step reads and changes its
/// own node's state alone, takes messages for that node out of the network and adds others, and
/// what is spent of budgets adds up. Only what adds to the clients' history does not commute with
/// what adds to it as well.
///
/// Groups are tried in the order of the nodes. After an action of one group those of earlier groups
/// that could have come first are asleep: the same actions in the other order lead to the same
/// configuration. So are those that were asleep already and commute with it.
///
/// A level-by-level search that intersects what is asleep by all arrivals of one level meets every
/// configuration, and at its depth: take of all shortest paths to a configuration the one whose
/// sequence of groups comes first in the lexicographic order. Were one of its actions asleep where
/// it is due, it could be taken earlier, before an action of a later group, and the result would be
/// a path of the same length, through configurations at the same depths, that comes before it. So
/// no configuration has to be expanded again because it is met once more at a deeper level.
pub(super) struct Survey<'a, P: Protocol> {
    cluster: &'a Cluster<P>,
    tables: &'a Tables<P>,
    /// For each node the bits of the actions of later nodes.
    later: Vec<u128>,
    /// For each node the bits of the actions that are enabled.
    enabled: Vec<u128>,
    /// For each word of a growing set the envelopes whose delivery may change something.
    open: Vec<u32>,
    /// What was found in the configuration last looked at.
    pub(super) found: Vec<(Choice, u128, Asleep)>,
    /// The actions that it takes to say more, if there are any.
    pub(super) unknown: Vec<Choice>,
    pub(super) is_at_rest: bool,
}

impl<'a, P: Protocol> Survey<'a, P> {
    pub(super) fn new(cluster: &'a Cluster<P>, tables: &'a Tables<P>) -> Self {
        let mut later = vec![0; tables.nodes.len()];
        for node in (1..tables.nodes.len()).rev() {
            later[node - 1] = later[node] | tables.nodes[node].all_bits;
        }
        Self {
            cluster,
            tables,
            later,
            enabled: vec![0; tables.nodes.len()],
            open: Vec::new(),
            found: Vec::new(),
            unknown: Vec::new(),
            is_at_rest: false,
        }
    }

    /// Looks at a configuration.
    #[inline]
    pub(super) fn look(&mut self, at: &Configuration, asleep: Asleep) {
        self.found.clear();
        self.unknown.clear();
        self.is_at_rest = true;
        self.find_enabled(at);
        if !self.unknown.is_empty() {
            return;
        }
        let mut earlier = 0;
        for enabled in &mut self.enabled {
            // From here on: the actions of earlier nodes.
            earlier |= std::mem::replace(enabled, earlier);
        }
        self.deliveries(at, asleep.0);
        self.own_actions(at, asleep.0);
        self.invocations(at, asleep.0);
        self.network_faults(at, asleep.0);
    }

    #[inline]
    fn row(&self, at: &Configuration, node: usize) -> &'a Row {
        &self.tables.nodes[node].rows[at.local(node) as usize]
    }

    fn find_enabled(&mut self, at: &Configuration) {
        let (layout, tables) = (self.cluster.layout, self.tables);
        self.enabled.fill(0);
        match self.cluster.network {
            Network::GrowingSet => self.find_open(at),
            Network::ConsumedOnce => {
                for envelope in distinct(at.network(layout)) {
                    let (node, action) = tables.delivery(envelope);
                    let row = self.row(at, node);
                    if row.is_up && row.delivery(envelope).is_none() {
                        self.unknown.push(Choice::of_node(node, action));
                    } else if row.is_up && envelope < ENVELOPE_BITS {
                        self.enabled[node] |= 1 << envelope;
                    }
                }
            }
        }
        for node in 0..tables.nodes.len() {
            for own in &self.row(at, node).own {
                if !self.is_affordable(at, own.spend) {
                    continue;
                }
                self.enabled[node] |= own.bit;
                if own.outcome.is_none() {
                    self.unknown.push(Choice::of_node(node, own.action));
                }
            }
        }
        for (node, action) in tables.invocations(at.history(layout)) {
            let row = self.row(at, *node as usize);
            if row.is_up && row.other(*action).is_none() {
                self.unknown.push(Choice(Packed::Node { node: *node, action: *action }));
            }
        }
    }

    fn find_open(&mut self, at: &Configuration) {
        const WORDS: usize = (ENVELOPE_BITS / u32::BITS) as usize;
        self.open.clear();
        for (word, bits) in at.network(self.cluster.layout).iter().enumerate() {
            let mut open = 0;
            if *bits != 0 {
                for (node, tables) in self.tables.nodes.iter().enumerate() {
                    let row = &tables.rows[at.local(node) as usize];
                    let here = bits & tables.addressed(word) & row.open(word);
                    open |= here;
                    if word < WORDS {
                        self.enabled[node] |= u128::from(here) << (word * u32::BITS as usize);
                    }
                }
            }
            self.open.push(open);
        }
        for envelope in set_members(&self.open) {
            let (node, action) = self.tables.delivery(envelope);
            if self.row(at, node).delivery(envelope).is_none() {
                self.unknown.push(Choice::of_node(node, action));
            }
        }
    }

    #[inline]
    fn is_affordable(&self, at: &Configuration, spend: Option<Spend>) -> bool {
        let budgets = at.budgets(self.cluster.layout);
        spend.is_none_or(|spend| self.cluster.faults.spend(budgets, spend).is_some())
    }

    fn deliveries(&mut self, at: &Configuration, asleep: u128) {
        match self.cluster.network {
            Network::GrowingSet => {
                let open = std::mem::take(&mut self.open);
                set_members(&open).for_each(|envelope| self.deliver(at, asleep, envelope));
                self.open = open;
            }
            Network::ConsumedOnce => {
                for envelope in distinct(at.network(self.cluster.layout)) {
                    let (node, _) = self.tables.delivery(envelope);
                    if self.row(at, node).is_up {
                        self.deliver(at, asleep, envelope);
                    }
                }
            }
        }
    }

    #[inline]
    fn deliver(&mut self, at: &Configuration, asleep: u128, envelope: u32) {
        let (node, action) = self.tables.delivery(envelope);
        let bit = if envelope < ENVELOPE_BITS { 1 << envelope } else { 0 };
        if asleep & bit != 0 && !self.is_at_rest {
            return;
        }
        let outcome = self.row(at, node).delivery(envelope).expect("unknown steps were reported");
        let step = (node, action, outcome);
        let change = self.cluster.change(self.tables, at, step, Some(envelope));
        let tried = Tried { choice: Choice::of_node(node, action), node, bit, spend: None };
        self.tell(at, asleep, &tried, change);
    }

    fn own_actions(&mut self, at: &Configuration, asleep: u128) {
        for node in 0..self.tables.nodes.len() {
            for own in &self.row(at, node).own {
                let is_skipped = asleep & own.bit != 0 && !self.is_at_rest;
                if is_skipped || !self.is_affordable(at, own.spend) {
                    continue;
                }
                let outcome = own.outcome.expect("unknown steps were reported");
                let change =
                    self.cluster.change(self.tables, at, (node, own.action, outcome), None);
                let choice = Choice::of_node(node, own.action);
                let tried = Tried { choice, node, bit: own.bit, spend: own.spend };
                self.tell(at, asleep, &tried, change);
            }
        }
    }

    fn invocations(&mut self, at: &Configuration, asleep: u128) {
        for (node, action) in self.tables.invocations(at.history(self.cluster.layout)) {
            let choice = Choice(Packed::Node { node: *node, action: *action });
            let node = *node as usize;
            let row = self.row(at, node);
            if row.is_up {
                let outcome = row.other(*action).expect("unknown steps were reported");
                let change = self.cluster.change(self.tables, at, (node, *action, outcome), None);
                self.tell(at, asleep, &Tried { choice, node, bit: 0, spend: None }, change);
            }
        }
    }

    fn network_faults(&mut self, at: &Configuration, asleep: u128) {
        let faults = [Spend::Loss, Spend::Duplication];
        if !faults.iter().any(|spend| self.is_affordable(at, Some(*spend))) {
            return;
        }
        for envelope in distinct(at.network(self.cluster.layout)) {
            let (node, _) = self.tables.delivery(envelope);
            for spend in faults {
                if self.is_affordable(at, Some(spend)) {
                    let choice = Choice(match spend {
                        Spend::Duplication => Packed::Duplicate { envelope },
                        Spend::Loss | Spend::Crash | Spend::CrashRestart => {
                            Packed::Drop { envelope }
                        }
                    });
                    let tried = Tried { choice, node, bit: 0, spend: Some(spend) };
                    let sent = [envelope];
                    let change = self.cluster.network_change(self.tables, envelope, spend, &sent);
                    self.tell(at, asleep, &tried, Ok(change));
                }
            }
        }
    }

    /// Tells of one action, unless it changes nothing or is asleep.
    #[inline]
    fn tell(
        &mut self,
        at: &Configuration,
        asleep: u128,
        tried: &Tried,
        change: Result<Change<'_>, Unknown>,
    ) {
        let Ok(mut change) = change else {
            self.unknown.push(tried.choice);
            return;
        };
        let mut after = self.cluster.fingerprint_after(self.tables, at, &change);
        if after == at.fingerprint() {
            return;
        }
        match tried.spend {
            None => self.is_at_rest = false,
            // It has been seen to be affordable.
            Some(spend) => {
                self.cluster.pay(at, &mut change, spend);
                after = self.cluster.fingerprint_after(self.tables, at, &change);
            }
        }
        if asleep & tried.bit != 0 {
            return;
        }
        let mut asleep_after = self.enabled[tried.node] | (asleep & self.later[tried.node]);
        if change.is_telling {
            for node in 0..self.tables.nodes.len() {
                asleep_after &= !self.row(at, node).telling;
            }
        }
        self.found.push((tried.choice, after, Asleep(asleep_after)));
    }
}

/// An action that is looked at.
struct Tried {
    choice: Choice,
    /// The node whose group it belongs to.
    node: usize,
    bit: u128,
    spend: Option<Spend>,
}

/// The ids of a sorted list, a repeated one once.
fn distinct(sorted: &[u32]) -> impl Iterator<Item = u32> + '_ {
    sorted.chunk_by(|one, other| one == other).map(|run| run[0])
}
