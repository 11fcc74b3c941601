//! A protocol to begin with: guests say hello to a host, who welcomes them.
//!
//! `step.rs` is what runs, `game.rs` what is asked of it, `mapping.rs` what it is in `tla/`.

mod game;
mod mapping;
mod step;

pub use game::Game;
pub use step::{Choice, Greeting, Message, State};
