use std::time::Duration;

use cadre_step::{NodeId, Protocol, SyncError};
use cadre_trace::Misread;

use super::action::{ActionOf, TypedAction, TypedFault};
use crate::fingerprint;
use crate::model::COVERING_BITS;

/// How many of each fault an execution may contain; by default none.
///
/// A fault that changes nothing costs no budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages that are lost.
    pub losses: Budget,
    /// Times that all messages in flight from one node to another are lost at once.
    pub bursts: Budget,
    /// Messages that are there once more.
    pub duplications: Budget,
    /// Messages that were delivered and are in flight again.
    pub replays: Budget,
    /// Messages that are altered: one number, text or truth value in them.
    pub corruptions: Budget,
    /// Messages that traitors make up; see
    /// [`ClusterBuilder::traitor`](super::ClusterBuilder::traitor).
    pub forgeries: Budget,
    /// Times that the nodes fall into two parts that do not reach each other.
    pub partitions: Budget,
    /// Times that one part of the nodes does not reach the other, but the other reaches it.
    pub one_way_partitions: Budget,
    /// Times that two nodes do not reach each other, while others may reach both.
    pub partial_partitions: Budget,
    /// Ticks that pass while messages wait; only where [`Timing::Interval`] counts time.
    pub delays: Budget,
    /// Nodes that stop.
    pub crashes: Budget,
    /// Whether a node that stopped may start again.
    pub restarts: bool,
    /// Nodes that stop and start as one step: for protocols in which down-time cannot be told from
    /// delay, with far fewer configurations.
    pub crash_restarts: Budget,
    /// Times that all nodes of a group stop at once; see
    /// [`ClusterBuilder::group`](super::ClusterBuilder::group).
    pub group_crashes: Budget,
    /// Nodes that stop in the middle of a step, between two writes, messages or answers.
    pub interruptions: Budget,
    /// Nodes that take no steps for a while.
    pub pauses: Budget,
    /// What a crash does to un-synced writes.
    pub unsynced: Unsynced,
    /// Crashes in which one of the un-synced writes reaches the disk by half.
    pub torn_writes: Budget,
    /// Syncs that fail and lose what they should have made durable.
    pub sync_errors: Budget,
    /// Syncs that fail for want of room.
    pub full_disks: Budget,
    /// Starts that read a value altered.
    pub corrupt_reads: Budget,
    /// Starts that read another key's value.
    pub misdirected_reads: Budget,
    /// Ticks that pass while a sync waits; only where [`Timing::Interval`] counts time.
    pub slow_syncs: Budget,
    /// Times that a node's clock goes a tick ahead or falls a tick behind, so that skew and drift
    /// are several of them; only where [`Timing::Interval`] counts time.
    pub clock_jumps: Budget,
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

/// Which un-synced writes may survive a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsynced {
    /// None.
    #[default]
    Lost,
    /// Any number of the first ones: the disk keeps the order.
    AnyPrefix,
    /// Any of them, whatever the order.
    AnySubset,
}

/// When timers go off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// At any moment: covers every clock, every delay and every pause.
    #[default]
    Untimed,
    /// When their time has come: time passes in ticks, for all nodes together.
    ///
    /// Whole ticks are enough: what can be reached with bounds that are included can be reached at
    /// whole numbers (Henzinger, Manna and Pnueli, "What good are digital clocks?", 1992). Messages
    /// and syncs take less than a tick, unless a fault delays them.
    Interval {
        /// How long a tick is.
        tick: Duration,
        /// How many ticks late a timer may be.
        late: u32,
    },
}

/// A fault that costs budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spend {
    Loss,
    Burst,
    Duplication,
    Replay,
    Corruption,
    Forgery,
    Partition,
    OneWayPartition,
    PartialPartition,
    Delay,
    Crash,
    CrashRestart,
    GroupCrash,
    Interruption,
    Pause,
    TornWrite,
    SyncError,
    FullDisk,
    CorruptRead,
    MisdirectedRead,
    SlowSync,
    ClockJump,
}

/// All of them, with their names.
pub(super) const SPENDS: [(Spend, &str); 22] = [
    (Spend::Loss, "losses"),
    (Spend::Burst, "bursts"),
    (Spend::Duplication, "duplications"),
    (Spend::Replay, "replays"),
    (Spend::Corruption, "corruptions"),
    (Spend::Forgery, "forgeries"),
    (Spend::Partition, "partitions"),
    (Spend::OneWayPartition, "one-way-partitions"),
    (Spend::PartialPartition, "partial-partitions"),
    (Spend::Delay, "delays"),
    (Spend::Crash, "crashes"),
    (Spend::CrashRestart, "crash-restarts"),
    (Spend::GroupCrash, "group-crashes"),
    (Spend::Interruption, "interruptions"),
    (Spend::Pause, "pauses"),
    (Spend::TornWrite, "torn-writes"),
    (Spend::SyncError, "sync-errors"),
    (Spend::FullDisk, "full-disks"),
    (Spend::CorruptRead, "corrupt-reads"),
    (Spend::MisdirectedRead, "misdirected-reads"),
    (Spend::SlowSync, "slow-syncs"),
    (Spend::ClockJump, "clock-jumps"),
];

impl Spend {
    /// The name of its budget.
    pub(super) fn name(self) -> &'static str {
        SPENDS[self as usize].1
    }
}

impl Faults {
    /// Whether there are any at all.
    pub fn is_none(&self) -> bool {
        SPENDS.into_iter().all(|(spend, _)| !self.allows(spend))
    }

    pub(super) fn allows(&self, spend: Spend) -> bool {
        self.of(spend) != Budget::None
    }

    #[inline]
    pub(super) fn of(&self, spend: Spend) -> Budget {
        match spend {
            Spend::Loss => self.losses,
            Spend::Burst => self.bursts,
            Spend::Duplication => self.duplications,
            Spend::Replay => self.replays,
            Spend::Corruption => self.corruptions,
            Spend::Forgery => self.forgeries,
            Spend::Partition => self.partitions,
            Spend::OneWayPartition => self.one_way_partitions,
            Spend::PartialPartition => self.partial_partitions,
            Spend::Delay => self.delays,
            Spend::Crash => self.crashes,
            Spend::CrashRestart => self.crash_restarts,
            Spend::GroupCrash => self.group_crashes,
            Spend::Interruption => self.interruptions,
            Spend::Pause => self.pauses,
            Spend::TornWrite => self.torn_writes,
            Spend::SyncError => self.sync_errors,
            Spend::FullDisk => self.full_disks,
            Spend::CorruptRead => self.corrupt_reads,
            Spend::MisdirectedRead => self.misdirected_reads,
            Spend::SlowSync => self.slow_syncs,
            Spend::ClockJump => self.clock_jumps,
        }
    }

    pub(super) fn of_mut(&mut self, spend: Spend) -> &mut Budget {
        match spend {
            Spend::Loss => &mut self.losses,
            Spend::Burst => &mut self.bursts,
            Spend::Duplication => &mut self.duplications,
            Spend::Replay => &mut self.replays,
            Spend::Corruption => &mut self.corruptions,
            Spend::Forgery => &mut self.forgeries,
            Spend::Partition => &mut self.partitions,
            Spend::OneWayPartition => &mut self.one_way_partitions,
            Spend::PartialPartition => &mut self.partial_partitions,
            Spend::Delay => &mut self.delays,
            Spend::Crash => &mut self.crashes,
            Spend::CrashRestart => &mut self.crash_restarts,
            Spend::GroupCrash => &mut self.group_crashes,
            Spend::Interruption => &mut self.interruptions,
            Spend::Pause => &mut self.pauses,
            Spend::TornWrite => &mut self.torn_writes,
            Spend::SyncError => &mut self.sync_errors,
            Spend::FullDisk => &mut self.full_disks,
            Spend::CorruptRead => &mut self.corrupt_reads,
            Spend::MisdirectedRead => &mut self.misdirected_reads,
            Spend::SlowSync => &mut self.slow_syncs,
            Spend::ClockJump => &mut self.clock_jumps,
        }
    }
}

/// What is left of all budgets, as one word: each that is finite has as many bits as it takes.
#[derive(Clone, Debug)]
pub(super) struct Purse {
    faults: Faults,
    places: [Place; SPENDS.len()],
    full: u32,
    keys: Box<[Vec<u128>; SPENDS.len()]>,
}

/// Where what is left of one budget stands in the word.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    shift: u32,
    mask: u32,
}

impl Purse {
    /// `None` where the budgets do not fit a word.
    pub(super) fn new(faults: Faults) -> Option<Self> {
        let mut places = [Place::default(); SPENDS.len()];
        let (mut used, mut full) = (0, 0_u32);
        for (place, (spend, _)) in places.iter_mut().zip(SPENDS) {
            if let Budget::AtMost(count @ 1..) = faults.of(spend) {
                let bits = u8::BITS - count.leading_zeros();
                if used + bits > u32::BITS {
                    return None;
                }
                *place = Place { shift: used, mask: (1 << bits) - 1 };
                full |= u32::from(count) << used;
                used += bits;
            }
        }
        let key = |(spend, place): (usize, &Place)| {
            let key =
                |left| fingerprint(&("budgets", spend, left)) >> COVERING_BITS << COVERING_BITS;
            (0..=place.mask).map(key).collect::<Vec<_>>()
        };
        let keys: Vec<Vec<u128>> = places.iter().enumerate().map(key).collect();
        let keys = keys.try_into().expect("as many as there are budgets");
        Some(Self { faults, places, full, keys: Box::new(keys) })
    }

    /// The budgets at the beginning.
    pub(super) fn full(&self) -> u32 {
        self.full
    }

    /// What is left after a fault; `None` where the budget does not allow it.
    #[inline]
    pub(super) fn spend(&self, word: u32, spend: Spend) -> Option<u32> {
        match self.faults.of(spend) {
            Budget::None | Budget::AtMost(0) => None,
            Budget::Unlimited => Some(word),
            Budget::AtMost(_) => {
                let place = self.places[spend as usize];
                let left = (word >> place.shift) & place.mask;
                (left > 0).then(|| word - (1 << place.shift))
            }
        }
    }

    /// How many different things can be left of the budgets.
    pub(super) fn combinations(&self) -> u64 {
        let full = self.places.iter().map(|place| (self.full >> place.shift) & place.mask);
        full.map(|left| u64::from(left) + 1).product()
    }

    /// The next of all words that leave at least what `least` does of each budget, and at most all
    /// of it; `least` itself is the first.
    pub(super) fn next_above(&self, at: u32, least: u32) -> Option<u32> {
        let mut next = at;
        for place in &self.places {
            let mask = place.mask << place.shift;
            if next & mask < self.full & mask {
                return Some(next + (1 << place.shift));
            }
            next = next & !mask | least & mask;
        }
        None
    }

    /// What a fault that a finite budget allows adds to the key of what is left.
    #[inline]
    pub(super) fn key_change(&self, before: u32, spend: Spend) -> u128 {
        let (place, keys) = (&self.places[spend as usize], &self.keys[spend as usize]);
        let left = ((before >> place.shift) & place.mask) as usize;
        keys[left - 1].wrapping_sub(keys[left])
    }

    /// The key of what is left: the sum of a key for each budget and what is left of it. Its lowest
    /// bits are 0, so that budgets do not change those of a fingerprint.
    #[inline]
    pub(super) fn key(&self, word: u32) -> u128 {
        let left = |place: &Place| ((word >> place.shift) & place.mask) as usize;
        let keys = self.keys.iter().zip(&self.places).map(|(keys, place)| keys[left(place)]);
        keys.fold(0, u128::wrapping_add)
    }
}

/// What an action costs; the passing of time costs what it finds waiting, and a partition what its
/// shape has a budget for, see [`Cluster::wide_costs`](super::Cluster).
pub(super) fn cost<P: Protocol>(action: &ActionOf<P>) -> Option<Spend> {
    let TypedAction::Fault(fault) = action else { return None };
    match fault {
        TypedFault::Drop { .. } => Some(Spend::Loss),
        TypedFault::Burst { .. } => Some(Spend::Burst),
        TypedFault::Duplicate { .. } => Some(Spend::Duplication),
        TypedFault::Replay { .. } => Some(Spend::Replay),
        TypedFault::Corrupt { .. } => Some(Spend::Corruption),
        TypedFault::Forge { .. } => Some(Spend::Forgery),
        TypedFault::Partition { .. } => Some(Spend::Partition),
        TypedFault::CrashGroup { .. } => Some(Spend::GroupCrash),
        TypedFault::Crash { kept, .. } | TypedFault::CrashRestart { kept, .. }
            if kept.torn.is_some() =>
        {
            Some(Spend::TornWrite)
        }
        TypedFault::Crash { .. } => Some(Spend::Crash),
        TypedFault::CrashRestart { .. } => Some(Spend::CrashRestart),
        TypedFault::Restart { misread, .. } => misread.as_ref().map(|misread| match misread {
            Misread::Corrupt { .. } => Spend::CorruptRead,
            Misread::Misdirected { .. } => Spend::MisdirectedRead,
        }),
        TypedFault::Interrupt { .. } => Some(Spend::Interruption),
        TypedFault::Pause { .. } => Some(Spend::Pause),
        TypedFault::SyncFail { error: SyncError::Lost, .. } => Some(Spend::SyncError),
        TypedFault::SyncFail { error: SyncError::Full, .. } => Some(Spend::FullDisk),
        TypedFault::Jump { .. } => Some(Spend::ClockJump),
        TypedFault::Heal | TypedFault::Resume { .. } => None,
    }
}

/// Which kind of partition a set of cut links is. That of two nodes is complete as well as partial,
/// and is what has a budget.
pub(super) fn shape(cut: &[(NodeId, NodeId)], nodes: usize, faults: &Faults) -> Spend {
    let is_of_two = cut.len() == 2;
    let is_complete = nodes == 2 && faults.allows(Spend::Partition);
    let is_both_ways = |(from, to): &(NodeId, NodeId)| cut.contains(&(*to, *from));
    match cut.iter().all(is_both_ways) {
        true if is_of_two && !is_complete => Spend::PartialPartition,
        true => Spend::Partition,
        false => Spend::OneWayPartition,
    }
}
