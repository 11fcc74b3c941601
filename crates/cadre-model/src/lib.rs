//! What engines search: the [`Model`] trait, and [`Cluster`], which turns a protocol into a model.
//! And what clients saw of it, judged by itself: [`consistency`].
//!
//! # Invariants
//!
//! Pure: no IO, no clock, no randomness. No search strategies either: this crate says what can
//! happen, engines decide what to look at. Every fault is defined here and nowhere else.

mod cluster;
pub mod consistency;
mod endless;
mod expansion;
mod fingerprint;
mod guarantee;
mod guarded;
mod model;
mod nature;
mod plain;
mod portable;
mod run_log;

pub use cluster::{
    ActionKind, ActionOf, Budget, Choice, Cluster, ClusterBuilder, ClusterError, Configuration,
    Consequence, Consequences, Coverage, FaultChange, FaultChangeError, FaultOf, Faults, Heard,
    HistoryEntry, KindCoverage, Live, Network, Origin, Purity, Quotient, Reexecution, Slot, Timing,
    Told, Tried, TypedAction, TypedFault, Unbudgeted, Unresolved, Unsynced, View,
};
pub use endless::Endless;
pub use expansion::{Asleep, Expansion};
pub use fingerprint::fingerprint;
pub use guarantee::{Guarantee, Part};
pub use guarded::guarded;
pub use model::{COVERING_BITS, Claim, Model};
pub use nature::{Cause, Class, Nature};
pub use plain::{Checked, check};
pub use portable::{Portable, PortableError};
pub use run_log::{Parting, RunLog, Site};
