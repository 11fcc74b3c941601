//! The lines of logs, with what the mapping reads off each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cadre_trace::Json;
use serde_json::Map;

use super::clocks::LogClock;
use super::kind::shortened;
use super::lines::{Line, lines};
use super::{EventFields, LogError, LogFile, LogLine, fields};

/// A line.
#[derive(Clone, Debug)]
pub(super) struct LogEvent {
    pub(super) at: LogLine,
    pub(super) node: String,
    pub(super) clock: Option<LogClock>,
    /// Empty where lines are states.
    pub(super) name: String,
    pub(super) fields: Map<String, Json>,
}

impl LogEvent {
    /// Whether clocks say that this comes before another event.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        match (&self.clock, &other.clock) {
            (Some(clock), Some(other_clock)) if self.node != other.node => {
                other_clock.is_after(clock, &self.node)
            }
            (Some(clock), Some(other_clock)) => clock.own(&self.node) < other_clock.own(&self.node),
            (None, _) | (_, None) => false,
        }
    }
}

/// What tells executions apart: the file where it matters, the part of it, and the name.
type Key = ((usize, usize), String);

/// The lines of each execution, as they stand in the files.
///
/// # Errors
///
/// [`LogError::Line`] for what is no line of such a log, [`LogError::NoClock`].
pub(super) fn executions(
    files: &[LogFile],
    event: Option<&EventFields>,
) -> Result<Vec<(String, Vec<LogEvent>)>, LogError> {
    let mut executions: BTreeMap<Key, Vec<LogEvent>> = BTreeMap::new();
    let clock = event.and_then(|event| event.clock.as_ref());
    let run = event.and_then(|event| event.run.as_ref());
    for (position, file) in files.iter().enumerate() {
        let stem = Path::new(&file.name)
            .file_stem()
            .map_or(file.name.as_str().into(), |stem| stem.to_string_lossy());
        // Where nothing tells executions apart, and there are no clocks to merge by, each file is
        // an execution.
        let alone = if clock.is_none() && run.is_none() { position } else { 0 };
        for Line { part, at, fields } in lines(file)? {
            let alone = (alone, part);
            let told = run.map(|run| word(&fields, run, &at)).transpose()?;
            let name = told
                .unwrap_or_else(|| if clock.is_none() { stem.to_string() } else { String::new() });
            let event = log_event(event, &stem, at, fields)?;
            executions.entry((alone, name)).or_default().push(event);
        }
    }
    if clock.is_none() {
        for ((_, run), events) in &executions {
            judge_files(run, events)?;
        }
        if run.is_none() && event.is_some_and(|event| event.node.is_some()) {
            judge_nodes(&executions)?;
        }
    }
    Ok(executions.into_iter().map(|((_, name), events)| (name, events)).collect())
}

/// Refuses an execution without clocks that is told by several files: nothing says how their lines
/// go together.
fn judge_files(run: &str, events: &[LogEvent]) -> Result<(), LogError> {
    let files: BTreeSet<&str> = events.iter().map(|event| event.at.file.as_str()).collect();
    match files.len() > 1 {
        true => {
            let files = files.into_iter().collect::<Vec<_>>().join(", ");
            let why = format!("lines of the run {run} are in several files ({files})");
            Err(LogError::NoClock { why })
        }
        false => Ok(()),
    }
}

/// Refuses files without clocks that are those of different nodes, of one execution that is.
fn judge_nodes(executions: &BTreeMap<Key, Vec<LogEvent>>) -> Result<(), LogError> {
    let mut nodes = BTreeSet::new();
    for events in executions.values() {
        let here: BTreeSet<&String> = events.iter().map(|event| &event.node).collect();
        if here.len() > 1 {
            return Ok(());
        }
        nodes.extend(here);
    }
    match nodes.len() > 1 {
        true => {
            let nodes = nodes.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(LogError::NoClock { why: format!("there are several nodes ({nodes})") })
        }
        false => Ok(()),
    }
}

fn log_event(
    event: Option<&EventFields>,
    stem: &str,
    at: LogLine,
    fields: Map<String, Json>,
) -> Result<LogEvent, LogError> {
    let Some(told) = event else {
        let (node, name) = (stem.to_owned(), String::new());
        return Ok(LogEvent { at, node, clock: None, name, fields });
    };
    let mut name = Vec::new();
    for path in &told.name {
        if fields::at(&fields, path).is_some() {
            name.push(word(&fields, path, &at)?);
        }
    }
    if name.is_empty() {
        return Err(no_field(&told.name.join("` or `"), "that names the event", &fields, at));
    }
    let node = told.node.as_ref().map(|path| word(&fields, path, &at)).transpose()?;
    let clock = told.clock.as_ref().map(|path| clock(&fields, path, &at)).transpose()?;
    let (node, name) = (node.unwrap_or_else(|| stem.to_owned()), name.join(" "));
    Ok(LogEvent { at, node, clock, name, fields })
}

fn clock(fields: &Map<String, Json>, path: &str, at: &LogLine) -> Result<LogClock, LogError> {
    let found = fields::at(fields, path)
        .ok_or_else(|| no_field(path, "with the clock", fields, at.clone()))?;
    LogClock::read(found).ok_or_else(|| LogError::Line {
        at: at.clone(),
        expected: format!(
            "a Lamport clock, which is a whole number, or a vector clock, an object of whole \
             numbers, in `{path}`"
        ),
        found: shortened(&found.to_string()),
        advice: "correct the log, or the field in the mapping",
    })
}

/// A text or number of a line.
fn word(fields: &Map<String, Json>, path: &str, at: &LogLine) -> Result<String, LogError> {
    match fields::at(fields, path) {
        Some(Json::String(text)) => Ok(text.clone()),
        Some(Json::Number(number)) => Ok(number.to_string()),
        Some(other) => Err(LogError::Line {
            at: at.clone(),
            expected: format!("text or a number in `{path}`"),
            found: shortened(&other.to_string()),
            advice: "correct the log, or the field in the mapping",
        }),
        None => Err(no_field(path, "in every line", fields, at.clone())),
    }
}

/// What is said of a field that is not there.
pub(super) fn no_field(
    path: &str,
    purpose: &str,
    fields: &Map<String, Json>,
    at: LogLine,
) -> LogError {
    LogError::Line {
        at,
        expected: format!("a field `{path}` {purpose}"),
        found: format!("the fields {}", fields::names(fields)),
        advice: "correct the log, or the field in the mapping",
    }
}
