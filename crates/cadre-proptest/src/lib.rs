//! Random walks through a model, and executions made short.
//!
//! [`fuzz`] looks for a violated guarantee, by [`Weights`] and under [preconditions](permitting);
//! [`minimise`] makes what any engine has found short; [`fuzz_twice`] finds out whether a whole run
//! can be made again; [`sample`] collects distinct executions.
//!
//! A system of one's own is compared with a model by [`drive`], and by [`Machine`], the model as a
//! reference state machine of proptest; [`race`] lets several clients call it at once and judges
//! what they were answered.
//!
//! # Invariants
//!
//! No faults of its own: what can happen is the model's to say. No clock, no printing, no files:
//! the same model, options and seed give the same result, always; but for [`race`], which is about
//! threads.

mod drive;
mod fuzz;
mod judge;
mod logbook;
mod machine;
mod minimise;
mod paths;
mod permitted;
mod race;
mod random;
mod reduce;
mod sample;
mod walk;
mod weights;

pub use drive::{Differing, Driven, Mismatch, System, Whole, drive, drive_along, drive_whole};
pub use fuzz::{FuzzOptions, FuzzOutcome, Violation, fuzz};
pub use logbook::{Parted, Twice, fuzz_twice};
pub use machine::{Machine, Subject};
pub use minimise::{Counterexample, MinimiseError, MinimiseOptions, Minimised, minimise};
pub use permitted::{Permitted, permitting};
pub use race::{RaceFailure, RaceOptions, RaceVerdict, Raced, Service, race, race_along};
pub use sample::{SampleOptions, sample};
pub use walk::{Step, Walk};
pub use weights::{WEIGHT_MAX, Weights, WeightsError};
