use crate::case::Case;
use crate::measurement::Measurement;
use crate::numbers::times;
use crate::runner::Series;
use crate::table::ratio;
use crate::tool::Tool;

/// What the project has set itself, each with what was found.
pub(crate) fn lines(found: &[Series], workers: u32) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("targets: wall time, set for 2 workers of each tool, measured with {workers}"),
    ];
    let stateright: &[Tool] = &[Tool::StaterightBfs, Tool::StaterightDfs];
    for (case, size, peers, least) in [
        (Case::TwoPhaseCommit, 9, stateright, 10.0),
        (Case::TwoPhaseCommit, 8, &[Tool::Tlc], 100.0),
        (Case::Paxos, 1, stateright, 30.0),
        (Case::LossyPaxos, 1, stateright, 30.0),
        (Case::GrowingPaxos, 2, stateright, 30.0),
        (Case::Raft, 3, stateright, 30.0),
    ] {
        let peer = if peers[0].is_stateright() { "Stateright" } else { peers[0].name() };
        let what = format!("{} {size}: at least {} {peer}", case.name(), times(least));
        let of = |tools: &[Tool]| -> Vec<&Series> {
            let is_meant = |series: &&Series| {
                (series.case, series.size) == (case, size) && tools.contains(&series.tool)
            };
            found.iter().filter(is_meant).collect()
        };
        let speed = faster_than_best(&of(&[Tool::Ours]), &of(peers));
        lines.push(line(&what, speed.map(|speed| (speed >= least, times(speed)))));
    }
    lines.push(memory(found));
    lines
}

/// The most that a distinct state may take outside the frontier.
const BYTES_MAX: f64 = 24.0;

/// How many times as long as we the better of the peer's orders takes; none where not all of them
/// are there with the same count.
fn faster_than_best(ours: &[&Series], peers: &[&Series]) -> Option<f64> {
    let ours = ours.first()?;
    let ratios: Option<Vec<f64>> =
        peers.iter().map(|peer| ratio(ours, peer, |run| run.wall_seconds)).collect();
    ratios?.into_iter().reduce(f64::min)
}

/// Memory is judged where there are most states.
fn memory(found: &[Series]) -> String {
    let largest = found
        .iter()
        .filter(|series| series.tool == Tool::Ours && series.distinct().is_some())
        .max_by_key(|series| series.distinct());
    let what =
        format!("memory: at most {BYTES_MAX} bytes for each distinct state outside the frontier");
    let bytes = |run: &Measurement| run.bytes_behind.map_or(f64::NAN, |bytes| bytes as f64);
    let figure = largest.and_then(|series| {
        let figure = series.best(bytes)? / series.distinct()? as f64;
        let text = format!("{figure:.1}, {} {}", series.case.name(), series.size);
        Some((figure <= BYTES_MAX, text))
    });
    line(&what, figure)
}

fn line(what: &str, figure: Option<(bool, String)>) -> String {
    match figure {
        Some((true, figure)) => format!("  met          {what}: {figure}"),
        Some((false, figure)) => format!("  missed       {what}: {figure}"),
        None => format!("  not measured {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(tool: Tool, wall_seconds: f64) -> Series {
        let run = Measurement {
            workers: 2,
            distinct: 100,
            generated: 0,
            depth: 0,
            search_seconds: wall_seconds,
            wall_seconds,
            cpu_seconds: 1.0,
            peak_bytes: 4000,
            bytes_behind: Some(2300),
        };
        Series { tool, case: Case::TwoPhaseCommit, size: 9, runs: Ok(vec![run]) }
    }

    #[test]
    fn a_target_is_judged_against_the_better_order_of_the_peer() {
        let slow = [
            series(Tool::Ours, 1.0),
            series(Tool::StaterightBfs, 12.0),
            series(Tool::StaterightDfs, 9.0),
        ];
        assert!(lines(&slow, 2)[2].contains("missed") && lines(&slow, 2)[2].contains("9.00x"));
        let fast = [series(Tool::Ours, 0.5), slow[1].clone(), slow[2].clone()];
        assert!(lines(&fast, 2)[2].contains("met ") && lines(&fast, 2)[2].contains("18x"));
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(lines(&[], 2).iter().skip(2).all(|line| line.contains("not measured")));
    }

    #[test]
    fn memory_is_that_of_the_search() {
        let line = memory(&[series(Tool::Ours, 1.0)]);
        assert!(line.contains("met ") && line.contains("23.0"), "{line}");
    }
}
