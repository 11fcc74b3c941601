use std::collections::BTreeSet;

use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

/// Guests say hello to a host, who welcomes each of them.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// The host.
    pub host: NodeId,
    /// The guests.
    pub guests: Vec<NodeId>,
    /// A bug to be found: the host welcomes guests that have said nothing.
    pub welcomes_strangers: bool,
}

/// What a node remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// The host: whom it has met.
    Host(BTreeSet<NodeId>),
    /// A guest.
    Guest {
        /// Whether it has said hello.
        said: bool,
        /// Whether it was welcomed.
        welcomed: bool,
    },
}

/// What nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Message {
    /// From a guest.
    Hello,
    /// From the host.
    Welcome,
}

/// What a node does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// A guest says hello.
    SayHello,
    /// The host welcomes somebody: the bug.
    WelcomeStranger(NodeId),
}

impl Protocol for Greeting {
    type State = State;
    type Message = Message;
    type Timer = Choice;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        match node == self.host {
            true => State::Host(BTreeSet::new()),
            false => State::Guest { said: false, welcomed: false },
        }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (state, event) {
            (State::Guest { said, .. }, Event::Timeout(Choice::SayHello)) => {
                *said = true;
                out.send(self.host, Message::Hello);
            }
            (State::Guest { welcomed, .. }, Event::Deliver { message: Message::Welcome, .. }) => {
                *welcomed = true;
            }
            (State::Host(met), Event::Deliver { from, message: Message::Hello }) => {
                let is_new = met.insert(from);
                if is_new {
                    out.send(from, Message::Welcome);
                }
            }
            (State::Host(_), Event::Timeout(Choice::WelcomeStranger(guest))) => {
                out.send(guest, Message::Welcome);
            }
            _ => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<Choice> {
        match state {
            State::Guest { said: false, .. } => vec![Choice::SayHello],
            State::Host(met) if self.welcomes_strangers => {
                let strangers = self.guests.iter().filter(|guest| !met.contains(guest));
                strangers.map(|guest| Choice::WelcomeStranger(*guest)).collect()
            }
            State::Guest { .. } | State::Host(_) => Vec::new(),
        }
    }
}
