//! What a search needs of the outside that puts configurations aside: files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cadre_explore::Spill;
use cadre_process::PrivateDirectory;

/// Keeps configurations that wait in files of a private directory, which is removed on drop.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use cadre::explore::{Settings, Spill, Spilling};
/// use cadre::process::PrivateDirectory;
/// use cadre::spilling::SpillDirectory;
///
/// let parent = PrivateDirectory::new("example")?;
/// let place = Arc::new(SpillDirectory::within(parent.path())?);
/// place.write(7, b"what waits")?;
/// assert_eq!(place.read(7)?, b"what waits");
/// place.forget(7);
/// assert!(place.read(7).is_err());
///
/// let spilling = Some(Spilling { place, resident_max: 1 << 30 });
/// let settings = Settings { spilling, ..Settings::default() };
/// # drop(settings);
/// # assert_eq!(std::fs::read_dir(parent.path())?.count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SpillDirectory(PrivateDirectory);

impl SpillDirectory {
    /// Makes a private directory in another, and that one where it is missing.
    ///
    /// # Errors
    ///
    /// Where it cannot be made.
    pub fn within(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        PrivateDirectory::within(parent, "spill").map(Self).map_err(io::Error::other)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.0.path().join(number.to_string())
    }
}

impl Spill for SpillDirectory {
    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.file(number);
        fs::write(&path, bytes).inspect_err(|_| {
            // Half a file helps nobody, and takes room on a disk that may be full.
            let _ = fs::remove_file(&path);
        })
    }

    fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        fs::read(self.file(number))
    }

    fn forget(&self, number: u64) {
        // What cannot be removed now goes with the directory.
        let _ = fs::remove_file(self.file(number));
    }
}
