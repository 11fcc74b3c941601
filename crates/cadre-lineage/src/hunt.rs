use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use batsat::BasicSolver;
use cadre_step::NodeId;

use crate::ending::{Ending, Fact, smallest_sets};
use crate::literals::FaultLiterals;
use crate::rounds::SILENCE;
use crate::witness::{Deed, Heard};
use crate::{
    Answer, ChannelRound, Fault, FaultSet, LineageError, Literal, Program, Progress, Rounds, Run,
    Solver,
};

/// Hunts for faults that break a guarantee, guided by what supported it in good runs: few runs, and
/// never a certificate.
///
/// The next faults must take away every way in which a good outcome has come about so far. That is
/// the lineage of the paper, positive: what is lost may make a node do something else instead, of
/// which nothing was known, so that faults that break a guarantee may be missed. What was learned
/// from a run holds for fault sets that contain its faults alone, since redundancy may be there
/// only because of them.
///
/// # Errors
///
/// As [`Rounds::run`].
pub fn hunt<P: Program>(
    rounds: &mut Rounds<P>,
    mut watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Hunted, LineageError> {
    let mut hunting = Hunting::new(rounds, BasicSolver::default());
    let mut progress = Progress::default();
    let (counterexample, is_exhausted) = loop {
        let Some(faults) = hunting.next() else { break (None, true) };
        let run = hunting.rounds.run(&faults)?;
        progress.runs += 1;
        if !run.is_good() {
            break (Some(run), false);
        }
        hunting.learn(&run)?;
        if watch(&progress).is_break() {
            break (None, false);
        }
    };
    let runs = progress.runs;
    Ok(Hunted { counterexample, is_exhausted, runs, step_calls: rounds.step_calls() })
}

/// What a hunt has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunted {
    /// A run that breaks a guarantee.
    pub counterexample: Option<Run>,
    /// Whether no hypothesis is left; that is no certificate.
    pub is_exhausted: bool,
    /// How many fault sets were run.
    pub runs: u64,
    /// How often the program was called.
    pub step_calls: u64,
}

/// The hypotheses that are left, inside a solver.
struct Hunting<'r, P: Program, S> {
    rounds: &'r mut Rounds<P>,
    solver: S,
    faults: FaultLiterals,
    size: usize,
}

impl<'r, P: Program, S: Solver> Hunting<'r, P, S> {
    fn new(rounds: &'r mut Rounds<P>, mut solver: S) -> Self {
        let faults = FaultLiterals::new(rounds.spec(), rounds.names().len(), &mut solver);
        Self { rounds, solver, faults, size: 0 }
    }

    fn next(&mut self) -> Option<FaultSet> {
        loop {
            let bound = self.faults.at_most(self.size);
            match self.solver.solve(bound.as_slice()) {
                Answer::Satisfiable => return Some(self.faults.faults(&self.solver)),
                Answer::NotAssuming => self.size += 1,
                Answer::Never => return None,
            }
        }
    }

    /// Demands of all sets that contain the faults of a good run that they take away what supported
    /// one of its good outcomes; where nothing was at stake, that they take away anything.
    fn learn(&mut self, run: &Run) -> Result<(), LineageError> {
        let mut clause = self.unless_contained(&run.faults);
        let ending = self.rounds.ending(run)?;
        let mut supporting = Supporting { run, known: BTreeMap::new() };
        let mut is_vacuous = false;
        for guarantee in 0..self.rounds.guarantees().len() {
            let keys = self.rounds.keys_of(guarantee, &ending);
            is_vacuous |= keys.is_empty();
            for key in keys {
                let fact = Fact { guarantee, key };
                clause.push(self.taken_away(&mut supporting, &fact, &ending)?);
            }
        }
        if is_vacuous {
            clause.extend(self.anything_else(run));
        }
        self.solver.add_clause(&clause);
        Ok(())
    }

    /// The literals of which one is true in sets that do not contain this one.
    fn unless_contained(&mut self, faults: &FaultSet) -> Vec<Literal> {
        let mut clause = Vec::new();
        for fault in faults.iter() {
            match fault {
                Fault::Omit(channel) => clause.push(!self.faults.omitted[channel]),
                Fault::Crash { node, round } => {
                    clause.extend(self.faults.crashes_otherwise(*node, Some(*round)));
                }
            }
        }
        clause
    }

    /// The loss of anything that has arrived, or a crash of anybody who was up.
    fn anything_else(&mut self, run: &Run) -> Vec<Literal> {
        let mut clause = Vec::new();
        for (row, round) in run.taken.iter().zip(1..) {
            for (taken, to) in row.iter().zip(self.rounds.nodes()) {
                let Some(taken) = taken else { continue };
                for (from, content) in self.rounds.nodes().zip(&taken.inbox) {
                    if *content != SILENCE {
                        clause.extend(self.loss(ChannelRound { from, to, round: round - 1 }));
                    }
                }
            }
        }
        let up = self.rounds.nodes().filter(|node| run.faults.crash_of(*node).is_none());
        clause.extend(up.filter_map(|node| self.faults.crashed_by(node, u32::MAX)));
        clause
    }

    /// A literal that is true only if no way is left in which the fact could hold.
    fn taken_away(
        &mut self,
        supporting: &mut Supporting<'_>,
        fact: &Fact,
        ending: &Ending,
    ) -> Result<Literal, LineageError> {
        let taken_away = self.solver.variable();
        let beginning = self.rounds.beginning();
        // The nodes that are enough for the fact, where all others are as in the beginning.
        let suffices = |nodes: &[usize]| {
            let partly = ending.with(&beginning, |node| !nodes.contains(&node));
            self.rounds.standing_of(fact, &partly).1
        };
        for nodes in smallest_sets(beginning.len(), suffices) {
            let mut clause = vec![!taken_away];
            for node in nodes.into_iter().map(NodeId::from_index) {
                let seen = ending.seen[node.index()];
                clause.push(self.prevented(supporting, Deed::End { node, seen })?);
                // Who has crashed may not count any more.
                clause.extend(self.faults.crashed_by(node, u32::MAX));
            }
            self.solver.add_clause(&clause);
        }
        Ok(taken_away)
    }

    /// A literal that is true only if none of the ways in which the run did this is left.
    fn prevented(
        &mut self,
        supporting: &mut Supporting<'_>,
        deed: Deed,
    ) -> Result<Literal, LineageError> {
        if let Some(known) = supporting.known.get(&deed) {
            return Ok(*known);
        }
        let prevented = self.solver.variable();
        supporting.known.insert(deed, prevented);
        let witness = self.rounds.witness(deed, supporting.run, supporting.run)?;
        for alternative in witness.alternatives {
            let mut clause = vec![!prevented];
            for heard in alternative {
                clause.extend(self.unheard(supporting, deed.node(), heard)?);
            }
            self.solver.add_clause(&clause);
        }
        Ok(prevented)
    }

    /// The literals of which one is true where a message does not come: it is lost, its sender has
    /// crashed, or it is not sent.
    fn unheard(
        &mut self,
        supporting: &mut Supporting<'_>,
        to: NodeId,
        heard: Heard,
    ) -> Result<BTreeSet<Literal>, LineageError> {
        let Heard { round, from, content } = heard;
        let sent = round - 1;
        let lost = self.loss(ChannelRound { from, to, round: sent });
        let crashed = self.faults.crashed_by(from, sent);
        let deed = Deed::Send { node: from, to, round: sent, content };
        let unsent = self.prevented(supporting, deed)?;
        Ok(lost.into_iter().chain(crashed).chain([unsent]).collect())
    }

    fn loss(&mut self, channel: ChannelRound) -> Option<Literal> {
        let is_lossy = channel.from != channel.to && self.rounds.spec().may_omit(channel.round);
        is_lossy.then(|| {
            self.faults.count_omissions(&mut self.solver, [channel]);
            self.faults.omitted[&channel]
        })
    }
}

/// What supports the outcomes of one run, as far as it is known.
struct Supporting<'r> {
    run: &'r Run,
    known: BTreeMap<Deed, Literal>,
}
