//! The vocabulary a protocol is written in.
//!
//! A protocol is a **pure step function**: one node takes an [`Event`], changes its state and asks
//! for [`Effects`]. The same function is searched, drawn, checked against a specification and run
//! on real machines, so nothing in this crate knows which of these is happening.
//!
//! # Invariants
//!
//! No IO, no clock, no randomness, no hash order. Whatever a step may depend on is an argument.

mod disk;
mod effects;
mod event;
mod node;
mod protocol;
mod value;

pub use disk::{Disk, DiskError};
pub use effects::{Effect, EffectOf, Effects};
pub use event::{Event, RequestId, SyncError};
pub use node::NodeId;
pub use protocol::{Data, Nothing, Protocol};
pub use value::Value;
