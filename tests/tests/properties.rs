//! The property suite of two-phase commit, as a user would write it for a protocol of their own.

use std::panic::catch_unwind;
use std::path::Path;

use cadre::explore::Settings;
use cadre::proptest::FuzzOptions;
use cadre::testing::{assert_holds, assert_survives};
use cadre_protocols::two_phase_commit::Game;

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
