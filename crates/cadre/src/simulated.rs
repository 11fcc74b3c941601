use cadre_model::{Claim, Model};
use cadre_simulate::{Config, Ending, Look, Options, Simulation};
use cadre_trace::{Trace, Verdict};

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// What a simulation has found.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The runs.
    pub simulation: Simulation,
    /// The guarantees, which the runs name by their positions.
    pub claims: Vec<Claim>,
    /// The trace of the run that went wrong.
    pub trace: Option<Trace>,
}

pub(crate) fn simulate<G: Game>(
    game: &G,
    setup: &Setup,
    config: &Config,
    options: &Options,
    watch: &mut dyn FnMut(&Look) -> bool,
) -> Result<Simulated, GameError> {
    let cluster = setup.cluster(game)?;
    let simulation = cadre_simulate::simulate(&cluster, config, options, watch)?;
    let mut trace = None;
    if let Some(violation) = simulation.violation {
        let origin = origin(game, setup, "simulate");
        let recorded = cadre_simulate::record(&cluster, config, violation.seed, &origin)?;
        let is_violated = matches!(recorded.run.ending, Ending::Violated { .. });
        // What the cluster makes of the same actions is the authority.
        if is_violated && recorded.trace.header.verdict != Verdict::Violated {
            return Err(GameError::Disagreement { seed: violation.seed });
        }
        trace = Some(annotated(game, setup, &cluster, recorded.trace)?);
    }
    Ok(Simulated { simulation, claims: cluster.guarantees(), trace })
}
