//! What the tests of the whole toolkit share: running the command, and scenario files.

mod ballot;
mod bench;
mod browser;
mod drawn;
mod faulty;
mod picture;
mod scenario;
mod stored;

pub use ballot::Ballot;
pub use bench::{Bench, Ran, timeless};
pub use browser::{Browser, WINDOW};
pub use drawn::{long, stormy};
pub use faulty::Faulty;
pub use picture::{TOLERANCE, check_picture, difference};
pub use scenario::check_scenario;
pub use stored::{Stored, stored_traces};

use cadre::proptest::SampleOptions;
use cadre::trace::Trace;

/// Distinct random executions of two-phase commit with three resource managers.
///
/// # Panics
///
/// Where the game does not play.
pub fn sampled_traces(count: usize) -> Vec<Trace> {
    let suite = cadre_protocols::suite();
    let game = suite.find("two-phase-commit").expect("the library has two-phase commit");
    let setup = game.setup(None, None).expect("the usual setup");
    let options = SampleOptions { count, steps_max: 60, seed: 7, attempts_max: 20 * count };
    game.sample(&setup, &options).expect("executions of the game")
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
