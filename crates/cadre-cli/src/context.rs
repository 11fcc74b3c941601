use std::path::{Path, PathBuf};
use std::sync::Arc;

use cadre::process::{Program, Stop};
use cadre::tla::{Apalache, Engine, Find, TlaError, Tlc};
use cadre::trace::Trace;
use cadre::{AnyGame, Suite, save};

use crate::args::{Common, EngineName};
use crate::exit::{Exit, Failure, OrExit};
use crate::run_directory::RunDirectory;
use crate::{engines, output};

/// What all verbs work with.
pub(crate) struct Context<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) common: Common,
    /// Requested by Ctrl-C.
    pub(crate) stop: Stop,
    /// The command as it was typed, for commands that are printed to be copied.
    pub(crate) program: String,
    tlc: Option<Tlc>,
    /// What stands in for TLC, once it does.
    stand_in: Option<Arc<dyn Engine>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(suite: &'a Suite, common: Common) -> Result<Self, Failure> {
        let stop = Stop::new();
        let requested = stop.clone();
        ctrlc::set_handler(move || requested.request()).or_exit(Exit::Internal)?;
        let program = std::env::args().next().unwrap_or_else(|| "cadre".to_owned());
        Ok(Self { suite, common, stop, program, tlc: None, stand_in: None })
    }

    /// The game of a name.
    pub(crate) fn game(&self, name: &str) -> Result<&'a dyn AnyGame, Failure> {
        let known = || self.suite.games().map(AnyGame::name).collect::<Vec<_>>().join(", ");
        let game = self.suite.find(name);
        game.ok_or_else(|| anyhow::anyhow!("there is no game `{name}`; there is {}", known()))
            .or_exit(Exit::Usage)
    }

    /// The engine that was asked for; without a wish TLC, and the embedded one where that cannot be
    /// had.
    pub(crate) fn engine(&mut self) -> Result<Arc<dyn Engine>, Failure> {
        if let Some(stand_in) = &self.stand_in {
            return Ok(stand_in.clone());
        }
        match self.common.engine {
            Some(EngineName::Tlc) => Ok(Arc::new(self.tlc()?)),
            Some(EngineName::Embedded) => self.embedded(),
            Some(EngineName::Apalache) => Err(anyhow::anyhow!(
                "expected another engine than Apalache here, which checks specifications alone: \
                 take it for `spec`, or leave out --engine"
            ))
            .or_exit(Exit::Usage),
            None => match self.found() {
                Ok(tlc) => Ok(Arc::new(tlc)),
                Err(why) if engines::HAS_EMBEDDED && engines::cannot_be_had(&why) => {
                    output::note(&format!("TLC cannot be had: {why}"));
                    self.embedded()
                }
                Err(why) => Err(why).or_exit(Exit::ToolChain),
            },
        }
    }

    /// The embedded engine; every verdict says from then on that it is not that of TLC.
    fn embedded(&mut self) -> Result<Arc<dyn Engine>, Failure> {
        let engine = engines::embedded().or_exit(Exit::ToolChain)?;
        output::verdicts_are_by(engines::EMBEDDED);
        self.stand_in = Some(engine.clone());
        Ok(engine)
    }

    /// The engine that explores specifications: Apalache, too, with behaviours of so many steps.
    pub(crate) fn spec_engine(&mut self, steps_max: u32) -> Result<Arc<dyn Engine>, Failure> {
        if self.common.engine != Some(EngineName::Apalache) {
            return self.engine();
        }
        let apalache = Apalache::find(steps_max).ok_or_else(|| {
            anyhow::anyhow!(
                "expected apalache-mc on the PATH, or named by APALACHE_MC, found none; install \
                 Apalache, or leave out --engine"
            )
        });
        output::verdicts_are_by(engines::APALACHE);
        Ok(Arc::new(apalache.or_exit(Exit::ToolChain)?))
    }

    /// The TLC to use, where nothing else will do; found once, installed where it is missing and
    /// that is allowed.
    pub(crate) fn tlc(&mut self) -> Result<Tlc, Failure> {
        if matches!(self.common.engine, Some(EngineName::Embedded | EngineName::Apalache)) {
            let why = "expected TLC, which alone does this, found another --engine; leave that out";
            return Err(anyhow::anyhow!(why)).or_exit(Exit::Usage);
        }
        self.found().or_exit(Exit::ToolChain)
    }

    /// The command of this program that does something with a file, as a line for a POSIX shell.
    pub(crate) fn command(&self, verb: &str, file: &Path) -> String {
        Program::new(&self.program).arg(verb).arg(file).command_line()
    }

    /// TLC for its parser alone, which knows the names that a module has. Where another engine
    /// checks, TLC is not installed for that, and may be absent, which is said.
    pub(crate) fn parser(&self) -> Option<Tlc> {
        let present = Find { offline: true, ..self.find() };
        let find = || cadre::tla::find(&present, &mut output::note, &self.stop).ok();
        let parser = self.tlc.clone().or_else(find);
        if parser.is_none() {
            output::note("names are not compared with those of the specification: there is no TLC");
        }
        parser
    }

    fn found(&mut self) -> Result<Tlc, TlaError> {
        if let Some(tlc) = &self.tlc {
            return Ok(tlc.clone());
        }
        let tlc = cadre::tla::find(&self.find(), &mut output::note, &self.stop)?;
        self.tlc = Some(tlc.clone());
        Ok(tlc)
    }

    pub(crate) fn find(&self) -> Find {
        Find { jar: self.common.tlc_jar.clone(), offline: self.common.offline, cache: None }
    }

    /// What failed because it was interrupted has not failed: nothing more is known.
    pub(crate) fn interrupted(&self, failure: Failure) -> Failure {
        match self.stop.requested() {
            true => Failure { exit: Exit::Bounded, ..failure },
            false => failure,
        }
    }

    /// A new directory for what a run leaves; removed at its end unless it is kept.
    pub(crate) fn run_directory(&self, verb: &str) -> Result<RunDirectory, Failure> {
        let directory = RunDirectory::new(&self.common.out.join("runs"), verb, self.common.keep);
        directory.or_exit(Exit::ToolChain)
    }

    /// Saves a trace, and gives the path to print.
    pub(crate) fn save(&self, trace: &Trace) -> Result<PathBuf, Failure> {
        let directory = self.common.out.join("traces");
        let saved = save(trace, &directory);
        saved
            .map_err(|error| {
                anyhow::anyhow!("cannot save a trace in {}: {error}", directory.display())
            })
            .or_exit(Exit::ToolChain)
    }
}
