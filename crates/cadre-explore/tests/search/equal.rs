//! Every way of searching finds what the plainest search finds: a queue and a list of all that was
//! met, written here once more.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use cadre_explore::{Exploration, Flow, Reductions, Settings, explore};
use cadre_model::{
    Budget, Choice, Cluster, ClusterBuilder, Configuration, Faults, Guarantee, Model, Network, View,
};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol};
use serde::{Deserialize, Serialize};

use crate::two_phase;

/// A protocol that a number draws: in each of three states each of two messages leads to a state
/// and sends something, and so do the clients' requests and a timer.
pub(crate) struct Drawn {
    number: u64,
    /// Whether it arms timers, and writes without a sync as well; then only so many steps of a node
    /// do anything but change the state, so that there is an end to it.
    steps_max: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Said(u8);

impl Drawn {
    /// A number below `below` that follows from the drawing number and some others.
    fn draw(&self, about: [u64; 4], below: u64) -> u64 {
        let mut mixed = self.number;
        for number in about {
            mixed = (mixed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
        }
        mixed % below
    }
}

impl Protocol for Drawn {
    type State = u8;
    type Message = Said;
    type Timer = u8;
    type Request = u8;
    type Response = u8;

    fn start(&self, node: NodeId, disk: &Disk, out: &mut Effects<Self>) -> u8 {
        if node.index() == 0 && disk.is_empty() {
            out.send(NodeId::from_index(1), Said(0));
        }
        disk.range(..).count() as u8
    }

    fn step(&self, node: NodeId, state: &mut u8, event: Event<Self>, out: &mut Effects<Self>) {
        let what = match event {
            Event::Deliver { message: Said(what), .. } => u64::from(what),
            Event::Timeout(timer) => 10 + u64::from(timer),
            Event::Request { id, request } => {
                out.respond(id, *state);
                20 + u64::from(request)
            }
            Event::SyncDone | Event::SyncFailed(_) => 30,
        };
        let draw = |aspect, below| {
            self.draw([node.index() as u64, u64::from(*state), what, aspect], below)
        };
        let to = NodeId::from_index(draw(0, 3) as usize);
        let steps = *state / 3;
        if self.steps_max == Some(steps) {
            *state = 3 * steps + draw(4, 3) as u8;
            return;
        }
        if draw(1, 3) > 0 {
            out.send(to, Said(draw(2, 2) as u8));
        }
        if draw(3, 5) == 0 {
            out.put_synced("kept", &*state);
        }
        if self.steps_max.is_some() {
            if draw(5, 4) == 0 {
                out.put(["one", "two"][draw(6, 2) as usize], &*state);
                out.sync();
            }
            match draw(7, 4) {
                0 => out.set_timer(7, Duration::from_millis(2)),
                1 => out.set_timer(8, Duration::from_millis(1)),
                _ => {}
            }
        }
        *state = draw(4, 3) as u8;
        if self.steps_max.is_some() {
            *state += 3 * (steps + 1);
        }
    }

    fn choices(&self, node: NodeId, state: &u8) -> Vec<u8> {
        match self.draw([node.index() as u64, u64::from(*state), 40, 0], 3) {
            0 => vec![0],
            _ => Vec::new(),
        }
    }
}

pub(crate) fn drawn(number: u64, network: Network, faults: Faults) -> Cluster<Drawn> {
    let protocol = Drawn { number, steps_max: None };
    let two = NodeId::from_index(2);
    let builder = builder(protocol).client("two", two, vec![1]);
    builder.network(network).faults(faults).build().unwrap()
}

/// A protocol with timers and un-synced writes.
pub(crate) fn drawn_with_more(number: u64, steps_max: u8) -> ClusterBuilder<Drawn> {
    builder(Drawn { number, steps_max: Some(steps_max) })
}

/// What messages may say.
pub(crate) fn said() -> Vec<Said> {
    vec![Said(0), Said(1)]
}

fn builder(protocol: Drawn) -> ClusterBuilder<Drawn> {
    let wanted = protocol.draw([50, 0, 0, 0], 27);
    let sum = move |view: &View<Drawn>| {
        let state = |node| view.state(node).map_or(3, |state| u64::from(*state % 3));
        view.nodes().fold(0, |sum, node| sum * 3 + state(node)) != wanted
    };
    Cluster::builder(protocol)
        .node("a")
        .node("b")
        .node("c")
        .client("one", NodeId::from_index(0), vec![0])
        .guarantee(Guarantee::reachable("that", move |view| !sum(view)))
}

/// What every search has to agree on.
#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) configurations: u64,
    pub(crate) depth: u64,
    pub(crate) transitions: u64,
    pub(crate) path: Option<usize>,
}

/// Searches in the plainest way; `None` where there is too much to see.
pub(crate) fn plainly(cluster: &Cluster<Drawn>, met_max: usize) -> Option<Facts> {
    let mut met: HashMap<Configuration, u64> = HashMap::new();
    let mut queue = VecDeque::new();
    let mut facts = Facts { configurations: 0, depth: 0, transitions: 0, path: None };
    let first = cluster.initial().clone();
    met.insert(first.clone(), 1);
    queue.push_back(first);
    while let Some(at) = queue.pop_front() {
        let depth = met[&at];
        facts.depth = facts.depth.max(depth);
        if cluster.evaluate(1, cadre_model::Part::Main, &at) {
            facts.path.get_or_insert(depth as usize - 1);
        }
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after = cluster.next(&at, &choice).expect("what is listed is possible");
            facts.transitions += 1;
            if !met.contains_key(&after) {
                met.insert(after.clone(), depth + 1);
                queue.push_back(after);
            }
        }
        if met.len() > met_max {
            return None;
        }
    }
    facts.configurations = met.len() as u64;
    Some(facts)
}

pub(crate) fn search(
    cluster: &Cluster<Drawn>,
    sleep_sets: bool,
    workers: usize,
) -> Exploration<Choice> {
    let reductions = Reductions { sleep_sets };
    let settings = Settings { workers, reductions, ..Settings::default() };
    explore(cluster, &settings, &mut |_| Flow::Continue)
}

pub(crate) fn facts(found: &Exploration<Choice>) -> Facts {
    Facts {
        configurations: found.progress.configurations,
        depth: found.progress.depth,
        transitions: found.progress.transitions,
        path: found.findings[1].path.as_ref().map(Vec::len),
    }
}

#[test]
fn every_reduction_meets_the_same_configurations_at_the_same_depth() {
    let fault_sets = [
        Faults::default(),
        Faults { losses: Budget::AtMost(1), duplications: Budget::AtMost(1), ..Faults::default() },
        Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() },
        Faults { crash_restarts: Budget::AtMost(2), ..Faults::default() },
        Faults { crash_restarts: Budget::Unlimited, ..Faults::default() },
    ];
    let (mut compared, mut spared) = (0, 0);
    for number in 0..60 {
        for (network, faults) in [Network::GrowingSet, Network::ConsumedOnce]
            .into_iter()
            .flat_map(|network| fault_sets.map(|faults| (network, faults)))
        {
            let closed = network == Network::GrowingSet;
            if closed && faults.losses != Budget::None {
                continue;
            }
            let Some(plain) = plainly(&drawn(number, network, faults), 2_000) else { continue };
            let whole = search(&drawn(number, network, faults), false, 1);
            assert_eq!(facts(&whole), plain, "{number}, {network:?}, {faults:?}");
            let asleep = search(&drawn(number, network, faults), true, 1);
            let transitions = asleep.progress.transitions;
            assert!(transitions <= plain.transitions);
            let what = format!("{number}, {network:?}, {faults:?}");
            assert_eq!(Facts { transitions, ..plain }, facts(&asleep), "{what}");
            compared += 1;
            spared += plain.transitions - transitions;
        }
    }
    assert!(compared > 80 && spared > 50_000, "{compared} compared, {spared} spared");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_workers() {
    for sleep_sets in [false, true] {
        let found = |workers| {
            let cluster = two_phase::cluster(6, 6);
            let reductions = Reductions { sleep_sets };
            let settings = Settings { workers, reductions, ..Settings::default() };
            (explore(&cluster, &settings, &mut |_| Flow::Continue), cluster.user_calls())
        };
        let one = found(1);
        assert_eq!(one.0.progress.configurations, 50_816);
        for workers in [2, 3, 8] {
            assert_eq!(found(workers), one);
        }
    }
}
