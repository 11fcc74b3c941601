use cadre_step::{Protocol, RequestId};

/// A request or its answer, in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HistoryEntry<R> {
    /// A client asks; what it asks stands in its workload.
    Invoke {
        /// Which request.
        id: RequestId,
    },
    /// A client is answered.
    Return {
        /// Which request.
        id: RequestId,
        /// The answer.
        response: R,
    },
}

/// What all clients of a cluster asked and were answered.
pub(super) type History<P> = Vec<HistoryEntry<<P as Protocol>::Response>>;

/// The number of the request that a client makes next; `None` while it waits for an answer.
pub(super) fn next_request<R>(history: &[HistoryEntry<R>], client: u32) -> Option<u32> {
    let last = history.iter().rev().find(|entry| entry.id().client == client);
    match last {
        None => Some(0),
        Some(HistoryEntry::Return { id, .. }) => Some(id.number + 1),
        Some(HistoryEntry::Invoke { .. }) => None,
    }
}

/// Whether a request has been made and not been answered.
pub(super) fn is_pending<R>(history: &[HistoryEntry<R>], id: RequestId) -> bool {
    let last = history.iter().rev().find(|entry| entry.id().client == id.client);
    matches!(last, Some(HistoryEntry::Invoke { id: asked }) if *asked == id)
}

impl<R> HistoryEntry<R> {
    /// Which request of which client.
    pub fn id(&self) -> RequestId {
        match self {
            Self::Invoke { id } | Self::Return { id, .. } => *id,
        }
    }
}
