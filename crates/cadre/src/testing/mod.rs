//! Property suites for `cargo test` and other runners of tests: plain functions that panic with the
//! whole story, no harness of their own.
//!
//! * [`PropertySuite`]: random executions of a game, its faults included, with weights and
//!   preconditions.
//! * [`SystemSuite`]: a system of one's own, in this process or another one, against a model.
//! * [`ProcessSuite`]: real processes that host a game's protocol, against the game.
//! * [`ParallelSuite`]: a system of one's own that several clients call at once, against what it
//!   would answer to one at a time.
//! * [`assert_holds`], [`assert_survives`]: the shortest form, for games.
//!
//! A failure is shrunk and saved as a trace in a directory of the caller's. The suites execute what
//! they have saved before anything else on every later run; for the other functions
//! [`assert_traces_replay`] does so.

mod parallel;
mod persisted;
mod processes;
mod property;
mod system;

use std::path::Path;

use cadre_explore::{Flow, Settings};
use cadre_proptest::FuzzOptions;
use cadre_trace::{Trace, Verdict};
use cadre_view::FailureNotes;

pub use self::parallel::ParallelSuite;
pub use self::persisted::{Replayed, SuiteReport};
pub use self::processes::ProcessSuite;
pub use self::property::PropertySuite;
pub use self::system::SystemSuite;
use crate::{AnyGame, Setup, save};

/// Searches every configuration of a game.
///
/// # Panics
///
/// Where a guarantee is violated, or the bounds end the search before everything was seen.
#[track_caller]
pub fn assert_holds(game: &dyn AnyGame, setup: &Setup, settings: &Settings, traces: &Path) {
    let found = game.explore(setup, settings, &mut |_| Flow::Continue);
    let found = found.unwrap_or_else(|error| panic!("{error}"));
    let violated = found.findings.into_iter().find(|found| found.verdict == Verdict::Violated);
    match (violated, found.bound) {
        (Some(violated), _) => match violated.trace {
            Some(trace) => panic!("{}", story(&trace, "shortest", traces)),
            None => panic!("violated  {}: never true anywhere", violated.claim.name),
        },
        (None, Some(bound)) => panic!("bounded  the search ended at {bound:?}; nothing was found"),
        (None, None) => {}
    }
}

/// Tries random executions of a game, shrinks what fails and saves it.
///
/// # Panics
///
/// Where a guarantee is violated.
#[track_caller]
pub fn assert_survives(game: &dyn AnyGame, setup: &Setup, options: &FuzzOptions, traces: &Path) {
    let found = game.fuzz(setup, options, &mut |_| true);
    let found = found.unwrap_or_else(|error| panic!("{error}"));
    if let Some((trace, before)) = found.violation {
        panic!("{}", story(&trace, &format!("shrunk from {before}"), traces));
    }
}

/// Executes every trace again that was [saved](crate::save) for the game below a directory.
///
/// # Panics
///
/// Where a trace does not read, cannot be executed any more, or does not end as it says.
#[track_caller]
pub fn assert_traces_replay(game: &dyn AnyGame, directory: &Path) {
    let folder = directory.join(game.name());
    assert!(folder.is_dir(), "{} is not a directory", folder.display());
    let saved = persisted::read(directory, game.name()).unwrap_or_else(|why| panic!("{why}"));
    for (path, trace) in saved {
        let at = path.display();
        let again = game.reexecute(&trace).unwrap_or_else(|error| panic!("{at}: {error}"));
        if let Some((step, differences)) = again.difference {
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            panic!("{at}: step {step} differs: {}", differences.join("; "));
        }
        assert_eq!(again.trace.header.verdict, trace.header.verdict, "the verdict of {at}");
    }
}

/// What a failing test says; the trace is saved for the next one to replay.
fn story(trace: &Trace, how: &str, traces: &Path) -> String {
    let saved = match save(trace, traces) {
        Ok(path) => path.display().to_string(),
        Err(error) => format!("not saved: {error}"),
    };
    let steps = trace.steps.len();
    let how = match trace.header.loop_from {
        Some(stem) => format!("{how} way into a cycle, {stem} of {steps} steps"),
        None => format!("{how}, {steps} steps"),
    };
    let notes = FailureNotes { saved: Some(saved), how, ..FailureNotes::default() };
    format!("\n{}", cadre_view::failure(trace, &notes))
}

/// What a failing test says of a trace that is not to be saved.
fn retold(trace: &Trace) -> String {
    let how = format!("{} steps", trace.steps.len());
    let notes = FailureNotes { how, ..FailureNotes::default() };
    cadre_view::failure(trace, &notes)
}
