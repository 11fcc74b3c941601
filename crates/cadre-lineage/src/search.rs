use std::ops::ControlFlow;

use batsat::BasicSolver;
use cadre_step::NodeId;

use crate::literals::FaultLiterals;
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
    rounds: &mut Rounds<P>,
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
    literals: FaultLiterals,
    /// Where each node goes in each exchange of interchangeable nodes, none at all included.
    exchanges: Vec<Vec<NodeId>>,
}

impl<S: Solver> Hypotheses<S> {
    fn new<P: Program>(rounds: &Rounds<P>, mut solver: S) -> Self {
        let literals = FaultLiterals::new(rounds.spec(), rounds.names().len(), &mut solver);
        let exchanges = exchanges(rounds.names().len(), &rounds.program().interchangeable());
        Self { solver, size: 0, literals, exchanges }
    }

    /// A smallest fault set that is not blocked; never a smaller one than before.
    fn next(&mut self) -> Option<FaultSet> {
        loop {
            let bound = self.literals.at_most(self.size);
            match self.solver.solve(bound.as_slice()) {
                Answer::Satisfiable => return Some(self.literals.faults(&self.solver)),
                Answer::NotAssuming => self.size += 1,
                Answer::Never => return None,
            }
        }
    }

    /// Blocks all that go as the run with these faults went, by what mattered in it; and their
    /// exchanges.
    fn block_alike(&mut self, faults: &FaultSet, explanation: &Explanation) {
        for places in self.exchanges.clone() {
            let moved = |channel: &ChannelRound| ChannelRound {
                from: places[channel.from.index()],
                to: places[channel.to.index()],
                ..*channel
            };
            let needed: Vec<ChannelRound> = explanation.needed.iter().map(moved).collect();
            let lost: Vec<ChannelRound> = explanation.needed_lost.iter().map(moved).collect();
            self.literals.count_omissions(&mut self.solver, needed.iter().chain(&lost).copied());
            let omitted = &self.literals.omitted;
            let mut clause: Vec<Literal> = needed.iter().map(|channel| omitted[channel]).collect();
            clause.extend(lost.iter().map(|channel| !omitted[channel]));
            for (node, place) in places.iter().enumerate() {
                let crash = faults.crash_of(NodeId::from_index(node));
                clause.extend(self.literals.crashes_otherwise(*place, crash));
            }
            self.solver.add_clause(&clause);
        }
    }

    /// Blocks this set and all that contain it.
    fn block_supersets(&mut self, faults: &FaultSet) {
        let mut clause = Vec::new();
        for fault in faults.iter() {
            match fault {
                Fault::Omit(channel) => clause.push(!self.literals.omitted[channel]),
                Fault::Crash { node, round } => {
                    clause.extend(self.literals.crashes_otherwise(*node, Some(*round)));
                }
            }
        }
        self.solver.add_clause(&clause);
    }
}

/// All ways to exchange nodes within groups, up to a number; the first one exchanges none.
fn exchanges(nodes: usize, groups: &[Vec<NodeId>]) -> Vec<Vec<NodeId>> {
    let mut found: Vec<Vec<NodeId>> = vec![(0..nodes).map(NodeId::from_index).collect()];
    for group in groups {
        for (position, one) in group.iter().enumerate() {
            let with_earlier = |places: &Vec<NodeId>| {
                let swapped = group[..position].iter().map(|other| {
                    let mut places = places.clone();
                    places.swap(one.index(), other.index());
                    places
                });
                swapped.collect::<Vec<_>>()
            };
            let more: Vec<_> = found.iter().flat_map(with_earlier).collect();
            found.extend(more);
            found.truncate(EXCHANGES_MAX);
        }
    }
    found
}

/// With more, clauses would cost more than runs.
const EXCHANGES_MAX: usize = 24;
