use std::sync::Arc;

use cadre_step::{Data, NodeId, Protocol, RequestId};
use smallvec::SmallVec;

use super::action::{ActionOf, TypedAction, TypedFault};
use super::history::{History, HistoryEntry};
use super::interchange::Swap;
use super::local::{Life, LocalOf};
use super::naming::{Outline, Thing, renamed};
use super::orbit::{Asymmetry, Known, Missing, Orbits, Told};
use super::tables::{Envelope, Tables};
use crate::fingerprint;

/// What takes the place of what when two neighbours change places.
#[derive(Clone)]
pub(super) struct Images {
    /// For each node the local states of the node that takes its place.
    pub(super) locals: Vec<Known<u32>>,
    /// For each node the actions of the node that takes its place.
    actions: Vec<Known<u32>>,
    pub(super) envelopes: Known<u32>,
    pub(super) histories: Known<u32>,
}

impl Images {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            locals: vec![Known::default(); nodes],
            actions: vec![Known::default(); nodes],
            envelopes: Known::default(),
            histories: Known::default(),
        }
    }

    /// Roughly the bytes of all of it.
    pub(super) fn bytes(&self) -> u64 {
        let of_nodes = self.locals.iter().chain(&self.actions);
        of_nodes.chain([&self.envelopes, &self.histories]).map(Known::bytes).sum()
    }
}

/// Finds out what takes the place of what, and checks that it does the same.
///
/// A local state is renamed by taking the steps that led to it once more, by the other node and
/// with renamed messages: memory and disk follow from the step function, whose bytes on a disk
/// could not be renamed. Each step that a search takes is compared with its twins, and these with
/// theirs, until all of its orbit has been: so what is found is a symmetry of all that can be
/// reached, and not of the representatives alone.
pub(super) struct Twins<'a, P: Protocol> {
    pub(super) protocol: &'a P,
    pub(super) orbits: &'a mut Orbits,
    pub(super) tables: &'a mut Tables<P>,
    /// The names of the nodes.
    pub(super) names: &'a [String],
    /// The fingerprint of the configuration that is looked at.
    pub(super) at: u128,
}

impl<P: Protocol> Twins<'_, P> {
    /// Gets to know a part of a configuration with its whole orbit.
    pub(super) fn meet(&mut self, missing: Missing) {
        match missing {
            Missing::Local { node, local } => self.meet_local(node, local),
            Missing::Envelope { envelope } => self.meet_envelope(envelope),
            Missing::History { history } => self.meet_history(history),
        }
    }

    fn meet_local(&mut self, node: usize, local: u32) {
        let mut open = vec![(node, local)];
        while let Some((node, local)) = open.pop() {
            if self.orbits.told_by_locals[node].get(local).is_some() {
                continue;
            }
            let told = self.told_by_local(node, local);
            let told = self.noted(told).unwrap_or_default();
            self.orbits.told_by_locals[node].set(local, told);
            for swap in 0..self.orbits.images.len() {
                let other = self.local(swap, node, local);
                open.push((self.swap(swap).node(node), other));
            }
        }
    }

    fn meet_envelope(&mut self, envelope: u32) {
        let mut open = vec![envelope];
        while let Some(envelope) = open.pop() {
            if self.orbits.told_by_envelopes.get(envelope).is_some() {
                continue;
            }
            let Envelope { from, to, message } = &*self.tables.envelopes.values[envelope as usize];
            let told = self.told("envelope", &(*from, *to, message.clone()));
            let told = self.noted(told).unwrap_or_default();
            self.orbits.told_by_envelopes.set(envelope, told);
            open.extend((0..self.orbits.images.len()).map(|swap| self.envelope(swap, envelope)));
        }
    }

    fn meet_history(&mut self, history: u32) {
        let mut open = vec![history];
        while let Some(history) = open.pop() {
            if self.orbits.told_by_histories.get(history).is_some() {
                continue;
            }
            let told = self.told_by_history(history);
            let told = self.noted(told).unwrap_or_default();
            self.orbits.told_by_histories.set(history, told);
            open.extend((0..self.orbits.images.len()).map(|swap| self.history(swap, history)));
        }
    }

    fn swap(&self, swap: usize) -> &Swap {
        &self.orbits.symmetry.swaps[swap]
    }

    /// A value after two neighbours have changed places.
    fn renamed<T: Data>(&self, swap: usize, value: &T) -> Result<T, String> {
        renamed(value, &|thing| self.swap(swap).other(thing))
    }

    /// The result; notes that something could not be renamed.
    fn noted<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|why| self.note(format!("names cannot be exchanged: {why}"))).ok()
    }

    fn note(&mut self, why: String) {
        let at = self.at;
        self.orbits.asymmetry.get_or_insert(Asymmetry { at, why });
    }

    /// The envelope that takes the place of another.
    fn envelope(&mut self, swap: usize, envelope: u32) -> u32 {
        if let Some(known) = self.orbits.images[swap].envelopes.get(envelope) {
            return *known;
        }
        let Envelope { from, to, message } = &*self.tables.envelopes.values[envelope as usize];
        let parts = self.renamed(swap, &(*from, *to, message.clone()));
        let other = self.noted(parts).map_or(envelope, |(from, to, message)| {
            self.tables.envelope_id(Envelope { from, to, message })
        });
        self.orbits.images[swap].envelopes.set(envelope, other);
        other
    }

    /// The history that takes the place of another.
    fn history(&mut self, swap: usize, history: u32) -> u32 {
        if let Some(known) = self.orbits.images[swap].histories.get(history) {
            return *known;
        }
        let entry = |entry: &HistoryEntry<P::Response>| -> Result<_, String> {
            Ok(match entry {
                HistoryEntry::Invoke { id } => HistoryEntry::Invoke { id: self.renamed(swap, id)? },
                HistoryEntry::Return { id, response } => {
                    let (id, response) = self.renamed(swap, &(*id, response.clone()))?;
                    HistoryEntry::Return { id, response }
                }
            })
        };
        let entries = self.tables.histories.values[history as usize].iter().map(entry);
        let after: Result<History<P>, String> = entries.collect();
        let other = self.noted(after).map_or(history, |after| self.tables.history_id(after));
        self.orbits.images[swap].histories.set(history, other);
        other
    }

    /// The local state that takes the place of another: the steps that led there, renamed.
    fn local(&mut self, swap: usize, node: usize, local: u32) -> u32 {
        let to = self.swap(swap).node(node);
        let mut steps = Vec::new();
        let mut at = local;
        let mut other = loop {
            if let Some(known) = self.orbits.images[swap].locals[node].get(at) {
                break *known;
            }
            let Some((before, action)) = self.tables.nodes[node].births[at as usize] else {
                let other = self.started(to);
                if at != self.started(node) {
                    self.note(format!("how `{}` came to a state is not known", self.names[node]));
                }
                self.link(swap, (node, at), (to, other));
                break other;
            };
            steps.push((at, action));
            at = before;
        };
        while let Some((after, action)) = steps.pop() {
            let action = self.action(swap, node, action);
            let outcome = self.tables.outcome_of(self.protocol, to, other, action);
            other = self.tables.nodes[to].outcomes[outcome as usize].local;
            self.link(swap, (node, after), (to, other));
        }
        other
    }

    fn started(&mut self, node: usize) -> u32 {
        let execution = self.tables.start(self.protocol, NodeId::from_index(node));
        self.tables.local_id(self.protocol, node, execution.after)
    }

    /// Notes that one local state takes the place of another, and compares what they show.
    fn link(&mut self, swap: usize, one: (usize, u32), other: (usize, u32)) {
        for ((node, local), (_, twin)) in [(one, other), (other, one)] {
            let known = self.orbits.images[swap].locals[node].get(local).copied();
            if known.is_some_and(|known| known != twin) {
                let what =
                    format!("two states of one are one of the other, at `{}`", self.names[node]);
                self.differ(swap, &what);
            } else {
                self.orbits.images[swap].locals[node].set(local, twin);
            }
        }
        let local = |(node, local): (usize, u32)| {
            Arc::clone(&self.tables.nodes[node].locals.values[local as usize])
        };
        let (before, twin) = (local(one), local(other));
        let alike = looks::<P>(one.0, &before, &|thing| self.swap(swap).other(thing))
            .and_then(|before| Ok(before == looks::<P>(other.0, &twin, &|thing| thing)?));
        if self.noted(alike) == Some(false) {
            let (before, twin) = (&before.life, &twin.life);
            self.differ(swap, &format!("{before:?} of one is {twin:?} of the other"));
        }
        let offered = self.own_actions(one).into_iter();
        let mut offered: Vec<u32> =
            offered.map(|action| self.action(swap, one.0, action)).collect();
        offered.sort_unstable();
        let mut found = self.own_actions(other);
        found.sort_unstable();
        if offered != found {
            let what = format!(
                "in {:?} there are {} actions to choose from, in {:?} {}",
                before.life,
                offered.len(),
                twin.life,
                found.len()
            );
            self.differ(swap, &what);
        }
    }

    fn own_actions(&self, (node, local): (usize, u32)) -> Vec<u32> {
        let row = &self.tables.nodes[node].rows[local as usize];
        row.own.iter().map(|own| own.action).collect()
    }

    /// The action that takes the place of another.
    fn action(&mut self, swap: usize, node: usize, action: u32) -> u32 {
        if let Some(known) = self.orbits.images[swap].actions[node].get(action) {
            return *known;
        }
        let to = self.swap(swap).node(node);
        let other = match self.tables.nodes[node].delivered(action) {
            Some(envelope) => {
                let other = self.envelope(swap, envelope);
                self.tables.delivery(other).1
            }
            None => {
                let typed = self.tables.nodes[node].actions[action as usize].clone();
                let other = renamed_action::<P>(&typed, self.swap(swap));
                let other = self.noted(other).unwrap_or(typed);
                self.tables.nodes[to].action_id(other)
            }
        };
        self.orbits.images[swap].actions[node].set(action, other);
        other
    }

    /// Compares a step with its twins, these with theirs, and so on.
    pub(super) fn compare(&mut self, step: (usize, u32, u32)) {
        let mut open = vec![step];
        while let Some((node, local, action)) = open.pop() {
            let outcome = self.tables.outcome_of(self.protocol, node, local, action);
            if self.orbits.compared[node].get(outcome).is_some() {
                continue;
            }
            self.orbits.compared[node].set(outcome, ());
            for swap in 0..self.orbits.images.len() {
                if self.orbits.asymmetry.is_some() {
                    return;
                }
                open.push(self.compare_with_twin(swap, (node, action), (local, outcome)));
            }
        }
    }

    /// Compares a step with one of its twins, which is the result.
    fn compare_with_twin(
        &mut self,
        swap: usize,
        (node, action): (usize, u32),
        (local, outcome): (u32, u32),
    ) -> (usize, u32, u32) {
        let to = self.swap(swap).node(node);
        let other = self.local(swap, node, local);
        let twin_action = self.action(swap, node, action);
        let found = self.tables.outcome_of(self.protocol, to, other, twin_action);
        let outcome = &self.tables.nodes[node].outcomes[outcome as usize];
        let (after, sends) = (outcome.local, outcome.leaving.sends.clone());
        let responses = outcome.leaving.responses.clone();
        let expected = self.local(swap, node, after);
        let mut expected_sends: SmallVec<[u32; 4]> =
            sends.into_iter().map(|sent| self.envelope(swap, sent)).collect();
        let answer = |(id, response): &(RequestId, P::Response)| {
            self.renamed(swap, &(*id, response.clone()))
        };
        let expected_responses = responses.iter().map(answer).collect::<Result<Vec<_>, _>>();
        let expected_responses = self.noted(expected_responses).unwrap_or_default();
        let twin = &self.tables.nodes[to].outcomes[found as usize];
        let (found, mut found_sends) = (twin.local, twin.leaving.sends.clone());
        let are_answers_alike = twin.leaving.responses == expected_responses;
        expected_sends.sort_unstable();
        found_sends.sort_unstable();
        if found != expected || found_sends != expected_sends || !are_answers_alike {
            let does = |node: usize, action: u32, local: u32, sends: usize| {
                let what = &self.tables.nodes[node].actions[action as usize];
                let life = &self.tables.nodes[node].locals.values[local as usize].life;
                format!("{what:?} leads to {life:?} and {sends} messages")
            };
            let one = does(node, action, after, expected_sends.len());
            let other = does(to, twin_action, found, found_sends.len());
            self.differ(swap, &format!("{one}, its twin {other}"));
        }
        (to, other, twin_action)
    }

    fn differ(&mut self, swap: usize, how: &str) {
        let what = self.swap(swap).described(self.names);
        self.note(format!("{what} do not behave alike: {how}"));
    }

    fn told_by_local(&self, node: usize, local: u32) -> Result<Told, String> {
        let local = &self.tables.nodes[node].locals.values[local as usize];
        self.told("local", &shown::<P>(node, local))
    }

    fn told_by_history(&self, history: u32) -> Result<Told, String> {
        let history = &self.tables.histories.values[history as usize];
        // With positions, as the order of a sequence is not seen.
        let entries = history.iter().enumerate().map(|(at, entry)| match entry {
            HistoryEntry::Invoke { id } => (at, *id, None),
            HistoryEntry::Return { id, response } => (at, *id, Some(response.clone())),
        });
        self.told("history", &entries.collect::<Vec<_>>())
    }

    /// What a value says about each of the interchangeable units that it names, seen from that
    /// unit: itself, others of its kind, and what has a name of its own.
    fn told<T: Data>(&self, kind: &str, value: &T) -> Result<Told, String> {
        let outline = Outline::of(value)?;
        let mut units = Vec::new();
        for thing in outline.things() {
            self.orbits.symmetry.units_of(thing, &mut units);
        }
        units.sort_unstable();
        units.dedup();
        let told = units.into_iter().map(|unit| {
            let seen = outline.seen(&|thing| self.orbits.symmetry.label(thing, unit));
            (unit, fingerprint(&(kind, seen)))
        });
        Ok(told.collect())
    }
}

/// What a local state shows but for its disk.
fn shown<P: Protocol>(
    node: usize,
    local: &LocalOf<P>,
) -> (NodeId, Option<P::State>, Vec<P::Timer>, bool) {
    let (state, is_down) = match &local.life {
        Life::Up(state) => (Some(state.clone()), false),
        Life::Down => (None, true),
        Life::Failed(_) => (None, false),
    };
    (NodeId::from_index(node), state, local.timers.clone(), is_down)
}

fn looks<P: Protocol>(
    node: usize,
    local: &LocalOf<P>,
    name: &dyn Fn(Thing) -> Thing,
) -> Result<u128, String> {
    Ok(Outline::of(&shown::<P>(node, local))?.seen(&|thing| fingerprint(&name(thing))))
}

/// An action after two neighbours have changed places.
fn renamed_action<P: Protocol>(action: &ActionOf<P>, swap: &Swap) -> Result<ActionOf<P>, String> {
    let node = |node: &NodeId| NodeId::from_index(swap.node(node.index()));
    let name = |thing| swap.other(thing);
    Ok(match action {
        TypedAction::Deliver { from, to, message } => TypedAction::Deliver {
            from: node(from),
            to: node(to),
            message: renamed(message, &name)?,
        },
        TypedAction::Choose { node: at, timer } => {
            TypedAction::Choose { node: node(at), timer: renamed(timer, &name)? }
        }
        TypedAction::Fire { node: at, timer } => {
            TypedAction::Fire { node: node(at), timer: renamed(timer, &name)? }
        }
        TypedAction::SyncDone { node: at } => TypedAction::SyncDone { node: node(at) },
        TypedAction::Invoke { id, node: at, request } => TypedAction::Invoke {
            id: renamed(id, &name)?,
            node: node(at),
            request: renamed(request, &name)?,
        },
        TypedAction::Fault(fault) => TypedAction::Fault(renamed_fault(fault, &node)),
        // Of time there are no names, and clusters that count it have nothing interchangeable.
        TypedAction::Tick => TypedAction::Tick,
    })
}

/// A fault of one node with another name for it; others do not occur in clusters with
/// interchangeable nodes, see `Rules::names_nodes`.
fn renamed_fault<M: Clone, T: Clone, Q: Clone>(
    fault: &TypedFault<M, T, Q>,
    name: &dyn Fn(&NodeId) -> NodeId,
) -> TypedFault<M, T, Q> {
    let mut fault = fault.clone();
    match &mut fault {
        TypedFault::Crash { node, .. }
        | TypedFault::Restart { node, .. }
        | TypedFault::CrashRestart { node, .. }
        | TypedFault::Pause { node }
        | TypedFault::Resume { node }
        | TypedFault::SyncFail { node, .. }
        | TypedFault::Jump { node, .. } => *node = name(node),
        TypedFault::Drop { .. }
        | TypedFault::Burst { .. }
        | TypedFault::Duplicate { .. }
        | TypedFault::Replay { .. }
        | TypedFault::Corrupt { .. }
        | TypedFault::Forge { .. }
        | TypedFault::Partition { .. }
        | TypedFault::Heal
        | TypedFault::CrashGroup { .. }
        | TypedFault::Interrupt { .. } => {
            unreachable!("no such fault of a node where something is interchangeable")
        }
    }
    fault
}
