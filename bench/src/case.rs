use cadre::prelude::{Budget, Network};
use clap::ValueEnum;

use crate::models::paxos::Flow;
use crate::models::raft::Limits;
use crate::models::{increment_lock, two_phase_commit};
use crate::tool::Tool;

/// A system that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Case {
    /// Two-phase commit, messages never consumed; the size is the number of resource managers.
    TwoPhaseCommit,
    /// Single-decree Paxos, each message delivered once; the size is the rounds of each proposer.
    Paxos,
    /// The same, where any message may be lost.
    LossyPaxos,
    /// The same, where messages are never consumed.
    GrowingPaxos,
    /// Raft, each message delivered once; the size says how far it may go.
    Raft,
    /// Threads that increment a counter under a lock; the size is their number.
    IncrementLock,
}

impl Case {
    /// The sizes of the table.
    pub(crate) fn sizes(self) -> &'static [u32] {
        match self {
            Self::TwoPhaseCommit => &[7, 8, 9],
            Self::Paxos | Self::LossyPaxos => &[1],
            Self::GrowingPaxos => &[1, 2],
            Self::Raft => &[2, 3],
            Self::IncrementLock => &[7, 8, 9],
        }
    }

    /// A size that every tool is through with in seconds.
    pub(crate) fn quick_size(self) -> u32 {
        match self {
            Self::TwoPhaseCommit | Self::IncrementLock => 7,
            Self::Raft => 2,
            Self::Paxos | Self::LossyPaxos | Self::GrowingPaxos => 1,
        }
    }

    /// The tools that search it.
    pub(crate) fn tools(self) -> &'static [Tool] {
        match self {
            Self::TwoPhaseCommit => {
                &[Tool::Ours, Tool::StaterightBfs, Tool::StaterightDfs, Tool::Tlc, Tool::Spin]
            }
            Self::Paxos
            | Self::LossyPaxos
            | Self::GrowingPaxos
            | Self::Raft
            | Self::IncrementLock => &[Tool::Ours, Tool::StaterightBfs, Tool::StaterightDfs],
        }
    }

    /// Whether a search takes a tool so long that it is run only when the tool is asked for.
    pub(crate) fn is_long(self, size: u32, tool: Tool) -> bool {
        self == Self::TwoPhaseCommit && size > 8 && tool == Tool::Tlc
    }

    /// How many states there are, where that is known from elsewhere.
    pub(crate) fn expected(self, size: u32) -> Option<u64> {
        match (self, size) {
            (Self::TwoPhaseCommit, _) => Some(two_phase_commit::distinct(size)),
            (Self::IncrementLock, _) => Some(increment_lock::distinct(size)),
            (Self::Paxos, 1) => Some(101_408),
            (Self::GrowingPaxos, 1) => Some(14_265),
            (Self::GrowingPaxos, 2) => Some(24_924_025),
            (Self::Paxos | Self::LossyPaxos | Self::GrowingPaxos | Self::Raft, _) => None,
        }
    }

    /// Its name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TwoPhaseCommit => "two-phase-commit",
            Self::Paxos => "paxos",
            Self::LossyPaxos => "lossy-paxos",
            Self::GrowingPaxos => "growing-paxos",
            Self::Raft => "raft",
            Self::IncrementLock => "increment-lock",
        }
    }
}

/// The network of our cluster for a case of Paxos, and the losses it allows.
pub(crate) fn paxos_network(case: Case) -> (Network, Budget) {
    match case {
        Case::GrowingPaxos => (Network::GrowingSet, Budget::None),
        Case::LossyPaxos => (Network::ConsumedOnce, Budget::Unlimited),
        Case::Paxos | Case::TwoPhaseCommit | Case::Raft | Case::IncrementLock => {
            (Network::ConsumedOnce, Budget::None)
        }
    }
}

/// What becomes of messages in flight between the actors of a peer.
pub(crate) fn paxos_flow(case: Case) -> Flow {
    match paxos_network(case).1 {
        Budget::Unlimited => Flow::Lossy,
        Budget::None | Budget::AtMost(_) => Flow::Reliable,
    }
}

/// How far Raft may go at a size.
pub(crate) fn raft_limits(size: u32) -> Limits {
    match size {
        0 => Limits { term_max: 1, log_max: 1, candidates: 1 },
        1 => Limits { term_max: 1, log_max: 1, candidates: 3 },
        2 => Limits { term_max: 2, log_max: 1, candidates: 2 },
        3 => Limits { term_max: 2, log_max: 1, candidates: 3 },
        _ => Limits { term_max: 2, log_max: 2, candidates: 2 },
    }
}
