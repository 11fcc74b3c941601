//! Single-decree Paxos in which proposers, acceptors and proposed values can change places: a round
//! belongs to whoever a majority promised it to, so that no order of proposers is needed.

use std::collections::BTreeSet;

use cadre_model::{Cluster, ClusterBuilder, Guarantee, HistoryEntry, Network, View};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol, RequestId, Value};
use serde::{Deserialize, Serialize};

/// How many there are of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) proposers: usize,
    pub(crate) acceptors: usize,
    pub(crate) rounds: u32,
    /// How many acceptors decide: right only if it is a majority.
    pub(crate) quorum: usize,
}

pub(crate) struct Paxos(Size);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum State {
    Proposer { asked: Option<(RequestId, Value)>, round: u32, phase: Phase },
    Acceptor { promised: Option<(u32, NodeId)>, vote: Option<Vote> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Phase {
    Idle,
    Preparing { promises: BTreeSet<NodeId>, highest: Option<Vote> },
    Proposing { value: Value, acceptances: BTreeSet<NodeId> },
    Chosen { value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Vote {
    pub(crate) round: u32,
    pub(crate) value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Message {
    Prepare { round: u32 },
    Promise { round: u32, vote: Option<Vote> },
    Accept { vote: Vote },
    Accepted { round: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct NextRound;

/// A cluster in which each proposer has a client that asks for a value of its own.
pub(crate) fn cluster(size: Size) -> Cluster<Paxos> {
    builder(size).build().unwrap()
}

pub(crate) fn builder(size: Size) -> ClusterBuilder<Paxos> {
    let proposers = || (0..size.proposers).map(NodeId::from_index);
    let acceptors = size.proposers..size.proposers + size.acceptors;
    let mut builder = Cluster::builder(Paxos(size)).network(Network::GrowingSet);
    for proposer in 0..size.proposers {
        builder = builder.node(format!("p{proposer}"));
    }
    for acceptor in acceptors.clone() {
        builder = builder.node(format!("a{acceptor}"));
    }
    for proposer in proposers() {
        let value = Value::from_index(proposer.index());
        builder = builder.client(format!("c{}", proposer.index()), proposer, vec![value]);
    }
    builder
        .interchangeable(proposers())
        .interchangeable(acceptors.map(NodeId::from_index))
        .interchangeable_values((0..size.proposers).map(Value::from_index))
        .guarantee(Guarantee::always("all clients are answered alike", |view: &View<Paxos>| {
            let mut answers = view.history().iter().filter_map(|entry| match entry {
                HistoryEntry::Return { response, .. } => Some(response),
                HistoryEntry::Invoke { .. } => None,
            });
            let first = answers.next();
            answers.all(|answer| Some(answer) == first)
        }))
        .guarantee(Guarantee::reachable("all clients are answered", move |view: &View<Paxos>| {
            view.history().len() == 2 * size.proposers
        }))
}

impl Protocol for Paxos {
    type State = State;
    type Message = Message;
    type Timer = NextRound;
    type Request = Value;
    type Response = Value;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        match node.index() < self.0.proposers {
            true => State::Proposer { asked: None, round: 0, phase: Phase::Idle },
            false => State::Acceptor { promised: None, vote: None },
        }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (state, event) {
            (State::Proposer { asked, .. }, Event::Request { id, request }) => {
                *asked = Some((id, request));
            }
            (State::Proposer { round, phase, .. }, Event::Timeout(NextRound)) => {
                *round += 1;
                *phase = Phase::Preparing { promises: BTreeSet::new(), highest: None };
                self.tell_acceptors(Message::Prepare { round: *round }, out);
            }
            (
                State::Proposer { asked: Some(asked), round, phase },
                Event::Deliver { from, message },
            ) => match message {
                Message::Promise { round: of, vote } if of == *round => {
                    self.hear_promise(phase, (from, vote), (*round, asked.1), out);
                }
                Message::Accepted { round: of } if of == *round => {
                    self.hear_acceptance(phase, from, asked.0, out);
                }
                Message::Prepare { .. }
                | Message::Promise { .. }
                | Message::Accept { .. }
                | Message::Accepted { .. } => {}
            },
            (State::Acceptor { promised, vote }, Event::Deliver { from, message }) => {
                let last = promised.map_or(0, |(round, _)| round);
                match message {
                    Message::Prepare { round } if round > last => {
                        *promised = Some((round, from));
                        out.send(from, Message::Promise { round, vote: *vote });
                    }
                    Message::Accept { vote: new }
                        if new.round > last || *promised == Some((new.round, from)) =>
                    {
                        *promised = Some((new.round, from));
                        *vote = Some(new);
                        out.send(from, Message::Accepted { round: new.round });
                    }
                    Message::Prepare { .. }
                    | Message::Promise { .. }
                    | Message::Accept { .. }
                    | Message::Accepted { .. } => {}
                }
            }
            (
                State::Proposer { .. } | State::Acceptor { .. },
                Event::Deliver { .. }
                | Event::Timeout(_)
                | Event::Request { .. }
                | Event::SyncDone
                | Event::SyncFailed(_),
            ) => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<NextRound> {
        match state {
            State::Proposer { asked: Some(_), round, phase }
                if *round < self.0.rounds && !matches!(phase, Phase::Chosen { .. }) =>
            {
                vec![NextRound]
            }
            State::Proposer { .. } | State::Acceptor { .. } => vec![],
        }
    }
}

impl Paxos {
    pub(crate) fn new(size: Size) -> Self {
        Self(size)
    }

    fn tell_acceptors(&self, message: Message, out: &mut Effects<Self>) {
        let acceptors = self.0.proposers..self.0.proposers + self.0.acceptors;
        out.broadcast(acceptors.map(NodeId::from_index), message);
    }

    fn hear_promise(
        &self,
        phase: &mut Phase,
        (from, vote): (NodeId, Option<Vote>),
        (round, own): (u32, Value),
        out: &mut Effects<Self>,
    ) {
        let Phase::Preparing { promises, highest } = phase else { return };
        promises.insert(from);
        // By rounds alone: the values themselves have no order.
        if vote.map_or(0, |vote| vote.round) > highest.map_or(0, |vote| vote.round) {
            *highest = vote;
        }
        if promises.len() >= self.0.quorum {
            let value = highest.map_or(own, |vote| vote.value);
            *phase = Phase::Proposing { value, acceptances: BTreeSet::new() };
            self.tell_acceptors(Message::Accept { vote: Vote { round, value } }, out);
        }
    }

    fn hear_acceptance(
        &self,
        phase: &mut Phase,
        from: NodeId,
        id: RequestId,
        out: &mut Effects<Self>,
    ) {
        let Phase::Proposing { value, acceptances } = phase else { return };
        acceptances.insert(from);
        if acceptances.len() >= self.0.quorum {
            let value = *value;
            out.respond(id, value);
            *phase = Phase::Chosen { value };
        }
    }
}
