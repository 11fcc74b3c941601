use std::fmt;

use cadre_model::{Claim, Class, Model, Nature, Part};

/// A model in whose executions only some of the possible actions are taken: see [`permitting`].
pub struct Permitted<M: Model> {
    model: M,
    permits: Box<Permits<M>>,
}

/// Whether an action may be taken in a configuration.
type Permits<M> = dyn Fn(&M, &<M as Model>::State, &<M as Model>::Action) -> bool + Send + Sync;

/// Adds a precondition to the actions of a model, for random walks.
///
/// What is possible and what is at rest stays the model's to say; the precondition says what a test
/// wants to see. Shrunk executions keep to it, too.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use cadre_model::{Model, check};
/// use cadre_proptest::{FuzzOptions, fuzz, permitting};
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = i32;
///     type Action = i32;
///
///     fn init(&self) -> Vec<i32> {
///         vec![0]
///     }
///
///     fn actions(&self, _: &i32, out: &mut Vec<i32>) {
///         out.extend([1, 5]);
///     }
///
///     fn next(&self, state: &i32, add: &i32) -> Option<i32> {
///         Some(state + add)
///     }
/// }
///
/// let below_ten = check(Counter).always("below ten", |state| *state < 10);
/// let model = permitting(below_ten, |_, state, add| *add == 1 || *state == 4);
/// let found = fuzz(&Rc::new(model), &FuzzOptions::default(), &mut |_| true);
/// // Five may be added to four alone.
/// assert_eq!(found.violation.map(|found| found.path.len()), Some(6));
/// ```
pub fn permitting<M: Model>(
    model: M,
    permits: impl Fn(&M, &M::State, &M::Action) -> bool + Send + Sync + 'static,
) -> Permitted<M> {
    Permitted { model, permits: Box::new(permits) }
}

impl<M: Model> Permitted<M> {
    /// The model without the precondition.
    pub fn model(&self) -> &M {
        &self.model
    }
}

impl<M: Model> Model for Permitted<M> {
    type State = M::State;
    type Action = M::Action;

    fn init(&self) -> Vec<M::State> {
        self.model.init()
    }

    fn actions(&self, state: &M::State, out: &mut Vec<M::Action>) {
        let mut possible = Vec::new();
        self.model.actions(state, &mut possible);
        out.extend(
            possible.into_iter().filter(|action| (self.permits)(&self.model, state, action)),
        );
    }

    fn next(&self, state: &M::State, action: &M::Action) -> Option<M::State> {
        // What is possible first: a precondition need not know what is not.
        let after = self.model.next(state, action)?;
        (self.permits)(&self.model, state, action).then_some(after)
    }

    fn fingerprint(&self, state: &M::State) -> u128 {
        self.model.fingerprint(state)
    }

    fn is_fault(&self, action: &M::Action) -> bool {
        self.model.is_fault(action)
    }

    fn is_at_rest(&self, state: &M::State) -> bool {
        self.model.is_at_rest(state)
    }

    fn classes(&self) -> Vec<Class> {
        self.model.classes()
    }

    fn nature(&self, action: &M::Action) -> Nature {
        self.model.nature(action)
    }

    fn label(&self, action: &M::Action) -> String {
        self.model.label(action)
    }

    fn is_like(&self, one: &M::Action, other: &M::Action) -> bool {
        self.model.is_like(one, other)
    }

    fn fairness_class(&self, action: &M::Action) -> Option<u128> {
        self.model.fairness_class(action)
    }

    fn guarantees(&self) -> Vec<Claim> {
        self.model.guarantees()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &M::State) -> bool {
        self.model.evaluate(guarantee, part, state)
    }

    fn describe(&self, guarantee: usize, state: &M::State) -> Option<String> {
        self.model.describe(guarantee, state)
    }

    fn symptom(&self, guarantee: usize, state: &M::State) -> Option<String> {
        self.model.symptom(guarantee, state)
    }

    fn user_calls(&self) -> Option<u64> {
        self.model.user_calls()
    }
}

impl<M: Model + fmt::Debug> fmt::Debug for Permitted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permitted").field("model", &self.model).finish_non_exhaustive()
    }
}
