use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use cadre_process::ProcessError;
use cadre_runtime::RuntimeError;
use cadre_trace::Action;

/// Why a replay or a recording has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A process could not be started, has died, or hangs.
    #[error("{at}, node {node}: {source}")]
    Process {
        /// When.
        at: Site,
        /// The node it hosts.
        node: String,
        /// What happened to it.
        source: Box<ProcessError>,
    },

    /// A process says something else than it should.
    #[error(
        "{at}, node {node}: expected {expected}, found `{found}`; the program must host a node and \
         speak the versions of this tool; {log}"
    )]
    Nonsense {
        /// When.
        at: Site,
        /// The node it hosts.
        node: String,
        /// What should have come.
        expected: String,
        /// What came, shortened.
        found: String,
        /// Where the process writes its errors, and what it has written last.
        log: String,
    },

    /// A process sends something that is no message.
    #[error("{at}: a node has sent something that is no message: {why}")]
    Frame {
        /// When.
        at: Site,
        /// What was expected and found.
        why: String,
    },

    /// A process does not take a message.
    #[error("{at}: expected node {node} to take a message at {address}, but: {source}")]
    Unreachable {
        /// When.
        at: Site,
        /// The destination.
        node: String,
        /// Where it listens.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },

    /// A process in a free run does not do what it was asked for.
    #[error("{at}, node {node}: refused: {why}")]
    Refused {
        /// When.
        at: Site,
        /// The node it hosts.
        node: String,
        /// The reason it gives.
        why: String,
    },

    /// The trace cannot be carried out by anybody.
    #[error("step {step} of the trace cannot be carried out: {why}; record the trace again")]
    Trace {
        /// The step; 0 for the start.
        step: usize,
        /// What contradicts what.
        why: String,
    },

    /// The reports of a free run contradict each other.
    #[error(
        "the reports of the nodes do not make an execution: step {lamport} of node {node} {why}"
    )]
    Causality {
        /// The node whose step has no cause.
        node: String,
        /// The Lamport clock of that step.
        lamport: u64,
        /// What it contradicts.
        why: String,
    },

    /// A kind of network that nobody knows.
    #[error("expected a network that is `growing-set` or `consumed-once`, found `{found}`")]
    UnknownNetwork {
        /// The word.
        found: String,
    },

    /// The directory holds disks of an earlier run.
    #[error(
        "expected no disk of a node yet, found {}; give each run a directory of its own",
        path.display()
    )]
    DirectoryUsed {
        /// The disk that is there.
        path: PathBuf,
    },

    /// There are more nodes than ports.
    #[error("expected {count} ports from {base_port} on, which are not there; choose a lower one")]
    Ports {
        /// The port of the first node.
        base_port: u16,
        /// How many nodes there are.
        count: usize,
    },

    /// The place where messages are held back could not be opened.
    #[error("expected to hold messages back on their way, but: {0}")]
    Gate(#[source] Box<RuntimeError>),

    /// A stop was requested.
    #[error("{at}: stopped on request; run it again for a result")]
    Stopped {
        /// When.
        at: Site,
    },
}

/// The moment at which something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// While the nodes were starting.
    Start,
    /// While a step of the trace was carried out.
    Step {
        /// Which.
        step: usize,
        /// What was to happen.
        action: Box<Action>,
    },
    /// While nobody steered the nodes.
    FreeRun,
    /// While the nodes were ending.
    End,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("at the start"),
            Self::Step { step, action } => write!(f, "at step {step} ({action})"),
            Self::FreeRun => f.write_str("in the free run"),
            Self::End => f.write_str("at the end"),
        }
    }
}
