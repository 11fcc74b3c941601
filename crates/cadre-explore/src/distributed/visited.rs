use cadre_model::Asleep;

use crate::arrivals::shard_of;
use crate::path::hint_of;
use crate::table::{Key, Place, SHARDS, Stamp, Table};

/// The configurations that one process owns and has met.
pub(super) struct Visited {
    tables: Vec<Table>,
    /// That of the level that is being filled.
    stamp: Stamp,
    /// Nothing new is taken in; it is only noted that there is some.
    pub(super) is_sealed: bool,
    pub(super) is_more: bool,
}

/// What one process owns of a level.
pub(super) struct Level<S> {
    pub(super) states: Vec<S>,
    pub(super) marks: Marks,
}

/// What is noted of the configurations of a level, by their positions.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) asleep: Vec<Asleep>,
    /// The half of each key that orders the table.
    keys: Vec<u64>,
    pub(super) links: Vec<Link>,
    /// For each configuration which of its parents the link is to: the smallest.
    ranks: Vec<u64>,
}

/// Where a configuration comes from, and one byte of its own fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) position: u32,
    pub(super) process: u16,
    pub(super) hint: u8,
}

/// That a configuration has been reached.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) fingerprint: u128,
    pub(super) asleep: Asleep,
    /// The process that owns the parent, and its position in the level before.
    pub(super) process: u16,
    pub(super) position: u32,
    /// Puts the parents of a configuration in an order that does not depend on who came first.
    pub(super) rank: u64,
}

/// The process that owns a fingerprint; by bits that tell neither the shard nor the home slot.
#[inline]
pub(super) fn owner_of(fingerprint: u128, processes: usize) -> usize {
    (fingerprint >> 8) as u16 as usize % processes
}

/// The order of parents.
#[inline]
pub(super) fn rank_of(fingerprint: u128) -> u64 {
    (fingerprint >> 64) as u64
}

impl Visited {
    pub(super) fn new() -> Self {
        let tables = (0..SHARDS).map(Table::of_shard).collect();
        Self { tables, stamp: Stamp::of_level(0), is_sealed: false, is_more: false }
    }

    pub(super) fn begin_level(&mut self, level: u64) {
        self.stamp = Stamp::of_level(level);
    }

    /// Takes in an arrival; whether the configuration is new, and thus the level's next.
    #[inline]
    pub(super) fn meet(&mut self, marks: &mut Marks, arrival: &Arrival) -> bool {
        let key = Key::of(arrival.fingerprint);
        let table = &mut self.tables[shard_of(arrival.fingerprint)];
        match table.find(key) {
            Place::At(at) => {
                if let Some(position) = self.stamp.position(table.tag(at), key, &marks.keys) {
                    marks.meet_again(position, arrival);
                }
                false
            }
            Place::Vacant(_) if self.is_sealed => {
                self.is_more = true;
                false
            }
            Place::Vacant(at) => {
                table.insert(at, key, self.stamp.tag(marks.keys.len()));
                marks.keys.push(key.high());
                marks.asleep.push(arrival.asleep);
                marks.links.push(arrival.link());
                marks.ranks.push(arrival.rank);
                true
            }
        }
    }

    pub(super) fn has_met(&self, fingerprint: u128) -> bool {
        let table = &self.tables[shard_of(fingerprint)];
        matches!(table.find(Key::of(fingerprint)), Place::At(_))
    }

    /// Whether a configuration has been met at the level before the one that is being filled, or
    /// earlier.
    pub(super) fn has_met_before(&self, marks: &Marks, fingerprint: u128) -> bool {
        let (table, key) = (&self.tables[shard_of(fingerprint)], Key::of(fingerprint));
        match table.find(key) {
            Place::At(at) => self.stamp.position(table.tag(at), key, &marks.keys).is_none(),
            Place::Vacant(_) => false,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.tables.iter().map(Table::len).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.tables.iter().map(Table::bytes).sum()
    }
}

impl Marks {
    /// What is met once more in the same level sleeps only as far as it does by both ways, and
    /// comes from the smaller of its parents.
    #[inline]
    fn meet_again(&mut self, position: usize, arrival: &Arrival) {
        self.asleep[position] = self.asleep[position].and(arrival.asleep);
        if arrival.rank < self.ranks[position] {
            self.ranks[position] = arrival.rank;
            self.links[position] = arrival.link();
        }
    }
}

impl<S> Level<S> {
    pub(super) fn new() -> Self {
        Self { states: Vec::new(), marks: Marks::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// The bytes that it takes, but for what configurations keep elsewhere.
    pub(super) fn bytes(&self) -> u64 {
        let words = 2 * size_of::<u64>();
        let one = size_of::<S>() + size_of::<Asleep>() + size_of::<Link>() + words;
        (self.states.capacity() * one) as u64
    }
}

impl Arrival {
    fn link(&self) -> Link {
        let Self { process, position, fingerprint, .. } = *self;
        Link { position, process, hint: hint_of(fingerprint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(fingerprint: u128, rank: u64, asleep: u128) -> Arrival {
        let position = u32::try_from(rank).unwrap();
        Arrival { fingerprint, asleep: Asleep(asleep), process: 1, position, rank }
    }

    #[test]
    fn the_link_is_to_the_smallest_parent_in_whichever_order_they_come() {
        for order in [[3, 5, 9], [9, 5, 3], [5, 3, 9], [5, 9, 3]] {
            let (mut visited, mut marks) = (Visited::new(), Marks::default());
            visited.begin_level(4);
            let new =
                order.map(|rank| visited.meet(&mut marks, &arrival(7 << 60, rank, !0 << rank)));
            assert_eq!(new, [true, false, false]);
            assert_eq!(marks.links, [Link { position: 3, process: 1, hint: 0 }]);
            assert_eq!(marks.asleep, [Asleep(!0 << 9)]);
        }
    }

    #[test]
    fn what_was_met_at_an_earlier_level_stays_as_it_was() {
        let (mut visited, mut marks) = (Visited::new(), Marks::default());
        for level in 0..40 {
            visited.begin_level(level);
            let mut next = Marks::default();
            assert!(visited.meet(&mut next, &arrival(u128::from(level) << 90, 5, !0)));
            assert!(!visited.meet(&mut next, &arrival(u128::from(level) << 90, 4, !0)));
            if level > 0 {
                assert!(!visited.meet(&mut next, &arrival(u128::from(level - 1) << 90, 1, 0)));
                assert_eq!(marks.links[0].position, 4);
            }
            assert_eq!((next.links[0].position, next.asleep[0]), (4, Asleep(!0)));
            marks = next;
        }
        assert_eq!(visited.len(), 40);
    }

    #[test]
    fn a_sealed_search_takes_in_nothing_and_says_so() {
        let (mut visited, mut marks) = (Visited::new(), Marks::default());
        visited.begin_level(1);
        assert!(visited.meet(&mut marks, &arrival(1 << 90, 1, 0)));
        visited.is_sealed = true;
        assert!(!visited.meet(&mut marks, &arrival(1 << 90, 1, 0)));
        assert!(!visited.is_more);
        assert!(!visited.meet(&mut marks, &arrival(2 << 90, 1, 0)));
        assert!(visited.is_more && visited.len() == 1 && marks.links.len() == 1);
    }
}
