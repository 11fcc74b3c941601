use std::collections::BTreeSet;

use cadre_trace::{Action, Effect, Fault, Status, Step, Trace};

use crate::causes::origin;
use crate::changed::{Changed, Nodes};
use crate::columns::{Calls, Columns, Cost, Wanted};
use crate::select::{Gap, Shown, select, select_about};
use crate::text::{clip, one_line, width, wrap};

/// As many lines has a row at most; what it changed beyond them is counted.
const ROW_LINES_MAX: usize = 4;

/// The lane of a node that is paused.
const PAUSED: char = '‖';

/// How large the table may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneOptions {
    /// The columns of the terminal.
    pub width: usize,
    /// The most rows for steps. Of a longer trace the middle is left out, a row for each gap
    /// included.
    pub steps_max: usize,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self { width: 100, steps_max: usize::MAX }
    }
}

/// Draws a trace as lanes: a column for each node, a row for each step, and what the step changed.
///
/// Where the changes do not fit beside the lanes, the lanes move closer together; then the row gets
/// more lines. Messages that are sent are listed only where there is room: `●` says that there are
/// some. How to read the symbols is told [at the top of this crate](crate).
pub fn lanes(trace: &Trace, options: &LaneOptions) -> String {
    let rows = Rows::of(trace, &select(trace, options.steps_max));
    let mut text = rows.lines(options.width, Fold::Lines).join("\n");
    text.push('\n');
    text
}

/// Draws the lanes of an argument about some steps: where there is no room for all, these stay.
pub fn lanes_about(trace: &Trace, options: &LaneOptions, about: &BTreeSet<usize>) -> String {
    let rows = Rows::of(trace, &select_about(trace, options.steps_max, about));
    let mut text = rows.lines(options.width, Fold::Lines).join("\n");
    text.push('\n');
    text
}

/// What becomes of a row that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// It goes on in the next line.
    Lines,
    /// It is cut.
    Cut,
}

/// The rows of a table, not yet drawn.
#[derive(Debug)]
pub(crate) struct Rows<'t> {
    trace: &'t Trace,
    rows: Vec<Row<'t>>,
}

#[derive(Debug)]
enum Row<'t> {
    Step(StepRow<'t>),
    Gap(Gap),
}

#[derive(Debug)]
struct StepRow<'t> {
    step: &'t Step,
    call: Call,
    /// The step that sent the message that the row is about.
    sent_at: Option<usize>,
    changed: Changed,
    /// How the lane of each node goes on, in the header's order.
    marks: Vec<char>,
}

impl<'t> Rows<'t> {
    pub(crate) fn of(trace: &'t Trace, shown: &[Shown]) -> Self {
        let mut nodes: Nodes<'t> =
            trace.header.initial.nodes.iter().map(|(name, node)| (name.as_str(), node)).collect();
        let mut rows = Vec::new();
        let mut at = 0;
        for shown in shown {
            match shown {
                Shown::Gap(gap) => {
                    rows.push(Row::Gap(*gap));
                    at += gap.steps;
                }
                Shown::Step(_) => at += 1,
            }
            let passed = match shown {
                Shown::Gap(gap) => trace.steps.get(at - gap.steps..at),
                Shown::Step(number) => trace.steps.get(number - 1..*number),
            };
            for step in passed.unwrap_or_default() {
                let changed = matches!(shown, Shown::Step(_)).then(|| Changed::by(step, &nodes));
                nodes.extend(step.change.nodes.iter().map(|(name, node)| (name.as_str(), node)));
                if let Some(changed) = changed {
                    rows.push(Row::Step(StepRow::new(trace, step, changed, &nodes)));
                }
            }
        }
        Self { trace, rows }
    }

    /// The table with its header, in lines.
    pub(crate) fn lines(&self, width: usize, fold: Fold) -> Vec<String> {
        let columns = self.columns(width);
        let mut lines = vec![columns.header()];
        for row in &self.rows {
            match row {
                Row::Gap(gap) => lines.push(gap_line(&columns, *gap)),
                Row::Step(row) => lines.extend(row.lines(self.trace, &columns, fold)),
            }
        }
        lines.extend(self.repetition(width));
        lines.extend(self.note(&columns));
        lines
    }

    /// What is to be said of steps that repeat for ever.
    fn repetition(&self, width: usize) -> Option<String> {
        let from = self.trace.header.loop_from? + 1;
        Some(clip(&format!("    and so on for ever from step {from}"), width))
    }

    /// What is to be said of nodes that have no lane.
    fn note(&self, columns: &Columns) -> Option<String> {
        let nodes = self.trace.header.nodes.iter().zip(&columns.lane_of);
        let hidden: Vec<&String> =
            nodes.filter(|(_, lane)| lane.is_none()).map(|(name, _)| name).collect();
        let rows = || self.rows.iter().filter_map(Row::step);
        let missed = hidden.iter().any(|name| rows().any(|row| row.involves(name)));
        let text = match (hidden.len(), missed) {
            (0, _) => return None,
            (count, true) => format!("no room for the lanes of {count} more nodes"),
            (1, false) => "1 more node takes no part in these steps".to_owned(),
            (count, false) => format!("{count} more nodes take no part in these steps"),
        };
        Some(format!("{}  {text}", " ".repeat(columns.number)))
    }

    fn columns(&self, width: usize) -> Columns {
        let rows = || self.rows.iter().filter_map(Row::step);
        let involves = |name: &str| rows().any(|row| row.involves(name));
        let names = self.trace.header.nodes.iter().map(String::as_str);
        let nodes: Vec<(&str, bool)> = names.map(|name| (name, involves(name))).collect();
        let widest = |text: &dyn Fn(&StepRow<'_>) -> String| {
            rows().map(|row| self::width(&text(row))).max().unwrap_or(0)
        };
        let wanted = Wanted {
            width,
            step_last: rows().map(|row| row.step.step).max().unwrap_or(0),
            action: widest(&|row| row.call.said(Calls::Long)),
            action_short: widest(&|row| row.call.said(Calls::Short)),
            parts: widest(&|row| row.changed.parts.join(", ")),
            nodes: &nodes,
        };
        Columns::fit(wanted, |columns| {
            rows().fold(Cost { lines: 0, sends_left_out: 0 }, |cost, row| {
                let call = fold_words(&row.call.said(columns.calls), columns.action).len();
                let (changed, sends) = row.changed.folded(columns.changed);
                Cost {
                    lines: cost.lines + call.max(changed.len()),
                    sends_left_out: cost.sends_left_out + usize::from(sends == Sends::LeftOut),
                }
            })
        })
    }
}

impl<'t> Row<'t> {
    fn step(&self) -> Option<&StepRow<'t>> {
        match self {
            Self::Step(row) => Some(row),
            Self::Gap(_) => None,
        }
    }
}

impl<'t> StepRow<'t> {
    fn new(trace: &Trace, step: &'t Step, changed: Changed, nodes: &Nodes<'_>) -> Self {
        let mark = |name: &String| match nodes.get(name.as_str()).map(|node| node.status) {
            Some(Status::Up) | None => ':',
            Some(Status::Paused) => PAUSED,
            Some(Status::Down | Status::Failed) => ' ',
        };
        Self {
            step,
            call: Call::of(&step.action),
            sent_at: origin(trace, step).map(|origin| origin.sent_at),
            changed,
            marks: trace.header.nodes.iter().map(mark).collect(),
        }
    }

    fn involves(&self, name: &str) -> bool {
        let sender = self.step.action.envelope().map(|envelope| envelope.from.as_str());
        let receiver = self.step.action.envelope().map(|envelope| envelope.to.as_str());
        [sender, receiver].contains(&Some(name))
            || self.step.action.nodes().contains(&name)
            || self.step.change.nodes.contains_key(name)
    }

    fn lines(&self, trace: &Trace, columns: &Columns, fold: Fold) -> Vec<String> {
        let (action, changed) = match fold {
            Fold::Lines => (
                fold_words(&self.call.said(columns.calls), columns.action),
                self.changed.folded(columns.changed).0,
            ),
            Fold::Cut => (
                vec![self.call.cut(columns.calls, columns.action)],
                vec![self.changed.cut(columns.changed)],
            ),
        };
        let beside = if columns.below { &[][..] } else { &changed };
        let mut lines = Vec::new();
        for index in 0..action.len().max(beside.len()) {
            let number = if index == 0 { self.step.step.to_string() } else { String::new() };
            let lanes = if index == 0 { self.drawn(trace, columns) } else { self.idle(columns) };
            let part = |parts: &[String]| parts.get(index).cloned().unwrap_or_default();
            lines.push(columns.row(&number, &part(&action), &lanes, &part(beside)));
        }
        if columns.below {
            let indent = " ".repeat(columns.number + 2);
            lines.extend(changed.iter().map(|line| format!("{indent}{line}")));
        }
        lines
    }

    /// The lanes of a row on which nothing happens.
    fn idle(&self, columns: &Columns) -> String {
        self.canvas(columns).cells.into_iter().collect()
    }

    fn canvas(&self, columns: &Columns) -> Canvas {
        let mut canvas = Canvas { cells: vec![' '; columns.lanes] };
        for (mark, lane) in self.marks.iter().zip(&columns.lane_of) {
            if let Some(lane) = lane {
                canvas.put(columns.at(*lane), *mark);
            }
        }
        canvas
    }

    fn drawn(&self, trace: &Trace, columns: &Columns) -> String {
        let mut canvas = self.canvas(columns);
        let column_of = |name: &str| {
            let node = trace.header.nodes.iter().position(|node| node == name)?;
            columns.lane_of.get(node).copied().flatten().map(|lane| columns.at(lane))
        };
        if let Action::Fault(fault @ (Fault::Partition { .. } | Fault::Heal)) = &self.step.action {
            let lanes = columns.lane_of.iter().flatten().map(|lane| columns.at(*lane));
            canvas.across(lanes, if *fault == Fault::Heal { '─' } else { '╌' });
        }
        if let Some((from, to, end)) = self.arrow()
            && let (Some(from), Some(to)) = (column_of(from), column_of(to))
        {
            canvas.arrow(from, to, end, self.sent_at);
        }
        for place in self.step.action.nodes().into_iter().filter_map(column_of) {
            self.act(&mut canvas, place);
        }
        canvas.cells.into_iter().collect()
    }

    /// The arrow that a row has: from where, whereto, and how it ends.
    fn arrow(&self) -> Option<(&str, &str, End)> {
        let end = match &self.step.action {
            Action::Fault(Fault::Burst(link)) => return Some((&link.from, &link.to, End::Lost)),
            // What is forged is only sent so far.
            Action::Fault(Fault::Forge(_)) => return None,
            Action::Fault(Fault::Drop(_)) => End::Lost,
            Action::Fault(Fault::Duplicate(_) | Fault::Replay(_)) => End::Copied,
            Action::Fault(Fault::Corrupt { .. }) => End::Altered,
            Action::Deliver(_)
            | Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Invoke { .. }
            | Action::Tick
            | Action::Fault(_) => End::Arrived,
        };
        self.step.action.envelope().map(|envelope| (&*envelope.from, &*envelope.to, end))
    }

    fn act(&self, canvas: &mut Canvas, place: usize) {
        let adds = || !self.step.change.added.is_empty();
        let sent = self.step.effects.iter().any(Effect::leaves_the_node) || adds();
        let step = if sent { '●' } else { '*' };
        let symbol = match &self.step.action {
            Action::Fault(
                Fault::Crash { .. }
                | Fault::CrashRestart { .. }
                | Fault::CrashGroup { .. }
                | Fault::Interrupt { .. },
            ) => '✗',
            Action::Fault(Fault::Restart { .. } | Fault::Resume { .. }) => '↑',
            Action::Fault(Fault::Pause { .. }) => PAUSED,
            Action::Fault(Fault::Jump { .. }) => '±',
            Action::Deliver(_)
            | Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Invoke { .. }
            | Action::Tick
            | Action::Fault(_) => step,
        };
        let failed = self.step.failure.is_some();
        canvas.put(place, if failed { '!' } else { symbol });
        if let Action::Fault(Fault::CrashRestart { .. }) = self.step.action {
            canvas.put(place + 1, '↑');
        }
        if let Action::Invoke { .. } = self.step.action {
            canvas.put(place.saturating_sub(1), '▷');
        }
    }
}

/// An action as one says it, and what must stay of it when it is cut.
#[derive(Debug)]
pub(crate) struct Call {
    head: String,
    /// The same without the word that the lanes say as well.
    head_short: String,
    tail: String,
}

impl Call {
    pub(crate) fn of(action: &Action) -> Self {
        let tail = action.envelope().map(|envelope| format!(" {}→{}", envelope.from, envelope.to));
        let tail = tail.unwrap_or_default();
        let whole = action.to_string();
        let head = whole.strip_suffix(&tail).unwrap_or(&whole);
        let head_short = head.strip_prefix("deliver ").unwrap_or(head);
        Self { head: one_line(head), head_short: one_line(head_short), tail: one_line(&tail) }
    }

    fn said(&self, calls: Calls) -> String {
        format!("{}{}", self.head(calls), self.tail)
    }

    pub(crate) fn cut(&self, calls: Calls, columns: usize) -> String {
        let head = clip(self.head(calls), columns.saturating_sub(width(&self.tail)));
        format!("{head}{}", self.tail)
    }

    fn head(&self, calls: Calls) -> &str {
        match calls {
            Calls::Long => &self.head,
            Calls::Short => &self.head_short,
        }
    }
}

impl Changed {
    /// All parts in as many lines as they need, and the sends if the last line has room for them.
    fn folded(&self, columns: usize) -> (Vec<String>, Sends) {
        let lines = fold_parts(&self.parts, columns);
        let with_sends = fold_parts(&self.all().collect::<Vec<_>>(), columns);
        match with_sends.len() <= lines.len() {
            true => (with_sends, Sends::Listed),
            false => (lines, Sends::LeftOut),
        }
    }

    /// As much as one line holds.
    fn cut(&self, columns: usize) -> String {
        let all = self.said();
        if width(&all) <= columns { all } else { clip(&self.parts.join(", "), columns) }
    }
}

/// Whether the messages that a step sent are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sends {
    Listed,
    LeftOut,
}

/// Fills lines with parts and their commas; only a part that is wider than a line is broken.
fn fold_parts(parts: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let comma = if index + 1 < parts.len() { "," } else { "" };
        let part = format!("{part}{comma}");
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&part) <= columns => {
                line.push(' ');
                line.push_str(&part);
            }
            Some(_) | None => lines.extend(wrap(part.split(' '), columns)),
        }
        if lines.len() > ROW_LINES_MAX {
            lines.truncate(ROW_LINES_MAX - 1);
            lines.push(format!("… {} changes in all", parts.len()));
            return lines;
        }
    }
    lines
}

fn fold_words(text: &str, columns: usize) -> Vec<String> {
    let mut lines = wrap(text.split(' '), columns);
    if lines.len() > ROW_LINES_MAX {
        let rest = lines.split_off(ROW_LINES_MAX - 1).join(" ");
        lines.push(clip(&rest, columns));
    }
    lines
}

fn gap_line(columns: &Columns, gap: Gap) -> String {
    let steps = gap.steps;
    let text = match gap.causes {
        true => format!("{steps} steps like these; cadre show prints all"),
        false => format!("{steps} steps, none of them a cause; cadre show prints all"),
    };
    format!("{}…  {text}", " ".repeat(columns.number.saturating_sub(1)))
}

/// How a message's arrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Arrived,
    Lost,
    Copied,
    Altered,
}

/// The lanes of one row, a character for each column.
#[derive(Debug)]
struct Canvas {
    cells: Vec<char>,
}

impl Canvas {
    fn put(&mut self, column: usize, symbol: char) {
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = symbol;
        }
    }

    /// Draws a line from the first of some lanes to the last.
    fn across(&mut self, lanes: impl Iterator<Item = usize> + Clone, line: char) {
        let (first, last) = (lanes.clone().min().unwrap_or(0), lanes.max().unwrap_or(0));
        let between = self.cells.iter_mut().take(last).skip(first);
        between.filter(|cell| **cell == ' ').for_each(|cell| *cell = line);
    }

    /// Draws `o─5──▶` from the sender's lane up to the receiver's, in either direction.
    fn arrow(&mut self, from: usize, to: usize, end: End, sent_at: Option<usize>) {
        if from == to {
            self.put(to.saturating_sub(2), 'o');
            self.put(to.saturating_sub(1), end.symbol(Toward::Right));
            return;
        }
        let toward = if from < to { Toward::Right } else { Toward::Left };
        // The shaft, from the sender on: what arrives touches the receiver's lane, the rest stops
        // short.
        let mut shaft: Vec<usize> = match toward {
            Toward::Right => (from + 1..to).collect(),
            Toward::Left => (to + 1..from).rev().collect(),
        };
        if end != End::Arrived && shaft.len() > 3 {
            shaft.truncate(shaft.len() - 2);
        }
        let Some((head, shaft)) = shaft.split_last() else { return };
        self.put(from, 'o');
        self.put(*head, end.symbol(toward));
        for column in shaft {
            self.put(*column, '─');
        }
        let label = sent_at.filter(|sent_at| *sent_at > 0).map(|sent_at| sent_at.to_string());
        let Some(label) = label.filter(|label| label.len() <= shaft.len()) else { return };
        let skipped = usize::from(label.len() < shaft.len());
        let mut places: Vec<usize> =
            shaft.iter().copied().skip(skipped).take(label.len()).collect();
        places.sort_unstable();
        for (column, digit) in places.into_iter().zip(label.chars()) {
            self.put(column, digit);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Toward {
    Left,
    Right,
}

impl End {
    fn symbol(self, toward: Toward) -> char {
        match (self, toward) {
            (Self::Arrived, Toward::Right) => '▶',
            (Self::Arrived, Toward::Left) => '◀',
            (Self::Lost, Toward::Left | Toward::Right) => '✗',
            (Self::Copied, Toward::Left | Toward::Right) => '+',
            (Self::Altered, Toward::Left | Toward::Right) => '~',
        }
    }
}
