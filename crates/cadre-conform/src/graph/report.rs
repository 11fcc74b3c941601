use std::collections::{BTreeMap, BTreeSet};

use crate::{Report, SpecAction};

/// What TLC says about a graph.
#[derive(Clone, Debug)]
pub struct GraphReport {
    /// The initial states that are none of the specification.
    pub bad_initial: Vec<usize>,
    /// The steps that are none of the specification, in their order.
    pub bad_steps: Vec<BadStep>,
    /// The states whose steps could not be judged, and why.
    pub undetermined: BTreeMap<usize, String>,
    /// How many initial states the specification has that the graph has not.
    pub initial_missing: u64,
    /// How many steps of one state to another `Next` allows from the states of the graph that were
    /// expanded.
    pub next_allowed: u64,
    /// How many of them the graph has, whatever their action is called.
    pub next_taken: u64,
    /// How many of them the trace module has no event for.
    pub next_unnamed: u64,
    /// The states from which `Next` allows a step that the graph has not.
    pub lacking: BTreeSet<usize>,
    /// For each action of the trace module what the graph has of it.
    pub coverage: BTreeMap<String, ActionCoverage>,
    /// How TLC was run: its traces are none.
    pub tlc: Report,
}

/// A step that the specification does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadStep {
    /// The number of the step in the graph.
    pub step: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a step of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No action leads from the one state to the other.
    NoStep,
    /// The action that it is mapped to does not lead there, but these do; there may be none that
    /// the trace module knows.
    OtherAction(Vec<SpecAction>),
    /// The trace module knows the step, but it is none of `Next`.
    NotInNext,
}

/// How much of an action a graph has, of what is possible in those of its states that were
/// expanded.
///
/// Where a graph has all that `Next` allows, each step counts for the action that the graph takes
/// it by, though others may lead there as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionCoverage {
    /// How many steps by this action the specification allows.
    pub allowed: u64,
    /// How many of them the graph has, under the same name.
    pub taken: u64,
    /// How many other steps of the graph may be this action among others: see
    /// [`SpecAction::Sequence`]. What they go through are states that the graph need not have.
    pub within: u64,
    /// The first one that it has not.
    pub missing: Option<Missing>,
}

/// A step of the specification that a graph has not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The number of the state before it.
    pub from: usize,
    /// The action with its arguments.
    pub action: SpecAction,
}

impl GraphReport {
    /// Whether every initial state and every step is one of the specification.
    pub fn refines(&self) -> bool {
        self.bad_initial.is_empty() && self.bad_steps.is_empty() && self.undetermined.is_empty()
    }

    /// Whether the graph has all that the specification allows from the states of the graph that
    /// were expanded.
    pub fn is_covered(&self) -> bool {
        self.initial_missing == 0
            && self.next_taken == self.next_allowed
            && self.coverage.values().all(|action| action.taken == action.allowed)
            && self.undetermined.is_empty()
    }
}
