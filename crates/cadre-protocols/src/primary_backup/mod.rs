//! Asynchronous primary-backup replication: see [`PrimaryBackup`].

mod game;
mod mapping;
mod step;

pub use game::Game;
pub use step::{Bug, Choice, Held, Message, PrimaryBackup, Request, Response, Role, State, Turn};
