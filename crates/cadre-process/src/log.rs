use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ProcessError;

/// How many lines of a log an error quotes.
pub(crate) const QUOTED_LINES: usize = 20;

/// How far back from the end of a log its last lines are looked for.
const TAIL_BYTES_MAX: u64 = 64 * 1024;

/// Creates the file, and the folders above it if they are missing; an older log is emptied.
pub(crate) fn create(log: &Path) -> Result<File, ProcessError> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| ProcessError::io("create folder", folder, source))?;
    }
    File::create(log).map_err(|source| ProcessError::io("create log", log, source))
}

/// The last lines of the log; empty if it is empty or cannot be read.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let Ok((text, begins_early)) = last_text(log) else {
        return String::new();
    };
    let mut all: Vec<&str> = text.lines().collect();
    // A first line that may have lost its beginning is no line, unless it is the only one.
    if begins_early && all.len() > 1 {
        all.remove(0);
    }
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The text at the end of the file, and whether there is more before it.
fn last_text(log: &Path) -> io::Result<(String, bool)> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    let begin = length.saturating_sub(TAIL_BYTES_MAX);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), begin > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateDirectory;

    fn check(content: &str, lines: usize, expected: &str) {
        let directory = PrivateDirectory::new("log").unwrap();
        let log = directory.path().join("log");
        std::fs::write(&log, content).unwrap();
        assert_eq!(tail(&log, lines), expected);
    }

    #[test]
    fn a_tail_is_the_last_lines() {
        check("a\nb\nc\n", 2, "b\nc");
        check("a\nb\nc", 2, "b\nc");
        check("a\n", 5, "a");
        check("", 5, "");
        check("a\n", 0, "");
    }

    #[test]
    fn a_tail_of_a_long_log_holds_whole_lines_only() {
        check(&"123456789\n".repeat(10_000), 2, "123456789\n123456789");
        let every = tail_of_long_log();
        assert!(every.lines().all(|line| line == "123456789"));
        assert!(every.len() as u64 <= TAIL_BYTES_MAX);
    }

    fn tail_of_long_log() -> String {
        let directory = PrivateDirectory::new("log").unwrap();
        let log = directory.path().join("log");
        std::fs::write(&log, "123456789\n".repeat(10_000)).unwrap();
        tail(&log, usize::MAX)
    }

    #[test]
    fn a_missing_log_has_an_empty_tail() {
        assert_eq!(tail(Path::new("no such log"), 3), "");
    }
}
