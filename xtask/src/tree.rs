use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The files of the repository, read once: what every rule looks at.
///
/// Paths are relative to the root and separated by `/`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    root: PathBuf,
    /// The content is missing for a file that is not text.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads what is below the root, except for what its `.gitignore` names at the top.
    ///
    /// # Errors
    ///
    /// A folder or a file cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { root: root.into(), files: BTreeMap::new() };
        let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
        let mut ignored: BTreeSet<&str> =
            ignored.lines().map(|line| line.trim().trim_matches('/')).collect();
        ignored.insert(".git");
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
            for entry in entries {
                let path = entry?.path();
                let name = relative(root, &path);
                if ignored.contains(name.as_str()) {
                    continue;
                }
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if path.is_file() {
                    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
                    tree.files.insert(name, text(bytes));
                }
            }
        }
        Ok(tree)
    }

    /// A tree that is nowhere on a disk, for the tests of the rules.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files
            .into_iter()
            .map(|(path, text)| (path.to_owned(), Some(text.to_owned())))
            .collect();
        Self { root: PathBuf::new(), files }
    }

    /// Where it was read from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All text files in order: path and content.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The text files whose name ends so.
    pub fn ending(&self, end: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| path.ends_with(end))
    }

    /// The content of a text file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// The names of the folders directly below this one that contain a file.
    pub fn folders(&self, parent: &str) -> BTreeSet<&str> {
        self.paths()
            .filter_map(|path| path.strip_prefix(parent)?.strip_prefix('/')?.split_once('/'))
            .map(|(folder, _)| folder)
            .collect()
    }

    /// The names of the files directly in this folder.
    pub fn files_in(&self, parent: &str) -> BTreeSet<&str> {
        self.paths()
            .filter_map(|path| path.strip_prefix(parent)?.strip_prefix('/'))
            .filter(|name| !name.contains('/'))
            .collect()
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).expect("the walk stays below the root");
    let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_are_told_apart() {
        let tree = Tree::of([("a/b/c", ""), ("a/d", ""), ("ab/e", ""), ("f", "")]);
        assert_eq!(tree.folders("a"), BTreeSet::from(["b"]));
        assert_eq!(tree.files_in("a"), BTreeSet::from(["d"]));
    }

    #[test]
    fn a_file_with_a_zero_byte_is_no_text() {
        assert_eq!(text(b"a\0b".to_vec()), None);
        assert_eq!(text(b"a\xffb".to_vec()), None);
        assert_eq!(text(b"ab".to_vec()).as_deref(), Some("ab"));
    }
}
