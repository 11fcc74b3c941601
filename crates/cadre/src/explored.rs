use cadre_explore::{Bound, Exploration, Progress};
use cadre_model::{Choice, Claim, Cluster, Model};
use cadre_trace::{Trace, Verdict};

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// What an exhaustive search has found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// How far it came.
    pub progress: Progress,
    /// What ended it before everything was seen.
    pub bound: Option<Bound>,
    /// An upper bound of the probability that a configuration was overlooked.
    pub omission_bound: f64,
    /// The worst of the verdicts.
    pub verdict: Verdict,
    /// One finding for each guarantee.
    pub findings: Vec<Found>,
}

/// What a search has found about one guarantee.
#[derive(Clone, Debug)]
pub struct Found {
    /// The guarantee.
    pub claim: Claim,
    /// The verdict.
    pub verdict: Verdict,
    /// An execution that shows it.
    pub trace: Option<Trace>,
    /// What else there is to say of a violation.
    pub why: Option<String>,
}

/// What a search has found, with traces for paths.
pub(crate) fn explored<G: Game>(
    game: &G,
    setup: &Setup,
    cluster: &Cluster<G::Protocol>,
    found: Exploration<Choice>,
) -> Result<Explored, GameError> {
    let verdict = found.verdict();
    let origin = origin(game, setup, "explore");
    let known = cluster.guarantees().len();
    let mut findings = Vec::new();
    for (guarantee, finding) in found.findings.into_iter().enumerate() {
        // A search up to names has guarantees of its own.
        let judged = (guarantee < known).then_some((guarantee, finding.verdict));
        let cycle = finding.cycle.unwrap_or_default();
        let record = |stem: Vec<_>| cluster.record_lasso(&origin, &stem, &cycle, judged);
        let trace = finding.path.map(record);
        let trace = trace.map(|trace| annotated(game, setup, cluster, trace)).transpose()?;
        let (claim, verdict, why) = (finding.claim, finding.verdict, finding.why);
        findings.push(Found { claim, verdict, trace, why });
    }
    let Exploration { progress, bound, omission_bound, .. } = found;
    Ok(Explored { progress, bound, omission_bound, verdict, findings })
}
