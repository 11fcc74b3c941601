use std::fmt;

use cadre_conform::{GraphBounds, MappedGraph};
use cadre_model::Choice;
use cadre_trace::Trace;

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// All that a game's cluster can do within a bound, mapped to its specification.
pub struct GameGraph<'a> {
    /// The graph.
    pub mapped: MappedGraph,
    record: Box<Record<'a>>,
}

type Record<'a> = dyn Fn(&[Choice]) -> Result<Trace, GameError> + 'a;

impl GameGraph<'_> {
    /// A shortest execution whose last action takes a step of the graph.
    ///
    /// # Errors
    ///
    /// Where the execution cannot be mapped to the specification.
    pub fn trace_to_step(&self, step: usize) -> Result<Trace, GameError> {
        (self.record)(&self.mapped.path_to_step(step))
    }

    /// A shortest execution that ends in a state of the graph.
    ///
    /// # Errors
    ///
    /// As [`trace_to_step`](GameGraph::trace_to_step).
    pub fn trace_to_state(&self, state: usize) -> Result<Trace, GameError> {
        (self.record)(&self.mapped.path_to_state(state))
    }
}

/// The graph of a game that maps to a specification.
pub(crate) fn graph<'a, G: Game>(
    game: &'a G,
    setup: &'a Setup,
    bounds: GraphBounds,
    watch: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<GameGraph<'a>, GameError> {
    let mapping = game.mapping(setup).ok_or(GameError::NoSpec { game: game.name() })?;
    let cluster = setup.cluster(game)?;
    let mapped = mapping.graph(&cluster, bounds, watch)?;
    let record = move |path: &[Choice]| {
        let trace = cluster.record(&origin(game, setup, "graph"), path, None);
        annotated(game, setup, &cluster, trace)
    };
    Ok(GameGraph { mapped, record: Box::new(record) })
}

impl fmt::Debug for GameGraph<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GameGraph").field("mapped", &self.mapped).finish_non_exhaustive()
    }
}
