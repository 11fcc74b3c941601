use cadre_model::{Budget, Cluster, Network, Timing};
use cadre_step::Protocol;

use crate::config::Config;

/// Which faults may be carried out: those that the cluster declares, and those that its network is
/// or its time covers anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) losses: bool,
    pub(crate) duplications: bool,
    pub(crate) corruptions: bool,
    pub(crate) partitions: bool,
    pub(crate) one_way_partitions: bool,
    pub(crate) partial_partitions: bool,
    /// Whether messages may take longer than a tick.
    pub(crate) delays: bool,
    /// Whether syncs may.
    pub(crate) slow_syncs: bool,
    pub(crate) crashes: bool,
    pub(crate) restarts: bool,
    pub(crate) crash_restarts: bool,
    pub(crate) group_crashes: bool,
    pub(crate) interruptions: bool,
    pub(crate) pauses: bool,
    pub(crate) torn_writes: bool,
    pub(crate) sync_errors: bool,
    pub(crate) full_disks: bool,
    pub(crate) corrupt_reads: bool,
    pub(crate) misdirected_reads: bool,
    pub(crate) clocks: bool,
}

impl Allowed {
    pub(crate) fn new<P: Protocol>(cluster: &Cluster<P>, config: &Config) -> Self {
        let faults = cluster.faults();
        let every = config.every_fault;
        let may = |budget: Budget| every || budget != Budget::None;
        let grows = cluster.network() == Network::GrowingSet;
        let is_untimed = cluster.timing() == Timing::Untimed;
        Self {
            losses: grows || may(faults.losses) || may(faults.bursts),
            duplications: grows || may(faults.duplications) || may(faults.replays),
            corruptions: may(faults.corruptions),
            partitions: grows || may(faults.partitions),
            one_way_partitions: grows || may(faults.one_way_partitions),
            partial_partitions: grows || may(faults.partial_partitions),
            delays: is_untimed || may(faults.delays),
            slow_syncs: is_untimed || may(faults.slow_syncs),
            crashes: may(faults.crashes),
            restarts: every || faults.restarts,
            crash_restarts: may(faults.crash_restarts),
            group_crashes: may(faults.group_crashes),
            interruptions: may(faults.interruptions),
            pauses: is_untimed || may(faults.pauses),
            torn_writes: may(faults.torn_writes),
            sync_errors: may(faults.sync_errors),
            full_disks: may(faults.full_disks),
            corrupt_reads: may(faults.corrupt_reads),
            misdirected_reads: may(faults.misdirected_reads),
            clocks: is_untimed || may(faults.clock_jumps),
        }
    }
}
