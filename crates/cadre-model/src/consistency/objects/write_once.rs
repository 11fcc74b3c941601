use std::fmt;
use std::marker::PhantomData;

use super::{Answer, Value};
use crate::consistency::Specification;

/// A register whose first write stays: others are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOnce<V> {
    values: PhantomData<V>,
}

/// What a [`WriteOnce`] register is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WriteOnceOperation<V> {
    /// Answered by the value, or by [`Answer::Empty`].
    Read,
    /// Sets the value unless there is one; refused otherwise.
    Write(V),
}

use WriteOnceOperation::{Read, Write};

impl<V> WriteOnce<V> {
    /// A register without a value.
    pub fn new() -> Self {
        Self { values: PhantomData }
    }
}

impl<V> Default for WriteOnce<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Value> Specification for WriteOnce<V> {
    type State = Option<V>;
    type Operation = WriteOnceOperation<V>;
    type Answer = Answer<V>;
    type Key = ();
    type Subject = V;

    fn initial(&self) -> Option<V> {
        None
    }

    fn apply(
        &self,
        state: &Option<V>,
        operation: &WriteOnceOperation<V>,
        results: &mut Vec<(Option<V>, Answer<V>)>,
    ) {
        results.push(match (operation, state) {
            (Read, None) => (None, Answer::Empty),
            (Read, Some(value)) => (state.clone(), Answer::Value(value.clone())),
            (Write(value), None) => (Some(value.clone()), Answer::Done),
            (Write(_), Some(_)) => (state.clone(), Answer::Refused),
        });
    }

    fn observes(&self, operation: &WriteOnceOperation<V>, answer: Option<&Answer<V>>) -> bool {
        match operation {
            Read => true,
            Write(_) => answer == Some(&Answer::Refused),
        }
    }

    /// The values, but for what is refused because of a value that it does not name.
    fn subjects(
        &self,
        operation: &WriteOnceOperation<V>,
        answer: Option<&Answer<V>>,
    ) -> Option<Vec<V>> {
        match (operation, answer) {
            (Read, Some(Answer::Empty)) => Some(Vec::new()),
            (Read, Some(Answer::Value(value))) => Some(vec![value.clone()]),
            (Write(_), Some(Answer::Refused)) | (Read, _) => None,
            (Write(value), _) => Some(vec![value.clone()]),
        }
    }
}

impl<V: fmt::Display> fmt::Display for WriteOnceOperation<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Read => f.write_str("read"),
            Write(value) => write!(f, "write {value}"),
        }
    }
}
