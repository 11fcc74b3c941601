use crate::case::Case;
use crate::numbers::{grouped, megabytes, seconds, times};
use crate::runner::{Plan, Series};
use crate::tool::Tool;

/// What stands above the rows.
pub(crate) fn preface(plan: &Plan, skipped: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} workers asked of each tool; best of {} runs, `mid` the median, taken in turns",
            plan.workers, plan.repeat
        ),
        "wall: from the start of the process to its end (Spin: without compiling its verifier)"
            .to_owned(),
        "search: as the tool tells it; B/state: peak memory by distinct states, all of it counted"
            .to_owned(),
        "the last three columns: how many times as much as ours".to_owned(),
        load(),
    ];
    lines.extend(skipped);
    lines.push(String::new());
    lines.push(format!(
        "{:<24} {:<15} {:>3} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7} {:>7} {:>7}",
        "case",
        "tool",
        "thr",
        "distinct",
        "wall s",
        "mid s",
        "search s",
        "CPU s",
        "peak MB",
        "B/state",
        "wall",
        "CPU",
        "memory"
    ));
    lines
}

/// What else the machine does, where it tells.
fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match averages.split_whitespace().next() {
        Some(load) => format!(
            "load of the machine before: {load}; of what else runs, processor times suffer less"
        ),
        None => "load of the machine before: not known".to_owned(),
    }
}

/// The rows of one search, and what is wrong with them.
pub(crate) fn rows(case: Case, size: u32, all: &[Series]) -> Vec<String> {
    let ours = all.iter().find(|series| series.tool == Tool::Ours);
    let mut lines: Vec<String> =
        all.iter().map(|series| row(&format!("{} {size}", case.name()), series, ours)).collect();
    let expected = case.expected(size);
    for series in all {
        if let (Some(expected), Some(found)) = (expected, series.distinct())
            && expected != found
        {
            lines.push(format!(
                "  {} met {} states, where there are {}",
                series.tool.name(),
                grouped(found),
                grouped(expected)
            ));
        }
    }
    lines
}

/// How many times as much as ours a tool needs of something; none unless both met the same number
/// of states.
pub(crate) fn ratio(
    ours: &Series,
    theirs: &Series,
    figure: impl Fn(&crate::measurement::Measurement) -> f64,
) -> Option<f64> {
    let is_equal = ours.distinct().is_some() && ours.distinct() == theirs.distinct();
    let (ours, theirs) = (ours.best(&figure)?, theirs.best(&figure)?);
    is_equal.then_some(theirs / ours)
}

fn row(search: &str, series: &Series, ours: Option<&Series>) -> String {
    let begin = format!("{search:<24} {:<15}", series.tool.name());
    let runs = match &series.runs {
        Ok(runs) if !runs.is_empty() => runs,
        Ok(_) => return format!("{begin} not run"),
        Err(why) => return format!("{begin} failed: {}", last_line(why)),
    };
    let Some(distinct) = series.distinct() else {
        let counts: Vec<String> = runs.iter().map(|run| grouped(run.distinct)).collect();
        return format!("{begin} its runs met different numbers of states: {}", counts.join(", "));
    };
    let best = |figure: fn(&crate::measurement::Measurement) -> f64| series.best(figure);
    let figure = |number: Option<f64>| number.map_or_else(String::new, seconds);
    let peak = best(|run| run.peak_bytes as f64).unwrap_or(0.0);
    let line = format!(
        "{begin} {:>3} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8.1}",
        runs[0].workers,
        grouped(distinct),
        figure(best(|run| run.wall_seconds)),
        figure(series.median(|run| run.wall_seconds)),
        figure(best(|run| run.search_seconds)),
        figure(best(|run| run.cpu_seconds)),
        megabytes(peak as u64),
        peak / distinct as f64,
    );
    match ours {
        Some(ours) if ours.tool != series.tool => format!("{line} {}", ratios(ours, series)),
        Some(_) | None => line,
    }
}

fn ratios(ours: &Series, theirs: &Series) -> String {
    let wall = ratio(ours, theirs, |run| run.wall_seconds);
    let cpu = ratio(ours, theirs, |run| run.cpu_seconds);
    let memory = ratio(ours, theirs, |run| run.peak_bytes as f64);
    match (wall, cpu, memory) {
        (Some(wall), Some(cpu), Some(memory)) => {
            format!("{:>7} {:>7} {:>7}", times(wall), times(cpu), times(memory))
        }
        _ => match ours.distinct() {
            Some(distinct) => format!("no ratio: ours met {}", grouped(distinct)),
            None => "no ratio: ours has no count".to_owned(),
        },
    }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::Measurement;

    fn series(tool: Tool, distinct: &[u64]) -> Series {
        let run = |distinct: &u64| Measurement {
            workers: 2,
            distinct: *distinct,
            generated: 0,
            depth: 0,
            search_seconds: 1.0,
            wall_seconds: if tool == Tool::Ours { 1.0 } else { 12.0 },
            cpu_seconds: 2.0,
            peak_bytes: 1000,
            bytes_behind: None,
        };
        let runs = Ok(distinct.iter().map(run).collect());
        Series { tool, case: Case::Raft, size: 0, runs }
    }

    #[test]
    fn equal_counts_give_ratios() {
        let all = [series(Tool::Ours, &[10]), series(Tool::StaterightDfs, &[10, 10])];
        let lines = rows(Case::Raft, 0, &all);
        assert!(lines[1].ends_with("12x   1.00x   1.00x"), "{lines:#?}");
    }

    #[test]
    fn unequal_counts_give_no_ratio() {
        let all = [series(Tool::Ours, &[10]), series(Tool::StaterightDfs, &[11])];
        let lines = rows(Case::Raft, 0, &all);
        assert!(lines[1].contains("11") && lines[1].ends_with("ours met 10"), "{lines:#?}");
        assert_eq!(ratio(&all[0], &all[1], |run| run.wall_seconds), None);
    }

    #[test]
    fn counts_that_change_from_run_to_run_are_told() {
        let all = [series(Tool::Ours, &[10]), series(Tool::StaterightDfs, &[10, 11])];
        assert!(rows(Case::Raft, 0, &all)[1].ends_with("10, 11"));
    }

    #[test]
    fn a_count_that_is_known_to_be_wrong_is_told() {
        let all = [series(Tool::Ours, &[10])];
        assert_eq!(rows(Case::Paxos, 1, &all).len(), 2);
    }
}
