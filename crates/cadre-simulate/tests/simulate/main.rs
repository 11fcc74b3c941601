//! The simulator, on protocols small enough to know what must come of them.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod config;
mod delays;
mod endings;
mod faults;
mod reproducible;
mod schedulers;
mod tiny;
