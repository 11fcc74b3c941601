use std::collections::BTreeSet;
use std::path::Path;

use cadre_process::Stop;
use cadre_tla::{Distributed, Engine, Explored, Module, Run, SpecState, Verdict};

use crate::encode::{constants, text};
use crate::model::{no_initial_state, prepare};
use crate::runs::write_files;
use crate::{ConformError, ModelOptions, SpecModel};

/// What TLC on several processes found.
#[derive(Clone, Debug)]
pub struct DistributedOutcome {
    /// What is violated, if anything is.
    pub verdict: Verdict,
    /// The counts, and the last states before and at the violation, which are all that TLC tells.
    pub explored: Explored,
}

/// Explores a specification with TLC on several processes: counts, and what is violated.
///
/// TLC does not say what it is, an error of the specification included; TLC on this host finds it
/// out in the last state. It also looks at the assumptions, over which TLC passes in silence here.
///
/// # Errors
///
/// [`ConformError::NotDistributed`] if there are temporal properties, otherwise as those of
/// [`check_model`](crate::check_model).
pub fn check_model_distributed(
    model: &SpecModel,
    distributed: &Distributed,
    directory: &Path,
    options: &ModelOptions,
    stop: &Stop,
) -> Result<DistributedOutcome, ConformError> {
    let run = plan(model, directory, options)?;
    let assumed = assumptions(model, &directory.join("assumptions"))?;
    let assumed = distributed.tlc.run(&assumed, stop)?;
    if assumed.verdict != Verdict::NoError {
        return Ok(DistributedOutcome {
            verdict: assumed.verdict.clone(),
            explored: Explored::from(assumed),
        });
    }
    let explored = distributed.explore(&run, stop)?;
    if explored.verdict == Some(Verdict::NoError) && explored.distinct == Some(0) {
        return Err(no_initial_state(model, explored.log));
    }
    let verdict = match (&explored.verdict, explored.last.last()) {
        (Some(verdict), _) => verdict.clone(),
        (None, Some(state)) => {
            let run = alone(model, state, &directory.join("violated"))?;
            let judged = distributed.tlc.run(&run, stop)?;
            match judged.verdict {
                Verdict::NoError => {
                    let expected = "something to be violated in the state that TLC reports";
                    return Err(ConformError::Vacuous { expected, log: explored.log });
                }
                named => named,
            }
        }
        (None, None) => {
            let expected = "a violation to come with a state";
            return Err(ConformError::Vacuous { expected, log: explored.log });
        }
    };
    Ok(DistributedOutcome { verdict, explored })
}

/// Writes what [`check_model_distributed`] runs first, and gives what is to be typed on other
/// hosts: their names, and a command for each process.
///
/// # Errors
///
/// As those of [`check_model_distributed`], as far as TLC is not needed.
pub fn plan_model_distributed(
    model: &SpecModel,
    distributed: &Distributed,
    directory: &Path,
    options: &ModelOptions,
) -> Result<(String, Vec<(String, String)>), ConformError> {
    let run = plan(model, directory, options)?;
    let elsewhere = distributed.elsewhere(&run).into_iter();
    let elsewhere = elsewhere.map(|(host, command)| (host.to_owned(), command)).collect();
    Ok((distributed.command_line(&run), elsewhere))
}

/// The heap of each process in megabytes, if none is asked for: what is free on one host says
/// nothing of the others, and several processes may share one.
const HEAP_MB: u32 = 2048;

fn plan(model: &SpecModel, directory: &Path, options: &ModelOptions) -> Result<Run, ConformError> {
    let options = ModelOptions { heap_mb: options.heap_mb.or(Some(HEAP_MB)), ..options.clone() };
    match model.properties.is_empty() {
        true => prepare(model, directory, &options),
        false => Err(ConformError::NotDistributed { properties: model.properties.join(", ") }),
    }
}

/// The assumptions, without a state.
fn assumptions(model: &SpecModel, directory: &Path) -> Result<Run, ConformError> {
    let module = Module::new("CadreAssumptions").extends([model.module.as_str()]);
    let (module, config) = constants(module, &model.constants, BTreeSet::new())?;
    // TLC refuses what is constant.
    let module = module.definition("CadreNoState", "FALSE /\\ Init");
    write_files(directory, &model.files, &module, &config.init_next("CadreNoState", "Next"))?;
    Ok(Run::new(directory, module.name()))
}

/// One state, what is claimed of it, and the steps from it, which lead nowhere.
fn alone(model: &SpecModel, state: &SpecState, directory: &Path) -> Result<Run, ConformError> {
    let mut models = BTreeSet::new();
    state.variables.values().for_each(|value| value.collect_models(&mut models));
    let module = Module::new("CadreLast").extends([model.module.as_str()]);
    let (mut module, config) = constants(module, &model.constants, models)?;
    let mut is = Vec::new();
    for (name, value) in &state.variables {
        let told = format!("cadreLast_{name}");
        module = module.definition(&told, &text(value)?);
        is.push(format!("{name} = {told}"));
    }
    let module = module
        .definition("CadreInit", &is.join(" /\\ "))
        .definition("CadreNoStep", "FALSE /\\ Next");
    let config = config.init_next("CadreInit", "Next").action_constraint("CadreNoStep");
    let config = model.invariants.iter().fold(config, |config, name| config.invariant(name));
    write_files(directory, &model.files, &module, &config)?;
    let mut run = Run::new(directory, module.name());
    run.deadlock = model.deadlock;
    Ok(run)
}
