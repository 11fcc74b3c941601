//! Hosts one node of a protocol for real: messages over TCP, its disk in an embedded ordered store,
//! timers by the wall clock. Whoever started it steers it, or watches it, in lines of JSON.
//!
//! # Invariants
//!
//! - No decisions of its own: what a step asks for is carried out in the order in which it is
//!   asked, and nothing else is. A [`Steered`](Mode::Steered) node does not look at its timers.
//! - One thread touches the protocol's state. The others move lines: one for the commands, one for
//!   each connection, one for each peer that is sent to.
//! - What has not been synced has not been written. A write reaches the store only when its sync is
//!   carried out, so that a killed process loses exactly what the model says it loses.
//! - A message that cannot be sent is lost, which is never an error and never holds up a step.
//! - It prints nothing: reports go to the writer it is given.

mod clock;
mod door;
mod error;
mod host;
mod inbox;
mod links;
mod names;
mod node;
mod options;
mod random;
mod store;

pub use door::Door;
pub use error::RuntimeError;
pub use host::host;
pub use options::{Defect, HostOptions, Mode};
