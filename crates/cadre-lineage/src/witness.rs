use std::collections::BTreeSet;

use cadre_step::NodeId;

use crate::rounds::{SILENCE, StepKey};
use crate::{LineageError, Program, Rounds, Run};

/// Something that one node does in a run, which is to be explained by what it has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Deed {
    /// It is seen like this in the end.
    End { node: NodeId, seen: u32 },
    /// It sends this, or nothing, to a node in a round.
    Send { node: NodeId, to: NodeId, round: u32, content: u32 },
    /// Its step panics in a round.
    Panic { node: NodeId, round: u32 },
}

/// What a node hears from another in a round: sent in the round before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Heard {
    pub(crate) round: u32,
    pub(crate) from: NodeId,
    pub(crate) content: u32,
}

/// Why a node does something, as far as its own steps tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Witness {
    /// Sets of messages each of which is enough, and no part of it is; the first ones first.
    pub(crate) alternatives: Vec<BTreeSet<Heard>>,
    /// Messages of the other run that would have made it do something else, had they come.
    pub(crate) missed: BTreeSet<Heard>,
}

/// How many alternatives are looked for.
const ALTERNATIVES_MAX: usize = 6;

impl Deed {
    pub(crate) fn node(&self) -> NodeId {
        match self {
            Self::End { node, .. } | Self::Send { node, .. } | Self::Panic { node, .. } => *node,
        }
    }
}

impl<P: Program> Rounds<P> {
    /// Explains what a node does by letting it take its steps again on parts of what it heard.
    ///
    /// These are the minimal witnesses of Whittaker and others ("Debugging Distributed Systems with
    /// Why-Across-Time Provenance", 2018): enough if nothing else had been heard. What may not come
    /// is looked for in the other run. Where a message makes a node do less, there may be
    /// explanations besides these.
    pub(crate) fn witness(
        &mut self,
        deed: Deed,
        run: &Run,
        other: &Run,
    ) -> Result<Witness, LineageError> {
        let heard = heard(run, deed.node(), self.last_round(deed, run));
        let mut witness = Witness::default();
        let mut spared: Vec<BTreeSet<Heard>> = vec![BTreeSet::new()];
        let mut tried: BTreeSet<BTreeSet<Heard>> = BTreeSet::new();
        while let Some(without) = spared.pop() {
            if witness.alternatives.len() == ALTERNATIVES_MAX || !tried.insert(without.clone()) {
                continue;
            }
            let left: BTreeSet<Heard> = heard.difference(&without).copied().collect();
            let Some(enough) = self.minimal(deed, run, left)? else { continue };
            // Another one must do without something of this one.
            let more = enough.iter().rev().map(|message| {
                without.iter().copied().chain([*message]).collect::<BTreeSet<Heard>>()
            });
            spared.extend(more);
            if !witness.alternatives.contains(&enough) {
                witness.alternatives.push(enough);
            }
        }
        witness.alternatives.sort_by_key(|set| set.iter().map(|heard| heard.round).max());
        witness.missed = self.missed(deed, run, other, &heard)?;
        Ok(witness)
    }

    /// A part that is enough, of which nothing can be spared; what is late is spared first.
    fn minimal(
        &mut self,
        deed: Deed,
        run: &Run,
        mut enough: BTreeSet<Heard>,
    ) -> Result<Option<BTreeSet<Heard>>, LineageError> {
        if !self.does(deed, run, &enough)? {
            return Ok(None);
        }
        for message in enough.clone().into_iter().rev() {
            enough.remove(&message);
            if !self.does(deed, run, &enough)? {
                enough.insert(message);
            }
        }
        Ok(Some(enough))
    }

    /// A smallest part of what the node hears in the other run and does not hear in this one, with
    /// which it would have done something else.
    fn missed(
        &mut self,
        deed: Deed,
        run: &Run,
        other: &Run,
        heard: &BTreeSet<Heard>,
    ) -> Result<BTreeSet<Heard>, LineageError> {
        let node = deed.node();
        let at = |message: &Heard| (message.round, message.from);
        let places: BTreeSet<_> = heard.iter().map(at).collect();
        let mut missed = self::heard(other, node, self.last_round(deed, run));
        missed.retain(|message| !places.contains(&at(message)));
        let with = |missed: &BTreeSet<Heard>| heard.union(missed).copied().collect();
        if missed.is_empty() || self.does(deed, run, &with(&missed))? {
            return Ok(BTreeSet::new());
        }
        for message in missed.clone().into_iter().rev() {
            missed.remove(&message);
            if self.does(deed, run, &with(&missed))? {
                missed.insert(message);
            }
        }
        Ok(missed)
    }

    /// Whether the node does it if it hears nothing but this, besides itself.
    fn does(
        &mut self,
        deed: Deed,
        run: &Run,
        heard: &BTreeSet<Heard>,
    ) -> Result<bool, LineageError> {
        let node = deed.node().index();
        let size = self.names().len();
        let mut state = self.first()[node];
        let mut from_itself = SILENCE;
        for round in 1..=self.last_round(deed, run) {
            let mut inbox = vec![SILENCE; size];
            inbox[node] = from_itself;
            for message in heard.iter().filter(|message| message.round == round) {
                inbox[message.from.index()] = message.content;
            }
            let Ok(stepped) = self.step(StepKey { node, round, state, inbox })? else {
                return Ok(matches!(deed, Deed::Panic { round: at, .. } if at == round));
            };
            if let Deed::Send { to, round: at, content, .. } = deed
                && at == round
            {
                return Ok(stepped.sent[to.index()] == content);
            }
            (state, from_itself) = (stepped.state, stepped.sent[node]);
        }
        Ok(match deed {
            Deed::End { seen, .. } => self.observation(node, state) == seen,
            // A node that does not get to that round sends nothing in it.
            Deed::Send { content, .. } => content == SILENCE,
            Deed::Panic { .. } => false,
        })
    }

    /// The last round in which the node takes a step that the deed depends on.
    fn last_round(&self, deed: Deed, run: &Run) -> u32 {
        let last = match deed {
            Deed::End { .. } => self.spec().eot,
            Deed::Send { round, .. } | Deed::Panic { round, .. } => round,
        };
        let crash = run.faults.crash_of(deed.node());
        crash.map_or(last, |crash| last.min(crash - 1))
    }
}

/// What a node hears from others up to a round.
fn heard(run: &Run, node: NodeId, last: u32) -> BTreeSet<Heard> {
    let mut found = BTreeSet::new();
    for (row, round) in run.taken.iter().zip(1..=last) {
        let Some(Some(taken)) = row.get(node.index()) else { continue };
        for (from, &content) in taken.inbox.iter().enumerate() {
            if from != node.index() && content != SILENCE {
                found.insert(Heard { round, from: NodeId::from_index(from), content });
            }
        }
    }
    found
}
