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
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum State {
    /// Of the primary.
    Primary {
        /// The register, with all requests so far.
        register: Register,
        /// The requests that the backup has not confirmed, oldest first.
        unconfirmed: Vec<Turn>,
    },
    /// Of the backup.
    Backup {
        /// The latest copy.
        register: Register,
        /// The requests that wait until it takes over, oldest first.
        held: Vec<Held>,
    },
    /// Of the backup once it has taken over.
    Successor {
        /// The register; its number tells the last request of the primary that counts.
        register: Register,
    },
}

/// A register, and how many requests of the primary have led to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Register {
    /// The number of the last of these requests; the first is 1.
    pub number: u32,
    /// The value, if one was put.
    pub value: Option<u32>,
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
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Sets the value.
    Put(u32),
    /// Asks for the value.
    Get,
}

/// What clients are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// The put was carried out.
    Stored,
    /// The value, if there is one.
    Value(Option<u32>),
}

/// What the nodes tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// The primary's register.
    Copy(Register),
    /// The backup has the register of this number, or a later one.
    Confirm(u32),
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
        let register = Register::default();
        match node == self.primary {
            true => State::Primary { register, unconfirmed: Vec::new() },
            false => State::Backup { register, held: Vec::new() },
        }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match state {
            State::Primary { register, unconfirmed } => match event {
                Event::Request { id, request } => {
                    unconfirmed.extend(self.take_turn(register, id, request, out));
                }
                Event::Deliver { message: Message::Confirm(number), .. } => {
                    let confirmed = |turn: &mut Turn| turn.number <= number;
                    for Turn { id, response, .. } in unconfirmed.extract_if(.., confirmed) {
                        out.respond(id, response);
                    }
                }
                Event::Deliver { message: Message::Copy(_), .. }
                | Event::Timeout(Choice::TakeOver)
                | Event::SyncDone => {}
            },
            State::Backup { register, held } => match event {
                Event::Request { id, request } => held.push(Held { id, request }),
                Event::Deliver { from, message: Message::Copy(copy) } => {
                    out.send(from, Message::Confirm(copy.number));
                    if copy.number > register.number {
                        *register = copy;
                    }
                }
                Event::Timeout(Choice::TakeOver) => {
                    for Held { id, request } in held.drain(..) {
                        out.respond(id, register.carry_out(request));
                    }
                    *state = State::Successor { register: register.clone() };
                }
                Event::Deliver { message: Message::Confirm(_), .. } | Event::SyncDone => {}
            },
            State::Successor { register } => match event {
                Event::Request { id, request } => out.respond(id, register.carry_out(request)),
                Event::Deliver { from, message: Message::Copy(copy) }
                    if self.bug == Some(Bug::ConfirmsAfterTakeOver) =>
                {
                    out.send(from, Message::Confirm(copy.number));
                }
                Event::Deliver { .. } | Event::Timeout(Choice::TakeOver) | Event::SyncDone => {}
            },
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<Choice> {
        match state {
            State::Backup { .. } => vec![Choice::TakeOver],
            State::Primary { .. } | State::Successor { .. } => Vec::new(),
        }
    }
}

impl PrimaryBackup {
    /// Carries out a request at the primary; what has still to be answered, once the backup has
    /// confirmed it.
    fn take_turn(
        &self,
        register: &mut Register,
        id: RequestId,
        request: Request,
        out: &mut Effects<Self>,
    ) -> Option<Turn> {
        let response = register.carry_out(request);
        if request == Request::Get && self.bug == Some(Bug::ReadsAlone) {
            out.respond(id, response);
            return None;
        }
        register.number += 1;
        out.send(self.backup, Message::Copy(register.clone()));
        if request != Request::Get && self.bug == Some(Bug::AcknowledgesBeforeCopy) {
            out.respond(id, response);
            return None;
        }
        Some(Turn { number: register.number, id, response })
    }
}

impl Register {
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
