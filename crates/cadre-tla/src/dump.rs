use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::parse::parse_state;
use crate::{TlaError, Value};

/// The states of a dump file, one after the other.
///
/// The file may be larger than the memory: only one state of it is held at a time.
#[derive(Debug)]
pub struct Dump<R = BufReader<File>> {
    path: PathBuf,
    reader: R,
    block: String,
}

impl Dump {
    /// Opens the file which a run has written.
    ///
    /// # Errors
    ///
    /// [`TlaError::Io`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, TlaError> {
        let file = File::open(path).map_err(|source| TlaError::io("open", path, source))?;
        Ok(Self::new(BufReader::with_capacity(1 << 20, file), path))
    }
}

impl<R: BufRead> Dump<R> {
    /// Reads a dump from elsewhere; the path is for messages only.
    pub fn new(reader: R, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), reader, block: String::new() }
    }

    /// Fills the block with the text of the next state; false at the end.
    fn next_block(&mut self) -> Result<bool, TlaError> {
        self.block.clear();
        loop {
            let before = self.block.len();
            let length = self
                .reader
                .read_line(&mut self.block)
                .map_err(|source| TlaError::io("read", &self.path, source))?;
            let line = &self.block[before..];
            if line.trim_end().is_empty() || is_heading(line) {
                self.block.truncate(before);
                if length == 0 || (before > 0 && !self.block.is_empty()) {
                    return Ok(!self.block.is_empty());
                }
            }
        }
    }
}

impl<R: BufRead> Iterator for Dump<R> {
    type Item = Result<BTreeMap<String, Value>, TlaError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_block() {
            Ok(true) => Some(parse_state(&self.block)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

fn is_heading(line: &str) -> bool {
    line.strip_prefix("State ").is_some_and(|rest| rest.trim_end().ends_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_of_a_dump_is_a_state() {
        let text = "State 1:\n/\\ x = 1\n/\\ y = {1,\n  2}\n\nState 2:\n/\\ x = 2\n/\\ y = {}\n\n";
        let states: Result<Vec<_>, _> = Dump::new(text.as_bytes(), "test").collect();
        let states = states.unwrap();
        assert_eq!(states.len(), 2);
        assert_eq!(states[0]["y"].to_string(), "{1, 2}");
        assert_eq!(states[1]["x"], Value::Int(2));
    }

    #[test]
    fn an_empty_dump_has_no_states_and_a_last_state_needs_no_empty_line() {
        assert_eq!(Dump::new("".as_bytes(), "test").count(), 0);
        assert_eq!(Dump::new("State 1:\nx = 1".as_bytes(), "test").count(), 1);
    }

    #[test]
    fn text_that_is_no_state_is_an_error() {
        let mut dump = Dump::new("State 1:\n/\\ x 1\n".as_bytes(), "test");
        assert!(matches!(dump.next(), Some(Err(TlaError::Unreadable { .. }))));
    }
}
