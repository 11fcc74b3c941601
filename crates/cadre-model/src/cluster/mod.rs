mod action;
mod builder;
mod configuration;
mod history;
mod local;
mod record;
mod steps;
mod tables;
mod view;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use cadre_step::Protocol;
use cadre_trace::GuaranteeKind;

pub use self::action::{ActionOf, TypedAction};
pub use self::builder::{Budget, ClusterBuilder, ClusterError, Faults, Network};
pub use self::configuration::Configuration;
pub use self::history::HistoryEntry;
pub use self::record::{Origin, Reexecution, Unresolved};
pub use self::view::View;

use self::action::Names;
use self::configuration::Layout;
use self::tables::{Client, Tables};
use crate::guarantee::{Guarantee, Part};
use crate::model::{Claim, Model};

/// Nodes, network, disks, timers, clients and faults as one transition system.
///
/// Local states, messages and histories are interned and steps are memoised: the protocol is called
/// once for each local state and action (twice, in fact, to see whether it is pure), and everything
/// else is integer work on [`Configuration`]s.
///
/// The semantics of every fault is defined here, in one place for all engines:
///
/// * A message for a node that is down waits.
/// * A crash takes memory, timers and un-synced writes; messages and the clients' history stay.
/// * A fault that changes nothing does not happen, and costs no budget.
/// * A client whose node crashed before it answered waits for ever.
pub struct Cluster<P: Protocol> {
    protocol: P,
    names: Names,
    network: Network,
    faults: Faults,
    guarantees: Vec<Guarantee<View<P>>>,
    layout: Layout,
    tables: RefCell<Tables<P>>,
    view: RefCell<View<P>>,
    /// Keys of the fault budgets' words.
    budget_keys: RefCell<HashMap<u32, u128>>,
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

    fn new(
        protocol: P,
        names: Names,
        network: Network,
        faults: Faults,
        workload: Vec<Client<P::Request>>,
        guarantees: Vec<Guarantee<View<P>>>,
    ) -> Self {
        let layout = Layout { nodes: names.nodes.len() };
        let mut cluster = Self {
            tables: RefCell::new(Tables::new(layout.nodes, workload, faults)),
            view: RefCell::new(View::new(layout.nodes, network)),
            budget_keys: RefCell::new(HashMap::new()),
            initial: Configuration::new(layout),
            protocol,
            names,
            network,
            faults,
            guarantees,
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

    /// What the network may do.
    pub fn network(&self) -> Network {
        self.network
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
        let mut view = self.view.borrow_mut();
        view.show(self.layout, configuration, &self.tables.borrow());
        look(&view)
    }

    /// An action with the protocol's own types.
    pub fn describe(&self, choice: Choice) -> ActionOf<P> {
        let tables = self.tables.borrow();
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
                TypedAction::Drop { from, to, message }
            }
            Packed::Duplicate { envelope: id } => {
                let (from, to, message) = envelope(id);
                TypedAction::Duplicate { from, to, message }
            }
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
        self.node_actions(state, out);
        self.network_actions(state, out);
    }

    fn next(&self, state: &Configuration, action: &Choice) -> Option<Configuration> {
        self.is_possible(state, *action).then(|| self.carry_out(state, *action)).flatten()
    }

    fn fingerprint(&self, state: &Configuration) -> u128 {
        state.fingerprint()
    }

    fn is_fault(&self, action: &Choice) -> bool {
        match action.0 {
            Packed::Drop { .. } | Packed::Duplicate { .. } => true,
            Packed::Node { node, action } => {
                let tables = self.tables.borrow();
                Self::cost(&tables.nodes[node as usize].actions[action as usize]).is_some()
            }
        }
    }

    /// Each choice of a node, the delivery of each message and each request is a class of its own.
    fn fairness_class(&self, action: &Choice) -> Option<u128> {
        match action.0 {
            Packed::Drop { .. } | Packed::Duplicate { .. } => None,
            Packed::Node { node, action } => {
                Some(u128::from(node) << u32::BITS | u128::from(action))
            }
        }
    }

    fn guarantees(&self) -> Vec<Claim> {
        let built_in = Claim { name: "every step returns".to_owned(), kind: GuaranteeKind::Always };
        std::iter::once(built_in).chain(self.guarantees.iter().map(Guarantee::claim)).collect()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &Configuration) -> bool {
        if guarantee == STEPS_RETURN {
            let tables = self.tables.borrow();
            let failed =
                |node: &usize| tables.nodes[*node].info[state.local(*node) as usize].has_failed;
            return !(0..self.layout.nodes).any(|node| failed(&node));
        }
        self.with_view(state, |view| self.guarantees[guarantee - 1].evaluate(part, view))
    }

    fn user_calls(&self) -> Option<u64> {
        Some(self.tables.borrow().user_calls)
    }
}

impl<P: Protocol> fmt::Debug for Cluster<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("nodes", &self.names.nodes)
            .field("network", &self.network)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
