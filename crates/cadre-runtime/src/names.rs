use std::time::Duration;

use cadre_step::{Effect, EffectOf, NodeId, Protocol, RequestId};
use cadre_trace::{DiskWrite, Json, Request, bytes_to_text};
use serde::Serialize;

use crate::RuntimeError;

/// The names by which everything outside knows nodes and clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) nodes: &'a [String],
    pub(crate) clients: &'a [String],
}

impl<'a> Names<'a> {
    pub(crate) fn node(self, id: NodeId) -> Result<&'a str, RuntimeError> {
        self.nodes.get(id.index()).map(String::as_str).ok_or_else(|| RuntimeError::UnknownNode {
            found: format!("number {}", id.index()),
            names: self.nodes.join(", "),
        })
    }

    pub(crate) fn node_id(self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|known| known == name).map(NodeId::from_index)
    }

    pub(crate) fn request(self, id: RequestId) -> Result<Request, RuntimeError> {
        let client = self.clients.get(id.client as usize);
        let client = client.ok_or_else(|| RuntimeError::UnknownClient {
            found: id.client,
            names: self.clients.join(", "),
        })?;
        Ok(Request { client: client.clone(), number: id.number })
    }

    pub(crate) fn request_id(self, id: &Request) -> Option<RequestId> {
        let client = self.clients.iter().position(|known| *known == id.client)?;
        Some(RequestId { client: u32::try_from(client).ok()?, number: id.number })
    }

    /// The effect as a trace shows it.
    pub(crate) fn effect<P: Protocol>(
        self,
        effect: &EffectOf<P>,
    ) -> Result<cadre_trace::Effect, RuntimeError> {
        Ok(match effect {
            Effect::Send { to, message } => cadre_trace::Effect::Send {
                to: self.node(*to)?.to_owned(),
                message: to_json("a message", message)?,
            },
            Effect::SetTimer { timer, after } => cadre_trace::Effect::SetTimer {
                timer: to_json("a timer", timer)?,
                after_us: microseconds(*after),
            },
            Effect::CancelTimer { timer } => {
                cadre_trace::Effect::CancelTimer { timer: to_json("a timer", timer)? }
            }
            Effect::Put { key, value } => cadre_trace::Effect::Write(put(key, value)),
            Effect::PutSynced { key, value } => cadre_trace::Effect::WriteSynced(put(key, value)),
            Effect::Delete { key } => {
                cadre_trace::Effect::Write(DiskWrite::Delete { key: bytes_to_text(key) })
            }
            Effect::Sync => cadre_trace::Effect::Sync,
            Effect::Respond { request, response } => cadre_trace::Effect::Respond {
                id: self.request(*request)?,
                response: to_json("a response", response)?,
            },
        })
    }
}

/// The value as JSON.
pub(crate) fn to_json(what: &'static str, value: &impl Serialize) -> Result<Json, RuntimeError> {
    serde_json::to_value(value).map_err(|source| RuntimeError::NoJson { what, source })
}

fn put(key: &[u8], value: &[u8]) -> DiskWrite {
    DiskWrite::Put { key: bytes_to_text(key), value: bytes_to_text(value) }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
