use cadre_model::{Claim, Model, Part};
use cadre_trace::{GuaranteeKind, Verdict};

use crate::liveness;
use crate::path::shortest_paths;
use crate::visited::Visited;

/// Searches every configuration that can be reached, level by level, and judges the guarantees.
///
/// Breadth-first, so that a counterexample is a shortest one; the search ends at the first
/// violation. If there was none, a second walk judges the guarantees that only endless executions
/// violate. `watch` is called every few thousand configurations and may end the search, which then
/// is *bounded*.
///
/// # Examples
///
/// ```
/// use cadre_explore::{Bounds, Flow, explore};
/// use cadre_model::{Model, check};
/// use cadre_trace::Verdict;
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u32;
///     type Action = u32;
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, _: &u32, out: &mut Vec<u32>) {
///         out.extend([1, 2]);
///     }
///
///     fn next(&self, state: &u32, add: &u32) -> Option<u32> {
///         Some((state + add) % 10)
///     }
/// }
///
/// let found = explore(
///     &check(Counter).always("never seven", |state| *state != 7),
///     &Bounds::default(),
///     &mut |_| Flow::Continue,
/// );
/// assert_eq!(found.verdict(), Verdict::Violated);
/// assert_eq!(found.findings[0].path.as_deref(), Some(&[1, 2, 2, 2][..]));
///
/// // It goes round for ever, and may step over the seven each time.
/// let checked = check(Counter).eventually("seven", |state| *state == 7);
/// let found = explore(&checked, &Bounds::default(), &mut |_| Flow::Continue);
/// assert_eq!(found.verdict(), Verdict::Violated);
/// assert_eq!(found.findings[0].path.as_deref(), Some(&[][..]));
/// assert_eq!(found.findings[0].cycle.as_ref().map(|cycle| cycle.iter().sum::<u32>()), Some(10));
/// ```
pub fn explore<M: Model>(
    model: &M,
    bounds: &Bounds,
    watch: &mut dyn FnMut(&Progress) -> Flow,
) -> Exploration<M::Action> {
    let mut search = Search::new(model);
    let reached = search.run(bounds, watch);
    let found = search.conclude(reached);
    liveness::judge(model, bounds, watch, found)
}

/// How far a search goes; `None` is no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Levels, the initial configurations being the first.
    pub depth_max: Option<u64>,
    /// Distinct configurations.
    pub configurations_max: Option<u64>,
}

/// What ended a search before everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Bounds::depth_max`].
    Depth(u64),
    /// [`Bounds::configurations_max`].
    Configurations(u64),
    /// The watcher.
    Watcher,
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It ends with what it has.
    Stop,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Distinct configurations met.
    pub configurations: u64,
    /// Actions carried out.
    pub transitions: u64,
    /// Levels, the initial configurations being the first.
    pub depth: u64,
    /// Configurations that have been met and not been looked at.
    pub queue: u64,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Exploration<A> {
    /// One finding for each guarantee, in the model's order.
    pub findings: Vec<Finding<A>>,
    /// How far it came.
    pub progress: Progress,
    /// What ended it before everything was seen; `None` after a violation as well.
    pub bound: Option<Bound>,
    /// An upper bound of the probability that a configuration was overlooked.
    pub omission_bound: f64,
}

/// What a search has found about one guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<A> {
    /// The guarantee.
    pub claim: Claim,
    /// What was found.
    pub verdict: Verdict,
    /// A shortest execution that shows it: a violation, or an example of what is reachable.
    pub path: Option<Vec<A>>,
    /// Of a violation that takes an endless execution: what repeats for ever after the path.
    /// Without it nothing but faults can change anything where the path ends, and they need not.
    pub cycle: Option<Vec<A>>,
}

impl<A> Exploration<A> {
    /// The worst of the verdicts.
    pub fn verdict(&self) -> Verdict {
        let verdicts = || self.findings.iter().map(|finding| finding.verdict);
        match verdicts().any(|verdict| verdict == Verdict::Violated) {
            true => Verdict::Violated,
            false if self.bound.is_some() => Verdict::Bounded,
            false if verdicts().any(|verdict| verdict == Verdict::Bounded) => Verdict::Bounded,
            false => Verdict::Holds,
        }
    }

    /// The position of the violated guarantee, with its shortest counterexample if there is a path.
    pub fn violation(&self) -> Option<(usize, &Finding<A>)> {
        let violated = |finding: &&Finding<A>| finding.verdict == Verdict::Violated;
        self.findings.iter().enumerate().find(|(_, finding)| violated(finding))
    }
}

/// How many configurations are looked at between two calls of the watcher.
const WATCH_INTERVAL: u64 = 4096;

struct Search<'a, M: Model> {
    model: &'a M,
    claims: Vec<Claim>,
    /// For each guarantee the configuration that decided it.
    decided: Vec<Option<u128>>,
    visited: Visited,
    progress: Progress,
    actions: Vec<M::Action>,
}

enum Ended {
    Exhausted,
    Violated,
    Bounded(Bound),
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M) -> Self {
        let claims = model.guarantees();
        Self {
            model,
            decided: vec![None; claims.len()],
            claims,
            visited: Visited::default(),
            progress: Progress::default(),
            actions: Vec::new(),
        }
    }

    fn run(&mut self, bounds: &Bounds, watch: &mut dyn FnMut(&Progress) -> Flow) -> Ended {
        let mut level = Vec::new();
        for state in self.model.init() {
            if self.meets(&state) {
                return Ended::Violated;
            }
            level.push(state);
        }
        while !level.is_empty() {
            self.progress.depth += 1;
            let is_last = bounds.depth_max.is_some_and(|depth| self.progress.depth >= depth);
            let mut next_level = Vec::new();
            let mut left = level.len() as u64;
            for (count, state) in (0_u64..).zip(&level) {
                if count % WATCH_INTERVAL == 0 {
                    self.progress.queue = left + next_level.len() as u64;
                    if watch(&self.progress) == Flow::Stop {
                        return Ended::Bounded(Bound::Watcher);
                    }
                }
                left -= 1;
                if self.expand(state, is_last, &mut next_level) {
                    return Ended::Violated;
                }
                let met = self.progress.configurations;
                if bounds.configurations_max.is_some_and(|max| met >= max) {
                    return Ended::Bounded(Bound::Configurations(met));
                }
            }
            if is_last && !next_level.is_empty() {
                return Ended::Bounded(Bound::Depth(self.progress.depth));
            }
            level = next_level;
        }
        Ended::Exhausted
    }

    /// Looks at all that can happen in a configuration; whether a violation was found.
    ///
    /// On the last level nothing new is met: one configuration beyond is kept, as a sign that there
    /// is more.
    fn expand(&mut self, state: &M::State, is_last: bool, next_level: &mut Vec<M::State>) -> bool {
        let mut actions = std::mem::take(&mut self.actions);
        actions.clear();
        self.model.actions(state, &mut actions);
        let mut is_at_rest = true;
        for action in &actions {
            let Some(after) = self.model.next(state, action) else { continue };
            self.progress.transitions += 1;
            is_at_rest = is_at_rest && (after == *state || self.model.is_fault(action));
            let fingerprint = self.model.fingerprint(&after);
            if is_last {
                if next_level.is_empty() && !self.visited.contains(fingerprint) {
                    next_level.push(after);
                }
            } else if self.visited.insert(fingerprint) {
                if self.judge(&after, fingerprint) {
                    self.actions = actions;
                    return true;
                }
                next_level.push(after);
            }
        }
        self.actions = actions;
        self.progress.configurations = self.visited.len();
        is_at_rest && self.judge_at_rest(state)
    }

    /// Meets an initial configuration; whether a violation was found.
    fn meets(&mut self, state: &M::State) -> bool {
        let fingerprint = self.model.fingerprint(state);
        let is_new = self.visited.insert(fingerprint);
        self.progress.configurations = self.visited.len();
        is_new && self.judge(state, fingerprint)
    }

    /// Judges what is judged in every configuration; whether a violation was found.
    fn judge(&mut self, state: &M::State, fingerprint: u128) -> bool {
        let mut is_violated = false;
        for (guarantee, claim) in self.claims.iter().enumerate() {
            if self.decided[guarantee].is_some() {
                continue;
            }
            let is_true = || self.model.evaluate(guarantee, Part::Main, state);
            match claim.kind {
                GuaranteeKind::Always if !is_true() => {
                    self.decided[guarantee] = Some(fingerprint);
                    is_violated = true;
                }
                GuaranteeKind::Reachable if is_true() => {
                    self.decided[guarantee] = Some(fingerprint);
                }
                GuaranteeKind::Always
                | GuaranteeKind::Reachable
                | GuaranteeKind::PrePost
                | GuaranteeKind::Eventually(_)
                | GuaranteeKind::LeadsTo(_)
                | GuaranteeKind::Convergent(_) => {}
            }
        }
        self.progress.configurations = self.visited.len();
        is_violated
    }

    /// Judges what is judged where only faults can happen any more.
    fn judge_at_rest(&mut self, state: &M::State) -> bool {
        let mut is_violated = false;
        for (guarantee, claim) in self.claims.iter().enumerate() {
            if claim.kind == GuaranteeKind::PrePost
                && self.model.evaluate(guarantee, Part::Main, state)
                && !self.model.evaluate(guarantee, Part::Post, state)
            {
                self.decided[guarantee] = Some(self.model.fingerprint(state));
                is_violated = true;
            }
        }
        is_violated
    }

    fn conclude(self, ended: Ended) -> Exploration<M::Action> {
        let is_exhausted = matches!(ended, Ended::Exhausted);
        let targets: Vec<u128> = self.decided.iter().flatten().copied().collect();
        let mut paths = shortest_paths(self.model, &targets).into_iter();
        let mut findings = Vec::new();
        for (claim, decided) in self.claims.into_iter().zip(self.decided) {
            let verdict = match (claim.kind, decided.is_some(), is_exhausted) {
                (GuaranteeKind::Reachable, true, _) => Verdict::Holds,
                (GuaranteeKind::Always | GuaranteeKind::PrePost, true, _)
                | (GuaranteeKind::Reachable, false, true) => Verdict::Violated,
                (GuaranteeKind::Always | GuaranteeKind::PrePost, false, true) => Verdict::Holds,
                // These are judged afterwards.
                (
                    GuaranteeKind::Eventually(_)
                    | GuaranteeKind::LeadsTo(_)
                    | GuaranteeKind::Convergent(_),
                    _,
                    _,
                )
                | (_, false, false) => Verdict::Bounded,
            };
            let path = decided.and_then(|_| paths.next());
            findings.push(Finding { claim, verdict, path, cycle: None });
        }
        let bound = match ended {
            Ended::Exhausted | Ended::Violated => None,
            Ended::Bounded(bound) => Some(bound),
        };
        let omission_bound = self.visited.omission_bound();
        Exploration { findings, progress: self.progress, bound, omission_bound }
    }
}
