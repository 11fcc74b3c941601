//! Logs and states that other programs have written, through the real TLC.

use std::collections::BTreeMap;

use cadre_conform::{
    ConformError, LogFile, LogMapping, LogTrace, Options, Reason, Report, Spec, SpecTrace,
    TraceVerdict, Vocabulary, Walk, check, read_logs, spec_of_states,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Value, to_itf};
use serde_json::{Map, Value as Json, json};

use crate::support::{contents, engine, file, random_traces, trace, two_phase};

/// Kinds that give back what is lost in JSON.
const TYPED: &str = r#"{
    "constants": { "RM": "{rm1, rm2}" },
    "variables": {
        "rmState": "rmState as function(model, string)",
        "tmState": "tmState",
        "tmPrepared": "tmPrepared as set(model)",
        "msgs": "msgs as set(record(rm: model))"
    }
}"#;

fn mapping(text: &str) -> LogMapping {
    serde_json::from_str(text).expect("the mapping reads")
}

/// Two-phase commit as a specification of states, of which no trace module is needed.
fn states(mapping: &LogMapping) -> Spec {
    let files = vec![file("TwoPhase.tla")];
    let contents = contents(&files, "TwoPhase");
    spec_of_states(&contents, files, mapping).expect("it is a specification")
}

fn check_states(spec: &Spec, traces: &[LogTrace]) -> Report {
    let told: Vec<SpecTrace> = traces.iter().map(|trace| trace.spec.clone()).collect();
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let options = Options { walk: Walk::States, ..Options::default() };
    check(spec, &told, engine(), directory.path(), &options, &Stop::new())
        .expect("TLC has verdicts")
}

/// All states of a trace, the initial one first.
fn all_states(trace: &SpecTrace) -> Vec<BTreeMap<String, Value>> {
    let steps = trace.steps.iter().map(|step| step.variables.clone());
    std::iter::once(trace.initial.clone()).chain(steps).map(Option::unwrap_or_default).collect()
}

/// A value as TLC's module Json writes it: sets are arrays, keys are text.
fn community(value: &Value) -> Json {
    let list = |values: &mut dyn Iterator<Item = &Value>| values.map(community).collect();
    match value {
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::String(v) | Value::Model(v) => json!(v),
        Value::Set(elements) => list(&mut elements.iter()),
        Value::Sequence(elements) => list(&mut elements.iter()),
        Value::Record(fields) => {
            fields.iter().map(|(name, v)| (name.clone(), community(v))).collect()
        }
        Value::Function(pairs) => {
            pairs.iter().map(|(key, v)| (key.to_string(), community(v))).collect()
        }
    }
}

fn object(state: &BTreeMap<String, Value>, write: impl Fn(&Value) -> Json) -> Json {
    Json::Object(
        state.iter().map(|(name, value)| (name.clone(), write(value))).collect::<Map<_, _>>(),
    )
}

/// A trace in the Informal Trace Format, as other tools write it.
fn itf(trace: &SpecTrace) -> String {
    let states = all_states(trace);
    let vars: Vec<&String> = states[0].keys().collect();
    let numbered = states.iter().enumerate().map(|(index, state)| {
        let mut object = object(state, to_itf);
        object["#meta"] = json!({ "index": index });
        object
    });
    json!({ "#meta": { "format": "ITF" }, "vars": vars, "states": numbered.collect::<Vec<_>>() })
        .to_string()
}

/// As `ndJsonSerialize` writes a sequence of states: a line for each.
fn lines_of_json(trace: &SpecTrace) -> String {
    let lines =
        all_states(trace).iter().map(|s| object(s, community).to_string()).collect::<Vec<_>>();
    lines.join("\n")
}

/// As `JsonSerialize` writes a set of sequences of states.
fn array_of_json(traces: &[SpecTrace]) -> String {
    let of = |trace| all_states(trace).iter().map(|s| object(s, community)).collect::<Vec<_>>();
    json!(traces.iter().map(of).collect::<Vec<_>>()).to_string()
}

fn read(mapping: &LogMapping, texts: &[String]) -> Vec<LogTrace> {
    let file = |(index, text): (usize, &String)| LogFile {
        name: format!("trace-{index}.json"),
        text: text.clone(),
    };
    let files: Vec<LogFile> = texts.iter().enumerate().map(file).collect();
    read_logs(mapping, &files).expect("the files read")
}

#[test]
fn states_survive_each_format_and_conform() {
    let traces = random_traces(2, 20);
    let typed = mapping(TYPED);
    let untyped = LogMapping { constants: typed.constants.clone(), ..LogMapping::default() };
    let formats = [
        read(&untyped, &traces.iter().map(itf).collect::<Vec<_>>()),
        read(&typed, &traces.iter().map(itf).collect::<Vec<_>>()),
        read(&typed, &traces.iter().map(lines_of_json).collect::<Vec<_>>()),
        read(&typed, &[array_of_json(&traces)]),
    ];
    for found in &formats {
        assert_eq!(found.len(), traces.len());
        for (found, trace) in found.iter().zip(&traces) {
            assert_eq!(all_states(&found.spec), all_states(trace));
        }
    }
    let report = check_states(&states(&typed), &formats.concat());
    assert!(report.conforms(), "{:?}", report.verdicts);
    assert_eq!(report.runs, 1);
}

#[test]
fn a_state_that_no_step_leads_to_is_found_with_the_nearest_one_that_some_step_does() {
    let typed = mapping(TYPED);
    let good =
        trace("good", 2, &[("RMPrepare", Some(0)), ("TMRcvPrepared", Some(0)), ("TMAbort", None)]);
    let late = lines_of_json(&good).replace("[\"rm1\"]", "[\"rm1\",\"rm2\"]");
    let early = lines_of_json(&good).replacen("working", "aborted", 1);
    let traces = read(&typed, &[lines_of_json(&good), late, early]);
    let report = check_states(&states(&typed), &traces);
    assert_eq!(report.verdicts[0], TraceVerdict::Conforms);
    let TraceVerdict::Rejected(late) = &report.verdicts[1] else { panic!("{report:?}") };
    assert_eq!(late.step, 2);
    let Reason::WrongState { differs } = &late.reason else { panic!("{late:?}") };
    let differs: Vec<String> =
        differs.iter().map(|d| format!("{} {} {}", d.variable, d.logged, d.spec)).collect();
    assert_eq!(differs, ["tmPrepared {rm1, rm2} {rm1}"]);
    let TraceVerdict::Rejected(early) = &report.verdicts[2] else { panic!("{report:?}") };
    assert_eq!(early.step, 0);
    let Reason::WrongInitial { differs } = &early.reason else { panic!("{early:?}") };
    assert_eq!(differs[0].variable, "rmState");
}

#[test]
fn where_states_are_known_in_part_a_step_may_change_nothing_that_is_seen() {
    let part = mapping(r#"{ "constants": { "RM": "{rm1}" }, "variables": { "tmState": "tm" } }"#);
    let of = |states: &[&str]| {
        let lines = states.iter().map(|state| json!({ "tm": state }).to_string());
        lines.collect::<Vec<_>>().join("\n")
    };
    // To commit, the resource manager has to prepare and to be heard, before anything is seen.
    let hidden = of(&["init", "init", "init", "committed", "committed"]);
    let traces = read(&part, &[hidden, of(&["init", "init", "committed"])]);
    let report = check_states(&states(&part), &traces);
    assert_eq!(report.verdicts[0], TraceVerdict::Conforms);
    assert!(matches!(&report.verdicts[1], TraceVerdict::Rejected(r) if r.step == 2), "{report:?}");
}

#[test]
fn a_module_without_a_next_state_action_is_no_specification_of_states() {
    let files = vec![("M.tla".to_owned(), "---- MODULE M ----\nInit == TRUE\n====\n".to_owned())];
    let contents = contents(&files, "M");
    let error = spec_of_states(&contents, files, &LogMapping::default()).expect_err("no Next");
    assert!(matches!(error, ConformError::NoStates { lacks: "Next", .. }), "{error}");
}

/// What is wrong with a mapping to two-phase commit.
fn refused(text: &str) -> String {
    let contents = contents(&two_phase(2).files, "TraceTwoPhase");
    let vocabulary = Vocabulary::of(&contents).expect("it is a trace module");
    let mapping = mapping(text);
    let spec = vocabulary.spec(two_phase(2).files, &mapping);
    let checked = vocabulary.check_mapping(&mapping, &spec);
    let checked = checked.and_then(|()| vocabulary.check_events(&mapping));
    checked.map_or_else(|error| error.to_string(), |()| "nothing".to_owned())
}

#[test]
fn a_name_that_the_specification_does_not_have_is_refused_with_the_nearest_one() {
    let constants = r#""constants": { "RM": "{rm1}" }"#;
    let cases = [
        (
            r#""events": { "p": { "action": "RMPrepar", "arguments": { "rm": "n" } } }"#,
            "expected an action of TraceTwoPhase (RMChooseToAbort, RMPrepare, RMRcvAbortMsg, \
             RMRcvCommitMsg, TMAbort, TMCommit, TMRcvPrepared), found `RMPrepar` for the event `p` \
             of the mapping; perhaps RMPrepare is meant",
        ),
        (
            r#""events": { "RMPrepare": { "arguments": { "node": "n" } } }"#,
            "expected the arguments of RMPrepare (rm), found node for the event `RMPrepare` of the \
             mapping; name each of them as the trace module does",
        ),
        (
            r#""events": { "TMCommit": { "arguments": { "rm": "n" } } }"#,
            "expected the arguments of TMCommit (none), found rm for the event `TMCommit` of the \
             mapping; name each of them as the trace module does",
        ),
        (
            r#""variables": { "tmstate": "s" }"#,
            "expected a variable of TraceTwoPhase (rmState, tmState, tmPrepared, msgs), found \
             `tmstate` under `variables` in the mapping; perhaps tmState is meant",
        ),
        (r#""events": { "RMPrepare": { "arguments": { "rm": "n" } } }"#, "nothing"),
    ];
    for (part, expected) in cases {
        assert_eq!(refused(&format!("{{ {constants}, {part} }}")), expected);
    }
    assert_eq!(
        refused("{}"),
        "expected a value for the constant RM of TraceTwoPhase, found none; give it one among \
         the `constants` of the mapping, such as RM = \"{a, b}\""
    );
    let error =
        Vocabulary::of(&contents(&two_phase(2).files, "TwoPhase")).expect_err("no trace module");
    assert!(matches!(error, ConformError::NoTraceModule { lacks: "TraceInit", .. }), "{error}");
}
