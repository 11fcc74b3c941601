//! What every fault makes possible is met by every way of searching, told in traces, and carried
//! out again: drawn protocols with each fault, one after the other.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use cadre_explore::{Reductions, Settings};
use cadre_model::{
    Budget, Cluster, ClusterBuilder, Configuration, Faults, Model, Network, Origin, Timing,
    Unsynced,
};
use cadre_step::NodeId;
use cadre_trace::{Action, Trace};

use crate::equal::{Drawn, Facts, Plainly, drawn_with_more, facts, plainly, said, search};
use crate::shared::{one_worker, together};

/// Under what circumstances a drawn protocol runs.
#[derive(Clone, Copy, Debug)]
struct Circumstances {
    network: Network,
    queue: Option<usize>,
    is_timed: bool,
    faults: Faults,
}

impl Circumstances {
    fn cluster(self, number: u64) -> Cluster<Drawn> {
        let add = |builder: ClusterBuilder<Drawn>| match self.queue {
            Some(messages_max) => builder.queue(messages_max),
            None => builder,
        };
        let tick = Duration::from_millis(1);
        let timing = match self.is_timed {
            true => Timing::Interval { tick, late: u32::from(number.is_multiple_of(3)) },
            false => Timing::Untimed,
        };
        let node = NodeId::from_index;
        let is_small = self.network == Network::GrowingSet || number % 2 == 1;
        let steps_max = if is_small { 1 } else { 2 };
        add(drawn_with_more(number, steps_max))
            .network(self.network)
            .faults(self.faults)
            .timing(timing)
            .group([node(0), node(2)])
            .traitor(node(1), said())
            .build()
            .unwrap()
    }
}

/// One time, and as often as it likes.
const ONCE: Budget = Budget::AtMost(1);
const EVER: Budget = Budget::Unlimited;

/// The faults of an untimed network that consumes.
fn of_the_network() -> [Faults; 10] {
    let none = Faults::default();
    [
        Faults { losses: ONCE, duplications: ONCE, ..none },
        Faults { bursts: ONCE, ..none },
        Faults { bursts: EVER, losses: ONCE, ..none },
        Faults { replays: ONCE, ..none },
        Faults { replays: ONCE, losses: ONCE, interruptions: ONCE, ..none },
        Faults { partitions: ONCE, ..none },
        Faults { one_way_partitions: ONCE, crash_restarts: ONCE, ..none },
        Faults { partial_partitions: EVER, ..none },
        Faults { corruptions: EVER, ..none },
        Faults { corruptions: EVER, forgeries: ONCE, ..none },
    ]
}

/// The faults of nodes and disks.
fn of_nodes() -> [Faults; 10] {
    let none = Faults::default();
    [
        Faults { corruptions: ONCE, ..none },
        Faults { forgeries: ONCE, ..none },
        Faults { crashes: ONCE, restarts: true, unsynced: Unsynced::AnyPrefix, ..none },
        Faults { crash_restarts: ONCE, unsynced: Unsynced::AnySubset, ..none },
        Faults { group_crashes: ONCE, restarts: true, ..none },
        Faults { interruptions: ONCE, restarts: true, ..none },
        Faults { torn_writes: ONCE, ..none },
        Faults { sync_errors: ONCE, full_disks: ONCE, ..none },
        Faults { crashes: ONCE, restarts: true, corrupt_reads: ONCE, ..none },
        Faults { crashes: ONCE, restarts: true, misdirected_reads: ONCE, ..none },
    ]
}

/// The faults of time.
fn of_time() -> [Faults; 6] {
    let none = Faults::default();
    [
        none,
        Faults { pauses: ONCE, ..none },
        Faults { slow_syncs: ONCE, clock_jumps: ONCE, ..none },
        Faults { pauses: EVER, crash_restarts: ONCE, ..none },
        Faults { delays: ONCE, ..none },
        Faults { delays: EVER, partitions: ONCE, ..none },
    ]
}

/// Protocols with more configurations than this are passed over; of the others so many are compared
/// under the same circumstances.
const MET_MAX: usize = 3_000;
const COMPARED_MAX: u32 = 3;

fn all() -> Vec<Circumstances> {
    let mut all = Vec::new();
    let networks = [Network::GrowingSet, Network::ConsumedOnce, Network::Fifo];
    for network in networks {
        let is_closed = network == Network::GrowingSet;
        let in_network = |faults| Circumstances { network, queue: None, is_timed: false, faults };
        all.extend(of_nodes().map(in_network));
        let timed = |faults| Circumstances { is_timed: true, ..in_network(faults) };
        // Delays are what a growing set does anyway.
        all.extend(of_time()[..if is_closed { 4 } else { 6 }].iter().copied().map(timed));
        if !is_closed {
            all.extend(of_the_network().map(in_network));
            for messages_max in 1..=2 {
                let few =
                    |faults| Circumstances { queue: Some(messages_max), ..in_network(faults) };
                all.extend([Faults::default(), of_the_network()[0], of_nodes()[3]].map(few));
            }
        }
    }
    all
}

const NOTHING_LEFT_OUT: Reductions = Reductions { sleep_sets: false, dominance: false };
const SLEEP_SETS: Reductions = Reductions { sleep_sets: true, dominance: false };

#[test]
fn every_search_meets_what_each_fault_makes_possible() {
    let mut spared = 0;
    for circumstances in all() {
        let mut compared = 0;
        for number in 0..24 {
            let cluster = || circumstances.cluster(number);
            let Some(Plainly { whole: plain, .. }) = plainly(&cluster(), MET_MAX) else { continue };
            if compared == COMPARED_MAX {
                break;
            }
            let what = format!("{number}, {circumstances:?}");
            for workers in [1, 3] {
                let whole = search(&cluster(), NOTHING_LEFT_OUT, workers);
                assert_eq!(facts(&whole), plain, "{what}, {workers} workers");
            }
            let asleep = facts(&search(&cluster(), SLEEP_SETS, 1));
            let transitions = asleep.transitions;
            assert!(transitions <= plain.transitions, "{what}");
            spared += plain.transitions - transitions;
            assert_eq!(asleep, Facts { transitions, ..plain }, "{what}, with sleep sets");
            assert_eq!(facts(&search(&cluster(), SLEEP_SETS, 2)), asleep, "{what}, two workers");
            let least = facts(&search(&cluster(), Reductions::default(), 1));
            assert_eq!(least.path, plain.path, "{what}, with dominance");
            assert!(least.configurations <= plain.configurations, "{what}, with dominance");
            compared += 1;
        }
        assert!(compared > 0, "nothing to compare in {circumstances:?}");
    }
    assert!(spared > 50_000, "{spared} spared");
}

#[test]
fn processes_that_share_a_search_meet_what_each_fault_makes_possible() {
    for circumstances in all() {
        let small = |number: &u64| plainly(&circumstances.cluster(*number), MET_MAX).is_some();
        for number in (0..40).filter(small).take(1) {
            for reductions in [NOTHING_LEFT_OUT, SLEEP_SETS, Reductions::default()] {
                let settings = Settings { reductions, ..one_worker() };
                let mut expected = facts(&search(&circumstances.cluster(number), reductions, 1));
                let found = facts(&together(2, &settings, || circumstances.cluster(number)));
                if reductions.sleep_sets {
                    // Which actions have a bit depends on who meets them first.
                    expected.transitions = found.transitions;
                }
                assert_eq!(found, expected, "{number}, {circumstances:?}, {reductions:?}");
            }
        }
    }
}

/// Every configuration with a shortest schedule that leads there, so far as there are not too many.
fn schedules(cluster: &Cluster<Drawn>) -> Vec<(Vec<Action>, Configuration)> {
    const MET_MAX: usize = 80;
    let mut met = HashMap::from([(cluster.initial().clone(), Vec::new())]);
    let mut queue = VecDeque::from([cluster.initial().clone()]);
    while let Some(at) = queue.pop_front() {
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after = cluster.next(&at, &choice);
            let after = after.unwrap_or_else(|| panic!("{} is not possible", cluster.tell(choice)));
            if met.len() < MET_MAX && !met.contains_key(&after) {
                let mut schedule: Vec<Action> = met[&at].clone();
                schedule.push(cluster.tell(choice));
                met.insert(after.clone(), schedule);
                queue.push_back(after);
            }
        }
    }
    met.into_iter().map(|(at, schedule)| (schedule, at)).collect()
}

#[test]
fn every_schedule_is_told_and_carried_out_again() {
    let setup = BTreeMap::new();
    let origin = Origin { protocol: "drawn".to_owned(), setup, engine: "test".to_owned() };
    let mut told = BTreeMap::new();
    for circumstances in all() {
        for number in 0..3 {
            let cluster = circumstances.cluster(number);
            let again = circumstances.cluster(number);
            for (schedule, at) in schedules(&cluster) {
                let what = format!("{schedule:?} of {number}, {circumstances:?}");
                let trace = again.execute(&origin, &schedule, None).expect(&what);
                let expected = cluster.snapshot(&at);
                assert_eq!(trace.snapshots().last(), Some(expected.clone()), "{what}");
                let read = Trace::from_ndjson(&trace.to_ndjson()).expect(&what);
                assert_eq!(read, trace, "{what}");
                assert!(read.schedule().eq(&schedule), "{what}");
                let imported = again.import(&expected).expect(&what);
                assert_eq!(again.snapshot(&imported), expected, "{what}");
                for action in &schedule {
                    let json = serde_json::to_value(action).unwrap();
                    let kind = json["fault"].as_object().and_then(|fault| fault.keys().next());
                    let unit = json["fault"].as_str().or(json.as_str());
                    let kind = kind.map(String::as_str).or(unit).unwrap_or("a step");
                    *told.entry(kind.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    let kinds: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "a step",
            "burst",
            "corrupt",
            "crash",
            "crash-group",
            "crash-restart",
            "drop",
            "duplicate",
            "forge",
            "heal",
            "interrupt",
            "jump",
            "partition",
            "pause",
            "replay",
            "restart",
            "resume",
            "sync-fail",
            "tick",
        ]
    );
}
