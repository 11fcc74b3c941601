//! The whole command as a library: a binary that calls [`run`] with a suite of games is the tool
//! for those games.
//!
//! # Invariants
//!
//! The only crate that prints, reads the command line and chooses exit codes. It knows no protocol.
//! It decides nothing about executions: it asks the facade and says what came of it, the verdict
//! last.

mod args;
mod chosen;
mod commands;
mod context;
mod coverage;
mod engines;
mod exit;
mod lineage_args;
mod lines;
mod memory;
mod modules;
mod output;
mod rejected;
mod run_directory;
mod sharing;
mod simulate_args;
mod spec_args;
mod spec_coverage;
mod spec_watch;
mod specification;
mod stages;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use cadre::Suite;
use clap::{CommandFactory, FromArgMatches};

pub use exit::Exit;

use args::Args;
use context::Context;

/// Runs the command line of this process on a suite of games.
///
/// # Examples
///
/// The whole `main` of a tool:
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     cadre_cli::run(&cadre::Suite::new())
/// }
/// ```
pub fn run(suite: &Suite) -> ExitCode {
    let command = Args::command().after_help(exit::HELP);
    let args = match command.try_get_matches().and_then(|found| Args::from_arg_matches(&found)) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no errors; clap prints each kind where it belongs.
            let is_asked_for = error.exit_code() == 0;
            let _ = error.print();
            return if is_asked_for { Exit::Holds.into() } else { Exit::Usage.into() };
        }
    };
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut context = Context::new(suite, args.common)?;
        let played = commands::run(&mut context, args.verb);
        played.map_err(|failure| context.interrupted(failure))
    }));
    let exit = match played {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            output::complain(&failure);
            failure.exit
        }
        Err(_) => {
            output::note("internal error: the tool itself failed, see above; please report it");
            Exit::Internal
        }
    };
    exit.into()
}
