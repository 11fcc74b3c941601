use std::collections::BTreeSet;

use super::events::{LogEvent, executions};
use super::merge::merged;
use super::told::{Told, path};
use super::{EventStep, LogError, LogLine, LogMapping};
use crate::SpecTrace;
use crate::names::nearest_remark;

/// A file of a log.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Its name in messages; its stem names the node, where lines do not.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// An execution that logs tell of.
#[derive(Clone, Debug)]
pub struct LogTrace {
    /// What it is in the specification.
    pub spec: SpecTrace,
    /// For each step the line that tells it.
    pub lines: Vec<LoggedEvent>,
    /// The events that are the steps, where clocks may leave open in which order they happened.
    pub(super) events: Vec<LogEvent>,
}

/// An event as a log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Where it stands.
    pub at: LogLine,
    /// Its name.
    pub event: String,
    /// The node.
    pub node: String,
}

/// The executions that logs tell of: one of each run if lines say of which run they are, one of all
/// files together if lines have clocks, one of each file otherwise.
///
/// # Errors
///
/// [`LogError`], with the line, for all that the mapping does not expect.
pub fn read_logs(mapping: &LogMapping, files: &[LogFile]) -> Result<Vec<LogTrace>, LogError> {
    judge(mapping)?;
    let (mut traces, mut fields) = (Vec::new(), BTreeSet::new());
    for (name, events) in executions(files, mapping.event.as_ref())? {
        let steps = events.iter().filter(|event| !mapping.ignore.contains(&event.name));
        fields.extend(steps.flat_map(|event| event.fields.keys().cloned()));
        let name = if name.is_empty() { "the log".to_owned() } else { name };
        traces.push(Told::read(mapping, name, merged(events)?)?);
    }
    if traces.iter().all(|trace| trace.lines.is_empty()) {
        let files = files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(LogError::NoSteps { files });
    }
    judge_told(mapping, &traces, &fields)?;
    Ok(traces)
}

/// Refuses a variable of which nothing is told at all: whatever it is, it would conform.
fn judge_told(
    mapping: &LogMapping,
    traces: &[LogTrace],
    fields: &BTreeSet<String>,
) -> Result<(), LogError> {
    let is_told = |name: &String| {
        let mut states = traces.iter().flat_map(|trace| {
            let steps = trace.spec.steps.iter().map(|step| &step.variables);
            steps.chain([&trace.spec.initial]).flatten()
        });
        states.any(|state| state.contains_key(name))
    };
    match mapping.variables.iter().find(|(name, _)| !is_told(name)) {
        None => Ok(()),
        Some((name, variable)) => {
            let field = path(&variable.source);
            let fields = fields.iter().map(String::as_str).collect::<Vec<_>>();
            let near = nearest_remark(field, fields.iter().copied());
            Err(LogError::Mapping {
                expected: format!("a field `{field}`, which tells {name}, in some line{near}"),
                found: format!("the fields {}", fields.join(", ")),
                advice: "correct the field, or give the variable an `initial` if it may be that \
                         no line tells it",
            })
        }
    }
}

/// Refuses a mapping that contradicts itself.
fn judge(mapping: &LogMapping) -> Result<(), LogError> {
    let twice = mapping.ignore.iter().find(|event| mapping.events.contains_key(*event));
    if let Some(event) = twice {
        return Err(LogError::Mapping {
            expected: "each event either under `events` or under `ignore`".to_owned(),
            found: format!("`{event}` under both"),
            advice: "decide",
        });
    }
    mapping.events.iter().try_for_each(|(event, step)| judge_step(event, step))
}

/// Refuses an event that is two things at once, or has a part that is nothing.
fn judge_step(event: &str, step: &EventStep) -> Result<(), LogError> {
    let told = step.told();
    if told.len() > 1 {
        return Err(LogError::Mapping {
            expected: "one of `action`, `stutter`, `steps` and `one_of` for an event".to_owned(),
            found: format!("`{}` for `{event}`", told.join("` and `")),
            advice: "decide",
        });
    }
    if step.parts().next().is_some() && !step.arguments.is_empty() {
        return Err(LogError::Mapping {
            expected: "the arguments of each step where an event is several".to_owned(),
            found: format!("arguments of `{event}` itself"),
            advice: "write them into the steps",
        });
    }
    if step.parts().any(|part| part.told().is_empty()) {
        return Err(LogError::Mapping {
            expected: "an `action` in each step of an event".to_owned(),
            found: format!("a step of `{event}` without one"),
            advice: "name the action",
        });
    }
    step.parts().try_for_each(|part| judge_step(event, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::states::{SEEN_STEP, UNSEEN_STEP};

    const MAPPING: &str = r#"{
        "event": { "name": ["event", "what"], "node": "node", "clock": "clock" },
        "events": {
            "prepare": { "action": "RMPrepare", "arguments": { "rm": "node as model" } },
            "decide commit": { "action": "TMCommit" },
            "look": { "stutter": true }
        },
        "ignore": ["beat"],
        "variables": {
            "tmState": { "field": "decision", "initial": "\"init\"" },
            "rmState": {
                "field": "state",
                "rename": { "PREPARED": "prepared" },
                "entry": "node as model",
                "initial": "(a :> \"working\" @@ b :> \"working\")"
            }
        }
    }"#;

    fn mapping(text: &str) -> LogMapping {
        serde_json::from_str(text).unwrap()
    }

    fn read(mapping: &LogMapping, texts: &[&str]) -> Result<Vec<LogTrace>, LogError> {
        let file = |(index, text): (usize, &&str)| LogFile {
            name: format!("log-{index}.ndjson"),
            text: (*text).to_owned(),
        };
        read_logs(mapping, &texts.iter().enumerate().map(file).collect::<Vec<_>>())
    }

    /// Each step with what is known after it, and its line.
    fn told(trace: &LogTrace) -> String {
        let steps = trace.spec.steps.iter().zip(&trace.lines).map(|(step, line)| {
            let variables = step.variables.iter().flatten();
            let variables = variables.map(|(name, value)| format!(" {name}={value}"));
            format!("{}{} @ {}\n", step.action, variables.collect::<String>(), line.at)
        });
        steps.collect()
    }

    #[test]
    fn lines_of_several_nodes_become_steps_in_the_order_of_their_clocks() {
        let log_b = r#"
            {"event": "prepare", "node": "b", "clock": 2, "state": "PREPARED"}
            {"event": "beat", "node": "b", "clock": 7}"#;
        let log_a = r#"
            {"event": "prepare", "node": "a", "clock": 1, "state": "PREPARED"}
            {"event": "look", "node": "a", "clock": 3, "decision": "init"}
            {"event": "decide", "what": "commit", "node": "a", "clock": 4}"#;
        let traces = read(&mapping(MAPPING), &[log_b, log_a]).unwrap();
        assert_eq!(traces.len(), 1);
        assert_eq!(
            told(&traces[0]),
            "RMPrepare(rm: a) rmState=(a :> \"prepared\" @@ b :> \"working\") @ \
             log-1.ndjson, line 2\n\
             RMPrepare(rm: b) rmState=(a :> \"prepared\" @@ b :> \"prepared\") @ \
             log-0.ndjson, line 2\n\
             stutter tmState=\"init\" @ log-1.ndjson, line 3\n\
             TMCommit @ log-1.ndjson, line 4\n"
        );
        let initial = traces[0].spec.initial.as_ref().unwrap();
        assert_eq!(initial["rmState"].to_string(), "(a :> \"working\" @@ b :> \"working\")");
    }

    #[test]
    fn an_event_may_be_several_steps_or_one_of_several() {
        let text = r#"{
            "event": { "name": "event" },
            "events": {
                "vote": { "steps": [
                    { "action": "Prepare", "arguments": { "rm": "rm" } },
                    { "one_of": [{ "action": "Vote" }, { "stutter": true }] }
                ] }
            }
        }"#;
        let traces = read(&mapping(text), &[r#"{"event": "vote", "rm": 3}"#]).unwrap();
        assert_eq!(told(&traces[0]), "Prepare(rm: 3) · (Vote or stutter) @ log-0.ndjson, line 1\n");
        for (change, by, problem) in [
            (r#"{ "action": "Vote" }"#, "{}", "a step of `vote` without one"),
            (r#""stutter": true"#, r#""stutter": true, "action": "A""#, "`action` and `stutter`"),
            (r#""vote": {"#, r#""vote": { "action": "A","#, "`action` and `steps` for `vote`"),
            (r#""vote": {"#, r#""vote": { "arguments": {"a": "b"},"#, "arguments of `vote` itself"),
        ] {
            let text = text.replace(change, by);
            let error = read(&mapping(&text), &["{}"]).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = read(&mapping(MAPPING), &[text]).unwrap_err().to_string();
        assert_eq!(error, format!("log-0.ndjson, line {expected}"), "{text}");
    }

    #[test]
    fn a_bad_line_is_told_with_what_was_expected_and_found() {
        refused(
            "\n{\"event\": \"prep",
            "2: expected an object of JSON in each line, found `{\"event\": \"prep` (EOF while \
             parsing a string at column 15); write each event as one line of JSON; a line that was \
             cut off is not one",
        );
        refused(
            "3",
            "1: expected an object of JSON in each line, found 3; write each event as one line of \
             JSON; a line that was cut off is not one",
        );
        refused(
            r#"{"node": "a", "clock": 1}"#,
            "1: expected a field `event` or `what` that names the event, found the fields clock, \
             node; correct the log, or the field in the mapping",
        );
        refused(
            r#"{"event": "prepar", "node": "a", "clock": 1}"#,
            "1: expected an event of the mapping (the nearest is `prepare`), found `prepar`; name \
             it under `events`, or under `ignore`",
        );
        refused(
            r#"{"event": "look", "clock": 1}"#,
            "1: expected a field `node` in every line, found the fields clock, event; correct the \
             log, or the field in the mapping",
        );
        refused(
            r#"{"event": "look", "node": "a"}"#,
            "1: expected a field `clock` with the clock, found the fields event, node; correct the \
             log, or the field in the mapping",
        );
        refused(
            r#"{"event": "look", "node": "a", "clock": -1}"#,
            "1: expected a Lamport clock, which is a whole number, or a vector clock, an object of \
             whole numbers, in `clock`, found -1; correct the log, or the field in the mapping",
        );
        refused(
            r#"{"event": "prepare", "node": "a", "clock": 1, "state": 7, "decision": {"a": null}}"#,
            "1: expected a value that TLA+ has in `decision`, found {\"a\":null}; correct the log, \
             or the kind in the mapping",
        );
        refused(
            r#"{"event": "prepare", "node": "c", "clock": 1, "state": "x"}"#,
            "1: expected an entry that rmState has (a, b), found c; correct the log, or `entry` \
             and `initial` in the mapping",
        );
    }

    #[test]
    fn files_of_different_nodes_need_clocks_and_other_files_are_executions_of_their_own() {
        let text = MAPPING.replace(r#", "clock": "clock""#, "");
        let of = |node: &str| format!(r#"{{"event": "look", "node": "{node}"}}"#);
        let error = read(&mapping(&text), &[&of("a"), &of("b")]).unwrap_err().to_string();
        assert!(error.contains("several nodes (a, b), found no `clock`"), "{error}");
        let both = format!("{}\n{}", of("a"), of("b"));
        assert_eq!(read(&mapping(&text), &[&both, &both]).unwrap().len(), 2);
        let text = text.replace(r#""node": "node""#, r#""run": "run""#);
        let runs = "{\"event\": \"look\", \"run\": 1}\n{\"event\": \"look\", \"run\": \"b\"}";
        let traces = read(&mapping(&text), &[&format!("{runs}\n{runs}")]).unwrap();
        let names: Vec<_> = traces.iter().map(|t| (t.spec.name.as_str(), t.lines.len())).collect();
        assert_eq!(names, [("1", 2), ("b", 2)]);
    }

    #[test]
    fn lines_of_one_run_in_several_files_need_clocks() {
        let text = r#"{
            "event": { "name": "event", "run": "run", "node": "node" },
            "events": { "look": { "stutter": true } }
        }"#;
        let of =
            |run: u8, node: &str| format!(r#"{{"event": "look", "run": {run}, "node": "{node}"}}"#);
        let both = |run: u8| format!("{}\n{}", of(run, "a"), of(run, "b"));
        let expected = "expected a clock in every line, as lines of the run 1 are in several files \
                        (log-0.ndjson, log-1.ndjson), found no `clock` in the mapping; name the \
                        field that holds the vector or Lamport clock";
        for mapped in [text.to_owned(), text.replace(r#", "node": "node""#, "")] {
            for files in [[both(1), of(1, "b")], [of(1, "a"), both(1)]] {
                let error = read(&mapping(&mapped), &[&files[0], &files[1]]).unwrap_err();
                assert_eq!(error.to_string(), expected);
            }
            // A run may be one node's alone.
            let traces = read(&mapping(&mapped), &[&of(1, "a"), &of(2, "b")]).unwrap();
            assert_eq!(traces.len(), 2);
        }
    }

    #[test]
    fn a_variable_that_no_line_tells_is_refused_with_the_field_that_may_have_been_meant() {
        let text = r#"{
            "event": { "name": "event" },
            "events": { "count": { "action": "Up" } },
            "ignore": ["beat"],
            "variables": { "n": "cuont" }
        }"#;
        let lines = "{\"event\": \"count\", \"count\": 77}\n\
                     {\"event\": \"beat\", \"cuont\": 7, \"at\": 1}";
        let error = read(&mapping(text), &[lines]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the mapping: expected a field `cuont`, which tells n, in some line (the nearest is \
             `count`), found the fields count, event; correct the field, or give the variable an \
             `initial` if it may be that no line tells it"
        );
        for by in [r#""n": "count""#, r#""n": { "field": "cuont", "initial": "0" }"#] {
            let text = text.replace(r#""n": "cuont""#, by);
            assert!(read(&mapping(&text), &[lines]).is_ok(), "{text}");
        }
        let states = r#"{ "variables": { "n": "cuont" } }"#;
        let error = read(&mapping(states), &["{\"count\": 77}\n{\"count\": -5}"]).unwrap_err();
        assert!(error.to_string().contains("(the nearest is `count`)"), "{error}");
    }

    #[test]
    fn a_state_is_another_one_only_if_the_line_before_tells_another_value() {
        let steps = |lines: &str| {
            let traces = read(&LogMapping::default(), &[lines]).unwrap();
            let steps = traces[0].spec.steps.iter().map(|step| step.action.to_string());
            steps.collect::<Vec<_>>()
        };
        assert_eq!(
            steps("{\"x\": 0, \"y\": 0}\n{\"x\": 1}\n{\"x\": 1, \"y\": 0}"),
            [SEEN_STEP, UNSEEN_STEP]
        );
        // What the line in the middle does not tell may have changed before it.
        assert_eq!(steps("{\"x\": 0}\n{\"y\": 0}\n{\"x\": 1}"), [UNSEEN_STEP, UNSEEN_STEP]);
        assert_eq!(steps("{\"x\": 0}\n{\"x\": 0}\n{\"x\": 1}"), [UNSEEN_STEP, SEEN_STEP]);
    }

    #[test]
    fn an_object_is_states_in_the_informal_trace_format_only_if_it_says_its_variables() {
        let text = r#"{ "event": { "name": "event" }, "events": { "look": { "stutter": true } } }"#;
        let line = r#"{"event": "look", "states": [{"event": "look"}, {"event": "look"}]}"#;
        let steps = |line: &str| read(&mapping(text), &[line]).map(|traces| traces[0].lines.len());
        assert_eq!(steps(line).unwrap(), 1);
        let numbers = r#"{"event": "look", "vars": ["a"], "states": [1, 2]}"#;
        assert_eq!(steps(numbers).unwrap(), 1);
        let itf = r#"{"vars": ["event"], "states": [{"event": "look"}, {"event": "look"}]}"#;
        assert_eq!(steps(itf).unwrap(), 2);
    }

    #[test]
    fn what_contradicts_itself_or_says_nothing_is_refused() {
        for (change, by, problem) in [
            ("[\"beat\"]", "[\"look\"]", "`look` under both"),
            (
                r#""stutter": true"#,
                r#""stutter": true, "action": "A""#,
                "`action` and `stutter` for `look`",
            ),
            ("@@ b :> \\\"working\\\")", ")", ""),
            (
                r#""initial": "(a :> \"working\" @@ b :> \"working\")""#,
                r#""initial": "1""#,
                "found `1`",
            ),
        ] {
            let text = MAPPING.replace(change, by);
            assert_ne!(text, MAPPING);
            let found = read(&mapping(&text), &[r#"{"event": "beat", "node": "a", "clock": 1}"#]);
            let error = found.unwrap_err().to_string();
            let expected =
                if problem.is_empty() { "expected an event that is a step" } else { problem };
            assert!(error.contains(expected), "{error}");
        }
    }
}
