use std::collections::BTreeSet;

use cadre_trace::{Action, Effect, Envelope, Fault, NodeSnapshot, Step, Trace};

/// The step by its number, from 1.
pub(crate) fn step_at(trace: &Trace, number: usize) -> Option<&Step> {
    trace.steps.get(number.checked_sub(1)?)
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The step that sent it; 0 for the start of the sender.
    pub(crate) sent_at: usize,
    /// The fault that made the copy at hand.
    pub(crate) copied_at: Option<usize>,
    /// The fault that made it say what it says.
    pub(crate) altered_at: Option<usize>,
}

/// Where the message that a step is about comes from, as far as its causes tell.
pub(crate) fn origin(trace: &Trace, step: &Step) -> Option<Origin> {
    let mut envelope = step.action.envelope()?;
    let (mut copied_at, mut altered_at) = (None, None);
    let mut later = step;
    loop {
        let number = source(trace, later, envelope)?;
        let earlier = step_at(trace, number);
        match earlier.map(|earlier| &earlier.action) {
            Some(Action::Fault(Fault::Duplicate(_) | Fault::Replay(_))) => {
                copied_at = copied_at.or(Some(number));
            }
            Some(Action::Fault(Fault::Corrupt { envelope: before, .. })) => {
                altered_at = altered_at.or(Some(number));
                envelope = before;
            }
            Some(_) | None => return Some(Origin { sent_at: number, copied_at, altered_at }),
        }
        later = earlier?;
    }
}

/// The step that put a message in flight which a later step is about, as far as the causes of that
/// one tell; 0 for the start of the sender.
pub(crate) fn source(trace: &Trace, step: &Step, envelope: &Envelope) -> Option<usize> {
    let mut earlier = step.causes.iter().copied().filter(|cause| *cause < step.step).rev();
    earlier.find(|cause| is_source(trace, *cause, envelope))
}

/// The numbers of the steps from which the given ones follow, and their own.
pub(crate) fn past(trace: &Trace, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = of.into_iter().collect();
    while let Some(number) = open.pop() {
        if let Some(step) = step_at(trace, number)
            && found.insert(number)
        {
            open.extend(step.causes.iter().copied());
        }
    }
    found
}

/// A node whose state an argument is about, and the last step that changed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'t> {
    pub(crate) node: &'t str,
    pub(crate) step: Option<usize>,
}

/// The nodes that the guarantee read, or else those that the last step changed; in the order of the
/// steps that changed them last, unchanged ones first.
pub(crate) fn subjects(trace: &Trace) -> Vec<Subject<'_>> {
    let reads = trace.header.guarantee.iter().flat_map(|guarantee| &guarantee.reads);
    let mut nodes: Vec<&str> = reads.map(String::as_str).collect();
    if nodes.is_empty()
        && let Some(last) = trace.steps.last()
    {
        nodes = last.change.nodes.keys().map(String::as_str).collect();
        if nodes.is_empty() {
            nodes.extend(last.action.node());
        }
    }
    let mut subjects: Vec<Subject<'_>> =
        nodes.into_iter().map(|node| Subject { node, step: last_change(trace, node) }).collect();
    subjects.sort_by_key(|subject| subject.step);
    subjects
}

/// A node before the step of that number.
pub(crate) fn node_before<'t>(
    trace: &'t Trace,
    node: &str,
    number: usize,
) -> Option<&'t NodeSnapshot> {
    let earlier = trace.steps.get(..number.saturating_sub(1)).unwrap_or(&trace.steps);
    let changed = earlier.iter().rev().find_map(|step| step.change.nodes.get(node));
    changed.or_else(|| trace.header.initial.nodes.get(node))
}

/// The last step that changed what a node knows; if none did, the last one that changed its timers.
fn last_change(trace: &Trace, node: &str) -> Option<usize> {
    let touching = || trace.steps.iter().rev().filter(|step| touches(step, node));
    let matters = |step: &&Step| {
        let Some(after) = step.change.nodes.get(node) else { return step.failure.is_some() };
        node_before(trace, node, step.step).is_none_or(|before| {
            (before.status, &before.state, &before.disk)
                != (after.status, &after.state, &after.disk)
        })
    };
    touching().find(matters).or_else(|| touching().next()).map(|step| step.step)
}

fn touches(step: &Step, node: &str) -> bool {
    let failed = step.failure.is_some() && step.action.node() == Some(node);
    // That time passes is nothing that a node does.
    (step.change.nodes.contains_key(node) && step.action != Action::Tick) || failed
}

/// Whether a step put the message in flight.
fn is_source(trace: &Trace, number: usize, envelope: &Envelope) -> bool {
    let Some(step) = step_at(trace, number) else { return number == 0 };
    let wanted = (envelope.to.as_str(), &envelope.message);
    let sends = |effect: &Effect| effect.message() == Some(wanted);
    let by_sender = step.action.node() == Some(envelope.from.as_str());
    step.change.added.contains(envelope) || (by_sender && step.effects.iter().any(sends))
}
