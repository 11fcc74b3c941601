use std::hint::black_box;

use cadre_model::{Claim, Model, Part as Predicate};
use cadre_trace::GuaranteeKind;

use crate::arrivals::{Arrival, Arrivals, shard_of};
use crate::level::{Chunk, Level, Part};
use crate::path::hint_of;
use crate::table::{Key, Place, SHARDS, Stamp, Table};

/// Takes in what some chunks of a level lead to: what is new becomes part of the next level.
pub(crate) struct Merge<'a, M: Model> {
    pub(crate) model: &'a M,
    pub(crate) level: &'a Level<M::State>,
    pub(crate) chunks: &'a [Chunk],
    pub(crate) arrivals: &'a [Arrivals<M::Action>],
    /// The number of the level that is being filled.
    pub(crate) depth: u64,
    /// Nothing new is taken in; it is only told that there is some.
    pub(crate) is_sealed: bool,
    pub(crate) judges: &'a Judges,
}

/// What is judged in every configuration.
pub(crate) struct Judges {
    /// The positions of the guarantees.
    pub(crate) guarantees: Vec<usize>,
    /// For each guarantee of the model whether it is decided where it is false, not where it is
    /// true.
    pub(crate) by_false: Vec<bool>,
}

/// What a merge has come upon.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// There was something new that could not be taken in.
    pub(crate) is_more: bool,
    /// The first configuration that decides a guarantee: the guarantee, and the position in the
    /// part.
    pub(crate) decisions: Vec<(usize, usize)>,
}

impl Judges {
    pub(crate) fn new(claims: &[Claim], is_decided: impl Fn(usize) -> bool) -> Self {
        let guarantees = (0..claims.len()).filter(|guarantee| {
            let kind = claims[*guarantee].kind;
            !is_decided(*guarantee)
                && matches!(kind, GuaranteeKind::Always | GuaranteeKind::Reachable)
        });
        Self {
            guarantees: guarantees.collect(),
            by_false: claims.iter().map(|claim| claim.kind == GuaranteeKind::Always).collect(),
        }
    }

    /// Judges configurations; the first that decides each of the guarantees.
    pub(crate) fn judge<M: Model>(&self, model: &M, states: &[M::State]) -> Vec<(usize, usize)> {
        let mut decisions: Vec<(usize, usize)> = Vec::new();
        model.judge(states, &self.guarantees, &mut |index, guarantee, is_true| {
            let decides = is_true != self.by_false[guarantee];
            if decides && !decisions.iter().any(|(decided, _)| *decided == guarantee) {
                decisions.push((guarantee, index));
            }
        });
        decisions
    }
}

/// The `pre → post` guarantees that a configuration violates in which only faults can change
/// anything.
pub(crate) fn violated_at_rest<M: Model>(
    model: &M,
    claims: &[Claim],
    state: &M::State,
) -> impl Iterator<Item = usize> {
    (0..claims.len()).filter(move |guarantee| {
        let is_true = |part| model.evaluate(*guarantee, part, state);
        claims[*guarantee].kind == GuaranteeKind::PrePost
            && is_true(Predicate::Main)
            && !is_true(Predicate::Post)
    })
}

impl<M: Model> Merge<'_, M> {
    /// Takes in one bucket of every chunk. `tables` are those of the bucket's shards.
    pub(crate) fn bucket(
        &self,
        bucket: usize,
        tables: &mut [Table],
        next: &mut Part<M::State>,
    ) -> Met {
        let stamp = Stamp::of_level(self.depth);
        let mut met = Met::default();
        let count = self.arrivals.iter().map(|arrivals| arrivals.buckets[bucket].len()).sum();
        let mut all: Vec<(&Chunk, &Arrival<M::Action>)> = Vec::with_capacity(count);
        all.extend(self.arriving(bucket));
        let mut fresh = Vec::with_capacity(all.len());
        touch_all(tables, &all[..all.len().min(TOUCHED)]);
        for (count, (chunk, arrival)) in all.iter().enumerate() {
            if count % TOUCHED == 0 {
                let ahead = all.len().min(count + TOUCHED);
                touch_all(tables, &all[ahead..all.len().min(ahead + TOUCHED)]);
            }
            let key = Key::of(arrival.fingerprint);
            let table = table_of(tables, arrival.fingerprint);
            let at = match table.find(key) {
                Place::At(at) => {
                    // It sleeps only as far as it does by all ways of this level.
                    if let Some(position) = stamp.position(table.tag(at), key, &next.keys) {
                        next.asleep[position] = next.asleep[position].and(arrival.asleep);
                    }
                    continue;
                }
                Place::Vacant(_) if self.is_sealed => {
                    met.is_more = true;
                    continue;
                }
                Place::Vacant(at) => at,
            };
            table.insert(at, key, stamp.tag(next.keys.len()));
            next.keys.push(key.high());
            next.asleep.push(arrival.asleep);
            next.hints.push(hint_of(arrival.fingerprint));
            let parent = chunk.base + arrival.parent as usize;
            next.parents.push(u32::try_from(parent).expect("levels are of 2^32 at most"));
            fresh.push((&self.level.states(chunk)[arrival.parent as usize], &arrival.action));
        }
        let first = next.states.len();
        next.states.reserve(fresh.len());
        self.model.follow(fresh.into_iter(), &mut next.states);
        met.decisions = self.judges.judge(self.model, &next.states[first..]);
        met.decisions.iter_mut().for_each(|(_, index)| *index += next.before + first);
        met
    }
}

impl<'a, M: Model> Merge<'a, M> {
    /// What arrives in one bucket, in the order in which it was found.
    fn arriving(
        &self,
        bucket: usize,
    ) -> impl Iterator<Item = (&'a Chunk, &'a Arrival<M::Action>)> + use<'a, M> {
        let chunks = self.chunks.iter().zip(self.arrivals);
        chunks.flat_map(move |(chunk, arrivals)| {
            arrivals.buckets[bucket].iter().map(move |arrival| (chunk, arrival))
        })
    }
}

#[inline]
fn table_of(tables: &mut [Table], fingerprint: u128) -> &mut Table {
    let shard = shard_of(fingerprint) % tables.len();
    &mut tables[shard]
}

/// How many home lines are read before the first of them is needed: as many as processors wait for
/// at once, and some more.
const TOUCHED: usize = 32;

/// Reads home lines, so that the processor waits for many of them at once.
#[inline]
fn touch_all<A>(tables: &[Table], arrivals: &[(&Chunk, &Arrival<A>)]) {
    if tables.len() < SHARDS {
        let tags = arrivals.iter().map(|(_, arrival)| {
            let table = &tables[shard_of(arrival.fingerprint) % tables.len()];
            table.touch(Key::of(arrival.fingerprint))
        });
        black_box(tags.fold(0, std::ops::BitXor::bitxor));
    }
}
