use cadre_step::Protocol;

use super::configuration::{Configuration, set_members};
use super::faults::Spend;
use super::node_tables::NodeTables;
use super::rows::{ENVELOPE_BITS, Own, Row};
use super::rules::Network;
use super::steps::{Change, Unknown};
use super::tables::{Tables, first_envelopes};
use super::{Choice, Cluster, Packed};
use crate::expansion::Asleep;

/// Finds what can happen in configurations, one after the other, without allocating for each.
///
/// # Sleep sets
///
/// The actions of one node are a group. Actions of two groups commute: a step reads and changes its
/// own node's state alone, takes messages for that node out of the network and adds others, and
/// what is spent of budgets adds up. Only what adds to the clients' history does not commute with
/// what adds to it as well; and where queues are bounded, what takes a message out makes room for
/// one that would have been lost, so that nothing is put to sleep there.
///
/// Actions that concern more than one node, such as partitions and the passing of time, belong to
/// no group: after one of them nothing is asleep, and what follows is said of the stretches between
/// them.
///
/// Groups are tried in the order of the nodes. After an action of one group those of earlier groups
/// that could have come first are asleep: the same actions in the other order lead to the same
/// configuration. So are those that were asleep already and commute with it. What the network may
/// do to a message belongs to the group of its destination, and is asleep where its delivery is:
/// where that could have come first the message was in flight, and budgets left no less.
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
    /// For each node the first envelopes for it.
    addressed: Vec<u128>,
    /// For each node what is known of its local states.
    all_rows: Vec<&'a [Row]>,
    /// What is known of each node's local state.
    rows: Vec<&'a Row>,
    has_clients: bool,
    has_interruptions: bool,
    /// Whether there are actions that concern more than one node.
    has_wide: bool,
    /// Whether the actions of two groups commute.
    commutes: bool,
    /// The faults of the network that have a budget.
    network_faults: Vec<Spend>,
    /// The nodes with own actions that have to be looked at.
    busy: Vec<usize>,
    /// For each node the bits of the actions of earlier nodes that are enabled.
    earlier: Vec<u128>,
    /// The first envelopes whose delivery may change something.
    open: u128,
    /// The other envelopes whose delivery may change something.
    beyond: Vec<u32>,
    /// What was found in the configuration last looked at.
    pub(super) found: Vec<(Choice, u128, Asleep)>,
    /// The actions that it takes to say more, if there are any.
    pub(super) unknown: Vec<Choice>,
    pub(super) is_at_rest: bool,
}

impl<'a, P: Protocol> Survey<'a, P> {
    pub(super) fn new(cluster: &'a Cluster<P>, tables: &'a Tables<P>) -> Self {
        let nodes = tables.nodes.len();
        let mut later = vec![0; nodes];
        for node in (1..nodes).rev() {
            later[node - 1] = later[node] | tables.nodes[node].all_bits;
        }
        Self {
            cluster,
            tables,
            later,
            addressed: tables.nodes.iter().map(NodeTables::addressed_first).collect(),
            all_rows: tables.nodes.iter().map(|node| node.rows.as_slice()).collect(),
            rows: Vec::with_capacity(nodes),
            has_clients: !cluster.names.clients.is_empty(),
            has_interruptions: cluster.rules.faults.allows(Spend::Interruption),
            has_wide: cluster.has_wide(),
            commutes: cluster.rules.queue_max.is_none(),
            network_faults: [Spend::Loss, Spend::Duplication]
                .into_iter()
                .filter(|spend| cluster.rules.faults.allows(*spend))
                .collect(),
            busy: Vec::with_capacity(nodes),
            earlier: vec![0; nodes],
            open: 0,
            beyond: Vec::new(),
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
        self.rows.clear();
        let locals = at.words().iter();
        self.rows.extend(self.all_rows.iter().zip(locals).map(|(rows, at)| &rows[*at as usize]));
        if !self.find_enabled(at, asleep.0) {
            self.find_unknown(at);
            return;
        }
        let asleep = asleep.0;
        for envelope in members(self.open & !asleep) {
            self.deliver(at, asleep, envelope);
        }
        for index in 0..self.beyond.len() {
            self.deliver(at, asleep, self.beyond[index]);
        }
        for index in 0..self.busy.len() {
            self.own_actions(at, asleep, self.busy[index]);
        }
        if self.has_clients {
            self.invocations(at, asleep);
        }
        if !self.network_faults.is_empty() {
            self.network_faults(at, asleep);
        }
        if self.has_interruptions {
            self.interruptions(at, asleep);
        }
        if self.has_wide {
            self.wide_actions(at);
        }
        self.is_at_rest = self.is_at_rest && !self.can_a_sleeper_change(at, asleep);
    }

    /// Whether an action that is asleep and no fault would change anything: whether a configuration
    /// is at rest does not depend on what is asleep there.
    #[cold]
    fn can_a_sleeper_change(&self, at: &Configuration, asleep: u128) -> bool {
        let changes = |node: usize, action: u32, outcome: u32, delivered: Option<u32>| {
            let step = (node, action, outcome);
            let change = self.cluster.change(self.tables, at, step, delivered);
            // What is not known yet is what clients are told, or what may be replayed: a change.
            change.map_or(true, |change| {
                self.cluster.fingerprint_after(self.tables, at, &change) != at.fingerprint()
            })
        };
        let by_delivery = members(self.open & asleep).any(|envelope| {
            let (node, action) = self.tables.delivery(envelope);
            let outcome = self.rows[node].delivery(envelope).expect("unknown steps were reported");
            changes(node, action, outcome, Some(envelope))
        });
        let is_asleep = |own: &&Own| own.spend.is_none() && own.bit & asleep != 0;
        by_delivery
            || self.rows.iter().enumerate().any(|(node, row)| {
                row.own.iter().filter(is_asleep).any(|own| {
                    let outcome = own.outcome.expect("unknown steps were reported");
                    changes(node, own.action, outcome, None)
                })
            })
    }

    /// Finds which actions are enabled; whether all that follows from them is known.
    #[inline]
    fn find_enabled(&mut self, at: &Configuration, asleep: u128) -> bool {
        self.beyond.clear();
        self.busy.clear();
        let network = at.network(self.cluster.layout);
        let first = match self.cluster.network {
            Network::GrowingSet => first_envelopes(network),
            Network::ConsumedOnce => first_listed(network.iter()),
            Network::Fifo => first_listed(self.cluster.first_in_flight(self.tables, at).iter()),
        };
        let first = match self.tables.blocked[at.conditions(self.cluster.layout) as usize] {
            ref blocked if blocked.is_empty() => first,
            ref blocked => first & !first_envelopes(blocked),
        };
        let (mut open, mut unknown, mut earlier) = (0, 0, 0);
        let mut are_plain = true;
        for (node, row) in self.rows.iter().enumerate() {
            let here = first & self.addressed[node] & !row.deaf;
            open |= here;
            unknown |= here & !row.known;
            are_plain &= row.is_plain;
            if !row.is_plain || row.free & !asleep != 0 {
                self.busy.push(node);
            }
            self.earlier[node] = earlier;
            earlier |= here | row.free;
        }
        self.open = open;
        let has_more = match self.cluster.network {
            Network::GrowingSet => network.len() > WORDS,
            Network::ConsumedOnce => network.last().is_some_and(|last| *last >= ENVELOPE_BITS),
            Network::Fifo => network.iter().any(|envelope| *envelope >= ENVELOPE_BITS),
        };
        if has_more {
            self.find_beyond(at);
        }
        if !are_plain {
            self.add_faults(at);
        }
        unknown == 0 && self.others(at, are_plain).next().is_none()
    }

    /// Finds the envelopes without a bit whose delivery may change something.
    fn find_beyond(&mut self, at: &Configuration) {
        let network = at.network(self.cluster.layout);
        match self.cluster.network {
            Network::GrowingSet => {
                for (word, bits) in network.iter().enumerate().skip(WORDS) {
                    let mut open = 0;
                    for (node, row) in self.rows.iter().enumerate() {
                        open |= bits & self.tables.nodes[node].addressed(word) & row.open(word);
                    }
                    let base = u32::try_from(word).expect("fewer than 2^32 words") * u32::BITS;
                    self.beyond.extend(set_members(&[open]).map(|bit| base + bit));
                }
            }
            Network::ConsumedOnce | Network::Fifo => {
                let tables = self.tables;
                let rows = &self.rows;
                let has_no_bit = |envelope: &u32| *envelope >= ENVELOPE_BITS;
                let can_arrive = |envelope: &u32| rows[tables.delivery(*envelope).0].is_up;
                let next = self.cluster.first_in_flight(tables, at).into_iter();
                self.beyond.extend(next.filter(has_no_bit).filter(can_arrive));
            }
        }
        self.beyond.retain(|envelope| !self.cluster.is_blocked(self.tables, at, *envelope));
    }

    /// Adds the faults that the budgets allow to what is enabled.
    fn add_faults(&mut self, at: &Configuration) {
        let mut earlier = 0;
        for node in 0..self.rows.len() {
            self.earlier[node] |= earlier;
            for own in self.rows[node].own.iter().filter(|own| own.spend.is_some()) {
                if self.is_affordable(at, own.spend) {
                    earlier |= own.bit;
                }
            }
        }
    }

    /// The actions whose outcome is not known, but for deliveries of the first envelopes.
    fn others(&self, at: &Configuration, are_plain: bool) -> impl Iterator<Item = Choice> {
        let beyond = self.beyond.iter().filter_map(|envelope| {
            let (node, action) = self.tables.delivery(*envelope);
            let is_known = self.rows[node].delivery(*envelope).is_some();
            (!is_known).then(|| Choice::of_node(node, action))
        });
        let rows = if are_plain { &[] } else { self.rows.as_slice() };
        let own = rows.iter().enumerate().flat_map(move |(node, row)| {
            let is_unknown =
                |own: &&Own| own.outcome.is_none() && self.is_affordable(at, own.spend);
            row.own.iter().filter(is_unknown).map(move |own| Choice::of_node(node, own.action))
        });
        let asked = match self.has_clients {
            true => self.tables.invocations(at.history(self.cluster.layout)),
            false => &[],
        };
        let asked = asked.iter().filter_map(|(node, action)| {
            let row = self.rows[*node as usize];
            let is_unknown = row.is_up && row.other(*action).is_none();
            is_unknown.then_some(Choice(Packed::Node { node: *node, action: *action }))
        });
        beyond.chain(own).chain(asked)
    }

    #[cold]
    fn find_unknown(&mut self, at: &Configuration) {
        let mut unknown = Vec::new();
        for envelope in members(self.open) {
            let (node, action) = self.tables.delivery(envelope);
            if self.rows[node].known & 1 << envelope == 0 {
                unknown.push(Choice::of_node(node, action));
            }
        }
        unknown.extend(self.others(at, false));
        self.unknown = unknown;
    }

    #[inline]
    fn is_affordable(&self, at: &Configuration, spend: Option<Spend>) -> bool {
        let budgets = at.budgets(self.cluster.layout);
        spend.is_none_or(|spend| self.cluster.purse.spend(budgets, spend).is_some())
    }

    #[inline]
    fn deliver(&mut self, at: &Configuration, asleep: u128, envelope: u32) {
        let (node, action) = self.tables.delivery(envelope);
        let outcome = self.rows[node].delivery(envelope).expect("unknown steps were reported");
        let step = (node, action, outcome);
        let change = self.cluster.change(self.tables, at, step, Some(envelope));
        let tried = Tried { choice: Choice::of_node(node, action), node, spend: None };
        self.tell(at, asleep, &tried, change);
    }

    fn own_actions(&mut self, at: &Configuration, asleep: u128, node: usize) {
        for own in &self.rows[node].own {
            if asleep & own.bit != 0 || !self.is_affordable(at, own.spend) {
                continue;
            }
            let outcome = own.outcome.expect("unknown steps were reported");
            let change = self.cluster.change(self.tables, at, (node, own.action, outcome), None);
            let choice = Choice::of_node(node, own.action);
            let tried = Tried { choice, node, spend: own.spend };
            self.tell(at, asleep, &tried, change);
        }
    }

    fn invocations(&mut self, at: &Configuration, asleep: u128) {
        for (node, action) in self.tables.invocations(at.history(self.cluster.layout)) {
            let choice = Choice(Packed::Node { node: *node, action: *action });
            let node = *node as usize;
            let row = self.rows[node];
            if row.is_up {
                let outcome = row.other(*action).expect("unknown steps were reported");
                let change = self.cluster.change(self.tables, at, (node, *action, outcome), None);
                self.tell(at, asleep, &Tried { choice, node, spend: None }, change);
            }
        }
    }

    /// The steps that end in the middle, of those that are possible.
    fn interruptions(&mut self, at: &Configuration, asleep: u128) {
        if !self.is_affordable(at, Some(Spend::Interruption)) {
            return;
        }
        for node in 0..self.rows.len() {
            for interruption in &self.rows[node].interruptions {
                let (of, action) = (interruption.of, interruption.action);
                if !self.cluster.is_possible_of(self.tables, at, node, of) {
                    continue;
                }
                let choice = Choice::of_node(node, action);
                let Some(outcome) = self.rows[node].other(action) else {
                    self.unknown.push(choice);
                    continue;
                };
                let consumed = self.tables.nodes[node].consumed(action);
                let change =
                    self.cluster.change(self.tables, at, (node, action, outcome), consumed);
                let tried = Tried { choice, node, spend: Some(Spend::Interruption) };
                self.tell(at, asleep, &tried, change);
            }
        }
    }

    /// What concerns more than one node. Nothing that was asleep stays so, and none of it ever is
    /// asleep: it commutes with nothing.
    fn wide_actions(&mut self, at: &Configuration) {
        let actions = match self.cluster.wide_actions(self.tables, at) {
            Ok(actions) => actions,
            Err(envelopes) => {
                let unknown = |envelope| Choice(Packed::Drop { envelope });
                self.unknown.extend(envelopes.into_iter().map(unknown));
                return;
            }
        };
        for action in actions {
            let costs = self.cluster.wide_costs(self.tables, at, action);
            let is_affordable = self.cluster.pay_all(&mut at.clone(), &costs);
            if !is_affordable {
                continue;
            }
            let choice = Choice::wide(action);
            let Ok(after) = self.cluster.wide_after(self.tables, at, action) else {
                self.unknown.push(choice);
                continue;
            };
            let Some(mut after) = after else { continue };
            if after.fingerprint() == at.fingerprint() {
                continue;
            }
            self.is_at_rest &= !costs.is_empty();
            self.cluster.pay_all(&mut after, &costs);
            self.found.push((choice, after.fingerprint(), Asleep::NONE));
        }
    }

    fn network_faults(&mut self, at: &Configuration, asleep: u128) {
        let faults = std::mem::take(&mut self.network_faults);
        let is_asleep = |envelope: u32| envelope < ENVELOPE_BITS && asleep & 1 << envelope != 0;
        for envelope in self.cluster.first_in_flight(self.tables, at) {
            if is_asleep(envelope) {
                continue;
            }
            let (node, _) = self.tables.delivery(envelope);
            for spend in faults.iter().copied() {
                if self.is_affordable(at, Some(spend)) {
                    let choice = Choice(match spend == Spend::Duplication {
                        true => Packed::Duplicate { envelope },
                        false => Packed::Drop { envelope },
                    });
                    let tried = Tried { choice, node, spend: Some(spend) };
                    let sent = [envelope];
                    let change = self.cluster.network_change(self.tables, envelope, spend, &sent);
                    self.tell(at, asleep, &tried, Ok(change));
                }
            }
        }
        self.network_faults = faults;
    }

    /// Tells of one action, unless it changes nothing.
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
        let mut asleep_after = self.earlier[tried.node] | (asleep & self.later[tried.node]);
        if !self.commutes {
            asleep_after = 0;
        }
        if change.is_telling() {
            self.rows.iter().for_each(|row| asleep_after &= !row.telling);
        }
        self.found.push((tried.choice, after, Asleep(asleep_after)));
    }
}

/// An action that is looked at.
struct Tried {
    choice: Choice,
    /// The node whose group it belongs to.
    node: usize,
    spend: Option<Spend>,
}

/// How many words of a growing set have bits in a sleep set.
const WORDS: usize = (ENVELOPE_BITS / u32::BITS) as usize;

/// The bits that are set, as envelopes.
#[inline]
fn members(mut bits: u128) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (bit < u128::BITS).then_some(bit)
    })
}

/// Of listed envelopes those that have a bit in a sleep set.
#[inline]
fn first_listed<'e>(envelopes: impl Iterator<Item = &'e u32>) -> u128 {
    let first = envelopes.filter(|envelope| **envelope < ENVELOPE_BITS);
    first.fold(0, |bits, envelope| bits | 1 << envelope)
}
