use crate::depth_at_most;
use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::{
    Budget, Choice, Cluster, Faults, Guarantee, Model, Network, TypedAction, TypedFault, View,
    check,
};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::Verdict;

/// Node 0 tells node 1 a number, which repeats it if it may; node 1 adds up what it hears.
struct Tell {
    is_idempotent: bool,
}

impl Protocol for Tell {
    type State = u32;
    type Message = u32;
    type Timer = Nothing;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, out: &mut Effects<Self>) -> u32 {
        if node.index() == 0 {
            out.send(NodeId::from_index(1), 5);
        }
        0
    }

    fn step(&self, _: NodeId, heard: &mut u32, event: Event<Self>, _: &mut Effects<Self>) {
        if let Event::Deliver { message, .. } = event {
            *heard = if self.is_idempotent { message } else { *heard + message };
        }
    }
}

fn cluster(is_idempotent: bool, faults: Faults) -> Cluster<Tell> {
    let heard = |view: &View<Tell>| view.state(NodeId::from_index(1)).copied();
    Cluster::builder(Tell { is_idempotent })
        .node("a")
        .node("b")
        .network(Network::ConsumedOnce)
        .faults(faults)
        .guarantee(Guarantee::always("no more than was said", move |view| heard(view) <= Some(5)))
        .guarantee(Guarantee::pre_post(
            "what was said is heard in the end",
            move |view| heard(view).is_some(),
            move |view| heard(view) == Some(5),
        ))
        .build()
        .unwrap()
}

fn search(cluster: &Cluster<Tell>) -> Exploration<Choice> {
    // More levels than any space here has, but for the one without end.
    let bounds = depth_at_most(20);
    explore(cluster, &bounds, &mut |_| Flow::Continue)
}

/// The violated guarantee and how to get there.
fn violation(cluster: &Cluster<Tell>) -> Option<(usize, Vec<&'static str>)> {
    let found = search(cluster);
    let (guarantee, finding) = found.violation()?;
    let path = finding.path.as_ref().unwrap();
    let name = |choice: &Choice| match cluster.describe(*choice) {
        TypedAction::Deliver { .. } => "deliver",
        TypedAction::Fault(TypedFault::Drop { .. }) => "drop",
        TypedAction::Fault(TypedFault::Duplicate { .. }) => "duplicate",
        TypedAction::Fault(TypedFault::Crash { .. }) => "crash",
        TypedAction::Fault(TypedFault::Restart { .. }) => "restart",
        TypedAction::Fault(TypedFault::CrashRestart { .. }) => "crash-restart",
        TypedAction::Choose { .. }
        | TypedAction::Fire { .. }
        | TypedAction::SyncDone { .. }
        | TypedAction::Invoke { .. }
        | TypedAction::Tick
        | TypedAction::Fault(_) => "something else",
    };
    Some((guarantee, path.iter().map(name).collect()))
}

#[test]
fn without_faults_all_is_heard_once() {
    let found = search(&cluster(false, Faults::default()));
    assert_eq!(found.verdict(), Verdict::Holds);
    assert_eq!(found.progress.configurations, 2);
}

#[test]
fn a_loss_breaks_what_counts_on_delivery() {
    let faults = Faults { losses: Budget::AtMost(1), ..Faults::default() };
    assert_eq!(violation(&cluster(true, faults)), Some((2, vec!["drop"])));
}

#[test]
fn a_duplication_breaks_what_counts_messages_and_not_its_idempotent_twin() {
    let faults = Faults { duplications: Budget::AtMost(1), ..Faults::default() };
    let path = vec!["duplicate", "deliver", "deliver"];
    assert_eq!(violation(&cluster(false, faults)), Some((1, path)));
    assert_eq!(violation(&cluster(true, faults)), None);
}

#[test]
fn a_loss_is_a_loss_where_messages_may_be_duplicated_as_well() {
    let losses = Budget::AtMost(1);
    let faults = Faults { losses, duplications: Budget::Unlimited, ..Faults::default() };
    // The space has no end, for each duplicate is one more message; the search ends before.
    assert_eq!(violation(&cluster(true, faults)), Some((2, vec!["drop"])));
}

#[test]
fn a_crash_breaks_what_is_kept_in_memory_alone() {
    let faults = Faults { crash_restarts: Budget::AtMost(1), ..Faults::default() };
    assert_eq!(violation(&cluster(true, faults)), Some((2, vec!["deliver", "crash-restart"])));
    let faults = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let path = vec!["deliver", "crash", "restart"];
    assert_eq!(violation(&cluster(true, faults)), Some((2, path)));
}

#[test]
fn a_node_that_stays_down_is_no_violation_where_the_precondition_is_that_it_runs() {
    let faults = Faults { crashes: Budget::AtMost(1), ..Faults::default() };
    assert_eq!(violation(&cluster(true, faults)), None);
}

/// A line of numbers with a fault that jumps back to its beginning.
struct Line {
    faults: bool,
}

impl Model for Line {
    type State = u32;
    type Action = &'static str;

    fn init(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, out: &mut Vec<&'static str>) {
        out.push("on");
        out.extend(self.faults.then_some("back"));
    }

    fn next(&self, state: &u32, action: &&'static str) -> Option<u32> {
        Some(if *action == "on" { (state + 1).min(3) } else { 0 })
    }

    fn is_fault(&self, action: &&'static str) -> bool {
        *action == "back"
    }
}

fn at_rest(faults: bool, post: fn(&u32) -> bool) -> Exploration<&'static str> {
    let guarantee = Guarantee::pre_post("at rest", |_| true, post);
    let model = check(Line { faults }).guarantee(guarantee);
    explore(&model, &Settings::default(), &mut |_| Flow::Continue)
}

#[test]
fn a_postcondition_is_judged_at_rest_only() {
    for faults in [false, true] {
        assert_eq!(at_rest(faults, |state| *state == 3).verdict(), Verdict::Holds);
        let found = at_rest(faults, |state| *state < 3);
        assert_eq!(found.findings[0].path.as_deref(), Some(&["on", "on", "on"][..]));
    }
}

#[test]
fn a_precondition_that_is_false_demands_nothing() {
    let guarantee = Guarantee::pre_post("never asked", |state| *state > 3, |_| false);
    let model = check(Line { faults: true }).guarantee(guarantee);
    let found = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    assert_eq!(found.verdict(), Verdict::Holds);
}

#[test]
fn the_last_level_within_a_depth_is_judged_at_rest_as_well() {
    let guarantee = Guarantee::pre_post("never three", |_| true, |state| *state < 3);
    let model = check(Line { faults: false }).guarantee(guarantee);
    let bounds = depth_at_most(4);
    let found = explore(&model, &bounds, &mut |_| Flow::Continue);
    assert_eq!(found.verdict(), Verdict::Violated);
    let bounds = depth_at_most(3);
    let found = explore(&model, &bounds, &mut |_| Flow::Continue);
    assert_eq!(found.verdict(), Verdict::Bounded);
}

/// A node that fails in its third step, and one that is not pure.
struct Fails {
    is_impure: bool,
}

static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

impl Protocol for Fails {
    type State = u32;
    type Message = Nothing;
    type Timer = ();
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 {
        0
    }

    fn step(&self, _: NodeId, state: &mut u32, _: Event<Self>, _: &mut Effects<Self>) {
        *state += 1;
        if *state == 3 && self.is_impure {
            *state += CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        assert!(*state < 3 || self.is_impure, "three is too many");
    }

    fn choices(&self, _: NodeId, _: &u32) -> Vec<()> {
        vec![()]
    }
}

#[test]
fn a_step_that_does_not_return_or_is_not_pure_violates_the_guarantee_that_every_cluster_has() {
    for is_impure in [false, true] {
        let cluster = Cluster::builder(Fails { is_impure }).node("a").build().unwrap();
        let bounds = depth_at_most(10);
        let found = explore(&cluster, &bounds, &mut |_| Flow::Continue);
        let (guarantee, finding) = found.violation().unwrap();
        assert_eq!((guarantee, finding.claim.name.as_str()), (0, "every step returns"));
        assert_eq!(finding.path.as_ref().unwrap().len(), 3);
    }
}
