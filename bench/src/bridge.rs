use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cadre::conform::{
    GraphBounds, ModelOptions, Options, Spec, SpecAction, SpecModel, SpecStep, SpecTrace, check,
    check_graph, check_model,
};
use cadre::process::{PrivateDirectory, Stop};
use cadre::tla::{Find, Tlc, find};
use cadre::{AnyGame, Setup, Suite};

use crate::numbers::grouped;
use crate::output;
use crate::usage::{Usage, Whose};

/// The steps of each trace.
const STEPS: usize = 30;
/// How many single runs stand for as many as there are traces.
const SINGLE_RUNS: usize = 5;

/// Checks many traces of two-phase commit by one run of TLC for all, and a few of them by one run
/// each, in turns; and the whole graph of it, beside TLC's own exploration.
///
/// # Errors
///
/// Where TLC cannot be run, or a trace or the graph does not conform.
pub(crate) fn run(traces: usize, rounds: usize) -> Result<()> {
    let stop = Stop::new();
    let tlc = find(&Find::default(), &mut output::note, &stop)?;
    let suite = cadre_protocols::suite();
    let bench = Bench { tlc, suite, stop };
    bench.traces(traces, rounds)?;
    bench.graph(6, rounds)
}

struct Bench {
    tlc: Tlc,
    suite: Suite,
    stop: Stop,
}

/// What something has cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall_seconds: f64,
    cpu_seconds: f64,
}

impl Bench {
    fn traces(&self, count: usize, rounds: usize) -> Result<()> {
        let (spec, full) = self.walked(count)?;
        output::line(&format!("{} traces of {STEPS} steps of TwoPhase", grouped(count as u64)));
        let mut traces = full;
        // Each kind leaves out more than the one before.
        for (kind, target) in [("all states", 300.0), ("mixed", 300.0), ("events only", 50.0)] {
            for (position, trace) in traces.iter_mut().enumerate() {
                match (kind, position % 3) {
                    ("mixed", 1) => with_one_variable(trace),
                    ("mixed", 2) | ("events only", _) => without_states(trace),
                    (_, _) => {}
                }
            }
            let (mut batch, mut single) = (Cost::MOST, Cost::MOST);
            for _ in 0..rounds {
                let one = self.check(&spec, &traces[..SINGLE_RUNS], Split::Single)?;
                single = single.least(one.times(count as f64 / SINGLE_RUNS as f64));
                batch = batch.least(self.check(&spec, &traces, Split::Batch)?);
            }
            let ratio = single.over(batch);
            let met = if ratio.wall_seconds >= target { "met" } else { "missed" };
            output::line(&format!(
                "{kind:<12} {batch}; one run each {single}, from {SINGLE_RUNS} of them: \
                 {:.0}x wall, {:.0}x processor; target {target:.0}x {met}",
                ratio.wall_seconds, ratio.cpu_seconds
            ));
        }
        Ok(())
    }

    /// Traces of one length, with all states: random walks through all that the game can do.
    fn walked(&self, count: usize) -> Result<(Spec, Vec<SpecTrace>)> {
        // With four resource managers no walk is that long, so that it stutters at its end.
        let (game, setup) = self.game(4)?;
        let found = game.graph(&setup, GraphBounds::default(), &mut |_, _| true)?;
        let graph = &found.mapped.graph;
        let mut steps = vec![Vec::new(); graph.states_count()];
        for step in graph.steps() {
            steps[step.from].push(*step);
        }
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut traces = Vec::with_capacity(count);
        for number in 0..count {
            let mut at = graph.initial().first().copied().context("there is a beginning")?;
            let initial = Some(graph.state(at));
            let mut taken = Vec::with_capacity(STEPS);
            while taken.len() < STEPS {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let place = random % (steps[at].len() as u64 + 2);
                let action = match steps[at].get(place as usize) {
                    Some(step) => {
                        at = step.to;
                        graph.action(step.action).clone()
                    }
                    None => SpecAction::Stutter,
                };
                taken.push(SpecStep { action, variables: Some(graph.state(at)) });
            }
            traces.push(SpecTrace { name: format!("trace-{number}"), initial, steps: taken });
        }
        Ok((game.spec(&setup).context("two-phase commit has a specification")?, traces))
    }

    fn game(&self, nodes: usize) -> Result<(&dyn AnyGame, Setup)> {
        let game = self.suite.find("two-phase-commit").context("the library has the game")?;
        Ok((game, game.setup(Some(nodes), None)?))
    }

    fn check(&self, spec: &Spec, traces: &[SpecTrace], split: Split) -> Result<Cost> {
        let options = Options::default();
        let portions: Vec<&[SpecTrace]> = match split {
            Split::Batch => vec![traces],
            Split::Single => traces.chunks(1).collect(),
        };
        cost(|| {
            for traces in portions {
                let directory = PrivateDirectory::new("bench")?;
                let report =
                    check(spec, traces, &self.tlc, directory.path(), &options, &self.stop)?;
                ensure!(report.conforms(), "expected all traces to conform");
            }
            Ok(())
        })
    }

    fn graph(&self, nodes: usize, rounds: usize) -> Result<()> {
        let (game, setup) = self.game(nodes)?;
        let found = game.graph(&setup, GraphBounds::default(), &mut |_, _| true)?;
        let graph = &found.mapped.graph;
        let spec = game.spec(&setup).context("two-phase commit has a specification")?;
        let (mut ours, mut own) = (Cost::MOST, Cost::MOST);
        for _ in 0..rounds {
            own = own.least(cost(|| self.explore(&spec))?);
            ours = ours.least(cost(|| {
                let directory = PrivateDirectory::new("bench")?;
                let options = Options::default();
                let report =
                    check_graph(&spec, graph, &self.tlc, directory.path(), &options, &self.stop)?;
                ensure!(report.refines() && report.is_covered(), "expected the same graph");
                Ok(())
            })?);
        }
        let ratio = ours.over(own);
        let met = if ratio.cpu_seconds <= 4.0 { "met" } else { "missed" };
        output::line(&format!(
            "the graph of {nodes} resource managers, {} states, {} steps: {ours}; TLC's own \
             exploration {own}: {:.1}x wall, {:.1}x processor; target 4x {met}",
            grouped(graph.states_count() as u64),
            grouped(graph.steps().len() as u64),
            ratio.wall_seconds,
            ratio.cpu_seconds
        ));
        Ok(())
    }

    fn explore(&self, spec: &Spec) -> Result<()> {
        let model = SpecModel {
            module: format!("MC{}", spec.name),
            files: spec.files.clone(),
            constants: spec.constants.clone(),
            specification: "Spec".to_owned(),
            invariants: spec.invariants.clone(),
            properties: Vec::new(),
            deadlock: false,
        };
        let directory = PrivateDirectory::new("bench")?;
        let path: &Path = directory.path();
        check_model(&model, &self.tlc, path, &ModelOptions::default(), &self.stop)?;
        Ok(())
    }
}

/// Whether all traces share a run.
#[derive(Clone, Copy)]
enum Split {
    Batch,
    Single,
}

fn without_states(trace: &mut SpecTrace) {
    trace.initial = None;
    trace.steps.iter_mut().for_each(|step| step.variables = None);
}

fn with_one_variable(trace: &mut SpecTrace) {
    trace.initial = None;
    for step in &mut trace.steps {
        if let Some(variables) = &mut step.variables {
            variables.retain(|name, _| name == "tmPrepared");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring the time of a run is the purpose")]
fn cost(what: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let used = || -> Result<f64> {
        Ok(Usage::of(Whose::Own)?.cpu_seconds + Usage::of(Whose::Children)?.cpu_seconds)
    };
    let (begun, before) = (Instant::now(), used()?);
    what()?;
    Ok(Cost { wall_seconds: begun.elapsed().as_secs_f64(), cpu_seconds: used()? - before })
}

impl Cost {
    const MOST: Self = Self { wall_seconds: f64::INFINITY, cpu_seconds: f64::INFINITY };

    fn least(self, other: Self) -> Self {
        Self {
            wall_seconds: self.wall_seconds.min(other.wall_seconds),
            cpu_seconds: self.cpu_seconds.min(other.cpu_seconds),
        }
    }

    fn times(self, factor: f64) -> Self {
        Self { wall_seconds: self.wall_seconds * factor, cpu_seconds: self.cpu_seconds * factor }
    }

    fn over(self, other: Self) -> Self {
        Self {
            wall_seconds: self.wall_seconds / other.wall_seconds,
            cpu_seconds: self.cpu_seconds / other.cpu_seconds,
        }
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s wall, {:.1} s processor", self.wall_seconds, self.cpu_seconds)
    }
}
