use std::collections::BTreeMap;
use std::net::SocketAddr;

use cadre_step::SyncError;
use serde::{Deserialize, Serialize};

use crate::Json;
use crate::fault::{Kept, Misread};
use crate::snapshot::{Envelope, NodeSnapshot, Request};
use crate::trace::{Action, Effect, Event};

/// The version of what running nodes say: [`LoggedStep`], [`Command`], [`Report`] and [`Frame`].
pub const LOG_VERSION: u32 = 1;

/// One step of one running node, as the node itself reports it.
///
/// The reports of all nodes, ordered by their Lamport clocks, make a [`Trace`](crate::Trace).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedStep {
    /// [`LOG_VERSION`] of the writer.
    pub version: u32,
    /// The node's name.
    pub node: String,
    /// The choice that the node's surroundings made; `None` for its start.
    pub action: Option<Action>,
    /// What the step function consumed.
    pub event: Event,
    /// What it asked for.
    pub effects: Vec<Effect>,
    /// The node afterwards.
    pub after: NodeSnapshot,
    /// The clocks afterwards.
    pub stamp: Stamp,
    /// The panic that ended the step.
    pub failure: Option<String>,
}

/// The clocks of a node; messages carry those of the step that sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The Lamport clock.
    pub lamport: u64,
    /// The vector clock; nodes that are not named have 0.
    pub clock: BTreeMap<String, u64>,
}

impl Stamp {
    /// The clocks of the next step of a node, which may follow from a message that carries clocks.
    pub fn next(&self, node: &str, received: Option<&Stamp>) -> Stamp {
        let mut next = self.clone();
        if let Some(received) = received {
            next.join(received);
        }
        next.lamport += 1;
        *next.clock.entry(node.to_owned()).or_default() += 1;
        next
    }

    /// Brings each clock up to that of another stamp.
    pub(crate) fn join(&mut self, other: &Stamp) {
        self.lamport = self.lamport.max(other.lamport);
        for (node, count) in &other.clock {
            let known = self.clock.entry(node.clone()).or_default();
            *known = (*known).max(*count);
        }
    }
}

/// What the driver of a running node says to it: one line of JSON each.
///
/// [`Peers`](Command::Peers) comes first and starts the node. The choices and
/// [`SyncDone`](Command::SyncDone) are for a node that takes no step of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Start: messages to these nodes go to these addresses.
    Peers {
        /// [`LOG_VERSION`] of the writer.
        version: u32,
        /// The address of every node, by name, that of the node itself included.
        addresses: BTreeMap<String, SocketAddr>,
        /// What the start reads wrongly from its disk.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        misread: Option<Misread>,
    },
    /// Make this choice.
    Choose {
        /// Which of the node's choices.
        timer: Json,
    },
    /// Let this armed timer go off.
    Fire {
        /// The timer.
        timer: Json,
    },
    /// Carry out the oldest sync that was asked for and is not done.
    SyncDone,
    /// Let the oldest sync that was asked for and is not done fail.
    SyncFail {
        /// How, and what becomes of the writes.
        error: SyncError,
    },
    /// Let the next step end in the middle. What follows then is a kill.
    Interrupt {
        /// How many of its effects are carried out.
        effects: usize,
    },
    /// Put un-synced writes on the disk as an operating system may without being asked. What
    /// follows then is a kill; answered by [`Report::Kept`].
    Keep {
        /// Which of them.
        kept: Kept,
    },
    /// Take a client's request.
    Request {
        /// Which request, of which client.
        id: Request,
        /// What is asked.
        request: Json,
    },
    /// End. The end of the input means the same.
    Stop,
}

/// What a running node says to its driver: one line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Report {
    /// The node can be reached; the first report of every node.
    Listening {
        /// [`LOG_VERSION`] of the writer.
        version: u32,
        /// Where frames for it go.
        address: SocketAddr,
    },
    /// The node has taken a step.
    Step(Box<LoggedStep>),
    /// Some un-synced writes are on the disk now.
    Kept,
    /// The node has not done what a command or a frame asked for.
    Refused {
        /// What was expected, and what was found.
        why: String,
    },
}

/// One message on its way between running nodes: one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// [`LOG_VERSION`] of the writer.
    pub version: u32,
    /// The sender.
    pub from: String,
    /// The destination.
    pub to: String,
    /// The payload.
    pub message: Json,
    /// The clocks of the step that sent it.
    pub stamp: Stamp,
}

impl Frame {
    /// The message without its clocks.
    pub fn envelope(&self) -> Envelope {
        Envelope { from: self.from.clone(), to: self.to.clone(), message: self.message.clone() }
    }

    /// Whether this is that message, whatever its clocks say.
    pub fn carries(&self, envelope: &Envelope) -> bool {
        self.from == envelope.from && self.to == envelope.to && self.message == envelope.message
    }
}
