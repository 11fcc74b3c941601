//! What stands in the way from data to a value, and where.

use std::fmt;

use serde::ser;

/// What went wrong, and the way to it, innermost step first.
#[derive(Debug)]
pub(crate) struct Problem {
    message: String,
    steps: Vec<String>,
    /// The innermost field, with its type and the type that has it.
    field: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), steps: Vec::new(), field: None }
    }

    pub(crate) fn within(mut self, step: String) -> Self {
        self.steps.push(step);
        self
    }

    /// Says which field it is, unless a field of that is to blame.
    pub(crate) fn in_field<T: ?Sized>(mut self, owner: &str, name: &str) -> Self {
        let field = || match short_name::<T>() {
            // What serde makes for a field with a function of its own is no type of the user's.
            made if made.contains("__SerializeWith") => format!("`{name}` of {owner}"),
            type_name => format!("`{name}: {type_name}` of {owner}"),
        };
        self.field.get_or_insert_with(field);
        self
    }

    /// What is wrong, with the field if there is one.
    pub(crate) fn told(&self) -> String {
        match &self.field {
            Some(field) => format!("{} in {field}", self.message),
            None => self.message.clone(),
        }
    }

    pub(crate) fn path(&self) -> String {
        let path: String = self.steps.iter().rev().map(String::as_str).collect();
        match path.strip_prefix('.') {
            Some(rest) => rest.into(),
            None if path.is_empty() => "the value itself".into(),
            None => path,
        }
    }
}

/// The name of a type without the modules that it is in.
pub(crate) fn short_name<T: ?Sized>() -> String {
    let mut short = String::new();
    let mut word = String::new();
    for letter in std::any::type_name::<T>().chars() {
        match letter {
            // What stands before two colons is a module.
            ':' => word.clear(),
            letter if letter.is_alphanumeric() || letter == '_' => word.push(letter),
            other => {
                short.push_str(&word);
                short.push(other);
                word.clear();
            }
        }
    }
    short + &word
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl ser::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_called_without_the_modules_that_it_is_in() {
        assert_eq!(short_name::<u64>(), "u64");
        assert_eq!(
            short_name::<std::collections::BTreeMap<String, Vec<(u8, Problem)>>>(),
            "BTreeMap<String, Vec<(u8, Problem)>>"
        );
        assert_eq!(short_name::<[Option<&str>]>(), "[Option<&str>]");
    }
}
