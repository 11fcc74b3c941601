use cadre::proptest::FuzzOptions;
use cadre::{Fuzzed, GameError};

use crate::args::GameArgs;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::watch::grouped;
use crate::{output, stages};

/// Which executions are tried.
pub(crate) struct Search {
    pub(crate) cases: u32,
    pub(crate) steps: usize,
    pub(crate) seed: u64,
    pub(crate) weight: Vec<(String, u32)>,
    pub(crate) steady: bool,
}

/// `fuzz`: tries random executions of a game, and shrinks what fails.
pub(crate) fn run(
    context: &Context<'_>,
    game: &GameArgs,
    search: &Search,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    let options = search.options(&chosen)?;
    output::line(&format!("fuzzing {}", chosen.title()));
    let go_on = &mut |_| !context.stop.requested();
    let found = chosen.game.fuzz(&chosen.setup, &options, go_on).or_exit(Exit::Internal)?;
    stages::print_fuzzed(&found, options.seed);
    // The title, the stage's line, a blank and the verdict.
    conclude(context, &found, 4)
}

/// `fuzz --check-determinism`: tries random executions twice, and compares.
pub(crate) fn run_twice(
    context: &Context<'_>,
    game: &GameArgs,
    search: &Search,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    let options = search.options(&chosen)?;
    output::line(&format!("fuzzing {}, twice", chosen.title()));
    let go_on = &mut |_| !context.stop.requested();
    let twice = chosen.game.fuzz_twice(&chosen.setup, &options, go_on).or_exit(Exit::Internal)?;
    stages::print_fuzzed(&twice.fuzzed, options.seed);
    let Some(parted) = &twice.parted else {
        let particulars = match twice.fuzzed.stopped {
            true => "interrupted: not compared".to_owned(),
            false => format!("the second time, with fingerprint {:032x}", twice.fingerprint),
        };
        output::stage("again", if twice.fuzzed.stopped { "bounded" } else { "same" }, &particulars);
        return conclude(context, &twice.fuzzed, 5);
    };
    output::stage("again", "differs", &parted.told);
    if let Some((step, differences)) = &parted.differences {
        let of_first = parted.traces[0].steps.get(step.wrapping_sub(1));
        let action = of_first.map_or("before the first step".to_owned(), |step| {
            format!("step {}, {}", step.step, step.action)
        });
        output::labelled("", &action);
        let (shown, more) = differences.split_at(differences.len().min(DIFFERENCES_MAX));
        shown.iter().for_each(|difference| output::labelled("", &difference.to_string()));
        if !more.is_empty() {
            output::labelled("", &format!("and {} more", grouped(more.len() as u64)));
        }
    }
    let what = "the same seed does not give the same run: look for clocks, random sources, global \
                variables and hash order";
    output::verdict("FAIL", what, Exit::Violated);
    Ok(Exit::Violated)
}

/// How many differences between two runs are told.
const DIFFERENCES_MAX: usize = 10;

impl Search {
    fn options(&self, chosen: &Chosen<'_>) -> Result<FuzzOptions, Failure> {
        let weights = chosen.game.weights(&chosen.setup, &self.weight);
        let weights = weights.map_err(|error| Failure {
            exit: if matches!(error, GameError::Weights(_)) { Exit::Usage } else { Exit::Internal },
            error: error.into(),
        })?;
        let weights = if self.steady { weights.steady() } else { weights };
        Ok(FuzzOptions { cases: self.cases, steps_max: self.steps, seed: self.seed, weights })
    }
}

/// Prints what a search has found, below so many lines, and the verdict.
fn conclude(context: &Context<'_>, found: &Fuzzed, lines_taken: usize) -> Result<Exit, Failure> {
    if let Some((trace, before)) = &found.violation {
        stages::print_violation(context, trace, &stages::shrunk(found, *before), lines_taken)?;
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
