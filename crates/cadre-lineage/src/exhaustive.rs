use std::collections::HashMap;
use std::ops::ControlFlow;

use cadre_step::NodeId;
use num_bigint::BigUint;

use crate::rounds::{SILENCE, StepKey};
use crate::{
    ChannelRound, Fault, FaultSet, Findings, LineageError, Program, Rounds, Verdict, Wanted,
    explain_and_block,
};

/// Tries every admissible fault set that makes a difference, by going through all configurations
/// round by round.
///
/// It shares nothing with [`explain_and_block`] but the steps: no solver, no explanation. Equal
/// configurations of a round are looked at once, so that it comes further than running each set.
///
/// # Errors
///
/// As [`Rounds::run`].
pub fn exhaust<P: Program>(rounds: &mut Rounds<P>) -> Result<Exhausted, LineageError> {
    let size = rounds.names().len();
    let mut level = Level::default();
    let start = Configuration {
        states: rounds.first().to_vec(),
        crashed: vec![false; size],
        inboxes: vec![vec![SILENCE; size]; size],
    };
    level.meet(start, &BigUint::from(1u32), FaultSet::new());
    let (mut configurations, mut panicking) = (0, Met::default());
    for round in 1..=rounds.spec().eot {
        let mut next = Level::default();
        for (configuration, met) in level.list {
            advance(rounds, round, &configuration, &met, &mut next, &mut panicking)?;
        }
        configurations += next.list.len() as u64;
        level = next;
    }
    let mut executions = panicking.paths;
    let mut smallest = panicking.smallest;
    for (configuration, met) in level.list {
        executions += &met.paths;
        let correct: Vec<bool> = configuration.crashed.iter().map(|crashed| !crashed).collect();
        if !rounds.judge(&configuration.states, &correct).0.is_empty() {
            smallest = smaller(smallest, met.smallest);
        }
    }
    Ok(Exhausted { smallest, configurations, executions })
}

/// What an exhaustive search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// A smallest fault set that breaks a guarantee.
    pub smallest: Option<FaultSet>,
    /// Distinct configurations at the ends of rounds.
    pub configurations: u64,
    /// How many fault sets differ in what they make happen: what would be run by injecting each.
    pub executions: BigUint,
}

/// Searches in both ways and compares.
///
/// # Errors
///
/// As [`Rounds::run`].
pub fn verify_complete<P: Program>(rounds: &mut Rounds<P>) -> Result<Comparison, LineageError> {
    let lineage = explain_and_block(rounds, Wanted::One, |_| ControlFlow::Continue(()))?;
    let exhausted = exhaust(rounds)?;
    Ok(Comparison { lineage, exhausted })
}

/// Both verdicts on one program, with what they took.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// By lineage.
    pub lineage: Findings,
    /// By trying everything.
    pub exhausted: Exhausted,
}

impl Comparison {
    /// See [`Exhausted::agrees_with`].
    pub fn agrees(&self) -> bool {
        self.exhausted.agrees_with(&self.lineage)
    }

    /// See [`Exhausted::ratio_to`].
    pub fn ratio(&self) -> BigUint {
        self.exhausted.ratio_to(&self.lineage)
    }
}

impl Exhausted {
    /// Whether both find nothing, or counterexamples of the same size.
    pub fn agrees_with(&self, lineage: &Findings) -> bool {
        let found = match &lineage.verdict {
            Verdict::Violated { counterexamples, .. } => {
                counterexamples.first().map(|run| run.faults.len())
            }
            Verdict::Certified | Verdict::Vacuous | Verdict::Bounded { .. } => None,
        };
        found == self.smallest.as_ref().map(FaultSet::len)
    }

    /// How many executions by trying everything stand against one run by lineage, rounded down.
    pub fn ratio_to(&self, lineage: &Findings) -> BigUint {
        &self.executions / lineage.runs.max(1)
    }
}

/// What nodes are like between two rounds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Configuration {
    states: Vec<u32>,
    crashed: Vec<bool>,
    /// For each node, what each other has sent to it and was not lost.
    inboxes: Vec<Vec<u32>>,
}

/// How something was met.
#[derive(Default)]
struct Met {
    paths: BigUint,
    smallest: Option<FaultSet>,
}

/// The configurations at the end of a round, in the order in which they were met.
#[derive(Default)]
struct Level {
    list: Vec<(Configuration, Met)>,
    positions: HashMap<Configuration, usize>,
}

impl Level {
    fn meet(&mut self, configuration: Configuration, paths: &BigUint, faults: FaultSet) {
        let position = *self.positions.entry(configuration).or_insert_with_key(|configuration| {
            self.list.push((configuration.clone(), Met::default()));
            self.list.len() - 1
        });
        self.list[position].1.again(paths, faults);
    }
}

impl Met {
    fn again(&mut self, paths: &BigUint, faults: FaultSet) {
        self.paths += paths;
        self.smallest = smaller(self.smallest.take(), Some(faults));
    }
}

fn smaller(one: Option<FaultSet>, other: Option<FaultSet>) -> Option<FaultSet> {
    [one, other].into_iter().flatten().min_by_key(FaultSet::len)
}

/// Takes one round from a configuration, with every choice of crashes and omissions.
fn advance<P: Program>(
    rounds: &mut Rounds<P>,
    round: u32,
    before: &Configuration,
    met: &Met,
    next: &mut Level,
    panicking: &mut Met,
) -> Result<(), LineageError> {
    let faults = met.smallest.clone().unwrap_or_default();
    for crashing in crash_choices(rounds, round, &before.crashed) {
        let crash = |node: &usize| Fault::Crash { node: NodeId::from_index(*node), round };
        let faults = crashing.iter().map(crash).fold(faults.clone(), |set, fault| set.with(fault));
        let mut after = before.clone();
        for node in crashing {
            after.crashed[node] = true;
        }
        if step_all(rounds, round, before, &mut after)? {
            let is_last = round == rounds.spec().eot;
            lose(rounds, if is_last { None } else { Some(round) }, after, met, faults, next);
        } else {
            panicking.again(&met.paths, faults);
        }
    }
    Ok(())
}

/// The sets of nodes that may crash in a round.
fn crash_choices<P: Program>(rounds: &Rounds<P>, round: u32, crashed: &[bool]) -> Vec<Vec<usize>> {
    let spec = rounds.spec();
    let mut choices = vec![Vec::new()];
    if round > spec.last_crash() {
        return choices;
    }
    let gone = crashed.iter().filter(|crashed| **crashed).count();
    let left = (spec.crashes as usize).saturating_sub(gone);
    for node in (0..crashed.len()).filter(|node| !crashed[*node]) {
        let with = |choice: &Vec<usize>| [&choice[..], &[node]].concat();
        let more: Vec<_> = choices.iter().filter(|choice| choice.len() < left).map(with).collect();
        choices.extend(more);
    }
    choices
}

/// Lets every node that is up take its step; false where one panics.
fn step_all<P: Program>(
    rounds: &mut Rounds<P>,
    round: u32,
    before: &Configuration,
    after: &mut Configuration,
) -> Result<bool, LineageError> {
    let size = before.states.len();
    after.inboxes = vec![vec![SILENCE; size]; size];
    for node in (0..size).filter(|node| !after.crashed[*node]).collect::<Vec<_>>() {
        let inbox = before.inboxes[node].clone();
        let key = StepKey { node, round, state: before.states[node], inbox };
        let Ok(stepped) = rounds.step(key)? else { return Ok(false) };
        after.states[node] = stepped.state;
        for (to, content) in stepped.sent.into_iter().enumerate() {
            after.inboxes[to][node] = content;
        }
    }
    // Nobody sees what is sent to a node that has crashed.
    for (inbox, _) in after.inboxes.iter_mut().zip(&after.crashed).filter(|(_, crashed)| **crashed)
    {
        inbox.fill(SILENCE);
    }
    Ok(true)
}

/// Loses what was sent in a round in every way; after the last round nobody gets any of it.
fn lose<P: Program>(
    rounds: &Rounds<P>,
    round: Option<u32>,
    mut sent: Configuration,
    met: &Met,
    faults: FaultSet,
    next: &mut Level,
) {
    let Some(round) = round else {
        sent.inboxes.iter_mut().for_each(|inbox| inbox.fill(SILENCE));
        return next.meet(sent, &met.paths, faults);
    };
    let mut ways = vec![(sent.clone(), faults)];
    let size = sent.states.len();
    let pairs = (0..size).flat_map(|to| (0..size).map(move |from| (from, to)));
    for (from, to) in pairs.filter(|(from, to)| from != to && rounds.spec().may_omit(round)) {
        if sent.inboxes[to][from] == SILENCE {
            continue;
        }
        let (of, receiver) = (NodeId::from_index(from), NodeId::from_index(to));
        let omission = Fault::Omit(ChannelRound { from: of, to: receiver, round });
        let lossy = |(configuration, faults): &(Configuration, FaultSet)| {
            let mut configuration = configuration.clone();
            configuration.inboxes[to][from] = SILENCE;
            (configuration, faults.with(omission))
        };
        let more: Vec<_> = ways.iter().map(lossy).collect();
        ways.extend(more);
    }
    for (configuration, faults) in ways {
        next.meet(configuration, &met.paths, faults);
    }
}
