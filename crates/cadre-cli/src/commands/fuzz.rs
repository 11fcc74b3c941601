use cadre::proptest::FuzzOptions;

use crate::args::GameArgs;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::{output, stages};

/// `fuzz`: tries random executions of a game, and shrinks what fails.
pub(crate) fn run(
    context: &Context<'_>,
    game: &GameArgs,
    options: &FuzzOptions,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    output::line(&format!("fuzzing {}", chosen.title()));
    let go_on = &mut |_| !context.stop.requested();
    let found = chosen.game.fuzz(&chosen.setup, options, go_on).or_exit(Exit::Internal)?;
    stages::print_fuzzed(&found, options.seed);
    if let Some((trace, before)) = &found.violation {
        let how = format!("shrunk from {before} steps");
        // The title, the stage's line, a blank and the verdict.
        stages::print_violation(context, trace, &how, 4)?;
        let name = trace.header.guarantee.as_ref().map_or("", |guarantee| &guarantee.name);
        output::verdict("FAIL", name, Exit::Violated);
        return Ok(Exit::Violated);
    }
    for (claim, was_met) in &found.reached {
        let word = if *was_met { "met" } else { "not met" };
        output::stage("", word, &claim.name);
    }
    output::verdict("BOUNDED", "nothing was found in the executions tried", Exit::Bounded);
    Ok(Exit::Bounded)
}
