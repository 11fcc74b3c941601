//! The systems that are searched, each written once for every tool that searches it: for ours in
//! the way of its users, for a peer in the way of the peer's users.

pub(crate) mod increment_lock;
pub(crate) mod paxos;
pub(crate) mod raft;
pub(crate) mod two_phase_commit;
