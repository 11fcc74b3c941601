use std::path::{Path, PathBuf};

use cadre::conform::Rejection;

use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform};
use crate::stages::{Named, Tally};
use crate::{commands, output, rejected, stages};

/// How many rejected traces are told of.
const REJECTIONS_MAX: usize = 5;

/// `conform`: has TLC check traces against the specification, all in one run.
pub(crate) fn run(context: &mut Context<'_>, paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (chosen, traces) = read(context, paths)?;
    let mut run = context.run_directory("conform")?;
    let Some(report) = stages::conform(context, &chosen, &traces, &mut run)? else {
        return Err(no_spec(&chosen));
    };
    let tally = Tally::of(&report);
    if !tally.conforms() {
        // The stage's line, the logs and the verdict.
        let mut lines = 3 + rejected::print_rejections(&report, &traces, REJECTIONS_MAX);
        lines += stages::print_foreign_faults(&chosen);
        if let Some(first) = rejected::first_rejection(&report, &traces) {
            print_first(context, &chosen, paths, first, lines);
        }
        output::labelled("logs", &run.keep().display().to_string());
    }
    Ok(tally.print_verdict())
}

/// Explains and draws the first trace that is rejected, up to the step that is no step.
fn print_first(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    paths: &[PathBuf],
    (named, rejection): (&Named, &Rejection),
    lines_taken: usize,
) {
    let lines = lines_taken + rejected::print_explanation(rejection);
    let spec = chosen.game.spec(&chosen.setup).map_or(String::new(), |spec| spec.name);
    let what = format!("{} is a behaviour of {spec}", named.name);
    let drawn = rejected::drawn(&named.trace, rejection.step, &what);
    let path = paths.iter().find(|path| name_of(path) == named.name);
    if let (Some(path), true) = (path, rejection.step > 0) {
        stages::print_saved_violation(context, &drawn, path, "up to there", lines);
    }
}

/// The name of a trace in reports.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// `conform --dry-run`: the java command alone.
pub(crate) fn print_command(context: &mut Context<'_>, paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (chosen, traces) = read(context, paths)?;
    let (spec, told) = stages::told(&chosen, &traces)?.ok_or_else(|| no_spec(&chosen))?;
    let engine = context.engine()?;
    let mut run = context.run_directory("conform")?;
    let options = cadre::conform::Options::default();
    let command = cadre::conform::plan(&spec, &told, &*engine, run.path(), &options);
    // The command is worth nothing without the modules it names.
    run.keep();
    output::line(&command.map_err(of_conform)?);
    Ok(Exit::Holds)
}

pub(crate) fn no_spec(chosen: &Chosen<'_>) -> Failure {
    let error = anyhow::anyhow!("{} maps to no specification", chosen.game.name());
    Failure { exit: Exit::Usage, error }
}

/// The traces, which must be of one game with one setup.
fn read<'a>(context: &Context<'a>, paths: &[PathBuf]) -> Result<(Chosen<'a>, Vec<Named>), Failure> {
    let mut traces = Vec::new();
    for path in paths {
        traces.push(Named { name: name_of(path), trace: commands::read_trace(path)? });
    }
    let first = &traces.first().expect("the command line demands a trace").trace;
    let chosen = Chosen::of_trace(context, first, None)?;
    for Named { name, trace } in &traces {
        let size = chosen.game.setup_of(trace).or_exit(Exit::Input)?.size;
        if trace.header.protocol != chosen.game.name() || size != chosen.setup.size {
            let title = chosen.title();
            return Err(anyhow::anyhow!("expected traces of {title}, found another in {name}"))
                .or_exit(Exit::Usage);
        }
    }
    Ok((chosen, traces))
}
