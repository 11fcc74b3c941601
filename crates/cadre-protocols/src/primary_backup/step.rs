use std::mem;

use cadre::step::{Disk, Effects, Event, NodeId, Protocol, RequestId};
use serde::{Deserialize, Serialize};

/// A register on two nodes: the primary answers clients and copies what it has to the backup, which
/// takes over when it believes the primary to be gone.
///
/// No node can tell one that has crashed from one that is slow, so the backup may take over at any
/// time, rightly or not; what keeps two masters from serving is that the backup decides alone. The
/// primary numbers its requests, sends the register after each to the backup, and answers only what
/// the backup has confirmed, a get no sooner than a put; a backup that has taken over confirms
/// nothing any more. The price: without its backup the primary answers nobody.
///
/// Nodes that crash do not come back. Messages may be lost, doubled, delayed and reordered: a copy
/// stands for all earlier ones, and so does its confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryBackup {
    /// The node that is in charge first.
    pub primary: NodeId,
    /// The node that may take over.
    pub backup: NodeId,
    /// What is wrong with it.
    pub bug: Option<Bug>,
}

/// The seeded bugs of the step function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The primary answers a put before the backup has it.
    AcknowledgesBeforeCopy,
    /// The primary answers a get by what it has, without asking whether it is still in charge.
    ReadsAlone,
    /// A backup that has taken over still confirms copies, which it does not keep.
    ConfirmsAfterTakeOver,
}

/// What a node remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// What it is to the other one.
    pub role: Role,
    /// How many requests of the primary have led to the value.
    pub number: u32,
    /// The value of the register, if one was put.
    pub value: Option<u32>,
    /// Of the primary: the requests that the backup has not confirmed, oldest first.
    pub unconfirmed: Vec<Turn>,
    /// Of the backup: the requests that wait until it takes over, oldest first.
    pub held: Vec<Held>,
}

/// What a node is to the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// In charge, as long as the backup confirms it.
    Primary,
    /// Keeps what the primary sends.
    Backup,
    /// The backup once it has taken over: in charge alone.
    Successor,
}

/// A request that the primary has carried out and not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    /// Its number.
    pub number: u32,
    /// Who waits.
    pub id: RequestId,
    /// What the answer will be.
    pub response: Response,
}

/// A request that waits for the backup to take over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Held {
    /// Who waits.
    pub id: RequestId,
    /// What is asked.
    pub request: Request,
}

/// What clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Sets the value.
    Put(u32),
    /// Asks for the value.
    Get,
}

/// What clients are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The put was carried out.
    Stored,
    /// The value, if there is one.
    Value(Option<u32>),
}

/// What the nodes tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Message {
    /// The primary's register.
    Copy {
        /// How many requests have led to it.
        number: u32,
        /// The value.
        value: Option<u32>,
    },
    /// The backup has the register of this number, or of a later one.
    Confirm {
        /// The number.
        number: u32,
    },
}

/// What a node does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// The backup believes the primary to be gone.
    TakeOver,
}

impl Protocol for PrimaryBackup {
    type State = State;
    type Message = Message;
    type Timer = Choice;
    type Request = Request;
    type Response = Response;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        let role = if node == self.primary { Role::Primary } else { Role::Backup };
        State { role, number: 0, value: None, unconfirmed: Vec::new(), held: Vec::new() }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (state.role, event) {
            (Role::Primary, Event::Request { id, request }) => {
                self.take_turn(state, id, request, out);
            }
            (Role::Primary, Event::Deliver { message: Message::Confirm { number }, .. }) => {
                let confirmed = |turn: &mut Turn| turn.number <= number;
                for turn in state.unconfirmed.extract_if(.., confirmed) {
                    out.respond(turn.id, turn.response);
                }
            }
            (Role::Backup, Event::Request { id, request }) => state.held.push(Held { id, request }),
            (Role::Backup, Event::Deliver { from, message: Message::Copy { number, value } }) => {
                if number > state.number {
                    (state.number, state.value) = (number, value);
                }
                out.send(from, Message::Confirm { number });
            }
            (Role::Backup, Event::Timeout(Choice::TakeOver)) => {
                state.role = Role::Successor;
                for Held { id, request } in mem::take(&mut state.held) {
                    out.respond(id, state.carry_out(request));
                }
            }
            (Role::Successor, Event::Request { id, request }) => {
                out.respond(id, state.carry_out(request));
            }
            (Role::Successor, Event::Deliver { from, message: Message::Copy { number, .. } })
                if self.bug == Some(Bug::ConfirmsAfterTakeOver) =>
            {
                out.send(from, Message::Confirm { number });
            }
            (
                _,
                Event::Deliver { .. }
                | Event::Timeout(Choice::TakeOver)
                | Event::SyncDone
                | Event::SyncFailed(_),
            ) => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<Choice> {
        match state.role {
            Role::Backup => vec![Choice::TakeOver],
            Role::Primary | Role::Successor => Vec::new(),
        }
    }
}

impl PrimaryBackup {
    /// Carries out a request at the primary, and asks the backup to confirm it.
    fn take_turn(
        &self,
        state: &mut State,
        id: RequestId,
        request: Request,
        out: &mut Effects<Self>,
    ) {
        let response = state.carry_out(request);
        if request == Request::Get && self.bug == Some(Bug::ReadsAlone) {
            out.respond(id, response);
            return;
        }
        state.number += 1;
        let number = state.number;
        out.send(self.backup, Message::Copy { number, value: state.value });
        if request != Request::Get && self.bug == Some(Bug::AcknowledgesBeforeCopy) {
            out.respond(id, response);
        } else {
            state.unconfirmed.push(Turn { number, id, response });
        }
    }
}

impl State {
    fn carry_out(&mut self, request: Request) -> Response {
        match request {
            Request::Put(value) => {
                self.value = Some(value);
                Response::Stored
            }
            Request::Get => Response::Value(self.value),
        }
    }
}
