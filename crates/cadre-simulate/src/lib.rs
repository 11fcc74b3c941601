//! Seeded simulation of a cluster in virtual time: how it behaves under latency, loss, slow disks,
//! crashes and partitions, and whether its guarantees survive.
//!
//! # Invariants
//!
//! No wall clock, no IO, no printing. Faults are actions of the cluster: this crate decides when
//! they happen, never what they do. A run follows from its seed: the same events in the same order
//! on every machine, in every build, for every number of workers.

mod allowed;
mod arrivals;
mod config;
mod course;
mod delay;
mod judge;
mod links;
mod many;
mod random;
mod run;
mod scheduler;
mod span;
mod suffering;
mod tally;
mod world;

pub use config::{Bursts, Config, ConfigError, LinkConfig, Preset};
pub use course::{Course, Stretch};
pub use delay::Delay;
pub use many::{Look, Options, Simulation, Violation, simulate};
pub use random::Random;
pub use run::{Ending, Recorded, Run, record, run};
pub use scheduler::Scheduler;
pub use span::Span;
pub use tally::{Latencies, MessageCount, Tally};
