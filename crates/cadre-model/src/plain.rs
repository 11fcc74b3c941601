use cadre_trace::Fairness;

use crate::guarantee::{Guarantee, Part};
use crate::model::{Claim, Model};

/// Begins a check of a plain model: add guarantees, then hand the result to an engine.
///
/// # Examples
///
/// ```
/// use cadre_model::{Model, check};
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u32;
///     type Action = ();
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, state: &u32, out: &mut Vec<()>) {
///         if *state < 3 {
///             out.push(());
///         }
///     }
///
///     fn next(&self, state: &u32, _: &()) -> Option<u32> {
///         Some(state + 1)
///     }
/// }
///
/// let checked = check(Counter).always("small", |state| *state < 4);
/// assert_eq!(checked.guarantees().len(), 1);
/// ```
pub fn check<M: Model>(model: M) -> Checked<M> {
    Checked { model, guarantees: Vec::new() }
}

/// A plain model with guarantees.
#[derive(Debug)]
pub struct Checked<M: Model> {
    model: M,
    guarantees: Vec<Guarantee<M::State>>,
}

impl<M: Model> Checked<M> {
    /// Adds a guarantee.
    #[must_use]
    pub fn guarantee(mut self, guarantee: Guarantee<M::State>) -> Self {
        self.guarantees.push(guarantee);
        self
    }

    /// Adds [`Guarantee::always`].
    #[must_use]
    pub fn always(
        self,
        name: impl Into<String>,
        holds: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::always(name, holds))
    }

    /// Adds [`Guarantee::reachable`].
    #[must_use]
    pub fn reachable(
        self,
        name: impl Into<String>,
        found: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::reachable(name, found))
    }

    /// Adds [`Guarantee::never_stuck`].
    #[must_use]
    pub fn never_stuck(
        self,
        name: impl Into<String>,
        may_rest: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::never_stuck(name, may_rest))
    }

    /// Adds [`Guarantee::eventually`].
    #[must_use]
    pub fn eventually(
        self,
        name: impl Into<String>,
        reached: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::eventually(name, reached))
    }

    /// Adds [`Guarantee::leads_to`].
    #[must_use]
    pub fn leads_to(
        self,
        name: impl Into<String>,
        from: impl Fn(&M::State) -> bool + Send + Sync + 'static,
        to: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::leads_to(name, from, to))
    }

    /// Adds [`Guarantee::convergent`].
    #[must_use]
    pub fn convergent(
        self,
        name: impl Into<String>,
        settled: impl Fn(&M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.guarantee(Guarantee::convergent(name, settled))
    }

    /// Judges the guarantee that was added last by other executions: see [`Guarantee::under`].
    #[must_use]
    pub fn under(mut self, fairness: Fairness) -> Self {
        if let Some(guarantee) = self.guarantees.pop() {
            self.guarantees.push(guarantee.under(fairness));
        }
        self
    }
}

impl<M: Model> Model for Checked<M> {
    type State = M::State;
    type Action = M::Action;

    fn init(&self) -> Vec<M::State> {
        self.model.init()
    }

    fn actions(&self, state: &M::State, out: &mut Vec<M::Action>) {
        self.model.actions(state, out);
    }

    fn next(&self, state: &M::State, action: &M::Action) -> Option<M::State> {
        self.model.next(state, action)
    }

    fn fingerprint(&self, state: &M::State) -> u128 {
        self.model.fingerprint(state)
    }

    fn is_fault(&self, action: &M::Action) -> bool {
        self.model.is_fault(action)
    }

    fn fairness_class(&self, action: &M::Action) -> Option<u128> {
        self.model.fairness_class(action)
    }

    fn guarantees(&self) -> Vec<Claim> {
        self.guarantees.iter().map(Guarantee::claim).collect()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &M::State) -> bool {
        self.guarantees[guarantee].evaluate(part, state)
    }

    fn user_calls(&self) -> Option<u64> {
        self.model.user_calls()
    }
}
