use std::collections::BTreeSet;

use cadre_model::{Cause, Nature};

/// What is made shorter: steps that can be tried without some of them.
pub(crate) trait Trial {
    /// One step.
    type Step: Clone;

    /// What a step is like.
    fn nature(&self, step: &Self::Step) -> Nature;

    /// Tries steps. Where what matters comes of it: the steps that were taken, in order, and never
    /// more than were given.
    fn attempt(&mut self, steps: &[Self::Step], matching: Matching) -> Option<Vec<Self::Step>>;
}

/// What becomes of a step that is not possible when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    /// It is left out.
    Exact,
    /// Another one like it is taken, if there is one.
    Alike,
}

/// What is left.
pub(crate) struct Reduced<S> {
    pub(crate) steps: Vec<S>,
    /// How often steps were tried.
    pub(crate) attempts: u64,
    /// Whether none of the steps can be spared; `false` where the attempts ended before that was
    /// known.
    pub(crate) is_minimal: bool,
}

/// Leaves out steps by delta debugging (Zeller and Hildebrandt 2002), what comes from outside first
/// (Scott and others 2016): requests of clients, faults, all steps of a node, then what the system
/// does by itself; at the end single steps and pairs, until none can be spared.
///
/// The steps given are known to have what matters, and are not tried as they are.
pub(crate) fn reduce<T: Trial>(
    trial: &mut T,
    steps: Vec<T::Step>,
    attempts_max: u64,
) -> Reduced<T::Step> {
    let mut reduction = Reduction { trial, steps, attempts: 0, attempts_max };
    loop {
        let before = reduction.steps.len();
        for cause in [Cause::Client, Cause::Fault] {
            reduction.without_chunks(cause);
        }
        reduction.without_subjects();
        reduction.without_chunks(Cause::System);
        reduction.without_single_steps();
        reduction.without_pairs();
        if reduction.steps.len() == before || reduction.is_over() {
            break;
        }
    }
    let is_minimal = !reduction.is_over();
    Reduced { steps: reduction.steps, attempts: reduction.attempts, is_minimal }
}

/// Pairs of steps are tried where there are no more steps than this.
const PAIRS_STEPS_MAX: usize = 40;

struct Reduction<'a, T: Trial> {
    trial: &'a mut T,
    steps: Vec<T::Step>,
    attempts: u64,
    attempts_max: u64,
}

impl<T: Trial> Reduction<'_, T> {
    fn is_over(&self) -> bool {
        self.attempts >= self.attempts_max
    }

    /// Tries to do without the steps at some positions, in order; whether that is possible.
    fn without(&mut self, dropped: &[usize], matching: Matching) -> bool {
        if dropped.is_empty() || self.is_over() {
            return false;
        }
        self.attempts += 1;
        let is_kept = |position: &usize| dropped.binary_search(position).is_err();
        let kept: Vec<T::Step> =
            (0..self.steps.len()).filter(is_kept).map(|kept| self.steps[kept].clone()).collect();
        let Some(shorter) = self.trial.attempt(&kept, matching) else { return false };
        debug_assert!(shorter.len() < self.steps.len(), "steps were left out");
        self.steps = shorter;
        true
    }

    /// The positions of the steps of which something is true.
    fn positions(&self, is_meant: impl Fn(Nature) -> bool) -> Vec<usize> {
        let nature = |position: &usize| self.trial.nature(&self.steps[*position]);
        (0..self.steps.len()).filter(|position| is_meant(nature(position))).collect()
    }

    /// Tries to do without all steps of a cause, without each half of them, each quarter, and so
    /// on.
    fn without_chunks(&mut self, cause: Cause) {
        let chosen = |this: &Self| this.positions(|nature| nature.class.cause == cause);
        let mut size = chosen(self).len();
        while size > 0 {
            let mut from = 0;
            loop {
                let chosen = chosen(self);
                let chunk = chosen.get(from..chosen.len().min(from + size)).unwrap_or(&[]);
                if chunk.is_empty() || self.is_over() {
                    break;
                }
                if !self.without(chunk, Matching::Exact) {
                    from += size;
                }
            }
            size /= 2;
        }
    }

    /// Tries to do without everything that happens to one node, for each of them.
    fn without_subjects(&mut self) {
        let natures = self.steps.iter().map(|step| self.trial.nature(step));
        let subjects: BTreeSet<usize> = natures.filter_map(|nature| nature.subject).collect();
        for subject in subjects {
            let chosen = self.positions(|nature| nature.subject == Some(subject));
            self.without(&chosen, Matching::Exact);
        }
    }

    /// Tries to do without each single step, the last ones first.
    fn without_single_steps(&mut self) {
        let mut at = self.steps.len();
        while at > 0 {
            at -= 1;
            if self.without(&[at], Matching::Exact) || self.without(&[at], Matching::Alike) {
                // Others may be spared now that could not be before.
                at = self.steps.len();
            }
        }
    }

    /// Tries to do without two steps at once: what one of them begins, another may have to end.
    fn without_pairs(&mut self) {
        if self.steps.len() > PAIRS_STEPS_MAX {
            return;
        }
        let mut later = self.steps.len();
        while later > 1 {
            later -= 1;
            let spared = (0..later).any(|one| self.without(&[one, later], Matching::Exact));
            if spared {
                later = self.steps.len();
            }
        }
    }
}
