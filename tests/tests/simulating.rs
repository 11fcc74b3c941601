//! The games of the library, simulated; and what the command prints of it.

use cadre::simulate::{Ending, Options, Preset, Span};
use cadre::{AnyGame, Place, Setup, Simulated};
use cadre_tests::Bench;

/// How many runs each game and each of its bugs gets.
const RUNS: u64 = 400;

fn simulated(game: &dyn AnyGame, setup: &Setup) -> Simulated {
    let mut config = Preset::Hostile.config();
    config.time = Span::from_seconds(1);
    config.settle = Span::from_seconds(5);
    let options = Options { seeds: 1..RUNS + 1, workers: 2 };
    game.simulate(setup, &config, &options, &mut |_| true).expect("the configuration fits")
}

#[test]
fn every_seeded_bug_of_a_step_function_is_found_and_its_twin_survives() {
    let suite = cadre_protocols::suite();
    let mut bugs = 0;
    for game in suite.games() {
        let right = simulated(game, &game.setup(None, None).unwrap());
        assert_eq!(right.simulation.violation, None, "{}", game.name());
        for bug in game.bugs().iter().filter(|bug| bug.place == Place::Step) {
            let setup = game.setup(None, Some(bug.name)).unwrap();
            let found = simulated(game, &setup);
            let violation = found.simulation.violation;
            assert!(violation.is_some(), "{}: {} is not found", game.name(), bug.name);
            if let Some(Ending::Violated { .. }) = violation.map(|found| found.ending) {
                let trace = found.trace.unwrap();
                assert!(trace.steps.iter().all(|step| step.at_us.is_some()));
                let again = game.reexecute(&trace).unwrap();
                assert_eq!(again.difference, None, "{}: {}", game.name(), bug.name);
            }
            bugs += 1;
        }
    }
    assert!(bugs >= 8, "the games have lost their bugs");
}

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

#[test]
fn how_long_answers_took_is_drawn() {
    let bench = bench();
    let ran = bench.run("simulate primary-backup --preset calm --seed 7 --plot answers.svg");
    assert_eq!(ran.code, Some(3), "{}", ran.output);
    let svg = std::fs::read_to_string(bench.path().join("answers.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Answers of primary-backup"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = bench();
    bench.write("link.json", r#"{"links": [{"from": "tm", "to": "rm9", "loss": 1}]}"#);
    bench.write("typo.json", r#"{"lossy": 1}"#);
    let cases = [
        ("--loss 1.5", "expected a probability from 0 to 1 for `loss`, found 1.5"),
        ("--latency exp:-5ms", "which is negative"),
        ("--config link.json", "there is no node `rm9` for `links`"),
        ("--config typo.json", "unknown field `lossy`"),
    ];
    for (options, expected) in cases {
        let ran = bench.run(&format!("simulate two-phase-commit {options}"));
        assert_eq!(ran.code, Some(2), "{options}: {}", ran.output);
        assert!(ran.output.contains(expected), "{options}: {}", ran.output);
    }
}
