use cadre_conform::{ConformError, MappingError};
use cadre_model::{ClusterError, Unresolved};
use cadre_proptest::{MinimiseError, WeightsError};

use crate::Size;

/// Why a game cannot be played as asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GameError {
    #[error(
        "expected {} to {} {} for {game}, found {found}", .range.min, .range.max, .range.many
    )]
    Size { game: &'static str, range: Size, found: usize },

    #[error("{game} has no bug `{found}`; it has {}", list(.known))]
    NoSuchBug { game: &'static str, found: String, known: Vec<&'static str> },

    #[error("{game} has no parameter `{parameter}` with the value {found}; was the trace edited?")]
    Parameter { game: &'static str, parameter: String, found: String },

    #[error("expected a trace of {expected}, found one of {found}")]
    OtherSetup { expected: String, found: String },

    #[error("the cluster cannot be built: {0}")]
    Cluster(#[from] ClusterError),

    #[error("the schedule cannot be carried out: {0}")]
    Unresolved(#[from] Unresolved),

    #[error("the simulation cannot be run: {0}")]
    Simulation(#[from] cadre_simulate::ConfigError),

    #[error(
        "the simulation of seed {seed} violates a guarantee that the cluster does not find \
         violated after the same actions; please report it"
    )]
    Disagreement { seed: u64 },

    #[error(transparent)]
    Lineage(#[from] cadre_lineage::LineageError),

    #[error("the trace cannot be mapped to the specification: {0}")]
    Mapping(#[from] MappingError),

    #[error("{game} maps to no specification")]
    NoSpec { game: &'static str },

    #[error(transparent)]
    Conform(#[from] ConformError),

    #[error(transparent)]
    Weights(#[from] WeightsError),

    #[error(transparent)]
    Minimise(#[from] MinimiseError),

    #[error("expected a trace that violates a guarantee, found one that is about none")]
    NothingViolated,

    #[error("{game} has no guarantee `{found}`; it has {}", .known.join("; "))]
    NoSuchGuarantee { game: &'static str, found: String, known: Vec<String> },

    #[error(
        "{game} declares no interchangeable nodes or values, so that there is nothing to leave \
         out; search without symmetry"
    )]
    NotInterchangeable { game: &'static str },

    #[error(
        "expected nothing that tells the nodes of {game} apart, found {what}; leave that out, or \
         search without symmetry"
    )]
    ToldApart { game: &'static str, what: &'static str },

    #[error("{game} has no node `{found}`; the nodes are {}", .known.join(", "))]
    NoSuchNode { game: &'static str, found: String, known: Vec<String> },
}

fn list(known: &[&str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
