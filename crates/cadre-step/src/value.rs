use serde::{Deserialize, Serialize};

/// A value that a protocol carries and compares for equality, and of which it knows nothing else:
/// what clients propose, write or read.
///
/// Opaque on purpose, as [`NodeId`](crate::NodeId) is: a protocol may compare, store and send
/// values, but not compute with them, so that a search may rename interchangeable ones. Their order
/// is there for sets and maps alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "$cadre_step::Value")]
pub struct Value(u32);

impl Value {
    /// Makes one of the values, by its number.
    ///
    /// For clusters, runtimes and tests. A protocol takes the values it needs from requests, or as
    /// part of its configuration.
    ///
    /// # Panics
    ///
    /// Where `index` does not fit 32 bits.
    #[inline]
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("there are fewer than 2^32 values"))
    }

    /// The number of the value.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
