use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use cadre_step::{Disk, Effect, EffectOf, NodeId, Protocol, RequestId};
use smallvec::SmallVec;

use super::action::{ActionOf, TypedAction};
use super::builder::{Faults, Network, Spend};
use super::history::{History, HistoryEntry, is_pending, next_request};
use super::local::{self, Execution, Life, LocalOf};
use super::rows::{ENVELOPE_BITS, Own, Row};
use crate::fingerprint;

/// What a cluster has met so far: every local state, message, timer and history once, and what each
/// action makes of each local state, found by calling the protocol once.
pub(super) struct Tables<P: Protocol> {
    pub(super) nodes: Vec<NodeTables<P>>,
    pub(super) envelopes: Interner<Envelope<P::Message>>,
    /// For each envelope its destination and the id of its delivery among the actions there.
    deliveries: Vec<(usize, u32)>,
    pub(super) histories: Interner<History<P>>,
    /// For each history the requests that clients may make, as node and action id.
    invocations: Vec<Vec<(u32, u32)>>,
    /// What a node's outcome makes of a history.
    tellings: HashMap<(u32, u32, u32), u32>,
    pub(super) workload: Vec<Client<P::Request>>,
    requests: Arc<Vec<Vec<P::Request>>>,
    network: Network,
    faults: Faults,
    /// How many actions that are no deliveries have a bit of their own.
    own_bits: u32,
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

/// What belongs to one node.
pub(super) struct NodeTables<P: Protocol> {
    pub(super) locals: Interner<LocalOf<P>>,
    /// For each local state what is known of it.
    pub(super) rows: Vec<Row>,
    /// The actions that concern this node.
    pub(super) actions: Vec<ActionOf<P>>,
    action_ids: HashMap<ActionOf<P>, u32>,
    /// For each action the envelope it delivers, if it is a delivery.
    delivers: Vec<Option<u32>>,
    /// For each action its bit in a sleep set; none has no bits.
    bits: Vec<u128>,
    /// The bits of all actions of this node.
    pub(super) all_bits: u128,
    /// The envelopes for this node, as a bit set.
    addressed: Vec<u32>,
    pub(super) outcomes: Vec<Outcome<P::Response>>,
    /// For each local state how it came about first; `None` where the node has just started, or
    /// where it was imported.
    pub(super) births: Vec<Option<(u32, u32)>>,
}

/// What of a step's effects leaves the node.
pub(super) struct Leaving<R> {
    /// Envelopes sent, in order.
    pub(super) sends: SmallVec<[u32; 4]>,
    pub(super) responses: Vec<(RequestId, R)>,
}

/// What an action makes of a local state.
pub(super) struct Outcome<R> {
    pub(super) local: u32,
    /// The new local state's key minus the old one's.
    pub(super) key_change: u128,
    pub(super) leaving: Leaving<R>,
}

impl<P: Protocol> Tables<P> {
    pub(super) fn new(
        nodes: usize,
        workload: Vec<Client<P::Request>>,
        network: Network,
        faults: Faults,
    ) -> Self {
        let node = || NodeTables {
            locals: Interner::default(),
            rows: Vec::new(),
            actions: Vec::new(),
            action_ids: HashMap::new(),
            delivers: Vec::new(),
            bits: Vec::new(),
            all_bits: 0,
            addressed: Vec::new(),
            outcomes: Vec::new(),
            births: Vec::new(),
        };
        Self {
            nodes: (0..nodes).map(|_| node()).collect(),
            envelopes: Interner::default(),
            deliveries: Vec::new(),
            histories: Interner::default(),
            invocations: Vec::new(),
            tellings: HashMap::new(),
            requests: Arc::new(workload.iter().map(|client| client.requests.clone()).collect()),
            workload,
            network,
            faults,
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
        own.extend(self.own_actions(id, &local));
        let own = own.into_iter().map(|action| self.own(node, action)).collect();
        let has_failed = matches!(local.life, Life::Failed(_));
        self.has_failed |= has_failed;
        let tables = &mut self.nodes[node];
        tables.rows.push(Row::new(matches!(local.life, Life::Up(_)), has_failed, own));
        tables.births.push(None);
        tables.locals.add(node, local)
    }

    fn own(&mut self, node: usize, action: ActionOf<P>) -> Own {
        let spend = cost(&action);
        let tables = &mut self.nodes[node];
        let action = tables.action_id(action);
        if tables.bits[action as usize] == 0 && self.own_bits < u128::BITS - ENVELOPE_BITS {
            tables.set_bit(action, ENVELOPE_BITS + self.own_bits);
            self.own_bits += 1;
        }
        Own { action, outcome: None, spend, bit: tables.bits[action as usize] }
    }

    /// Timers, sync answers and faults of a node in a local state; budgets are looked at later.
    fn own_actions(&self, node: NodeId, local: &LocalOf<P>) -> Vec<ActionOf<P>> {
        let mut own = Vec::new();
        match &local.life {
            Life::Up(_) => {
                let fire = |timer: &P::Timer| TypedAction::Fire { node, timer: timer.clone() };
                own.extend(local.timers.iter().map(fire));
                if local.is_syncing() {
                    own.push(TypedAction::SyncDone { node });
                }
                if self.faults.allows(Spend::CrashRestart) {
                    own.push(TypedAction::CrashRestart { node });
                }
                if self.faults.allows(Spend::Crash) {
                    own.push(TypedAction::Crash { node });
                }
            }
            Life::Down if self.faults.restarts => own.push(TypedAction::Restart { node }),
            Life::Down | Life::Failed(_) => {}
        }
        own
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
        self.deliveries.push((to.index(), delivery));
        id
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
        let known = self.nodes[node].births.len();
        let outcome = self.intern(protocol, node, local, execution);
        if outcome.local as usize >= known {
            self.nodes[node].births[outcome.local as usize] = Some((local, action));
        }
        self.nodes[node].set_outcome(local, action, outcome, self.network)
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
        self.addressed(local::start(protocol, node, &Disk::new()))
    }

    /// Carries out an action that concerns a node.
    pub(super) fn execute(
        &self,
        protocol: &P,
        node: NodeId,
        before: &LocalOf<P>,
        action: &ActionOf<P>,
    ) -> Execution<P> {
        self.addressed(local::execute(protocol, node, before, action))
    }

    /// The execution, failed if it sends a message to a node that does not exist.
    fn addressed(&self, mut execution: Execution<P>) -> Execution<P> {
        let nodes = self.nodes.len();
        let is_lost =
            |effect: &EffectOf<P>| matches!(effect, Effect::Send { to, .. } if to.index() >= nodes);
        if let Some(lost) = execution.effects.iter().find(|effect| is_lost(effect)) {
            let why = format!("{lost:?} is for a node that does not exist; there are {nodes}");
            execution.after.life = Life::Failed(why);
            execution.effects.clear();
        }
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
                    if self.network == Network::ConsumedOnce || !sends.contains(&sent) {
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

impl<P: Protocol> NodeTables<P> {
    pub(super) fn action_id(&mut self, action: ActionOf<P>) -> u32 {
        if let Some(id) = self.action_ids.get(&action) {
            return *id;
        }
        let id = u32::try_from(self.actions.len()).expect("fewer than 2^32 actions of a node");
        self.action_ids.insert(action.clone(), id);
        self.actions.push(action);
        self.delivers.push(None);
        self.bits.push(0);
        id
    }

    fn set_bit(&mut self, action: u32, bit: u32) {
        self.bits[action as usize] = 1 << bit;
        self.all_bits |= 1 << bit;
    }

    /// The first envelopes for this node.
    pub(super) fn addressed_first(&self) -> u128 {
        first_envelopes(&self.addressed)
    }

    /// Of the envelopes of a word, those for this node.
    #[inline]
    pub(super) fn addressed(&self, word: usize) -> u32 {
        self.addressed.get(word).copied().unwrap_or(0)
    }

    /// The position of what an action makes of a local state, if it is known.
    #[inline]
    pub(super) fn outcome_id(&self, local: u32, action: u32) -> Option<u32> {
        let row = &self.rows[local as usize];
        match self.delivers[action as usize] {
            Some(envelope) => row.delivery(envelope),
            None => row.other(action),
        }
    }

    fn set_outcome(
        &mut self,
        local: u32,
        action: u32,
        outcome: Outcome<P::Response>,
        network: Network,
    ) -> u32 {
        let at = u32::try_from(self.outcomes.len()).expect("fewer than 2^32 outcomes");
        let row = &mut self.rows[local as usize];
        let Leaving { sends, responses } = &outcome.leaving;
        if !responses.is_empty() {
            row.telling |= self.bits[action as usize];
        }
        match self.delivers[action as usize] {
            None => row.set_other(action, at),
            Some(envelope) => {
                // A delivery always takes the message out of a network that consumes.
                let is_deaf = network == Network::GrowingSet
                    && outcome.local == local
                    && sends.is_empty()
                    && responses.is_empty();
                row.set_delivery(envelope, at, is_deaf);
            }
        }
        self.outcomes.push(outcome);
        at
    }

    /// The actions, each with the number of its bit if it has one and is no delivery.
    pub(super) fn own_bits(&self) -> impl Iterator<Item = (&ActionOf<P>, Option<u32>)> {
        self.actions.iter().zip(&self.bits).map(|(action, bits)| {
            let bit = (*bits != 0).then(|| bits.trailing_zeros());
            (action, bit.filter(|bit| *bit >= ENVELOPE_BITS))
        })
    }

    /// The request that an action makes.
    pub(super) fn invoked(&self, action: u32) -> Option<RequestId> {
        match &self.actions[action as usize] {
            TypedAction::Invoke { id, .. } => Some(*id),
            TypedAction::Deliver { .. }
            | TypedAction::Drop { .. }
            | TypedAction::Duplicate { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Crash { .. }
            | TypedAction::Restart { .. }
            | TypedAction::CrashRestart { .. } => None,
        }
    }

    /// The envelope that an action delivers.
    pub(super) fn delivered(&self, action: u32) -> Option<u32> {
        self.delivers[action as usize]
    }

    /// The id of an action that has been met.
    pub(super) fn known_action(&self, action: &ActionOf<P>) -> Option<u32> {
        self.action_ids.get(action).copied()
    }
}

/// The envelopes of a bit set that have a bit in a sleep set.
#[inline]
pub(super) fn first_envelopes(words: &[u32]) -> u128 {
    let word = |at: usize| u128::from(words.get(at).copied().unwrap_or(0)) << (32 * at);
    word(0) | word(1) | word(2)
}

/// What an action costs.
pub(super) fn cost<M, T, Q>(action: &TypedAction<M, T, Q>) -> Option<Spend> {
    match action {
        TypedAction::Drop { .. } => Some(Spend::Loss),
        TypedAction::Duplicate { .. } => Some(Spend::Duplication),
        TypedAction::Crash { .. } => Some(Spend::Crash),
        TypedAction::CrashRestart { .. } => Some(Spend::CrashRestart),
        TypedAction::Deliver { .. }
        | TypedAction::Choose { .. }
        | TypedAction::Fire { .. }
        | TypedAction::SyncDone { .. }
        | TypedAction::Invoke { .. }
        | TypedAction::Restart { .. } => None,
    }
}

/// Gives equal values one small id, and each id a 128-bit key that follows from the value.
pub(super) struct Interner<T> {
    pub(super) values: Vec<Arc<T>>,
    pub(super) keys: Vec<u128>,
    ids: HashMap<u128, u32>,
}

/// Kinds of parts of a configuration, so that equal values of two kinds get different keys; nodes
/// use their own position.
const ENVELOPE: usize = usize::MAX;
const HISTORY: usize = usize::MAX - 1;

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn get(&self, kind: usize, value: &T) -> Option<u32> {
        let id = *self.ids.get(&fingerprint(&(kind, value)))?;
        assert!(*self.values[id as usize] == *value, "two values share a 128-bit fingerprint");
        Some(id)
    }

    fn add(&mut self, kind: usize, value: T) -> u32 {
        let id = u32::try_from(self.values.len()).expect("fewer than 2^32 values of a kind");
        let key = fingerprint(&(kind, &value));
        self.ids.insert(key, id);
        self.keys.push(key);
        self.values.push(Arc::new(value));
        id
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: Vec::new(), keys: Vec::new(), ids: HashMap::new() }
    }
}
