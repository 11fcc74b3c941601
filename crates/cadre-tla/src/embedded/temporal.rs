//! The properties of a specification, which the checker itself looks at in a search of its own.

use std::sync::Arc;

use tla_checker::ast::State;
use tla_checker::checker::{CheckResult, PrepareSpecError, check as check_all};
use tla_checker::liveness::LivenessViolation;

use super::world::{Noted, World, define_replaced};
use super::{Task, values};
use crate::{Lasso, Outcome, SpecState, TlaError, Verdict};

/// Checks the properties that the configuration names, if there are any, and says in an outcome
/// what was found.
pub(super) fn check(task: &Task, mut world: World, outcome: &mut Outcome) -> Result<(), TlaError> {
    if world.config.properties.is_empty() {
        return Ok(());
    }
    let own = world.invariants.len();
    let World { spec, config, constants, .. } = &mut world;
    // What is printed was noted before, and invariants were checked.
    define_replaced(&mut spec.definitions, Noted::No);
    spec.invariants.drain(..own);
    spec.invariant_names.drain(..own);
    config.allow_deadlock = true;
    config.max_seconds = Some(task.run.time_limit.as_secs().max(1));
    let names = spec.invariant_names.clone();
    let result = check_all(spec, constants, config);
    let (verdict, behaviour, lasso) = match result {
        CheckResult::Ok(_) => return Ok(()),
        CheckResult::InvariantViolation(found, _) => {
            let name = names.get(found.violated_invariant).cloned().flatten();
            let name = name.map_or_else(String::new, |name| name.to_string());
            let behaviour = behaviour(&world, &found.trace, &found.actions)?;
            (Verdict::InvariantViolated { name }, behaviour, None)
        }
        CheckResult::PropertyViolation(found, _) => {
            let name = Some(found.property.to_string());
            let behaviour = behaviour(&world, &found.trace, &found.actions)?;
            (Verdict::PropertyViolated { name }, behaviour, None)
        }
        CheckResult::LivenessViolation(found, _) => {
            let (behaviour, lasso) = around(&mut world, &found)?;
            // TLC does not tell the name either.
            (Verdict::PropertyViolated { name: None }, behaviour, Some(lasso))
        }
        CheckResult::MaxTimeExceeded(_) => return Err(task.too_late()),
        other => return Err(refusal(task, &world, other)),
    };
    (outcome.verdict, outcome.behaviour, outcome.lasso) = (verdict, behaviour, lasso);
    outcome.elapsed = task.began.elapsed();
    Ok(())
}

fn behaviour(
    world: &World,
    states: &[State],
    actions: &[Option<Arc<str>>],
) -> Result<Vec<SpecState>, TlaError> {
    let actions = actions.iter().map(Option::as_ref);
    values::behaviour(&world.spec.vars, states.iter().zip(actions))
}

/// A behaviour that goes on forever.
fn around(
    world: &mut World,
    found: &LivenessViolation,
) -> Result<(Vec<SpecState>, Lasso), TlaError> {
    // The checker lists steps that change nothing like any others.
    let (mut states, mut cycle) = (found.prefix.clone(), found.cycle.clone());
    states.dedup();
    cycle.dedup();
    if cycle.len() > 1 && cycle.first() == cycle.last() {
        cycle.pop();
    }
    let (index, rest) = (states.len(), cycle.get(1..).unwrap_or_default());
    states.extend_from_slice(rest);
    let steps = states.windows(2).map(|pair| action(world, &pair[0], &pair[1]));
    let actions: Vec<_> = std::iter::once(None).chain(steps).collect();
    let lasso = match (rest.last(), cycle.first()) {
        (Some(last), Some(first)) => {
            let action = action(world, last, first);
            let action = action.map_or_else(|| "Next".to_owned(), |name| name.to_string());
            Lasso::BackTo { index, action }
        }
        (None, _) | (_, None) => Lasso::Stuttering,
    };
    Ok((behaviour(world, &states, &actions)?, lasso))
}

/// The action that leads from one state to another.
fn action(world: &mut World, from: &State, to: &State) -> Option<Arc<str>> {
    // Its steps could be taken before, so that there is no error now.
    let steps = world.steps(from).unwrap_or_default();
    steps.into_iter().find(|step| step.state == *to)?.action
}

/// Why there is no verdict.
fn refusal(task: &Task, world: &World, result: CheckResult) -> TlaError {
    match result {
        CheckResult::PrepareError(PrepareSpecError::LivenessProperty(message)) => {
            Task::cannot(format!("this property ({message})"))
        }
        CheckResult::InitError(error) => task.evaluation(&error, Vec::new(), Vec::new()),
        CheckResult::NextError(error, states, _)
        | CheckResult::InvariantError(error, states, _) => {
            let unknown = vec![None; states.len()];
            match behaviour(world, &states, &unknown) {
                Ok(behaviour) => task.evaluation(&error, behaviour, Vec::new()),
                Err(unreadable) => unreadable,
            }
        }
        CheckResult::LivenessError(error, _) => {
            task.evaluation(&error.error, Vec::new(), Vec::new())
        }
        other => TlaError::NoVerdict { code: 0, log: task.log(), tail: format!("{other:?}") },
    }
}
