use std::collections::BTreeSet;

use anyhow::Result;
use cadre::model::ClusterBuilder;
use cadre::prelude::{
    Budget, Cluster, Disk, Effects, Event, Faults, Guarantee, Network, NodeId, Nothing, Protocol,
    View,
};
use serde::{Deserialize, Serialize};

use super::{ACCEPTORS, MAJORITY, PROPOSERS, acceptor_name, proposer_name};

/// The cluster of our tool.
pub(crate) fn cluster(rounds: u32, network: Network, losses: Budget) -> Result<Cluster<Paxos>> {
    let faults = Faults { losses, ..Faults::default() };
    Ok(builder(rounds).network(network).faults(faults).build()?)
}

fn builder(rounds: u32) -> ClusterBuilder<Paxos> {
    let paxos = Paxos {
        proposers: (0..PROPOSERS).map(NodeId::from_index).collect(),
        acceptors: (PROPOSERS..PROPOSERS + ACCEPTORS).map(NodeId::from_index).collect(),
        rounds,
    };
    let names = (0..PROPOSERS).map(proposer_name).chain((0..ACCEPTORS).map(acceptor_name));
    let builder = names.fold(Cluster::builder(paxos), |builder, name| builder.node(name));
    let agreement = Guarantee::always("no two values are chosen", |view: &View<Paxos>| {
        let mut chosen = view.nodes().filter_map(|node| match view.state(node) {
            Some(State::Proposer { phase: Phase::Chosen { value }, .. }) => Some(*value),
            Some(State::Proposer { .. } | State::Acceptor { .. }) | None => None,
        });
        let first = chosen.next();
        chosen.all(|value| Some(value) == first)
    });
    builder.guarantee(agreement)
}

/// The protocol.
#[derive(Clone, Debug)]
pub(crate) struct Paxos {
    proposers: Vec<NodeId>,
    acceptors: Vec<NodeId>,
    rounds: u32,
}

/// What a node remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum State {
    Proposer {
        /// How many rounds it has begun.
        rounds: u32,
        phase: Phase,
    },
    Acceptor {
        /// The highest ballot it has heard of; 0 is none.
        promised: u32,
        accepted: Option<Vote>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Phase {
    Idle,
    Preparing { promises: BTreeSet<NodeId>, highest: Option<Vote> },
    Proposing { value: u32, acceptances: BTreeSet<NodeId> },
    Chosen { value: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Vote {
    ballot: u32,
    value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Message {
    Prepare { ballot: u32 },
    Promise { ballot: u32, accepted: Option<Vote> },
    Accept { vote: Vote },
    Accepted { ballot: u32 },
}

/// A proposer begins its next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Propose;

impl Protocol for Paxos {
    type State = State;
    type Message = Message;
    type Timer = Propose;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        match self.proposers.contains(&node) {
            true => State::Proposer { rounds: 0, phase: Phase::Idle },
            false => State::Acceptor { promised: 0, accepted: None },
        }
    }

    fn step(&self, node: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (state, event) {
            (State::Proposer { rounds, phase }, Event::Timeout(Propose)) => {
                *rounds += 1;
                *phase = Phase::Preparing { promises: BTreeSet::new(), highest: None };
                let ballot = self.ballot(node, *rounds);
                out.broadcast(self.acceptors.iter().copied(), Message::Prepare { ballot });
            }
            (State::Proposer { rounds, phase }, Event::Deliver { from, message }) => {
                let ballot = self.ballot(node, *rounds);
                match message {
                    Message::Promise { ballot: of, accepted } if of == ballot => {
                        self.hear_promise(node, ballot, phase, (from, accepted), out);
                    }
                    Message::Accepted { ballot: of } if of == ballot => {
                        hear_acceptance(phase, from);
                    }
                    Message::Prepare { .. }
                    | Message::Promise { .. }
                    | Message::Accept { .. }
                    | Message::Accepted { .. } => {}
                }
            }
            (State::Acceptor { promised, accepted }, Event::Deliver { from, message }) => {
                match message {
                    Message::Prepare { ballot } if ballot > *promised => {
                        *promised = ballot;
                        out.send(from, Message::Promise { ballot, accepted: *accepted });
                    }
                    Message::Accept { vote } if vote.ballot >= *promised => {
                        *promised = vote.ballot;
                        *accepted = Some(vote);
                        out.send(from, Message::Accepted { ballot: vote.ballot });
                    }
                    Message::Prepare { .. }
                    | Message::Promise { .. }
                    | Message::Accept { .. }
                    | Message::Accepted { .. } => {}
                }
            }
            (
                _,
                Event::Timeout(_) | Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_),
            ) => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<Propose> {
        match state {
            State::Proposer { phase: Phase::Chosen { .. }, .. } | State::Acceptor { .. } => vec![],
            State::Proposer { rounds, .. } if *rounds < self.rounds => vec![Propose],
            State::Proposer { .. } => vec![],
        }
    }
}

impl Paxos {
    /// The ballot of a proposer's round; no two proposers share one.
    fn ballot(&self, proposer: NodeId, round: u32) -> u32 {
        let place = self.proposers.iter().position(|node| *node == proposer).unwrap_or(0);
        let places = self.proposers.len();
        // A handful of each, so that nothing is lost.
        (round * places as u32 + place as u32 + 1).saturating_sub(places as u32)
    }

    /// A proposer with a majority of promises proposes the value of the highest vote among them,
    /// and where there is none a value of its own.
    fn hear_promise(
        &self,
        node: NodeId,
        ballot: u32,
        phase: &mut Phase,
        (from, accepted): (NodeId, Option<Vote>),
        out: &mut Effects<Self>,
    ) {
        let Phase::Preparing { promises, highest } = phase else { return };
        promises.insert(from);
        *highest = (*highest).max(accepted);
        if promises.len() >= MAJORITY {
            let own = self.ballot(node, 1);
            let value = highest.map_or(own, |vote| vote.value);
            *phase = Phase::Proposing { value, acceptances: BTreeSet::new() };
            let message = Message::Accept { vote: Vote { ballot, value } };
            out.broadcast(self.acceptors.iter().copied(), message);
        }
    }
}

fn hear_acceptance(phase: &mut Phase, from: NodeId) {
    let Phase::Proposing { value, acceptances } = phase else { return };
    acceptances.insert(from);
    if acceptances.len() >= MAJORITY {
        *phase = Phase::Chosen { value: *value };
    }
}

#[cfg(test)]
mod tests {
    use cadre::trace::Verdict;

    use super::*;
    use crate::ours;

    #[test]
    fn either_value_can_be_chosen() {
        for value in [1, 2] {
            let never = Guarantee::always("the value is not chosen", move |view: &View<Paxos>| {
                view.nodes().all(|node| match view.state(node) {
                    Some(State::Proposer { phase: Phase::Chosen { value: chosen }, .. }) => {
                        *chosen != value
                    }
                    Some(State::Proposer { .. } | State::Acceptor { .. }) | None => true,
                })
            });
            let cluster = builder(1).guarantee(never).build().unwrap();
            assert_eq!(ours::verdict(&cluster), Verdict::Violated, "{value}");
        }
    }
}
