use cadre_model::{Claim, Model};
use cadre_proptest::{Counterexample, MinimiseOptions};
use cadre_trace::{Trace, Verdict};

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// A counterexample made shorter.
#[derive(Clone, Debug)]
pub struct Shortened {
    /// The shorter trace.
    pub trace: Trace,
    /// How many steps the other one has.
    pub steps_before: usize,
    /// How many executions were tried.
    pub attempts: u64,
    /// Whether no single step can be spared; `false` where the attempts were used up before that
    /// was known.
    pub is_minimal: bool,
}

pub(crate) fn minimise<G: Game>(
    game: &G,
    trace: &Trace,
    options: &MinimiseOptions,
) -> Result<Shortened, GameError> {
    let setup = Setup::of_trace(game, &trace.header)?;
    let cluster = setup.cluster(game)?;
    let wanted = trace.header.guarantee.as_ref().ok_or(GameError::NothingViolated)?;
    let is_wanted = |claim: &Claim| claim.name == wanted.name && claim.kind == wanted.kind;
    let known = cluster.guarantees();
    let guarantee = known.iter().position(is_wanted).ok_or_else(|| GameError::NoSuchGuarantee {
        game: game.name(),
        found: wanted.name.clone(),
        known: known.iter().map(|claim| claim.name.clone()).collect(),
    })?;
    let path = cluster.path(trace.schedule())?;
    let loop_from = trace.header.loop_from;
    let found = Counterexample { guarantee, initial: 0, path, loop_from };
    let shorter = cadre_proptest::minimise(&cluster.unbudgeted(), &found, options)?;
    let (stem, cycle) = shorter.path.split_at(shorter.loop_from.unwrap_or(shorter.path.len()));
    let judged = Some((guarantee, Verdict::Violated));
    let origin = origin(game, &setup, &trace.header.origin);
    let shorter_trace = cluster.record_lasso(&origin, stem, cycle, judged);
    Ok(Shortened {
        trace: annotated(game, &setup, &cluster, shorter_trace)?,
        steps_before: trace.steps.len(),
        attempts: shorter.attempts,
        is_minimal: shorter.is_minimal,
    })
}
