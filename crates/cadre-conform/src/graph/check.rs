use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use cadre_process::Stop;
use cadre_tla::{Dump, Engine, EvaluationError, TlaError, Value};

use super::allowed::Allowed;
use super::composed::Compositions;
use super::encode::{NODE, encode};
use super::quick;
use super::report::{ActionCoverage, BadStep, Fault, GraphReport, Missing};
use super::spec_graph::{GraphStep, SpecGraph};
use crate::lines::known_actions;
use crate::report::action_known;
use crate::runs::Runs;
use crate::{ConformError, Options, Spec, SpecAction, validate};

/// How many characters the values of one run may have: TLC reads some 100 000 tokens in a second.
const VALUES_PER_RUN_MAX: usize = 4_000_000;

/// Checks that every initial state of a graph is one of the specification and every step one of
/// `[Next]_vars`, by the action that it is mapped to; and the other way round, which steps of the
/// specification from these states the graph has not. One run of TLC, or several for a large graph.
///
/// The directory is to be fresh; each run gets a folder in it, with its modules and its output.
///
/// Besides what [`Spec`] demands the specification's action is to be called `Next`, and the sets of
/// `TraceArguments` have to be finite.
///
/// # Errors
///
/// [`ConformError::BadName`] and [`ConformError::NoTraces`] for unusable arguments,
/// [`ConformError::Vacuous`] if the trace module takes steps that there are not,
/// [`ConformError::Tla`] if TLC or the specification fails, [`ConformError::IncompleteGraph`] and
/// [`ConformError::ForeignLine`] if its output is not what it should be.
pub fn check_graph(
    spec: &Spec,
    graph: &SpecGraph,
    engine: &dyn Engine,
    directory: &Path,
    options: &Options,
    stop: &Stop,
) -> Result<GraphReport, ConformError> {
    validate::spec(spec)?;
    if graph.states_count() == 0 {
        return Err(ConformError::NoTraces);
    }
    judge_actions(graph)?;
    let runs = Runs::new(spec, engine, directory, options, stop);
    let (compositions, undetermined) = (Compositions::of(graph), BTreeMap::new());
    let (actions, spec_states) = (None, 0);
    let mut check =
        Check { graph, compositions, options, runs, undetermined, actions, spec_states };
    let mut tally = Tally::new(graph);
    let steps = steps_by_source(graph);
    let chunks = chunks(graph, options.states_per_run_max);
    if !is_quick(graph, &chunks) || !check.is_same(&chunks[0], &steps, &mut tally)? {
        for states in chunks {
            let (states, allowed) = check.ask(states)?;
            tally.judge(&states, &steps, &allowed);
        }
    }
    tally.bad_steps.sort_by_key(|bad| bad.step);
    judge_alternatives(spec, &tally, check.actions.as_ref())?;
    let Check { runs, undetermined, actions, spec_states, .. } = check;
    Ok(GraphReport {
        bad_initial: tally.bad_initial,
        bad_steps: tally.bad_steps,
        undetermined,
        initial_missing: tally.initial_missing,
        next_allowed: tally.next_allowed,
        next_taken: tally.next_taken,
        next_unnamed: tally.next_unnamed,
        lacking: tally.lacking,
        coverage: tally.coverage,
        tlc: runs.report(Vec::new(), actions, spec_states),
    })
}

/// Refuses a step that is one of the specification, but may as well be an action that there is not.
fn judge_alternatives(
    spec: &Spec,
    tally: &Tally<'_>,
    known: Option<&BTreeSet<String>>,
) -> Result<(), ConformError> {
    let graph = tally.graph;
    let bad: BTreeSet<usize> = tally.bad_steps.iter().map(|bad| bad.step).collect();
    let good = graph.steps().iter().enumerate().filter(|(number, _)| !bad.contains(number));
    let actions: BTreeSet<usize> = good.map(|(_, step)| step.action).collect();
    for action in actions.into_iter().map(|number| graph.action(number)) {
        let place = || format!("in `{action}`");
        known.map_or(Ok(()), |known| action_known(known, spec, action, place))?;
    }
    Ok(())
}

/// Writes the module of the first run of [`check_graph`], and gives its command without running it.
///
/// # Errors
///
/// As [`check_graph`], as far as TLC is not needed.
pub fn plan_graph(
    spec: &Spec,
    graph: &SpecGraph,
    engine: &dyn Engine,
    directory: &Path,
    options: &Options,
) -> Result<String, ConformError> {
    validate::spec(spec)?;
    if graph.states_count() == 0 {
        return Err(ConformError::NoTraces);
    }
    judge_actions(graph)?;
    let stop = Stop::new();
    let mut runs = Runs::new(spec, engine, directory, options, &stop);
    let chunks = chunks(graph, options.states_per_run_max);
    let run = if is_quick(graph, &chunks) {
        let steps = steps_by_source(graph);
        let question = quick::Question { spec, graph, states: &chunks[0], steps: &steps };
        let (module, config) = question.encode()?;
        runs.prepare_alone(&module, &config)?
    } else {
        let compositions = Compositions::of(graph);
        let (module, config) = encode(spec, graph, compositions.as_ref(), &chunks[0])?;
        let mut run = runs.prepare(&module, &config, graph.steps().len())?;
        run.dump = true;
        run
    };
    Ok(engine.command_line(&run))
}

/// Whether one run can tell if the graph is that of the specification, which a graph is not that
/// takes several of its steps at once.
fn is_quick(graph: &SpecGraph, chunks: &[Vec<usize>]) -> bool {
    let is_composed = graph.actions().iter().any(|action| !action.is_single());
    chunks.len() == 1 && graph.unexpanded().is_empty() && !is_composed
}

fn judge_actions(graph: &SpecGraph) -> Result<(), ConformError> {
    for step in graph.steps() {
        let place = || format!("of the graph from state {}", step.from);
        validate::action(graph.action(step.action), place)?;
    }
    Ok(())
}

struct Check<'a> {
    graph: &'a SpecGraph,
    compositions: Option<Compositions>,
    options: &'a Options,
    runs: Runs<'a>,
    undetermined: BTreeMap<usize, String>,
    /// The actions that the trace module knows.
    actions: Option<BTreeSet<String>>,
    /// How many states TLC has come to.
    spec_states: u64,
}

impl Check<'_> {
    /// Finds out whether these states have the steps that the specification allows; if not, that is
    /// for the thorough way to say.
    fn is_same(
        &mut self,
        states: &[usize],
        steps: &[Vec<usize>],
        tally: &mut Tally<'_>,
    ) -> Result<bool, ConformError> {
        let graph = self.graph;
        let question = quick::Question { spec: self.runs.spec, graph, states, steps };
        let (module, config) = question.encode()?;
        let run = self.runs.prepare_alone(&module, &config)?;
        let outcome = match self.runs.run(&run) {
            Ok(outcome) => outcome,
            Err(ConformError::Tla(TlaError::Evaluation(_))) => return Ok(false),
            Err(other) => return Err(other),
        };
        match question.read(&outcome)? {
            quick::Answer::Same(initial) => {
                self.spec_states += outcome.distinct;
                tally.judge_initial(&initial);
                states.iter().for_each(|state| tally.count(*state, &steps[*state]));
                Ok(true)
            }
            quick::Answer::Other => Ok(false),
            quick::Answer::Vacuous => Err(vacuous(outcome.log)),
            quick::Answer::Incomplete => Err(ConformError::IncompleteGraph { log: outcome.log }),
        }
    }

    /// Asks TLC what is allowed in some states; leaves out those in which an expression cannot be
    /// evaluated.
    fn ask(&mut self, mut states: Vec<usize>) -> Result<(Vec<usize>, Allowed), ConformError> {
        loop {
            let compositions = self.compositions.as_ref();
            let (module, config) = encode(self.runs.spec, self.graph, compositions, &states)?;
            let mut run = self.runs.prepare(&module, &config, self.graph.steps().len())?;
            run.dump = true;
            let outcome = match self.runs.run(&run) {
                Ok(outcome) => outcome,
                Err(ConformError::Tla(TlaError::Evaluation(error))) => {
                    self.blame(&mut states, error)?;
                    continue;
                }
                Err(other) => return Err(other),
            };
            self.actions = outcome.user_values()?.iter().find_map(known_actions);
            let log = outcome.log;
            let Some(dump) = outcome.dump else {
                return Err(ConformError::IncompleteGraph { log });
            };
            let allowed = Allowed::read(self.graph, compositions, &states, Dump::open(&dump)?)?;
            if allowed.took_impossible {
                return Err(vacuous(log));
            }
            let is_whole = allowed.dumped == outcome.distinct && allowed.stayed;
            if !is_whole || allowed.loaded != states.len() || allowed.initial.is_empty() {
                return Err(ConformError::IncompleteGraph { log });
            }
            self.spec_states += outcome.distinct;
            return Ok((states, allowed));
        }
    }

    /// Takes out the state in which an expression could not be evaluated.
    fn blame(
        &mut self,
        states: &mut Vec<usize>,
        error: Box<EvaluationError>,
    ) -> Result<(), ConformError> {
        let node = error.behaviour.last().and_then(|state| state.variables.get(NODE));
        let row = match node {
            Some(Value::Int(row)) => usize::try_from(row.abs()).ok(),
            Some(_) | None => None,
        };
        let index = row.and_then(|row| row.checked_sub(1)).filter(|index| *index < states.len());
        let (Some(index), true) = (index, states.len() > 1) else {
            return Err(TlaError::Evaluation(error).into());
        };
        if self.undetermined.len() == self.options.evaluation_errors_max {
            return Err(ConformError::TooManyErrors { count: self.options.evaluation_errors_max });
        }
        self.undetermined.insert(states.remove(index), error.to_string());
        Ok(())
    }
}

/// What the runs say about the graph altogether.
struct Tally<'a> {
    graph: &'a SpecGraph,
    bad_initial: Vec<usize>,
    bad_steps: Vec<BadStep>,
    initial_missing: u64,
    next_allowed: u64,
    next_taken: u64,
    next_unnamed: u64,
    lacking: BTreeSet<usize>,
    coverage: BTreeMap<String, ActionCoverage>,
}

impl<'a> Tally<'a> {
    fn new(graph: &'a SpecGraph) -> Self {
        Self {
            graph,
            bad_initial: Vec::new(),
            bad_steps: Vec::new(),
            initial_missing: 0,
            next_allowed: 0,
            next_taken: 0,
            next_unnamed: 0,
            lacking: BTreeSet::new(),
            coverage: BTreeMap::new(),
        }
    }

    fn judge(&mut self, states: &[usize], steps: &[Vec<usize>], allowed: &Allowed) {
        let graph = self.graph;
        self.judge_initial(&allowed.initial);
        for number in states.iter().flat_map(|state| &steps[*state]) {
            let step = graph.steps()[*number];
            match fault(graph, step, allowed) {
                Some(fault) => self.bad_steps.push(BadStep { step: *number, fault }),
                None => self.count_parts(graph.action(step.action)),
            }
        }
        self.cover(states, steps, allowed);
    }

    /// Compares the initial states, all of which every run tells.
    fn judge_initial(&mut self, initial: &[Option<usize>]) {
        let graph = self.graph;
        let is_bad = |state: &&usize| !initial.contains(&Some(**state));
        self.bad_initial = graph.initial().iter().filter(is_bad).copied().collect();
        let is_missing =
            |state: &&Option<usize>| state.is_none_or(|state| !graph.initial().contains(&state));
        self.initial_missing = initial.iter().filter(is_missing).count() as u64;
    }

    /// Counts the steps from a state, which are those that the specification allows.
    fn count(&mut self, state: usize, steps: &[usize]) {
        let graph = self.graph;
        let targets: HashSet<usize> = steps.iter().map(|step| graph.steps()[*step].to).collect();
        debug_assert!(!targets.contains(&state), "what changes nothing is no step");
        self.next_allowed += targets.len() as u64;
        self.next_taken += targets.len() as u64;
        for step in steps {
            if let SpecAction::Step { name, .. } = graph.action(graph.steps()[*step].action) {
                let coverage = self.coverage.entry(name.clone()).or_default();
                coverage.allowed += 1;
                coverage.taken += 1;
            }
        }
    }

    /// Counts the parts of a step that is a composition.
    fn count_parts(&mut self, action: &SpecAction) {
        if !action.is_single() {
            let names: BTreeSet<&String> =
                action.mentioned().into_iter().map(|(name, _)| name).collect();
            for name in names {
                self.coverage.entry(name.clone()).or_default().within += 1;
            }
        }
    }

    /// Counts what the graph has of what is allowed.
    fn cover(&mut self, states: &[usize], steps: &[Vec<usize>], allowed: &Allowed) {
        let graph = self.graph;
        let is_expanded = |state: usize| !graph.unexpanded().contains(&state);
        let of_graph = states.iter().flat_map(|state| &steps[*state]);
        let taken: HashSet<(usize, Option<usize>)> = of_graph
            .map(|step| (graph.steps()[*step].from, Some(graph.steps()[*step].to)))
            .collect();
        let mut named = HashSet::new();
        for (action, steps) in &allowed.by_action {
            let SpecAction::Step { name, .. } = action else { continue };
            let number = graph.action_number(action);
            let coverage = self.coverage.entry(name.clone()).or_default();
            for &(from, to) in steps {
                named.insert((from, to));
                if !is_expanded(from) {
                    continue;
                }
                coverage.allowed += 1;
                let step = number.zip(to).map(|(action, to)| GraphStep { from, action, to });
                if step.is_some_and(|step| graph.has_step(&step)) {
                    coverage.taken += 1;
                    continue;
                }
                let missing = Missing { from, action: action.clone() };
                if coverage.missing.as_ref().is_none_or(|first| missing < *first) {
                    coverage.missing = Some(missing);
                }
            }
        }
        for step in allowed.by_next.iter().filter(|(from, _)| is_expanded(*from)) {
            self.next_allowed += 1;
            if taken.contains(step) {
                self.next_taken += 1;
            } else {
                self.lacking.insert(step.0);
            }
            // States beyond the graph are not told apart: a name for one of them will do.
            self.next_unnamed += u64::from(!named.contains(step));
        }
    }
}

/// What is wrong with a step, if anything.
fn fault(graph: &SpecGraph, step: GraphStep, allowed: &Allowed) -> Option<Fault> {
    let GraphStep { from, action, to } = step;
    let (action, in_next) = (graph.action(action), allowed.has_next(from, to));
    if allowed.has_action(action, from, to) {
        let in_next = match action.is_single() {
            true => in_next,
            false => allowed.has_composed_next(action, from, to),
        };
        return (!in_next).then_some(Fault::NotInNext);
    }
    match allowed.actions_of(from, to) {
        others if others.is_empty() && !in_next => Some(Fault::NoStep),
        others => Some(Fault::OtherAction(others)),
    }
}

fn vacuous(log: PathBuf) -> ConformError {
    ConformError::Vacuous { expected: "an action that does not exist to be no step", log }
}

/// For each state the numbers of the steps from it.
fn steps_by_source(graph: &SpecGraph) -> Vec<Vec<usize>> {
    let mut steps = vec![Vec::new(); graph.states_count()];
    for (number, step) in graph.steps().iter().enumerate() {
        steps[step.from].push(number);
    }
    steps
}

/// The states in portions that one run of TLC can take.
fn chunks(graph: &SpecGraph, states_max: usize) -> Vec<Vec<usize>> {
    let mut chunks = Vec::new();
    let mut chunk = Vec::new();
    let (mut sent, mut size) = (HashSet::new(), 0);
    for state in 0..graph.states_count() {
        for (variable, position) in graph.positions(state).iter().enumerate() {
            if sent.insert((variable, *position)) {
                size += graph.value(variable, *position).to_string().len();
            }
        }
        chunk.push(state);
        if chunk.len() >= states_max || size > VALUES_PER_RUN_MAX {
            chunks.push(std::mem::take(&mut chunk));
            (sent, size) = (HashSet::new(), 0);
        }
    }
    chunks.extend((!chunk.is_empty()).then_some(chunk));
    chunks
}
