use std::path::PathBuf;

use cadre::conform::BEHAVIOUR_ORIGIN;
use cadre::process::Program;
use cadre::runtime::Defect;
use cadre::trace::Trace;
use cadre::{AnyGame, Place, Setup};

use crate::args::GameArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::watch::count;

/// A game as the command line asks for it.
pub(crate) struct Chosen<'a> {
    pub(crate) game: &'a dyn AnyGame,
    /// Holds a bug of the step function only.
    pub(crate) setup: Setup,
    /// The bug of the process.
    pub(crate) process_bug: Option<(&'static str, Defect)>,
}

impl<'a> Chosen<'a> {
    pub(crate) fn new(context: &Context<'a>, args: &GameArgs) -> Result<Self, Failure> {
        let mut chosen = Self::named(context, &args.game, args.nodes, args.bug.as_deref())?;
        chosen.setup.faults.clone_from(&args.faults);
        if !args.faults.is_empty() {
            // Faults that make no sense in this game are the user's mistake, and not the game's.
            chosen.game.claims(&chosen.setup).or_exit(Exit::Usage)?;
        }
        Ok(chosen)
    }

    /// A game with its own faults.
    pub(crate) fn named(
        context: &Context<'a>,
        game: &str,
        nodes: Option<usize>,
        bug: Option<&str>,
    ) -> Result<Self, Failure> {
        let game = context.game(game)?;
        // Checked as a whole first, so that an unknown bug is reported as such.
        let setup = game.setup(nodes, bug).or_exit(Exit::Usage)?;
        let process_bug = process_bug(game, bug);
        let setup = if process_bug.is_some() { Setup { bug: None, ..setup } } else { setup };
        Ok(Self { game, setup, process_bug })
    }

    /// The game that a trace is of, with a bug of the process that the trace does not know of.
    pub(crate) fn of_trace(
        context: &Context<'a>,
        trace: &Trace,
        bug: Option<&str>,
    ) -> Result<Self, Failure> {
        if trace.header.origin == BEHAVIOUR_ORIGIN {
            return Err(anyhow::anyhow!(
                "expected a trace of a game, found a behaviour of the specification {}; let a game \
                 follow it by `spec GAME --drive`, with the claim that it violates",
                trace.header.protocol
            ))
            .or_exit(Exit::Input);
        }
        let game = context.game(&trace.header.protocol)?;
        let setup = game.setup_of(trace).or_exit(Exit::Input)?;
        let found = process_bug(game, bug);
        match (bug, found) {
            (Some(name), None) => {
                game.setup(None, bug).or_exit(Exit::Usage)?;
                let why = "is a bug of the step function; record a trace with it instead";
                Err(anyhow::anyhow!("`{name}` {why}")).or_exit(Exit::Usage)
            }
            _ => Ok(Self { game, setup, process_bug: found }),
        }
    }

    /// What is checked, for the first line.
    pub(crate) fn title(&self) -> String {
        let bug = self.setup.bug.as_deref().or(self.process_bug.map(|(name, _)| name));
        let bug = bug.map_or(String::new(), |bug| format!(" · bug {bug}"));
        let size = self.game.size();
        let nodes = count(self.setup.size, size.one, size.many);
        let faults = match self.setup.faults.is_empty() {
            true => String::new(),
            false => format!(" · faults {}", self.faults()),
        };
        format!("{} · {nodes}{bug}{faults}", self.game.name())
    }

    /// The arguments that choose the game again.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let bug = self.setup.bug.as_deref().or(self.process_bug.map(|(name, _)| name));
        let bug = bug.into_iter().flat_map(|bug| ["--bug".to_owned(), bug.to_owned()]);
        let game = [self.game.name().to_owned(), "--nodes".to_owned(), self.setup.size.to_string()];
        let faults =
            (!self.setup.faults.is_empty()).then(|| ["--faults".to_owned(), self.faults()]);
        game.into_iter().chain(bug).chain(faults.into_iter().flatten()).collect()
    }

    /// The changes of the faults as they are given.
    pub(crate) fn faults(&self) -> String {
        let changes: Vec<String> = self.setup.faults.iter().map(ToString::to_string).collect();
        changes.join(",")
    }

    /// This executable as the host of one node, which is still to be named.
    pub(crate) fn node_program(&self, mode: &[&str]) -> Result<Program, Failure> {
        let executable: PathBuf = std::env::current_exe().or_exit(Exit::Internal)?;
        Ok(Program::new(executable).arg("run").args(self.to_args()).args(mode))
    }
}

fn process_bug(game: &dyn AnyGame, name: Option<&str>) -> Option<(&'static str, Defect)> {
    game.bugs().iter().find_map(|bug| match bug.place {
        Place::Process(defect) if Some(bug.name) == name => Some((bug.name, defect)),
        Place::Process(_) | Place::Step => None,
    })
}
