//! The property suites of the library, as a user would write them for protocols of their own.

use std::panic::catch_unwind;
use std::path::Path;

use cadre::explore::{Flow, Settings};
use cadre::proptest::FuzzOptions;
use cadre::testing::{assert_holds, assert_survives};
use cadre::trace::Verdict;
use cadre_protocols::{disk_store, primary_backup, two_phase_commit::Game};

/// Where a failure is saved.
fn traces() -> &'static Path {
    Path::new("traces")
}

#[test]
fn two_phase_commit_holds_in_every_configuration() {
    for nodes in 1..=5 {
        let setup = cadre::Setup::new(&Game, Some(nodes), None).unwrap();
        assert_holds(&Game, &setup, &Settings::default(), traces());
    }
}

#[test]
fn two_phase_commit_survives_random_executions() {
    let setup = cadre::Setup::new(&Game, Some(4), None).unwrap();
    assert_survives(&Game, &setup, &FuzzOptions::default(), traces());
}

#[test]
fn each_seeded_bug_fails_the_suite_that_the_right_protocol_passes() {
    for bug in ["early-commit", "late-abort"] {
        let setup = cadre::Setup::new(&Game, None, Some(bug)).unwrap();
        let saved = tempfile::tempdir().unwrap();
        let found = cadre::AnyGame::fuzz(&Game, &setup, &FuzzOptions::default(), &mut |_| true);
        let (trace, _) = found.unwrap().violation.unwrap();
        let shortest = match bug {
            "early-commit" => 5,
            _ => 9,
        };
        assert!(trace.steps.len() <= shortest + 2, "{bug}: {} steps", trace.steps.len());
        let path = cadre::save(&trace, saved.path()).unwrap();
        let read = cadre::trace::Trace::from_ndjson(&std::fs::read_to_string(path).unwrap());
        assert_eq!(read.unwrap(), trace);
        let story = catch_unwind(|| {
            assert_holds(&Game, &setup, &Settings::default(), saved.path());
        })
        .unwrap_err();
        let story = story.downcast_ref::<String>().unwrap();
        assert!(story.contains("no two resource managers decide differently"), "{story}");
    }
}

#[test]
fn the_storage_protocols_hold_in_every_configuration() {
    for writers in 1..=3 {
        let game = disk_store::Game;
        let setup = cadre::Setup::new(&game, Some(writers), None).unwrap();
        assert_holds(&game, &setup, &Settings::default(), traces());
    }
    for clients in 2..=3 {
        let game = primary_backup::Game;
        let setup = cadre::Setup::new(&game, Some(clients), None).unwrap();
        assert_holds(&game, &setup, &Settings::default(), traces());
    }
}

/// A bug, the guarantee that it violates, and the length of the shortest execution that shows it.
const STORAGE_BUGS: [(&str, &str, &str, usize); 6] = [
    ("disk-store", "acknowledges-before-sync", LOST, 2),
    ("disk-store", "answers-past-the-sync", LOST, 4),
    ("disk-store", "reads-before-sync", NOT_LINEARIZABLE, 4),
    ("primary-backup", "acknowledges-before-copy", LOST, 2),
    ("primary-backup", "reads-alone", NOT_LINEARIZABLE, 7),
    ("primary-backup", "confirms-after-takeover", LOST, 4),
];
const LOST: &str = "no acknowledged put is lost";
const NOT_LINEARIZABLE: &str = "what clients are answered is linearizable";

#[test]
fn search_and_chance_find_each_bug_of_the_storage_protocols_and_spare_its_twin() {
    let suite = cadre_protocols::suite();
    // Most bugs violate both guarantees; by this seed chance meets the one that search finds first.
    let chance = FuzzOptions { seed: 2, ..FuzzOptions::default() };
    for (name, bug, guarantee, shortest) in STORAGE_BUGS {
        let game = suite.find(name).unwrap();
        let twin = game.setup(None, None).unwrap();
        let faulty = game.setup(None, Some(bug)).unwrap();
        let found = game.explore(&faulty, &Settings::default(), &mut |_| Flow::Continue).unwrap();
        let violated = found.findings.iter().find(|one| one.verdict == Verdict::Violated).unwrap();
        assert_eq!(violated.claim.name, guarantee, "{bug}");
        let steps = violated.trace.as_ref().unwrap().steps.len();
        assert_eq!(steps, shortest, "{bug}");
        let (trace, _) = game.fuzz(&faulty, &chance, &mut |_| true).unwrap().violation.unwrap();
        assert_eq!(trace.header.guarantee.unwrap().name, guarantee, "{bug}");
        assert!(trace.steps.len() <= shortest + 2, "{bug}: {} steps", trace.steps.len());
        assert_survives(game, &twin, &chance, traces());
    }
}

#[test]
fn the_storage_protocols_have_no_bugs_but_those_that_are_looked_for() {
    for game in cadre_protocols::suite().games().filter(|game| game.name() != "two-phase-commit") {
        let listed: Vec<&str> = game.bugs().iter().map(|bug| bug.name).collect();
        let of_game = STORAGE_BUGS.iter().filter(|(name, ..)| *name == game.name());
        let looked_for: Vec<&str> = of_game.map(|(_, bug, ..)| *bug).collect();
        assert_eq!(listed, looked_for);
    }
}
