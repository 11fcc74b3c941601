use std::sync::Arc;

use cadre::conform::{ModelOptions, SpecModel, check_model, plan_model};
use cadre::tla::{Engine, Outcome, Verdict};

use crate::args::GameArgs;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::run_directory::RunDirectory;
use crate::watch::grouped;
use crate::{engines, output};

/// `spec`: checks the TLA+ specification of a game itself, by TLC.
pub(crate) fn run(
    context: &mut Context<'_>,
    game: &GameArgs,
    workers: u32,
) -> Result<Exit, Failure> {
    let Prepared { title, model, engine, mut run, options } = prepare(context, game, workers)?;
    output::line(&format!("checking the specification of {title}"));
    let outcome = check_model(&model, &*engine, run.path(), &options, &context.stop);
    let outcome = outcome.or_exit(Exit::ToolChain).inspect_err(|_| {
        run.keep();
    })?;
    let depth = outcome.depth.map_or("depth unknown".to_owned(), |depth| format!("depth {depth}"));
    let particulars = format!(
        "{} distinct states, {} generated, {depth}, {}, {:.1} s",
        grouped(outcome.distinct),
        grouped(outcome.generated),
        engines::name(&outcome.version),
        outcome.elapsed.as_secs_f64()
    );
    let Some(violated) = violated(&outcome.verdict) else {
        output::stage("spec", "holds", &particulars);
        output::verdict("PASS", &format!("{} hold", model.invariants.join(", ")), Exit::Holds);
        return Ok(Exit::Holds);
    };
    output::stage("spec", "violated", &particulars);
    print_behaviour(&outcome);
    output::labelled("logs", &run.keep().display().to_string());
    output::verdict("FAIL", &violated, Exit::Violated);
    Ok(Exit::Violated)
}

/// `spec --dry-run`: the java command alone.
pub(crate) fn print_command(
    context: &mut Context<'_>,
    game: &GameArgs,
    workers: u32,
) -> Result<Exit, Failure> {
    let Prepared { model, engine, mut run, options, .. } = prepare(context, game, workers)?;
    let command = plan_model(&model, &*engine, run.path(), &options).or_exit(Exit::ToolChain)?;
    // The command is worth nothing without the modules it names.
    run.keep();
    output::line(&command);
    Ok(Exit::Holds)
}

/// What a run of TLC on a specification needs.
struct Prepared {
    title: String,
    model: SpecModel,
    engine: Arc<dyn Engine>,
    run: RunDirectory,
    options: ModelOptions,
}

fn prepare(context: &mut Context<'_>, game: &GameArgs, workers: u32) -> Result<Prepared, Failure> {
    if !game.faults.is_empty() {
        let why = "expected no --faults, which the specification says for itself; leave them out";
        return Err(anyhow::anyhow!(why)).or_exit(Exit::Usage);
    }
    let chosen = Chosen::new(context, game)?;
    Ok(Prepared {
        title: chosen.title(),
        model: model(&chosen)?,
        engine: context.engine()?,
        run: context.run_directory("spec")?,
        options: ModelOptions { workers, ..ModelOptions::default() },
    })
}

/// The specification of a game, to be explored by TLC.
pub(super) fn model(chosen: &Chosen<'_>) -> Result<SpecModel, Failure> {
    let spec = chosen.game.spec(&chosen.setup);
    let spec = spec
        .ok_or_else(|| anyhow::anyhow!("{} maps to no specification", chosen.game.name()))
        .or_exit(Exit::Usage)?;
    Ok(SpecModel {
        module: format!("MC{}", spec.name),
        files: spec.files,
        constants: spec.constants,
        specification: "Spec".to_owned(),
        invariants: spec.invariants,
        properties: Vec::new(),
        deadlock: false,
    })
}

/// What is wrong, in a clause.
pub(super) fn violated(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::NoError => None,
        Verdict::InvariantViolated { name } => Some(format!("the invariant {name} is violated")),
        Verdict::PropertyViolated { name } => {
            Some(format!("the property {} is violated", name.as_deref().unwrap_or("of the model")))
        }
        Verdict::Deadlock => Some("a state has no successor".to_owned()),
        Verdict::AssumptionFailed { assumption } => Some(format!("{assumption} is false")),
    }
}

/// The behaviour that violates something: each action with the variables that it changes.
fn print_behaviour(outcome: &Outcome) {
    for (index, state) in outcome.behaviour.iter().enumerate() {
        output::line(&format!("{:>3}  {}", index + 1, state.action));
        let before = index.checked_sub(1).map(|before| &outcome.behaviour[before].variables);
        for (name, value) in &state.variables {
            if before.is_none_or(|before| before.get(name) != Some(value)) {
                output::line(&format!("       {name} = {value}"));
            }
        }
    }
}
