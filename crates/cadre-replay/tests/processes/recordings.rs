use std::path::Path;
use std::time::Duration;

use cadre_process::Stop;
use cadre_replay::{
    ClientRequests, Ended, Network, Outcome, RecordOptions, Recording, ReplayError, record,
};
use cadre_trace::{Action, Recorder, Trace};
use serde_json::json;

use crate::bench::header;
use crate::surroundings::{leaving_nothing, replayed, tally};

#[test]
fn a_free_run_of_processes_is_an_execution_that_replays() {
    for (seed, network) in [(1, Network::GrowingSet), (2, Network::ConsumedOnce)] {
        let recording = recorded(seed, network, 3_000).unwrap();
        assert_eq!(recording.ended, Ended::Quiet);
        let trace = traced(recording, network);
        let deliveries = trace.schedule().filter(|action| matches!(action, Action::Deliver(_)));
        assert_eq!(deliveries.count(), 3 * 2 * 2 * 2, "every message is delivered and answered");
        for step in &trace.steps {
            let causes = match step.action {
                Action::Deliver(_) => 1,
                _ => 0,
            };
            assert!(step.causes.len() >= causes, "step {} follows from nothing", step.step);
        }
        assert_eq!(Trace::from_ndjson(&trace.to_ndjson()).as_ref(), Ok(&trace));
        let outcome = replayed(&trace, tally(&NAMES)).unwrap();
        assert_eq!(outcome, Outcome::Agrees { steps: trace.steps.len() }, "{outcome}");
    }
}

#[test]
fn clients_ask_each_request_after_the_answer_to_the_one_before() {
    let keep = |value: u32| json!({ "Keep": value });
    let clients = [ClientRequests {
        client: "client".to_owned(),
        node: "b".to_owned(),
        requests: vec![keep(7), keep(8)],
    }];
    let recording = leaving_nothing(|directory| {
        let mut options = options(6, Network::GrowingSet, 3_000, directory);
        options.clients = &clients;
        record(&names(), &options, &Stop::new()).unwrap()
    });
    let last = &recording.happenings.last().unwrap().after;
    let told: Vec<String> = last.history.iter().map(|event| format!("{event:?}")).collect();
    let kinds: Vec<&str> =
        told.iter().map(|event| event.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(kinds, ["Invoke", "Return", "Invoke", "Return"], "{told:?}");
    assert_eq!(last.nodes["b"].state["kept"], json!(8));
    let trace = traced(recording, Network::GrowingSet);
    let outcome = replayed(&trace, tally(&NAMES)).unwrap();
    assert_eq!(outcome, Outcome::Agrees { steps: trace.steps.len() }, "{outcome}");
}

#[test]
fn a_run_that_is_not_over_in_time_is_said_to_be_cut_short() {
    let recording = recorded(3, Network::GrowingSet, 0).unwrap();
    assert_eq!(recording.ended, Ended::TimeLimit);
}

#[test]
fn a_node_that_dies_in_a_free_run_is_named() {
    let error = leaving_nothing(|directory| {
        let mut options = options(4, Network::GrowingSet, 3_000, directory);
        options.program = options.program.args(["--trouble", "dies"]);
        record(&names(), &options, &Stop::new()).unwrap_err()
    });
    let text = error.to_string();
    assert!(text.contains("in the free run, node "), "{text}");
    assert!(text.contains("it ended by a signal"), "{text}");
}

#[test]
fn a_stop_ends_a_recording() {
    let stop = Stop::new();
    stop.request();
    let error = leaving_nothing(|directory| {
        record(&names(), &options(5, Network::GrowingSet, 3_000, directory), &stop).unwrap_err()
    });
    assert!(matches!(error, ReplayError::Stopped { .. }), "{error}");
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn names() -> Vec<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

fn recorded(seed: u64, network: Network, duration_ms: u64) -> Result<Recording, ReplayError> {
    leaving_nothing(|directory| {
        record(&names(), &options(seed, network, duration_ms, directory), &Stop::new())
    })
}

fn options(seed: u64, network: Network, duration_ms: u64, directory: &Path) -> RecordOptions<'_> {
    RecordOptions {
        program: tally(&NAMES),
        seed,
        duration_max: Duration::from_millis(duration_ms),
        quiet: Duration::from_millis(400),
        start_limit: Duration::from_secs(20),
        network,
        clients: &[],
        directory,
    }
}

fn traced(recording: Recording, network: Network) -> Trace {
    let mut recorder = Recorder::new(header(&names(), network, recording.initial));
    recording.happenings.into_iter().for_each(|happening| recorder.record(happening));
    recorder.finish(|_| {})
}
