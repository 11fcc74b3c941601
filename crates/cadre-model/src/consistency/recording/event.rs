use std::collections::BTreeMap;

use cadre_trace::Json;

use super::{FORMAT, Object, RecordingError, VERSION};

/// A recorded history: who called what when, as it was written down.
///
/// # The format
///
/// A line is a JSON object, and an event: `process`, a string or a number; `type`, one of `invoke`,
/// `ok`, `fail`, `info`; `operation`, the name of what is called, or `f`; and where there are such,
/// `key`, `value` and `answer`. The end of a call need not repeat what was called. The answer of
/// what is read may stand under `value`, as in Jepsen's logs; an answer `false` is a negative one;
/// without an answer, `ok` says that it was done. `time`, `index`, `error` and `node` are passed
/// over.
///
/// A first line `{"format":"cadre-history","version":1,"object":"register","initial":0}` may say
/// what was called and what was read before the first write, which is `null` otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What the first line says.
    pub header: RecordingHeader,
    /// The names of the processes.
    pub names: Vec<String>,
    pub(super) events: Vec<Event>,
}

/// What a recording says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordingHeader {
    /// What was called.
    pub object: Option<Object>,
    /// The value before the first write.
    pub initial: Json,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) line: usize,
    pub(super) process: usize,
    pub(super) kind: Kind,
    pub(super) operation: Option<String>,
    pub(super) key: Option<Json>,
    pub(super) value: Option<Json>,
    pub(super) answer: Option<Json>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

const FIELDS: [&str; 11] = [
    "process",
    "type",
    "operation",
    "f",
    "key",
    "value",
    "answer",
    "time",
    "index",
    "error",
    "node",
];

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    ///
    /// Where a line is no event, naming the line, what was expected and what was found.
    pub fn from_ndjson(text: &str) -> Result<Self, RecordingError> {
        let mut header = RecordingHeader::default();
        let mut processes = Processes::default();
        let mut events = Vec::new();
        let lines = text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty());
        for (index, (text, line)) in lines.enumerate() {
            let fields = fields(text, line)?;
            if index == 0 && fields.contains_key("format") {
                header = read_header(&fields, line)?;
            } else {
                events.push(event(fields, line, &mut processes)?);
            }
        }
        if events.is_empty() {
            return Err(RecordingError::Empty);
        }
        Ok(Self { header, names: processes.names, events })
    }
}

pub(super) fn unexpected(line: usize, expected: &str, found: String) -> RecordingError {
    RecordingError::Line { line, expected: expected.to_owned(), found }
}

/// A value as it is shown in an error.
pub(super) fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.chars().count() > 40 {
        true => text.chars().take(39).chain(['…']).collect(),
        false => text,
    }
}

#[derive(Default)]
struct Processes {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Processes {
    fn number(&mut self, name: String) -> usize {
        let next = self.names.len();
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.names.push(name);
        }
        number
    }
}

type Fields = serde_json::Map<String, Json>;

fn fields(text: &str, line: usize) -> Result<Fields, RecordingError> {
    const OBJECT: &str = "a JSON object with an event";
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let start: String = text.chars().take(40).collect();
        let how = if error.is_eof() { "a line that ends in the middle" } else { "no JSON" };
        unexpected(line, OBJECT, format!("{how}: `{start}`"))
    })?;
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(unexpected(line, OBJECT, shown(&other))),
    }
}

fn read_header(fields: &Fields, line: usize) -> Result<RecordingHeader, RecordingError> {
    if fields.get("format").and_then(Json::as_str) != Some(FORMAT) {
        let found = shown(&fields["format"]);
        return Err(unexpected(line, "the format \"cadre-history\"", found));
    }
    let version = fields.get("version").unwrap_or(&Json::Null);
    if version.as_u64() != Some(u64::from(VERSION)) {
        return Err(RecordingError::Version { found: shown(version) });
    }
    const HEADER: [&str; 4] = ["format", "version", "object", "initial"];
    if let Some(name) = fields.keys().find(|name| !HEADER.contains(&name.as_str())) {
        return Err(unexpected(line, "object or initial in the first line", format!("`{name}`")));
    }
    let object = fields.get("object").map(|name| {
        let object = name.as_str().and_then(Object::of_name);
        object.ok_or_else(|| {
            let known = Object::ALL.map(Object::name).join(", ");
            unexpected(line, &format!("an object, one of {known}"), shown(name))
        })
    });
    let initial = fields.get("initial").cloned().unwrap_or_default();
    Ok(RecordingHeader { object: object.transpose()?, initial })
}

fn event(
    mut fields: Fields,
    line: usize,
    processes: &mut Processes,
) -> Result<Event, RecordingError> {
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let expected = format!("fields among {}", FIELDS.join(", "));
        return Err(unexpected(line, &expected, format!("`{name}`")));
    }
    let process = match fields.remove("process") {
        Some(Json::String(name)) => name,
        Some(Json::Number(number)) => number.to_string(),
        other => return Err(field(line, "the process, a string or a number", other)),
    };
    let kind = match fields.remove("type") {
        Some(Json::String(name)) if name == "invoke" => Kind::Invoke,
        Some(Json::String(name)) if name == "ok" => Kind::Ok,
        Some(Json::String(name)) if name == "fail" => Kind::Fail,
        Some(Json::String(name)) if name == "info" => Kind::Info,
        other => return Err(field(line, "the type invoke, ok, fail or info", other)),
    };
    let operation = match fields.remove("operation").or_else(|| fields.remove("f")) {
        None => None,
        Some(Json::String(name)) => Some(name),
        other => return Err(field(line, "the name of an operation", other)),
    };
    Ok(Event {
        line,
        process: processes.number(process),
        kind,
        operation,
        key: fields.remove("key"),
        value: fields.remove("value"),
        answer: fields.remove("answer"),
    })
}

fn field(line: usize, expected: &str, found: Option<Json>) -> RecordingError {
    let found = found.map_or("nothing".to_owned(), |found| shown(&found));
    unexpected(line, expected, found)
}
