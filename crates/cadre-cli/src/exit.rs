use std::fmt;
use std::process::ExitCode;

use cadre::conform::ConformError;
use cadre::tla::TlaError;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every requested guarantee holds.
    Holds,
    /// A guarantee is violated, a trace does not conform, or a replay differs.
    Violated,
    /// The command line does not make sense.
    Usage,
    /// Nothing was found, within a bound that is not all there is.
    Bounded,
    /// The tool chain is missing or has failed.
    ToolChain,
    /// An input does not read, or is of another version.
    Input,
    /// The tool itself has failed.
    Internal,
}

/// The table for the end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0   every requested guarantee holds
  1   violated, does not conform, or a replay differs
  2   the command line does not make sense
  3   bounded: nothing was found, but not everything was seen
  4   the tool chain (java, TLC, a child process) is missing or has failed
  5   an input file does not read, or is of another version
  70  internal error";

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::Usage => 2,
            Self::Bounded => 3,
            Self::ToolChain => 4,
            Self::Input => 5,
            Self::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error, with what the exit code says about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

/// Says which exit code an error leads to.
pub(crate) trait OrExit<T> {
    /// The value, or a failure with this exit code.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }
}

/// A failure of a check by TLC: of the input if the specification does not read or does not fit, of
/// the tool chain otherwise.
pub(crate) fn of_conform(error: ConformError) -> Failure {
    let is_input = match &error {
        ConformError::UnknownVariable { .. }
        | ConformError::OtherVariables { .. }
        | ConformError::UnknownName { .. }
        | ConformError::NoAlternative { .. }
        | ConformError::TooManyWays { .. } => true,
        ConformError::Tla(error) => matches!(
            error,
            TlaError::Parse { .. }
                | TlaError::Config { .. }
                | TlaError::Evaluation(_)
                | TlaError::Hosts { .. }
        ),
        _ => false,
    };
    let exit = match &error {
        ConformError::NotDistributed { .. } => Exit::Usage,
        _ if is_input => Exit::Input,
        _ => Exit::ToolChain,
    };
    Failure { exit, error: error.into() }
}

/// As [`of_conform`].
pub(crate) fn of_tla(error: TlaError) -> Failure {
    of_conform(error.into())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most errors say in their own words what caused them; the others are followed by it.
        let mut told = self.error.to_string();
        for cause in self.error.chain().skip(1).map(ToString::to_string) {
            if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
        }
        f.write_str(&told)
    }
}
