//! Exhaustive search of a model: every configuration within the bounds, level by level.
//!
//! # Invariants
//!
//! No fault semantics: what can happen is the model's to say. No clock, no files, no sockets and no
//! printing: whoever waits passes a [`watch`](explore) closure, and whoever lets several processes
//! [share](explore_shared) a search connects them. The same model and bounds give the same result,
//! always, whatever the number of workers.

mod arrivals;
mod aside;
mod distributed;
mod exploration;
mod level;
mod liveness;
mod log;
mod merge;
mod path;
mod search;
mod settings;
mod table;

pub use aside::{Spill, SpillFailure, Spilling};
pub use distributed::{Connection, Keep, Levels, Share, ShareError, explore_shared};
pub use exploration::{Exploration, Finding, Flow, Progress};
pub use search::explore;
pub use settings::{Bound, Bounds, Reductions, Settings};
