use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use cadre_step::{Disk, Effect, EffectOf, NodeId, Protocol, RequestId};
use smallvec::SmallVec;

use super::action::{ActionOf, TypedAction, TypedFault};
use super::conditions::{Conditions, Turn};
use super::damage::SUBSET_MAX;
use super::faults::Spend;
use super::history::{History, HistoryEntry, is_pending, next_request};
use super::local::{self, Execution, Life, LocalOf};
use super::node_tables::{Leaving, NodeTables, Outcome};
use super::rows::{ENVELOPE_BITS, Row};
use super::rules::Rules;
use super::wide::WideTables;
use crate::fingerprint;
use crate::fingerprint::bytes_of;

/// What a cluster has met so far: every local state, message, timer and history once, and what each
/// action makes of each local state, found by calling the protocol once.
pub(super) struct Tables<P: Protocol> {
    pub(super) nodes: Vec<NodeTables<P>>,
    pub(super) envelopes: Interner<Envelope<P::Message>>,
    /// For each envelope its destination and the id of its delivery among the actions there.
    deliveries: Vec<(usize, u32)>,
    /// For each envelope the number of its link.
    pub(super) links: Vec<u32>,
    pub(super) histories: Interner<History<P>>,
    /// For each history the requests that clients may make, as node and action id.
    invocations: Vec<Vec<(u32, u32)>>,
    /// What a node's outcome makes of a history.
    tellings: HashMap<(u32, u32, u32), u32>,
    pub(super) conditions: Interner<Conditions>,
    /// For each of the conditions the envelopes that cannot arrive, as a bit set.
    pub(super) blocked: Vec<Vec<u32>>,
    /// What becomes of conditions.
    pub(super) turns: HashMap<(u32, Turn), u32>,
    /// The actions that concern more than one node.
    pub(super) wide: WideTables<P>,
    pub(super) workload: Vec<Client<P::Request>>,
    requests: Arc<Vec<Vec<P::Request>>>,
    pub(super) rules: Arc<Rules<P::Message>>,
    /// How many actions that are no deliveries have a bit of their own.
    pub(super) own_bits: u32,
    /// Whether a local state is known in which a step function did not return.
    pub(super) has_failed: bool,
    pub(super) user_calls: u64,
}

/// A message with its sender and destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Envelope<M> {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) message: M,
}

/// A client: the node it asks, and what it asks, one request after the other.
#[derive(Clone, Debug)]
pub(super) struct Client<Q> {
    pub(super) node: NodeId,
    pub(super) requests: Vec<Q>,
}

impl<P: Protocol> Tables<P> {
    pub(super) fn new(
        nodes: usize,
        workload: Vec<Client<P::Request>>,
        rules: Arc<Rules<P::Message>>,
    ) -> Self {
        Self {
            nodes: (0..nodes).map(|_| NodeTables::new()).collect(),
            envelopes: Interner::default(),
            deliveries: Vec::new(),
            links: Vec::new(),
            histories: Interner::default(),
            invocations: Vec::new(),
            tellings: HashMap::new(),
            requests: Arc::new(workload.iter().map(|client| client.requests.clone()).collect()),
            conditions: Interner::default(),
            blocked: Vec::new(),
            turns: HashMap::new(),
            wide: WideTables::default(),
            workload,
            rules,
            own_bits: 0,
            has_failed: false,
            user_calls: 0,
        }
    }

    /// The id of a local state; meeting a new one asks the protocol for its choices.
    pub(super) fn local_id(&mut self, protocol: &P, node: usize, local: LocalOf<P>) -> u32 {
        if let Some(id) = self.nodes[node].locals.get(node, &local) {
            return id;
        }
        let id = NodeId::from_index(node);
        self.user_calls += 1;
        let choices = match local::choices(protocol, id, &local) {
            Ok(choices) => choices,
            Err(panic) => {
                let failed = LocalOf::<P> { life: Life::Failed(panic), ..local };
                return self.local_id(protocol, node, failed);
            }
        };
        let mut own: Vec<ActionOf<P>> = Vec::new();
        own.extend(choices.into_iter().map(|timer| TypedAction::Choose { node: id, timer }));
        match self.own_actions(id, &local) {
            Some(others) => own.extend(others),
            None => {
                let why = format!(
                    "there are more than {SUBSET_MAX} un-synced writes, so that not every subset \
                     of them can be lost; sync more often, or let a prefix of them be lost"
                );
                let failed = LocalOf::<P> { life: Life::Failed(why), ..local };
                return self.local_id(protocol, node, failed);
            }
        }
        let own = own.into_iter().map(|action| self.own(node, action)).collect();
        let has_failed = matches!(local.life, Life::Failed(_));
        self.has_failed |= has_failed;
        let is_overdue = local.is_overdue();
        let tables = &mut self.nodes[node];
        let mut row = Row::new(local.is_active(), has_failed, own);
        row.is_down = matches!(local.life, Life::Down);
        row.is_paused = local.is_paused;
        row.is_overdue = is_overdue;
        row.is_syncing = local.is_syncing();
        tables.bytes_of_steps += row.bytes();
        tables.rows.push(row);
        tables.births.push(None);
        tables.locals.add(node, local)
    }

    pub(super) fn envelope_id(&mut self, envelope: Envelope<P::Message>) -> u32 {
        if let Some(id) = self.envelopes.get(ENVELOPE, &envelope) {
            return id;
        }
        let Envelope { from, to, message } = envelope.clone();
        let destination = &mut self.nodes[to.index()];
        let delivery = destination.action_id(TypedAction::Deliver { from, to, message });
        let id = self.envelopes.add(ENVELOPE, envelope);
        destination.delivers[delivery as usize] = Some(id);
        destination.addressed.resize((id / u32::BITS) as usize + 1, 0);
        destination.addressed[(id / u32::BITS) as usize] |= 1 << (id % u32::BITS);
        if id < ENVELOPE_BITS {
            destination.set_bit(delivery, id);
        }
        destination.consumes[delivery as usize] = Some(id);
        self.deliveries.push((to.index(), delivery));
        self.links.push(link_number(self.nodes.len(), from, to));
        for (conditions, blocked) in self.conditions.values.iter().zip(&mut self.blocked) {
            if conditions.cut.contains(&(from, to)) {
                insert_bit(blocked, id);
            }
        }
        id
    }

    /// The id of conditions; meeting new ones finds out which envelopes cannot arrive.
    pub(super) fn conditions_id(&mut self, conditions: Conditions) -> u32 {
        if let Some(id) = self.conditions.get(CONDITIONS, &conditions) {
            return id;
        }
        let mut blocked = Vec::new();
        for (id, envelope) in (0..).zip(&self.envelopes.values) {
            if conditions.cut.contains(&(envelope.from, envelope.to)) {
                insert_bit(&mut blocked, id);
            }
        }
        for key in &conditions.past {
            let envelope = self.envelopes.values[self.envelope_of(*key) as usize].as_ref();
            let Envelope { from, to, message } = envelope.clone();
            self.wide_id(TypedFault::Replay { from, to, message }.into());
        }
        self.blocked.push(blocked);
        let is_plain = conditions == Conditions::default();
        let id = self.conditions.add(CONDITIONS, conditions);
        if is_plain {
            // So that a configuration without more ado has them.
            self.conditions.keys[id as usize] = 0;
        }
        id
    }

    /// Notes that a message has been delivered, where it may be replayed.
    pub(super) fn remember(&mut self, conditions: u32, envelope: u32) {
        let turn = (conditions, Turn::Delivered { envelope });
        if self.rules.faults.allows(Spend::Replay) && !self.turns.contains_key(&turn) {
            let mut after = self.conditions.values[conditions as usize].as_ref().clone();
            after.past.insert(self.envelopes.keys[envelope as usize]);
            let after = self.conditions_id(after);
            self.turns.insert(turn, after);
        }
    }

    /// Whether an envelope has this key.
    pub(super) fn is_envelope(&self, key: u128) -> bool {
        self.envelopes.ids.contains_key(&key)
    }

    /// The envelope that has a key.
    pub(super) fn envelope_of(&self, key: u128) -> u32 {
        self.envelopes.ids[&key]
    }

    /// The id of a message that has been sent at some time.
    pub(super) fn sent(&self, from: NodeId, to: NodeId, message: &P::Message) -> Option<u32> {
        self.envelopes.get(ENVELOPE, &Envelope { from, to, message: message.clone() })
    }

    /// The destination of an envelope and the id of the delivery there.
    pub(super) fn delivery(&self, envelope: u32) -> (usize, u32) {
        self.deliveries[envelope as usize]
    }

    /// The id of a history; meeting a new one finds out what clients may ask next.
    pub(super) fn history_id(&mut self, history: History<P>) -> u32 {
        if let Some(id) = self.histories.get(HISTORY, &history) {
            return id;
        }
        let mut invocations = Vec::new();
        for client in 0..self.workload.len() {
            let client_id = u32::try_from(client).expect("fewer than 2^32 clients");
            let Some(number) = next_request(&history, client_id) else { continue };
            let Client { node, requests } = &self.workload[client];
            let Some(request) = requests.get(number as usize) else { continue };
            let id = RequestId { client: client_id, number };
            let invoke = TypedAction::Invoke { id, node: *node, request: request.clone() };
            let at = node.index();
            let action = self.nodes[at].action_id(invoke);
            invocations.push((u32::try_from(at).expect("fewer than 2^32 nodes"), action));
        }
        self.invocations.push(invocations);
        self.histories.add(HISTORY, history)
    }

    /// Roughly the bytes of all tables.
    pub(super) fn bytes(&self) -> u64 {
        let nodes: u64 = self.nodes.iter().map(NodeTables::bytes).sum();
        let tellings = self.tellings.capacity() * size_of::<((u32, u32, u32), u32)>();
        nodes + self.envelopes.bytes + self.histories.bytes + tellings as u64
    }

    /// The clients.
    pub(super) fn workload(&self) -> &[Client<P::Request>] {
        &self.workload
    }

    /// What each client asks.
    pub(super) fn requests(&self) -> Arc<Vec<Vec<P::Request>>> {
        Arc::clone(&self.requests)
    }

    /// The node that a request is made of, and what it asks.
    pub(super) fn request(&self, id: RequestId) -> (NodeId, &P::Request) {
        let client = &self.workload[id.client as usize];
        (client.node, &client.requests[id.number as usize])
    }

    pub(super) fn invocations(&self, history: u32) -> &[(u32, u32)] {
        &self.invocations[history as usize]
    }

    /// What a node's outcome makes of a history, if that is known.
    pub(super) fn telling(&self, history: u32, node: usize, outcome: u32) -> Option<u32> {
        self.tellings.get(&(history, u32::try_from(node).ok()?, outcome)).copied()
    }

    /// Finds out what a node's action makes of a local state by calling the protocol, and what that
    /// makes of a history, so far as it is not known.
    pub(super) fn find_out(
        &mut self,
        protocol: &P,
        (node, local, action): (usize, u32, u32),
        history: u32,
    ) {
        let outcome = self.outcome_of(protocol, node, local, action);
        let responses = &self.nodes[node].outcomes[outcome as usize].leaving.responses;
        let invoked = self.nodes[node].invoked(action);
        let key = (history, u32::try_from(node).expect("fewer than 2^32 nodes"), outcome);
        if (invoked.is_none() && responses.is_empty()) || self.tellings.contains_key(&key) {
            return;
        }
        let mut after = self.histories.values[history as usize].as_ref().clone();
        after.extend(invoked.map(|id| HistoryEntry::Invoke { id }));
        for (id, response) in responses {
            // Answers that nobody waits for are ignored.
            if is_pending(&after, *id) {
                after.push(HistoryEntry::Return { id: *id, response: response.clone() });
            }
        }
        let after = self.history_id(after);
        self.tellings.insert(key, after);
    }

    /// The position of what an action makes of a local state, found out if need be.
    pub(super) fn outcome_of(&mut self, protocol: &P, node: usize, local: u32, action: u32) -> u32 {
        match self.nodes[node].outcome_id(local, action) {
            Some(known) => known,
            None => self.call(protocol, node, local, action),
        }
    }

    fn call(&mut self, protocol: &P, node: usize, local: u32, action: u32) -> u32 {
        let id = NodeId::from_index(node);
        let before = Arc::clone(&self.nodes[node].locals.values[local as usize]);
        let typed = self.nodes[node].actions[action as usize].clone();
        self.user_calls += 1;
        let execution = self.execute(protocol, id, &before, &typed);
        self.add_interruptions(node, local, &typed, &execution.effects);
        let known = self.nodes[node].births.len();
        let outcome = self.intern(protocol, node, local, execution);
        if outcome.local as usize >= known {
            self.nodes[node].births[outcome.local as usize] = Some((local, action));
        }
        let consumes = self.rules.consumes();
        self.nodes[node].set_outcome(local, action, outcome, consumes)
    }

    fn intern(
        &mut self,
        protocol: &P,
        node: usize,
        before: u32,
        execution: Execution<P>,
    ) -> Outcome<P::Response> {
        let leaving = self.leaving(node, execution.effects);
        let local = self.local_id(protocol, node, execution.after);
        let keys = &self.nodes[node].locals.keys;
        let key_change = keys[local as usize].wrapping_sub(keys[before as usize]);
        Outcome { local, key_change, leaving }
    }

    /// Starts a node on an empty disk.
    pub(super) fn start(&self, protocol: &P, node: NodeId) -> Execution<P> {
        self.addressed(local::start(protocol, self.rules.timing, node, Disk::new()))
    }

    /// Carries out an action that concerns a node.
    pub(super) fn execute(
        &self,
        protocol: &P,
        node: NodeId,
        before: &LocalOf<P>,
        action: &ActionOf<P>,
    ) -> Execution<P> {
        self.addressed(local::execute(protocol, self.rules.timing, node, before, action))
    }

    /// The execution, failed if it sends a message to a node that does not exist.
    fn addressed(&self, mut execution: Execution<P>) -> Execution<P> {
        local::fail_astray::<P>(&mut execution.after, &mut execution.effects, self.nodes.len());
        execution
    }

    /// What of a node's effects leaves the node: envelopes and answers.
    pub(super) fn leaving(
        &mut self,
        node: usize,
        effects: Vec<EffectOf<P>>,
    ) -> Leaving<P::Response> {
        let from = NodeId::from_index(node);
        let mut sends: SmallVec<[u32; 4]> = SmallVec::new();
        let mut responses = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    let sent = self.envelope_id(Envelope { from, to, message });
                    if self.rules.consumes() || !sends.contains(&sent) {
                        sends.push(sent);
                    }
                }
                Effect::Respond { request, response } => responses.push((request, response)),
                // What stays in the node is part of its local state by now.
                Effect::SetTimer { .. }
                | Effect::CancelTimer { .. }
                | Effect::Put { .. }
                | Effect::PutSynced { .. }
                | Effect::Delete { .. }
                | Effect::Sync => {}
            }
        }
        Leaving { sends, responses }
    }
}

/// The envelopes of a bit set that have a bit in a sleep set.
#[inline]
pub(super) fn first_envelopes(words: &[u32]) -> u128 {
    let word = |at: usize| u128::from(words.get(at).copied().unwrap_or(0)) << (32 * at);
    word(0) | word(1) | word(2)
}

fn insert_bit(bits: &mut Vec<u32>, at: u32) {
    let word = (at / u32::BITS) as usize;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (at % u32::BITS);
}

fn link_number(nodes: usize, from: NodeId, to: NodeId) -> u32 {
    u32::try_from(from.index() * nodes + to.index()).expect("fewer than 2^16 nodes")
}

/// Gives equal values one small id, and each id a 128-bit key that follows from the value.
pub(super) struct Interner<T> {
    pub(super) values: Vec<Arc<T>>,
    pub(super) keys: Vec<u128>,
    ids: HashMap<u128, u32>,
    /// Roughly the bytes of all of it.
    pub(super) bytes: u64,
}

/// Roughly what an interned value takes beside itself: two counts, a pointer to it, its key, and an
/// entry of a hash map, which has room for more.
const BESIDE: u64 = 16 + 8 + 16 + 48;

/// Kinds of parts of a configuration, so that equal values of two kinds get different keys; nodes
/// use their own position.
const ENVELOPE: usize = usize::MAX;
const HISTORY: usize = usize::MAX - 1;
const CONDITIONS: usize = usize::MAX - 2;

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn get(&self, kind: usize, value: &T) -> Option<u32> {
        let id = *self.ids.get(&fingerprint(&(kind, value)))?;
        assert!(*self.values[id as usize] == *value, "two values share a 128-bit fingerprint");
        Some(id)
    }

    fn add(&mut self, kind: usize, value: T) -> u32 {
        let id = u32::try_from(self.values.len()).expect("fewer than 2^32 values of a kind");
        let key = fingerprint(&(kind, &value));
        self.bytes += bytes_of(&value) + BESIDE;
        self.ids.insert(key, id);
        self.keys.push(key);
        self.values.push(Arc::new(value));
        id
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: Vec::new(), keys: Vec::new(), ids: HashMap::new(), bytes: 0 }
    }
}
