use std::path::Path;

use cadre::replay::Outcome;
use cadre::trace::{Trace, Verdict};

use crate::args::{Against, ProcessArgs};
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::stages::Named;
use crate::watch::count;
use crate::{commands, output, stages};

/// How a trace is executed again.
pub(crate) struct Replaying {
    pub(crate) against: Against,
    pub(crate) bug: Option<String>,
    pub(crate) process: ProcessArgs,
}

/// `replay`: executes a trace again, by the step function and on real processes.
pub(crate) fn run(
    context: &Context<'_>,
    path: &Path,
    replaying: &Replaying,
) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    if let Some(game) = context.suite.find_rounds(&trace.header.protocol) {
        return commands::lineage::replay(game, &trace, path);
    }
    let chosen = Chosen::of_trace(context, &trace, replaying.bug.as_deref())?;
    output::line(&format!("replaying {}", path.display()));
    let mut replayed = trace;
    if replaying.against != Against::Processes {
        match by_step_function(&chosen, &replayed)? {
            Some(again) => replayed = again,
            None => {
                output::verdict("FAIL", "the step function does something else", Exit::Violated);
                return Ok(Exit::Violated);
            }
        }
    }
    if replaying.against != Against::Model {
        let named = [Named { name: path.display().to_string(), trace: replayed.clone() }];
        let mut run = context.run_directory("replay")?;
        let process = &replaying.process;
        if let Some((_, outcome)) = stages::replay(context, &chosen, &named, process, &mut run)? {
            print_difference(&outcome);
            output::labelled("logs", &run.keep().display().to_string());
            output::verdict("FAIL", "the real processes do something else", Exit::Violated);
            return Ok(Exit::Violated);
        }
    }
    Ok(conclude(&replayed))
}

/// Prints at which step of which node a real process differs from the model, and in what.
pub(crate) fn print_difference(outcome: &Outcome) {
    if let Outcome::Differs { step, action, node, differences, .. } = outcome {
        let text = cadre::view::difference(*step, action.as_deref(), node, differences);
        output::line(&format!("\n{text}"));
        output::line("");
    }
}

/// The trace as the step function makes it now; `None`, with the difference printed, where it is
/// not the one that is replayed.
fn by_step_function(chosen: &Chosen<'_>, trace: &Trace) -> Result<Option<Trace>, Failure> {
    let again = chosen.game.reexecute(trace);
    let again = match again {
        Ok(again) => again,
        Err(cadre::GameError::Unresolved(unresolved)) => {
            output::stage("model", "differs", &unresolved.to_string());
            return Ok(None);
        }
        Err(error) => return Err(error).or_exit(Exit::Input),
    };
    match again.difference {
        None => {
            let steps = count(trace.steps.len(), "step", "steps");
            let repeats = again.trace.header.loop_from.map(|from| from + 1);
            let repeats = repeats.map(|first| format!(", and so on for ever from step {first}"));
            let repeats = repeats.unwrap_or_default();
            output::stage("model", "agrees", &format!("{steps} by the step function{repeats}"));
            Ok(Some(again.trace))
        }
        Some((step, differences)) => {
            output::stage("model", "differs", &format!("at step {step}"));
            differences.iter().for_each(|difference| output::labelled("", &difference.to_string()));
            Ok(None)
        }
    }
}

fn conclude(replayed: &Trace) -> Exit {
    match (&replayed.header.guarantee, replayed.header.verdict) {
        (Some(guarantee), Verdict::Violated) => {
            let finding = guarantee.finding.as_deref();
            let finding = finding.map_or(String::new(), |finding| format!(": {finding}"));
            let what = format!("violated again, {}{finding}", guarantee.name);
            output::verdict("FAIL", &what, Exit::Violated);
            Exit::Violated
        }
        (_, Verdict::Holds | Verdict::Bounded | Verdict::Violated) => {
            output::verdict("PASS", "every step is as recorded", Exit::Holds);
            Exit::Holds
        }
    }
}
