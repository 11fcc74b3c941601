//! Walks through models whose bugs and spaces are known.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod fuzzing;
mod lost_update;
mod minimising;
mod own_system;
mod rest;
mod sampling;
#[path = "../../../cadre-model/tests/cluster/two_phase.rs"]
mod two_phase;
mod weighing;
