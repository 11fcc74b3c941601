//! Single-decree Paxos: two proposers, each with so many rounds, and three acceptors.
//!
//! A proposer may begin its next round at any time before it knows its value to be chosen.
//! Acceptors are silent where they refuse. A proposer counts promises and acceptances up to a
//! majority and ignores the others.

mod actors;
mod growing;
mod protocol;

pub(crate) use actors::{Flow, actors};
pub(crate) use growing::GrowingPaxos;
pub(crate) use protocol::cluster;

/// The nodes that propose: the first ones.
const PROPOSERS: usize = 2;
/// The nodes that accept, after those that propose.
const ACCEPTORS: usize = 3;
const MAJORITY: usize = ACCEPTORS / 2 + 1;

/// What a proposer is called.
fn proposer_name(proposer: usize) -> String {
    format!("proposer{}", proposer + 1)
}

/// What an acceptor is called.
fn acceptor_name(acceptor: usize) -> String {
    format!("acceptor{}", acceptor + 1)
}
