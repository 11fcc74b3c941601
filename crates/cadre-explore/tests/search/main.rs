//! Searches of spaces whose size, depth and shortest counterexamples are known beforehand.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod bounds;
mod closed_form;
mod dominance;
mod equal;
mod faulty;
mod guarantees;
mod histories;
mod orbits;
mod paxos;
mod shared;
mod shortest;
mod spilling;
mod symmetry;
mod token;
#[path = "../../../cadre-model/tests/cluster/two_phase.rs"]
mod two_phase;

use cadre_explore::{Bounds, Settings};

fn depth_at_most(depth: u64) -> Settings {
    Settings::within(Bounds { depth_max: Some(depth), ..Bounds::default() })
}

fn at_most(configurations: u64) -> Settings {
    let configurations_max = Some(configurations);
    Settings::within(Bounds { configurations_max, ..Bounds::default() })
}
