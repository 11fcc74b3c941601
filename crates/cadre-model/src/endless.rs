use std::collections::BTreeSet;

use cadre_trace::{Fairness, GuaranteeKind};

use crate::guarantee::Part;
use crate::model::Model;

/// An execution without an end: a stem, then a cycle that repeats for ever; or a stem, then rest.
///
/// This is what [`eventually`](crate::Guarantee::eventually) and the like are about, said of one
/// execution, without any search: whoever has found a counterexample can look here whether it is
/// one.
///
/// # Examples
///
/// ```
/// use cadre_model::{Endless, Model, check};
///
/// /// A light that goes on and off.
/// struct Light;
///
/// impl Model for Light {
///     type State = bool;
///     type Action = ();
///
///     fn init(&self) -> Vec<bool> {
///         vec![false]
///     }
///
///     fn actions(&self, _: &bool, out: &mut Vec<()>) {
///         out.push(());
///     }
///
///     fn next(&self, is_on: &bool, (): &()) -> Option<bool> {
///         Some(!is_on)
///     }
/// }
///
/// let light = check(Light).convergent("on in the end", |is_on| *is_on);
/// let blinking = Endless::walk(&light, false, &[], &[(), ()]).expect("a cycle");
/// assert!(blinking.violates(0));
/// assert!(Endless::walk(&light, false, &[], &[()]).is_none(), "the light is on then");
/// ```
#[derive(Debug)]
pub struct Endless<'a, M: Model> {
    model: &'a M,
    /// The configuration before each action, and the last one.
    states: Vec<M::State>,
    actions: Vec<M::Action>,
    /// The configuration from which on everything repeats: the last one where it rests.
    loop_from: usize,
}

impl<'a, M: Model> Endless<'a, M> {
    /// Carries out a stem and one round of a cycle.
    ///
    /// `None` where an action is not enabled, or the cycle does not lead back to where it began.
    pub fn walk(
        model: &'a M,
        initial: M::State,
        stem: &[M::Action],
        cycle: &[M::Action],
    ) -> Option<Self> {
        let mut states = vec![initial];
        let actions: Vec<M::Action> = stem.iter().chain(cycle).cloned().collect();
        for action in &actions {
            let after = model.next(&states[states.len() - 1], action)?;
            states.push(after);
        }
        Self::new(model, states, actions, stem.len())
    }

    /// An execution that was carried out already.
    ///
    /// `None` where the last configuration is not the one from which on everything repeats.
    pub(crate) fn new(
        model: &'a M,
        states: Vec<M::State>,
        actions: Vec<M::Action>,
        loop_from: usize,
    ) -> Option<Self> {
        let closes = states.len() == actions.len() + 1 && states.get(loop_from) == states.last();
        closes.then_some(Self { model, states, actions, loop_from })
    }

    /// Whether the execution counts: it does not end where something can happen, and neglects
    /// nothing.
    pub fn is_fair(&self, fairness: Fairness) -> bool {
        let possible: Vec<Possible> = self.repeated().iter().map(|at| self.possible(at)).collect();
        let mut taken = BTreeSet::new();
        let mut moves = false;
        for (action, around) in
            self.actions[self.loop_from..].iter().zip(self.states[self.loop_from..].windows(2))
        {
            if around[0] != around[1] {
                moves = true;
                taken.extend(self.class(action));
            }
        }
        if !moves {
            return possible.iter().all(|possible| possible.is_at_rest);
        }
        let classes = possible.iter().flat_map(|possible| &possible.classes);
        let is_owed = |class: &&u128| match fairness {
            Fairness::None => false,
            Fairness::Weak => possible.iter().all(|possible| possible.classes.contains(class)),
            Fairness::Strong => true,
        };
        classes.filter(is_owed).all(|class| taken.contains(class))
    }

    /// Whether the execution is a counterexample to a guarantee, by its position among
    /// [`Model::guarantees`]; never to one that finite executions violate.
    pub fn violates(&self, guarantee: usize) -> bool {
        let kind = self.model.guarantees()[guarantee].kind;
        let is_true = |part| move |at: &M::State| self.model.evaluate(guarantee, part, at);
        let is_violated = match kind {
            GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost => false,
            GuaranteeKind::Eventually(_) => !self.states.iter().any(is_true(Part::Main)),
            GuaranteeKind::LeadsTo(_) => {
                let answered = self.states.iter().rposition(is_true(Part::Post));
                let since = answered.map_or(0, |answered| answered + 1);
                !self.repeated().iter().any(is_true(Part::Post))
                    && self.states[since..].iter().any(is_true(Part::Main))
            }
            GuaranteeKind::Convergent(_) => {
                let is_fault = |action: &M::Action| self.model.is_fault(action);
                !self.actions[self.loop_from..].iter().any(is_fault)
                    && !self.repeated().iter().all(is_true(Part::Main))
            }
        };
        is_violated && kind.fairness().is_some_and(|fairness| self.is_fair(fairness))
    }

    /// The configurations that come again and again.
    fn repeated(&self) -> &[M::State] {
        &self.states[self.loop_from..]
    }

    fn possible(&self, at: &M::State) -> Possible {
        let mut actions = Vec::new();
        self.model.actions(at, &mut actions);
        actions.retain(|action| {
            let moves = || self.model.next(at, action).is_some_and(|after| after != *at);
            !self.model.is_fault(action) && moves()
        });
        let classes = actions.iter().filter_map(|action| self.class(action)).collect();
        Possible { is_at_rest: actions.is_empty(), classes }
    }

    fn class(&self, action: &M::Action) -> Option<u128> {
        let is_fault = self.model.is_fault(action);
        (!is_fault).then(|| self.model.fairness_class(action)).flatten()
    }
}

/// What could happen in a configuration, faults aside.
struct Possible {
    is_at_rest: bool,
    classes: BTreeSet<u128>,
}
