/// Where each configuration was first met: for each level, in order, the position of its parent in
/// the level before and one byte of its fingerprint.
///
/// Written front to back while a search goes on, and read only for the few paths that are shown.
#[derive(Debug, Default)]
pub(crate) struct Log {
    levels: Vec<Entries>,
}

#[derive(Debug)]
struct Entries {
    /// How many bytes a parent's position takes.
    width: usize,
    bytes: Vec<u8>,
}

/// What is known of a configuration on the way to one that is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Station {
    /// The position in its level.
    pub(crate) position: usize,
    /// A byte of its fingerprint; of no meaning at the first level.
    pub(crate) hint: u8,
}

impl Log {
    /// Begins the entries of the next level, given how many configurations the level before has.
    pub(crate) fn begin_level(&mut self, parents: usize) {
        let bits = usize::BITS - parents.saturating_sub(1).leading_zeros();
        let width = bits.div_ceil(u8::BITS).max(1) as usize;
        self.levels.push(Entries { width, bytes: Vec::new() });
    }

    /// Adds to the last level.
    pub(crate) fn extend(&mut self, parents: &[u32], hints: &[u8]) {
        let Entries { width, bytes } = self.levels.last_mut().expect("a level has begun");
        bytes.reserve_exact(parents.len() * (*width + 1));
        for (parent, hint) in parents.iter().zip(hints) {
            bytes.extend_from_slice(&parent.to_le_bytes()[..*width]);
            bytes.push(*hint);
        }
    }

    /// The stations on a shortest path to a configuration, the first level's first.
    pub(crate) fn way_to(&self, level: usize, position: usize) -> Vec<Station> {
        let mut way = Vec::new();
        let mut at = position;
        for entries in self.levels[..level].iter().rev() {
            let (parent, hint) = entries.get(at);
            way.push(Station { position: at, hint });
            at = parent;
        }
        way.push(Station { position: at, hint: 0 });
        way.reverse();
        way
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.levels.iter().map(|entries| entries.bytes.capacity() as u64).sum()
    }
}

impl Entries {
    fn get(&self, position: usize) -> (usize, u8) {
        let entry = &self.bytes[position * (self.width + 1)..][..=self.width];
        let mut parent = [0; size_of::<usize>()];
        parent[..self.width].copy_from_slice(&entry[..self.width]);
        (usize::from_le_bytes(parent), entry[self.width])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_every_width_come_back() {
        for parents in [1_usize, 2, 255, 256, 257, 65_536, 65_537, 1 << 24, (1 << 24) + 1] {
            let mut log = Log::default();
            log.begin_level(parents);
            let last = u32::try_from(parents - 1).unwrap();
            log.extend(&[0, last], &[7, 9]);
            assert_eq!(
                log.way_to(1, 1),
                [Station { position: parents - 1, hint: 0 }, Station { position: 1, hint: 9 }]
            );
            assert_eq!(log.way_to(1, 0)[0].position, 0);
        }
    }

    #[test]
    fn the_way_to_a_first_configuration_is_that_configuration() {
        assert_eq!(Log::default().way_to(0, 3), [Station { position: 3, hint: 0 }]);
    }
}
