use std::time::Duration;

use cadre::lineage::ScheduleHunt;
use cadre::proptest::MinimiseOptions;

use super::search::Pace;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::lineage_args::LineageArgs;
use crate::watch::{Clock, count, grouped};
use crate::{output, stages};

/// `lineage` of a game of no rounds: hunts in its schedules, with all the faults of its cluster.
pub(super) fn run(context: &Context<'_>, name: &str, args: &LineageArgs) -> Result<Exit, Failure> {
    let chosen = Chosen::named(context, name, args.nodes, args.bug.as_deref())?;
    let most = count(args.up_to, "fault or delay", "faults and delays");
    output::line(&format!("lineage {} · a fair schedule with up to {most}", chosen.title()));
    let clock = Clock::start();
    let mut pace = Pace::new(&clock, args.seconds.map(Duration::from_secs));
    let options = ScheduleHunt { deviations_max: args.up_to, ..ScheduleHunt::default() };
    let found = chosen
        .game
        .hunt(&chosen.setup, &options, &mut |progress| pace.look(context, progress).is_continue());
    pace.end();
    let found = found.or_exit(Exit::Internal)?;
    let outcome = if found.violation.is_some() { "violated" } else { "bounded" };
    let runs = count(usize::try_from(found.runs).unwrap_or(usize::MAX), "run", "runs");
    let (steps, seconds) = (grouped(found.steps), clock.elapsed().as_secs_f64());
    output::stage("hunt", outcome, &format!("{runs}, {steps} steps, {seconds:.1} s"));
    let Some((trace, deviations)) = &found.violation else {
        let what = match found.is_exhausted {
            true => format!("a fair schedule survives up to {most}; others were not tried"),
            false => "nothing was found before the hunt was broken off".to_owned(),
        };
        output::verdict("BOUNDED", &what, Exit::Bounded);
        return Ok(Exit::Bounded);
    };
    let (word, told) = match deviations.is_empty() {
        true => ("already", vec!["the fair schedule by itself breaks it".to_owned()]),
        false => ("with", deviations.clone()),
    };
    for (told, word) in told.iter().zip([word].into_iter().chain(std::iter::repeat(""))) {
        output::stage("", word, told);
    }
    let steps = trace.steps.len();
    let shorter = chosen.game.minimise(trace, &MinimiseOptions::default());
    let shorter = shorter.or_exit(Exit::Internal)?;
    let how = match shorter.is_minimal {
        true => format!("minimal, {steps} before"),
        false => format!("not minimal, {steps} before"),
    };
    // The title, the line before, what it takes, a blank and the verdict.
    stages::print_violation(context, &shorter.trace, &how, told.len() + 4)?;
    let name = shorter.trace.header.guarantee.as_ref().map_or("", |guarantee| &guarantee.name);
    output::verdict("FAIL", name, Exit::Violated);
    Ok(Exit::Violated)
}
