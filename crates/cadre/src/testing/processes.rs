use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use cadre_model::{Choice, Cluster, Unresolved};
use cadre_process::{PrivateDirectory, Program, Stop};
use cadre_proptest::{FuzzOptions, MinimiseOptions, Mismatch, drive_whole};
use cadre_replay::{Outcome, ReplayOptions, replay};
use cadre_trace::{Guarantee, GuaranteeKind, Trace, Verdict};

use super::persisted::{self, Replayed, SuiteReport};
use super::{retold, story};
use crate::suite::{annotated, origin};
use crate::{AnyGame, Game, GameError, Setup};

/// Real processes, one for each node, driven through random executions of a game and compared with
/// it after each step; see [`cadre_replay::replay`].
///
/// What failed in earlier runs is replayed first. A failure is shrunk as far as a bounded number of
/// replays allows, and saved: in a folder of its own, for the game itself does not fail.
///
/// # Examples
///
/// ```no_run
/// use cadre::process::Program;
/// use cadre::testing::ProcessSuite;
///
/// fn agrees(game: &impl cadre::Game) {
///     let setup = cadre::Setup::new(game, None, None).expect("the usual setup");
///     let program = Program::new("target/release/my-node").arg("--steered");
/// ProcessSuite::new(game, &setup, program, "traces".as_ref()).weight("crash-restart", 4).run(); }
/// ```
pub struct ProcessSuite<'a, G: Game> {
    game: &'a G,
    setup: Setup,
    program: Program,
    traces: PathBuf,
    options: FuzzOptions,
    weights: Vec<(String, u32)>,
    replays_max: u64,
    step_limit: Duration,
}

impl<'a, G: Game> ProcessSuite<'a, G> {
    /// A suite of ten executions of at most thirty steps, whose failures are kept below a
    /// directory.
    ///
    /// `program` hosts one node and waits for commands, with everything said but which node it is.
    pub fn new(game: &'a G, setup: &Setup, program: Program, traces: &Path) -> Self {
        Self {
            game,
            setup: setup.clone(),
            program,
            traces: traces.join(PROCESSES),
            options: FuzzOptions { cases: 10, steps_max: 30, ..FuzzOptions::default() },
            weights: Vec::new(),
            replays_max: REPLAYS_MAX,
            step_limit: ReplayOptions::STEP_LIMIT,
        }
    }

    /// How many executions.
    #[must_use]
    pub fn cases(mut self, cases: u32) -> Self {
        self.options.cases = cases;
        self
    }

    /// The most steps of one execution.
    #[must_use]
    pub fn steps(mut self, steps_max: usize) -> Self {
        self.options.steps_max = steps_max;
        self
    }

    /// What the choices follow from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// How likely a class of actions is beside the others; see
    /// [`Weights`](cadre_proptest::Weights).
    #[must_use]
    pub fn weight(mut self, class: &str, weight: u32) -> Self {
        self.weights.push((class.to_owned(), weight));
        self
    }

    /// The most replays that shrinking takes.
    #[must_use]
    pub fn replays_max(mut self, replays_max: u64) -> Self {
        self.replays_max = replays_max;
        self
    }

    /// How long a start, a step or a message may take.
    #[must_use]
    pub fn step_limit(mut self, step_limit: Duration) -> Self {
        self.step_limit = step_limit;
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    ///
    /// Where a process differs from the game or fails, or the suite makes no sense.
    #[track_caller]
    pub fn run(self) -> SuiteReport {
        self.check().unwrap_or_else(|story| panic!("{story}"))
    }

    /// Runs the suite.
    ///
    /// # Errors
    ///
    /// Where [`run`](ProcessSuite::run) panics: the whole story.
    pub fn check(self) -> Result<SuiteReport, String> {
        if self.options.cases == 0 {
            return Err("expected at least one execution to try, found 0".to_owned());
        }
        let told = |error: GameError| error.to_string();
        let weights = self.game.weights(&self.setup, &self.weights).map_err(told)?;
        let cluster = Rc::new(self.setup.cluster(self.game).map_err(|error| told(error.into()))?);
        let mut replayed = Vec::new();
        for (file, trace) in persisted::read(&self.traces, self.game.name())? {
            let (path, missing) = cluster.path_by_name(trace.schedule());
            if let Some((steps, mismatch)) = self.drive(&cluster, &path)? {
                let again = self.record(&cluster, &path[..steps], &mismatch).map_err(told)?;
                return Err(persisted::again(&file, &retold(&again)));
            }
            let missing = missing.iter().map(Unresolved::to_string).collect();
            replayed.push(Replayed { file, missing });
        }
        let options = FuzzOptions { weights, ..self.options.clone() };
        let minimising = MinimiseOptions { attempts_max: self.replays_max };
        let mut failed = None;
        let along = &mut |_: usize, path: &[Choice]| match self.drive(&cluster, path) {
            Ok(differs) => differs,
            Err(why) => {
                failed.get_or_insert(why);
                None
            }
        };
        let driven = drive_whole(&cluster, along, &options, &minimising, &mut |_| true);
        if let Some(differing) = driven.difference {
            let trace = self.record(&cluster, &differing.path, &differing.mismatch);
            let perhaps = if differing.is_minimal { "" } else { ", perhaps not to the end" };
            let how = format!("shrunk from {}{perhaps}", differing.steps_before_shrinking);
            return Err(story(&trace.map_err(told)?, &how, &self.traces));
        }
        let (cases, steps) = (driven.cases_run, driven.steps);
        match failed {
            Some(why) => Err(why),
            None => Ok(SuiteReport { replayed, cases, steps, ..SuiteReport::default() }),
        }
    }

    /// Replays one execution on new processes.
    fn drive(
        &self,
        cluster: &Cluster<G::Protocol>,
        path: &[Choice],
    ) -> Result<Option<(usize, Mismatch)>, String> {
        let trace = cluster.record(&origin(self.game, &self.setup, "processes"), path, None);
        let directory = PrivateDirectory::new("suite").map_err(|error| error.to_string())?;
        let options = ReplayOptions {
            program: self.program.clone(),
            base_port: None,
            step_limit: self.step_limit,
            directory: directory.path(),
        };
        let outcome = replay(&trace, &options, &Stop::new()).map_err(|error| error.to_string())?;
        Ok(match &outcome {
            Outcome::Agrees { .. } => None,
            Outcome::Differs { step, .. } => {
                let what = "every process does what the game does".to_owned();
                Some((*step, Mismatch { what, found: outcome.to_string() }))
            }
        })
    }

    /// An execution up to where a process differs.
    fn record(
        &self,
        cluster: &Cluster<G::Protocol>,
        path: &[Choice],
        mismatch: &Mismatch,
    ) -> Result<Trace, GameError> {
        let origin = origin(self.game, &self.setup, "processes");
        let mut trace = cluster.record(&origin, path, None);
        trace.header.guarantee = Some(Guarantee {
            name: mismatch.what.clone(),
            kind: GuaranteeKind::Always,
            reads: Vec::new(),
            finding: Some(mismatch.found.clone()),
        });
        trace.header.verdict = Verdict::Violated;
        annotated(self.game, &self.setup, cluster, trace)
    }
}

/// The folder of what only processes do wrong.
const PROCESSES: &str = "processes";
/// The most replays that shrinking takes, unless said otherwise.
const REPLAYS_MAX: u64 = 100;

impl<G: Game> fmt::Debug for ProcessSuite<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSuite")
            .field("game", &self.game.name())
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
