use std::collections::BTreeMap;

use cadre_model::{Origin, guarded};
use cadre_step::{Effect, Effects, Event, NodeId};
use cadre_trace::{
    Action, Difference, Envelope, Fault as TraceFault, Guarantee, GuaranteeKind, Happening, Header,
    Json, Kept, NodeSnapshot, Recorder, Snapshot, Status, Trace, Verdict, diff,
};
use serde::Serialize;

use crate::{ChannelRound, FaultSet, FaultSpec, LineageError, Program, Rounds, Run};

/// What a recorded run was made with, besides the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSetup {
    /// The parameters.
    pub spec: FaultSpec,
    /// The faults, in their text form.
    pub faults: String,
}

impl RunSetup {
    /// What the header of a trace says, which [`Rounds::record`] has made.
    ///
    /// # Errors
    ///
    /// Where the header says nothing of the kind: the trace is of something else.
    pub fn of_header(header: &Header) -> Result<Self, LineageError> {
        let number = |name: &str| {
            let found = header.setup.get(name).and_then(Json::as_u64);
            found.and_then(|number| u32::try_from(number).ok())
        };
        let faults = header.setup.get(FAULTS).and_then(Json::as_str).map(str::to_owned);
        match (number(EOT), number(EFF), number(CRASHES), faults) {
            (Some(eot), Some(eff), Some(crashes), Some(faults)) => {
                Ok(Self { spec: FaultSpec { eot, eff, crashes }, faults })
            }
            _ => Err(LineageError::NoRun { protocol: header.protocol.clone() }),
        }
    }

    /// Whether a parameter of a header is one of these; the others are the program's.
    pub fn is_parameter(name: &str) -> bool {
        [EOT, EFF, CRASHES, FAULTS].contains(&name)
    }

    fn parameters(&self) -> BTreeMap<String, Json> {
        let FaultSpec { eot, eff, crashes } = self.spec;
        let numbers = [(EOT, eot), (EFF, eff), (CRASHES, crashes)];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), Json::from(number)));
        let faults = (FAULTS.to_owned(), Json::from(self.faults.as_str()));
        numbers.into_iter().chain([faults]).collect()
    }
}

/// Where two traces of one run part: the number of the step, 0 for what comes before the first, and
/// what differs there.
pub fn first_difference(recorded: &Trace, again: &Trace) -> Option<(usize, Vec<Difference>)> {
    let header = diff("", &to_json(&recorded.header), &to_json(&again.header));
    let steps = recorded.steps.iter().zip(&again.steps);
    let parting = steps.map(|(then, now)| (then.step, diff("", &to_json(then), &to_json(now))));
    let (then, now) = (recorded.steps.len(), again.steps.len());
    let length = || Difference {
        path: "steps".to_owned(),
        before: Some(Json::from(then)),
        after: Some(Json::from(now)),
    };
    parting
        .into_iter()
        .find(|(_, differences)| !differences.is_empty())
        .or_else(|| (then != now).then(|| (then.min(now), vec![length()])))
        .or_else(|| (!header.is_empty()).then_some((0, header)))
}

const EOT: &str = "eot";
const EFF: &str = "eff";
const CRASHES: &str = "crashes";
const FAULTS: &str = "faults";

impl<P: Program> Rounds<P> {
    /// The run as a trace.
    ///
    /// In each round every node that is up takes what has arrived and then the tick of the round; a
    /// tick that changes nothing and sends nothing is left out. Time passes between two rounds.
    /// What an omission loses is lost at the end of the round in which it was sent. The ticks to
    /// come are no timers of the trace, as nothing may happen to them.
    ///
    /// # Errors
    ///
    /// As [`Rounds::run`].
    pub fn record(&mut self, run: &Run, origin: &Origin) -> Result<Trace, LineageError> {
        let guarantee = match run.broken.first() {
            None => None,
            Some(broken) if run.panicked.is_some() => Some(Guarantee {
                name: broken.guarantee.clone(),
                kind: GuaranteeKind::Always,
                reads: Vec::new(),
                finding: None,
            }),
            Some(broken) => {
                let blame = self.blame(run)?;
                Some(Guarantee {
                    name: broken.guarantee.clone(),
                    kind: GuaranteeKind::PrePost,
                    reads: blame.nodes.iter().map(|node| self.name(*node)).collect(),
                    finding: Some(self.finding(&blame)),
                })
            }
        };
        let verdict = if run.is_good() { Verdict::Bounded } else { Verdict::Violated };
        let setup = RunSetup { spec: self.spec(), faults: run.faults.text(self.names()) };
        let mut parameters = origin.setup.clone();
        parameters.extend(setup.parameters());
        let header = Header {
            protocol: origin.protocol.clone(),
            setup: parameters,
            origin: origin.engine.clone(),
            nodes: self.names().to_vec(),
            network: format!("synchronous rounds, {}", self.spec()),
            guarantee,
            verdict,
            initial: self.initial(),
            spec: None,
            loop_from: None,
        };
        let mut recording = Recording::new(self, &run.faults, header);
        for round in 1..=self.spec().eot {
            if !recording.go_through(round) {
                break;
            }
        }
        Ok(recording.recorder.finish(|_| {}))
    }

    fn initial(&self) -> Snapshot {
        let node = |(state, name): (&u32, &String)| {
            let state = to_json(self.state(*state));
            let (timers, due, disk) = (Vec::new(), Vec::new(), BTreeMap::new());
            let unsynced = Vec::new();
            let status = Status::Up;
            (name.clone(), NodeSnapshot { status, state, timers, due, disk, unsynced })
        };
        let nodes = self.first().iter().zip(self.names()).map(node).collect();
        Snapshot { nodes, ..Snapshot::default() }
    }
}

/// A run that is being recorded.
struct Recording<'r, P: Program> {
    rounds: &'r Rounds<P>,
    faults: &'r FaultSet,
    recorder: Recorder,
    /// The states of the nodes that are up.
    states: Vec<Option<P::State>>,
    /// For each node what arrives in the round, and what is sent to it for the next.
    arriving: Vec<Vec<Sent<P::Message>>>,
    sent: Vec<Vec<Sent<P::Message>>>,
    /// How many rounds have passed in which nothing happened yet.
    quiet: u32,
}

/// A message with its sender.
type Sent<M> = (NodeId, M);

impl<'r, P: Program> Recording<'r, P> {
    fn new(rounds: &'r Rounds<P>, faults: &'r FaultSet, header: Header) -> Self {
        let states: Vec<_> =
            rounds.first().iter().map(|state| Some(rounds.state(*state).clone())).collect();
        let nobody: Vec<Vec<Sent<P::Message>>> = states.iter().map(|_| Vec::new()).collect();
        let (arriving, sent) = (nobody.clone(), nobody);
        let recorder = Recorder::new(header);
        Self { rounds, faults, recorder, states, arriving, sent, quiet: 0 }
    }

    /// Records a round; false where a step fails, with which a run ends.
    fn go_through(&mut self, round: u32) -> bool {
        self.quiet += u32::from(round > 1);
        for node in self.rounds.nodes() {
            if self.faults.crash_of(node) == Some(round) {
                self.crash(node);
            }
        }
        for node in self.rounds.nodes() {
            let arriving = std::mem::take(&mut self.arriving[node.index()]);
            if self.states[node.index()].is_none() {
                continue;
            }
            for (from, message) in arriving {
                let envelope = self.envelope(from, node, &message);
                let event = cadre_trace::Event::Deliver {
                    from: envelope.from.clone(),
                    message: envelope.message.clone(),
                };
                let action = Action::Deliver(envelope);
                if !self.step(node, action, event, Event::Deliver { from, message }) {
                    return false;
                }
            }
            let tick = self.rounds.program().tick(round);
            let timer = to_json(&tick);
            let action = Action::Fire { node: self.rounds.name(node), timer: timer.clone() };
            let event = cadre_trace::Event::Timeout { timer };
            if !self.step(node, action, event, Event::Timeout(tick)) {
                return false;
            }
        }
        self.lose(round);
        true
    }

    fn crash(&mut self, node: NodeId) {
        self.states[node.index()] = None;
        let name = self.rounds.name(node);
        let mut after = self.recorder.current().clone();
        if let Some(snapshot) = after.nodes.get_mut(&name) {
            snapshot.status = Status::Down;
            snapshot.state = Json::Null;
        }
        let fault = TraceFault::Crash { node: name, kept: Kept::default() };
        self.happen(Action::Fault(fault), after);
    }

    /// Takes one step of a node, which is left out if it is a tick that changes nothing.
    fn step(
        &mut self,
        node: NodeId,
        action: Action,
        event: cadre_trace::Event,
        typed: Event<P>,
    ) -> bool {
        let Some(before) = self.states[node.index()].clone() else { return true };
        let program = self.rounds.program();
        let stepped = guarded(move || {
            let (mut state, mut effects) = (before, Effects::new());
            program.step(node, &mut state, typed, &mut effects);
            (state, effects)
        });
        let name = self.rounds.name(node);
        let mut after = self.recorder.current().clone();
        if let Action::Deliver(envelope) = &action
            && let Some(at) = after.network.iter().position(|sent| sent == envelope)
        {
            after.network.remove(at);
        }
        let snapshot = after.nodes.get_mut(&name).expect("the header has every node");
        let (state, effects) = match stepped {
            Ok(stepped) => stepped,
            Err(failure) => {
                (snapshot.status, snapshot.state) = (Status::Failed, Json::Null);
                self.flush();
                let happening = Happening { event: Some(event), ..plain(action, after) };
                self.recorder.record(Happening { failure: Some(failure), ..happening });
                return false;
            }
        };
        snapshot.state = to_json(&state);
        self.states[node.index()] = Some(state);
        let mut sends = Vec::new();
        for effect in effects.into_list() {
            if let Effect::Send { to, message } = effect {
                let envelope = self.envelope(node, to, &message);
                let (to_name, told) = (envelope.to.clone(), envelope.message.clone());
                sends.push(cadre_trace::Effect::Send { to: to_name, message: told });
                after.network.push(envelope);
                self.sent[to.index()].push((node, message));
            }
        }
        after.sort_network();
        let is_quiet = matches!(action, Action::Fire { .. }) && after == *self.recorder.current();
        if !is_quiet {
            self.flush();
            let happening = Happening { event: Some(event), ..plain(action, after) };
            self.recorder.record(Happening { effects: sends, ..happening });
        }
        true
    }

    /// Loses what omissions lose of a round, and lets the rest arrive.
    fn lose(&mut self, round: u32) {
        for to in self.rounds.nodes() {
            for (from, message) in std::mem::take(&mut self.sent[to.index()]) {
                if self.faults.omits(ChannelRound { from, to, round }) {
                    let envelope = self.envelope(from, to, &message);
                    let mut after = self.recorder.current().clone();
                    if let Some(at) = after.network.iter().position(|sent| *sent == envelope) {
                        after.network.remove(at);
                    }
                    let lost = Action::Fault(TraceFault::Drop(envelope));
                    self.happen(lost, after);
                } else {
                    self.arriving[to.index()].push((from, message));
                }
            }
            // Nodes hear in the order of senders, and of what each has sent.
            self.arriving[to.index()].sort_by_key(|(from, _)| *from);
        }
    }

    fn happen(&mut self, action: Action, after: Snapshot) {
        self.flush();
        self.recorder.record(plain(action, after));
    }

    /// Lets the time pass in which nothing has happened.
    fn flush(&mut self) {
        for _ in 0..std::mem::take(&mut self.quiet) {
            let after = self.recorder.current().clone();
            self.recorder.record(plain(Action::Tick, after));
        }
    }

    fn envelope(&self, from: NodeId, to: NodeId, message: &P::Message) -> Envelope {
        let (from, to) = (self.rounds.name(from), self.rounds.name(to));
        Envelope { from, to, message: to_json(message) }
    }
}

/// Something that no step function does.
fn plain(action: Action, after: Snapshot) -> Happening {
    let (event, effects, failure, spec, at_us) = (None, Vec::new(), None, None, None);
    Happening { action, event, effects, after, failure, spec, at_us }
}

pub(crate) fn to_json(value: &impl Serialize) -> Json {
    serde_json::to_value(value).expect("states, messages and timers have a JSON form")
}
