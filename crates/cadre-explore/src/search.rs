use cadre_model::{Asleep, Claim, Model};
use cadre_trace::GuaranteeKind;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::arrivals::{Arrivals, shard_of};
use crate::aside::Aside;
use crate::exploration::{Ended, Exploration, Flow, Progress, Target};
use crate::level::{Chunk, Cursor, Level};
use crate::liveness;
use crate::log::Log;
use crate::merge::{Judges, Merge, Met, violated_at_rest};
use crate::settings::{Bound, Settings};
use crate::table::{Key, Place, SHARDS, Stamp, Table};

/// Searches every configuration that can be reached, level by level, and judges the guarantees.
///
/// Breadth-first, so that a counterexample is a shortest one; the search ends at the first
/// violation. If there was none, a second walk judges the guarantees that only endless executions
/// violate. `watch` is called every few thousand configurations and may end the search, which then
/// is *bounded*. The result is the same for every number of workers and in every run.
///
/// # Examples
///
/// ```
/// use cadre_explore::{Flow, Settings, explore};
/// use cadre_model::{Model, check};
/// use cadre_trace::Verdict;
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u32;
///     type Action = u32;
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, _: &u32, out: &mut Vec<u32>) {
///         out.extend([1, 2]);
///     }
///
///     fn next(&self, state: &u32, add: &u32) -> Option<u32> {
///         Some((state + add) % 10)
///     }
/// }
///
/// let found = explore(
///     &check(Counter).always("never seven", |state| *state != 7),
///     &Settings::default(),
///     &mut |_| Flow::Continue,
/// );
/// assert_eq!(found.verdict(), Verdict::Violated);
/// assert_eq!(found.violation().unwrap().1.path.as_deref(), Some(&[1, 2, 2, 2][..]));
///
/// // It goes round for ever, and may step over the seven each time.
/// let checked = check(Counter).eventually("seven", |state| *state == 7);
/// let found = explore(&checked, &Settings::default(), &mut |_| Flow::Continue);
/// let violated = found.violation().unwrap().1;
/// assert_eq!(violated.path.as_deref(), Some(&[][..]));
/// assert_eq!(violated.cycle.as_ref().map(|cycle| cycle.iter().sum::<u32>()), Some(10));
/// ```
pub fn explore<M: Model>(
    model: &M,
    settings: &Settings,
    watch: &mut dyn FnMut(&Progress) -> Flow,
) -> Exploration<M::Action> {
    let mut search = Search::new(model, settings);
    let ended = search.run(watch);
    let Search { claims, decided, initial, log, progress, looked_up, .. } = search;
    let decided = claims.into_iter().zip(decided).collect();
    let known = (initial.as_slice(), &log);
    let found = Exploration::conclude(model, decided, known, (progress, looked_up), &ended);
    liveness::judge(model, &settings.bounds, watch, found)
}

/// How many configurations are expanded in one go by one worker.
const CHUNK: usize = 512;

/// How many chunks are expanded before what they lead to is taken in.
const BLOCK: usize = 32;

/// A level of fewer configurations is expanded and taken in by one thread: to share it out would
/// take longer.
const LARGE: usize = 1 << 11;

/// In how many parts what a large level leads to is taken in, each by one thread.
const PARTS: usize = 64;

struct Search<'a, M: Model> {
    model: &'a M,
    settings: &'a Settings,
    pool: Option<ThreadPool>,
    claims: Vec<Claim>,
    initial: Vec<M::State>,
    /// For each guarantee what decided it.
    decided: Vec<Option<Target>>,
    tables: Vec<Table>,
    log: Log,
    arrivals: Vec<Arrivals<M::Action>>,
    aside: Aside<'a>,
    progress: Progress,
    /// How many fingerprints were looked up of what might cover a configuration.
    looked_up: u64,
    is_sealed: bool,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, settings: &'a Settings) -> Self {
        let claims = model.guarantees();
        Self {
            model,
            settings,
            pool: None,
            initial: Vec::new(),
            decided: claims.iter().map(|_| None).collect(),
            claims,
            tables: (0..SHARDS).map(Table::of_shard).collect(),
            log: Log::default(),
            arrivals: Vec::new(),
            aside: Aside::new(settings.spilling.as_ref()),
            progress: Progress::default(),
            looked_up: 0,
            is_sealed: false,
        }
    }

    fn run(&mut self, watch: &mut dyn FnMut(&Progress) -> Flow) -> Ended {
        let mut level = self.first_level();
        if self.is_violated() {
            return Ended::Violated;
        }
        let mut spare = Level::default();
        while level.len() > 0 {
            self.progress.depth += 1;
            let depth_max = self.settings.bounds.depth_max;
            let is_last = depth_max.is_some_and(|max| self.progress.depth >= max);
            self.is_sealed |= is_last;
            let mut next = spare.of_parts(if is_large(&level) { PARTS } else { 1 });
            let covered = self.progress.covered;
            let ended = self.level(&mut level, &mut next, watch);
            self.log.begin_level(level.len());
            for part in &next.parts {
                self.log.extend(&part.parents, &part.hints);
            }
            self.settle(&next);
            if let Some(ended) = ended {
                return ended;
            }
            if let Err(failure) = self.aside.finish(self.model, self.pool.as_ref(), &mut next) {
                return Ended::Bounded(Bound::Spill(failure));
            }
            if self.progress.covered - covered == level.len() as u64 {
                // Nothing was looked at, nothing follows: as deep as the level before.
                self.progress.depth -= 1;
            }
            spare = std::mem::replace(&mut level, next);
        }
        Ended::Exhausted
    }

    fn first_level(&mut self) -> Level<M::State> {
        let mut level = Level::default().of_parts(1);
        let part = &mut level.parts[0];
        for state in self.model.init() {
            let fingerprint = self.model.fingerprint(&state);
            let (key, table) = (Key::of(fingerprint), &mut self.tables[shard_of(fingerprint)]);
            if let Place::Vacant(at) = table.find(key) {
                table.insert(at, key, u32::MAX);
                part.asleep.push(Asleep::NONE);
                part.states.push(state);
            }
        }
        self.initial.clone_from(&part.states);
        self.progress.configurations = part.states.len() as u64;
        let judges = self.judges();
        for (guarantee, index) in judges.judge(self.model, &part.states) {
            self.decide(guarantee, Target::at(self.model, (0, &level), (0, index)));
        }
        self.settle(&level);
        level
    }

    /// Expands a level; `Some` where the search is over.
    fn level(
        &mut self,
        level: &mut Level<M::State>,
        next: &mut Level<M::State>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Option<Ended> {
        let mut cursor = Cursor::new();
        loop {
            let chunks = self.next_chunks(&mut cursor, level);
            if chunks.is_empty() {
                return None;
            }
            let first = chunks[0].base;
            self.progress.queue = (level.len() - first + next.len()) as u64;
            self.progress.memory_behind = self.memory_behind();
            self.progress.memory_queue = level.bytes() + next.bytes();
            let kept = self.progress.memory_behind + self.progress.memory_queue;
            self.progress.memory = kept + self.model.memory();
            (self.progress.spilled, self.progress.spilled_ever) = self.aside.bytes();
            if watch(&self.progress) == Flow::Stop {
                return Some(Ended::Bounded(Bound::Watcher));
            }
            let memory_max = self.settings.bounds.memory_max;
            if memory_max.is_some_and(|max| self.progress.memory > max) {
                return Some(Ended::Bounded(Bound::Memory(self.progress.memory)));
            }
            if let Err(failure) = self.aside.bring_back(self.model, level, &chunks) {
                return Some(Ended::Bounded(Bound::Spill(failure)));
            }
            let is_more = self.block(level, &chunks, next);
            if self.is_violated() {
                return Some(Ended::Violated);
            }
            if is_more {
                return Some(Ended::Bounded(self.settings.bounds.reached(&self.progress)));
            }
            if let Err(failure) = self.aside.put(self.model, self.pool.as_ref(), next) {
                return Some(Ended::Bounded(Bound::Spill(failure)));
            }
            let most = self.settings.bounds.configurations_max;
            self.is_sealed |= most.is_some_and(|max| self.progress.configurations >= max);
        }
    }

    /// The chunks of the next block; small ones where few configurations may still be met.
    fn next_chunks(&self, cursor: &mut Cursor, level: &Level<M::State>) -> Vec<Chunk> {
        let most = self.settings.bounds.configurations_max;
        let left = most.map_or(u64::MAX, |max| max.saturating_sub(self.progress.configurations));
        let (chunk, block) = match usize::try_from(left / 16).unwrap_or(usize::MAX) {
            few if few < CHUNK && !self.is_sealed => (few.max(1), 1),
            _ if is_large(level) => (CHUNK, BLOCK * CHUNK),
            _ => (CHUNK, CHUNK),
        };
        let mut chunks: Vec<Chunk> = Vec::new();
        let first = cursor.given();
        while cursor.given() - first < block {
            let Some(next) = cursor.next(level, chunk) else { break };
            chunks.push(next);
        }
        chunks
    }

    /// Expands some chunks and takes in what they lead to; whether there is more than was allowed.
    fn block(
        &mut self,
        level: &Level<M::State>,
        chunks: &[Chunk],
        next: &mut Level<M::State>,
    ) -> bool {
        let buckets = next.parts.len();
        if buckets > 1 {
            // Also for a single chunk: its shards are merged by the workers, and by nobody else.
            self.start_pool();
        }
        self.expand(level, chunks, next);
        self.learn(level, chunks);
        self.judge_at_rest(level, chunks);
        let arrivals = &self.arrivals[..chunks.len()];
        for found in arrivals {
            self.progress.transitions += found.transitions;
            self.progress.covered += found.covered.len() as u64;
            self.looked_up += found.looked_up;
        }
        let merge = Merge {
            model: self.model,
            level,
            chunks,
            arrivals,
            depth: self.progress.depth,
            is_sealed: self.is_sealed,
            judges: &self.judges(),
        };
        let met: Vec<Met> = match buckets {
            1 => vec![merge.bucket(0, &mut self.tables, &mut next.parts[0])],
            _ => {
                let shards =
                    self.tables.par_chunks_mut(SHARDS / PARTS).zip(&mut next.parts).enumerate();
                in_pool(self.pool.as_ref(), || {
                    shards.map(|(shard, (table, part))| merge.bucket(shard, table, part)).collect()
                })
            }
        };
        let kept: u64 = self.tables.iter().map(Table::len).sum();
        self.progress.configurations = kept - self.progress.covered;
        for (part, met) in met.iter().enumerate() {
            for (guarantee, index) in &met.decisions {
                let target = Target::at(self.model, (self.progress.depth, next), (part, *index));
                self.decide(*guarantee, target);
            }
        }
        met.iter().any(|met| met.is_more)
    }

    fn expand(&mut self, level: &Level<M::State>, chunks: &[Chunk], next: &Level<M::State>) {
        let (model, reductions) = (self.model, self.settings.reductions);
        let (buckets, stamp) = (next.parts.len(), Stamp::of_level(self.progress.depth));
        while self.arrivals.len() < chunks.len() {
            self.arrivals.push(Arrivals::new(reductions));
        }
        let tables = std::mem::take(&mut self.tables);
        let is_met = |fingerprint| {
            let (shard, key) = (shard_of(fingerprint), Key::of(fingerprint));
            let Place::At(at) = tables[shard].find(key) else { return false };
            // What is met at the next level is deeper.
            let keys = &next.parts[shard * buckets / SHARDS].keys;
            stamp.position(tables[shard].tag(at), key, keys).is_none()
        };
        self.for_each_chunk(level, chunks, |(arrivals, chunk)| {
            arrivals.clear(buckets);
            arrivals.expand(model, level.states(chunk), level.asleep(chunk), is_met);
        });
        self.tables = tables;
    }

    /// Lets the model find out what it did not know, and expands again where it could not tell.
    fn learn(&mut self, level: &Level<M::State>, chunks: &[Chunk]) {
        let model = self.model;
        loop {
            let each = self.arrivals.iter().zip(chunks);
            let unknown: Vec<_> = each
                .flat_map(|(arrivals, chunk)| arrivals.questions(level.states(chunk)))
                .collect();
            if unknown.is_empty() {
                return;
            }
            model.learn(&unknown);
            // What is found out may show that more has to be: the clients' history after a step.
            self.for_each_chunk(level, chunks, |(arrivals, chunk)| {
                arrivals.expand_again(model, level.states(chunk), level.asleep(chunk));
            });
        }
    }

    fn for_each_chunk(
        &mut self,
        level: &Level<M::State>,
        chunks: &[Chunk],
        work: impl Fn((&mut Arrivals<M::Action>, &Chunk)) + Sync + Send,
    ) {
        if is_large(level) && chunks.len() > 1 {
            self.start_pool();
            let arrivals = &mut self.arrivals;
            in_pool(self.pool.as_ref(), || arrivals.par_iter_mut().zip(chunks).for_each(work));
        } else {
            self.arrivals.iter_mut().zip(chunks).for_each(work);
        }
    }

    fn start_pool(&mut self) {
        if self.pool.is_none() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(self.settings.workers.max(1));
            self.pool = Some(pool.build().expect("the system has threads for the workers"));
        }
    }

    /// Judges what is judged where only faults can change anything.
    fn judge_at_rest(&mut self, level: &Level<M::State>, chunks: &[Chunk]) {
        let mut violated = Vec::new();
        for (arrivals, chunk) in self.arrivals.iter().zip(chunks) {
            let place = |index: u32| {
                let index = chunk.range.start + index as usize;
                Target::at(self.model, (self.progress.depth - 1, level), (chunk.part, index))
            };
            for failure in &arrivals.failures {
                let mut target = place(failure.state);
                target.why = Some(failure.why.clone());
                violated.push((failure.guarantee, target));
            }
            for index in &arrivals.resting {
                let state = &level.states(chunk)[*index as usize];
                for guarantee in violated_at_rest(self.model, &self.claims, state) {
                    violated.push((guarantee, place(*index)));
                }
            }
        }
        for (guarantee, mut target) in violated {
            target.settle(level);
            self.decide(guarantee, target);
        }
    }

    fn judges(&self) -> Judges {
        Judges::new(&self.claims, |guarantee| self.decided[guarantee].is_some())
    }

    /// Keeps the first that decides a guarantee.
    fn decide(&mut self, guarantee: usize, target: Target) {
        self.decided[guarantee].get_or_insert(target);
    }

    /// Tells targets in a level that has been filled where they are in it.
    fn settle(&mut self, level: &Level<M::State>) {
        let depth = self.progress.depth;
        for target in self.decided.iter_mut().flatten() {
            if target.depth == depth {
                target.settle(level);
            }
        }
    }

    fn is_violated(&self) -> bool {
        let mut pairs = self.claims.iter().zip(&self.decided);
        pairs.any(|(claim, decided)| decided.is_some() && claim.kind != GuaranteeKind::Reachable)
    }

    /// The bytes that the search keeps of what lies behind it.
    fn memory_behind(&self) -> u64 {
        self.tables.iter().map(Table::bytes).sum::<u64>() + self.log.bytes()
    }
}

fn is_large<S>(level: &Level<S>) -> bool {
    level.len() >= LARGE
}

fn in_pool<R: Send>(pool: Option<&ThreadPool>, work: impl FnOnce() -> R + Send) -> R {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
