use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cadre_process::Stop;
use cadre_trace::{
    Action, Command, Difference, Effect, Envelope, Event, Fault, Json, Kept, LoggedStep, Misread,
    NodeSnapshot, Snapshot, Stamp, Status, Step, Trace,
};

use crate::child::{Answer, Child, Launcher};
use crate::compare::Taken;
use crate::gate::Gate;
use crate::merge::envelopes;
use crate::{Outcome, ReplayError, ReplayOptions, Site};

/// Carries out the schedule of a trace against one real process for each node, and compares after
/// each step what the process did with what the trace says: event, effects, memory, timers and
/// disk, and that each message has really been sent.
///
/// A crash is a SIGKILL; a restart is a new process on the same disk. Messages pass through a gate
/// that holds each one until the trace delivers it.
///
/// # Examples
///
/// ```no_run
/// use cadre_process::{PrivateDirectory, Program, Stop};
/// use cadre_replay::{Outcome, ReplayOptions, replay};
/// use cadre_trace::Trace;
///
/// let trace = Trace::from_ndjson(&std::fs::read_to_string("counterexample.ndjson")?)?;
/// let directory = PrivateDirectory::new("replay")?;
/// let options = ReplayOptions {
///     program: Program::new("my-node"),
///     base_port: None,
///     step_limit: ReplayOptions::STEP_LIMIT,
///     directory: directory.path(),
/// };
/// let outcome = replay(&trace, &options, &Stop::new())?;
/// assert!(matches!(outcome, Outcome::Agrees { .. }), "{outcome}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Where a process cannot be started, dies, hangs or says something else than it should, where the
/// trace contradicts itself, and on a stop. A process that does its own thing well is no error but
/// an [`Outcome::Differs`].
pub fn replay(
    trace: &Trace,
    options: &ReplayOptions<'_>,
    stop: &Stop,
) -> Result<Outcome, ReplayError> {
    let launcher = Launcher {
        program: &options.program,
        names: &trace.header.nodes,
        base_port: options.base_port,
        limit: options.step_limit,
        directory: options.directory,
        stop,
    };
    launcher.check()?;
    let mut replay = Replay {
        trace,
        launcher,
        gate: Gate::open()?,
        children: BTreeMap::new(),
        starts: BTreeMap::new(),
        current: trace.header.initial.clone(),
    };
    if let Some(divergence) = replay.start_all()? {
        return Ok(divergence.at(0, None));
    }
    for step in &trace.steps {
        if let Some(divergence) = replay.step(step)? {
            return Ok(divergence.at(step.step, Some(&step.action)));
        }
    }
    let last = trace.steps.last();
    match replay.end()? {
        Some(divergence) => Ok(divergence.at(trace.steps.len(), last.map(|step| &step.action))),
        None => Ok(Outcome::Agrees { steps: trace.steps.len() }),
    }
}

/// A replay that is under way.
struct Replay<'a> {
    trace: &'a Trace,
    launcher: Launcher<'a>,
    gate: Gate,
    /// The processes that run, by node.
    children: BTreeMap<String, Child>,
    /// How often each node has been started.
    starts: BTreeMap<String, usize>,
    /// The configuration as the trace has it.
    current: Snapshot,
}

/// How a process has departed from the trace.
struct Divergence {
    node: String,
    differences: Vec<Difference>,
    log: PathBuf,
}

impl Replay<'_> {
    /// Starts all nodes and compares their starts with the initial configuration.
    fn start_all(&mut self) -> Result<Option<Divergence>, ReplayError> {
        let at = Site::Start;
        let initial = &self.trace.header.initial;
        let is_up =
            |name: &str| initial.nodes.get(name).is_some_and(|node| node.status != Status::Down);
        let names: Vec<String> =
            self.trace.header.nodes.iter().filter(|name| is_up(name)).cloned().collect();
        for name in &names {
            self.launch(name, &at)?;
        }
        for name in &names {
            self.admit(name, None, &at)?;
        }
        let mut sent = Vec::new();
        for name in &names {
            let found = match self.child(name, &at)?.await_answer(&at)? {
                Answer::Step(found) => found,
                Answer::Refused(why) => {
                    let differences = vec![refusal(name, "its start", &why)];
                    return Ok(Some(divergence(self.child(name, &at)?, differences)));
                }
            };
            let expected = Taken {
                action: None,
                event: Some(&Event::Start),
                effects: &found.effects,
                failure: initial_failure(&initial.nodes[name], &found),
                after: &initial.nodes[name],
            };
            let differences = expected.compare(name, &Taken::reported(&found));
            if !differences.is_empty() {
                return Ok(Some(divergence(self.child(name, &at)?, differences)));
            }
            sent.push((name.clone(), found.effects));
        }
        self.start_messages(&sent, &at)
    }

    /// Compares the messages that the starts have sent with those in flight at first.
    fn start_messages(
        &mut self,
        sent: &[(String, Vec<Effect>)],
        at: &Site,
    ) -> Result<Option<Divergence>, ReplayError> {
        for (name, effects) in sent {
            if let Some(divergence) = self.claim_messages(name, effects, at)? {
                return Ok(Some(divergence));
            }
            for envelope in envelopes(name, effects) {
                if !self.trace.header.initial.network.contains(&envelope) {
                    let differences = vec![surplus_message(&envelope)];
                    return Ok(Some(divergence(self.child(name, at)?, differences)));
                }
            }
        }
        let added = self.trace.header.initial.network.clone();
        let change = cadre_trace::Change { added, ..cadre_trace::Change::default() };
        if let Err(missing) = self.gate.follow(&change) {
            let differences = vec![missing_message(&missing)];
            return Ok(Some(divergence(self.child(&missing.from, at)?, differences)));
        }
        Ok(None)
    }

    /// Carries out one step and compares.
    fn step(&mut self, step: &Step) -> Result<Option<Divergence>, ReplayError> {
        let at = Site::Step { step: step.step, action: Box::new(step.action.clone()) };
        let found = self.carry_out(step, &at)?;
        self.current.apply(&step.change);
        if let Some((name, answer)) = found {
            let after = self.current.nodes.get(&name).ok_or_else(|| ReplayError::Trace {
                step: step.step,
                why: format!("no configuration of the trace has node {name}"),
            })?;
            let is_interrupted = matches!(step.action, Action::Fault(Fault::Interrupt { .. }));
            let differences = match &answer {
                Answer::Step(found) if is_interrupted => {
                    let after_kill = killed(&found.after);
                    let found = Taken { after: &after_kill, ..Taken::reported(found) };
                    Taken::expected(step, after).compare(&name, &found)
                }
                Answer::Step(found) => {
                    Taken::expected(step, after).compare(&name, &Taken::reported(found))
                }
                Answer::Refused(why) => vec![refusal(&name, &step.action.to_string(), why)],
            };
            if !differences.is_empty() {
                return Ok(Some(divergence(self.child(&name, &at)?, differences)));
            }
            if let Some(divergence) = self.claim_messages(&name, &step.effects, &at)? {
                return Ok(Some(divergence));
            }
            if is_interrupted {
                self.kill(&name, &at)?;
            }
        }
        if let Some(frame) = self.gate.unclaimed(&at)? {
            let envelope = frame.envelope();
            let differences = vec![surplus_message(&envelope)];
            return Ok(Some(divergence(self.child(&envelope.from, &at)?, differences)));
        }
        self.gate.follow(&step.change).map_err(|missing| ReplayError::Trace {
            step: step.step,
            why: format!("{missing} comes to be in flight, but nobody sends it"),
        })?;
        Ok(None)
    }

    /// Does what the surroundings do in a step; the answer of the node that steps, if one does.
    fn carry_out(
        &mut self,
        step: &Step,
        at: &Site,
    ) -> Result<Option<(String, Answer)>, ReplayError> {
        let (name, command) = match &step.action {
            Action::Deliver(envelope) => return self.deliver(step, envelope, at),
            Action::Fault(fault) => return self.suffer(step, fault, at),
            // The processes do not see time but for their timers, and these the schedule lets go.
            Action::Tick => return Ok(None),
            Action::Choose { node, timer } => (node, Command::Choose { timer: timer.clone() }),
            Action::Fire { node, timer } => (node, Command::Fire { timer: timer.clone() }),
            Action::SyncDone { node } => (node, Command::SyncDone),
            Action::Invoke { id, node, request } => {
                (node, Command::Request { id: id.clone(), request: request.clone() })
            }
        };
        if step.event.is_none() {
            return Ok(None);
        }
        let child = self.child(name, at)?;
        child.command(&command, at)?;
        Ok(Some((name.clone(), child.await_answer(at)?)))
    }

    /// Does to the processes what a fault does to their nodes.
    fn suffer(
        &mut self,
        step: &Step,
        fault: &Fault,
        at: &Site,
    ) -> Result<Option<(String, Answer)>, ReplayError> {
        match fault {
            // What the gate does not pass on, or passes on once more.
            Fault::Drop(_)
            | Fault::Burst(_)
            | Fault::Duplicate(_)
            | Fault::Replay(_)
            | Fault::Partition { .. }
            | Fault::Heal
            // A process that is given nothing to do is paused, and its clock is not asked.
            | Fault::Pause { .. }
            | Fault::Resume { .. }
            | Fault::Jump { .. } => Ok(None),
            Fault::Corrupt { envelope, into } => {
                let altered = Envelope { message: into.clone(), ..envelope.clone() };
                self.gate.make_up(&altered, stamp(step));
                Ok(None)
            }
            Fault::Forge(envelope) => {
                self.gate.make_up(envelope, stamp(step));
                Ok(None)
            }
            Fault::Crash { node, kept } => {
                self.kill_keeping(node, kept, at)?;
                Ok(None)
            }
            Fault::CrashGroup { nodes } => {
                for node in nodes {
                    if self.children.contains_key(node) {
                        self.kill(node, at)?;
                    }
                }
                Ok(None)
            }
            Fault::Restart { node, misread } => {
                self.restart(node, misread.clone(), at).map(Some)
            }
            Fault::CrashRestart { node, kept } => {
                self.kill_keeping(node, kept, at)?;
                self.restart(node, None, at).map(Some)
            }
            Fault::SyncFail { node, error } => {
                let child = self.child(node, at)?;
                child.command(&Command::SyncFail { error: *error }, at)?;
                Ok(Some((node.clone(), child.await_answer(at)?)))
            }
            Fault::Interrupt { of, effects } => {
                if let Some(node) = of.node() {
                    self.child(node, at)?.command(&Command::Interrupt { effects: *effects }, at)?;
                }
                let step = Step { action: of.as_ref().clone(), ..step.clone() };
                self.carry_out(&step, at)
            }
        }
    }

    /// Kills a process after some of its un-synced writes have reached the disk.
    fn kill_keeping(&mut self, name: &str, kept: &Kept, at: &Site) -> Result<(), ReplayError> {
        if !kept.is_nothing() {
            self.child(name, at)?.keep(kept, at)?;
        }
        self.kill(name, at)
    }

    fn deliver(
        &mut self,
        step: &Step,
        envelope: &Envelope,
        at: &Site,
    ) -> Result<Option<(String, Answer)>, ReplayError> {
        let frame = self.gate.find(envelope).cloned().ok_or_else(|| ReplayError::Trace {
            step: step.step,
            why: format!("{envelope} is delivered, but is not in flight"),
        })?;
        // A message for a node that does not run is consumed by nobody.
        if step.event.is_none() {
            return Ok(None);
        }
        let child = self.child(&envelope.to, at)?;
        child.deliver(&frame, at)?;
        Ok(Some((envelope.to.clone(), child.await_answer(at)?)))
    }

    fn kill(&mut self, name: &str, at: &Site) -> Result<(), ReplayError> {
        self.child(name, at)?;
        self.children.remove(name).map_or(Ok(()), |child| child.kill(at))
    }

    fn restart(
        &mut self,
        name: &str,
        misread: Option<Misread>,
        at: &Site,
    ) -> Result<(String, Answer), ReplayError> {
        self.launch(name, at)?;
        self.admit(name, misread, at)?;
        let answer = self.child(name, at)?.await_answer(at)?;
        Ok((name.to_owned(), answer))
    }

    /// Starts the process of a node.
    fn launch(&mut self, name: &str, at: &Site) -> Result<(), ReplayError> {
        let node = self.trace.header.nodes.iter().position(|known| known == name);
        let node = node.ok_or_else(|| unknown(name, at))?;
        let starts = self.starts.entry(name.to_owned()).or_default();
        let child = self.launcher.start(node, *starts, at)?;
        *starts += 1;
        self.children.insert(name.to_owned(), child);
        Ok(())
    }

    /// Waits until the process listens and lets it start its node.
    fn admit(
        &mut self,
        name: &str,
        misread: Option<Misread>,
        at: &Site,
    ) -> Result<(), ReplayError> {
        let gate = self.gate.address();
        let nodes = self.trace.header.nodes.iter();
        let addresses: BTreeMap<String, SocketAddr> =
            nodes.map(|name| (name.clone(), gate)).collect();
        let child = self.child(name, at)?;
        child.await_listening(at)?;
        child.invite(addresses, misread, at)
    }

    /// Waits for the messages that a node says to have sent.
    fn claim_messages(
        &mut self,
        name: &str,
        effects: &[Effect],
        at: &Site,
    ) -> Result<Option<Divergence>, ReplayError> {
        for envelope in envelopes(name, effects) {
            let Launcher { limit, stop, .. } = self.launcher;
            if !self.gate.claim(&envelope, limit, stop, at)? {
                let differences = vec![missing_message(&envelope)];
                return Ok(Some(divergence(self.child(name, at)?, differences)));
            }
        }
        Ok(None)
    }

    /// Ends all processes; none may have taken a step that nobody asked for.
    fn end(mut self) -> Result<Option<Divergence>, ReplayError> {
        let at = Site::End;
        for child in self.children.values_mut() {
            child.command(&Command::Stop, &at)?;
        }
        for child in self.children.values_mut() {
            if let Some(answer) = child.last_answer(&at)? {
                let found = match answer {
                    Answer::Step(step) => format!("a step nobody asked for: {:?}", step.event),
                    Answer::Refused(why) => format!("a refusal nobody asked for: {why}"),
                };
                let differences = vec![Difference {
                    path: format!("{}.report", child.name()),
                    before: None,
                    after: Some(Json::String(found)),
                }];
                return Ok(Some(divergence(child, differences)));
            }
        }
        Ok(None)
    }

    fn child(&mut self, name: &str, at: &Site) -> Result<&mut Child, ReplayError> {
        self.children.get_mut(name).ok_or_else(|| unknown(name, at))
    }
}

impl Divergence {
    fn at(self, step: usize, action: Option<&Action>) -> Outcome {
        let Self { node, differences, log } = self;
        let action = action.map(|action| Box::new(action.clone()));
        Outcome::Differs { step, action, node, differences, log }
    }
}

fn divergence(child: &Child, differences: Vec<Difference>) -> Divergence {
    Divergence { node: child.name().to_owned(), differences, log: child.log().to_path_buf() }
}

/// What is left of a node once it is killed.
fn killed(node: &NodeSnapshot) -> NodeSnapshot {
    NodeSnapshot {
        status: Status::Down,
        state: Json::Null,
        timers: Vec::new(),
        due: Vec::new(),
        disk: node.disk.clone(),
        unsynced: Vec::new(),
    }
}

fn stamp(step: &Step) -> Stamp {
    Stamp { lamport: step.lamport, clock: step.clock.clone() }
}

/// The initial configuration does not keep the reason of a failure; that of the process will do.
fn initial_failure<'a>(expected: &NodeSnapshot, found: &'a LoggedStep) -> Option<&'a str> {
    match expected.status {
        Status::Failed => Some(found.failure.as_deref().unwrap_or("the start fails")),
        Status::Up | Status::Paused | Status::Down => None,
    }
}

fn missing_message(envelope: &Envelope) -> Difference {
    let before = Some(Json::String(envelope.to_string()));
    Difference { path: "network".to_owned(), before, after: None }
}

fn surplus_message(envelope: &Envelope) -> Difference {
    let after = Some(Json::String(envelope.to_string()));
    Difference { path: "network".to_owned(), before: None, after }
}

fn refusal(name: &str, asked: &str, why: &str) -> Difference {
    Difference {
        path: format!("{name}.report"),
        before: Some(Json::String(asked.to_owned())),
        after: Some(Json::String(format!("refused: {why}"))),
    }
}

fn unknown(name: &str, at: &Site) -> ReplayError {
    let step = match at {
        Site::Step { step, .. } => *step,
        Site::Start | Site::FreeRun | Site::End => 0,
    };
    ReplayError::Trace { step, why: format!("node {name} does not run") }
}
