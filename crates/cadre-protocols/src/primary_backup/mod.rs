//! Asynchronous primary-backup replication: see [`PrimaryBackup`].

mod game;
mod mapping;
mod step;

pub use game::Game;
pub use step::{
    Bug, Choice, Held, Message, PrimaryBackup, Register, Request, Response, State, Turn,
};
