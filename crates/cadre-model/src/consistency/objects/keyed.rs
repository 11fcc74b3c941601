use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use super::Value;
use crate::consistency::{Access, ReadsAndWrites, Specification};

/// Objects of one kind, each under a key: linearizability is judged key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed<K, S> {
    object: S,
    keys: PhantomData<K>,
}

/// An operation of the object under a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct At<K, O> {
    /// The key.
    pub key: K,
    /// The operation.
    pub operation: O,
}

impl<K, S> Keyed<K, S> {
    /// Objects like this one.
    pub fn new(object: S) -> Self {
        Self { object, keys: PhantomData }
    }

    /// The object that is under each key.
    pub fn object(&self) -> &S {
        &self.object
    }
}

impl<K: Value + Ord, S: Specification> Specification for Keyed<K, S> {
    /// Keys that were never used are absent.
    type State = BTreeMap<K, S::State>;
    type Operation = At<K, S::Operation>;
    type Answer = S::Answer;
    type Key = K;
    type Subject = (K, S::Subject);

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn apply(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        results: &mut Vec<(Self::State, S::Answer)>,
    ) {
        let At { key, operation } = operation;
        let initial = self.object.initial();
        let mut inner = Vec::with_capacity(1);
        self.object.apply(state.get(key).unwrap_or(&initial), operation, &mut inner);
        results.extend(inner.into_iter().map(|(next, answer)| {
            let mut all = state.clone();
            // A state has one form: what is as it was at first is not mentioned.
            match next == initial {
                true => all.remove(key),
                false => all.insert(key.clone(), next),
            };
            (all, answer)
        }));
    }

    fn partition(&self, operation: &Self::Operation) -> Option<K> {
        Some(operation.key.clone())
    }

    fn observes(&self, operation: &Self::Operation, answer: Option<&S::Answer>) -> bool {
        self.object.observes(&operation.operation, answer)
    }

    fn subjects(
        &self,
        operation: &Self::Operation,
        answer: Option<&S::Answer>,
    ) -> Option<Vec<Self::Subject>> {
        let subjects = self.object.subjects(&operation.operation, answer)?;
        Some(subjects.into_iter().map(|subject| (operation.key.clone(), subject)).collect())
    }
}

/// The key stands behind the verb: `write x 1`.
impl<K: fmt::Display, O: fmt::Display> fmt::Display for At<K, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, operation) = (self.key.to_string(), self.operation.to_string());
        match operation.split_once(' ') {
            _ if key.is_empty() => f.write_str(&operation),
            Some((verb, rest)) => write!(f, "{verb} {key} {rest}"),
            None => write!(f, "{operation} {key}"),
        }
    }
}

/// Registers under keys are read and written as registers are.
impl<K: Value + Ord, S: ReadsAndWrites> ReadsAndWrites for Keyed<K, S> {
    type Place = (K, S::Place);
    type Datum = S::Datum;

    fn first_datum(&self) -> S::Datum {
        self.object.first_datum()
    }

    fn access(
        &self,
        operation: &Self::Operation,
        answer: Option<&S::Answer>,
    ) -> Option<Access<Self::Place, S::Datum>> {
        let access = self.object.access(&operation.operation, answer)?;
        let place = |place| (operation.key.clone(), place);
        Some(match access {
            Access::Read { from, datum } => Access::Read { from: place(from), datum },
            Access::Write { to, datum } => Access::Write { to: place(to), datum },
        })
    }
}
