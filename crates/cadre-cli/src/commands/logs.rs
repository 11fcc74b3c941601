use std::collections::BTreeSet;
use std::path::Path;

use cadre::conform::{
    self, LogFile, LogMapping, LogTrace, Options, Reason, Rejection, Report, Spec, SpecAction,
    SpecTrace, TraceVerdict, Walk,
};
use cadre::tla::Engine;

use crate::args::LogArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform};
use crate::rejected::{print_explanation, within};
use crate::run_directory::RunDirectory;
use crate::stages::{Tally, print_conform};
use crate::watch::{Clock, count};
use crate::{output, specification};

/// How many rejected traces are told of.
const REJECTIONS_MAX: usize = 16;

/// `conform --log`: has TLC check logs that somebody else's program has written.
pub(crate) fn run(
    context: &mut Context<'_>,
    args: &LogArgs,
    is_dry_run: bool,
) -> Result<Exit, Failure> {
    let mapping = args.mapping.as_deref().map(mapping).transpose()?.unwrap_or_default();
    let files = args.log.iter().map(|path| log_file(path)).collect::<Result<Vec<_>, _>>()?;
    let mut traces = conform::read_logs(&mapping, &files).or_exit(Exit::Input)?;
    let origin = specification::origin(args, &mapping)?;
    let engine = context.engine()?;
    let mut run = context.run_directory("conform")?;
    let found = specification::find(context, origin, &mapping, &mut run);
    let spec = found.inspect_err(|_| {
        run.keep();
    })?;
    let walk = if mapping.event.is_some() { Walk::Events } else { Walk::States };
    let options = Options { walk, ..Options::default() };
    if is_dry_run {
        // The command is worth nothing without the modules it names.
        run.keep();
        let told: Vec<SpecTrace> = traces.iter().map(|trace| trace.spec.clone()).collect();
        let command = conform::plan(&spec, &told, &*engine, run.path(), &options);
        output::line(&command.map_err(of_conform)?);
        return Ok(Exit::Holds);
    }
    let logs = count(files.len(), "log", "logs");
    output::line(&format!("conforming {logs} with the specification {}", spec.name));
    print_read(&traces, files.len(), &mapping);
    let report = check(context, &spec, (&mapping, &mut traces), &options, &*engine, &mut run)?;
    let tally = Tally::of(&report);
    if !tally.conforms() {
        print_rejections(&report, &traces, walk);
        output::labelled("logs", &run.keep().display().to_string());
    }
    Ok(tally.print_verdict())
}

/// Reads a mapping, which is JSON if its name says so and TOML otherwise.
fn mapping(path: &Path) -> Result<LogMapping, Failure> {
    let text = read(path, "mapping")?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let mapping = match is_json {
        true => serde_json::from_str(&text).map_err(anyhow::Error::from),
        false => toml::from_str(&text).map_err(anyhow::Error::from),
    };
    mapping
        .map_err(|error| {
            let error = error.to_string();
            anyhow::anyhow!("cannot read the mapping {}: {}", path.display(), error.trim_end())
        })
        .or_exit(Exit::Input)
}

fn log_file(path: &Path) -> Result<LogFile, Failure> {
    Ok(LogFile { name: path.display().to_string(), text: read(path, "log")? })
}

fn read(path: &Path, what: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read the {what} {}: {error}", path.display()))
        .or_exit(Exit::Input)
}

/// The line that says what the logs hold.
fn print_read(traces: &[LogTrace], files: usize, mapping: &LogMapping) {
    let steps: usize = traces.iter().map(|trace| trace.lines.len()).sum();
    let nodes: BTreeSet<&str> =
        traces.iter().flat_map(|trace| &trace.lines).map(|line| line.node.as_str()).collect();
    let clocks = mapping.event.as_ref().is_some_and(|event| event.clock.is_some());
    let particulars = format!(
        "{} of {} in {}, {}{}",
        count(steps, "step", "steps"),
        count(nodes.len(), "node", "nodes"),
        count(files, "file", "files"),
        count(traces.len(), "trace", "traces"),
        if clocks { ", merged by their clocks" } else { "" }
    );
    output::stage("log", "read", &particulars);
}

/// Has TLC check the traces, and prints the stage's line.
fn check(
    context: &Context<'_>,
    spec: &Spec,
    (mapping, traces): (&LogMapping, &mut [LogTrace]),
    options: &Options,
    engine: &dyn Engine,
    run: &mut RunDirectory,
) -> Result<Report, Failure> {
    let directory = run.part("conform").or_exit(Exit::ToolChain)?;
    let clock = Clock::start();
    let stop = &context.stop;
    let checked = conform::check_logs(spec, mapping, traces, engine, &directory, options, stop);
    let report = checked.map_err(of_conform).inspect_err(|_| {
        run.keep();
    })?;
    print_conform(&report, traces.len(), spec, clock);
    Ok(report)
}

/// Says of each trace that does not conform which line is no step, and what would be one.
fn print_rejections(report: &Report, traces: &[LogTrace], walk: Walk) {
    let bad = |verdict: &&TraceVerdict| **verdict != TraceVerdict::Conforms;
    for (trace, verdict) in
        traces.iter().zip(&report.verdicts).filter(|(_, v)| bad(v)).take(REJECTIONS_MAX)
    {
        output::line("");
        match verdict {
            TraceVerdict::Conforms => {}
            TraceVerdict::Undetermined { step, why } => {
                output::labelled("unknown", &place(trace, *step));
                output::labelled("", why);
            }
            TraceVerdict::Rejected(rejection) => print_rejection(trace, rejection, walk),
        }
    }
    let more = report.verdicts.iter().filter(bad).count().saturating_sub(REJECTIONS_MAX);
    if more > 0 {
        output::labelled("", &format!("and {more} more"));
    }
}

/// Where a step stands in the logs.
fn place(trace: &LogTrace, step: usize) -> String {
    match step.checked_sub(1).and_then(|index| trace.lines.get(index)) {
        Some(line) => format!(
            "{}: {} of {}, step {step} of {}",
            line.at, line.event, line.node, trace.spec.name
        ),
        None => format!("the state before the first step of {}", trace.spec.name),
    }
}

fn print_rejection(trace: &LogTrace, rejection: &Rejection, walk: Walk) {
    output::labelled("rejected", &place(trace, rejection.step));
    let step = rejection.step.checked_sub(1).map(|index| &trace.spec.steps[index]);
    let whole = step.map_or("the beginning".to_owned(), |step| step.action.to_string());
    let action = match &rejection.part {
        None => whole,
        Some(part) => format!("{}{}", part.action, within(rejection, &whole)),
    };
    match &rejection.reason {
        Reason::NotEnabled => {
            output::labelled("", &format!("the specification does not allow {action} here"));
        }
        Reason::UnknownAction => {
            output::labelled("", &format!("the specification has no action {action}"));
        }
        Reason::WrongArguments => {
            let why = format!("{action} has an argument that the specification does not have");
            output::labelled("", &why);
        }
        Reason::WrongState { differs } | Reason::WrongInitial { differs } => {
            let after = match step.map(|step| &step.action) {
                None => "at the beginning".to_owned(),
                Some(SpecAction::Stutter) => "where nothing changes".to_owned(),
                Some(_) if walk == Walk::States => {
                    "no step leads there; after the one that comes nearest".to_owned()
                }
                Some(SpecAction::Step { .. } | SpecAction::Sequence(_) | SpecAction::OneOf(_)) => {
                    format!("after {action}")
                }
            };
            for conform::Difference { variable, logged, spec } in differs {
                let text = format!(
                    "{after}, {variable} is {spec} in the specification and {logged} in the log"
                );
                output::labelled("", &text);
            }
        }
        Reason::InvariantViolated { name } => {
            let why =
                format!("after {action} the specification's own invariant {name} is violated");
            output::labelled("", &why);
        }
    }
    print_explanation(rejection);
}
