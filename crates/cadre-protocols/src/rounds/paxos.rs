use std::collections::BTreeSet;

use cadre::lineage::{EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node};

/// The synod of Paxos: `a`, `b` and `c` are acceptors, of which `a` and `b` also propose, each a
/// value of its own.
#[derive(Clone, Copy, Debug)]
pub struct Paxos {
    /// Whether acceptors keep their promise.
    pub promise: Promise,
    /// How many rounds, its own included, a proposer waits before it tries again.
    pub retry_delay: u32,
}

/// Whether acceptors keep their promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// They accept nothing below a ballot that they have prepared.
    Kept,
    /// They accept everything.
    Broken,
}

/// What a node knows as an acceptor and as a proposer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PaxosState {
    prepared: BTreeSet<u32>,
    accepted: BTreeSet<Accepted>,
    answers: BTreeSet<Answer>,
    next_ballot: u32,
    retry: Option<u32>,
    heard: Heard,
}

/// A ballot and the value accepted in it, which is named by the node that proposed it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Accepted {
    ballot: u32,
    value: NodeId,
}

/// What an acceptor has answered to the preparation of a ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Answer {
    ballot: u32,
    acceptor: NodeId,
    highest: Option<Accepted>,
}

/// What was heard in this round, until its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Heard {
    prepares: BTreeSet<(u32, NodeId)>,
    accepts: BTreeSet<Accepted>,
}

/// What they say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PaxosMessage {
    /// Promise to accept nothing below this ballot.
    Prepare(u32),
    /// Promised, and the highest that was accepted so far.
    Promised(u32, Option<Accepted>),
    /// Accept this value in this ballot.
    Accept(Accepted),
}

const SIZE: usize = 3;
const QUORUM: usize = 2;
const PROPOSERS: usize = 2;
const FIRST_BALLOT: u32 = 4;
const BALLOT_STEP: u32 = 3;

impl Paxos {
    fn accept(&self, state: &mut PaxosState, out: &mut Effects<Self>) {
        let heard = std::mem::take(&mut state.heard);
        state.prepared.extend(heard.prepares.iter().map(|(ballot, _)| *ballot));
        let promised = state.prepared.last().copied().unwrap_or(0);
        state.accepted.extend(
            heard
                .accepts
                .into_iter()
                .filter(|accept| self.promise == Promise::Broken || accept.ballot >= promised),
        );
        for (ballot, proposer) in heard.prepares {
            if ballot >= promised {
                let highest = state.accepted.last().copied();
                out.send(proposer, PaxosMessage::Promised(ballot, highest));
            }
        }
    }

    fn propose(&self, me: NodeId, state: &mut PaxosState, round: u32, out: &mut Effects<Self>) {
        let everybody = || (0..SIZE).map(node);
        let is_retry = state.retry == Some(round)
            && !state.accepted.iter().any(|accepted| accepted.value == me);
        if round == 1 || is_retry {
            out.broadcast(everybody(), PaxosMessage::Prepare(state.next_ballot));
            state.next_ballot += BALLOT_STEP;
            state.retry = Some(round + self.retry_delay - 1);
        }
        let ballots: BTreeSet<u32> = state.answers.iter().map(|answer| answer.ballot).collect();
        for ballot in ballots {
            let answers = || state.answers.iter().filter(|answer| answer.ballot == ballot);
            let acceptors: BTreeSet<NodeId> = answers().map(|answer| answer.acceptor).collect();
            if acceptors.len() >= QUORUM {
                let highest = answers().filter_map(|answer| answer.highest).max();
                let value = highest.map_or(me, |accepted| accepted.value);
                out.broadcast(everybody(), PaxosMessage::Accept(Accepted { ballot, value }));
            }
        }
    }
}

impl Protocol for Paxos {
    type State = PaxosState;
    type Message = PaxosMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, me: NodeId, _: &Disk, out: &mut Effects<Self>) -> PaxosState {
        await_next(0, out);
        let first =
            (0..PROPOSERS).map(node).zip(FIRST_BALLOT..).find(|(proposer, _)| *proposer == me);
        PaxosState { next_ballot: first.map_or(0, |(_, ballot)| ballot), ..PaxosState::default() }
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut PaxosState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Deliver { from, message } => match message {
                PaxosMessage::Prepare(ballot) => {
                    state.heard.prepares.insert((ballot, from));
                }
                PaxosMessage::Promised(ballot, highest) => {
                    state.answers.insert(Answer { ballot, acceptor: from, highest });
                }
                PaxosMessage::Accept(accept) => {
                    state.heard.accepts.insert(accept);
                }
            },
            Event::Timeout(Round(round)) => {
                self.accept(state, out);
                // A ballot is what tells a proposer from the others.
                if state.next_ballot > 0 {
                    self.propose(me, state, round, out);
                }
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Paxos {
    /// What an acceptor has accepted.
    type Observation = BTreeSet<Accepted>;

    fn nodes(&self) -> Vec<String> {
        names(&["a", "b", "c"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &PaxosState) -> BTreeSet<Accepted> {
        state.accepted.clone()
    }

    fn tell(&self, accepted: &BTreeSet<Accepted>) -> String {
        let names = self.nodes();
        let told = |accepted: &Accepted| {
            format!("{}'s value in ballot {}", names[accepted.value.index()], accepted.ballot)
        };
        let told: Vec<String> = accepted.iter().map(told).collect();
        match told.is_empty() {
            true => "accepts nothing".to_owned(),
            false => format!("accepts {}", told.join(" and ")),
        }
    }

    fn guarantees(&self) -> Vec<EndGuarantee<BTreeSet<Accepted>>> {
        type Seen<'a> = cadre::lineage::End<'a, BTreeSet<Accepted>>;
        let chosen = |end: &Seen<'_>| -> BTreeSet<NodeId> {
            let everything = end.all().flat_map(|(_, accepted)| accepted);
            let is_chosen = |accepted: &&Accepted| {
                end.all().filter(|(_, theirs)| theirs.contains(accepted)).count() >= QUORUM
            };
            everything.filter(is_chosen).map(|accepted| accepted.value).collect()
        };
        vec![EndGuarantee::implies(
            "one value is chosen",
            move |end| !chosen(end).is_empty(),
            move |end| chosen(end).len() == 1,
        )]
    }
}
