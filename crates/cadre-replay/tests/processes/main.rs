//! Replays against, and recordings of, real child processes: the example `tally` of this crate.

#![expect(clippy::unwrap_used, reason = "these are the helpers of tests")]

mod bench;
mod faults;
#[expect(dead_code, reason = "what goes wrong in a process does not in its model")]
#[path = "../../examples/tally/protocol.rs"]
mod protocol;
mod recordings;
mod replays;
mod surroundings;
mod troubles;
