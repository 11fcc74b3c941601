use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stateright::Expectation;
use stateright::actor::{
    Actor, ActorModel, ActorModelState, Envelope, Id, Network, Out, model_timeout,
};

use super::{Limits, MAJORITY, SERVERS};

/// The actors of Stateright; every handler touches its state, as those of Paxos do.
pub(crate) fn actors(limits: Limits) -> ActorModel<Server> {
    let none: [Envelope<Message>; 0] = [];
    ActorModel::new((), ())
        .actors((0..SERVERS).map(|_| Server { limits }))
        .init_network(Network::new_unordered_nonduplicating(none))
        .property(Expectation::Always, "no term has two leaders", |_, state| {
            let leaders =
                || states(state).filter(|state| matches!(state.role, Role::Leader { .. }));
            leaders().all(|one| leaders().filter(|other| other.term == one.term).count() == 1)
        })
        .property(Expectation::Always, "no two committed entries differ", |_, state| {
            states(state).all(|one| {
                states(state).all(|other| {
                    let both = one.committed.min(other.committed);
                    one.log[..both] == other.log[..both]
                })
            })
        })
}

#[derive(Clone, Debug)]
pub(crate) struct Server {
    limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    term: u32,
    voted_for: Option<Id>,
    role: Role,
    log: Vec<u32>,
    committed: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Follower,
    Candidate { votes: BTreeSet<Id> },
    Leader { matched: BTreeMap<Id, usize> },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    RequestVote { term: u32, log_length: usize, log_term: u32 },
    Vote { term: u32 },
    Append { term: u32, log: Vec<u32>, committed: usize },
    Appended { term: u32, length: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Timer {
    StandForElection,
    Append,
}

impl Actor for Server {
    type Msg = Message;
    type Timer = Timer;
    type State = State;
    type Storage = ();
    type Random = ();

    fn on_start(&self, id: Id, _: &Option<()>, out: &mut Out<Self>) -> State {
        let state =
            State { term: 0, voted_for: None, role: Role::Follower, log: vec![], committed: 0 };
        self.arm(id, None, &state, out);
        state
    }

    fn on_msg(
        &self,
        id: Id,
        state: &mut Cow<'_, State>,
        from: Id,
        message: Message,
        out: &mut Out<Self>,
    ) {
        let armed = self.timer(id, state);
        let state = state.to_mut();
        hear(id, state, (from, message), out);
        self.arm(id, armed, state, out);
    }

    fn on_timeout(&self, id: Id, state: &mut Cow<'_, State>, timer: &Timer, out: &mut Out<Self>) {
        let state = state.to_mut();
        match timer {
            Timer::StandForElection => {
                state.term += 1;
                state.voted_for = Some(id);
                state.role = Role::Candidate { votes: BTreeSet::from([id]) };
                let (log_length, log_term) = state.log_end();
                to_others(
                    id,
                    &Message::RequestVote { term: state.term, log_length, log_term },
                    out,
                );
            }
            Timer::Append => {
                state.log.push(state.term);
                to_others(id, &state.append(), out);
            }
        }
        // The timer that went off is armed no longer.
        self.arm(id, None, state, out);
    }
}

impl Server {
    /// The timer that is to be armed in a state.
    fn timer(&self, id: Id, state: &State) -> Option<Timer> {
        let is_leader = matches!(state.role, Role::Leader { .. });
        let may_stand =
            state.term < self.limits.term_max && usize::from(id) < self.limits.candidates;
        match is_leader {
            true => (state.log.len() < self.limits.log_max).then_some(Timer::Append),
            false => may_stand.then_some(Timer::StandForElection),
        }
    }

    fn arm(&self, id: Id, armed: Option<Timer>, state: &State, out: &mut Out<Self>) {
        let wanted = self.timer(id, state);
        if armed != wanted {
            armed.into_iter().for_each(|timer| out.cancel_timer(timer));
            wanted.into_iter().for_each(|timer| out.set_timer(timer, model_timeout()));
        }
    }
}

fn hear(id: Id, state: &mut State, (from, message): (Id, Message), out: &mut Out<Server>) {
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
                to_others(id, &state.append(), out);
            }
        }
        Message::Append { log, committed, .. } => {
            let length = log.len();
            state.role = Role::Follower;
            if !state.log.starts_with(&log) {
                state.log = log;
            }
            state.committed = state.committed.max(committed);
            out.send(from, Message::Appended { term, length });
        }
        Message::Appended { length, .. } => state.count(from, length),
    }
}

impl State {
    fn log_end(&self) -> (usize, u32) {
        (self.log.len(), self.log.last().copied().unwrap_or(0))
    }

    fn append(&self) -> Message {
        Message::Append { term: self.term, log: self.log.clone(), committed: self.committed }
    }

    fn count(&mut self, from: Id, length: usize) {
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

fn to_others(id: Id, message: &Message, out: &mut Out<Server>) {
    for other in (0..SERVERS).map(Id::from).filter(|other| *other != id) {
        out.send(other, message.clone());
    }
}

fn states(system: &ActorModelState<Server>) -> impl Iterator<Item = &State> {
    system.actor_states.iter().map(Arc::as_ref)
}
