use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use cadre_model::consistency::{Specification, draw, tell};
use cadre_proptest::{RaceFailure, RaceOptions, RaceVerdict, Service, race, race_along};
use cadre_trace::{
    Action, Event, Guarantee, GuaranteeKind, Happening, Header, Json, Recorder, Request, Snapshot,
    Trace, Verdict,
};

use super::persisted::{self, Replayed, SuiteReport};
use crate::save;

/// A system of one's own that several clients call at once: what they are answered is to be
/// linearizable.
///
/// Clients are threads; how they meet is chance, so that each plan of calls is carried out many
/// times. A plan that has failed is shrunk, saved, and carried out again first in later runs.
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
///
/// use cadre::model::consistency::Outcome;
/// use cadre::model::consistency::objects::{Answer, Counter, CounterOperation};
/// use cadre::proptest::Service;
/// use cadre::testing::ParallelSuite;
///
/// struct Locked(Mutex<i64>);
///
/// impl Service<Counter> for Locked {
///     fn call(&self, _: usize, operation: &CounterOperation) -> Outcome<Answer<i64>> {
///         let mut sum = self.0.lock().unwrap();
///         Outcome::Answered(match operation {
///             CounterOperation::Add(number) => { *sum += number; Answer::Done }
///             CounterOperation::Read => Answer::Value(*sum),
///         })
///     }
/// }
///
/// let make = || Locked(Mutex::new(0));
/// let calls = |_| vec![CounterOperation::Add(1), CounterOperation::Read];
/// ParallelSuite::new("counter", Counter, make, calls, "traces".as_ref()).run();
/// ```
pub struct ParallelSuite<S, F, C> {
    name: String,
    specification: S,
    make: F,
    alphabet: C,
    traces: PathBuf,
    options: RaceOptions,
    refuses_stale: bool,
}

impl<S, V, F, C> ParallelSuite<S, F, C>
where
    S: Specification,
    S::Operation: Clone + Display + Send + Sync,
    S::Answer: Display + Send,
    V: Service<S>,
    F: Fn() -> V,
    C: Fn(usize) -> Vec<S::Operation>,
{
    /// A suite of [as many](RaceOptions::default) plans as is usual.
    ///
    /// `make` makes a new system, and `alphabet` says what a client may call.
    pub fn new(name: &str, specification: S, make: F, alphabet: C, traces: &Path) -> Self {
        Self {
            name: name.to_owned(),
            specification,
            make,
            alphabet,
            traces: traces.to_owned(),
            options: RaceOptions::default(),
            refuses_stale: false,
        }
    }

    /// How much is tried.
    #[must_use]
    pub fn options(mut self, options: RaceOptions) -> Self {
        self.options = options;
        self
    }

    /// Fails where a saved plan has calls that nobody may make any more, instead of reporting it.
    #[must_use]
    pub fn refuse_stale(mut self) -> Self {
        self.refuses_stale = true;
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    ///
    /// Where a history is not linearizable, a call panics, or the suite makes no sense.
    #[track_caller]
    pub fn run(self) -> SuiteReport {
        self.check().unwrap_or_else(|story| panic!("{story}"))
    }

    /// Runs the suite.
    ///
    /// # Errors
    ///
    /// Where [`run`](ParallelSuite::run) panics: the whole story.
    pub fn check(self) -> Result<SuiteReport, String> {
        let RaceOptions { clients, calls, cases, rounds, .. } = self.options;
        if [clients, calls, cases as usize, rounds as usize].contains(&0) {
            return Err(format!(
                "expected at least one client, call, plan and round, found {clients}, {calls}, \
                 {cases} and {rounds}"
            ));
        }
        let mut replayed = Vec::new();
        for (file, trace) in persisted::read(&self.traces, &self.name)? {
            replayed.push(self.replay(file, &trace)?);
        }
        let raced = race(&self.specification, &self.make, &self.alphabet, &self.options);
        if let Some(failure) = raced.failure {
            let saved = match save(&self.record(&failure), &self.traces) {
                Ok(path) => path.display().to_string(),
                Err(error) => format!("not saved: {error}"),
            };
            return Err(format!("{}\nsaved    {saved}", told(&failure)));
        }
        let (cases, steps, unknown) = (raced.cases_run, raced.rounds_run, raced.unknown);
        let report = SuiteReport { replayed, cases, steps, unknown, ..SuiteReport::default() };
        report.fresh(self.refuses_stale)
    }

    /// Carries out a saved plan again, as far as its calls can still be made.
    fn replay(&self, file: PathBuf, trace: &Trace) -> Result<Replayed, String> {
        let (mut plan, mut missing) = (Vec::new(), Vec::new());
        for step in &trace.steps {
            let call = call_of(&step.action).and_then(|(client, told)| {
                let known = (self.alphabet)(client);
                let operation = known.into_iter().find(|known| known.to_string() == told)?;
                Some((client, operation))
            });
            match call {
                Some(call) => plan.push(call),
                None => missing.push(format!("step {}, `{}`, is no call", step.step, step.action)),
            }
        }
        let rounds = self.options.rounds.saturating_mul(REPLAY_ROUNDS);
        let options = RaceOptions { rounds, ..self.options.clone() };
        match race_along(&self.specification, &self.make, &plan, &options) {
            None => Ok(Replayed { file, missing }),
            Some(failure) => Err(persisted::again(&file, &told(&failure))),
        }
    }

    /// The calls of a plan as a trace; how they met is not part of it.
    fn record(&self, failure: &RaceFailure<S>) -> Trace {
        let guarantee = Guarantee {
            name: name_of(failure).to_owned(),
            kind: GuaranteeKind::Always,
            reads: Vec::new(),
            finding: Some(because(failure)),
        };
        let mut recorder = Recorder::new(Header {
            protocol: self.name.clone(),
            setup: BTreeMap::new(),
            origin: "clients".to_owned(),
            nodes: vec![SYSTEM.to_owned()],
            network: "none".to_owned(),
            guarantee: Some(guarantee),
            verdict: Verdict::Violated,
            initial: Snapshot::default(),
            spec: None,
            loop_from: None,
        });
        let mut made: BTreeMap<usize, u32> = BTreeMap::new();
        for (client, operation) in &failure.plan {
            let number = made.entry(*client).or_default();
            let id = Request { client: client.to_string(), number: *number };
            *number += 1;
            let request = Json::from(operation.to_string());
            recorder.record(Happening {
                action: Action::Invoke {
                    id: id.clone(),
                    node: SYSTEM.to_owned(),
                    request: request.clone(),
                },
                event: Some(Event::Request { id, request }),
                effects: Vec::new(),
                after: Snapshot::default(),
                failure: None,
                at_us: None,
                spec: None,
            });
        }
        recorder.finish(|_| {})
    }
}

/// What the system is called in traces.
const SYSTEM: &str = "system";
/// How much more often a saved plan is carried out than one that is only tried.
const REPLAY_ROUNDS: u32 = 10;
/// The most lines of a drawing.
const LINES_MAX: usize = 16;

/// The client and the operation of a call that a trace tells.
fn call_of(action: &Action) -> Option<(usize, &str)> {
    match action {
        Action::Invoke { id, request, .. } => Some((id.client.parse().ok()?, request.as_str()?)),
        _ => None,
    }
}

fn name_of<S: Specification>(failure: &RaceFailure<S>) -> &'static str {
    match failure.why {
        RaceVerdict::NotLinearizable(_) => "what clients are answered is linearizable",
        RaceVerdict::Panicked(_) => "no call panics",
    }
}

fn names<S: Specification>(failure: &RaceFailure<S>) -> Vec<String> {
    (0..failure.history.processes()).map(|client| format!("client {client}")).collect()
}

/// Why the history is wrong, in some sentences.
fn because<S: Specification>(failure: &RaceFailure<S>) -> String
where
    S::Operation: Display,
    S::Answer: Display,
{
    match &failure.why {
        RaceVerdict::Panicked(panic) => panic.clone(),
        RaceVerdict::NotLinearizable(explained) => match &explained.violation {
            Some(violation) => tell(&failure.history, violation, &names(failure)),
            None => "no order of the calls explains the answers".to_owned(),
        },
    }
}

/// What is said of a failure.
fn told<S: Specification>(failure: &RaceFailure<S>) -> String
where
    S::Operation: Display,
    S::Answer: Display,
{
    let (before, after) = (failure.calls_before_shrinking, failure.plan.len());
    let operations: Vec<usize> = (0..failure.history.calls().len()).collect();
    let drawing = draw(&failure.history, &operations, &names(failure), LINES_MAX);
    format!(
        "\nviolated  {}   shrunk from {before} calls, {after} calls\n\n{drawing}\nbecause  {}\n",
        name_of(failure),
        because(failure)
    )
}

impl<S, F, C> fmt::Debug for ParallelSuite<S, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelSuite").field("name", &self.name).finish_non_exhaustive()
    }
}
