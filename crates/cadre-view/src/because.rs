use cadre_trace::{Action, Fault, Json, NodeSnapshot, Status, Step, Trace, Verdict};

use crate::causes::{Subject, node_before, origin, past, step_at, subjects};
use crate::changed::write_word;
use crate::parts::{Part, parts};
use crate::text::{clip, one_line, say, wrap};

/// The columns of the paragraph.
const WIDTH: usize = 96;
/// The lines of the paragraph.
const LINES_MAX: usize = 5;
/// The most columns of a state, a message or a request within a clause.
const VALUE_MAX: usize = 40;

/// Argues from the steps why the guarantee is violated; `None` where the trace violates none.
///
/// For each node that the guarantee read, in the order of events: the last step that changed it,
/// what that step follows from, and what the node could not know by then of what others had done.
/// Then what the guarantee found. At most five lines of at most 96 columns; nodes beyond the third
/// are counted.
pub fn because(trace: &Trace) -> Option<String> {
    Some(because_lines(trace, WIDTH)?.join("\n") + "\n")
}

/// The paragraph in lines of at most so many columns.
pub(crate) fn because_lines(trace: &Trace, columns: usize) -> Option<Vec<String>> {
    if trace.header.verdict != Verdict::Violated {
        return None;
    }
    let subjects = told_of(trace, subjects(trace));
    for detail in DETAILS {
        let clauses = clauses(trace, &subjects, detail);
        let apart = clauses.iter().flat_map(|clause| wrap(clause.split(' '), columns)).collect();
        let flowing = wrap(clauses.iter().flat_map(|clause| clause.split(' ')), columns);
        for lines in [apart, flowing] {
            if lines.len() <= LINES_MAX {
                return Some(lines).filter(|lines| !lines.is_empty());
            }
        }
    }
    let clauses = clauses(trace, &subjects, DETAILS[DETAILS.len() - 1]);
    let mut lines = wrap(clauses.iter().flat_map(|clause| clause.split(' ')), columns);
    let rest = lines.split_off(LINES_MAX - 1).join(" ");
    lines.push(clip(&rest, columns));
    Some(lines)
}

/// How much the paragraph says.
#[derive(Clone, Copy, Debug)]
struct Detail {
    nodes_max: usize,
    /// What the nodes could not know.
    knowledge: bool,
    /// Why the messages were sent.
    senders: bool,
}

/// From the most to the least.
const DETAILS: [Detail; 5] = [
    Detail { nodes_max: 3, knowledge: true, senders: true },
    Detail { nodes_max: 3, knowledge: true, senders: false },
    Detail { nodes_max: 3, knowledge: false, senders: false },
    Detail { nodes_max: 2, knowledge: false, senders: false },
    Detail { nodes_max: 1, knowledge: false, senders: false },
];

fn clauses(trace: &Trace, subjects: &[Subject<'_>], detail: Detail) -> Vec<String> {
    let shown = chosen(trace, subjects, detail.nodes_max);
    let mut clauses: Vec<String> =
        shown.iter().map(|subject| clause(trace, *subject, &shown, detail)).collect();
    match subjects.len() - shown.len() {
        0 => {}
        1 => clauses.push("and 1 more node".to_owned()),
        more => clauses.push(format!("and {more} more nodes")),
    }
    clauses.extend(for_ever(trace));
    clauses.extend(finding(trace, &shown, subjects.len() - shown.len()));
    let last = clauses.len().saturating_sub(1);
    for (index, clause) in clauses.iter_mut().enumerate() {
        let ended = clause.ends_with('.');
        match index == last {
            true if ended => {}
            true => clause.push('.'),
            false => clause.push(';'),
        }
    }
    clauses
}

/// The nodes that the finding names; all that were looked at, where it names none.
fn told_of<'t>(trace: &Trace, subjects: Vec<Subject<'t>>) -> Vec<Subject<'t>> {
    let guarantee = trace.header.guarantee.as_ref();
    let finding = guarantee.and_then(|guarantee| guarantee.finding.as_deref());
    let between = |letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter));
    let is_named = |subject: &&Subject<'t>| {
        finding.is_some_and(|text| text.split(between).any(|word| word == subject.node))
    };
    let named: Vec<Subject<'t>> = subjects.iter().filter(is_named).copied().collect();
    if named.is_empty() { subjects } else { named }
}

/// The nodes to speak of, in the order of events: one of each state that occurs, then the ones that
/// changed last.
fn chosen<'t>(trace: &Trace, subjects: &[Subject<'t>], nodes_max: usize) -> Vec<Subject<'t>> {
    let last = |node: &str| {
        node_before(trace, node, trace.steps.len() + 1).map(|node| (node.status, &node.state))
    };
    let latest_first: Vec<Subject<'t>> = subjects.iter().rev().copied().collect();
    let repeats = |index: usize, node: &str| {
        latest_first[..index].iter().any(|other| last(other.node) == last(node))
    };
    let mut order: Vec<usize> = (0..latest_first.len()).collect();
    order.sort_by_key(|index| {
        let node = latest_first[*index].node;
        (repeats(*index, node), *index)
    });
    order.truncate(nodes_max);
    order.sort_unstable_by(|one, other| other.cmp(one));
    order.into_iter().map(|index| latest_first[index]).collect()
}

fn clause(trace: &Trace, subject: Subject<'_>, shown: &[Subject<'_>], detail: Detail) -> String {
    let node = subject.node;
    let Some((number, step)) =
        subject.step.and_then(|number| Some((number, step_at(trace, number)?)))
    else {
        let initial = trace.header.initial.nodes.get(node);
        let state = initial.map_or("unknown".to_owned(), |node| value(&node.state));
        return format!("{node} is {state} as it was at the start");
    };
    let mut text = format!("at {number}, {node}");
    if detail.knowledge {
        let unknown: Vec<String> =
            shown.iter().filter_map(|other| knowledge(trace, number, *other)).collect();
        if !unknown.is_empty() {
            text.push_str(&format!(", knowing {},", unknown.join(" and ")));
        }
    }
    let before = node_before(trace, node, number);
    let acts = step.action.node() == Some(node);
    match (step.change.nodes.get(node), &step.failure) {
        (_, Some(_)) if acts => text.push_str(" failed"),
        (Some(after), _) => text.push_str(&format!(" {}", went(before, after, &step.action))),
        (None, _) => text.push_str(" changed"),
    }
    if acts && detail.knowledge {
        text.push_str(&crash_before(trace, node, step));
    }
    text.push_str(&match acts {
        true => reason(trace, step, detail),
        false => format!(" through `{}`", clip(&one_line(&step.action.to_string()), VALUE_MAX)),
    });
    if let (true, Some(failure)) = (acts, &step.failure) {
        let failure = one_line(failure);
        text.push_str(&format!(": {}", clip(&failure, 2 * VALUE_MAX)));
    }
    text
}

/// How much a step knew of a node that had changed for the last time before; `None` if it knew
/// that.
fn knowledge(trace: &Trace, number: usize, other: Subject<'_>) -> Option<String> {
    let changed = other.step.filter(|changed| *changed < number)?;
    let known = past(trace, [number]);
    if known.contains(&changed) {
        return None;
    }
    let by_other = |number: &&usize| {
        step_at(trace, **number).and_then(|step| step.action.node()) == Some(other.node)
    };
    let Some(heard) = known.iter().rev().find(by_other) else {
        return Some(format!("nothing of {}", other.node));
    };
    let then = node_before(trace, other.node, heard + 1).map(|node| say(&node.state));
    let then = then.filter(|state| state.chars().count() <= VALUE_MAX / 2);
    let then = then.map_or(String::new(), |state| format!(" ({state})"));
    Some(format!("{} only as of {heard}{then}", other.node))
}

/// What happened to a node, as a verb and its object.
fn went(before: Option<&NodeSnapshot>, after: &NodeSnapshot, action: &Action) -> String {
    let state = value(&after.state);
    let status = before.map(|before| before.status);
    if let Action::Fault(Fault::CrashRestart { .. }) = action {
        return format!("crashed and restarted as {state}");
    }
    if let Action::Fault(Fault::Interrupt { effects, .. }) = action {
        return format!("crashed after effect {effects} of a step that it took");
    }
    match after.status {
        Status::Down => return "crashed".to_owned(),
        Status::Failed => return "failed".to_owned(),
        Status::Paused if status == Some(Status::Up) => return "paused".to_owned(),
        Status::Up if status == Some(Status::Paused) => return format!("resumed as {state}"),
        Status::Up if status.is_some_and(|status| status != Status::Up) => {
            return format!("restarted as {state}");
        }
        Status::Up | Status::Paused => {}
    }
    let Some(before) = before else { return format!("became {state}") };
    if before.state == after.state {
        let what = if before.disk == after.disk { "timers" } else { "disk" };
        return format!("changed its {what}");
    }
    match (&before.state, &after.state) {
        (Json::Object(old), Json::Object(new)) if !is_other_variant(old, new) => {
            let parts: Vec<String> =
                parts("", &before.state, &after.state).iter().map(deed).collect();
            match parts.as_slice() {
                [one] => one.clone(),
                [one, two] => format!("{one} and {two}"),
                [one, rest @ ..] => format!("{one} and {} more parts", rest.len()),
                [] => "changed".to_owned(),
            }
        }
        _ => format!("went to {state}"),
    }
}

/// Whether both are values of one type of several variants, each with its name.
fn is_other_variant(
    old: &serde_json::Map<String, Json>,
    new: &serde_json::Map<String, Json>,
) -> bool {
    old.len() == 1 && new.len() == 1 && old.keys().ne(new.keys())
}

/// What a node did to a part of its state.
fn deed(part: &Part) -> String {
    match part {
        Part::Became(part) => match &part.after {
            Some(after) => format!("set {} to {}", one_line(&part.path), value(after)),
            None => format!("dropped {}", one_line(&part.path)),
        },
        Part::Gained(path, gained) => format!("added {} to {}", value(gained), one_line(path)),
        Part::Lost(path, lost) => format!("removed {} from {}", value(lost), one_line(path)),
    }
}

/// The crash that a node's start follows, and what was not yet on its disk then.
fn crash_before(trace: &Trace, node: &str, step: &Step) -> String {
    let crashed_at = match step.action {
        Action::Fault(Fault::CrashRestart { .. }) => Some(step.step),
        Action::Fault(Fault::Restart { .. }) => {
            let is_crash =
                |action: &Action| matches!(action, Action::Fault(fault) if fault.stops(node));
            let earlier = trace.steps.get(..step.step.saturating_sub(1)).unwrap_or_default();
            earlier.iter().rev().find(|step| is_crash(&step.action)).map(|step| step.step)
        }
        Action::Deliver(_)
        | Action::Choose { .. }
        | Action::Fire { .. }
        | Action::SyncDone { .. }
        | Action::Invoke { .. }
        | Action::Tick
        | Action::Fault(_) => None,
    };
    let Some(crashed_at) = crashed_at else { return String::new() };
    let crashed = match crashed_at == step.step {
        true => String::new(),
        false => format!(", having crashed at {crashed_at}"),
    };
    let unsynced = node_before(trace, node, crashed_at).map(|node| &node.unsynced);
    let unsynced: Vec<String> =
        unsynced.into_iter().flatten().map(|write| one_line(&write_word(write))).collect();
    match unsynced.is_empty() {
        true => crashed,
        false => format!("{crashed} with {} not yet synced", clip(&unsynced.join(" "), VALUE_MAX)),
    }
}

/// Why a node took a step: what it follows from, and for a message where that came from.
fn reason(trace: &Trace, step: &Step, detail: Detail) -> String {
    let Action::Deliver(envelope) = &step.action else { return occasion(&step.action) };
    let (message, from) = (value(&envelope.message), &envelope.from);
    let Some(origin) = origin(trace, step) else { return format!(" on {message} from {from}") };
    let copy = match origin.copied_at {
        Some(copied_at) => format!("a copy, made at {copied_at}, of {message}"),
        None => message,
    };
    let copy = match origin.altered_at {
        Some(altered_at) => format!("{copy}, altered at {altered_at}"),
        None => copy,
    };
    let sent = match step_at(trace, origin.sent_at) {
        None => "at its start".to_owned(),
        Some(sending) if detail.senders => {
            format!("at {}{}", origin.sent_at, occasion(&sending.action))
        }
        Some(_) => format!("at {}", origin.sent_at),
    };
    format!(" on {copy}, which {from} sent {sent}")
}

/// What a step follows from, without asking further.
fn occasion(action: &Action) -> String {
    match action {
        Action::Deliver(envelope) => {
            format!(" on {} from {}", value(&envelope.message), envelope.from)
        }
        Action::Choose { timer, .. } => format!(" of its own accord ({})", value(timer)),
        Action::Fire { timer, .. } => format!(" on its timeout {}", value(timer)),
        Action::SyncDone { .. } => " once its sync was done".to_owned(),
        Action::Invoke { id, request, .. } => {
            format!(" when {} asked {}", id.client, value(request))
        }
        Action::Fault(Fault::SyncFail { .. }) => " when its sync failed".to_owned(),
        Action::Fault(Fault::Interrupt { of, .. }) => occasion(of),
        Action::Fault(Fault::Forge(_)) => " as a forgery".to_owned(),
        Action::Tick | Action::Fault(_) => String::new(),
    }
}

/// Why nothing else comes of an execution, where the guarantee takes an endless one to violate it.
fn for_ever(trace: &Trace) -> Option<String> {
    trace.header.guarantee.as_ref()?.kind.fairness()?;
    let last = trace.steps.len();
    let Some(from) = trace.header.loop_from else {
        return Some("after that nothing but a fault could change anything".to_owned());
    };
    let first = from + 1;
    Some(match last - from {
        1 => format!("step {last} may repeat for ever"),
        2 => format!("steps {first} and {last} may repeat for ever"),
        _ => format!("steps {first} to {last} may repeat for ever"),
    })
}

/// What the guarantee says of the last configuration, or else what it saw there.
fn finding(trace: &Trace, shown: &[Subject<'_>], more: usize) -> Option<String> {
    let guarantee = trace.header.guarantee.as_ref()?;
    let name = one_line(&guarantee.name);
    if let Some(finding) = &guarantee.finding {
        return Some(format!("{name}: {}", one_line(finding)));
    }
    if guarantee.reads.is_empty() {
        return None;
    }
    let mut seen: Vec<String> = Vec::new();
    for subject in shown {
        if let Some(last) = node_before(trace, subject.node, trace.steps.len() + 1) {
            let state = match last.status {
                Status::Up | Status::Paused => value(&last.state),
                Status::Down => "down".to_owned(),
                Status::Failed => "failed".to_owned(),
            };
            seen.push(format!("{} = {state}", subject.node));
        }
    }
    seen.extend((more > 0).then(|| format!("and {more} more")));
    Some(format!("{name} was judged on {}", seen.join(", ")))
}

fn value(json: &Json) -> String {
    clip(&say(json), VALUE_MAX)
}
