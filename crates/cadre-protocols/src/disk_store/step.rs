use std::collections::BTreeMap;
use std::mem;

use cadre::step::{Disk, Effects, Event, NodeId, Nothing, Protocol, RequestId};
use serde::{Deserialize, Serialize};

/// A key-value store on one node whose disk syncs while the node goes on.
///
/// A put is written at once and answered when a sync that covers it is done; what is put while a
/// sync is under way is covered by the next one, all of it by a single sync (group commit). A get
/// is answered at once, by what the disk holds for certain: whoever showed a value that is not
/// synced yet would have to take it back after a power loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskStore {
    /// What is wrong with it.
    pub bug: Option<Bug>,
}

/// The seeded bugs of the step function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A put is answered when it is written.
    AcknowledgesBeforeSync,
    /// When a sync is done all puts so far are answered, also those written after it was asked for.
    AnswersPastTheSync,
    /// A get shows what is written, synced or not.
    ReadsBeforeSync,
}

/// What the node remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// What gets are answered by.
    pub values: BTreeMap<String, u32>,
    /// The puts that the sync under way covers, in the order in which they were written.
    pub syncing: Vec<Put>,
    /// The puts that were written after that sync was asked for.
    pub waiting: Vec<Put>,
}

/// A put that is written and not synced.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Put {
    /// Who waits for it.
    pub id: RequestId,
    /// Where the value goes.
    pub key: String,
    /// The value.
    pub value: u32,
}

/// What clients ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Sets a value.
    Put {
        /// Where it goes.
        key: String,
        /// The value.
        value: u32,
    },
    /// Asks for a value.
    Get {
        /// Where it is.
        key: String,
    },
}

/// What clients are answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Response {
    /// The put survives a power loss.
    Stored,
    /// The value, if there is one.
    Value(Option<u32>),
}

impl Protocol for DiskStore {
    type State = State;
    type Message = Nothing;
    type Timer = Nothing;
    type Request = Request;
    type Response = Response;

    fn start(&self, _: NodeId, disk: &Disk, _: &mut Effects<Self>) -> State {
        let value = |key: &[u8]| {
            let value = disk.get(key).expect("only this protocol writes to its disk");
            let key = String::from_utf8(key.to_vec()).expect("its keys are text");
            (key, value.expect("a key of the disk has a value"))
        };
        let values = disk.range(..).map(|(key, _)| value(key)).collect();
        State { values, ..State::default() }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Request { id, request: Request::Get { key } } => {
                out.respond(id, Response::Value(state.values.get(&key).copied()));
            }
            Event::Request { id, request: Request::Put { key, value } } => {
                self.put(state, Put { id, key, value }, out);
            }
            Event::SyncDone => self.finish_sync(state, out),
            Event::SyncFailed(_) => write_again(state, out),
            Event::Deliver { .. } | Event::Timeout(_) => {}
        }
    }
}

impl DiskStore {
    /// Writes a put, and asks for a sync unless one is under way.
    fn put(&self, state: &mut State, put: Put, out: &mut Effects<Self>) {
        out.put(&put.key, &put.value);
        if self.shows_at_once() {
            state.values.insert(put.key.clone(), put.value);
        }
        if self.answers_at_once() {
            out.respond(put.id, Response::Stored);
        }
        if state.syncing.is_empty() {
            out.sync();
            state.syncing.push(put);
        } else {
            state.waiting.push(put);
        }
    }

    /// Answers the puts that are synced now, and asks for the next sync if puts wait for one.
    fn finish_sync(&self, state: &mut State, out: &mut Effects<Self>) {
        let mut synced = mem::take(&mut state.syncing);
        if self.bug == Some(Bug::AnswersPastTheSync) {
            synced.append(&mut state.waiting);
        }
        for put in synced {
            if !self.shows_at_once() {
                state.values.insert(put.key, put.value);
            }
            if !self.answers_at_once() {
                out.respond(put.id, Response::Stored);
            }
        }
        if !state.waiting.is_empty() {
            out.sync();
            state.syncing = mem::take(&mut state.waiting);
        }
    }

    /// Whether a put is answered when it is written.
    fn answers_at_once(&self) -> bool {
        self.bug == Some(Bug::AcknowledgesBeforeSync)
    }

    /// Whether a put is shown when it is written: what is answered is shown in any case.
    fn shows_at_once(&self) -> bool {
        self.answers_at_once() || self.bug == Some(Bug::ReadsBeforeSync)
    }
}

/// Writes all that is not synced once more, in its order, for a sync that fails may have dropped
/// what it was to cover, and asks for one sync of it.
fn write_again(state: &mut State, out: &mut Effects<DiskStore>) {
    state.syncing.append(&mut state.waiting);
    for put in &state.syncing {
        out.put(&put.key, &put.value);
    }
    out.sync();
}
