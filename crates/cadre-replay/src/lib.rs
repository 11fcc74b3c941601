//! Drives real processes: carries out the schedule of a trace against them and stops at the first
//! difference, or watches a free run of them and makes a trace of it.
//!
//! # Invariants
//!
//! - A child is known by what it says: lines of [`Command`](cadre_trace::Command) and
//!   [`Report`](cadre_trace::Report), and frames over TCP. Whatever speaks them can be replayed
//!   against, not only what `cadre-runtime` hosts.
//! - Nothing is guessed. A choice that a process no longer has is a difference, and so is a message
//!   that it claims to have sent and that does not arrive.
//! - Every wait has a limit and heeds a [`Stop`](cadre_process::Stop).
//! - Children are killed and reaped on every way out. Directories belong to the caller, who looks
//!   into their logs and removes them.

mod child;
mod clients;
mod clock;
mod compare;
mod error;
mod gate;
mod merge;
mod options;
mod outcome;
mod record;
mod replay;

pub use error::{ReplayError, Site};
pub use options::{ClientRequests, Network, RecordOptions, ReplayOptions};
pub use outcome::{Ended, Outcome, Recording};
pub use record::record;
pub use replay::replay;
