use std::collections::BTreeMap;
use std::ops::RangeBounds;

use serde::de::DeserializeOwned;

/// What a node finds on its disk when it starts: an ordered key-value store.
///
/// Keys are bytes in lexicographic order. Values are JSON, written by
/// [`Effects::put`](crate::Effects::put) and [`Effects::put_synced`](crate::Effects::put_synced).
///
/// # Examples
///
/// ```
/// use cadre_step::Disk;
///
/// let disk = Disk::from_entries([(b"vote".to_vec(), b"7".to_vec())]);
/// assert_eq!(disk.get::<u64>("vote"), Ok(Some(7)));
/// assert_eq!(disk.get::<u64>("term"), Ok(None));
/// assert!(disk.get::<String>("vote").is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Disk {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Disk {
    /// A disk with nothing on it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk with these keys and values; of two equal keys the later one stays.
    pub fn from_entries(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self { entries: entries.into_iter().collect() }
    }

    /// Reads the value under a key; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where the value does not read as a `T`: it was written by something else, or is damaged.
    pub fn get<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, DiskError> {
        let key = key.as_ref();
        let Some(value) = self.entries.get(key) else { return Ok(None) };
        let parsed = serde_json::from_slice(value).map_err(|error| DiskError {
            key: key.escape_ascii().to_string(),
            found: value.escape_ascii().to_string(),
            error: error.to_string(),
        })?;
        Ok(Some(parsed))
    }

    /// The raw keys and values of a range of keys, in key order.
    pub fn range(
        &self,
        keys: impl RangeBounds<Vec<u8>>,
    ) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.entries.range(keys).map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// Puts raw bytes. For clusters and runtimes; a protocol asks through its effects.
    pub fn insert(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.entries.insert(key, value);
    }

    /// Removes a key. For clusters and runtimes; a protocol asks through its effects.
    pub fn remove(&mut self, key: &[u8]) {
        self.entries.remove(key);
    }

    /// Whether nothing is on the disk.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A value on the disk that does not read as the type asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value under disk key `{key}` is `{found}`, which does not read as asked: {error}")]
pub struct DiskError {
    /// The key, printable.
    pub key: String,
    /// The value found, printable.
    pub found: String,
    /// What the decoder says.
    pub error: String,
}
