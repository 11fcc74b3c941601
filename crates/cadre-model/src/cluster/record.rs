use std::collections::BTreeMap;

use cadre_step::{NodeId, Protocol};
use cadre_trace::{
    Action, Difference, Guarantee, GuaranteeKind, Happening, Header, HistoryEvent, Json, Recorder,
    Snapshot, Trace, Verdict, diff,
};

use super::action::{ActionOf, TypedAction, TypedFault};
use super::conditions::Conditions;
use super::configuration::Configuration;
use super::history::HistoryEntry;
use super::local;
use super::names::{from_json, to_json};
use super::steps::Unknown;
use super::tables::{Envelope, Tables};
use super::{Choice, Cluster, Packed, STEPS_RETURN};
use crate::endless::Endless;
use crate::guarantee::Part;
use crate::model::{Claim, Model};

/// Where a trace comes from: what its header says besides the cluster itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name of the game.
    pub protocol: String,
    /// The game's parameters.
    pub setup: BTreeMap<String, Json>,
    /// Which engine found the execution.
    pub engine: String,
}

/// What came of executing a trace's schedule again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reexecution {
    /// The trace of the new execution.
    pub trace: Trace,
    /// The first step whose configuration differs from the one the trace tells, and how; step 0 is
    /// the initial configuration.
    pub difference: Option<(usize, Vec<Difference>)>,
}

/// A step of a trace that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step}, `{action}`, cannot be taken: {why}; {}", list(.enabled))]
pub struct Unresolved {
    /// The step.
    pub step: usize,
    /// What it would be.
    pub action: String,
    /// Why it cannot.
    pub why: String,
    /// The actions that can be taken there.
    pub enabled: Vec<String>,
}

impl<P: Protocol> Cluster<P> {
    /// The trace of an execution from the initial configuration.
    ///
    /// `judged` is the position of the guarantee that the trace is about, with the verdict.
    ///
    /// # Panics
    ///
    /// Where the path was not found in this cluster.
    pub fn record(
        &self,
        origin: &Origin,
        path: &[Choice],
        judged: Option<(usize, Verdict)>,
    ) -> Trace {
        self.record_lasso(origin, path, &[], judged)
    }

    /// The trace of an execution whose last part repeats for ever: the stem and one round of the
    /// cycle. Without a cycle it is the trace of a finite execution.
    ///
    /// # Panics
    ///
    /// As [`record`](Cluster::record).
    pub fn record_lasso(
        &self,
        origin: &Origin,
        stem: &[Choice],
        cycle: &[Choice],
        judged: Option<(usize, Verdict)>,
    ) -> Trace {
        let path: Vec<Choice> = stem.iter().chain(cycle).copied().collect();
        let (recorder, states) = self.recorded(origin, &path);
        let at = &states[states.len() - 1];
        recorder.finish(|header| {
            header.loop_from = (!cycle.is_empty()).then_some(stem.len());
            if let Some((guarantee, verdict)) = judged {
                header.guarantee = Some(self.judged(guarantee, at));
                header.verdict = verdict;
            }
        })
    }

    /// Executes a schedule from the initial configuration, choices matched by name and arguments.
    ///
    /// Faults beyond the cluster's budgets are carried out too: a schedule is no search. `judged`
    /// is the position of the guarantee that the execution is judged by.
    ///
    /// # Errors
    ///
    /// Where a step cannot be taken.
    pub fn execute<'a>(
        &self,
        origin: &Origin,
        schedule: impl IntoIterator<Item = &'a Action>,
        judged: Option<usize>,
    ) -> Result<Trace, Unresolved> {
        self.execute_lasso(origin, schedule, None, judged)
    }

    /// [`execute`](Cluster::execute), with the step after which the schedule is said to repeat.
    fn execute_lasso<'a>(
        &self,
        origin: &Origin,
        schedule: impl IntoIterator<Item = &'a Action>,
        loop_from: Option<usize>,
        judged: Option<usize>,
    ) -> Result<Trace, Unresolved> {
        let taken = self.path(schedule)?;
        let (recorder, states) = self.recorded(origin, &taken);
        let at = states[states.len() - 1].clone();
        let steps = taken.len();
        let endless = Endless::new(self, states, taken, loop_from.unwrap_or(steps));
        Ok(recorder.finish(|header| {
            header.loop_from = loop_from.filter(|from| *from < steps && endless.is_some());
            if let Some(guarantee) = judged {
                let for_ever =
                    || endless.as_ref().is_some_and(|endless| endless.violates(guarantee));
                let is_violated = self.violates(guarantee, &at) || for_ever();
                header.verdict = if is_violated { Verdict::Violated } else { Verdict::Bounded };
                header.guarantee = Some(self.judged(guarantee, &at));
            }
        }))
    }

    /// Finds the actions of a schedule, from the initial configuration on, as
    /// [`execute`](Cluster::execute) carries them out.
    ///
    /// # Errors
    ///
    /// Where a step cannot be taken.
    pub fn path<'a>(
        &self,
        schedule: impl IntoIterator<Item = &'a Action>,
    ) -> Result<Vec<Choice>, Unresolved> {
        let (mut path, mut error) = (Vec::new(), None);
        self.look_up(schedule, |result| match result {
            Ok(choice) => {
                path.push(choice);
                true
            }
            Err(unresolved) => {
                error = Some(unresolved);
                false
            }
        });
        error.map_or(Ok(path), Err)
    }

    /// Whether an execution from the initial configuration has no more faults than the budgets
    /// allow.
    pub fn affords(&self, path: &[Choice]) -> bool {
        let mut at = self.initial.clone();
        path.iter().all(|choice| match self.next(&at, choice) {
            Some(after) => {
                at = after;
                true
            }
            None => false,
        })
    }

    /// Finds the actions of a schedule that was made before the code was changed: those that cannot
    /// be taken are left out, and said which they are. Nothing takes the place of them.
    pub fn path_by_name<'a>(
        &self,
        schedule: impl IntoIterator<Item = &'a Action>,
    ) -> (Vec<Choice>, Vec<Unresolved>) {
        let (mut path, mut missing) = (Vec::new(), Vec::new());
        self.look_up(schedule, |result| {
            match result {
                Ok(choice) => path.push(choice),
                Err(unresolved) => missing.push(unresolved),
            }
            true
        });
        (path, missing)
    }

    /// Carries out a schedule as far as it goes, and tells of each action what it is here; `found`
    /// says whether to go on.
    fn look_up<'a>(
        &self,
        schedule: impl IntoIterator<Item = &'a Action>,
        mut found: impl FnMut(Result<Choice, Unresolved>) -> bool,
    ) {
        let mut at = self.initial.clone();
        for (index, action) in schedule.into_iter().enumerate() {
            let result = self.resolve(&at, action).map_err(|why| Unresolved {
                step: index + 1,
                action: action.to_string(),
                why,
                enabled: self.enabled(&at),
            });
            if let Ok(choice) = result {
                at = self.carried_out(&at, choice);
            }
            if !found(result) {
                break;
            }
        }
    }

    /// The configuration after a possible action, as if faults cost nothing.
    pub fn carried_out(&self, before: &Configuration, choice: Choice) -> Configuration {
        self.with_known(|tables| {
            let after = self.carry_out_freely(tables, before, choice);
            after.map_err(|Unknown| vec![(before.clone(), choice)])
        })
    }

    /// An action as traces tell it.
    pub fn tell(&self, choice: Choice) -> Action {
        self.names.tell::<P>(&self.describe(choice))
    }

    /// Whether only faults can change anything in a configuration.
    pub fn is_at_rest(&self, at: &Configuration) -> bool {
        self.surveyed(at, |survey| survey.is_at_rest)
    }

    /// Executes a trace's schedule again and compares each configuration with the one it tells of.
    ///
    /// # Errors
    ///
    /// Where a step cannot be taken.
    pub fn reexecute(&self, trace: &Trace) -> Result<Reexecution, Unresolved> {
        let origin = Origin {
            protocol: trace.header.protocol.clone(),
            setup: trace.header.setup.clone(),
            engine: "replay".to_owned(),
        };
        let judged = trace.header.guarantee.as_ref().and_then(|wanted| {
            let is_wanted = |claim: &Claim| claim.name == wanted.name && claim.kind == wanted.kind;
            self.guarantees().iter().position(is_wanted)
        });
        let again =
            self.execute_lasso(&origin, trace.schedule(), trace.header.loop_from, judged)?;
        let pairs = (0..).zip(trace.snapshots().zip(again.snapshots()));
        let difference = pairs
            .map(|(step, (told, found))| (step, diff("", &to_json(&told), &to_json(&found))))
            .find(|(_, differences)| !differences.is_empty());
        Ok(Reexecution { trace: again, difference })
    }

    /// Whether a configuration violates a guarantee; `reachable`, and what only an [`Endless`]
    /// execution violates, is never violated by a single one.
    pub fn violates(&self, guarantee: usize, at: &Configuration) -> bool {
        match self.guarantees()[guarantee].kind {
            GuaranteeKind::Always => !self.evaluate(guarantee, Part::Main, at),
            GuaranteeKind::Reachable
            | GuaranteeKind::Eventually(_)
            | GuaranteeKind::LeadsTo(_)
            | GuaranteeKind::Convergent(_) => false,
            GuaranteeKind::PrePost => {
                self.is_at_rest(at)
                    && self.evaluate(guarantee, Part::Main, at)
                    && !self.evaluate(guarantee, Part::Post, at)
            }
        }
    }

    /// The configuration that a snapshot tells of, for instance one that real processes reported.
    ///
    /// # Errors
    ///
    /// Where it is not one of this cluster: other nodes, values that do not read. Says what.
    pub fn import(&self, told: &Snapshot) -> Result<Configuration, String> {
        let mut tables = self.write();
        let mut at = Configuration::new(self.layout);
        for (node, name) in self.names.nodes.iter().enumerate() {
            let told = told.nodes.get(name).ok_or_else(|| format!("node `{name}` is missing"))?;
            let local = local::read::<P>(told).map_err(|why| format!("node `{name}`: {why}"))?;
            let local = tables.local_id(&self.protocol, node, local);
            let key = tables.nodes[node].locals.keys[local as usize];
            at.set_local(node, local, key);
        }
        for told in &told.network {
            let from = self.names.node_id(&told.from)?;
            let to = self.names.node_id(&told.to)?;
            let message = from_json("message", &told.message)?;
            let envelope = tables.envelope_id(Envelope { from, to, message });
            self.put_in(&tables, &mut at, envelope);
        }
        let mut conditions = Conditions::default();
        for link in &told.cut {
            conditions.cut.insert(self.names.read_link(link)?);
        }
        let conditions = tables.conditions_id(conditions);
        self.turn(&tables, &mut at, conditions);
        let mut history = Vec::new();
        for told in &told.history {
            history.push(match told {
                HistoryEvent::Invoke { id, .. } => {
                    HistoryEntry::Invoke { id: self.names.request_id(id)? }
                }
                HistoryEvent::Return { id, response } => HistoryEntry::Return {
                    id: self.names.request_id(id)?,
                    response: from_json("response", response)?,
                },
            });
        }
        let history = tables.history_id(history);
        at.set_history(self.layout, history, tables.histories.keys[history as usize]);
        self.set_full_budgets(&mut at);
        Ok(at)
    }

    /// A configuration as traces tell it.
    pub fn snapshot(&self, at: &Configuration) -> Snapshot {
        let envelopes = self.envelopes(at);
        let tables = self.read();
        let mut nodes = BTreeMap::new();
        for (node, name) in self.names.nodes.iter().enumerate() {
            let local = &tables.nodes[node].locals.values[at.local(node) as usize];
            nodes.insert(name.clone(), local::tell::<P>(local));
        }
        let envelope = |id: u32| {
            let envelope = &tables.envelopes.values[id as usize];
            cadre_trace::Envelope {
                from: self.names.node(envelope.from),
                to: self.names.node(envelope.to),
                message: to_json(&envelope.message),
            }
        };
        let mut snapshot = Snapshot {
            nodes,
            network: envelopes.into_iter().map(envelope).collect(),
            history: Vec::new(),
            cut: Vec::new(),
        };
        let conditions = &tables.conditions.values[at.conditions(self.layout) as usize];
        let cut = conditions.cut.iter().map(|(from, to)| self.names.link(*from, *to));
        snapshot.cut.extend(cut);
        snapshot.cut.sort();
        snapshot.sort_network();
        let history = tables.histories.values[at.history(self.layout) as usize].clone();
        snapshot.history = history.iter().map(|entry| self.tell_history(&tables, entry)).collect();
        snapshot
    }

    /// Reads an action that a trace tells.
    ///
    /// # Errors
    ///
    /// Where it is about nodes or values that this cluster does not have. Says what.
    pub fn read_action(&self, action: &Action) -> Result<ActionOf<P>, String> {
        self.names.read::<P>(action)
    }

    /// The record of an execution, and its configurations, the initial one included.
    fn recorded(&self, origin: &Origin, path: &[Choice]) -> (Recorder, Vec<Configuration>) {
        let mut recorder = Recorder::new(self.header(origin));
        let mut states = vec![self.initial.clone()];
        for choice in path {
            let at = &states[states.len() - 1];
            let after = self.carried_out(at, *choice);
            recorder.record(self.happening(at, &self.describe(*choice), &after));
            states.push(after);
        }
        (recorder, states)
    }

    fn header(&self, origin: &Origin) -> Header {
        Header {
            protocol: origin.protocol.clone(),
            setup: origin.setup.clone(),
            origin: origin.engine.clone(),
            nodes: self.names.nodes.clone(),
            network: self.network.name().to_owned(),
            guarantee: None,
            verdict: Verdict::Bounded,
            initial: self.snapshot(&self.initial),
            spec: None,
            loop_from: None,
        }
    }

    fn happening(
        &self,
        before: &Configuration,
        action: &ActionOf<P>,
        after: &Configuration,
    ) -> Happening {
        let mut effects = Vec::new();
        if let Some(node) = action.node() {
            let local = before.local(node.index()) as usize;
            let tables = self.read();
            let local = &tables.nodes[node.index()].locals.values[local];
            effects = tables.execute(&self.protocol, node, local, action).effects;
        }
        let failure = self.with_view(after, |view| {
            view.failure()
                .filter(|(node, _)| action.node() == Some(*node))
                .map(|(_, why)| why.to_owned())
        });
        Happening {
            action: self.names.tell::<P>(action),
            event: self.names.event::<P>(action),
            effects: effects.iter().map(|effect| self.names.effect::<P>(effect)).collect(),
            after: self.snapshot(after),
            failure,
            spec: None,
            at_us: None,
        }
    }

    /// A guarantee with what it reads and finds in a configuration.
    fn judged(&self, guarantee: usize, at: &Configuration) -> Guarantee {
        let claim = self.guarantees().swap_remove(guarantee);
        let (reads, finding) = self.with_view(at, |view| {
            view.forget_reads();
            if guarantee == STEPS_RETURN {
                let failure = view.failure();
                let name = |node: NodeId| self.names.node(node);
                let finding = failure.map(|(node, why)| format!("{} failed: {why}", name(node)));
                return (failure.iter().map(|(node, _)| name(*node)).collect(), finding);
            }
            let declared = &self.guarantees[guarantee - 1];
            declared.evaluate(Part::Main, view);
            declared.evaluate(Part::Post, view);
            let reads = view.reads().map(|node| self.names.node(node)).collect();
            (reads, declared.describe(view))
        });
        Guarantee { name: claim.name, kind: claim.kind, reads, finding }
    }

    /// Finds the action that a trace tells among those that are possible here.
    fn resolve(&self, at: &Configuration, told: &Action) -> Result<Choice, String> {
        let action = self.names.read::<P>(told)?;
        let choice = {
            let mut tables = self.write();
            let sent = |tables: &Tables<P>, from: &NodeId, to: &NodeId, message: &P::Message| {
                tables.sent(*from, *to, message).ok_or(NEVER_SENT)
            };
            match &action {
                TypedAction::Fault(TypedFault::Drop { from, to, message }) => {
                    Choice(Packed::Drop { envelope: sent(&tables, from, to, message)? })
                }
                TypedAction::Fault(TypedFault::Duplicate { from, to, message }) => {
                    Choice(Packed::Duplicate { envelope: sent(&tables, from, to, message)? })
                }
                TypedAction::Fault(TypedFault::Interrupt { of, .. })
                    if !is_known(&tables, of.node(), of) =>
                {
                    return Err(NEVER_HAPPENS.to_owned());
                }
                TypedAction::Fault(fault) => match fault.node() {
                    // A schedule may hold faults that the cluster has no budget for.
                    Some(node) if !matches!(fault, TypedFault::Forge { .. }) => {
                        let known = tables.nodes[node.index()].action_id(action.clone());
                        Choice::of_node(node.index(), known)
                    }
                    _ => Choice::wide(tables.wide_id(action.clone())),
                },
                TypedAction::Tick => Choice::wide(tables.wide_id(action.clone())),
                TypedAction::Deliver { to: node, .. }
                | TypedAction::Choose { node, .. }
                | TypedAction::Fire { node, .. }
                | TypedAction::SyncDone { node }
                | TypedAction::Invoke { node, .. } => {
                    let known = tables.nodes[node.index()].known_action(&action);
                    Choice::of_node(node.index(), known.ok_or(NEVER_HAPPENS)?)
                }
            }
        };
        // Whether some of them are possible takes steps that may not be known yet.
        if let Packed::Wide { action } = choice.0 {
            self.learn_wide(&mut self.write(), at, action);
        }
        match self.is_possible(&self.read(), at, choice) {
            true => Ok(choice),
            false => Err("it is not enabled".to_owned()),
        }
    }

    fn enabled(&self, at: &Configuration) -> Vec<String> {
        let mut choices = Vec::new();
        self.actions(at, &mut choices);
        let tell = |choice: &Choice| self.tell(*choice).to_string();
        choices.iter().map(tell).collect()
    }

    pub(super) fn tell_history(
        &self,
        tables: &Tables<P>,
        entry: &HistoryEntry<P::Response>,
    ) -> HistoryEvent {
        match entry {
            HistoryEntry::Invoke { id } => {
                let (node, request) = tables.request(*id);
                let (node, request) = (self.names.node(node), to_json(request));
                HistoryEvent::Invoke { id: self.names.request(*id), node, request }
            }
            HistoryEntry::Return { id, response } => {
                HistoryEvent::Return { id: self.names.request(*id), response: to_json(response) }
            }
        }
    }
}

const NEVER_SENT: &str = "that message has never been sent";
const NEVER_HAPPENS: &str = "nothing of the kind ever happens";

/// Whether a node is known to act like this.
fn is_known<P: Protocol>(tables: &Tables<P>, node: Option<NodeId>, action: &ActionOf<P>) -> bool {
    let of_node = |node: NodeId| tables.nodes[node.index()].known_action(action);
    node.and_then(of_node).is_some()
}

fn list(enabled: &[String]) -> String {
    const SHOWN: usize = 6;
    match enabled.len() {
        0 => "nothing is enabled there".to_owned(),
        count if count <= SHOWN => format!("enabled there: {}", enabled.join(", ")),
        count => {
            format!("enabled there: {} and {} more", enabled[..SHOWN].join(", "), count - SHOWN)
        }
    }
}
