use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, io};

use cadre_model::{Asleep, Model, fingerprint};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::level::{Chunk, Level, Part};

/// Where a search puts configurations that wait, such as a directory on a disk.
///
/// Several threads may call it at the same time.
///
/// # Contract
///
/// What was written under a number is what is read under it, until it is forgotten. A search checks
/// that by a checksum.
pub trait Spill: fmt::Debug + Send + Sync {
    /// Keeps some bytes under a number that is used once.
    ///
    /// # Errors
    ///
    /// Where there is no place for them.
    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()>;

    /// The bytes that were kept under a number.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    fn read(&self, number: u64) -> io::Result<Vec<u8>>;

    /// Gives up what was kept under a number, if there is anything.
    fn forget(&self, number: u64);
}

/// That configurations that wait may be put aside, and when.
///
/// Models that cannot [store](Model::store) configurations keep all of them in memory.
#[derive(Clone, Debug)]
pub struct Spilling {
    /// Where they are put.
    pub place: Arc<dyn Spill>,
    /// The most bytes of configurations that wait in memory: those that are about to be looked at
    /// get half of it, those that are met meanwhile the other half.
    pub resident_max: u64,
}

/// Why configurations that wait are lost to a search, which ends with what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpillFailure {
    /// They could not be written; the disk may be full.
    Write(io::ErrorKind),
    /// They could not be read.
    Read(io::ErrorKind),
    /// What was read is not what was written.
    Damaged,
}

impl fmt::Display for SpillFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(kind) => write!(f, "configurations could not be put aside: {kind}"),
            Self::Read(kind) => write!(f, "configurations could not be brought back: {kind}"),
            Self::Damaged => f.write_str("configurations that were put aside came back changed"),
        }
    }
}

/// Configurations of a part that were put aside together.
#[derive(Debug)]
pub(crate) struct Segment {
    number: u64,
    count: usize,
}

/// Puts configurations aside that a level has too many of, and brings them back when it is their
/// turn.
///
/// While a level is being filled, what is asleep in a configuration may still change, and the same
/// configuration may arrive again: so only the configurations themselves are put aside then, and
/// the rest follows when the level is [finished](Aside::finish).
pub(crate) struct Aside<'a> {
    spilling: Option<&'a Spilling>,
    /// The number that was not used yet.
    next: u64,
    /// How many bytes are kept under each number.
    held: BTreeMap<u64, u64>,
    written: u64,
}

/// What came of putting some configurations aside.
enum Put {
    /// Under a number there are so many bytes.
    Kept(u64, u64),
    /// The model has no form for them.
    Unfit,
    Failed(SpillFailure),
}

impl<'a> Aside<'a> {
    pub(crate) fn new(spilling: Option<&'a Spilling>) -> Self {
        Self { spilling, next: 0, held: BTreeMap::new(), written: 0 }
    }

    /// The bytes that are aside, and those that have ever been.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.held.values().sum(), self.written)
    }

    /// Puts the configurations of a level that is being filled aside if they are too many.
    pub(crate) fn put<M: Model>(
        &mut self,
        model: &M,
        pool: Option<&ThreadPool>,
        next: &mut Level<M::State>,
    ) -> Result<(), SpillFailure> {
        let Some(spilling) = self.spilling else { return Ok(()) };
        if next.state_bytes() <= spilling.resident_max / 2 {
            return Ok(());
        }
        self.put_parts(pool, next, |part, number| put_states(model, &*spilling.place, part, number))
    }

    /// Puts the rest aside of those parts of a filled level of which something is.
    pub(crate) fn finish<M: Model>(
        &mut self,
        model: &M,
        pool: Option<&ThreadPool>,
        level: &mut Level<M::State>,
    ) -> Result<(), SpillFailure> {
        let Some(spilling) = self.spilling else { return Ok(()) };
        let place = &*spilling.place;
        self.put_parts(pool, level, |part, number| match part.is_spilled {
            true => put_states(model, place, part, number),
            false => None,
        })?;
        self.put_parts(pool, level, |part, number| match part.is_spilled {
            true => Some(put_asleep(place, part, number)),
            false => None,
        })
    }

    fn put_parts<S: Send + Sync>(
        &mut self,
        pool: Option<&ThreadPool>,
        level: &mut Level<S>,
        put: impl Fn(&mut Part<S>, u64) -> Option<Put> + Sync,
    ) -> Result<(), SpillFailure> {
        let first = self.next;
        self.next += level.parts.len() as u64;
        let put = |(index, part): (usize, &mut Part<S>)| put(part, first + index as u64);
        let all: Vec<Option<Put>> = match pool {
            Some(pool) => {
                pool.install(|| level.parts.par_iter_mut().enumerate().map(put).collect())
            }
            None => level.parts.iter_mut().enumerate().map(put).collect(),
        };
        let mut result = Ok(());
        for put in all.into_iter().flatten() {
            match put {
                Put::Kept(number, bytes) => {
                    self.held.insert(number, bytes);
                    self.written += bytes;
                }
                Put::Unfit if self.written == 0 => self.spilling = None,
                Put::Unfit => {
                    let failure = SpillFailure::Write(io::ErrorKind::Unsupported);
                    result = result.and(Err(failure));
                }
                Put::Failed(failure) => result = result.and(Err(failure)),
            }
        }
        result
    }

    /// Brings back what is needed of a level for some chunks of it, and gives up what is before.
    pub(crate) fn bring_back<M: Model>(
        &mut self,
        model: &M,
        level: &mut Level<M::State>,
        chunks: &[Chunk],
    ) -> Result<(), SpillFailure> {
        let Some(first) = chunks.first().filter(|_| self.spilling.is_some()) else { return Ok(()) };
        for part in level.parts[..first.part].iter_mut().filter(|part| part.is_spilled) {
            part.before = part.len();
            (part.states, part.asleep) = (Vec::new(), Vec::new());
        }
        let part = &mut level.parts[first.part];
        if part.is_spilled {
            part.states.drain(..first.range.start - part.before);
            part.before = first.range.start;
        }
        for chunk in chunks {
            let part = &mut level.parts[chunk.part];
            while part.before + part.states.len() < chunk.range.end {
                self.bring_segment(model, part)?;
            }
        }
        Ok(())
    }

    /// Brings back the next configurations of a part; with the first, what is asleep in all of it.
    fn bring_segment<M: Model>(
        &mut self,
        model: &M,
        part: &mut Part<M::State>,
    ) -> Result<(), SpillFailure> {
        if part.asleep.is_empty() {
            let segment = part.segments.pop_back().expect("what is asleep is aside");
            let bytes = self.take(segment.number)?;
            let asleep = bytes.chunks_exact(ASLEEP_BYTES).map(|bytes| {
                Asleep(u128::from_le_bytes(bytes.try_into().expect("chunks are that long")))
            });
            part.asleep.extend(asleep);
            if part.asleep.len() != segment.count {
                return Err(SpillFailure::Damaged);
            }
        }
        let segment = part.segments.pop_front().expect("what is not in memory is aside");
        let bytes = self.take(segment.number)?;
        let known = part.states.len();
        let is_restored = model.restore(&bytes, &mut part.states);
        if !is_restored || part.states.len() != known + segment.count {
            return Err(SpillFailure::Damaged);
        }
        part.after -= segment.count;
        Ok(())
    }

    /// What was kept under a number, which is forgotten.
    fn take(&mut self, number: u64) -> Result<Vec<u8>, SpillFailure> {
        let place = &self.spilling.expect("something is aside").place;
        let mut bytes = place.read(number).map_err(|error| SpillFailure::Read(error.kind()))?;
        let sum = bytes.split_off(bytes.len().saturating_sub(SUM_BYTES));
        if sum != sum_of(number, &bytes) {
            return Err(SpillFailure::Damaged);
        }
        place.forget(number);
        self.held.remove(&number);
        Ok(bytes)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        for (spilling, number) in self
            .spilling
            .iter()
            .flat_map(|spilling| self.held.keys().map(move |number| (spilling, *number)))
        {
            spilling.place.forget(number);
        }
    }
}

const SUM_BYTES: usize = size_of::<u128>();
const ASLEEP_BYTES: usize = size_of::<Asleep>();

/// What tells bytes from others, and from those under another number.
fn sum_of(number: u64, bytes: &[u8]) -> [u8; SUM_BYTES] {
    fingerprint(&(number, bytes)).to_le_bytes()
}

/// Puts the configurations of a part aside that are in memory; `None` where there are none.
fn put_states<M: Model>(
    model: &M,
    place: &dyn Spill,
    part: &mut Part<M::State>,
    number: u64,
) -> Option<Put> {
    let count = part.states.len();
    if count == 0 {
        return None;
    }
    let mut bytes = Vec::new();
    if !model.store(&part.states, &mut bytes) {
        return Some(Put::Unfit);
    }
    let put = write(place, number, bytes);
    if matches!(put, Put::Kept(..)) {
        part.segments.push_back(Segment { number, count });
        // Its memory is for the next of them: taken and given back again and again it would
        // become scattered, and more than is counted.
        part.states.clear();
        part.before += count;
        part.is_spilled = true;
    }
    Some(put)
}

/// Puts aside what is asleep in all configurations of a part, after the configurations; what else
/// was needed to fill the part is not needed any more.
fn put_asleep<S>(place: &dyn Spill, part: &mut Part<S>, number: u64) -> Put {
    let bytes = part.asleep.iter().flat_map(|Asleep(asleep)| asleep.to_le_bytes()).collect();
    let put = write(place, number, bytes);
    if matches!(put, Put::Kept(..)) {
        part.segments.push_back(Segment { number, count: part.asleep.len() });
        part.asleep = Vec::new();
        (part.keys, part.parents, part.hints) = (Vec::new(), Vec::new(), Vec::new());
        (part.before, part.after) = (0, part.before);
    }
    put
}

fn write(place: &dyn Spill, number: u64, mut bytes: Vec<u8>) -> Put {
    bytes.extend(sum_of(number, &bytes));
    match place.write(number, &bytes) {
        Ok(()) => Put::Kept(number, bytes.len() as u64),
        Err(error) => Put::Failed(SpillFailure::Write(error.kind())),
    }
}
