//! Raft on three servers: elections and the replication of a log, over messages that are delivered
//! once.
//!
//! A server may stand for election at any time while its term is below the bound; a leader may
//! append while its log is below its own. An append carries the whole log, so that no message has
//! to find out where two logs part. A server that refuses, a vote or an append, is silent.

mod actors;
mod protocol;

pub(crate) use actors::actors;
pub(crate) use protocol::cluster;

/// How many servers there are.
const SERVERS: usize = 3;
const MAJORITY: usize = SERVERS / 2 + 1;

/// What keeps the space finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// No server stands for election in a higher term.
    pub(crate) term_max: u32,
    /// No leader appends to a log as long as this.
    pub(crate) log_max: usize,
    /// How many of the servers, the first ones, ever stand for election.
    pub(crate) candidates: usize,
}
