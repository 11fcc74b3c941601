use std::collections::BTreeSet;

use stateright::{Model, Property};

use super::{ACCEPTORS, MAJORITY, PROPOSERS};

/// Paxos over messages that are never consumed, as a plain model of Stateright.
///
/// Not as actors: Stateright's duplicating network keeps the message that was delivered last in the
/// state, so that it would meet more states than there are.
#[derive(Clone, Debug)]
pub(crate) struct GrowingPaxos {
    /// How many rounds each proposer may begin.
    pub(crate) rounds: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    proposers: Vec<Proposer>,
    acceptors: Vec<Acceptor>,
    messages: BTreeSet<Message>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Proposer {
    rounds: u32,
    phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    Preparing { promises: BTreeSet<usize>, highest: Option<Vote> },
    Proposing { value: u32, acceptances: BTreeSet<usize> },
    Chosen { value: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Acceptor {
    promised: u32,
    accepted: Option<Vote>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Vote {
    ballot: u32,
    value: u32,
}

/// What is in flight; who sent it follows from the ballot, or is the acceptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Prepare { acceptor: usize, ballot: u32 },
    Promise { acceptor: usize, ballot: u32, accepted: Option<Vote> },
    Accept { acceptor: usize, vote: Vote },
    Accepted { acceptor: usize, ballot: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Propose { proposer: usize },
    Deliver { message: Message },
}

impl Model for GrowingPaxos {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            proposers: vec![Proposer { rounds: 0, phase: Phase::Idle }; PROPOSERS],
            acceptors: vec![Acceptor { promised: 0, accepted: None }; ACCEPTORS],
            messages: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (proposer, Proposer { rounds, phase }) in state.proposers.iter().enumerate() {
            if *rounds < self.rounds && !matches!(phase, Phase::Chosen { .. }) {
                actions.push(Action::Propose { proposer });
            }
        }
        let matters = |message: &Message| state.matters(message);
        let messages = state.messages.iter().copied().filter(matters);
        actions.extend(messages.map(|message| Action::Deliver { message }));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Propose { proposer } => {
                let Proposer { rounds, phase } = &mut state.proposers[proposer];
                *rounds += 1;
                *phase = Phase::Preparing { promises: BTreeSet::new(), highest: None };
                let ballot = ballot_of(proposer, *rounds);
                let to = |acceptor| Message::Prepare { acceptor, ballot };
                state.messages.extend((0..ACCEPTORS).map(to));
            }
            Action::Deliver { message } => state.deliver(message),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no two values are chosen", |_, state: &State| {
            let mut chosen = state.proposers.iter().filter_map(|proposer| match proposer.phase {
                Phase::Chosen { value } => Some(value),
                Phase::Idle | Phase::Preparing { .. } | Phase::Proposing { .. } => None,
            });
            let first = chosen.next();
            chosen.all(|value| Some(value) == first)
        })]
    }
}

impl State {
    /// Whether the delivery of a message changes anything: a guard spares the copy of a state.
    fn matters(&self, message: &Message) -> bool {
        match *message {
            Message::Prepare { acceptor, ballot } => ballot > self.acceptors[acceptor].promised,
            Message::Accept { acceptor, vote } => {
                let acceptor = &self.acceptors[acceptor];
                vote.ballot >= acceptor.promised && acceptor.accepted != Some(vote)
            }
            Message::Promise { acceptor, ballot, .. } => match self.proposer_of(ballot) {
                Some(Phase::Preparing { promises, .. }) => !promises.contains(&acceptor),
                Some(Phase::Idle | Phase::Proposing { .. } | Phase::Chosen { .. }) | None => false,
            },
            Message::Accepted { acceptor, ballot } => match self.proposer_of(ballot) {
                Some(Phase::Proposing { acceptances, .. }) => !acceptances.contains(&acceptor),
                Some(Phase::Idle | Phase::Preparing { .. } | Phase::Chosen { .. }) | None => false,
            },
        }
    }

    /// The phase of the proposer that is at this ballot.
    fn proposer_of(&self, ballot: u32) -> Option<&Phase> {
        let proposer = proposer_index(ballot);
        let Proposer { rounds, phase } = &self.proposers[proposer];
        (ballot_of(proposer, *rounds) == ballot).then_some(phase)
    }

    /// Delivers a message that matters.
    fn deliver(&mut self, message: Message) {
        match message {
            Message::Prepare { acceptor, ballot } => {
                let Acceptor { promised, accepted } = &mut self.acceptors[acceptor];
                *promised = ballot;
                let accepted = *accepted;
                self.messages.insert(Message::Promise { acceptor, ballot, accepted });
            }
            Message::Accept { acceptor, vote } => {
                let ballot = vote.ballot;
                self.acceptors[acceptor] = Acceptor { promised: ballot, accepted: Some(vote) };
                self.messages.insert(Message::Accepted { acceptor, ballot });
            }
            Message::Promise { acceptor, ballot, accepted } => {
                let proposer = proposer_index(ballot);
                let phase = &mut self.proposers[proposer].phase;
                let Phase::Preparing { promises, highest } = phase else { return };
                promises.insert(acceptor);
                *highest = (*highest).max(accepted);
                if promises.len() >= MAJORITY {
                    let value = highest.map_or(ballot_of(proposer, 1), |vote| vote.value);
                    *phase = Phase::Proposing { value, acceptances: BTreeSet::new() };
                    let vote = Vote { ballot, value };
                    let to = |acceptor| Message::Accept { acceptor, vote };
                    self.messages.extend((0..ACCEPTORS).map(to));
                }
            }
            Message::Accepted { acceptor, ballot } => {
                let phase = &mut self.proposers[proposer_index(ballot)].phase;
                let Phase::Proposing { value, acceptances } = phase else { return };
                acceptances.insert(acceptor);
                if acceptances.len() >= MAJORITY {
                    *phase = Phase::Chosen { value: *value };
                }
            }
        }
    }
}

fn ballot_of(proposer: usize, round: u32) -> u32 {
    // A handful of each, so that nothing is lost.
    (round * PROPOSERS as u32 + proposer as u32 + 1).saturating_sub(PROPOSERS as u32)
}

fn proposer_index(ballot: u32) -> usize {
    (ballot as usize - 1) % PROPOSERS
}
