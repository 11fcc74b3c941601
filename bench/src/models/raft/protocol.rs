use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cadre::model::ClusterBuilder;
use cadre::prelude::{
    Cluster, Disk, Effects, Event, Guarantee, Network, NodeId, Nothing, Protocol, View,
};
use serde::{Deserialize, Serialize};

use super::{Limits, MAJORITY, SERVERS};

/// The cluster of our tool.
pub(crate) fn cluster(limits: Limits) -> Result<Cluster<Raft>> {
    Ok(builder(limits).build()?)
}

fn builder(limits: Limits) -> ClusterBuilder<Raft> {
    let servers = (0..SERVERS).map(NodeId::from_index).collect();
    let builder = (1..=SERVERS)
        .fold(Cluster::builder(Raft { servers, limits }), |builder, server| {
            builder.node(format!("server{server}"))
        });
    builder
        .network(Network::ConsumedOnce)
        .guarantee(Guarantee::always("no term has two leaders", |view: &View<Raft>| {
            let leaders = || states(view).filter(|state| matches!(state.role, Role::Leader { .. }));
            leaders().all(|one| leaders().filter(|other| other.term == one.term).count() == 1)
        }))
        .guarantee(Guarantee::always("no two committed entries differ", |view: &View<Raft>| {
            states(view).all(|one| {
                states(view).all(|other| {
                    let both = one.committed.min(other.committed);
                    one.log[..both] == other.log[..both]
                })
            })
        }))
}

/// The protocol.
#[derive(Clone, Debug)]
pub(crate) struct Raft {
    servers: Vec<NodeId>,
    limits: Limits,
}

/// What a server remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct State {
    term: u32,
    voted_for: Option<NodeId>,
    role: Role,
    /// The term of each entry.
    log: Vec<u32>,
    /// How many entries it knows to be committed.
    committed: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Role {
    Follower,
    Candidate {
        votes: BTreeSet<NodeId>,
    },
    Leader {
        /// How much of its log the others are known to have.
        matched: BTreeMap<NodeId, usize>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Message {
    RequestVote { term: u32, log_length: usize, log_term: u32 },
    Vote { term: u32 },
    Append { term: u32, log: Vec<u32>, committed: usize },
    Appended { term: u32, length: usize },
}

/// What a server does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Choice {
    StandForElection,
    Append,
}

impl Protocol for Raft {
    type State = State;
    type Message = Message;
    type Timer = Choice;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        State { term: 0, voted_for: None, role: Role::Follower, log: Vec::new(), committed: 0 }
    }

    fn step(&self, node: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Timeout(Choice::StandForElection) => {
                state.term += 1;
                state.voted_for = Some(node);
                state.role = Role::Candidate { votes: BTreeSet::from([node]) };
                let (log_length, log_term) = state.log_end();
                let message = Message::RequestVote { term: state.term, log_length, log_term };
                out.broadcast(self.others(node), message);
            }
            Event::Timeout(Choice::Append) => {
                state.log.push(state.term);
                out.broadcast(self.others(node), state.append());
            }
            Event::Deliver { from, message } => self.hear(node, state, (from, message), out),
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }

    fn choices(&self, node: NodeId, state: &State) -> Vec<Choice> {
        match state.role {
            Role::Leader { .. } if state.log.len() < self.limits.log_max => vec![Choice::Append],
            Role::Follower | Role::Candidate { .. }
                if state.term < self.limits.term_max
                    && self.servers[..self.limits.candidates].contains(&node) =>
            {
                vec![Choice::StandForElection]
            }
            Role::Leader { .. } | Role::Follower | Role::Candidate { .. } => Vec::new(),
        }
    }
}

impl Raft {
    fn others(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.servers.iter().copied().filter(move |server| *server != node)
    }

    fn hear(
        &self,
        node: NodeId,
        state: &mut State,
        (from, message): (NodeId, Message),
        out: &mut Effects<Self>,
    ) {
        let term = message.term();
        if term > state.term {
            state.term = term;
            state.voted_for = None;
            state.role = Role::Follower;
        }
        if term < state.term {
            return;
        }
        match message {
            Message::RequestVote { log_length, log_term, .. } => {
                let (own_length, own_term) = state.log_end();
                let is_current = (log_term, log_length) >= (own_term, own_length);
                if is_current && state.voted_for.is_none_or(|candidate| candidate == from) {
                    state.voted_for = Some(from);
                    out.send(from, Message::Vote { term });
                }
            }
            Message::Vote { .. } => {
                let Role::Candidate { votes } = &mut state.role else { return };
                votes.insert(from);
                if votes.len() >= MAJORITY {
                    state.role = Role::Leader { matched: BTreeMap::new() };
                    out.broadcast(self.others(node), state.append());
                }
            }
            Message::Append { log, committed, .. } => {
                // What its own log has beyond the leader's does not count.
                let length = log.len();
                state.role = Role::Follower;
                state.take_over(log);
                state.committed = state.committed.max(committed);
                out.send(from, Message::Appended { term, length });
            }
            Message::Appended { length, .. } => state.count(from, length),
        }
    }
}

impl State {
    /// How long the log is, and the term of its last entry.
    fn log_end(&self) -> (usize, u32) {
        (self.log.len(), self.log.last().copied().unwrap_or(0))
    }

    fn append(&self) -> Message {
        Message::Append { term: self.term, log: self.log.clone(), committed: self.committed }
    }

    /// Takes over a leader's log; an older message of the same leader must not cut off what a later
    /// one has brought.
    fn take_over(&mut self, log: Vec<u32>) {
        if !self.log.starts_with(&log) {
            self.log = log;
        }
    }

    /// A leader counts who has how much; what a majority has of its own term is committed.
    fn count(&mut self, from: NodeId, length: usize) {
        let Role::Leader { matched } = &mut self.role else { return };
        let known = matched.entry(from).or_insert(0);
        *known = (*known).max(length);
        for end in self.committed + 1..=self.log.len() {
            let holders = 1 + matched.values().filter(|length| **length >= end).count();
            if holders >= MAJORITY && self.log[end - 1] == self.term {
                self.committed = end;
            }
        }
    }
}

impl Message {
    fn term(&self) -> u32 {
        match self {
            Self::RequestVote { term, .. }
            | Self::Vote { term }
            | Self::Append { term, .. }
            | Self::Appended { term, .. } => *term,
        }
    }
}

fn states(view: &View<Raft>) -> impl Iterator<Item = &State> {
    view.nodes().filter_map(|node| view.state(node))
}

#[cfg(test)]
mod tests {
    use cadre::trace::Verdict;

    use super::*;
    use crate::ours;

    #[test]
    fn a_leader_is_elected_and_an_entry_committed() {
        let limits = Limits { term_max: 1, log_max: 1, candidates: 1 };
        let nobody = Guarantee::always("nothing is committed", |view: &View<Raft>| {
            states(view).all(|state| state.committed == 0)
        });
        let cluster = builder(limits).guarantee(nobody).build().unwrap();
        assert_eq!(ours::verdict(&cluster), Verdict::Violated);
    }

    #[test]
    fn a_leader_of_a_higher_term_replaces_one_of_a_lower() {
        let limits = Limits { term_max: 2, log_max: 0, candidates: 2 };
        let first_only = Guarantee::always("nobody leads in term 2", |view: &View<Raft>| {
            let leads = |state: &State| matches!(state.role, Role::Leader { .. });
            states(view).all(|state| state.term < 2 || !leads(state))
        });
        let cluster = builder(limits).guarantee(first_only).build().unwrap();
        assert_eq!(ours::verdict(&cluster), Verdict::Violated);
    }
}
