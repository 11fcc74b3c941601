use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cadre_model::{ActionOf, Choice, Cluster, Configuration, Model, Unresolved, View};
use cadre_proptest::{FuzzOptions, permitting};
use cadre_trace::{Trace, Verdict};

use super::persisted::{self, Replayed, SuiteReport};
use super::{retold, story};
use crate::fuzzed::fuzzed;
use crate::suite::origin;
use crate::{AnyGame, Fuzzed, Game, GameError, Setup};

/// Random executions of a game: its workload and its faults together, by weights and under
/// preconditions.
///
/// What failed in earlier runs is executed again first. What fails is shrunk until no step can be
/// spared, and saved.
///
/// # Examples
///
/// A test of a game of one's own reads so:
///
/// ```
/// use cadre::Game;
/// use cadre::testing::PropertySuite;
///
/// fn survives_crashes(game: &impl Game) {
///     let setup = cadre::Setup::new(game, None, None).expect("the usual setup");
///     PropertySuite::new(game, &setup, "traces".as_ref())
///         .cases(500)
///         .weight("crash", 3)
///         .permitting(|view, _| view.nodes().any(|node| view.is_up(node)))
///         .run();
/// }
/// ```
pub struct PropertySuite<'a, G: Game> {
    game: &'a G,
    setup: Setup,
    traces: PathBuf,
    options: FuzzOptions,
    weights: Vec<(String, u32)>,
    is_steady: bool,
    refuses_stale: bool,
    permits: Box<Permits<G>>,
}

/// Whether an action may be taken.
type Permits<G> =
    dyn Fn(&View<<G as Game>::Protocol>, &ActionOf<<G as Game>::Protocol>) -> bool + Send + Sync;

impl<'a, G: Game> PropertySuite<'a, G> {
    /// A suite of 256 executions of at most 100 steps, whose failures are kept below a directory.
    pub fn new(game: &'a G, setup: &Setup, traces: &Path) -> Self {
        Self {
            game,
            setup: setup.clone(),
            traces: traces.to_owned(),
            options: FuzzOptions::default(),
            weights: Vec::new(),
            is_steady: false,
            refuses_stale: false,
            permits: Box::new(|_, _| true),
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

    /// Uses the same weights in every execution, instead of varying them.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.is_steady = true;
        self
    }

    /// Takes an action only where this is true; where it was said before, both.
    #[must_use]
    pub fn permitting<F>(mut self, permits: F) -> Self
    where
        F: Fn(&View<G::Protocol>, &ActionOf<G::Protocol>) -> bool + Send + Sync + 'static,
    {
        let earlier = self.permits;
        self.permits = Box::new(move |view, action| earlier(view, action) && permits(view, action));
        self
    }

    /// Fails where steps of a saved failure cannot be taken any more, instead of reporting them.
    #[must_use]
    pub fn refuse_stale(mut self) -> Self {
        self.refuses_stale = true;
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    ///
    /// Where a guarantee is violated, or the suite makes no sense.
    #[track_caller]
    pub fn run(self) -> SuiteReport {
        self.check().unwrap_or_else(|story| panic!("{story}"))
    }

    /// Runs the suite.
    ///
    /// # Errors
    ///
    /// Where [`run`](PropertySuite::run) panics: the whole story.
    pub fn check(self) -> Result<SuiteReport, String> {
        if self.options.cases == 0 {
            return Err("expected at least one execution to try, found 0".to_owned());
        }
        let told = |error: GameError| error.to_string();
        let weights = self.game.weights(&self.setup, &self.weights).map_err(told)?;
        let weights = if self.is_steady { weights.steady() } else { weights };
        let Self { game, setup, traces, options, refuses_stale, permits, .. } = self;
        let options = FuzzOptions { weights, ..options };
        let cluster = setup.cluster(game).map_err(|error| told(error.into()))?;
        let mut replayed = Vec::new();
        for (file, trace) in persisted::read(&traces, game.name())? {
            let is_of_setup = trace.header.setup == setup.to_parameters();
            if is_of_setup && trace.header.verdict == Verdict::Violated {
                replayed.push(replay(game, &setup, &cluster, file, &trace)?);
            }
        }
        let permits = move |cluster: &Cluster<G::Protocol>, at: &Configuration, action: &Choice| {
            let action = cluster.describe(*action);
            cluster.with_view(at, |view| permits(view, &action))
        };
        let model = Rc::new(permitting(cluster, permits));
        let outcome = cadre_proptest::fuzz(&model, &options, &mut |_| true);
        let found = fuzzed(game, &setup, model.model(), outcome).map_err(told)?;
        if let Some((trace, before)) = &found.violation {
            return Err(story(trace, &format!("shrunk from {before}"), &traces));
        }
        let Fuzzed { cases, steps, reached, .. } = found;
        SuiteReport { replayed, cases, steps, reached, unknown: 0 }.fresh(refuses_stale)
    }
}

/// Executes a saved failure again, as far as that is possible, and judges each configuration on the
/// way.
fn replay<G: Game>(
    game: &G,
    setup: &Setup,
    cluster: &Cluster<G::Protocol>,
    file: PathBuf,
    trace: &Trace,
) -> Result<Replayed, String> {
    let (path, missing) = cluster.path_by_name(trace.schedule());
    let guarantees = 0..cluster.guarantees().len();
    let violated =
        |at: &Configuration| guarantees.clone().find(|guarantee| cluster.violates(*guarantee, at));
    let mut at = cluster.initial().clone();
    let mut found = violated(&at).map(|guarantee| (guarantee, 0));
    for (taken, choice) in (1..).zip(&path) {
        if found.is_some() {
            break;
        }
        at = cluster.carried_out(&at, *choice);
        found = violated(&at).map(|guarantee| (guarantee, taken));
    }
    if let Some((guarantee, taken)) = found {
        let judged = Some((guarantee, Verdict::Violated));
        let again = cluster.record(&origin(game, setup, "replay"), &path[..taken], judged);
        return Err(persisted::again(&file, &retold(&again)));
    }
    if missing.is_empty() && trace.header.guarantee.is_some() {
        // What only an endless execution violates.
        let again =
            game.reexecute(trace).map_err(|error| format!("{}: {error}", file.display()))?;
        if again.trace.header.verdict == Verdict::Violated {
            return Err(persisted::again(&file, &retold(&again.trace)));
        }
    }
    let missing = missing.iter().map(Unresolved::to_string).collect();
    Ok(Replayed { file, missing })
}

impl<G: Game> fmt::Debug for PropertySuite<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropertySuite")
            .field("game", &self.game.name())
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
