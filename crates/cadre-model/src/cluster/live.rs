use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use cadre_step::{Disk, Effect, EffectOf, Event, NodeId, Protocol, RequestId};
use cadre_trace::{Action, Misread, Snapshot};

use super::Cluster;
use super::action::{ActionOf, TypedAction, TypedFault};
use super::consequence::{Consequence, Consequences};
use super::damage::{altered, misreads};
use super::faults::{Budget, Faults, Timing};
use super::flying::Slot;
use super::history::HistoryEntry;
use super::local::{self, Life, LocalOf, Purity, Stepping, Write};
use super::names::{from_json, to_json};
use super::rules::Network;
use super::tables::{Client, Envelope};
use super::view::View;
use crate::guarantee::Part;

/// One execution in progress, on the protocol's own types.
///
/// Nothing is interned: what has gone is forgotten, so that an execution may be as long as it
/// likes. Actions mean what they mean in the [`Cluster`]; faults cost no budget. The same actions
/// [executed](Cluster::execute) by the cluster lead to the same configurations.
///
/// Two things differ. A search that looks for every subset of un-synced writes fails a node with
/// too many of them; here nothing is enumerated. And a message that a growing set holds already is
/// held in one slot, however often it is sent.
pub struct Live<'c, P: Protocol> {
    cluster: &'c Cluster<P>,
    purity: Purity,
    view: View<P>,
    cut: BTreeSet<(NodeId, NodeId)>,
    /// What has been delivered, where it can be replayed.
    past: HashSet<Envelope<P::Message>>,
    workload: Vec<Client<P::Request>>,
    /// For each client the number of its next request, and whether it waits for an answer.
    clients: Vec<(u32, bool)>,
    choices: Vec<Vec<P::Timer>>,
    /// Room for the effects of the next step.
    room: Vec<EffectOf<P>>,
}

impl<'c, P: Protocol> Live<'c, P> {
    /// Starts all nodes; their consequences are added to `told`.
    pub fn new(cluster: &'c Cluster<P>, purity: Purity, told: &mut Consequences<P>) -> Self {
        let workload = cluster.read().workload().to_vec();
        let requests = workload.iter().map(|client| client.requests.clone()).collect();
        let mut view = View::new(cluster.layout, cluster.network, Arc::new(requests));
        view.go_live();
        let nodes = cluster.layout.nodes;
        let mut live = Self {
            cluster,
            purity,
            view,
            cut: BTreeSet::new(),
            past: HashSet::new(),
            clients: vec![(0, false); workload.len()],
            workload,
            choices: vec![Vec::new(); nodes],
            room: Vec::new(),
        };
        for node in (0..nodes).map(NodeId::from_index) {
            let started = local::start(&cluster.protocol, live.timing(), node, Disk::new());
            live.step(node, told, |_, local| {
                *local = started.after;
                started.effects
            });
        }
        live
    }

    /// The configuration as guarantees see it.
    pub fn view(&self) -> &View<P> {
        &self.view
    }

    /// The cluster that it is an execution of.
    pub fn cluster(&self) -> &'c Cluster<P> {
        self.cluster
    }

    /// What a guarantee's predicate says now.
    pub fn evaluate(&self, guarantee: usize, part: Part) -> bool {
        match guarantee.checked_sub(1) {
            None => self.view.failure().is_none(),
            Some(declared) => self.cluster.guarantees[declared].evaluate(part, &self.view),
        }
    }

    /// What the node may do of its own accord.
    pub fn choices(&self, node: NodeId) -> &[P::Timer] {
        &self.choices[node.index()]
    }

    /// Whether a node takes steps: it is up and not paused.
    pub fn is_active(&self, node: NodeId) -> bool {
        self.local(node).is_active()
    }

    /// Whether a node is down, and can be started again.
    pub fn is_down(&self, node: NodeId) -> bool {
        matches!(self.local(node).life, Life::Down)
    }

    /// Whether the link from one node to another is cut.
    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.cut.contains(&(from, to))
    }

    /// Whether any link is cut.
    pub fn is_parted(&self) -> bool {
        !self.cut.is_empty()
    }

    /// Where the message is that has this number, if it is in flight.
    pub fn slot(&self, index: usize) -> Option<Slot> {
        self.view.flying().slot(index)
    }

    /// Whether a node waits for the answer to a sync.
    pub fn is_syncing(&self, node: NodeId) -> bool {
        self.local(node).is_syncing()
    }

    /// Whether an armed timer may go off now, as far as the cluster counts time.
    pub fn is_ripe(&self, node: NodeId, timer: &P::Timer) -> bool {
        self.local(node).ripe().any(|ripe| ripe == timer)
    }

    /// The timers that must go off before more time passes, where the cluster counts time.
    pub fn overdue(&self, node: NodeId) -> Vec<P::Timer> {
        let local = self.local(node);
        if !local.is_active() {
            return Vec::new();
        }
        let due = local.timers.iter().zip(&local.due);
        due.filter(|(_, due)| due.max == 0).map(|(timer, _)| timer.clone()).collect()
    }

    /// The positions of a node's un-synced writes, and whether each can be torn.
    pub fn unsynced(&self, node: NodeId) -> Vec<(usize, bool)> {
        let writes = self.local(node).unsynced.iter().enumerate();
        writes
            .filter_map(|(at, write)| match write {
                Write::Put { .. } => Some((at, true)),
                Write::Delete { .. } => Some((at, false)),
                Write::Sync => None,
            })
            .collect()
    }

    /// Whether a node's step function did not return as it should.
    pub fn has_failed(&self, node: NodeId) -> bool {
        matches!(self.local(node).life, Life::Failed(_))
    }

    /// Whether a guarantee looks at nothing but what clients asked and were answered.
    pub fn is_of_history(&self, guarantee: usize) -> bool {
        guarantee.checked_sub(1).is_some_and(|at| self.cluster.guarantees[at].is_of_history())
    }

    /// What a node may read wrongly when it starts now: altered values, other keys' values.
    pub fn misreads(&self, node: NodeId) -> Vec<Misread> {
        let every = Faults {
            corrupt_reads: Budget::Unlimited,
            misdirected_reads: Budget::Unlimited,
            ..Faults::default()
        };
        misreads(&self.local(node).disk, &every)
    }

    /// The next request of a client, unless it waits for an answer or has no more.
    pub fn next_request(&self, client: usize) -> Option<ActionOf<P>> {
        let (number, is_waiting) = self.clients[client];
        let Client { node, requests } = &self.workload[client];
        let request = requests.get(number as usize).filter(|_| !is_waiting)?.clone();
        let client = u32::try_from(client).expect("fewer than 2^32 clients");
        Some(TypedAction::Invoke { id: RequestId { client, number }, node: *node, request })
    }

    /// Whether a client waits for an answer.
    pub fn is_waiting(&self, client: usize) -> bool {
        self.clients[client].1
    }

    /// What would be said of the arrival of a message.
    pub fn delivery(&self, slot: Slot) -> Option<ActionOf<P>> {
        let Envelope { from, to, message } = self.view.flying().get(slot)?.clone();
        Some(TypedAction::Deliver { from, to, message })
    }

    /// A message in flight: sender, destination and payload.
    pub fn message(&self, slot: Slot) -> Option<(NodeId, NodeId, &P::Message)> {
        let Envelope { from, to, message } = self.view.flying().get(slot)?;
        Some((*from, *to, message))
    }

    /// The messages that a message in flight may be altered into.
    pub fn corruptions(&self, slot: Slot) -> Vec<P::Message> {
        let Some(envelope) = self.view.flying().get(slot) else { return Vec::new() };
        let read = |json| from_json::<P::Message>("message", &json).ok();
        let found = altered(&to_json(&envelope.message)).into_iter().filter_map(read);
        found.filter(|into| *into != envelope.message).collect()
    }

    /// Whether what has been delivered can be in flight again.
    pub fn remembers(&self) -> bool {
        self.cluster.remembers
    }

    /// Whether a message can arrive now.
    pub fn can_arrive(&self, slot: Slot) -> bool {
        let flying = self.view.flying();
        flying.is_next(slot)
            && flying.get(slot).is_some_and(|envelope| {
                self.is_active(envelope.to) && !self.is_cut(envelope.from, envelope.to)
            })
    }

    /// Lets a message arrive; whether it could.
    pub fn deliver(&mut self, slot: Slot, told: &mut Consequences<P>) -> bool {
        if !self.can_arrive(slot) {
            return false;
        }
        let Some(Envelope { from, to, message }) = self.consume(slot) else { return false };
        // Most of what happens is this, so that it does not take the way of all actions.
        let event = Event::Deliver { from, message };
        self.step(to, told, |stepping, local| stepping.consume(local, event, None));
        true
    }

    /// Lets a message arrive, and the node stop after so many effects of the step that it takes.
    pub fn deliver_interrupted(
        &mut self,
        slot: Slot,
        effects: usize,
        told: &mut Consequences<P>,
    ) -> bool {
        if !self.can_arrive(slot) {
            return false;
        }
        let Some(Envelope { from, to, message }) = self.consume(slot) else { return false };
        let of = Box::new(TypedAction::Deliver { from, to, message });
        self.change(to, TypedFault::Interrupt { of, effects }.into(), told);
        true
    }

    /// Whether the arrival of a message would change nothing.
    pub fn is_deaf_to(&self, slot: Slot) -> bool {
        let Some(action) = self.delivery(slot).filter(|_| self.can_arrive(slot)) else {
            return true;
        };
        let node = action.node().expect("a delivery is to a node");
        let before = self.local(node);
        let protocol = &self.cluster.protocol;
        let execution = local::execute(protocol, self.timing(), node, before, &action);
        let says_nothing = |effect: &EffectOf<P>| match effect {
            Effect::Send { to, message } => self.find(node, *to, message).is_some(),
            Effect::Respond { request, .. } => {
                let client = self.clients.get(request.client as usize);
                client.is_none_or(|client| *client != (request.number, true))
            }
            Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Put { .. }
            | Effect::PutSynced { .. }
            | Effect::Delete { .. }
            | Effect::Sync => true,
        };
        !self.consumes() && execution.after == *before && execution.effects.iter().all(says_nothing)
    }

    /// Loses a message of a network that consumes; whether that is possible.
    pub fn lose(&mut self, slot: Slot) -> bool {
        let is_possible = self.consumes() && self.view.flying().is_next(slot);
        is_possible && self.view.flying_mut().remove(slot).is_some()
    }

    /// Lets a message of a network that consumes be there once more; where.
    pub fn duplicate(&mut self, slot: Slot) -> Option<Slot> {
        let flying = self.view.flying_mut();
        let envelope = flying.get(slot).filter(|_| flying.is_next(slot))?.clone();
        self.consumes().then(|| self.view.flying_mut().insert(envelope, true))
    }

    /// Alters a message; where it is then.
    pub fn corrupt(&mut self, slot: Slot, into: P::Message) -> Option<Slot> {
        let flying = self.view.flying_mut();
        if flying.is_next(slot) { flying.replace(slot, into) } else { None }
    }

    /// Whether an action is possible now, budgets aside.
    pub fn is_possible(&self, action: &ActionOf<P>) -> bool {
        match action {
            TypedAction::Deliver { from, to, message } => {
                self.find(*from, *to, message).is_some_and(|slot| self.can_arrive(slot))
            }
            TypedAction::Choose { node, timer } => {
                self.is_active(*node) && self.choices(*node).contains(timer)
            }
            TypedAction::Fire { node, timer } => {
                self.is_active(*node) && self.is_ripe(*node, timer)
            }
            TypedAction::SyncDone { node } => self.is_active(*node) && self.is_syncing(*node),
            TypedAction::Invoke { id, node, .. } => {
                let next = self
                    .clients
                    .get(id.client as usize)
                    .and_then(|_| self.next_request(id.client as usize));
                self.is_active(*node) && next.as_ref() == Some(action)
            }
            TypedAction::Tick => {
                let nodes = 0..self.cluster.layout.nodes;
                self.timing() != Timing::Untimed
                    && !nodes.map(NodeId::from_index).any(|node| self.local(node).is_overdue())
            }
            TypedAction::Fault(fault) => self.is_fault_possible(fault),
        }
    }

    fn is_fault_possible(&self, fault: &super::action::FaultOf<P>) -> bool {
        let is_up = |node: &NodeId| matches!(self.local(*node).life, Life::Up(_));
        let is_next = |from, to, message| self.find(from, to, message).is_some();
        match fault {
            TypedFault::Drop { from, to, message }
            | TypedFault::Duplicate { from, to, message } => {
                self.consumes() && is_next(*from, *to, message)
            }
            TypedFault::Corrupt { from, to, message, .. } => is_next(*from, *to, message),
            TypedFault::Replay { from, to, message } => {
                let envelope = Envelope { from: *from, to: *to, message: message.clone() };
                self.past.contains(&envelope)
            }
            TypedFault::Forge { from, .. } => self.is_active(*from),
            TypedFault::Crash { node, .. }
            | TypedFault::CrashRestart { node, .. }
            | TypedFault::Jump { node, .. } => is_up(node),
            TypedFault::Restart { node, .. } => self.is_down(*node),
            TypedFault::Pause { node } => self.is_active(*node),
            TypedFault::Resume { node } => is_up(node) && self.local(*node).is_paused,
            TypedFault::SyncFail { node, .. } => self.is_active(*node) && self.is_syncing(*node),
            TypedFault::Interrupt { of, .. } => self.is_possible(of),
            TypedFault::Burst { .. }
            | TypedFault::Partition { .. }
            | TypedFault::Heal
            | TypedFault::CrashGroup { .. } => true,
        }
    }

    /// Carries out an action; whether it was possible.
    pub fn act(&mut self, action: ActionOf<P>, told: &mut Consequences<P>) -> bool {
        if !self.is_possible(&action) {
            return false;
        }
        match &action {
            TypedAction::Deliver { from, to, message } => {
                let slot = self.find(*from, *to, message).expect("it is possible");
                return self.deliver(slot, told);
            }
            TypedAction::Tick => {
                for node in (0..self.cluster.layout.nodes).map(NodeId::from_index) {
                    self.change(node, TypedAction::Tick, told);
                }
            }
            TypedAction::Fault(TypedFault::Interrupt { of, .. }) => {
                if let TypedAction::Deliver { from, to, message } = of.as_ref() {
                    let slot = self.find(*from, *to, message).expect("it is possible");
                    self.consume(slot);
                }
                let node = of.node().expect("a step is one of a node");
                self.ask(of);
                self.change(node, action, told);
            }
            TypedAction::Fault(fault) => match fault.node() {
                Some(node) if !matches!(fault, TypedFault::Forge { .. }) => {
                    self.change(node, action, told);
                }
                _ => self.act_wide(action, told),
            },
            TypedAction::Choose { node, .. }
            | TypedAction::Fire { node, .. }
            | TypedAction::SyncDone { node }
            | TypedAction::Invoke { node, .. } => {
                let node = *node;
                self.ask(&action);
                self.change(node, action, told);
            }
        }
        true
    }

    /// Carries out a possible fault that concerns the network or several nodes.
    fn act_wide(&mut self, action: ActionOf<P>, told: &mut Consequences<P>) {
        let TypedAction::Fault(fault) = action else { return };
        match fault {
            TypedFault::Drop { from, to, message } => {
                let slot = self.find(from, to, &message).expect("it is possible");
                self.lose(slot);
            }
            TypedFault::Duplicate { from, to, message } => {
                let slot = self.find(from, to, &message).expect("it is possible");
                self.duplicate(slot);
            }
            TypedFault::Corrupt { from, to, message, into } => {
                let slot = self.find(from, to, &message).expect("it is possible");
                self.corrupt(slot, into);
            }
            TypedFault::Burst { from, to } if self.consumes() => {
                self.view.flying_mut().clear(from, to);
            }
            TypedFault::Replay { from, to, message } => {
                let slot = self.view.flying_mut().insert(Envelope { from, to, message }, false);
                told.push((from, Consequence::Sent { to, slot }));
            }
            TypedFault::Forge { from, to, message } => self.send(from, to, message, told),
            TypedFault::Partition { cut } => self.cut.extend(cut),
            TypedFault::Heal => self.cut.clear(),
            TypedFault::CrashGroup { ref nodes } => {
                for node in nodes.clone() {
                    self.change(node, TypedAction::Fault(fault.clone()), told);
                }
            }
            TypedFault::Burst { .. }
            | TypedFault::Crash { .. }
            | TypedFault::Restart { .. }
            | TypedFault::CrashRestart { .. }
            | TypedFault::Interrupt { .. }
            | TypedFault::Pause { .. }
            | TypedFault::Resume { .. }
            | TypedFault::SyncFail { .. }
            | TypedFault::Jump { .. } => {}
        }
    }

    /// The configuration as traces tell it.
    pub fn snapshot(&self) -> Snapshot {
        let names = &self.cluster.names;
        let nodes = names.nodes.iter().enumerate().map(|(node, name)| {
            (name.clone(), local::tell::<P>(self.local(NodeId::from_index(node))))
        });
        let flying = self.view.flying().iter();
        let mut snapshot = Snapshot {
            nodes: nodes.collect(),
            network: flying
                .map(|envelope| {
                    let Envelope { from, to, message } = envelope;
                    names.envelope(*from, *to, message)
                })
                .collect(),
            history: Vec::new(),
            cut: self.cut.iter().map(|(from, to)| names.link(*from, *to)).collect(),
        };
        snapshot.cut.sort();
        snapshot.sort_network();
        let tables = self.cluster.read();
        let entries = self.view.history().iter();
        snapshot.history = entries.map(|entry| self.cluster.tell_history(&tables, entry)).collect();
        snapshot
    }

    /// An action as traces tell it.
    pub fn tell(&self, action: &ActionOf<P>) -> Action {
        self.cluster.names.tell::<P>(action)
    }

    /// Lets an action change a node, and notes what follows.
    fn change(&mut self, node: NodeId, action: ActionOf<P>, told: &mut Consequences<P>) {
        self.step(node, told, |stepping, local| stepping.change(local, action));
    }

    /// Lets a node step as told, and notes what follows.
    fn step(
        &mut self,
        node: NodeId,
        told: &mut Consequences<P>,
        step: impl FnOnce(Stepping<'_, P>, &mut LocalOf<P>) -> Vec<EffectOf<P>>,
    ) {
        let cluster = self.cluster;
        let stepping = Stepping {
            protocol: &cluster.protocol,
            timing: self.timing(),
            node,
            purity: self.purity,
            room: std::mem::take(&mut self.room),
        };
        let local = self.view.live_local(node);
        let mut effects = step(stepping, local);
        local::fail_astray::<P>(local, &mut effects, cluster.layout.nodes);
        match local::choices(&cluster.protocol, node, local) {
            Ok(choices) => self.choices[node.index()] = choices,
            Err(panic) => {
                local.life = Life::Failed(panic);
                self.choices[node.index()].clear();
            }
        }
        self.settle(node, &mut effects, told);
        self.room = effects;
    }

    /// Notes what follows from what a node has asked for.
    fn settle(&mut self, node: NodeId, effects: &mut Vec<EffectOf<P>>, told: &mut Consequences<P>) {
        for effect in effects.drain(..) {
            let consequence = match effect {
                Effect::Send { to, message } => {
                    self.send(node, to, message, told);
                    continue;
                }
                Effect::SetTimer { timer, after } => Consequence::Armed { timer, after },
                Effect::CancelTimer { timer } => Consequence::Disarmed { timer },
                Effect::Sync => Consequence::SyncAsked,
                Effect::Respond { request, response } => match self.answer(request, response) {
                    true => Consequence::Answered { id: request },
                    false => continue,
                },
                Effect::Put { .. } | Effect::PutSynced { .. } | Effect::Delete { .. } => continue,
            };
            told.push((node, consequence));
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: P::Message, told: &mut Consequences<P>) {
        let is_lost = self.cluster.filters_sends && {
            let queue_max = self.cluster.rules.queue_max;
            let is_full = |most| self.view.flying().waiting(from, to) >= most;
            self.is_cut(from, to) || queue_max.is_some_and(is_full)
        };
        let consequence = match is_lost {
            true => Consequence::LostAtOnce { to },
            false => {
                let envelope = Envelope { from, to, message };
                let slot = self.view.flying_mut().insert(envelope, false);
                Consequence::Sent { to, slot }
            }
        };
        told.push((from, consequence));
    }

    /// Takes a message out that is delivered.
    fn consume(&mut self, slot: Slot) -> Option<Envelope<P::Message>> {
        let envelope = self.view.flying_mut().remove(slot)?;
        if self.cluster.remembers {
            self.past.insert(envelope.clone());
        }
        Some(envelope)
    }

    /// Notes that a client asks, if that is what an action is.
    fn ask(&mut self, action: &ActionOf<P>) {
        if let TypedAction::Invoke { id, .. } = action {
            self.clients[id.client as usize].1 = true;
            self.view.live_history().push(HistoryEntry::Invoke { id: *id });
        }
    }

    /// Notes an answer; whether somebody waits for it.
    fn answer(&mut self, id: RequestId, response: P::Response) -> bool {
        let Some(client) = self.clients.get_mut(id.client as usize) else { return false };
        let is_awaited = *client == (id.number, true);
        if is_awaited {
            *client = (id.number + 1, false);
            self.view.live_history().push(HistoryEntry::Return { id, response });
        }
        is_awaited
    }

    fn find(&self, from: NodeId, to: NodeId, message: &P::Message) -> Option<Slot> {
        self.view.flying().find_next(&Envelope { from, to, message: message.clone() })
    }

    fn consumes(&self) -> bool {
        self.cluster.network != Network::GrowingSet
    }

    fn timing(&self) -> Timing {
        self.cluster.rules.timing
    }

    fn local(&self, node: NodeId) -> &LocalOf<P> {
        self.view.local(node)
    }
}

impl<P: Protocol> fmt::Debug for Live<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("cluster", self.cluster).finish_non_exhaustive()
    }
}
