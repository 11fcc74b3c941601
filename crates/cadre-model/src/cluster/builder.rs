use std::fmt;

use cadre_step::{NodeId, Protocol};

use super::Cluster;
use super::action::Names;
use super::tables::Client;
use super::view::View;
use crate::fingerprint;
use crate::guarantee::Guarantee;
use crate::model::COVERING_BITS;

/// Puts a cluster together: nodes, network, faults, clients and guarantees.
///
/// See [`Cluster::builder`] for an example.
pub struct ClusterBuilder<P: Protocol> {
    protocol: P,
    names: Names,
    network: Network,
    faults: Faults,
    workload: Vec<Client<P::Request>>,
    guarantees: Vec<Guarantee<View<P>>>,
    interchangeable: Vec<NodeId>,
    error: Option<ClusterError>,
}

/// What the network may do with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Messages are never consumed: each may be delivered never, once or again and again, in any
    /// order.
    ///
    /// The closed form of a network that loses, duplicates, delays and reorders without limit; a
    /// search meets far fewer configurations than with budgets for each of these.
    GrowingSet,
    /// Each message is delivered at most once, in any order; loss and duplication are faults with
    /// budgets.
    ConsumedOnce,
}

/// How many of each fault an execution may contain; by default none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages that are lost.
    pub losses: Budget,
    /// Messages that are there once more.
    pub duplications: Budget,
    /// Nodes that stop.
    pub crashes: Budget,
    /// Whether a node that stopped may start again.
    pub restarts: bool,
    /// Nodes that stop and start as one step: for protocols in which down-time cannot be told from
    /// delay, with far fewer configurations.
    pub crash_restarts: Budget,
}

/// How often something may happen in one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Budget {
    /// Not at all.
    #[default]
    None,
    /// At most so often.
    AtMost(u8),
    /// As often as it likes; adds nothing to a configuration.
    Unlimited,
}

/// A fault that costs budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spend {
    Loss,
    Duplication,
    Crash,
    CrashRestart,
}

impl<P: Protocol> ClusterBuilder<P> {
    pub(super) fn new(protocol: P) -> Self {
        Self {
            protocol,
            names: Names::default(),
            network: Network::GrowingSet,
            faults: Faults::default(),
            workload: Vec::new(),
            guarantees: Vec::new(),
            interchangeable: Vec::new(),
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
        self.network = network;
        self
    }

    /// Says which faults there may be; none unless said otherwise.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
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

    /// Declares that nodes can change places: that the protocol, the clients and the guarantees
    /// treat them alike. What a search makes of it is [`Cluster::quotient`]'s.
    #[must_use]
    pub fn interchangeable(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.interchangeable.extend(nodes);
        self.interchangeable.sort_unstable();
        self.interchangeable.dedup();
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
        let closed = self.network == Network::GrowingSet;
        if closed && (self.faults.losses, self.faults.duplications) != (Budget::None, Budget::None)
        {
            self.fail(ClusterError::FaultOfTheNetwork);
        }
        if let Some(node) = self.interchangeable.iter().find(|node| node.index() >= nodes) {
            let error = ClusterError::InterchangeableUnknownNode { node: node.index(), nodes };
            self.fail(error);
        }
        if let Some(client) =
            self.workload.iter().find(|client| self.interchangeable.contains(&client.node))
        {
            let name = self.names.nodes[client.node.index()].clone();
            self.fail(ClusterError::ClientOfInterchangeableNode { name });
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok(Cluster::new(
                self.protocol,
                self.names,
                self.network,
                self.faults,
                self.workload,
                self.guarantees,
                self.interchangeable.into_iter().map(NodeId::index).collect(),
            )),
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
    /// A client tells its node from others.
    #[error(
        "expected no client of an interchangeable node, found one of `{name}`; a client asks one \
         node, which tells that node from the others"
    )]
    ClientOfInterchangeableNode {
        /// The node.
        name: String,
    },
    /// Budgets for what a growing set does anyway.
    #[error(
        "expected no budget for loss or duplication: a growing-set network already loses and \
         duplicates without limit; use a consumed-once network to bound them"
    )]
    FaultOfTheNetwork,
}

impl Network {
    /// The network's name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::GrowingSet => "growing-set",
            Self::ConsumedOnce => "consumed-once",
        }
    }
}

impl Faults {
    pub(super) fn allows(&self, spend: Spend) -> bool {
        self.of(spend) != Budget::None
    }

    #[inline]
    fn of(&self, spend: Spend) -> Budget {
        match spend {
            Spend::Loss => self.losses,
            Spend::Duplication => self.duplications,
            Spend::Crash => self.crashes,
            Spend::CrashRestart => self.crash_restarts,
        }
    }

    /// The budgets at the beginning, one byte each.
    pub(super) fn word(&self) -> u32 {
        let all = [Spend::Loss, Spend::Duplication, Spend::Crash, Spend::CrashRestart];
        all.into_iter().fold(0, |word, spend| match self.of(spend) {
            Budget::None | Budget::Unlimited => word,
            Budget::AtMost(count) => word | u32::from(count) << spend.shift(),
        })
    }

    /// What is left after a fault; `None` where the budget does not allow it.
    #[inline]
    pub(super) fn spend(&self, word: u32, spend: Spend) -> Option<u32> {
        match self.of(spend) {
            Budget::None => None,
            Budget::Unlimited => Some(word),
            Budget::AtMost(_) => {
                let left = (word >> spend.shift()) & 0xff;
                (left > 0).then(|| word - (1 << spend.shift()))
            }
        }
    }
}

/// The keys of what is left of the budgets: the sum of a key for each budget and what is left of
/// it. Their lowest bits are 0, so that budgets do not change those of a fingerprint.
pub(super) struct BudgetKeys([Vec<u128>; 4]);

impl BudgetKeys {
    pub(super) fn new() -> Self {
        let key = |spend: usize, left: u8| {
            fingerprint(&("budgets", spend, left)) >> COVERING_BITS << COVERING_BITS
        };
        Self(std::array::from_fn(|spend| (0..=u8::MAX).map(|left| key(spend, left)).collect()))
    }

    #[inline]
    pub(super) fn of(&self, word: u32) -> u128 {
        let bytes = word.to_le_bytes().into_iter();
        let keys = self.0.iter().zip(bytes).map(|(keys, left)| keys[left as usize]);
        keys.fold(0, u128::wrapping_add)
    }
}

impl Spend {
    #[inline]
    fn shift(self) -> u32 {
        match self {
            Self::Loss => 0,
            Self::Duplication => 8,
            Self::Crash => 16,
            Self::CrashRestart => 24,
        }
    }
}

impl<P: Protocol> fmt::Debug for ClusterBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("nodes", &self.names.nodes)
            .field("network", &self.network)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
