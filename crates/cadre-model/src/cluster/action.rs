use cadre_step::{Effect, EffectOf, NodeId, Protocol, RequestId};
use cadre_trace::{Action, DiskWrite, Envelope, Event, Json, Request, bytes_to_text};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An action with the protocol's own types; [`ActionOf`] names it by the protocol.
///
/// The variants mean what those of [`cadre_trace::Action`] mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants and fields are those of cadre_trace::Action")]
pub enum TypedAction<M, T, Q> {
    Deliver { from: NodeId, to: NodeId, message: M },
    Drop { from: NodeId, to: NodeId, message: M },
    Duplicate { from: NodeId, to: NodeId, message: M },
    Choose { node: NodeId, timer: T },
    Fire { node: NodeId, timer: T },
    SyncDone { node: NodeId },
    Invoke { id: RequestId, node: NodeId, request: Q },
    Crash { node: NodeId },
    Restart { node: NodeId },
    CrashRestart { node: NodeId },
}

/// The actions of a protocol's clusters.
pub type ActionOf<P> =
    TypedAction<<P as Protocol>::Message, <P as Protocol>::Timer, <P as Protocol>::Request>;

impl<M, T, Q> TypedAction<M, T, Q> {
    /// The node that takes a step or suffers the fault; `None` where only the network is concerned.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Deliver { to: node, .. }
            | Self::Choose { node, .. }
            | Self::Fire { node, .. }
            | Self::SyncDone { node }
            | Self::Invoke { node, .. }
            | Self::Crash { node }
            | Self::Restart { node }
            | Self::CrashRestart { node } => Some(*node),
            Self::Drop { .. } | Self::Duplicate { .. } => None,
        }
    }
}

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
        let envelope = |from: &NodeId, to: &NodeId, message: &P::Message| Envelope {
            from: self.node(*from),
            to: self.node(*to),
            message: to_json(message),
        };
        match action {
            TypedAction::Deliver { from, to, message } => {
                Action::Deliver(envelope(from, to, message))
            }
            TypedAction::Drop { from, to, message } => Action::Drop(envelope(from, to, message)),
            TypedAction::Duplicate { from, to, message } => {
                Action::Duplicate(envelope(from, to, message))
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
            TypedAction::Crash { node } => Action::Crash { node: self.node(*node) },
            TypedAction::Restart { node } => Action::Restart { node: self.node(*node) },
            TypedAction::CrashRestart { node } => Action::CrashRestart { node: self.node(*node) },
        }
    }

    /// The action that a trace tells; the inverse of [`tell`](Names::tell).
    pub(super) fn read<P: Protocol>(&self, action: &Action) -> Result<ActionOf<P>, String> {
        let envelope = |envelope: &Envelope| -> Result<(NodeId, NodeId, P::Message), String> {
            let message = from_json("message", &envelope.message)?;
            Ok((self.node_id(&envelope.from)?, self.node_id(&envelope.to)?, message))
        };
        Ok(match action {
            Action::Deliver(told) => {
                let (from, to, message) = envelope(told)?;
                TypedAction::Deliver { from, to, message }
            }
            Action::Drop(told) => {
                let (from, to, message) = envelope(told)?;
                TypedAction::Drop { from, to, message }
            }
            Action::Duplicate(told) => {
                let (from, to, message) = envelope(told)?;
                TypedAction::Duplicate { from, to, message }
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
            Action::Crash { node } => TypedAction::Crash { node: self.node_id(node)? },
            Action::Restart { node } => TypedAction::Restart { node: self.node_id(node)? },
            Action::CrashRestart { node } => {
                TypedAction::CrashRestart { node: self.node_id(node)? }
            }
        })
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
            TypedAction::Restart { .. } | TypedAction::CrashRestart { .. } => Some(Event::Start),
            TypedAction::Drop { .. }
            | TypedAction::Duplicate { .. }
            | TypedAction::Crash { .. } => None,
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
