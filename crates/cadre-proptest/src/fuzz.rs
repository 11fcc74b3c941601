use std::rc::Rc;
use std::sync::atomic::Ordering;

use cadre_model::Model;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

use crate::judge::Judge;
use crate::machine::{Lent, walks};
use crate::random::generator;
use crate::shrink::{Case, Shrinking, shorten, shrink};

/// Walks through a model at random, judges the guarantees on the way, and shrinks the first
/// violation.
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
    let mut judge = Judge::new(model);
    let mut outcome = FuzzOutcome {
        cases_run: 0,
        steps: 0,
        violation: None,
        reached: Vec::new(),
        stopped: false,
    };
    if !model.init().is_empty() {
        let lent = Lent::new(model);
        // Proptest has no walks without a transition; the first one is then left out of the
        // judgement.
        let walks = walks(&lent, options.steps_max.max(1));
        // What matters of a configuration is given: the generator, and no more is asked of a
        // runner.
        let mut runner = TestRunner::new_with_rng(Config::default(), generator(options.seed));
        for case in 0..options.cases {
            if !watch(case) {
                outcome.stopped = true;
                break;
            }
            let tree = walks.new_tree(&mut runner);
            let tree = tree.expect("a walk takes only transitions that are enabled");
            outcome.cases_run += 1;
            outcome.violation = run(tree, options.steps_max, &mut judge, &mut outcome.steps);
            if outcome.violation.is_some() {
                break;
            }
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
}

impl Default for FuzzOptions {
    /// 256 walks, as proptest has it, of at most 100 actions.
    fn default() -> Self {
        Self { cases: 256, steps_max: 100, seed: 0 }
    }
}

/// Judges one walk; a violation is shrunk.
fn run<M: Model>(
    mut tree: impl ValueTree<Value = Case<M>>,
    steps_max: usize,
    judge: &mut Judge,
    steps_taken: &mut u64,
) -> Option<Violation<M::Action>> {
    let (mut start, steps, seen) = tree.current();
    let mut walk = start.clone();
    let mut violated = judge.judge(&walk);
    let mut path = Vec::new();
    for step in steps.iter().take(steps_max) {
        let (None, Some(action)) = (violated, step.action()) else { break };
        // Transitions that nobody has seen are the first that proptest leaves out.
        if let Some(seen) = &seen {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        walk.take(step);
        path.push(action.clone());
        violated = judge.judge(&walk);
    }
    let steps_before_shrinking = path.len();
    *steps_taken += steps_before_shrinking as u64;
    let guarantee = violated?;
    let mut shrinking = Shrinking::new(judge, guarantee);
    shrink(&mut tree, &mut start, &mut path, &mut shrinking);
    let path = shorten(&start, path, &mut shrinking);
    Some(Violation { guarantee, initial: start.initial(), path, steps_before_shrinking })
}
