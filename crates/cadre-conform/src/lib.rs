//! Checks recorded behaviour against a TLA+ specification with the real TLC.
//!
//! [`check`] takes a [`Spec`] and any number of traces ([`SpecTrace`]), and says for each whether
//! it is a behaviour of the specification; if not, which step is the first that is none, and why.
//! [`check_graph`] does so for all states and steps of an exploration ([`MappedGraph`]) at once,
//! and tells as well what the specification allows and the exploration never does.
//! [`check_model`] lets TLC explore the specification itself. A [`Mapping`] writes into the traces
//! of a cluster what they are in the specification.
//!
//! # Invariants
//!
//! - Many traces are one run of TLC. Only what is rejected, ambiguous or fails costs further runs.
//! - A trace conforms because TLC says so in a line of its own; it never conforms because nothing
//!   was said. Every run contains traces whose verdict is known beforehand, and is worth nothing if
//!   TLC finds otherwise.
//! - A verdict that the trace does not decide is reported as such, never guessed.
//! - Verdicts depend neither on the version of TLC nor on the number of its threads.
//!
//! Absent on purpose: starting processes other than through `cadre-tla`, and any choice of what is
//! to be checked.

mod batch;
mod behaviour;
mod check;
mod compare;
mod diagnose;
mod distributed;
mod drive;
mod encode;
mod error;
mod events;
mod graph;
mod lanes;
mod lines;
mod logs;
mod mapping;
mod model;
mod names;
mod report;
mod runs;
mod scaffold;
mod sizing;
mod spec;
mod states;
mod validate;
mod vocabulary;

pub use behaviour::{Simulated, counterexample, simulate};
pub use check::{Options, Walk, check, plan};
pub use distributed::{DistributedOutcome, check_model_distributed, plan_model_distributed};
pub use drive::{Driven, Driver, Matching, Offer, Parting};
pub use error::ConformError;
pub use graph::{
    ActionCoverage, BadStep, Fault, GraphBound, GraphBounds, GraphReport, GraphStep, MappedGraph,
    Missing, SpecGraph, check_graph, plan_graph,
};
pub use lanes::{BEHAVIOUR_ORIGIN, behaviour_trace};
pub use logs::{
    EventFields, EventStep, FieldSource, Kind, LogError, LogFile, LogLine, LogMapping, LogTrace,
    LoggedEvent, LoggedVariable, check_logs, read_logs,
};
pub use mapping::{Mapping, MappingError, spec_trace};
pub use model::{ModelOptions, SpecModel, check_model, plan_model};
pub use report::{Difference, FalsePart, Reason, Rejection, Report, StepPart, TraceVerdict};
pub use scaffold::{Scaffold, scaffold};
pub use spec::{Spec, SpecAction, SpecStep, SpecTrace, Temporal};
pub use states::spec_of_states;
pub use vocabulary::Vocabulary;
