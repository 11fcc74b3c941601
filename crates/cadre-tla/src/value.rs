use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::TlaError;

/// A value of TLA+, as far as TLC can enumerate it.
///
/// TLA+ knows fewer kinds than this type has variants: a sequence *is* a function over `1..n`, a
/// record *is* a function over strings. [`Value::normal`] picks one variant for each; two values
/// are equal in TLA+ iff their normal forms are equal. All that this crate parses or converts is
/// normal.
///
/// `Display` writes TLA+ text on one line; [`Value::to_text`] does the same, but refuses what TLC
/// cannot read back.
///
/// # Examples
///
/// ```
/// use cadre_tla::Value;
///
/// let printed_by_tlc = Value::parse("(1 :> \"a\" @@ 2 :> {rm2, rm1})")?;
/// assert_eq!(printed_by_tlc.to_string(), r#"<<"a", {rm1, rm2}>>"#);
/// # Ok::<(), cadre_tla::TlaError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// An integer; TLC has 32 bits for it.
    Int(i64),
    /// A string.
    String(String),
    /// An untyped model value: equal to nothing but itself.
    Model(String),
    /// A finite set.
    Set(BTreeSet<Value>),
    /// A sequence or tuple.
    Sequence(Vec<Value>),
    /// A record.
    Record(BTreeMap<String, Value>),
    /// A finite function.
    Function(BTreeMap<Value, Value>),
}

impl Value {
    /// The model value of this name.
    pub fn model(name: impl Into<String>) -> Self {
        Self::Model(name.into())
    }

    /// The string.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The set of the values, in normal form.
    pub fn set(values: impl IntoIterator<Item = Value>) -> Self {
        Self::Set(values.into_iter().map(Value::normal).collect())
    }

    /// The sequence of the values, in normal form.
    pub fn sequence(values: impl IntoIterator<Item = Value>) -> Self {
        Self::Sequence(values.into_iter().map(Value::normal).collect())
    }

    /// The record with these fields, in normal form.
    pub fn record<N: Into<String>>(fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.normal()));
        normal_record(fields.collect())
    }

    /// The function of these pairs, in normal form.
    pub fn function(pairs: impl IntoIterator<Item = (Value, Value)>) -> Self {
        normal_function(pairs.into_iter().map(|(k, v)| (k.normal(), v.normal())).collect())
    }

    /// The one representation of all values that are equal to this one in TLA+.
    ///
    /// A function over `1..n`, and any empty one, is a sequence; another one over strings is a
    /// record.
    pub fn normal(self) -> Self {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::String(_) | Self::Model(_) => self,
            Self::Set(elements) => Self::set(elements),
            Self::Sequence(elements) => Self::sequence(elements),
            Self::Record(fields) => Self::record(fields),
            Self::Function(pairs) => Self::function(pairs),
        }
    }

    /// The TLA+ text of the value, for a module or a configuration that TLC reads.
    ///
    /// # Errors
    ///
    /// [`TlaError::NotWritable`] for an integer beyond 32 bits, a string with characters for which
    /// TLA+ has no notation, or a model value whose name is no identifier.
    pub fn to_text(&self) -> Result<String, TlaError> {
        self.check_writable()?;
        Ok(self.to_string())
    }

    /// The TLA+ text of the value where a module has other names for its model values.
    ///
    /// # Errors
    ///
    /// As [`Value::to_text`].
    pub fn to_text_with_models(&self, rename: &dyn Fn(&str) -> String) -> Result<String, TlaError> {
        self.check_writable()?;
        Ok(self.with_models(rename).to_string())
    }

    /// Adds the names of all model values in this value.
    pub fn collect_models(&self, names: &mut BTreeSet<String>) {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::String(_) => {}
            Self::Model(name) => {
                if !names.contains(name) {
                    names.insert(name.clone());
                }
            }
            Self::Set(elements) => elements.iter().for_each(|e| e.collect_models(names)),
            Self::Sequence(elements) => elements.iter().for_each(|e| e.collect_models(names)),
            Self::Record(fields) => fields.values().for_each(|v| v.collect_models(names)),
            Self::Function(pairs) => {
                for (key, value) in pairs {
                    key.collect_models(names);
                    value.collect_models(names);
                }
            }
        }
    }

    /// The value with other model values in place of its own.
    fn with_models(&self, rename: &dyn Fn(&str) -> String) -> Self {
        let renamed = |value: &Self| value.with_models(rename);
        match self {
            Self::Bool(_) | Self::Int(_) | Self::String(_) => self.clone(),
            Self::Model(name) => Self::Model(rename(name)),
            Self::Set(elements) => Self::Set(elements.iter().map(renamed).collect()),
            Self::Sequence(elements) => Self::Sequence(elements.iter().map(renamed).collect()),
            Self::Record(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), renamed(value)));
                Self::Record(fields.collect())
            }
            Self::Function(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| (renamed(key), renamed(value)));
                Self::Function(pairs.collect())
            }
        }
    }

    fn check_writable(&self) -> Result<(), TlaError> {
        match self {
            Self::Bool(_) => Ok(()),
            Self::Int(number) => match i32::try_from(*number) {
                Ok(_) => Ok(()),
                Err(_) => Err(not_writable("an integer of 32 bits", &number.to_string())),
            },
            Self::String(text) => match text.chars().find(|c| !has_notation(*c)) {
                None => Ok(()),
                Some(c) => Err(not_writable("characters that TLA+ strings can hold", &{
                    format!("{c:?} in {text:?}")
                })),
            },
            Self::Model(name) if is_identifier(name) => Ok(()),
            Self::Model(name) => Err(not_writable("an identifier naming a model value", name)),
            Self::Set(elements) => elements.iter().try_for_each(Self::check_writable),
            Self::Sequence(elements) => elements.iter().try_for_each(Self::check_writable),
            Self::Record(fields) => fields.iter().try_for_each(|(name, value)| {
                Self::String(name.clone()).check_writable()?;
                value.check_writable()
            }),
            Self::Function(pairs) => pairs.iter().try_for_each(|(key, value)| {
                key.check_writable()?;
                value.check_writable()
            }),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("TRUE"),
            Self::Bool(false) => f.write_str("FALSE"),
            // The literal 2147483648 is too big for TLC even under a minus sign.
            Self::Int(number) if *number == i64::from(i32::MIN) => f.write_str("(-2147483647 - 1)"),
            Self::Int(number) => write!(f, "{number}"),
            Self::String(text) => write_string(f, text),
            Self::Model(name) => f.write_str(name),
            Self::Set(elements) => write_list(f, "{", elements, "}"),
            Self::Sequence(elements) => write_list(f, "<<", elements, ">>"),
            Self::Record(fields) => write_record(f, fields),
            Self::Function(pairs) => match normal_function(pairs.clone()) {
                Self::Function(pairs) => write_pairs(f, pairs.iter()),
                other => other.fmt(f),
            },
        }
    }
}

/// Whether TLA+ reads this as a name of the user: not a number, and no reserved word.
pub fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().any(|c| c.is_ascii_alphabetic())
        && !name.starts_with("WF_")
        && !name.starts_with("SF_")
        && !RESERVED.contains(&name)
}

pub(crate) fn normal_record(fields: BTreeMap<String, Value>) -> Value {
    if fields.is_empty() { Value::Sequence(Vec::new()) } else { Value::Record(fields) }
}

/// Expects keys and values that are normal.
pub(crate) fn normal_function(pairs: BTreeMap<Value, Value>) -> Value {
    // Keys are sorted, and integers sort by value: a domain 1..n shows as 1, 2, 3, ...
    if pairs.keys().zip(1..).all(|(key, position)| *key == Value::Int(position)) {
        return Value::Sequence(pairs.into_values().collect());
    }
    if !pairs.keys().all(|key| matches!(key, Value::String(_))) {
        return Value::Function(pairs);
    }
    let fields = pairs.into_iter().filter_map(|(key, value)| match key {
        Value::String(name) => Some((name, value)),
        _ => None,
    });
    Value::Record(fields.collect())
}

/// The words which TLA+ does not allow as names.
const RESERVED: &[&str] = &[
    "ACTION",
    "ASSUME",
    "ASSUMPTION",
    "AXIOM",
    "BOOLEAN",
    "BY",
    "CASE",
    "CHOOSE",
    "CONSTANT",
    "CONSTANTS",
    "COROLLARY",
    "DEF",
    "DEFINE",
    "DEFS",
    "DOMAIN",
    "ELSE",
    "ENABLED",
    "EXCEPT",
    "EXTENDS",
    "FALSE",
    "HAVE",
    "HIDE",
    "IF",
    "IN",
    "INSTANCE",
    "LAMBDA",
    "LEMMA",
    "LET",
    "LOCAL",
    "MODULE",
    "NEW",
    "OBVIOUS",
    "OMITTED",
    "ONLY",
    "OTHER",
    "PICK",
    "PROOF",
    "PROPOSITION",
    "PROVE",
    "QED",
    "RECURSIVE",
    "STATE",
    "STRING",
    "SUBSET",
    "SUFFICES",
    "TAKE",
    "TEMPORAL",
    "THEN",
    "THEOREM",
    "TRUE",
    "UNCHANGED",
    "UNION",
    "USE",
    "VARIABLE",
    "VARIABLES",
    "WITH",
    "WITNESS",
];

fn not_writable(expected: &str, found: &str) -> TlaError {
    TlaError::NotWritable { expected: expected.into(), found: found.into() }
}

fn has_notation(c: char) -> bool {
    matches!(c, ' '..='~' | '\t' | '\n' | '\r' | '\u{c}')
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\u{c}' => f.write_str("\\f")?,
            other => fmt::Write::write_char(f, other)?,
        }
    }
    f.write_str("\"")
}

fn write_list<'a>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    values: impl IntoIterator<Item = &'a Value>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (position, value) in values.into_iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{value}")?;
    }
    f.write_str(close)
}

fn write_record(f: &mut fmt::Formatter<'_>, fields: &BTreeMap<String, Value>) -> fmt::Result {
    if fields.is_empty() {
        return f.write_str("<<>>");
    }
    if !fields.keys().all(|name| is_identifier(name)) {
        let keys: Vec<Value> = fields.keys().map(Value::string).collect();
        return write_pairs(f, keys.iter().zip(fields.values()));
    }
    f.write_str("[")?;
    for (position, (name, value)) in fields.iter().enumerate() {
        let comma = if position > 0 { ", " } else { "" };
        write!(f, "{comma}{name} |-> {value}")?;
    }
    f.write_str("]")
}

fn write_pairs<'a>(
    f: &mut fmt::Formatter<'_>,
    pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
) -> fmt::Result {
    f.write_str("(")?;
    for (position, (key, value)) in pairs.enumerate() {
        let joint = if position > 0 { " @@ " } else { "" };
        write!(f, "{joint}{key} :> {value}")?;
    }
    f.write_str(")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_as_tla_text() {
        let value = Value::sequence([
            true.into(),
            Value::Int(-3),
            "a\"b\\c\n\t\r\u{c}".into(),
            Value::model("rm1"),
            Value::set([3.into(), 1.into()]),
            Value::record([("b", 1.into()), ("a", false.into())]),
            Value::function([(Value::model("rm1"), "x".into()), (Value::model("rm2"), 2.into())]),
            Value::set([]),
        ]);
        assert_eq!(
            value.to_string(),
            r#"<<TRUE, -3, "a\"b\\c\n\t\r\f", rm1, {1, 3}, [a |-> FALSE, b |-> 1], "#.to_string()
                + r#"(rm1 :> "x" @@ rm2 :> 2), {}>>"#
        );
    }

    #[test]
    fn a_function_over_1_to_n_is_a_sequence_and_one_over_strings_is_a_record() {
        let function = |keys: [Value; 2]| {
            Value::Function(keys.into_iter().map(|key| (key, Value::Int(7))).collect())
        };
        assert_eq!(function([2.into(), 1.into()]).normal(), Value::sequence([7.into(), 7.into()]));
        assert_eq!(
            function(["b".into(), "a".into()]).normal(),
            Value::record([("a", 7.into()), ("b", 7.into())])
        );
        assert_eq!(function([2.into(), 3.into()]).to_string(), "(2 :> 7 @@ 3 :> 7)");
        assert_eq!(function([0.into(), 1.into()]).to_string(), "(0 :> 7 @@ 1 :> 7)");
        assert_eq!(function([1.into(), "a".into()]).to_string(), "(1 :> 7 @@ \"a\" :> 7)");
    }

    #[test]
    fn all_empty_functions_are_one() {
        let empty = Value::Sequence(Vec::new());
        assert_eq!(Value::Record(BTreeMap::new()).normal(), empty);
        assert_eq!(Value::Function(BTreeMap::new()).normal(), empty);
        assert_eq!(Value::Function(BTreeMap::new()).to_string(), "<<>>");
        assert_ne!(Value::set([]), empty);
    }

    #[test]
    fn normality_reaches_the_innermost_value() {
        let inner = Value::Function([(Value::Int(1), Value::Record(BTreeMap::new()))].into());
        let outer = Value::Set([Value::Record([("f".into(), inner)].into())].into());
        assert_eq!(outer.normal().to_string(), "{[f |-> <<<<>>>>]}");
    }

    #[test]
    fn a_record_whose_field_is_no_name_is_written_as_a_function() {
        let value = Value::record([("two words", 1.into()), ("IF", 2.into())]);
        assert_eq!(value.to_string(), r#"("IF" :> 2 @@ "two words" :> 1)"#);
    }

    #[test]
    fn what_tlc_cannot_read_is_refused_with_its_place() {
        let refused = |value: Value| match value.to_text() {
            Ok(text) => panic!("accepted {text}"),
            Err(error) => error.to_string(),
        };
        assert!(refused(Value::set([Value::Int(1 << 31)])).contains("2147483648"));
        assert!(refused(Value::string("é")).contains('é'));
        assert!(refused(Value::string("\u{1}")).contains("u{1}"));
        assert!(refused(Value::model("a b")).contains("a b"));
        assert!(refused(Value::model("12")).contains("12"));
        assert!(refused(Value::model("IF")).contains("IF"));
        let value = Value::parse("[f |-> {(a :> <<b>> @@ c :> \"a\")}, a |-> 1]").unwrap();
        let renamed = value.to_text_with_models(&|name| format!("model_{name}")).unwrap();
        let expected = "[a |-> 1, f |-> {(model_a :> <<model_b>> @@ model_c :> \"a\")}]";
        assert_eq!(renamed, expected);
        assert_eq!(Value::Int(i32::MIN.into()).to_text().unwrap(), "(-2147483647 - 1)");
        assert_eq!(Value::Int(i32::MAX.into()).to_text().unwrap(), "2147483647");
    }
}
