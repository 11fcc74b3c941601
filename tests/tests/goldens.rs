//! Every stored trace is executed again on each run, by the step function.

use std::path::Path;

use cadre::trace::{Trace, Verdict};

#[test]
fn every_stored_trace_ends_as_the_index_says() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces");
    let index = std::fs::read_to_string(traces.join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let suite = cadre_protocols::suite();
    let listed = index["traces"].as_array().unwrap();
    assert!(!listed.is_empty());
    for entry in listed {
        let file = entry["file"].as_str().unwrap();
        let text = std::fs::read_to_string(traces.join(file)).unwrap();
        let trace = Trace::from_ndjson(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let game = suite.find(&trace.header.protocol).unwrap();
        let again = game.reexecute(&trace).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(again.difference, None, "{file}");
        let verdict = serde_json::to_value(again.trace.header.verdict).unwrap();
        assert_eq!(verdict, entry["verdict"], "{file}");
        let is_counterexample = again.trace.header.verdict == Verdict::Violated;
        assert_eq!(is_counterexample, again.trace.header.guarantee.is_some(), "{file}");
    }
}
