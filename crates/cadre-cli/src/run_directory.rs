use std::io;
use std::path::{Path, PathBuf};

/// A directory of one run: what children wrote, and the commands that started them.
///
/// Removed at the end of the run unless it is kept.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    /// The path as people should read it.
    shown: PathBuf,
    is_kept: bool,
}

/// How many kept directories of one verb there may be.
const RUNS_MAX: u32 = 10_000;

impl RunDirectory {
    /// Makes a directory of its own for a run, beside those of earlier runs that were kept.
    pub(crate) fn new(beside: &Path, verb: &str, is_kept: bool) -> io::Result<Self> {
        std::fs::create_dir_all(beside)?;
        for number in 1..=RUNS_MAX {
            let path = beside.join(format!("{verb}-{number}"));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    return Ok(Self { path: path.canonicalize()?, shown: path, is_kept });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let full = format!("{} holds {RUNS_MAX} runs; remove some", beside.display());
        Err(io::Error::other(full))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory in it.
    pub(crate) fn part(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Keeps the directory, and says where it is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.is_kept = true;
        &self.shown
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nothing can be done about a directory that will not go.
            let _ = std::fs::remove_dir_all(&self.path);
            // The directory of all runs goes with the last of them, and its parent with it.
            for parent in self.path.ancestors().skip(1).take(2) {
                let _ = std::fs::remove_dir(parent);
            }
        }
    }
}
