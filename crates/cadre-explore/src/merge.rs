use std::hint::black_box;

use cadre_model::{Claim, Model};
use cadre_trace::GuaranteeKind;

use crate::arrivals::{Arrival, Arrivals, shard_of};
use crate::level::{Chunk, Level, Part};
use crate::path::hint_of;
use crate::table::{Key, Place, Table};

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

/// A tag tells a level, by its number's remainder, and a position in its part.
const POSITION_BITS: u32 = 28;
const STAMPS: u64 = 15;

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

impl<M: Model> Merge<'_, M> {
    /// Takes in one bucket of every chunk. `tables` are those of the bucket's shards.
    pub(crate) fn bucket(
        &self,
        bucket: usize,
        tables: &mut [Table],
        next: &mut Part<M::State>,
    ) -> Met {
        let stamp = ((self.depth % STAMPS) as u32 + 1) << POSITION_BITS;
        let mut met = Met::default();
        let all: Vec<(&Chunk, &Arrival<M::Action>)> = self.arriving(bucket).collect();
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
                    meet_again(next, table.tag(at) ^ stamp, key, arrival);
                    continue;
                }
                Place::Vacant(_) if self.is_sealed => {
                    met.is_more = true;
                    continue;
                }
                Place::Vacant(at) => at,
            };
            let position = u32::try_from(next.keys.len()).expect("parts are of 2^28 at most");
            assert!(position >> POSITION_BITS == 0, "parts are of 2^28 at most");
            table.insert(at, key, stamp | position);
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

/// What is met once more in the same level sleeps only as far as it does by both ways.
#[inline]
fn meet_again<S, A>(next: &mut Part<S>, tag: u32, key: Key, arrival: &Arrival<A>) {
    // A tag with another stamp is out of range; one of an earlier level with the same stamp tells
    // a position where there is something else by now.
    let position = tag as usize;
    if next.keys.get(position) == Some(&key.high()) {
        let asleep = &mut next.asleep[position];
        *asleep = asleep.and(arrival.asleep);
    }
}

#[inline]
fn table_of(tables: &mut [Table], fingerprint: u128) -> &mut Table {
    let shard = if tables.len() == 1 { 0 } else { shard_of(fingerprint) };
    &mut tables[shard]
}

/// How many home lines are read before the first of them is needed: as many as processors wait for
/// at once, and some more.
const TOUCHED: usize = 32;

/// Reads home lines, so that the processor waits for many of them at once.
#[inline]
fn touch_all<A>(tables: &[Table], arrivals: &[(&Chunk, &Arrival<A>)]) {
    if let [table] = tables {
        let tags = arrivals.iter().map(|(_, arrival)| table.touch(Key::of(arrival.fingerprint)));
        black_box(tags.fold(0, std::ops::BitXor::bitxor));
    }
}
