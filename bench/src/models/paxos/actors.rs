use std::borrow::Cow;
use std::collections::BTreeSet;

use stateright::Expectation;
use stateright::actor::{
    Actor, ActorModel, Envelope, Id, LossyNetwork, Network, Out, model_timeout,
};

use super::{ACCEPTORS, MAJORITY, PROPOSERS};

/// What becomes of messages in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Each is delivered once, sooner or later.
    Reliable,
    /// Any may be lost.
    Lossy,
}

/// The actors of Stateright.
///
/// Stateright leaves a message in flight whose handling changes nothing, where our network, which
/// consumes, takes it out. Here every handler touches its state, so that both do the latter.
pub(crate) fn actors(rounds: u32, flow: Flow) -> ActorModel<Node> {
    let none: [Envelope<Message>; 0] = [];
    ActorModel::new((), ())
        .actors((0..PROPOSERS).map(|_| Node::Proposer { rounds }))
        .actors((0..ACCEPTORS).map(|_| Node::Acceptor))
        .init_network(Network::new_unordered_nonduplicating(none))
        .lossy_network(match flow {
            Flow::Reliable => LossyNetwork::No,
            Flow::Lossy => LossyNetwork::Yes,
        })
        .property(Expectation::Always, "no two values are chosen", |_, state| {
            let mut chosen = state.actor_states.iter().filter_map(|state| match &**state {
                State::Proposer { phase: Phase::Chosen { value }, .. } => Some(*value),
                State::Proposer { .. } | State::Acceptor { .. } => None,
            });
            let first = chosen.next();
            chosen.all(|value| Some(value) == first)
        })
}

/// A node, by what it is there for.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Proposer { rounds: u32 },
    Acceptor,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Proposer { rounds: u32, phase: Phase },
    Acceptor { promised: u32, accepted: Option<Vote> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Idle,
    Preparing { promises: BTreeSet<Id>, highest: Option<Vote> },
    Proposing { value: u32, acceptances: BTreeSet<Id> },
    Chosen { value: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Vote {
    ballot: u32,
    value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Prepare { ballot: u32 },
    Promise { ballot: u32, accepted: Option<Vote> },
    Accept { vote: Vote },
    Accepted { ballot: u32 },
}

impl Actor for Node {
    type Msg = Message;
    type Timer = ();
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        match self {
            Self::Proposer { .. } => {
                out.set_timer((), model_timeout());
                State::Proposer { rounds: 0, phase: Phase::Idle }
            }
            Self::Acceptor => State::Acceptor { promised: 0, accepted: None },
        }
    }

    fn on_msg(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        from: Id,
        message: Message,
        out: &mut Out<Self>,
    ) {
        match (state.to_mut(), message) {
            (State::Proposer { rounds, phase }, Message::Promise { ballot, accepted })
                if ballot == ballot_of(id, *rounds) =>
            {
                hear_promise(id, ballot, phase, (from, accepted), out);
            }
            (State::Proposer { rounds, phase }, Message::Accepted { ballot })
                if ballot == ballot_of(id, *rounds) =>
            {
                hear_acceptance(phase, from, out);
            }
            (State::Acceptor { promised, accepted }, Message::Prepare { ballot })
                if ballot > *promised =>
            {
                *promised = ballot;
                out.send(from, Message::Promise { ballot, accepted: *accepted });
            }
            (State::Acceptor { promised, accepted }, Message::Accept { vote })
                if vote.ballot >= *promised =>
            {
                *promised = vote.ballot;
                *accepted = Some(vote);
                out.send(from, Message::Accepted { ballot: vote.ballot });
            }
            (State::Proposer { .. } | State::Acceptor { .. }, _) => {}
        }
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<'_, State>, _: &(), out: &mut Out<Self>) {
        let Self::Proposer { rounds: rounds_max } = self else { return };
        let State::Proposer { rounds, phase } = state.to_mut() else { return };
        *rounds += 1;
        *phase = Phase::Preparing { promises: BTreeSet::new(), highest: None };
        let ballot = ballot_of(id, *rounds);
        to_acceptors(Message::Prepare { ballot }, out);
        if *rounds < *rounds_max {
            out.set_timer((), model_timeout());
        }
    }
}

fn ballot_of(proposer: Id, round: u32) -> u32 {
    // A handful of each, so that nothing is lost.
    (round * PROPOSERS as u32 + usize::from(proposer) as u32 + 1).saturating_sub(PROPOSERS as u32)
}

fn to_acceptors(message: Message, out: &mut Out<Node>) {
    for acceptor in PROPOSERS..PROPOSERS + ACCEPTORS {
        out.send(Id::from(acceptor), message);
    }
}

fn hear_promise(
    id: Id,
    ballot: u32,
    phase: &mut Phase,
    (from, accepted): (Id, Option<Vote>),
    out: &mut Out<Node>,
) {
    let Phase::Preparing { promises, highest } = phase else { return };
    promises.insert(from);
    *highest = (*highest).max(accepted);
    if promises.len() >= MAJORITY {
        let value = highest.map_or(ballot_of(id, 1), |vote| vote.value);
        *phase = Phase::Proposing { value, acceptances: BTreeSet::new() };
        to_acceptors(Message::Accept { vote: Vote { ballot, value } }, out);
    }
}

fn hear_acceptance(phase: &mut Phase, from: Id, out: &mut Out<Node>) {
    let Phase::Proposing { value, acceptances } = phase else { return };
    acceptances.insert(from);
    if acceptances.len() >= MAJORITY {
        *phase = Phase::Chosen { value: *value };
        out.cancel_timer(());
    }
}
