mod check;
mod conform;
mod doctor;
mod explore;
mod fuzz;
mod list;
mod replay;
mod run;
mod show;
mod spec;

use std::path::Path;

use cadre::trace::Trace;

use crate::args::Verb;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};

/// Runs one verb.
pub(crate) fn run(context: &mut Context<'_>, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list::run(context),
        Verb::Check { game, bounds, traces, seed } => {
            check::run(context, &game, &bounds, &check::Sampling { traces, seed })
        }
        Verb::Explore { game, bounds, sharing } => explore::run(context, &game, &bounds, &sharing),
        Verb::Fuzz { game, cases, steps, seed } => {
            let options = cadre::proptest::FuzzOptions { cases, steps_max: steps, seed };
            fuzz::run(context, &game, &options)
        }
        Verb::Conform { traces, dry_run } => match dry_run {
            true => conform::print_command(context, &traces),
            false => conform::run(context, &traces),
        },
        Verb::Replay { trace, against, bug, process } => {
            replay::run(context, &trace, &replay::Replaying { against, bug, process })
        }
        Verb::Show { trace, width } => show::run(&trace, width),
        Verb::Spec { game, workers, dry_run } => match dry_run {
            true => spec::print_command(context, &game, workers),
            false => spec::run(context, &game, workers),
        },
        Verb::Doctor => Ok(doctor::run(context)),
        Verb::Run(args) => run::run(context, args),
    }
}

/// Reads a trace from a file.
fn read_trace(path: &Path) -> Result<Trace, Failure> {
    let at = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read the trace {at}: {error}"))
        .or_exit(Exit::Input)?;
    Trace::from_ndjson(&text).map_err(|error| anyhow::anyhow!("{at}: {error}")).or_exit(Exit::Input)
}
