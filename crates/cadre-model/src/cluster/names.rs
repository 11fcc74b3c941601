use cadre_step::{Effect, EffectOf, NodeId, Protocol, RequestId};
use cadre_trace::{Action, DiskWrite, Envelope, Event, Fault, Json, Link, Request, bytes_to_text};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::action::{ActionOf, FaultOf, TypedAction, TypedFault};

/// The names that nodes and clients have in traces.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) nodes: Vec<String>,
    pub(super) clients: Vec<String>,
}

impl Names {
    pub(super) fn node(&self, node: NodeId) -> String {
        self.nodes.get(node.index()).cloned().unwrap_or_else(|| format!("node{}", node.index()))
    }

    pub(super) fn node_id(&self, name: &str) -> Result<NodeId, String> {
        let found = self.nodes.iter().position(|known| known == name);
        found.map(NodeId::from_index).ok_or_else(|| {
            format!("there is no node `{name}`; the nodes are {}", self.nodes.join(", "))
        })
    }

    pub(super) fn request(&self, id: RequestId) -> Request {
        let client = self.clients.get(id.client as usize).cloned();
        let client = client.unwrap_or_else(|| format!("client{}", id.client));
        Request { client, number: id.number }
    }

    pub(super) fn request_id(&self, id: &Request) -> Result<RequestId, String> {
        let found = (0..).zip(&self.clients).find(|(_, known)| **known == id.client);
        let (client, _) = found.ok_or_else(|| format!("there is no client `{}`", id.client))?;
        Ok(RequestId { client, number: id.number })
    }

    /// The action as traces tell it.
    pub(super) fn tell<P: Protocol>(&self, action: &ActionOf<P>) -> Action {
        match action {
            TypedAction::Deliver { from, to, message } => {
                Action::Deliver(self.envelope(*from, *to, message))
            }
            TypedAction::Choose { node, timer } => {
                Action::Choose { node: self.node(*node), timer: to_json(timer) }
            }
            TypedAction::Fire { node, timer } => {
                Action::Fire { node: self.node(*node), timer: to_json(timer) }
            }
            TypedAction::SyncDone { node } => Action::SyncDone { node: self.node(*node) },
            TypedAction::Invoke { id, node, request } => Action::Invoke {
                id: self.request(*id),
                node: self.node(*node),
                request: to_json(request),
            },
            TypedAction::Tick => Action::Tick,
            TypedAction::Fault(fault) => Action::Fault(self.tell_fault::<P>(fault)),
        }
    }

    fn tell_fault<P: Protocol>(&self, fault: &FaultOf<P>) -> Fault {
        match fault {
            TypedFault::Drop { from, to, message } => {
                Fault::Drop(self.envelope(*from, *to, message))
            }
            TypedFault::Burst { from, to } => Fault::Burst(self.link(*from, *to)),
            TypedFault::Duplicate { from, to, message } => {
                Fault::Duplicate(self.envelope(*from, *to, message))
            }
            TypedFault::Replay { from, to, message } => {
                Fault::Replay(self.envelope(*from, *to, message))
            }
            TypedFault::Corrupt { from, to, message, into } => {
                Fault::Corrupt { envelope: self.envelope(*from, *to, message), into: to_json(into) }
            }
            TypedFault::Forge { from, to, message } => {
                Fault::Forge(self.envelope(*from, *to, message))
            }
            TypedFault::Partition { cut } => Fault::Partition {
                cut: cut.iter().map(|(from, to)| self.link(*from, *to)).collect(),
            },
            TypedFault::Heal => Fault::Heal,
            TypedFault::Crash { node, kept } => {
                Fault::Crash { node: self.node(*node), kept: kept.clone() }
            }
            TypedFault::CrashGroup { nodes } => {
                Fault::CrashGroup { nodes: nodes.iter().map(|node| self.node(*node)).collect() }
            }
            TypedFault::Restart { node, misread } => {
                Fault::Restart { node: self.node(*node), misread: misread.clone() }
            }
            TypedFault::CrashRestart { node, kept } => {
                Fault::CrashRestart { node: self.node(*node), kept: kept.clone() }
            }
            TypedFault::Interrupt { of, effects } => {
                Fault::Interrupt { of: Box::new(self.tell::<P>(of)), effects: *effects }
            }
            TypedFault::Pause { node } => Fault::Pause { node: self.node(*node) },
            TypedFault::Resume { node } => Fault::Resume { node: self.node(*node) },
            TypedFault::SyncFail { node, error } => {
                Fault::SyncFail { node: self.node(*node), error: *error }
            }
            TypedFault::Jump { node, by_us } => {
                Fault::Jump { node: self.node(*node), by_us: *by_us }
            }
        }
    }

    /// The action that a trace tells; the inverse of [`tell`](Names::tell).
    pub(super) fn read<P: Protocol>(&self, action: &Action) -> Result<ActionOf<P>, String> {
        Ok(match action {
            Action::Deliver(told) => {
                let (from, to, message) = self.read_envelope::<P>(told)?;
                TypedAction::Deliver { from, to, message }
            }
            Action::Choose { node, timer } => {
                TypedAction::Choose { node: self.node_id(node)?, timer: from_json("timer", timer)? }
            }
            Action::Fire { node, timer } => {
                TypedAction::Fire { node: self.node_id(node)?, timer: from_json("timer", timer)? }
            }
            Action::SyncDone { node } => TypedAction::SyncDone { node: self.node_id(node)? },
            Action::Invoke { id, node, request } => TypedAction::Invoke {
                id: self.request_id(id)?,
                node: self.node_id(node)?,
                request: from_json("request", request)?,
            },
            Action::Tick => TypedAction::Tick,
            Action::Fault(fault) => TypedAction::Fault(self.read_fault::<P>(fault)?),
        })
    }

    fn read_fault<P: Protocol>(&self, fault: &Fault) -> Result<FaultOf<P>, String> {
        Ok(match fault {
            Fault::Drop(told) => {
                let (from, to, message) = self.read_envelope::<P>(told)?;
                TypedFault::Drop { from, to, message }
            }
            Fault::Burst(link) => {
                let (from, to) = self.read_link(link)?;
                TypedFault::Burst { from, to }
            }
            Fault::Duplicate(told) => {
                let (from, to, message) = self.read_envelope::<P>(told)?;
                TypedFault::Duplicate { from, to, message }
            }
            Fault::Replay(told) => {
                let (from, to, message) = self.read_envelope::<P>(told)?;
                TypedFault::Replay { from, to, message }
            }
            Fault::Corrupt { envelope, into } => {
                let (from, to, message) = self.read_envelope::<P>(envelope)?;
                TypedFault::Corrupt { from, to, message, into: from_json("message", into)? }
            }
            Fault::Forge(told) => {
                let (from, to, message) = self.read_envelope::<P>(told)?;
                TypedFault::Forge { from, to, message }
            }
            Fault::Partition { cut } => {
                let mut links = Vec::new();
                for link in cut {
                    links.push(self.read_link(link)?);
                }
                TypedFault::Partition { cut: links }
            }
            Fault::Heal => TypedFault::Heal,
            Fault::Crash { node, kept } => {
                TypedFault::Crash { node: self.node_id(node)?, kept: kept.clone() }
            }
            Fault::CrashGroup { nodes } => {
                let nodes = nodes.iter().map(|node| self.node_id(node));
                TypedFault::CrashGroup { nodes: nodes.collect::<Result<_, _>>()? }
            }
            Fault::Restart { node, misread } => {
                TypedFault::Restart { node: self.node_id(node)?, misread: misread.clone() }
            }
            Fault::CrashRestart { node, kept } => {
                TypedFault::CrashRestart { node: self.node_id(node)?, kept: kept.clone() }
            }
            Fault::Interrupt { of, effects } => {
                TypedFault::Interrupt { of: Box::new(self.read::<P>(of)?), effects: *effects }
            }
            Fault::Pause { node } => TypedFault::Pause { node: self.node_id(node)? },
            Fault::Resume { node } => TypedFault::Resume { node: self.node_id(node)? },
            Fault::SyncFail { node, error } => {
                TypedFault::SyncFail { node: self.node_id(node)?, error: *error }
            }
            Fault::Jump { node, by_us } => {
                TypedFault::Jump { node: self.node_id(node)?, by_us: *by_us }
            }
        })
    }

    pub(super) fn envelope<M: Serialize>(&self, from: NodeId, to: NodeId, message: &M) -> Envelope {
        Envelope { from: self.node(from), to: self.node(to), message: to_json(message) }
    }

    fn read_envelope<P: Protocol>(
        &self,
        told: &Envelope,
    ) -> Result<(NodeId, NodeId, P::Message), String> {
        let message = from_json("message", &told.message)?;
        Ok((self.node_id(&told.from)?, self.node_id(&told.to)?, message))
    }

    pub(super) fn link(&self, from: NodeId, to: NodeId) -> Link {
        Link { from: self.node(from), to: self.node(to) }
    }

    pub(super) fn read_link(&self, link: &Link) -> Result<(NodeId, NodeId), String> {
        Ok((self.node_id(&link.from)?, self.node_id(&link.to)?))
    }

    /// What the step function consumed in an action, as traces tell it.
    pub(super) fn event<P: Protocol>(&self, action: &ActionOf<P>) -> Option<Event> {
        match action {
            TypedAction::Deliver { from, message, .. } => {
                Some(Event::Deliver { from: self.node(*from), message: to_json(message) })
            }
            TypedAction::Choose { timer, .. } | TypedAction::Fire { timer, .. } => {
                Some(Event::Timeout { timer: to_json(timer) })
            }
            TypedAction::SyncDone { .. } => Some(Event::SyncDone),
            TypedAction::Invoke { id, request, .. } => {
                Some(Event::Request { id: self.request(*id), request: to_json(request) })
            }
            TypedAction::Tick => None,
            TypedAction::Fault(fault) => match fault {
                TypedFault::Restart { .. } | TypedFault::CrashRestart { .. } => Some(Event::Start),
                TypedFault::SyncFail { error, .. } => Some(Event::SyncFailed { error: *error }),
                TypedFault::Interrupt { of, .. } => self.event::<P>(of),
                TypedFault::Drop { .. }
                | TypedFault::Burst { .. }
                | TypedFault::Duplicate { .. }
                | TypedFault::Replay { .. }
                | TypedFault::Corrupt { .. }
                | TypedFault::Forge { .. }
                | TypedFault::Partition { .. }
                | TypedFault::Heal
                | TypedFault::Crash { .. }
                | TypedFault::CrashGroup { .. }
                | TypedFault::Pause { .. }
                | TypedFault::Resume { .. }
                | TypedFault::Jump { .. } => None,
            },
        }
    }

    /// An effect as traces tell it.
    pub(super) fn effect<P: Protocol>(&self, effect: &EffectOf<P>) -> cadre_trace::Effect {
        use cadre_trace::Effect as Told;
        let put = |key: &[u8], value: &[u8]| DiskWrite::Put {
            key: bytes_to_text(key),
            value: bytes_to_text(value),
        };
        match effect {
            Effect::Send { to, message } => {
                Told::Send { to: self.node(*to), message: to_json(message) }
            }
            Effect::SetTimer { timer, after } => Told::SetTimer {
                timer: to_json(timer),
                after_us: u64::try_from(after.as_micros()).unwrap_or(u64::MAX),
            },
            Effect::CancelTimer { timer } => Told::CancelTimer { timer: to_json(timer) },
            Effect::Put { key, value } => Told::Write(put(key, value)),
            Effect::PutSynced { key, value } => Told::WriteSynced(put(key, value)),
            Effect::Delete { key } => Told::Write(DiskWrite::Delete { key: bytes_to_text(key) }),
            Effect::Sync => Told::Sync,
            Effect::Respond { request, response } => {
                Told::Respond { id: self.request(*request), response: to_json(response) }
            }
        }
    }
}

/// A protocol's value as JSON.
///
/// # Panics
///
/// Where it has no JSON form, such as a map whose keys are structs: no trace could tell of it.
pub(super) fn to_json(value: &impl Serialize) -> Json {
    serde_json::to_value(value).expect("states, messages, timers and requests have a JSON form")
}

/// A protocol's value from JSON.
pub(super) fn from_json<T: DeserializeOwned>(what: &str, json: &Json) -> Result<T, String> {
    T::deserialize(json).map_err(|error| format!("the {what} `{json}` does not read: {error}"))
}
