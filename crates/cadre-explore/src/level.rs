use std::collections::VecDeque;
use std::ops::Range;

use cadre_model::Asleep;

use crate::aside::Segment;

/// The configurations that are met at one depth, in parts that are filled independently.
pub(crate) struct Level<S> {
    pub(crate) parts: Vec<Part<S>>,
}

/// A part of a level.
pub(crate) struct Part<S> {
    /// The configurations, but for those that have been put aside.
    pub(crate) states: Vec<S>,
    /// How many that come before them are not in memory.
    pub(crate) before: usize,
    /// How many that come after them are not in memory.
    pub(crate) after: usize,
    /// What has been put aside and not been brought back, in order.
    pub(crate) segments: VecDeque<Segment>,
    /// Whether something of it has ever been put aside.
    pub(crate) is_spilled: bool,
    /// For each configuration what is asleep there by all arrivals so far.
    pub(crate) asleep: Vec<Asleep>,
    /// For each configuration the half of its key that tells its home.
    pub(crate) keys: Vec<u64>,
    /// For each configuration where it comes from: the position in the level before.
    pub(crate) parents: Vec<u32>,
    /// For each configuration one byte of its fingerprint.
    pub(crate) hints: Vec<u8>,
}

/// Configurations of a level that are expanded in one go.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) part: usize,
    pub(crate) range: Range<usize>,
    /// The position in the level of the first of them.
    pub(crate) base: usize,
}

impl<S> Level<S> {
    /// An empty level that uses the memory of this one.
    pub(crate) fn of_parts(mut self, parts: usize) -> Self {
        self.parts.resize_with(parts, Part::new);
        self.parts.iter_mut().for_each(Part::clear);
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    pub(crate) fn states(&self, chunk: &Chunk) -> &[S] {
        let Part { states, before, .. } = &self.parts[chunk.part];
        &states[chunk.range.start - before..chunk.range.end - before]
    }

    /// A configuration of a part that is in memory.
    pub(crate) fn state(&self, part: usize, index: usize) -> &S {
        let Part { states, before, .. } = &self.parts[part];
        &states[index - before]
    }

    pub(crate) fn asleep(&self, chunk: &Chunk) -> &[Asleep] {
        &self.parts[chunk.part].asleep[chunk.range.clone()]
    }

    /// The position in the level of a configuration of a part.
    pub(crate) fn position(&self, part: usize, index: usize) -> usize {
        self.parts[..part].iter().map(Part::len).sum::<usize>() + index
    }

    /// The bytes that it takes in memory, but for what configurations keep elsewhere.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum()
    }

    /// Of these, the bytes of the configurations themselves.
    pub(crate) fn state_bytes(&self) -> u64 {
        let states = self.parts.iter().map(|part| part.states.len()).sum::<usize>();
        (states * size_of::<S>()) as u64
    }
}

impl<S> Default for Level<S> {
    fn default() -> Self {
        Self { parts: Vec::new() }
    }
}

impl<S> Part<S> {
    pub(crate) fn len(&self) -> usize {
        self.before + self.states.len() + self.after
    }

    fn bytes(&self) -> u64 {
        let bytes = self.states.capacity() * size_of::<S>()
            + self.asleep.capacity() * size_of::<Asleep>()
            + self.keys.capacity() * size_of::<u64>()
            + self.parents.capacity() * size_of::<u32>()
            + self.hints.capacity();
        bytes as u64
    }

    fn clear(&mut self) {
        let Self { states, before, after, segments, is_spilled, asleep, keys, parents, hints } =
            self;
        (*before, *after, *is_spilled) = (0, 0, false);
        segments.clear();
        states.clear();
        asleep.clear();
        keys.clear();
        parents.clear();
        hints.clear();
    }

    fn new() -> Self {
        Self {
            states: Vec::new(),
            before: 0,
            after: 0,
            segments: VecDeque::new(),
            is_spilled: false,
            asleep: Vec::new(),
            keys: Vec::new(),
            parents: Vec::new(),
            hints: Vec::new(),
        }
    }
}

/// Gives out a level in chunks, from its beginning to its end.
pub(crate) struct Cursor {
    part: usize,
    index: usize,
    base: usize,
}

impl Cursor {
    pub(crate) fn new() -> Self {
        Self { part: 0, index: 0, base: 0 }
    }

    /// How many configurations have been given out.
    pub(crate) fn given(&self) -> usize {
        self.base
    }

    /// The next configurations, at most so many.
    pub(crate) fn next<S>(&mut self, level: &Level<S>, states_max: usize) -> Option<Chunk> {
        while level.parts.get(self.part)?.len() == self.index {
            (self.part, self.index) = (self.part + 1, 0);
        }
        let left = level.parts[self.part].len() - self.index;
        let count = left.min(states_max);
        let (part, base) = (self.part, self.base);
        let range = self.index..self.index + count;
        self.index += count;
        self.base += count;
        Some(Chunk { part, range, base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_given_out_once_and_in_order() {
        let mut level = Level::default().of_parts(4);
        level.parts[1].states = vec![0, 1, 2, 3, 4];
        level.parts[3].states = vec![5];
        for states_max in 1..8 {
            let mut cursor = Cursor::new();
            let mut given = Vec::new();
            while let Some(chunk) = cursor.next(&level, states_max) {
                assert_eq!(chunk.base, given.len());
                given.extend_from_slice(level.states(&chunk));
            }
            assert_eq!(given, [0, 1, 2, 3, 4, 5]);
            assert_eq!(cursor.given(), 6);
        }
        assert_eq!(level.position(3, 0), 5);
    }
}
