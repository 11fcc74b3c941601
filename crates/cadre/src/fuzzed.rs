use std::rc::Rc;

use cadre_model::{Choice, Claim, Cluster, Model};
use cadre_proptest::{FuzzOptions, FuzzOutcome, Parted, Weights};
use cadre_trace::{Difference, GuaranteeKind, Trace, Verdict, diff};
use serde::Serialize;

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// What a random search has found.
#[derive(Clone, Debug)]
pub struct Fuzzed {
    /// How many executions were tried.
    pub cases: u32,
    /// How many steps they took in all.
    pub steps: u64,
    /// Whether it was ended from outside.
    pub stopped: bool,
    /// The shrunk counterexample, and how many steps it had before.
    pub violation: Option<(Trace, usize)>,
    /// Whether no single step of the counterexample can be spared.
    pub is_minimal: bool,
    /// The `reachable` guarantees, and whether an example was met.
    pub reached: Vec<(Claim, bool)>,
}

/// What came of making a random search twice.
#[derive(Clone, Debug)]
pub struct FuzzedTwice {
    /// What the first search has found.
    pub fuzzed: Fuzzed,
    /// The fingerprint of all that was drawn and reached in it.
    pub fingerprint: u128,
    /// Where the second search did something else.
    pub parted: Option<PartedRuns>,
}

/// Where two runs from the same seed are not the same.
#[derive(Clone, Debug)]
pub struct PartedRuns {
    /// The place, and what differs there, in a sentence.
    pub told: String,
    /// The first step of the two executions that is not the same, 0 being the initial
    /// configuration, and in what it differs.
    pub differences: Option<(usize, Vec<Difference>)>,
    /// The executions up to there.
    pub traces: Box<[Trace; 2]>,
}

pub(crate) fn weights<G: Game>(
    game: &G,
    setup: &Setup,
    given: &[(String, u32)],
) -> Result<Weights, GameError> {
    let given = given.iter().map(|(class, weight)| (class.as_str(), *weight));
    Ok(Weights::new(&setup.cluster(game)?, given)?)
}

pub(crate) fn fuzz<G: Game>(
    game: &G,
    setup: &Setup,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> Result<Fuzzed, GameError> {
    let cluster = Rc::new(setup.cluster(game)?);
    let outcome = cadre_proptest::fuzz(&cluster, options, watch);
    fuzzed(game, setup, &cluster, outcome)
}

pub(crate) fn fuzz_twice<G: Game>(
    game: &G,
    setup: &Setup,
    options: &FuzzOptions,
    watch: &mut dyn FnMut(u32) -> bool,
) -> Result<FuzzedTwice, GameError> {
    let mut clusters = Vec::new();
    let mut make = || {
        let cluster = Rc::new(setup.cluster(game)?);
        clusters.push(Rc::clone(&cluster));
        Ok::<_, GameError>(cluster)
    };
    let twice = cadre_proptest::fuzz_twice(&mut make, options, watch)?;
    let parted = twice.parted.map(|Parted { parting, paths }| {
        let origin = origin(game, setup, "fuzz");
        let of_run = |run: usize| clusters[run].record(&origin, &paths[run], None);
        let traces = Box::new([of_run(0), of_run(1)]);
        let differences = first_difference(&traces[0], &traces[1]);
        let told = match (parting.site, &differences) {
            // The differences say it better than the fingerprints of two configurations.
            (Some(site), Some(_)) => format!("{site}: the {} is another one then", parting.what),
            (_, None) | (None, _) => parting.to_string(),
        };
        PartedRuns { told, differences, traces }
    });
    let fuzzed = fuzzed(game, setup, &clusters[0], twice.outcome)?;
    Ok(FuzzedTwice { fuzzed, fingerprint: twice.fingerprint, parted })
}

/// The outcome of a search, with a trace for a path.
pub(crate) fn fuzzed<G: Game>(
    game: &G,
    setup: &Setup,
    cluster: &Cluster<G::Protocol>,
    outcome: FuzzOutcome<Choice>,
) -> Result<Fuzzed, GameError> {
    let is_minimal = outcome.violation.as_ref().is_none_or(|violation| violation.is_minimal);
    let violation = match outcome.violation {
        None => None,
        Some(violation) => {
            let judged = Some((violation.guarantee, Verdict::Violated));
            let trace = cluster.record(&origin(game, setup, "fuzz"), &violation.path, judged);
            let trace = annotated(game, setup, cluster, trace)?;
            Some((trace, violation.steps_before_shrinking))
        }
    };
    let claims = cluster.guarantees().into_iter().zip(outcome.reached);
    Ok(Fuzzed {
        cases: outcome.cases_run,
        steps: outcome.steps,
        stopped: outcome.stopped,
        violation,
        is_minimal,
        reached: claims.filter(|(claim, _)| claim.kind == GuaranteeKind::Reachable).collect(),
    })
}

/// The first step in which two traces differ, and how.
fn first_difference(one: &Trace, other: &Trace) -> Option<(usize, Vec<Difference>)> {
    let differences = |step, first: &_, second: &_| {
        let found = differences(first, second);
        (!found.is_empty()).then_some((step, found))
    };
    let initial = differences(0, &to_json(&one.header.initial), &to_json(&other.header.initial));
    initial.or_else(|| {
        let pairs = one.steps.iter().zip(&other.steps);
        let mut found = pairs.map(|(a, b)| differences(a.step, &to_json(a), &to_json(b)));
        found.find_map(|found| found)
    })
}

fn differences(one: &cadre_trace::Json, other: &cadre_trace::Json) -> Vec<Difference> {
    diff("", one, other)
}

fn to_json(part: &impl Serialize) -> cadre_trace::Json {
    serde_json::to_value(part).expect("the parts of a trace have a JSON form")
}
