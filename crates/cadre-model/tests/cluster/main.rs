//! The cluster's semantics, on protocols small enough to enumerate.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod clients;
mod coverage;
mod disks;
mod faults;
mod fingerprints;
mod live;
mod portable;
mod records;
mod refused;
mod timers;
mod tiny;
mod two_phase;
