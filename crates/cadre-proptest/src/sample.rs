use std::rc::Rc;

use cadre_model::Model;

use crate::paths::Paths;
use crate::random::generator;
use crate::walk::Walk;
use crate::weights::Weights;

/// Collects distinct executions of a model, found by walking at random.
///
/// No two of them are the same sequence of actions. There are fewer than asked for where
/// [`attempts_max`](SampleOptions::attempts_max) walks did not meet as many.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use cadre_model::Model;
/// use cadre_proptest::{SampleOptions, sample};
///
/// struct Coin;
///
/// impl Model for Coin {
///     type State = u32;
///     type Action = char;
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, thrown: &u32, out: &mut Vec<char>) {
///         if *thrown < 2 {
///             out.extend(['h', 't']);
///         }
///     }
///
///     fn next(&self, thrown: &u32, _: &char) -> Option<u32> {
///         Some(thrown + 1)
///     }
/// }
///
/// let options = SampleOptions { count: 100, steps_max: 10, seed: 7, attempts_max: 1_000 };
/// assert_eq!(sample(&Rc::new(Coin), &options).len(), 4);
/// ```
pub fn sample<M: Model + 'static>(model: &Rc<M>, options: &SampleOptions) -> Vec<Vec<M::Action>> {
    let weights = Weights::default().steady();
    let mut random = generator(options.seed);
    let mut met = Paths::new();
    let mut found = Vec::new();
    for _ in 0..options.attempts_max {
        if found.len() >= options.count {
            break;
        }
        let Some(mut walk) = Walk::begin(model, &weights, &mut random) else { break };
        let wander = |_| walk.wander(&mut random);
        let path: Vec<M::Action> = (0..options.steps_max).map_while(wander).collect();
        if met.insert(&path) {
            found.push(path);
        }
    }
    found
}

/// How many executions are collected, and how hard it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// Executions wanted.
    pub count: usize,
    /// Actions in one execution.
    pub steps_max: usize,
    /// What the choices follow from.
    pub seed: u64,
    /// Walks that are tried, those that were met before included.
    pub attempts_max: usize,
}
