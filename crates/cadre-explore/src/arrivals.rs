use cadre_model::{Asleep, Expansion, Model};

use crate::settings::Reductions;
use crate::table::{SHARD_BITS, SHARDS};

/// What a chunk of a level leads to, sorted by the shards of the fingerprints.
pub(crate) struct Arrivals<A> {
    /// For each shard what arrives there; a single bucket where a level is small.
    pub(crate) buckets: Vec<Vec<Arrival<A>>>,
    /// What the model must find out first.
    pub(crate) unknown: Vec<(u32, A)>,
    /// Configurations in which only faults can change anything.
    pub(crate) resting: Vec<u32>,
    /// Where code of the user did not return.
    pub(crate) failures: Vec<Failure>,
    pub(crate) transitions: u64,
    /// The positions in the chunk of the configurations that others cover.
    pub(crate) covered: Vec<usize>,
    /// How many fingerprints were looked up to find that out.
    pub(crate) looked_up: u64,
    reductions: Reductions,
    /// What of sleep sets is made use of.
    sleeping: Asleep,
    /// The position in the chunk of the first configuration that is expanded.
    base: usize,
}

/// That an action leads to a configuration.
pub(crate) struct Arrival<A> {
    pub(crate) fingerprint: u128,
    pub(crate) asleep: Asleep,
    pub(crate) action: A,
    /// The position in the chunk of the configuration that it comes from.
    pub(crate) parent: u32,
}

/// That code of the user did not return.
pub(crate) struct Failure {
    pub(crate) state: u32,
    pub(crate) guarantee: usize,
    pub(crate) why: String,
}

/// The shard of a fingerprint.
#[inline]
pub(crate) fn shard_of(fingerprint: u128) -> usize {
    (fingerprint >> (u128::BITS - SHARD_BITS)) as usize
}

impl<A> Arrivals<A> {
    pub(crate) fn new(reductions: Reductions) -> Self {
        Self {
            buckets: Vec::new(),
            unknown: Vec::new(),
            resting: Vec::new(),
            failures: Vec::new(),
            transitions: 0,
            covered: Vec::new(),
            looked_up: 0,
            reductions,
            sleeping: if reductions.sleep_sets { Asleep(!0) } else { Asleep::NONE },
            base: 0,
        }
    }

    /// Expands configurations, but for those that others cover; the fingerprints of these are
    /// looked up by `is_met`, which tells of all configurations of the same level or before.
    pub(crate) fn expand<M: Model<Action = A>>(
        &mut self,
        model: &M,
        states: &[M::State],
        asleep: &[Asleep],
        is_met: impl Fn(u128) -> bool,
    ) {
        if self.reductions.dominance {
            model.covering(states, &mut |index, fingerprint| {
                self.looked_up += 1;
                if self.covered.last() != Some(&index) && is_met(fingerprint) {
                    self.covered.push(index);
                }
            });
        }
        for at in 0..=self.covered.len() {
            let first = if at == 0 { 0 } else { self.covered[at - 1] + 1 };
            let end = self.covered.get(at).copied().unwrap_or(states.len());
            if first < end {
                self.base = first;
                model.expand(&states[first..end], &asleep[first..end], self);
            }
        }
    }

    /// Makes it as new, but for the memory that it has.
    pub(crate) fn clear(&mut self, buckets: usize) {
        self.buckets.resize_with(buckets, Vec::new);
        self.buckets.iter_mut().for_each(Vec::clear);
        self.unknown.clear();
        self.resting.clear();
        self.failures.clear();
        self.covered.clear();
        (self.transitions, self.looked_up, self.base) = (0, 0, 0);
    }

    /// What the model must find out, given the chunk's configurations.
    pub(crate) fn questions<S: Clone>(&self, states: &[S]) -> impl Iterator<Item = (S, A)>
    where
        A: Clone,
    {
        let of = |(state, action): &(u32, A)| (states[*state as usize].clone(), action.clone());
        self.unknown.iter().map(of)
    }

    /// Expands again what the model could not tell before.
    pub(crate) fn expand_again<M: Model<Action = A>>(
        &mut self,
        model: &M,
        states: &[M::State],
        asleep: &[Asleep],
    ) {
        let mut again: Vec<u32> = self.unknown.drain(..).map(|(index, _)| index).collect();
        again.dedup();
        for index in again.iter().map(|index| *index as usize) {
            self.base = index;
            model.expand(&states[index..=index], &asleep[index..=index], self);
        }
        if !again.is_empty() {
            self.sort();
        }
    }

    /// Puts what was found late where it belongs, so that a model that has to learn leads to the
    /// same result as one that has nothing to learn any more.
    fn sort(&mut self) {
        self.buckets.iter_mut().for_each(|bucket| bucket.sort_by_key(|arrival| arrival.parent));
        self.resting.sort_unstable();
    }

    fn position(&self, state: usize) -> u32 {
        u32::try_from(self.base + state).expect("chunks are small")
    }
}

impl<A> Expansion<A> for Arrivals<A> {
    #[inline]
    fn successor(&mut self, state: usize, action: A, fingerprint: u128, asleep: Asleep) {
        self.transitions += 1;
        let bucket = shard_of(fingerprint) * self.buckets.len() / SHARDS;
        let (parent, asleep) = (self.position(state), asleep.and(self.sleeping));
        self.buckets[bucket].push(Arrival { fingerprint, asleep, action, parent });
    }

    fn unknown(&mut self, state: usize, action: A) {
        self.unknown.push((self.position(state), action));
    }

    fn at_rest(&mut self, state: usize) {
        self.resting.push(self.position(state));
    }

    fn failed(&mut self, state: usize, _: Option<A>, guarantee: usize, why: String) {
        let state = self.position(state);
        self.failures.push(Failure { state, guarantee, why });
    }
}
