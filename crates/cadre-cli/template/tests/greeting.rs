//! What is asked of the protocol; `cargo run -- check greeting` asks TLC and real processes, too.

use cadre::explore::Settings;
use cadre::proptest::FuzzOptions;
use cadre::trace::Verdict;
use cadre::{AnyGame, Setup, testing};
use PACKAGE::Game;

#[test]
fn every_guarantee_holds_in_every_configuration() {
    let setup = Setup::new(&Game, None, None).unwrap();
    testing::assert_holds(&Game, &setup, &Settings::default(), "traces".as_ref());
}

#[test]
fn random_executions_violate_nothing() {
    let setup = Setup::new(&Game, None, None).unwrap();
    testing::assert_survives(&Game, &setup, &FuzzOptions::default(), "traces".as_ref());
}

#[test]
fn the_seeded_bug_is_found() {
    let setup = Setup::new(&Game, None, Some("welcomes-strangers")).unwrap();
    let go_on = &mut |_: &_| cadre::explore::Flow::Continue;
    let found = AnyGame::explore(&Game, &setup, &Settings::default(), go_on).unwrap();
    assert_eq!(found.verdict, Verdict::Violated);
}
