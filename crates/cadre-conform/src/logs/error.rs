use std::fmt;

/// A line of a log, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLine {
    /// The file, as it was named.
    pub file: String,
    /// What is counted: `line`, or the `state` of a file that has no lines.
    pub unit: &'static str,
    /// Which one, from 1.
    pub number: usize,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} {}", self.file, self.unit, self.number)
    }
}

/// Why logs are no trace.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A line is not what the mapping says.
    #[error("{at}: expected {expected}, found {found}; {advice}")]
    Line {
        /// Where.
        at: LogLine,
        /// What would have been fine.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        advice: &'static str,
    },

    /// No execution has these two events.
    #[error("{first} and {second} contradict each other: {why}; {ADVICE_ON_CLOCKS}")]
    Order {
        /// The line that comes first in its log.
        first: LogLine,
        /// The other one.
        second: LogLine,
        /// Why no order of events is right.
        why: String,
    },

    /// An execution is told in several files, and nothing says in which order its events happened.
    #[error(
        "expected a clock in every line, as {why}, found no `clock` in the mapping; name the field \
         that holds the vector or Lamport clock"
    )]
    NoClock {
        /// What says that one order is needed: several nodes, or several files of a run.
        why: String,
    },

    /// There is nothing to be checked.
    #[error(
        "expected an event that is a step, or two states, found neither in {files}; look at \
         `ignore` in the mapping"
    )]
    NoSteps {
        /// The files.
        files: String,
    },

    /// The mapping itself does not make sense.
    #[error("the mapping: expected {expected}, found {found}; {advice}")]
    Mapping {
        /// What would have been fine.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        advice: &'static str,
    },
}

const ADVICE_ON_CLOCKS: &str =
    "let each event of a node advance its clock, and join what comes with a message";
