use std::collections::HashMap;

use cadre_step::{NodeId, Protocol};
use smallvec::SmallVec;

use super::Cluster;
use super::action::{ActionOf, TypedAction, TypedFault};
use super::configuration::Configuration;
use super::history::HistoryEntry;
use super::local::{Life, LocalOf};
use super::naming::{mentioned, outline, renamed};
use super::tables::{Envelope, Tables};
use crate::fingerprint;

/// What the parts of configurations become when neighbours among the interchangeable nodes change
/// places, and how the parts tell the nodes apart.
///
/// A local state is renamed by taking the steps that led to it once more, by the other node and
/// with renamed messages: memory and disk follow from the step function, whose bytes on a disk
/// could not be renamed.
pub(super) struct Orbits {
    /// The interchangeable nodes, in order.
    group: Vec<usize>,
    /// For each swap, node and local state the local state of the node that takes its place.
    locals: HashMap<(usize, usize, u32), u32>,
    envelopes: HashMap<(usize, u32), u32>,
    histories: HashMap<(usize, u32), u32>,
    /// For each node and local state what it says about interchangeable nodes.
    told_by_locals: HashMap<(usize, u32), Told>,
    told_by_envelopes: HashMap<u32, Told>,
    /// What shows that the nodes are not interchangeable, or cannot be renamed.
    pub(super) asymmetry: Option<String>,
}

/// For interchangeable nodes, by their position in the group, what is said about them.
type Told = Vec<(usize, u128)>;

/// A part of a configuration of which it is not known yet what it becomes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Missing {
    Local { swap: usize, node: usize, local: u32 },
    Envelope { swap: usize, envelope: u32 },
    History { swap: usize, history: u32 },
    ToldByLocal { node: usize, local: u32 },
    ToldByEnvelope { envelope: u32 },
}

/// The parts of a configuration.
#[derive(Clone)]
struct Parts {
    locals: Vec<u32>,
    history: u32,
    envelopes: Vec<u32>,
}

/// How many arrangements of nodes that look alike are tried; beyond, an orbit may have several
/// representatives, which costs time but hides nothing.
const ARRANGEMENTS_MAX: usize = 5_040;

impl Orbits {
    pub(super) fn new(group: Vec<usize>) -> Self {
        Self {
            group,
            locals: HashMap::new(),
            envelopes: HashMap::new(),
            histories: HashMap::new(),
            told_by_locals: HashMap::new(),
            told_by_envelopes: HashMap::new(),
            asymmetry: None,
        }
    }

    /// The representative of a configuration's orbit.
    ///
    /// The interchangeable nodes are sorted by all that is said about each of them, its own state
    /// included; of the arrangements of nodes about which the same is said, the one with the least
    /// fingerprint counts. Nodes that can change places without any effect need not be arranged.
    pub(super) fn representative<P: Protocol>(
        &self,
        cluster: &Cluster<P>,
        tables: &Tables<P>,
        at: &Configuration,
    ) -> Result<Configuration, Missing> {
        let mut parts = Parts {
            locals: (0..cluster.layout.nodes).map(|node| at.local(node)).collect(),
            history: at.history(cluster.layout),
            envelopes: cluster.envelopes(at),
        };
        let mut told = self.told(&parts)?;
        for end in (1..told.len()).rev() {
            for swap in 0..end {
                if told[swap] > told[swap + 1] {
                    told.swap(swap, swap + 1);
                    parts = self.swapped(&parts, swap)?;
                }
            }
        }
        let build = |parts: &Parts| cluster.assemble(tables, at, parts);
        let mut best = build(&parts);
        let mut ties = Vec::new();
        for (first, run) in runs(&told) {
            for swap in first..first + run - 1 {
                if build(&self.swapped(&parts, swap)?) != best {
                    ties.push((first, run));
                    break;
                }
            }
        }
        let arrangements = ties.iter().map(|(_, run)| (1..=*run).product::<usize>());
        if !ties.is_empty() && arrangements.product::<usize>() <= ARRANGEMENTS_MAX {
            self.arrange(&parts, &ties, &mut |parts| {
                let other = build(parts);
                if other.fingerprint() < best.fingerprint() {
                    best = other;
                }
            })?;
        }
        Ok(best)
    }

    /// For each of the interchangeable nodes the sum of what is said about it.
    fn told(&self, parts: &Parts) -> Result<Vec<u128>, Missing> {
        let mut sums = vec![0_u128; self.group.len()];
        let mut add = |told: &Told| {
            for (position, key) in told {
                sums[*position] = sums[*position].wrapping_add(*key);
            }
        };
        for (node, local) in parts.locals.iter().copied().enumerate() {
            let told = self.told_by_locals.get(&(node, local));
            add(told.ok_or(Missing::ToldByLocal { node, local })?);
        }
        for envelope in parts.envelopes.iter().copied() {
            let told = self.told_by_envelopes.get(&envelope);
            add(told.ok_or(Missing::ToldByEnvelope { envelope })?);
        }
        Ok(sums)
    }

    /// The parts after two neighbours have changed places.
    fn swapped(&self, parts: &Parts, swap: usize) -> Result<Parts, Missing> {
        let mut after = parts.clone();
        for (node, local) in parts.locals.iter().copied().enumerate() {
            let other = self.locals.get(&(swap, node, local));
            let other = other.ok_or(Missing::Local { swap, node, local })?;
            after.locals[self.swap_node(swap, node)] = *other;
        }
        for envelope in &mut after.envelopes {
            let other = self.envelopes.get(&(swap, *envelope));
            *envelope = *other.ok_or(Missing::Envelope { swap, envelope: *envelope })?;
        }
        after.envelopes.sort_unstable();
        let history = parts.history;
        let other = self.histories.get(&(swap, history));
        after.history = *other.ok_or(Missing::History { swap, history })?;
        Ok(after)
    }

    /// Visits every arrangement of the nodes in some runs: each run's by exchanging neighbours
    /// (Johnson 1963, Trotter 1962).
    fn arrange(
        &self,
        parts: &Parts,
        runs: &[(usize, usize)],
        visit: &mut dyn FnMut(&Parts),
    ) -> Result<(), Missing> {
        let Some(((first, run), rest)) = runs.split_first() else {
            visit(parts);
            return Ok(());
        };
        let mut parts = parts.clone();
        self.arrange(&parts, rest, visit)?;
        let mut order: Vec<usize> = (0..*run).collect();
        let mut goes_up = vec![false; *run];
        loop {
            let can_move = |at: usize| {
                let to = if goes_up[order[at]] { at + 1 } else { at.wrapping_sub(1) };
                order.get(to).is_some_and(|other| *other < order[at]).then_some(to)
            };
            let movable = (0..*run).filter_map(|at| can_move(at).map(|to| (order[at], at, to)));
            let Some((mover, at, to)) = movable.max() else { return Ok(()) };
            order.swap(at, to);
            goes_up[mover + 1..].iter_mut().for_each(|larger| *larger = !*larger);
            parts = self.swapped(&parts, first + at.min(to))?;
            self.arrange(&parts, rest, visit)?;
        }
    }

    fn swap_node(&self, swap: usize, node: usize) -> usize {
        let (one, other) = (self.group[swap], self.group[swap + 1]);
        match node {
            node if node == one => other,
            node if node == other => one,
            node => node,
        }
    }

    fn swap_id(&self, swap: usize) -> impl Fn(NodeId) -> NodeId {
        move |id| NodeId::from_index(self.swap_node(swap, id.index()))
    }

    /// Finds out what is missing.
    ///
    /// # Errors
    ///
    /// Where values cannot be renamed.
    pub(super) fn find_out<P: Protocol>(
        &mut self,
        protocol: &P,
        tables: &mut Tables<P>,
        missing: Missing,
    ) -> Result<(), String> {
        match missing {
            Missing::Local { swap, node, local } => {
                self.swapped_local(protocol, tables, (swap, node, local))?;
            }
            Missing::Envelope { swap, envelope } => {
                let other = self.swapped_envelope(tables, swap, envelope)?;
                let other = tables.envelope_id(other);
                self.envelopes.insert((swap, envelope), other);
            }
            Missing::History { swap, history } => {
                let mut after = tables.histories.values[history as usize].as_ref().clone();
                for entry in &mut after {
                    if let HistoryEntry::Return { response, .. } = entry {
                        *response = renamed(response, &self.swap_id(swap))?;
                    }
                }
                let other = tables.history_id(after);
                self.histories.insert((swap, history), other);
            }
            Missing::ToldByLocal { node, local } => {
                let value = tables.nodes[node].locals.values[local as usize].clone();
                let told = self.told_by_local::<P>(node, &value)?;
                self.told_by_locals.insert((node, local), told);
            }
            Missing::ToldByEnvelope { envelope } => {
                let value = tables.envelopes.values[envelope as usize].clone();
                let Envelope { from, to, message } = &*value;
                let value = (*from, *to, message.clone());
                let told = self.told_of(&mentioned(&value)?, |kind| outline(&value, kind))?;
                self.told_by_envelopes.insert(envelope, told);
            }
        }
        Ok(())
    }

    /// Lets a part that cannot be renamed be what it is, so that a search can go on to the point
    /// where it says so.
    pub(super) fn leave_as_is(&mut self, missing: Missing) {
        match missing {
            Missing::Local { swap, node, local } => {
                self.locals.insert((swap, node, local), local);
            }
            Missing::Envelope { swap, envelope } => {
                self.envelopes.insert((swap, envelope), envelope);
            }
            Missing::History { swap, history } => {
                self.histories.insert((swap, history), history);
            }
            Missing::ToldByLocal { node, local } => {
                self.told_by_locals.insert((node, local), Told::new());
            }
            Missing::ToldByEnvelope { envelope } => {
                self.told_by_envelopes.insert(envelope, Told::new());
            }
        }
    }

    fn swapped_envelope<P: Protocol>(
        &self,
        tables: &Tables<P>,
        swap: usize,
        envelope: u32,
    ) -> Result<Envelope<P::Message>, String> {
        let Envelope { from, to, message } = &*tables.envelopes.values[envelope as usize];
        let name = self.swap_id(swap);
        let message = renamed(message, &name)?;
        Ok(Envelope { from: name(*from), to: name(*to), message })
    }

    fn told_by_local<P: Protocol>(&self, node: usize, local: &LocalOf<P>) -> Result<Told, String> {
        let id = NodeId::from_index(node);
        let timers = &local.timers;
        let state = match &local.life {
            Life::Up(state) => Some(state.clone()),
            Life::Down | Life::Failed(_) => None,
        };
        let mut nodes = mentioned(&(id, state.clone()))?;
        for timer in timers {
            nodes.extend(mentioned(timer)?);
        }
        let status = matches!(local.life, Life::Down);
        self.told_of(&nodes, |kind| {
            let mut text = format!("{} {status}", outline(&(id, state.clone()), kind)?);
            for timer in timers {
                text.push_str(&outline(timer, kind)?);
            }
            Ok(text)
        })
    }

    /// What a value says about each of the interchangeable nodes that it names, seen from that
    /// node: itself, the others of its kind, and those with a name of their own.
    fn told_of(
        &self,
        nodes: &[NodeId],
        outline: impl Fn(&dyn Fn(NodeId) -> u32) -> Result<String, String>,
    ) -> Result<Told, String> {
        const ITSELF: u32 = u32::MAX;
        const ANOTHER: u32 = u32::MAX - 1;
        let mut told = Told::new();
        for (position, own) in self.group.iter().enumerate() {
            if nodes.iter().any(|node| node.index() == *own) {
                let text = outline(&|id| match id.index() {
                    index if index == *own => ITSELF,
                    index if self.group.contains(&index) => ANOTHER,
                    index => u32::try_from(index).expect("a cluster has fewer than 2^32 nodes"),
                })?;
                told.push((position, fingerprint(&text)));
            }
        }
        Ok(told)
    }

    /// The local state that takes the place of another: the steps that led there, renamed.
    fn swapped_local<P: Protocol>(
        &mut self,
        protocol: &P,
        tables: &mut Tables<P>,
        (swap, node, local): (usize, usize, u32),
    ) -> Result<u32, String> {
        let mut steps = Vec::new();
        let mut at = local;
        let mut other = loop {
            if let Some(known) = self.locals.get(&(swap, node, at)) {
                break *known;
            }
            let Some((before, action)) = tables.nodes[node].births[at as usize] else {
                let to = self.swap_node(swap, node);
                let execution = tables.start(protocol, NodeId::from_index(to));
                let other = tables.local_id(protocol, to, execution.after);
                self.locals.insert((swap, node, at), other);
                break other;
            };
            steps.push((at, action));
            at = before;
        };
        while let Some((after, action)) = steps.pop() {
            let outcome = self.swapped_step(protocol, tables, (swap, node, other, action))?;
            other = tables.nodes[self.swap_node(swap, node)].outcomes[outcome as usize].local;
            self.locals.insert((swap, node, after), other);
        }
        Ok(other)
    }

    /// The outcome of a node's action, renamed, in a local state that is renamed already.
    fn swapped_step<P: Protocol>(
        &self,
        protocol: &P,
        tables: &mut Tables<P>,
        (swap, node, other, action): (usize, usize, u32, u32),
    ) -> Result<u32, String> {
        let to = self.swap_node(swap, node);
        let typed = tables.nodes[node].actions[action as usize].clone();
        let typed = renamed_action::<P>(&typed, &self.swap_id(swap))?;
        if let TypedAction::Deliver { from, to, message } = typed.clone() {
            tables.envelope_id(Envelope { from, to, message });
        }
        let action = tables.nodes[to].action_id(typed);
        Ok(tables.outcome_of(protocol, to, other, action))
    }

    /// Checks that a step's renamed twin leads where it should; notes it where it does not.
    pub(super) fn compare<P: Protocol>(
        &mut self,
        protocol: &P,
        tables: &mut Tables<P>,
        (node, local, action): (usize, u32, u32),
    ) -> Result<(), String> {
        let outcome = tables.outcome_of(protocol, node, local, action);
        let after = tables.nodes[node].outcomes[outcome as usize].local;
        let sends = tables.nodes[node].outcomes[outcome as usize].leaving.sends.clone();
        for swap in 0..self.group.len().saturating_sub(1) {
            let to = self.swap_node(swap, node);
            let other = self.swapped_local(protocol, tables, (swap, node, local))?;
            let found = self.swapped_step(protocol, tables, (swap, node, other, action))?;
            let found = &tables.nodes[to].outcomes[found as usize];
            let (found, mut found_sends) = (found.local, found.leaving.sends.clone());
            let expected = self.swapped_local(protocol, tables, (swap, node, after))?;
            let mut expected_sends = SmallVec::<[u32; 4]>::new();
            for sent in &sends {
                let sent = self.swapped_envelope(tables, swap, *sent)?;
                expected_sends.push(tables.envelope_id(sent));
            }
            expected_sends.sort_unstable();
            found_sends.sort_unstable();
            let before = &tables.nodes[node].locals.values[after as usize];
            let twin = &tables.nodes[to].locals.values[found as usize];
            let looks_alike =
                self.looks::<P>(before, &self.swap_id(swap))? == self.looks::<P>(twin, &|id| id)?;
            if found != expected || found_sends != expected_sends || !looks_alike {
                let what = &tables.nodes[node].actions[action as usize];
                self.asymmetry.get_or_insert(format!(
                    "nodes {} and {} do not behave alike: {what:?} leads to {:?} and {} messages, \
                     its twin at node {to} to {:?} and {} messages",
                    self.group[swap],
                    self.group[swap + 1],
                    before.life,
                    expected_sends.len(),
                    twin.life,
                    found_sends.len(),
                ));
            }
        }
        Ok(())
    }

    /// What a local state shows but for its disk, with other names.
    fn looks<P: Protocol>(
        &self,
        local: &LocalOf<P>,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Result<String, String> {
        let kind = |id: NodeId| u32::try_from(name(id).index()).unwrap_or(u32::MAX);
        let state = match &local.life {
            Life::Up(state) => outline(state, &kind)?,
            Life::Down => "down".to_owned(),
            Life::Failed(_) => "failed".to_owned(),
        };
        Ok(format!("{state} {}", outline(&local.timers, &kind)?))
    }
}

/// The runs of equal neighbours that are longer than one, as position and length.
fn runs(told: &[u128]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut first = 0;
    for run in told.chunk_by(|one, other| one == other) {
        if run.len() > 1 {
            runs.push((first, run.len()));
        }
        first += run.len();
    }
    runs
}

fn renamed_action<P: Protocol>(
    action: &ActionOf<P>,
    name: &dyn Fn(NodeId) -> NodeId,
) -> Result<ActionOf<P>, String> {
    Ok(match action {
        TypedAction::Deliver { from, to, message } => TypedAction::Deliver {
            from: name(*from),
            to: name(*to),
            message: renamed(message, name)?,
        },
        TypedAction::Choose { node, timer } => {
            TypedAction::Choose { node: name(*node), timer: renamed(timer, name)? }
        }
        TypedAction::Fire { node, timer } => {
            TypedAction::Fire { node: name(*node), timer: renamed(timer, name)? }
        }
        TypedAction::SyncDone { node } => TypedAction::SyncDone { node: name(*node) },
        TypedAction::Invoke { id, node, request } => {
            TypedAction::Invoke { id: *id, node: name(*node), request: renamed(request, name)? }
        }
        TypedAction::Fault(fault) => TypedAction::Fault(renamed_fault(fault, name)),
        // Of time there are no names, and clusters that count it have no interchangeable nodes.
        TypedAction::Tick => TypedAction::Tick,
    })
}

/// A fault of one node with another name for it; others do not occur in clusters with
/// interchangeable nodes, see `Rules::names_nodes`.
fn renamed_fault<M: Clone, T: Clone, Q: Clone>(
    fault: &TypedFault<M, T, Q>,
    name: &dyn Fn(NodeId) -> NodeId,
) -> TypedFault<M, T, Q> {
    let mut fault = fault.clone();
    match &mut fault {
        TypedFault::Crash { node, .. }
        | TypedFault::Restart { node, .. }
        | TypedFault::CrashRestart { node, .. }
        | TypedFault::Pause { node }
        | TypedFault::Resume { node }
        | TypedFault::SyncFail { node, .. }
        | TypedFault::Jump { node, .. } => *node = name(*node),
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
            unreachable!("no such fault of a node where nodes are interchangeable")
        }
    }
    fault
}

impl<P: Protocol> Cluster<P> {
    /// The configuration of some parts, with the budgets of another.
    fn assemble(
        &self,
        tables: &Tables<P>,
        budgets: &Configuration,
        parts: &Parts,
    ) -> Configuration {
        let mut configuration = Configuration::new(self.layout);
        for (node, local) in parts.locals.iter().enumerate() {
            let key = tables.nodes[node].locals.keys[*local as usize];
            configuration.set_local(node, *local, key);
        }
        for envelope in &parts.envelopes {
            self.put_in(tables, &mut configuration, *envelope);
        }
        let key = tables.histories.keys[parts.history as usize];
        configuration.set_history(self.layout, parts.history, key);
        let budgets = budgets.budgets(self.layout);
        configuration.set_budgets(self.layout, budgets, self.purse.key(budgets));
        configuration
    }
}
