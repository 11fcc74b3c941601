//! Programs of synchronous rounds, for lineage-driven fault injection: each a pure step function
//! with its guarantees, and its variants as configuration.
//!
//! Most are those of Alvaro, Rosen and Hellerstein ("Lineage-driven Fault Injection", SIGMOD 2015),
//! written anew.
//!
//! # Examples
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use cadre::lineage::{FaultSpec, Rounds, Verdict, Wanted, explain_and_block};
//! use cadre_protocols::rounds::{Delivery, Strategy};
//!
//! let program = Delivery::new(Strategy::Simple);
//! let mut rounds = Rounds::new(program, FaultSpec { eot: 4, eff: 2, crashes: 0 })?;
//! let findings = explain_and_block(&mut rounds, Wanted::Minimal, |_| ControlFlow::Continue(()))?;
//! let Verdict::Violated { counterexamples, .. } = findings.verdict else { panic!("no bug") };
//! let mut texts: Vec<String> =
//!     counterexamples.iter().map(|run| run.faults.text(rounds.names())).collect();
//! texts.sort();
//! assert_eq!(texts, ["O(a,b,1)", "O(a,c,1)"]);
//! # Ok::<(), cadre::lineage::LineageError>(())
//! ```

use std::time::Duration;

use cadre::prelude::{Effects, NodeId, Protocol};
use serde::{Deserialize, Serialize};

mod commit;
mod delivery;
mod games;
mod handover;
mod kafka;
mod migration;
mod paxos;
mod replication;

pub use commit::{Commit, CommitMessage, CommitSpec, CommitState, Decision, Termination};
pub use delivery::{Delivery, DeliveryMessage, DeliveryState, Strategy};
pub use games::with_rounds;
pub use handover::{Handover, HandoverMessage, HandoverState};
pub use kafka::{Kafka, KafkaMessage, KafkaState};
pub use migration::{Migration, MigrationMessage, MigrationState};
pub use paxos::{Accepted, Paxos, PaxosMessage, PaxosState, Promise};
pub use replication::{Acknowledgement, Replication, ReplicationMessage, ReplicationState};

/// The end of a round, counted from 1: in it, a node has heard all that it will hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Round(pub u32);

/// How long a round is, for engines that know time.
const ROUND: Duration = Duration::from_millis(100);

/// Waits for the end of the round after this one; after 0 the first round begins.
fn await_next<P: Protocol<Timer = Round>>(round: u32, out: &mut Effects<P>) {
    out.set_timer(Round(round + 1), ROUND);
}

fn node(index: usize) -> NodeId {
    NodeId::from_index(index)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// All nodes of a cluster but one.
fn others(size: usize, of: NodeId) -> impl Iterator<Item = NodeId> {
    (0..size).map(NodeId::from_index).filter(move |other| *other != of)
}
