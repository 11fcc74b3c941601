use std::collections::BTreeMap;

use cadre_trace::{
    Action, DiskWrite, Effect, Envelope, Fault, HistoryEvent, NodeSnapshot, Status, Step, Trace,
};

use crate::parts::parts as state_parts;
use crate::text::{one_line, say};

/// What the last step of a trace changed, in short phrases as [`lanes`](crate::lanes) has them;
/// nothing where there is no step.
pub fn last_change(trace: &Trace) -> String {
    let Some((last, earlier)) = trace.steps.split_last() else { return String::new() };
    let changes = earlier.iter().map(|step| &step.change.nodes);
    let nodes = std::iter::once(&trace.header.initial.nodes).chain(changes);
    let before = nodes.flatten().map(|(name, node)| (name.as_str(), node)).collect();
    Changed::by(last, &before).said()
}

/// What a step changed, in short phrases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    /// Nodes and answers to clients.
    pub(crate) parts: Vec<String>,
    /// Messages newly in flight, whose arrival is shown later, and keys that were written and
    /// synced together with a change in memory; shown where there is room.
    pub(crate) extras: Vec<String>,
}

/// Every node as it is at some point of a trace.
pub(crate) type Nodes<'t> = BTreeMap<&'t str, &'t NodeSnapshot>;

impl Changed {
    /// What a step changed, given the nodes before it.
    pub(crate) fn by(step: &Step, before: &Nodes<'_>) -> Self {
        let (mut parts, mut extras) = (Vec::new(), sends(step));
        let acting = step.action.node();
        let is_acting = |name: &&String| acting == Some(name.as_str());
        let first = step.change.nodes.keys().filter(is_acting);
        let others = step.change.nodes.keys().filter(|name| !is_acting(name));
        for name in first.chain(others) {
            if let Some(after) = step.change.nodes.get(name) {
                let before = before.get(name.as_str()).copied();
                let (said, aside) = node_parts(name, before, after, step);
                parts.extend(said);
                extras.extend(aside);
            }
        }
        let failed = |node: &NodeSnapshot| node.status == Status::Failed;
        if let Some(failure) = &step.failure
            && !step.change.nodes.values().any(failed)
        {
            parts.push(format!("failed: {}", one_line(failure)));
        }
        parts.extend(step.change.history.iter().filter_map(answer));
        let consumed = |envelope: &&Envelope| step.action.envelope() != Some(envelope);
        let removed = step.change.removed.iter().filter(consumed);
        parts.extend(removed.map(|gone| format!("-{}→{}", say(&gone.message), gone.to)));
        let mut changed = Self { parts, extras };
        changed.settle(step);
        changed
    }

    /// Everything, on one line.
    pub(crate) fn said(&self) -> String {
        self.all().collect::<Vec<_>>().join(", ")
    }

    /// Everything, what has to be said first.
    pub(crate) fn all(&self) -> impl Iterator<Item = String> {
        self.parts.iter().chain(&self.extras).cloned()
    }

    /// What cannot be left out: sends are, unless nothing else changed.
    fn settle(&mut self, step: &Step) {
        if self.parts.is_empty() {
            self.parts = std::mem::take(&mut self.extras);
        }
        if self.parts.is_empty() && step.action.node().is_some() {
            self.parts.push("nothing".to_owned());
        }
    }
}

/// What changed in a node: what has to be said of it, and what is said where there is room.
fn node_parts(
    name: &str,
    before: Option<&NodeSnapshot>,
    after: &NodeSnapshot,
    step: &Step,
) -> (Vec<String>, Vec<String>) {
    let Some(before) = before else {
        return (vec![format!("{name} none → {}", say(&after.state))], Vec::new());
    };
    let mut parts: Vec<String> = Vec::new();
    if before.status == after.status {
        let states = state_parts(name, &before.state, &after.state);
        parts.extend(states.iter().map(ToString::to_string));
    } else {
        let was = status_word(before.status);
        parts.push(match after.status {
            Status::Up => format!("{name} {was} → up: {}", say(&after.state)),
            Status::Paused => format!("{name} {was} → paused"),
            Status::Down => format!("{name} {was} → down"),
            Status::Failed => {
                let failure = step.failure.as_deref().unwrap_or("no reason is recorded");
                format!("{name} {was} → failed: {}", one_line(failure))
            }
        });
    }
    // A write that was synced at once follows a change in memory; that it was written is enough.
    let is_aside = !parts.is_empty() && before.status == after.status;
    let (disk, aside) = match is_aside {
        true => (Vec::new(), written_keys(step)),
        false => (disk_parts(name, before, after), Vec::new()),
    };
    parts.extend(disk);
    let write_word = |write: &DiskWrite| one_line(&write_word(write));
    let mut unsynced = list_change(&before.unsynced, &after.unsynced, write_word);
    if matches!(step.action, Action::SyncDone { .. }) {
        // That they are on the disk by now is what the action says.
        unsynced.retain(|change| change.starts_with('+'));
    }
    let timers = list_change(&before.timers, &after.timers, say);
    for (list, changes) in [("unsynced", unsynced), ("timers", timers)] {
        // Whatever is not on the disk goes with a crash; only the lost writes are worth a word.
        let implied = list == "timers" && after.status != Status::Up;
        if !changes.is_empty() && !implied {
            parts.push(format!("{name}.{list} {}", changes.join(" ")));
        }
    }
    if let Action::Fault(Fault::Jump { .. }) = step.action {
        let timers = after.timers.iter().zip(&after.due);
        parts.extend(timers.map(|(timer, due)| {
            let ticks = match due.min == due.max {
                true => due.min.to_string(),
                false => format!("{} to {}", due.min, due.max),
            };
            format!("{name}.timers {} in {ticks}", say(timer))
        }));
    }
    (parts, aside)
}

/// The keys that a step wrote and synced at once.
fn written_keys(step: &Step) -> Vec<String> {
    let key = |effect: &Effect| match effect {
        Effect::WriteSynced(DiskWrite::Put { key, .. } | DiskWrite::Delete { key }) => {
            Some(format!("disk {}", one_line(key)))
        }
        Effect::WriteSynced(DiskWrite::Sync)
        | Effect::Write(_)
        | Effect::Sync
        | Effect::Send { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::Respond { .. } => None,
    };
    step.effects.iter().filter_map(key).collect()
}

fn disk_parts(name: &str, before: &NodeSnapshot, after: &NodeSnapshot) -> Vec<String> {
    let mut parts = Vec::new();
    let mut keys: Vec<&String> = before.disk.keys().chain(after.disk.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (old, new) = (before.disk.get(key), after.disk.get(key));
        if old != new {
            let show =
                |side: Option<&String>| side.map_or("none".to_owned(), |text| one_line(text));
            parts.push(format!("{name}.disk.{} {} → {}", one_line(key), show(old), show(new)));
        }
    }
    parts
}

/// `+` what one list has over the other, `-` what it lacks.
fn list_change<T: PartialEq>(
    before: &[T],
    after: &[T],
    word: impl Fn(&T) -> String,
) -> Vec<String> {
    let surplus = |of: &[T], over: &[T], sign: char| {
        let mut over: Vec<&T> = over.iter().collect();
        let mut found = Vec::new();
        for item in of {
            match over.iter().position(|other| *other == item) {
                Some(at) => drop(over.remove(at)),
                None => found.push(format!("{sign}{}", word(item))),
            }
        }
        found
    };
    let mut changes = surplus(before, after, '-');
    changes.extend(surplus(after, before, '+'));
    changes
}

/// A write as one says it.
pub(crate) fn write_word(write: &DiskWrite) -> String {
    match write {
        DiskWrite::Put { key, value } => format!("{key}={value}"),
        DiskWrite::Delete { key } => format!("delete({key})"),
        DiskWrite::Sync => "sync".to_owned(),
    }
}

fn answer(event: &HistoryEvent) -> Option<String> {
    match event {
        HistoryEvent::Invoke { .. } => None,
        HistoryEvent::Return { id, response } => {
            Some(format!("{} gets {}", id.client, say(response)))
        }
    }
}

/// The messages newly in flight, equal ones to several nodes as one.
fn sends(step: &Step) -> Vec<String> {
    // What these faults put in flight is what their actions say.
    if let Action::Fault(Fault::Duplicate(_) | Fault::Replay(_) | Fault::Corrupt { .. }) =
        step.action
    {
        return Vec::new();
    }
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for envelope in &step.change.added {
        let message = say(&envelope.message);
        match groups.iter_mut().find(|(other, _)| *other == message) {
            Some((_, to)) => to.push(&envelope.to),
            None => groups.push((message, vec![&envelope.to])),
        }
    }
    groups.iter().map(|(message, to)| format!("+{message}→{}", to.join(","))).collect()
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Paused => "paused",
        Status::Down => "down",
        Status::Failed => "failed",
    }
}
