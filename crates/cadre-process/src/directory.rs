use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::ProcessError;

/// A fresh directory of this process alone, removed with all its content on drop.
///
/// # Examples
///
/// ```
/// let directory = cadre_process::PrivateDirectory::new("example")?;
/// let path = directory.path().to_path_buf();
/// std::fs::write(path.join("file"), "content")?;
/// drop(directory);
/// assert!(!path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PrivateDirectory(TempDir);

impl PrivateDirectory {
    /// Creates `cadre-{purpose}-…` in the temporary directory of the system.
    ///
    /// What is neither a letter nor a digit in the purpose becomes a hyphen in the name.
    ///
    /// # Errors
    ///
    /// [`ProcessError::Io`] if it cannot be created.
    pub fn new(purpose: &str) -> Result<Self, ProcessError> {
        Self::within(&std::env::temp_dir(), purpose)
    }

    /// Creates `cadre-{purpose}-…` in another directory, which is there.
    ///
    /// # Errors
    ///
    /// [`ProcessError::Io`] if it cannot be created.
    pub fn within(parent: &Path, purpose: &str) -> Result<Self, ProcessError> {
        let purpose = purpose.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let made = tempfile::Builder::new().prefix(&format!("cadre-{purpose}-")).tempdir_in(parent);
        let made = made.map(Self);
        made.map_err(|source| ProcessError::io("create a private directory in", parent, source))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives up the removal: the directory stays, for somebody to look at.
    pub fn keep(self) -> PathBuf {
        self.0.keep()
    }
}
