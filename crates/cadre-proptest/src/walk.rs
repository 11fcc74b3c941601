use std::fmt;
use std::rc::Rc;

use cadre_model::Model;
use proptest::prelude::RngExt;
use proptest::strategy::{BoxedStrategy, Just, NewTree, Strategy};
use proptest::test_runner::{TestRng, TestRunner};

use crate::weights::{Drawn, Weights};

/// A place on a random walk through a model: the reference state of a [`Machine`](crate::Machine).
pub struct Walk<M: Model> {
    model: Rc<M>,
    initial: usize,
    state: M::State,
    is_at_end: bool,
    weights: Rc<Drawn>,
}

/// One transition of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<A> {
    /// An action of the model.
    Act(A),
    /// Nothing, where the model has come to its end: proptest wants walks of a chosen length.
    Idle,
}

impl<A> Step<A> {
    /// The action, unless this is an idle transition.
    pub fn action(&self) -> Option<&A> {
        match self {
            Self::Act(action) => Some(action),
            Self::Idle => None,
        }
    }
}

impl<M: Model> Walk<M> {
    /// A walk that has not begun, from one of the initial configurations; `None` where there is
    /// none.
    pub(crate) fn begin(model: &Rc<M>, weights: &Weights, random: &mut TestRng) -> Option<Self> {
        let mut states = model.init();
        let initial = match states.len() {
            0 => return None,
            1 => 0,
            count => random.random_range(0..count),
        };
        let state = states.swap_remove(initial);
        let weights = Rc::new(weights.draw(&**model, random));
        Some(Self { model: Rc::clone(model), initial, state, is_at_end: false, weights })
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The configuration that has been reached.
    pub fn state(&self) -> &M::State {
        &self.state
    }

    /// The position of the walk's first configuration among those of [`Model::init`].
    pub fn initial(&self) -> usize {
        self.initial
    }

    /// Whether the walk has idled, because nothing was enabled any more.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// The weights of this walk, in words.
    pub(crate) fn weights(&self) -> String {
        self.weights.label()
    }

    /// Whether a transition can be taken here.
    pub(crate) fn permits(&self, step: &Step<M::Action>) -> bool {
        match step {
            Step::Act(action) => self.model.next(&self.state, action).is_some(),
            Step::Idle => true,
        }
    }

    /// Takes a transition; `false` where it cannot be taken.
    pub(crate) fn take(&mut self, step: &Step<M::Action>) -> bool {
        let Some(action) = step.action() else {
            self.is_at_end = true;
            return true;
        };
        match self.model.next(&self.state, action) {
            Some(after) => {
                self.state = after;
                true
            }
            None => false,
        }
    }

    /// Takes one of the enabled actions, at random; `None` where there is none.
    pub(crate) fn wander(&mut self, random: &mut TestRng) -> Option<M::Action> {
        let (action, after) = self.choose(random)?;
        self.state = after;
        Some(action)
    }

    /// One of the enabled actions and where it leads, by the weights of this walk.
    ///
    /// What this walk does without is done after all where nothing else is possible, unless the
    /// user does not want it.
    fn choose(&self, random: &mut TestRng) -> Option<(M::Action, M::State)> {
        let mut actions = Vec::new();
        self.model.actions(&self.state, &mut actions);
        let weight = |action: &M::Action| self.weights.of(self.model.nature(action).class);
        let weights: Vec<_> = actions.iter().map(weight).collect();
        self.pick(&actions, weights.iter().map(|weight| weight.drawn).collect(), random).or_else(
            || self.pick(&actions, weights.iter().map(|weight| weight.stated).collect(), random),
        )
    }

    fn pick(
        &self,
        actions: &[M::Action],
        mut weights: Vec<u32>,
        random: &mut TestRng,
    ) -> Option<(M::Action, M::State)> {
        let mut total: u64 = weights.iter().copied().map(u64::from).sum();
        while total > 0 {
            let mut left = random.random_range(0..total);
            let found =
                weights.iter().position(|weight| match left.checked_sub((*weight).into()) {
                    Some(less) => {
                        left = less;
                        false
                    }
                    None => true,
                });
            let at = found.expect("the weights add up to the total");
            if let Some(after) = self.model.next(&self.state, &actions[at]) {
                return Some((actions[at].clone(), after));
            }
            // A model should not list what it does not accept; where it does, it is passed over.
            total -= u64::from(std::mem::take(&mut weights[at]));
        }
        None
    }
}

/// The initial configurations, each as likely as any other.
pub(crate) fn starts<M: Model + 'static>(model: Rc<M>, weights: Weights) -> BoxedStrategy<Walk<M>> {
    Starts { model, weights }.boxed()
}

/// The transitions that may come next in a walk.
pub(crate) fn steps<M: Model + 'static>(walk: &Walk<M>) -> BoxedStrategy<Step<M::Action>> {
    match walk.is_at_end {
        true => Just(Step::Idle).boxed(),
        false => Steps(walk.clone()).boxed(),
    }
}

struct Starts<M: Model> {
    model: Rc<M>,
    weights: Weights,
}

impl<M: Model> Strategy for Starts<M> {
    type Tree = Just<Walk<M>>;
    type Value = Walk<M>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let begun = Walk::begin(&self.model, &self.weights, runner.rng());
        begun.map(Just).ok_or_else(|| "the model has no initial configuration".into())
    }
}

struct Steps<M: Model>(Walk<M>);

impl<M: Model> Strategy for Steps<M> {
    // One action is no simpler than another: shrinking leaves out, and does not replace.
    type Tree = Just<Step<M::Action>>;
    type Value = Step<M::Action>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let chosen = self.0.choose(runner.rng());
        Ok(Just(chosen.map_or(Step::Idle, |(action, _)| Step::Act(action))))
    }
}

impl<M: Model> Clone for Walk<M> {
    fn clone(&self) -> Self {
        Self {
            model: Rc::clone(&self.model),
            initial: self.initial,
            state: self.state.clone(),
            is_at_end: self.is_at_end,
            weights: Rc::clone(&self.weights),
        }
    }
}

impl<M: Model> fmt::Debug for Walk<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("initial", &self.initial)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<M: Model> fmt::Debug for Starts<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Starts")
    }
}

impl<M: Model> fmt::Debug for Steps<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Steps").field(&self.0).finish()
    }
}
