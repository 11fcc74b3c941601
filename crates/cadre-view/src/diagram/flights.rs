use cadre_trace::{Action, Effect, Envelope, Fault, Link, Step, Trace};

use crate::causes::{source, step_at};
use crate::diagram::plan::{Plan, Used};
use crate::text::kind;

/// A message on its way, or a part of its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) from: Place,
    pub(crate) to: Place,
    /// What kind of message it is.
    pub(crate) text: String,
    pub(crate) fate: Fate,
}

/// Where a part of a message's way begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a node.
    Lane { lane: usize, row: usize },
    /// Between two nodes.
    Between { from: usize, to: usize, row: usize },
    /// A little way from where it begins, towards a node.
    Towards { lane: usize },
    /// A little way before it arrives at a node, towards the one that sent it.
    Before { from: usize, to: usize, row: usize },
}

/// How a part of a message's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Arrived,
    Lost,
    /// It was sent over a link that is cut.
    CutOff,
    /// It is there once more from here on.
    Copied,
    /// It had arrived, and is in flight again from here on.
    Again,
    /// It says something else from here on.
    Altered,
    /// It arrives so much later that its way is not drawn.
    Later,
    /// It is still on its way at the end.
    InFlight,
}

/// As many rows the way of a message is drawn through; of a longer one both ends are, each with the
/// number of the other step. Else diagrams of long traces would be nothing but such ways.
const ROWS_MAX: usize = 30;

/// The messages that end at a step, and those that it sends and that end nowhere.
pub(crate) fn flights(plan: &Plan<'_>, step: &Step, used: &Used<'_>, cut: &[Link]) -> Vec<Flight> {
    let row = plan.row_of(step.step);
    let mut found = Vec::new();
    if let Some((envelope, fate)) = ending(&step.action) {
        let sent_at = source(plan.trace, step, envelope);
        found.extend(flight(plan, envelope, sent_at, row, fate));
    }
    if let Action::Fault(Fault::Burst(_)) = &step.action {
        for envelope in &step.change.removed {
            let sent_at = last_sent(plan.trace, step, envelope);
            found.extend(flight(plan, envelope, Some(sent_at), row, Fate::Lost));
        }
    }
    found.extend(unfinished(plan, step, used, cut));
    found
}

/// The last step before another one that put a message in flight; 0 for a start.
pub(crate) fn last_sent(trace: &Trace, before: &Step, envelope: &Envelope) -> usize {
    let earlier = trace.steps.get(..before.step.saturating_sub(1)).unwrap_or_default();
    let sent = earlier.iter().rev().find(|step| step.change.added.contains(envelope));
    sent.map_or(0, |step| step.step)
}

fn ending(action: &Action) -> Option<(&Envelope, Fate)> {
    match action {
        Action::Deliver(envelope) => Some((envelope, Fate::Arrived)),
        Action::Fault(fault) => match fault {
            Fault::Drop(envelope) => Some((envelope, Fate::Lost)),
            Fault::Duplicate(envelope) => Some((envelope, Fate::Copied)),
            Fault::Replay(envelope) => Some((envelope, Fate::Again)),
            Fault::Corrupt { envelope, .. } => Some((envelope, Fate::Altered)),
            Fault::Interrupt { of, .. } => ending(of),
            Fault::Burst(_)
            | Fault::Forge(_)
            | Fault::Partition { .. }
            | Fault::Heal
            | Fault::Crash { .. }
            | Fault::CrashGroup { .. }
            | Fault::Restart { .. }
            | Fault::CrashRestart { .. }
            | Fault::Pause { .. }
            | Fault::Resume { .. }
            | Fault::SyncFail { .. }
            | Fault::Jump { .. } => None,
        },
        Action::Choose { .. }
        | Action::Fire { .. }
        | Action::SyncDone { .. }
        | Action::Invoke { .. }
        | Action::Tick => None,
    }
}

fn flight(
    plan: &Plan<'_>,
    envelope: &Envelope,
    sent_at: Option<usize>,
    row: usize,
    fate: Fate,
) -> Option<Flight> {
    let (from, to) = (plan.node(&envelope.from)?, plan.node(&envelope.to)?);
    let begin = sent_at.map_or(row, |sent_at| plan.row_of(sent_at));
    let sent = sent_at.and_then(|sent_at| step_at(plan.trace, sent_at));
    let in_between = sent.is_some_and(|sent| {
        let Action::Fault(fault) = &sent.action else { return false };
        matches!(fault, Fault::Duplicate(_) | Fault::Replay(_) | Fault::Corrupt { .. })
    });
    let begin = match in_between {
        true => Place::Between { from, to, row: begin },
        false => Place::Lane { lane: from, row: begin },
    };
    let end = match fate {
        Fate::Arrived | Fate::Later | Fate::InFlight => Place::Lane { lane: to, row },
        Fate::Lost | Fate::CutOff | Fate::Copied | Fate::Again | Fate::Altered => {
            Place::Between { from, to, row }
        }
    };
    let text = kind(&envelope.message);
    let is_far = fate == Fate::Arrived && sent_at.is_some_and(|sent_at| is_far(plan, sent_at, row));
    let (begin, text) = match (sent_at, fate) {
        (Some(sent_at), Fate::Arrived) if is_far => {
            (Place::Before { from, to, row }, format!("{text} from {sent_at}"))
        }
        // What had arrived comes from where it arrived, which is of no interest: it is there again.
        (_, Fate::Again) => (end, text),
        (_, _) => (begin, text),
    };
    Some(Flight { from: begin, to: end, text, fate })
}

/// Whether a message that was sent at a step is too long on its way to be drawn through all rows.
fn is_far(plan: &Plan<'_>, sent_at: usize, row: usize) -> bool {
    row.saturating_sub(plan.row_of(sent_at)) > ROWS_MAX
}

/// What a step sends that is lost at once, that arrives much later, or that no later step is about.
fn unfinished(plan: &Plan<'_>, step: &Step, used: &Used<'_>, cut: &[Link]) -> Vec<Flight> {
    let row = plan.row_of(step.step);
    let mut found = Vec::new();
    let mut add = |from: &str, to: &str, text: String, fate: Fate| {
        if let (Some(from), Some(lane)) = (plan.node(from), plan.node(to)) {
            let (from, to) = (Place::Lane { lane: from, row }, Place::Towards { lane });
            found.push(Flight { from, to, text, fate });
        }
    };
    if let Some(node) = step.action.node() {
        for effect in &step.effects {
            if let Effect::Send { to, message } = effect
                && cut.iter().any(|link| link.from == node && link.to == *to)
                && !step.change.added.iter().any(|sent| sent.to == *to && sent.message == *message)
            {
                add(node, to, kind(message), Fate::CutOff);
            }
        }
    }
    let taken: &[(&Envelope, usize)] = used.get(&step.step).map_or(&[], Vec::as_slice);
    if step.action.node().is_some() {
        for envelope in &step.change.added {
            let (from, to, text) = (&envelope.from, &envelope.to, kind(&envelope.message));
            match taken.iter().find(|(taken, _)| *taken == envelope) {
                None => add(from, to, text, Fate::InFlight),
                Some((_, at)) if is_far(plan, step.step, plan.row_of(*at)) => {
                    add(from, to, format!("{text} to {at}"), Fate::Later);
                }
                Some(_) => {}
            }
        }
    }
    found
}
