use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{Finished, ProcessError, Program, Stop, run};

use crate::output::Output;
use crate::simulate;
use crate::{Behaviours, Engine, Features, Outcome, Simulation, TlaError, Value};

/// TLC, and a Java that runs it.
#[derive(Clone, Debug)]
pub struct Tlc {
    /// The program `java`.
    pub java: PathBuf,
    /// The feature version of that Java, such as 17.
    pub java_version: u32,
    /// The file `tla2tools.jar`.
    pub jar: PathBuf,
    /// What that jar can do.
    pub features: Features,
}

/// One run of TLC.
#[derive(Clone, Debug)]
pub struct Run {
    /// A fresh directory of this run alone, which holds the modules and the configuration.
    pub directory: PathBuf,
    /// The root module, without extension.
    pub module: String,
    /// The file name of the configuration.
    pub config: String,
    /// How many threads search. With more than one, counterexamples need not be shortest, and the
    /// reported depth is approximate.
    pub workers: u32,
    /// The heap of Java, in megabytes.
    pub heap_mb: u32,
    /// How much Java optimises.
    pub jit: Jit,
    /// Whether all distinct states are written to a file.
    pub dump: bool,
    /// Whether what the specification prints goes to a file of its own.
    pub user_file: bool,
    /// Whether evaluations are counted for each expression.
    pub coverage: bool,
    /// Whether the search goes on after a violation.
    pub keep_going: bool,
    /// Whether a state without successor is a violation.
    pub deadlock: bool,
    /// When to give up.
    pub time_limit: Duration,
    /// Further arguments, before the name of the module.
    pub extra: Vec<String>,
}

/// How much Java optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jit {
    /// Little: halves the processor time of runs below ten seconds.
    Quick,
    /// Fully: for longer runs.
    Full,
}

impl Run {
    /// A run on the module and its configuration of the same name, on one thread.
    pub fn new(directory: impl Into<PathBuf>, module: impl Into<String>) -> Self {
        let module = module.into();
        Self {
            directory: directory.into(),
            config: format!("{module}.cfg"),
            module,
            workers: 1,
            heap_mb: 1024,
            jit: Jit::Quick,
            dump: false,
            user_file: false,
            coverage: false,
            keep_going: false,
            deadlock: false,
            time_limit: Duration::from_secs(600),
            extra: Vec::new(),
        }
    }
}

impl Engine for Tlc {
    /// The directory then also holds `command.txt`, the whole output in `tlc.log`, and what was
    /// asked for of `states.dump` and `user.txt`.
    fn run(&self, run: &Run, stop: &Stop) -> Result<Outcome, TlaError> {
        let directory = &run.directory;
        let finished = self.carry_out(run, stop)?;
        let output = Output::parse(&finished.output()?);
        let user_lines = if run.user_file { user_lines(directory)? } else { Vec::new() };
        match output.outcome(run, &finished) {
            Ok(mut outcome) => {
                let dump = directory.join(DUMP_FILE);
                outcome.dump = Some(dump).filter(|path| run.dump && path.is_file());
                outcome.user_lines = user_lines;
                Ok(outcome)
            }
            Err(TlaError::Evaluation(mut error)) => {
                error.user_lines = user_lines;
                Err(TlaError::Evaluation(error))
            }
            Err(other) => Err(other),
        }
    }

    fn simulate(
        &self,
        run: &Run,
        simulation: Simulation,
        stop: &Stop,
    ) -> Result<Behaviours, TlaError> {
        simulate::simulate(self, run, simulation, stop)
    }

    fn command_line(&self, run: &Run) -> String {
        self.program(run).command_line()
    }
}

impl Tlc {
    /// Runs TLC to its end, whatever that is.
    pub(crate) fn carry_out(&self, run: &Run, stop: &Stop) -> Result<Finished, TlaError> {
        let directory = &run.directory;
        let program = self.program(run);
        write_command(directory, &program.command_line())?;
        let finished = start(&program, run, stop);
        let _ = fs::remove_dir_all(directory.join(TEMPORARY));
        let _ = fs::remove_dir_all(directory.join(META));
        finished
    }

    /// Java in a directory, still without arguments.
    pub(crate) fn java(&self, directory: &Path) -> Program {
        // What users have set for other programs must not change a verdict, nor print here.
        let foreign = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"];
        let foreign = foreign.into_iter().filter(|name| std::env::var_os(name).is_some());
        let program = foreign.fold(Program::new(&self.java), Program::env_remove);
        program.directory(directory)
    }

    fn program(&self, run: &Run) -> Program {
        let mut program = self
            .java(&run.directory)
            // Java does not create its temporary directory. It is private, as is TLC's own, because
            // runs at the same time would otherwise trip over each other's files.
            .folder(TEMPORARY)
            .folder(META)
            .arg("-XX:+UseParallelGC")
            // TLC goes on after a thread of it ran out of memory, and may then hang.
            .arg("-XX:+ExitOnOutOfMemoryError");
        if run.jit == Jit::Quick {
            program = program.arg("-XX:TieredStopAtLevel=1");
        }
        program = program
            .arg(format!("-Xmx{}m", run.heap_mb))
            .arg(format!("-Djava.io.tmpdir={TEMPORARY}"))
            .arg("-cp")
            .arg(&self.jar)
            .args(["tlc2.TLC", "-tool", "-nowarning", "-metadir", META])
            // Otherwise TLC draws its hash function, and with it the behaviour that it finds first.
            .args(["-fp", "0", "-workers"])
            .arg(run.workers.to_string());
        // The flag switches the check off; the configuration of an old TLC has no word for it.
        if !run.deadlock {
            program = program.arg("-deadlock");
        }
        if run.keep_going {
            program = program.arg("-continue");
        }
        if run.coverage {
            program = program.args(["-coverage", "1"]);
        }
        if run.dump {
            program = program.args(["-dump", DUMP]);
        }
        if run.user_file {
            program = program.args(["-userFile", USER_FILE]);
        }
        if self.features.trace_dump {
            program = program.arg("-noGenerateSpecTE");
        }
        let extra = run.extra.iter().map(String::as_str);
        program.args(extra).args(["-config", &run.config, &format!("{}.tla", run.module)])
    }
}

impl Outcome {
    /// The values which the specification printed, however they are wrapped over lines.
    ///
    /// # Errors
    ///
    /// [`TlaError::Unreadable`] if it printed anything else.
    pub fn user_values(&self) -> Result<Vec<Value>, TlaError> {
        Value::parse_many(&self.user_lines.join("\n"))
    }
}

const TEMPORARY: &str = "tmp";
const META: &str = "meta";
pub(crate) const LOG: &str = "tlc.log";
pub(crate) const USER_FILE: &str = "user.txt";
/// TLC adds the extension itself.
const DUMP: &str = "states";
pub(crate) const DUMP_FILE: &str = "states.dump";

pub(crate) fn create(path: &Path) -> Result<(), TlaError> {
    fs::create_dir_all(path).map_err(|source| TlaError::io("create", path, source))
}

/// What the specification has printed; nothing has no file.
fn user_lines(directory: &Path) -> Result<Vec<String>, TlaError> {
    let path = directory.join(USER_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().map(str::to_string).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(TlaError::io("read", &path, source)),
    }
}

/// Notes how a run can be repeated by hand.
pub(crate) fn write_command(directory: &Path, command: &str) -> Result<(), TlaError> {
    let path = directory.join("command.txt");
    fs::write(&path, format!("{command}\n")).map_err(|source| TlaError::io("write", &path, source))
}

/// Runs a program with the log and within the limits of a run.
pub(crate) fn start(program: &Program, settings: &Run, stop: &Stop) -> Result<Finished, TlaError> {
    let log = settings.directory.join(LOG);
    match run(program, &log, settings.time_limit, stop) {
        Ok(finished) => Ok(finished),
        Err(ProcessError::TimedOut { limit, log, .. }) => {
            let tail = crate::output::tail(&fs::read_to_string(&log).unwrap_or_default());
            Err(TlaError::TimeLimit { limit, log, tail })
        }
        Err(ProcessError::Stopped { .. }) => Err(TlaError::Stopped),
        Err(other) => Err(other.into()),
    }
}
