//! Clocks in lines of a log.

use std::collections::BTreeMap;

use cadre_trace::Json;

/// The clock of a node after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogClock {
    Lamport(u64),
    /// Nodes that are not named have 0.
    Vector(BTreeMap<String, u64>),
}

impl LogClock {
    /// Reads a clock; `None` for what is none.
    pub(super) fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Number(number) => Some(Self::Lamport(number.as_u64()?)),
            Json::Object(entries) => {
                let entry = |(node, count): (&String, &Json)| Some((node.clone(), count.as_u64()?));
                Some(Self::Vector(entries.iter().map(entry).collect::<Option<_>>()?))
            }
            Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) => None,
        }
    }

    /// How many events of the node the clock counts.
    pub(super) fn own(&self, node: &str) -> u64 {
        match self {
            Self::Lamport(time) => *time,
            Self::Vector(entries) => entries.get(node).copied().unwrap_or_default(),
        }
    }

    /// Whether an event of another node comes before the one with this clock: Lamport clocks tell
    /// it by their order, vector clocks by what has been seen.
    pub(super) fn is_after(&self, earlier: &Self, node: &str) -> bool {
        match (self, earlier) {
            (Self::Lamport(time), Self::Lamport(earlier)) => time > earlier,
            _ => self.own(node) >= earlier.own(node),
        }
    }

    /// A number that is larger for what happened later; events may share it.
    pub(super) fn height(&self) -> u64 {
        match self {
            Self::Lamport(time) => *time,
            Self::Vector(entries) => {
                entries.values().fold(0, |sum, count| sum.saturating_add(*count))
            }
        }
    }
}
