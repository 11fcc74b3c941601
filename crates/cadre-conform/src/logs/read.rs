use std::collections::BTreeMap;

use cadre_tla::Value;

use super::events::{LogEvent, executions, no_field};
use super::merge::merged;
use super::{EventStep, FieldSource, Kind, LogError, LogLine, LogMapping, LoggedVariable, fields};
use crate::names::nearest;
use crate::states::{SEEN_STEP, UNSEEN_STEP};
use crate::{SpecAction, SpecStep, SpecTrace};

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
    let mut traces = Vec::new();
    for (name, events) in executions(files, mapping.event.as_ref())? {
        let mut told = Told::new(mapping)?;
        for event in merged(events)? {
            told.add(event)?;
        }
        let name = if name.is_empty() { "the log".to_owned() } else { name };
        traces.push(told.trace(name));
    }
    if traces.iter().all(|trace| trace.lines.is_empty()) {
        let files = files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(LogError::NoSteps { files });
    }
    Ok(traces)
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

/// An execution that is being read.
struct Told<'a> {
    mapping: &'a LogMapping,
    /// The functions of which lines tell entries, as they are now.
    functions: BTreeMap<&'a str, BTreeMap<Value, Value>>,
    initial: BTreeMap<String, Value>,
    steps: Vec<SpecStep>,
    lines: Vec<LoggedEvent>,
    /// The state before, where lines are states.
    before: Option<BTreeMap<String, Value>>,
}

impl<'a> Told<'a> {
    fn new(mapping: &'a LogMapping) -> Result<Self, LogError> {
        let (mut functions, mut initial) = (BTreeMap::new(), BTreeMap::new());
        for (name, variable) in &mapping.variables {
            if let Some(value) = &variable.initial {
                initial.insert(name.clone(), value.clone());
            }
            if variable.entry.is_some() {
                let pairs = variable.initial.as_ref().and_then(pairs);
                functions.insert(name.as_str(), pairs.ok_or_else(|| no_function(name, variable))?);
            }
        }
        Ok(Self { mapping, functions, initial, steps: Vec::new(), lines: Vec::new(), before: None })
    }

    fn add(&mut self, event: LogEvent) -> Result<(), LogError> {
        if self.mapping.event.is_none() {
            return self.add_state(event);
        }
        if self.mapping.ignore.contains(&event.name) {
            return Ok(());
        }
        let action = self.action(&event)?;
        let variables = self.variables(&event)?;
        self.steps.push(SpecStep { action, variables: Some(variables).filter(|v| !v.is_empty()) });
        self.lines.push(LoggedEvent { at: event.at, event: event.name, node: event.node });
        Ok(())
    }

    /// Adds a state, to which any step of the specification may have led.
    fn add_state(&mut self, event: LogEvent) -> Result<(), LogError> {
        let variables = match self.mapping.variables.is_empty() {
            true => all_fields(&event)?,
            false => self.variables(&event)?,
        };
        let Some(before) = &self.before else {
            self.initial.extend(variables.clone());
            self.before = Some(variables);
            return Ok(());
        };
        let is_seen = variables.iter().any(|(name, value)| before.get(name) != Some(value));
        let action = SpecAction::named(if is_seen { SEEN_STEP } else { UNSEEN_STEP });
        self.before = Some(variables.clone());
        self.steps.push(SpecStep { action, variables: Some(variables) });
        let event = LoggedEvent { at: event.at, event: "a step".to_owned(), node: event.node };
        self.lines.push(event);
        Ok(())
    }

    fn action(&self, event: &LogEvent) -> Result<SpecAction, LogError> {
        let events = &self.mapping.events;
        let step = events.get(&event.name).ok_or_else(|| {
            let known = events.keys().chain(&self.mapping.ignore).map(String::as_str);
            let near = nearest(&event.name, known)
                .map_or_else(String::new, |near| format!(" (the nearest is `{near}`)"));
            LogError::Line {
                at: event.at.clone(),
                expected: format!("an event of the mapping{near}"),
                found: format!("`{}`", event.name),
                advice: "name it under `events`, or under `ignore`",
            }
        })?;
        action(step, event)
    }

    /// What a line says about variables after its event.
    fn variables(&mut self, event: &LogEvent) -> Result<BTreeMap<String, Value>, LogError> {
        let mut told = BTreeMap::new();
        for (name, variable) in &self.mapping.variables {
            let found = fields::value(&variable.source, &event.fields, &event.at)?;
            let Some(value) = found else { continue };
            let value = match &variable.entry {
                None => value,
                Some(entry) => {
                    let key = fields::value(entry, &event.fields, &event.at)?;
                    let key = key.ok_or_else(|| {
                        let purpose = format!("for the entry of {name}");
                        no_field(path(entry), &purpose, &event.fields, event.at.clone())
                    })?;
                    self.enter(name, key, value, event)?
                }
            };
            told.insert(name.clone(), value);
        }
        Ok(told)
    }

    /// Changes an entry of a function, and gives the function.
    fn enter(
        &mut self,
        name: &str,
        key: Value,
        value: Value,
        event: &LogEvent,
    ) -> Result<Value, LogError> {
        let function = self.functions.get_mut(name).expect("functions were collected before");
        match function.get_mut(&key) {
            Some(entry) => *entry = value,
            None => {
                let known = function.keys().map(Value::to_string).collect::<Vec<_>>().join(", ");
                return Err(LogError::Line {
                    at: event.at.clone(),
                    expected: format!("an entry that {name} has ({known})"),
                    found: key.to_string(),
                    advice: "correct the log, or `entry` and `initial` in the mapping",
                });
            }
        }
        Ok(Value::function(function.clone()))
    }

    fn trace(self, name: String) -> LogTrace {
        let initial = Some(self.initial).filter(|initial| !initial.is_empty());
        LogTrace { spec: SpecTrace { name, initial, steps: self.steps }, lines: self.lines }
    }
}

/// What an event is.
fn action(step: &EventStep, event: &LogEvent) -> Result<SpecAction, LogError> {
    let all = |steps: &[EventStep]| {
        steps.iter().map(|step| action(step, event)).collect::<Result<Vec<_>, _>>()
    };
    if step.stutter {
        return Ok(SpecAction::Stutter);
    }
    if !step.steps.is_empty() {
        return Ok(SpecAction::Sequence(all(&step.steps)?));
    }
    if !step.one_of.is_empty() {
        return Ok(SpecAction::OneOf(all(&step.one_of)?));
    }
    let name = step.action.as_ref().unwrap_or(&event.name).clone();
    let mut arguments = BTreeMap::new();
    for (argument, source) in &step.arguments {
        let found = fields::value(source, &event.fields, &event.at)?;
        let value = found.ok_or_else(|| {
            let purpose = format!("for the argument `{argument}` of {name}");
            no_field(path(source), &purpose, &event.fields, event.at.clone())
        })?;
        arguments.insert(argument.clone(), value);
    }
    Ok(SpecAction::Step { name, arguments })
}

/// Every field of a state as the variable of its name.
fn all_fields(event: &LogEvent) -> Result<BTreeMap<String, Value>, LogError> {
    let mut variables = BTreeMap::new();
    for name in event.fields.keys() {
        let (path, kind, rename) = (name.clone(), Kind::Itself, BTreeMap::new());
        let source = FieldSource::Field { path, kind, rename };
        let found = fields::value(&source, &event.fields, &event.at)?;
        variables.extend(found.map(|value| (name.clone(), value)));
    }
    Ok(variables)
}

fn no_function(name: &str, variable: &LoggedVariable) -> LogError {
    LogError::Mapping {
        expected: format!("the whole function as `initial` of {name}, whose entries are logged"),
        found: variable.initial.as_ref().map_or("none".to_owned(), |value| format!("`{value}`")),
        advice: "write it as `(a :> 1 @@ b :> 2)`",
    }
}

/// The pairs of a function in normal form.
fn pairs(value: &Value) -> Option<BTreeMap<Value, Value>> {
    match value {
        Value::Function(pairs) => Some(pairs.clone()),
        Value::Record(fields) => {
            Some(fields.iter().map(|(name, v)| (Value::string(name), v.clone())).collect())
        }
        Value::Sequence(elements) => {
            Some((1..).map(Value::Int).zip(elements.iter().cloned()).collect())
        }
        Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::Model(_) | Value::Set(_) => None,
    }
}

/// The field of a source, for messages.
fn path(source: &FieldSource) -> &str {
    match source {
        FieldSource::Field { path, .. } => path,
        FieldSource::Constant(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"{
        "event": { "name": ["event", "what"], "node": "node", "clock": "clock" },
        "events": {
            "prepare": { "action": "RMPrepare", "arguments": { "rm": "node as model" } },
            "decide commit": { "action": "TMCommit" },
            "look": { "stutter": true }
        },
        "ignore": ["beat"],
        "variables": {
            "tmState": "decision",
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
        let traces = read(&mapping(&text), &[runs, runs]).unwrap();
        let names: Vec<_> = traces.iter().map(|t| (t.spec.name.as_str(), t.lines.len())).collect();
        assert_eq!(names, [("1", 2), ("b", 2)]);
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
