use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cadre_model::Model;
use cadre_proptest::{Differing, FuzzOptions, Mismatch, System, Weights, drive, drive_along};
use cadre_trace::{
    Action, Event, Guarantee, GuaranteeKind, Happening, Header, Json, NodeSnapshot, Recorder,
    Snapshot, Status, Trace, Verdict,
};

use super::persisted::{self, Replayed, SuiteReport};
use super::{retold, story};

/// A system of one's own, driven through random executions of a model and compared after each step.
///
/// The system may live in this process or be the client of another one. What failed in earlier runs
/// is executed again first: actions are found again by their [labels](Model::label). What fails is
/// shrunk until no action can be spared, and saved.
///
/// # Examples
///
/// A counter that forgets a number:
///
/// ```
/// use cadre::model::Model;
/// use cadre::proptest::{Mismatch, System};
/// use cadre::testing::SystemSuite;
///
/// struct Counting;
///
/// impl Model for Counting {
///     type State = u32;
///     type Action = &'static str;
///     fn init(&self) -> Vec<u32> { vec![0] }
///     fn actions(&self, _: &u32, out: &mut Vec<&'static str>) { out.extend(["add", "reset"]) }
///     fn next(&self, count: &u32, action: &&'static str) -> Option<u32> {
///         Some(if *action == "add" { count + 1 } else { 0 })
///     }
/// }
///
/// struct Counter { count: u32, skips: u32 }
///
/// impl System<Counting> for Counter {
///     fn begin(&mut self, _: &u32) { self.count = 0 }
///     fn step(&mut self, action: &&'static str, expected: &u32) -> Result<(), Mismatch> {
///         self.count = if *action == "add" { self.count + 1 } else { 0 };
///         if self.count == self.skips { self.count += 1 }
///         let what = "the counter has another value".to_owned();
///         let found = format!("expected {expected}, found {}", self.count);
///         if self.count == *expected { Ok(()) } else { Err(Mismatch { what, found }) }
///     }
/// }
///
/// # let folder = std::env::temp_dir().join(format!("cadre-counter-{}", std::process::id()));
/// # let traces = folder.as_path();
/// let counter = |skips| Counter { count: 0, skips };
/// SystemSuite::new("right-counter", Counting, counter(99), traces).steps(50).run();
/// let wrong = SystemSuite::new("wrong-counter", Counting, counter(3), traces);
/// let story = wrong.check().unwrap_err();
/// assert!(story.contains("the counter has another value: expected 3, found 4"), "{story}");
/// # std::fs::remove_dir_all(folder).unwrap();
/// ```
pub struct SystemSuite<M: Model, S> {
    name: String,
    model: Rc<M>,
    system: S,
    traces: PathBuf,
    options: FuzzOptions,
    refuses_stale: bool,
}

impl<M: Model + 'static, S: System<M>> SystemSuite<M, S> {
    /// A suite of 256 executions of at most 100 steps, whose failures are kept below a directory,
    /// in a folder of the suite's name.
    pub fn new(name: &str, model: M, system: S, traces: &Path) -> Self {
        Self {
            name: name.to_owned(),
            model: Rc::new(model),
            system,
            traces: traces.to_owned(),
            options: FuzzOptions::default(),
            refuses_stale: false,
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

    /// How likely the classes of the model's actions are.
    #[must_use]
    pub fn weights(mut self, weights: Weights) -> Self {
        self.options.weights = weights;
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
    /// Where the system differs from the model, or the suite makes no sense.
    #[track_caller]
    pub fn run(self) -> SuiteReport {
        self.check().unwrap_or_else(|story| panic!("{story}"))
    }

    /// Runs the suite.
    ///
    /// # Errors
    ///
    /// Where [`run`](SystemSuite::run) panics: the whole story.
    pub fn check(mut self) -> Result<SuiteReport, String> {
        if self.options.cases == 0 {
            return Err("expected at least one execution to try, found 0".to_owned());
        }
        let mut replayed = Vec::new();
        for (file, trace) in persisted::read(&self.traces, &self.name)? {
            replayed.push(self.replay(file, &trace)?);
        }
        let model = Rc::clone(&self.model);
        let driven = drive(&model, &mut self.system, &self.options, &mut |_| true);
        if let Some(differing) = driven.difference {
            let trace = self.record(differing.initial, &differing.path, &differing.mismatch);
            let Differing { steps_before_shrinking: before, .. } = differing;
            return Err(story(&trace, &format!("shrunk from {before}"), &self.traces));
        }
        let (cases, steps) = (driven.cases_run, driven.steps);
        SuiteReport { replayed, cases, steps, ..SuiteReport::default() }.fresh(self.refuses_stale)
    }

    /// Executes a saved failure again, as far as that is possible.
    fn replay(&mut self, file: PathBuf, trace: &Trace) -> Result<Replayed, String> {
        let initial = trace.header.setup.get(INITIAL).and_then(Json::as_u64).unwrap_or(0);
        let initial = usize::try_from(initial).unwrap_or(usize::MAX);
        let (path, missing) = self.path(initial, trace);
        let model = Rc::clone(&self.model);
        match drive_along(&*model, &mut self.system, initial, &path) {
            None => Ok(Replayed { file, missing }),
            Some((taken, mismatch)) => {
                let again = self.record(initial, &path[..taken], &mismatch);
                Err(persisted::again(&file, &retold(&again)))
            }
        }
    }

    /// The actions that a trace tells, found by their labels, and those that are not there.
    fn path(&self, initial: usize, trace: &Trace) -> (Vec<M::Action>, Vec<String>) {
        let (mut path, mut missing) = (Vec::new(), Vec::new());
        let Some(mut at) = self.model.init().into_iter().nth(initial) else {
            return (path, vec![format!("there is no initial configuration {initial}")]);
        };
        for step in &trace.steps {
            let told = label(&step.action);
            let mut enabled = Vec::new();
            self.model.actions(&at, &mut enabled);
            let known = enabled.into_iter().find(|action| self.model.label(action) == told);
            let taken = known.and_then(|action| {
                let after = self.model.next(&at, &action)?;
                Some((action, after))
            });
            match taken {
                Some((action, after)) => {
                    path.push(action);
                    at = after;
                }
                None => missing.push(format!("step {}, `{told}`, is not enabled", step.step)),
            }
        }
        (path, missing)
    }

    /// An execution of the model as a trace with one node, which is the system.
    fn record(&self, initial: usize, path: &[M::Action], mismatch: &Mismatch) -> Trace {
        let mut at = self.model.init().swap_remove(initial);
        let guarantee = Guarantee {
            name: mismatch.what.clone(),
            kind: GuaranteeKind::Always,
            reads: vec![SYSTEM.to_owned()],
            finding: Some(mismatch.found.clone()),
        };
        let mut recorder = Recorder::new(Header {
            protocol: self.name.clone(),
            setup: BTreeMap::from([(INITIAL.to_owned(), Json::from(initial))]),
            origin: "system".to_owned(),
            nodes: vec![SYSTEM.to_owned()],
            network: "none".to_owned(),
            guarantee: Some(guarantee),
            verdict: Verdict::Violated,
            initial: snapshot(&at),
            spec: None,
            loop_from: None,
        });
        for action in path {
            let Some(after) = self.model.next(&at, action) else { break };
            let timer = Json::from(self.model.label(action));
            recorder.record(Happening {
                action: Action::Choose { node: SYSTEM.to_owned(), timer: timer.clone() },
                event: Some(Event::Timeout { timer }),
                effects: Vec::new(),
                after: snapshot(&after),
                failure: None,
                at_us: None,
                spec: None,
            });
            at = after;
        }
        recorder.finish(|_| {})
    }
}

/// What the system is called in traces.
const SYSTEM: &str = "system";
/// The parameter that says in which initial configuration a trace begins.
const INITIAL: &str = "initial";

/// The label of an action that a trace tells.
fn label(action: &Action) -> String {
    match action {
        Action::Choose { timer: Json::String(label), .. } => label.clone(),
        other => other.to_string(),
    }
}

/// What the model says of the system.
fn snapshot(state: &impl fmt::Debug) -> Snapshot {
    let system = NodeSnapshot {
        status: Status::Up,
        state: Json::from(format!("{state:?}")),
        timers: Vec::new(),
        disk: BTreeMap::new(),
        unsynced: Vec::new(),
        due: Vec::new(),
    };
    let nodes = BTreeMap::from([(SYSTEM.to_owned(), system)]);
    Snapshot { nodes, ..Snapshot::default() }
}

impl<M: Model, S> fmt::Debug for SystemSuite<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemSuite").field("name", &self.name).finish_non_exhaustive()
    }
}
