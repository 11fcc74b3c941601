use std::time::Duration;

use cadre_step::{NodeId, Protocol, RequestId};

use super::flying::Slot;

/// What a node's step made happen beyond its memory and its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence<T> {
    /// A message is in flight.
    Sent {
        /// Where it is for.
        to: NodeId,
        /// Where it is.
        slot: Slot,
    },
    /// A message was sent over a cut link or into a full queue.
    LostAtOnce {
        /// Where it was for.
        to: NodeId,
    },
    /// A timer is armed, and one of its name no more.
    Armed {
        /// The timer.
        timer: T,
        /// When it goes off.
        after: Duration,
    },
    /// A timer is not armed any more.
    Disarmed {
        /// The timer.
        timer: T,
    },
    /// A sync is asked for.
    SyncAsked,
    /// A client is answered.
    Answered {
        /// Which request.
        id: RequestId,
    },
}

/// The consequences of an action, in order, with the node that they come from.
pub type Consequences<P> = Vec<(NodeId, Consequence<<P as Protocol>::Timer>)>;
