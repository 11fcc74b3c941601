use std::sync::PoisonError;

use cadre_step::{NodeId, Protocol};

use super::Cluster;
use super::builder::{ClusterError, Parts};
use super::conditions::PARTED_MAX;
use super::faults::{Faults, Purse, SPENDS, Spend, Timing};
use super::interchange::Symmetry;

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
    /// Each message is delivered at most once, and messages from one node to another arrive in the
    /// order in which they were sent; loss and duplication are faults with budgets.
    Fifo,
}

/// What holds in a cluster beyond its protocol.
#[derive(Clone, Debug)]
pub(super) struct Rules<M> {
    pub(super) network: Network,
    /// How many messages may be in flight from one node to another.
    pub(super) queue_max: Option<usize>,
    pub(super) timing: Timing,
    pub(super) faults: Faults,
    /// The nodes that crash together.
    pub(super) groups: Vec<Vec<NodeId>>,
    /// The nodes that may send what their step function did not ask for, and what that is.
    pub(super) traitors: Vec<(NodeId, Vec<M>)>,
}

impl<P: Protocol> Cluster<P> {
    /// The same cluster with other faults, as if it had been built with them.
    ///
    /// Where the faults tell apart what was declared to be interchangeable, as partitions do,
    /// nothing is interchangeable any more.
    ///
    /// # Errors
    ///
    /// Where the faults make no sense in this cluster, as when it is built.
    pub fn with_faults(self, faults: Faults) -> Result<Self, ClusterError> {
        let rules = Rules { faults, ..Rules::clone(&self.rules) };
        rules.check(self.layout.nodes)?;
        let tables = self.tables.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_alike = rules.names_nodes().is_none();
        Ok(Self::new(Parts {
            protocol: self.protocol,
            names: self.names,
            purse: Purse::new(faults).ok_or(ClusterError::TooManyBudgets)?,
            rules,
            workload: tables.workload().to_vec(),
            guarantees: self.guarantees,
            symmetry: if is_alike { self.symmetry } else { Symmetry::default() },
        }))
    }
}

impl Network {
    /// The network's name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::GrowingSet => "growing-set",
            Self::ConsumedOnce => "consumed-once",
            Self::Fifo => "fifo",
        }
    }
}

impl<M> Rules<M> {
    /// Looks for faults that make no sense here.
    ///
    /// # Errors
    ///
    /// The first that was found.
    pub(super) fn check(&self, nodes: usize) -> Result<(), ClusterError> {
        self.check_network(nodes)?;
        self.check_needs()?;
        self.check_timing()?;
        let traitors = self.traitors.iter().map(|(node, _)| node);
        let mut named = self.groups.iter().flatten().chain(traitors).map(|node| node.index());
        match named.find(|node| *node >= nodes) {
            Some(node) => Err(ClusterError::UnknownNode { node, nodes }),
            None => Ok(()),
        }
    }

    fn check_network(&self, nodes: usize) -> Result<(), ClusterError> {
        let closed = [
            Spend::Loss,
            Spend::Burst,
            Spend::Duplication,
            Spend::Replay,
            Spend::Partition,
            Spend::OneWayPartition,
            Spend::PartialPartition,
            Spend::Delay,
        ];
        if self.network == Network::GrowingSet
            && let Some(fault) = self.first_of(&closed)
        {
            return Err(ClusterError::FaultOfTheNetwork { fault });
        }
        if self.network == Network::GrowingSet && self.queue_max.is_some() {
            return Err(ClusterError::QueueOfASet);
        }
        if self.queue_max == Some(0) {
            return Err(ClusterError::QueueOfNothing);
        }
        let parting = [Spend::Partition, Spend::OneWayPartition];
        if nodes > PARTED_MAX + 1 && self.first_of(&parting).is_some() {
            return Err(ClusterError::TooManyToPart { nodes, nodes_max: PARTED_MAX + 1 });
        }
        Ok(())
    }

    /// Looks for budgets that nothing could ever spend.
    fn check_needs(&self) -> Result<(), ClusterError> {
        let needs = [
            (Spend::GroupCrash, !self.groups.is_empty(), "a group that crashes together"),
            (Spend::Forgery, !self.traitors.is_empty(), "a traitor"),
            (Spend::CorruptRead, self.faults.restarts, "restarts"),
            (Spend::MisdirectedRead, self.faults.restarts, "restarts"),
        ];
        let is_missing =
            |(spend, is_there, _): &(Spend, bool, _)| self.faults.allows(*spend) && !is_there;
        match needs.into_iter().find(is_missing) {
            Some((spend, _, needs)) => {
                Err(ClusterError::NothingToSpendOn { fault: spend.name(), needs })
            }
            None => Ok(()),
        }
    }

    fn check_timing(&self) -> Result<(), ClusterError> {
        let timed = [Spend::Delay, Spend::SlowSync, Spend::ClockJump, Spend::Pause];
        match (self.timing, self.first_of(&timed)) {
            (Timing::Untimed, Some(fault)) => Err(ClusterError::FaultOfTime { fault }),
            (Timing::Interval { tick, .. }, _) if tick.as_micros() == 0 => {
                Err(ClusterError::NoTick { tick })
            }
            (Timing::Untimed | Timing::Interval { .. }, _) => Ok(()),
        }
    }

    /// The name of the first of some faults that is allowed.
    fn first_of(&self, wanted: &[Spend]) -> Option<&'static str> {
        let is_wanted = |(spend, _): &(Spend, _)| wanted.contains(spend);
        let found =
            SPENDS.into_iter().filter(is_wanted).find(|(spend, _)| self.faults.allows(*spend));
        found.map(|(_, name)| name)
    }

    /// How long a tick is, in microseconds.
    pub(super) fn tick_us(&self) -> i64 {
        match self.timing {
            Timing::Untimed => 0,
            Timing::Interval { tick, .. } => i64::try_from(tick.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// Whether a message is consumed by its delivery.
    pub(super) fn consumes(&self) -> bool {
        self.network != Network::GrowingSet
    }

    /// Whether what is sent may be lost at once: over a cut link, or into a full queue.
    pub(super) fn filters_sends(&self) -> bool {
        self.cuts() || self.queue_max.is_some()
    }

    /// Whether links may be cut.
    pub(super) fn cuts(&self) -> bool {
        [Spend::Partition, Spend::OneWayPartition, Spend::PartialPartition]
            .into_iter()
            .any(|spend| self.faults.allows(spend))
    }

    /// What of the rules tells nodes apart, or has no names that could be exchanged.
    pub(super) fn names_nodes(&self) -> Option<&'static str> {
        let named = [
            (self.network == Network::Fifo, "a FIFO network"),
            (self.timing != Timing::Untimed, "timers that count time"),
            (!self.groups.is_empty(), "groups that crash together"),
            (!self.traitors.is_empty(), "traitors"),
            (self.cuts(), "partitions"),
            (self.faults.allows(Spend::Replay), "replays"),
            (self.faults.allows(Spend::Corruption), "corruptions"),
            (self.faults.allows(Spend::Interruption), "interruptions"),
        ];
        named.into_iter().find(|(is_there, _)| *is_there).map(|(_, what)| what)
    }
}
