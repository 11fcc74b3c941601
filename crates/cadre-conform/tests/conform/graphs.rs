//! Whole graphs of two-phase commit, and what is said of single steps that are wrong.

use std::collections::BTreeSet;

use crate::support::{Simulation, action, engine, two_phase};
use cadre_conform::{GraphReport, Options, SpecAction, SpecGraph, check_graph};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::Engine;

/// A step in words: source, action and target.
pub(crate) type Step = (usize, SpecAction, usize);

/// The states of two-phase commit, and all its steps.
pub(crate) fn everything(managers: usize) -> (SpecGraph, Vec<Step>) {
    let mut graph = SpecGraph::new(&two_phase(managers).variables);
    let first = Simulation::new(managers);
    let initial = graph.add_state(first.variables()).expect("all variables have values");
    graph.add_initial(initial);
    let mut open = vec![(initial, first)];
    let mut steps = Vec::new();
    while let Some((from, simulation)) = open.pop() {
        for event in simulation.events() {
            let mut next = simulation.clone();
            next.take(event);
            let known = graph.states_count();
            let to = graph.add_state(next.variables()).expect("all variables have values");
            steps.push((from, action(event), to));
            if to == known {
                open.push((to, next));
            }
        }
    }
    (graph, steps)
}

fn with_steps(mut graph: SpecGraph, steps: &[Step]) -> SpecGraph {
    for (from, action, to) in steps {
        graph.add_step(*from, action.clone(), *to);
    }
    graph
}

/// What is found in a graph, by the engine without a JVM too where that is built.
fn check(managers: usize, graph: &SpecGraph) -> GraphReport {
    let report = check_by(managers, graph, engine());
    #[cfg(feature = "embedded")]
    assert_eq!(told(&report), told(&check_by(managers, graph, &cadre_tla::Embedded)));
    report
}

fn check_by(managers: usize, graph: &SpecGraph, engine: &dyn Engine) -> GraphReport {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let (spec, options) = (two_phase(managers), Options::default());
    check_graph(&spec, graph, engine, directory.path(), &options, &Stop::new()).expect("verdicts")
}

/// All that is found, without what engines differ in.
#[cfg(feature = "embedded")]
fn told(report: &GraphReport) -> String {
    let GraphReport { bad_initial, bad_steps, undetermined, initial_missing, .. } = report;
    let GraphReport { next_allowed, next_taken, next_unnamed, lacking, .. } = report;
    let GraphReport { coverage, tlc, .. } = report;
    let bad = (bad_initial, bad_steps, undetermined, initial_missing);
    format!(
        "{bad:?} {next_allowed} {next_taken} {next_unnamed:?} {lacking:?} {coverage:?} {}",
        tlc.runs
    )
}

fn bad_steps(graph: &SpecGraph, report: &GraphReport) -> BTreeSet<Step> {
    let steps = report.bad_steps.iter().map(|bad| graph.steps()[bad.step]);
    steps.map(|step| (step.from, graph.action(step.action).clone(), step.to)).collect()
}

/// The numbers of a hundred steps, and what each of them becomes: every other one leads elsewhere,
/// the rest have the action of another step. None of them is a step by chance.
fn corruptions(steps: &[Step], states: usize) -> Vec<(usize, Step)> {
    let right: BTreeSet<&Step> = steps.iter().collect();
    let mut corrupted = Vec::new();
    for number in (0..steps.len()).step_by(steps.len() / 150) {
        let (from, action, to) = steps[number].clone();
        let step = match corrupted.len() % 2 {
            0 => (from, action, (to + 7) % states),
            _ => (from, steps[(number + 11) % steps.len()].1.clone(), to),
        };
        if !right.contains(&step) && step.0 != step.2 {
            corrupted.push((number, step));
        }
    }
    corrupted.truncate(100);
    corrupted
}

#[test]
fn a_graph_that_is_the_specification_s_takes_one_run_and_is_counted_by_its_actions() {
    let (graph, steps) = everything(3);
    let graph = with_steps(graph, &steps);
    let report = check(3, &graph);
    assert!(report.refines() && report.is_covered());
    assert_eq!(report.tlc.runs, 1);
    let counted: u64 = report.coverage.values().map(|action| action.taken).sum();
    assert_eq!(counted, steps.len() as u64);
    let pairs: BTreeSet<_> = steps.iter().map(|(from, _, to)| (from, to)).collect();
    assert_eq!((report.next_allowed, report.next_taken), (pairs.len() as u64, pairs.len() as u64));
}

#[test]
fn each_of_a_hundred_corrupted_steps_is_reported_and_no_other() {
    let (graph, mut steps) = everything(4);
    let corrupted = corruptions(&steps, graph.states_count());
    assert_eq!(corrupted.len(), 100);
    for (number, step) in &corrupted {
        steps[*number] = step.clone();
    }
    let graph = with_steps(graph, &steps);
    let report = check(4, &graph);
    let expected: BTreeSet<Step> = corrupted.into_iter().map(|(_, step)| step).collect();
    assert_eq!(bad_steps(&graph, &report), expected);
    assert!(!report.is_covered());
}

#[test]
fn one_corrupted_step_alone_is_reported_wherever_it_is() {
    let (states, steps) = everything(2);
    for number in [0, steps.len() / 3, steps.len() - 1] {
        let mut steps = steps.clone();
        let (from, action, to) = steps[number].clone();
        let elsewhere = |other: &usize| *other != from && *other != to;
        let step = (from, action, (0..3).find(elsewhere).expect("there are three states"));
        assert!(!steps.contains(&step), "{step:?}");
        steps[number] = step.clone();
        let graph = with_steps(states.clone(), &steps);
        let report = check(2, &graph);
        assert_eq!(bad_steps(&graph, &report), [step].into(), "{number}");
        assert_eq!(report.tlc.runs, 2);
    }
}

#[test]
fn a_step_that_is_left_out_is_missed_and_nothing_is_wrong() {
    let (graph, mut steps) = everything(2);
    let (from, action, _) = steps.remove(steps.len() / 2);
    let report = check(2, &with_steps(graph, &steps));
    assert!(report.refines() && !report.is_covered());
    let SpecAction::Step { name, .. } = &action else { panic!("{action}") };
    let missing = report.coverage[name].missing.as_ref().expect("a step is missing");
    assert_eq!((missing.from, &missing.action), (from, &action));
}
