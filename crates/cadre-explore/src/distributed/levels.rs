use std::io;

use cadre_model::PortableError;
use serde::{Deserialize, Serialize};

use super::error::ShareError;
use super::report::{Sight, Tallies};
use super::visited::Link;

/// Where one process of a search keeps what it owns of the finished levels.
///
/// # Contract
///
/// A level counts as kept once [`keep`](Levels::keep) has returned, whatever happens then; half a
/// level is none. Keeping a level that is there replaces it.
pub trait Levels {
    /// How many levels there are, from the first on without a gap.
    ///
    /// # Errors
    ///
    /// Where that cannot be found out.
    fn count(&mut self) -> io::Result<u64>;

    /// What was kept of a level.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    fn get(&mut self, level: u64) -> io::Result<Vec<u8>>;

    /// Keeps a level.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    fn keep(&mut self, level: u64, bytes: &[u8]) -> io::Result<()>;
}

/// What a kept level begins with, as JSON that is preceded by its length. The links to the level's
/// parents follow, and then its configurations as the model packs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) identity: String,
    pub(super) process: usize,
    pub(super) level: u64,
    /// How many configurations the process owns of the level.
    pub(super) count: usize,
    pub(super) tallies: Tallies,
    pub(super) is_more: bool,
    /// For each guarantee what decides it, so far as this process knew.
    pub(super) sights: Vec<Option<Sight>>,
}

/// A kept level, taken apart.
pub(super) struct Kept<'a> {
    pub(super) header: Header,
    pub(super) links: Vec<Link>,
    pub(super) configurations: &'a [u8],
}

/// The version of what is kept.
const VERSION: u32 = 2;

const LINK_BYTES: usize = size_of::<u32>() + size_of::<u16>() + size_of::<u8>();

impl Header {
    pub(super) fn new(identity: &str, process: usize, level: u64) -> Self {
        let identity = identity.to_owned();
        Self {
            version: VERSION,
            identity,
            process,
            level,
            count: 0,
            tallies: Tallies::default(),
            is_more: false,
            sights: Vec::new(),
        }
    }

    /// The header and the links as bytes, to which the packed configurations are to be appended.
    pub(super) fn begin(&self, links: &[Link]) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("headers have a JSON form");
        let mut bytes =
            u32::try_from(json.len()).expect("headers are small").to_le_bytes().to_vec();
        bytes.extend(json);
        bytes.reserve(links.len() * LINK_BYTES);
        for Link { position, process, hint } in links {
            bytes.extend(position.to_le_bytes());
            bytes.extend(process.to_le_bytes());
            bytes.push(*hint);
        }
        bytes
    }
}

impl<'a> Kept<'a> {
    /// What was searched when a level was kept; `None` where that cannot be read.
    pub(super) fn identity(bytes: &[u8]) -> Option<String> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (json, _) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let header: Header = serde_json::from_slice(json).ok()?;
        Some(header.identity)
    }

    /// Takes a level apart that was kept by this process of the same search.
    pub(super) fn read(bytes: &'a [u8], expected: &Header) -> Result<Self, ShareError> {
        let unreadable = |found: String| ShareError::Unreadable {
            process: expected.process,
            why: PortableError::Garbled { found },
        };
        let cut_off = || unreadable(format!("a level {} that is cut off", expected.level));
        let (length, rest) = bytes.split_first_chunk().ok_or_else(cut_off)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (json, rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
        let header: Header =
            serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
        let told = |header: &Header| {
            let Header { version, identity, process, level, .. } = header;
            format!("{identity}, process {process}, level {level}, version {version}")
        };
        if told(&header) != told(expected) {
            let (expected, found) = (told(expected), told(&header));
            return Err(unreadable(format!("{found} where {expected} should be")));
        }
        let links = header.count * LINK_BYTES;
        let (links, configurations) = rest.split_at_checked(links).ok_or_else(cut_off)?;
        let links = links.chunks_exact(LINK_BYTES).map(|link| Link {
            position: u32::from_le_bytes([link[0], link[1], link[2], link[3]]),
            process: u16::from_le_bytes([link[4], link[5]]),
            hint: link[6],
        });
        Ok(Self { links: links.collect(), header, configurations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_what_is_cut_off_is_not() {
        let header = Header { count: 2, ..Header::new("a search", 1, 3) };
        let links = [Link { position: 9, process: 2, hint: 3 }, Link::default()];
        let mut bytes = header.begin(&links);
        let configurations = bytes.len();
        bytes.extend([1, 2, 3]);
        let kept = Kept::read(&bytes, &Header::new("a search", 1, 3)).unwrap();
        assert_eq!((kept.header, kept.links.as_slice()), (header, &links[..]));
        assert_eq!(kept.configurations, [1, 2, 3]);
        for length in 0..configurations {
            assert!(Kept::read(&bytes[..length], &Header::new("a search", 1, 3)).is_err());
        }
    }

    #[test]
    fn the_levels_of_another_search_are_told_apart() {
        let bytes = Header::new("a search", 1, 3).begin(&[]);
        assert_eq!(Kept::identity(&bytes).as_deref(), Some("a search"));
        assert_eq!(Kept::identity(&bytes[1..]), None);
        for (identity, process, level) in
            [("another", 1, 3), ("a search", 0, 3), ("a search", 1, 2)]
        {
            let other = Kept::read(&bytes, &Header::new(identity, process, level)).err().unwrap();
            assert!(matches!(other, ShareError::Unreadable { .. }), "{other}");
        }
    }
}
