use std::time::Duration;

use cadre::lineage::{Findings, Run, Sweep, Verdict};
use cadre::{AnyRoundsGame, RoundsSetup};

use super::Playing;
use super::search::Pace;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::watch::{Clock, grouped};

/// How long a sweep goes on unless said otherwise.
const SECONDS: u64 = 60;
/// How many more rounds a program has to recover from what broke it.
const RECOVERY_MAX: u32 = 5;

/// `lineage --sweep`: goes through EOT and EFF until time is up or nothing helps any more.
pub(super) fn run(
    context: &Context<'_>,
    game: &dyn AnyRoundsGame,
    setup: &RoundsSetup,
    seconds: Option<u64>,
) -> Result<Exit, Failure> {
    let time = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let clock = Clock::start();
    let mut sweep = Sweep::new(setup.spec.crashes, RECOVERY_MAX);
    let mut first: Option<(RoundsSetup, Run)> = None;
    while !sweep.is_over() && clock.elapsed() < time && !context.stop.requested() {
        let setup = RoundsSetup { spec: sweep.spec(), bug: setup.bug.clone() };
        let mut playing = Playing::begin(game, &setup)?;
        let mut pace = Pace::new(&clock, Some(time));
        let (found, _) = playing.search_quietly(context, &mut pace)?;
        if matches!(found.verdict, Verdict::Bounded { .. }) {
            break;
        }
        print_row(&setup, &found, &playing);
        sweep.go_on(&found);
        match found.verdict {
            Verdict::Violated { counterexamples, .. } if first.is_none() => {
                first = counterexamples.into_iter().next().map(|run| (setup, run));
            }
            Verdict::Certified => first = None,
            Verdict::Violated { .. } | Verdict::Vacuous | Verdict::Bounded { .. } => {}
        }
    }
    conclude(context, game, &sweep, first)
}

fn conclude(
    context: &Context<'_>,
    game: &dyn AnyRoundsGame,
    sweep: &Sweep,
    first: Option<(RoundsSetup, Run)>,
) -> Result<Exit, Failure> {
    if let (Some(failing), Some((setup, run))) = (sweep.failing(), first) {
        let recovered = match sweep.is_over() {
            true => format!("and {RECOVERY_MAX} more rounds do not mend it"),
            false => "time was up before more rounds could mend it".to_owned(),
        };
        output::labelled("smallest", &format!("{failing}: {recovered}"));
        let mut playing = Playing::begin(game, &setup)?;
        playing.print_counterexample(context, &run, "smallest there")?;
        return Ok(playing.print_failed(&run));
    }
    let what = match sweep.clean() {
        Some(clean) => format!("certified up to {clean}; time was up"),
        None => "time was up before anything was certified".to_owned(),
    };
    output::verdict("BOUNDED", &what, Exit::Bounded);
    Ok(Exit::Bounded)
}

fn print_row(setup: &RoundsSetup, found: &Findings, playing: &Playing<'_>) {
    let (outcome, particulars) = match &found.verdict {
        Verdict::Certified => ("certified", String::new()),
        Verdict::Vacuous => ("vacuous", String::new()),
        Verdict::Bounded { .. } => ("bounded", String::new()),
        Verdict::Violated { counterexamples, .. } => {
            ("violated", format!(", {}", counterexamples[0].faults.text(playing.rounds.names())))
        }
    };
    let spec = setup.spec;
    let at = format!("{}/{}/{}", spec.eot, spec.eff, spec.crashes);
    output::stage(&at, outcome, &format!("{} runs{particulars}", grouped(found.runs)));
}
