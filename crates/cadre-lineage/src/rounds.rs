use std::collections::{BTreeSet, HashMap};

use cadre_model::guarded;
use cadre_step::{Disk, Effect, Effects, Event, NodeId};

use crate::interner::Interner;
use crate::witness::Heard;
use crate::{ChannelRound, End, EndGuarantee, Fault, FaultSet, FaultSpec, LineageError, Program};

/// A program within the bounds of a [`FaultSpec`]: runs fault sets, and takes each step once.
#[derive(Debug)]
pub struct Rounds<P: Program> {
    program: P,
    spec: FaultSpec,
    names: Vec<String>,
    guarantees: Vec<EndGuarantee<P::Observation>>,
    states: Interner<P::State>,
    contents: Interner<Vec<P::Message>>,
    observations: Interner<P::Observation>,
    first: Vec<u32>,
    steps: HashMap<StepKey, StepResult>,
    step_calls: u64,
}

/// A run with a set of faults, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The faults.
    pub faults: FaultSet,
    /// The guarantees that do not hold at its end; a panic of a step is one too.
    pub broken: Vec<Broken>,
    /// The guarantees of which no key has the precondition, by name.
    pub vacuous: Vec<String>,
    /// The node whose step has panicked, which ends a run, and the round.
    pub(crate) panicked: Option<(NodeId, u32)>,
    /// What each node did, round by round; nothing where it has crashed.
    pub(crate) taken: Vec<Vec<Option<Taken>>>,
}

/// A guarantee that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The guarantee.
    pub guarantee: String,
    /// The keys that have the precondition and not the postcondition, or what a step panicked with.
    pub keys: BTreeSet<String>,
}

/// A step of a node in one round, by the ids of what went in and came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) before: u32,
    /// What each node has sent to this one, lost or not.
    pub(crate) offered: Vec<u32>,
    /// What has arrived of it.
    pub(crate) inbox: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StepKey {
    pub(crate) node: usize,
    pub(crate) round: u32,
    pub(crate) state: u32,
    pub(crate) inbox: Vec<u32>,
}

/// What a step leads to: the new state and what is sent to each node, or the text of a panic.
pub(crate) type StepResult = Result<Stepped, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stepped {
    pub(crate) state: u32,
    pub(crate) sent: Vec<u32>,
}

/// The id of a channel's content where nothing is sent.
pub(crate) const SILENCE: u32 = 0;

impl<P: Program> Rounds<P> {
    /// Starts all nodes of the program.
    ///
    /// # Errors
    ///
    /// Where the parameters contradict each other, or a start asks for more than the first tick.
    pub fn new(program: P, spec: FaultSpec) -> Result<Self, LineageError> {
        spec.check()?;
        let (names, guarantees) = (program.nodes(), program.guarantees());
        let mut rounds = Self {
            program,
            spec,
            names,
            guarantees,
            states: Interner::new(),
            contents: Interner::new(),
            observations: Interner::new(),
            first: Vec::new(),
            steps: HashMap::new(),
            step_calls: 0,
        };
        assert_eq!(rounds.contents.id(Vec::new()), SILENCE, "silence is the first content");
        for node in rounds.nodes() {
            let mut effects = Effects::new();
            let state = rounds.program.start(node, &Disk::new(), &mut effects);
            if let Some(sent) = rounds.sends(node, 0, effects)?.into_iter().flatten().next() {
                return Err(rounds.refusal(node, 0, format!("a message in the start: {sent:?}")));
            }
            let id = rounds.states.id(state);
            rounds.first.push(id);
        }
        Ok(rounds)
    }

    /// The parameters.
    pub fn spec(&self) -> FaultSpec {
        self.spec
    }

    /// The names of the nodes, in the order of their ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How often the program was called, which is less than steps were taken.
    pub fn step_calls(&self) -> u64 {
        self.step_calls
    }

    /// Runs the program with these faults, and judges the end.
    ///
    /// # Errors
    ///
    /// Where the faults are not admissible, a step is not pure, or asks for what rounds do not
    /// have.
    pub fn run(&mut self, faults: &FaultSet) -> Result<Run, LineageError> {
        self.run_with(faults, None)
    }

    /// Runs the program where a node hears something in a round that nobody need have sent.
    pub(crate) fn run_with(
        &mut self,
        faults: &FaultSet,
        extra: Option<(NodeId, Heard)>,
    ) -> Result<Run, LineageError> {
        self.admit(faults)?;
        let crashes: Vec<_> = self.nodes().map(|node| faults.crash_of(node)).collect();
        let size = crashes.len();
        let mut states = self.first.clone();
        let mut offered = vec![vec![SILENCE; size]; size];
        let mut taken = Vec::new();
        for round in 1..=self.spec.eot {
            let mut sent = vec![vec![SILENCE; size]; size];
            let mut row = Vec::new();
            for node in self.nodes() {
                let to = node.index();
                if crashes[to].is_some_and(|crash| crash <= round) {
                    row.push(None);
                    continue;
                }
                let mut inbox = arrived(faults, node, round, &offered[to]);
                if let Some((_, heard)) =
                    extra.filter(|(at, heard)| (*at, heard.round) == (node, round))
                {
                    let from = heard.from.index();
                    let both = [self.content(inbox[from]), self.content(heard.content)].concat();
                    inbox[from] = self.contents.id(both);
                }
                let (before, inbox_of_key) = (states[to], inbox.clone());
                let key = StepKey { node: to, round, state: before, inbox: inbox_of_key };
                row.push(Some(Taken { before, offered: offered[to].clone(), inbox }));
                match self.step(key)? {
                    Ok(stepped) => {
                        states[to] = stepped.state;
                        for (receiver, content) in stepped.sent.into_iter().enumerate() {
                            sent[receiver][to] = content;
                        }
                    }
                    Err(panic) => {
                        taken.push(row);
                        return Ok(self.panicked(faults, (node, round), panic, taken));
                    }
                }
            }
            taken.push(row);
            offered = sent;
        }
        let correct: Vec<bool> = crashes.iter().map(Option::is_none).collect();
        let (broken, vacuous) = self.judge(&states, &correct);
        Ok(Run { faults: faults.clone(), broken, vacuous, panicked: None, taken })
    }

    /// The guarantees that do not hold when nodes are in these states, and those that are vacuous.
    pub(crate) fn judge(&mut self, states: &[u32], correct: &[bool]) -> (Vec<Broken>, Vec<String>) {
        let observations: Vec<P::Observation> = states
            .iter()
            .zip(self.nodes())
            .map(|(&state, node)| self.program.observe(node, self.states.value(state)))
            .collect();
        let end = End { observations: &observations, correct };
        let vacuous = self.guarantees.iter().filter(|guarantee| guarantee.is_vacuous(&end));
        let vacuous = vacuous.map(|guarantee| guarantee.name().to_owned()).collect();
        let broken = self.guarantees.iter().map(|guarantee| Broken {
            guarantee: guarantee.name().to_owned(),
            keys: guarantee.broken(&end),
        });
        (broken.filter(|broken| !broken.keys.is_empty()).collect(), vacuous)
    }

    /// Takes a step, or remembers what came of it.
    pub(crate) fn step(&mut self, key: StepKey) -> Result<StepResult, LineageError> {
        if let Some(known) = self.steps.get(&key) {
            return Ok(known.clone());
        }
        let result = self.take(&key)?;
        if self.take(&key)? != result {
            let node = self.names[key.node].clone();
            return Err(LineageError::Impure { node, round: key.round });
        }
        self.steps.insert(key, result.clone());
        Ok(result)
    }

    /// The id of what is seen of a node in this state.
    pub(crate) fn observation(&mut self, node: usize, state: u32) -> u32 {
        let state = self.states.value(state);
        let observation = self.program.observe(NodeId::from_index(node), state);
        self.observations.id(observation)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<P> {
        (0..self.names.len()).map(NodeId::from_index)
    }

    pub(crate) fn first(&self) -> &[u32] {
        &self.first
    }

    pub(crate) fn program(&self) -> &P {
        &self.program
    }

    pub(crate) fn guarantees(&self) -> &[EndGuarantee<P::Observation>] {
        &self.guarantees
    }

    pub(crate) fn name(&self, node: NodeId) -> String {
        self.names[node.index()].clone()
    }

    pub(crate) fn state(&self, id: u32) -> &P::State {
        self.states.value(id)
    }

    pub(crate) fn content(&self, id: u32) -> &[P::Message] {
        self.contents.value(id)
    }

    /// What was seen, by its id.
    pub(crate) fn seen(&self, id: u32) -> &P::Observation {
        self.observations.value(id)
    }

    fn take(&mut self, key: &StepKey) -> Result<StepResult, LineageError> {
        self.step_calls += 1;
        let node = NodeId::from_index(key.node);
        let inbox: Vec<(NodeId, P::Message)> = key
            .inbox
            .iter()
            .enumerate()
            .flat_map(|(from, &content)| {
                let from = NodeId::from_index(from);
                self.contents.value(content).iter().map(move |message| (from, message.clone()))
            })
            .collect();
        let (program, start) = (&self.program, self.states.value(key.state).clone());
        let stepped = guarded(move || {
            let (mut state, mut effects) = (start, Effects::new());
            for (from, message) in inbox {
                program.step(node, &mut state, Event::Deliver { from, message }, &mut effects);
            }
            let tick = Event::Timeout(program.tick(key.round));
            program.step(node, &mut state, tick, &mut effects);
            (state, effects)
        });
        let (state, effects) = match stepped {
            Ok(stepped) => stepped,
            Err(panic) => return Ok(Err(panic)),
        };
        let sent = self.sends(node, key.round, effects)?;
        let sent = sent.into_iter().map(|content| self.contents.id(content)).collect();
        Ok(Ok(Stepped { state: self.states.id(state), sent }))
    }

    /// What is sent to each node.
    fn sends(
        &self,
        node: NodeId,
        round: u32,
        effects: Effects<P>,
    ) -> Result<Vec<Vec<P::Message>>, LineageError> {
        let next = self.program.tick(round + 1);
        let mut sent: Vec<Vec<P::Message>> = vec![Vec::new(); self.names.len()];
        for effect in effects.into_list() {
            match effect {
                Effect::Send { to, message } => sent[to.index()].push(message),
                Effect::SetTimer { timer, .. } if timer == next => {}
                // Nobody comes back from a crash to read a disk, and guarantees are about states.
                Effect::Put { .. }
                | Effect::PutSynced { .. }
                | Effect::Delete { .. }
                | Effect::Respond { .. } => {}
                Effect::SetTimer { .. } | Effect::CancelTimer { .. } | Effect::Sync => {
                    return Err(self.refusal(node, round, format!("{effect:?}")));
                }
            }
        }
        Ok(sent)
    }

    fn refusal(&self, node: NodeId, round: u32, effect: String) -> LineageError {
        LineageError::Effect { node: self.names[node.index()].clone(), round, effect }
    }

    fn admit(&self, faults: &FaultSet) -> Result<(), LineageError> {
        let crashed = faults.iter().filter(|fault| matches!(fault, Fault::Crash { .. })).count();
        let distinct = self.nodes().filter(|node| faults.crash_of(*node).is_some()).count();
        let is_admissible = |fault: &Fault| match fault {
            Fault::Omit(ChannelRound { from, to, round }) => {
                from != to && self.spec.may_omit(*round)
            }
            Fault::Crash { round, .. } => (1..=self.spec.last_crash()).contains(round),
        };
        let most = self.spec.crashes as usize;
        if crashed == distinct && crashed <= most && faults.iter().all(is_admissible) {
            return Ok(());
        }
        let found = faults.text(&self.names);
        Err(LineageError::Inadmissible { spec: self.spec.to_string(), found })
    }

    fn panicked(
        &self,
        faults: &FaultSet,
        at: (NodeId, u32),
        panic: String,
        taken: Vec<Vec<Option<Taken>>>,
    ) -> Run {
        let broken = Broken {
            guarantee: format!("no step of {} panics", self.name(at.0)),
            keys: BTreeSet::from([panic]),
        };
        let (broken, vacuous, panicked) = (vec![broken], Vec::new(), Some(at));
        Run { faults: faults.clone(), broken, vacuous, panicked, taken }
    }
}

impl Run {
    /// Whether every guarantee holds at its end.
    pub fn is_good(&self) -> bool {
        self.broken.is_empty()
    }
}

/// What arrives in a round of what was offered to a node.
fn arrived(faults: &FaultSet, to: NodeId, round: u32, offered: &[u32]) -> Vec<u32> {
    let content = |(from, &content): (usize, &u32)| {
        let channel = ChannelRound { from: NodeId::from_index(from), to, round: round - 1 };
        if faults.omits(channel) { SILENCE } else { content }
    };
    offered.iter().enumerate().map(content).collect()
}
