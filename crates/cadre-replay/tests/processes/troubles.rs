use std::net::TcpListener;
use std::time::Duration;

use cadre_process::{Program, Stop};
use cadre_replay::{Network, Outcome, ReplayError, ReplayOptions, replay};
use cadre_trace::{Action, Fault, Kept, Trace};
use serde_json::json;

use crate::bench::{deliver, speak};
use crate::replays::{short, trace};
use crate::surroundings::{leaving_nothing, replayed, replayed_with, tally};

#[test]
fn a_child_that_dies_at_its_start_is_named_with_its_log() {
    let program = shell("echo out of luck >&2; exit 3");
    let error = replayed(&short(), program).unwrap_err();
    contains(&error, &["at the start, node a: ", "ended with exit code 3", "out of luck"]);
}

#[test]
fn a_child_that_dies_on_its_way_is_named_with_its_step() {
    let program = tally(&["a", "b"]).args(["--trouble", "dies"]);
    let error = replayed(&twice(), program).unwrap_err();
    contains(&error, &["at step 4 (deliver Ping(2) a→b), node b: ", "it ended by a signal"]);
}

#[test]
fn a_child_that_hangs_is_killed_at_the_time_limit() {
    let program = tally(&["a", "b"]).args(["--trouble", "hangs"]);
    let limit = Duration::from_millis(1500);
    let error =
        replayed_with(&twice(), program, |options| ReplayOptions { step_limit: limit, ..options });
    let error = error.unwrap_err();
    contains(&error, &["at step 4 (deliver Ping(2) a→b), node b: ", "within 1.5s", "silent"]);
}

#[test]
fn a_child_that_never_listens_is_killed_at_the_time_limit() {
    let limit = Duration::from_millis(300);
    let error = replayed_with(&short(), shell("cat >&2"), |options| ReplayOptions {
        step_limit: limit,
        ..options
    });
    contains(&error.unwrap_err(), &["at the start, node a: ", "within 300ms", "silent"]);
}

#[test]
fn a_child_that_speaks_nonsense_is_quoted() {
    let error = replayed(&short(), shell("echo hello; echo help >&2; cat")).unwrap_err();
    contains(&error, &["at the start, node a: expected a report (", "found `hello`", "help"]);
}

#[test]
fn a_child_of_another_version_is_quoted() {
    let line = r#"{"listening":{"version":99,"address":"127.0.0.1:1"}}"#;
    let error = replayed(&short(), shell(&format!("echo '{line}'; cat"))).unwrap_err();
    contains(&error, &["expected where it listens, in version 1, found `Listening { version: 99"]);
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = replayed_with(&short(), tally(&["a", "b"]), |options| ReplayOptions {
        base_port: Some(port),
        ..options
    });
    let address = format!("expected to listen on 127.0.0.1:{port}, but the port is already in use");
    contains(&error.unwrap_err(), &["at the start, node a: ", &address]);
}

#[test]
fn a_restarted_process_gets_its_port_again() {
    let port = free_ports();
    let trace = trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            Action::Fault(Fault::CrashRestart { node: "a".to_owned(), kept: Kept::default() }),
            deliver(json!({"Pong": 1}), "b", "a"),
            Action::Fault(Fault::CrashRestart { node: "a".to_owned(), kept: Kept::default() }),
        ],
    );
    let outcome = replayed_with(&trace, tally(&["a", "b"]), |options| ReplayOptions {
        base_port: Some(port),
        ..options
    });
    assert_eq!(outcome.unwrap(), Outcome::Agrees { steps: 5 });
}

#[test]
fn more_nodes_than_ports_are_an_error() {
    let error = replayed_with(&short(), tally(&["a", "b"]), |options| ReplayOptions {
        base_port: Some(u16::MAX),
        ..options
    });
    contains(&error.unwrap_err(), &["expected 2 ports from 65535 on"]);
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let error = replayed(&short(), Program::new("no such program")).unwrap_err();
    contains(&error, &["at the start, node a: expected a program `no such program`, found none"]);
}

#[test]
fn a_disk_of_an_earlier_run_is_not_used_again() {
    leaving_nothing(|directory| {
        let step_limit = ReplayOptions::STEP_LIMIT;
        let program = tally(&["a", "b"]);
        let options = ReplayOptions { program, base_port: None, step_limit, directory };
        replay(&short(), &options, &Stop::new()).unwrap();
        let error = replay(&short(), &options, &Stop::new()).unwrap_err();
        contains(&error, &["expected no disk of a node yet, found ", "directory of its own"]);
    });
}

#[test]
fn a_stop_ends_a_replay() {
    let stop = Stop::new();
    stop.request();
    let error = leaving_nothing(|directory| {
        let (program, step_limit) = (shell("cat >&2"), Duration::from_secs(60));
        let options = ReplayOptions { program, base_port: None, step_limit, directory };
        replay(&short(), &options, &stop).unwrap_err()
    });
    contains(&error, &["at the start: stopped on request"]);
}

#[test]
fn a_delivery_of_what_was_never_sent_cannot_be_carried_out() {
    let mut trace = short();
    trace.steps[1].action = deliver(json!({"Ping": 8}), "a", "b");
    let error = replayed(&trace, tally(&["a", "b"])).unwrap_err();
    contains(&error, &["step 2 of the trace cannot", "Ping(8) a→b is delivered, but is not in"]);
}

fn twice() -> Trace {
    trace(
        Network::ConsumedOnce,
        [
            speak("a"),
            deliver(json!({"Ping": 1}), "a", "b"),
            speak("a"),
            deliver(json!({"Ping": 2}), "a", "b"),
        ],
    )
}

/// A shell as a process; what is said about the node is arguments that it does not look at.
fn shell(script: &str) -> Program {
    Program::new("/bin/sh").args(["-c", script])
}

/// The first of two ports that nobody listened to a moment ago.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    (first..u16::MAX).find(|port| free(*port) && free(port + 1)).unwrap()
}

fn contains(error: &ReplayError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "expected `{part}` in: {text}");
    }
}
