//! Guarantees that only endless executions violate, judged on the graph of all configurations.

mod components;
mod fairness;
mod graph;
mod lasso;
mod obligation;

use cadre_model::{Endless, Model, Part};
use cadre_trace::Verdict;

use self::fairness::fair_cycles;
use self::graph::{Graph, actions_along};
use self::lasso::fair_cycle;
use self::obligation::Obligation;
use crate::exploration::{Exploration, Finding, Flow, Progress};
use crate::settings::{Bound, Bounds};

/// Judges what a search for configurations cannot: `eventually`, `leads to` and `convergent`.
///
/// Only where the search has found no violation and was not ended by the watcher. The model is
/// walked through once more, within the same bounds, and what leads where is kept: about 8 bytes
/// for each transition and 80 for each configuration. A graph that the bounds cut never shows that
/// a guarantee holds; a counterexample within it is a real one.
pub(crate) fn judge<M: Model>(
    model: &M,
    bounds: &Bounds,
    watch: &mut dyn FnMut(&Progress) -> Flow,
    mut found: Exploration<M::Action>,
) -> Exploration<M::Action> {
    let is_asked = |finding: &Finding<M::Action>| finding.claim.kind.fairness().is_some();
    let asked: Vec<usize> = (0..)
        .zip(&found.findings)
        .filter(|(_, finding)| is_asked(finding))
        .map(|(guarantee, _)| guarantee)
        .collect();
    let is_over = found.violation().is_some() || found.bound == Some(Bound::Watcher);
    // Up to the names of nodes a loop may end with other names than it began with.
    if asked.is_empty() || is_over || !model.is_exact() {
        return found;
    }
    let predicates =
        asked.iter().flat_map(|guarantee| [Part::Main, Part::Post].map(|part| (*guarantee, part)));
    let (graph, bound) = graph::build(model, bounds, predicates.collect(), watch);
    found.bound = found.bound.or(bound);
    let progress = found.progress;
    for (guarantee, truths) in asked.into_iter().zip(graph.truths.chunks(2)) {
        let finding = &mut found.findings[guarantee];
        let obligation = Obligation::new(&graph, finding.claim.kind, &truths[0], &truths[1]);
        let mut is_ended = false;
        let mut goes_on = || {
            is_ended = watch(&progress) == Flow::Stop;
            !is_ended
        };
        let lasso = counterexample(model, &graph, guarantee, &obligation, &mut goes_on);
        found.bound = found.bound.or(is_ended.then_some(Bound::Watcher));
        match lasso {
            Some(Lasso { stem, cycle }) => {
                finding.verdict = Verdict::Violated;
                finding.path = Some(stem);
                finding.cycle = (!cycle.is_empty()).then_some(cycle);
            }
            None if found.bound.is_none() => finding.verdict = Verdict::Holds,
            None => finding.verdict = Verdict::Bounded,
        }
    }
    if found.violation().is_some() {
        found.bound = None;
    }
    found
}

/// An execution that never ends: without a cycle it rests after its stem.
struct Lasso<A> {
    stem: Vec<A>,
    cycle: Vec<A>,
}

/// An execution that goes on for ever without what is owed, with a shortest stem.
fn counterexample<M: Model>(
    model: &M,
    graph: &Graph,
    guarantee: usize,
    obligation: &Obligation<'_>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<Lasso<M::Action>> {
    let owing = obligation.owing();
    let wanted = obligation.wanted();
    let labels = fair_cycles(graph, &owing.nodes(), wanted, goes_on)?;
    let is_broken = |node: u32| wanted.broken.is_none_or(|broken| !broken.contains(node));
    let rests = |node: u32| graph.is_at_rest(node) && is_broken(node);
    let entry =
        owing.nodes().into_iter().find(|node| labels[*node as usize] != 0 || rests(*node))?;
    let (initial, mut edges) = owing.path_to(entry);
    let length = edges.len();
    if labels[entry as usize] != 0 {
        edges.extend(fair_cycle(graph, &labels, wanted, entry));
    }
    let (first, mut stem) = actions_along(model, graph, initial, &edges);
    let cycle = stem.split_off(length);
    let is_real = Endless::walk(model, first, &stem, &cycle)
        .is_some_and(|endless| endless.violates(guarantee));
    assert!(is_real, "a counterexample is one when it is carried out; is the model pure?");
    Some(Lasso { stem, cycle })
}
