use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use cadre_model::{Choice, Cluster, Configuration, Model};
use cadre_step::Protocol;
use cadre_tla::Value;

use crate::{Mapping, SpecAction, SpecTrace};

/// Leads a cluster along behaviours of its specification.
///
/// Of all configurations that fit to the behaviour so far, each is followed: what changes nothing
/// in the specification may happen at any time, and an action is a step of the behaviour if it is
/// mapped to its action and leads to its state.
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
        let mut here = 0..all.len();
        for (index, step) in behaviour.steps.iter().enumerate() {
            let Some(wanted) = &step.variables else { continue };
            let begin = here.start;
            if *self.state(&all[begin].configuration) == *wanted {
                continue;
            }
            let mut found = Step::new(self.fitting_max);
            self.follow(&mut all, here.clone(), &step.action, wanted, &mut found);
            if found.targets.is_empty() {
                let offers = found.offers.into_iter().collect();
                let parting = Parting { step: index + 1, is_bounded: found.is_bounded, offers };
                let path = path(&all, begin);
                return Driven { path, followed: index, parting: Some(parting) };
            }
            let first = all.len();
            all.extend(found.targets);
            here = first..all.len();
        }
        let (path, followed) = (path(&all, here.start), behaviour.steps.len());
        Driven { path, followed, parting: None }
    }

    /// Goes from configurations of one state to those of the next one; what changes nothing in the
    /// specification is added to the configurations.
    fn follow(
        &mut self,
        all: &mut Vec<Fitting>,
        here: Range<usize>,
        action: &SpecAction,
        wanted: &State,
        found: &mut Step,
    ) {
        let mut open: Vec<usize> = here.collect();
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
                let is_action = self.matching == Matching::States || taken == *action;
                if *later == *wanted && is_action {
                    found.add_target(Fitting { configuration: after, reached });
                } else {
                    found.offers.insert(Offer { action: taken, state: (*later).clone() });
                }
            }
        }
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

/// What one step of a behaviour leads to.
struct Step {
    targets: Vec<Fitting>,
    known: HashSet<Configuration>,
    offers: BTreeSet<Offer>,
    is_bounded: bool,
    fitting_max: usize,
}

impl Step {
    fn new(fitting_max: usize) -> Self {
        let (targets, known, offers) = (Vec::new(), HashSet::new(), BTreeSet::new());
        Self { targets, known, offers, is_bounded: false, fitting_max }
    }

    fn add_target(&mut self, target: Fitting) {
        if self.targets.len() >= self.fitting_max {
            self.is_bounded = true;
        } else if self.known.insert(target.configuration.clone()) {
            self.targets.push(target);
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
