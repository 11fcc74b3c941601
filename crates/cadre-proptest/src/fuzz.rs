use std::rc::Rc;

use cadre_model::Model;
use proptest::test_runner::TestRng;

use crate::judge::Judge;
use crate::logbook::Logbook;
use crate::minimise::{Counterexample, MinimiseOptions, minimise};
use crate::random::generator;
use crate::walk::Walk;
use crate::weights::Weights;

/// Walks through a model at random, judges the guarantees on the way, and
/// [minimises](crate::minimise) the first violation.
///
/// `always` is judged in every configuration, `pre → post` where a walk is at rest, and `reachable`
/// guarantees are noted when they are reached. `watch` is called before each case with its number
/// and says whether to go on.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use cadre_model::{Model, check};
/// use cadre_proptest::{FuzzOptions, fuzz};
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
/// let model = Rc::new(check(Counter).always("below three", |state| *state < 3));
/// let found = fuzz(&model, &FuzzOptions::default(), &mut |_| true);
/// assert_eq!(found.violation.map(|violation| violation.path), Some(vec![1, 1, 1]));
/// ```
pub fn fuzz<M: Model + 'static>(
    model: &Rc<M>,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> FuzzOutcome<M::Action> {
    fuzz_noting(model, options, watch, None)
}

/// [`fuzz`], with what happens written into a logbook if there is one.
pub(crate) fn fuzz_noting<M: Model + 'static>(
    model: &Rc<M>,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
    mut logbook: Option<&mut Logbook<M::Action>>,
) -> FuzzOutcome<M::Action> {
    let mut judge = Judge::new(model);
    let mut outcome = FuzzOutcome {
        cases_run: 0,
        steps: 0,
        violation: None,
        reached: Vec::new(),
        stopped: false,
    };
    let mut random = generator(options.seed);
    for case in 0..options.cases {
        if !watch(case) {
            outcome.stopped = true;
            break;
        }
        let Some(walk) = Walk::begin(model, &options.weights, &mut random) else { break };
        outcome.cases_run += 1;
        let (violated, path) =
            go(walk.clone(), options, &mut judge, &mut random, logbook.as_deref_mut());
        outcome.steps += path.len() as u64;
        if let Some(guarantee) = violated {
            outcome.violation = Some(shorter(&walk, guarantee, path));
            break;
        }
    }
    outcome.reached = judge.reached;
    outcome
}

/// How much is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuzzOptions {
    /// Walks.
    pub cases: u32,
    /// Actions in one walk.
    pub steps_max: usize,
    /// What the choices follow from.
    pub seed: u64,
    /// How likely the classes of actions are.
    pub weights: Weights,
}

/// What came of it. Without a violation it is *bounded*: no number of walks is exhaustive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuzzOutcome<A> {
    /// Walks that were begun.
    pub cases_run: u32,
    /// Actions that were taken in them, those of shrinking aside.
    pub steps: u64,
    /// The first violation.
    pub violation: Option<Violation<A>>,
    /// For each guarantee whether it is one that is `reachable` and has been reached.
    pub reached: Vec<bool>,
    /// The watcher ended it.
    pub stopped: bool,
}

/// A violated guarantee and a short execution that violates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<A> {
    /// The position of the guarantee.
    pub guarantee: usize,
    /// The position of the execution's first configuration among those of [`Model::init`].
    pub initial: usize,
    /// The execution; its last configuration is the first that violates the guarantee.
    pub path: Vec<A>,
    /// How long the execution was when it was met.
    pub steps_before_shrinking: usize,
    /// Whether no single action of it can be spared; see
    /// [`Minimised::is_minimal`](crate::Minimised::is_minimal).
    pub is_minimal: bool,
}

impl Default for FuzzOptions {
    /// 256 walks, as proptest has it, of at most 100 actions.
    fn default() -> Self {
        Self { cases: 256, steps_max: 100, seed: 0, weights: Weights::default() }
    }
}

/// Goes one walk: the guarantee that is violated where it ends, and its actions.
fn go<M: Model>(
    mut walk: Walk<M>,
    options: &FuzzOptions,
    judge: &mut Judge,
    random: &mut TestRng,
    mut logbook: Option<&mut Logbook<M::Action>>,
) -> (Option<usize>, Vec<M::Action>) {
    let mut path = Vec::new();
    if let Some(logbook) = &mut logbook {
        logbook.begin(&walk);
    }
    let mut violated = judge.judge(&walk);
    while violated.is_none() && path.len() < options.steps_max {
        if let Some(logbook) = &mut logbook {
            logbook.look(&walk);
        }
        let Some(action) = walk.wander(random) else { break };
        if let Some(logbook) = &mut logbook {
            logbook.step(&walk, &action);
        }
        path.push(action);
        violated = judge.judge(&walk);
    }
    (violated, path)
}

/// A violation made short.
fn shorter<M: Model>(
    start: &Walk<M>,
    guarantee: usize,
    path: Vec<M::Action>,
) -> Violation<M::Action> {
    let (initial, steps_before_shrinking) = (start.initial(), path.len());
    let found = Counterexample { guarantee, initial, path, loop_from: None };
    let shorter = minimise(start.model(), &found, &MinimiseOptions::default());
    let (path, is_minimal) = match shorter {
        Ok(shorter) => (shorter.path, shorter.is_minimal),
        // A model that does not do the same again: what was met is told as it was.
        Err(_) => (found.path, false),
    };
    Violation { guarantee, initial, path, steps_before_shrinking, is_minimal }
}
