mod report;
mod schedule;
mod search;
mod sweep;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre::lineage::{
    AnyRounds, FaultSet, Findings, LineageError, RandomInjection, Verdict, first_difference,
};
use cadre::model::Origin;
use cadre::trace::Trace;
use cadre::{AnyGame, AnyRoundsGame, GameError, RoundsSetup};

use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::lineage_args::LineageArgs;
use crate::output;
use crate::watch::{Clock, count, grouped};
use search::Pace;

/// `lineage`: looks for the smallest faults that break a program of rounds.
pub(crate) fn run(context: &Context<'_>, args: &LineageArgs) -> Result<Exit, Failure> {
    if args.table {
        return table::run(context, args);
    }
    let name = args.program.as_deref().unwrap_or_default();
    if context.suite.find(name).is_some() {
        args.check_for_game(name)?;
        return schedule::run(context, name, args);
    }
    let game = game(context, name)?;
    let setup = args.setup(game);
    let mut playing = Playing { html: args.html.clone(), ..Playing::begin(game, &setup)? };
    output::line(&playing.title("lineage"));
    if args.dry_run {
        return Ok(playing.print_size());
    }
    if let Some(faults) = &args.faults {
        return playing.run_once(context, faults);
    }
    if args.sweep {
        return sweep::run(context, game, &setup, args.seconds);
    }
    let clock = Clock::start();
    let mut pace = Pace::new(&clock, args.seconds.map(Duration::from_secs));
    if args.hunt {
        return playing.hunt(context, &mut pace, args);
    }
    let found = playing.search(context, &mut pace, args)?;
    if let Some(series) = args.random {
        playing.print_random(series, args.seed)?;
    }
    if args.verify_complete && !playing.print_comparison(&found)? {
        output::verdict("FAIL", "trying everything finds something else", Exit::Internal);
        return Ok(Exit::Internal);
    }
    playing.conclude(context, found)
}

/// `replay` of a trace of rounds: runs its faults again and compares.
pub(crate) fn replay(
    game: &dyn AnyRoundsGame,
    trace: &Trace,
    path: &Path,
) -> Result<Exit, Failure> {
    output::line(&format!("replaying {}", path.display()));
    let (setup, faults) = game.setup_of(&trace.header).or_exit(Exit::Input)?;
    let mut playing = Playing::begin(game, &setup)?;
    let (run, again) = playing.record(&faults)?;
    if let Some((step, differences)) = first_difference(trace, &again) {
        output::stage("lineage", "differs", &format!("at step {step}"));
        for difference in differences.iter().take(DIFFERENCES_MAX) {
            output::labelled("", &difference.to_string());
        }
        output::verdict("FAIL", "the program does something else", Exit::Violated);
        return Ok(Exit::Violated);
    }
    let steps = count(trace.steps.len(), "step", "steps");
    output::stage("lineage", "agrees", &format!("{steps} by the step function, with {faults}"));
    Ok(match run.broken.first() {
        None => {
            output::verdict("PASS", "every step is as recorded", Exit::Holds);
            Exit::Holds
        }
        Some(broken) => {
            let what = format!("violated again, {}", broken.guarantee);
            output::verdict("FAIL", &what, Exit::Violated);
            Exit::Violated
        }
    })
}

/// How many differences of a step are told.
const DIFFERENCES_MAX: usize = 5;

/// The program of rounds of a name.
fn game<'a>(context: &Context<'a>, name: &str) -> Result<&'a dyn AnyRoundsGame, Failure> {
    let suite = context.suite;
    let known = || suite.rounds_games().map(AnyRoundsGame::name).collect::<Vec<_>>().join(", ");
    let game = suite.find_rounds(name);
    game.ok_or_else(|| {
        let games = suite.games().map(AnyGame::name).collect::<Vec<_>>().join(", ");
        anyhow::anyhow!(
            "there is no program of rounds `{name}`, and no game; there is {}, and {games}",
            known()
        )
    })
    .or_exit(Exit::Usage)
}

/// A program that is attacked.
struct Playing<'a> {
    game: &'a dyn AnyRoundsGame,
    setup: RoundsSetup,
    rounds: Box<dyn AnyRounds>,
    origin: Origin,
    /// Where a report is written.
    html: Option<PathBuf>,
}

impl<'a> Playing<'a> {
    fn begin(game: &'a dyn AnyRoundsGame, setup: &RoundsSetup) -> Result<Self, Failure> {
        let rounds = game.begin(setup).map_err(|error| {
            let is_usage = matches!(
                error,
                GameError::NoSuchBug { .. } | GameError::Lineage(LineageError::Spec { .. })
            );
            let exit = if is_usage { Exit::Usage } else { Exit::Internal };
            Failure { exit, error: error.into() }
        })?;
        let (setup, origin) = (setup.clone(), game.origin(setup));
        Ok(Self { game, setup, rounds, origin, html: None })
    }

    /// What is attacked, for the first line.
    fn title(&self, verb: &str) -> String {
        let bug = self.setup.bug.as_ref().map_or(String::new(), |bug| format!(" · bug {bug}"));
        format!("{verb} {} · {}{bug}", self.game.name(), self.setup.spec)
    }

    fn print_size(&self) -> Exit {
        let nodes = self.rounds.names();
        let size = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let combinations = grouped(self.setup.spec.combinations(size));
        output::stage("size", "", &format!("about {combinations} fault sets"));
        output::labelled("nodes", &nodes.join(", "));
        for claim in self.rounds.claims() {
            output::labelled("", &format!("holds     {claim}"));
        }
        output::labelled("run", "nothing: this was a dry run");
        Exit::Holds
    }

    /// Runs one set of faults.
    fn run_once(&mut self, context: &Context<'_>, faults: &str) -> Result<Exit, Failure> {
        let (run, trace) = self.record(faults)?;
        if !run.is_good() {
            output::stage("lineage", "violated", "1 run, with the faults that were asked for");
            self.print_counterexample(context, &run, "as asked for")?;
            return Ok(self.print_failed(&run));
        }
        output::stage("lineage", "holds", "1 run, with the faults that were asked for");
        output::line("");
        super::show::draw(&trace, 100);
        output::line("");
        self.print_vacuous(&run.vacuous);
        output::verdict(
            "BOUNDED",
            "these faults break nothing; others were not tried",
            Exit::Bounded,
        );
        Ok(Exit::Bounded)
    }

    fn record(&mut self, faults: &str) -> Result<(cadre::lineage::Run, Trace), Failure> {
        let set = FaultSet::parse(faults, self.rounds.names()).or_exit(Exit::Usage)?;
        let run = self.rounds.run(&set).map_err(|error| Failure {
            exit: match error {
                LineageError::Inadmissible { .. } => Exit::Usage,
                _ => Exit::Internal,
            },
            error: error.into(),
        })?;
        let trace = self.rounds.record(&run, &self.origin).or_exit(Exit::Internal)?;
        Ok((run, trace))
    }

    /// Prints how many runs random injection takes.
    fn print_random(&mut self, series: u64, seed: u64) -> Result<(), Failure> {
        let (mean, missed) = self.random_mean(series, seed)?;
        let told = match (mean, missed) {
            (None, _) => format!(
                "nothing found in {} of {} runs each",
                count(usize::try_from(series).unwrap_or(usize::MAX), "series", "series"),
                grouped(RANDOM_RUNS_MAX)
            ),
            (Some(mean), 0) => format!("{mean:.1} runs on average to find any, of {series} series"),
            (Some(mean), missed) => format!(
                "more than {mean:.1} runs on average: {missed} of {series} series found nothing \
                 in {} runs",
                grouped(RANDOM_RUNS_MAX)
            ),
        };
        output::stage("", "random", &told);
        Ok(())
    }

    /// How many runs random injection takes on average to break something, counting those series
    /// that never do with all their runs, and how many these are; nothing if none does.
    fn random_mean(&mut self, series: u64, seed: u64) -> Result<(Option<f64>, u64), Failure> {
        let (mut sum, mut missed) = (0, 0);
        for seed in (0..series).map(|number| seed.wrapping_add(number)) {
            let injection =
                RandomInjection { seed, loss_percent: LOSS_PERCENT, runs_max: RANDOM_RUNS_MAX };
            match self.rounds.inject_at_random(&injection).or_exit(Exit::Internal)? {
                Some(runs) => sum += runs,
                None => {
                    sum += RANDOM_RUNS_MAX;
                    missed += 1;
                }
            }
        }
        let is_found = missed < series;
        Ok((is_found.then(|| sum as f64 / series as f64), missed))
    }

    /// Tries everything and says whether that comes to the same.
    fn print_comparison(&mut self, found: &Findings) -> Result<bool, Failure> {
        let exhausted = self.rounds.exhaust().or_exit(Exit::Internal)?;
        let agrees = exhausted.agrees_with(found);
        let outcome = if agrees { "agrees" } else { "differs" };
        let smallest = match &exhausted.smallest {
            None => "no violation".to_owned(),
            Some(faults) => {
                format!("smallest violation of {}", count(faults.len(), "fault", "faults"))
            }
        };
        let executions = grouped(&exhausted.executions);
        let ratio = grouped(exhausted.ratio_to(found));
        output::stage(
            "",
            outcome,
            &format!(
                "trying everything: {smallest}, {executions} executions, {ratio} for each run above"
            ),
        );
        Ok(agrees)
    }

    fn conclude(&mut self, context: &Context<'_>, found: Findings) -> Result<Exit, Failure> {
        self.print_vacuous(&found.vacuous);
        match found.verdict {
            Verdict::Certified => {
                for claim in self.rounds.claims() {
                    output::stage("", "certified", &claim);
                }
                let what = "no admissible faults break a guarantee";
                output::verdict("PASS", what, Exit::Holds);
                Ok(Exit::Holds)
            }
            Verdict::Vacuous => {
                let what = "no certificate: without faults nothing is judged";
                output::verdict("VACUOUS", what, Exit::Bounded);
                Ok(Exit::Bounded)
            }
            Verdict::Bounded { covered } => {
                let what = match covered {
                    None => "nothing was found, and nothing is covered".to_owned(),
                    Some(size) => format!(
                        "nothing was found; fault sets of more than {} are not covered",
                        count(size, "fault", "faults")
                    ),
                };
                output::verdict("BOUNDED", &what, Exit::Bounded);
                Ok(Exit::Bounded)
            }
            Verdict::Violated { counterexamples, .. } => {
                for other in counterexamples.iter().skip(1) {
                    output::stage("", "minimal", &other.faults.text(self.rounds.names()));
                }
                self.print_counterexample(context, &counterexamples[0], "smallest")?;
                Ok(self.print_failed(&counterexamples[0]))
            }
        }
    }

    fn print_vacuous(&self, vacuous: &[String]) {
        let eot = self.setup.spec.eot;
        for name in vacuous {
            output::stage(
                "",
                "warning",
                &format!("without faults nothing is asked by EOT {eot} of `{name}`; raise --eot"),
            );
        }
    }

    fn print_failed(&self, run: &cadre::lineage::Run) -> Exit {
        output::verdict("FAIL", &run.broken[0].guarantee, Exit::Violated);
        Exit::Violated
    }
}

/// How probable it is, in percent, that a channel loses a round's messages at random.
const LOSS_PERCENT: u64 = 10;
/// The most runs of one series of random injection.
const RANDOM_RUNS_MAX: u64 = 10_000;
