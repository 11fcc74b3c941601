//! What is said of a text that is not a trace, or not the whole of one.

use std::collections::BTreeMap;

use cadre_trace::{
    Action, Effect, Envelope, Event, Happening, Header, Json, NodeSnapshot, Recorder, Snapshot,
    Status, Trace, TraceError, Verdict,
};
use serde_json::json;

#[test]
fn nothing_is_not_a_trace() {
    let message = "expected a trace, found nothing; check that the file was written to its end";
    check("", message);
    check("\n \n", message);
}

#[test]
fn something_else_is_not_a_trace() {
    check(
        "state space explored",
        "expected a first line with \"format\":\"cadre-trace\", found `state space explored`; is \
         this file a trace?",
    );
    check(
        "{\"#meta\":{\"format\":\"ITF\"},\"vars\":[\"x\"],\"states\":[]}",
        "expected a first line with \"format\":\"cadre-trace\", found \
         `{\"#meta\":{\"format\":\"ITF\"},\"vars\":[\"x\"],\"`; is this file a trace?",
    );
    check(
        "[1, 2]",
        "expected a first line with \"format\":\"cadre-trace\", found `[1, 2]`; is this file a \
         trace?",
    );
}

#[test]
fn another_version_is_named() {
    check(
        &edited(0, "\"version\":2", "\"version\":7"),
        "expected trace version 2, found version 7; read it with the version of the tool that \
         wrote it, or record it again",
    );
    // Another version may have any other fields.
    check(
        "{\"format\":\"cadre-trace\",\"version\":3,\"chunks\":[]}",
        "expected trace version 2, found version 3; read it with the version of the tool that \
         wrote it, or record it again",
    );
    check(
        &edited(0, "\"version\":2,", ""),
        "line 1: the header does not read: there is no version number",
    );
    check(
        &edited(0, "\"version\":2", "\"version\":\"1\""),
        "line 1: the header does not read: there is no version number",
    );
}

#[test]
fn a_header_without_a_field_names_the_field() {
    check(
        &edited(0, "\"nodes\":[\"a\",\"b\"],", ""),
        "line 1: the header does not read: missing field `nodes`",
    );
}

#[test]
fn an_unknown_field_of_the_header_is_named() {
    let text = edited(0, "\"network\":", "\"weather\":\"fine\",\"network\":");
    let message = message(&text);
    let start =
        "line 1: the header does not read: unknown field `weather`, expected one of `protocol`";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn an_unknown_field_of_a_step_is_named_with_its_line() {
    let message = message(&edited(2, "\"lamport\":", "\"wall_clock\":12,\"lamport\":"));
    let start = "line 3: expected a step, but it does not read: unknown field `wall_clock`";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn an_unknown_kind_of_action_is_named_with_its_line() {
    let message = message(&edited(2, "\"action\":{\"deliver\":", "\"action\":{\"teleport\":"));
    let start = "line 3: expected a step, but it does not read: unknown variant `teleport`";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_line_that_is_no_step_is_named() {
    let mut lines = lines();
    lines[2] = "42".to_owned();
    let message = message(&lines.join("\n"));
    let start = "line 3: expected a step, but it does not read: invalid type: integer `42`";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_trace_cut_within_a_line_is_truncated() {
    let text = text();
    check(
        &text[..text.len() - 10],
        "line 4 ends in the middle of a step: the trace is truncated; record it again",
    );
    check(
        &text[..200],
        "line 1 ends in the middle of a step: the trace is truncated; record it again",
    );
}

#[test]
fn a_trace_cut_between_lines_is_truncated() {
    let lines = lines();
    check(
        &lines[..3].join("\n"),
        "expected 3 steps, found 2: the trace is truncated or was edited",
    );
    check(&lines[0], "expected 3 steps, found 0: the trace is truncated or was edited");
}

#[test]
fn a_trace_cut_anywhere_is_refused() {
    let text = text();
    // Without its last line break a trace is whole.
    for end in 0..text.len() - 1 {
        let error = Trace::from_ndjson(&text[..end]).expect_err("it is cut");
        let known = matches!(
            error,
            TraceError::Empty
                | TraceError::NotATrace { .. }
                | TraceError::CutLine { .. }
                | TraceError::Steps { .. }
        );
        assert!(known, "cut at {end}: {error}");
    }
    assert!(Trace::from_ndjson(text.trim_end()).is_ok());
}

#[test]
fn a_missing_step_is_missed() {
    let mut lines = lines();
    lines.remove(2);
    check(&lines.join("\n"), "expected 3 steps, found 2: the trace is truncated or was edited");
    // Even where the header has been adapted.
    lines[0] = lines[0].replace("\"steps\":3", "\"steps\":2");
    check(&lines.join("\n"), "expected step 2, found step 3: steps are missing or out of order");
}

#[test]
fn a_step_too_many_is_refused() {
    let mut lines = lines();
    lines.push(lines[3].clone());
    check(&lines.join("\n"), "expected 3 steps, found 4: the trace is truncated or was edited");
}

#[test]
fn swapped_steps_are_out_of_order() {
    let mut lines = lines();
    lines.swap(1, 2);
    check(&lines.join("\n"), "expected step 1, found step 2: steps are missing or out of order");
}

#[test]
fn a_cause_that_does_not_come_before_is_refused() {
    check(
        &edited(2, "\"causes\":[1]", "\"causes\":[3]"),
        "step 2 names step 3 as a cause, which does not come before it",
    );
    check(
        &edited(2, "\"causes\":[1]", "\"causes\":[2]"),
        "step 2 names step 2 as a cause, which does not come before it",
    );
}

#[test]
fn a_node_that_the_header_does_not_list_is_named() {
    check(
        &edited(3, "\"choose\":{\"node\":\"a\"", "\"choose\":{\"node\":\"c\""),
        "step 3 names node `c`, which the header does not list",
    );
    check(
        &edited(2, "\"deliver\":{\"from\":\"a\"", "\"deliver\":{\"from\":\"c\""),
        "step 2 names node `c`, which the header does not list",
    );
    check(
        &edited(0, "\"nodes\":[\"a\",\"b\"]", "\"nodes\":[\"a\"]"),
        "step 0 names node `b`, which the header does not list",
    );
}

#[test]
fn empty_lines_and_other_line_ends_are_no_fault() {
    let trace = Trace::from_ndjson(&text()).unwrap();
    let spaced = text().replace('\n', "\r\n\n");
    assert_eq!(Trace::from_ndjson(&spaced), Ok(trace));
}

#[test]
fn a_loop_that_does_not_close_is_named() {
    for from in 0..5 {
        check(
            &edited(0, "\"spec\":null", &format!("\"spec\":null,\"loop_from\":{from}")),
            &format!(
                "expected the steps after step {from} to repeat for ever, but the last \
                 configuration is not the one after that step"
            ),
        );
    }
}

#[test]
fn a_trace_that_is_written_without_a_loop_says_nothing_of_one() {
    assert!(!text().contains("loop_from"));
    let read = Trace::from_ndjson(&text()).expect("it is a trace");
    assert_eq!(read.header.loop_from, None);
}

fn check(text: &str, expected: &str) {
    assert_eq!(message(text), expected);
}

/// What is said of a text, without the place within the line that the decoder adds.
fn message(text: &str) -> String {
    let message = Trace::from_ndjson(text).expect_err("it is not a trace").to_string();
    match message.rfind(" at line 1 column ") {
        Some(at) => message[..at].to_owned(),
        None => message,
    }
}

/// The trace with one of its lines changed.
fn edited(line: usize, from: &str, to: &str) -> String {
    let mut lines = lines();
    let changed = lines[line].replacen(from, to, 1);
    assert_ne!(changed, lines[line], "`{from}` occurs");
    lines[line] = changed;
    lines.join("\n")
}

fn lines() -> Vec<String> {
    text().lines().map(str::to_owned).collect()
}

/// Node `a` sends to `b`, which answers nothing; then `a` goes on.
fn text() -> String {
    let node = NodeSnapshot {
        status: Status::Up,
        state: json!(0),
        timers: Vec::new(),
        due: Vec::new(),
        disk: BTreeMap::new(),
        unsynced: Vec::new(),
    };
    let names = ["a", "b"].map(str::to_owned);
    let nodes = names.iter().map(|name| (name.clone(), node.clone())).collect();
    let initial = Snapshot { nodes, ..Snapshot::default() };
    let header = Header {
        protocol: "play".to_owned(),
        setup: BTreeMap::new(),
        origin: "test".to_owned(),
        nodes: names.to_vec(),
        network: "consuming".to_owned(),
        guarantee: None,
        verdict: Verdict::Holds,
        initial: initial.clone(),
        spec: None,
        loop_from: None,
    };
    let mut recorder = Recorder::new(header);
    let envelope =
        Envelope { from: "a".to_owned(), to: "b".to_owned(), message: json!({"Ping": 1}) };
    let choose = || Action::Choose { node: "a".to_owned(), timer: json!("Go") };
    let timeout = || Some(Event::Timeout { timer: json!("Go") });
    let send = || vec![Effect::Send { to: envelope.to.clone(), message: envelope.message.clone() }];
    let deliver = Event::Deliver { from: envelope.from.clone(), message: envelope.message.clone() };
    let mut after = initial;
    let mut record = |action, event, effects, network: Vec<Envelope>, name: &str, state: Json| {
        after.network = network;
        after.nodes.get_mut(name).expect("it is a or b").state = state;
        let after = after.clone();
        recorder.record(Happening {
            action,
            event,
            effects,
            after,
            failure: None,
            spec: None,
            at_us: None,
        });
    };
    record(choose(), timeout(), send(), vec![envelope.clone()], "a", json!(1));
    record(Action::Deliver(envelope.clone()), Some(deliver), Vec::new(), Vec::new(), "b", json!(1));
    record(choose(), timeout(), Vec::new(), Vec::new(), "a", json!(2));
    recorder.finish(|_| {}).to_ndjson()
}
