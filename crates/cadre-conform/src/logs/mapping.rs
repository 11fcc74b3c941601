use std::collections::BTreeMap;
use std::fmt;

use cadre_tla::Value;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Kind;

/// What the lines of a log are in a specification; people write it, as TOML or JSON.
///
/// # Examples
///
/// ```
/// use cadre_conform::LogMapping;
///
/// let mapping: LogMapping = serde_json::from_str(
///     r#"{
///         "game": "two-phase-commit",
///         "event": { "name": "event", "node": "node", "clock": "clock" },
///         "events": { "prepare": { "action": "RMPrepare", "arguments": { "rm": "node" } } },
///         "variables": { "tmState": "decision" }
///     }"#,
/// )?;
/// assert_eq!(mapping.events["prepare"].action.as_deref(), Some("RMPrepare"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogMapping {
    /// The game whose specification is meant, instead of [`spec`](Self::spec).
    pub game: Option<String>,
    /// How large that game's cluster is.
    pub nodes: Option<usize>,
    /// The file of the specification's module, beside the mapping.
    pub spec: Option<String>,
    /// The values of its constants, as TLA+ text.
    #[serde(deserialize_with = "values")]
    pub constants: BTreeMap<String, Value>,
    /// The invariants of the specification to be checked along the way.
    pub invariants: Vec<String>,
    /// Where a line says what happened. Without it each line is a state, and what leads from one to
    /// the next is any step of the specification.
    pub event: Option<EventFields>,
    /// What each event is.
    pub events: BTreeMap<String, EventStep>,
    /// The events that are no business of the specification.
    pub ignore: Vec<String>,
    /// What the lines say about the specification's variables after the event.
    pub variables: BTreeMap<String, LoggedVariable>,
}

/// In which fields a line says what happened, where, and after what.
///
/// A field may be a way into an object: `message.type`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFields {
    /// The name of the event; of several fields those that are there make one name, with blanks
    /// between them.
    #[serde(deserialize_with = "one_or_more")]
    pub name: Vec<String>,
    /// The node; without it each file is a node's.
    #[serde(default)]
    pub node: Option<String>,
    /// The clock after the event: an integer is a Lamport clock, an object a vector clock. Without
    /// it the lines of a file are in the order in which they happened.
    #[serde(default)]
    pub clock: Option<String>,
    /// What tells one execution from another; without it all lines are of one.
    #[serde(default)]
    pub run: Option<String>,
}

/// What an event is in the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventStep {
    /// The action; without it the action is called as the event.
    pub action: Option<String>,
    /// All its arguments.
    pub arguments: BTreeMap<String, FieldSource>,
    /// Whether it changes nothing in the specification, but says something about its variables.
    pub stutter: bool,
    /// Instead of an action several steps of the specification, one after the other.
    pub steps: Vec<EventStep>,
    /// Instead of an action several possibilities, of which it is one.
    pub one_of: Vec<EventStep>,
}

impl EventStep {
    /// What it says it is, by the fields of the mapping.
    pub(super) fn told(&self) -> Vec<&'static str> {
        let told = [
            ("action", self.action.is_some()),
            ("stutter", self.stutter),
            ("steps", !self.steps.is_empty()),
            ("one_of", !self.one_of.is_empty()),
        ];
        told.into_iter().filter(|(_, is_told)| *is_told).map(|(name, _)| name).collect()
    }

    /// What it consists of, if not of one action.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Self> {
        self.steps.iter().chain(&self.one_of)
    }
}

/// Where a value is: `FIELD`, `FIELD as KIND`, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldSource {
    /// In a field of the line.
    Field {
        /// Its name, or the way to it.
        path: String,
        /// What it is in TLA+.
        kind: Kind,
        /// Texts that are others in the specification.
        rename: BTreeMap<String, String>,
    },
    /// It is always this one.
    Constant(Value),
}

/// What the lines say about a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedVariable {
    /// Its value, or that of its entry.
    pub source: FieldSource,
    /// Which entry of the variable, a function, a line tells: then all others are as they were told
    /// last.
    pub entry: Option<FieldSource>,
    /// Its value before the first event.
    pub initial: Option<Value>,
}

/// A source as a table, and what else may stand there for a variable.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    field: Option<String>,
    #[serde(rename = "as")]
    kind: Option<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    value: Option<String>,
    entry: Option<FieldSource>,
    initial: Option<String>,
}

/// Text, or a table.
struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = LoggedVariable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`FIELD`, `FIELD as KIND`, or a table with `field` or `value`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<LoggedVariable, E> {
        let (path, kind) = match text.split_once(" as ") {
            Some((path, kind)) => (path, kind.parse().map_err(E::custom)?),
            None => (text, Kind::Itself),
        };
        let path = path.trim().to_owned();
        if path.is_empty() {
            return Err(E::custom("expected the name of a field before `as`, found none"));
        }
        let source = FieldSource::Field { path, kind, rename: BTreeMap::new() };
        Ok(LoggedVariable { source, entry: None, initial: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LoggedVariable, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        let kind = table.kind.as_deref().map(str::parse).transpose().map_err(A::Error::custom)?;
        let source = match (table.field, table.value) {
            (Some(path), None) => {
                let kind = kind.unwrap_or_default();
                FieldSource::Field { path, kind, rename: table.rename }
            }
            (None, Some(text)) => FieldSource::Constant(value(&text)?),
            (Some(_), Some(_)) | (None, None) => {
                return Err(A::Error::custom("expected either `field` or `value`"));
            }
        };
        let initial = table.initial.as_deref().map(value).transpose()?;
        Ok(LoggedVariable { source, entry: table.entry, initial })
    }
}

impl<'de> Deserialize<'de> for LoggedVariable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

impl<'de> Deserialize<'de> for FieldSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let variable = deserializer.deserialize_any(SourceVisitor)?;
        match variable {
            LoggedVariable { source, entry: None, initial: None } => Ok(source),
            LoggedVariable { .. } => {
                Err(D::Error::custom("`entry` and `initial` are for variables, and not for this"))
            }
        }
    }
}

fn value<E: Error>(text: &str) -> Result<Value, E> {
    Value::parse(text).map_err(|error| E::custom(format!("`{text}` is no value: {error}")))
}

fn values<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    texts.into_iter().map(|(name, text)| Ok((name, value(&text)?))).collect()
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a field, or a list of names")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut names: A,
        ) -> Result<Vec<String>, A::Error> {
            let mut found = Vec::new();
            while let Some(name) = names.next_element()? {
                found.push(name);
            }
            match found.is_empty() {
                true => Err(A::Error::custom("expected at least one name, found an empty list")),
                false => Ok(found),
            }
        }
    }

    deserializer.deserialize_any(Names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(text: &str) -> Result<LoggedVariable, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_is_a_text_or_a_table() {
        let short = variable(r#""a.b as set(model)""#).unwrap();
        let long = variable(r#"{ "field": "a.b", "as": "set(model)" }"#).unwrap();
        assert_eq!(short, long);
        let constant = variable(r#"{ "value": "{1}" }"#).unwrap().source;
        assert_eq!(constant, FieldSource::Constant(Value::set([Value::Int(1)])));
        let entry = variable(r#"{ "field": "s", "entry": "n as model", "initial": "<<>>" }"#);
        let entry = entry.unwrap();
        assert!(entry.entry.is_some() && entry.initial == Some(Value::Sequence(Vec::new())));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        for (text, problem) in [
            (r#""a as number""#, "found `number`"),
            (r#"" as int""#, "the name of a field"),
            ("3", "`FIELD as KIND`"),
            (r#"{ "feld": "a" }"#, "unknown field `feld`"),
            (r#"{ "field": "a", "value": "1" }"#, "either `field` or `value`"),
            (r#"{ "value": "{1" }"#, "`{1` is no value"),
        ] {
            let error = variable(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        let argument = serde_json::from_str::<FieldSource>(r#"{ "field": "a", "initial": "1" }"#);
        assert!(argument.unwrap_err().to_string().contains("are for variables"));
    }
}
