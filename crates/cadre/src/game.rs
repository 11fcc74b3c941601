use std::collections::BTreeMap;

use cadre_conform::Mapping;
use cadre_model::{Cluster, ClusterError, FaultChange};
use cadre_step::Protocol;
use cadre_trace::{Header, Json};

use crate::GameError;

/// A protocol with its cluster, workload, faults, guarantees, bugs and refinement mapping.
pub trait Game: Send + Sync + 'static {
    /// The protocol.
    type Protocol: Protocol + 'static;

    /// The name by which the command knows it, in kebab case.
    fn name(&self) -> &'static str;

    /// What it is, in one line without a full stop.
    fn summary(&self) -> &'static str;

    /// How large its cluster may be.
    fn size(&self) -> Size;

    /// What can be wrong with it.
    fn bugs(&self) -> &'static [Bug] {
        &[]
    }

    /// The cluster of a setup that has been [checked](Setup::new).
    ///
    /// # Errors
    ///
    /// Where its parts do not fit together.
    fn cluster(&self, setup: &Setup) -> Result<Cluster<Self::Protocol>, ClusterError>;

    /// What its configurations and actions are in a TLA+ specification.
    fn mapping(&self, setup: &Setup) -> Option<Mapping<Self::Protocol>> {
        let _ = setup;
        None
    }
}

/// How large a game's cluster may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// What is counted: one of them.
    pub one: &'static str,
    /// What is counted: several of them.
    pub many: &'static str,
    /// The least.
    pub min: usize,
    /// Unless said otherwise.
    pub default: usize,
    /// The most.
    pub max: usize,
}

/// Something that is wrong on purpose, so that a check has something to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The name by which it is switched on, in kebab case.
    pub name: &'static str,
    /// What is wrong, in one line without a full stop.
    pub summary: &'static str,
    /// Where it is.
    pub place: Place,
}

/// Where a bug is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the step function: a search finds it.
    Step,
    /// In the process that hosts a right step function: only a replay finds it.
    Process(cadre_runtime::Defect),
}

/// The parameters of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// How large the cluster is.
    pub size: usize,
    /// What is wrong with the step function.
    pub bug: Option<String>,
    /// How the faults that there may be differ from the game's own.
    pub faults: Vec<FaultChange>,
}

impl Setup {
    /// The setup for a size and a bug of the step function, as far as they are given.
    ///
    /// # Errors
    ///
    /// Where the size is out of range or there is no such bug.
    pub fn new<G: Game>(
        game: &G,
        size: Option<usize>,
        bug: Option<&str>,
    ) -> Result<Self, GameError> {
        let range = game.size();
        let size = size.unwrap_or(range.default);
        if size < range.min || size > range.max {
            return Err(GameError::Size { game: game.name(), range, found: size });
        }
        let known = |name: &str| game.bugs().iter().any(|bug| bug.name == name);
        match bug {
            Some(name) if !known(name) => Err(GameError::NoSuchBug {
                game: game.name(),
                found: name.to_owned(),
                known: game.bugs().iter().map(|bug| bug.name).collect(),
            }),
            _ => Ok(Self { size, bug: bug.map(str::to_owned), faults: Vec::new() }),
        }
    }

    /// The setup that a trace was recorded with.
    ///
    /// # Errors
    ///
    /// Where the trace's parameters are not those of the game.
    pub fn of_trace<G: Game>(game: &G, header: &Header) -> Result<Self, GameError> {
        let wrong = |parameter: &str, found: &Json| GameError::Parameter {
            game: game.name(),
            parameter: parameter.to_owned(),
            found: found.to_string(),
        };
        let (mut size, mut bug, mut faults) = (None, None, Vec::new());
        for (parameter, found) in &header.setup {
            match (parameter.as_str(), found) {
                (SIZE, Json::Number(number)) => {
                    let count = number.as_u64().and_then(|count| usize::try_from(count).ok());
                    size = Some(count.ok_or_else(|| wrong(SIZE, found))?);
                }
                (BUG, Json::String(name)) => bug = Some(name.as_str()),
                (FAULTS, Json::Array(changes)) => {
                    let change = |change: &Json| change.as_str().and_then(|text| text.parse().ok());
                    let changes = changes.iter().map(change).collect::<Option<_>>();
                    faults = changes.ok_or_else(|| wrong(FAULTS, found))?;
                }
                _ => return Err(wrong(parameter, found)),
            }
        }
        Ok(Self { faults, ..Self::new(game, size, bug)? })
    }

    /// The cluster of the game, with the faults of this setup.
    ///
    /// # Errors
    ///
    /// Where its parts do not fit together.
    pub fn cluster<G: Game>(&self, game: &G) -> Result<Cluster<G::Protocol>, ClusterError> {
        let cluster = game.cluster(self)?;
        if self.faults.is_empty() {
            return Ok(cluster);
        }
        let mut faults = *cluster.faults();
        self.faults.iter().for_each(|change| change.apply(&mut faults));
        cluster.with_faults(faults)
    }

    /// The setup as a trace's header tells it.
    pub fn to_parameters(&self) -> BTreeMap<String, Json> {
        let bug = self.bug.iter().map(|bug| (BUG.to_owned(), Json::from(bug.as_str())));
        let mut parameters: BTreeMap<String, Json> =
            [(SIZE.to_owned(), Json::from(self.size))].into_iter().chain(bug).collect();
        if !self.faults.is_empty() {
            let faults: Vec<String> = self.faults.iter().map(FaultChange::to_string).collect();
            parameters.insert(FAULTS.to_owned(), Json::from(faults));
        }
        parameters
    }
}

const SIZE: &str = "nodes";
const BUG: &str = "bug";
const FAULTS: &str = "faults";
