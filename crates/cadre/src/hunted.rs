use std::ops::ControlFlow;

use cadre_lineage::{Progress, ScheduleHunt, hunt_schedule};
use cadre_trace::{Trace, Verdict};

use crate::suite::{annotated, origin};
use crate::{Game, GameError, Setup};

/// What a hunt in the schedules of a game has found.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// An execution that breaks a guarantee, and what makes it differ from the fair one.
    pub violation: Option<(Trace, Vec<String>)>,
    /// Whether no hypothesis is left up to the most faults and delays; that is no certificate.
    pub is_exhausted: bool,
    /// How many executions were tried.
    pub runs: u64,
    /// How many steps they took in all.
    pub steps: u64,
}

pub(crate) fn hunt<G: Game>(
    game: &G,
    setup: &Setup,
    options: &ScheduleHunt,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Hunt, GameError> {
    let cluster = game.cluster(setup)?;
    let found = hunt_schedule(&cluster, options, |progress| match watch(progress) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    });
    let record = |broken: cadre_lineage::BrokenSchedule<_>| {
        let judged = Some((broken.guarantee, Verdict::Violated));
        let trace = cluster.record(&origin(game, setup, "lineage"), &broken.path, judged);
        let trace = annotated(game, setup, &cluster, trace)?;
        Ok::<_, GameError>((trace, broken.deviations))
    };
    let violation = found.violation.map(record).transpose()?;
    let (is_exhausted, runs, steps) = (found.is_exhausted, found.runs, found.steps);
    Ok(Hunt { violation, is_exhausted, runs, steps })
}
