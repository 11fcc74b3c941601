use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use super::{Answer, Value};
use crate::consistency::Specification;

/// A queue: first in, first out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue<V> {
    values: PhantomData<V>,
}

/// What a [`Queue`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueOperation<V> {
    /// Puts a value at the end.
    Enqueue(V),
    /// Takes the value at the front and answers it, or [`Answer::Empty`].
    Dequeue,
}

use QueueOperation::{Dequeue, Enqueue};

impl<V> Queue<V> {
    /// An empty queue.
    pub fn new() -> Self {
        Self { values: PhantomData }
    }
}

impl<V> Default for Queue<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Value> Specification for Queue<V> {
    type State = VecDeque<V>;
    type Operation = QueueOperation<V>;
    type Answer = Answer<V>;
    type Key = ();
    type Subject = V;

    fn initial(&self) -> VecDeque<V> {
        VecDeque::new()
    }

    fn apply(
        &self,
        state: &VecDeque<V>,
        operation: &QueueOperation<V>,
        results: &mut Vec<(VecDeque<V>, Answer<V>)>,
    ) {
        let mut next = state.clone();
        let answer = match operation {
            Enqueue(value) => {
                next.push_back(value.clone());
                Answer::Done
            }
            Dequeue => next.pop_front().map_or(Answer::Empty, Answer::Value),
        };
        results.push((next, answer));
    }

    fn observes(&self, operation: &QueueOperation<V>, answer: Option<&Answer<V>>) -> bool {
        *operation == Dequeue && answer == Some(&Answer::Empty)
    }

    /// The values: without all that is about one of them, the others keep their order.
    fn subjects(
        &self,
        operation: &QueueOperation<V>,
        answer: Option<&Answer<V>>,
    ) -> Option<Vec<V>> {
        match (operation, answer) {
            (Enqueue(value), _) | (Dequeue, Some(Answer::Value(value))) => {
                Some(vec![value.clone()])
            }
            // Empty stays empty, and what is not known need not take effect.
            (Dequeue, _) => Some(Vec::new()),
        }
    }
}

impl<V: fmt::Display> fmt::Display for QueueOperation<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Enqueue(value) => write!(f, "enqueue {value}"),
            Dequeue => f.write_str("dequeue"),
        }
    }
}
