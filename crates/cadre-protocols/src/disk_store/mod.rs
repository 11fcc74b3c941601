//! A store with an asynchronous disk: see [`DiskStore`].

mod game;
mod mapping;
mod step;

pub use game::Game;
pub use step::{Bug, DiskStore, Put, Request, Response, State};
