use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cadre_step::NodeId;

/// Which node is hosted, and where.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The node.
    pub node: NodeId,
    /// The names of all nodes, by the position of the node.
    pub names: Vec<String>,
    /// The names of the clients, by the position of the client.
    pub clients: Vec<String>,
    /// Where frames are received; port 0 for a free one.
    pub listen: SocketAddr,
    /// The directory of the node's disk; made where it is missing.
    pub data: PathBuf,
    /// Who decides what happens next.
    pub mode: Mode,
    /// What this host does wrong on purpose.
    pub defect: Option<Defect>,
}

/// Who decides what a hosted node does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The driver: choices, timers and syncs wait for its commands. Frames are taken as they
    /// arrive, so the driver holds them back until it is their turn.
    Steered,
    /// The clock, the disk and the peers, as in production.
    Free {
        /// What the choices follow from; each node draws its own from it.
        seed: u64,
        /// A choice that could be made is made after a random part of this time.
        choice_delay_max: Duration,
    },
}

/// A host that is wrong on purpose, so that a replay has something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// Syncs nothing: messages and answers leave, and steps are reported, before the writes they
    /// rely on survive a crash.
    AnswersBeforeSync,
}
