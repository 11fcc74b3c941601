use std::fmt;

use cadre_step::SyncError;
use serde::{Deserialize, Serialize};

use crate::Json;
use crate::snapshot::Envelope;
use crate::trace::{Action, brief};

/// What goes wrong in an execution, and what ends it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// A message is lost.
    Drop(Envelope),
    /// All messages in flight from one node to another are lost.
    Burst(Link),
    /// A message in flight is there once more.
    Duplicate(Envelope),
    /// A message that has been delivered is in flight again, exactly as it was.
    Replay(Envelope),
    /// A message in flight is altered.
    Corrupt {
        /// The message as it was.
        envelope: Envelope,
        /// What it says now.
        into: Json,
    },
    /// A traitor sends a message that its step function did not ask for.
    Forge(Envelope),
    /// Links are cut: what is sent over them is lost, what is on its way waits.
    Partition {
        /// The links, each in one direction.
        cut: Vec<Link>,
    },
    /// No link is cut any more.
    Heal,
    /// A node stops: its memory, its timers and its un-synced writes are gone.
    Crash {
        /// The node.
        node: String,
        /// The un-synced writes that reach the disk all the same.
        #[serde(default, skip_serializing_if = "Kept::is_nothing")]
        kept: Kept,
    },
    /// Several nodes stop at once, as when a rack loses power.
    CrashGroup {
        /// The nodes.
        nodes: Vec<String>,
    },
    /// A stopped node starts from its disk.
    Restart {
        /// The node.
        node: String,
        /// What it reads wrongly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        misread: Option<Misread>,
    },
    /// A node stops and starts from its disk, as one step.
    CrashRestart {
        /// The node.
        node: String,
        /// The un-synced writes that reach the disk all the same.
        #[serde(default, skip_serializing_if = "Kept::is_nothing")]
        kept: Kept,
    },
    /// A node stops in the middle of a step: only the first of its effects are carried out.
    Interrupt {
        /// What made it take the step.
        of: Box<Action>,
        /// How many of the effects are carried out.
        effects: usize,
    },
    /// A node takes no steps for a while; its memory stays, and its clock goes on.
    Pause {
        /// The node.
        node: String,
    },
    /// A paused node goes on.
    Resume {
        /// The node.
        node: String,
    },
    /// The disk reports that a sync has failed.
    SyncFail {
        /// The node.
        node: String,
        /// How, and what has become of the writes.
        error: SyncError,
    },
    /// A node's clock jumps.
    Jump {
        /// The node.
        node: String,
        /// How far ahead, in microseconds; backwards if negative.
        by_us: i64,
    },
}

/// One direction between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The sender.
    pub from: String,
    /// The destination.
    pub to: String,
}

/// Which of a node's un-synced writes reach the disk in a crash, by their positions among them from
/// 0; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Those that reach it whole, in order.
    pub writes: Vec<usize>,
    /// One of which only the first half reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<usize>,
}

/// What a node reads wrongly from its disk when it starts; the disk itself stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Misread {
    /// The value under a key comes back altered.
    Corrupt {
        /// The key as text, see [`bytes_to_text`](crate::bytes_to_text).
        key: String,
        /// The value that is read instead, as text.
        value: String,
    },
    /// Under a key the value of another key is read.
    Misdirected {
        /// The key as text.
        key: String,
        /// The key whose value is read, as text.
        instead: String,
    },
}

impl Fault {
    /// The one node that suffers the fault; `None` where there are several, or only the network is
    /// concerned.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Crash { node, .. }
            | Self::Restart { node, .. }
            | Self::CrashRestart { node, .. }
            | Self::Pause { node }
            | Self::Resume { node }
            | Self::SyncFail { node, .. }
            | Self::Jump { node, .. } => Some(node),
            Self::Interrupt { of, .. } => of.node(),
            Self::Forge(envelope) => Some(&envelope.from),
            Self::Drop(_)
            | Self::Burst(_)
            | Self::Duplicate(_)
            | Self::Replay(_)
            | Self::Corrupt { .. }
            | Self::Partition { .. }
            | Self::Heal
            | Self::CrashGroup { .. } => None,
        }
    }

    /// The message that the fault is about.
    pub fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Drop(envelope)
            | Self::Duplicate(envelope)
            | Self::Replay(envelope)
            | Self::Forge(envelope)
            | Self::Corrupt { envelope, .. } => Some(envelope),
            Self::Interrupt { of, .. } => of.envelope(),
            Self::Burst(_)
            | Self::Partition { .. }
            | Self::Heal
            | Self::Crash { .. }
            | Self::CrashGroup { .. }
            | Self::Restart { .. }
            | Self::CrashRestart { .. }
            | Self::Pause { .. }
            | Self::Resume { .. }
            | Self::SyncFail { .. }
            | Self::Jump { .. } => None,
        }
    }

    /// Whether the fault makes the node stop.
    pub fn stops(&self, node: &str) -> bool {
        match self {
            Self::Crash { .. } | Self::CrashRestart { .. } | Self::Interrupt { .. } => {
                self.node() == Some(node)
            }
            Self::CrashGroup { nodes } => nodes.iter().any(|crashed| crashed == node),
            Self::Drop(_)
            | Self::Burst(_)
            | Self::Duplicate(_)
            | Self::Replay(_)
            | Self::Corrupt { .. }
            | Self::Forge(_)
            | Self::Partition { .. }
            | Self::Heal
            | Self::Restart { .. }
            | Self::Pause { .. }
            | Self::Resume { .. }
            | Self::SyncFail { .. }
            | Self::Jump { .. } => false,
        }
    }
}

impl Kept {
    /// Whether no un-synced write survives.
    pub fn is_nothing(&self) -> bool {
        self.writes.is_empty() && self.torn.is_none()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(envelope) => write!(f, "drop {envelope}"),
            Self::Burst(link) => write!(f, "drop all {link}"),
            Self::Duplicate(envelope) => write!(f, "duplicate {envelope}"),
            Self::Replay(envelope) => write!(f, "replay {envelope}"),
            Self::Corrupt { envelope, into } => {
                let Envelope { from, to, message } = envelope;
                write!(f, "corrupt {} into {} {from}→{to}", brief(message), brief(into))
            }
            Self::Forge(envelope) => write!(f, "forge {envelope}"),
            Self::Partition { cut } => write!(f, "CUT {}", parted(cut)),
            Self::Heal => f.write_str("HEAL"),
            Self::Crash { node, kept } => write!(f, "CRASH {node}{kept}"),
            Self::CrashGroup { nodes } => write!(f, "CRASH {}", list(nodes)),
            Self::Restart { node, misread: None } => write!(f, "RESTART {node}"),
            Self::Restart { node, misread: Some(misread) } => {
                write!(f, "RESTART {node} reading {misread}")
            }
            Self::CrashRestart { node, kept } => write!(f, "CRASH+RESTART {node}{kept}"),
            Self::Interrupt { of, effects } => {
                let node = of.node().unwrap_or_default();
                write!(f, "CRASH {node} after effect {effects} of {of}")
            }
            Self::Pause { node } => write!(f, "PAUSE {node}"),
            Self::Resume { node } => write!(f, "RESUME {node}"),
            Self::SyncFail { node, error: SyncError::Lost } => {
                write!(f, "SYNC FAILS {node}, writes lost")
            }
            Self::SyncFail { node, error: SyncError::Full } => write!(f, "DISK FULL {node}"),
            Self::Jump { node, by_us } => write!(f, "CLOCK {node} {by_us:+} µs"),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{}", self.from, self.to)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |write: &usize| format!("write {}", write + 1);
        let mut kept: Vec<String> = self.writes.iter().map(number).collect();
        kept.extend(self.torn.map(|write| format!("half of {}", number(&write))));
        match kept.is_empty() {
            true => Ok(()),
            false => write!(f, " keeping {}", kept.join(" and ")),
        }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { key, value } => write!(f, "{value} under {key}"),
            Self::Misdirected { key, instead } => write!(f, "{instead} in place of {key}"),
        }
    }
}

/// Cut links as the nodes on either side, where they are all links between two sides.
fn parted(cut: &[Link]) -> String {
    let Some(first) = cut.first() else { return "nothing".to_owned() };
    let is_cut = |from: &str, to: &str| cut.iter().any(|link| link.from == from && link.to == to);
    let mut nodes: Vec<&str> = cut.iter().flat_map(|link| [&*link.from, &*link.to]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let (others, side): (Vec<&str>, Vec<&str>) =
        nodes.into_iter().partition(|node| is_cut(&first.from, node));
    let links = |from: &[&str], to: &[&str]| {
        from.iter().all(|from| to.iter().all(|to| is_cut(from, to))).then(|| from.len() * to.len())
    };
    match (links(&side, &others), links(&others, &side)) {
        (Some(there), Some(back)) if there + back == cut.len() => {
            format!("{} | {}", side.join(", "), others.join(", "))
        }
        (Some(there), _) if there == cut.len() => {
            format!("{} → {}", side.join(", "), others.join(", "))
        }
        _ => list(cut),
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
