use std::time::Duration;

use cadre::proptest::MinimiseOptions;
use cadre::simulate::{Config, Course, Ending, Look, Options, Run, Span, Stretch, Tally};
use cadre::trace::{GuaranteeKind, Trace};
use cadre::view::{Chart, Curve, Shares, charts};
use cadre::{GameError, Simulated};

use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::simulate_args::SimulateArgs;
use crate::watch::{Clock, count, grouped, rate};
use crate::{output, stages};

/// `simulate`: simulates runs of a game in virtual time.
pub(crate) fn run(context: &Context<'_>, args: &SimulateArgs) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, &args.game)?;
    let config = args.config()?;
    if args.print_config {
        output::line(&config.to_json());
        return Ok(Exit::Holds);
    }
    let seeds = args.seeds()?;
    let options = Options { seeds, workers: args.workers() };
    output::line(&format!("simulating {} · {}", chosen.title(), args.beginning()));
    let clock = Clock::start();
    let mut pace = Pace::new(&clock, &options);
    let mut watch = |look: &Look| {
        pace.look(look);
        !context.stop.requested()
    };
    let found = chosen.game.simulate(&chosen.setup, &config, &options, &mut watch);
    pace.end();
    let found = found.map_err(|error| Failure {
        exit: if matches!(error, GameError::Simulation(_)) { Exit::Usage } else { Exit::Internal },
        error: error.into(),
    })?;
    let lines = print_found(&found, clock.elapsed(), &config);
    if let Some(path) = &args.plot {
        let svg = plot(&found, &chosen);
        std::fs::write(path, svg)
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))
            .or_exit(Exit::ToolChain)?;
        output::stage("", "drawn", &path.display().to_string());
    }
    conclude(context, &chosen, &found, lines)
}

/// The most kinds of messages that are told.
const KINDS_MAX: usize = 6;

/// Prints what was counted; how many lines it took.
fn print_found(found: &Simulated, elapsed: Duration, config: &Config) -> usize {
    let (tally, runs) = (&found.simulation.tally, &found.simulation.runs);
    let outcome = if found.simulation.violation.is_some() { "violated" } else { "bounded" };
    let stopped = if found.simulation.is_stopped { "interrupted: " } else { "" };
    let mut lines = vec![(
        "simulate",
        outcome,
        format!(
            "{stopped}{}, {} of virtual time, {}, {:.1} s at {}/s",
            count(runs.len(), "run", "runs"),
            Span::from_us(tally.time_us / 100_000 * 100_000),
            count(usize::try_from(tally.sent).unwrap_or(usize::MAX), "message", "messages"),
            elapsed.as_secs_f64(),
            rate(tally.sent, elapsed),
        ),
    )];
    if let Some(availability) = tally.availability() {
        let (asked, within) = (grouped(tally.asked), config.answer_within);
        let share = format!("{:.1} % of {asked} requests within {within}", 100.0 * availability);
        lines.push(("", "answered", format!("{share}, {:.1} in a second", tally.goodput())));
    }
    let percentile = |share| tally.latencies.percentile(share).map(Span::from_us);
    if let (Some(half), Some(most), Some(nearly), Some(longest)) =
        (percentile(0.5), percentile(0.9), percentile(0.99), percentile(1.0))
    {
        let told = format!("p50 {half}, p90 {most}, p99 {nearly}, longest {longest}");
        lines.push(("", "latency", told));
    }
    if tally.sent > 0 {
        let (delivered, lost) = (grouped(tally.delivered), grouped(tally.lost));
        let told = format!("{delivered} arrived, {lost} lost");
        lines.push(("", "messages", format!("{told}{}", kinds(tally))));
    }
    if !tally.faults.is_empty() {
        let told = tally.faults.iter().map(|(fault, count)| format!("{} {fault}", grouped(*count)));
        lines.push(("", "faults", told.collect::<Vec<_>>().join(", ")));
    }
    if found.simulation.violation.is_none() {
        lines.extend(met(found).into_iter().map(|(word, told)| ("", word, told)));
        let unfinished =
            |wanted: fn(Ending) -> bool| runs.iter().filter(|run| wanted(run.ending)).count();
        let no_quorum = unfinished(|ending| matches!(ending, Ending::NoQuorum { .. }));
        if no_quorum > 0 {
            let told = format!("{}, nothing was to be expected", count(no_quorum, "run", "runs"));
            lines.push(("", "no quorum", told));
        }
        let beyond = unfinished(|ending| ending == Ending::BeyondBudgets);
        if beyond > 0 {
            let told = format!("{} went wrong, with more faults", count(beyond, "run", "runs"));
            lines.push(("", "budgets", told));
        }
        let cut_off = unfinished(|ending| ending == Ending::EventsMax);
        if cut_off > 0 {
            let told =
                format!("{} after {} events", count(cut_off, "run", "runs"), config.events_max);
            lines.push(("", "cut off", told));
        }
    }
    for (name, outcome, particulars) in &lines {
        output::stage(name, outcome, particulars);
    }
    lines.len()
}

fn kinds(tally: &Tally) -> String {
    let mut kinds: Vec<_> = tally.kinds.iter().collect();
    if kinds.len() < 2 {
        return String::new();
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(count.sent));
    let more = kinds.len().saturating_sub(KINDS_MAX);
    let told = kinds.iter().take(KINDS_MAX);
    let told: Vec<String> =
        told.map(|(kind, count)| format!("{} {kind}", grouped(count.sent))).collect();
    let more = if more > 0 { format!(" and {more} more kinds") } else { String::new() };
    format!("; {} sent{more}", told.join(", "))
}

/// The `reachable` guarantees, and in how many runs an example of each was met.
fn met(found: &Simulated) -> Vec<(&'static str, String)> {
    let claims = found.claims.iter().enumerate();
    let reachable = claims.filter(|(_, claim)| claim.kind == GuaranteeKind::Reachable);
    let tell = |(guarantee, claim): (usize, &cadre::model::Claim)| {
        let is_met = |run: &&Run| run.met.contains(&guarantee);
        let runs = found.simulation.runs.iter().filter(is_met).count();
        let word = if runs > 0 { "met" } else { "not met" };
        (word, format!("{}, in {}", claim.name, count(runs, "run", "runs")))
    };
    reachable.map(tell).collect()
}

fn conclude(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    found: &Simulated,
    lines: usize,
) -> Result<Exit, Failure> {
    let (Some(violation), Some(trace)) = (found.simulation.violation, &found.trace) else {
        output::verdict("BOUNDED", "nothing was found in the runs simulated", Exit::Bounded);
        return Ok(Exit::Bounded);
    };
    let again = again(context, violation.seed);
    let name = violation.ending.guarantee().map(|guarantee| found.claims[guarantee].name.clone());
    let name = name.unwrap_or_else(|| "time goes on".to_owned());
    if let Ending::Violated { .. } = violation.ending {
        output::labelled("", &format!("seed {}: {again}", violation.seed));
        // The title, the line before, a blank and the verdict.
        print_violation(context, chosen, trace, lines + 4)?;
        output::verdict("FAIL", &name, Exit::Violated);
        return Ok(Exit::Violated);
    }
    let what = match violation.ending {
        Ending::Stuck { .. } => "stuck: nothing can happen any more, and it has not come true",
        Ending::Livelock { .. } => {
            "livelock: without faults things went on to happen, and it has not come true"
        }
        Ending::Zeno => "events go on without time passing",
        Ending::Violated { .. }
        | Ending::Converged
        | Ending::NoQuorum { .. }
        | Ending::EventsMax
        | Ending::BeyondBudgets => "",
    };
    let saved = context.save(trace)?;
    output::labelled("", what);
    output::labelled("seed", &again);
    output::labelled("saved", &saved.display().to_string());
    output::labelled("replay", &context.command("replay", &saved));
    output::verdict("FAIL", &name, Exit::Violated);
    Ok(Exit::Violated)
}

/// Prints a violation, as short as it can be made; the whole run is kept as well.
fn print_violation(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    trace: &Trace,
    lines: usize,
) -> Result<(), Failure> {
    let whole = context.save(trace)?;
    let steps = trace.steps.len();
    output::labelled("", &format!("the whole run: {}", whole.display()));
    let shorter = chosen.game.minimise(trace, &MinimiseOptions::default());
    let shorter = shorter.or_exit(Exit::Internal)?;
    let how = match shorter.is_minimal {
        true => format!("minimal, {steps} before"),
        false => format!("not minimal, {steps} before"),
    };
    stages::print_violation(context, &shorter.trace, &how, lines + 1)?;
    Ok(())
}

/// The command that simulates one run again: as it was typed, with the seed alone.
fn again(context: &Context<'_>, seed: u64) -> String {
    let mut words = vec![context.program.clone()];
    let mut rest = std::env::args().skip(1);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--seed" | "--runs" | "--plot" | "--workers" => drop(rest.next()),
            _ if ["--seed=", "--runs=", "--plot=", "--workers="]
                .iter()
                .any(|option| word.starts_with(option)) => {}
            _ => words.push(word),
        }
    }
    format!("{} --seed {seed}", words.join(" "))
}

/// What was counted, drawn: how long answers took, and how it went over time.
fn plot(found: &Simulated, chosen: &Chosen<'_>) -> String {
    let tally = &found.simulation.tally;
    let milliseconds: Vec<f64> =
        tally.latencies.sorted_us().iter().map(|us| *us as f64 / 1e3).collect();
    let answers = Chart::Shares(Shares {
        title: format!("Answers of {}", chosen.title()),
        across: "time to the answer, in milliseconds".to_owned(),
        up: "share of the answers".to_owned(),
        sorted: &milliseconds,
    });
    let goodput = course(
        tally,
        "Requests",
        [("asked", |stretch| stretch.asked), ("answered in time", |stretch| stretch.in_time)],
    );
    let messages = course(
        tally,
        "Messages",
        [("sent", |stretch| stretch.sent), ("lost", |stretch| stretch.lost)],
    );
    charts(&[answers, goodput, messages])
}

/// What is counted of a stretch of time.
type Count = fn(&Stretch) -> u64;

/// How often something happened in each second, over the time with faults.
fn course(tally: &Tally, title: &str, counted: [(&str, Count); 2]) -> Chart<'static> {
    let Course { stretch_us, stretches } = &tally.course;
    let curve = |(name, count): (&str, Count)| Curve {
        name: name.to_owned(),
        numbers: stretches.iter().map(|stretch| stretch.each_second(count(stretch))).collect(),
    };
    Chart::Course(cadre::view::Course {
        title: format!("{title} while there are faults"),
        across: "virtual time, in seconds".to_owned(),
        up: "in each second of a run".to_owned(),
        time: (*stretch_us * stretches.len() as u64) as f64 / 1e6,
        curves: counted.map(curve).to_vec(),
    })
}

/// Says now and then how far a simulation is.
struct Pace<'a> {
    clock: &'a Clock,
    runs: u64,
    said: Duration,
    is_terminal: bool,
}

impl<'a> Pace<'a> {
    fn new(clock: &'a Clock, options: &Options) -> Self {
        let runs = options.seeds.end - options.seeds.start;
        Self { clock, runs, said: Duration::ZERO, is_terminal: output::are_notes_seen() }
    }

    fn look(&mut self, look: &Look) {
        let elapsed = self.clock.elapsed();
        let interval =
            if self.is_terminal { Duration::from_millis(250) } else { Duration::from_secs(10) };
        if elapsed < self.said + interval {
            return;
        }
        self.said = elapsed;
        let remark = format!(
            "{:>6.0} s  {} of {} runs, {} of virtual time, {} messages/s",
            elapsed.as_secs_f64(),
            grouped(look.runs),
            grouped(self.runs),
            Span::from_us(look.time_us / 1_000_000 * 1_000_000),
            rate(look.messages, elapsed),
        );
        if self.is_terminal { output::redraw(&remark) } else { output::note(&remark) }
    }

    fn end(&self) {
        if self.is_terminal && self.said > Duration::ZERO {
            output::redraw("");
        }
    }
}
