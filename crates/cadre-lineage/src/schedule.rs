use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;

use cadre_model::{Model, Part};
use cadre_trace::GuaranteeKind;

use crate::Progress;

/// Hunts in the schedules of any model: takes a fair execution, and looks for the fewest faults and
/// delays in it that break a guarantee.
///
/// Where rounds have only omissions and crashes, here is every fault that the model offers: loss,
/// duplication, corruption, crashes with and without restart, un-synced writes that are lost, syncs
/// that fail, links that are cut; and delay, which puts a step off until nothing else is left. A
/// fault is tried only right before a step that it touches, on the same node or of the same
/// message, since elsewhere it would do the same; and so is what a node may do of its own accord,
/// which it otherwise does only where nothing else is left. What that leads to opens further
/// hypotheses, under the guard of what was there. The execution goes on by the same fair schedule.
///
/// It certifies nothing: other schedules, and faults at other places, are not tried.
pub fn hunt_schedule<M: Model>(
    model: &M,
    options: &ScheduleHunt,
    mut watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> HuntedSchedule<M::Action> {
    let mut hypotheses = Hypotheses::new();
    let mut progress = Progress::default();
    let mut found = HuntedSchedule { violation: None, is_exhausted: true, runs: 0, steps: 0 };
    while let Some(set) = hypotheses.next(options.deviations_max) {
        let deviations = hypotheses.deviations(&set);
        progress.covered = hypotheses.size.checked_sub(1);
        let execution = Execution::new(model, options, &deviations).run();
        progress.runs += 1;
        found.steps += execution.path.len() as u64;
        if let Some(guarantee) = execution.violated {
            let deviations = deviations.iter().map(Deviation::to_string).collect();
            let path = execution.path;
            found.violation = Some(BrokenSchedule { path, guarantee, deviations });
            break;
        }
        hypotheses.learn(set, execution.candidates);
        if progress.runs >= options.runs_max || watch(&progress).is_break() {
            found.is_exhausted = false;
            break;
        }
    }
    HuntedSchedule { runs: progress.runs, ..found }
}

/// How far a hunt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleHunt {
    /// The most faults and delays of one execution.
    pub deviations_max: usize,
    /// The most steps of one execution.
    pub steps_max: usize,
    /// The most executions.
    pub runs_max: u64,
}

impl Default for ScheduleHunt {
    fn default() -> Self {
        Self { deviations_max: 2, steps_max: 1_000, runs_max: 20_000 }
    }
}

/// What a hunt in schedules has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuntedSchedule<A> {
    /// An execution that breaks a guarantee.
    pub violation: Option<BrokenSchedule<A>>,
    /// Whether no hypothesis is left up to the most faults and delays; that is no certificate.
    pub is_exhausted: bool,
    /// How many executions were tried.
    pub runs: u64,
    /// How many steps they took in all.
    pub steps: u64,
}

/// An execution that breaks a guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenSchedule<A> {
    /// The steps.
    pub path: Vec<A>,
    /// The position of the guarantee.
    pub guarantee: usize,
    /// What makes it differ from the fair execution, in words.
    pub deviations: Vec<String>,
}

/// One thing that goes otherwise than in the fair schedule: right before a step is taken, which is
/// known by its name and by how often that was taken before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deviation {
    before: String,
    nth: u32,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A fault happens, or a node does something of its own accord; by its name.
    First(String),
    /// The step is put off.
    Delay,
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { before, nth, what } = self;
        let again = if *nth == 0 { String::new() } else { format!(" for time {}", nth + 1) };
        match what {
            What::First(what) => write!(f, "{what} before {before}{again}"),
            What::Delay => write!(f, "{before}{again} is put off"),
        }
    }
}

/// Sets of deviations that are not tried yet, the smaller ones first.
///
/// A good execution says that all sets that contain its deviations must have one of its candidates
/// besides; so the sets to try are the hitting sets of what was learned, which grow one by one.
/// With demands that only add, that takes no solver, as in "FastFI" (2026).
#[derive(Default)]
struct Hypotheses {
    deviations: BTreeMap<Deviation, u32>,
    names: Vec<Deviation>,
    /// What the sets that were tried have as candidates.
    tried: BTreeMap<BTreeSet<u32>, BTreeSet<u32>>,
    /// Sets of the size that is looked at, and of the next one.
    open: VecDeque<BTreeSet<u32>>,
    larger: BTreeSet<BTreeSet<u32>>,
    size: usize,
}

impl Hypotheses {
    fn new() -> Self {
        Self { open: VecDeque::from([BTreeSet::new()]), ..Self::default() }
    }

    /// A smallest set that all executions so far admit, of at most so many deviations.
    fn next(&mut self, most: usize) -> Option<BTreeSet<u32>> {
        loop {
            while let Some(set) = self.open.pop_front() {
                if self.is_admitted(&set) {
                    return Some(set);
                }
            }
            if self.larger.is_empty() || self.size == most {
                return None;
            }
            self.size += 1;
            self.open = std::mem::take(&mut self.larger).into_iter().collect();
        }
    }

    /// Whether each part of the set that was tried has a candidate in the rest of it.
    fn is_admitted(&self, set: &BTreeSet<u32>) -> bool {
        let elements: Vec<u32> = set.iter().copied().collect();
        (0..1usize << elements.len()).all(|choice| {
            let chosen = elements.iter().enumerate().filter(|(bit, _)| choice & (1 << bit) != 0);
            let part: BTreeSet<u32> = chosen.map(|(_, element)| *element).collect();
            let candidates = self.tried.get(&part);
            candidates.is_none_or(|candidates| !candidates.is_disjoint(&(set - &part)))
        })
    }

    fn deviations(&self, set: &BTreeSet<u32>) -> BTreeSet<Deviation> {
        set.iter().map(|id| self.names[*id as usize].clone()).collect()
    }

    /// Takes note of a good execution.
    fn learn(&mut self, set: BTreeSet<u32>, candidates: BTreeSet<Deviation>) {
        let mut ids = BTreeSet::new();
        for candidate in candidates {
            let fresh = u32::try_from(self.names.len()).expect("fewer than 2^32 deviations");
            let id = *self.deviations.entry(candidate.clone()).or_insert(fresh);
            if id == fresh {
                self.names.push(candidate);
            }
            ids.insert(id);
        }
        for candidate in ids.difference(&set) {
            let mut larger = set.clone();
            larger.insert(*candidate);
            self.larger.insert(larger);
        }
        self.tried.insert(set, ids);
    }
}

/// An execution by the fair schedule, but for some deviations.
struct Execution<'m, M: Model> {
    model: &'m M,
    options: &'m ScheduleHunt,
    left: BTreeSet<Deviation>,
    at: M::State,
    path: Vec<M::Action>,
    violated: Option<usize>,
    candidates: BTreeSet<Deviation>,
    /// Since when each action has been possible without a break, by its name.
    waiting: BTreeMap<String, usize>,
    taken: BTreeMap<String, u32>,
    /// What is put off.
    held: BTreeSet<String>,
}

impl<'m, M: Model> Execution<'m, M> {
    fn new(model: &'m M, options: &'m ScheduleHunt, deviations: &BTreeSet<Deviation>) -> Self {
        let at = model.init().into_iter().next().expect("a model has a configuration to begin in");
        Self {
            model,
            options,
            left: deviations.clone(),
            at,
            path: Vec::new(),
            violated: None,
            candidates: BTreeSet::new(),
            waiting: BTreeMap::new(),
            taken: BTreeMap::new(),
            held: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Self {
        self.judge();
        while self.violated.is_none() && self.path.len() < self.options.steps_max {
            let mut enabled = Vec::new();
            self.model.actions(&self.at, &mut enabled);
            let (faults, steps): (Vec<_>, Vec<_>) =
                enabled.into_iter().partition(|action| self.model.is_fault(action));
            let steps: Vec<(String, M::Action)> = steps
                .into_iter()
                .filter(|action| self.changes(action))
                .map(|action| (self.model.label(&action), action))
                .collect();
            let Some(chosen) = self.oldest(&steps) else { break };
            let (name, action) = &steps[chosen];
            let nth = self.taken.get(name).copied().unwrap_or_default();
            let free = steps.iter().filter(|(name, _)| !self.held.contains(name)).count();
            let deviation = |what| Deviation { before: name.clone(), nth, what };
            if free > 1 {
                self.candidates.insert(deviation(What::Delay));
            }
            if self.left.remove(&deviation(What::Delay)) && free > 1 {
                self.held.insert(name.clone());
                continue;
            }
            let others = steps.iter().map(|(_, other)| other);
            let spontaneous = others.filter(|other| *other != action && self.is_spontaneous(other));
            let first = faults.iter().filter(|fault| self.changes(fault)).chain(spontaneous);
            let mut injected = None;
            let first: Vec<&M::Action> =
                first.filter(|first| self.touches(first, action, name)).collect();
            for first in first {
                let here = deviation(What::First(self.model.label(first)));
                if injected.is_none() && self.left.contains(&here) {
                    injected = Some((here.clone(), first.clone()));
                }
                self.candidates.insert(here);
            }
            match injected {
                Some((deviation, first)) => {
                    self.left.remove(&deviation);
                    self.take(first);
                }
                None => {
                    *self.taken.entry(name.clone()).or_default() += 1;
                    self.waiting.remove(name);
                    self.held.remove(name);
                    self.take(action.clone());
                }
            }
        }
        self
    }

    /// The step that has waited longest; what a node does of its own accord only where nothing else
    /// is left, and what is put off after that.
    fn oldest(&mut self, steps: &[(String, M::Action)]) -> Option<usize> {
        let now = self.path.len();
        self.waiting.retain(|name, _| steps.iter().any(|(known, _)| known == name));
        for (name, _) in steps {
            self.waiting.entry(name.clone()).or_insert(now);
        }
        let order = |position: &usize| {
            let (name, action) = &steps[*position];
            (self.held.contains(name), self.is_spontaneous(action), self.waiting[name], *position)
        };
        (0..steps.len()).min_by_key(order)
    }

    /// Whether a node does this for no reason but that it may, or has waited.
    fn is_spontaneous(&self, action: &M::Action) -> bool {
        ["choose", "fire"].contains(&self.model.nature(action).class.name)
    }

    fn changes(&self, action: &M::Action) -> bool {
        self.model.next(&self.at, action).is_some_and(|after| after != self.at)
    }

    /// Whether a fault is about the node or the message of a step, or about all of them.
    fn touches(&self, fault: &M::Action, step: &M::Action, name: &str) -> bool {
        let of_fault = self.model.nature(fault);
        if let Some(subject) = of_fault.subject {
            return self.model.nature(step).subject == Some(subject);
        }
        match of_fault.class.name {
            // These name the message as its delivery does.
            "drop" | "duplicate" | "replay" | "corrupt" => {
                let message = name.split_once(' ').map_or(name, |(_, message)| message);
                self.model.label(fault).contains(message)
            }
            _of_links_or_groups => true,
        }
    }

    fn take(&mut self, action: M::Action) {
        if let Some(after) = self.model.next(&self.at, &action) {
            self.at = after;
            self.path.push(action);
            self.judge();
        }
    }

    fn judge(&mut self) {
        let is_at_rest = self.model.is_at_rest(&self.at);
        let says = |guarantee: usize, part| self.model.evaluate(guarantee, part, &self.at);
        let is_violated = |(guarantee, kind): &(usize, GuaranteeKind)| match kind {
            GuaranteeKind::Always => !says(*guarantee, Part::Main),
            GuaranteeKind::PrePost => {
                is_at_rest && says(*guarantee, Part::Main) && !says(*guarantee, Part::Post)
            }
            GuaranteeKind::Reachable
            | GuaranteeKind::Eventually(_)
            | GuaranteeKind::LeadsTo(_)
            | GuaranteeKind::Convergent(_) => false,
        };
        let claims = self.model.guarantees();
        let kinds = claims.iter().enumerate().map(|(position, claim)| (position, claim.kind));
        self.violated = kinds.into_iter().find(is_violated).map(|(guarantee, _)| guarantee);
    }
}
