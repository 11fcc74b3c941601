use cadre::conform::{Report, TraceVerdict};
use cadre::proptest::{FuzzOptions, SampleOptions};
use cadre::trace::{Action, Fault, Kept, Trace, Verdict};
use cadre::{Explored, Found, GameError};

use crate::args::{GameArgs, ProcessArgs, SearchArgs};
use crate::chosen::Chosen;
use crate::commands::explore::{never_true, violated};
use crate::commands::replay::print_difference;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::stages::{Named, Tally};
use crate::{output, rejected, stages};

/// What is drawn at random.
pub(crate) struct Sampling {
    /// How many traces TLC checks.
    pub(crate) traces: u32,
    pub(crate) seed: u64,
}

/// The most steps of a random execution.
const STEPS_MAX: usize = 60;
/// How many random executions are tried.
const FUZZ_CASES: u32 = 256;
/// How many random executions are tried for each that is wanted: some come twice.
const ATTEMPTS_PER_TRACE: usize = 20;
/// How many free runs of real processes are recorded.
const FREE_RUNS: u64 = 3;
/// How many sampled schedules are replayed on real processes.
const REPLAYS: usize = 3;
/// How many traces that do not conform are told of.
const REJECTIONS_MAX: usize = 3;
/// How long a node may take for a step.
const PROCESS: ProcessArgs = ProcessArgs { base_port: None, step_seconds: 10 };

/// `check`: the whole pipeline for one game.
pub(crate) fn run(
    context: &mut Context<'_>,
    game: &GameArgs,
    search: &SearchArgs,
    sampling: &Sampling,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    output::line(&format!("checking {}", chosen.title()));
    let mut run = context.run_directory("check")?;
    let found = stages::explore(context, &chosen, search)?;
    if let Some(violated) = violated(&found) {
        return check_violation(context, &chosen, violated, &mut run);
    }
    if context.stop.requested() {
        return Ok(conclude(Verdict::Bounded, None));
    }
    let options = FuzzOptions {
        cases: FUZZ_CASES,
        steps_max: STEPS_MAX,
        seed: sampling.seed,
        ..FuzzOptions::default()
    };
    let go_on = &mut |_| !context.stop.requested();
    let fuzzed = chosen.game.fuzz(&chosen.setup, &options, go_on).or_exit(Exit::Internal)?;
    stages::print_fuzzed(&fuzzed, sampling.seed);
    if let Some((trace, before)) = &fuzzed.violation {
        let how = stages::shrunk(&fuzzed, *before);
        stages::report_violation(context, &mut run, trace, &how, 5)?;
        output::verdict("FAIL", "a random execution violates a guarantee", Exit::Violated);
        return Ok(Exit::Violated);
    }
    let traces = traces_to_check(context, &chosen, &found, sampling, &mut run)?;
    let conformed = stages::conform(context, &chosen, &traces, &mut run)?;
    if let Some(report) = &conformed
        && !Tally::of(report).conforms()
    {
        rejected::print_rejections(report, &traces, REJECTIONS_MAX);
        stages::print_foreign_faults(&chosen);
        if let Some(trace) = first_rejected(report, &traces) {
            let written = stages::write_report(&mut run, trace)?;
            output::labelled("report", &written.display().to_string());
        }
        output::labelled("logs", &run.keep().display().to_string());
        return Ok(Tally::of(report).print_verdict());
    }
    let schedules = schedules_to_replay(&chosen, &traces)?;
    if let Some((index, outcome)) =
        stages::replay(context, &chosen, &schedules, &PROCESS, &mut run)?
    {
        print_difference(&outcome);
        let saved = context.save(&schedules[index].trace)?;
        let bug = chosen.process_bug.map_or(String::new(), |(bug, _)| format!(" --bug {bug}"));
        output::labelled("saved", &saved.display().to_string());
        let replay = format!("{}{bug}", context.command("replay", &saved));
        output::labelled("replay", &replay);
        let report = stages::write_report(&mut run, &schedules[index].trace)?;
        output::labelled("report", &report.display().to_string());
        output::labelled("logs", &run.keep().display().to_string());
        output::verdict("FAIL", "the real processes do something else", Exit::Violated);
        return Ok(Exit::Violated);
    }
    Ok(conclude(found.verdict, conformed.as_ref()))
}

/// The first trace that does not conform.
fn first_rejected<'a>(report: &Report, traces: &'a [Named]) -> Option<&'a Trace> {
    let mut judged = report.verdicts.iter().zip(traces);
    let rejected = judged.find(|(verdict, _)| matches!(verdict, TraceVerdict::Rejected(_)));
    rejected.map(|(_, named)| &named.trace)
}

/// What is done with a counterexample: TLC says which step is wrong, and real processes do it too.
fn check_violation(
    context: &mut Context<'_>,
    chosen: &Chosen<'_>,
    violated: &Found,
    run: &mut crate::run_directory::RunDirectory,
) -> Result<Exit, Failure> {
    let Some(trace) = &violated.trace else {
        output::line(&never_true(violated));
        output::verdict("FAIL", &violated.claim.name, Exit::Violated);
        return Ok(Exit::Violated);
    };
    let named = [Named { name: "counterexample".to_owned(), trace: trace.clone() }];
    // The title, the lines of three stages, a blank and the verdict.
    let mut lines = 6;
    if let Some(report) = stages::conform(context, chosen, &named, run)? {
        lines += rejected::print_rejections(&report, &named, 1);
    }
    let differs = stages::replay(context, chosen, &named, &PROCESS, run)?;
    stages::report_violation(context, run, trace, "shortest", lines)?;
    if let Some((_, outcome)) = differs {
        print_difference(&outcome);
        output::labelled("logs", &run.keep().display().to_string());
    }
    output::verdict("FAIL", &violated.claim.name, Exit::Violated);
    Ok(Exit::Violated)
}

/// Examples that the search has met, sampled executions of the model, and free runs of real
/// processes.
fn traces_to_check(
    context: &Context<'_>,
    chosen: &Chosen<'_>,
    found: &Explored,
    sampling: &Sampling,
    run: &mut crate::run_directory::RunDirectory,
) -> Result<Vec<Named>, Failure> {
    let count = sampling.traces as usize;
    let options = SampleOptions {
        count,
        steps_max: STEPS_MAX,
        seed: sampling.seed,
        attempts_max: count.saturating_mul(ATTEMPTS_PER_TRACE),
    };
    let sampled = chosen.game.sample(&chosen.setup, &options).or_exit(Exit::Internal)?;
    let recorded = stages::record(context, chosen, FREE_RUNS, run)?;
    let examples = found.findings.iter().filter_map(|finding| finding.trace.clone());
    let mut traces = Vec::new();
    for (kind, of_kind) in
        [("example", examples.collect()), ("sampled", sampled), ("recorded", recorded)]
    {
        let named = of_kind.into_iter().zip(1..);
        traces.extend(named.map(|(trace, number): (Trace, usize)| Named {
            name: format!("{kind} {number}"),
            trace,
        }));
    }
    Ok(traces)
}

/// A few of the schedules, the longest ones, and one of them with a crash after each step: what a
/// node says must have reached its disk.
fn schedules_to_replay(chosen: &Chosen<'_>, traces: &[Named]) -> Result<Vec<Named>, Failure> {
    // What was recorded has run on real processes already.
    let is_found = |named: &&Named| named.trace.header.origin != "process";
    let mut found: Vec<&Named> = traces.iter().filter(is_found).collect();
    found.sort_by_key(|named| std::cmp::Reverse(named.trace.steps.len()));
    let longest = found.into_iter().take(REPLAYS);
    let mut schedules: Vec<Named> = longest.cloned().collect();
    if let Some(longest) = schedules.first() {
        match chosen.game.execute(&chosen.setup, &with_crashes(&longest.trace)) {
            Ok(trace) => {
                schedules.push(Named { name: format!("{} with crashes", longest.name), trace });
            }
            // A crash has changed what can happen: this protocol does not hide crashes, and its
            // game says which ones it has to survive.
            Err(GameError::Unresolved(_)) => {}
            Err(error) => return Err(error).or_exit(Exit::Internal),
        }
    }
    Ok(schedules)
}

/// The schedule with a crash and restart of the node after each of its steps: a process that spoke
/// before its disk was synced forgets what it said.
fn with_crashes(trace: &Trace) -> Vec<Action> {
    trace
        .schedule()
        .flat_map(|action| {
            let crash = action.node().map(|node| {
                let (node, kept) = (node.to_owned(), Kept::default());
                Action::Fault(Fault::CrashRestart { node, kept })
            });
            std::iter::once(action.clone()).chain(crash)
        })
        .collect()
}

fn conclude(explored: Verdict, conformed: Option<&Report>) -> Exit {
    match explored {
        Verdict::Holds => {
            let conform = if conformed.is_some() { " traces conform," } else { "" };
            let what = format!("every guarantee holds,{conform} real processes agree");
            output::verdict("PASS", &what, Exit::Holds);
            Exit::Holds
        }
        Verdict::Bounded | Verdict::Violated => {
            let what = "nothing was found, but not every configuration was seen";
            output::verdict("BOUNDED", what, Exit::Bounded);
            Exit::Bounded
        }
    }
}
