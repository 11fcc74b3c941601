use std::collections::BTreeSet;
use std::fmt;

use cadre_step::{NodeId, Protocol};

/// A protocol that goes in rounds, with what can be seen of its nodes at the end.
///
/// In round `t` a node takes one [`Deliver`](cadre_step::Event::Deliver) for each message that was
/// sent to it in round `t - 1` and not lost, in the order of senders and of sending, and then the
/// [`tick`](Program::tick) of round `t` as a timeout. What it sends in all of these arrives in
/// round `t + 1`.
///
/// # Contract
///
/// * Disks are not needed, as nobody comes back from a crash: puts are accepted and forgotten.
///   A sync, or a timer other than the tick of the next round, is refused.
/// * Nothing is sent in the start: it is no round.
pub trait Program: Protocol {
    /// What is seen of a node at the end, and all that guarantees may speak of.
    ///
    /// The less it says, the more faults make no difference and need not be tried.
    type Observation: Clone + fmt::Debug + Eq + std::hash::Hash;

    /// The names of the nodes, in the order of their ids.
    fn nodes(&self) -> Vec<String>;

    /// The timer that goes off at the end of each round, counted from 1.
    fn tick(&self, round: u32) -> Self::Timer;

    /// What is seen of a node in this state.
    fn observe(&self, node: NodeId, state: &Self::State) -> Self::Observation;

    /// What is seen of a node, as what can be said of it, such as `has the payload`.
    fn tell(&self, seen: &Self::Observation) -> String {
        format!("ends as {seen:?}")
    }

    /// Groups of nodes that may change places: with the faults exchanged in the same way a run goes
    /// the same way, with their names exchanged.
    ///
    /// A search takes what it learns from one run for all exchanges of its faults, and so do its
    /// certificates. Nodes that tell others apart by the order in which they hear them are no such
    /// group; [`verify_complete`](crate::verify_complete) knows nothing of groups.
    fn interchangeable(&self) -> Vec<Vec<NodeId>> {
        Vec::new()
    }

    /// What has to hold at the end.
    fn guarantees(&self) -> Vec<EndGuarantee<Self::Observation>>;
}

/// A guarantee about the end of a run: every key that has the precondition has the postcondition.
///
/// Keys are facts in words, such as `b has p`, so that reports can name what is missing.
pub struct EndGuarantee<O> {
    name: String,
    pre: Facts<O>,
    post: Facts<O>,
}

type Facts<O> = Box<dyn Fn(&End<'_, O>) -> BTreeSet<String> + Send + Sync>;

/// What is seen after the last round.
#[derive(Debug)]
pub struct End<'a, O> {
    pub(crate) observations: &'a [O],
    pub(crate) correct: &'a [bool],
}

impl<O> EndGuarantee<O> {
    /// Every key of `pre` is one of `post`.
    pub fn new(
        name: impl Into<String>,
        pre: impl Fn(&End<'_, O>) -> BTreeSet<String> + Send + Sync + 'static,
        post: impl Fn(&End<'_, O>) -> BTreeSet<String> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), pre: Box::new(pre), post: Box::new(post) }
    }

    /// A guarantee with one key, its own name: where `pre` holds `post` does.
    pub fn implies(
        name: impl Into<String>,
        pre: impl Fn(&End<'_, O>) -> bool + Send + Sync + 'static,
        post: impl Fn(&End<'_, O>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        let keys = |holds: bool, key: &String| holds.then(|| key.clone()).into_iter().collect();
        let (pre_key, post_key) = (name.clone(), name.clone());
        Self::new(name, move |end| keys(pre(end), &pre_key), move |end| keys(post(end), &post_key))
    }

    /// What is guaranteed, in words.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a key has the precondition and the postcondition.
    pub(crate) fn standing_of(&self, key: &str, end: &End<'_, O>) -> (bool, bool) {
        ((self.pre)(end).contains(key), (self.post)(end).contains(key))
    }

    /// The keys that have the precondition.
    pub(crate) fn keys(&self, end: &End<'_, O>) -> BTreeSet<String> {
        (self.pre)(end)
    }

    /// Whether no key has the precondition, so that nothing is judged.
    pub(crate) fn is_vacuous(&self, end: &End<'_, O>) -> bool {
        (self.pre)(end).is_empty()
    }

    /// The keys with the precondition and without the postcondition.
    pub(crate) fn broken(&self, end: &End<'_, O>) -> BTreeSet<String> {
        let post = (self.post)(end);
        (self.pre)(end).into_iter().filter(|key| !post.contains(key)).collect()
    }
}

impl<O> fmt::Debug for EndGuarantee<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndGuarantee").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a, O> End<'a, O> {
    /// What is seen of a node; of a crashed one, what was seen when it crashed.
    pub fn of(&self, node: NodeId) -> &'a O {
        &self.observations[node.index()]
    }

    /// Whether a node has never crashed.
    pub fn is_correct(&self, node: NodeId) -> bool {
        self.correct[node.index()]
    }

    /// All nodes with what is seen of them.
    pub fn all(&self) -> impl Iterator<Item = (NodeId, &'a O)> + use<'a, O> {
        self.observations.iter().enumerate().map(|(index, seen)| (NodeId::from_index(index), seen))
    }

    /// The nodes that have never crashed, with what is seen of them.
    pub fn correct(&self) -> impl Iterator<Item = (NodeId, &'a O)> + use<'a, O> {
        let correct = self.correct;
        self.all().filter(move |(node, _)| correct[node.index()])
    }
}
