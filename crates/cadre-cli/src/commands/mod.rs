mod check;
mod conform;
mod doctor;
mod explore;
mod fuzz;
mod graph;
mod history;
mod lineage;
mod list;
mod minimise;
mod replay;
mod run;
mod show;
mod simulate;
mod spec;
mod step;

use std::path::Path;

use cadre::trace::Trace;

use crate::args::Verb;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};

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
        Verb::Conform { traces, dry_run, graph } => match (graph.graph.clone(), dry_run) {
            (Some(game), _) => graph::run(context, game, &graph),
            (None, true) => conform::print_command(context, &traces),
            (None, false) => conform::run(context, &traces),
        },
        Verb::Replay { trace, against, bug, process } => {
            replay::run(context, &trace, &replay::Replaying { against, bug, process })
        }
        Verb::Show { trace, width } => show::run(&trace, width),
        Verb::History { file, object, consistency, steps } => {
            let budget = cadre::model::consistency::Budget { steps_max: steps };
            history::run(&file, &history::Question { object, consistency, budget })
        }
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
