//! Lineage-driven fault injection: a game of faults against a program of synchronous rounds.
//!
//! The parameters are a [`FaultSpec`]: a run has EOT rounds, channels lose messages before EFF, and
//! so many nodes crash. [`explain_and_block`] looks for the smallest admissible fault set that
//! breaks a guarantee of a [`Program`], and finds it or proves that there is none:
//!
//! 1. A SAT solver gives the smallest set of faults that no clause forbids.
//! 2. [`Rounds`] runs it. A violation is a counterexample of minimum size.
//! 3. A good run is explained: single pure steps are taken again without some of what was
//!    delivered, or with some of what was lost. Whatever changes nothing cannot matter; the rest
//!    makes a clause, which forbids all fault sets that change none of it.
//! 4. Nothing left is a certificate, for these parameters.
//!
//! An [`Account`] says why it is so: the run without the faults and the run with them as traces,
//! their lineage as graphs, and in words what was needed, what the faults took away and what would
//! repair it.
//!
//! [`certify`] unrolls the states of single nodes into SAT where there are too many runs, and
//! [`hunt`] follows what supported good outcomes, which takes few runs and proves nothing.
//! [`hunt_schedule`] leaves rounds: any model, any of its faults, and delay.
//! [`exhaust`] tries everything, and [`inject_at_random`] is the baseline to compare with.
//!
//! # Invariants
//!
//! Pure: no IO, no clock, no randomness but that of a seed. Nothing is reported that was not run.
//! Nothing is certified by faults that were merely not thought of: what is blocked follows from
//! steps that were taken. No drawing.

mod account;
mod any;
mod certify;
mod difference;
mod ending;
mod error;
mod exhaustive;
mod explanation;
mod fault;
mod graph;
mod hunt;
mod interner;
mod literals;
mod program;
mod random;
mod record;
mod rounds;
mod schedule;
mod search;
mod solver;
mod spec;
mod sweep;
mod totalizer;
mod witness;

pub use account::Account;
pub use any::AnyRounds;
pub use certify::{Certification, certify};
pub use error::LineageError;
pub use exhaustive::{Comparison, Exhausted, exhaust, verify_complete};
pub use explanation::Explanation;
pub use fault::{ChannelRound, Fault, FaultSet};
pub use hunt::{Hunted, hunt};
pub use program::{End, EndGuarantee, Program};
pub use random::{RandomInjection, inject_at_random};
pub use record::{RunSetup, first_difference};
pub use rounds::{Broken, Rounds, Run};
pub use schedule::{BrokenSchedule, HuntedSchedule, ScheduleHunt, hunt_schedule};
pub use search::{Findings, Progress, Verdict, Wanted, explain_and_block};
pub use solver::{Answer, Literal, Solver};
pub use spec::FaultSpec;
pub use sweep::Sweep;
