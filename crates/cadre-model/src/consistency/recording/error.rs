use super::VERSION;
use crate::consistency::Unsuitable;

/// Why a text is not a history that can be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// Nothing is there.
    #[error("expected events, found nothing; check that the file was written to its end")]
    Empty,
    /// Written by another version.
    #[error(
        "expected history version {VERSION}, found version {found}; read it with the version of \
         the tool that wrote it"
    )]
    Version {
        /// The version found.
        found: String,
    },
    /// A line is something else.
    #[error("line {line}: expected {expected}, found {found}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What should stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// Neither the file nor the command says what was called.
    #[error("expected an object, found none in the first line; name one with --object")]
    NoObject,
    /// The property is about reads and writes.
    #[error(
        "expected register or kv for {consistency}, which is about reads and writes, found {object}"
    )]
    NotReadAndWritten {
        /// The property.
        consistency: &'static str,
        /// The object.
        object: &'static str,
    },
    /// Reads do not tell which writes they are from.
    #[error("{}", at_lines(.why, .lines))]
    Unsuitable {
        /// Why.
        why: Unsuitable,
        /// The lines of the operations concerned.
        lines: Vec<usize>,
    },
}

impl RecordingError {
    /// Whether the question does not make sense, rather than the file.
    pub fn is_of_question(&self) -> bool {
        match self {
            Self::NoObject | Self::NotReadAndWritten { .. } => true,
            Self::Empty | Self::Version { .. } | Self::Line { .. } | Self::Unsuitable { .. } => {
                false
            }
        }
    }
}

/// Lines are what readers of a file know, not the numbers of operations.
fn at_lines(why: &Unsuitable, lines: &[usize]) -> String {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let lines = lines.join(" and ");
    match why {
        Unsuitable::NeitherReadNorWrite { .. } => {
            format!("line {lines}: expected reads and writes only, found something else")
        }
        Unsuitable::WrittenTwice { .. } => format!(
            "lines {lines}: expected that each value is written to a key once, found the same \
             twice; make the values distinct"
        ),
        Unsuitable::InitialWritten { .. } => format!(
            "line {lines}: expected that the initial value is never written; make the values \
             distinct"
        ),
    }
}
