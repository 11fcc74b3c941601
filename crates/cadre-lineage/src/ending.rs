use std::collections::BTreeSet;

use cadre_step::NodeId;

use crate::rounds::StepKey;
use crate::{End, FaultSet, LineageError, Program, Rounds, Run};

/// What is seen of the nodes at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// By the ids of what is seen.
    pub(crate) seen: Vec<u32>,
    pub(crate) correct: Vec<bool>,
}

/// One key of a guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) guarantee: usize,
    pub(crate) key: String,
}

/// What a broken guarantee is to be blamed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blame {
    pub(crate) fact: Fact,
    /// If these nodes had ended as they do without faults, the guarantee would hold.
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) ending: Ending,
    /// How all nodes end without faults.
    pub(crate) good: Ending,
}

impl Ending {
    /// The same where some nodes are seen otherwise.
    pub(crate) fn with(&self, otherwise: &[u32], is_meant: impl Fn(usize) -> bool) -> Self {
        let places = self.seen.iter().zip(otherwise).enumerate();
        let seen = places.map(|(node, (seen, other))| if is_meant(node) { *other } else { *seen });
        Self { seen: seen.collect(), correct: self.correct.clone() }
    }
}

impl<P: Program> Rounds<P> {
    /// How a run that has not panicked ends.
    pub(crate) fn ending(&mut self, run: &Run) -> Result<Ending, LineageError> {
        let mut seen = Vec::new();
        for node in self.nodes() {
            let state = self.last_state(run, node)?;
            seen.push(self.observation(node.index(), state));
        }
        let correct = self.nodes().map(|node| run.faults.crash_of(node).is_none()).collect();
        Ok(Ending { seen, correct })
    }

    /// How nodes would be seen if nothing had ever happened.
    pub(crate) fn beginning(&mut self) -> Vec<u32> {
        let first = self.first().to_vec();
        first.into_iter().enumerate().map(|(node, state)| self.observation(node, state)).collect()
    }

    /// What has the precondition and lacks the postcondition in a run whose guarantee is broken,
    /// and whom to blame.
    pub(crate) fn blame(&mut self, run: &Run) -> Result<Blame, LineageError> {
        let good = self.run(&FaultSet::new())?;
        let good = self.ending(&good)?;
        let ending = self.ending(run)?;
        let broken = &run.broken[0];
        let named = self.guarantees().iter().position(|known| known.name() == broken.guarantee);
        let key = broken.keys.first().cloned().unwrap_or_default();
        let fact = Fact { guarantee: named.unwrap_or_default(), key };
        let mends = |rounds: &Self, nodes: &[usize]| {
            let mended = ending.with(&good.seen, |node| nodes.contains(&node));
            !rounds.is_broken(&fact, &mended)
        };
        let sets = smallest_sets(ending.seen.len(), |nodes| mends(self, nodes));
        // What has crashed cannot be helped; so rather blame those who are up.
        let is_up = |nodes: &&Vec<usize>| nodes.iter().all(|node| ending.correct[*node]);
        let nodes = sets.iter().find(is_up).or_else(|| sets.first()).cloned();
        let crashed = || (0..ending.seen.len()).filter(|node| !ending.correct[*node]).collect();
        let nodes: Vec<usize> = nodes.unwrap_or_else(crashed);
        let nodes = nodes.into_iter().map(NodeId::from_index).collect();
        let blame = Blame { fact, nodes, ending, good };
        if !blame.nodes.is_empty() {
            return Ok(blame);
        }
        // The run without faults is as bad: then there is nobody who ends better in it.
        let nodes = self.supports_of_violation(&blame);
        Ok(Blame { nodes, ..blame })
    }

    /// The smallest set of nodes of which the violation follows, whatever the others are like: all
    /// others may be as in the beginning.
    pub(crate) fn supports_of_violation(&mut self, blame: &Blame) -> Vec<NodeId> {
        let beginning = self.beginning();
        let breaks = |nodes: &[usize]| {
            let ending = blame.ending.with(&beginning, |node| !nodes.contains(&node));
            self.is_broken(&blame.fact, &ending)
        };
        let sets = smallest_sets(beginning.len(), breaks);
        sets.into_iter().next().unwrap_or_default().into_iter().map(NodeId::from_index).collect()
    }

    /// What the nodes that are to blame are like, in words.
    pub(crate) fn finding(&self, blame: &Blame) -> String {
        let told: Vec<String> = blame
            .nodes
            .iter()
            .map(|node| self.told(*node, blame.ending.seen[node.index()]))
            .collect();
        told.join(" and ")
    }

    /// What is seen of a node, in words.
    pub(crate) fn told(&self, node: NodeId, seen: u32) -> String {
        format!("{} {}", self.name(node), self.program().tell(self.seen(seen)))
    }

    /// The keys of a guarantee that have its precondition at an end.
    pub(crate) fn keys_of(&self, guarantee: usize, ending: &Ending) -> BTreeSet<String> {
        let observations: Vec<P::Observation> =
            ending.seen.iter().map(|id| self.seen(*id).clone()).collect();
        let end = End { observations: &observations, correct: &ending.correct };
        self.guarantees()[guarantee].keys(&end)
    }

    /// Whether an end breaks any guarantee.
    pub(crate) fn breaks(&self, ending: &Ending) -> bool {
        let observations: Vec<P::Observation> =
            ending.seen.iter().map(|id| self.seen(*id).clone()).collect();
        let end = End { observations: &observations, correct: &ending.correct };
        self.guarantees().iter().any(|guarantee| !guarantee.broken(&end).is_empty())
    }

    /// Whether a fact has the precondition and the postcondition at an end.
    pub(crate) fn standing_of(&self, fact: &Fact, ending: &Ending) -> (bool, bool) {
        let observations: Vec<P::Observation> =
            ending.seen.iter().map(|id| self.seen(*id).clone()).collect();
        let end = End { observations: &observations, correct: &ending.correct };
        self.guarantees()[fact.guarantee].standing_of(&fact.key, &end)
    }

    fn is_broken(&self, fact: &Fact, ending: &Ending) -> bool {
        self.standing_of(fact, ending) == (true, false)
    }

    fn last_state(&mut self, run: &Run, node: NodeId) -> Result<u32, LineageError> {
        let rows = run.taken.iter().zip(1..);
        let taken = rows.filter_map(|(row, round)| Some((row.get(node.index())?.as_ref()?, round)));
        let Some((taken, round)) = taken.last() else { return Ok(self.first()[node.index()]) };
        let (state, inbox) = (taken.before, taken.inbox.clone());
        let stepped = self.step(StepKey { node: node.index(), round, state, inbox })?;
        // A step that panics has no state; what it was before is all there is to see.
        Ok(stepped.map_or(state, |stepped| stepped.state))
    }
}

/// All sets of the smallest size that pass a test; none where nothing does.
pub(crate) fn smallest_sets(
    of: usize,
    mut passes: impl FnMut(&[usize]) -> bool,
) -> Vec<Vec<usize>> {
    let mut level: BTreeSet<Vec<usize>> = BTreeSet::from([Vec::new()]);
    for _ in 0..=of {
        let found: Vec<_> = level.iter().filter(|set| passes(set)).cloned().collect();
        if !found.is_empty() {
            return found;
        }
        let larger = |set: &Vec<usize>| {
            let first = set.last().map_or(0, |last| last + 1);
            (first..of).map(|next| [&set[..], &[next]].concat()).collect::<Vec<_>>()
        };
        level = level.iter().flat_map(larger).collect();
    }
    Vec::new()
}
