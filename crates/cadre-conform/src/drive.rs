use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use cadre_model::{Choice, Cluster, Configuration, Model};
use cadre_step::Protocol;
use cadre_tla::Value;

use crate::{Mapping, SpecAction, SpecStep, SpecTrace};

/// Leads a cluster along behaviours of its specification.
///
/// Of all configurations that fit to the behaviour so far, each is followed: what changes nothing
/// in the specification may happen at any time, and an action is a step of the behaviour if it is
/// mapped to its action and leads to its state. An action that is mapped to a composition is as
/// many steps of the behaviour; where that ends before the composition does, it is followed to its
/// end.
#[derive(Debug)]
pub struct Driver<'a, P: Protocol> {
    mapping: &'a Mapping<P>,
    cluster: &'a Cluster<P>,
    /// What is known of configurations: many behaviours come by the same.
    states: HashMap<Configuration, Rc<State>>,
    matching: Matching,
    fitting_max: usize,
}

type State = BTreeMap<String, Value>;

/// When an action is a step of a behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// If it is mapped to the same action, with the same arguments, and leads to the same state.
    Actions,
    /// If it leads to the same state.
    States,
}

/// How far a behaviour was followed.
#[derive(Clone, Debug)]
pub struct Driven {
    /// What the cluster has done; a shortest way to do so.
    pub path: Vec<Choice>,
    /// How many steps of the behaviour that makes.
    pub followed: usize,
    /// Why there are no more.
    pub parting: Option<Parting>,
}

/// Where a specification goes on and a cluster does not.
#[derive(Clone, Debug)]
pub struct Parting {
    /// The step that is not followed, from 1; 0 is the initial state.
    pub step: usize,
    /// Whether not everything was tried, as too many configurations fit.
    pub is_bounded: bool,
    /// What the cluster can do instead that changes something in the specification.
    pub offers: Vec<Offer>,
}

/// Something that a cluster can do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// What it is in the specification.
    pub action: SpecAction,
    /// Where it leads to.
    pub state: BTreeMap<String, Value>,
}

/// A configuration that fits, and how it was reached: the position of the one before.
struct Fitting {
    configuration: Configuration,
    reached: Option<(usize, Choice)>,
}

impl<'a, P: Protocol> Driver<'a, P> {
    /// A driver; of one state of a behaviour it follows at most so many configurations.
    pub fn new(
        mapping: &'a Mapping<P>,
        cluster: &'a Cluster<P>,
        matching: Matching,
        fitting_max: usize,
    ) -> Self {
        Self { mapping, cluster, states: HashMap::new(), matching, fitting_max }
    }

    /// Follows a behaviour as far as it goes.
    pub fn drive(&mut self, behaviour: &SpecTrace) -> Driven {
        let mut all: Vec<Fitting> = Vec::new();
        let initial = behaviour.initial.as_ref();
        for configuration in self.cluster.init() {
            let state = self.state(&configuration);
            if initial.is_none_or(|initial| *state == *initial) {
                all.push(Fitting { configuration, reached: None });
            }
        }
        if all.is_empty() {
            let parting = Parting { step: 0, is_bounded: false, offers: Vec::new() };
            return Driven { path: Vec::new(), followed: 0, parting: Some(parting) };
        }
        // What fits to the behaviour up to each of its steps, as far as that is not passed yet.
        let mut fitting = BTreeMap::from([(0, (0..all.len()).collect::<Vec<usize>>())]);
        // What was left out at one step may be what a later one would have needed.
        let mut is_bounded = false;
        loop {
            let (followed, here) = fitting.pop_first().expect("one fits until none is found");
            let (begin, rest) = (here[0], &behaviour.steps[followed..]);
            let Some(step) = rest.first() else {
                return Driven { path: path(&all, begin), followed, parting: None };
            };
            let wanted = step.variables.as_ref();
            if wanted.is_none_or(|wanted| *self.state(&all[begin].configuration) == *wanted) {
                fitting.entry(followed + 1).or_default().extend(here);
                continue;
            }
            let mut found = Found::new(self.fitting_max);
            self.follow(&mut all, here, rest, &mut found);
            is_bounded |= found.is_bounded;
            if found.targets.is_empty() && fitting.is_empty() {
                let offers = found.offers.into_iter().collect();
                let parting = Some(Parting { step: followed + 1, is_bounded, offers });
                return Driven { path: path(&all, begin), followed, parting };
            }
            for (steps, target) in found.targets {
                fitting.entry(followed + steps).or_default().push(all.len());
                all.push(target);
            }
        }
    }

    /// Goes from configurations of one state to those of the next one, or of a later one; what
    /// changes nothing in the specification is added to the configurations.
    fn follow(
        &mut self,
        all: &mut Vec<Fitting>,
        here: Vec<usize>,
        rest: &[SpecStep],
        found: &mut Found,
    ) {
        let mut open = here;
        let mut seen: HashSet<Configuration> =
            open.iter().map(|at| all[*at].configuration.clone()).collect();
        let mut next = 0;
        let mut choices = Vec::new();
        while let Some(at) = open.get(next).copied() {
            next += 1;
            let before = all[at].configuration.clone();
            let state = self.state(&before);
            choices.clear();
            self.cluster.actions(&before, &mut choices);
            for choice in &choices {
                let Some(after) = self.cluster.next(&before, choice) else { continue };
                let later = self.state(&after);
                let reached = Some((at, *choice));
                if later == state {
                    if seen.len() >= self.fitting_max {
                        found.is_bounded = true;
                    } else if seen.insert(after.clone()) {
                        open.push(all.len());
                        all.push(Fitting { configuration: after, reached });
                    }
                    continue;
                }
                let taken = self.mapping.action(self.cluster, &before, *choice);
                let steps = self.steps_taken(&taken, &later, rest);
                if steps.is_empty() {
                    found.offers.insert(Offer { action: taken, state: (*later).clone() });
                }
                for steps in steps {
                    found.add_target(steps, &after, reached);
                }
            }
        }
    }

    /// How many of the next steps of a behaviour an action is that leads to a state; there may be
    /// several answers, and none if it is something else.
    fn steps_taken(&self, taken: &SpecAction, later: &State, rest: &[SpecStep]) -> BTreeSet<usize> {
        let leads_there = |steps: usize| rest[steps - 1].variables.as_ref() == Some(later);
        let is_step = |(part, step): (&SpecAction, &SpecStep)| *part == step.action;
        let mut steps = BTreeSet::new();
        for way in taken.ways() {
            let is_begun = way.iter().zip(rest).all(is_step);
            let fits = match (self.matching, way.len() <= rest.len()) {
                (Matching::Actions, true) => is_begun && leads_there(way.len()),
                (Matching::Actions, false) => is_begun,
                (Matching::States, is_within) => is_within && leads_there(way.len()),
            };
            steps.extend(fits.then(|| way.len().min(rest.len())));
        }
        steps
    }

    fn state(&mut self, configuration: &Configuration) -> Rc<State> {
        if let Some(state) = self.states.get(configuration) {
            return Rc::clone(state);
        }
        let state = self.mapping.state(self.cluster, configuration);
        let state = state.into_iter().map(|(name, value)| (name, value.normal())).collect();
        let state: Rc<State> = Rc::new(state);
        self.states.insert(configuration.clone(), Rc::clone(&state));
        state
    }
}

/// What the next steps of a behaviour lead to.
struct Found {
    /// After how many steps, and to what.
    targets: Vec<(usize, Fitting)>,
    known: HashSet<(usize, Configuration)>,
    offers: BTreeSet<Offer>,
    is_bounded: bool,
    fitting_max: usize,
}

impl Found {
    fn new(fitting_max: usize) -> Self {
        let (targets, known, offers) = (Vec::new(), HashSet::new(), BTreeSet::new());
        Self { targets, known, offers, is_bounded: false, fitting_max }
    }

    fn add_target(
        &mut self,
        steps: usize,
        configuration: &Configuration,
        reached: Option<(usize, Choice)>,
    ) {
        if self.targets.len() >= self.fitting_max {
            self.is_bounded = true;
        } else if self.known.insert((steps, configuration.clone())) {
            let configuration = configuration.clone();
            self.targets.push((steps, Fitting { configuration, reached }));
        }
    }
}

fn path(all: &[Fitting], at: usize) -> Vec<Choice> {
    let mut path = Vec::new();
    let mut at = at;
    while let Some((before, choice)) = all[at].reached {
        path.push(choice);
        at = before;
    }
    path.reverse();
    path
}
