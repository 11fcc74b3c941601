use cadre_replay::{Network, Outcome};
use cadre_trace::{Action, Fault, Kept, Trace};
use serde_json::json;

use crate::bench::{Bench, beat, crash_restart, deliver, envelope, invoke, speak, sync_done};
use crate::surroundings::{replayed, tally};

#[test]
fn a_process_agrees_with_every_kind_of_step() {
    let ping = |number: u32| envelope(json!({"Ping": number}), "a", "b");
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            deliver(json!({"Pong": 1}), "b", "a"),
            beat("a"),
            sync_done("a"),
            invoke("b", 0, json!({"Keep": 7})),
            sync_done("b"),
            speak("a"),
            Action::Fault(Fault::Duplicate(ping(2))),
            Action::Deliver(ping(2)),
            Action::Fault(Fault::Drop(ping(2))),
            deliver(json!({"Pong": 2}), "b", "a"),
        ],
    );
    agrees(&trace, 12);
}

#[test]
fn a_message_of_a_growing_set_is_delivered_again_and_again() {
    let trace = trace(
        Network::GrowingSet,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            deliver(json!({"Ping": 1}), "a", "b"),
            crash_restart("b"),
            deliver(json!({"Ping": 1}), "a", "b"),
            deliver(json!({"Pong": 1}), "b", "a"),
            deliver(json!({"Pong": 1}), "b", "a"),
        ],
    );
    agrees(&trace, 7);
}

#[test]
fn a_process_that_is_killed_and_started_again_agrees() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            Action::Fault(Fault::Crash { node: "a".to_owned(), kept: Kept::default() }),
            deliver(json!({"Ping": 1}), "a", "b"),
            Action::Fault(Fault::Restart { node: "a".to_owned(), misread: None }),
            deliver(json!({"Pong": 1}), "b", "a"),
            crash_restart("a"),
            speak("a"),
            deliver(json!({"Ping": 2}), "a", "b"),
        ],
    );
    agrees(&trace, 8);
}

#[test]
fn writes_that_were_not_synced_are_lost_with_the_process() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            invoke("b", 0, json!({"Keep": 7})),
            speak("b"),
            crash_restart("b"),
        ],
    );
    let lost = &trace.steps[4].change.nodes["b"];
    assert_eq!(
        lost.state,
        json!({
            "spoken": 1, "heard": 0, "kept": null, "answered": 0, "beats": 0, "asked": null,
        })
    );
    agrees(&trace, 5);
}

#[test]
fn writes_that_were_synced_survive_the_process() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            beat("b"),
            sync_done("b"),
            invoke("b", 0, json!({"Keep": 7})),
            crash_restart("b"),
            invoke("b", 1, json!({"Keep": 8})),
            sync_done("b"),
            crash_restart("b"),
        ],
    );
    assert_eq!(trace.steps[5].change.nodes["b"].state["heard"], 1);
    assert_eq!(trace.steps[8].change.nodes["b"].state["kept"], 8);
    agrees(&trace, 9);
}

#[test]
fn a_process_that_answers_before_its_disk_is_synced_differs_at_its_restart() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            crash_restart("a"),
            deliver(json!({"Pong": 1}), "b", "a"),
        ],
    );
    let program = tally(&["a", "b"]).args(["--answers-before-sync", "yes"]);
    let outcome = replayed(&trace, program).unwrap();
    assert_eq!(
        outcome.to_string(),
        "a differs at step 3 (CRASH+RESTART a), expected → found:\n  \
         a.disk.spoken 1 → none\n  a.state.spoken 1 → 0"
    );
    let Outcome::Differs { step, node, .. } = outcome else { panic!("it differs") };
    assert_eq!((step, node.as_str()), (3, "a"));
}

#[test]
fn a_sync_that_is_not_one_shows_as_well() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            invoke("a", 0, json!({"Keep": 7})),
            sync_done("a"),
            Action::Fault(Fault::Crash { node: "a".to_owned(), kept: Kept::default() }),
            Action::Fault(Fault::Restart { node: "a".to_owned(), misread: None }),
        ],
    );
    let program = tally(&["a", "b"]).args(["--answers-before-sync", "yes"]);
    assert_eq!(
        replayed(&trace, program).unwrap().to_string(),
        "a differs at step 4 (RESTART a), expected → found:\n  \
         a.disk.kept 7 → none\n  a.state.kept 7 → –"
    );
}

#[test]
fn a_trace_that_was_tampered_with_differs_at_that_step() {
    let mut trace = short();
    trace.steps[1].change.nodes.get_mut("b").unwrap().state["heard"] = json!(5);
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "b differs at step 2 (deliver Ping(1) a→b), expected → found:\n  b.state.heard 5 → 1"
    );
}

#[test]
fn a_step_that_should_change_nothing_but_does_differs() {
    let mut trace = short();
    trace.steps[2].change.nodes.clear();
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "a differs at step 3 (deliver Pong(1) b→a), expected → found:\n  a.state.answered 0 → 1"
    );
}

#[test]
fn a_start_that_differs_is_step_0() {
    let mut trace = short();
    trace.header.initial.nodes.get_mut("b").unwrap().timers.clear();
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "b differs at its start, expected → found:\n  b.timers[0] none → Beat"
    );
}

#[test]
fn a_message_that_should_be_in_flight_from_the_start_is_missed() {
    let mut trace = short();
    trace.header.initial.network.push(envelope(json!({"Ping": 9}), "b", "a"));
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "b differs at its start, expected → found:\n  network Ping(9) b→a → none"
    );
}

#[test]
fn a_choice_that_the_process_has_not_is_a_difference() {
    let mut trace = short();
    trace.steps[0].action = Action::Choose { node: "a".to_owned(), timer: json!("Beat") };
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "a differs at step 1 (a chooses Beat), expected → found:\n  \
         a.report a chooses Beat → refused: expected one of the choices of a, which are [Speak], \
         found Beat"
    );
}

#[test]
fn a_step_that_panics_fails_in_the_process_as_well() {
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            invoke("b", 0, json!("Fail")),
            crash_restart("b"),
            deliver(json!({"Ping": 1}), "a", "b"),
        ],
    );
    assert!(trace.steps[1].failure.is_some());
    agrees(&trace, 4);
}

#[test]
fn a_step_that_should_panic_and_does_not_is_a_difference() {
    let mut trace = short();
    trace.steps[0].failure = Some("it should".to_owned());
    assert_eq!(
        replayed(&trace, tally(&["a", "b"])).unwrap().to_string(),
        "a differs at step 1 (a chooses Speak), expected → found:\n  a.failure it should → –"
    );
}

#[test]
fn a_trace_without_steps_compares_the_starts() {
    agrees(&trace(Network::GrowingSet, []), 0);
}

/// A message and its answer.
pub(crate) fn short() -> Trace {
    trace(
        Network::ConsumedOnce,
        [speak("a"), deliver(json!({"Ping": 1}), "a", "b"), deliver(json!({"Pong": 1}), "b", "a")],
    )
}

pub(crate) fn trace<const N: usize>(network: Network, actions: [Action; N]) -> Trace {
    let mut bench = Bench::new(&["a", "b"], network);
    actions.into_iter().for_each(|action| bench.act(action));
    bench.finish()
}

fn agrees(trace: &Trace, steps: usize) {
    let outcome = replayed(trace, tally(&["a", "b"])).unwrap();
    assert_eq!(outcome, Outcome::Agrees { steps }, "{outcome}");
}
