use cadre_conform::{Driver, Matching, Parting, SpecTrace};
use cadre_trace::Trace;

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// A behaviour of a specification, followed by a game.
#[derive(Clone, Debug)]
pub struct DrivenTrace {
    /// What the game has done.
    pub trace: Trace,
    /// How many steps of the behaviour that makes.
    pub followed: usize,
    /// Why there are no more.
    pub parting: Option<Parting>,
}

/// The most configurations that are followed for one state of a behaviour.
const FITTING_MAX: usize = 10_000;

/// Follows behaviours of a game's specification.
pub(crate) fn drive<G: Game>(
    game: &G,
    setup: &Setup,
    behaviours: &[SpecTrace],
    matching: Matching,
    watch: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<DrivenTrace>, GameError> {
    let mapping = game.mapping(setup).ok_or(GameError::NoSpec { game: game.name() })?;
    let cluster = game.cluster(setup)?;
    let mut driver = Driver::new(&mapping, &cluster, matching, FITTING_MAX);
    let mut driven = Vec::new();
    for behaviour in behaviours {
        if !watch(driven.len()) {
            break;
        }
        let found = driver.drive(behaviour);
        let trace = cluster.record(&origin(game, setup, "spec"), &found.path, None);
        let trace = annotated(game, setup, &cluster, trace)?;
        driven.push(DrivenTrace { trace, followed: found.followed, parting: found.parting });
    }
    Ok(driven)
}
