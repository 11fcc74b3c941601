/// Fingerprints that have been met, each with a tag.
///
/// Open addressing with linear probing, kept sorted: the home slot of a fingerprint grows with the
/// fingerprint, and so do the fingerprints from slot to slot. A search for one that is absent ends
/// at the first greater one, so that slots can be nearly all full, and growing is one pass from
/// front to back (Amble and Knuth, "Ordered hash tables", 1974).
///
/// Of a fingerprint 96 bits are kept; the shard that the table belongs to tells eight more.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    /// How many slots can be a home; some more follow, for those that are pushed past the last.
    homes: usize,
    len: usize,
}

/// Two to the cache line's half, so that none lies in two lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(16))]
struct Slot {
    high: u64,
    low: u32,
    /// 0 where the slot is empty.
    tag: u32,
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
    At(usize),
    Vacant(usize),
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

    /// The half of it that orders the slots.
    pub(crate) fn high(self) -> u64 {
        self.high
    }
}

/// The table grows by an eighth when it is fuller than this.
const FULL: (usize, usize) = (17, 20);

/// How many slots follow the homes at least.
const SPARE: usize = 16;

impl Table {
    /// The table of a shard. Shards begin with different sizes, so that they do not all grow, and
    /// are not all half empty, at the same time.
    pub(crate) fn of_shard(shard: usize) -> Self {
        let homes = 48 + shard % SHARDS * 6 / SHARDS;
        Self { slots: vec![Slot::default(); homes + SPARE], homes, len: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len as u64
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<Slot>()) as u64
    }

    /// Reads a fingerprint's home slot, so that it is at hand when it is looked for.
    #[inline]
    pub(crate) fn touch(&self, key: Key) -> u32 {
        self.slots[self.home(key)].tag
    }

    #[inline]
    pub(crate) fn find(&self, key: Key) -> Place {
        let mut at = self.home(key);
        loop {
            let slot = &self.slots[at];
            if slot.tag == 0 || slot.key() > key {
                return Place::Vacant(at);
            }
            if slot.key() == key {
                return Place::At(at);
            }
            at += 1;
        }
    }

    #[inline]
    pub(crate) fn tag(&self, at: usize) -> u32 {
        self.slots[at].tag
    }

    /// Puts an absent fingerprint where [`find`](Self::find) said, with a tag that is not 0.
    #[inline]
    pub(crate) fn insert(&mut self, at: usize, key: Key, tag: u32) {
        let mut end = at;
        while self.slots[end].tag != 0 {
            end += 1;
        }
        self.slots.copy_within(at..end, at + 1);
        self.slots[at] = Slot { high: key.high, low: key.low, tag };
        self.len += 1;
        if end + 1 == self.slots.len() {
            // The last slot stays empty, so that every search ends.
            self.slots.reserve_exact(SPARE);
            self.slots.resize(self.slots.len() + SPARE, Slot::default());
        }
        if self.len * FULL.1 > self.homes * FULL.0 {
            self.grow();
        }
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        ((u128::from(key.high) * self.homes as u128) >> 64) as usize
    }

    #[cold]
    fn grow(&mut self) {
        let homes = self.homes + self.homes / 8;
        let old = std::mem::take(&mut self.slots);
        let mut slots = vec![Slot::default(); homes + SPARE];
        self.homes = homes;
        let mut next = 0;
        for slot in old.iter().filter(|slot| slot.tag != 0) {
            next = next.max(self.home(slot.key()));
            if next + 1 >= slots.len() {
                slots.resize(slots.len() + SPARE, Slot::default());
            }
            slots[next] = *slot;
            next += 1;
        }
        self.slots = slots;
    }

    /// The keys and tags, in order.
    #[cfg(test)]
    fn entries(&self) -> impl Iterator<Item = (Key, u32)> + '_ {
        self.slots.iter().filter(|slot| slot.tag != 0).map(|slot| (slot.key(), slot.tag))
    }
}

impl Slot {
    #[inline]
    fn key(self) -> Key {
        Key { high: self.high, low: self.low }
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
            assert!(table.entries().eq(map.into_iter()));
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
