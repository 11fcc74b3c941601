//! The checker `tla-checker`, which runs in this process and needs no Java.

mod constants;
mod explore;
mod modules;
mod random;
mod simulate;
mod temporal;
mod values;
mod world;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use cadre_process::Stop;

use crate::run::USER_FILE;
use crate::{Behaviours, Engine, Outcome, Run, Simulation, TlaError};

/// The crate `tla-checker`: a checker of TLA+ in Rust, for machines without a JVM and for an answer
/// at once.
///
/// TLC is the authority. This one has been found to give TLC's verdicts on everything that this
/// project checks, but it is younger, knows no types where TLC refuses to compare, and refuses some
/// of what TLC does: that is an [error](TlaError::NotByEngine), never a verdict.
///
/// It searches on one thread, and what says how TLC is to be run ([`Run::workers`],
/// [`Run::heap_mb`], [`Run::jit`], [`Run::extra`]) has no meaning here. Steps by one action to one
/// state count once in [`Outcome::generated`], however often they are found.
///
/// # Examples
///
/// ```
/// use cadre_process::{PrivateDirectory, Stop};
/// use cadre_tla::{Config, Embedded, Engine, Module, Run, Verdict};
///
/// let directory = PrivateDirectory::new("embedded")?;
/// let module = Module::new("Clock")
///     .extends(["Naturals"])
///     .variables(["hour"])
///     .definition("Init", "hour = 1")
///     .definition("Next", "hour' = hour % 12 + 1")
///     .definition("Small", "hour < 12");
/// std::fs::write(directory.path().join("Clock.tla"), module.to_text())?;
/// let config = Config::new().init_next("Init", "Next").invariant("Small");
/// std::fs::write(directory.path().join("Clock.cfg"), config.to_text())?;
///
/// let outcome = Embedded.run(&Run::new(directory.path(), "Clock"), &Stop::new())?;
/// assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "Small".into() });
/// assert_eq!(outcome.behaviour.len(), 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Embedded;

impl Embedded {
    /// What it calls itself.
    pub const VERSION: &str = "tla-checker 0.24.11";
}

impl Engine for Embedded {
    /// The directory then also holds the modules as they were read, in `embedded`, and what was
    /// asked for of `states.dump` and `user.txt`.
    fn run(&self, run: &Run, stop: &Stop) -> Result<Outcome, TlaError> {
        apart(run, stop, explore::explore)
    }

    fn simulate(
        &self,
        run: &Run,
        simulation: Simulation,
        stop: &Stop,
    ) -> Result<Behaviours, TlaError> {
        apart(run, stop, move |task| simulate::simulate(task, simulation))
    }

    /// A comment, as there is nothing to be run.
    fn command_line(&self, run: &Run) -> String {
        let Run { directory, module, config, .. } = run;
        let directory = directory.display();
        format!("# {}: {directory}/{module}.tla with {directory}/{config}", Self::VERSION)
    }
}

/// What is to be done, on a thread of its own.
#[derive(Clone)]
struct Task {
    run: Run,
    stop: Stop,
    began: Instant,
}

impl Task {
    fn log(&self) -> PathBuf {
        self.run.directory.join(LOG)
    }

    /// That it is to end, and why.
    fn is_over(&self) -> Result<(), TlaError> {
        if self.stop.requested() {
            return Err(TlaError::Stopped);
        }
        if self.began.elapsed() > self.run.time_limit {
            return Err(self.too_late());
        }
        Ok(())
    }

    fn too_late(&self) -> TlaError {
        TlaError::TimeLimit { limit: self.run.time_limit, log: self.log(), tail: String::new() }
    }

    fn cannot(what: impl Into<String>) -> TlaError {
        let instead = "leave it out, or let TLC check it: --engine tlc";
        TlaError::NotByEngine { engine: Embedded::VERSION, what: what.into(), instead }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TlaError> {
        let path = self.run.directory.join(name);
        fs::write(&path, text).map_err(|source| TlaError::io("write", &path, source))
    }

    fn write_lines(&self, lines: &[String]) -> Result<(), TlaError> {
        if !self.run.user_file || lines.is_empty() {
            return Ok(());
        }
        self.write(USER_FILE, &(lines.join("\n") + "\n"))
    }
}

/// What was done and found.
const LOG: &str = "embedded.log";

/// Modules are trees, and long lists in them deep ones, which are walked by functions that call
/// themselves. Of this, only what is used becomes memory.
const STACK_BYTES: usize = 1 << 30;

/// How often it is looked whether there is an answer, or none is wanted any more.
const LOOK: Duration = Duration::from_millis(20);
/// How long it may take to notice that no answer is wanted.
const GRACE: Duration = Duration::from_secs(2);

/// Does something on a thread with a large stack, which keeps all that the checker keeps between
/// calls to itself. Where that does not notice that no answer is wanted any more, which nothing
/// inside of an expression does, it is left alone.
fn apart<T: Send + 'static>(
    run: &Run,
    stop: &Stop,
    work: impl FnOnce(&Task) -> Result<T, TlaError> + Send + 'static,
) -> Result<T, TlaError> {
    #[expect(clippy::disallowed_methods, reason = "a run has a limit in time, and says how long")]
    let began = Instant::now();
    let task = Task { run: run.clone(), stop: stop.clone(), began };
    let given = task.clone();
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("tla-checker".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody listens any more after the grace.
            let _ = sender.send(work(&given));
        })
        .map_err(|source| TlaError::io("start a thread for", &run.directory, source))?;
    let mut grace = GRACE;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(result) => return result,
            // It panicked, and has said so on the standard error.
            Err(RecvTimeoutError::Disconnected) => {
                let (log, tail) = (task.log(), "tla-checker panicked".to_owned());
                return Err(TlaError::NoVerdict { code: 101, log, tail });
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        match task.is_over() {
            Ok(()) => {}
            Err(why) if grace.is_zero() => return Err(why),
            Err(_) => grace = grace.saturating_sub(LOOK),
        }
    }
}
