use std::ops::ControlFlow;
use std::time::Duration;

use cadre::lineage::{Certification, Findings, Progress, Verdict, Wanted};

use super::Playing;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::lineage_args::LineageArgs;
use crate::output;
use crate::watch::{Clock, count, grouped};

/// After so many good runs local states are unrolled instead.
const RUNS_MAX: u64 = 2_000;

impl Playing<'_> {
    /// Looks for counterexamples by running fault sets; by unrolling, where these are too many.
    pub(super) fn search(
        &mut self,
        context: &Context<'_>,
        pace: &mut Pace<'_>,
        args: &LineageArgs,
    ) -> Result<Findings, Failure> {
        let wanted = if args.all { Wanted::Minimal } else { Wanted::One };
        let ran = match args.certify {
            true => None,
            false => Some(self.run_sets(context, pace, wanted)?),
        };
        if let Some(found) = &ran {
            print_found(found, pace.clock.elapsed());
        }
        let certified = match ran {
            Some(found) if !is_for_unrolling(&found, wanted) => return Ok(found),
            Some(_) | None => self.unroll(context, pace)?,
        };
        print_certified(&certified, pace.clock.elapsed());
        Ok(certified.findings)
    }

    /// Looks for one of the smallest counterexamples without a word; and says whether it took
    /// unrolling.
    pub(super) fn search_quietly(
        &mut self,
        context: &Context<'_>,
        pace: &mut Pace<'_>,
    ) -> Result<(Findings, bool), Failure> {
        let ran = self.run_sets(context, pace, Wanted::One)?;
        if !is_for_unrolling(&ran, Wanted::One) {
            return Ok((ran, false));
        }
        let unrolled = self.unroll(context, pace)?.findings;
        Ok((Findings { runs: ran.runs + unrolled.runs, ..unrolled }, true))
    }

    fn run_sets(
        &mut self,
        context: &Context<'_>,
        pace: &mut Pace<'_>,
        wanted: Wanted,
    ) -> Result<Findings, Failure> {
        let found = self.rounds.explain_and_block(wanted, &mut |progress| match wanted
            != Wanted::Minimal
            && progress.runs >= RUNS_MAX
        {
            true => ControlFlow::Break(()),
            false => pace.look(context, progress),
        });
        pace.end();
        found.or_exit(Exit::Internal)
    }

    fn unroll(
        &mut self,
        context: &Context<'_>,
        pace: &mut Pace<'_>,
    ) -> Result<Certification, Failure> {
        let eot = self.setup.spec.eot;
        let unrolled = self.rounds.certify(&mut |round| {
            pace.say(context, || format!("unrolling round {round} of {eot}"))
        });
        pace.end();
        unrolled.or_exit(Exit::Internal)
    }

    /// Follows positive lineage, which may find something and proves nothing.
    pub(super) fn hunt(
        &mut self,
        context: &Context<'_>,
        pace: &mut Pace<'_>,
        args: &LineageArgs,
    ) -> Result<Exit, Failure> {
        let hunted = self.rounds.hunt(&mut |progress| pace.look(context, progress));
        pace.end();
        let hunted = hunted.or_exit(Exit::Internal)?;
        let outcome = if hunted.counterexample.is_some() { "violated" } else { "bounded" };
        let effort = effort(hunted.runs, hunted.step_calls);
        let seconds = pace.clock.elapsed().as_secs_f64();
        output::stage("hunt", outcome, &format!("{effort}, {seconds:.1} s"));
        if let Some(series) = args.random {
            self.print_random(series, args.seed)?;
        }
        if let Some(run) = &hunted.counterexample {
            self.print_counterexample(context, run, "found by its lineage, perhaps not smallest")?;
            return Ok(self.print_failed(run));
        }
        let what = match hunted.is_exhausted {
            true => "nothing is left that takes away what supported good outcomes; no certificate",
            false => "nothing was found before time was up",
        };
        output::verdict("BOUNDED", what, Exit::Bounded);
        Ok(Exit::Bounded)
    }
}

/// Whether there were too many runs, and another engine knows better.
fn is_for_unrolling(found: &Findings, wanted: Wanted) -> bool {
    let is_open = matches!(found.verdict, Verdict::Bounded { .. });
    is_open && wanted != Wanted::Minimal && found.runs >= RUNS_MAX
}

/// Prints what a search has found.
pub(super) fn print_found(found: &Findings, elapsed: Duration) {
    let (outcome, what) = told(&found.verdict);
    let effort = effort(found.runs, found.step_calls);
    let seconds = elapsed.as_secs_f64();
    output::stage("lineage", outcome, &format!("{effort}, {what}, {seconds:.1} s"));
}

fn print_certified(certified: &Certification, elapsed: Duration) {
    let (outcome, what) = told(&certified.findings.verdict);
    let particulars = format!(
        "unrolled: {} local states, {} local steps, {what}, {:.1} s",
        grouped(certified.states),
        grouped(certified.steps),
        elapsed.as_secs_f64()
    );
    output::stage("lineage", outcome, &particulars);
}

fn effort(runs: u64, step_calls: u64) -> String {
    let runs = count(usize::try_from(runs).unwrap_or(usize::MAX), "run", "runs");
    format!("{runs}, {} calls of the program", grouped(step_calls))
}

/// A verdict as a word, and what is covered.
fn told(verdict: &Verdict) -> (&'static str, String) {
    let covered = |size: Option<usize>| match size {
        None => "nothing is covered".to_owned(),
        Some(0) => "the run without faults is good".to_owned(),
        Some(size) => {
            format!("all fault sets of up to {} covered", count(size, "fault", "faults"))
        }
    };
    match verdict {
        Verdict::Certified => ("certified", "all fault sets covered".to_owned()),
        Verdict::Vacuous => ("vacuous", "all fault sets covered, which means little".to_owned()),
        Verdict::Bounded { covered: size } => ("bounded", covered(*size)),
        Verdict::Violated { counterexamples, is_complete } => {
            let smallest = counterexamples[0].faults.len();
            let rest = if *is_complete { "" } else { ", interrupted: there may be more" };
            ("violated", format!("{}{rest}", covered(smallest.checked_sub(1))))
        }
    }
}

/// Says now and then how far a search is, and ends it when time is up.
pub(super) struct Pace<'a> {
    pub(super) clock: &'a Clock,
    limit: Option<Duration>,
    said: Duration,
    is_terminal: bool,
}

impl<'a> Pace<'a> {
    pub(super) fn new(clock: &'a Clock, limit: Option<Duration>) -> Self {
        Self { clock, limit, said: Duration::ZERO, is_terminal: output::are_notes_seen() }
    }

    pub(super) fn look(&mut self, context: &Context<'_>, progress: &Progress) -> ControlFlow<()> {
        self.say(context, || {
            let covered = progress.covered.map_or("no fault set".to_owned(), |size| {
                format!("all fault sets of up to {}", count(size, "fault", "faults"))
            });
            format!("{} runs, {covered} covered", grouped(progress.runs))
        })
    }

    fn say(&mut self, context: &Context<'_>, what: impl Fn() -> String) -> ControlFlow<()> {
        let elapsed = self.clock.elapsed();
        let interval =
            if self.is_terminal { Duration::from_millis(250) } else { Duration::from_secs(10) };
        if elapsed >= self.said + interval {
            self.said = elapsed;
            let remark = format!("{:>6.0} s  {}", elapsed.as_secs_f64(), what());
            if self.is_terminal { output::redraw(&remark) } else { output::note(&remark) }
        }
        let is_over = self.limit.is_some_and(|limit| elapsed >= limit);
        if is_over || context.stop.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    pub(super) fn end(&self) {
        if self.is_terminal && self.said > Duration::ZERO {
            output::redraw("");
        }
    }
}
