use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cadre_explore::Levels;

/// Keeps the finished levels of one process of a search in files, one for each level.
///
/// Each process has a folder of its own, so that all may share a directory, and none has to.
///
/// # Examples
///
/// ```
/// use cadre::{explore::Levels, process::PrivateDirectory, sharing::Folder};
///
/// let directory = PrivateDirectory::new("example")?;
/// let mut folder = Folder::of(directory.path(), 2)?;
/// folder.keep(0, b"what there is")?;
/// assert_eq!((folder.count()?, folder.get(0)?), (1, b"what there is".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of a process in a directory; made where it is missing.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, and where the directory is in use for something else.
    pub fn of(directory: &Path, process: usize) -> io::Result<Self> {
        let path = directory.join(format!("{PREFIX}{process}"));
        fs::create_dir_all(directory)?;
        for entry in fs::read_dir(directory)? {
            let found = entry?.file_name();
            let number = found.to_str().and_then(|name| name.strip_prefix(PREFIX));
            if number.is_none_or(|number| number.parse::<usize>().is_err()) {
                let found = found.display();
                let found = format!("{found} is there, which is of no search");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
            }
        }
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    fn file(&self, level: u64) -> PathBuf {
        self.path.join(format!("level-{level:05}"))
    }
}

impl Levels for Folder {
    fn count(&mut self) -> io::Result<u64> {
        let mut count = 0;
        while self.file(count).try_exists()? {
            count += 1;
        }
        Ok(count)
    }

    fn get(&mut self, level: u64) -> io::Result<Vec<u8>> {
        let path = self.file(level);
        let mut bytes = fs::read(&path)?;
        let sum = bytes.split_off(bytes.len().saturating_sub(SUM_BYTES));
        match sum == sum_of(&bytes) {
            true => Ok(bytes),
            false => {
                let found = format!("{} is damaged; remove the folder", path.display());
                Err(io::Error::new(io::ErrorKind::InvalidData, found))
            }
        }
    }

    fn keep(&mut self, level: u64, bytes: &[u8]) -> io::Result<()> {
        // Written aside and renamed, so that half a level is none, whenever the power fails.
        let draft = self.path.join("draft");
        let mut file = File::create(&draft)?;
        file.write_all(bytes)?;
        file.write_all(&sum_of(bytes))?;
        file.sync_all()?;
        fs::rename(&draft, self.file(level))?;
        sync(&self.path)
    }
}

/// What the names of the folders begin with; the numbers of the processes follow.
const PREFIX: &str = "process-";

const SUM_BYTES: usize = size_of::<u128>();

fn sum_of(bytes: &[u8]) -> [u8; SUM_BYTES] {
    cadre_model::fingerprint(bytes).to_le_bytes()
}

/// Makes the names in a folder durable, where the system can.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use cadre_process::PrivateDirectory;

    use super::*;

    #[test]
    fn a_directory_that_holds_something_else_is_not_written_to() {
        let directory = PrivateDirectory::new("levels").unwrap();
        Folder::of(directory.path(), 0).unwrap();
        Folder::of(directory.path(), 1).unwrap();
        for found in ["thesis.tex", "process-", "process-one"] {
            let other = directory.path().join(found);
            fs::write(&other, "").unwrap();
            let error = Folder::of(directory.path(), 2).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains(found), "{error}");
            fs::remove_file(&other).unwrap();
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_level_that_was_tampered_with_or_cut_off_is_not_read() {
        let directory = PrivateDirectory::new("levels").unwrap();
        let mut folder = Folder::of(directory.path(), 0).unwrap();
        folder.keep(0, b"first").unwrap();
        folder.keep(0, b"second").unwrap();
        folder.keep(1, b"").unwrap();
        assert_eq!((folder.count().unwrap(), folder.get(1).unwrap()), (2, Vec::new()));
        let whole = fs::read(folder.file(0)).unwrap();
        assert_eq!(folder.get(0).unwrap(), b"second");
        for length in 0..whole.len() {
            fs::write(folder.file(0), &whole[..length]).unwrap();
            assert_eq!(folder.get(0).unwrap_err().kind(), io::ErrorKind::InvalidData);
            let mut changed = whole.clone();
            changed[length] ^= 1;
            fs::write(folder.file(0), &changed).unwrap();
            assert_eq!(folder.get(0).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
