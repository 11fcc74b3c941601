//! Two-phase commit: see [`TwoPhaseCommit`].

mod game;
mod mapping;
mod step;

pub use game::Game;
pub use step::{Bug, Choice, Decision, Message, Progress, State, TwoPhaseCommit};
