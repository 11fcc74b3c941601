use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::Stop;
use cadre_tla::{Config, Engine, Jit, Module, Outcome, Run, Verdict};

use crate::sizing::Work;
use crate::{ConformError, Options, Report, Spec, TraceVerdict};

/// Above how many events Java's full optimisation pays for itself.
const QUICK_EVENTS_MAX: usize = 500_000;

/// The runs of TLC for one check, each in a folder of its own.
#[derive(Debug)]
pub(crate) struct Runs<'a> {
    pub(crate) spec: &'a Spec,
    engine: &'a dyn Engine,
    directory: &'a Path,
    options: &'a Options,
    stop: &'a Stop,
    prepared: u32,
    elapsed: Duration,
    commands: Vec<String>,
    logs: Vec<PathBuf>,
    version: String,
}

impl<'a> Runs<'a> {
    pub(crate) fn new(
        spec: &'a Spec,
        engine: &'a dyn Engine,
        directory: &'a Path,
        options: &'a Options,
        stop: &'a Stop,
    ) -> Self {
        Self {
            spec,
            engine,
            directory,
            options,
            stop,
            prepared: 0,
            elapsed: Duration::ZERO,
            commands: Vec::new(),
            logs: Vec::new(),
            version: String::new(),
        }
    }

    /// Writes what TLC needs into a new folder.
    pub(crate) fn prepare(
        &mut self,
        module: &Module,
        config: &Config,
        events: usize,
    ) -> Result<Run, ConformError> {
        self.prepared += 1;
        let folder = self.directory.join(format!("run-{}", self.prepared));
        write_files(&folder, &self.spec.files, module, config)?;
        let mut run = Run::new(folder, module.name());
        let work = Work { text_bytes: module.to_text().len(), states: events };
        run.workers = self.options.workers.unwrap_or_else(|| work.workers());
        run.heap_mb = self.options.heap_mb.unwrap_or_else(|| work.heap_mb());
        run.time_limit = self.options.time_limit;
        run.user_file = true;
        run.jit = if events > QUICK_EVENTS_MAX { Jit::Full } else { Jit::Quick };
        Ok(run)
    }

    /// Writes what TLC needs for a run that does few things, one after the other.
    pub(crate) fn prepare_alone(
        &mut self,
        module: &Module,
        config: &Config,
    ) -> Result<Run, ConformError> {
        let mut run = self.prepare(module, config, 0)?;
        run.workers = 1;
        Ok(run)
    }

    /// Runs TLC on it; the generated specification itself has no violation.
    pub(crate) fn run(&mut self, run: &Run) -> Result<Outcome, ConformError> {
        self.commands.push(self.engine.command_line(run));
        let outcome = self.engine.run(run, self.stop)?;
        self.elapsed += outcome.elapsed;
        self.logs.push(outcome.log.clone());
        self.version.clone_from(&outcome.version);
        match &outcome.verdict {
            Verdict::NoError => Ok(outcome),
            Verdict::AssumptionFailed { assumption } => Err(ConformError::AssumptionFailed {
                assumption: assumption.clone(),
                log: outcome.log,
            }),
            Verdict::InvariantViolated { .. }
            | Verdict::PropertyViolated { .. }
            | Verdict::Deadlock => {
                let expected = "the generated module to have no violation of its own";
                Err(ConformError::Vacuous { expected, log: outcome.log })
            }
        }
    }

    pub(crate) fn report(
        self,
        verdicts: Vec<TraceVerdict>,
        actions: Option<BTreeSet<String>>,
        states: u64,
    ) -> Report {
        Report {
            verdicts,
            actions,
            states,
            runs: self.prepared,
            elapsed: self.elapsed,
            commands: self.commands,
            logs: self.logs,
            version: self.version,
        }
    }
}

/// Writes the modules and the configuration of a run.
///
/// # Errors
///
/// [`ConformError::Io`] if the folder or a file cannot be written.
pub(crate) fn write_files(
    folder: &Path,
    files: &[(String, String)],
    module: &Module,
    config: &Config,
) -> Result<(), ConformError> {
    fs::create_dir_all(folder).map_err(|source| ConformError::io(folder, source))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| ConformError::io(&path, source))
    };
    for (name, text) in files {
        write(name, text)?;
    }
    write(&format!("{}.tla", module.name()), &module.to_text())?;
    write(&format!("{}.cfg", module.name()), config.to_text())
}
