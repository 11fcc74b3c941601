use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use cadre_trace::{Action, Effect, Envelope, Event, Fault, HistoryEvent, Status, Step, Trace};

use crate::causes::{source, step_at};
use crate::changed::{Changed, Nodes};
use crate::diagram::flights::{Flight, flights};
use crate::select::{Gap, Shown};

/// What stands where in a space-time diagram, without sizes: lanes beside each other, rows below
/// each other.
///
/// Row 0 is the initial configuration; each step that is shown has a row, and each gap.
#[derive(Debug)]
pub(crate) struct Plan<'t> {
    pub(crate) trace: &'t Trace,
    pub(crate) lanes: Vec<Lane<'t>>,
    /// The rows from row 1 on.
    pub(crate) rows: Vec<Row<'t>>,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) bands: Vec<Band>,
    /// The row of each step from step 0 on, which for a step that is left out is that of its gap.
    row_of: Vec<usize>,
}

/// One vertical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane<'t> {
    Client(&'t str),
    Node(&'t str),
}

#[derive(Debug)]
pub(crate) enum Row<'t> {
    Step(StepRow<'t>),
    Gap(Gap),
}

/// A step and what is drawn for it.
#[derive(Debug)]
pub(crate) struct StepRow<'t> {
    pub(crate) step: &'t Step,
    pub(crate) row: usize,
    pub(crate) changed: Changed,
    /// What happens on which lanes.
    pub(crate) marks: Vec<(usize, Mark)>,
    /// What the step did to the disk of its node.
    pub(crate) disk: Option<Disk>,
    /// On which side of its mark no message arrives or leaves.
    pub(crate) side: Side,
    /// Messages that end at this step, or that begin here and end nowhere.
    pub(crate) flights: Vec<Flight>,
    /// What clients ask and are answered.
    pub(crate) calls: Vec<Call>,
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Step,
    Choice,
    Timeout,
    Crash,
    Restart,
    CrashRestart,
    Interrupt,
    Pause,
    Resume,
    Jump,
    SyncFail,
    Forge,
    Failed,
}

/// What happens to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disk {
    /// Something is written that a crash may undo.
    Written,
    /// What was written survives a crash.
    Synced,
}

/// A side of a mark, the right one unless messages are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// A client and a node that speak with each other, within one row.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) client: usize,
    pub(crate) node: usize,
    pub(crate) text: String,
    pub(crate) is_answer: bool,
}

/// A lane on which something stays as it is for some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) lane: usize,
    pub(crate) rows: RangeInclusive<usize>,
    pub(crate) kind: StretchKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StretchKind {
    Up,
    Paused,
    Down,
    /// A client waits for its answer, which comes.
    Waits,
    /// A client waits for an answer that does not come.
    WaitsStill,
}

/// Rows in which links are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) rows: RangeInclusive<usize>,
    pub(crate) text: String,
}

impl<'t> Plan<'t> {
    pub(crate) fn of(trace: &'t Trace, shown: &[Shown]) -> Self {
        let row_of = row_of(trace, shown);
        let mut plan = Self {
            trace,
            lanes: lanes(trace),
            rows: Vec::new(),
            stretches: Vec::new(),
            bands: Vec::new(),
            row_of,
        };
        plan.rows = plan.rows(shown);
        plan.stretches = plan.node_stretches();
        plan.stretches.extend(plan.client_stretches());
        plan.bands = plan.bands();
        plan
    }

    /// The row of the step of that number; 0 is the start.
    pub(crate) fn row_of(&self, number: usize) -> usize {
        self.row_of.get(number).copied().unwrap_or(0)
    }

    pub(crate) fn node(&self, name: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| *lane == Lane::Node(name))
    }

    /// The last row.
    pub(crate) fn last_row(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepRow<'t>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Step(row) => Some(row),
            Row::Gap(_) => None,
        })
    }

    /// The rows that repeat for ever.
    pub(crate) fn repetition(&self) -> Option<RangeInclusive<usize>> {
        let from = self.trace.header.loop_from? + 1;
        (from <= self.trace.steps.len()).then(|| self.row_of(from)..=self.last_row())
    }

    fn client(&self, name: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| *lane == Lane::Client(name))
    }

    fn rows(&self, shown: &[Shown]) -> Vec<Row<'t>> {
        let initial = &self.trace.header.initial;
        let used = used_messages(self.trace);
        let mut nodes: Nodes<'t> =
            initial.nodes.iter().map(|(name, node)| (name.as_str(), node)).collect();
        let mut cut = initial.cut.as_slice();
        let (mut at, mut rows) = (0, Vec::new());
        for shown in shown {
            let steps = match shown {
                Shown::Gap(gap) => at + 1..=at + gap.steps,
                Shown::Step(number) => *number..=*number,
            };
            at = *steps.end();
            for step in steps.filter_map(|number| step_at(self.trace, number)) {
                if let Shown::Step(_) = shown {
                    rows.push(Row::Step(StepRow {
                        step,
                        row: rows.len() + 1,
                        changed: Changed::by(step, &nodes),
                        marks: self.marks(step),
                        disk: disk(step),
                        side: self.side(step),
                        flights: flights(self, step, &used, cut),
                        calls: self.calls(step),
                    }));
                }
                nodes.extend(step.change.nodes.iter().map(|(name, node)| (name.as_str(), node)));
                cut = step.change.cut.as_deref().unwrap_or(cut);
            }
            if let Shown::Gap(gap) = shown {
                rows.push(Row::Gap(*gap));
            }
        }
        rows
    }

    fn marks(&self, step: &Step) -> Vec<(usize, Mark)> {
        let mark = mark(step);
        let lanes = step.action.nodes().into_iter().filter_map(|name| self.node(name));
        lanes.map(|lane| (lane, mark)).collect()
    }

    fn side(&self, step: &Step) -> Side {
        let Some(own) = step.action.node().and_then(|node| self.node(node)) else {
            return Side::Right;
        };
        let sender = step.action.envelope().map(|envelope| envelope.from.as_str());
        let receivers = step.change.added.iter().map(|envelope| envelope.to.as_str());
        let others = sender.into_iter().chain(receivers).filter_map(|node| self.node(node));
        if others.into_iter().any(|lane| lane >= own) { Side::Left } else { Side::Right }
    }

    fn calls(&self, step: &Step) -> Vec<Call> {
        let mut calls = Vec::new();
        if let Some(Event::Request { id, request }) = &step.event
            && let (Some(client), Some(node)) =
                (self.client(&id.client), step.action.node().and_then(|node| self.node(node)))
        {
            let text = crate::text::say(request);
            calls.push(Call { client, node, text, is_answer: false });
        }
        let node = step.action.node().and_then(|node| self.node(node));
        for event in &step.change.history {
            if let HistoryEvent::Return { id, response } = event
                && let (Some(client), Some(node)) = (self.client(&id.client), node)
            {
                let text = crate::text::say(response);
                calls.push(Call { client, node, text, is_answer: true });
            }
        }
        calls
    }

    /// How long each node is up, paused or down.
    fn node_stretches(&self) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        for (name, node) in &self.trace.header.initial.nodes {
            let Some(lane) = self.node(name) else { continue };
            let mut kind = stretch_kind(node.status);
            let mut since = 0;
            for step in &self.trace.steps {
                let after = step.change.nodes.get(name).map(|node| stretch_kind(node.status));
                let row = self.row_of(step.step);
                if let Some(after) = after.filter(|after| *after != kind) {
                    stretches.push(Stretch { lane, rows: since..=row, kind });
                    (since, kind) = (row, after);
                }
            }
            stretches.push(Stretch { lane, rows: since..=self.last_row() + 1, kind });
        }
        stretches
    }

    /// How long each client waits for its answer.
    fn client_stretches(&self) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut open = BTreeMap::new();
        for step in &self.trace.steps {
            let row = self.row_of(step.step);
            for event in &step.change.history {
                match event {
                    HistoryEvent::Invoke { id, .. } => drop(open.insert(id, row)),
                    HistoryEvent::Return { id, .. } => {
                        let (asked, lane) = (open.remove(id), self.client(&id.client));
                        stretches.extend(asked.zip(lane).map(|(asked, lane)| Stretch {
                            lane,
                            rows: asked..=row,
                            kind: StretchKind::Waits,
                        }));
                    }
                }
            }
        }
        for (id, asked) in open {
            let (rows, kind) = (asked..=self.last_row() + 1, StretchKind::WaitsStill);
            stretches.extend(self.client(&id.client).map(|lane| Stretch { lane, rows, kind }));
        }
        stretches
    }

    fn bands(&self) -> Vec<Band> {
        let mut bands = Vec::new();
        let initial = &self.trace.header.initial.cut;
        let mut open = (!initial.is_empty()).then(|| {
            let fault = Fault::Partition { cut: initial.clone() };
            (0, fault.to_string())
        });
        for step in &self.trace.steps {
            let Some(cut) = &step.change.cut else { continue };
            let row = self.row_of(step.step);
            bands.extend(open.take().map(|(since, text)| Band { rows: since..=row, text }));
            if !cut.is_empty() {
                open = Some((row, Fault::Partition { cut: cut.clone() }.to_string()));
            }
        }
        let end = self.last_row() + 1;
        bands.extend(open.map(|(since, text)| Band { rows: since..=end, text }));
        bands
    }
}

impl<'t> Lane<'t> {
    pub(crate) fn name(self) -> &'t str {
        match self {
            Self::Client(name) | Self::Node(name) => name,
        }
    }
}

/// By the step that put them in flight, the messages that a later step is about, and that step.
pub(crate) type Used<'t> = BTreeMap<usize, Vec<(&'t Envelope, usize)>>;

fn used_messages(trace: &Trace) -> Used<'_> {
    let mut used: Used<'_> = BTreeMap::new();
    for step in &trace.steps {
        if let Some(envelope) = step.action.envelope()
            && let Some(sent_at) = source(trace, step, envelope)
        {
            used.entry(sent_at).or_default().push((envelope, step.step));
        }
        if let Action::Fault(Fault::Burst(_)) = &step.action {
            for envelope in &step.change.removed {
                let sent_at = crate::diagram::flights::last_sent(trace, step, envelope);
                used.entry(sent_at).or_default().push((envelope, step.step));
            }
        }
    }
    used
}

fn row_of(trace: &Trace, shown: &[Shown]) -> Vec<usize> {
    let mut rows = vec![0; trace.steps.len() + 1];
    let mut at = 0;
    for (shown, row) in shown.iter().zip(1..) {
        let steps = match shown {
            Shown::Step(_) => 1,
            Shown::Gap(gap) => gap.steps,
        };
        rows.iter_mut().skip(at + 1).take(steps).for_each(|place| *place = row);
        at += steps;
    }
    rows
}

/// The clients that speak, then the nodes.
fn lanes(trace: &Trace) -> Vec<Lane<'_>> {
    let initial = trace.header.initial.history.iter();
    let history = initial.chain(trace.steps.iter().flat_map(|step| &step.change.history));
    let clients: BTreeSet<&str> = history
        .map(|event| match event {
            HistoryEvent::Invoke { id, .. } | HistoryEvent::Return { id, .. } => id.client.as_str(),
        })
        .collect();
    let nodes = trace.header.nodes.iter().map(|name| Lane::Node(name));
    clients.into_iter().map(Lane::Client).chain(nodes).collect()
}

fn stretch_kind(status: Status) -> StretchKind {
    match status {
        Status::Up => StretchKind::Up,
        Status::Paused => StretchKind::Paused,
        Status::Down | Status::Failed => StretchKind::Down,
    }
}

fn mark(step: &Step) -> Mark {
    if step.failure.is_some() {
        return Mark::Failed;
    }
    match &step.action {
        Action::Fault(fault) => match fault {
            Fault::Crash { .. } | Fault::CrashGroup { .. } => Mark::Crash,
            Fault::CrashRestart { .. } => Mark::CrashRestart,
            Fault::Interrupt { .. } => Mark::Interrupt,
            Fault::Restart { .. } => Mark::Restart,
            Fault::Pause { .. } => Mark::Pause,
            Fault::Resume { .. } => Mark::Resume,
            Fault::SyncFail { .. } => Mark::SyncFail,
            Fault::Jump { .. } => Mark::Jump,
            Fault::Forge(_) => Mark::Forge,
            Fault::Drop(_)
            | Fault::Burst(_)
            | Fault::Duplicate(_)
            | Fault::Replay(_)
            | Fault::Corrupt { .. }
            | Fault::Partition { .. }
            | Fault::Heal => Mark::Step,
        },
        Action::Choose { .. } => Mark::Choice,
        Action::Fire { .. } => Mark::Timeout,
        Action::Deliver(_) | Action::SyncDone { .. } | Action::Invoke { .. } | Action::Tick => {
            Mark::Step
        }
    }
}

fn disk(step: &Step) -> Option<Disk> {
    if let Action::SyncDone { .. } = step.action {
        return Some(Disk::Synced);
    }
    let did = |effect: &Effect| match effect {
        Effect::WriteSynced(_) => Some(Disk::Synced),
        Effect::Write(_) => Some(Disk::Written),
        Effect::Sync
        | Effect::Send { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::Respond { .. } => None,
    };
    step.effects.iter().filter_map(did).max()
}
