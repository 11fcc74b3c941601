//! The formats of logs: a line of JSON for each event or state, an array of them, or states in the
//! Informal Trace Format.

use cadre_trace::Json;
use serde_json::Map;

use super::kind::shortened;
use super::{LogError, LogFile, LogLine};

/// A line, or what stands for one.
#[derive(Debug)]
pub(super) struct Line {
    /// Which of the executions in its file it belongs to.
    pub(super) part: usize,
    pub(super) at: LogLine,
    pub(super) fields: Map<String, Json>,
}

/// The lines of a file.
///
/// # Errors
///
/// [`LogError::Line`] for the first one that is not an object.
pub(super) fn lines(file: &LogFile) -> Result<Vec<Line>, LogError> {
    match serde_json::from_str::<Json>(&file.text) {
        Ok(Json::Array(elements)) => array(file, elements),
        Ok(Json::Object(mut fields)) if is_itf(&fields) => match fields.remove("states") {
            Some(Json::Array(states)) => objects(file, 0, "state", states),
            Some(_) | None => Ok(Vec::new()),
        },
        // One line is JSON as a whole, too.
        Ok(_) | Err(_) => lines_of_json(file),
    }
}

/// Whether an object is a trace in the Informal Trace Format, which has to say its variables; a
/// single event may have a field `states` as well.
fn is_itf(fields: &Map<String, Json>) -> bool {
    let elements = |name| fields.get(name).and_then(Json::as_array);
    elements("vars").is_some_and(|names| names.iter().all(Json::is_string))
        && elements("states").is_some_and(|states| states.iter().all(Json::is_object))
}

fn lines_of_json(file: &LogFile) -> Result<Vec<Line>, LogError> {
    let mut found = Vec::new();
    for (number, text) in (1..).zip(file.text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let at = LogLine { file: file.name.clone(), unit: "line", number };
        match serde_json::from_str::<Json>(text) {
            Ok(Json::Object(fields)) => found.push(Line { part: 0, at, fields }),
            Ok(other) => return Err(no_object(at, shortened(&other.to_string()))),
            Err(error) => {
                let found = format!("`{}` ({})", shortened(text.trim()), reason(&error));
                return Err(no_object(at, found));
            }
        }
    }
    Ok(found)
}

/// An execution, or an array of executions.
fn array(file: &LogFile, elements: Vec<Json>) -> Result<Vec<Line>, LogError> {
    if !elements.iter().all(Json::is_array) {
        return objects(file, 0, "element", elements);
    }
    let mut found = Vec::new();
    for (part, element) in elements.into_iter().enumerate() {
        if let Json::Array(elements) = element {
            found.extend(objects(file, part, "element", elements)?);
        }
    }
    Ok(found)
}

fn objects(
    file: &LogFile,
    part: usize,
    unit: &'static str,
    elements: Vec<Json>,
) -> Result<Vec<Line>, LogError> {
    let line = |(number, json): (usize, Json)| {
        let at = LogLine { file: file.name.clone(), unit, number };
        match json {
            Json::Object(mut fields) => {
                // What a tool has to say about a state is none of its variables.
                fields.remove("#meta");
                Ok(Line { part, at, fields })
            }
            other => Err(no_object(at, shortened(&other.to_string()))),
        }
    };
    (1..).zip(elements).map(line).collect()
}

fn no_object(at: LogLine, found: String) -> LogError {
    LogError::Line {
        expected: format!("an object of JSON in each {}", at.unit),
        at,
        found,
        advice: "write each event as one line of JSON; a line that was cut off is not one",
    }
}

/// Why JSON does not read; its line is always the first.
fn reason(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}
