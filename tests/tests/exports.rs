//! Exports are read by the tools that they are for, or by their rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cadre::process::{Program, Stop};
use cadre::trace::{Trace, export};
use cadre::view::lineage_of;
use cadre_tests::{Bench, Browser, stored_traces, stormy};
use expect_test::expect;
use serde_json::{Value, json};

fn traces() -> Vec<(String, Trace)> {
    let stored = stored_traces().into_iter().map(|stored| (stored.name, stored.trace));
    stored.chain([("storm".to_owned(), stormy())]).collect()
}

/// An event as ShiViz reads it.
#[derive(Debug, serde::Deserialize)]
struct Logged {
    event: String,
    host: String,
    clock: BTreeMap<String, u64>,
}

/// Reads a log as ShiViz does: the first line is the pattern of an event, the second the delimiter
/// of executions, and both are regular expressions of JavaScript.
fn read_as_shiviz(browser: &mut Browser, log: &str) -> Vec<(String, Vec<Logged>)> {
    let read = format!(
        "(() => {{
            const text = {};
            const [pattern, delimiter] = text.split('\\n');
            const log = text.slice(pattern.length + delimiter.length + 2).trim();
            const named = new RegExp(delimiter, 'g');
            const labels = ['', ...[...log.matchAll(named)].map((found) => found.groups.trace)];
            const plain = new RegExp(delimiter.replace('?<trace>', '?:'));
            return log.split(plain).map((part, at) => [labels[at], part])
                .filter(([, part]) => part.trim())
                .map(([label, part]) => [label, [...part.matchAll(new RegExp(pattern, 'g'))]
                    .map((found) => ({{ ...found.groups, clock: JSON.parse(found.groups.clock) }}))]);
        }})()",
        json!(log)
    );
    serde_json::from_value(browser.evaluate(&read)).expect("executions with events")
}

/// What ShiViz demands of clocks: every host counts its own events from 1 without a gap, and knows
/// of no event that there is not, nor of less than it knew.
fn check_clocks(events: &[Logged]) -> Result<(), String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut known: BTreeMap<&str, &BTreeMap<String, u64>> = BTreeMap::new();
    for Logged { event, host, clock } in events {
        let count = counts.entry(host).or_default();
        *count += 1;
        if clock.get(host) != Some(count) {
            return Err(format!("{event}: expected {count} for {host}, found {clock:?}"));
        }
        if let Some(before) = known.insert(host, clock)
            && before.iter().any(|(name, time)| clock.get(name).is_none_or(|now| now < time))
        {
            return Err(format!("{event}: {host} has forgotten something of {before:?}"));
        }
    }
    for Logged { event, clock, .. } in events {
        let is_there = |(name, time): (&String, &u64)| counts.get(name.as_str()) >= Some(time);
        if !clock.iter().all(is_there) {
            return Err(format!("{event}: {clock:?} knows of events that there are not"));
        }
    }
    Ok(())
}

#[test]
fn shiviz_reads_every_event_with_clocks_as_it_wants_them() {
    let mut browser = Browser::start();
    for (name, trace) in traces() {
        let executions = read_as_shiviz(&mut browser, &export::shiviz(&trace));
        assert_eq!(executions.len(), 1, "{name}");
        let (label, events) = &executions[0];
        assert_eq!(*label, trace.header.protocol, "{name}");
        let expected: usize = trace.schedule().map(|action| action.nodes().len().max(1)).sum();
        assert_eq!(events.len(), expected, "{name}");
        check_clocks(events).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn clocks_that_shiviz_would_refuse_are_noticed() {
    let mut browser = Browser::start();
    let log = export::shiviz(&stormy());
    for (from, to) in [("{\"a\":1}", "{\"a\":2}"), ("\"b\":2", "\"b\":9")] {
        let broken = log.replacen(from, to, 1);
        assert_ne!(broken, log, "{log}");
        let executions = read_as_shiviz(&mut browser, &broken);
        assert!(check_clocks(&executions[0].1).is_err(), "{to}");
    }
}

#[test]
fn graphviz_draws_causes_and_lineage() {
    for (name, trace) in traces() {
        for graph in [export::dot(&trace), export::lineage_dot(&lineage_of(&trace))] {
            let svg = drawn_by_graphviz(&graph);
            let edges = graph.matches(" -> ").count();
            assert_eq!(svg.matches("class=\"edge\"").count(), edges, "{name}");
            let vertices = graph.lines().filter(|line| line.contains("[label=\"")).count();
            let lettered = graph.lines().filter(|l| l.contains(" -> ") && l.contains("label"));
            assert_eq!(svg.matches("class=\"node\"").count() + lettered.count(), vertices);
        }
    }
}

#[test]
fn graphviz_refuses_what_is_no_graph() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (code, _) = graphviz(directory.path(), "digraph { s1 -> ; }");
    assert_ne!(code, Some(0));
}

fn drawn_by_graphviz(graph: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (code, said) = graphviz(directory.path(), graph);
    assert_eq!(code, Some(0), "{said}\n{graph}");
    std::fs::read_to_string(directory.path().join("graph.svg")).expect("a picture")
}

fn graphviz(directory: &Path, graph: &str) -> (Option<i32>, String) {
    std::fs::write(directory.join("graph.dot"), graph).expect("a file of the test");
    let dot = Program::new("dot").args(["-Tsvg", "-o", "graph.svg", "graph.dot"]);
    let dot = dot.directory(directory);
    let log = directory.join("log");
    let ran = cadre::process::run(&dot, &log, Duration::from_secs(60), &Stop::new());
    let ran = ran.unwrap_or_else(|error| {
        panic!(
            "expected Graphviz as `dot`, found none: {error}; install the package `graphviz` of \
             your system"
        )
    });
    (ran.code, ran.output().unwrap_or_default())
}

#[test]
fn itf_has_every_state_in_values_that_read_back() {
    for (name, trace) in traces() {
        let Ok(text) = export::itf(&trace) else {
            assert!(trace.header.spec.is_none(), "{name}");
            continue;
        };
        let document: Value = serde_json::from_str(&text).expect("it is JSON");
        let states = document["states"].as_array().expect("a list of states");
        assert_eq!(states.len(), trace.steps.len() + 1, "{name}");
        for state in states {
            for variable in document["vars"].as_array().expect("names") {
                let value = &state[variable.as_str().expect("a name")];
                let read = cadre::tla::from_itf(value);
                let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(cadre::tla::to_itf(&read), *value, "{name}");
            }
        }
    }
}

#[test]
fn a_sequence_diagram_names_everybody_and_numbers_the_steps() {
    let trace = stormy();
    expect![[r#"
        sequenceDiagram
            actor c0 as x
            actor c1 as y
            participant n0 as a
            participant n1 as b
            participant n2 as c
            c0->>n0: 1 Put
            Note over n0,n1: 2 duplicate Copy a→b
            n0->>n1: 3 Copy
            Note over n0,n2: 4 CUT a | b, c
            Note over n1: 5 b timeout Retry
            Note over n0: 6 a sync done
            n0-->>c0: 6 Done
            Note over n0,n2: 7 corrupt Copy into Wipe a→c
            Note over n0,n2: 8 HEAL
            n0->>n2: 9 Wipe
            n1--xn0: 10 lost Ack
            Note over n2: 11 PAUSE c
            Note over n0: 12 CRASH a
            Note over n0,n1: 13 replay Copy a→b
            n0->>n1: 14 Copy
            Note over n0: 15 RESTART a
            Note over n2: 16 RESUME c
            Note over n2: 17 CLOCK c -5000 µs
            Note over n1: 18 SYNC FAILS b, writes lost
            n1->>n2: 19 Hint
            n2->>n2: 20 Self
            Note over n0,n2: 21 time passes
            Note over n1,n2: 22 CRASH b, c
            c1->>n0: 23 Get
    "#]]
    .assert_eq(&export::mermaid(&trace));
}

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

#[test]
fn the_command_writes_pictures_beside_the_trace_and_exports_to_standard_output() {
    let bench = bench();
    let stored = stored_traces().into_iter().next().expect("a stored trace");
    std::fs::write(bench.path().join("t.ndjson"), stored.trace.to_ndjson()).expect("a file");
    expect![[r#"
        written  t.html
        exit 0
    "#]]
    .assert_eq(&bench.run("show t.ndjson --html").transcript());
    expect![[r#"
        written  t.svg
        exit 0
    "#]]
    .assert_eq(&bench.run("show t.ndjson --svg").transcript());
    expect![[r#"
        written  t.lineage.svg
        exit 0
    "#]]
    .assert_eq(&bench.run("show t.ndjson --lineage").transcript());
    for file in ["t.html", "t.svg", "t.lineage.svg"] {
        let text = std::fs::read_to_string(bench.path().join(file)).expect(file);
        assert!(text.ends_with("</html>\n") || text.ends_with("</svg>\n"), "{file}");
    }
    let svg = bench.run("show t.ndjson --svg --output -");
    assert!(svg.output.starts_with("<svg") && svg.output.ends_with("</svg>\n"));
    for format in ["shiviz", "mermaid", "dot", "lineage-dot", "itf"] {
        let ran = bench.run(&format!("export t.ndjson --format {format}"));
        assert!(ran.code == Some(0) && ran.output.len() > 100, "{}", ran.transcript());
    }
    expect![[r#"
        error: the argument '--svg' cannot be used with '--html'

        Usage: cadre-under-test show --svg <TRACE>

        For more information, try '--help'.
        exit 2
    "#]]
    .assert_eq(&bench.run("show t.ndjson --svg --html").transcript());
    expect![[r#"
        error: the following required arguments were not provided:
          <--html|--svg|--lineage>

        Usage: cadre-under-test show --output <FILE> <--html|--svg|--lineage> <TRACE>

        For more information, try '--help'.
        exit 2
    "#]]
    .assert_eq(&bench.run("show t.ndjson --output here.svg").transcript());
}

#[test]
fn a_trace_without_a_specification_has_no_itf() {
    let bench = bench();
    std::fs::write(bench.path().join("t.ndjson"), stormy().to_ndjson()).expect("a file");
    expect![[r#"
        error: expected a trace that maps to a TLA+ specification, found one that does not; choose another format
        exit 2
    "#]].assert_eq(&bench.run("export t.ndjson --format itf").transcript());
}

/// A page with Mermaid in it, from the package of that name.
fn page_with_mermaid(directory: &Path) -> Browser {
    let run = |program: Program| {
        let log = directory.join("log");
        let program = program.directory(directory);
        let ran = cadre::process::run(&program, &log, Duration::from_secs(120), &Stop::new());
        let is_done = ran.as_ref().is_ok_and(|ran| ran.code == Some(0));
        assert!(is_done, "expected npm and tar to unpack Mermaid, found {ran:?}; install `npm`");
    };
    run(Program::new("npm").args(["pack", "--silent", "mermaid@11.17.2"]));
    run(Program::new("tar").args(["xzf", "mermaid-11.17.2.tgz", "package/dist/mermaid.min.js"]));
    let page = directory.join("page.html");
    let text = "<!DOCTYPE html><script src=\"package/dist/mermaid.min.js\"></script><script>\
                document.documentElement.dataset.ready = typeof mermaid === 'object'</script>";
    std::fs::write(&page, text).expect("a file of the test");
    let mut browser = Browser::start();
    browser.open(&page, "");
    browser
}

#[test]
fn mermaid_draws_everybody_and_every_line_and_refuses_what_is_no_diagram() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut browser = page_with_mermaid(directory.path());
    for (name, trace) in traces() {
        let diagram = export::mermaid(&trace);
        let drawn = browser.evaluate(&format!(
            "mermaid.render('drawn', {}).then(({{ svg }}) => {{
                const page = new DOMParser().parseFromString(svg, 'text/html');
                const count = (selector) => page.querySelectorAll(selector).length;
                return [count('.messageText'), count('.noteText'), count('.actor-line')];
            }})",
            json!(diagram)
        ));
        let lines = |mark: &str| diagram.lines().filter(|line| line.contains(mark)).count();
        let arrows = lines("->>") + lines("--x");
        let (notes, everybody) = (lines("Note over"), lines("participant ") + lines("actor "));
        assert_eq!(drawn, json!([arrows, notes, everybody]), "{name}: {diagram}");
    }
    let refused = "mermaid.parse('sequenceDiagram\\n a->>').then(() => false, () => true)";
    assert_eq!(browser.evaluate(refused), json!(true));
}
