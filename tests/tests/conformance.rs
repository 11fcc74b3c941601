//! A thousand traces in one run of TLC, through the facade.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::conform::{self, Report, SpecTrace, TraceVerdict};
use cadre::process::Stop;
use cadre::tla::{Find, Value};
use cadre_tests::{Stored, sampled_traces, stored_traces};

const TRACES: usize = 1000;

/// What TLC says about traces of two-phase commit.
fn check(traces: &[SpecTrace]) -> Report {
    check_of("two-phase-commit", traces)
}

/// What TLC says about traces of a game.
fn check_of(game: &str, traces: &[SpecTrace]) -> Report {
    let suite = cadre_protocols::suite();
    let game = suite.find(game).unwrap();
    let spec = game.spec(&game.setup(None, None).unwrap()).unwrap();
    let stop = Stop::new();
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &stop).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let options = conform::Options::default();
    conform::check(&spec, traces, &tlc, directory.path(), &options, &stop).unwrap()
}

fn told() -> Vec<SpecTrace> {
    let traces = sampled_traces(TRACES);
    assert_eq!(traces.len(), TRACES);
    let named = traces.iter().enumerate();
    named.map(|(index, trace)| conform::spec_trace(&format!("t{index}"), trace).unwrap()).collect()
}

/// The positions of the traces that are rejected, and the step.
fn rejected(report: &Report) -> Vec<(usize, usize)> {
    let verdicts = report.verdicts.iter().enumerate();
    verdicts
        .filter_map(|(index, verdict)| match verdict {
            TraceVerdict::Conforms => None,
            TraceVerdict::Rejected(rejection) => Some((index, rejection.step)),
            TraceVerdict::Undetermined { step, why } => panic!("{index}: {step}: {why}"),
        })
        .collect()
}

#[test]
fn a_thousand_distinct_traces_conform_in_one_run() {
    let report = check(&told());
    assert_eq!(rejected(&report), []);
    assert_eq!(report.runs, 1);
}

#[test]
fn one_corrupted_state_among_a_thousand_traces_is_found_at_its_step() {
    let mut traces = told();
    let wrong = traces[617].steps[4].variables.as_mut().unwrap();
    let state = wrong.get_mut("tmState").unwrap();
    let other = if *state == Value::string("init") { "aborted" } else { "init" };
    *state = Value::string(other);
    assert_eq!(rejected(&check(&traces)), [(617, 5)]);
}

#[test]
fn one_repeated_step_among_a_thousand_traces_is_found_where_it_is_repeated() {
    let mut traces = told();
    let chooses = |step: &conform::SpecStep| step.action.to_string().starts_with("RMPrepare");
    let at = traces[41].steps.iter().position(chooses).unwrap();
    let again = traces[41].steps[at].clone();
    traces[41].steps.insert(at + 1, again);
    assert_eq!(rejected(&check(&traces)), [(41, at + 2)]);
}

#[test]
fn tlc_rejects_the_stored_counterexamples_and_accepts_all_other_stored_traces() {
    let stored = stored_traces();
    for game in cadre_protocols::suite().games() {
        let of_game = stored.iter().filter(|one| one.trace.header.protocol == game.name());
        let of_game: Vec<&Stored> = of_game.collect();
        let told = of_game.iter().map(|one| conform::spec_trace("stored", &one.trace).unwrap());
        let report = check_of(game.name(), &told.collect::<Vec<_>>());
        let rejected = rejected(&report);
        for (index, one) in of_game.iter().enumerate() {
            let is_rejected = rejected.iter().any(|(position, _)| *position == index);
            assert_eq!(is_rejected, one.verdict == "violated", "{}", one.name);
        }
    }
}
