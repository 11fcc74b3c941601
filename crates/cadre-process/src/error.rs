use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log;

/// Why a child could not be started, or did not do what was expected of it.
///
/// A `tail` is the last twenty lines the child has written to the `log`; both are empty if the
/// output went to the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such program.
    #[error(
        "expected a program `{program}`, found none of that name; install it, or give its path"
    )]
    NotFound {
        /// The path as it was given.
        program: PathBuf,
    },

    /// The program is there but could not be started.
    #[error("expected to start `{program}`, but: {source}; check its permissions and directory")]
    Start {
        /// The path as it was given.
        program: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The child was still running at its time limit, and was killed.
    #[error(
        "expected `{program}` to end within {limit:?}, but it was still running and was killed; \
         raise the time limit if it needs more{}",
        quoted(log, tail)
    )]
    TimedOut {
        /// The path as it was given.
        program: PathBuf,
        /// The limit that was reached.
        limit: Duration,
        /// Where its whole output is.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },

    /// A stop was requested, and the child was killed or never started.
    #[error("`{program}` was stopped on request before its end; run it again for a result")]
    Stopped {
        /// The path as it was given.
        program: PathBuf,
    },

    /// The child ended while a line was to be sent to it or received from it.
    #[error(
        "expected `{program}` to go on talking, but it ended {}{}",
        ending(*code), quoted(log, tail)
    )]
    Ended {
        /// The path as it was given.
        program: PathBuf,
        /// Its exit code; none if a signal killed it.
        code: Option<i32>,
        /// Where its whole output is.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },

    /// The child neither ended nor did what was waited for: print a line, or read one.
    #[error(
        "expected `{program}` to talk within {waited:?}, but it was silent; \
         it may hang, or need a longer wait{}",
        quoted(log, tail)
    )]
    Silent {
        /// The path as it was given.
        program: PathBuf,
        /// For how long nothing came.
        waited: Duration,
        /// Where its whole output is.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },

    /// A file, a folder or a pipe could not be used.
    #[error("expected to {context}, but: {source}")]
    Io {
        /// What was tried, and on what.
        context: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ProcessError {
    pub(crate) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        Self::Io { context: format!("{what} {}", path.display()), source }
    }

    pub(crate) fn timed_out(program: &Path, limit: Duration, log: &Path) -> Self {
        let tail = log::tail(log, log::QUOTED_LINES);
        Self::TimedOut { program: program.into(), limit, log: log.into(), tail }
    }

    pub(crate) fn ended(program: &Path, code: Option<i32>, log: &Path) -> Self {
        let tail = log::tail(log, log::QUOTED_LINES);
        Self::Ended { program: program.into(), code, log: log.into(), tail }
    }

    pub(crate) fn silent(program: &Path, waited: Duration, log: &Path) -> Self {
        let tail = log::tail(log, log::QUOTED_LINES);
        Self::Silent { program: program.into(), waited, log: log.into(), tail }
    }
}

fn ending(code: Option<i32>) -> String {
    match code {
        Some(code) => format!("with exit code {code}"),
        None => "by a signal".into(),
    }
}

/// The end of a message: where the output is, and its last lines.
fn quoted(log: &Path, tail: &str) -> String {
    if log.as_os_str().is_empty() {
        return String::new();
    }
    let log = log.display();
    if tail.is_empty() {
        return format!("; it wrote nothing to {log}");
    }
    format!("; see {log}, which ends:\n{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_log_and_quotes_its_end() {
        let error = ProcessError::Ended {
            program: "tool".into(),
            code: Some(3),
            log: "run/tool.log".into(),
            tail: "line 1\nline 2".into(),
        };
        assert_eq!(
            error.to_string(),
            "expected `tool` to go on talking, but it ended with exit code 3; \
             see run/tool.log, which ends:\nline 1\nline 2"
        );
    }

    #[test]
    fn a_message_says_that_nothing_was_written() {
        let error = ProcessError::timed_out("tool".as_ref(), Duration::from_secs(2), "x".as_ref());
        assert_eq!(
            error.to_string(),
            "expected `tool` to end within 2s, but it was still running and was killed; \
             raise the time limit if it needs more; it wrote nothing to x"
        );
    }

    #[test]
    fn a_message_about_the_terminal_names_no_log() {
        let error = ProcessError::timed_out("tool".as_ref(), Duration::from_secs(2), "".as_ref());
        assert!(error.to_string().ends_with("if it needs more"), "{error}");
    }
}
