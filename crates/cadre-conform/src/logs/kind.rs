use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cadre_tla::{NONE, Value, from_itf};
use cadre_trace::Json;

/// What a value of a log is in TLA+.
///
/// In a mapping a kind is written as one of `itself`, `bool`, `int`, `string`, `model`,
/// `optional(K)`, `set(K)`, `sequence(K)`, `function(K, K)`, `record(NAME: K, …)` and `tla`.
///
/// # Examples
///
/// ```
/// use cadre_conform::Kind;
///
/// let kind: Kind = "function(model, set(int))".parse()?;
/// let logged = serde_json::json!({ "rm1": [2, 1], "rm2": [] });
/// assert_eq!(kind.value(&logged).unwrap().to_string(), "(rm1 :> {1, 2} @@ rm2 :> {})");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// What JSON says: text is a string, an array a sequence, an object a record. What is written
    /// in the Informal Trace Format is read as that.
    #[default]
    Itself,
    /// `TRUE` or `FALSE`.
    Bool,
    /// An integer, also one written as text.
    Int,
    /// A string.
    String,
    /// A model value, from text.
    Model,
    /// The model value `None` for `null`, the inner kind otherwise.
    Optional(Box<Kind>),
    /// A set, from an array.
    Set(Box<Kind>),
    /// A sequence, from an array.
    Sequence(Box<Kind>),
    /// A function, from an object, whose names are read as the first kind, or from an array, which
    /// is a function over `1..n`.
    Function(Box<Kind>, Box<Kind>),
    /// A record, from an object; fields that are not named are themselves, none has to be there.
    Record(BTreeMap<String, Kind>),
    /// Text that is TLA+.
    Tla,
}

/// Why a value is not of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The way to the offending part, innermost first.
    path: Vec<String>,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Mismatch {
    fn new(expected: impl Into<String>, found: &Json) -> Self {
        Self { path: Vec::new(), expected: expected.into(), found: shortened(&found.to_string()) }
    }

    fn within(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    /// The way to the offending part, empty for the value itself.
    pub(crate) fn path(&self) -> String {
        self.path.iter().rev().map(String::as_str).collect()
    }
}

/// The beginning of a text that may be long.
pub(crate) fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Kind {
    /// The value.
    ///
    /// # Errors
    ///
    /// What was expected and found, and where in the value.
    pub fn value(&self, json: &Json) -> Result<Value, String> {
        self.read(json).map_err(|mismatch| {
            let at = match mismatch.path() {
                path if path.is_empty() => String::new(),
                path => format!(" at {path}"),
            };
            format!("expected {}{at}, found {}", mismatch.expected, mismatch.found)
        })
    }

    /// As [`value`](Kind::value), in normal form.
    pub(crate) fn read(&self, json: &Json) -> Result<Value, Mismatch> {
        let expected = || Mismatch::new(self.told(), json);
        let value = match self {
            Self::Itself => itself(json)?,
            Self::Bool => Value::Bool(json.as_bool().ok_or_else(expected)?),
            Self::Int => Value::Int(integer(json).ok_or_else(expected)?),
            Self::String => Value::string(text(json).ok_or_else(expected)?),
            Self::Model => Value::model(model(json).ok_or_else(expected)?),
            Self::Optional(_) if json.is_null() || is_none(json) => Value::model(NONE),
            Self::Optional(inner) => inner.read(json)?,
            Self::Set(inner) => {
                let elements = elements(json, "#set").ok_or_else(expected)?;
                Value::Set(each(inner, elements)?.into_iter().collect())
            }
            Self::Sequence(inner) => {
                let elements = elements(json, "#tup").ok_or_else(expected)?;
                Value::Sequence(each(inner, elements)?)
            }
            Self::Function(from, to) => function(from, to, json).ok_or_else(expected)??,
            Self::Record(kinds) => {
                let fields = json.as_object().ok_or_else(expected)?;
                let mut record = BTreeMap::new();
                for (name, json) in fields {
                    let kind = kinds.get(name).unwrap_or(&Self::Itself);
                    let value = kind.read(json).map_err(|m| m.within(format!(".{name}")))?;
                    record.insert(name.clone(), value);
                }
                Value::record(record)
            }
            Self::Tla => {
                let text = text(json).ok_or_else(expected)?;
                Value::parse(text).map_err(|_| expected())?
            }
        };
        Ok(value.normal())
    }

    /// What is expected, in words.
    fn told(&self) -> String {
        match self {
            Self::Itself => "a value of TLA+".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Int => "an integer".to_owned(),
            Self::String => "text".to_owned(),
            Self::Model => "text that names a model value".to_owned(),
            Self::Optional(inner) => format!("null or {}", inner.told()),
            Self::Set(_) => "an array, for a set".to_owned(),
            Self::Sequence(_) => "an array, for a sequence".to_owned(),
            Self::Function(..) => "an object or an array, for a function".to_owned(),
            Self::Record(_) => "an object, for a record".to_owned(),
            Self::Tla => "text that is a value of TLA+".to_owned(),
        }
    }
}

fn itself(json: &Json) -> Result<Value, Mismatch> {
    from_itf(json).map_err(|_| {
        let mismatch = Mismatch::new("a value that TLA+ has", json);
        match json {
            Json::Null => {
                Mismatch { expected: "a value; with null it is optional(…)".into(), ..mismatch }
            }
            _ => mismatch,
        }
    })
}

fn text(json: &Json) -> Option<&str> {
    json.as_str()
}

fn integer(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        Json::Object(fields) if fields.len() == 1 => fields.get("#bigint")?.as_str()?.parse().ok(),
        _ => None,
    }
}

/// The name of a model value: TLC's own modules write it as text.
fn model(json: &Json) -> Option<&str> {
    match json {
        Json::Object(fields) if fields.len() == 1 => fields.get("#model")?.as_str(),
        other => other.as_str(),
    }
}

fn is_none(json: &Json) -> bool {
    model(json) == Some(NONE)
}

/// The elements of an array, or of what the Informal Trace Format has under a name.
fn elements<'a>(json: &'a Json, name: &str) -> Option<&'a [Json]> {
    match json {
        Json::Array(elements) => Some(elements),
        Json::Object(fields) if fields.len() == 1 => Some(fields.get(name)?.as_array()?),
        _ => None,
    }
}

fn each(kind: &Kind, elements: &[Json]) -> Result<Vec<Value>, Mismatch> {
    let numbered = elements.iter().enumerate();
    let read =
        |(index, json)| kind.read(json).map_err(|m: Mismatch| m.within(format!("[{index}]")));
    numbered.map(read).collect()
}

/// The function; `None` where the value has no shape of one.
fn function(from: &Kind, to: &Kind, json: &Json) -> Option<Result<Value, Mismatch>> {
    let pairs: Vec<(Json, &Json)> = match json {
        Json::Array(elements) => (1..).zip(elements).map(|(key, v)| (Json::from(key), v)).collect(),
        Json::Object(fields) => match fields.get("#map") {
            Some(pairs) => {
                let pair = |pair: &'_ Json| Some((pair.get(0)?.clone(), pair.as_array()?.len()));
                let pairs = pairs.as_array()?;
                if pairs.iter().any(|p| pair(p).is_none_or(|(_, length)| length != 2)) {
                    return None;
                }
                pairs.iter().map(|pair| (pair[0].clone(), &pair[1])).collect()
            }
            None => fields.iter().map(|(k, v)| (Json::String(k.clone()), v)).collect(),
        },
        _ => return None,
    };
    let pair = |(key, value): (Json, &Json)| {
        let place = || format!("[{}]", key.as_str().map_or(key.to_string(), str::to_owned));
        let read = to.read(value).map_err(|m| m.within(place()))?;
        let key = from.read(&key).map_err(|m| m.within("(a key)".to_owned()))?;
        Ok((key, read))
    };
    Some(pairs.into_iter().map(pair).collect::<Result<Vec<_>, _>>().map(Value::function))
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text.trim() };
        let kind = words.kind(0)?;
        match words.rest.trim_start() {
            "" => Ok(kind),
            rest => Err(format!("expected the end of the kind, found `{rest}`")),
        }
    }
}

/// How deep kinds may be nested.
const NESTING_MAX: usize = 32;

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn kind(&mut self, depth: usize) -> Result<Kind, String> {
        if depth > NESTING_MAX {
            return Err(format!("expected at most {NESTING_MAX} kinds within each other"));
        }
        let word = self.word();
        let kind = match word {
            "itself" => Kind::Itself,
            "bool" => Kind::Bool,
            "int" => Kind::Int,
            "string" => Kind::String,
            "model" => Kind::Model,
            "tla" => Kind::Tla,
            "optional" | "set" | "sequence" => {
                self.expect("(")?;
                let inner = Box::new(self.kind(depth + 1)?);
                self.expect(")")?;
                match word {
                    "optional" => Kind::Optional(inner),
                    "set" => Kind::Set(inner),
                    _ => Kind::Sequence(inner),
                }
            }
            "function" => {
                self.expect("(")?;
                let from = Box::new(self.kind(depth + 1)?);
                self.expect(",")?;
                let to = Box::new(self.kind(depth + 1)?);
                self.expect(")")?;
                Kind::Function(from, to)
            }
            "record" => self.record(depth)?,
            other => {
                return Err(format!(
                    "expected a kind (itself, bool, int, string, model, optional(K), set(K), \
                     sequence(K), function(K, K), record(NAME: K, …), tla), found `{other}`"
                ));
            }
        };
        Ok(kind)
    }

    fn record(&mut self, depth: usize) -> Result<Kind, String> {
        let mut fields = BTreeMap::new();
        self.expect("(")?;
        loop {
            let name = self.word();
            self.expect(":")?;
            fields.insert(name.to_owned(), self.kind(depth + 1)?);
            if self.expect(",").is_err() {
                self.expect(")")?;
                return Ok(Kind::Record(fields));
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        self.rest = rest;
        word
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        let text = self.rest.trim_start();
        match text.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => {
                let found = text.chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
                Err(format!("expected `{sign}` in the kind, found {found}"))
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself => f.write_str("itself"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::String => f.write_str("string"),
            Self::Model => f.write_str("model"),
            Self::Tla => f.write_str("tla"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
            Self::Set(inner) => write!(f, "set({inner})"),
            Self::Sequence(inner) => write!(f, "sequence({inner})"),
            Self::Function(from, to) => write!(f, "function({from}, {to})"),
            Self::Record(fields) => {
                let fields = fields.iter().map(|(name, kind)| format!("{name}: {kind}"));
                write!(f, "record({})", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, json: &str, expected: &str) {
        let kind: Kind = kind.parse().unwrap();
        let json = serde_json::from_str(json).unwrap();
        let found = kind.value(&json).map_or_else(|why| why, |value| value.to_string());
        assert_eq!(found, expected, "{kind} of {json}");
    }

    #[test]
    fn json_becomes_what_its_kind_says() {
        check("itself", r#"{"a": [1, "x", true]}"#, r#"[a |-> <<1, "x", TRUE>>]"#);
        check("set(model)", r#"["rm2", "rm1"]"#, "{rm1, rm2}");
        check("set(model)", r##"{"#set": [{"#model": "rm1"}]}"##, "{rm1}");
        check("function(model, string)", r#"{"rm1": "a"}"#, r#"(rm1 :> "a")"#);
        check("function(int, int)", r#"{"3": 4}"#, "(3 :> 4)");
        check("function(int, string)", r#"["a"]"#, r#"<<"a">>"#);
        check("function(model, int)", r##"{"#map": [["a", {"#bigint": "1"}]]}"##, "(a :> 1)");
        check("optional(int)", "null", "None");
        check("optional(int)", "3", "3");
        check(
            "set(record(rm: model))",
            r#"[{"type": "x", "rm": "r"}]"#,
            r#"{[rm |-> r, type |-> "x"]}"#,
        );
        check("sequence(int)", "[]", "<<>>");
        check("tla", r#""{<<1>>}""#, "{<<1>>}");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        check("int", r#""x""#, r#"expected an integer, found "x""#);
        check(
            "set(model)",
            r#"["a", 3]"#,
            "expected text that names a model value at [1], found 3",
        );
        check(
            "function(model, record(log: sequence(int)))",
            r#"{"a": {"log": [1, true]}}"#,
            "expected an integer at [a].log[1], found true",
        );
        check("itself", "[0.5]", "expected a value that TLA+ has, found [0.5]");
        check("itself", "null", "expected a value; with null it is optional(…), found null");
        check("function(int, int)", r#"{"a": 1}"#, r#"expected an integer at (a key), found "a""#);
    }

    #[test]
    fn a_kind_is_written_as_it_is_read_and_anything_else_is_refused() {
        for text in
            ["itself", "optional(set(sequence(bool)))", "function(model, record(a: int, b_c: tla))"]
        {
            assert_eq!(text.parse::<Kind>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("", "found ``"),
            ("number", "found `number`"),
            ("set", "expected `(`"),
            ("set(int", "expected `)` in the kind, found the end"),
            ("function(int)", "expected `,` in the kind, found `)`"),
            ("int int", "expected the end"),
            ("record(a int)", "expected `:`"),
        ] {
            let error = text.parse::<Kind>().unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        assert!("set(".repeat(1000).parse::<Kind>().is_err());
    }
}
