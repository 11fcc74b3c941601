//! Looking into a line of a log.

use std::collections::BTreeMap;

use cadre_tla::Value;
use cadre_trace::Json;
use serde_json::Map;

use super::kind::shortened;
use super::{FieldSource, LogError, LogLine};

/// What a line holds under a name: as a field, or as a way into an object.
pub(super) fn at<'a>(fields: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    if let Some(found) = fields.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    match fields.get(first)? {
        Json::Object(inner) => at(inner, rest),
        Json::Array(elements) => elements.get(rest.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The value that a source has in a line; `None` where there is no such field.
///
/// # Errors
///
/// [`LogError::Line`] where the value is not of its kind.
pub(super) fn value(
    source: &FieldSource,
    fields: &Map<String, Json>,
    line: &LogLine,
) -> Result<Option<Value>, LogError> {
    let (path, kind, rename) = match source {
        FieldSource::Constant(value) => return Ok(Some(value.clone())),
        FieldSource::Field { path, kind, rename } => (path, kind, rename),
    };
    let Some(found) = at(fields, path) else { return Ok(None) };
    let read = match rename.is_empty() {
        true => kind.read(found),
        false => kind.read(&renamed(found, rename)),
    };
    read.map(Some).map_err(|mismatch| LogError::Line {
        at: line.clone(),
        expected: format!("{} in `{path}{}`", mismatch.expected, mismatch.path()),
        found: mismatch.found,
        advice: "correct the log, or the kind in the mapping",
    })
}

/// The fields that a line has, for messages.
pub(super) fn names(fields: &Map<String, Json>) -> String {
    match fields.is_empty() {
        true => "none".to_owned(),
        false => shortened(&fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn renamed(json: &Json, names: &BTreeMap<String, String>) -> Json {
    let name = |text: &str| names.get(text).map_or(text, String::as_str).to_owned();
    match json {
        Json::String(text) => Json::String(name(text)),
        Json::Array(elements) => elements.iter().map(|json| renamed(json, names)).collect(),
        Json::Object(fields) => {
            fields.iter().map(|(k, json)| (name(k), renamed(json, names))).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
    }
}
