//! Every fault of the cluster, done to real processes: what they make of it is what the model says.

use cadre_model::{Cluster, Network, Origin};
use cadre_replay::Outcome;
use cadre_step::{NodeId, SyncError};
use cadre_trace::{Action, Fault, Kept, Link, Misread, Status, Trace};
use serde_json::json;

use crate::bench::{beat, crash_restart, deliver, envelope, invoke, speak, sync_done};
use crate::protocol::{Request, Tally};
use crate::surroundings::{replayed, tally};

#[test]
fn a_sync_that_fails_loses_the_writes_or_leaves_them_waiting() {
    for error in [SyncError::Lost, SyncError::Full] {
        let fails = Fault::SyncFail { node: "b".to_owned(), error };
        let trace = agreed([
            invoke("b", 0, json!({"Keep": 1234})),
            fails.into(),
            beat("b"),
            sync_done("b"),
            crash_restart("b"),
        ]);
        let kept = &last(&trace, "b").state["kept"];
        let expected = match error {
            SyncError::Lost => json!(null),
            SyncError::Full => json!(1234),
        };
        assert_eq!(*kept, expected, "after {error:?}");
    }
}

#[test]
fn writes_that_nobody_synced_may_survive_a_crash() {
    // The ping writes that it was heard, the request what is kept.
    let before =
        [speak("a"), deliver(json!({"Ping": 1}), "a", "b"), invoke("b", 0, json!({"Keep": 1234}))];
    for (writes, heard, kept) in [
        (vec![], json!(0), json!(null)),
        (vec![0], json!(1), json!(null)),
        (vec![1], json!(0), json!(1234)),
        (vec![0, 1], json!(1), json!(1234)),
        (vec![0, 1, 2], json!(0), json!(1234)),
    ] {
        let kept_writes = Kept { writes, torn: None };
        let crash = Fault::CrashRestart { node: "b".to_owned(), kept: kept_writes };
        let trace = agreed(before.iter().cloned().chain([crash.into()]));
        let state = &last(&trace, "b").state;
        assert_eq!((&state["heard"], &state["kept"]), (&heard, &kept));
    }
}

#[test]
fn half_a_write_is_read_as_what_it_is() {
    let torn = Kept { writes: Vec::new(), torn: Some(0) };
    let trace = agreed([
        invoke("b", 0, json!({"Keep": 1234})),
        Fault::Crash { node: "b".to_owned(), kept: torn }.into(),
        Fault::Restart { node: "b".to_owned(), misread: None }.into(),
    ]);
    assert_eq!(last(&trace, "b").state["kept"], json!(12));
}

#[test]
fn a_step_ends_in_the_middle() {
    let interrupt = |effects| Fault::Interrupt { of: Box::new(speak("a")), effects };
    let restart = || Fault::Restart { node: "a".to_owned(), misread: None }.into();
    let trace = agreed([interrupt(1).into(), restart(), speak("a")]);
    assert_eq!(last(&trace, "a").state["spoken"], json!(2), "the write is there, the ping is not");
    assert_eq!(trace.steps[0].change.added, []);
    let whole = agreed([interrupt(2).into(), deliver(json!({"Ping": 1}), "a", "b"), restart()]);
    assert_eq!(whole.steps[0].change.nodes["a"].status, Status::Down);
}

#[test]
fn a_start_reads_what_is_not_there() {
    let written = [
        speak("b"),
        deliver(json!({"Ping": 1}), "b", "a"),
        beat("a"),
        sync_done("a"),
        speak("a"),
        speak("a"),
        Fault::Crash { node: "a".to_owned(), kept: Kept::default() }.into(),
    ];
    let read = |misread: Misread| {
        let restart = Fault::Restart { node: "a".to_owned(), misread: Some(misread) };
        agreed(written.iter().cloned().chain([restart.into()]))
    };
    let (key, value) = ("spoken".to_owned(), "3".to_owned());
    let altered = read(Misread::Corrupt { key: key.clone(), value });
    assert_eq!(last(&altered, "a").state["spoken"], json!(3));
    let garbled = read(Misread::Corrupt { key: key.clone(), value: "0xff".to_owned() });
    assert_eq!(last(&garbled, "a").status, Status::Failed, "the protocol expects it to read");
    let elsewhere = read(Misread::Misdirected { key: "heard".to_owned(), instead: key });
    assert_eq!(last(&elsewhere, "a").state["heard"], json!(2));
}

#[test]
fn messages_are_altered_made_up_and_sent_once_more() {
    let ping = |number: u32| envelope(json!({"Ping": number}), "a", "b");
    agreed([
        speak("a"),
        Fault::Corrupt { envelope: ping(1), into: json!({"Ping": 0}) }.into(),
        Action::Deliver(ping(0)),
        Fault::Replay(ping(0)).into(),
        Action::Deliver(ping(0)),
        Fault::Forge(ping(9)).into(),
        Action::Deliver(ping(9)),
        deliver(json!({"Pong": 9}), "b", "a"),
    ]);
}

#[test]
fn what_is_cut_off_is_lost_and_what_is_lost_at_once_is_too() {
    let link = |from: &str, to: &str| Link { from: from.to_owned(), to: to.to_owned() };
    agreed([
        Fault::Partition { cut: vec![link("a", "b")] }.into(),
        speak("a"),
        speak("b"),
        deliver(json!({"Ping": 1}), "b", "a"),
        Fault::Heal.into(),
        speak("a"),
        Fault::Burst(link("a", "b")).into(),
    ]);
}

#[test]
fn nodes_crash_together_pause_and_have_clocks_that_jump() {
    let named = |node: &str| node.to_owned();
    agreed([
        Fault::Pause { node: named("a") }.into(),
        speak("b"),
        Fault::Jump { node: named("b"), by_us: -7 }.into(),
        Fault::Resume { node: named("a") }.into(),
        deliver(json!({"Ping": 1}), "b", "a"),
        Fault::CrashGroup { nodes: vec![named("a"), named("b")] }.into(),
        Fault::Restart { node: named("b"), misread: None }.into(),
        speak("b"),
    ]);
}

/// The trace of a schedule, which processes follow step by step.
fn agreed(schedule: impl IntoIterator<Item = Action>) -> Trace {
    let nodes = [0, 1].map(NodeId::from_index);
    let cluster = Cluster::builder(Tally { nodes: nodes.to_vec(), trouble: None })
        .node("a")
        .node("b")
        .network(Network::ConsumedOnce)
        .client("client", nodes[1], vec![Request::Keep(1234)])
        .build()
        .unwrap();
    let schedule: Vec<Action> = schedule.into_iter().collect();
    let origin = Origin {
        protocol: "tally".to_owned(),
        setup: Default::default(),
        engine: "test".to_owned(),
    };
    let trace = cluster.execute(&origin, &schedule, None).unwrap();
    let outcome = replayed(&trace, tally(&["a", "b"])).unwrap();
    assert_eq!(outcome, Outcome::Agrees { steps: schedule.len() }, "{outcome}");
    trace
}

/// A node as it is at the end.
fn last(trace: &Trace, node: &str) -> cadre_trace::NodeSnapshot {
    trace.snapshots().last().unwrap().nodes[node].clone()
}
