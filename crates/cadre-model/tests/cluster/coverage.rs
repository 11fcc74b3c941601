//! What was tried, on protocols of which one can tell by hand.

use cadre_model::{ActionKind, Cluster, Coverage, Faults, KindCoverage, Network, Tried};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use crate::tiny::{after, node, reachable};
use crate::two_phase;

/// The first node opens and closes the second one; nobody listens to gossip.
struct Door;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum State {
    Keeper {
        said: u8,
    },
    Shut,
    Opened,
    /// Whoever is opened stays so: a later message changes nothing.
    Locked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Message {
    Open,
    Lock { by: NodeId },
    Gossip,
}

impl Protocol for Door {
    type State = State;
    type Message = Message;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        if node.index() == 0 { State::Keeper { said: 0 } } else { State::Shut }
    }

    fn step(&self, at: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (&mut *state, event) {
            (State::Keeper { said }, Event::Timeout(_)) => {
                let door = node(1);
                match *said {
                    0 => out.send(door, Message::Open),
                    1 => out.send(door, Message::Lock { by: at }),
                    _ => out.send(door, Message::Gossip),
                }
                *said += 1;
            }
            (State::Shut, Event::Deliver { message: Message::Open, .. }) => *state = State::Opened,
            (State::Opened, Event::Deliver { message: Message::Lock { .. }, .. }) => {
                *state = State::Locked;
            }
            _ => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<String> {
        match state {
            State::Keeper { said: 0..3 } => vec!["speak".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn doors(network: Network, faults: Faults) -> Cluster<Door> {
    let doors = Cluster::builder(Door).node("keeper").node("door").node("wall");
    doors.network(network).faults(faults).build().unwrap()
}

fn find<'a>(coverage: &'a Coverage, kind: &str) -> &'a KindCoverage {
    let found = coverage.kinds.iter().find(|found| found.to_string() == kind);
    found.unwrap_or_else(|| panic!("{kind} is not among {:?}", coverage.kinds))
}

fn tried(steps: u64, effective: u64) -> Tried {
    Tried { steps, effective }
}

#[test]
fn a_message_that_nobody_handles_is_ignored() {
    let cluster = doors(Network::GrowingSet, Faults::default());
    reachable(&cluster);
    let coverage = cluster.coverage();
    assert_eq!(coverage.ignored, ["Gossip"]);
    assert_eq!(coverage.idle, ["wall"]);
    assert_eq!(coverage.states, ["Keeper", "Locked", "Opened", "Shut"]);
    assert_eq!(coverage.never, []);
    assert_eq!(find(&coverage, "choose speak").tried, tried(3, 3));
    assert_eq!(find(&coverage, "deliver Open").tried, tried(3, 1));
    assert_eq!(find(&coverage, "deliver Gossip").tried, tried(3, 0));
    let lock = find(&coverage, "deliver Lock");
    assert_eq!((lock.action, lock.tried), (ActionKind::Deliver, tried(3, 1)));
    assert_eq!(lock.by_state["Opened"], tried(1, 1));
    assert_eq!(lock.by_state["Shut"], tried(1, 0));
    assert_eq!(coverage.kinds.len(), 4);
}

#[test]
fn a_message_that_is_consumed_never_meets_the_states_it_leads_to() {
    let cluster = doors(Network::ConsumedOnce, Faults::default());
    reachable(&cluster);
    let pair = |message: &str, state: &str| (message.to_owned(), state.to_owned());
    let coverage = cluster.coverage();
    assert_eq!(
        coverage.never,
        [pair("Lock", "Locked"), pair("Open", "Locked"), pair("Open", "Opened"),]
    );
    assert_eq!(coverage.ignored, ["Gossip"]);
}

#[test]
fn what_was_not_looked_at_was_not_tried() {
    let cluster = doors(Network::GrowingSet, Faults::default());
    let coverage = cluster.coverage();
    assert_eq!(coverage.idle, ["keeper", "door", "wall"]);
    assert_eq!(find(&coverage, "choose speak").tried, tried(0, 0));
    after(&cluster, &[]);
    assert_eq!(cluster.coverage(), coverage);
}

#[test]
fn faults_of_nodes_are_counted_where_they_happen() {
    let crashes = cadre_model::Budget::Unlimited;
    let cluster =
        doors(Network::GrowingSet, Faults { crashes, restarts: true, ..Faults::default() });
    reachable(&cluster);
    let coverage = cluster.coverage();
    assert_eq!(coverage.idle, Vec::<String>::new());
    // Four states of the keeper, three of the door, one of the wall; each is gone afterwards.
    assert_eq!(find(&coverage, "CRASH").tried, tried(8, 8));
    assert_eq!(find(&coverage, "RESTART").by_state["down"], tried(3, 3));
    assert!(!coverage.states.contains(&"down".to_owned()));
}

#[test]
fn two_phase_commit_tries_every_message_in_every_state_but_the_impossible_ones() {
    let cluster = two_phase::cluster(2, 2);
    reachable(&cluster);
    let coverage = cluster.coverage();
    let pair = |message: &str, state: &str| (message.to_owned(), state.to_owned());
    // Nobody hears yes before it has said so.
    assert_eq!(coverage.never, [pair("Yes", "Working")]);
    assert_eq!((coverage.ignored.len(), coverage.idle.len()), (0, 0));
    assert_eq!(coverage.states, ["Deciding", "Done", "Voted", "Working"]);
    assert_eq!(find(&coverage, "choose Yes").by_state["Working"], tried(2, 2));
}
