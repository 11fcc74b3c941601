//! The one exchange format: whatever finds an execution writes a [`Trace`], whatever reads one
//! reads a trace from a search and a trace from production alike.
//!
//! # Invariants
//!
//! No protocol types: states, messages and timers are JSON here. No IO: the codec works on text.
//! This is the only crate that defines a format others may read later, and each has a version.

mod bytes;
mod codec;
mod diff;
pub mod export;
mod fault;
mod lineage;
mod log;
mod recorder;
mod snapshot;
mod trace;

pub use bytes::{bytes_from_text, bytes_to_text};
pub use codec::{FORMAT, TraceError, VERSION};
pub use diff::{Difference, diff};
pub use fault::{Fault, Kept, Link, Misread};
pub use lineage::{LineageEdge, LineageGraph, LineageKind, LineageVertex, Standing};
pub use log::{Command, Frame, LOG_VERSION, LoggedStep, Report, Stamp};
pub use recorder::{Happening, Recorder};
pub use snapshot::{
    Change, DiskWrite, Due, Envelope, HistoryEvent, NodeSnapshot, Request, Snapshot, Status,
};
pub use trace::brief;
pub use trace::{
    Action, Effect, Event, Fairness, Guarantee, GuaranteeKind, Header, SpecHeader, SpecPart,
    SpecStep, Step, Trace, Verdict,
};

/// A value whose type only the protocol knows.
pub type Json = serde_json::Value;
