use std::collections::{BTreeMap, BTreeSet};

use cadre_step::NodeId;
use cadre_trace::{
    Action, Effect, LineageEdge, LineageGraph, LineageKind, LineageVertex, Standing, Trace, brief,
};

use crate::difference::sorted;
use crate::record::to_json;
use crate::rounds::SILENCE;
use crate::witness::{Deed, Heard};
use crate::{ChannelRound, LineageError, Program, Rounds, Run};

/// Two runs, one of which is explained and compared with the other one.
pub(crate) struct Pair<'r> {
    pub(crate) run: &'r Run,
    pub(crate) trace: &'r Trace,
    pub(crate) other: &'r Run,
    /// Whether what is explained is the run without faults.
    pub(crate) is_good: bool,
}

impl<P: Program> Rounds<P> {
    /// What these deeds rest on, as one graph under an outcome, and the steps of the trace that are
    /// part of it if of alternatives only the first one counts.
    pub(crate) fn graph(
        &mut self,
        pair: &Pair<'_>,
        outcome: &str,
        deeds: &[Deed],
    ) -> Result<(LineageGraph, BTreeSet<usize>), LineageError> {
        let steps = StepsByRound::of(pair.trace);
        let (known, vertices, edges) = (BTreeMap::new(), Vec::new(), Vec::new());
        let heard = BTreeMap::new();
        let mut growing = Growing { rounds: self, pair, steps, known, vertices, edges, heard };
        let mut roots = Vec::new();
        for deed in deeds {
            roots.push(growing.deed(*deed)?);
        }
        let about = growing.about(&roots);
        Ok((growing.finish(outcome, &roots), about))
    }

    /// What a channel carries, in words.
    pub(crate) fn content_told(&self, content: u32) -> String {
        let told: Vec<String> =
            self.content(content).iter().map(|message| brief(&to_json(message))).collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join(" + ") }
    }
}

/// What a vertex stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Deed(Deed),
    Message { to: NodeId, heard: Heard },
    Absence { at: NodeId, missed: Heard },
    Crash(NodeId),
}

/// A graph that grows from the outcome back to what needs no reason.
struct Growing<'g, P: Program> {
    rounds: &'g mut Rounds<P>,
    pair: &'g Pair<'g>,
    steps: StepsByRound,
    known: BTreeMap<Item, usize>,
    vertices: Vec<LineageVertex>,
    edges: Vec<LineageEdge>,
    /// For messages of the graph, the steps in which they are heard.
    heard: BTreeMap<usize, Vec<usize>>,
}

impl<P: Program> Growing<'_, P> {
    fn deed(&mut self, deed: Deed) -> Result<usize, LineageError> {
        let item = Item::Deed(deed);
        if let Some(&known) = self.known.get(&item) {
            return Ok(known);
        }
        let (run, other) = (self.pair.run, self.pair.other);
        let witness = self.rounds.witness(deed, run, other)?;
        let node = deed.node();
        let (label, round) = match deed {
            Deed::End { seen, .. } => (self.rounds.told(node, seen), self.rounds.spec().eot),
            Deed::Send { round, content: SILENCE, to, .. } => {
                let (from, to) = (self.rounds.name(node), self.rounds.name(to));
                (format!("{from} sends nothing to {to} in round {round}"), round)
            }
            Deed::Send { round, to, .. } => {
                let (from, to) = (self.rounds.name(node), self.rounds.name(to));
                (format!("{from}, round {round}, to {to}"), round)
            }
            Deed::Panic { round, .. } => (format!("{} panics", self.rounds.name(node)), round),
        };
        let step = match deed {
            Deed::Send { to, round, .. } => {
                let (from, to) = (self.rounds.name(node), self.rounds.name(to));
                self.steps.sending(&from, &to, round)
            }
            Deed::End { .. } | Deed::Panic { .. } => {
                self.steps.last_of(&self.rounds.name(node), round)
            }
        };
        let standing = self.standing_of_deed(deed);
        let vertex = self.add(
            item,
            LineageVertex {
                kind: LineageKind::Step,
                label,
                node: Some(self.rounds.name(node)),
                time: round as usize,
                step,
                standing,
            },
        );
        // Where nothing has to be heard, what did not come is a cause all the same.
        let mut alternatives = witness.alternatives;
        if alternatives.is_empty() {
            alternatives.push(BTreeSet::new());
        }
        for (heard, alternative) in alternatives.into_iter().zip(0..) {
            for heard in heard {
                let from = self.message(node, heard)?;
                self.edges.push(LineageEdge { from, to: vertex, alternative });
            }
            for missed in &witness.missed {
                let from = self.absence(node, *missed)?;
                self.edges.push(LineageEdge { from, to: vertex, alternative });
            }
        }
        Ok(vertex)
    }

    fn message(&mut self, to: NodeId, heard: Heard) -> Result<usize, LineageError> {
        let item = Item::Message { to, heard };
        if let Some(&known) = self.known.get(&item) {
            return Ok(known);
        }
        let Heard { round, from, content } = heard;
        let sent = round - 1;
        let (from_name, to_name) = (self.rounds.name(from), self.rounds.name(to));
        let step = self.steps.sending(&from_name, &to_name, sent);
        let hearing = self.steps.hearing(&to_name, &from_name, round).collect();
        let vertex = self.add(
            item,
            LineageVertex {
                kind: LineageKind::Message,
                label: format!("{} {from_name}→{to_name}", self.rounds.content_told(content)),
                node: Some(from_name),
                time: sent as usize,
                step,
                standing: self.standing_of_message(to, heard),
            },
        );
        self.heard.insert(vertex, hearing);
        let sender = self.deed(Deed::Send { node: from, to, round: sent, content })?;
        self.edges.push(LineageEdge { from: sender, to: vertex, alternative: 0 });
        Ok(vertex)
    }

    fn absence(&mut self, at: NodeId, missed: Heard) -> Result<usize, LineageError> {
        let item = Item::Absence { at, missed };
        if let Some(&known) = self.known.get(&item) {
            return Ok(known);
        }
        let Heard { round, from, content } = missed;
        let told = self.rounds.content_told(content);
        let vertex = self.add(
            item,
            LineageVertex {
                kind: LineageKind::Absence,
                label: format!("no {told} from {} by round {round}", self.rounds.name(from)),
                node: Some(self.rounds.name(at)),
                time: round as usize,
                step: None,
                standing: if self.pair.is_good { Standing::Kept } else { Standing::Added },
            },
        );
        let faults = &self.pair.run.faults;
        let offered = offered(self.pair.run, at, from, round);
        let channel = ChannelRound { from, to: at, round: round - 1 };
        let cause = if faults.omits(channel) && offered != SILENCE {
            let lost = Heard { content: offered, ..missed };
            self.message(at, lost)?
        } else if faults.crash_of(from).is_some_and(|crash| crash < round) {
            self.crash(from)
        } else {
            let deed = Deed::Send { node: from, to: at, round: round - 1, content: offered };
            self.deed(deed)?
        };
        self.edges.push(LineageEdge { from: cause, to: vertex, alternative: 0 });
        Ok(vertex)
    }

    fn crash(&mut self, node: NodeId) -> usize {
        let item = Item::Crash(node);
        if let Some(&known) = self.known.get(&item) {
            return known;
        }
        let round = self.pair.run.faults.crash_of(node).unwrap_or_default();
        let name = self.rounds.name(node);
        self.add(
            item,
            LineageVertex {
                kind: LineageKind::Step,
                label: format!("{name} crashes in round {round}"),
                step: self.steps.last_of(&name, self.rounds.spec().eot),
                node: Some(name),
                time: round as usize,
                standing: Standing::Cut,
            },
        )
    }

    fn add(&mut self, item: Item, vertex: LineageVertex) -> usize {
        let position = self.vertices.len();
        self.vertices.push(vertex);
        self.known.insert(item, position);
        position
    }

    fn standing_of_message(&self, to: NodeId, heard: Heard) -> Standing {
        let Heard { round, from, content } = heard;
        let channel = ChannelRound { from, to, round: round - 1 };
        if !self.pair.is_good && self.pair.run.faults.omits(channel) {
            return Standing::Cut;
        }
        let other = self.pair.other;
        let taken = other.taken.get(round as usize - 1).and_then(|row| row[to.index()].as_ref());
        if taken.is_some_and(|taken| taken.inbox[from.index()] == content) {
            return Standing::Kept;
        }
        if !self.pair.is_good {
            return Standing::Added;
        }
        let was_lost = taken.is_some_and(|taken| taken.offered[from.index()] == content);
        if was_lost && other.faults.omits(channel) { Standing::Cut } else { Standing::Fallen }
    }

    fn standing_of_deed(&mut self, deed: Deed) -> Standing {
        let (node, other) = (deed.node(), self.pair.other);
        let crash = other.faults.crash_of(node);
        let is_same = match deed {
            Deed::Send { to, round, content, .. } => {
                let is_up = crash.is_none_or(|crash| round < crash);
                is_up && offered(other, to, node, round + 1) == content
            }
            Deed::End { seen, .. } => {
                self.rounds.ending(other).is_ok_and(|ending| ending.seen[node.index()] == seen)
            }
            Deed::Panic { .. } => false,
        };
        match (is_same, self.pair.is_good) {
            (true, _) => Standing::Kept,
            (false, false) => Standing::Added,
            (false, true) => {
                let is_cut = match deed {
                    Deed::Send { round, .. } => crash.is_some_and(|crash| crash <= round),
                    Deed::End { .. } | Deed::Panic { .. } => crash.is_some(),
                };
                if is_cut { Standing::Cut } else { Standing::Fallen }
            }
        }
    }

    /// The steps on which these vertices rest, by way of first alternatives.
    fn about(&self, roots: &[usize]) -> BTreeSet<usize> {
        let mut open = roots.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(vertex) = open.pop() {
            if seen.insert(vertex) {
                let first = |edge: &&LineageEdge| edge.to == vertex && edge.alternative == 0;
                open.extend(self.edges.iter().filter(first).map(|edge| edge.from));
            }
        }
        let heard = seen.iter().filter_map(|vertex| self.heard.get(vertex)).flatten().copied();
        heard.chain(seen.iter().filter_map(|vertex| self.vertices[*vertex].step)).collect()
    }

    /// The graph in the order of time, with the outcome last.
    fn finish(mut self, outcome: &str, roots: &[usize]) -> LineageGraph {
        let is_kept = roots.iter().all(|root| self.vertices[*root].standing == Standing::Kept);
        let broken = if self.pair.is_good { Standing::Fallen } else { Standing::Added };
        let to = self.vertices.len();
        self.vertices.push(LineageVertex {
            kind: LineageKind::Outcome,
            label: outcome.to_owned(),
            node: None,
            time: self.rounds.spec().eot as usize,
            step: None,
            standing: if is_kept { Standing::Kept } else { broken },
        });
        let root = |root: &usize| LineageEdge { from: *root, to, alternative: 0 };
        self.edges.extend(roots.iter().map(root));
        sorted(outcome, &self.vertices, &self.edges)
    }
}

/// What a node has sent to another, which might have heard it in this round.
pub(crate) fn offered(run: &Run, at: NodeId, from: NodeId, round: u32) -> u32 {
    let row = run.taken.get(round as usize - 1);
    let taken = row.and_then(|row| row.get(at.index())?.as_ref());
    taken.map_or(SILENCE, |taken| taken.offered[from.index()])
}

/// The steps of a trace of rounds, by round and node.
struct StepsByRound(Vec<Place>);

/// Where a step is in a trace of rounds.
struct Place {
    round: u32,
    node: String,
    step: usize,
    sent: Vec<String>,
    /// Whose message it takes.
    heard: Option<String>,
}

impl StepsByRound {
    fn of(trace: &Trace) -> Self {
        let mut round = 1;
        let mut steps = Vec::new();
        for step in &trace.steps {
            round += u32::from(step.action == Action::Tick);
            if let Some(node) = step.action.node() {
                let sent = step.effects.iter().filter_map(Effect::message);
                let sent = sent.map(|(to, _)| to.to_owned()).collect();
                let heard = match &step.action {
                    Action::Deliver(envelope) => Some(envelope.from.clone()),
                    Action::Choose { .. }
                    | Action::Fire { .. }
                    | Action::SyncDone { .. }
                    | Action::Invoke { .. }
                    | Action::Tick
                    | Action::Fault(_) => None,
                };
                steps.push(Place { round, node: node.to_owned(), step: step.step, sent, heard });
            }
        }
        Self(steps)
    }

    fn sending(&self, from: &str, to: &str, round: u32) -> Option<usize> {
        let sends = |place: &&Place| {
            (place.round, &*place.node) == (round, from) && place.sent.iter().any(|sent| sent == to)
        };
        self.0.iter().find(sends).map(|place| place.step)
    }

    /// The steps in which a node hears another in a round.
    fn hearing<'s>(&'s self, to: &str, from: &str, round: u32) -> impl Iterator<Item = usize> + 's {
        let (to, from) = (to.to_owned(), from.to_owned());
        let hears = move |place: &&Place| {
            (place.round, &*place.node, place.heard.as_deref()) == (round, &*to, Some(&*from))
        };
        self.0.iter().filter(hears).map(|place| place.step)
    }

    fn last_of(&self, of: &str, until: u32) -> Option<usize> {
        let mut places = self.0.iter().rev();
        places.find(|place| place.round <= until && place.node == of).map(|place| place.step)
    }
}
