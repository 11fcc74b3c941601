//! Property suites for `cargo test`: plain functions that panic with the whole story.
//!
//! A failure is saved as a trace in a directory of the caller's, from where
//! [`assert_traces_replay`] executes it again on every later run.

use std::path::Path;

use cadre_explore::{Flow, Settings};
use cadre_proptest::FuzzOptions;
use cadre_trace::{Trace, Verdict};
use cadre_view::FailureNotes;

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
    let entries = std::fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
        if path.extension().is_none_or(|extension| extension != "ndjson") {
            continue;
        }
        let at = path.display();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{at}: {error}"));
        let trace = Trace::from_ndjson(&text).unwrap_or_else(|error| panic!("{at}: {error}"));
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
    let notes = FailureNotes { saved: Some(saved), replay: None, how, lines_max: None };
    format!("\n{}", cadre_view::failure(trace, &notes))
}
