//! Exhaustive search of a model: every configuration within the bounds, level by level.
//!
//! # Invariants
//!
//! No fault semantics: what can happen is the model's to say. No clock and no printing: whoever
//! waits passes a [`watch`](explore) closure. The same model and bounds give the same result,
//! always.

mod liveness;
mod path;
mod search;
mod visited;

pub use search::{Bound, Bounds, Exploration, Finding, Flow, Progress, explore};
