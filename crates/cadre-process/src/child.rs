use std::io;
use std::path::PathBuf;

use crate::{ProcessError, Program};

/// A child that runs or has ended; dropping it kills and reaps it.
#[derive(Debug)]
pub(crate) struct Child {
    program: PathBuf,
    handle: duct::Handle,
    process_id: u32,
    /// Whether it leads a group that has not been killed yet. Once only: later the number of the
    /// group may mean somebody else.
    leads_group: bool,
}

/// The process group a child belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// One it leads itself, which is killed with it.
    Own,
    /// That of the caller, as a program that uses the terminal needs.
    Callers,
}

/// How a child ended: its exit code, none if a signal killed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit(pub(crate) Option<i32>);

impl Child {
    /// Starts the expression, which is that of the program with its pipes attached.
    ///
    /// The expression is consumed because it holds the child's pipe ends.
    pub(crate) fn start(
        program: &Program,
        expression: duct::Expression,
        group: Group,
    ) -> Result<Self, ProcessError> {
        let expression = match group {
            Group::Own => leading_group(&expression),
            Group::Callers => expression,
        };
        for folder in program.folders() {
            std::fs::create_dir_all(&folder)
                .map_err(|source| ProcessError::io("create", &folder, source))?;
        }
        let handle = expression.start().map_err(|source| start_error(program, source))?;
        let process_id = *handle.pids().first().expect("an expression of one command has one pid");
        let leads_group = group == Group::Own;
        Ok(Self { program: program.path().into(), handle, process_id, leads_group })
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process_id
    }

    /// How it ended, if it has ended; then it is reaped, and what is left of its group is killed.
    pub(crate) fn ended(&mut self) -> Result<Option<Exit>, ProcessError> {
        let output = self
            .handle
            .try_wait()
            .map_err(|source| ProcessError::io("wait for", &self.program, source))?;
        let exit = output.map(|output| Exit(output.status.code()));
        if exit.is_some() {
            self.kill_group();
        }
        Ok(exit)
    }

    /// Kills it and its group if they still run, and reaps it.
    pub(crate) fn kill(&mut self) -> Result<(), ProcessError> {
        // The group first: while its leader is not reaped, its number cannot mean anybody else.
        self.kill_group();
        self.handle
            .kill()
            .and_then(|()| self.handle.wait().map(|_| ()))
            .map_err(|source| ProcessError::io("kill", &self.program, source))
    }

    /// A group that is already empty makes the signal fail, which is as good.
    #[cfg(unix)]
    fn kill_group(&mut self) {
        if std::mem::take(&mut self.leads_group) {
            // The standard library can signal one process only. Every POSIX shell can do a group.
            let arguments = ["-c", "kill -s KILL -- \"-$0\"", &self.process_id.to_string()];
            let signal = duct::cmd("/bin/sh", arguments).stdin_null().stdout_null().stderr_null();
            let _: io::Result<_> = signal.unchecked().run();
        }
    }

    #[cfg(not(unix))]
    fn kill_group(&mut self) {}
}

impl Drop for Child {
    fn drop(&mut self) {
        // Nobody is left to be told of an error.
        let _: Result<(), ProcessError> = self.kill();
    }
}

#[cfg(unix)]
fn leading_group(expression: &duct::Expression) -> duct::Expression {
    use std::os::unix::process::CommandExt;

    expression.before_spawn(|command| {
        command.process_group(0);
        Ok(())
    })
}

#[cfg(not(unix))]
fn leading_group(expression: &duct::Expression) -> duct::Expression {
    expression.clone()
}

/// The operating system says "not found" of a missing program, of a missing directory to start it
/// in and of a script's missing interpreter alike.
fn start_error(program: &Program, source: io::Error) -> ProcessError {
    let path = program.path();
    let directory_is_there = program.working_directory().is_none_or(|directory| directory.is_dir());
    let program_is_there = path.components().count() > 1 && path.exists();
    if source.kind() == io::ErrorKind::NotFound && directory_is_there && !program_is_there {
        return ProcessError::NotFound { program: path.into() };
    }
    ProcessError::Start { program: path.into(), source }
}
