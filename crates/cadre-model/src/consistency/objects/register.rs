use std::fmt;

use super::{Answer, Value};
use crate::consistency::{Access, ReadsAndWrites, Specification};

/// A register that is read, written, and compared and set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register<V> {
    /// The value before the first write.
    pub initial: V,
}

/// What a [`Register`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegisterOperation<V> {
    /// Answered by the value.
    Read,
    /// Sets the value.
    Write(V),
    /// Sets the value if it is another one; refused otherwise.
    CompareAndSet {
        /// The value that must be there.
        from: V,
        /// The value that replaces it.
        to: V,
    },
}

use RegisterOperation::{CompareAndSet, Read, Write};

impl<V: Value> Specification for Register<V> {
    type State = V;
    type Operation = RegisterOperation<V>;
    type Answer = Answer<V>;
    type Key = ();
    type Subject = V;

    fn initial(&self) -> V {
        self.initial.clone()
    }

    fn apply(
        &self,
        state: &V,
        operation: &RegisterOperation<V>,
        results: &mut Vec<(V, Answer<V>)>,
    ) {
        results.push(match operation {
            Read => (state.clone(), Answer::Value(state.clone())),
            Write(value) => (value.clone(), Answer::Done),
            CompareAndSet { from, to } if from == state => (to.clone(), Answer::Done),
            CompareAndSet { .. } => (state.clone(), Answer::Refused),
        });
    }

    fn observes(&self, operation: &RegisterOperation<V>, answer: Option<&Answer<V>>) -> bool {
        match operation {
            Read => true,
            Write(_) => false,
            CompareAndSet { .. } => answer == Some(&Answer::Refused),
        }
    }

    /// The values. Without all that is about a value, the others are still read as they were
    /// written; only what is refused depends on values that it does not name.
    fn subjects(
        &self,
        operation: &RegisterOperation<V>,
        answer: Option<&Answer<V>>,
    ) -> Option<Vec<V>> {
        match (operation, answer) {
            (Read, Some(Answer::Value(value))) | (Write(value), _) => Some(vec![value.clone()]),
            (CompareAndSet { .. }, Some(Answer::Refused)) | (Read, _) => None,
            (CompareAndSet { from, to }, _) => Some(vec![from.clone(), to.clone()]),
        }
    }
}

/// A compare-and-set is neither a read nor a write.
impl<V: Value> ReadsAndWrites for Register<V> {
    type Place = ();
    type Datum = V;

    fn first_datum(&self) -> V {
        self.initial.clone()
    }

    fn access(
        &self,
        operation: &RegisterOperation<V>,
        answer: Option<&Answer<V>>,
    ) -> Option<Access<(), V>> {
        match (operation, answer) {
            (Read, None) => Some(Access::Read { from: (), datum: None }),
            (Read, Some(Answer::Value(value))) => {
                Some(Access::Read { from: (), datum: Some(value.clone()) })
            }
            (Write(value), None | Some(Answer::Done)) => {
                Some(Access::Write { to: (), datum: value.clone() })
            }
            (Read | Write(_) | CompareAndSet { .. }, _) => None,
        }
    }
}

impl<V: fmt::Display> fmt::Display for RegisterOperation<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Read => f.write_str("read"),
            Write(value) => write!(f, "write {value}"),
            CompareAndSet { from, to } => write!(f, "compare-and-set {from} to {to}"),
        }
    }
}
