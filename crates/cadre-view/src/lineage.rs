use std::collections::{BTreeMap, BTreeSet};

use cadre_trace::{
    Action, DiskWrite, Effect, Envelope, Fault, LineageEdge, LineageGraph, LineageKind,
    LineageVertex, Standing, Step, Trace, Verdict,
};

use crate::causes::{past, source, step_at, subjects};
use crate::text::{one_line, say};

/// What the outcome of a trace rests on, as far as the trace itself tells: the steps that happened
/// before, the messages between them, what was read back from a disk, and messages to those
/// concerned that were lost.
///
/// The outcome is what the guarantee found, or else the last step. Steps that changed nothing and
/// sent nothing are left out. This is happened-before, so it names more than was needed; engines
/// that can take steps again know better.
pub fn lineage_of(trace: &Trace) -> LineageGraph {
    let subjects = subjects(trace);
    let ends: Vec<usize> = subjects.iter().filter_map(|subject| subject.step).collect();
    let mut building = Building::new(trace, past(trace, ends.iter().copied()));
    for number in building.past.clone() {
        building.step(number);
    }
    let nodes: BTreeSet<&str> = subjects.iter().map(|subject| subject.node).collect();
    let absent = building.absences(&nodes);
    let mut ends: Vec<usize> = ends.iter().filter_map(|end| building.kept(*end)).collect();
    ends.extend(absent);
    let outcome = outcome(trace);
    let (kind, time) = (LineageKind::Outcome, trace.steps.len() + 1);
    let standing = Standing::Kept;
    let vertex =
        LineageVertex { kind, label: outcome.clone(), node: None, time, step: None, standing };
    let last = building.add(vertex);
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        building.edges.push(LineageEdge { from: end, to: last, alternative: 0 });
    }
    LineageGraph { outcome, vertices: building.vertices, edges: building.edges }
}

struct Building<'t> {
    trace: &'t Trace,
    past: BTreeSet<usize>,
    vertices: Vec<LineageVertex>,
    edges: Vec<LineageEdge>,
    /// The vertex of each step.
    steps: BTreeMap<usize, usize>,
}

impl<'t> Building<'t> {
    fn new(trace: &'t Trace, past: BTreeSet<usize>) -> Self {
        Self { trace, past, vertices: Vec::new(), edges: Vec::new(), steps: BTreeMap::new() }
    }

    fn add(&mut self, vertex: LineageVertex) -> usize {
        self.vertices.push(vertex);
        self.vertices.len() - 1
    }

    /// The vertex of a step, or of the one before it at its node if it has none.
    fn kept(&self, number: usize) -> Option<usize> {
        let mut number = number;
        loop {
            if let Some(vertex) = self.steps.get(&number) {
                return Some(*vertex);
            }
            number = self.before(step_at(self.trace, number)?)?;
        }
    }

    /// The step before at the same node.
    fn before(&self, step: &Step) -> Option<usize> {
        let node = step.action.node()?;
        let causes = step.causes.iter().rev().copied();
        let mut same = causes.filter(|cause| {
            let cause = step_at(self.trace, *cause);
            cause.is_some_and(|cause| cause.action.nodes().contains(&node))
        });
        same.find(|cause| *cause < step.step)
    }

    fn step(&mut self, number: usize) {
        let Some(step) = step_at(self.trace, number) else { return };
        if !matters(step) {
            return;
        }
        let message = self.message(step);
        let read = restarts(&step.action).map(|node| self.writes(step, node)).unwrap_or_default();
        let before = self.before(step).and_then(|before| self.kept(before));
        let vertex = self.add(LineageVertex {
            kind: LineageKind::Step,
            label: one_line(&step.action.to_string()),
            node: step.action.node().map(str::to_owned),
            time: number,
            step: Some(number),
            standing: Standing::Kept,
        });
        self.steps.insert(number, vertex);
        let mut from: Vec<usize> = before.into_iter().chain(read).chain(message).collect();
        from.sort_unstable();
        from.dedup();
        let edge = |from| LineageEdge { from, to: vertex, alternative: 0 };
        self.edges.extend(from.into_iter().map(edge));
    }

    /// The message that a step is about, with the edge from who sent it.
    fn message(&mut self, step: &Step) -> Option<usize> {
        let envelope = step.action.envelope()?;
        let sent_at = source(self.trace, step, envelope);
        Some(self.envelope(envelope, sent_at, step.step, Standing::Kept))
    }

    fn envelope(
        &mut self,
        envelope: &Envelope,
        sent_at: Option<usize>,
        time: usize,
        standing: Standing,
    ) -> usize {
        let vertex = self.add(LineageVertex {
            kind: LineageKind::Message,
            label: one_line(&envelope.to_string()),
            node: Some(envelope.from.clone()),
            time,
            step: Some(time),
            standing,
        });
        if let Some(from) = sent_at.and_then(|sent_at| self.kept(sent_at)) {
            self.edges.push(LineageEdge { from, to: vertex, alternative: 0 });
        }
        vertex
    }

    /// What a node reads back when it starts: for each key the last write that reached the disk.
    fn writes(&mut self, restart: &Step, node: &str) -> Vec<usize> {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        let trace = self.trace;
        for step in trace.steps.iter().take(restart.step.saturating_sub(1)) {
            if step.action.node() == Some(node) {
                last.extend(step.effects.iter().filter_map(written).map(|key| (key, step.step)));
            }
        }
        let after = restart.change.nodes.get(node);
        let disk = after.map(|after| &after.disk);
        let is_there = |key: &str| disk.is_none_or(|disk| disk.contains_key(key));
        let mut found = Vec::new();
        for (key, number) in last {
            let Some(from) = self.kept(number).filter(|_| is_there(key)) else { continue };
            let vertex = self.add(LineageVertex {
                kind: LineageKind::Write,
                label: format!("disk {}", one_line(key)),
                node: Some(node.to_owned()),
                time: number,
                step: Some(number),
                standing: Standing::Kept,
            });
            self.edges.push(LineageEdge { from, to: vertex, alternative: 0 });
            found.push(vertex);
        }
        found
    }

    /// Messages to the nodes concerned that were lost, and that they are without them.
    fn absences(&mut self, nodes: &BTreeSet<&str>) -> Vec<usize> {
        let mut found = Vec::new();
        let trace = self.trace;
        for step in &trace.steps {
            let lost = match &step.action {
                Action::Fault(Fault::Drop(envelope)) => std::slice::from_ref(envelope),
                Action::Fault(Fault::Burst(_)) => &step.change.removed,
                Action::Deliver(_)
                | Action::Choose { .. }
                | Action::Fire { .. }
                | Action::SyncDone { .. }
                | Action::Invoke { .. }
                | Action::Tick
                | Action::Fault(_) => continue,
            };
            for envelope in lost.iter().filter(|envelope| nodes.contains(envelope.to.as_str())) {
                let sent_at = source(trace, step, envelope);
                let message = self.envelope(envelope, sent_at, step.step, Standing::Cut);
                let absence = self.add(LineageVertex {
                    kind: LineageKind::Absence,
                    label: format!("no {} from {}", say(&envelope.message), envelope.from),
                    node: Some(envelope.to.clone()),
                    time: step.step,
                    step: Some(step.step),
                    standing: Standing::Kept,
                });
                self.edges.push(LineageEdge { from: message, to: absence, alternative: 0 });
                found.push(absence);
            }
        }
        found
    }
}

/// Whether anything can rest on a step.
fn matters(step: &Step) -> bool {
    !step.change.nodes.is_empty()
        || !step.change.added.is_empty()
        || step.failure.is_some()
        || step.effects.iter().any(Effect::leaves_the_node)
}

fn restarts(action: &Action) -> Option<&str> {
    let Action::Fault(Fault::Restart { node, .. } | Fault::CrashRestart { node, .. }) = action
    else {
        return None;
    };
    Some(node)
}

fn written(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::Write(DiskWrite::Put { key, .. })
        | Effect::WriteSynced(DiskWrite::Put { key, .. }) => Some(key),
        Effect::Write(DiskWrite::Delete { .. } | DiskWrite::Sync)
        | Effect::WriteSynced(DiskWrite::Delete { .. } | DiskWrite::Sync)
        | Effect::Sync
        | Effect::Send { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::Respond { .. } => None,
    }
}

fn outcome(trace: &Trace) -> String {
    let found = trace.header.guarantee.as_ref().map(|guarantee| {
        let finding = guarantee.finding.as_ref().map(|finding| one_line(finding));
        finding.unwrap_or_else(|| match trace.header.verdict {
            Verdict::Violated => format!("not: {}", one_line(&guarantee.name)),
            Verdict::Holds | Verdict::Bounded => one_line(&guarantee.name),
        })
    });
    found.unwrap_or_else(|| match trace.steps.last() {
        Some(step) => format!("after {}", one_line(&step.action.to_string())),
        None => "the initial configuration".to_owned(),
    })
}
