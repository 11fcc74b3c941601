//! The toolkit and its peers on the same systems, side by side on this machine.
//!
//! # Invariants
//!
//! A figure is of one search in one fresh process, and no ratio is printed of searches that met
//! different numbers of states. Our explorer is called in one place, `ours.rs`, and each peer in a
//! file of its own under `peers`.

mod bridge;
mod case;
mod cli;
mod growth;
mod liveness;
mod measurement;
mod models;
mod numbers;
mod one;
mod ours;
mod output;
mod peers;
mod runner;
mod table;
mod targets;
mod tool;
mod usage;

pub use cli::run;

#[cfg(test)]
mod tests;
