use std::collections::BTreeMap;
use std::time::Duration;

use cadre_explore::{Finding, Flow, Settings, explore};
use cadre_model::{Budget, Choice, Cluster, ClusterBuilder, Faults, Guarantee};
use cadre_model::{Network, Origin, Timing, View};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::{Fairness, GuaranteeKind, Trace, Verdict};

use crate::graphs::FAIRNESSES;

/// Nodes that count, by what they do.
#[derive(Clone, Copy)]
enum Role {
    /// `a` and `b` pass a ball on for ever, and `c` may count to one.
    Ball,
    /// `a` opens and shuts its door, and counts those that come in; `b` knocks once.
    Door,
    /// `a` counts to one when its timer goes off.
    Alarm,
    /// `b` sends once to `a`, which counts.
    Once,
    /// The timer of `a` goes off for ever, and `b` may count to one.
    Clock,
}

impl Protocol for Role {
    /// Whether the door is open, and a count.
    type State = (bool, u8);
    type Message = u8;
    type Timer = u8;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, out: &mut Effects<Self>) -> (bool, u8) {
        match (self, node.index()) {
            (Self::Ball | Self::Door | Self::Once, 1) => out.send(NodeId::from_index(0), 0),
            (Self::Alarm, _) | (Self::Clock, 0) => out.set_timer(0, Duration::from_millis(1)),
            (Self::Ball | Self::Door | Self::Once | Self::Clock, _) => {}
        }
        (false, 0)
    }

    fn step(
        &self,
        node: NodeId,
        state: &mut (bool, u8),
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match (self, event) {
            (Self::Clock, Event::Timeout(_)) if node.index() == 0 => {
                out.set_timer(0, Duration::from_millis(1));
            }
            (Self::Ball, Event::Deliver { from, .. }) => out.send(from, 0),
            (Self::Door, Event::Deliver { .. }) if !state.0 => {}
            (Self::Door, Event::Timeout(_)) => state.0 = !state.0,
            _ => state.1 = 1,
        }
    }

    fn choices(&self, node: NodeId, state: &(bool, u8)) -> Vec<u8> {
        let may = match self {
            Self::Ball => node.index() == 2 && state.1 == 0,
            Self::Door => node.index() == 0,
            Self::Clock => node.index() == 1 && state.1 == 0,
            Self::Alarm | Self::Once => false,
        };
        if may { vec![1] } else { Vec::new() }
    }
}

fn builder(role: Role, names: &[&str]) -> ClusterBuilder<Role> {
    names.iter().fold(Cluster::builder(role), |builder, name| builder.node(*name))
}

fn ball() -> ClusterBuilder<Role> {
    builder(Role::Ball, &["a", "b", "c"]).network(Network::ConsumedOnce)
}

fn door(network: Network) -> ClusterBuilder<Role> {
    builder(Role::Door, &["a", "b"]).network(network)
}

fn alarm() -> ClusterBuilder<Role> {
    let faults = Faults { crashes: Budget::Unlimited, restarts: true, ..Faults::default() };
    builder(Role::Alarm, &["a"]).faults(faults)
}

fn once(losses: Budget) -> ClusterBuilder<Role> {
    let faults = Faults { losses, ..Faults::default() };
    builder(Role::Once, &["a", "b"]).network(Network::ConsumedOnce).faults(faults)
}

/// Whether anybody has counted.
fn counted(view: &View<Role>) -> bool {
    view.nodes().any(|node| view.state(node).is_some_and(|(_, count)| *count > 0))
}

/// What becomes of `eventually somebody counts` under no, weak and strong fairness, and of the same
/// for good after the last fault.
fn verdicts(builder: impl Fn() -> ClusterBuilder<Role>) -> [String; 4] {
    let eventually = |fairness| Guarantee::eventually("somebody counts", counted).under(fairness);
    let cluster = || {
        let builder =
            FAIRNESSES.map(eventually).into_iter().fold(builder(), ClusterBuilder::guarantee);
        let convergent = Guarantee::convergent("somebody has counted", counted);
        builder.guarantee(convergent).build().unwrap()
    };
    let searched = cluster();
    let found = explore(&searched, &Settings::default(), &mut |_| Flow::Continue);
    [1, 2, 3, 4].map(|guarantee| {
        let finding = &found.findings[guarantee];
        let trace = traced(&searched, guarantee, finding);
        trace.map_or(finding.verdict.to_string(), |trace| {
            assert_replays(&cluster(), &trace);
            told(&trace)
        })
    })
}

/// The trace of a counterexample, written and read.
fn traced(cluster: &Cluster<Role>, guarantee: usize, finding: &Finding<Choice>) -> Option<Trace> {
    let stem = finding.path.as_ref()?;
    let cycle = finding.cycle.as_deref().unwrap_or_default();
    let origin =
        Origin { protocol: "tiny".to_owned(), setup: BTreeMap::new(), engine: "test".to_owned() };
    let judged = Some((guarantee, finding.verdict));
    let trace = cluster.record_lasso(&origin, stem, cycle, judged);
    let read = Trace::from_ndjson(&trace.to_ndjson()).unwrap();
    assert_eq!(read, trace);
    assert_eq!(read.header.loop_from, finding.cycle.as_ref().map(|_| stem.len()));
    assert_eq!(read.header.guarantee.as_ref().unwrap().kind, finding.claim.kind);
    Some(read)
}

/// A schedule, with `|` where the cycle begins.
fn told(trace: &Trace) -> String {
    let mut words: Vec<String> = trace.schedule().map(ToString::to_string).collect();
    match trace.header.loop_from {
        Some(from) => words.insert(from, "|".to_owned()),
        None => words.push(".".to_owned()),
    }
    words.join(" ")
}

/// A counterexample is one when it is executed again; without its loop, or where the loop is said
/// to begin elsewhere, it is none.
fn assert_replays(cluster: &Cluster<Role>, trace: &Trace) {
    let again = cluster.reexecute(trace).unwrap();
    assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Violated));
    assert_eq!(again.trace.header.loop_from, trace.header.loop_from);
    let mut other = trace.clone();
    if trace.header.loop_from.is_some() {
        other.header.loop_from = None;
    } else {
        other.steps.pop();
    }
    if other != *trace {
        let again = cluster.reexecute(&other).unwrap();
        assert_eq!(again.trace.header.verdict, Verdict::Bounded);
    }
    for from in (0..trace.steps.len()).filter(|from| Some(*from) != trace.header.loop_from) {
        other.header.loop_from = Some(from);
        other.steps.clone_from(&trace.steps);
        let again = cluster.reexecute(&other).unwrap().trace;
        // It may close there too, for a shorter cycle.
        let closes = again.snapshots().nth(from) == again.snapshots().last();
        assert_eq!(again.header.loop_from, closes.then_some(from));
        assert!(closes || again.header.verdict == Verdict::Bounded);
    }
}

#[test]
fn a_ball_that_is_passed_on_for_ever_keeps_nobody_from_counting() {
    let cycle = "| deliver 0 b→a deliver 0 a→b";
    assert_eq!(verdicts(ball), [cycle, "holds", "holds", "holds"]);
}

#[test]
fn a_door_that_is_shut_again_and_again_keeps_a_message_out_without_strong_fairness() {
    let cycle = "| a chooses 1 a chooses 1";
    let growing = verdicts(|| door(Network::GrowingSet));
    assert_eq!(growing, [cycle, cycle, "holds", cycle]);
    // A message that is consumed comes in while the door is shut.
    let consumed = verdicts(|| door(Network::ConsumedOnce));
    let lost = "deliver 0 b→a | a chooses 1 a chooses 1";
    assert_eq!(consumed, [cycle, lost, lost, lost]);
}

#[test]
fn a_node_may_crash_for_ever_unless_strong_fairness_lets_it_do_something() {
    let cycle = "| CRASH a RESTART a";
    assert_eq!(verdicts(alarm), [cycle, cycle, "holds", "holds"]);
    let never_again = || alarm().faults(Faults { crashes: Budget::AtMost(1), ..Faults::default() });
    assert_eq!(verdicts(never_again), ["CRASH a ."; 4]);
    assert_eq!(verdicts(|| builder(Role::Alarm, &["a"])), ["holds"; 4]);
}

#[test]
fn a_message_is_lost_where_that_may_happen_and_else_arrives() {
    assert_eq!(verdicts(|| once(Budget::None)), ["holds"; 4]);
    assert_eq!(verdicts(|| once(Budget::AtMost(1))), ["drop 0 b→a ."; 4]);
    assert_eq!(verdicts(|| once(Budget::Unlimited)), ["drop 0 b→a ."; 4]);
}

#[test]
fn cut_links_heal_unless_they_are_cut_again_and_again() {
    let parted = |partitions| {
        let faults = Faults { partitions, ..Faults::default() };
        move || once(Budget::None).faults(faults)
    };
    // To heal is no fault: nothing ends while links are cut.
    assert_eq!(verdicts(parted(Budget::AtMost(1))), ["holds"; 4]);
    let cycle = "| CUT a | b HEAL";
    assert_eq!(verdicts(parted(Budget::Unlimited)), [cycle, cycle, "holds", "holds"]);
}

fn ticking(builder: ClusterBuilder<Role>) -> ClusterBuilder<Role> {
    builder.timing(Timing::Interval { tick: Duration::from_millis(1), late: 0 })
}

#[test]
fn a_paused_node_goes_on_unless_it_is_paused_again_and_again() {
    let paused = |pauses| {
        let faults = Faults { pauses, ..Faults::default() };
        move || ticking(builder(Role::Alarm, &["a"])).faults(faults)
    };
    assert_eq!(verdicts(paused(Budget::AtMost(1))), ["holds"; 4]);
    // Time can pass without a break, whether the node is paused or not; its timer cannot go off.
    let (cycle, later) = ("| PAUSE a RESUME a", "time passes | PAUSE a RESUME a");
    assert_eq!(verdicts(paused(Budget::Unlimited)), [cycle, later, "holds", "holds"]);
}

#[test]
fn time_may_pass_for_ever_and_a_timer_goes_off_in_time() {
    let clock = || ticking(builder(Role::Clock, &["a", "b"]));
    let cycle = "| time passes a timeout 0";
    assert_eq!(verdicts(clock), [cycle, "holds", "holds", "holds"]);
    // Nothing but the alarm can happen once its time has come.
    assert_eq!(verdicts(|| ticking(builder(Role::Alarm, &["a", "b"]))), ["holds"; 4]);
}

#[test]
fn a_trace_is_judged_by_the_fairness_of_its_guarantee() {
    let guarantee = |fairness| Guarantee::eventually("somebody counts", counted).under(fairness);
    let cluster =
        |fairness| door(Network::GrowingSet).guarantee(guarantee(fairness)).build().unwrap();
    let weak = cluster(Fairness::Weak);
    let found = explore(&weak, &Settings::default(), &mut |_| Flow::Continue);
    let (guarantee, finding) = found.violation().unwrap();
    let mut trace = traced(&weak, guarantee, finding).unwrap();
    let strong = cluster(Fairness::Strong);
    // It is another guarantee, which the strong cluster does not know.
    assert_eq!(strong.reexecute(&trace).unwrap().trace.header.guarantee, None);
    let told = trace.header.guarantee.as_mut().unwrap();
    told.kind = GuaranteeKind::Eventually(Fairness::Strong);
    let again = strong.reexecute(&trace).unwrap();
    assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Bounded));
}
