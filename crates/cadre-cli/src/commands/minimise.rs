use std::path::Path;

use cadre::proptest::MinimiseOptions;
use cadre::trace_name;

use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::watch::{count, grouped};
use crate::{commands, output, stages};

/// `minimise`: makes a counterexample shorter, and writes it next to the one it comes from.
pub(crate) fn run(context: &Context<'_>, path: &Path, attempts: u64) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    let chosen = Chosen::of_trace(context, &trace, None)?;
    output::line(&format!("minimising {}", path.display()));
    let options = MinimiseOptions { attempts_max: attempts };
    let shortened = chosen.game.minimise(&trace, &options);
    let shortened = shortened
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
        .or_exit(Exit::Input)?;
    let (before, after) = (shortened.steps_before, shortened.trace.steps.len());
    let tried = format!("{} executions tried", grouped(shortened.attempts));
    let (outcome, how) = match shortened.is_minimal {
        true => ("minimal", "none of them can be spared".to_owned()),
        false => ("bounded", format!("not minimal: stopped after {attempts} executions")),
    };
    let steps = format!("{before} → {}", count(after, "step", "steps"));
    output::stage("minimise", outcome, &format!("{steps}, {how}, {tried}"));
    let name = trace_name(&shortened.trace);
    let saved = path.with_file_name(name);
    if after < before {
        std::fs::write(&saved, shortened.trace.to_ndjson())
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", saved.display()))
            .or_exit(Exit::ToolChain)?;
    }
    let saved = if after < before { saved.as_path() } else { path };
    let how = match shortened.is_minimal {
        true => format!("minimal, {before} before"),
        false => format!("not minimal, {before} before"),
    };
    // The title, the stage's line, a blank and the verdict.
    stages::print_saved_violation(context, &shortened.trace, saved, &how, 4);
    let guarantee = shortened.trace.header.guarantee.as_ref();
    let name = guarantee.map_or("", |guarantee| &guarantee.name);
    output::verdict("FAIL", name, Exit::Violated);
    Ok(Exit::Violated)
}
