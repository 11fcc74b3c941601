//! Random walks through a model: the model as a reference state machine of proptest.
//!
//! [`fuzz`] looks for a violated guarantee and shrinks what it finds; [`sample`] collects distinct
//! executions; [`Machine`] lets a test drive a system of its own with the model as the reference.
//!
//! # Invariants
//!
//! No faults of its own: what can happen is the model's to say. No clock, no printing, no files:
//! the same model, options and seed give the same result, always.

mod fuzz;
mod judge;
mod logbook;
mod machine;
mod minimise;
mod paths;
mod random;
mod reduce;
mod sample;
mod walk;
mod weights;

pub use fuzz::{FuzzOptions, FuzzOutcome, Violation, fuzz};
pub use logbook::{Parted, Twice, fuzz_twice};
pub use machine::{Machine, Subject};
pub use minimise::{Counterexample, MinimiseError, MinimiseOptions, Minimised, minimise};
pub use sample::{SampleOptions, sample};
pub use walk::{Step, Walk};
pub use weights::{WEIGHT_MAX, Weights, WeightsError};
