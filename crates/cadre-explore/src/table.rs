/// Fingerprints that have been met, each with a tag.
///
/// Open addressing with linear probing by cache lines of four slots each: a search looks at the
/// fingerprint's home line, and goes on to the next only where a line is full, so that even a table
/// that is nine tenths full takes few lines to look at (Knuth, "Sorting and Searching", 6.4). The
/// home line grows with the fingerprint, which makes growing one pass from front to back.
///
/// Of a fingerprint 96 bits are kept; the shard that the table belongs to tells eight more.
#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<Line>,
    /// How many lines can be a home; some more follow, for what is pushed past the last.
    homes: usize,
    /// The homes before they were rounded, so that shards keep their distance as they grow.
    size: f64,
    len: usize,
}

const SLOTS: usize = 4;

/// Slots that are filled from the first on.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line {
    highs: [u64; SLOTS],
    lows: [u32; SLOTS],
    /// 0 where the slot is empty.
    tags: [u32; SLOTS],
}

/// What a table keeps of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    high: u64,
    low: u32,
}

/// Where a fingerprint is, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    At(Slot),
    Vacant(Slot),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    line: usize,
    slot: usize,
}

/// What the tags of one level have in common: a tag tells a level, by its number's remainder, and a
/// position in what is filled of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp(u32);

const POSITION_BITS: u32 = 28;
const STAMPS: u64 = 15;

impl Stamp {
    pub(crate) fn of_level(level: u64) -> Self {
        Self(((level % STAMPS) as u32 + 1) << POSITION_BITS)
    }

    /// The tag of a position; never 0.
    #[inline]
    pub(crate) fn tag(self, position: usize) -> u32 {
        assert!(position >> POSITION_BITS == 0, "parts of levels are of 2^28 at most");
        self.0 | position as u32
    }

    /// The position that a tag tells, given the home halves of the keys that are met at this level
    /// by their positions; none where the tag is of another level.
    #[inline]
    pub(crate) fn position(self, tag: u32, key: Key, homes: &[u64]) -> Option<usize> {
        // A tag with another stamp is out of range; one of an earlier level with the same stamp
        // tells a position where there is something else by now.
        let position = (tag ^ self.0) as usize;
        (homes.get(position) == Some(&key.high())).then_some(position)
    }
}

/// How many bits of a fingerprint tell its shard.
pub(crate) const SHARD_BITS: u32 = 8;

/// How many shards there are.
pub(crate) const SHARDS: usize = 1 << SHARD_BITS;

/// How many bits of a fingerprint take part in telling configurations apart.
pub(crate) const EFFECTIVE_BITS: i32 = 104;

impl Key {
    #[inline]
    pub(crate) fn of(fingerprint: u128) -> Self {
        let below = fingerprint << SHARD_BITS;
        Self { high: (below >> 64) as u64, low: (below >> 32) as u32 }
    }

    /// The half of it that tells its home.
    pub(crate) fn high(self) -> u64 {
        self.high
    }
}

/// The table grows by a quarter when it is fuller than this.
const FULL: (usize, usize) = (23, 25);

const GROWTH: f64 = 1.25;

/// How many lines follow the homes at least.
const SPARE: usize = 4;

impl Table {
    /// The table of a shard. Shards begin with different sizes, so that they do not all grow, and
    /// are not all half empty, at the same time.
    pub(crate) fn of_shard(shard: usize) -> Self {
        let size = 16.0 * GROWTH.powf(shard as f64 / SHARDS as f64);
        let homes = size as usize;
        Self { lines: vec![Line::default(); homes + SPARE], homes, size, len: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len as u64
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.lines.capacity() * size_of::<Line>()) as u64
    }

    /// Reads a fingerprint's home line and the next, to have them at hand when it is looked for.
    #[inline]
    pub(crate) fn touch(&self, key: Key) -> u32 {
        let home = self.home(key);
        self.lines[home].tags[0] ^ self.lines[home + 1].tags[0]
    }

    #[inline]
    pub(crate) fn find(&self, key: Key) -> Place {
        let mut line = self.home(key);
        loop {
            let Line { highs, lows, tags } = &self.lines[line];
            for slot in 0..SLOTS {
                if tags[slot] == 0 {
                    return Place::Vacant(Slot { line, slot });
                }
                if highs[slot] == key.high && lows[slot] == key.low {
                    return Place::At(Slot { line, slot });
                }
            }
            line += 1;
        }
    }

    #[inline]
    pub(crate) fn tag(&self, at: Slot) -> u32 {
        self.lines[at.line].tags[at.slot]
    }

    /// Puts an absent fingerprint where [`find`](Self::find) said, with a tag that is not 0.
    #[inline]
    pub(crate) fn insert(&mut self, at: Slot, key: Key, tag: u32) {
        self.put(at, key, tag);
        self.len += 1;
        if self.len * FULL.1 > self.homes * SLOTS * FULL.0 {
            self.grow();
        }
    }

    #[inline]
    fn put(&mut self, at: Slot, key: Key, tag: u32) {
        let line = &mut self.lines[at.line];
        line.highs[at.slot] = key.high;
        line.lows[at.slot] = key.low;
        line.tags[at.slot] = tag;
        if at.line + 1 == self.lines.len() && at.slot + 1 == SLOTS {
            // The last slot stays empty, so that every search ends.
            self.lengthen(self.lines.len() + SPARE);
        }
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        ((u128::from(key.high) * self.homes as u128) >> 64) as usize
    }

    #[cold]
    fn grow(&mut self) {
        self.size *= GROWTH;
        self.homes = self.size as usize;
        // Filled from front to back, so that each line is made just before it is needed.
        let lines = Vec::with_capacity(self.homes + SPARE);
        let old = std::mem::replace(&mut self.lines, lines);
        for (key, tag) in old.iter().flat_map(Line::entries) {
            let home = self.home(key);
            self.lengthen(home + 1);
            let mut line = home;
            while self.lines[line].tags[SLOTS - 1] != 0 {
                line += 1;
                self.lengthen(line + 1);
            }
            let slot = self.lines[line].tags.iter().position(|tag| *tag == 0);
            let slot = slot.expect("the last slot of the line is empty");
            let line = &mut self.lines[line];
            (line.highs[slot], line.lows[slot], line.tags[slot]) = (key.high, key.low, tag);
        }
        // At least one line stays empty at the end, so that every search ends.
        self.lengthen((self.homes + SPARE).max(self.lines.len() + 1));
    }

    /// Adds empty lines until there are so many, and takes no more memory than that.
    #[inline]
    fn lengthen(&mut self, lines: usize) {
        if self.lines.len() < lines {
            self.lines.reserve_exact(lines - self.lines.len());
            self.lines.resize(lines, Line::default());
        }
    }

    /// The keys and tags.
    #[cfg(test)]
    fn entries(&self) -> impl Iterator<Item = (Key, u32)> + '_ {
        self.lines.iter().flat_map(Line::entries)
    }
}

impl Line {
    fn entries(&self) -> impl Iterator<Item = (Key, u32)> + '_ {
        let keys =
            self.highs.iter().zip(&self.lows).map(|(high, low)| Key { high: *high, low: *low });
        keys.zip(self.tags).filter(|(_, tag)| *tag != 0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A generator of numbers that look random (Steele, Lea and Flood, "Fast splittable
    /// pseudorandom number generators", 2014).
    fn numbers() -> impl Iterator<Item = u64> {
        (1_u64..).map(|count| {
            let mut mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        })
    }

    fn insert(table: &mut Table, key: Key, tag: u32) -> bool {
        match table.find(key) {
            Place::At(at) => {
                assert_ne!(table.tag(at), 0);
                false
            }
            Place::Vacant(at) => {
                table.insert(at, key, tag);
                true
            }
        }
    }

    #[test]
    fn it_holds_what_a_sorted_map_holds() {
        // Few high bits, so that many fingerprints have one home and some are pushed past the end.
        for mask in [u64::MAX, 0xff, u64::MAX << 60, u64::MAX << 50] {
            let (mut table, mut map) = (Table::of_shard(0), BTreeMap::new());
            let mut numbers = numbers();
            for tag in 1..5_000 {
                let high = numbers.next().unwrap() & mask;
                let key = Key { high, low: numbers.next().unwrap() as u32 % 64 };
                assert_eq!(insert(&mut table, key, tag), !map.contains_key(&key));
                map.entry(key).or_insert(tag);
            }
            assert_eq!(table.len(), map.len() as u64);
            assert_eq!(table.entries().collect::<BTreeMap<_, _>>(), map);
        }
    }

    #[test]
    fn fingerprints_that_differ_in_the_bits_that_are_kept_are_different() {
        let mut table = Table::of_shard(0);
        for bit in 24..120 {
            assert!(insert(&mut table, Key::of(1 << bit), 1), "bit {bit}");
        }
        assert!(!insert(&mut table, Key::of(1 << 24 | 1 << 23), 1), "bit 23 is not kept");
    }

    #[test]
    fn it_takes_at_most_24_bytes_for_each_fingerprint() {
        let mut table = Table::of_shard(0);
        for (count, high) in (1_u64..=200_000).zip(numbers()) {
            assert!(insert(&mut table, Key { high, low: 0 }, 1));
            let bytes = table.bytes() as f64 / count as f64;
            assert!(count < 10_000 || bytes < 24.0, "{bytes} bytes at {count}");
        }
    }
}
