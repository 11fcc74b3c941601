use cadre_trace::Fairness;

use crate::liveness::components::Components;
use crate::liveness::graph::{Bits, Graph, OUTSIDE};

/// Which cycles are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'g> {
    pub(crate) fairness: Fairness,
    /// Whether faults may go on for ever.
    pub(crate) with_faults: bool,
    /// A predicate that is false somewhere on the cycle.
    pub(crate) broken: Option<&'g Bits>,
}

/// Labels the configurations through which wanted fair cycles lead, within a region: those of one
/// component have one label of their own, all others 0. `None` where `goes_on`, which is asked
/// before a component is taken apart, ended it.
///
/// A set of configurations, with edges between them, is what an endless execution comes by again
/// and again exactly if it is strongly connected, so that fair cycles need only be looked for in
/// components; and if some cycle in a component is fair, then the search here keeps one:
///
/// * *Weak.* Suppose a class is possible everywhere in a component, and no edge of it stays inside.
///   Then it is possible all along each cycle inside, and never happens there: no cycle is fair.
///   Suppose there is no such class. Then a tour of the whole component that takes one inner edge
///   of each class that is possible everywhere neglects nothing.
/// * *Strong.* Suppose a class is possible somewhere in a component, and no edge of it stays there.
///   Then no fair cycle inside comes by where it is possible: these configurations are left out and
///   the rest is taken apart anew. Suppose there is no such class. Then a tour of the whole
///   component that takes one inner edge of each class that is possible anywhere neglects nothing.
///   Each round leaves out something, so that this ends.
/// * *Broken.* The tours above come by all configurations, so that there is a wanted cycle if the
///   predicate is false in any of them, and none otherwise.
///
/// Emerson and Lei, "Modalities for model checking: branching time logic strikes back" (1987);
/// Baier and Katoen, "Principles of Model Checking" (2008), the chapters on fairness.
pub(crate) fn fair_cycles(
    graph: &Graph,
    region: &[u32],
    wanted: Wanted<'_>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Option<Vec<u32>> {
    let mut sieve = Sieve {
        graph,
        wanted,
        labels: vec![0; graph.nodes],
        tallies: vec![Tally::default(); graph.classes],
    };
    let mut components = Components::new(graph, wanted.with_faults);
    let mut label = 1;
    region.iter().for_each(|node| sieve.labels[*node as usize] = label);
    let mut parts = vec![(label, region.to_vec())];
    while let Some((part, nodes)) = parts.pop() {
        // The whole is looked at in any case, which takes less than the walk that made it.
        if part > 1 && !goes_on() {
            return None;
        }
        let found = components.within(&nodes, part, &sieve.labels);
        nodes.iter().for_each(|node| sieve.labels[*node as usize] = 0);
        for component in found {
            label += 1;
            component.iter().for_each(|node| sieve.labels[*node as usize] = label);
            match sieve.sift(&component) {
                Sifted::Fair => {}
                Sifted::Unfair => {
                    component.iter().for_each(|node| sieve.labels[*node as usize] = 0);
                }
                Sifted::Rest(rest) => parts.push((label, rest)),
            }
        }
    }
    Some(sieve.labels)
}

struct Sieve<'g> {
    graph: &'g Graph,
    wanted: Wanted<'g>,
    labels: Vec<u32>,
    tallies: Vec<Tally>,
}

enum Sifted {
    /// A fair cycle leads through all of it.
    Fair,
    /// No wanted fair cycle is inside.
    Unfair,
    /// Wanted fair cycles are inside these configurations, which keep the label, or nowhere.
    Rest(Vec<u32>),
}

/// What a component offers of a class.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// The label of the component.
    label: u32,
    /// In how many configurations the class is possible.
    possible: usize,
    /// The last of them, plus one.
    last: usize,
    /// Whether it can happen without leaving the component.
    stays: bool,
}

impl Sieve<'_> {
    /// Looks for classes that each cycle in a component neglects.
    fn sift(&mut self, component: &[u32]) -> Sifted {
        let is_broken = |broken: &Bits| component.iter().any(|node| !broken.contains(*node));
        if !self.wanted.broken.is_none_or(is_broken) {
            return Sifted::Unfair;
        }
        if self.wanted.fairness == Fairness::None {
            return Sifted::Fair;
        }
        let classes = self.count(component);
        let neglected = |class: &usize| !self.tallies[*class].stays;
        match self.wanted.fairness {
            Fairness::None => Sifted::Fair,
            Fairness::Weak => {
                let everywhere = |class: &usize| self.tallies[*class].possible == component.len();
                match classes.iter().any(|class| everywhere(class) && neglected(class)) {
                    true => Sifted::Unfair,
                    false => Sifted::Fair,
                }
            }
            Fairness::Strong => match classes.iter().any(neglected) {
                true => self.without_neglected(component),
                false => Sifted::Fair,
            },
        }
    }

    /// Tallies the classes that are possible in a component.
    fn count(&mut self, component: &[u32]) -> Vec<usize> {
        let label = self.labels[component[0] as usize];
        let mut classes = Vec::new();
        for node in component {
            for edge in &self.graph.edges[self.graph.leaving(*node)] {
                let Some(class) = edge.owed() else { continue };
                let tally = &mut self.tallies[class as usize];
                if tally.label != label {
                    *tally = Tally { label, ..Tally::default() };
                    classes.push(class as usize);
                }
                if tally.last != *node as usize + 1 {
                    tally.last = *node as usize + 1;
                    tally.possible += 1;
                }
                let is_inside = edge.to != OUTSIDE && self.labels[edge.to as usize] == label;
                tally.stays = tally.stays || is_inside;
            }
        }
        classes
    }

    /// The configurations in which no class is possible that can only happen outside.
    fn without_neglected(&mut self, component: &[u32]) -> Sifted {
        let (mut rest, mut left_out) = (Vec::new(), Vec::new());
        for node in component {
            let edges = &self.graph.edges[self.graph.leaving(*node)];
            let mut owed = edges.iter().filter_map(|edge| edge.owed());
            match owed.any(|class| !self.tallies[class as usize].stays) {
                true => left_out.push(*node),
                false => rest.push(*node),
            }
        }
        left_out.iter().for_each(|node| self.labels[*node as usize] = 0);
        Sifted::Rest(rest)
    }
}
