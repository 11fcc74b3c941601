use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// The fingerprints of the configurations that have been met.
#[derive(Default)]
pub(crate) struct Visited {
    fingerprints: HashSet<u128, BuildHasherDefault<Folded>>,
}

impl Visited {
    /// Adds a fingerprint; whether it is new.
    pub(crate) fn insert(&mut self, fingerprint: u128) -> bool {
        self.fingerprints.insert(fingerprint)
    }

    pub(crate) fn contains(&self, fingerprint: u128) -> bool {
        self.fingerprints.contains(&fingerprint)
    }

    pub(crate) fn len(&self) -> u64 {
        self.fingerprints.len() as u64
    }

    /// An upper bound of the probability that two configurations share a fingerprint, so that one
    /// of them was taken for the other: n² / 2^129 for n random fingerprints of 128 bits.
    pub(crate) fn omission_bound(&self) -> f64 {
        let count = self.len() as f64;
        count * count / 2_f64.powi(129)
    }
}

/// Fingerprints are random already: half of one is as good a hash as any.
#[derive(Default)]
pub(crate) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are hashed here")
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64 ^ (fingerprint >> 64) as u64;
    }
}
