use cadre_model::{Choice, Claim, Cluster, Configuration, Model, Origin, Part};
use cadre_trace::{Action, GuaranteeKind, Trace, Verdict};

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// One execution of a game, made step by step by somebody who chooses; see
/// [`AnyGame::stepper`](crate::AnyGame::stepper).
///
/// # Examples
///
/// ```
/// use cadre::{AnyGame, Stepper};
///
/// /// Takes the first action that there is, until there is none.
/// fn run_down(game: &dyn AnyGame) -> Result<usize, cadre::GameError> {
///     let setup = game.setup(None, None)?;
///     let mut stepper = game.stepper(&setup)?;
///     while stepper.take(0).is_some() {}
///     Ok(stepper.steps())
/// }
/// ```
pub trait Stepper {
    /// How many steps have been taken.
    fn steps(&self) -> usize;

    /// The actions that can be taken now and change something, in a fixed order.
    fn enabled(&self) -> Vec<Enabled>;

    /// Takes the action at a position of [`enabled`](Stepper::enabled), and gives it; `None` where
    /// there is none.
    fn take(&mut self, position: usize) -> Option<Action>;

    /// Goes one step back; `false` at the beginning.
    fn back(&mut self) -> bool;

    /// Goes to the end of a trace. Gives the first step after which a configuration is not the one
    /// that the trace tells, if there is one.
    ///
    /// # Errors
    ///
    /// Where the trace is of another setup, or a step cannot be taken; nothing has happened then.
    fn load(&mut self, trace: &Trace) -> Result<Option<usize>, GameError>;

    /// Each guarantee, and how it stands here.
    fn standings(&self) -> Vec<(Claim, Standing)>;

    /// The steps so far as a trace, judged by the first guarantee that is violated here.
    ///
    /// # Errors
    ///
    /// Where the execution cannot be mapped to the specification.
    fn trace(&self) -> Result<Trace, GameError>;
}

/// An action that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// The action.
    pub action: Action,
    /// Whether it is a fault.
    pub is_fault: bool,
}

/// How a guarantee stands in one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is true, or demands nothing here.
    Holds,
    /// It is violated.
    Violated,
    /// What has to be reachable is true.
    Met,
    /// What has to be reachable is not true.
    NotMet,
    /// It is judged only where nothing but faults can happen.
    NotJudged,
}

/// The steps of one cluster.
pub(crate) struct Steps<'a, G: Game> {
    game: &'a G,
    setup: Setup,
    cluster: Cluster<G::Protocol>,
    path: Vec<Choice>,
    /// The initial configuration, and the one after each step.
    configurations: Vec<Configuration>,
}

impl<'a, G: Game> Steps<'a, G> {
    pub(crate) fn new(game: &'a G, setup: &Setup) -> Result<Self, GameError> {
        let cluster = setup.cluster(game)?;
        let configurations = vec![cluster.initial().clone()];
        Ok(Self { game, setup: setup.clone(), cluster, path: Vec::new(), configurations })
    }

    fn here(&self) -> &Configuration {
        self.configurations.last().expect("the initial configuration stays")
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        self.cluster.actions(self.here(), &mut choices);
        choices
    }

    /// Takes a step; a trace may hold faults that the cluster has no budget for.
    fn follow(&mut self, choice: Choice) {
        let after = self.cluster.next(self.here(), &choice);
        let after = after.unwrap_or_else(|| self.cluster.carried_out(self.here(), choice));
        self.path.push(choice);
        self.configurations.push(after);
    }

    fn origin(&self) -> Origin {
        origin(self.game, &self.setup, "step")
    }
}

impl<G: Game> Stepper for Steps<'_, G> {
    fn steps(&self) -> usize {
        self.path.len()
    }

    fn enabled(&self) -> Vec<Enabled> {
        let tell = |choice: Choice| Enabled {
            action: self.cluster.tell(choice),
            is_fault: self.cluster.is_fault(&choice),
        };
        self.choices().into_iter().map(tell).collect()
    }

    fn take(&mut self, position: usize) -> Option<Action> {
        let choice = *self.choices().get(position)?;
        self.follow(choice);
        Some(self.cluster.tell(choice))
    }

    fn back(&mut self) -> bool {
        let is_taken = self.path.pop().is_some();
        if is_taken {
            self.configurations.pop();
        }
        is_taken
    }

    fn load(&mut self, trace: &Trace) -> Result<Option<usize>, GameError> {
        let (expected, found) = (&self.setup, Setup::of_trace(self.game, &trace.header)?);
        if trace.header.protocol != self.game.name() || found != *expected {
            return Err(GameError::OtherSetup {
                expected: told(self.game.name(), expected),
                found: told(&trace.header.protocol, &found),
            });
        }
        let again = self.cluster.reexecute(trace)?;
        let path = self.cluster.path(trace.schedule())?;
        self.path.clear();
        self.configurations.truncate(1);
        path.into_iter().for_each(|choice| self.follow(choice));
        Ok(again.difference.map(|(step, _)| step))
    }

    fn standings(&self) -> Vec<(Claim, Standing)> {
        let (here, is_at_rest) = (self.here(), self.cluster.is_at_rest(self.here()));
        let standing = |(guarantee, claim): (usize, Claim)| {
            let is_violated = self.cluster.violates(guarantee, here);
            let standing = match claim.kind {
                _ if is_violated => Standing::Violated,
                GuaranteeKind::Always => Standing::Holds,
                GuaranteeKind::PrePost if is_at_rest => Standing::Holds,
                // What only endless executions violate no single configuration decides.
                GuaranteeKind::PrePost
                | GuaranteeKind::Eventually(_)
                | GuaranteeKind::LeadsTo(_)
                | GuaranteeKind::Convergent(_) => Standing::NotJudged,
                GuaranteeKind::Reachable => {
                    match self.cluster.evaluate(guarantee, Part::Main, here) {
                        true => Standing::Met,
                        false => Standing::NotMet,
                    }
                }
            };
            (claim, standing)
        };
        self.cluster.guarantees().into_iter().enumerate().map(standing).collect()
    }

    fn trace(&self) -> Result<Trace, GameError> {
        let guarantees = 0..self.cluster.guarantees().len();
        let violated =
            guarantees.into_iter().find(|index| self.cluster.violates(*index, self.here()));
        let judged = violated.map(|guarantee| (guarantee, Verdict::Violated));
        let trace = self.cluster.record(&self.origin(), &self.path, judged);
        annotated(self.game, &self.setup, &self.cluster, trace)
    }
}

/// A setup as one says it.
fn told(game: &str, setup: &Setup) -> String {
    let bug = setup.bug.as_ref().map_or(String::new(), |bug| format!(", bug {bug}"));
    format!("{game}, size {}{bug}", setup.size)
}
