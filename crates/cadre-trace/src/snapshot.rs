use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Json;
use crate::diff::{Difference, diff};
use crate::fault::Link;
use crate::trace::brief;

/// A whole configuration: every node, the network and the clients' history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Every node, by name.
    pub nodes: BTreeMap<String, NodeSnapshot>,
    /// The messages in flight; one that is there twice is listed twice. Sorted.
    pub network: Vec<Envelope>,
    /// What the clients asked and were answered, in the order in which it happened.
    pub history: Vec<HistoryEvent>,
    /// The links that are cut. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Link>,
}

/// One node: its memory, its timers and its disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSnapshot {
    /// Whether it runs.
    pub status: Status,
    /// What it keeps in memory; `null` unless it is up or paused.
    pub state: Json,
    /// The armed timers, in order.
    pub timers: Vec<Json>,
    /// For each armed timer in how many ticks it may go off; none where nobody counts time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<Due>,
    /// What survives a crash: keys and values as text, see [`bytes_to_text`](crate::bytes_to_text).
    pub disk: BTreeMap<String, String>,
    /// What does not yet survive a crash, in the order in which it was written.
    pub unsynced: Vec<DiskWrite>,
}

/// In how many ticks a timer may go off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// In so many at the earliest.
    pub min: u32,
    /// In so many at the latest.
    pub max: u32,
}

/// Whether a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It takes steps.
    Up,
    /// It would take steps, but does not for now.
    Paused,
    /// It has crashed.
    Down,
    /// Its step function panicked, or gave two results for the same arguments.
    Failed,
}

/// A write to a node's disk, or the mark of a sync among the writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DiskWrite {
    /// A key gets a value.
    Put {
        /// The key as text.
        key: String,
        /// The value as text.
        value: String,
    },
    /// A key is removed.
    Delete {
        /// The key as text.
        key: String,
    },
    /// All earlier writes survive a crash once this sync is done.
    Sync,
}

/// A message in flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The sender.
    pub from: String,
    /// The destination.
    pub to: String,
    /// The payload.
    pub message: Json,
}

/// One request of one client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The client's name.
    pub client: String,
    /// How many requests the client had made before.
    pub number: u32,
}

/// A request or its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HistoryEvent {
    /// A client asks.
    Invoke {
        /// Which request.
        id: Request,
        /// The node that is asked.
        node: String,
        /// What is asked.
        request: Json,
    },
    /// A client is answered.
    Return {
        /// Which request.
        id: Request,
        /// The answer.
        response: Json,
    },
}

/// The difference between two configurations, from which the later one can be rebuilt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The nodes that differ, as they are afterwards.
    pub nodes: BTreeMap<String, NodeSnapshot>,
    /// Messages that are in flight only afterwards.
    pub added: Vec<Envelope>,
    /// Messages that were in flight only before.
    pub removed: Vec<Envelope>,
    /// What the history has got at its end.
    pub history: Vec<HistoryEvent>,
    /// The links that are cut afterwards, where others were before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Vec<Link>>,
}

impl Change {
    /// The difference between two configurations of one execution.
    pub fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let nodes = after.nodes.iter().filter(|(name, node)| before.nodes.get(*name) != Some(node));
        Self {
            nodes: nodes.map(|(name, node)| (name.clone(), node.clone())).collect(),
            added: surplus(&after.network, &before.network),
            removed: surplus(&before.network, &after.network),
            history: after.history.get(before.history.len()..).unwrap_or_default().to_vec(),
            cut: (before.cut != after.cut).then(|| after.cut.clone()),
        }
    }

    /// Whether the two configurations are the same.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

impl Snapshot {
    /// What differs in a later configuration, by path, such as `n1.state.term`; each message that
    /// is in flight or not any more has the path `network`.
    pub fn diff(&self, later: &Self) -> Vec<Difference> {
        let told = |snapshot: &Self| {
            let (nodes, history) = (&snapshot.nodes, &snapshot.history);
            let nodes = serde_json::to_value(nodes).expect("nodes are made of JSON values");
            let history = serde_json::to_value(history).expect("requests are made of JSON values");
            (nodes, history)
        };
        let ((nodes, history), (later_nodes, later_history)) = (told(self), told(later));
        let mut found = diff("", &nodes, &later_nodes);
        let text = |envelope: &Envelope| Json::String(envelope.to_string());
        let mut gone: Vec<&Envelope> = self.network.iter().collect();
        for envelope in &later.network {
            match gone.iter().position(|other| *other == envelope) {
                Some(at) => drop(gone.remove(at)),
                None => found.push(Difference {
                    path: "network".to_owned(),
                    before: None,
                    after: Some(text(envelope)),
                }),
            }
        }
        found.extend(gone.into_iter().map(|envelope| Difference {
            path: "network".to_owned(),
            before: Some(text(envelope)),
            after: None,
        }));
        found.extend(diff("history", &history, &later_history));
        let cut = |snapshot: &Self| Json::from_iter(snapshot.cut.iter().map(Link::to_string));
        found.extend(diff("cut", &cut(self), &cut(later)));
        found
    }

    /// Turns the configuration before a change into the one after it.
    pub fn apply(&mut self, change: &Change) {
        self.nodes.extend(change.nodes.iter().map(|(name, node)| (name.clone(), node.clone())));
        self.network = surplus(&self.network, &change.removed);
        self.network.extend(change.added.iter().cloned());
        self.sort_network();
        self.history.extend(change.history.iter().cloned());
        if let Some(cut) = &change.cut {
            self.cut.clone_from(cut);
        }
    }

    /// Puts the messages in flight in the order of their text.
    pub fn sort_network(&mut self) {
        self.network.sort_by_cached_key(|envelope| {
            (envelope.from.clone(), envelope.to.clone(), envelope.message.to_string())
        });
    }
}

impl Due {
    /// Lets the node's clock go on by so many ticks; back if negative.
    pub fn pass(&mut self, ticks: i64) {
        let later = |at: u32| u32::try_from((i64::from(at) - ticks).max(0)).unwrap_or(u32::MAX);
        *self = Self { min: later(self.min), max: later(self.max) };
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}→{}", brief(&self.message), self.from, self.to)
    }
}

/// The envelopes of one multiset that another one has not.
fn surplus(of: &[Envelope], over: &[Envelope]) -> Vec<Envelope> {
    let mut over: Vec<&Envelope> = over.iter().collect();
    let mut rest = Vec::new();
    for envelope in of {
        match over.iter().position(|other| *other == envelope) {
            Some(found) => drop(over.swap_remove(found)),
            None => rest.push(envelope.clone()),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_more_or_less_is_one_difference_wherever_it_stands() {
        let envelope = |message: &str| Envelope {
            from: "n1".to_owned(),
            to: "n2".to_owned(),
            message: Json::from(message),
        };
        let snapshot = |messages: &[&str]| Snapshot {
            network: messages.iter().map(|message| envelope(message)).collect(),
            ..Snapshot::default()
        };
        let (before, after) = (snapshot(&["a", "c", "c", "d"]), snapshot(&["a", "b", "c", "d"]));
        let lines: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["network none → b n1→n2", "network c n1→n2 → none"]);
        assert_eq!(before.diff(&before), []);
    }
}
