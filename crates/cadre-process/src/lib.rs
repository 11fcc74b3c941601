//! Starts child processes, and is the only crate of the workspace that does.
//!
//! A child is described by a [`Program`], and then either run to its end with its whole output in a
//! file ([`run`]), run on the terminal of the caller ([`run_through`]), or talked to line by line
//! ([`converse`]). [`PrivateDirectory`] gives it a place to work in.
//!
//! # Invariants
//!
//! - Nothing is left behind: whichever way a call returns, by value, error or panic, the child has
//!   been killed if it still ran, and it has been reaped. Under Unix a child of [`run`] and of
//!   [`converse`] leads a process group of its own, and what remains of that group goes with it.
//!   Out of reach are a process that leaves its group, and children of a Cadre killed by SIGKILL.
//! - Every wait has a limit, and those for a whole run look at a [`Stop`] as well. Because of its
//!   own group a child does not see the Ctrl-C of a terminal: the caller requests the stop.
//! - Output is kept whole: it goes to a file, never through a buffer of this process, and an error
//!   quotes its last lines and names the file.
//! - No pipe end leaks: ours are closed on `exec`, and those meant for the child are closed here
//!   as soon as it has started, so that either side sees the other's end.
//! - This crate does not know whom it starts: no name of a tool occurs in it.

mod child;
mod clock;
mod conversation;
mod directory;
mod error;
mod log;
mod memory;
mod program;
mod run;
mod stop;

pub use conversation::{Conversation, converse};
pub use directory::PrivateDirectory;
pub use error::ProcessError;
pub use memory::free_memory;
pub use program::Program;
pub use run::{Finished, run, run_through};
pub use stop::Stop;
