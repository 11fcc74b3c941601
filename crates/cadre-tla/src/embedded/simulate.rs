//! Random behaviours.

use std::sync::Arc;

use tla_checker::ast::State;
use tla_checker::eval::{EvalError, set_checker_level, set_random_seed};

use super::random::Random;
use super::world::{Refusal, World};
use super::{Embedded, Task, values};
use crate::{Behaviours, Simulation, TlaError, Verdict};

/// Draws random behaviours up to the first violation.
pub(super) fn simulate(task: &Task, simulation: Simulation) -> Result<Behaviours, TlaError> {
    let mut world = match World::read(task) {
        Ok(world) => world,
        Err(Refusal::Error(error)) => return Err(error),
        Err(Refusal::Assumption(index)) => {
            let message = format!("assumption {} of those in its modules is false", index + 1);
            return Err(task.config_error(message));
        }
    };
    set_random_seed(simulation.seed);
    let mut random = Random::new(simulation.seed);
    let mut all = Vec::new();
    let mut violated = None;
    let initial = world.initial();
    let initial = initial.map_err(|error| task.evaluation(&error, Vec::new(), Vec::new()))?;
    if initial.is_empty() {
        return Err(task.config_error("expected an initial state, found none"));
    }
    while violated.is_none() && all.len() < simulation.behaviours as usize {
        let first = initial[random.index(initial.len())].clone();
        let mut way = Way { task, world: &mut world, states: Vec::new() };
        violated = way.draw(first, simulation, &mut random)?;
        let states = way.states.iter().map(|(state, _)| values::variables(&world.spec.vars, state));
        all.push(states.collect::<Result<Vec<_>, _>>()?);
    }
    task.write_lines(&world.printed)?;
    let told = format!("{}\n{} behaviours\n{violated:?}\n", Embedded::VERSION, all.len());
    task.write(super::LOG, &told)?;
    let version = Embedded::VERSION.to_owned();
    Ok(Behaviours { all, violated, elapsed: task.began.elapsed(), log: task.log(), version })
}

/// A behaviour, as far as it is drawn, with the actions that led to its states.
struct Way<'a> {
    task: &'a Task,
    world: &'a mut World,
    states: Vec<(State, Option<Arc<str>>)>,
}

type Violated = Option<(Verdict, Vec<crate::SpecState>)>;

impl Way<'_> {
    fn draw(
        &mut self,
        first: State,
        simulation: Simulation,
        random: &mut Random,
    ) -> Result<Violated, TlaError> {
        let mut next = Some((first, None));
        while let Some((state, action)) = next.take() {
            self.task.is_over()?;
            self.states.push((state.clone(), action));
            set_checker_level(i64::try_from(self.states.len()).unwrap_or(i64::MAX));
            let broken = self.world.broken(&state);
            if let Some(name) = broken.map_err(|error| self.error(&error))? {
                let verdict = Verdict::InvariantViolated { name };
                return Ok(Some((verdict, self.behaviour()?)));
            }
            if self.states.len() >= simulation.states_max as usize {
                return Ok(None);
            }
            let steps = self.world.steps(&state);
            let mut steps = steps.map_err(|error| self.error(&error))?;
            if !steps.is_empty() {
                let step = steps.swap_remove(random.index(steps.len()));
                next = Some((step.state, step.action));
            } else if self.task.run.deadlock && !self.world.deadlock_passes {
                return Ok(Some((Verdict::Deadlock, self.behaviour()?)));
            }
        }
        Ok(None)
    }

    fn behaviour(&self) -> Result<Vec<crate::SpecState>, TlaError> {
        let states = self.states.iter().map(|(state, action)| (state, action.as_ref()));
        values::behaviour(&self.world.spec.vars, states)
    }

    fn error(&self, error: &EvalError) -> TlaError {
        match self.behaviour() {
            Ok(behaviour) => self.task.evaluation(error, behaviour, self.world.printed.clone()),
            Err(unreadable) => unreadable,
        }
    }
}
