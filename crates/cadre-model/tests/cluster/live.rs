use std::collections::BTreeSet;
use std::time::Duration;

use cadre_model::{
    Budget, Cluster, Configuration, Consequence, Faults, Guarantee, Live, Model, Network, Origin,
    Part, Purity, Timing, TypedAction, TypedFault, Unsynced, View,
};
use cadre_step::{Effects, Event, NodeId};

use crate::tiny::{Tiny, choices, node};

/// A busy protocol: every event moves the state and asks for something.
fn busy() -> Tiny {
    fn work(id: NodeId, state: u32, out: &mut Effects<Tiny>) {
        let other = node((id.index() + 1 + state as usize % 2) % 3);
        match state % 6 {
            0 => out.send(other, state % 4),
            1 => out.set_timer(state % 2, Duration::from_millis(u64::from(state % 3))),
            2 => {
                out.put("kept", &(state % 5));
                out.put("other", &state);
                out.sync();
            }
            3 => out.put_synced("kept", &state),
            4 => out.cancel_timer(1),
            _ => {
                out.delete("other");
                out.broadcast([other, id], 1);
            }
        }
    }
    Tiny {
        start: |id, disk, out| {
            let kept = disk.get("kept").ok().flatten().unwrap_or(0);
            work(id, kept, out);
            out.set_timer(0, Duration::from_millis(2));
            kept
        },
        step: |id, state, event, out| {
            *state = (*state + 1) % 12;
            match event {
                Event::Deliver { message, .. } => *state = (*state + message) % 12,
                Event::Request { id, request } => {
                    out.respond(id, request + 1);
                    out.send(node(1), request);
                }
                Event::Timeout(_) | Event::SyncDone | Event::SyncFailed(_) => {}
            }
            assert!(*state != 11, "eleven is not to be reached");
            work(id, *state, out);
        },
    }
}

fn cluster(network: Network, timing: Timing) -> Cluster<Tiny> {
    let some = Budget::Unlimited;
    let mut faults = Faults {
        corruptions: some,
        crashes: some,
        restarts: true,
        crash_restarts: some,
        group_crashes: some,
        interruptions: some,
        unsynced: Unsynced::AnyPrefix,
        torn_writes: some,
        sync_errors: some,
        full_disks: some,
        corrupt_reads: some,
        misdirected_reads: some,
        forgeries: some,
        ..Faults::default()
    };
    if network != Network::GrowingSet {
        faults.losses = some;
        faults.bursts = some;
        faults.duplications = some;
        faults.replays = some;
        faults.partitions = some;
        faults.one_way_partitions = some;
        faults.partial_partitions = some;
    }
    if timing != Timing::Untimed {
        // In a growing set no message has to arrive in time.
        faults.delays = if network == Network::GrowingSet { Budget::None } else { some };
        faults.pauses = some;
        faults.slow_syncs = some;
        faults.clock_jumps = some;
    }
    let mut builder = Cluster::builder(busy()).network(network).timing(timing).faults(faults);
    if network != Network::GrowingSet {
        builder = builder.queue(4);
    }
    for name in ["a", "b", "c"] {
        builder = builder.node(name);
    }
    builder
        .group([node(0), node(2)])
        .traitor(node(2), [1, 2])
        .client("one", node(0), vec![1, 2, 3])
        .client("two", node(1), vec![2, 3])
        .guarantee(Guarantee::always("few messages", |view: &View<Tiny>| {
            view.in_flight().count() < 4
        }))
        .build()
        .unwrap()
}

/// The next of some numbers that look random.
fn draw(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

/// What kind of action or fault it is.
fn kind(action: &impl std::fmt::Debug) -> String {
    let text = format!("{action:?}");
    let inner = text.strip_prefix("Fault(").unwrap_or(&text);
    inner.split([' ', '(', ',', ')']).next().unwrap_or_default().to_owned()
}

#[test]
fn an_execution_in_progress_agrees_with_the_cluster_after_every_step_with_every_fault() {
    let interval = Timing::Interval { tick: Duration::from_millis(1), late: 1 };
    let mut met = BTreeSet::new();
    for network in [Network::GrowingSet, Network::ConsumedOnce, Network::Fifo] {
        for timing in [Timing::Untimed, interval] {
            let cluster = cluster(network, timing);
            for run in 0..12 {
                met.extend(agree(&cluster, run));
            }
        }
    }
    let faults = [
        "Drop",
        "Burst",
        "Duplicate",
        "Replay",
        "Corrupt",
        "Forge",
        "Partition",
        "Heal",
        "Crash",
        "CrashGroup",
        "Restart",
        "CrashRestart",
        "Interrupt",
        "Pause",
        "Resume",
        "SyncFail",
        "Jump",
    ];
    let steps = ["Deliver", "Fire", "SyncDone", "Invoke", "Tick"];
    for wanted in steps.into_iter().chain(faults) {
        assert!(met.contains(wanted), "{wanted} did not happen: {met:?}");
    }
}

/// Takes random steps in both, and gives the kinds of actions taken.
fn agree(cluster: &Cluster<Tiny>, run: u64) -> BTreeSet<String> {
    let mut seed = run;
    let mut told = Vec::new();
    let mut live = Live::new(cluster, Purity::Checked, &mut told);
    let mut at: Configuration = cluster.initial().clone();
    let mut schedule = Vec::new();
    let mut met = BTreeSet::new();
    assert_eq!(live.snapshot(), cluster.snapshot(&at));
    for _ in 0..60 {
        let listed = choices(cluster, &at);
        // Kinds first, so that rare ones come as often as common ones.
        let described: Vec<_> = listed.iter().map(|choice| cluster.describe(*choice)).collect();
        let kinds: BTreeSet<String> = described.iter().map(kind).collect();
        let Some(wanted) = kinds.iter().nth(draw(&mut seed) % kinds.len().max(1)) else { break };
        let fitting: Vec<usize> =
            (0..listed.len()).filter(|index| kind(&described[*index]) == *wanted).collect();
        let index = fitting[draw(&mut seed) % fitting.len()];
        let action = described[index].clone();
        assert!(live.is_possible(&action), "{action:?} is possible in the cluster");
        schedule.push(live.tell(&action));
        assert!(live.act(action.clone(), &mut told), "{action:?}");
        at = cluster.carried_out(&at, listed[index]);
        met.insert(kind(&action));
        assert_eq!(live.snapshot(), cluster.snapshot(&at), "after {action:?}");
        for guarantee in 0..cluster.guarantees().len() {
            let expected = cluster.evaluate(guarantee, Part::Main, &at);
            assert_eq!(live.evaluate(guarantee, Part::Main), expected);
        }
    }
    let origin =
        Origin { protocol: "busy".to_owned(), setup: [].into(), engine: "test".to_owned() };
    let trace = cluster.execute(&origin, &schedule, None).unwrap();
    assert_eq!(trace.snapshots().last(), Some(live.snapshot()));
    met
}

#[test]
fn what_a_step_asks_for_is_told_in_order() {
    let cluster = cluster(Network::ConsumedOnce, Timing::Untimed);
    let mut told = Vec::new();
    let mut live = Live::new(&cluster, Purity::Trusted, &mut told);
    told.clear();
    let request = live.next_request(0).unwrap();
    assert!(live.act(request.clone(), &mut told));
    assert!(!live.is_waiting(0), "it is answered at once");
    let kinds: Vec<String> = told.iter().map(|(_, consequence)| kind(consequence)).collect();
    assert_eq!(kinds, ["Answered", "Sent", "Armed"]);
    assert!(!live.act(request, &mut told), "a request is made once");
}

#[test]
fn a_slot_delivers_loses_copies_and_alters_one_message() {
    let cluster = cluster(Network::ConsumedOnce, Timing::Untimed);
    let mut told = Vec::new();
    let mut live = Live::new(&cluster, Purity::Trusted, &mut told);
    let slots: Vec<_> = told
        .iter()
        .filter_map(|(_, consequence)| match consequence {
            Consequence::Sent { slot, .. } => Some(*slot),
            _ => None,
        })
        .collect();
    let count = |live: &Live<'_, Tiny>| live.view().in_flight().count();
    assert_eq!((slots.len(), count(&live)), (3, 3));
    let copy = live.duplicate(slots[0]).unwrap();
    assert_eq!(count(&live), 4);
    assert_eq!(live.delivery(copy), live.delivery(slots[0]));
    assert_eq!(live.corruptions(copy), [1]);
    assert_eq!(live.corrupt(copy, 1), Some(copy));
    assert_ne!(live.delivery(copy), live.delivery(slots[0]));
    assert!(live.lose(copy) && !live.lose(copy));
    let TypedAction::Deliver { from, to, .. } = live.delivery(slots[0]).unwrap() else {
        panic!("a delivery is one");
    };
    live.act(TypedFault::Partition { cut: vec![(from, to)] }.into(), &mut told);
    assert!(!live.deliver(slots[0], &mut told), "the link is cut");
    live.act(TypedFault::Heal.into(), &mut told);
    assert!(live.deliver(slots[0], &mut told) && !live.can_arrive(slots[0]));
}
