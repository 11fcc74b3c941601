//! Every stored trace is executed again on each run, by the step function.

use cadre::trace::Verdict;
use cadre_tests::{Stored, stored_traces};

#[test]
fn every_stored_trace_ends_as_the_index_says() {
    let suite = cadre_protocols::suite();
    for Stored { name, trace, verdict: expected, .. } in stored_traces() {
        let game = suite.find(&trace.header.protocol).unwrap();
        let again = game.reexecute(&trace).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again.difference, None, "{name}");
        let verdict = serde_json::to_value(again.trace.header.verdict).unwrap();
        assert_eq!(verdict, expected, "{name}");
        let is_counterexample = again.trace.header.verdict == Verdict::Violated;
        assert_eq!(is_counterexample, again.trace.header.guarantee.is_some(), "{name}");
    }
}

#[test]
fn every_game_has_a_stored_trace_of_each_bug_of_its_step_function_and_one_without() {
    let stored = stored_traces();
    for game in cadre_protocols::suite().games() {
        let of_game = stored.iter().filter(|one| one.trace.header.protocol == game.name());
        let bugs: Vec<Option<String>> =
            of_game.map(|one| game.setup_of(&one.trace).unwrap().bug).collect();
        assert!(bugs.contains(&None), "{}: none without a bug", game.name());
        for bug in game.bugs().iter().filter(|bug| bug.place == cadre::Place::Step) {
            let is_there = bugs.iter().any(|stored| stored.as_deref() == Some(bug.name));
            assert!(is_there, "{}: none of {}", game.name(), bug.name);
        }
    }
}
