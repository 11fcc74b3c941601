mod check;
mod conform;
mod distributed;
mod doctor;
mod drive;
mod explore;
mod export;
mod fuzz;
mod graph;
mod history;
mod init;
mod lineage;
mod list;
mod logs;
mod minimise;
mod replay;
mod run;
mod scaffold;
pub(crate) mod show;
mod simulate;
mod spec;
mod step;

pub(crate) use conform::no_spec;

use std::path::Path;

use cadre::trace::Trace;

use crate::args::Verb;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;

/// Runs one verb.
pub(crate) fn run(context: &mut Context<'_>, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list::run(context),
        Verb::Check { game, search, traces, seed } => {
            check::run(context, &game, &search, &check::Sampling { traces, seed })
        }
        Verb::Explore { game, search, sharing, coverage, symmetry, step } => match step {
            true => step::run(context, &game),
            false if coverage => explore::cover(context, &game, &search),
            false if symmetry => explore::orbits(context, &game, &search),
            false => explore::run(context, &game, &search, &sharing),
        },
        Verb::Fuzz { game, cases, steps, seed, weight, steady, check_determinism } => {
            let search = fuzz::Search { cases, steps, seed, weight, steady };
            match check_determinism {
                true => fuzz::run_twice(context, &game, &search),
                false => fuzz::run(context, &game, &search),
            }
        }
        Verb::Simulate(args) => simulate::run(context, &args),
        Verb::Lineage(args) => lineage::run(context, &args),
        Verb::Minimise { trace, attempts } => minimise::run(context, &trace, attempts),
        Verb::Conform { dry_run, log, .. } if !log.log.is_empty() => {
            logs::run(context, &log, dry_run)
        }
        Verb::Conform { traces, dry_run, graph, .. } => match (graph.graph.clone(), dry_run) {
            (Some(game), false) => graph::run(context, &game, &graph),
            (Some(game), true) => graph::print_command(context, &game, &graph),
            (None, true) => conform::print_command(context, &traces),
            (None, false) => conform::run(context, &traces),
        },
        Verb::Replay { trace, against, bug, process } => {
            replay::run(context, &trace, &replay::Replaying { against, bug, process })
        }
        Verb::Show { trace, width, picture } => match show::Picture::of(&picture) {
            Some(kind) => show::write(&trace, kind, &picture),
            None => show::run(&trace, width),
        },
        Verb::Export { trace, format, output } => export::run(&trace, format, &output),
        Verb::History { file, object, consistency, steps } => {
            let budget = cadre::model::consistency::Budget { steps_max: steps };
            history::run(&file, &history::Question { object, consistency, budget })
        }
        Verb::Spec(args) => spec::run(context, &args),
        Verb::Init { directory, cadre_path } => init::run(&directory, &cadre_path),
        Verb::Doctor => Ok(doctor::run(context)),
        Verb::Run(args) => run::run(context, args),
    }
}

/// Writes a text into a file and says so; `-` is standard output, on which nothing else is said.
fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    if path == Path::new("-") {
        output::text(text);
        return Ok(());
    }
    std::fs::write(path, text)
        .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
        .or_exit(Exit::ToolChain)?;
    output::labelled("written", &path.display().to_string());
    Ok(())
}

/// Reads a trace from a file.
fn read_trace(path: &Path) -> Result<Trace, Failure> {
    let at = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read the trace {at}: {error}"))
        .or_exit(Exit::Input)?;
    Trace::from_ndjson(&text).map_err(|error| anyhow::anyhow!("{at}: {error}")).or_exit(Exit::Input)
}
