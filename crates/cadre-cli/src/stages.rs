use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cadre::conform::{self, Report, Spec, SpecTrace, TraceVerdict};
use cadre::explore::{Bound, Flow, Progress, Settings, SpillFailure, Spilling};
use cadre::model::Coverage;
use cadre::replay::{Ended, Outcome, RecordOptions, ReplayOptions};
use cadre::spilling::SpillDirectory;
use cadre::trace::{Trace, Verdict};
use cadre::view::FailureNotes;
use cadre::{Explored, Fuzzed, GameError};

use crate::args::{ProcessArgs, SearchArgs};
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform};
use crate::run_directory::RunDirectory;
use crate::sharing::no_directory;
use crate::specification::judge_names;
use crate::watch::{Clock, Limits, Watch, count, grouped, rate};
use crate::{commands, engines, memory, output};

/// How many lines a violation may take on the terminal, the command's own included.
pub(crate) const LINES_MAX: usize = 25;

/// Searches exhaustively and prints the stage's line.
pub(crate) fn explore(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    args: &SearchArgs,
) -> Result<Explored, Failure> {
    searched(context, args, |settings, watch| {
        chosen.game.explore(&chosen.setup, settings, watch).or_exit(Exit::Internal)
    })
}

/// Searches exhaustively up to names, and prints the stage's line.
pub(crate) fn explore_orbits(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    args: &SearchArgs,
) -> Result<Explored, Failure> {
    let game = &chosen.game;
    searched(context, args, |settings, watch| {
        let found = game.explore_orbits(&chosen.setup, settings, watch);
        found.map_err(|error| {
            let is_usage =
                matches!(error, GameError::NotInterchangeable { .. } | GameError::ToldApart { .. });
            let exit = if is_usage { Exit::Usage } else { Exit::Internal };
            Failure { exit, error: error.into() }
        })
    })
}

/// Searches exhaustively, keeps what was tried, and prints the stage's line.
pub(crate) fn cover(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    args: &SearchArgs,
) -> Result<(Explored, Coverage), Failure> {
    let mut coverage = None;
    let found = searched(context, args, |settings, watch| {
        let found = chosen.game.cover(&chosen.setup, settings, watch);
        let (found, tried) = found.or_exit(Exit::Internal)?;
        coverage = Some(tried);
        Ok(found)
    })?;
    Ok((found, coverage.expect("a search that ended well says what was tried")))
}

/// Who watches a search.
type Look<'a> = dyn FnMut(&Progress) -> Flow + 'a;

/// Runs a search under watch, and prints the stage's line.
pub(crate) fn searched(
    context: &Context<'_>,
    args: &SearchArgs,
    search: impl FnOnce(&Settings, &mut Look<'_>) -> Result<Explored, Failure>,
) -> Result<Explored, Failure> {
    let mut settings = args.settings();
    settings.spilling =
        args.spill.as_deref().map(|within| spilling(&settings, within)).transpose()?;
    let limits = Limits { bounds: settings.bounds.clone(), time: args.time() };
    let mut watch = Watch::new(limits, &context.stop);
    let found = search(&settings, &mut |progress| watch.look(progress));
    let elapsed = watch.end();
    let found = found?;
    let bound = match found.bound {
        None => String::new(),
        Some(Bound::Depth(depth)) => format!("stopped at depth {depth}: "),
        Some(Bound::Configurations(_)) => "stopped at the most configurations: ".to_owned(),
        Some(Bound::Memory(reached)) => {
            let most = settings.bounds.memory_max.unwrap_or(reached);
            format!("stopped at the most memory, {}: ", memory::shown(most))
        }
        Some(Bound::Spill(failure)) => format!("stopped as {failure}: "),
        Some(Bound::Watcher) if context.stop.requested() => "interrupted: ".to_owned(),
        Some(Bound::Watcher) => "stopped at the time limit: ".to_owned(),
    };
    let counted = if found.progress.covered > 0 { " up to what is left of budgets" } else { "" };
    let spilled = match found.progress.spilled_ever {
        0 => String::new(),
        spilled => format!(", spilled {}", memory::shown(spilled)),
    };
    let particulars = format!(
        "{bound}{} distinct configurations{counted}, depth {}, {:.1} s at {}/s, \
         omission < {:.0e}{spilled}",
        grouped(found.progress.configurations),
        found.progress.depth,
        elapsed.as_secs_f64(),
        rate(found.progress.configurations, elapsed),
        found.omission_bound,
    );
    output::stage("explore", &found.verdict.to_string(), &particulars);
    if let Some(advice) = advice(&found, args) {
        output::labelled("", &advice);
    }
    Ok(found)
}

/// The most bytes of configurations that wait in memory where the most memory is not known.
const RESIDENT_MAX: u64 = 1 << 30;

/// Lets a search put configurations that wait in files below a directory.
fn spilling(settings: &Settings, within: &Path) -> Result<Spilling, Failure> {
    let place = SpillDirectory::within(within).map_err(|error| {
        let (within, why) = (within.display(), no_directory(&error));
        anyhow::anyhow!(
            "expected a directory to spill to, found {within}: {why}; choose another one"
        )
    });
    let place = Arc::new(place.or_exit(Exit::ToolChain)?);
    let resident_max = settings.bounds.memory_max.map_or(RESIDENT_MAX, |max| max / 8);
    Ok(Spilling { place, resident_max })
}

/// What can be done about a search that what waits has ended.
fn advice(found: &Explored, args: &SearchArgs) -> Option<String> {
    let Progress { memory, memory_queue, .. } = found.progress;
    match (found.bound?, &args.spill) {
        (Bound::Memory(_), None) if memory_queue > memory / 2 => {
            Some("most of it is what waits: with --spill DIR that waits in files".to_owned())
        }
        (Bound::Spill(SpillFailure::Write(_)), Some(within)) => {
            let within = within.display();
            Some(format!("{within} has no more room: give --spill another place, or more --memory"))
        }
        (Bound::Spill(SpillFailure::Read(_) | SpillFailure::Damaged), Some(within)) => {
            let within = within.display();
            Some(format!("what was written to {within} is lost: give --spill another place"))
        }
        _ => None,
    }
}

/// The line of the stage that tried random executions.
pub(crate) fn print_fuzzed(found: &Fuzzed, seed: u64) {
    let outcome = if found.violation.is_some() { Verdict::Violated } else { Verdict::Bounded };
    let stopped = if found.stopped { "interrupted: " } else { "" };
    let particulars = format!(
        "{stopped}{}, {}, seed {seed}",
        count(found.cases as usize, "random execution", "random executions"),
        count(usize::try_from(found.steps).unwrap_or(usize::MAX), "step", "steps"),
    );
    output::stage("fuzz", &outcome.to_string(), &particulars);
}

/// How a counterexample of a random search came to be as short as it is.
pub(crate) fn shrunk(found: &Fuzzed, steps_before: usize) -> String {
    let perhaps = if found.is_minimal { "" } else { ", perhaps not to the end" };
    format!("shrunk from {steps_before} steps{perhaps}")
}

/// A trace with the name it has in reports.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) trace: Trace,
}

/// Has TLC check traces of one game, all in one run, and prints the stage's line.
pub(crate) fn conform(
    context: &mut Context<'_>,
    chosen: &Chosen<'_>,
    traces: &[Named],
    run: &mut RunDirectory,
) -> Result<Option<Report>, Failure> {
    let Some((spec, told)) = told(chosen, traces)? else {
        output::stage("conform", "skipped", "the game maps to no specification");
        return Ok(None);
    };
    let engine = context.engine()?;
    let directory = run.part("conform").or_exit(Exit::ToolChain)?;
    let options = conform::Options::default();
    let clock = Clock::start();
    let checked = conform::check(&spec, &told, &*engine, &directory, &options, &context.stop);
    let judged = judge_names(context, &spec, &told, &checked, run);
    let report = judged.and_then(|()| checked.map_err(of_conform)).inspect_err(|_| {
        run.keep();
    })?;
    print_conform(&report, traces.len(), &spec, clock);
    Ok(Some(report))
}

/// The stage's line of traces that were checked against a specification.
pub(crate) fn print_conform(report: &Report, traces: usize, spec: &Spec, clock: Clock) {
    let (tally, traces) = (Tally::of(report), count(traces, "trace", "traces"));
    let (outcome, what) = match tally {
        Tally { rejected: 0, unknown: 0 } => ("conforms", traces),
        Tally { rejected: 0, unknown } => ("unknown", format!("{unknown} of {traces}")),
        Tally { rejected, .. } => ("rejected", format!("{rejected} of {traces}")),
    };
    let particulars = format!(
        "{what} against {}, {}, {} {:.1} s",
        spec.name,
        engines::name(&report.version),
        count(report.runs as usize, "run,", "runs,"),
        clock.elapsed().as_secs_f64()
    );
    output::stage("conform", outcome, &particulars);
}

/// Says, of traces that do not conform, that the specification may know nothing of their faults;
/// gives how many lines it took.
pub(crate) fn print_foreign_faults(chosen: &Chosen<'_>) -> usize {
    if chosen.setup.faults.is_empty() {
        return 0;
    }
    let what = format!(
        "the faults are not the game's own ({}): the specification may know nothing of them",
        chosen.faults()
    );
    output::labelled("", &what);
    1
}

/// A game's specification, with what the traces are in it; `None` where it has none.
pub(crate) fn told(
    chosen: &Chosen<'_>,
    traces: &[Named],
) -> Result<Option<(Spec, Vec<SpecTrace>)>, Failure> {
    let Some(spec) = chosen.game.spec(&chosen.setup) else { return Ok(None) };
    let mut told = Vec::new();
    for Named { name, trace } in traces {
        told.push(conform::spec_trace(name, trace).or_exit(Exit::Input)?);
    }
    Ok(Some((spec, told)))
}

/// How many traces do not conform, and of how many it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rejected: usize,
    pub(crate) unknown: usize,
}

impl Tally {
    pub(crate) fn of(report: &Report) -> Self {
        let mut tally = Self { rejected: 0, unknown: 0 };
        for verdict in &report.verdicts {
            match verdict {
                TraceVerdict::Conforms => {}
                TraceVerdict::Rejected(_) => tally.rejected += 1,
                TraceVerdict::Undetermined { .. } => tally.unknown += 1,
            }
        }
        tally
    }

    pub(crate) fn conforms(self) -> bool {
        self == Self { rejected: 0, unknown: 0 }
    }

    /// Prints the verdict; what is not known is neither passed nor violated.
    pub(crate) fn print_verdict(self) -> Exit {
        let (word, what, exit) = match self {
            Self { rejected: 0, unknown: 0 } => {
                ("PASS", "every trace conforms".to_owned(), Exit::Holds)
            }
            Self { rejected: 0, unknown } => {
                let what = count(unknown, "trace is not decided", "traces are not decided");
                ("BOUNDED", what, Exit::Bounded)
            }
            Self { rejected, .. } => {
                let what = count(rejected, "trace does not conform", "traces do not conform");
                ("FAIL", what, Exit::Violated)
            }
        };
        output::verdict(word, &what, exit);
        exit
    }
}

/// Replays traces on real processes up to the first difference, and prints the stage's line.
pub(crate) fn replay(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    traces: &[Named],
    args: &ProcessArgs,
    run: &mut RunDirectory,
) -> Result<Option<(usize, Outcome)>, Failure> {
    let program = chosen.node_program(&["--steered"])?;
    let mut steps = 0;
    for (index, Named { trace, .. }) in traces.iter().enumerate() {
        let directory = run.part(&format!("replay-{}", index + 1)).or_exit(Exit::ToolChain)?;
        let options = ReplayOptions {
            program: program.clone(),
            base_port: args.base_port,
            step_limit: Duration::from_secs(args.step_seconds),
            directory: &directory,
        };
        let outcome = cadre::replay::replay(trace, &options, &context.stop);
        let outcome = outcome.or_exit(Exit::ToolChain).inspect_err(|_| {
            run.keep();
        })?;
        match outcome {
            Outcome::Agrees { steps: compared } => steps += compared,
            Outcome::Differs { step, ref node, .. } => {
                let particulars = format!("{node} does not do what the model does at step {step}");
                output::stage("replay", "differs", &particulars);
                return Ok(Some((index, outcome)));
            }
        }
    }
    let processes = traces.first().map_or(0, |named| named.trace.header.nodes.len());
    let particulars = format!(
        "{}, {} on {}",
        count(traces.len(), "schedule", "schedules"),
        count(steps, "step", "steps"),
        count(processes, "real process", "real processes")
    );
    output::stage("replay", "agrees", &particulars);
    Ok(None)
}

/// The longest that a free run of real processes may take.
const FREE_RUN_MAX: Duration = Duration::from_secs(10);

/// Lets real processes go their own way, gives what they reported, and prints the stage's line.
pub(crate) fn record(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    runs: u64,
    run: &mut RunDirectory,
) -> Result<Vec<Trace>, Failure> {
    let program = chosen.node_program(&[])?;
    let start = chosen.game.execute(&chosen.setup, &[]).or_exit(Exit::Internal)?.header;
    let clients = chosen.game.clients(&chosen.setup).or_exit(Exit::Internal)?;
    let mut traces: Vec<Trace> = Vec::new();
    let mut cut_off = 0;
    for seed in 1..=runs {
        let directory = run.part(&format!("record-{seed}")).or_exit(Exit::ToolChain)?;
        let options = RecordOptions {
            program: program.clone(),
            seed,
            duration_max: FREE_RUN_MAX,
            quiet: Duration::from_millis(300),
            start_limit: Duration::from_secs(10),
            network: start.network.parse().or_exit(Exit::Internal)?,
            clients: &clients,
            directory: &directory,
        };
        let recording = cadre::replay::record(&start.nodes, &options, &context.stop);
        let recording = recording.or_exit(Exit::ToolChain).inspect_err(|_| {
            run.keep();
        })?;
        cut_off += usize::from(recording.ended == Ended::TimeLimit);
        traces.push(chosen.game.recorded(&chosen.setup, recording).or_exit(Exit::Internal)?);
    }
    let steps: usize = traces.iter().map(|trace| trace.steps.len()).sum();
    let particulars = format!("{runs} free runs of real processes, {steps} steps");
    match cut_off {
        0 => output::stage("record", "done", &particulars),
        cut_off => {
            let limit = FREE_RUN_MAX.as_secs();
            let particulars = format!("{particulars}, {cut_off} cut off after {limit} s");
            output::stage("record", "bounded", &particulars);
        }
    }
    Ok(traces)
}

/// Prints a violation in full, and saves its trace; the verdict's line is left to the verb.
pub(crate) fn print_violation(
    context: &Context<'_>,
    trace: &Trace,
    how: &str,
    lines_taken: usize,
) -> Result<PathBuf, Failure> {
    let saved = context.save(trace)?;
    print_saved_violation(context, trace, &saved, how, lines_taken);
    Ok(saved)
}

/// Prints a violation in full, saves its trace and writes a report into the run directory; the
/// verdict's line is left to the verb.
pub(crate) fn report_violation(
    context: &Context<'_>,
    run: &mut RunDirectory,
    trace: &Trace,
    how: &str,
    lines_taken: usize,
) -> Result<(), Failure> {
    let files = Files { saved: &context.save(trace)?, report: Some(&write_report(run, trace)?) };
    print_block(context, trace, &files, how, lines_taken);
    Ok(())
}

/// Writes a report about a trace into a run directory, which is kept; gives its path to print.
pub(crate) fn write_report(run: &mut RunDirectory, trace: &Trace) -> Result<PathBuf, Failure> {
    let report = commands::show::report(trace.clone(), cadre::view::STEPS_MAX);
    let path = run.keep().join("report.html");
    std::fs::write(&path, report)
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
        .or_exit(Exit::ToolChain)?;
    Ok(path)
}

/// Prints a violation in full whose trace is in a file.
pub(crate) fn print_saved_violation(
    context: &Context<'_>,
    trace: &Trace,
    saved: &Path,
    how: &str,
    lines_taken: usize,
) {
    print_block(context, trace, &Files { saved, report: None }, how, lines_taken);
}

/// Where what is known of a violation is.
struct Files<'a> {
    saved: &'a Path,
    report: Option<&'a Path>,
}

fn print_block(
    context: &Context<'_>,
    trace: &Trace,
    files: &Files<'_>,
    how: &str,
    lines_taken: usize,
) {
    let steps = count(trace.steps.len(), "step", "steps");
    let notes = FailureNotes {
        saved: Some(files.saved.display().to_string()),
        replay: Some(context.command("replay", files.saved)),
        report: files.report.map(|report| report.display().to_string()),
        how: match trace.header.loop_from {
            // What comes before the cycle is as short as can be, the cycle is only short.
            Some(stem) => format!("{how} way into a cycle, {stem} of {steps}"),
            None => format!("{how}, {steps}"),
        },
        lines_max: Some(LINES_MAX.saturating_sub(lines_taken)),
    };
    output::line("");
    output::line(&cadre::view::failure(trace, &notes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_neither_passed_nor_violated() {
        let exit = |rejected, unknown| Tally { rejected, unknown }.print_verdict();
        assert_eq!(exit(0, 0), Exit::Holds);
        assert_eq!(exit(0, 1), Exit::Bounded);
        assert_eq!(exit(1, 1), Exit::Violated);
        assert!(!Tally { rejected: 0, unknown: 1 }.conforms());
    }
}
