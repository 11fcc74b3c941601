use std::path::PathBuf;

use cadre::process::Stop;
use cadre::tla::{Find, Tlc};
use cadre::trace::Trace;
use cadre::{AnyGame, Suite, save};

use crate::args::Common;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::run_directory::RunDirectory;

/// What all verbs work with.
pub(crate) struct Context<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) common: Common,
    /// Requested by Ctrl-C.
    pub(crate) stop: Stop,
    /// The command as it was typed, for commands that are printed to be copied.
    pub(crate) program: String,
    tlc: Option<Tlc>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(suite: &'a Suite, common: Common) -> Result<Self, Failure> {
        let stop = Stop::new();
        let requested = stop.clone();
        ctrlc::set_handler(move || requested.request()).or_exit(Exit::Internal)?;
        let program = std::env::args().next().unwrap_or_else(|| "cadre".to_owned());
        Ok(Self { suite, common, stop, program, tlc: None })
    }

    /// The game of a name.
    pub(crate) fn game(&self, name: &str) -> Result<&'a dyn AnyGame, Failure> {
        let known = || self.suite.games().map(AnyGame::name).collect::<Vec<_>>().join(", ");
        let game = self.suite.find(name);
        game.ok_or_else(|| anyhow::anyhow!("there is no game `{name}`; there is {}", known()))
            .or_exit(Exit::Usage)
    }

    /// The TLC to use; found once, installed where it is missing and that is allowed.
    pub(crate) fn tlc(&mut self) -> Result<Tlc, Failure> {
        if let Some(tlc) = &self.tlc {
            return Ok(tlc.clone());
        }
        let found = cadre::tla::find(&self.find(), &mut output::note, &self.stop);
        let tlc = found.or_exit(Exit::ToolChain)?;
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
