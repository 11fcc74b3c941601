use std::collections::BTreeMap;
use std::fmt;

use serde::ser;
use serde::{Serialize, Serializer};

use crate::problem::{Problem, short_name};
use crate::value::{normal_function, normal_record};
use crate::{TlaError, Value};

/// Data which [`to_value`] makes a TLA+ set; other formats see the data alone.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename = "$cadre_tla::Set")]
pub struct Set<T>(pub T);

/// A name which [`to_value`] makes a model value; other formats see a string.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename = "$cadre_tla::Model")]
pub struct Model(pub String);

/// The model value which stands for `None` and `()`.
pub const NONE: &str = "None";

/// Converts serde data to a TLA+ value in normal form.
///
/// | Rust | TLA+ |
/// |---|---|
/// | `bool`, integers, `char`, `str` | the same; integers have 32 bits |
/// | struct, map with strings as keys | record |
/// | map | function |
/// | sequence, tuple, tuple struct, bytes | sequence |
/// | [`Set`] of a sequence | set |
/// | [`Model`] | model value |
/// | `None`, `()` | the model value `None` |
/// | unit variant, unit struct | its name, a string |
/// | struct variant | record of its fields and `type`, its name |
/// | newtype and tuple variant | record of `type`, its name, and `value` |
///
/// An enumeration whose variants shall share one set, some with fields and some without, must be
/// records throughout, because TLC compares no string with a record: `#[serde(tag = "type")]`.
///
/// # Examples
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Node { state: &'static str, peers: cadre_tla::Set<Vec<u8>>, leader: Option<u8> }
///
/// let node = Node { state: "idle", peers: cadre_tla::Set(vec![2, 1]), leader: None };
/// let value = cadre_tla::to_value(&node)?;
/// assert_eq!(value.to_string(), r#"[leader |-> None, peers |-> {1, 2}, state |-> "idle"]"#);
/// # Ok::<(), cadre_tla::TlaError>(())
/// ```
///
/// # Errors
///
/// [`TlaError::NotTla`], with the path of the field and the type, for what has no TLA+ value: a
/// number that is no 32-bit integer, a [`Set`] of something else than a sequence.
pub fn to_value<T: Serialize + ?Sized>(data: &T) -> Result<Value, TlaError> {
    data.serialize(ToValue).map_err(|problem| TlaError::NotTla {
        path: problem.path(),
        type_name: short_name::<T>(),
        problem: problem.told(),
    })
}

/// Serializes a collection as [`Set`] does; for `#[serde(serialize_with = "cadre_tla::as_set")]`.
///
/// # Errors
///
/// Those of the serializer.
pub fn as_set<T: Serialize + ?Sized, S: Serializer>(
    data: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(SET, data)
}

const SET: &str = "$cadre_tla::Set";
const MODEL: &str = "$cadre_tla::Model";

struct ToValue;

fn integer<N: TryInto<i32> + fmt::Display + Copy>(number: N) -> Result<Value, Problem> {
    match number.try_into() {
        Ok(number) => Ok(Value::Int(number.into())),
        Err(_) => Err(Problem::new(format!("expected an integer of 32 bits, found {number}"))),
    }
}

fn no_float(number: f64) -> Result<Value, Problem> {
    Err(Problem::new(format!(
        "expected an integer, found the floating-point number {number}; TLA+ checkers have none"
    )))
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = Problem;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Pairs;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    fn serialize_bool(self, v: bool) -> Result<Value, Problem> {
        Ok(Value::Bool(v))
    }
    fn serialize_i8(self, v: i8) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_i16(self, v: i16) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_i32(self, v: i32) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_i64(self, v: i64) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_i128(self, v: i128) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_u8(self, v: u8) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_u16(self, v: u16) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_u32(self, v: u32) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_u64(self, v: u64) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_u128(self, v: u128) -> Result<Value, Problem> {
        integer(v)
    }
    fn serialize_f32(self, v: f32) -> Result<Value, Problem> {
        no_float(v.into())
    }
    fn serialize_f64(self, v: f64) -> Result<Value, Problem> {
        no_float(v)
    }
    fn serialize_char(self, v: char) -> Result<Value, Problem> {
        Ok(Value::string(v))
    }
    fn serialize_str(self, v: &str) -> Result<Value, Problem> {
        Ok(Value::string(v))
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Value, Problem> {
        Ok(Value::Sequence(v.iter().map(|byte| Value::Int((*byte).into())).collect()))
    }
    fn serialize_none(self) -> Result<Value, Problem> {
        Ok(Value::model(NONE))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<Value, Problem> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, Problem> {
        Ok(Value::model(NONE))
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<Value, Problem> {
        Ok(Value::string(name))
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Problem> {
        Ok(Value::string(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        v: &T,
    ) -> Result<Value, Problem> {
        let value = v.serialize(self)?;
        match (name, value) {
            (SET, Value::Sequence(elements)) => Ok(Value::Set(elements.into_iter().collect())),
            (SET, other) => {
                Err(Problem::new(format!("expected a sequence as content of a set, found {other}")))
            }
            (MODEL, Value::String(name)) => Ok(Value::Model(name)),
            (_, value) => Ok(value),
        }
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        v: &T,
    ) -> Result<Value, Problem> {
        let value = v.serialize(self).map_err(|p| p.within(format!(".{variant}")))?;
        Ok(tagged(variant, value))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Elements, Problem> {
        Ok(Elements::default())
    }
    fn serialize_tuple(self, _: usize) -> Result<Elements, Problem> {
        Ok(Elements::default())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements, Problem> {
        Ok(Elements::default())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements, Problem> {
        Ok(Elements { variant: Some(variant), ..Elements::default() })
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Pairs, Problem> {
        Ok(Pairs::default())
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields, Problem> {
        Ok(Fields { owner: name, ..Fields::default() })
    }
    fn serialize_struct_variant(
        self,
        owner: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Problem> {
        Ok(Fields { owner, variant: Some(variant), ..Fields::default() })
    }
}

fn tagged(variant: &str, value: Value) -> Value {
    Value::Record([("type".into(), Value::string(variant)), ("value".into(), value)].into())
}

#[derive(Default)]
struct Elements {
    variant: Option<&'static str>,
    values: Vec<Value>,
}

impl Elements {
    fn push<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Problem> {
        let position = self.values.len();
        let value = element.serialize(ToValue).map_err(|p| p.within(format!("[{position}]")))?;
        self.values.push(value);
        Ok(())
    }
}

impl ser::SerializeSeq for Elements {
    type Ok = Value;
    type Error = Problem;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Problem> {
        self.push(element)
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(Value::Sequence(self.values))
    }
}

impl ser::SerializeTuple for Elements {
    type Ok = Value;
    type Error = Problem;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Problem> {
        self.push(element)
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(Value::Sequence(self.values))
    }
}

impl ser::SerializeTupleStruct for Elements {
    type Ok = Value;
    type Error = Problem;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Problem> {
        self.push(element)
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(Value::Sequence(self.values))
    }
}

impl ser::SerializeTupleVariant for Elements {
    type Ok = Value;
    type Error = Problem;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), Problem> {
        self.push(element).map_err(|p| p.within(format!(".{}", self.variant.unwrap_or_default())))
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(tagged(self.variant.unwrap_or_default(), Value::Sequence(self.values)))
    }
}

#[derive(Default)]
struct Pairs {
    key: Option<Value>,
    pairs: BTreeMap<Value, Value>,
}

impl ser::SerializeMap for Pairs {
    type Ok = Value;
    type Error = Problem;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        self.key = Some(key.serialize(ToValue).map_err(|p| p.within(" (a key)".into()))?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        let Some(key) = self.key.take() else {
            return Err(Problem::new("expected a key before each value of a map, found none"));
        };
        match value.serialize(ToValue) {
            Ok(value) => {
                self.pairs.insert(key, value);
                Ok(())
            }
            Err(problem) => Err(problem.within(format!("[{key}]"))),
        }
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(normal_function(self.pairs))
    }
}

#[derive(Default)]
struct Fields {
    /// The type that has the fields.
    owner: &'static str,
    variant: Option<&'static str>,
    fields: BTreeMap<String, Value>,
}

impl Fields {
    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Problem> {
        let owner = match self.variant {
            Some(variant) => format!("{}::{variant}", self.owner),
            None => self.owner.to_owned(),
        };
        let place = |p: Problem| p.within(format!(".{name}")).in_field::<T>(&owner, name);
        let value = value.serialize(ToValue).map_err(place)?;
        self.fields.insert(name.into(), value);
        Ok(())
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = Problem;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        self.insert(name, value)
    }
    fn end(self) -> Result<Value, Problem> {
        Ok(normal_record(self.fields))
    }
}

impl ser::SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = Problem;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Problem> {
        let variant = self.variant.unwrap_or_default();
        if name == "type" {
            return Err(Problem::new(format!(
                "expected no field named `type` in {variant}, found one; it would hide the name of \
                 the variant"
            )));
        }
        self.insert(name, value).map_err(|p| p.within(format!(".{variant}")))
    }
    fn end(mut self) -> Result<Value, Problem> {
        let variant = Value::string(self.variant.unwrap_or_default());
        self.fields.insert("type".into(), variant);
        Ok(normal_record(self.fields))
    }
}

/// A value converts to itself, so that exported structures may contain ready values.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(v) => serializer.serialize_bool(*v),
            Self::Int(v) => serializer.serialize_i64(*v),
            Self::String(v) => serializer.serialize_str(v),
            Self::Model(v) => serializer.serialize_newtype_struct(MODEL, v),
            Self::Set(v) => serializer.serialize_newtype_struct(SET, v),
            Self::Sequence(v) => serializer.collect_seq(v),
            Self::Record(v) => serializer.collect_map(v),
            Self::Function(v) => serializer.collect_map(v),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum Message {
        Prepared { rm: Model },
        Commit,
    }

    #[derive(Serialize)]
    enum Plain {
        Unit,
        New(u8),
        Tuple(u8, bool),
        Struct { x: Option<u8> },
    }

    #[track_caller]
    fn check(data: impl Serialize, expected: &str) {
        assert_eq!(to_value(&data).unwrap().to_string(), expected);
    }

    #[track_caller]
    fn check_refused(data: impl Serialize, path_expected: &str, part: &str) {
        match to_value(&data) {
            Err(TlaError::NotTla { path, problem, type_name }) => {
                assert_eq!(path, path_expected);
                assert!(problem.contains(part), "{problem}");
                assert!(!type_name.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rust_data_becomes_tla_values() {
        check((1_u64, -2_i8, true, 'c', "s"), "<<1, -2, TRUE, \"c\", \"s\">>");
        check(Some(3), "3");
        check((None::<u8>, ()), "<<None, None>>");
        check(BTreeMap::from([(2, "b"), (1, "a")]), "<<\"a\", \"b\">>");
        check(BTreeMap::from([("x", 1)]), "[x |-> 1]");
        check(BTreeMap::from([(Model("rm1".into()), 1)]), "(rm1 :> 1)");
        check(Set(vec![3, 1, 3]), "{1, 3}");
        check(Set(BTreeSet::from(["b", "a"])), "{\"a\", \"b\"}");
        check(Set(Vec::<u8>::new()), "{}");
    }

    #[test]
    fn tagged_messages_may_share_a_set() {
        check(
            Set(vec![Message::Commit, Message::Prepared { rm: Model("rm1".into()) }]),
            "{[rm |-> rm1, type |-> \"Prepared\"], [type |-> \"Commit\"]}",
        );
    }

    #[test]
    fn untagged_variants_carry_their_name_as_type() {
        check(Plain::Unit, "\"Unit\"");
        check(Plain::New(1), "[type |-> \"New\", value |-> 1]");
        check(Plain::Tuple(1, true), "[type |-> \"Tuple\", value |-> <<1, TRUE>>]");
        check(Plain::Struct { x: None }, "[type |-> \"Struct\", x |-> None]");
    }

    #[test]
    fn a_field_may_be_marked_as_a_set() {
        #[derive(Serialize)]
        struct State {
            #[serde(serialize_with = "as_set")]
            members: Vec<u8>,
        }
        check(State { members: vec![2, 1] }, "[members |-> {1, 2}]");
    }

    #[test]
    fn set_and_model_are_transparent_to_other_formats() {
        let data = (Set(vec![1, 2]), Model("rm1".into()));
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(text, "[[1,2],\"rm1\"]");
        let back: (Set<Vec<u8>>, Model) = serde_json::from_str(&text).unwrap();
        assert_eq!(back, data);
    }

    #[test]
    fn a_value_converts_to_itself() {
        let value = Value::sequence([
            Value::set([Value::model("a")]),
            Value::function([(Value::set([]), 1.into())]),
            Value::record([("x", Value::Int(4))]),
        ]);
        assert_eq!(to_value(&value).unwrap(), value);
    }

    #[test]
    fn what_has_no_value_is_refused_with_the_path_of_the_field() {
        #[derive(Serialize)]
        struct Outer {
            list: Vec<BTreeMap<&'static str, f64>>,
            count: u64,
        }
        #[derive(Serialize)]
        enum Deep {
            Inner { long: i64 },
        }
        #[derive(Serialize)]
        struct Marked {
            #[serde(serialize_with = "as_set")]
            marked: f64,
        }
        let outer = |x, count| Outer { list: vec![BTreeMap::new(), [("x", x)].into()], count };
        check_refused(outer(0.5, 0), "list[1][\"x\"]", "0.5");
        let told = "found 2147483648 in `count: u64` of Outer";
        check_refused(Outer { list: vec![], count: 1 << 31 }, "count", told);
        let told = "found 2147483648 in `long: i64` of Deep::Inner";
        check_refused([Deep::Inner { long: 1 << 31 }], "[0].Inner.long", told);
        check_refused(Marked { marked: 0.5 }, "marked", "none in `marked` of Marked");
        check_refused(Plain::Struct { x: None }.pair(f64::NAN), "[1]", "NaN");
        check_refused(Set(3), "the value itself", "sequence");
    }

    impl Plain {
        fn pair(self, x: f64) -> (Self, f64) {
            (self, x)
        }
    }
}
