use cadre_model::{Asleep, Portable, PortableError};

use super::exchange::{Bytes, Exchange, Parcel};
use super::visited::{Arrival, Level, Visited};

/// What one process has for another, and what the two have told each other.
pub(super) struct Peer<M: Portable> {
    states: Vec<M::State>,
    asleep: Vec<Asleep>,
    /// For each configuration the position of its parent, and the parent's rank.
    parents: Vec<(u32, u64)>,
    told: M::Told,
    heard: M::Heard,
}

/// How many configurations are sent in one go at least, unless the level ends.
const BATCH: usize = 1 << 12;

const PARENT_BYTES: usize = size_of::<u32>() + size_of::<u64>();

impl<M: Portable> Peer<M> {
    pub(super) fn new() -> Self {
        Self {
            states: Vec::new(),
            asleep: Vec::new(),
            parents: Vec::new(),
            told: M::Told::default(),
            heard: M::Heard::default(),
        }
    }

    /// Adds configurations that follow from others.
    pub(super) fn follow<'a>(
        &mut self,
        model: &M,
        steps: impl Iterator<Item = (&'a M::State, &'a M::Action)>,
    ) where
        M: 'a,
    {
        model.follow(steps, &mut self.states);
    }

    /// Adds where the next configuration comes from, and what is asleep there.
    pub(super) fn push(&mut self, asleep: Asleep, parent: u32, rank: u64) {
        self.asleep.push(asleep);
        self.parents.push((parent, rank));
    }

    pub(super) fn is_full(&self) -> bool {
        self.states.len() >= BATCH
    }

    /// Sends what there is.
    pub(super) fn send(&mut self, model: &M, exchange: &mut Exchange, to: usize) {
        if self.states.is_empty() {
            return;
        }
        assert_eq!(self.states.len(), self.parents.len());
        let count = u32::try_from(self.parents.len()).expect("batches are small");
        let mut bytes = Vec::with_capacity(self.parents.len() * (PARENT_BYTES + 128));
        bytes.extend(count.to_le_bytes());
        for (position, rank) in &self.parents {
            bytes.extend(position.to_le_bytes());
            bytes.extend(rank.to_le_bytes());
        }
        model.pack(&self.states, &self.asleep, &mut self.told, &mut bytes);
        self.states.clear();
        self.asleep.clear();
        self.parents.clear();
        exchange.send(to, bytes);
    }

    /// Takes in what the other process has sent.
    pub(super) fn take_in(
        &mut self,
        model: &M,
        parcel: &Parcel,
        visited: &mut Visited,
        next: &mut Level<M::State>,
    ) -> Result<(), PortableError> {
        let Parcel { from, bytes: Bytes(bytes), .. } = parcel;
        let process = u16::try_from(*from).expect("fewer than 2^16 processes");
        let (parents, packed) = split(bytes).ok_or_else(|| PortableError::Garbled {
            found: "a batch that is cut off".to_owned(),
        })?;
        let mut parents = parents.chunks_exact(PARENT_BYTES);
        let Level { states, marks } = next;
        let mut arrive = |fingerprint, asleep| {
            let Some((position, rank)) = parents.next().and_then(<[u8]>::split_first_chunk) else {
                return false;
            };
            let position = u32::from_le_bytes(*position);
            let rank = u64::from_le_bytes(rank.try_into().expect("the rest of the parent"));
            visited.meet(marks, &Arrival { fingerprint, asleep, process, position, rank })
        };
        model.unpack(packed, &mut self.heard, &mut arrive, states)
    }
}

/// The parents of a batch, and the packed configurations.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*count) as usize * PARENT_BYTES)
}
