use std::fmt::Debug;

use cadre_process::Stop;

use crate::{Behaviours, Outcome, Run, Simulation, TlaError};

/// What reads modules of TLA+ and comes to a verdict: TLC, which is the authority, or what stands
/// in for it.
pub trait Engine: Debug + Send + Sync {
    /// Explores what a run names, and says what it found.
    ///
    /// The directory of the run then also holds what was asked for of the file of all states and of
    /// the lines that the specification printed.
    ///
    /// # Errors
    ///
    /// [`TlaError::Parse`], [`TlaError::Config`], [`TlaError::Evaluation`],
    /// [`TlaError::OutOfMemory`], [`TlaError::TimeLimit`], [`TlaError::Stopped`],
    /// [`TlaError::Killed`]; [`TlaError::NoVerdict`] if the engine ended without a verdict,
    /// whatever its exit code.
    fn run(&self, run: &Run, stop: &Stop) -> Result<Outcome, TlaError>;

    /// Draws random behaviours. A run on one thread gives the same ones each time.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); [`TlaError::NoVerdict`] where there are fewer behaviours than asked
    /// for and nothing is violated.
    fn simulate(
        &self,
        run: &Run,
        simulation: Simulation,
        stop: &Stop,
    ) -> Result<Behaviours, TlaError>;

    /// The run as one line that can be pasted into a POSIX shell.
    fn command_line(&self, run: &Run) -> String;
}
