use std::collections::BTreeSet;

use cadre_step::NodeId;

use crate::rounds::{SILENCE, StepKey, StepResult, Taken};
use crate::{ChannelRound, LineageError, Program, Rounds, Run};

/// Why a run ended as it did, as far as omissions can change it.
///
/// Every run with the same crashes that loses none of `needed` and all of `needed_lost` has the
/// same end. For by induction over rounds each node gets what it got here, but for some of
/// `irrelevant`, and every choice of these was tried at that very step and led to the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What was delivered, might have been lost, and mattered.
    pub needed: BTreeSet<ChannelRound>,
    /// What was lost and would have mattered.
    pub needed_lost: BTreeSet<ChannelRound>,
    /// What might as well have been lost or delivered.
    pub irrelevant: BTreeSet<ChannelRound>,
}

/// How many channels of one step are tried in all combinations; what is beyond counts as needed,
/// which is never wrong.
const COMBINED_MAX: usize = 8;

impl Explanation {
    /// Explains a run by taking its steps again with less or more in the inbox.
    ///
    /// # Errors
    ///
    /// As [`Rounds::run`].
    pub fn of<P: Program>(rounds: &mut Rounds<P>, run: &Run) -> Result<Self, LineageError> {
        let mut explanation = Self::default();
        for (row, round) in run.taken.iter().zip(1..) {
            for (taken, node) in row.iter().zip(rounds.nodes()) {
                if let Some(taken) = taken {
                    explanation.add(rounds, run, &Place { node, round, taken })?;
                }
            }
        }
        Ok(explanation)
    }

    fn add<P: Program>(
        &mut self,
        rounds: &mut Rounds<P>,
        run: &Run,
        place: &Place<'_>,
    ) -> Result<(), LineageError> {
        let candidates = place.candidates(rounds);
        let expected = place.effect(rounds, run, place.taken.inbox.clone())?;
        let mut irrelevant: Vec<usize> = Vec::new();
        for &candidate in &candidates {
            irrelevant.push(candidate);
            let is_free = irrelevant.len() <= COMBINED_MAX
                && place.makes_no_difference(rounds, run, &irrelevant, &expected)?;
            if !is_free {
                irrelevant.pop();
            }
        }
        for from in candidates {
            let channel = place.channel(from);
            if irrelevant.contains(&from) {
                self.irrelevant.insert(channel);
            } else if run.faults.omits(channel) {
                self.needed_lost.insert(channel);
            } else {
                self.needed.insert(channel);
            }
        }
        Ok(())
    }
}

/// A step of a run.
struct Place<'r> {
    node: NodeId,
    round: u32,
    taken: &'r Taken,
}

/// What a step brings about, as far as it can reach the end of the run.
#[derive(PartialEq, Eq)]
enum Effect {
    Panic,
    Goes { state: u32, sent: Vec<u32> },
    Stops { observation: u32, sent: Vec<u32> },
}

impl Place<'_> {
    /// The senders whose messages of the round before might have been lost, and were there.
    ///
    /// What was lost comes first: it is better to find that a loss does not matter, since whoever
    /// looks for faults would have to keep it.
    fn candidates<P: Program>(&self, rounds: &Rounds<P>) -> Vec<usize> {
        if !rounds.spec().may_omit(self.round - 1) {
            return Vec::new();
        }
        let was_lost = |from: &usize| self.taken.inbox[*from] == SILENCE;
        let offered = (0..self.taken.offered.len())
            .filter(|&from| from != self.node.index() && self.taken.offered[from] != SILENCE);
        let (mut lost, delivered): (Vec<_>, Vec<_>) = offered.partition(was_lost);
        lost.extend(delivered);
        lost
    }

    fn channel(&self, from: usize) -> ChannelRound {
        ChannelRound { from: NodeId::from_index(from), to: self.node, round: self.round - 1 }
    }

    /// Whether every choice of messages from these senders leads to the same.
    fn makes_no_difference<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        run: &Run,
        senders: &[usize],
        expected: &Effect,
    ) -> Result<bool, LineageError> {
        for choice in 0..1u32 << senders.len() {
            let mut inbox = self.taken.inbox.clone();
            for (bit, &from) in senders.iter().enumerate() {
                let is_there = choice & (1 << bit) != 0;
                inbox[from] = if is_there { self.taken.offered[from] } else { SILENCE };
            }
            if self.effect(rounds, run, inbox)? != *expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn effect<P: Program>(
        &self,
        rounds: &mut Rounds<P>,
        run: &Run,
        inbox: Vec<u32>,
    ) -> Result<Effect, LineageError> {
        let Self { node, round, taken } = *self;
        let key = StepKey { node: node.index(), round, state: taken.before, inbox };
        let stepped: StepResult = rounds.step(key)?;
        let Ok(stepped) = stepped else { return Ok(Effect::Panic) };
        let next = run.taken.get(round as usize);
        // What is sent to nodes that take no step any more is seen by nobody.
        let is_heard = |to: usize| next.is_some_and(|row| row[to].is_some());
        let heard = |(to, content)| if is_heard(to) { content } else { SILENCE };
        let sent = stepped.sent.into_iter().enumerate().map(heard).collect();
        Ok(if is_heard(node.index()) {
            Effect::Goes { state: stepped.state, sent }
        } else {
            let observation = rounds.observation(node.index(), stepped.state);
            Effect::Stops { observation, sent }
        })
    }
}
