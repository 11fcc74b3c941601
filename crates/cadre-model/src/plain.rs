use cadre_trace::{Fairness, GuaranteeKind};

use crate::expansion::{Asleep, Expansion};
use crate::guarantee::{Guarantee, Part};
use crate::guarded;
use crate::model::{Claim, Model};
use crate::nature::{Class, Nature};

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
/// assert_eq!(checked.guarantees()[0].name, "small");
/// assert_eq!(checked.guarantees()[1].name, "every step returns");
/// ```
pub fn check<M: Model>(model: M) -> Checked<M> {
    Checked { model, guarantees: Vec::new() }
}

/// A plain model with guarantees.
///
/// One more comes after those that were added: that every step returns. A panic of the model, or of
/// a guarantee's own code, violates it, so that an assertion in a model has a counterexample.
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
        let returns = Claim { name: "every step returns".to_owned(), kind: GuaranteeKind::Always };
        self.guarantees.iter().map(Guarantee::claim).chain([returns]).collect()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &M::State) -> bool {
        let judged = self.guarantees.get(guarantee);
        judged.is_none_or(|guarantee| guarantee.evaluate(part, state))
    }

    fn describe(&self, guarantee: usize, state: &M::State) -> Option<String> {
        match self.guarantees.get(guarantee) {
            Some(guarantee) => guarantee.describe(state),
            None => self
                .guarantees
                .iter()
                .find_map(|guarantee| guarded(|| guarantee.evaluate(Part::Main, state)).err()),
        }
    }

    fn user_calls(&self) -> Option<u64> {
        self.model.user_calls()
    }

    fn expand(&self, states: &[M::State], _: &[Asleep], out: &mut impl Expansion<M::Action>) {
        let returns = self.guarantees.len();
        for (index, state) in states.iter().enumerate() {
            let listed = guarded(|| {
                let mut actions = Vec::new();
                self.model.actions(state, &mut actions);
                actions
            });
            let actions = match listed {
                Ok(actions) => actions,
                Err(why) => {
                    out.failed(index, None, returns, why);
                    continue;
                }
            };
            let before = self.model.fingerprint(state);
            let mut is_at_rest = true;
            for action in actions {
                let after =
                    || self.model.next(state, &action).map(|after| self.fingerprint(&after));
                match guarded(after) {
                    Ok(Some(after)) if after != before => {
                        is_at_rest = is_at_rest && self.model.is_fault(&action);
                        out.successor(index, action, after, Asleep::NONE);
                    }
                    Ok(_) => {}
                    Err(why) => {
                        is_at_rest = false;
                        out.failed(index, Some(action), returns, why);
                    }
                }
            }
            if is_at_rest {
                out.at_rest(index);
            }
        }
    }

    fn store(&self, states: &[M::State], out: &mut Vec<u8>) -> bool {
        self.model.store(states, out)
    }

    fn restore(&self, bytes: &[u8], out: &mut Vec<M::State>) -> bool {
        self.model.restore(bytes, out)
    }

    fn memory(&self) -> u64 {
        self.model.memory()
    }

    fn judge(
        &self,
        states: &[M::State],
        guarantees: &[usize],
        found: &mut impl FnMut(usize, usize, bool),
    ) {
        let returns = self.guarantees.len();
        for (index, state) in states.iter().enumerate() {
            for guarantee in guarantees.iter().filter(|guarantee| **guarantee != returns) {
                match guarded(|| self.evaluate(*guarantee, Part::Main, state)) {
                    Ok(is_true) => found(index, *guarantee, is_true),
                    Err(_) => found(index, returns, false),
                }
            }
        }
    }
}
