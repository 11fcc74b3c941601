use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::child::{Child, Exit, Group};
use crate::clock::Wait;
use crate::{ProcessError, Program, Stop, log};

/// Runs the program to its end with an empty input, and with both outputs whole in the file `log`.
///
/// The folders above the log are created, an older log is replaced. An exit code other than zero is
/// a result, not an error.
///
/// # Examples
///
/// ```
/// use cadre_process::{PrivateDirectory, Program, Stop, run};
/// use std::time::Duration;
///
/// let directory = PrivateDirectory::new("example")?;
/// let program = Program::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]);
/// let log = directory.path().join("log");
/// let finished = run(&program, &log, Duration::from_secs(10), &Stop::new())?;
/// assert_eq!(finished.code, Some(3));
/// assert_eq!(finished.output()?, "out\nerr\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// - [`ProcessError::NotFound`] and [`ProcessError::Start`] if it could not be started,
/// - [`ProcessError::TimedOut`] if it was killed at its time limit,
/// - [`ProcessError::Stopped`] if it was killed, or not even started, because of a stop,
/// - [`ProcessError::Io`] if the log could not be created.
pub fn run(
    program: &Program,
    log: &Path,
    time_limit: Duration,
    stop: &Stop,
) -> Result<Finished, ProcessError> {
    let output = log::create(log)?;
    let expression = program.expression().stdin_null().stderr_to_stdout().stdout_file(output);
    let wait = Wait::begin(time_limit);
    let bounds = Bounds { wait, time_limit, stop, log };
    let Exit(code) = run_expression(program, expression, Group::Own, &bounds)?;
    Ok(Finished { code, elapsed: wait.elapsed(), log: log.into() })
}

/// Runs the program to its end on the input and outputs of the caller; gives its exit code, or none
/// if a signal killed it.
///
/// The child stays in the process group of the caller, as it must to read from a terminal and to
/// see its Ctrl-C. Killing it therefore does not reach the processes it has started.
///
/// # Errors
///
/// As those of [`run`]; there is no log to be quoted.
pub fn run_through(
    program: &Program,
    time_limit: Duration,
    stop: &Stop,
) -> Result<Option<i32>, ProcessError> {
    let wait = Wait::begin(time_limit);
    let bounds = Bounds { wait, time_limit, stop, log: Path::new("") };
    let Exit(code) = run_expression(program, program.expression(), Group::Callers, &bounds)?;
    Ok(code)
}

/// A child that has ended by itself.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; none if a signal killed it.
    pub code: Option<i32>,
    /// How long it ran.
    pub elapsed: Duration,
    /// Where its whole output is.
    pub log: PathBuf,
}

impl Finished {
    /// All that it has written to both outputs, with what is not UTF-8 replaced.
    ///
    /// # Errors
    ///
    /// [`ProcessError::Io`] if the log cannot be read any more.
    pub fn output(&self) -> Result<String, ProcessError> {
        match std::fs::read(&self.log) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(source) => Err(ProcessError::io("read log", &self.log, source)),
        }
    }

    /// The last lines of its output, for a message to quote; at most 64 KiB of them.
    pub fn tail(&self, lines: usize) -> String {
        log::tail(&self.log, lines)
    }
}

/// What ends a run other than the child itself.
struct Bounds<'a> {
    wait: Wait,
    time_limit: Duration,
    stop: &'a Stop,
    log: &'a Path,
}

fn run_expression(
    program: &Program,
    expression: duct::Expression,
    group: Group,
    bounds: &Bounds<'_>,
) -> Result<Exit, ProcessError> {
    let stopped = || ProcessError::Stopped { program: program.path().into() };
    if bounds.stop.requested() {
        return Err(stopped());
    }
    // Dropping the child, on whichever way out, kills and reaps what is left.
    let mut child = Child::start(program, expression, group)?;
    loop {
        if let Some(exit) = child.ended()? {
            return Ok(exit);
        }
        if bounds.stop.requested() {
            child.kill()?;
            return Err(stopped());
        }
        if bounds.wait.is_over() {
            child.kill()?;
            return Err(ProcessError::timed_out(program.path(), bounds.time_limit, bounds.log));
        }
        bounds.wait.nap();
    }
}
