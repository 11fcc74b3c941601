use std::fmt;
use std::marker::PhantomData;

use super::{Answer, Value};
use crate::consistency::Specification;

/// A log: values are appended, and all are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<V> {
    values: PhantomData<V>,
}

/// What a [`Log`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogOperation<V> {
    /// Puts a value at the end.
    Append(V),
    /// Answered by all values.
    Read,
}

use LogOperation::{Append, Read};

impl<V> Log<V> {
    /// An empty log.
    pub fn new() -> Self {
        Self { values: PhantomData }
    }
}

impl<V> Default for Log<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Value> Specification for Log<V> {
    type State = Vec<V>;
    type Operation = LogOperation<V>;
    type Answer = Answer<V>;
    type Key = ();
    type Subject = ();

    fn initial(&self) -> Vec<V> {
        Vec::new()
    }

    fn apply(
        &self,
        state: &Vec<V>,
        operation: &LogOperation<V>,
        results: &mut Vec<(Vec<V>, Answer<V>)>,
    ) {
        results.push(match operation {
            Append(value) => {
                let mut next = state.clone();
                next.push(value.clone());
                (next, Answer::Done)
            }
            Read => (state.clone(), Answer::Values(state.clone())),
        });
    }

    fn observes(&self, operation: &LogOperation<V>, _: Option<&Answer<V>>) -> bool {
        *operation == Read
    }
}

impl<V: fmt::Display> fmt::Display for LogOperation<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Append(value) => write!(f, "append {value}"),
            Read => f.write_str("read"),
        }
    }
}
