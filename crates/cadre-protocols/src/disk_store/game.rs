use cadre::conform::Mapping;
use cadre::model::consistency::objects::{Answer, At, Keyed, Register, RegisterOperation};
use cadre::model::{ClusterError, HistoryEntry};
use cadre::prelude::{Budget, Bug, Cluster, Faults, Guarantee, NodeId, Place, Setup, Size, View};

use super::step::{self, DiskStore, Request, Response};
use crate::acknowledged::lost_put;

/// The game of the store with an asynchronous disk: writers that each put a value of their own
/// under one of two keys, a reader that asks twice for the first, and one power loss.
///
/// A power loss takes what is not synced. It is one step together with the start that follows,
/// because to the clients a store that is down is a slow one.
#[derive(Clone, Copy, Debug)]
pub struct Game;

/// The name of the only node.
const STORE: &str = "store";
/// The keys: writers put under them in turns, and the reader asks for the first.
pub(super) const KEYS: [&str; 2] = ["x", "y"];

const BUGS: &[Bug] = &[
    Bug {
        name: "acknowledges-before-sync",
        summary: "a put is answered when it is written, before its sync is done",
        place: Place::Step,
    },
    Bug {
        name: "answers-past-the-sync",
        summary: "a sync that is done answers all puts, also those written after it was asked for",
        place: Place::Step,
    },
    Bug {
        name: "reads-before-sync",
        summary: "a get shows values that are not synced yet",
        place: Place::Step,
    },
];

impl cadre::Game for Game {
    type Protocol = DiskStore;

    fn name(&self) -> &'static str {
        "disk-store"
    }

    fn summary(&self) -> &'static str {
        "a key-value store on one node that answers a put once the disk has synced it"
    }

    fn size(&self) -> Size {
        Size { one: "writer", many: "writers", min: 1, default: 3, max: 4 }
    }

    fn bugs(&self) -> &'static [Bug] {
        BUGS
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<DiskStore>, ClusterError> {
        let faults = Faults { crash_restarts: Budget::AtMost(1), ..Faults::default() };
        let cluster = Cluster::builder(DiskStore { bug: bug(setup) });
        let mut cluster = cluster.node(STORE).faults(faults);
        for writer in 1..=setup.size {
            let value = u32::try_from(writer).expect("writers are few");
            let put = Request::Put { key: key_of(value).to_owned(), value };
            cluster = cluster.client(writer_name(value), store(), vec![put]);
        }
        let get = Request::Get { key: KEYS[0].to_owned() };
        let requests = setup.size + 2;
        cluster
            .client("reader", store(), vec![get.clone(), get])
            .guarantee(
                Guarantee::always("no acknowledged put is lost", |view| lost(view).is_none())
                    .finding(tell_lost),
            )
            .guarantee(Guarantee::linearizable(
                "what clients are answered is linearizable",
                Keyed::new(Register { initial: None }),
                operation,
                answer,
            ))
            .guarantee(Guarantee::never_stuck(
                "once nothing can happen any more, no put waits for a sync",
                |view: &View<DiskStore>| {
                    view.state(store()).is_none_or(|state| state.syncing.is_empty())
                },
            ))
            .guarantee(Guarantee::reachable("all requests can be answered", move |view| {
                answered(view) == requests
            }))
            .build()
    }

    fn mapping(&self, setup: &Setup) -> Option<Mapping<DiskStore>> {
        Some(super::mapping::mapping(setup.size))
    }
}

/// The name of the writer of a value.
pub(super) fn writer_name(value: u32) -> String {
    format!("w{value}")
}

/// The only node.
pub(super) fn store() -> NodeId {
    NodeId::from_index(0)
}

/// The key under which a value is put.
pub(super) fn key_of(value: u32) -> &'static str {
    KEYS[usize::from(value.is_multiple_of(2))]
}

/// What the store holds under a key: what it answers gets by, or while it is down its disk.
fn held(view: &View<DiskStore>, key: &str) -> Option<u32> {
    match view.state(store()) {
        Some(state) => state.values.get(key).copied(),
        None => on_disk(view, key),
    }
}

/// What survives a power loss under a key.
pub(super) fn on_disk(view: &View<DiskStore>, key: &str) -> Option<u32> {
    view.disk(store()).get(key).expect("only the store writes to its disk")
}

/// An acknowledged put that the store neither holds nor has overwritten, as key and value.
fn lost(view: &View<DiskStore>) -> Option<(&'static str, u32)> {
    KEYS.into_iter().find_map(|key| {
        let value = |request: &Request| put_value(request).filter(|value| key_of(*value) == key);
        lost_put(view, value, held(view, key)).map(|value| (key, value))
    })
}

fn tell_lost(view: &View<DiskStore>) -> String {
    match lost(view) {
        Some((key, value)) => {
            let held = held(view, key).map_or("nothing".to_owned(), |held| held.to_string());
            format!("{key}={value} was acknowledged, and {STORE} holds {held} there")
        }
        None => format!("{STORE} holds all that was acknowledged"),
    }
}

/// The value that a request puts.
pub(super) fn put_value(request: &Request) -> Option<u32> {
    match request {
        Request::Put { value, .. } => Some(*value),
        Request::Get { .. } => None,
    }
}

/// How many requests were answered.
fn answered(view: &View<DiskStore>) -> usize {
    let is_answer = |entry: &&HistoryEntry<_>| matches!(entry, HistoryEntry::Return { .. });
    view.history().iter().filter(is_answer).count()
}

/// What a request is to a register under a key.
fn operation(request: &Request) -> At<String, RegisterOperation<Option<u32>>> {
    match request {
        Request::Put { key, value } => {
            At { key: key.clone(), operation: RegisterOperation::Write(Some(*value)) }
        }
        Request::Get { key } => At { key: key.clone(), operation: RegisterOperation::Read },
    }
}

/// What a response is of a register.
fn answer(response: &Response) -> Answer<Option<u32>> {
    match response {
        Response::Stored => Answer::Done,
        Response::Value(value) => Answer::Value(*value),
    }
}

fn bug(setup: &Setup) -> Option<step::Bug> {
    match setup.bug.as_deref() {
        Some("acknowledges-before-sync") => Some(step::Bug::AcknowledgesBeforeSync),
        Some("answers-past-the-sync") => Some(step::Bug::AnswersPastTheSync),
        Some("reads-before-sync") => Some(step::Bug::ReadsBeforeSync),
        Some(_) | None => None,
    }
}
