use std::hash::{Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

/// A 128-bit fingerprint of a value: the same in every run, thread and process of one build.
///
/// SipHash-1-3 with 128 bits of output and fixed keys. Values that are equal have equal
/// fingerprints where `Hash` agrees with `Eq`, as it does for derived implementations.
pub fn fingerprint(value: &(impl Hash + ?Sized)) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(0x6361_6472_655f_6b30, 0x6361_6472_655f_6b31);
    value.hash(&mut Feed(&mut hasher));
    hasher.finish128().as_u128()
}

/// Hands a value's parts to the 128-bit hasher; `finish` is never asked for.
struct Feed<'a>(&'a mut SipHasher13);

impl Hasher for Feed<'_> {
    fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}

/// Roughly the bytes that a value takes, what it owns elsewhere included: its size, and all that
/// its hash is made of.
pub(crate) fn bytes_of<T: Hash>(value: &T) -> u64 {
    let mut count = Count(size_of::<T>() as u64);
    value.hash(&mut count);
    count.0
}

/// Counts the bytes that a hasher is handed.
struct Count(u64);

impl Hasher for Count {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}
