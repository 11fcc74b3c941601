use std::collections::BTreeMap;
use std::ops::ControlFlow;

use batsat::BasicSolver;
use cadre_step::NodeId;

use crate::totalizer::Totalizer;
use crate::{
    Answer, ChannelRound, Explanation, Fault, FaultSet, LineageError, Literal, Program, Rounds,
    Run, Solver,
};

/// Plays the game: looks for the smallest faults that break a guarantee, until it has what is
/// wanted or nothing is left.
///
/// `watch` is told after each run how far it is, and may break off.
///
/// # Errors
///
/// As [`Rounds::run`].
pub fn explain_and_block<P: Program>(
    rounds: &mut Rounds<'_, P>,
    wanted: Wanted,
    mut watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Findings, LineageError> {
    let baseline = rounds.run(&FaultSet::new())?;
    let mut hypotheses = Hypotheses::new(rounds, BasicSolver::default());
    let mut counterexamples: Vec<Run> = Vec::new();
    let mut progress = Progress::default();
    let is_complete = loop {
        let Some(faults) = hypotheses.next() else { break true };
        progress.covered = hypotheses.size.checked_sub(1);
        let smallest = counterexamples.first().map(|run| run.faults.len());
        if wanted == Wanted::Smallest && smallest.is_some_and(|size| size < faults.len()) {
            break true;
        }
        let run = rounds.run(&faults)?;
        progress.runs += 1;
        if run.is_good() {
            let explanation = Explanation::of(rounds, &run)?;
            hypotheses.block_alike(&faults, &explanation);
        } else {
            hypotheses.block_supersets(&faults);
            counterexamples.push(run);
            if wanted == Wanted::One {
                break true;
            }
        }
        if watch(&progress).is_break() {
            break false;
        }
    };
    let verdict = if !counterexamples.is_empty() {
        Verdict::Violated { counterexamples, is_complete }
    } else if !is_complete {
        Verdict::Bounded { covered: progress.covered }
    } else if !baseline.vacuous.is_empty() {
        Verdict::Vacuous
    } else {
        Verdict::Certified
    };
    let (runs, step_calls) = (progress.runs, rounds.step_calls());
    Ok(Findings { verdict, vacuous: baseline.vacuous, runs, step_calls })
}

/// Which counterexamples are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One of the smallest.
    One,
    /// All that are as small as the smallest.
    Smallest,
    /// All of which no part is a counterexample, whatever their size.
    Minimal,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// What came of it.
    pub verdict: Verdict,
    /// The guarantees of which no key has the precondition in the run without faults: they are as
    /// good as not judged, and EOT is to be raised.
    pub vacuous: Vec<String>,
    /// How many fault sets were run.
    pub runs: u64,
    /// How often the program was called.
    pub step_calls: u64,
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No admissible fault set breaks a guarantee.
    Certified,
    /// No admissible fault set breaks a guarantee, but some guarantee is vacuous without faults, so
    /// that this means little.
    Vacuous,
    /// Faults that break a guarantee, the smallest first; each as small as it can be.
    Violated {
        /// The runs.
        counterexamples: Vec<Run>,
        /// Whether these are all that were wanted.
        is_complete: bool,
    },
    /// The watcher broke off before anything was found.
    Bounded {
        /// No fault set of up to so many faults breaks a guarantee.
        covered: Option<usize>,
    },
}

/// How far a search is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many fault sets were run, each of which has led to a clause.
    pub runs: u64,
    /// All fault sets of up to so many faults are covered: run, or known from a run to be good, or
    /// containing a counterexample that was found.
    pub covered: Option<usize>,
}

/// The fault sets that are not blocked yet, inside a solver.
struct Hypotheses<S> {
    solver: S,
    /// How many faults the next set has.
    size: usize,
    /// What counts as one fault: each omission, and each node that crashes at all.
    count: Totalizer,
    omitted: BTreeMap<ChannelRound, Literal>,
    /// For each node and round from 1: whether it has crashed by then.
    crashed: Vec<Vec<Literal>>,
}

impl<S: Solver> Hypotheses<S> {
    fn new<P: Program>(rounds: &Rounds<'_, P>, mut solver: S) -> Self {
        let spec = rounds.spec();
        let mut crashed = Vec::new();
        for _ in rounds.nodes() {
            let by: Vec<Literal> = (0..spec.last_crash()).map(|_| solver.variable()).collect();
            for pair in by.windows(2) {
                solver.add_clause(&[!pair[0], pair[1]]);
            }
            crashed.push(by);
        }
        let at_all: Vec<Literal> = crashed.iter().filter_map(|by| by.last().copied()).collect();
        let mut count = Totalizer::default();
        count.extend(&mut solver, &at_all);
        if let Some(bound) = count.at_most(spec.crashes as usize) {
            solver.add_clause(&[bound]);
        }
        Self { solver, size: 0, count, omitted: BTreeMap::new(), crashed }
    }

    /// A smallest fault set that is not blocked; never a smaller one than before.
    fn next(&mut self) -> Option<FaultSet> {
        loop {
            let bound = self.count.at_most(self.size);
            match self.solver.solve(bound.as_slice()) {
                Answer::Satisfiable => return Some(self.faults()),
                Answer::NotAssuming => self.size += 1,
                Answer::Never => return None,
            }
        }
    }

    fn faults(&self) -> FaultSet {
        let omitted = self.omitted.iter().filter(|(_, literal)| self.solver.is_true(**literal));
        let crashed = self.crashed.iter().enumerate().filter_map(|(node, by)| {
            let round = by.iter().zip(1..).find(|(literal, _)| self.solver.is_true(**literal))?.1;
            Some(Fault::Crash { node: NodeId::from_index(node), round })
        });
        omitted.map(|(channel, _)| Fault::Omit(*channel)).chain(crashed).collect()
    }

    /// Blocks all that go as the run with these faults went, by what mattered in it.
    fn block_alike(&mut self, faults: &FaultSet, explanation: &Explanation) {
        let mut clause = Vec::new();
        for node in 0..self.crashed.len() {
            let crash = faults.crash_of(NodeId::from_index(node));
            clause.extend(self.crashes_otherwise(node, crash));
        }
        self.count_omissions(explanation.needed.iter().copied());
        clause.extend(explanation.needed.iter().map(|channel| self.omitted[channel]));
        clause.extend(explanation.needed_lost.iter().map(|channel| !self.omitted[channel]));
        self.solver.add_clause(&clause);
    }

    /// Blocks this set and all that contain it.
    fn block_supersets(&mut self, faults: &FaultSet) {
        let mut clause = Vec::new();
        for fault in faults.iter() {
            match fault {
                Fault::Omit(channel) => clause.push(!self.omitted[channel]),
                Fault::Crash { node, round } => {
                    clause.extend(self.crashes_otherwise(node.index(), Some(*round)));
                }
            }
        }
        self.solver.add_clause(&clause);
    }

    /// The literals of which one is true where a node does not crash exactly then, or at all.
    fn crashes_otherwise(&self, node: usize, crash: Option<u32>) -> Vec<Literal> {
        let by = &self.crashed[node];
        let Some(round) = crash else { return by.last().copied().into_iter().collect() };
        let this = round as usize - 1;
        let earlier = this.checked_sub(1).map(|earlier| by[earlier]);
        [!by[this]].into_iter().chain(earlier).collect()
    }

    fn count_omissions(&mut self, channels: impl Iterator<Item = ChannelRound>) {
        let mut added = Vec::new();
        for channel in channels {
            let solver = &mut self.solver;
            self.omitted.entry(channel).or_insert_with(|| {
                let literal = solver.variable();
                added.push(literal);
                literal
            });
        }
        self.count.extend(&mut self.solver, &added);
    }
}
