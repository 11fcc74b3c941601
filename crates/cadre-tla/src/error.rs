use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::ProcessError;

use crate::SpecState;

/// What can go wrong between Rust data and a verdict of TLC.
///
/// A `tail` is the last twenty lines of the run's log, without TLC's message codes.
#[derive(Debug, thiserror::Error)]
pub enum TlaError {
    /// A value has no TLA+ text that TLC reads.
    #[error("expected {expected}, found {found}; map it to something else before it is exported")]
    NotWritable {
        /// What would have been fine.
        expected: String,
        /// The offending part of the value.
        found: String,
    },

    /// Text is not a TLA+ value, or not one that was enumerated.
    #[error(
        "expected {expected} at offset {offset}, found `{found}`; a variable must hold a value \
         that TLC prints element by element"
    )]
    Unreadable {
        /// What would have been fine.
        expected: String,
        /// The beginning of what is there.
        found: String,
        /// The byte where it begins.
        offset: usize,
    },

    /// Rust data has no counterpart in TLA+.
    #[error("{problem}, at `{path}` of a {type_name}; give it a type that TLA+ has")]
    NotTla {
        /// The field, such as `nodes[2].log`.
        path: String,
        /// The Rust type that was converted.
        type_name: String,
        /// What was expected and found.
        problem: String,
    },

    /// JSON is not a value of the Informal Trace Format.
    #[error("expected {expected}, found {found}; see the Informal Trace Format for its values")]
    NotItf {
        /// What would have been fine.
        expected: String,
        /// The beginning of what is there.
        found: String,
    },

    /// A file or directory could not be used.
    #[error("expected to {context}, but: {source}")]
    Io {
        /// What was tried, and on what.
        context: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// A child process could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),

    /// The jar somebody asked for does not exist.
    #[error(
        "expected tla2tools.jar at {} as {origin} says, found no file; correct {origin}",
        jar.display()
    )]
    JarMissing {
        /// The path as it was given.
        jar: PathBuf,
        /// Who named it.
        origin: &'static str,
    },

    /// A jar is there but is not TLC.
    #[error("{} is corrupt: expected {expected}, found {found}; {fix}", jar.display())]
    JarCorrupt {
        /// Its path.
        jar: PathBuf,
        /// What a sound one has.
        expected: String,
        /// What this one has.
        found: String,
        /// The way out.
        fix: String,
    },

    /// Something is not on this machine and must not be installed.
    #[error("expected {what} on this machine, found none, and offline nothing is installed; {fix}")]
    Offline {
        /// What is missing.
        what: &'static str,
        /// The way out.
        fix: &'static str,
    },

    /// There is no place for what would be installed.
    #[error(
        "expected a directory for the cache, found neither CADRE_CACHE nor XDG_CACHE_HOME nor HOME \
         in the environment; set CADRE_CACHE"
    )]
    NoCache,

    /// There is no Python to install with.
    #[error(
        "expected `python3` or `python` with pip to install {what}, found neither; install Python, \
         or {fix}"
    )]
    NoPython {
        /// What was to be installed.
        what: &'static str,
        /// The way without Python.
        fix: &'static str,
    },

    /// The installation of a package failed.
    #[error("expected `{command}` to install {what}, but {problem}; try it by hand, or {fix}")]
    Install {
        /// What was to be installed.
        what: &'static str,
        /// What was run.
        command: String,
        /// What went wrong, with the last lines of its output.
        problem: String,
        /// The way without it.
        fix: &'static str,
    },

    /// A module does not parse.
    #[error(
        "{}: {message}; correct the module, see {}",
        place(file, *line), log.display()
    )]
    Parse {
        /// The file of the module, as far as the parser names one.
        file: String,
        /// The line, as far as the parser names one.
        line: Option<u32>,
        /// What the parser says.
        message: String,
        /// The whole output.
        log: PathBuf,
    },

    /// The configuration does not fit the module.
    #[error("the configuration is refused: {message}; correct it, see {}", log.display())]
    Config {
        /// What the engine says.
        message: String,
        /// The whole output.
        log: PathBuf,
    },

    /// An expression of the specification cannot be evaluated.
    #[error(transparent)]
    Evaluation(Box<EvaluationError>),

    /// Java ran out of memory.
    #[error(
        "expected TLC to run in {heap_mb} MB of heap, but it ran out of memory; give it more, or \
         a smaller model, see {}", log.display()
    )]
    OutOfMemory {
        /// The limit that was too small.
        heap_mb: u32,
        /// The whole output.
        log: PathBuf,
    },

    /// An engine was still running at its time limit.
    #[error(
        "expected the check to end within {limit:?}, but it was still running and was ended; raise \
         the time limit or take a smaller model{}",
        quoted(log, tail)
    )]
    TimeLimit {
        /// The limit.
        limit: Duration,
        /// The whole output.
        log: PathBuf,
        /// Its end.
        tail: String,
    },

    /// The run was ended on request.
    #[error("the check was stopped on request before its end; run it again for a verdict")]
    Stopped,

    /// TLC was killed by somebody else.
    #[error(
        "expected TLC to end by itself, but it was killed by a signal; run it again{}",
        quoted(log, tail)
    )]
    Killed {
        /// The whole output.
        log: PathBuf,
        /// Its end.
        tail: String,
    },

    /// An engine that stands in for TLC does not do something that TLC does.
    #[error("expected an engine that knows {what}, found {engine}, which does not; {instead}")]
    NotByEngine {
        /// What the engine calls itself.
        engine: &'static str,
        /// What was asked of it.
        what: String,
        /// The way out.
        instead: &'static str,
    },

    /// A file of hosts does not read.
    #[error(
        "expected `HOST worker`, `HOST worker THREADS` or `HOST fingerprints` in each line, and at \
         least one worker, found {found}{}; correct the hosts", at_line(*line)
    )]
    Hosts {
        /// The line, from 1; 0 if it is none in particular.
        line: usize,
        /// What is there.
        found: String,
    },

    /// All workers of a distributed run have ended, and the process that leads them has not.
    #[error(
        "expected TLC's workers to stay until the end, but all of them have ended before; see the \
         logs beside {}", log.display()
    )]
    WorkersLost {
        /// The output of the leading process.
        log: PathBuf,
    },

    /// TLC ended without saying what it found.
    #[error(
        "expected a verdict of TLC, found none (exit code {code}); its output says why{}",
        quoted(log, tail)
    )]
    NoVerdict {
        /// The exit code.
        code: i32,
        /// The whole output.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
}

/// Where and why the evaluation of an expression failed.
#[derive(Debug, thiserror::Error)]
#[error("{}", describe(self))]
pub struct EvaluationError {
    /// What TLC says.
    pub message: String,
    /// The expression and those around it, outermost first, as TLC prints places.
    pub places: Vec<String>,
    /// The states up to the one whose evaluation, or whose successor, failed.
    pub behaviour: Vec<SpecState>,
    /// The lines which the specification had printed into its own file.
    pub user_lines: Vec<String>,
    /// The whole output.
    pub log: PathBuf,
}

impl TlaError {
    pub(crate) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        Self::Io { context: format!("{what} {}", path.display()), source }
    }
}

fn describe(error: &EvaluationError) -> String {
    let mut text = format!("expected an expression that can be evaluated, but: {}", error.message);
    if let Some(place) = error.places.last() {
        let _ = write!(text, ", at {place}");
    }
    let _ = write!(text, "; correct the specification, see {}", error.log.display());
    text
}

fn place(file: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{file}, line {line}"),
        None => file.into(),
    }
}

fn at_line(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" in line {line}") }
}

fn quoted(log: &Path, tail: &str) -> String {
    let log = log.display();
    if tail.is_empty() {
        return format!("; it wrote nothing to {log}");
    }
    format!("; see {log}, which ends:\n{tail}")
}
