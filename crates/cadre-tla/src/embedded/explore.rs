//! The search through all states, level by level.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use tla_checker::ast::State;
use tla_checker::eval::{CheckerStats, EvalError, update_checker_stats};

use super::world::{Refusal, World};
use super::{Embedded, Task, temporal, values};
use crate::run::DUMP_FILE;
use crate::{EvaluationError, Outcome, SpecState, TlaError, Verdict};

/// Explores a specification, for its invariants, deadlocks and properties.
pub(super) fn explore(task: &Task) -> Result<Outcome, TlaError> {
    let world = match World::read(task) {
        Ok(world) => world,
        Err(Refusal::Error(error)) => return Err(error),
        Err(Refusal::Assumption(index)) => {
            let assumption = format!("assumption {} of those in its modules", index + 1);
            return Ok(task.outcome(Verdict::AssumptionFailed { assumption }));
        }
    };
    let (mut outcome, world) = Search::new(task, world)?.explore()?;
    if outcome.verdict == Verdict::NoError {
        temporal::check(task, world, &mut outcome)?;
    }
    let Outcome { verdict, generated, distinct, version, .. } = &outcome;
    let told =
        format!("{version}\n{generated} states generated, {distinct} distinct\n{verdict:?}\n");
    task.write(super::LOG, &told)?;
    Ok(outcome)
}

impl Task {
    /// What there is to say before anything was explored.
    pub(super) fn outcome(&self, verdict: Verdict) -> Outcome {
        Outcome {
            verdict,
            generated: 0,
            distinct: 0,
            depth: None,
            bound: None,
            behaviour: Vec::new(),
            lasso: None,
            coverage: None,
            user_lines: Vec::new(),
            dump: None,
            elapsed: self.began.elapsed(),
            log: self.log(),
            version: Embedded::VERSION.to_owned(),
        }
    }

    pub(super) fn evaluation(
        &self,
        error: &EvalError,
        behaviour: Vec<SpecState>,
        user_lines: Vec<String>,
    ) -> TlaError {
        let message = format!("{error}, says {}", Embedded::VERSION);
        let (places, log) = (Vec::new(), self.log());
        let error = EvaluationError { message, places, behaviour, user_lines, log };
        TlaError::Evaluation(Box::new(error))
    }
}

struct Search<'a> {
    task: &'a Task,
    world: World,
    /// All states in the order in which they were found.
    found: Vec<Found>,
    known: HashSet<Arc<State>>,
    dump: Option<Dump>,
    generated: u64,
    /// How many levels there are so far.
    depth: u64,
    /// The first violation, and the state that it is in.
    violated: Option<(Verdict, usize)>,
}

struct Found {
    state: Arc<State>,
    /// The state that it was found from, and the action that led there.
    from: Option<(usize, Option<Arc<str>>)>,
}

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    On,
    Over,
}

impl<'a> Search<'a> {
    fn new(task: &'a Task, world: World) -> Result<Self, TlaError> {
        let dump = if task.run.dump { Some(Dump::create(task)?) } else { None };
        Ok(Self {
            task,
            world,
            found: Vec::new(),
            known: HashSet::new(),
            dump,
            generated: 0,
            depth: 0,
            violated: None,
        })
    }

    fn explore(mut self) -> Result<(Outcome, World), TlaError> {
        let course = self.begin()?;
        let mut level = 0..self.found.len();
        while course == Course::On && !level.is_empty() {
            self.depth += 1;
            for source in level.clone() {
                if self.expand(source)? == Course::Over {
                    return self.finish();
                }
            }
            level = level.end..self.found.len();
        }
        self.finish()
    }

    fn begin(&mut self) -> Result<Course, TlaError> {
        let initial = self.world.initial();
        for state in initial.map_err(|error| self.error(&error, None))? {
            if self.add(state, None)? == Course::Over {
                return Ok(Course::Over);
            }
        }
        Ok(Course::On)
    }

    /// Adds what a state leads to.
    fn expand(&mut self, source: usize) -> Result<Course, TlaError> {
        self.task.is_over()?;
        self.tell_specification(source);
        let state = self.found[source].state.clone();
        let steps = self.world.steps(&state);
        let steps = steps.map_err(|error| self.error(&error, Some(source)))?;
        let deadlock = self.task.run.deadlock && !self.world.deadlock_passes;
        if steps.is_empty() && deadlock && self.violate(Verdict::Deadlock, source) == Course::Over {
            return Ok(Course::Over);
        }
        for step in steps {
            if self.add(step.state, Some((source, step.action)))? == Course::Over {
                return Ok(Course::Over);
            }
        }
        Ok(Course::On)
    }

    fn add(
        &mut self,
        state: State,
        from: Option<(usize, Option<Arc<str>>)>,
    ) -> Result<Course, TlaError> {
        self.generated += 1;
        let state = Arc::new(state);
        if !self.known.insert(state.clone()) {
            return Ok(Course::On);
        }
        let number = self.found.len();
        self.found.push(Found { state: state.clone(), from });
        if let Some(dump) = &mut self.dump {
            dump.add(number + 1, &self.world.spec.vars, &state)?;
        }
        let broken = self.world.broken(&state);
        match broken.map_err(|error| self.error(&error, Some(number)))? {
            Some(name) => Ok(self.violate(Verdict::InvariantViolated { name }, number)),
            None => Ok(Course::On),
        }
    }

    fn violate(&mut self, verdict: Verdict, state: usize) -> Course {
        self.violated.get_or_insert((verdict, state));
        if self.task.run.keep_going { Course::On } else { Course::Over }
    }

    /// What a specification can ask about the search.
    fn tell_specification(&self, source: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let depth = i64::try_from(self.depth).unwrap_or(i64::MAX);
        update_checker_stats(CheckerStats {
            distinct: number(self.found.len()),
            level: depth,
            diameter: depth,
            queue: number(self.found.len() - source - 1),
            duration: i64::try_from(self.task.began.elapsed().as_secs()).unwrap_or(i64::MAX),
            generated: i64::try_from(self.generated).unwrap_or(i64::MAX),
        });
    }

    fn behaviour(&self, last: usize) -> Result<Vec<SpecState>, TlaError> {
        let mut way = Vec::new();
        let mut next = Some(last);
        while let Some(number) = next {
            let found = &self.found[number];
            way.push((&*found.state, found.from.as_ref().and_then(|(_, action)| action.as_ref())));
            next = found.from.as_ref().map(|(source, _)| *source);
        }
        way.reverse();
        values::behaviour(&self.world.spec.vars, way)
    }

    /// The error of an evaluation in a state, or in the initial predicate.
    fn error(&self, error: &EvalError, state: Option<usize>) -> TlaError {
        let behaviour = state.map_or(Ok(Vec::new()), |state| self.behaviour(state));
        let lines = self.world.printed.clone();
        match behaviour {
            Ok(behaviour) => self.task.evaluation(error, behaviour, lines),
            Err(unreadable) => unreadable,
        }
    }

    fn finish(mut self) -> Result<(Outcome, World), TlaError> {
        let (verdict, behaviour) = match &self.violated {
            Some((verdict, state)) => (verdict.clone(), self.behaviour(*state)?),
            None => (Verdict::NoError, Vec::new()),
        };
        let mut outcome = self.task.outcome(verdict);
        outcome.generated = self.generated;
        outcome.distinct = self.found.len() as u64;
        let is_complete = self.violated.is_none() || self.task.run.keep_going;
        outcome.depth = Some(self.depth).filter(|_| is_complete);
        outcome.behaviour = behaviour;
        outcome.dump = self.dump.map(Dump::finish).transpose()?;
        self.task.write_lines(&self.world.printed)?;
        outcome.user_lines = std::mem::take(&mut self.world.printed);
        outcome.elapsed = self.task.began.elapsed();
        Ok((outcome, self.world))
    }
}

/// The file of all distinct states.
struct Dump {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Dump {
    fn create(task: &Task) -> Result<Self, TlaError> {
        let path = task.run.directory.join(DUMP_FILE);
        let file = File::create(&path).map_err(|source| TlaError::io("create", &path, source))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 20, file) })
    }

    /// Writes a state as TLC does.
    fn add(&mut self, number: usize, names: &[Arc<str>], state: &State) -> Result<(), TlaError> {
        let mut text = format!("State {number}:\n");
        for (name, found) in names.iter().zip(&state.values) {
            text.push_str(&format!("/\\ {name} = {}\n", values::value(found)?));
        }
        text.push('\n');
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| TlaError::io("write", &self.path, source))
    }

    fn finish(mut self) -> Result<PathBuf, TlaError> {
        self.file.flush().map_err(|source| TlaError::io("write", &self.path, source))?;
        Ok(self.path)
    }
}
