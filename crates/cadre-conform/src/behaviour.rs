use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::Stop;
use cadre_tla::{Engine, Module, Run, Simulation, SpecState, Value, Verdict};

use crate::encode::constants;
use crate::runs::write_files;
use crate::{ConformError, Spec, SpecAction, SpecStep, SpecTrace, validate};

/// Random behaviours of a specification, with the actions that it takes.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The behaviours, each of them once, with all variables of every state.
    pub behaviours: Vec<SpecTrace>,
    /// How many were drawn; some may have been the same.
    pub drawn: usize,
    /// What a behaviour violates, with its states.
    pub violated: Option<(Verdict, SpecTrace)>,
    /// How long TLC ran.
    pub elapsed: Duration,
    /// The whole output.
    pub log: PathBuf,
    /// What TLC calls itself.
    pub version: String,
}

/// Has TLC draw random behaviours by the actions that the trace module names, with all their
/// arguments. What changes nothing is no step; the specification's invariants are checked.
///
/// The directory is to be fresh; it gets the modules, the behaviours and the output.
///
/// # Errors
///
/// [`ConformError::BadName`] for names that are none, [`ConformError::Tla`] if TLC or the
/// specification fails.
pub fn simulate(
    spec: &Spec,
    simulation: Simulation,
    engine: &dyn Engine,
    directory: &Path,
    stop: &Stop,
) -> Result<Simulated, ConformError> {
    let run = prepare(spec, directory)?;
    let found = engine.simulate(&run, simulation, stop)?;
    let drawn = found.all.len();
    let mut known = BTreeSet::new();
    let mut behaviours = Vec::new();
    for states in found.all {
        let name = format!("behaviour {}", behaviours.len() + 1);
        let behaviour = behaviour(spec, name, states);
        // An action may lead to several states.
        let steps =
            behaviour.steps.iter().map(|step| (step.action.clone(), step.variables.clone()));
        if known.insert((behaviour.initial.clone(), steps.collect::<Vec<_>>())) {
            behaviours.push(behaviour);
        }
    }
    let violated = found.violated.map(|(verdict, states)| {
        let states = states.into_iter().map(|state| state.variables).collect();
        (verdict, behaviour(spec, "the violation".to_owned(), states))
    });
    let (elapsed, log, version) = (found.elapsed, found.log, found.version);
    Ok(Simulated { behaviours, drawn, violated, elapsed, log, version })
}

/// A counterexample of TLC as a behaviour. Its actions have no arguments, as TLC does not tell
/// them, so that its states alone say what its steps are.
pub fn counterexample(spec: &Spec, states: &[SpecState]) -> SpecTrace {
    let states: Vec<&SpecState> = states.iter().collect();
    let known = |state: &SpecState| known(spec, &state.variables);
    let steps = states.iter().skip(1).map(|state| SpecStep {
        action: SpecAction::named(&state.action),
        variables: Some(known(state)),
    });
    let initial = states.first().map(|state| known(state));
    SpecTrace { name: "the counterexample".to_owned(), initial, steps: steps.collect() }
}

const MODULE: &str = "CadreSimulation";
/// The variable that tells which action led to a state.
const ACTION: &str = "cadreAction";

fn prepare(spec: &Spec, directory: &Path) -> Result<Run, ConformError> {
    validate::spec(spec)?;
    let variables = spec.variables.join(", ");
    let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
    let (module, config) = constants(module, &spec.constants, BTreeSet::new())?;
    let event = "[name |-> cadreName, args |-> cadreArguments]";
    let next = format!(
        "\n  \\E cadreName \\in DOMAIN TraceArguments :\n    \
         \\E cadreArguments \\in TraceArguments[cadreName] :\n    \
         /\\ TraceEvent({event})\n    /\\ <<{variables}>>' # <<{variables}>>\n    \
         /\\ {ACTION}' = {event}"
    );
    let module = module
        .variables([ACTION])
        .definition("CadreInit", &format!("TraceInit /\\ {ACTION} = <<>>"))
        .definition("CadreNext", &next);
    let config = config.init_next("CadreInit", "CadreNext");
    let config = spec.invariants.iter().fold(config, |config, name| config.invariant(name));
    write_files(directory, &spec.files, &module, &config)?;
    Ok(Run::new(directory, MODULE))
}

fn behaviour(spec: &Spec, name: String, states: Vec<BTreeMap<String, Value>>) -> SpecTrace {
    let steps = states.iter().skip(1).map(|state| SpecStep {
        action: action(state.get(ACTION)),
        variables: Some(known(spec, state)),
    });
    let steps = steps.collect();
    SpecTrace { name, initial: states.first().map(|state| known(spec, state)), steps }
}

/// The values of the specification's own variables.
fn known(spec: &Spec, state: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let known = state.iter().filter(|(name, _)| spec.variables.contains(name));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn action(told: Option<&Value>) -> SpecAction {
    let Some(Value::Record(event)) = told else { return SpecAction::Stutter };
    let Some(Value::String(name)) = event.get("name") else { return SpecAction::Stutter };
    let arguments = match event.get("args") {
        Some(Value::Record(arguments)) => arguments.clone(),
        Some(_) | None => BTreeMap::new(),
    };
    SpecAction::Step { name: name.clone(), arguments }
}
