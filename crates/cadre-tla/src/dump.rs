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

/// Variables with the texts of their values.
type Texts<'a> = Vec<(&'a str, &'a str)>;

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

    /// The variables of the next state with the texts of their values, which are not parsed: in a
    /// dump few values come very often. `None` at the end.
    ///
    /// # Errors
    ///
    /// [`TlaError::Io`] if the file cannot be read, [`TlaError::Unreadable`] for what is no state.
    pub fn next_texts(&mut self) -> Option<Result<Texts<'_>, TlaError>> {
        match self.next_block() {
            Ok(true) => Some(texts(&self.block)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
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

/// Cuts a state into its conjuncts. No value contains a line that begins with `/\`.
fn texts(block: &str) -> Result<Texts<'_>, TlaError> {
    let block = block.trim();
    let conjuncts = block.strip_prefix("/\\ ").unwrap_or(block).split("\n/\\ ");
    let pair = |conjunct| match str::split_once(conjunct, " = ") {
        Some((variable, value)) => Ok((variable.trim(), value.trim())),
        None => Err(TlaError::Unreadable {
            expected: "`variable = value`".to_owned(),
            found: str::to_owned(conjunct),
            offset: 0,
        }),
    };
    conjuncts.map(pair).collect()
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
    fn a_state_is_cut_into_the_texts_of_its_values() {
        let text = "State 1:\n/\\ x = 1\n/\\ y = {1,\n  2}\n\nState 2:\nx = \"a = b\"\n";
        let mut dump = Dump::new(text.as_bytes(), "test");
        assert_eq!(dump.next_texts().unwrap().unwrap(), [("x", "1"), ("y", "{1,\n  2}")]);
        assert_eq!(dump.next_texts().unwrap().unwrap(), [("x", "\"a = b\"")]);
        assert!(dump.next_texts().is_none());
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
