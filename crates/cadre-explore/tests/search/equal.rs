//! Every way of searching finds what the plainest search finds: a queue and a list of all that was
//! met, written here once more.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use cadre_explore::{Exploration, Flow, Reductions, Settings, explore};
use cadre_model::{
    Asleep, Budget, Choice, Cluster, ClusterBuilder, Configuration, Expansion, Faults, Guarantee,
    Model, Network, TypedAction, TypedFault, View,
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

/// What the plainest search finds.
pub(crate) struct Plainly {
    /// Of all configurations.
    pub(crate) whole: Facts,
    /// Of those for which there is no other, at the same depth or before, that differs only in that
    /// less has been spent.
    open: Facts,
}

struct Visit {
    depth: u64,
    transitions: u64,
    /// Messages lost and duplicated, and nodes that crashed and that crashed and restarted.
    spent: [u32; 4],
    /// Everything but what has been spent.
    rest: String,
    is_wanted: bool,
}

/// Searches in the plainest way; `None` where there is too much to see.
pub(crate) fn plainly(cluster: &Cluster<Drawn>, met_max: usize) -> Option<Plainly> {
    let mut met: HashMap<Configuration, usize> = HashMap::new();
    let mut queue = VecDeque::new();
    let mut visits: Vec<Visit> = Vec::new();
    let visit = |at: &Configuration, depth, spent| {
        let rest = cluster.with_view(at, |view| {
            let nodes = view.nodes().map(|node| (view.state(node), view.disk(node)));
            let in_flight: Vec<_> = view.in_flight().collect();
            format!("{:?} {in_flight:?} {:?}", nodes.collect::<Vec<_>>(), view.history())
        });
        let is_wanted = cluster.evaluate(1, cadre_model::Part::Main, at);
        Visit { depth, transitions: 0, spent, rest, is_wanted }
    };
    let first = cluster.initial().clone();
    visits.push(visit(&first, 1, [0; 4]));
    met.insert(first.clone(), 0);
    queue.push_back(first);
    while let Some(at) = queue.pop_front() {
        let here = met[&at];
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after = cluster.next(&at, &choice).expect("what is listed is possible");
            visits[here].transitions += 1;
            if !met.contains_key(&after) {
                let mut spent = visits[here].spent;
                if let Some(spent) = budget_of(cluster, choice).map(|budget| &mut spent[budget]) {
                    *spent += 1;
                }
                visits.push(visit(&after, visits[here].depth + 1, spent));
                met.insert(after.clone(), visits.len() - 1);
                queue.push_back(after);
            }
        }
        if met.len() > met_max {
            return None;
        }
    }
    let mut alike: HashMap<&str, Vec<&Visit>> = HashMap::new();
    for visit in &visits {
        alike.entry(&visit.rest).or_default().push(visit);
    }
    let covers = |other: &Visit, visit: &Visit| {
        let no_more = other.spent.iter().zip(&visit.spent).all(|(one, other)| one <= other);
        no_more && other.spent != visit.spent && other.depth <= visit.depth
    };
    let is_open = |visit: &&Visit| !alike[&*visit.rest].iter().any(|other| covers(other, visit));
    Some(Plainly {
        whole: Facts::of(visits.iter()),
        open: Facts::of(visits.iter().filter(is_open)),
    })
}

/// What an action costs, as a position in what is spent.
fn budget_of(cluster: &Cluster<Drawn>, choice: Choice) -> Option<usize> {
    match cluster.describe(choice) {
        TypedAction::Fault(TypedFault::Drop { .. }) => Some(0),
        TypedAction::Fault(TypedFault::Duplicate { .. }) => Some(1),
        TypedAction::Fault(TypedFault::Crash { .. }) => Some(2),
        TypedAction::Fault(TypedFault::CrashRestart { .. }) => Some(3),
        _ => None,
    }
}

impl Facts {
    fn of<'a>(visits: impl Iterator<Item = &'a Visit>) -> Self {
        let mut facts = Self { configurations: 0, depth: 0, transitions: 0, path: None };
        for visit in visits {
            facts.configurations += 1;
            facts.depth = facts.depth.max(visit.depth);
            facts.transitions += visit.transitions;
            if visit.is_wanted {
                facts.path.get_or_insert(visit.depth as usize - 1);
            }
        }
        facts
    }
}

pub(crate) fn search(
    cluster: &Cluster<Drawn>,
    reductions: Reductions,
    workers: usize,
) -> Exploration<Choice> {
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
fn every_reduction_meets_what_the_plainest_search_meets_at_the_same_depth() {
    let none = Faults::default();
    let lossy = Faults { losses: Budget::AtMost(1), duplications: Budget::AtMost(1), ..none };
    let crashing = Faults { crashes: Budget::AtMost(1), restarts: true, ..none };
    let restarting = Faults { crash_restarts: Budget::AtMost(2), ..none };
    let everything = Faults { losses: Budget::AtMost(2), ..restarting };
    let stopping = Faults { crashes: Budget::AtMost(2), crash_restarts: Budget::AtMost(1), ..none };
    let unlimited = Faults { crash_restarts: Budget::Unlimited, ..none };
    let fault_sets = [none, lossy, crashing, restarting, everything, stopping, unlimited];
    let (mut compared, mut spared, mut covered) = (0, 0, 0);
    for number in 0..60 {
        for (network, faults) in [Network::GrowingSet, Network::ConsumedOnce]
            .into_iter()
            .flat_map(|network| fault_sets.map(|faults| (network, faults)))
        {
            let closed = network == Network::GrowingSet;
            if closed && faults.losses != Budget::None {
                continue;
            }
            let Some(Plainly { whole, open }) = plainly(&drawn(number, network, faults), 2_000)
            else {
                continue;
            };
            assert_eq!(open.path, whole.path);
            covered += whole.configurations - open.configurations;
            for (dominance, plain) in [(false, whole), (true, open)] {
                let what = format!("{number}, {network:?}, {faults:?}, dominance {dominance}");
                let search = |sleep_sets| {
                    let reductions = Reductions { sleep_sets, dominance };
                    search(&drawn(number, network, faults), reductions, 1)
                };
                assert_eq!(facts(&search(false)), plain, "{what}");
                let asleep = search(true);
                let transitions = asleep.progress.transitions;
                assert!(transitions <= plain.transitions);
                spared += plain.transitions - transitions;
                assert_eq!(facts(&asleep), Facts { transitions, ..plain }, "{what}");
            }
            compared += 1;
        }
    }
    assert!(compared > 80 && spared > 50_000, "{compared} compared, {spared} spared");
    assert!(covered > 5_000, "{covered} covered");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_workers() {
    for sleep_sets in [false, true] {
        let found = |workers| {
            let cluster = two_phase::cluster(6, 6);
            let reductions = Reductions { sleep_sets, ..Reductions::default() };
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

/// Two ways of two steps to one configuration, and one of three, each with something else asleep;
/// notes what is asleep where.
#[derive(Default)]
struct Ways(Mutex<Vec<(u8, u128)>>);

impl Model for Ways {
    type State = u8;
    type Action = u8;

    fn init(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, state: &u8, out: &mut Vec<u8>) {
        out.extend(match *state {
            0 => &[1, 2, 3][..],
            1 | 2 => &[5],
            3 => &[4],
            4 => &[5],
            _ => &[],
        });
    }

    fn next(&self, _: &u8, to: &u8) -> Option<u8> {
        Some(*to)
    }

    fn expand(&self, states: &[u8], asleep: &[Asleep], out: &mut impl Expansion<u8>) {
        for (index, (state, asleep)) in states.iter().zip(asleep).enumerate() {
            self.0.lock().unwrap().push((*state, asleep.0));
            let mut actions = Vec::new();
            self.actions(state, &mut actions);
            let asleep = Asleep([0, 0b0111, 0b1110, 0b1000, 0, 0][usize::from(*state)]);
            for to in actions {
                out.successor(index, to, self.fingerprint(&to), asleep);
            }
        }
    }
}

#[test]
fn asleep_is_what_is_asleep_by_all_shortest_ways() {
    for (sleep_sets, asleep) in [(true, [0b1000, 0b0110]), (false, [0, 0])] {
        let model = Ways::default();
        let settings = Settings {
            reductions: Reductions { sleep_sets, ..Reductions::default() },
            ..Settings::default()
        };
        explore(&model, &settings, &mut |_| Flow::Continue);
        let [at_4, at_5] = asleep;
        let expanded = model.0.into_inner().unwrap();
        assert_eq!(expanded, [(0, 0), (1, 0), (2, 0), (3, 0), (5, at_5), (4, at_4)]);
    }
}
