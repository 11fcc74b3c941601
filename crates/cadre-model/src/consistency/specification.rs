use std::fmt::Debug;
use std::hash::Hash;

/// What an object answers to one client at a time.
///
/// # Contract
///
/// `apply` is pure: the same state and operation lead to the same results in the same order. The
/// other functions keep the promises that they state; each may be left as it is, which costs speed
/// or shorter explanations, never a right verdict.
pub trait Specification {
    /// What the object remembers.
    type State: Clone + Eq + Hash + Debug;
    /// What can be called.
    type Operation: Debug;
    /// What can be answered.
    type Answer: Clone + PartialEq + Debug;
    /// What tells independent parts of the object apart.
    type Key: Clone + Ord;
    /// What operations can be about, for explanations.
    type Subject: Clone + Eq + Hash;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// All that can come of an operation in a state: nothing where it would have to wait, one thing
    /// where the object is deterministic.
    fn apply(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        results: &mut Vec<(Self::State, Self::Answer)>,
    );

    /// The part of the object that an operation is about.
    ///
    /// Promised of `Some`: operations with different keys neither see nor change each other's part,
    /// so that each part can be judged alone (Herlihy and Wing's locality).
    fn partition(&self, operation: &Self::Operation) -> Option<Self::Key> {
        let _ = operation;
        None
    }

    /// Whether an operation that is answered so never changes any state; `None` stands for every
    /// answer.
    fn observes(&self, operation: &Self::Operation, answer: Option<&Self::Answer>) -> bool {
        let _ = (operation, answer);
        false
    }

    /// What an operation that is answered so is about; `None` where that cannot be said.
    ///
    /// Promised: where all operations of a legal sequence have subjects, the sequence stays legal
    /// without all operations that are about a subject, and all that are about a subject of these,
    /// and so on.
    fn subjects(
        &self,
        operation: &Self::Operation,
        answer: Option<&Self::Answer>,
    ) -> Option<Vec<Self::Subject>> {
        let _ = (operation, answer);
        None
    }
}
