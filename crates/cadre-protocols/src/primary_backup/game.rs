use cadre::conform::Mapping;
use cadre::model::consistency::objects::{Answer, Register, RegisterOperation};
use cadre::model::{ClusterError, HistoryEntry};
use cadre::prelude::{
    Budget, Bug, Cluster, Faults, Guarantee, Network, NodeId, Place, Setup, Size, View,
};

use super::step::{self, PrimaryBackup, Request, Response, Role, State};
use crate::acknowledged::lost_put;

/// The game of asynchronous primary-backup replication: clients of the primary, which put a value
/// of their own and get, clients of the backup, which get and put, and one node that crashes for
/// good.
///
/// Nothing is assumed of a failure detector: the backup may take over at any time, which covers all
/// that any detector, or an operator, could tell it, mistakes included. The crash is needed only to
/// see that the clients of the backup are served without the primary. A backup that crashes after
/// it has taken over is out of reach, and so is what it holds: nobody is answered any more, so
/// nobody sees that it is gone.
#[derive(Clone, Copy, Debug)]
pub struct Game;

/// The name of the first node.
const PRIMARY: &str = "primary";
/// The name of the second.
const BACKUP: &str = "backup";

const BUGS: &[Bug] = &[
    Bug {
        name: "acknowledges-before-copy",
        summary: "the primary answers a put before the backup has it",
        place: Place::Step,
    },
    Bug {
        name: "reads-alone",
        summary: "the primary answers a get without asking whether it is still in charge",
        place: Place::Step,
    },
    Bug {
        name: "confirms-after-takeover",
        summary: "a backup that has taken over still confirms copies, which it does not keep",
        place: Place::Step,
    },
];

impl cadre::Game for Game {
    type Protocol = PrimaryBackup;

    fn name(&self) -> &'static str {
        "primary-backup"
    }

    fn summary(&self) -> &'static str {
        "a primary answers what its backup has confirmed; the backup may take over at any time"
    }

    fn size(&self) -> Size {
        Size { one: "client", many: "clients", min: 2, default: 2, max: 4 }
    }

    fn bugs(&self) -> &'static [Bug] {
        BUGS
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<PrimaryBackup>, ClusterError> {
        let protocol = PrimaryBackup { primary: primary(), backup: backup(), bug: bug(setup) };
        let mut cluster = Cluster::builder(protocol)
            .node(PRIMARY)
            .node(BACKUP)
            .network(Network::GrowingSet)
            .faults(Faults { crashes: Budget::AtMost(1), ..Faults::default() });
        for client in 0..setup.size {
            let put = Request::Put(value_of(client));
            let requests = match is_of_primary(client) {
                true => vec![put, Request::Get],
                false => vec![Request::Get, put],
            };
            let node = if is_of_primary(client) { primary() } else { backup() };
            cluster = cluster.client(client_name(client), node, requests);
        }
        let requests_of_backup =
            2 * (0..setup.size).filter(|client| !is_of_primary(*client)).count();
        cluster
            .guarantee(
                Guarantee::always("no acknowledged put is lost", |view| lost(view).is_none())
                    .finding(tell_lost),
            )
            .guarantee(Guarantee::linearizable(
                "what clients are answered is linearizable",
                Register { initial: None },
                operation,
                answer,
            ))
            .guarantee(Guarantee::pre_post(
                "once nothing can happen any more, the clients of a backup that runs are answered",
                |view: &View<PrimaryBackup>| view.is_up(backup()),
                move |view| answers_of_backup(view) == requests_of_backup,
            ))
            .guarantee(Guarantee::reachable(
                "without the primary the backup can answer all its clients",
                move |view: &View<PrimaryBackup>| {
                    !view.is_up(primary()) && answers_of_backup(view) == requests_of_backup
                },
            ))
            .build()
    }

    fn mapping(&self, setup: &Setup) -> Option<Mapping<PrimaryBackup>> {
        Some(super::mapping::mapping(setup.size))
    }
}

/// The node that is in charge first.
pub(super) fn primary() -> NodeId {
    NodeId::from_index(0)
}

/// The node that may take over.
pub(super) fn backup() -> NodeId {
    NodeId::from_index(1)
}

/// Whether a client asks the primary, by its position; if not, it asks the backup.
pub(super) fn is_of_primary(client: usize) -> bool {
    client.is_multiple_of(2)
}

/// The name of a client, by its position.
pub(super) fn client_name(client: usize) -> String {
    format!("c{}", client + 1)
}

/// What a client puts, by its position.
pub(super) fn value_of(client: usize) -> u32 {
    u32::try_from(client + 1).expect("clients are few")
}

/// The node in charge: the backup once it has taken over, until then the primary. Without the
/// backup nobody is, and nobody is answered any more.
fn in_charge(view: &View<PrimaryBackup>) -> Option<&State> {
    match (view.state(primary()), view.state(backup())) {
        (_, Some(backup)) if backup.role == Role::Successor => Some(backup),
        (primary, Some(_)) => primary,
        (_, None) => None,
    }
}

/// The value of an acknowledged put that the node in charge neither has nor has overwritten.
fn lost(view: &View<PrimaryBackup>) -> Option<u32> {
    let value = |request: &Request| match request {
        Request::Put(value) => Some(*value),
        Request::Get => None,
    };
    lost_put(view, value, in_charge(view)?.value)
}

fn tell_lost(view: &View<PrimaryBackup>) -> String {
    match (lost(view), in_charge(view)) {
        (Some(value), Some(State { value: held, .. })) => {
            let held = held.map_or("nothing".to_owned(), |held| held.to_string());
            format!("{PRIMARY} acknowledged {value}, and {BACKUP}, in charge, has {held}")
        }
        _ => "the node in charge has all that was acknowledged".to_owned(),
    }
}

/// How many answers the clients of the backup got.
fn answers_of_backup(view: &View<PrimaryBackup>) -> usize {
    let is_one = |entry: &&HistoryEntry<Response>| {
        let is_answer = matches!(entry, HistoryEntry::Return { .. });
        is_answer && !is_of_primary(entry.id().client as usize)
    };
    view.history().iter().filter(is_one).count()
}

/// What a request is to a register.
fn operation(request: &Request) -> RegisterOperation<Option<u32>> {
    match request {
        Request::Put(value) => RegisterOperation::Write(Some(*value)),
        Request::Get => RegisterOperation::Read,
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
        Some("acknowledges-before-copy") => Some(step::Bug::AcknowledgesBeforeCopy),
        Some("reads-alone") => Some(step::Bug::ReadsAlone),
        Some("confirms-after-takeover") => Some(step::Bug::ConfirmsAfterTakeOver),
        Some(_) | None => None,
    }
}
