//! TLA+ for Rust: values, modules, and the real TLC.
//!
//! [`Value`] is a TLA+ value; [`to_value`] makes one of any serde data. [`Module`] and [`Config`]
//! write what TLC reads. [`find`] finds or installs TLC, [`Tlc::run`] runs it and reads its
//! verdict, its counterexample, and the file of all states ([`Dump`]).
//!
//! What explores modules is an [`Engine`]: TLC, and with the feature `embedded` the crate
//! tla-checker, which needs no JVM.
//!
//! # Invariants
//!
//! - A run without the words by which TLC announces a verdict is an error, never a success,
//!   whatever the exit code is.
//! - No feature of TLC is assumed: everything here works since version 2.15, and what differs is
//!   read off the jar ([`Features`]).
//! - Values that come from outside are in normal form, so that `==` is equality of TLA+.
//! - No process is started but through `cadre-process`, and nothing is installed without an
//!   announcement, nor anywhere but in the cache.
//!
//! Absent on purpose: protocols, traces, and any knowledge of what a specification is about.

mod apalache;
mod contents;
mod coverage;
mod distributed;
mod dump;
#[cfg(feature = "embedded")]
mod embedded;
mod engine;
mod environment;
mod error;
mod find;
mod install;
mod itf;
mod jar;
mod java;
mod module;
mod output;
mod parse;
mod place;
mod problem;
mod progress;
mod run;
mod serialize;
mod simulate;
pub mod syntax;
mod value;

pub use apalache::Apalache;
pub use contents::{Contents, Declaration, Definition, Expression, Head, Level};
pub use coverage::{Coverage, StepsTaken};
pub use distributed::{Distributed, Explored, Hosts, Worker};
pub use dump::Dump;
#[cfg(feature = "embedded")]
pub use embedded::Embedded;
pub use engine::Engine;
pub use error::{EvaluationError, TlaError};
pub use find::{Find, Finding, Status, find, inspect};
pub use itf::{from_itf, to_itf};
pub use jar::Features;
pub use module::{Config, Module};
pub use output::{Lasso, Outcome, SpecState, Verdict};
pub use place::Place;
pub use progress::{Progress, progress};
pub use run::{Jit, Run, Tlc};
pub use serialize::{Model, NONE, Set, as_set, to_value};
pub use simulate::{Behaviours, Simulation};
pub use value::{Value, is_identifier};
