use std::fmt;
use std::marker::PhantomData;

use super::{Answer, Value};
use crate::consistency::Specification;

/// A lock that one owner holds at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock<P> {
    owners: PhantomData<P>,
}

/// What a [`Lock`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockOperation<P> {
    /// Takes the lock for an owner; refused while anyone holds it, be it the same.
    Acquire(P),
    /// Gives the lock back; refused unless this owner holds it.
    Release(P),
}

use LockOperation::{Acquire, Release};

impl<P> Lock<P> {
    /// A lock that nobody holds.
    pub fn new() -> Self {
        Self { owners: PhantomData }
    }
}

impl<P> Default for Lock<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Value> Specification for Lock<P> {
    type State = Option<P>;
    type Operation = LockOperation<P>;
    type Answer = Answer<P>;
    type Key = ();
    type Subject = P;

    fn initial(&self) -> Option<P> {
        None
    }

    fn apply(
        &self,
        state: &Option<P>,
        operation: &LockOperation<P>,
        results: &mut Vec<(Option<P>, Answer<P>)>,
    ) {
        results.push(match operation {
            Acquire(owner) if state.is_none() => (Some(owner.clone()), Answer::Done),
            Release(owner) if state.as_ref() == Some(owner) => (None, Answer::Done),
            Acquire(_) | Release(_) => (state.clone(), Answer::Refused),
        });
    }

    fn observes(&self, _: &LockOperation<P>, answer: Option<&Answer<P>>) -> bool {
        answer == Some(&Answer::Refused)
    }

    /// The owners, but for what is refused because of an owner that it does not name.
    fn subjects(&self, operation: &LockOperation<P>, answer: Option<&Answer<P>>) -> Option<Vec<P>> {
        let (Acquire(owner) | Release(owner)) = operation;
        (answer != Some(&Answer::Refused)).then(|| vec![owner.clone()])
    }
}

impl<P: fmt::Display> fmt::Display for LockOperation<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Acquire(owner) => write!(f, "acquire for {owner}"),
            Release(owner) => write!(f, "release for {owner}"),
        }
    }
}
