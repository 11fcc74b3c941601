use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use cadre_model::Model;
use proptest::strategy::ValueTree;

use crate::judge::Judge;
use crate::walk::{Step, Walk};

/// The search for a shorter execution that violates the same guarantee, and its bound.
pub(crate) struct Shrinking<'a> {
    judge: &'a Judge,
    guarantee: usize,
    executions_left: u32,
}

/// How many executions may be tried for one violation.
const EXECUTIONS_MAX: u32 = 20_000;

/// The value of a walk: where it begins, its transitions, and a count of those that were judged.
pub(crate) type Case<M> = (Walk<M>, Vec<Step<<M as Model>::Action>>, Option<Arc<AtomicUsize>>);

impl<'a> Shrinking<'a> {
    pub(crate) fn new(judge: &'a Judge, guarantee: usize) -> Self {
        Self { judge, guarantee, executions_left: EXECUTIONS_MAX }
    }

    /// Executes actions, those that are not enabled left out, up to the first configuration that
    /// violates the guarantee; `None` where there is none.
    fn execute<'p, M: Model>(
        &mut self,
        start: &Walk<M>,
        actions: impl Iterator<Item = &'p M::Action>,
    ) -> Option<Vec<M::Action>>
    where
        M::Action: 'p,
    {
        self.executions_left = self.executions_left.checked_sub(1)?;
        let mut walk = start.clone();
        let mut path = Vec::new();
        if self.judge.violates(self.guarantee, &walk) {
            return Some(path);
        }
        for action in actions {
            let step = Step::Act(action.clone());
            if walk.take(&step) {
                path.push(action.clone());
                if self.judge.violates(self.guarantee, &walk) {
                    return Some(path);
                }
            }
        }
        None
    }
}

/// Lets proptest leave out transitions of a walk that violates a guarantee.
///
/// This is the loop of proptest's own runner, which cannot be used: it prints when it gives up, and
/// it silences panics in a way that loses their messages.
pub(crate) fn shrink<M: Model>(
    tree: &mut impl ValueTree<Value = Case<M>>,
    start: &mut Walk<M>,
    path: &mut Vec<M::Action>,
    shrinking: &mut Shrinking<'_>,
) {
    let mut goes_on = tree.simplify();
    while goes_on && shrinking.executions_left > 0 {
        let (simpler, steps, _) = tree.current();
        goes_on = match shrinking.execute(&simpler, steps.iter().filter_map(Step::action)) {
            Some(shorter) => {
                (*start, *path) = (simpler, shorter);
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
}

/// Leaves out single actions, and whatever is not enabled without them, until none can be spared.
pub(crate) fn shorten<M: Model>(
    start: &Walk<M>,
    mut path: Vec<M::Action>,
    shrinking: &mut Shrinking<'_>,
) -> Vec<M::Action> {
    let mut at = path.len();
    while at > 0 {
        at -= 1;
        let rest = path.iter().enumerate().filter(|(index, _)| *index != at);
        let Some(shorter) = shrinking.execute(start, rest.map(|(_, action)| action)) else {
            continue;
        };
        debug_assert!(shorter.len() < path.len(), "an action was left out");
        // Others may be spared now that could not be before.
        at = shorter.len();
        path = shorter;
    }
    path
}
