//! What engines search: the [`Model`] trait, and [`Cluster`], which turns a protocol into a model.
//!
//! # Invariants
//!
//! Pure: no IO, no clock, no randomness. No search strategies either: this crate says what can
//! happen, engines decide what to look at. Every fault is defined here and nowhere else.

mod cluster;
mod expansion;
mod fingerprint;
mod guarantee;
mod model;
mod plain;
mod portable;

pub use cluster::{
    ActionOf, Budget, Choice, Cluster, ClusterBuilder, ClusterError, Configuration, Faults, Heard,
    HistoryEntry, Network, Origin, Reexecution, Told, TypedAction, Unresolved, View,
};
pub use expansion::{Asleep, Expansion};
pub use fingerprint::fingerprint;
pub use guarantee::{Guarantee, Part};
pub use model::{Claim, Model};
pub use plain::{Checked, check};
pub use portable::{Portable, PortableError};
