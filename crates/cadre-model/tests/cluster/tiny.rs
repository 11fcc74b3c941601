//! The smallest protocols that show one thing each, and a search that is plainly right.

use std::collections::HashSet;

use cadre_model::{ActionOf, Choice, Cluster, Configuration, Model, TypedAction, TypedFault};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol};
use cadre_trace::{Kept, NodeSnapshot, Snapshot};

/// A protocol made of functions; states, messages, timers, requests and answers are numbers.
pub(crate) struct Tiny {
    pub(crate) start: fn(NodeId, &Disk, &mut Effects<Tiny>) -> u32,
    pub(crate) step: fn(NodeId, &mut u32, Event<Tiny>, &mut Effects<Tiny>),
}

impl Protocol for Tiny {
    type State = u32;
    type Message = u32;
    type Timer = u32;
    type Request = u32;
    type Response = u32;

    fn start(&self, node: NodeId, disk: &Disk, out: &mut Effects<Self>) -> u32 {
        (self.start)(node, disk, out)
    }

    fn step(&self, node: NodeId, state: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
        (self.step)(node, state, event, out);
    }
}

pub(crate) fn node(index: usize) -> NodeId {
    NodeId::from_index(index)
}

/// What can happen in a configuration.
pub(crate) fn enabled<P: Protocol>(cluster: &Cluster<P>, at: &Configuration) -> Vec<ActionOf<P>> {
    choices(cluster, at).into_iter().map(|choice| cluster.describe(choice)).collect()
}

pub(crate) fn choices<P: Protocol>(cluster: &Cluster<P>, at: &Configuration) -> Vec<Choice> {
    let mut choices = Vec::new();
    cluster.actions(at, &mut choices);
    choices
}

/// Takes actions from the beginning, each of which must be enabled.
pub(crate) fn after<P: Protocol>(cluster: &Cluster<P>, actions: &[ActionOf<P>]) -> Configuration {
    path_of(cluster, actions).1
}

pub(crate) fn path_of<P: Protocol>(
    cluster: &Cluster<P>,
    actions: &[ActionOf<P>],
) -> (Vec<Choice>, Configuration) {
    let mut at = cluster.initial().clone();
    let mut path = Vec::new();
    for action in actions {
        let all = choices(cluster, &at);
        let found = all.iter().find(|choice| cluster.describe(**choice) == *action);
        let listed = enabled(cluster, &at);
        let choice = *found.unwrap_or_else(|| panic!("{action:?} is not among {listed:?}"));
        at = cluster.next(&at, &choice).unwrap();
        path.push(choice);
    }
    (path, at)
}

/// More than any space here has.
const CONFIGURATIONS_MAX: usize = 10_000;

/// Every configuration that can be reached, compared as wholes and not by fingerprint.
pub(crate) fn reachable<M: Model>(model: &M) -> Vec<M::State> {
    let mut all = model.init();
    let mut met: HashSet<M::State> = all.iter().cloned().collect();
    let mut looked_at = 0;
    while let Some(state) = all.get(looked_at).cloned() {
        assert!(looked_at < CONFIGURATIONS_MAX, "a small space was expected");
        looked_at += 1;
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        for action in actions {
            let after = model.next(&state, &action).expect("what is listed can be done");
            if met.insert(after.clone()) {
                all.push(after);
            }
        }
    }
    all
}

/// The snapshots of all configurations that can be reached.
pub(crate) fn snapshots<P: Protocol>(cluster: &Cluster<P>) -> Vec<Snapshot> {
    reachable(cluster).iter().map(|at| cluster.snapshot(at)).collect()
}

/// One node of a configuration.
pub(crate) fn look<P: Protocol>(
    cluster: &Cluster<P>,
    at: &Configuration,
    name: &str,
) -> NodeSnapshot {
    cluster.snapshot(at).nodes[name].clone()
}

pub(crate) fn deliver(from: usize, to: usize, message: u32) -> ActionOf<Tiny> {
    TypedAction::Deliver { from: node(from), to: node(to), message }
}

pub(crate) fn lose(from: usize, to: usize, message: u32) -> ActionOf<Tiny> {
    TypedAction::Fault(TypedFault::Drop { from: node(from), to: node(to), message })
}

pub(crate) fn duplicate(from: usize, to: usize, message: u32) -> ActionOf<Tiny> {
    TypedAction::Fault(TypedFault::Duplicate { from: node(from), to: node(to), message })
}

pub(crate) fn fire(at: usize, timer: u32) -> ActionOf<Tiny> {
    TypedAction::Fire { node: node(at), timer }
}

pub(crate) fn crash(at: usize) -> ActionOf<Tiny> {
    TypedAction::Fault(TypedFault::Crash { node: node(at), kept: Kept::default() })
}

pub(crate) fn restart(at: usize) -> ActionOf<Tiny> {
    TypedAction::Fault(TypedFault::Restart { node: node(at), misread: None })
}

pub(crate) fn crash_restart(at: usize) -> ActionOf<Tiny> {
    TypedAction::Fault(TypedFault::CrashRestart { node: node(at), kept: Kept::default() })
}

pub(crate) fn sync_done(at: usize) -> ActionOf<Tiny> {
    TypedAction::SyncDone { node: node(at) }
}
