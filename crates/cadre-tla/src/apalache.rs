use std::fs;
use std::path::{Path, PathBuf};

use cadre_process::{Finished, Program, Stop};
use serde_json::Value as Json;

use crate::run::{LOG, start, write_command};
use crate::{Behaviours, Engine, Outcome, Run, Simulation, SpecState, TlaError, Verdict, from_itf};

/// Apalache, which looks at all behaviours up to a number of steps at once, by an SMT solver.
///
/// It needs a type annotation at each constant and variable whose type does not follow, and no two
/// types in one set. What it is told and what it answers is as its manual says,
/// <https://apalache-mc.org/docs/apalache/running.html>.
#[derive(Clone, Debug)]
pub struct Apalache {
    /// The program `apalache-mc`.
    pub program: PathBuf,
    /// The most steps of a behaviour.
    pub steps_max: u32,
}

impl Apalache {
    /// The one that `APALACHE_MC` names, or else the one on the `PATH`.
    pub fn find(steps_max: u32) -> Option<Self> {
        let named = std::env::var_os("APALACHE_MC").map(PathBuf::from);
        let on_path = || {
            let path = std::env::var_os("PATH")?;
            let programs = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM));
            programs.into_iter().find(|program| program.is_file())
        };
        named.or_else(on_path).map(|program| Self { program, steps_max })
    }

    fn command(&self, run: &Run, config: &str, steps_max: u32) -> Program {
        let mut program = Program::new(&self.program)
            .directory(&run.directory)
            .env("JVM_ARGS", format!("-Xmx{}m", run.heap_mb))
            .arg("check")
            .arg(format!("--config={config}"))
            .arg(format!("--length={steps_max}"))
            .args(["--out-dir=apalache-out", "--run-dir=apalache"]);
        if !run.deadlock {
            program = program.args(["--discard-disabled=false", "--no-deadlock"]);
        }
        program.arg(format!("{}.tla", run.module))
    }

    fn explore(
        &self,
        run: &Run,
        config: &str,
        steps_max: u32,
        stop: &Stop,
    ) -> Result<(Answer, Finished), TlaError> {
        let found = run.directory.join(COUNTEREXAMPLE);
        // What an earlier run has found must not be taken for what this one finds.
        if found.exists() {
            fs::remove_file(&found).map_err(|source| TlaError::io("remove", &found, source))?;
        }
        let finished = start(&self.command(run, config, steps_max), run, stop)?;
        let answer = Answer::of(&finished.output()?, &finished, run)?;
        Ok((answer, finished))
    }

    /// Which of the invariants it is: Apalache does not say, so that each is checked alone.
    fn violated(
        &self,
        run: &Run,
        config: &str,
        steps: usize,
        stop: &Stop,
    ) -> Result<Verdict, TlaError> {
        let invariants: Vec<&str> =
            config.lines().filter_map(|line| line.strip_prefix(INVARIANT)).collect();
        if let [name] = invariants.as_slice() {
            return Ok(Verdict::InvariantViolated { name: (*name).to_owned() });
        }
        let steps = u32::try_from(steps).unwrap_or(self.steps_max).min(self.steps_max);
        for name in &invariants {
            let others = |line: &&str| {
                line.strip_prefix(INVARIANT).is_none_or(|invariant| invariant == *name)
            };
            let alone: Vec<&str> = config.lines().filter(others).collect();
            let file = format!("Only_{name}.cfg");
            let path = run.directory.join(&file);
            fs::write(&path, alone.join("\n"))
                .map_err(|source| TlaError::io("write", &path, source))?;
            if self.explore(run, &file, steps, stop)?.0 == Answer::Violated {
                return Ok(Verdict::InvariantViolated { name: (*name).to_owned() });
            }
        }
        Ok(Verdict::InvariantViolated { name: invariants.join(" or ") })
    }
}

impl Engine for Apalache {
    fn run(&self, run: &Run, stop: &Stop) -> Result<Outcome, TlaError> {
        let path = run.directory.join(&run.config);
        let config = fs::read_to_string(&path);
        let config = config.map_err(|source| TlaError::io("read", &path, source))?;
        refuse(run, &config)?;
        write_command(&run.directory, &self.command_line(run))?;
        let (answer, finished) = self.explore(run, &run.config, self.steps_max, stop)?;
        let behaviour = match answer {
            Answer::None => Vec::new(),
            Answer::Violated | Answer::Deadlock => counterexample(&run.directory)?,
        };
        let steps = behaviour.len().saturating_sub(1);
        let verdict = match answer {
            Answer::None => Verdict::NoError,
            Answer::Deadlock => Verdict::Deadlock,
            Answer::Violated => self.violated(run, &config, steps, stop)?,
        };
        Ok(Outcome {
            verdict,
            generated: 0,
            distinct: 0,
            depth: None,
            bound: Some(self.steps_max),
            behaviour,
            lasso: None,
            coverage: None,
            user_lines: Vec::new(),
            dump: None,
            elapsed: finished.elapsed,
            log: finished.log,
            version: NAME.to_owned(),
        })
    }

    fn simulate(&self, _: &Run, _: Simulation, _: &Stop) -> Result<Behaviours, TlaError> {
        Err(not_by_apalache("random behaviours"))
    }

    fn command_line(&self, run: &Run) -> String {
        self.command(run, &run.config, self.steps_max).command_line()
    }
}

const PROGRAM: &str = "apalache-mc";
const NAME: &str = "Apalache";
const INVARIANT: &str = "INVARIANT ";
/// In the directory that a run is told to write to.
const COUNTEREXAMPLE: &str = "apalache/violation1.itf.json";
/// What Apalache's process ends with where something is violated, and where types do not fit.
const VIOLATED: i32 = 12;
const ILL_TYPED: i32 = 120;

/// What Apalache says in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nothing was found.
    None,
    Violated,
    Deadlock,
}

impl Answer {
    fn of(text: &str, finished: &Finished, run: &Run) -> Result<Self, TlaError> {
        let tail = || crate::output::tail(text);
        let outcome = text.lines().rev().find_map(|line| {
            let outcome = line.split_once("The outcome is: ")?.1;
            outcome.split_whitespace().next()
        });
        match (outcome, finished.code) {
            (Some("NoError" | "ExecutionsTooShort"), Some(0)) => Ok(Self::None),
            (Some("Error"), Some(VIOLATED)) => Ok(Self::Violated),
            (Some("Deadlock"), Some(VIOLATED)) => Ok(Self::Deadlock),
            (_, Some(ILL_TYPED)) => Err(TlaError::Parse {
                file: format!("{}.tla", run.module),
                line: None,
                message: format!("Apalache finds no types, annotate it with @type:\n{}", tail()),
                log: finished.log.clone(),
            }),
            (_, None) => Err(TlaError::Killed { log: finished.log.clone(), tail: tail() }),
            (_, Some(code)) => {
                Err(TlaError::NoVerdict { code, log: run.directory.join(LOG), tail: tail() })
            }
        }
    }
}

/// Says what Apalache would pass over.
fn refuse(run: &Run, config: &str) -> Result<(), TlaError> {
    let is_temporal = || config.lines().any(|line| line.starts_with("PROPERT"));
    let asked = [
        (run.dump, "the file of all states"),
        (run.user_file, "what a specification prints, which traces and graphs are judged by"),
        (run.coverage, "coverage"),
        (is_temporal(), "temporal properties"),
    ];
    match asked.into_iter().find(|(is_asked, _)| *is_asked) {
        Some((_, what)) => Err(not_by_apalache(what)),
        None => Ok(()),
    }
}

fn not_by_apalache(what: &str) -> TlaError {
    TlaError::NotByEngine { engine: NAME, what: what.to_owned(), instead: "take TLC for it" }
}

fn counterexample(directory: &Path) -> Result<Vec<SpecState>, TlaError> {
    let path = directory.join(COUNTEREXAMPLE);
    let text = fs::read(&path).map_err(|source| TlaError::io("read", &path, source))?;
    let expected = || TlaError::NotItf {
        expected: "an object with the list `states`".to_owned(),
        found: path.display().to_string(),
    };
    let json: Json = serde_json::from_slice(&text).map_err(|_| expected())?;
    let states = json.get("states").and_then(Json::as_array).ok_or_else(expected)?;
    states.iter().enumerate().map(|(index, state)| spec_state(index, state)).collect()
}

fn spec_state(index: usize, state: &Json) -> Result<SpecState, TlaError> {
    let fields = state.as_object().into_iter().flatten();
    let variables = fields.filter(|(name, _)| !name.starts_with('#'));
    let variables = variables.map(|(name, value)| Ok((name.clone(), from_itf(value)?)));
    let action = if index == 0 { "Initial predicate" } else { "Next" };
    Ok(SpecState {
        index: index + 1,
        action: action.to_owned(),
        location: String::new(),
        variables: variables.collect::<Result<_, TlaError>>()?,
    })
}
