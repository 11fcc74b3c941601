use std::time::Duration;

use cadre::conform::{
    self, BadStep, Fault, GraphBound, GraphBounds, GraphReport, MappedGraph, Report, Spec,
};
use cadre::tla::Engine;
use cadre::trace::Trace;
use cadre::{GameError, GameGraph};

use crate::args::GraphArgs;
use crate::chosen::Chosen;
use crate::commands::conform::no_spec;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit, of_conform};
use crate::run_directory::RunDirectory;
use crate::specification::{judge_failure, judge_names};
use crate::stages::{self, Named};
use crate::watch::{Clock, count, grouped};
use crate::{engines, output, rejected};

/// `conform --graph`: has TLC check every state and every step of a game.
pub(crate) fn run(
    context: &mut Context<'_>,
    game: &str,
    args: &GraphArgs,
) -> Result<Exit, Failure> {
    let (chosen, spec) = choose(context, game, args)?;
    output::line(&format!("conforming the whole graph of {}", chosen.title()));
    let found = explore(context, &chosen, &spec, args)?;
    let engine = context.engine()?;
    let mut run = context.run_directory("conform")?;
    let directory = run.part("graph").or_exit(Exit::ToolChain)?;
    let options = options(args);
    let graph = &found.mapped.graph;
    let clock = Clock::start();
    let checked = conform::check_graph(&spec, graph, &*engine, &directory, &options, &context.stop);
    let judged = match &checked {
        Ok(_) => Ok(()),
        Err(error) => judge_failure(context, &spec, error, &mut run),
    };
    let report = judged.and_then(|()| checked.map_err(of_conform)).inspect_err(|_| {
        run.keep();
    })?;
    let (outcome, what) = told(&found.mapped, &report);
    let particulars = format!(
        "{what} against {}, {}, {} {:.1} s",
        spec.name,
        engines::name(&report.tlc.version),
        count(report.tlc.runs as usize, "run,", "runs,"),
        clock.elapsed().as_secs_f64()
    );
    output::stage("conform", outcome, &particulars);
    if let Some(bad) = Bad::first(&found, &report)? {
        let asked = Asked { context, chosen: &chosen, spec: &spec, engine: &*engine };
        return asked.print_bad(&found.mapped, &bad, &mut run);
    }
    print_coverage(&report);
    Ok(conclude(&found.mapped, &report, &spec))
}

/// `conform --graph --dry-run`: the java command alone.
pub(crate) fn print_command(
    context: &mut Context<'_>,
    game: &str,
    args: &GraphArgs,
) -> Result<Exit, Failure> {
    let (chosen, spec) = choose(context, game, args)?;
    let found = chosen.game.graph(&chosen.setup, bounds(args), &mut watcher(context, args));
    let found = found.map_err(of_game)?;
    let engine = context.engine()?;
    let mut run = context.run_directory("conform")?;
    let graph = &found.mapped.graph;
    let command = conform::plan_graph(&spec, graph, &*engine, run.path(), &options(args));
    // The command is worth nothing without the modules it names.
    run.keep();
    output::line(&command.map_err(of_conform)?);
    Ok(Exit::Holds)
}

/// The game, and the specification that it maps to.
fn choose<'a>(
    context: &Context<'a>,
    game: &str,
    args: &GraphArgs,
) -> Result<(Chosen<'a>, Spec), Failure> {
    let chosen = Chosen::named(context, game, args.nodes, args.bug.as_deref())?;
    let spec = chosen.game.spec(&chosen.setup).ok_or_else(|| no_spec(&chosen))?;
    Ok((chosen, spec))
}

/// How TLC is run.
fn options(args: &GraphArgs) -> conform::Options {
    let mut options = conform::Options::default();
    if let Some(seconds) = args.seconds {
        options.time_limit = Duration::from_secs(seconds);
    }
    if let Some(bytes) = args.memory {
        options.heap_mb = Some(u32::try_from(bytes >> 20).unwrap_or(u32::MAX).max(1));
    }
    options
}

fn bounds(args: &GraphArgs) -> GraphBounds {
    GraphBounds { depth_max: args.depth, configurations_max: Some(args.configurations) }
}

/// Ends the exploration on request, and at the end of its time.
fn watcher(context: &Context<'_>, args: &GraphArgs) -> impl FnMut(u64, u64) -> bool {
    let (clock, stop) = (Clock::start(), context.stop.clone());
    let most = args.seconds.map(Duration::from_secs);
    move |_, _| !stop.requested() && most.is_none_or(|most| clock.elapsed() < most)
}

/// Maps all that the game can do, and prints the stage's line.
fn explore<'a>(
    context: &Context<'_>,
    chosen: &'a Chosen<'_>,
    spec: &Spec,
    args: &GraphArgs,
) -> Result<GameGraph<'a>, Failure> {
    let clock = Clock::start();
    let found = chosen.game.graph(&chosen.setup, bounds(args), &mut watcher(context, args));
    let found = found.map_err(of_game)?;
    let MappedGraph { graph, configurations, depth, bound, .. } = &found.mapped;
    let (outcome, bound) = match bound {
        None => ("seen", String::new()),
        Some(GraphBound::Depth(depth)) => ("bounded", format!("stopped at depth {depth}: ")),
        Some(GraphBound::Configurations(_)) => {
            ("bounded", "stopped at the most configurations: ".to_owned())
        }
        Some(GraphBound::Watcher) if context.stop.requested() => {
            ("bounded", "interrupted: ".to_owned())
        }
        Some(GraphBound::Watcher) => ("bounded", "stopped at the time limit: ".to_owned()),
    };
    let particulars = format!(
        "{bound}{} configurations, depth {depth}, are {} states and {} steps of {}, {:.1} s",
        grouped(*configurations),
        grouped(graph.states_count() as u64),
        grouped(graph.steps().len() as u64),
        spec.name,
        clock.elapsed().as_secs_f64()
    );
    output::stage("graph", outcome, &particulars);
    Ok(found)
}

/// A failure to map what the game does: of the input if the mapping does not fit.
fn of_game(error: GameError) -> Failure {
    match error {
        GameError::Conform(error) => of_conform(error),
        other => Failure { exit: Exit::Internal, error: other.into() },
    }
}

/// What TLC says, in a word and in figures.
fn told(found: &MappedGraph, report: &GraphReport) -> (&'static str, String) {
    let steps = found.graph.steps().len();
    match (report.bad_steps.len(), report.bad_initial.len(), report.undetermined.len()) {
        (0, 0, 0) => ("conforms", "every state and every step".to_owned()),
        (0, 0, unknown) => {
            ("unknown", format!("the steps from {}", count(unknown, "state", "states")))
        }
        (0, initial, _) => ("rejected", count(initial, "initial state", "initial states")),
        (bad, ..) => ("rejected", format!("{bad} of {}", count(steps, "step", "steps"))),
    }
}

/// How much of each action the game takes.
fn print_coverage(report: &GraphReport) {
    for (name, coverage) in &report.coverage {
        let (taken, allowed) = (grouped(coverage.taken), grouped(coverage.allowed));
        let (outcome, what) = match (&coverage.missing, coverage.allowed, coverage.within) {
            (None, 0, 0) => ("nowhere", "the spec allows none".to_owned()),
            (None, 0, _) => ("within", "no step of its own".to_owned()),
            (None, ..) => ("taken", format!("all {allowed}")),
            (Some(missing), _, within) => {
                let outcome = match (coverage.taken, within) {
                    (0, 0) => "never",
                    (0, _) => "within",
                    (_, _) => "partly",
                };
                let first = format!("the first not taken is {}", missing.action);
                (outcome, format!("{taken} of {allowed}, {first}"))
            }
        };
        let what = match coverage.within {
            0 => what,
            within => {
                format!("{what}; in {} that are several", count(within as usize, "step", "steps"))
            }
        };
        output::stage("", outcome, &format!("{name}: {what}"));
    }
    if report.next_unnamed > 0 {
        let what = "steps of Next are no event of the trace module";
        output::stage("", "unnamed", &format!("{} {what}", grouped(report.next_unnamed)));
    }
}

/// Prints the verdict where no step is wrong.
fn conclude(found: &MappedGraph, report: &GraphReport, spec: &Spec) -> Exit {
    let spec = &spec.name;
    let (word, what, exit) = if !report.undetermined.is_empty() {
        let first = report.undetermined.values().next().map_or("", String::as_str);
        output::labelled("", first);
        ("BOUNDED", "not every step could be judged".to_owned(), Exit::Bounded)
    } else if found.bound.is_some() {
        let what = format!("every step that was seen is one of {spec}, but not all were seen");
        ("BOUNDED", what, Exit::Bounded)
    } else if report.is_covered() {
        ("PASS", format!("the game and {spec} have the same states and steps"), Exit::Holds)
    } else {
        ("PASS", format!("every step is one of {spec}, which allows more"), Exit::Holds)
    };
    output::verdict(word, &what, exit);
    exit
}

/// What is wrong first, by a shortest execution.
struct Bad {
    trace: Trace,
    /// The states before and after the step; `None` for an initial state.
    states: Option<(usize, usize)>,
    fault: Fault,
}

impl Bad {
    fn first(found: &GameGraph<'_>, report: &GraphReport) -> Result<Option<Self>, Failure> {
        let graph = &found.mapped.graph;
        if let Some(state) = report.bad_initial.first() {
            let trace = found.trace_to_state(*state).or_exit(Exit::Internal)?;
            return Ok(Some(Self { trace, states: None, fault: Fault::NoStep }));
        }
        // The steps are in the order in which a search level by level has met them; a name that the
        // trace module does not know is the mapping's mistake, whatever else is wrong.
        let is_unknown = |bad: &&BadStep| {
            let action = graph.action(graph.steps()[bad.step].action);
            report.tlc.actions.as_ref().is_some_and(|known| !action.names_are_in(known))
        };
        let unknown = report.bad_steps.iter().find(is_unknown);
        let Some(bad) = unknown.or(report.bad_steps.first()) else { return Ok(None) };
        let step = graph.steps()[bad.step];
        let trace = found.trace_to_step(bad.step).or_exit(Exit::Internal)?;
        Ok(Some(Self { trace, states: Some((step.from, step.to)), fault: bad.fault.clone() }))
    }
}

/// With what a wrong step is explained.
struct Asked<'a, 'c> {
    context: &'a Context<'c>,
    chosen: &'a Chosen<'c>,
    spec: &'a Spec,
    engine: &'a dyn Engine,
}

impl Asked<'_, '_> {
    /// Prints a wrong step with the execution that takes it.
    fn print_bad(
        &self,
        found: &MappedGraph,
        bad: &Bad,
        run: &mut RunDirectory,
    ) -> Result<Exit, Failure> {
        let named = Named { name: "shortest".to_owned(), trace: bad.trace.clone() };
        let explained = self.explain(&named, run);
        // The title, the lines of two stages, a blank, the logs and the verdict.
        let named = [named];
        let mut lines = 6;
        match explained {
            Ok(report) => {
                lines += rejected::print_rejections(&report, &named, 1);
                lines += print_fault(&bad.fault, &self.spec.name);
                if let Some((_, rejection)) = rejected::first_rejection(&report, &named) {
                    lines += rejected::print_explanation(rejection);
                }
            }
            // What is wrong is known, and worth more than why.
            Err(failure) if failure.exit == Exit::ToolChain && !self.context.stop.requested() => {
                output::labelled("", &format!("it cannot be explained: {failure}"));
                lines += 1 + print_fault(&bad.fault, &self.spec.name);
            }
            Err(failure) => return Err(failure),
        }
        if let Some((from, to)) = bad.states {
            let (before, after) = (found.graph.state(from), found.graph.state(to));
            let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
            output::labelled("after", &rejected::clipped(&rejected::shown(changed)));
            lines += 1;
        }
        let what = match bad.states {
            Some(_) => format!("every step is one of {}", self.spec.name),
            None => format!("every initial state is one of {}", self.spec.name),
        };
        let saved = self.context.save(&bad.trace)?;
        let drawn = rejected::drawn(&bad.trace, bad.trace.steps.len(), &what);
        stages::print_saved_violation(self.context, &drawn, &saved, "shortest", lines);
        output::labelled("logs", &run.keep().display().to_string());
        let what = format!("{} does what {} does not", self.chosen.game.name(), self.spec.name);
        output::verdict("FAIL", &what, Exit::Violated);
        Ok(Exit::Violated)
    }

    /// Has TLC say what is wrong with the execution, as `conform` does with its file.
    fn explain(&self, named: &Named, run: &mut RunDirectory) -> Result<Report, Failure> {
        let trace = conform::spec_trace(&named.name, &named.trace).or_exit(Exit::Internal)?;
        let directory = run.part("explanation").or_exit(Exit::ToolChain)?;
        let (options, stop) = (conform::Options::default(), &self.context.stop);
        let traces = [trace];
        let checked = conform::check(self.spec, &traces, self.engine, &directory, &options, stop);
        let judged = judge_names(self.context, self.spec, &traces, &checked, run);
        judged.and_then(|()| checked.map_err(of_conform)).inspect_err(|_| {
            run.keep();
        })
    }
}

/// Says what the trace alone does not show; gives how many lines it took.
fn print_fault(fault: &Fault, spec: &str) -> usize {
    let what = match fault {
        Fault::NoStep => return 0,
        Fault::NotInNext => format!("the trace module has this event, but Next of {spec} has not"),
        Fault::OtherAction(others) if others.is_empty() => {
            "Next has this step, by no action that the trace module knows".to_owned()
        }
        Fault::OtherAction(others) => {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!("{spec} has this step as {}; correct the mapping", others.join(", "))
        }
    };
    output::labelled("", &what);
    1
}
