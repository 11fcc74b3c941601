use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::Stop;
use cadre_tla::{Dump, Engine, EvaluationError, SpecState, TlaError, Value};

use crate::batch::{Batch, Cuts};
use crate::compare::{
    Comparison, Finding, Mismatch, compare, differences, logged, probes, states_at,
};
use crate::encode::{Begin, STEP, TRACE, encode};
use crate::lines::{Lines, Place, Within};
use crate::report::actions_known;
use crate::runs::Runs;
use crate::{
    ConformError, Reason, Rejection, Report, Spec, SpecTrace, StepPart, TraceVerdict, diagnose,
    validate,
};

/// How traces are checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// What leads through the specification.
    pub walk: Walk,
    /// How many threads TLC searches with; verdicts do not depend on it. Without a number they are
    /// as many as the work and the cores suggest.
    pub workers: Option<u32>,
    /// The heap of Java, in megabytes; without a number what the work needs, of what is free.
    pub heap_mb: Option<u32>,
    /// The limit of each run of TLC.
    pub time_limit: Duration,
    /// How many evaluation errors are looked into; each costs one more run.
    pub evaluation_errors_max: usize,
    /// For how many rejected traces the enabled actions are asked for.
    pub diagnosed_max: usize,
    /// How many steps of traces one run of TLC is given; a trace is never divided.
    pub steps_per_run_max: usize,
    /// How many states of a graph one run of TLC is given.
    pub states_per_run_max: usize,
}

/// What leads through the specification; verdicts do not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Walk {
    /// Events first, as they mostly leave no choice and many traces share them; then the states
    /// where they did.
    #[default]
    Events,
    /// Events and states at once, where events say little.
    States,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            walk: Walk::Events,
            workers: None,
            heap_mb: None,
            time_limit: Duration::from_secs(600),
            evaluation_errors_max: 20,
            diagnosed_max: 10,
            steps_per_run_max: 500_000,
            states_per_run_max: 100_000,
        }
    }
}

/// Checks all traces against the specification, in one run of TLC if they conform, or in several
/// if they are very many.
///
/// The directory is to be fresh; each run gets a folder in it, with its modules and its output.
///
/// A further run is made if a rejected trace is to be explained, if the events of a trace leave a
/// choice that only its logged states decide, and after an expression could not be evaluated.
///
/// # Errors
///
/// [`ConformError::NoTraces`], [`ConformError::UnknownVariable`], [`ConformError::BadName`] for
/// unusable arguments, [`ConformError::Vacuous`] if the trace module accepts the impossible,
/// [`ConformError::Tla`] if TLC or the specification fails, [`ConformError::Incomplete`] and
/// [`ConformError::ForeignLine`] if its output is not what it should be.
pub fn check(
    spec: &Spec,
    traces: &[SpecTrace],
    engine: &dyn Engine,
    directory: &Path,
    options: &Options,
    stop: &Stop,
) -> Result<Report, ConformError> {
    validate::arguments(spec, traces)?;
    let mut runs = Runs::new(spec, engine, directory, options, stop);
    let mut drafts = Vec::with_capacity(traces.len());
    let (mut states, mut actions) = (0, None);
    for traces in portions(traces, options.steps_per_run_max) {
        let failed = BTreeMap::new();
        let runs = &mut runs;
        let mut check = Check { spec, traces, options, runs, failed, states: 0, actions: None };
        let mut of_portion = match options.walk {
            Walk::Events => check.by_events()?,
            Walk::States => traces.iter().map(|_| Draft::Ambiguous).collect(),
        };
        check.by_states(&mut of_portion)?;
        states += check.states;
        actions = check.actions.or(actions);
        drafts.append(&mut of_portion);
    }
    if let Some(actions) = &actions {
        // Of what conforms only an alternative that was not needed may have an unknown name.
        let conforming = traces.iter().zip(&drafts);
        let conforming = conforming.filter(|(_, draft)| matches!(draft, Draft::Conforms));
        actions_known(actions, spec, conforming.map(|(trace, _)| trace))?;
    }
    diagnose::explain(&mut drafts, traces, &mut runs, options.diagnosed_max)?;
    let verdicts = drafts.into_iter().map(Draft::verdict).collect();
    Ok(runs.report(verdicts, actions, states))
}

/// The traces in portions of so many steps, but never less than one trace.
fn portions(traces: &[SpecTrace], steps_max: usize) -> Vec<&[SpecTrace]> {
    let mut portions = Vec::new();
    let (mut begin, mut steps) = (0, 0);
    for (position, trace) in traces.iter().enumerate() {
        if position > begin && steps + trace.steps.len() > steps_max {
            portions.push(&traces[begin..position]);
            (begin, steps) = (position, 0);
        }
        steps += trace.steps.len();
    }
    portions.push(&traces[begin..]);
    portions
}

/// Writes the modules of the first run of [`check`], and gives its command without running it.
///
/// # Errors
///
/// As [`check`], as far as TLC is not needed.
pub fn plan(
    spec: &Spec,
    traces: &[SpecTrace],
    engine: &dyn Engine,
    directory: &Path,
    options: &Options,
) -> Result<String, ConformError> {
    validate::arguments(spec, traces)?;
    let stop = Stop::new();
    let mut runs = Runs::new(spec, engine, directory, options, &stop);
    let portions = portions(traces, options.steps_per_run_max);
    let first = portions.first().copied().unwrap_or_default();
    let all: Vec<usize> = (0..first.len()).collect();
    let batch = match options.walk {
        Walk::Events => Batch::of_events(spec, first, &Cuts::new()),
        Walk::States => Batch::of_states(spec, first, &all, &Cuts::new()),
    };
    let (module, config) = encode(&batch, Begin::Initially)?;
    let mut run = runs.prepare(&module, &config, batch.events_total())?;
    run.dump = log_states(first);
    Ok(engine.command_line(&run))
}

/// A verdict that may still be open.
#[derive(Debug)]
pub(crate) enum Draft {
    Conforms,
    Rejected {
        rejection: Rejection,
        /// The state to which the specification takes the step, where that is not the logged one.
        after: Option<BTreeMap<String, Value>>,
        /// The states of which one leads there, if there are several.
        candidates: Vec<BTreeMap<String, Value>>,
    },
    Undetermined {
        step: usize,
        why: String,
    },
    /// Only the logged states can tell.
    Ambiguous,
}

impl Draft {
    /// A trace whose states are others than those of the specification; what the state before that
    /// is will be known later.
    fn differs(mismatch: &Mismatch) -> Self {
        let (step, differs) = (mismatch.step, mismatch.differs.clone());
        let reason = match step {
            0 => Reason::WrongInitial { differs },
            _ => Reason::WrongState { differs },
        };
        let rejection = rejection(step, reason, mismatch.state.clone());
        let after = (step > 0).then(|| mismatch.state.clone());
        Self::Rejected { rejection, after, candidates: Vec::new() }
    }

    /// A trace of which nothing is known but what TLC has printed.
    fn rejected(rejection: Rejection) -> Self {
        Self::Rejected { rejection, after: None, candidates: Vec::new() }
    }

    fn verdict(self) -> TraceVerdict {
        match self {
            Self::Conforms => TraceVerdict::Conforms,
            Self::Rejected { rejection, .. } => TraceVerdict::Rejected(rejection),
            Self::Undetermined { step, why } => TraceVerdict::Undetermined { step, why },
            Self::Ambiguous => TraceVerdict::Undetermined {
                step: 0,
                why: "its states could not be compared; this is an error of the checker".into(),
            },
        }
    }
}

struct Check<'a, 'r> {
    spec: &'a Spec,
    traces: &'a [SpecTrace],
    options: &'a Options,
    runs: &'r mut Runs<'a>,
    /// The traces with an evaluation error.
    failed: BTreeMap<usize, Failed>,
    states: u64,
    /// The actions that the trace module knows.
    actions: Option<BTreeSet<String>>,
}

/// That an expression could not be evaluated in a trace.
struct Failed {
    /// How many of its steps can be judged.
    steps: usize,
    /// What TLC says.
    why: String,
    /// Whether it was in a behaviour that has other states than the trace.
    is_elsewhere: bool,
}

/// A batch that TLC has walked to the end.
struct Walked<'a> {
    batch: Batch<'a>,
    lines: Lines,
    dump: Option<PathBuf>,
    log: PathBuf,
}

impl<'a> Check<'a, '_> {
    /// Walks all traces by their events alone, and compares the states afterwards.
    fn by_events(&mut self) -> Result<Vec<Draft>, ConformError> {
        let (spec, traces) = (self.spec, self.traces);
        let needs_states = log_states(traces);
        let walked = self.walk(needs_states, |cuts| Batch::of_events(spec, traces, cuts))?;
        let comparisons = match &walked.dump {
            Some(dump) => {
                let dump = Dump::open(dump)?;
                compare(&walked.batch, traces, &self.cuts(), dump, &walked.log)?
            }
            None => BTreeMap::new(),
        };
        let mut drafts = Vec::with_capacity(traces.len());
        for position in 0..traces.len() {
            let comparison = comparisons.get(&position);
            if needs_states && !self.is_complete(&walked, position, comparison) {
                return Err(self.incomplete(position, &walked));
            }
            drafts.push(match comparison.map(Comparison::finding) {
                Some(Finding::Ambiguous) => Draft::Ambiguous,
                // Of a composition the states walk tells which part of it leads elsewhere.
                Some(Finding::Differs(mismatch)) if self.is_composed(position, mismatch.step) => {
                    Draft::Ambiguous
                }
                Some(Finding::Differs(mismatch)) => {
                    let earlier = self.rejection(&walked, position);
                    let earlier = earlier.filter(|rejection| rejection.step < mismatch.step);
                    match earlier {
                        Some(rejection) => Draft::rejected(rejection),
                        None => Draft::differs(mismatch),
                    }
                }
                Some(Finding::Agrees) | None => self.by_lines(&walked, position)?,
            });
        }
        self.add_states_before(&walked, &mut drafts, 0..traces.len())?;
        self.leave_failed_to_states(&mut drafts);
        Ok(drafts)
    }

    /// Leaves the traces with an evaluation error to their states if these do not come by it.
    fn leave_failed_to_states(&mut self, drafts: &mut [Draft]) {
        self.failed.retain(|position, failed| {
            let draft = &mut drafts[*position];
            let is_open = matches!(draft, Draft::Undetermined { .. } | Draft::Ambiguous);
            let is_left = is_open && failed.is_elsewhere;
            if is_left {
                *draft = Draft::Ambiguous;
            }
            !is_left
        });
    }

    /// Looks up the states before those that are not the logged ones.
    fn add_states_before(
        &self,
        walked: &Walked<'a>,
        drafts: &mut [Draft],
        positions: impl IntoIterator<Item = usize>,
    ) -> Result<(), ConformError> {
        let mut wanted = BTreeMap::new();
        for position in positions {
            // Within a composition the state before is one that was printed.
            if let Draft::Rejected { rejection, after: Some(_), .. } = &drafts[position]
                && rejection.part.is_none()
            {
                wanted.insert(position, rejection.step - 1);
            }
        }
        let Some(dump) = walked.dump.as_ref().filter(|_| !wanted.is_empty()) else {
            return Ok(());
        };
        let found = states_at(&wanted, &walked.batch, self.traces, Dump::open(dump)?)?;
        for (position, states) in found {
            if let Draft::Rejected { rejection, candidates, .. } = &mut drafts[position] {
                *candidates = states.into_iter().collect();
                rejection.spec_state = candidates[0].clone();
            }
        }
        Ok(())
    }

    /// Walks the traces that are still open once more, through the logged states only.
    fn by_states(&mut self, drafts: &mut [Draft]) -> Result<(), ConformError> {
        let (spec, traces) = (self.spec, self.traces);
        let open = drafts.iter().enumerate().filter(|(_, d)| matches!(d, Draft::Ambiguous));
        let open: Vec<usize> = open.map(|(position, _)| position).collect();
        if open.is_empty() {
            return Ok(());
        }
        let walked = self.walk(true, |cuts| Batch::of_states(spec, traces, &open, cuts))?;
        let probes = match &walked.dump {
            Some(dump) => probes(&walked.batch, traces, Dump::open(dump)?)?,
            None => BTreeMap::new(),
        };
        for &position in &open {
            let row = walked.batch.row(position);
            let stuck = walked.lines.stuck(row);
            // Where no initial state fits, there is none in which the trace could be stuck.
            let probe = stuck.map_or(0, |stuck| stuck.step + 1);
            // Another sequence of a composition may have got farther than the one that ends so.
            let taken = stuck.map_or(0, |stuck| stuck.progress().1);
            let is_farthest =
                |mismatch: &&Mismatch| mismatch.within.is_none_or(|end| end.taken == taken + 1);
            drafts[position] = match probes.get(&(position, probe)).filter(is_farthest) {
                Some(mismatch) if !walked.lines.accepted(row) => {
                    let mut draft = Draft::differs(mismatch);
                    if let (Some(stuck), Draft::Rejected { rejection, .. }) = (stuck, &mut draft) {
                        rejection.spec_state = stuck.state.clone();
                        rejection.part = self.part(position, stuck.step, mismatch.within, 0);
                    }
                    draft
                }
                Some(_) | None => self.by_lines(&walked, position)?,
            };
        }
        self.add_states_before(&walked, drafts, open)
    }

    /// Runs TLC until no trace of the batch has an evaluation error any more.
    fn walk(
        &mut self,
        dump: bool,
        batch: impl Fn(&Cuts) -> Batch<'a>,
    ) -> Result<Walked<'a>, ConformError> {
        let mut begin = Begin::Initially;
        for _ in 0..=self.options.evaluation_errors_max {
            let batch = batch(&self.cuts());
            let (module, config) = encode(&batch, begin)?;
            let mut run = self.runs.prepare(&module, &config, batch.events_total())?;
            run.dump = dump;
            let outcome = match self.runs.run(&run) {
                Ok(outcome) => outcome,
                Err(ConformError::Tla(TlaError::Evaluation(error))) => {
                    match error.behaviour.is_empty() && begin == Begin::Initially {
                        true => begin = Begin::ByStep,
                        false => self.blame(&batch, error)?,
                    }
                    continue;
                }
                Err(other) => return Err(other),
            };
            let lines = Lines::read(outcome.user_values()?)?;
            self.states = self.states.max(outcome.distinct);
            self.actions.clone_from(&lines.actions);
            batch.judge_canaries(&lines, &outcome.log)?;
            return Ok(Walked { batch, lines, dump: outcome.dump, log: outcome.log });
        }
        Err(ConformError::TooManyErrors { count: self.options.evaluation_errors_max })
    }

    /// Finds the traces with this evaluation error, and shortens them to what comes before it.
    fn blame(
        &mut self,
        batch: &Batch<'a>,
        error: Box<EvaluationError>,
    ) -> Result<(), ConformError> {
        let last = error.behaviour.last();
        let number = |name| last.and_then(|last| usize::try_from(number(last, name)?.abs()).ok());
        let (Some(row), Some(step)) = (number(TRACE), number(STEP)) else {
            return Err(TlaError::Evaluation(error).into());
        };
        // What has the same events up to there has the same error.
        let begins = batch.prefix(row, step + 1);
        let same = |other: usize| match batch.logged {
            None => batch.prefix(other, step + 1) == begins,
            Some(_) => other == row,
        };
        let traces_by_row = batch.traces_by_row();
        let guilty = traces_by_row.iter().filter(|(row, _)| same(**row));
        let guilty: Vec<(usize, usize)> = guilty
            .flat_map(|(row, traces)| traces.iter().map(|trace| (*trace, batch.length(*row))))
            .collect();
        // An error in the state itself, not in the step after it, is still there in a trace that
        // ends in that state.
        let usable = |length: usize| if step < length { Some(step) } else { length.checked_sub(1) };
        if guilty.is_empty() || guilty.iter().any(|(_, length)| usable(*length).is_none()) {
            return Err(TlaError::Evaluation(error).into());
        }
        for (trace, length) in guilty {
            let (steps, why) = (usable(length).unwrap_or_default(), error.to_string());
            let is_elsewhere = is_elsewhere(&self.traces[trace], &error);
            self.failed.insert(trace, Failed { steps, why, is_elsewhere });
        }
        Ok(())
    }

    fn cuts(&self) -> Cuts {
        self.failed.iter().map(|(trace, failed)| (*trace, failed.steps)).collect()
    }

    /// Whether TLC has dumped a state after each step that it has taken.
    fn is_complete(
        &self,
        walked: &Walked<'a>,
        position: usize,
        comparison: Option<&Comparison>,
    ) -> bool {
        let row = walked.batch.row(position);
        let taken = match walked.lines.stuck(row) {
            Some(stuck) if !walked.lines.accepted(row) => stuck.step,
            Some(_) | None => walked.batch.length(row),
        };
        comparison.is_some_and(|comparison| comparison.is_complete(taken))
    }

    /// The verdict which the printed lines alone give.
    fn by_lines(&self, walked: &Walked<'a>, position: usize) -> Result<Draft, ConformError> {
        let row = walked.batch.row(position);
        if let Some(rejection) = self.rejection(walked, position) {
            return Ok(Draft::rejected(rejection));
        }
        if !walked.lines.accepted(row) {
            return Err(self.incomplete(position, walked));
        }
        Ok(match self.failed.get(&position) {
            Some(Failed { steps, why, .. }) => {
                Draft::Undetermined { step: steps + 1, why: why.clone() }
            }
            None => Draft::Conforms,
        })
    }

    fn rejection(&self, walked: &Walked<'a>, position: usize) -> Option<Rejection> {
        let row = walked.batch.row(position);
        let stuck = walked.lines.stuck(row).filter(|_| !walked.lines.accepted(row));
        match (stuck, walked.lines.broken(row)) {
            (Some(stuck), Some(broken)) if broken.progress() > stuck.progress() => {
                Some(self.refused(position, stuck))
            }
            (_, Some(broken)) => {
                let reason = Reason::InvariantViolated { name: broken.word.clone() };
                // Within a composition it is the next step that has led there.
                let step = broken.step + usize::from(broken.within.is_some());
                let mut rejection = rejection(step, reason, broken.state.clone());
                if broken.within.is_some() {
                    rejection.part = self.part(position, broken.step, broken.within, 0);
                }
                Some(rejection)
            }
            (Some(stuck), None) => Some(self.refused(position, stuck)),
            (None, None) => None,
        }
    }

    /// The rejection of the step after a place.
    fn refused(&self, position: usize, stuck: &Place) -> Rejection {
        let mut rejection = rejection(stuck.step + 1, refusal(&stuck.word), stuck.state.clone());
        rejection.part = self.part(position, stuck.step, stuck.within, 1);
        rejection
    }

    /// The part of a step that comes so many after a place within it, if the step is a composition.
    /// Of several sequences none of which is begun it is the first one's.
    fn part(
        &self,
        position: usize,
        step: usize,
        within: Option<Within>,
        after: usize,
    ) -> Option<StepPart> {
        let action = &self.traces[position].steps[step].action;
        if action.is_single() {
            return None;
        }
        let Within { taken, way } = within.unwrap_or(Within { taken: 0, way: 1 });
        let way = action.ways().into_iter().nth(way - 1)?;
        let number = taken + after;
        let action = way.get(number.checked_sub(1)?)?.clone();
        Some(StepPart { number, count: way.len(), action })
    }

    fn is_composed(&self, position: usize, step: usize) -> bool {
        let before = step.checked_sub(1);
        before.is_some_and(|before| !self.traces[position].steps[before].action.is_single())
    }

    fn incomplete(&self, position: usize, walked: &Walked<'a>) -> ConformError {
        let trace = self.traces[position].name.clone();
        ConformError::Incomplete { trace, log: walked.log.clone() }
    }
}

/// Whether the behaviour of an error has other states than those which a trace logs.
fn is_elsewhere(trace: &SpecTrace, error: &EvaluationError) -> bool {
    // TLC writes `null` where a step leaves a variable open: whatever is logged fits there.
    let is_whole =
        |state: &&SpecState| state.variables.values().all(|value| *value != Value::model("null"));
    error.behaviour.iter().filter(is_whole).any(|state| {
        let step = number(state, STEP).and_then(|step| usize::try_from(step).ok());
        let step = step.filter(|step| *step <= trace.steps.len());
        let logged = step.and_then(|step| logged(trace, step));
        logged.is_some_and(|logged| !differences(logged, &state.variables).is_empty())
    })
}

/// A variable of the generated module.
fn number(state: &SpecState, name: &str) -> Option<i64> {
    match state.variables.get(name)? {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// Whether any trace says anything about states; if not, TLC need not write them.
fn log_states(traces: &[SpecTrace]) -> bool {
    traces.iter().any(|trace| {
        trace.initial.is_some() || trace.steps.iter().any(|step| step.variables.is_some())
    })
}

/// The words of the generated module for an event that is no step.
fn refusal(word: &str) -> Reason {
    match word {
        "unknown" => Reason::UnknownAction,
        "arguments" => Reason::WrongArguments,
        _ => Reason::NotEnabled,
    }
}

/// A rejection that is still to be explained.
fn rejection(step: usize, reason: Reason, spec_state: BTreeMap<String, Value>) -> Rejection {
    let (false_parts, enabled) = (Vec::new(), Vec::new());
    Rejection { step, part: None, reason, spec_state, false_parts, enabled }
}
