use std::collections::BTreeMap;

use crate::value::{normal_function, normal_record};
use crate::{TlaError, Value};

/// How deep values may be nested; deeper ones could exhaust the stack.
const NESTING_MAX: u32 = 500;

/// How many elements an interval such as `1..3` may stand for.
const INTERVAL_MAX: i64 = 1_000_000;

impl Value {
    /// Reads one value as TLC prints it, possibly wrapped over several lines; gives its normal
    /// form.
    ///
    /// A bare name that is neither `TRUE` nor `FALSE` is a model value, `1..3` a set.
    ///
    /// # Errors
    ///
    /// [`TlaError::Unreadable`], with the place, if the text is not exactly one value. That
    /// includes sets which TLC prints unevaluated, such as `SUBSET {1, 2}`.
    pub fn parse(text: &str) -> Result<Self, TlaError> {
        let mut reader = Reader::new(text);
        let value = reader.value()?;
        reader.skip_space();
        if reader.at_end() { Ok(value) } else { Err(reader.unreadable("the end of the value")) }
    }

    /// Reads values that follow one another, as `PrintT` writes them, however they are wrapped.
    ///
    /// # Errors
    ///
    /// [`TlaError::Unreadable`], with the place, if the text is anything but values.
    pub fn parse_many(text: &str) -> Result<Vec<Self>, TlaError> {
        let mut reader = Reader::new(text);
        let mut values = Vec::new();
        loop {
            reader.skip_space();
            if reader.at_end() {
                return Ok(values);
            }
            values.push(reader.value()?);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    nesting: u32,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, position: 0, nesting: 0 }
    }

    fn value(&mut self) -> Result<Value, TlaError> {
        self.skip_space();
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(self.unreadable(&format!("at most {NESTING_MAX} nested values")));
        }
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string()?),
            Some(b'{') => self.set()?,
            Some(b'<') => self.sequence()?,
            Some(b'[') => self.record()?,
            Some(b'(') => self.function()?,
            Some(b'-') => self.negative()?,
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => self.word()?,
            Some(_) | None => return Err(self.unreadable("a value")),
        };
        self.nesting -= 1;
        Ok(value)
    }

    fn set(&mut self) -> Result<Value, TlaError> {
        self.expect("{")?;
        Ok(Value::Set(self.elements("}")?.into_iter().collect()))
    }

    fn sequence(&mut self) -> Result<Value, TlaError> {
        self.expect("<<")?;
        Ok(Value::Sequence(self.elements(">>")?))
    }

    fn elements(&mut self, close: &str) -> Result<Vec<Value>, TlaError> {
        let mut elements = Vec::new();
        if self.take(close) {
            return Ok(elements);
        }
        loop {
            elements.push(self.value()?);
            if self.take(close) {
                return Ok(elements);
            }
            self.expect(",")?;
        }
    }

    fn record(&mut self) -> Result<Value, TlaError> {
        self.expect("[")?;
        let mut fields = BTreeMap::new();
        if self.take("]") {
            return Ok(normal_record(fields));
        }
        loop {
            self.skip_space();
            let name = self.run_of_word().to_string();
            if name.is_empty() {
                return Err(self.unreadable("the name of a field"));
            }
            self.expect("|->")?;
            fields.insert(name, self.value()?);
            if self.take("]") {
                return Ok(normal_record(fields));
            }
            self.expect(",")?;
        }
    }

    fn function(&mut self) -> Result<Value, TlaError> {
        self.expect("(")?;
        let first = self.value()?;
        if self.take(")") {
            // Our own notation of the smallest integer, and grouping in general.
            return Ok(first);
        }
        let mut pairs = BTreeMap::new();
        let mut key = first;
        loop {
            self.expect(":>")?;
            let value = self.value()?;
            // Of several values for one key TLA+ takes the first.
            pairs.entry(key).or_insert(value);
            if self.take(")") {
                return Ok(normal_function(pairs));
            }
            self.expect("@@")?;
            key = self.value()?;
        }
    }

    fn negative(&mut self) -> Result<Value, TlaError> {
        self.expect("-")?;
        self.skip_space();
        let start = self.position;
        let digits = self.run_of_word();
        match digits.parse::<i64>() {
            Ok(number) => self.interval_from(-number),
            Err(_) => {
                self.position = start;
                Err(self.unreadable("digits after the minus sign"))
            }
        }
    }

    fn word(&mut self) -> Result<Value, TlaError> {
        let start = self.position;
        let word = self.run_of_word();
        match word {
            "TRUE" => Ok(Value::Bool(true)),
            "FALSE" => Ok(Value::Bool(false)),
            "SUBSET" | "UNION" | "DOMAIN" | "CHOOSE" | "LAMBDA" => {
                self.position = start;
                Err(self.unreadable("a value that TLC has evaluated"))
            }
            _ if !word.bytes().all(|b| b.is_ascii_digit()) => Ok(Value::Model(word.into())),
            _ => match word.parse() {
                Ok(number) => self.interval_from(number),
                Err(_) => {
                    self.position = start;
                    Err(self.unreadable("an integer of at most 64 bits"))
                }
            },
        }
    }

    /// The number itself, or the interval that starts with it.
    fn interval_from(&mut self, first: i64) -> Result<Value, TlaError> {
        if !self.take("..") {
            return Ok(if self.take_smallest(first) {
                Value::Int(first - 1)
            } else {
                Value::Int(first)
            });
        }
        self.skip_space();
        let minus = self.take("-");
        let digits = self.run_of_word();
        let Ok(last) = digits.parse::<i64>() else {
            return Err(self.unreadable("the end of an interval"));
        };
        let last = if minus { -last } else { last };
        if last.saturating_sub(first) >= INTERVAL_MAX {
            return Err(self.unreadable(&format!("an interval of at most {INTERVAL_MAX} elements")));
        }
        Ok(Value::Set((first..=last).map(Value::Int).collect()))
    }

    /// Whether the number goes on as our notation of the smallest integer, `-2147483647 - 1`.
    fn take_smallest(&mut self, number: i64) -> bool {
        number == -2_147_483_647 && self.take("- 1")
    }

    fn string(&mut self) -> Result<String, TlaError> {
        self.expect("\"")?;
        let mut content = String::new();
        loop {
            let rest = &self.text[self.position..];
            let Some(length) = rest.find(['"', '\\']) else {
                return Err(self.unreadable("the closing quote of a string"));
            };
            content.push_str(&rest[..length]);
            self.position += length + 1;
            if rest.as_bytes()[length] == b'"' {
                return Ok(content);
            }
            let escaped = match self.peek() {
                Some(b'"') => '"',
                Some(b'\\') => '\\',
                Some(b't') => '\t',
                Some(b'n') => '\n',
                Some(b'r') => '\r',
                Some(b'f') => '\u{c}',
                Some(_) | None => return Err(self.unreadable("one of \\\" \\\\ \\t \\n \\r \\f")),
            };
            content.push(escaped);
            self.position += 1;
        }
    }

    fn run_of_word(&mut self) -> &'a str {
        let rest = &self.text[self.position..];
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let length = rest.bytes().take_while(is_part).count();
        self.position += length;
        &rest[..length]
    }

    fn expect(&mut self, token: &str) -> Result<(), TlaError> {
        if self.take(token) { Ok(()) } else { Err(self.unreadable(&format!("`{token}`"))) }
    }

    /// Takes the token if it comes next.
    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.text.as_bytes()[self.position..].starts_with(token.as_bytes());
        if found {
            self.position += token.len();
        }
        found
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn at_end(&self) -> bool {
        self.position == self.text.len()
    }

    fn unreadable(&self, expected: &str) -> TlaError {
        let found: String = self.text[self.position..].chars().take(40).collect();
        TlaError::Unreadable {
            expected: expected.into(),
            found: if found.is_empty() { "the end of the text".into() } else { found },
            offset: self.position,
        }
    }
}

/// Reads a state, `/\ x = 1` and so on, as TLC prints it in behaviours and dumps.
///
/// # Errors
///
/// [`TlaError::Unreadable`] if it is not a list of variables with values.
pub(crate) fn parse_state(text: &str) -> Result<BTreeMap<String, Value>, TlaError> {
    let mut reader = Reader::new(text);
    let mut variables = BTreeMap::new();
    loop {
        let conjunct = reader.take("/\\");
        reader.skip_space();
        if reader.at_end() && !conjunct {
            return Ok(variables);
        }
        let name = reader.run_of_word();
        if name.is_empty() {
            return Err(reader.unreadable("the name of a variable"));
        }
        reader.expect("=")?;
        variables.insert(name.to_string(), reader.value()?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        match Value::parse(text) {
            Ok(value) => assert_eq!(value.to_string(), expected),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn what_tlc_prints_is_read() {
        check("TRUE", "TRUE");
        check(" -3 ", "-3");
        check("2147483647", "2147483647");
        check("(-2147483647 - 1)", "(-2147483647 - 1)");
        check("<<>>", "<<>>");
        check("<< >>", "<<>>");
        check("{}", "{}");
        check("{ }", "{}");
        check("1..3", "{1, 2, 3}");
        check("-1..1", "{-1, 0, 1}");
        check("3..1", "{}");
        check("{1..2, {}}", "{{}, {1, 2}}");
        check("[a |-> 1, b_2 |-> <<\"x\">>]", "[a |-> 1, b_2 |-> <<\"x\">>]");
        check("(rm1 :> {} @@ rm2 :> <<1>>)", "(rm1 :> {} @@ rm2 :> <<1>>)");
        check("(1 :> 2 @@ 3 :> 4)", "(1 :> 2 @@ 3 :> 4)");
        check("(\"a\" :> 1)", "[a |-> 1]");
        check(r#""a\"b\\c\n\t\r\f é""#, r#""a\"b\\c\n\t\r\f é""#);
        check("1a", "1a");
        check("{rm10, rm9}", "{rm10, rm9}");
    }

    #[test]
    fn a_value_wrapped_over_lines_is_read() {
        check(
            "{ [type |-> \"Commit\"],\n  [type |-> \"Prepared\",\n   rm |-> rm1] }",
            "{[rm |-> rm1, type |-> \"Prepared\"], [type |-> \"Commit\"]}",
        );
        check("( rm1 :>\n 1 @@\n rm2 :> 2 )", "(rm1 :> 1 @@ rm2 :> 2)");
    }

    #[test]
    fn values_after_one_another_are_told_apart() {
        let values = Value::parse_many("<<\"ACC\", 1>>\n<<\"REJ\",\n 2>>\n").unwrap();
        assert_eq!(values.len(), 2);
        assert_eq!(values[1].to_string(), "<<\"REJ\", 2>>");
    }

    #[test]
    fn text_that_is_no_value_is_refused_with_the_place() {
        for (text, place) in [
            ("", 0),
            ("{1, ", 4),
            ("{1 2}", 3),
            ("\"abc", 1),
            ("\"a\\u\"", 3),
            ("[a = 1]", 3),
            ("SUBSET {1}", 0),
            ("1 x", 2),
            ("99999999999999999999", 0),
            ("1..99999999", 11),
            ("-", 1),
        ] {
            match Value::parse(text) {
                Err(TlaError::Unreadable { offset, .. }) => assert_eq!(offset, place, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "{".repeat(100_000);
        assert!(matches!(Value::parse(&deep), Err(TlaError::Unreadable { .. })));
    }

    #[test]
    fn a_state_of_one_variable_has_no_conjunction() {
        let state = parse_state("x = 1\n").unwrap();
        assert_eq!(state["x"], Value::Int(1));
        let state = parse_state("/\\ x = {1,\n 2}\n/\\ y = <<>>\n").unwrap();
        assert_eq!(state["x"].to_string(), "{1, 2}");
        assert_eq!(state["y"].to_string(), "<<>>");
    }
}
