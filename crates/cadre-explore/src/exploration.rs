use cadre_model::{Claim, Model};
use cadre_trace::{GuaranteeKind, Verdict};

use crate::level::Level;
use crate::log::Log;
use crate::path::{failing, path_along};
use crate::settings::Bound;
use crate::table::EFFECTIVE_BITS;

/// What a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Exploration<A> {
    /// One finding for each guarantee, in the model's order.
    pub findings: Vec<Finding<A>>,
    /// How far it came.
    pub progress: Progress,
    /// What ended it before everything was seen; `None` after a violation as well.
    pub bound: Option<Bound>,
    /// An upper bound of the probability that a configuration was overlooked because it shares what
    /// is kept of its fingerprint with another: n² / 2^105 for 104 bits and n fingerprints, of the
    /// configurations that were met and of those that were only looked up.
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
    /// What else there is to say, such as the message of a panic.
    pub why: Option<String>,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Distinct configurations met, but for those that are [covered](Progress::covered).
    pub configurations: u64,
    /// Configurations that were met and not looked at: another one, met no later, differs only in
    /// that more is left of budgets for faults, so that all that follows from the one follows from
    /// the other. How many of these a search comes by depends on its other reductions.
    pub covered: u64,
    /// Actions carried out, but for those that change nothing and those that were asleep.
    pub transitions: u64,
    /// Levels, the initial configurations being the first.
    pub depth: u64,
    /// Configurations that have been met and not been looked at.
    pub queue: u64,
    /// The bytes that the search keeps in memory: what it has met, how it got there, the queue, and
    /// what the model keeps itself.
    pub memory: u64,
    /// Of these, the bytes of what it has met and how it got there.
    pub memory_behind: u64,
    /// Of these, the bytes of the queue.
    pub memory_queue: u64,
    /// The bytes of the queue that are [put aside](crate::Spill) instead of in memory.
    pub spilled: u64,
    /// The bytes that have been put aside so far, also of what has been looked at since.
    pub spilled_ever: u64,
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It ends with what it has.
    Stop,
}

/// A configuration that decides a guarantee.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The number of its level.
    pub(crate) depth: u64,
    pub(crate) part: usize,
    pub(crate) index: usize,
    fingerprint: u128,
    /// Its position in the level, once the level is filled.
    position: Option<usize>,
    /// Why code of the user did not return there.
    pub(crate) why: Option<String>,
}

/// How a search has ended.
pub(crate) enum Ended {
    Exhausted,
    Violated,
    Bounded(Bound),
}

impl Target {
    /// The configuration at a position of a part, which is in memory.
    pub(crate) fn at<M: Model>(
        model: &M,
        (depth, level): (u64, &Level<M::State>),
        (part, index): (usize, usize),
    ) -> Self {
        let fingerprint = model.fingerprint(level.state(part, index));
        Self { depth, part, index, fingerprint, position: None, why: None }
    }

    /// Notes where in its level, which is filled by now, the configuration is.
    pub(crate) fn settle<S>(&mut self, level: &Level<S>) {
        self.position.get_or_insert_with(|| level.position(self.part, self.index));
    }
}

impl<A: Clone> Exploration<A> {
    /// Says what a search has found that is over.
    pub(crate) fn conclude<M: Model<Action = A>>(
        model: &M,
        decided: Vec<(Claim, Option<Target>)>,
        (initial, log): (&[M::State], &Log),
        (progress, looked_up): (Progress, u64),
        ended: &Ended,
    ) -> Self {
        let mut findings = Vec::new();
        for (guarantee, (claim, target)) in decided.into_iter().enumerate() {
            let verdict = verdict_of(claim.kind, target.is_some(), ended);
            let shown = target.map(|target| {
                let position = target.position.expect("its level is filled");
                let depth = usize::try_from(target.depth).expect("levels are in memory");
                let way = log.way_to(depth, position);
                let (mut path, end) = path_along(model, initial, &way, target.fingerprint, |_| {});
                if target.why.is_some() {
                    path.extend(failing(model, &end, guarantee));
                }
                let is_violated = verdict == Verdict::Violated;
                let describe = || is_violated.then(|| model.describe(guarantee, &end)).flatten();
                (path, target.why.or_else(describe))
            });
            let (path, why) = shown.map_or((None, None), |(path, why)| (Some(path), why));
            findings.push(Finding { claim, verdict, path, cycle: None, why });
        }
        Self::of(findings, (progress, looked_up), ended)
    }

    /// Says what was found, how far the search came, and how many fingerprints were only looked up.
    pub(crate) fn of(
        findings: Vec<Finding<A>>,
        (progress, looked_up): (Progress, u64),
        ended: &Ended,
    ) -> Self {
        let bound = match ended {
            Ended::Exhausted | Ended::Violated => None,
            Ended::Bounded(bound) => Some(*bound),
        };
        let count = (progress.configurations + progress.covered + looked_up) as f64;
        let omission_bound = count * count / 2_f64.powi(EFFECTIVE_BITS + 1);
        Self { findings, progress, bound, omission_bound }
    }

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

/// The verdict on a guarantee, from whether something was met that decides it.
pub(crate) fn verdict_of(kind: GuaranteeKind, is_decided: bool, ended: &Ended) -> Verdict {
    match (kind, is_decided, matches!(ended, Ended::Exhausted)) {
        (GuaranteeKind::Reachable, true, _) => Verdict::Holds,
        (GuaranteeKind::Always | GuaranteeKind::PrePost, true, _)
        | (GuaranteeKind::Reachable, false, true) => Verdict::Violated,
        (GuaranteeKind::Always | GuaranteeKind::PrePost, false, true) => Verdict::Holds,
        // Those that only endless executions violate are judged afterwards.
        (
            GuaranteeKind::Eventually(_) | GuaranteeKind::LeadsTo(_) | GuaranteeKind::Convergent(_),
            _,
            _,
        )
        | (_, false, false) => Verdict::Bounded,
    }
}
