use std::collections::BTreeMap;

use cadre_model::{Choice, Cluster, Configuration, Model, Origin, TypedAction};
use cadre_step::Protocol;
use cadre_trace::{Action, Envelope, Fault, Json, Kept, Status, Trace, Verdict};
use serde_json::json;

use crate::tiny::{Tiny, choices, crash, node, path_of, reachable};
use crate::two_phase::{self, TwoPhase, Vote};

const AGREE: usize = 1;

fn origin() -> Origin {
    let setup = BTreeMap::from([("nodes".to_owned(), json!(2))]);
    Origin { protocol: "two-phase".to_owned(), setup, engine: "test".to_owned() }
}

/// The first enabled action, again and again, to the end.
fn first_path<P: Protocol>(cluster: &Cluster<P>) -> (Vec<Choice>, Vec<Configuration>) {
    let (mut path, mut states) = (Vec::new(), vec![cluster.initial().clone()]);
    while let Some(choice) = choices(cluster, &states[path.len()]).first() {
        states.push(cluster.next(&states[path.len()], choice).unwrap());
        path.push(*choice);
    }
    (path, states)
}

/// One voter says yes, is not the only one, and the decider that does not wait commits.
fn violation(cluster: &Cluster<TwoPhase>) -> Vec<Choice> {
    let choose = |index, timer| TypedAction::Choose { node: node(index), timer };
    let deliver =
        |from, to| TypedAction::Deliver { from: node(from), to: node(to), message: Vote::Yes };
    let path = [choose(1, Vote::Yes), deliver(1, 0), choose(0, Vote::Yes), deliver(0, 1)];
    path_of(cluster, &[&path[..], &[choose(2, Vote::No)]].concat()).0
}

fn recorded(cluster: &Cluster<TwoPhase>) -> Trace {
    cluster.record(&origin(), &violation(cluster), Some((AGREE, Verdict::Violated)))
}

#[test]
fn a_trace_tells_every_configuration_of_its_path() {
    let cluster = two_phase::cluster(3, 3);
    let (path, states) = first_path(&cluster);
    let trace = cluster.record(&origin(), &path, None);
    let expected: Vec<_> = states.iter().map(|at| cluster.snapshot(at)).collect();
    assert_eq!(trace.snapshots().collect::<Vec<_>>(), expected);
    assert_eq!(trace.steps.len(), path.len());
    assert_eq!((trace.header.verdict, trace.header.guarantee), (Verdict::Bounded, None));
}

#[test]
fn executing_a_trace_again_gives_the_same_trace() {
    let cluster = two_phase::cluster(2, 1);
    let trace = recorded(&cluster);
    let mut again = two_phase::cluster(2, 1).reexecute(&trace).unwrap();
    assert_eq!(again.difference, None);
    assert_eq!(again.trace.header.origin, "replay");
    again.trace.header.origin = "test".to_owned();
    assert_eq!(again.trace.to_ndjson(), trace.to_ndjson());
}

#[test]
fn a_violation_names_what_it_looked_at() {
    let trace = recorded(&two_phase::cluster(2, 1));
    let judged = trace.header.guarantee.unwrap();
    assert_eq!((judged.name.as_str(), trace.header.verdict), ("voters agree", Verdict::Violated));
    assert_eq!(judged.reads, ["rm1", "rm2"]);
}

#[test]
fn a_schedule_that_violates_nothing_any_more_is_told_so() {
    let cluster = two_phase::cluster(2, 1);
    let mut trace = recorded(&cluster);
    trace.steps.pop();
    assert_eq!(cluster.reexecute(&trace).unwrap().trace.header.verdict, Verdict::Bounded);
}

#[test]
fn a_tampered_state_is_a_difference_at_its_step() {
    let cluster = two_phase::cluster(2, 1);
    for step in 1..=4 {
        let mut trace = recorded(&cluster);
        let changed = trace.steps[step - 1].change.nodes.values_mut().next().unwrap();
        changed.state = json!("Elsewhere");
        let (found, differences) = cluster.reexecute(&trace).unwrap().difference.unwrap();
        assert_eq!(found, step);
        assert!(differences[0].to_string().contains("Elsewhere"), "{}", differences[0]);
    }
    let mut trace = recorded(&cluster);
    trace.header.initial.nodes.get_mut("rm1").unwrap().status = Status::Down;
    assert_eq!(cluster.reexecute(&trace).unwrap().difference.unwrap().0, 0);
}

#[test]
fn a_step_that_is_not_enabled_says_what_is() {
    let cluster = two_phase::cluster(2, 2);
    // The schedule of a cluster that decides early: this one does not.
    let trace = recorded(&two_phase::cluster(2, 1));
    let unresolved = cluster.reexecute(&trace).unwrap_err();
    assert_eq!((unresolved.step, unresolved.action.as_str()), (3, "tm chooses Yes"));
    assert_eq!(unresolved.enabled, ["tm chooses No", "rm2 chooses Yes", "rm2 chooses No"]);
    assert!(unresolved.to_string().contains("enabled there: tm chooses No, rm2 chooses Yes"));
}

#[test]
fn a_step_about_something_unknown_says_what_is_unknown() {
    let cluster = two_phase::cluster(2, 1);
    let why = |action: Action| {
        let mut trace = recorded(&cluster);
        trace.steps[0].action = action;
        cluster.reexecute(&trace).unwrap_err().why
    };
    let deliver = |to: &str, message: Json| {
        let (from, to) = ("rm1".to_owned(), to.to_owned());
        Action::Deliver(Envelope { from, to, message })
    };
    let unknown =
        why(Action::Fault(Fault::Crash { node: "rm9".to_owned(), kept: Kept::default() }));
    assert_eq!(unknown, "there is no node `rm9`; the nodes are tm, rm1, rm2");
    assert!(
        why(deliver("tm", json!("Maybe"))).starts_with("the message `\"Maybe\"` does not read")
    );
    assert!(why(deliver("rm9", json!("Yes"))).starts_with("there is no node `rm9`"));
    assert_eq!(why(deliver("rm2", json!("Yes"))), "nothing of the kind ever happens");
    let asked = Action::Choose { node: "tm".to_owned(), timer: json!("Perhaps") };
    assert!(why(asked).starts_with("the timer `\"Perhaps\"` does not read"));
}

#[test]
fn a_schedule_may_hold_faults_that_the_cluster_has_no_budget_for() {
    let cluster = two_phase::cluster(2, 1);
    let mut trace = recorded(&cluster);
    for action in [
        Action::Fault(Fault::Crash { node: "rm1".to_owned(), kept: Kept::default() }),
        Action::Fault(Fault::Restart { node: "rm1".to_owned(), misread: None }),
        Action::Fault(Fault::CrashRestart { node: "tm".to_owned(), kept: Kept::default() }),
    ] {
        let mut step = trace.steps[0].clone();
        step.action = action;
        trace.steps.push(step);
    }
    let again = cluster.reexecute(&trace).unwrap();
    let last = again.trace.snapshots().last().unwrap();
    assert!(last.nodes.values().all(|node| node.status == Status::Up));
    assert_eq!(again.trace.steps[5].action.to_string(), "CRASH rm1");
}

#[test]
fn every_configuration_of_a_space_can_be_imported() {
    let cluster = two_phase::cluster(3, 3);
    let other = two_phase::cluster(3, 3);
    let all = reachable(&cluster);
    for at in &all {
        let imported = other.import(&cluster.snapshot(at)).unwrap();
        assert_eq!(imported.fingerprint(), at.fingerprint());
        assert_eq!(choices(&other, &imported).len(), choices(&cluster, at).len());
    }
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused_with_the_reason() {
    let cluster = two_phase::cluster(2, 2);
    let whole = cluster.snapshot(cluster.initial());
    let mut told = whole.clone();
    told.nodes.remove("rm2");
    assert_eq!(cluster.import(&told).unwrap_err(), "node `rm2` is missing");
    let mut told = whole.clone();
    told.nodes.get_mut("rm1").unwrap().state = json!({"Sleeping": 3});
    let why = cluster.import(&told).unwrap_err();
    assert!(why.starts_with("node `rm1`: the state `{\"Sleeping\":3}` does not read"), "{why}");
    let mut told = whole.clone();
    told.nodes.get_mut("rm1").unwrap().disk.insert("k".to_owned(), "0xf".to_owned());
    assert!(cluster.import(&told).unwrap_err().contains("is not bytes in hexadecimal"));
    let mut told = whole;
    let (from, to) = ("rm1".to_owned(), "rm7".to_owned());
    told.network.push(Envelope { from, to, message: json!("Yes") });
    assert!(cluster.import(&told).unwrap_err().starts_with("there is no node `rm7`"));
}

#[test]
fn a_recorded_trace_reads_back_from_its_text() {
    let trace = recorded(&two_phase::cluster(2, 1));
    assert_eq!(Trace::from_ndjson(&trace.to_ndjson()).unwrap(), trace);
}

#[test]
fn a_crash_is_possible_in_a_cluster_that_has_never_met_one() {
    let tiny = || Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
    let faults =
        cadre_model::Faults { crashes: cadre_model::Budget::AtMost(1), ..Default::default() };
    let cluster = Cluster::builder(tiny()).node("a").faults(faults).build().unwrap();
    let (path, at) = path_of(&cluster, &[crash(0)]);
    let trace = cluster.record(&origin(), &path, None);
    let fresh = Cluster::builder(tiny()).node("a").build().unwrap();
    let again = fresh.reexecute(&trace).unwrap();
    assert_eq!(again.difference, None);
    assert_eq!(again.trace.snapshots().last(), Some(cluster.snapshot(&at)));
}
