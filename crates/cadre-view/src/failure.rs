use cadre_trace::Trace;

use crate::because::because_lines;
use crate::lanes::{Fold, Rows};
use crate::select::select;
use crate::text::{one_line, pad, width};

/// The lines of the block, unless told; with the verdict, which the command prints, they are 25.
const LINES_MAX: usize = 24;
/// With fewer rows there is nothing to see.
const ROWS_MIN: usize = 3;
/// Rows are cut rather than left out if there would be fewer.
const ROWS_WHOLE_MIN: usize = 8;
/// The columns of the block, unless told.
const WIDTH: usize = 100;
/// The columns of the words `because`, `saved`, `replay` and `report`.
const LABEL: usize = 9;
/// The columns of the paragraph.
const BECAUSE_MAX: usize = 96;

/// What is known of a failure besides its trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureNotes {
    /// The file in which the trace is.
    pub saved: Option<String>,
    /// The command that executes the trace again.
    pub replay: Option<String>,
    /// The file in which the report is.
    pub report: Option<String>,
    /// What can be said of the trace, such as `shortest, 5 steps`.
    pub how: String,
    /// The most lines of the block; 24 unless given.
    pub lines_max: Option<usize>,
}

/// What a failing check prints, except for the verdict: the guarantee, the lanes, the argument,
/// where the trace is, how to execute it again and where one may look through it. At most 24 lines
/// of 100 columns.
///
/// Steps of a long trace are left out, first those that are no cause of what the argument is about,
/// and their number is stated.
pub fn failure(trace: &Trace, notes: &FailureNotes) -> String {
    failure_at(trace, notes, WIDTH)
}

/// [`failure`] for a terminal of another width.
pub fn failure_at(trace: &Trace, notes: &FailureNotes, columns: usize) -> String {
    let because = because_lines(trace, columns.min(BECAUSE_MAX).saturating_sub(LABEL));
    let because = labelled("because", &because.unwrap_or_default());
    let mut end = Vec::new();
    let files = [("saved", &notes.saved), ("replay", &notes.replay), ("report", &notes.report)];
    for (label, text) in files {
        // A path or a command is to be copied: it is never cut.
        end.extend(text.iter().map(|text| format!("{}{text}", pad(label, LABEL))));
    }
    let what = format!("violated  {}", name(trace));
    let one_line = width(&what) + 3 + width(&notes.how) <= columns;
    let first = if one_line || notes.how.is_empty() { 1 } else { 2 };
    let lines_max = notes.lines_max.unwrap_or(LINES_MAX);
    let rest = first + because.len() + usize::from(!because.is_empty()) + end.len();
    let table = table(trace, columns, lines_max.saturating_sub(rest));
    let spare = lines_max.saturating_sub(rest + table.len());
    let mut lines = match one_line {
        true => vec![beside(&what, &notes.how, columns, &table)],
        false => vec![what, format!("{}{}", " ".repeat(LABEL + 1), notes.how)],
    };
    lines.truncate(first);
    // What gives the eye a rest is the first to go where lines are short.
    lines.extend((spare > 0).then(String::new));
    lines.extend(table);
    lines.extend((!because.is_empty()).then(String::new));
    lines.extend(because);
    lines.extend((spare > 1 && !end.is_empty()).then(String::new));
    lines.extend(end);
    lines.join("\n") + "\n"
}

/// The table with its header in at most so many lines.
///
/// Steps that fit are rather cut than left out; of a trace that is too long anyway, fewer steps are
/// shown whole.
fn table(trace: &Trace, columns: usize, lines_max: usize) -> Vec<String> {
    let rows_max = lines_max.saturating_sub(1).max(ROWS_MIN);
    let drawn = |rows_max: usize, fold: Fold| {
        let lines = Rows::of(trace, &select(trace, rows_max)).lines(columns, fold);
        Some(lines).filter(|lines| lines.len() <= lines_max)
    };
    let too_long = trace.steps.len() > rows_max;
    let whole_min = if too_long { rows_max.min(ROWS_WHOLE_MIN) } else { rows_max };
    (whole_min..=rows_max)
        .rev()
        .find_map(|rows_max| drawn(rows_max, Fold::Lines))
        .or_else(|| (ROWS_MIN..=rows_max).rev().find_map(|rows_max| drawn(rows_max, Fold::Cut)))
        .unwrap_or_default()
}

fn name(trace: &Trace) -> String {
    match (&trace.header.guarantee, trace.steps.last()) {
        (Some(guarantee), _) => one_line(&guarantee.name),
        (None, Some(step)) if step.failure.is_some() => "no step fails".to_owned(),
        (None, _) => "a guarantee that the trace does not name".to_owned(),
    }
}

/// Two texts on one line, the second if possible where the changes of the table begin.
fn beside(what: &str, how: &str, columns: usize, table: &[String]) -> String {
    let header = table.first().and_then(|header| header.strip_suffix("changed"));
    let fits = |at: &usize| width(what) + 3 <= *at && at + width(how) <= columns;
    let at = header.map(width).filter(fits).unwrap_or(width(what) + 3);
    format!("{}{how}", pad(what, at)).trim_end().to_owned()
}

fn labelled(label: &str, lines: &[String]) -> Vec<String> {
    let label = |index: usize| pad(if index == 0 { label } else { "" }, LABEL);
    lines.iter().enumerate().map(|(index, line)| label(index) + line).collect()
}
