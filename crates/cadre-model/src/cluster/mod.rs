mod action;
mod builder;
mod conditions;
mod configuration;
mod consequence;
mod consistent;
mod coverage;
mod damage;
mod dominance;
mod fault_change;
mod faults;
mod flying;
mod history;
mod interchange;
mod live;
mod local;
mod names;
mod naming;
mod nature;
mod network;
mod node_tables;
mod orbit;
mod own;
mod portable;
mod quotient;
mod record;
mod rows;
mod rules;
mod steps;
mod survey;
mod tables;
mod twins;
mod unbudgeted;
mod view;
mod wide;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cadre_step::{NodeId, Protocol};
use cadre_trace::{GuaranteeKind, Json};

pub use self::action::{ActionOf, FaultOf, TypedAction, TypedFault};
pub use self::builder::{ClusterBuilder, ClusterError};
pub use self::configuration::Configuration;
pub use self::consequence::{Consequence, Consequences};
pub use self::coverage::{ActionKind, Coverage, KindCoverage, Tried};
pub use self::fault_change::{FaultChange, FaultChangeError};
pub use self::faults::{Budget, Faults, Timing, Unsynced};
pub use self::flying::Slot;
pub use self::history::HistoryEntry;
pub use self::live::Live;
pub use self::local::Purity;
pub use self::portable::{Heard, Told};
pub use self::quotient::Quotient;
pub use self::record::{Origin, Reexecution, Unresolved};
pub use self::rules::Network;
pub use self::unbudgeted::Unbudgeted;
pub use self::view::View;

use self::builder::Parts;
use self::configuration::Layout;
use self::faults::{Purse, Spend};
use self::interchange::Symmetry;
use self::names::{Names, to_json};
use self::rules::Rules;
use self::steps::Unknown;
use self::survey::Survey;
use self::tables::{Client, Tables};
use crate::expansion::{Asleep, Expansion};
use crate::guarantee::{Guarantee, Part};
use crate::model::{Claim, Model};
use crate::nature::{Class, Nature};

/// Nodes, network, disks, timers, clients and faults as one transition system.
///
/// Local states, messages and histories are interned and steps are memoised: the protocol is called
/// once for each local state and action (twice, in fact, to see whether it is pure), and everything
/// else is integer work on [`Configuration`]s.
///
/// The semantics of every fault is defined here, in one place for all engines:
///
/// * A message for a node that is down or paused waits.
/// * A crash takes memory, timers and un-synced writes, or those of them that
///   [`Unsynced`] says; messages and the clients' history stay.
/// * What is sent over a cut link is lost, and so is what is sent into a full queue; what is on its
///   way when a link is cut waits. All links heal at once.
/// * A node that pauses keeps its memory; its timers go on and go off once it resumes.
/// * A node that is interrupted carries out the first effects of a step, and is down; its un-synced
///   writes are gone, and so are those of nodes that crash as a group.
/// * Time passes for all nodes at once, not while a timer is overdue; while a message or a sync
///   waits that could go on it costs budget.
/// * A fault that changes nothing does not happen, and costs no budget.
/// * A client whose node crashed before it answered waits for ever.
pub struct Cluster<P: Protocol> {
    protocol: P,
    names: Names,
    /// The kind of network, as the rules say.
    network: Network,
    rules: Arc<Rules<P::Message>>,
    /// Whether what is sent may be lost at once.
    filters_sends: bool,
    /// Whether what has been delivered is remembered.
    remembers: bool,
    guarantees: Vec<Guarantee<View<P>>>,
    /// What can change places.
    symmetry: Symmetry,
    layout: Layout,
    /// Only ever added to, and only by [`learn`](Model::learn) while a search goes on: what is
    /// already known can be read by many threads at once.
    tables: RwLock<Tables<P>>,
    /// Views to be used again, so that only what differs has to be shown.
    views: Mutex<Vec<View<P>>>,
    purse: Purse,
    initial: Configuration,
}

/// One action of a cluster, as ids: see [`Cluster::describe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice(Packed);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Packed {
    /// An action of a node, with its position among those of the node.
    Node {
        node: u32,
        action: u32,
    },
    Drop {
        envelope: u32,
    },
    Duplicate {
        envelope: u32,
    },
    /// One of the actions that concern more than one node.
    Wide {
        action: u32,
    },
}

/// The position of the guarantee that every cluster has.
const STEPS_RETURN: usize = 0;

impl<P: Protocol> Cluster<P> {
    /// Begins to put a cluster together.
    ///
    /// # Examples
    ///
    /// One node that may count up to three, and never does more:
    ///
    /// ```
    /// use cadre_model::{Cluster, Guarantee, Model, View};
    /// use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
    ///
    /// struct Counter;
    ///
    /// impl Protocol for Counter {
    ///     type State = u8;
    ///     type Message = Nothing;
    ///     type Timer = String;
    ///     type Request = Nothing;
    ///     type Response = Nothing;
    ///
    ///     fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
    ///         0
    ///     }
    ///
    ///     fn step(&self, _: NodeId, count: &mut u8, _: Event<Self>, _: &mut Effects<Self>) {
    ///         *count += 1;
    ///     }
    ///
    ///     fn choices(&self, _: NodeId, count: &u8) -> Vec<String> {
    ///         if *count < 3 { vec!["count".to_owned()] } else { Vec::new() }
    ///     }
    /// }
    ///
    /// let cluster = Cluster::builder(Counter)
    ///     .node("n1")
    ///     .guarantee(Guarantee::always("no more than three", |view: &View<Counter>| {
    ///         view.nodes().all(|node| view.state(node).is_none_or(|count| *count <= 3))
    ///     }))
    ///     .build()?;
    /// let mut actions = Vec::new();
    /// cluster.actions(cluster.initial(), &mut actions);
    /// assert_eq!(actions.len(), 1);
    /// # Ok::<(), cadre_model::ClusterError>(())
    /// ```
    pub fn builder(protocol: P) -> ClusterBuilder<P> {
        ClusterBuilder::new(protocol)
    }

    fn new(parts: Parts<P>) -> Self {
        let Parts { protocol, names, rules, purse, workload, guarantees, symmetry } = parts;
        let layout = Layout { nodes: names.nodes.len() };
        let rules = Arc::new(rules);
        let mut cluster = Self {
            tables: RwLock::new(Tables::new(layout.nodes, workload, Arc::clone(&rules))),
            views: Mutex::new(Vec::new()),
            purse,
            initial: Configuration::new(layout),
            protocol,
            names,
            network: rules.network,
            filters_sends: rules.filters_sends(),
            remembers: rules.consumes() && rules.faults.allows(Spend::Replay),
            rules,
            guarantees,
            symmetry,
            layout,
        };
        cluster.initial = cluster.start();
        cluster
    }

    /// The protocol.
    pub fn protocol(&self) -> &P {
        &self.protocol
    }

    /// The names of the nodes, in the order of their ids.
    pub fn node_names(&self) -> &[String] {
        &self.names.nodes
    }

    /// The names of the clients, in order.
    pub fn client_names(&self) -> &[String] {
        &self.names.clients
    }

    /// What each client asks, in order: the node, and the requests as traces tell them.
    pub fn client_requests(&self) -> Vec<(NodeId, Vec<Json>)> {
        let tables = self.read();
        let told = |client: &Client<P::Request>| {
            (client.node, client.requests.iter().map(to_json).collect())
        };
        tables.workload.iter().map(told).collect()
    }

    /// Whether there are nodes or values that can change places.
    pub fn is_symmetric(&self) -> bool {
        !self.symmetry.swaps.is_empty()
    }

    /// What of the network and its faults tells nodes apart, so that none can change places.
    pub fn tells_apart(&self) -> Option<&'static str> {
        self.rules.names_nodes()
    }

    /// What the network may do.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Which faults there may be.
    pub fn faults(&self) -> &Faults {
        &self.rules.faults
    }

    /// When timers go off.
    pub fn timing(&self) -> Timing {
        self.rules.timing
    }

    /// The nodes that crash together.
    pub fn groups(&self) -> &[Vec<NodeId>] {
        &self.rules.groups
    }

    /// The cluster up to the names of what is interchangeable in it.
    pub fn quotient(&self) -> Quotient<'_, P> {
        Quotient::new(self)
    }

    /// The cluster in which faults cost nothing.
    pub fn unbudgeted(&self) -> Unbudgeted<'_, P> {
        Unbudgeted(self)
    }

    /// The configuration in which every node has started and nothing else has happened.
    pub fn initial(&self) -> &Configuration {
        &self.initial
    }

    /// Looks at a configuration with the protocol's own types.
    pub fn with_view<R>(
        &self,
        configuration: &Configuration,
        look: impl FnOnce(&View<P>) -> R,
    ) -> R {
        let mut view = self.lend_view(&self.read());
        view.show(configuration);
        let result = look(&view);
        self.take_back(view);
        result
    }

    /// An action with the protocol's own types.
    pub fn describe(&self, choice: Choice) -> ActionOf<P> {
        let tables = self.read();
        let envelope = |id: u32| {
            let envelope = &tables.envelopes.values[id as usize];
            (envelope.from, envelope.to, envelope.message.clone())
        };
        match choice.0 {
            Packed::Node { node, action } => {
                tables.nodes[node as usize].actions[action as usize].clone()
            }
            Packed::Drop { envelope: id } => {
                let (from, to, message) = envelope(id);
                TypedFault::Drop { from, to, message }.into()
            }
            Packed::Duplicate { envelope: id } => {
                let (from, to, message) = envelope(id);
                TypedFault::Duplicate { from, to, message }.into()
            }
            Packed::Wide { action } => tables.wide.actions[action as usize].clone(),
        }
    }
}

impl<P: Protocol> Model for Cluster<P> {
    type State = Configuration;
    type Action = Choice;

    fn init(&self) -> Vec<Configuration> {
        vec![self.initial.clone()]
    }

    fn actions(&self, state: &Configuration, out: &mut Vec<Choice>) {
        let found = self.surveyed(state, |survey| std::mem::take(&mut survey.found));
        out.extend(found.into_iter().map(|(choice, ..)| choice));
    }

    fn next(&self, state: &Configuration, action: &Choice) -> Option<Configuration> {
        self.with_known(|tables| match self.is_possible(tables, state, *action) {
            true => self
                .carry_out(tables, state, *action)
                .map_err(|Unknown| vec![(state.clone(), *action)]),
            false => Ok(None),
        })
    }

    fn fingerprint(&self, state: &Configuration) -> u128 {
        state.fingerprint()
    }

    fn is_fault(&self, action: &Choice) -> bool {
        self.spend(&self.read(), *action).is_some()
    }

    /// Each choice of a node, the delivery of each message and each request is a class of its own.
    fn fairness_class(&self, action: &Choice) -> Option<u128> {
        match action.0 {
            Packed::Drop { .. } | Packed::Duplicate { .. } => None,
            Packed::Node { node, action } => {
                Some(u128::from(node) << u32::BITS | u128::from(action))
            }
            Packed::Wide { action } => Some(u128::from(u64::MAX) << u32::BITS | u128::from(action)),
        }
    }

    fn is_at_rest(&self, state: &Configuration) -> bool {
        Cluster::is_at_rest(self, state)
    }

    fn classes(&self) -> Vec<Class> {
        nature::CLASSES.to_vec()
    }

    fn nature(&self, action: &Choice) -> Nature {
        self.nature_of(*action)
    }

    fn label(&self, action: &Choice) -> String {
        self.tell(*action).to_string()
    }

    fn is_like(&self, one: &Choice, other: &Choice) -> bool {
        self.are_alike(*one, *other)
    }

    fn symptom(&self, guarantee: usize, state: &Configuration) -> Option<String> {
        self.symptom_of(guarantee, state)
    }

    fn guarantees(&self) -> Vec<Claim> {
        let built_in = Claim { name: "every step returns".to_owned(), kind: GuaranteeKind::Always };
        std::iter::once(built_in).chain(self.guarantees.iter().map(Guarantee::claim)).collect()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &Configuration) -> bool {
        if guarantee == STEPS_RETURN {
            return self.steps_returned(&self.read(), state);
        }
        self.with_view(state, |view| self.guarantees[guarantee - 1].evaluate(part, view))
    }

    fn describe(&self, guarantee: usize, state: &Configuration) -> Option<String> {
        let declared = self.guarantees.get(guarantee.checked_sub(1)?)?;
        self.with_view(state, |view| declared.describe(view))
    }

    fn user_calls(&self) -> Option<u64> {
        Some(self.read().user_calls)
    }

    fn expand(
        &self,
        states: &[Configuration],
        asleep: &[Asleep],
        out: &mut impl Expansion<Choice>,
    ) {
        let tables = self.read();
        let mut survey = Survey::new(self, &tables);
        for (index, (state, asleep)) in states.iter().zip(asleep).enumerate() {
            survey.look(state, *asleep);
            if !survey.unknown.is_empty() {
                survey.unknown.iter().for_each(|choice| out.unknown(index, *choice));
                continue;
            }
            for (choice, fingerprint, asleep) in &survey.found {
                out.successor(index, *choice, *fingerprint, *asleep);
            }
            if survey.is_at_rest {
                out.at_rest(index);
            }
        }
    }

    fn covering(&self, states: &[Configuration], found: &mut impl FnMut(usize, u128)) {
        self.tell_covering(states, found);
    }

    fn learn(&self, unknown: &[(Configuration, Choice)]) {
        let mut tables = self.write();
        for (state, choice) in unknown {
            match choice.0 {
                Packed::Node { node, action } => {
                    let local = state.local(node as usize);
                    let step = (node as usize, local, action);
                    tables.find_out(&self.protocol, step, state.history(self.layout));
                    if let Some(envelope) = tables.nodes[node as usize].consumed(action) {
                        tables.remember(state.conditions(self.layout), envelope);
                    }
                }
                Packed::Wide { action } => self.learn_wide(&mut tables, state, action),
                // What may become of the message is not known.
                Packed::Drop { envelope } | Packed::Duplicate { envelope } => {
                    tables.add_corruptions(envelope);
                }
            }
        }
    }

    fn follow<'a>(
        &self,
        steps: impl Iterator<Item = (&'a Configuration, &'a Choice)>,
        out: &mut Vec<Configuration>,
    ) where
        Self: 'a,
    {
        let tables = self.read();
        for (state, choice) in steps {
            let after = self.carry_out(&tables, state, *choice).expect("the step is known");
            out.push(after.expect("an action that was found is enabled"));
        }
    }

    fn store(&self, states: &[Configuration], out: &mut Vec<u8>) -> bool {
        states.iter().for_each(|state| state.store(out));
        true
    }

    fn restore(&self, bytes: &[u8], out: &mut Vec<Configuration>) -> bool {
        Configuration::restore(self.layout, bytes, out).is_ok()
    }

    fn memory(&self) -> u64 {
        self.read().bytes()
    }

    fn judge(
        &self,
        states: &[Configuration],
        guarantees: &[usize],
        found: &mut impl FnMut(usize, usize, bool),
    ) {
        let tables = self.read();
        let mut view = self.lend_view(&tables);
        for (index, state) in states.iter().enumerate() {
            let mut is_shown = false;
            for guarantee in guarantees {
                let is_true = if *guarantee == STEPS_RETURN {
                    self.steps_returned(&tables, state)
                } else {
                    if !is_shown {
                        view.show(state);
                        is_shown = true;
                    }
                    self.main_of(*guarantee, &mut view)
                };
                found(index, *guarantee, is_true);
            }
        }
        self.take_back(view);
    }
}

impl<P: Protocol> Cluster<P> {
    fn read(&self) -> RwLockReadGuard<'_, Tables<P>> {
        // A panic of user code is caught where it happens; what else panics does not go on.
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables<P>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks something up, after having found out what it takes.
    fn with_known<R>(
        &self,
        look: impl Fn(&Tables<P>) -> Result<R, Vec<(Configuration, Choice)>>,
    ) -> R {
        loop {
            let found = look(&self.read());
            match found {
                Ok(result) => return result,
                Err(unknown) => self.learn(&unknown),
            }
        }
    }

    /// Looks at all that can happen in a configuration.
    fn surveyed<R>(&self, at: &Configuration, look: impl Fn(&mut Survey<'_, P>) -> R) -> R {
        self.with_known(|tables| {
            let mut survey = Survey::new(self, tables);
            survey.look(at, Asleep::NONE);
            match survey.unknown.is_empty() {
                true => Ok(look(&mut survey)),
                false => Err(survey.unknown.iter().map(|new| (at.clone(), *new)).collect()),
            }
        })
    }

    fn lend_view(&self, tables: &Tables<P>) -> View<P> {
        let known = self.views.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut view =
            known.unwrap_or_else(|| View::new(self.layout, self.network, tables.requests()));
        view.catch_up(tables);
        view
    }

    /// What a guarantee's main predicate says; looked up where the clients' history decides it.
    fn main_of(&self, guarantee: usize, view: &mut View<P>) -> bool {
        let declared = &self.guarantees[guarantee - 1];
        if !declared.is_of_history() {
            return declared.evaluate(Part::Main, view);
        }
        let key = (guarantee, view.history_id());
        if let Some(known) = view.truths.get(&key) {
            return *known;
        }
        let is_true = declared.evaluate(Part::Main, view);
        view.truths.insert(key, is_true);
        is_true
    }

    fn take_back(&self, view: View<P>) {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).push(view);
    }

    fn steps_returned(&self, tables: &Tables<P>, state: &Configuration) -> bool {
        let has_failed =
            |node: usize| tables.nodes[node].rows[state.local(node) as usize].has_failed;
        !tables.has_failed || !(0..self.layout.nodes).any(has_failed)
    }
}

impl<P: Protocol> fmt::Debug for Cluster<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("nodes", &self.names.nodes)
            .field("network", &self.network)
            .field("faults", &self.rules.faults)
            .finish_non_exhaustive()
    }
}
