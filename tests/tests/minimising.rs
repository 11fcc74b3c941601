//! Long random executions of every seeded bug of the library are made nearly as short as a search
//! finds them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::explore::{Bounds, Flow, Settings};
use cadre::proptest::{MinimiseError, MinimiseOptions, SampleOptions};
use cadre::trace::{Trace, Verdict};
use cadre::{AnyGame, GameError, Place, Setup};

/// How many random executions are drawn of each bug.
const SAMPLE: SampleOptions =
    SampleOptions { count: 400, steps_max: 80, seed: 5, attempts_max: 400 };
/// No seeded bug of the library takes a larger search to find.
const CONFIGURATIONS_MAX: u64 = 3_000_000;

/// The shortest counterexample to a bug.
fn shortest(game: &dyn AnyGame, setup: &Setup) -> Option<Trace> {
    let bounds = Bounds { configurations_max: Some(CONFIGURATIONS_MAX), ..Bounds::default() };
    let settings = Settings::within(bounds);
    let found = game.explore(setup, &settings, &mut |_| Flow::Continue).unwrap();
    let violated = found.findings.into_iter().find(|found| found.verdict == Verdict::Violated);
    violated.and_then(|found| found.trace)
}

/// Checks that a counterexample is minimised to a short one; `false` where it is none.
fn is_made_short(game: &dyn AnyGame, long: &Trace, steps_max: usize) -> bool {
    let shorter = match game.minimise(long, &MinimiseOptions::default()) {
        Ok(shorter) => shorter,
        Err(GameError::Minimise(MinimiseError::NotViolated { .. })) => return false,
        Err(error) => panic!("{error}"),
    };
    let trace = shorter.trace;
    assert!(shorter.is_minimal && shorter.steps_before == long.steps.len());
    assert!(trace.steps.len() <= steps_max, "{} steps, not {steps_max}", trace.steps.len());
    let again = game.reexecute(&trace).unwrap();
    assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Violated));
    let name = |trace: &Trace| trace.header.guarantee.as_ref().unwrap().name.clone();
    assert_eq!(name(&again.trace), name(long));
    true
}

#[test]
fn long_executions_of_every_seeded_bug_become_nearly_as_short_as_the_shortest() {
    let suite = cadre_protocols::suite();
    let mut sampled = 0;
    for game in suite.games() {
        for bug in game.bugs().iter().filter(|bug| bug.place == Place::Step) {
            let setup = game.setup(None, Some(bug.name)).unwrap();
            let Some(shortest) = shortest(game, &setup) else {
                panic!("{}: a search does not find {}", game.name(), bug.name)
            };
            let steps_max = shortest.steps.len() + 2;
            // What a search has found is a counterexample itself, and may be one without an end.
            assert!(is_made_short(game, &shortest, shortest.steps.len()), "{}", bug.name);
            for mut long in game.sample(&setup, &SAMPLE).unwrap() {
                long.header.guarantee = shortest.header.guarantee.clone();
                sampled += usize::from(is_made_short(game, &long, steps_max));
            }
        }
    }
    assert!(sampled >= 50, "{sampled} random executions violate a guarantee");
}
