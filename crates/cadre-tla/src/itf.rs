use serde_json::{Map, Value as Json, json};

use crate::{TlaError, Value};

/// The value in the Informal Trace Format, JSON shared by several TLA+ tools.
///
/// Integers are `{"#bigint": "3"}`, sets `{"#set": […]}`, functions `{"#map": [[k, v], …]}`, and
/// sequences arrays. The format has no model values: `{"#model": "rm1"}` is our extension. A record
/// with a field name that starts with `#` is written as a function over strings, which it is.
pub fn to_itf(value: &Value) -> Json {
    match value {
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!({ "#bigint": v.to_string() }),
        Value::String(v) => json!(v),
        Value::Model(name) => json!({ "#model": name }),
        Value::Set(elements) => json!({ "#set": list(elements) }),
        Value::Sequence(elements) => list(elements),
        Value::Record(fields) if fields.keys().any(|name| name.starts_with('#')) => {
            json!({ "#map": fields.iter().map(|(k, v)| json!([k, to_itf(v)])).collect::<Vec<_>>() })
        }
        Value::Record(fields) => {
            Json::Object(fields.iter().map(|(k, v)| (k.clone(), to_itf(v))).collect())
        }
        Value::Function(pairs) => {
            let pairs = pairs.iter().map(|(k, v)| json!([to_itf(k), to_itf(v)]));
            json!({ "#map": pairs.collect::<Vec<_>>() })
        }
    }
}

/// Reads a value in the Informal Trace Format; gives its normal form.
///
/// Accepts what [`to_itf`] writes, plain JSON integers, and tuples `{"#tup": […]}`.
///
/// # Errors
///
/// [`TlaError::NotItf`] for anything else, such as fractions, `null` and `#unserializable`.
pub fn from_itf(json: &Json) -> Result<Value, TlaError> {
    match json {
        Json::Bool(v) => Ok(Value::Bool(*v)),
        Json::String(v) => Ok(Value::String(v.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Ok(Value::Int(number)),
            None => Err(not_itf("an integer of at most 64 bits", json)),
        },
        Json::Array(elements) => Ok(Value::Sequence(values(elements)?)),
        Json::Object(fields) => object(fields, json),
        Json::Null => Err(not_itf("a value", json)),
    }
}

fn list<'a>(values: impl IntoIterator<Item = &'a Value>) -> Json {
    Json::Array(values.into_iter().map(to_itf).collect())
}

fn object(fields: &Map<String, Json>, json: &Json) -> Result<Value, TlaError> {
    let Some((tag, content)) = fields.iter().find(|(name, _)| name.starts_with('#')) else {
        let fields = fields.iter().map(|(name, v)| Ok((name.clone(), from_itf(v)?)));
        return Ok(Value::record(fields.collect::<Result<Vec<_>, TlaError>>()?));
    };
    match (tag.as_str(), content) {
        _ if fields.len() != 1 => Err(not_itf("an object with one special field", json)),
        ("#bigint", Json::String(digits)) => match digits.parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => Err(not_itf("a #bigint of at most 64 bits", json)),
        },
        ("#set", Json::Array(elements)) => Ok(Value::Set(values(elements)?.into_iter().collect())),
        ("#tup", Json::Array(elements)) => Ok(Value::Sequence(values(elements)?)),
        ("#map", Json::Array(pairs)) => {
            let pairs = pairs.iter().map(pair);
            Ok(Value::function(pairs.collect::<Result<Vec<_>, TlaError>>()?))
        }
        ("#model", Json::String(name)) => Ok(Value::Model(name.clone())),
        _ => Err(not_itf("one of #bigint, #set, #tup, #map, #model", json)),
    }
}

fn pair(json: &Json) -> Result<(Value, Value), TlaError> {
    match json.as_array().map(Vec::as_slice) {
        Some([key, value]) => Ok((from_itf(key)?, from_itf(value)?)),
        Some(_) | None => Err(not_itf("a pair of key and value", json)),
    }
}

fn values(elements: &[Json]) -> Result<Vec<Value>, TlaError> {
    elements.iter().map(from_itf).collect()
}

fn not_itf(expected: &str, found: &Json) -> TlaError {
    let found: String = found.to_string().chars().take(80).collect();
    TlaError::NotItf { expected: expected.into(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_there_and_back() {
        for text in [
            "TRUE",
            "-2147483648",
            "\"text\"",
            "rm1",
            "{1, 2, {}}",
            "<<>>",
            "<<1, <<2>>>>",
            "[a |-> {rm1}, b |-> <<>>]",
            "(rm1 :> 1 @@ rm2 :> [x |-> FALSE])",
            "(\"#set\" :> 1)",
            "(2 :> 1)",
        ] {
            let value = Value::parse(text).unwrap();
            assert_eq!(from_itf(&to_itf(&value)).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn the_text_is_that_of_the_format() {
        let value = Value::parse("[a |-> {1}, f |-> (rm1 :> <<2>>)]").unwrap();
        assert_eq!(
            to_itf(&value).to_string(),
            concat!(
                r##"{"a":{"#set":[{"#bigint":"1"}]},"##,
                r##""f":{"#map":[[{"#model":"rm1"},[{"#bigint":"2"}]]]}}"##
            )
        );
    }

    #[test]
    fn tuples_plain_integers_and_maps_over_numbers_are_read() {
        let json = json!([{ "#tup": [1, true] }, { "#map": [[1, 5], [2, 6]] }]);
        assert_eq!(from_itf(&json).unwrap().to_string(), "<<<<1, TRUE>>, <<5, 6>>>>");
    }

    #[test]
    fn what_is_not_the_format_is_refused() {
        for json in [
            json!(null),
            json!(0.5),
            json!({ "#set": 1 }),
            json!({ "#unserializable": "Nat" }),
            json!({ "#map": [[1]] }),
            json!({ "#bigint": "x" }),
            json!({ "#set": [], "more": 1 }),
        ] {
            assert!(matches!(from_itf(&json), Err(TlaError::NotItf { .. })), "{json}");
        }
    }
}
