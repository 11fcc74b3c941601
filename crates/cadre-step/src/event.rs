use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{NodeId, Protocol};

/// What a node's step consumes.
///
/// The first event of every node, its start, is the method [`Protocol::start`].
pub enum Event<P: Protocol + ?Sized> {
    /// A message has arrived.
    Deliver {
        /// The node that sent it.
        from: NodeId,
        /// What it says.
        message: P::Message,
    },
    /// An armed timer has gone off, or the node has made one of its [choices](Protocol::choices).
    Timeout(P::Timer),
    /// A client asks for something.
    Request {
        /// Names the request in [`Effects::respond`](crate::Effects::respond).
        id: RequestId,
        /// What is asked.
        request: P::Request,
    },
    /// Everything put or deleted before the oldest unanswered
    /// [`Effects::sync`](crate::Effects::sync) now survives a crash.
    SyncDone,
    /// The oldest unanswered [`Effects::sync`](crate::Effects::sync) has failed.
    SyncFailed(SyncError),
}

/// Why a sync failed, and what has become of the writes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncError {
    /// The disk reported an error, and the writes are gone: to sync once more brings none of them
    /// back, though it may succeed. So do the page caches of several operating systems behave
    /// (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
    Lost,
    /// There is no room: none of the writes has reached the disk, all of them still wait.
    Full,
}

/// The identity of one request: the client, and how many it had made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "$cadre_step::RequestId")]
pub struct RequestId {
    /// The position of the client in the cluster's client list.
    pub client: u32,
    /// How many requests this client had made before.
    pub number: u32,
}

impl<P: Protocol + ?Sized> Clone for Event<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Deliver { from, message } => {
                Self::Deliver { from: *from, message: message.clone() }
            }
            Self::Timeout(timer) => Self::Timeout(timer.clone()),
            Self::Request { id, request } => Self::Request { id: *id, request: request.clone() },
            Self::SyncDone => Self::SyncDone,
            Self::SyncFailed(error) => Self::SyncFailed(*error),
        }
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Event<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliver { from, message } => {
                f.debug_struct("Deliver").field("from", from).field("message", message).finish()
            }
            Self::Timeout(timer) => f.debug_tuple("Timeout").field(timer).finish(),
            Self::Request { id, request } => {
                f.debug_struct("Request").field("id", id).field("request", request).finish()
            }
            Self::SyncDone => f.write_str("SyncDone"),
            Self::SyncFailed(error) => f.debug_tuple("SyncFailed").field(error).finish(),
        }
    }
}
