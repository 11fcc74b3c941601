use std::collections::BTreeMap;

use cadre_lineage::{AnyRounds, FaultSpec, Program, Rounds, RunSetup};
use cadre_model::Origin;
use cadre_trace::{Header, Json};

use crate::{Bug, GameError, Suite};

/// A program of synchronous rounds with its name, its usual parameters and its bugs: a game of
/// faults, for lineage-driven fault injection.
pub trait RoundsGame: Send + Sync + 'static {
    /// The program.
    type Program: Program + 'static;

    /// The name by which the command knows it, in kebab case.
    fn name(&self) -> &'static str;

    /// What it is, in one line without a full stop.
    fn summary(&self) -> &'static str;

    /// The parameters, unless said otherwise.
    fn spec(&self) -> FaultSpec;

    /// What can be wrong with it.
    fn bugs(&self) -> &'static [Bug] {
        &[]
    }

    /// The program, with a bug that has been checked.
    fn program(&self, bug: Option<&str>) -> Self::Program;

    /// What is known of it, to be held against what is found.
    fn known(&self) -> Vec<Known> {
        Vec::new()
    }
}

/// What is known of a program of rounds at some parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The bug that is switched on.
    pub bug: Option<&'static str>,
    /// The parameters.
    pub spec: FaultSpec,
    /// How many faults a smallest counterexample has; `None` where there is none.
    pub smallest: Option<usize>,
    /// How many runs somebody else has published.
    pub published: Option<u64>,
}

/// A program of rounds whose types do not show; implemented for every [`RoundsGame`].
pub trait AnyRoundsGame: Send + Sync {
    /// See [`RoundsGame::name`].
    fn name(&self) -> &'static str;

    /// See [`RoundsGame::summary`].
    fn summary(&self) -> &'static str;

    /// See [`RoundsGame::spec`].
    fn spec(&self) -> FaultSpec;

    /// See [`RoundsGame::bugs`].
    fn bugs(&self) -> &'static [Bug];

    /// See [`RoundsGame::known`].
    fn known(&self) -> Vec<Known>;

    /// Begins a game.
    ///
    /// # Errors
    ///
    /// Where there is no such bug, or the parameters or the program do not fit rounds.
    fn begin(&self, setup: &RoundsSetup) -> Result<Box<dyn AnyRounds>, GameError>;

    /// The setup that a trace was recorded with, and its faults in their text form.
    ///
    /// # Errors
    ///
    /// Where the trace's parameters are not those of a run of this program.
    fn setup_of(&self, header: &Header) -> Result<(RoundsSetup, String), GameError>;

    /// Where traces of this program come from.
    fn origin(&self, setup: &RoundsSetup) -> Origin {
        let bug = setup.bug.iter().map(|bug| (BUG.to_owned(), Json::from(bug.as_str())));
        let (protocol, setup) = (self.name().to_owned(), BTreeMap::from_iter(bug));
        Origin { protocol, setup, engine: "lineage".to_owned() }
    }
}

/// The parameters of a program of rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundsSetup {
    /// Which faults are admissible.
    pub spec: FaultSpec,
    /// What is wrong with the program.
    pub bug: Option<String>,
}

impl Suite {
    /// Adds a program of rounds.
    #[must_use]
    pub fn rounds(mut self, game: impl RoundsGame) -> Self {
        self.rounds.push(Box::new(game));
        self
    }

    /// The programs of rounds, in the order in which they were added.
    pub fn rounds_games(&self) -> impl Iterator<Item = &dyn AnyRoundsGame> {
        self.rounds.iter().map(AsRef::as_ref)
    }

    /// The program of rounds of a name.
    pub fn find_rounds(&self, name: &str) -> Option<&dyn AnyRoundsGame> {
        self.rounds_games().find(|game| game.name() == name)
    }
}

impl<G: RoundsGame> AnyRoundsGame for G {
    fn name(&self) -> &'static str {
        RoundsGame::name(self)
    }

    fn summary(&self) -> &'static str {
        RoundsGame::summary(self)
    }

    fn spec(&self) -> FaultSpec {
        RoundsGame::spec(self)
    }

    fn bugs(&self) -> &'static [Bug] {
        RoundsGame::bugs(self)
    }

    fn known(&self) -> Vec<Known> {
        RoundsGame::known(self)
    }

    fn begin(&self, setup: &RoundsSetup) -> Result<Box<dyn AnyRounds>, GameError> {
        let bug = setup.bug.as_deref();
        let bugs = RoundsGame::bugs(self);
        match bug.filter(|name| bugs.iter().all(|bug| bug.name != *name)) {
            Some(unknown) => Err(GameError::NoSuchBug {
                game: RoundsGame::name(self),
                found: unknown.to_owned(),
                known: bugs.iter().map(|bug| bug.name).collect(),
            }),
            None => Ok(Box::new(Rounds::new(self.program(bug), setup.spec)?)),
        }
    }

    fn setup_of(&self, header: &Header) -> Result<(RoundsSetup, String), GameError> {
        let RunSetup { spec, faults } = RunSetup::of_header(header)?;
        let mut own = header.setup.iter().filter(|(name, _)| !RunSetup::is_parameter(name));
        let mut bug = None;
        if let Some((parameter, value)) = own.next() {
            match (parameter.as_str(), value, own.next()) {
                (BUG, Json::String(name), None) => bug = Some(name.clone()),
                (_, found, _) => {
                    return Err(GameError::Parameter {
                        game: RoundsGame::name(self),
                        parameter: parameter.clone(),
                        found: found.to_string(),
                    });
                }
            }
        }
        Ok((RoundsSetup { spec, bug }, faults))
    }
}

const BUG: &str = "bug";
