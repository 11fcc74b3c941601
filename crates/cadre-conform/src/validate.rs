use std::collections::BTreeMap;

use cadre_tla::{Value, is_identifier};

use crate::compare::logged;
use crate::{ConformError, Spec, SpecAction, SpecTrace};

/// Checks what the generated modules take for granted.
///
/// # Errors
///
/// [`ConformError::NoTraces`], [`ConformError::BadName`], [`ConformError::UnknownVariable`],
/// [`ConformError::NoAlternative`], [`ConformError::TooManyWays`].
pub(crate) fn arguments(spec: &Spec, traces: &[SpecTrace]) -> Result<(), ConformError> {
    if traces.is_empty() {
        return Err(ConformError::NoTraces);
    }
    self::spec(spec)?;
    for trace in traces {
        for step in 0..=trace.steps.len() {
            if let Some(state) = logged(trace, step) {
                variables(spec, trace, step, state)?;
            }
        }
        for (number, step) in (1..).zip(&trace.steps) {
            action(&step.action, || format!("in step {number} of {}", trace.name))?;
        }
    }
    Ok(())
}

/// How many ways one step may be taken in: each is a row of the generated module.
pub(crate) const WAYS_MAX: usize = 1_000;

/// Checks that there is a way to take an action, and not too many of them.
///
/// # Errors
///
/// [`ConformError::NoAlternative`], [`ConformError::TooManyWays`].
pub(crate) fn action(action: &SpecAction, place: impl Fn() -> String) -> Result<(), ConformError> {
    match action.ways_count() {
        0 => Err(ConformError::NoAlternative { place: place() }),
        1..=WAYS_MAX => Ok(()),
        _ => Err(ConformError::TooManyWays { place: place(), ways_max: WAYS_MAX }),
    }
}

/// Checks the names of a specification.
///
/// # Errors
///
/// [`ConformError::BadName`].
pub(crate) fn spec(spec: &Spec) -> Result<(), ConformError> {
    let names = [&spec.trace_module]
        .into_iter()
        .chain(&spec.variables)
        .chain(&spec.invariants)
        .chain(spec.constants.keys());
    identifiers(names)?;
    files(&spec.files)
}

/// Checks names that are written into a module.
///
/// # Errors
///
/// [`ConformError::BadName`] for what is no TLA+ identifier.
pub(crate) fn identifiers<'a>(
    names: impl IntoIterator<Item = &'a String>,
) -> Result<(), ConformError> {
    match names.into_iter().find(|name| !is_identifier(name)) {
        Some(name) => {
            Err(ConformError::BadName { expected: "a TLA+ identifier", found: name.clone() })
        }
        None => Ok(()),
    }
}

/// Checks names of files, which are to stay in their folder.
///
/// # Errors
///
/// [`ConformError::BadName`] for what is no `.tla` file name.
pub(crate) fn files(files: &[(String, String)]) -> Result<(), ConformError> {
    let is_module = |name: &str| name.strip_suffix(".tla").is_some_and(is_identifier);
    match files.iter().find(|(name, _)| !is_module(name)) {
        Some((name, _)) => Err(ConformError::BadName {
            expected: "a file name of a TLA+ module",
            found: name.clone(),
        }),
        None => Ok(()),
    }
}

fn variables(
    spec: &Spec,
    trace: &SpecTrace,
    step: usize,
    state: &BTreeMap<String, Value>,
) -> Result<(), ConformError> {
    match state.keys().find(|variable| !spec.variables.contains(variable)) {
        Some(variable) => Err(ConformError::UnknownVariable {
            trace: trace.name.clone(),
            step,
            variable: variable.clone(),
            known: spec.variables.join(", "),
        }),
        None => Ok(()),
    }
}
