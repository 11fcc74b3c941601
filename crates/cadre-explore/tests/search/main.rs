//! Searches of spaces whose size, depth and shortest counterexamples are known beforehand.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod bounds;
mod closed_form;
mod guarantees;
mod shortest;
#[path = "../../../cadre-model/tests/cluster/two_phase.rs"]
mod two_phase;
