use std::collections::BTreeSet;
use std::ops::Range;

use cadre_model::{Asleep, Claim, Portable};
use cadre_trace::GuaranteeKind;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::Keep;
use super::error::ShareError;
use super::exchange::Exchange;
use super::levels::{Header, Kept, Levels};
use super::outgoing::Peer;
use super::report::{Hello, Report, Sight, Tallies, tell_all};
use super::trail::{Links, findings};
use super::visited::{Arrival, Level, Visited, owner_of, rank_of};
use crate::arrivals::Arrivals;
use crate::exploration::{Ended, Exploration, Flow, Progress};
use crate::merge::{Judges, violated_at_rest};
use crate::settings::{Bound, Settings};

/// How many configurations are expanded in one go by one thread.
const CHUNK: usize = 512;

/// How many chunks for each thread are expanded before what they lead to is taken in and sent.
const BLOCK: usize = 4;

/// One process's part of a search.
pub(super) struct Search<'a, M: Portable> {
    model: &'a M,
    settings: &'a Settings,
    identity: String,
    process: usize,
    processes: usize,
    pool: ThreadPool,
    claims: Vec<Claim>,
    initial: Vec<M::State>,
    visited: Visited,
    links: Links,
    peers: Vec<Peer<M>>,
    arrivals: Vec<Arrivals<M::Action>>,
    /// For each guarantee what decided it, as all processes know.
    decided: Vec<Option<Sight>>,
    /// The same, with what only this process knows.
    sights: Vec<Option<Sight>>,
    tallies: Tallies,
    /// The fingerprints that all processes have looked up of what might cover a configuration.
    looked_up: u64,
    /// What all processes had at the end of the last level, and how many levels there were.
    total: Progress,
    is_stopped: bool,
}

impl<'a, M: Portable> Search<'a, M> {
    pub(super) fn new(
        model: &'a M,
        settings: &'a Settings,
        identity: String,
        exchange: &Exchange,
    ) -> Self {
        let claims = model.guarantees();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.workers.max(1));
        Self {
            model,
            settings,
            identity,
            process: exchange.process,
            processes: exchange.processes,
            pool: pool.build().expect("the system has threads for the workers"),
            initial: Vec::new(),
            visited: Visited::new(),
            links: Links::default(),
            peers: (0..exchange.processes).map(|_| Peer::new()).collect(),
            arrivals: Vec::new(),
            decided: claims.iter().map(|_| None).collect(),
            sights: claims.iter().map(|_| None).collect(),
            claims,
            tallies: Tallies::default(),
            looked_up: 0,
            total: Progress::default(),
            is_stopped: false,
        }
    }

    pub(super) fn run(
        mut self,
        exchange: &mut Exchange,
        keep: Keep<'_>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Exploration<M::Action>, ShareError> {
        let (mut level, mut keeper) = self.begin(exchange, keep)?;
        let ended = loop {
            if let Some(ended) = self.agree(exchange, &level)? {
                break ended;
            }
            self.total.depth += 1;
            let next = self.level(exchange, &level, watch)?;
            self.links.push(next.marks.links.clone());
            keeper.keep(&self, &next)?;
            level = next;
        };
        let decided = self.claims.into_iter().zip(self.decided).collect();
        let known = (self.initial.as_slice(), &self.links);
        let findings = findings(self.model, exchange, known, decided, &ended)?;
        Ok(Exploration::of(findings, (self.total, self.looked_up), &ended))
    }

    /// Finds out whether all processes are about to search the same, and gives the level to begin
    /// with.
    fn begin<'k>(
        &mut self,
        exchange: &mut Exchange,
        keep: Keep<'k>,
    ) -> Result<(Level<M::State>, Keeper<'k, M>), ShareError> {
        let (levels, resumes) = match keep {
            Keep::Nothing => (None, false),
            Keep::Levels(levels) => (Some(levels), false),
            Keep::Resume(levels) => (Some(levels), true),
        };
        let mut keeper = Keeper { levels, told: M::Told::default() };
        let (levels, kept) = keeper.look()?;
        let hello = Hello { identity: self.identity.clone(), levels, kept, resumes };
        let hellos = tell_all(exchange, &hello)?;
        check_all(&hello, &hellos)?;
        let mut known = BTreeSet::new();
        self.initial = self.model.init();
        self.initial.retain(|state| known.insert(self.model.fingerprint(state)));
        let finished = hellos.iter().map(|hello| hello.levels).min().unwrap_or(0);
        let level = if resumes {
            keeper.resume(self, finished - 1)?
        } else {
            let level = self.first_level();
            keeper.keep(self, &level)?;
            level
        };
        Ok((level, keeper))
    }

    fn first_level(&mut self) -> Level<M::State> {
        let mut level = Level::new();
        self.visited.begin_level(0);
        for state in &self.initial {
            let fingerprint = self.model.fingerprint(state);
            let (asleep, process) = (Asleep::NONE, 0);
            let arrival = Arrival { fingerprint, asleep, process, position: 0, rank: 0 };
            if owner_of(fingerprint, self.processes) == self.process
                && self.visited.meet(&mut level.marks, &arrival)
            {
                level.states.push(state.clone());
            }
        }
        self.judge(&level);
        level
    }

    /// Tells all processes what came of a level; what ended the search, if it is over.
    fn agree(
        &mut self,
        exchange: &mut Exchange,
        level: &Level<M::State>,
    ) -> Result<Option<Ended>, ShareError> {
        let report = Report {
            fresh: level.len() as u64,
            configurations: self.visited.len() - self.tallies.covered,
            tallies: self.tallies,
            memory: self.memory(level),
            is_more: self.visited.is_more,
            is_stopped: self.is_stopped,
            sights: self.sights.clone(),
        };
        let total = Report::total(&tell_all(exchange, &report)?);
        if total.fresh + total.tallies.looked_at == 0 && self.total.depth > 0 {
            // Nothing of the last level was looked at: as deep as the one before.
            self.total.depth -= 1;
        }
        self.decided.clone_from(&total.sights);
        self.sights = total.sights;
        self.total.configurations = total.configurations;
        self.total.transitions = total.tallies.transitions;
        self.total.covered = total.tallies.covered;
        self.looked_up = total.tallies.looked_up;
        self.total.memory = total.memory;
        self.total.queue = total.fresh;
        let bounds = &self.settings.bounds;
        let is_violation = |(claim, sight): (&Claim, &Option<Sight>)| {
            sight.is_some() && claim.kind != GuaranteeKind::Reachable
        };
        Ok(if self.claims.iter().zip(&self.decided).any(is_violation) {
            Some(Ended::Violated)
        } else if total.is_stopped {
            Some(Ended::Bounded(Bound::Watcher))
        } else if total.is_more {
            Some(Ended::Bounded(bounds.reached(&self.total)))
        } else if total.fresh == 0 {
            Some(Ended::Exhausted)
        } else if bounds.memory_max.is_some_and(|max| total.memory > max) {
            Some(Ended::Bounded(Bound::Memory(total.memory)))
        } else {
            let most = bounds.configurations_max;
            self.visited.is_sealed |= most.is_some_and(|max| total.configurations >= max);
            None
        })
    }

    /// Expands what this process owns of a level, and gives what it owns of the next.
    fn level(
        &mut self,
        exchange: &mut Exchange,
        level: &Level<M::State>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Level<M::State>, ShareError> {
        self.visited.begin_level(self.total.depth);
        let depth_max = self.settings.bounds.depth_max;
        self.visited.is_sealed |= depth_max.is_some_and(|max| self.total.depth >= max);
        let (mut next, before) = (Level::new(), self.visited.len());
        self.tallies.looked_at = 0;
        let tallies = self.tallies;
        let block = BLOCK * CHUNK * self.pool.current_num_threads();
        for first in (0..level.len()).step_by(block) {
            let progress = Progress {
                configurations: (self.total.configurations + self.visited.len() - before)
                    - (self.tallies.covered - tallies.covered),
                covered: self.total.covered + self.tallies.covered - tallies.covered,
                transitions: self.total.transitions + self.tallies.transitions
                    - tallies.transitions,
                depth: self.total.depth,
                queue: (level.len() - first + next.len()) as u64,
                memory: self.memory(level) + next.bytes(),
                ..Progress::default()
            };
            if watch(&progress) == Flow::Stop {
                self.is_stopped = true;
                break;
            }
            self.expand(level, first..level.len().min(first + block), &next);
            self.judge_at_rest(level, first);
            self.share_out(exchange, level, first, &mut next);
            while let Some(parcel) = exchange.receive() {
                let (visited, from) = (&mut self.visited, parcel.from as usize);
                let taken = self.peers[from].take_in(self.model, &parcel, visited, &mut next);
                taken.map_err(|why| ShareError::Unreadable { process: from, why })?;
            }
        }
        for (to, peer) in self.peers.iter_mut().enumerate() {
            peer.send(self.model, exchange, to);
        }
        exchange.end_phase(|parcel| {
            let (visited, from) = (&mut self.visited, parcel.from as usize);
            let taken = self.peers[from].take_in(self.model, &parcel, visited, &mut next);
            taken.map_err(|why| ShareError::Unreadable { process: from, why })
        })?;
        self.judge(&next);
        Ok(next)
    }

    /// Expands some configurations, in chunks: one for each element of the arrivals.
    fn expand(&mut self, level: &Level<M::State>, range: Range<usize>, next: &Level<M::State>) {
        let (model, reductions) = (self.model, self.settings.reductions);
        let (visited, marks) = (&self.visited, &next.marks);
        let is_met = |fingerprint| visited.has_met_before(marks, fingerprint);
        let (states, asleep) = (&level.states[range.clone()], &level.marks.asleep[range]);
        let chunks = states.len().div_ceil(CHUNK);
        self.arrivals.resize_with(chunks, || Arrivals::new(reductions));
        let expand =
            |(arrivals, (states, asleep)): (&mut Arrivals<_>, (&[M::State], &[Asleep]))| {
                arrivals.clear(1);
                arrivals.expand(model, states, asleep, is_met);
            };
        let arrivals = &mut self.arrivals;
        match arrivals.as_mut_slice() {
            [arrivals] => expand((arrivals, (states, asleep))),
            _ => self.pool.install(|| {
                let chunks = states.par_chunks(CHUNK).zip(asleep.par_chunks(CHUNK));
                arrivals.par_iter_mut().zip(chunks).for_each(expand);
            }),
        }
        self.learn(states, asleep);
        let before = self.tallies.covered;
        for found in &self.arrivals {
            self.tallies.transitions += found.transitions;
            self.tallies.covered += found.covered.len() as u64;
            self.tallies.looked_up += found.looked_up;
        }
        self.tallies.looked_at += states.len() as u64 - (self.tallies.covered - before);
    }

    /// Lets the model find out what it did not know, and expands again where it could not tell.
    fn learn(&mut self, states: &[M::State], asleep: &[Asleep]) {
        loop {
            let chunks = self.arrivals.iter().zip(states.chunks(CHUNK));
            let unknown: Vec<_> =
                chunks.flat_map(|(arrivals, states)| arrivals.questions(states)).collect();
            if unknown.is_empty() {
                return;
            }
            self.model.learn(&unknown);
            let chunks = states.chunks(CHUNK).zip(asleep.chunks(CHUNK));
            for (arrivals, (states, asleep)) in self.arrivals.iter_mut().zip(chunks) {
                arrivals.expand_again(self.model, states, asleep);
            }
        }
    }

    /// Takes in what this process owns of what a block leads to, and sends the rest to its owners.
    fn share_out(
        &mut self,
        exchange: &mut Exchange,
        level: &Level<M::State>,
        first: usize,
        next: &mut Level<M::State>,
    ) {
        let process = u16::try_from(self.process).expect("fewer than 2^16 processes");
        let mut steps = vec![Vec::new(); self.processes];
        for (arrivals, chunk) in self.arrivals.iter().zip((first..).step_by(CHUNK)) {
            let mut parent = (usize::MAX, 0);
            for arrival in &arrivals.buckets[0] {
                let at = chunk + arrival.parent as usize;
                let state = &level.states[at];
                if parent.0 != at {
                    parent = (at, rank_of(self.model.fingerprint(state)));
                }
                let position = u32::try_from(at).expect("levels are of 2^28 at most");
                let (fingerprint, asleep, rank) = (arrival.fingerprint, arrival.asleep, parent.1);
                let owner = owner_of(fingerprint, self.processes);
                if owner == self.process {
                    let arrived = Arrival { fingerprint, asleep, process, position, rank };
                    if !self.visited.meet(&mut next.marks, &arrived) {
                        continue;
                    }
                } else {
                    self.peers[owner].push(asleep, position, rank);
                }
                steps[owner].push((state, &arrival.action));
            }
        }
        for (owner, steps) in steps.into_iter().enumerate() {
            if owner == self.process {
                self.model.follow(steps.into_iter(), &mut next.states);
                continue;
            }
            self.peers[owner].follow(self.model, steps.into_iter());
            if self.peers[owner].is_full() {
                self.peers[owner].send(self.model, exchange, owner);
            }
        }
    }

    /// Judges what is judged where only faults can change anything.
    fn judge_at_rest(&mut self, level: &Level<M::State>, first: usize) {
        let depth = self.total.depth - 1;
        for (arrivals, chunk) in self.arrivals.iter().zip((first..).step_by(CHUNK)) {
            for failure in &arrivals.failures {
                let (at, why) = (chunk + failure.state as usize, Some(failure.why.clone()));
                let sight = sight(self.model, (self.process, depth), level, at, why);
                see(&mut self.sights[failure.guarantee], sight);
            }
            for index in &arrivals.resting {
                let at = chunk + *index as usize;
                for guarantee in violated_at_rest(self.model, &self.claims, &level.states[at]) {
                    let sight = sight(self.model, (self.process, depth), level, at, None);
                    see(&mut self.sights[guarantee], sight);
                }
            }
        }
    }

    /// Judges all configurations of a level that this process owns.
    fn judge(&mut self, level: &Level<M::State>) {
        let judges = Judges::new(&self.claims, |guarantee| self.decided[guarantee].is_some());
        let model = self.model;
        let judge = |(chunk, states): (usize, &[M::State])| {
            let mut deciding: Vec<(usize, usize)> = Vec::new();
            model.judge(states, &judges.guarantees, &mut |index, guarantee, is_true| {
                if is_true != judges.by_false[guarantee] {
                    deciding.push((guarantee, chunk * CHUNK + index));
                }
            });
            deciding
        };
        let chunks = || level.states.par_chunks(CHUNK).enumerate();
        let deciding: Vec<Vec<_>> = self.pool.install(|| chunks().map(judge).collect());
        // Which covered configurations are met may depend on who is first.
        let is_open = |at: usize| {
            let (state, mut is_open) = (&level.states[at..=at], true);
            model.covering(state, &mut |_, covering| is_open &= !self.visited.has_met(covering));
            is_open || !self.settings.reductions.dominance
        };
        let deciding: Vec<_> =
            deciding.into_iter().flatten().filter(|(_, at)| is_open(*at)).collect();
        for (guarantee, at) in deciding {
            let sight = sight(model, (self.process, self.total.depth), level, at, None);
            see(&mut self.sights[guarantee], sight);
        }
    }

    /// The bytes that this process keeps.
    fn memory(&self, level: &Level<M::State>) -> u64 {
        self.visited.bytes() + self.links.bytes() + level.bytes()
    }
}

/// Whether all processes are about to search the same: all of them come to the same answer.
fn check_all(own: &Hello, all: &[Hello]) -> Result<(), ShareError> {
    let told = |hello: &Hello| match hello.resumes {
        false => hello.identity.clone(),
        true => format!("{}, resumed", hello.identity),
    };
    for (process, other) in all.iter().enumerate() {
        if told(other) != told(own) {
            let (expected, found) = (told(own), told(other));
            return Err(ShareError::Other { process, expected, found });
        }
    }
    for (process, other) in all.iter().enumerate() {
        match (other.resumes, other.levels) {
            (true, 0) => return Err(ShareError::NothingToResume { process }),
            (false, 1..) => return Err(ShareError::Occupied { process }),
            (true, 1..) if other.kept.as_ref() != Some(&own.identity) => {
                let found = other.kept.as_deref().unwrap_or("something else").to_owned();
                let expected = own.identity.clone();
                return Err(ShareError::OtherStored { process, expected, found });
            }
            (true, 1..) | (false, 0) => {}
        }
    }
    Ok(())
}

fn sight<M: Portable>(
    model: &M,
    (process, depth): (usize, u64),
    level: &Level<M::State>,
    position: usize,
    why: Option<String>,
) -> Sight {
    let fingerprint = model.fingerprint(&level.states[position]);
    Sight { depth, fingerprint, process, position, why }
}

/// Keeps the one of two that comes first.
fn see(known: &mut Option<Sight>, sight: Sight) {
    *known = Sight::first_of(known.take(), Some(sight));
}

/// Keeps the finished levels of one process.
struct Keeper<'k, M: Portable> {
    levels: Option<&'k mut dyn Levels>,
    told: M::Told,
}

impl<M: Portable> Keeper<'_, M> {
    /// How many levels there are, and of which search.
    fn look(&mut self) -> Result<(u64, Option<String>), ShareError> {
        let Some(levels) = &mut self.levels else { return Ok((0, None)) };
        let storage = |why| ShareError::Storage { level: 0, why };
        let count = levels.count().map_err(storage)?;
        let first = (count > 0).then(|| levels.get(0)).transpose().map_err(storage)?;
        Ok((count, first.and_then(|bytes| Kept::identity(&bytes))))
    }

    /// Keeps a level whose number is the depth that has been reached.
    fn keep(&mut self, search: &Search<'_, M>, level: &Level<M::State>) -> Result<(), ShareError> {
        let Some(levels) = &mut self.levels else { return Ok(()) };
        let number = search.total.depth;
        if search.is_stopped {
            // It has not been finished.
            return Ok(());
        }
        let header = Header {
            count: level.len(),
            tallies: search.tallies,
            is_more: search.visited.is_more,
            sights: search.sights.clone(),
            ..Header::new(&search.identity, search.process, number)
        };
        let mut bytes = header.begin(&level.marks.links);
        search.model.pack(&level.states, &level.marks.asleep, &mut self.told, &mut bytes);
        levels.keep(number, &bytes).map_err(|why| ShareError::Storage { level: number, why })
    }

    /// Takes in what was kept of all levels up to one, and gives that one.
    fn resume(
        &mut self,
        search: &mut Search<'_, M>,
        last: u64,
    ) -> Result<Level<M::State>, ShareError> {
        let levels = self.levels.as_mut().expect("there is something to resume from");
        let (mut heard, process) = (M::Heard::default(), search.process);
        let mut level = Level::new();
        for number in 0..=last {
            let storage = |why| ShareError::Storage { level: number, why };
            let bytes = levels.get(number).map_err(storage)?;
            let kept = Kept::read(&bytes, &Header::new(&search.identity, process, number))?;
            level = Level::new();
            search.visited.begin_level(number);
            let Level { states, marks } = &mut level;
            let mut arrive = |fingerprint, asleep| {
                let arrival = Arrival { fingerprint, asleep, process: 0, position: 0, rank: 0 };
                search.visited.meet(marks, &arrival) && number == last
            };
            let unpacked =
                search.model.unpack(kept.configurations, &mut heard, &mut arrive, states);
            unpacked.map_err(|why| ShareError::Unreadable { process, why })?;
            level.marks.links = kept.links;
            if number > 0 {
                search.links.push(level.marks.links.clone());
            }
            search.total.depth = number;
            search.tallies = kept.header.tallies;
            search.visited.is_more = kept.header.is_more;
            search.sights = kept.header.sights;
        }
        Ok(level)
    }
}
