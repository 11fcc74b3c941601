//! Chance that follows from a seed, the same on every machine.

/// The generator SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The index of one of some things.
    pub(super) fn index(&mut self, count: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // The high half of the product is below the count, nearly evenly.
        let product = u128::from(mixed) * count as u128;
        usize::try_from(product >> 64).expect("it is below the count")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_some_things_is_drawn_about_equally_often() {
        let mut random = Random::new(1);
        let mut drawn = [0; 7];
        (0..70_000).for_each(|_| drawn[random.index(7)] += 1);
        assert!(drawn.iter().all(|count| (9_500..10_500).contains(count)), "{drawn:?}");
    }
}
