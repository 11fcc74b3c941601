use std::fmt::Display;

use super::{Call, History, Outcome, Pattern, Reason, Violation};

/// What cannot be told from a single column for each process is told in so many columns at most.
const COLUMNS: usize = 100;
/// The most columns of what happens.
const EVENT_MAX: usize = 48;
/// The most answers that are named.
const EXPECTED_MAX: usize = 3;
/// The most operations that are named in one sentence.
const NAMED_MAX: usize = 8;

/// Draws operations of a history: a line for each event, a lane for each process that calls one of
/// them. Time runs down.
///
/// `┬` is a call, `│` waiting, `┴` an answer, `?` the end of waiting without one. Of more events
/// than there are lines the last are drawn.
pub fn draw<O: Display, A: Display>(
    history: &History<O, A>,
    operations: &[usize],
    names: &[String],
    lines_max: usize,
) -> String {
    let calls = operations.iter().map(|call| &history.calls()[*call]);
    let mut processes: Vec<usize> = calls.clone().map(|call| call.process).collect();
    processes.sort_unstable();
    processes.dedup();
    let mut events: Vec<Event> = calls.flat_map(|call| events(call, names)).collect();
    events.sort_by_key(|event| event.at);
    let widths: Vec<usize> =
        processes.iter().map(|process| name(names, *process).chars().count()).collect();
    let number = (history.events() + 1).to_string().len().max(2);
    let told = events.iter().map(|event| event.told.chars().count()).max().unwrap_or(0).max(5);
    let lanes: usize = widths.iter().map(|width| width + 2).sum();
    let with_lanes = number + 2 + told + 1 + lanes <= COLUMNS;
    let mut lines = Vec::new();
    let mut line = |number_told: &str, told_now: &str, cells: Vec<String>| {
        let lanes = if with_lanes { format!(" {}", cells.concat()) } else { String::new() };
        let line = format!("{number_told:>number$}  {told_now:<told$}{lanes}");
        lines.push(line.trim_end().to_owned());
    };
    let heads = processes.iter().map(|process| format!("  {}", name(names, *process)));
    line("#", "event", heads.collect());
    let mut open: Vec<bool> = vec![false; processes.len()];
    let rows_max = lines_max.saturating_sub(1).max(2);
    let left_out = match events.len() > rows_max {
        true => events.len() - (rows_max - 1),
        false => 0,
    };
    if left_out > 0 {
        line("…", &format!("{left_out} earlier events"), Vec::new());
    }
    for (row, event) in events.iter().enumerate() {
        let cells = processes.iter().enumerate().map(|(lane, process)| {
            let mark = match (*process == event.process, open[lane]) {
                (true, _) => event.mark,
                (false, true) => '│',
                (false, false) => ':',
            };
            // In the middle of the lane.
            let before = widths[lane] / 2;
            let (before, after) = (" ".repeat(before + 2), " ".repeat(widths[lane] - before));
            format!("{before}{mark}{}", &after[1.min(after.len())..])
        });
        if row >= left_out {
            line(&(event.at + 1).to_string(), &event.told, cells.collect());
        }
        let lane = processes.iter().position(|process| *process == event.process);
        open[lane.unwrap_or(0)] = event.mark == '┬';
    }
    lines.join("\n") + "\n"
}

/// Says in some sentences why a history is not consistent.
pub fn tell<O: Display, A: Display>(
    history: &History<O, A>,
    violation: &Violation<A>,
    names: &[String],
) -> String {
    let one = |call: &usize| named(&history.calls()[*call], names);
    match &violation.reason {
        Reason::NoPlace { legal_events, order, operation, expected } => {
            let order = match order.is_empty() {
                true => String::new(),
                false => format!(", for example in the order {}", list(order, &one, ", ")),
            };
            let before = legal_events.map_or(String::new(), |events| {
                format!("what happened before event {} is linearizable{order}; ", events + 1)
            });
            let shown = expected.iter().take(EXPECTED_MAX).map(ToString::to_string);
            let shown = shown.collect::<Vec<_>>().join(" or ");
            let expected = match expected.len() {
                0 => String::new(),
                1..=EXPECTED_MAX => format!("; an answer that has one is {shown}"),
                _ => format!("; answers that have one are {shown} and others"),
            };
            format!("{before}{} has no place{expected}.", one(operation))
        }
        Reason::NoOrder { order, next } => {
            let next: Vec<String> = next.iter().map(one).collect();
            let order = match order.is_empty() {
                true => "no order of these operations explains the answers: first".to_owned(),
                false => format!(
                    "no order of these operations explains the answers: after {}",
                    list(order, &one, ", ")
                ),
            };
            match next.as_slice() {
                [only] => format!("{order} there is no place for {only}."),
                _ => format!("{order} there is no place for any of {}.", next.join(", ")),
            }
        }
        Reason::Pattern(pattern) => tell_pattern(pattern, &one),
    }
}

/// What is told of a violation, for those who print it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The operations that are inconsistent by themselves, drawn.
    pub drawing: String,
    /// Why they are.
    pub because: String,
    /// How many operations these are.
    pub operations: usize,
    /// Whether none of them can be left out.
    pub is_minimal: bool,
}

fn tell_pattern(pattern: &Pattern, one: &dyn Fn(&usize) -> String) -> String {
    let by_way = |words: &str, path: &[usize], but: &[usize]| {
        let path: Vec<usize> = path.iter().copied().filter(|call| !but.contains(call)).collect();
        match path.is_empty() {
            true => String::new(),
            false => format!(", {words} {}", list(&path, one, ", ")),
        }
    };
    match pattern {
        Pattern::ThinAirRead { read } => {
            format!("{} returns what nobody has written.", one(read))
        }
        Pattern::Cycle { how, cycle, because } => format!(
            "each of these comes before the next, and the last before the first, {how}: {}{}.",
            list(cycle, one, "; "),
            by_way("because of", because, cycle)
        ),
        Pattern::StaleInitial { why, write, path, read } => format!(
            "{} returns the initial value, but must see {}: {why}{}.",
            one(read),
            one(write),
            by_way("by way of", path, &[*write, *read])
        ),
        Pattern::StaleRead { why, old, new, path, read } => format!(
            "{} returns what {} wrote, but must see {}, which has overwritten that: {why}{}.",
            one(read),
            one(old),
            one(new),
            by_way("by way of", path, &[*old, *new, *read])
        ),
    }
}

struct Event {
    at: usize,
    process: usize,
    mark: char,
    told: String,
}

fn events<O: Display, A: Display>(call: &Call<O, A>, names: &[String]) -> Vec<Event> {
    let process = call.process;
    let who = name(names, process);
    let begin = format!("{who} {}", call.operation);
    let begun = Event { at: call.invoked, process, mark: '┬', told: clip(&begin, EVENT_MAX) };
    let ended = call.ended.map(|at| {
        let (mark, outcome) = match &call.outcome {
            Outcome::Answered(answer) => ('┴', answer.to_string()),
            Outcome::Failed => ('┴', "failed".to_owned()),
            Outcome::Unknown => ('?', "unknown".to_owned()),
        };
        let end = clip(&format!(" → {outcome}"), EVENT_MAX / 2);
        let begin = clip(&begin, EVENT_MAX - end.chars().count());
        Event { at, process, mark, told: begin + &end }
    });
    std::iter::once(begun).chain(ended).collect()
}

/// An operation in a sentence.
fn named<O: Display, A: Display>(call: &Call<O, A>, names: &[String]) -> String {
    let answer = call.outcome.answer().map_or("?".to_owned(), ToString::to_string);
    let told = match answer.as_str() {
        "ok" => call.operation.to_string(),
        _ => format!("{} → {answer}", call.operation),
    };
    format!("{} {}", name(names, call.process), clip(&told, EVENT_MAX))
}

fn list(calls: &[usize], one: &dyn Fn(&usize) -> String, separator: &str) -> String {
    let shown = &calls[calls.len().saturating_sub(NAMED_MAX)..];
    let shown: Vec<String> = shown.iter().map(one).collect();
    let shown = shown.join(separator);
    match calls.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("({more} others){separator}{shown}"),
    }
}

fn name(names: &[String], process: usize) -> String {
    let name = names.get(process).cloned().unwrap_or_else(|| format!("process {process}"));
    clip(&name, 12)
}

fn clip(text: &str, columns: usize) -> String {
    match text.chars().count() > columns {
        true => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
