use cadre_step::{NodeId, Protocol, RequestId, SyncError};
use cadre_trace::{Kept, Misread};

/// An action with the protocol's own types; [`ActionOf`] names it by the protocol.
///
/// The variants mean what those of [`cadre_trace::Action`] mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants and fields are those of cadre_trace::Action")]
pub enum TypedAction<M, T, Q> {
    Deliver { from: NodeId, to: NodeId, message: M },
    Choose { node: NodeId, timer: T },
    Fire { node: NodeId, timer: T },
    SyncDone { node: NodeId },
    Invoke { id: RequestId, node: NodeId, request: Q },
    Tick,
    Fault(TypedFault<M, T, Q>),
}

/// A fault with the protocol's own types; [`FaultOf`] names it by the protocol.
///
/// The variants mean what those of [`cadre_trace::Fault`] mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants and fields are those of cadre_trace::Fault")]
pub enum TypedFault<M, T, Q> {
    Drop { from: NodeId, to: NodeId, message: M },
    Burst { from: NodeId, to: NodeId },
    Duplicate { from: NodeId, to: NodeId, message: M },
    Replay { from: NodeId, to: NodeId, message: M },
    Corrupt { from: NodeId, to: NodeId, message: M, into: M },
    Forge { from: NodeId, to: NodeId, message: M },
    Partition { cut: Vec<(NodeId, NodeId)> },
    Heal,
    Crash { node: NodeId, kept: Kept },
    CrashGroup { nodes: Vec<NodeId> },
    Restart { node: NodeId, misread: Option<Misread> },
    CrashRestart { node: NodeId, kept: Kept },
    Interrupt { of: Box<TypedAction<M, T, Q>>, effects: usize },
    Pause { node: NodeId },
    Resume { node: NodeId },
    SyncFail { node: NodeId, error: SyncError },
    Jump { node: NodeId, by_us: i64 },
}

/// The actions of a protocol's clusters.
pub type ActionOf<P> =
    TypedAction<<P as Protocol>::Message, <P as Protocol>::Timer, <P as Protocol>::Request>;

/// The faults of a protocol's clusters.
pub type FaultOf<P> =
    TypedFault<<P as Protocol>::Message, <P as Protocol>::Timer, <P as Protocol>::Request>;

impl<M, T, Q> TypedAction<M, T, Q> {
    /// The node that takes a step or suffers the fault; `None` where only the network is concerned,
    /// or several nodes are.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Deliver { to: node, .. }
            | Self::Choose { node, .. }
            | Self::Fire { node, .. }
            | Self::SyncDone { node }
            | Self::Invoke { node, .. } => Some(*node),
            Self::Fault(fault) => fault.node(),
            Self::Tick => None,
        }
    }
}

impl<M, T, Q> TypedFault<M, T, Q> {
    /// The node that suffers the fault; `None` where only the network is concerned, or several
    /// nodes are.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Crash { node, .. }
            | Self::Restart { node, .. }
            | Self::CrashRestart { node, .. }
            | Self::Pause { node }
            | Self::Resume { node }
            | Self::SyncFail { node, .. }
            | Self::Jump { node, .. } => Some(*node),
            Self::Interrupt { of, .. } => of.node(),
            Self::Forge { from, .. } => Some(*from),
            Self::Drop { .. }
            | Self::Burst { .. }
            | Self::Duplicate { .. }
            | Self::Replay { .. }
            | Self::Corrupt { .. }
            | Self::Partition { .. }
            | Self::Heal
            | Self::CrashGroup { .. } => None,
        }
    }
}

impl<M, T, Q> From<TypedFault<M, T, Q>> for TypedAction<M, T, Q> {
    fn from(fault: TypedFault<M, T, Q>) -> Self {
        Self::Fault(fault)
    }
}
