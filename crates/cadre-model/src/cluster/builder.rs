use std::fmt;
use std::time::Duration;

use cadre_step::{NodeId, Protocol, Value};

use super::Cluster;
use super::faults::{Faults, Purse, Timing};
use super::interchange::{Declared, Symmetry};
use super::names::Names;
use super::rules::{Network, Rules};
use super::tables::Client;
use super::view::View;
use crate::guarantee::Guarantee;

/// Puts a cluster together: nodes, network, faults, clients and guarantees.
///
/// See [`Cluster::builder`] for an example.
pub struct ClusterBuilder<P: Protocol> {
    protocol: P,
    names: Names,
    rules: Rules<P::Message>,
    workload: Vec<Client<P::Request>>,
    guarantees: Vec<Guarantee<View<P>>>,
    interchangeable: Declared,
    error: Option<ClusterError>,
}

/// All that a cluster is made of.
pub(super) struct Parts<P: Protocol> {
    pub(super) protocol: P,
    pub(super) names: Names,
    pub(super) rules: Rules<P::Message>,
    pub(super) purse: Purse,
    pub(super) workload: Vec<Client<P::Request>>,
    pub(super) guarantees: Vec<Guarantee<View<P>>>,
    pub(super) symmetry: Symmetry,
}

impl<P: Protocol> ClusterBuilder<P> {
    pub(super) fn new(protocol: P) -> Self {
        Self {
            protocol,
            names: Names::default(),
            rules: Rules {
                network: Network::GrowingSet,
                queue_max: None,
                timing: Timing::Untimed,
                faults: Faults::default(),
                groups: Vec::new(),
                traitors: Vec::new(),
            },
            workload: Vec::new(),
            guarantees: Vec::new(),
            interchangeable: Declared::default(),
            error: None,
        }
    }

    /// Adds a node; nodes get their ids in the order in which they are added.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if self.names.nodes.contains(&name) {
            self.fail(ClusterError::NodeTwice { name });
        } else {
            self.names.nodes.push(name);
        }
        self
    }

    /// Says what the network may do; a growing set unless said otherwise.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.rules.network = network;
        self
    }

    /// Says which faults there may be; none unless said otherwise.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.rules.faults = faults;
        self
    }

    /// Bounds how many messages may be in flight from one node to another: what is sent beyond is
    /// lost.
    #[must_use]
    pub fn queue(mut self, messages_max: usize) -> Self {
        self.rules.queue_max = Some(messages_max);
        self
    }

    /// Says when timers go off; at any moment unless said otherwise.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.rules.timing = timing;
        self
    }

    /// Declares nodes that may crash together, as those of a rack;
    /// [`Faults::group_crashes`] says how often.
    #[must_use]
    pub fn group(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.rules.groups.push(nodes.into_iter().collect());
        self
    }

    /// Declares a traitor: a node that may at any time send any of these messages to any other
    /// node, and different ones to different nodes; [`Faults::forgeries`] says how often.
    ///
    /// After Lamport, Shostak and Pease, "The Byzantine Generals Problem" (1982). A search can only
    /// try messages that it is given.
    #[must_use]
    pub fn traitor(mut self, node: NodeId, messages: impl IntoIterator<Item = P::Message>) -> Self {
        self.rules.traitors.push((node, messages.into_iter().collect()));
        self
    }

    /// Adds a client that makes requests of one node, each after the answer to the one before.
    #[must_use]
    pub fn client(
        mut self,
        name: impl Into<String>,
        node: NodeId,
        requests: Vec<P::Request>,
    ) -> Self {
        self.names.clients.push(name.into());
        self.workload.push(Client { node, requests });
        self
    }

    /// Declares that nodes can change places with each other: that the protocol and the guarantees
    /// treat them alike. Each call declares a group of its own.
    ///
    /// Clients change places with the nodes that they ask, and so do the [interchangeable
    /// values](Self::interchangeable_values) that only the clients of one of the nodes name. What
    /// a search makes of it is [`Cluster::quotient`]'s.
    #[must_use]
    pub fn interchangeable(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let mut group: Vec<NodeId> = nodes.into_iter().collect();
        group.sort_unstable();
        group.dedup();
        self.interchangeable.nodes.push(group);
        self
    }

    /// Declares that values can change places with each other: that the protocol and the guarantees
    /// compare them for equality and do nothing else with them. Each call declares a group of its
    /// own.
    #[must_use]
    pub fn interchangeable_values(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        let mut group: Vec<Value> = values.into_iter().collect();
        group.sort_unstable();
        group.dedup();
        self.interchangeable.values.push(group);
        self
    }

    /// Adds a guarantee.
    #[must_use]
    pub fn guarantee(mut self, guarantee: Guarantee<View<P>>) -> Self {
        self.guarantees.push(guarantee);
        self
    }

    /// Makes the cluster; the nodes start.
    ///
    /// # Errors
    ///
    /// Where the parts do not fit together: no node, a name used twice, a client of a node that
    /// does not exist, a fault that the network already is.
    pub fn build(mut self) -> Result<Cluster<P>, ClusterError> {
        let nodes = self.names.nodes.len();
        if nodes == 0 {
            self.fail(ClusterError::NoNode);
        }
        if let Some(client) = self.workload.iter().find(|client| client.node.index() >= nodes) {
            let error = ClusterError::ClientOfUnknownNode { node: client.node.index(), nodes };
            self.fail(error);
        }
        if let Err(error) = self.rules.check(nodes) {
            self.fail(error);
        }
        self.check_symmetry();
        if let Some(error) = self.error {
            return Err(error);
        }
        let (names, workload) = (&self.names.nodes, &self.workload);
        Ok(Cluster::new(Parts {
            symmetry: Symmetry::of::<P>(&self.interchangeable, workload, names)?,
            protocol: self.protocol,
            names: self.names,
            purse: Purse::new(self.rules.faults).ok_or(ClusterError::TooManyBudgets)?,
            rules: self.rules,
            workload: self.workload,
            guarantees: self.guarantees,
        }))
    }

    fn check_symmetry(&mut self) {
        if let Err(error) = self.interchangeable.check(&self.names.nodes) {
            self.fail(error);
        }
        if !self.interchangeable.is_empty()
            && let Some(what) = self.rules.names_nodes()
        {
            self.fail(ClusterError::SymmetryWith { what });
        }
    }

    /// Keeps the first error.
    fn fail(&mut self, error: ClusterError) {
        self.error.get_or_insert(error);
    }
}

/// Why the parts of a cluster do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// A cluster without nodes.
    #[error("expected at least one node, found none; add nodes before building the cluster")]
    NoNode,
    /// Two nodes with one name.
    #[error("expected a name for each node, found `{name}` twice")]
    NodeTwice {
        /// The name.
        name: String,
    },
    /// A client whose node does not exist.
    #[error("expected a client of one of {nodes} nodes, found one of node number {node}")]
    ClientOfUnknownNode {
        /// The position of the node.
        node: usize,
        /// How many there are.
        nodes: usize,
    },
    /// A node that can change places with others, and does not exist.
    #[error("expected interchangeable nodes among {nodes}, found node number {node}")]
    InterchangeableUnknownNode {
        /// The position of the node.
        node: usize,
        /// How many there are.
        nodes: usize,
    },
    /// A node that can change places with those of two groups.
    #[error("expected an interchangeable node in one group, found `{name}` in two")]
    InterchangeableNodeTwice {
        /// The name.
        name: String,
    },
    /// A value that can change places with those of two groups.
    #[error("expected an interchangeable value in one group, found value {value} in two")]
    InterchangeableValueTwice {
        /// The number of the value.
        value: usize,
    },
    /// What clients ask tells apart what is interchangeable.
    #[error(
        "expected clients that ask the same when {what} change places, found that nobody would \
         ask `{node}` for {requests}; give interchangeable nodes clients that differ in \
         interchangeable values alone, or declare less interchangeable"
    )]
    ClientTellsApart {
        /// What changes places.
        what: String,
        /// The node that a client would have to ask.
        node: String,
        /// What it would have to ask.
        requests: String,
    },
    /// Values in requests cannot be exchanged for others.
    #[error("expected requests in which values can be exchanged, found that {why}")]
    RequestsCannotBeRenamed {
        /// What serde cannot do.
        why: String,
    },
    /// Something else that tells nodes apart.
    #[error(
        "expected nothing that tells interchangeable nodes apart, found {what}; leave out one of \
         the two"
    )]
    SymmetryWith {
        /// What does.
        what: &'static str,
    },
    /// A group or a traitor that does not exist.
    #[error("expected groups and traitors among {nodes} nodes, found node number {node}")]
    UnknownNode {
        /// The position of the node.
        node: usize,
        /// How many there are.
        nodes: usize,
    },
    /// Budgets for what a growing set does anyway.
    #[error(
        "expected no budget for {fault}: a growing-set network already loses, duplicates and \
         delays without limit; use a consumed-once or a FIFO network to bound them"
    )]
    FaultOfTheNetwork {
        /// The fault.
        fault: &'static str,
    },
    /// A bound for a network that never forgets a message.
    #[error(
        "expected no bounded queue: a growing-set network keeps every message; use a \
         consumed-once or a FIFO network"
    )]
    QueueOfASet,
    /// A bound that lets nothing through.
    #[error(
        "expected room for a message at least, found a queue of 0; use partitions to cut links"
    )]
    QueueOfNothing,
    /// Budgets that nothing can ever spend.
    #[error("expected {needs}, found a budget for {fault} alone; add {needs}, or leave it out")]
    NothingToSpendOn {
        /// The fault.
        fault: &'static str,
        /// What it takes.
        needs: &'static str,
    },
    /// Budgets for what an untimed cluster does anyway.
    #[error(
        "expected no budget for {fault}: without time a timer goes off at any moment, whatever \
         the clocks and delays; count time with `Timing::Interval` to bound them"
    )]
    FaultOfTime {
        /// The fault.
        fault: &'static str,
    },
    /// Time that passes in steps of nothing.
    #[error(
        "expected a tick of a microsecond at least, found {tick:?}; choose the shortest delay of a \
         timer"
    )]
    NoTick {
        /// How long it would be.
        tick: Duration,
    },
    /// More partitions than a search could try.
    #[error(
        "expected partitions of at most {nodes_max} nodes, found {nodes}: they can be parted in \
         2^{nodes} ways; use partial partitions, or fewer nodes"
    )]
    TooManyToPart {
        /// How many there are.
        nodes: usize,
        /// How many there may be.
        nodes_max: usize,
    },
    /// Budgets that do not fit into a configuration.
    #[error(
        "expected fault budgets that fit 32 bits together, each taking as many as its number has; \
         lower some, or make them unlimited, which takes none"
    )]
    TooManyBudgets,
}

impl<P: Protocol> fmt::Debug for ClusterBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("nodes", &self.names.nodes)
            .field("network", &self.rules.network)
            .field("faults", &self.rules.faults)
            .finish_non_exhaustive()
    }
}
