//! Two-phase commit, once more and independently: what the tests feed to TLC.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use cadre_conform::{ConformError, Options, Report, Spec, SpecAction, SpecStep, SpecTrace, check};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Contents, Engine, Find, Tlc, Value, find};

/// The TLC which the tests share: that of the user's cache, installed if it is not there.
pub(crate) fn tlc() -> &'static Tlc {
    static TLC: OnceLock<Tlc> = OnceLock::new();
    TLC.get_or_init(|| find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is found"))
}

/// What the tests check with: TLC, and beside it the engine without a JVM where that is built.
#[cfg(not(feature = "embedded"))]
pub(crate) fn engine() -> &'static dyn Engine {
    tlc()
}

/// What the tests check with: TLC, and beside it the engine without a JVM.
#[cfg(feature = "embedded")]
pub(crate) fn engine() -> &'static dyn Engine {
    static BOTH: OnceLock<crate::both::Both> = OnceLock::new();
    BOTH.get_or_init(|| crate::both::Both { tlc: tlc() })
}

/// Checks in a directory that is gone afterwards.
pub(crate) fn check_in_private(spec: &Spec, traces: &[SpecTrace]) -> Result<Report, ConformError> {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    check_in(spec, traces, directory.path())
}

pub(crate) fn check_in(
    spec: &Spec,
    traces: &[SpecTrace],
    directory: &Path,
) -> Result<Report, ConformError> {
    check(spec, traces, engine(), directory, &Options::default(), &Stop::new())
}

pub(crate) fn file(name: &str) -> (String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tla/TwoPhase");
    let text = std::fs::read_to_string(folder.join(name)).expect("the specification is there");
    (name.into(), text)
}

/// What the parser of TLA+ says about a module.
pub(crate) fn contents(files: &[(String, String)], module: &str) -> Contents {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).expect("the module is written");
    }
    tlc().contents(directory.path(), module, &Stop::new()).expect("the module parses")
}

/// Two-phase commit with so many resource managers.
pub(crate) fn two_phase(managers: usize) -> Spec {
    Spec {
        name: "TwoPhase".into(),
        trace_module: "TraceTwoPhase".into(),
        files: vec![file("TwoPhase.tla"), file("TraceTwoPhase.tla")],
        constants: [("RM".to_string(), Value::set((1..=managers).map(manager)))].into(),
        variables: ["rmState", "tmState", "tmPrepared", "msgs"].map(String::from).into(),
        invariants: vec!["TypeOK".into(), "Consistent".into()],
        temporal: None,
    }
}

pub(crate) fn manager(number: usize) -> Value {
    Value::model(format!("rm{number}"))
}

/// A state of the protocol, and how it steps.
#[derive(Clone)]
pub(crate) struct Simulation {
    rm: Vec<&'static str>,
    tm: &'static str,
    prepared: BTreeSet<usize>,
    sent_prepared: BTreeSet<usize>,
    decision: Option<&'static str>,
}

pub(crate) type Event = (&'static str, Option<usize>);

impl Simulation {
    pub(crate) fn new(managers: usize) -> Self {
        Self {
            rm: vec!["working"; managers],
            tm: "init",
            prepared: BTreeSet::new(),
            sent_prepared: BTreeSet::new(),
            decision: None,
        }
    }

    /// The events that are possible and change something.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.tm == "init" {
            if self.prepared.len() == self.rm.len() {
                events.push(("TMCommit", None));
            }
            events.push(("TMAbort", None));
            let unheard = self.sent_prepared.difference(&self.prepared);
            events.extend(unheard.map(|r| ("TMRcvPrepared", Some(*r))));
        }
        for (r, state) in self.rm.iter().enumerate() {
            if *state == "working" {
                events.push(("RMPrepare", Some(r)));
                events.push(("RMChooseToAbort", Some(r)));
            }
            match self.decision {
                Some("Commit") if *state != "committed" => events.push(("RMRcvCommitMsg", Some(r))),
                Some("Abort") if *state != "aborted" => events.push(("RMRcvAbortMsg", Some(r))),
                _ => {}
            }
        }
        events
    }

    pub(crate) fn take(&mut self, (name, r): Event) {
        let index = r.unwrap_or_default();
        match name {
            "TMCommit" => (self.tm, self.decision) = ("committed", Some("Commit")),
            "TMAbort" => (self.tm, self.decision) = ("aborted", Some("Abort")),
            "TMRcvPrepared" => drop(self.prepared.insert(index)),
            "RMPrepare" => {
                self.rm[index] = "prepared";
                self.sent_prepared.insert(index);
            }
            "RMRcvCommitMsg" => self.rm[index] = "committed",
            _ => self.rm[index] = "aborted",
        }
    }

    pub(crate) fn variables(&self) -> BTreeMap<String, Value> {
        let rm = self.rm.iter().enumerate();
        let prepared = self
            .sent_prepared
            .iter()
            .map(|r| Value::record([("type", "Prepared".into()), ("rm", manager(r + 1))]));
        let decision = self.decision.map(|decision| Value::record([("type", decision.into())]));
        [
            ("rmState", Value::function(rm.map(|(r, state)| (manager(r + 1), (*state).into())))),
            ("tmState", self.tm.into()),
            ("tmPrepared", Value::set(self.prepared.iter().map(|r| manager(r + 1)))),
            ("msgs", Value::set(prepared.chain(decision))),
        ]
        .map(|(name, value)| (name.to_string(), value))
        .into()
    }
}

pub(crate) fn action((name, r): Event) -> SpecAction {
    match r {
        Some(r) => SpecAction::named(name).with("rm", manager(r + 1)),
        None => SpecAction::named(name),
    }
}

/// A trace of these events, with all variables in each step.
pub(crate) fn trace(name: &str, managers: usize, events: &[Event]) -> SpecTrace {
    let mut simulation = Simulation::new(managers);
    let initial = Some(simulation.variables());
    let steps = events.iter().map(|event| {
        simulation.take(*event);
        SpecStep { action: action(*event), variables: Some(simulation.variables()) }
    });
    SpecTrace { name: name.into(), initial, steps: steps.collect() }
}

/// So many distinct runs to the end, half of them towards a commit.
pub(crate) fn random_events(managers: usize, count: usize) -> Vec<Vec<Event>> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut traces = BTreeSet::new();
    while traces.len() < count {
        let commits = traces.len() % 2 == 0;
        let mut simulation = Simulation::new(managers);
        let mut events = Vec::new();
        loop {
            let mut choices = simulation.events();
            if commits {
                choices.retain(|(name, _)| !matches!(*name, "TMAbort" | "RMChooseToAbort"));
            }
            if choices.is_empty() {
                break;
            }
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let event = choices[(random % choices.len() as u64) as usize];
            simulation.take(event);
            events.push(event);
        }
        traces.insert(events);
    }
    traces.into_iter().collect()
}

/// The traces of [`random_events`] with all variables.
pub(crate) fn random_traces(managers: usize, count: usize) -> Vec<SpecTrace> {
    let events = random_events(managers, count);
    let traces = events.iter().enumerate();
    traces.map(|(n, events)| trace(&format!("random-{n}"), managers, events)).collect()
}

/// The same traces without any variables.
pub(crate) fn without_variables(mut traces: Vec<SpecTrace>) -> Vec<SpecTrace> {
    for trace in &mut traces {
        trace.initial = None;
        trace.steps.iter_mut().for_each(|step| step.variables = None);
    }
    traces
}
