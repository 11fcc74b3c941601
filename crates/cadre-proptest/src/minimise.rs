use cadre_model::{Claim, Endless, Model, Nature, Part};
use cadre_trace::GuaranteeKind;

use crate::reduce::{Matching, Reduced, Trial, reduce};

/// Finds a shorter execution that violates the same guarantee in the same way.
///
/// Whatever engine has found the execution: what is tried is to leave out actions, first what comes
/// from outside (requests, faults, all that happens to one node), then what the system does by
/// itself, at the end each single action. What is not enabled any more when its turn comes is left
/// out, or something [like it](Model::is_like) takes its place. At the end no single action can be
/// spared, unless the attempts were used up.
///
/// The result ends where it first violates the guarantee. Of an endless execution, actions of the
/// stem and of the cycle are left out, and what is left is again a fair execution with a cycle that
/// closes.
///
/// # Errors
///
/// Where the execution is not possible, or does not violate the guarantee.
///
/// # Examples
///
/// ```
/// use cadre_model::{Model, check};
/// use cadre_proptest::{Counterexample, MinimiseOptions, minimise};
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
///         out.extend([-1, 1]);
///     }
///
///     fn next(&self, state: &i32, add: &i32) -> Option<i32> {
///         Some(state + add)
///     }
/// }
///
/// let model = check(Counter).always("below two", |state| *state < 2);
/// let path = vec![1, -1, -1, 1, 1, 1];
/// let found = Counterexample { guarantee: 0, initial: 0, path, loop_from: None };
/// let shorter = minimise(&model, &found, &MinimiseOptions::default())?;
/// assert_eq!((shorter.path, shorter.is_minimal), (vec![1, 1], true));
/// # Ok::<(), cadre_proptest::MinimiseError>(())
/// ```
pub fn minimise<M: Model>(
    model: &M,
    found: &Counterexample<M::Action>,
    options: &MinimiseOptions,
) -> Result<Minimised<M::Action>, MinimiseError> {
    let (mut executing, steps) = Executing::new(model, found)?;
    let Reduced { steps, attempts, is_minimal } =
        reduce(&mut executing, steps, options.attempts_max);
    let loop_from = found.loop_from.map(|_| stem_of(&steps));
    let path = steps.into_iter().map(|step| step.action).collect();
    Ok(Minimised { path, loop_from, attempts, is_minimal })
}

/// An execution that violates a guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample<A> {
    /// The position of the guarantee.
    pub guarantee: usize,
    /// The position of the execution's first configuration among those of [`Model::init`].
    pub initial: usize,
    /// The actions.
    pub path: Vec<A>,
    /// How many actions come before those that repeat for ever; `None` where the execution ends.
    pub loop_from: Option<usize>,
}

/// How much is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimiseOptions {
    /// The most executions that are tried; reaching it is told by [`Minimised::is_minimal`].
    pub attempts_max: u64,
}

/// A shorter execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimised<A> {
    /// The actions.
    pub path: Vec<A>,
    /// How many actions come before those that repeat for ever; `None` where the execution ends.
    pub loop_from: Option<usize>,
    /// How many executions were tried.
    pub attempts: u64,
    /// Whether no single action can be spared; `false` where the attempts were used up before that
    /// was known.
    pub is_minimal: bool,
}

/// Why there is nothing to make shorter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MinimiseError {
    #[error("expected an initial configuration at position {initial}, found {known} of them")]
    NoSuchBeginning { initial: usize, known: usize },

    #[error("step {step}, `{action}`, is not enabled: the execution is of another model")]
    NotEnabled { step: usize, action: String },

    #[error(
        "expected an execution that violates `{guarantee}`, found one that does not: only what \
         fails can be minimised"
    )]
    NotViolated { guarantee: String },
}

impl Default for MinimiseOptions {
    /// Twenty thousand executions.
    fn default() -> Self {
        Self { attempts_max: 20_000 }
    }
}

/// An action, and whether it is one of those that repeat for ever.
#[derive(Clone, Debug)]
struct Placed<A> {
    action: A,
    is_repeated: bool,
}

type Steps<M> = Vec<Placed<<M as Model>::Action>>;

/// The trial of an execution: whether it violates what another one violates.
struct Executing<'a, M: Model> {
    model: &'a M,
    guarantee: usize,
    kind: GuaranteeKind,
    start: M::State,
    /// What the violation has in common with the one that was found; `None` while that is not
    /// known, and where it is endless.
    symptom: Option<Option<String>>,
}

impl<'a, M: Model> Executing<'a, M> {
    /// The trial for what was found, and its actions up to the violation.
    fn new(
        model: &'a M,
        found: &Counterexample<M::Action>,
    ) -> Result<(Self, Steps<M>), MinimiseError> {
        let mut beginnings = model.init();
        let known = beginnings.len();
        if found.initial >= known {
            return Err(MinimiseError::NoSuchBeginning { initial: found.initial, known });
        }
        let start = beginnings.swap_remove(found.initial);
        let Claim { name, kind } = model.guarantees().swap_remove(found.guarantee);
        let stem = found.loop_from.unwrap_or(found.path.len());
        let place = |(position, action): (usize, &M::Action)| Placed {
            action: action.clone(),
            is_repeated: position >= stem,
        };
        let steps: Vec<_> = found.path.iter().enumerate().map(place).collect();
        let mut at = start.clone();
        for (position, step) in steps.iter().enumerate() {
            at = model.next(&at, &step.action).ok_or_else(|| MinimiseError::NotEnabled {
                step: position + 1,
                action: model.label(&step.action),
            })?;
        }
        let guarantee = found.guarantee;
        let mut this = Self { model, guarantee, kind, start, symptom: None };
        let steps = this.attempt(&steps, Matching::Exact);
        let steps = steps.ok_or(MinimiseError::NotViolated { guarantee: name })?;
        if kind.fairness().is_none() {
            let last = this.walk(&steps, Matching::Exact).1;
            this.symptom = Some(this.model.symptom(guarantee, &last[last.len() - 1]));
        }
        Ok((this, steps))
    }

    /// Carries out actions up to the first configuration that violates the guarantee: what was
    /// taken, and the configurations, the initial one included.
    fn walk(&self, steps: &[Placed<M::Action>], matching: Matching) -> (Steps<M>, Vec<M::State>) {
        let mut taken = Vec::new();
        let mut states = vec![self.start.clone()];
        for step in steps {
            let at = &states[states.len() - 1];
            if self.is_violated(at) {
                break;
            }
            let taking = take(self.model, at, &step.action, matching);
            let Some((action, after)) = taking else { continue };
            taken.push(Placed { action, is_repeated: step.is_repeated });
            states.push(after);
        }
        (taken, states)
    }

    /// Whether a configuration violates the guarantee, and in the way that is looked for.
    fn is_violated(&self, at: &M::State) -> bool {
        violates(self.model, self.kind, self.guarantee, at)
            && self
                .symptom
                .as_ref()
                .is_none_or(|symptom| *symptom == self.model.symptom(self.guarantee, at))
    }
}

impl<M: Model> Trial for Executing<'_, M> {
    type Step = Placed<M::Action>;

    fn nature(&self, step: &Self::Step) -> Nature {
        self.model.nature(&step.action)
    }

    fn attempt(&mut self, steps: &[Self::Step], matching: Matching) -> Option<Vec<Self::Step>> {
        let (taken, states) = self.walk(steps, matching);
        let is_found = match self.kind.fairness() {
            None => self.is_violated(&states[states.len() - 1]),
            Some(_) => {
                let actions: Vec<M::Action> =
                    taken.iter().map(|step| step.action.clone()).collect();
                let (stem, cycle) = actions.split_at(stem_of(&taken));
                Endless::walk(self.model, self.start.clone(), stem, cycle)
                    .is_some_and(|endless| endless.violates(self.guarantee))
            }
        };
        is_found.then_some(taken)
    }
}

/// Takes an action, or one like it where that will do, if it is possible.
pub(crate) fn take<M: Model>(
    model: &M,
    at: &M::State,
    action: &M::Action,
    matching: Matching,
) -> Option<(M::Action, M::State)> {
    if let Some(after) = model.next(at, action) {
        return Some((action.clone(), after));
    }
    match matching {
        Matching::Exact => None,
        Matching::Alike => {
            let mut enabled = Vec::new();
            model.actions(at, &mut enabled);
            enabled.retain(|other| model.is_like(action, other));
            enabled.into_iter().find_map(|other| {
                let after = model.next(at, &other)?;
                Some((other, after))
            })
        }
    }
}

/// How many actions come before those that repeat.
fn stem_of<A>(steps: &[Placed<A>]) -> usize {
    steps.iter().take_while(|step| !step.is_repeated).count()
}

/// Whether a configuration violates a guarantee of a kind; no single one violates what must be
/// reachable, or what takes an endless execution.
pub(crate) fn violates<M: Model>(
    model: &M,
    kind: GuaranteeKind,
    guarantee: usize,
    at: &M::State,
) -> bool {
    let holds = |part| model.evaluate(guarantee, part, at);
    match kind {
        GuaranteeKind::Always => !holds(Part::Main),
        GuaranteeKind::Reachable
        | GuaranteeKind::Eventually(_)
        | GuaranteeKind::LeadsTo(_)
        | GuaranteeKind::Convergent(_) => false,
        // To be at rest is the dearest of the three to find out.
        GuaranteeKind::PrePost => holds(Part::Main) && !holds(Part::Post) && model.is_at_rest(at),
    }
}
