use std::rc::Rc;

use cadre_model::{Model, Nature, guarded};

use crate::fuzz::FuzzOptions;
use crate::minimise::{MinimiseOptions, take};
use crate::random::generator;
use crate::reduce::{Matching, Reduced, Trial, reduce};
use crate::walk::Walk;

/// A system of the user's own, which is to do what a model does.
///
/// It may live in this process or be the client of another one.
pub trait System<M: Model> {
    /// Begins anew, as in an initial configuration of the model.
    fn begin(&mut self, start: &M::State);

    /// Does what the model has done, and compares with what the model says of it.
    ///
    /// # Errors
    ///
    /// Where the system differs.
    fn step(&mut self, action: &M::Action, after: &M::State) -> Result<(), Mismatch>;
}

/// In what a system differs from its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What is wrong, a clause such as `a key has another value`: shrinking keeps to it.
    pub what: String,
    /// What was expected and what was found.
    pub found: String,
}

/// What came of driving a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driven<A> {
    /// Walks that were begun.
    pub cases_run: u32,
    /// Actions that were taken in them, those of shrinking aside.
    pub steps: u64,
    /// The watcher ended it.
    pub stopped: bool,
    /// The first difference.
    pub difference: Option<Differing<A>>,
}

/// An execution in which a system differs from its model, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing<A> {
    /// The position of the execution's first configuration among those of [`Model::init`].
    pub initial: usize,
    /// The execution; the system differs after its last action.
    pub path: Vec<A>,
    /// In what.
    pub mismatch: Mismatch,
    /// How long the execution was when it was met.
    pub steps_before_shrinking: usize,
    /// Whether no single action of it can be spared.
    pub is_minimal: bool,
}

/// Goes through a whole execution, which begins in the initial configuration of a position, with a
/// system that is made anew for it; gives how many actions there were when it differed, and in
/// what.
pub type Whole<'a, A> = dyn FnMut(usize, &[A]) -> Option<(usize, Mismatch)> + 'a;

/// Drives a system through random walks of a model, and shrinks the first walk in which it differs.
///
/// A panic of the system is a difference as well.
pub fn drive<M: Model + 'static>(
    model: &Rc<M>,
    system: &mut dyn System<M>,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> Driven<M::Action> {
    let minimising = MinimiseOptions::default();
    let along = &mut |initial, path: &[_]| drive_along(&**model, system, initial, path);
    drive_whole(model, along, options, &minimising, watch)
}

/// [`drive`] for a system that goes through whole executions, such as one made of processes that
/// are replayed; shrinking may be dear then, and is bounded by the caller.
pub fn drive_whole<M: Model + 'static>(
    model: &Rc<M>,
    system: &mut Whole<'_, M::Action>,
    options: &FuzzOptions,
    minimising: &MinimiseOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> Driven<M::Action> {
    let mut driven = Driven { cases_run: 0, steps: 0, stopped: false, difference: None };
    let mut random = generator(options.seed);
    for case in 0..options.cases {
        if !watch(case) {
            driven.stopped = true;
            break;
        }
        let Some(mut walk) = Walk::begin(model, &options.weights, &mut random) else { break };
        driven.cases_run += 1;
        let initial = walk.initial();
        let mut path: Vec<M::Action> =
            (0..options.steps_max).map_while(|_| walk.wander(&mut random)).collect();
        let differs = system(initial, &path);
        path.truncate(differs.as_ref().map_or(path.len(), |(steps, _)| *steps));
        driven.steps += path.len() as u64;
        if let Some((_, mismatch)) = differs {
            let driving = Driving { model: &**model, system, initial, mismatch };
            driven.difference = Some(driving.shorter(path, minimising));
            break;
        }
    }
    driven
}

/// Drives a system through one execution of a model: how many actions there were when it differed,
/// and in what.
pub fn drive_along<M: Model>(
    model: &M,
    system: &mut dyn System<M>,
    initial: usize,
    path: &[M::Action],
) -> Option<(usize, Mismatch)> {
    let mut at = model.init().into_iter().nth(initial)?;
    if let Err(panic) = guarded(|| system.begin(&at)) {
        return Some((0, panicked(&panic)));
    }
    for (taken, action) in (1..).zip(path) {
        at = model.next(&at, action)?;
        match guarded(|| system.step(action, &at)) {
            Ok(Ok(())) => {}
            Ok(Err(mismatch)) => return Some((taken, mismatch)),
            Err(panic) => return Some((taken, panicked(&panic))),
        }
    }
    None
}

/// The place of a panic is the same however often its message changes.
fn panicked(panic: &str) -> Mismatch {
    let place = panic.rsplit_once(" (").map_or(String::new(), |(_, place)| format!(" ({place}"));
    Mismatch { what: format!("the system panics{place}"), found: panic.to_owned() }
}

struct Driving<'a, 's, M: Model> {
    model: &'a M,
    system: &'a mut Whole<'s, M::Action>,
    initial: usize,
    mismatch: Mismatch,
}

impl<M: Model> Driving<'_, '_, M> {
    fn shorter(mut self, path: Vec<M::Action>, options: &MinimiseOptions) -> Differing<M::Action> {
        let (initial, steps_before_shrinking) = (self.initial, path.len());
        let Reduced { steps: path, is_minimal, .. } = reduce(&mut self, path, options.attempts_max);
        let mismatch = self.mismatch;
        Differing { initial, path, mismatch, steps_before_shrinking, is_minimal }
    }
}

impl<M: Model> Trial for Driving<'_, '_, M> {
    type Step = M::Action;

    fn nature(&self, action: &M::Action) -> Nature {
        self.model.nature(action)
    }

    fn attempt(&mut self, steps: &[M::Action], matching: Matching) -> Option<Vec<M::Action>> {
        let mut at = self.model.init().into_iter().nth(self.initial)?;
        let mut path = Vec::new();
        for action in steps {
            let Some((action, after)) = take(self.model, &at, action, matching) else { continue };
            path.push(action);
            at = after;
        }
        let (taken, mismatch) = (self.system)(self.initial, &path)?;
        path.truncate(taken);
        (mismatch.what == self.mismatch.what).then(|| {
            self.mismatch = mismatch;
            path
        })
    }
}
