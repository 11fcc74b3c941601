use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use cadre::process::{PrivateDirectory, Program, Stop, run};

use crate::case::Case;
use crate::measurement::Measurement;
use crate::numbers::{least, median};
use crate::peers::{spin, tlc};
use crate::tool::Tool;
use crate::{one, output};

/// What is to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Each case with a size.
    pub(crate) searches: Vec<(Case, u32)>,
    /// The tools, as far as a case knows them.
    pub(crate) tools: Vec<Tool>,
    /// With how many threads each searches, if it can.
    pub(crate) workers: u32,
    /// How often.
    pub(crate) repeat: u32,
    /// Whether searches that take a tool very long are run as well.
    pub(crate) runs_long: bool,
}

/// The runs of one tool on one search.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// The tool.
    pub(crate) tool: Tool,
    /// The case.
    pub(crate) case: Case,
    /// Its size.
    pub(crate) size: u32,
    /// At least one run, or why there is none.
    pub(crate) runs: Result<Vec<Measurement>, String>,
}

/// Runs searches in processes of their own.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    plan: &'a Plan,
    /// The tools that are not there, and why.
    absent: BTreeMap<Tool, String>,
}

impl Series {
    /// The distinct states, if there was a run and all agree.
    pub(crate) fn distinct(&self) -> Option<u64> {
        let mut counts = self.runs.as_ref().ok()?.iter().map(|run| run.distinct);
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }

    /// The least of a figure over the runs.
    pub(crate) fn best(&self, figure: impl Fn(&Measurement) -> f64) -> Option<f64> {
        let runs = self.runs.as_ref().ok().filter(|runs| !runs.is_empty())?;
        Some(least(runs.iter().map(figure)))
    }

    /// The median of a figure over the runs.
    pub(crate) fn median(&self, figure: impl Fn(&Measurement) -> f64) -> Option<f64> {
        let runs = self.runs.as_ref().ok().filter(|runs| !runs.is_empty())?;
        Some(median(runs.iter().map(figure).collect()))
    }
}

impl<'a> Runner<'a> {
    /// Looks which tools are there.
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let mut absent = BTreeMap::new();
        let is_known =
            |tool: &Tool| plan.searches.iter().any(|(case, _)| case.tools().contains(tool));
        for tool in plan.tools.iter().filter(|tool| is_known(tool)) {
            let present = match tool {
                Tool::Tlc => tlc::present().map(|_| ()),
                Tool::Spin => spin::present(),
                Tool::Ours | Tool::StaterightBfs | Tool::StaterightDfs => Ok(()),
            };
            if let Err(error) = present {
                absent.insert(*tool, format!("{error:#}"));
            }
        }
        Self { plan, absent }
    }

    /// A line for each tool that is not there.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = String> + '_ {
        self.absent.iter().map(|(tool, why)| format!("{}: {why}, skipped", tool.name()))
    }

    /// Runs the tools on a search, alternately, so that all of them see the same moods of the
    /// machine.
    ///
    /// # Errors
    ///
    /// Where a run cannot be started at all.
    pub(crate) fn run(&mut self, case: Case, size: u32) -> Result<Vec<Series>> {
        let is_wanted = |tool: &&Tool| {
            self.plan.tools.contains(tool)
                && !self.absent.contains_key(tool)
                && (self.plan.runs_long || !case.is_long(size, **tool))
        };
        let mut all: Vec<Series> = case
            .tools()
            .iter()
            .filter(is_wanted)
            .map(|tool| Series { tool: *tool, case, size, runs: Ok(Vec::new()) })
            .collect();
        for _ in 0..self.plan.repeat {
            for series in &mut all {
                let Ok(runs) = &mut series.runs else { continue };
                if runs.iter().any(|run| run.wall_seconds > ONCE_SECONDS) {
                    continue;
                }
                match self.measure(series.tool, case, size)? {
                    Ok(measurement) => runs.push(measurement),
                    Err(why) => series.runs = Err(why),
                }
            }
        }
        Ok(all)
    }

    fn measure(&self, tool: Tool, case: Case, size: u32) -> Result<Result<Measurement, String>> {
        let directory = PrivateDirectory::new("bench")?;
        let log = directory.path().join("one");
        let size = size.to_string();
        let workers = self.plan.workers.to_string();
        let program = Program::new(one::this_program()?).args([
            "one",
            tool.name(),
            case.name(),
            &size,
            "--workers",
            &workers,
        ]);
        output::note(&format!("{} {size}: {}", case.name(), tool.name()));
        let finished = match run(&program, &log, TIME_LIMIT, &Stop::new()) {
            Ok(finished) => finished,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let told = finished.output()?;
        let line = told.lines().find(|line| line.starts_with('{'));
        let (Some(0), Some(line)) = (finished.code, line) else {
            return Ok(Err(told));
        };
        let mut measurement: Measurement = serde_json::from_str(line)
            .with_context(|| format!("expected a measurement, found {line}"))?;
        // Where the tool is a child of that process, that one knows better.
        if matches!(tool, Tool::Ours | Tool::StaterightBfs | Tool::StaterightDfs) {
            measurement.wall_seconds = finished.elapsed.as_secs_f64();
        }
        Ok(Ok(measurement))
    }
}

/// A run longer than this is not repeated.
const ONCE_SECONDS: f64 = 60.0;
const TIME_LIMIT: Duration = Duration::from_secs(3600);
