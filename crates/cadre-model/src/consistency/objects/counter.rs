use std::fmt;

use super::Answer;
use crate::consistency::Specification;

/// A counter from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter;

/// What a [`Counter`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterOperation {
    /// Adds to it; takes from it where the number is negative.
    Add(i64),
    /// Answered by the sum.
    Read,
}

use CounterOperation::{Add, Read};

impl Specification for Counter {
    type State = i64;
    type Operation = CounterOperation;
    type Answer = Answer<i64>;
    type Key = ();
    type Subject = ();

    fn initial(&self) -> i64 {
        0
    }

    fn apply(
        &self,
        state: &i64,
        operation: &CounterOperation,
        results: &mut Vec<(i64, Answer<i64>)>,
    ) {
        results.push(match operation {
            Add(number) => (state.wrapping_add(*number), Answer::Done),
            Read => (*state, Answer::Value(*state)),
        });
    }

    fn observes(&self, operation: &CounterOperation, _: Option<&Answer<i64>>) -> bool {
        *operation == Read
    }
}

impl fmt::Display for CounterOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Add(number) => write!(f, "add {number}"),
            Read => f.write_str("read"),
        }
    }
}
