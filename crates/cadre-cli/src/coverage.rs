use std::collections::BTreeSet;

use cadre::model::{ActionKind, Coverage, KindCoverage};
use cadre::trace::{GuaranteeKind, Verdict};
use cadre::{Explored, Found};

/// What a search has tried, as a table, and what it never met, in at most 40 lines.
pub(crate) fn table(coverage: &Coverage, found: &Explored) -> String {
    let columns = columns(coverage);
    let (shown, hidden) = columns.split_at(fitting(coverage, &columns));
    let mut lines = vec![
        String::new(),
        labelled("tried", "each action of a node in each of its local states, counted once"),
        String::new(),
    ];
    let first = width_of_first(coverage);
    let header = shown.iter().map(|column| format!("  {column:>0$}", cell(column)));
    lines.push(format!(" {:<first$}  steps  effective{}", "action", header.collect::<String>()));
    let never: BTreeSet<(&str, &str)> =
        coverage.never.iter().map(|(message, state)| (message.as_str(), state.as_str())).collect();
    for kind in coverage.kinds.iter().take(ROWS_MAX) {
        let cells = shown.iter().map(|column| {
            let is_never = kind.action == ActionKind::Deliver
                && kind.name.as_ref().is_some_and(|name| never.contains(&(name.as_str(), column)));
            let text = match kind.by_state.get(column) {
                Some(tried) => tried.steps.to_string(),
                None if is_never => "never".to_owned(),
                None => "·".to_owned(),
            };
            format!("  {text:>0$}", cell(column))
        });
        let (steps, effective) = (kind.tried.steps, kind.tried.effective);
        let cells: String = cells.collect();
        lines.push(format!(" {:<first$}  {steps:>5}  {effective:>9}{cells}", name(kind)));
    }
    lines.extend(more(coverage.kinds.len().saturating_sub(ROWS_MAX), "kinds of actions"));
    lines.extend(more(hidden.len(), "kinds of states"));
    lines.push(String::new());
    lines.extend(missing(coverage, found));
    lines.join("\n")
}

/// As many kinds of actions are shown.
const ROWS_MAX: usize = 20;
/// The columns of the table, if there is room for the first state.
const WIDTH: usize = 100;
/// The columns of a kind's name.
const NAME_MAX: usize = 32;
/// As many lines a list of what is missing takes.
const LIST_MAX: usize = 3;

/// What was never met, and what that means.
fn missing(coverage: &Coverage, found: &Explored) -> Vec<String> {
    let pairs = coverage.never.iter().map(|(message, state)| format!("{message} in {state}"));
    let untried = coverage.kinds.iter().filter(|kind| kind.tried.steps == 0);
    let is_unmet = |found: &&Found| {
        found.claim.kind == GuaranteeKind::Reachable && found.verdict != Verdict::Holds
    };
    let unmet = found.findings.iter().filter(is_unmet).map(|found| found.claim.name.clone());
    let mut lines = Vec::new();
    lines.extend(list("never", pairs.collect()));
    lines.extend(list("untried", untried.map(name).collect()));
    lines.extend(list("ignored", coverage.ignored.clone()));
    lines.extend(list("idle", coverage.idle.clone()));
    lines.extend(list("unmet", unmet.collect()));
    let everything = "everything was seen: what is missing here, no execution has";
    let bounded = "not everything was seen: what is missing here was not met within the bound";
    let violated = "the search ended at a violation: what is missing here was not met before it";
    lines.push(labelled(
        "",
        match (found.verdict, found.bound) {
            (_, Some(_)) => bounded,
            // A `reachable` guarantee that is violated takes all configurations to find out.
            (Verdict::Violated, None) if found.findings.iter().any(is_counterexample) => violated,
            (Verdict::Violated | Verdict::Holds | Verdict::Bounded, None) => everything,
        },
    ));
    lines
}

fn is_counterexample(found: &Found) -> bool {
    found.verdict == Verdict::Violated && found.claim.kind != GuaranteeKind::Reachable
}

/// The kinds of states in which something was tried or never was.
fn columns(coverage: &Coverage) -> Vec<String> {
    let tried = coverage.kinds.iter().flat_map(|kind| kind.by_state.keys());
    coverage.states.iter().chain(tried).cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// How many columns fit.
fn fitting(coverage: &Coverage, columns: &[String]) -> usize {
    let mut width = width_of_first(coverage) + " ".len() + "  steps  effective".len();
    let fits = |column: &&String| {
        width += 2 + cell(column);
        width <= WIDTH
    };
    columns.iter().take_while(fits).count().max(1).min(columns.len())
}

/// The columns of a cell: room for its header, for a count and for a word.
fn cell(header: &str) -> usize {
    header.chars().count().max("never".len())
}

fn width_of_first(coverage: &Coverage) -> usize {
    let names = coverage.kinds.iter().take(ROWS_MAX).map(|kind| name(kind).chars().count());
    names.chain(["action".len()]).max().unwrap_or(0)
}

/// The name of a kind, cut where it is long.
fn name(kind: &KindCoverage) -> String {
    let name = kind.to_string();
    match name.char_indices().nth(NAME_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// A list behind a label, in a few lines; what does not fit is counted.
fn list(label: &str, words: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut left = words.len();
    for word in words {
        let room = WIDTH - LABEL - " and 1000 more".len();
        let is_room_below = lines.len() < LIST_MAX;
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + word.chars().count() <= room => {
                line.push_str(", ");
                line.push_str(&word);
            }
            _ if is_room_below => lines.push(word),
            _ => break,
        }
        left -= 1;
    }
    if left > 0
        && let Some(line) = lines.last_mut()
    {
        line.push_str(&format!(" and {left} more"));
    }
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    labels.zip(lines).map(|(label, line)| labelled(label, &line)).collect()
}

fn more(left: usize, what: &str) -> Option<String> {
    (left > 0).then(|| format!(" and {left} more {what}"))
}

/// The columns of a label.
const LABEL: usize = 9;

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<8} {text}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cadre::model::Tried;

    use super::*;

    #[test]
    fn however_much_there_is_the_table_takes_forty_lines_of_a_hundred_columns() {
        let tried = Tried { steps: 12_345, effective: 12_345 };
        let states: Vec<String> = (0..50).map(|number| format!("State{number:02}")).collect();
        let kind = |number: usize| KindCoverage {
            action: ActionKind::Deliver,
            name: Some(format!(
                "{}{number:03}",
                "AMessageWithAVeryLongName".repeat(number % 3 + 1)
            )),
            tried,
            by_state: BTreeMap::from([(states[number % 50].clone(), tried)]),
        };
        let names = |count: usize| (0..count).map(|number| format!("Something{number}")).collect();
        let coverage = Coverage {
            kinds: (0..200).map(kind).collect(),
            states: states.clone(),
            never: (0..200).map(|number| (format!("Message{number}"), states[0].clone())).collect(),
            ignored: names(100),
            idle: names(100),
        };
        let found = Explored {
            progress: cadre::explore::Progress::default(),
            bound: None,
            omission_bound: 0.0,
            verdict: Verdict::Holds,
            findings: Vec::new(),
        };
        let table = table(&coverage, &found);
        assert!(table.lines().count() <= 40, "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(table.contains("and 180 more kinds of actions"), "{table}");
        assert!(table.contains("more kinds of states"), "{table}");
    }

    #[test]
    fn an_empty_list_is_not_mentioned_and_a_long_one_is_counted() {
        assert_eq!(list("idle", Vec::new()), Vec::<String>::new());
        assert_eq!(list("idle", vec!["n1".to_owned(), "n2".to_owned()]), ["idle     n1, n2"]);
        let many = list("idle", vec!["x".repeat(70); 9]);
        assert_eq!(many.len(), LIST_MAX);
        assert!(many[2].ends_with("x and 6 more"), "{many:?}");
    }
}
