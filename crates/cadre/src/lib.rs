//! Write a protocol once, as a pure step function; search it, draw it, check it against a TLA+
//! specification and replay it on real processes.
//!
//! * [`step`]: what a protocol is written in.
//! * [`Game`]: a protocol with its cluster, guarantees, bugs and mapping; [`Suite`]: a list of
//!   games.
//! * [`RoundsGame`]: a program of synchronous rounds, for lineage-driven fault injection.
//! * [`testing`]: property suites for `cargo test`.
//! * The other modules are the layers below, for those who need more than the facade.

pub use cadre_conform as conform;
pub use cadre_explore as explore;
pub use cadre_lineage as lineage;
pub use cadre_model as model;
pub use cadre_process as process;
pub use cadre_proptest as proptest;
pub use cadre_replay as replay;
pub use cadre_runtime as runtime;
pub use cadre_simulate as simulate;
pub use cadre_step as step;
pub use cadre_tla as tla;
pub use cadre_trace as trace;
pub use cadre_view as view;

mod driven;
mod error;
mod explored;
mod fuzzed;
mod game;
mod graph;
mod hunted;
mod minimised;
mod rounds_game;
mod saved;
pub mod sharing;
mod simulated;
pub mod spilling;
mod stepper;
mod suite;
pub mod testing;

pub use driven::DrivenTrace;
pub use error::GameError;
pub use explored::{Explored, Found};
pub use fuzzed::{Fuzzed, FuzzedTwice, PartedRuns};
pub use game::{Bug, Game, Place, Setup, Size};
pub use graph::GameGraph;
pub use hunted::Hunt;
pub use minimised::Shortened;
pub use rounds_game::{AnyRoundsGame, Known, RoundsGame, RoundsSetup};
pub use saved::{save, trace_name};
pub use simulated::Simulated;
pub use stepper::{Enabled, Standing, Stepper};
pub use suite::{AnyGame, Hosting, Part, Suite};

/// What most users of the toolkit name.
pub mod prelude {
    pub use crate::model::{
        ActionOf, Budget, Cluster, Faults, Guarantee, Model, Network, Timing, TypedAction,
        TypedFault, Unsynced, View, check,
    };
    pub use crate::step::{Disk, Effects, Event, NodeId, Nothing, Protocol, Value};
    pub use crate::{Bug, Game, Place, Setup, Size, Suite};
}
