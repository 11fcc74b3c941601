use std::path::PathBuf;

use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::stages::{Named, Tally};
use crate::{commands, output, stages};

/// How many rejected traces are told of.
const REJECTIONS_MAX: usize = 16;

/// `conform`: has TLC check traces against the specification, all in one run.
pub(crate) fn run(context: &mut Context<'_>, paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (chosen, traces) = read(context, paths)?;
    let mut run = context.run_directory("conform")?;
    let Some(report) = stages::conform(context, &chosen, &traces, &mut run)? else {
        return Err(no_spec(&chosen));
    };
    let tally = Tally::of(&report);
    if !tally.conforms() {
        stages::print_rejections(&report, &traces, REJECTIONS_MAX);
        output::labelled("logs", &run.keep().display().to_string());
    }
    Ok(tally.print_verdict())
}

/// `conform --dry-run`: the java command alone.
pub(crate) fn print_command(context: &mut Context<'_>, paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (chosen, traces) = read(context, paths)?;
    let (spec, told) = stages::told(&chosen, &traces)?.ok_or_else(|| no_spec(&chosen))?;
    let tlc = context.tlc()?;
    let mut run = context.run_directory("conform")?;
    let options = cadre::conform::Options::default();
    let command = cadre::conform::plan(&spec, &told, &tlc, run.path(), &options);
    // The command is worth nothing without the modules it names.
    run.keep();
    output::line(&command.or_exit(Exit::ToolChain)?);
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
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        traces.push(Named { name, trace: commands::read_trace(path)? });
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
