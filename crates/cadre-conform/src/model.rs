use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::Stop;
use cadre_tla::{Engine, Jit, Module, Outcome, Run, Value, Verdict};

use crate::encode::constants;
use crate::runs::write_files;
use crate::sizing::heap_mb_of_unknown;
use crate::{ConformError, Spec, validate};

/// A specification to be explored by TLC itself.
#[derive(Clone, Debug)]
pub struct SpecModel {
    /// The module to be explored, such as `MCTwoPhase`.
    pub module: String,
    /// All modules: file name and text.
    pub files: Vec<(String, String)>,
    /// The values of its constants.
    pub constants: BTreeMap<String, Value>,
    /// The temporal formula that is the specification, such as `Spec`.
    pub specification: String,
    /// The invariants to be checked.
    pub invariants: Vec<String>,
    /// The temporal properties to be checked.
    pub properties: Vec<String>,
    /// Whether a state without successor is a violation.
    pub deadlock: bool,
}

/// How a specification is explored.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// How many threads TLC searches with. With more than one, the depth is approximate and a
    /// counterexample need not be shortest.
    pub workers: u32,
    /// The heap of Java, in megabytes; without a number half of what is free, up to 8 GB.
    pub heap_mb: Option<u32>,
    /// The limit of the run.
    pub time_limit: Duration,
    /// How much Java optimises: fully for more than about a hundred thousand states.
    pub jit: Jit,
    /// Whether it is counted how often each part of the specification is evaluated.
    pub coverage: bool,
}

impl SpecModel {
    /// What of a specification its module `MC…` lets TLC explore: with fairness if anything
    /// temporal is claimed.
    pub fn of(spec: Spec) -> Self {
        let (specification, properties) = match spec.temporal {
            Some(temporal) => (temporal.specification, temporal.properties),
            None => ("Spec".to_owned(), Vec::new()),
        };
        Self {
            module: format!("MC{}", spec.name),
            files: spec.files,
            constants: spec.constants,
            specification,
            invariants: spec.invariants,
            properties,
            deadlock: false,
        }
    }
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            heap_mb: None,
            time_limit: Duration::from_secs(3600),
            jit: Jit::Quick,
            coverage: false,
        }
    }
}

/// Explores a specification with TLC, for the constants given: counts, depth, and the behaviour
/// that violates something.
///
/// The directory is to be fresh; it gets the modules and the output.
///
/// # Errors
///
/// [`ConformError::BadName`] for names that are none, [`ConformError::Tla`] if TLC or the
/// specification fails, [`ConformError::NoInitialState`] if nothing can happen at all.
pub fn check_model(
    model: &SpecModel,
    engine: &dyn Engine,
    directory: &Path,
    options: &ModelOptions,
    stop: &Stop,
) -> Result<Outcome, ConformError> {
    let mut outcome = engine.run(&prepare(model, directory, options)?, stop)?;
    if outcome.verdict == (Verdict::PropertyViolated { name: None }) {
        let name = violated_property(model, engine, directory, options, stop)?;
        outcome.verdict = Verdict::PropertyViolated { name };
    }
    // An engine with a bound does not count states, and says itself if there is none.
    let is_empty = outcome.verdict == Verdict::NoError && outcome.distinct == 0;
    match is_empty && outcome.bound.is_none() {
        true => Err(no_initial_state(model, outcome.log)),
        false => Ok(outcome),
    }
}

/// Without behaviours whatever is claimed holds, which nobody wants to be told.
pub(crate) fn no_initial_state(model: &SpecModel, log: PathBuf) -> ConformError {
    let (module, specification) = (model.module.clone(), model.specification.clone());
    ConformError::NoInitialState { module, specification, log }
}

/// The first of the temporal properties that is violated, which TLC does not tell: each is checked
/// alone until one is, unless there is only one.
fn violated_property(
    model: &SpecModel,
    engine: &dyn Engine,
    directory: &Path,
    options: &ModelOptions,
    stop: &Stop,
) -> Result<Option<String>, ConformError> {
    if let [property] = model.properties.as_slice() {
        return Ok(Some(property.clone()));
    }
    for property in &model.properties {
        let (invariants, properties) = (Vec::new(), vec![property.clone()]);
        let alone = SpecModel { invariants, properties, ..model.clone() };
        let run = prepare(&alone, &directory.join(property), options)?;
        if matches!(engine.run(&run, stop)?.verdict, Verdict::PropertyViolated { .. }) {
            return Ok(Some(property.clone()));
        }
    }
    Ok(None)
}

/// Writes what [`check_model`] would run, and gives its command without running it.
///
/// # Errors
///
/// As [`check_model`], as far as TLC is not needed.
pub fn plan_model(
    model: &SpecModel,
    engine: &dyn Engine,
    directory: &Path,
    options: &ModelOptions,
) -> Result<String, ConformError> {
    Ok(engine.command_line(&prepare(model, directory, options)?))
}

/// Writes what TLC needs.
pub(crate) fn prepare(
    model: &SpecModel,
    directory: &Path,
    options: &ModelOptions,
) -> Result<Run, ConformError> {
    let names = [&model.module, &model.specification]
        .into_iter()
        .chain(&model.invariants)
        .chain(&model.properties)
        .chain(model.constants.keys());
    validate::identifiers(names)?;
    validate::files(&model.files)?;
    let module = Module::new("CadreModel").extends([model.module.as_str()]);
    let (module, config) = constants(module, &model.constants, BTreeSet::new())?;
    let config = config.specification(&model.specification);
    let config = model.invariants.iter().fold(config, |config, name| config.invariant(name));
    let config = model.properties.iter().fold(config, |config, name| config.property(name));
    write_files(directory, &model.files, &module, &config)?;
    let mut run = Run::new(directory, module.name());
    run.workers = options.workers;
    run.heap_mb = options.heap_mb.unwrap_or_else(heap_mb_of_unknown);
    run.time_limit = options.time_limit;
    run.jit = options.jit;
    run.deadlock = model.deadlock;
    run.coverage = options.coverage;
    Ok(run)
}
