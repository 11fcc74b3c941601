use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{PrivateDirectory, Program, Stop};
use cadre_replay::{Outcome, ReplayError, ReplayOptions, replay};
use cadre_trace::Trace;

/// The example, which cargo builds for the tests, told of these nodes.
pub(crate) fn tally(names: &[&str]) -> Program {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join("tally");
    assert!(program.exists(), "run all tests of the crate once: that builds its examples");
    Program::new(program).arg("--names").arg(names.join(","))
}

/// Replays in a directory of its own; afterwards neither a process nor the directory is left.
pub(crate) fn replayed(trace: &Trace, program: Program) -> Result<Outcome, ReplayError> {
    replayed_with(trace, program, |options| options)
}

pub(crate) fn replayed_with(
    trace: &Trace,
    program: Program,
    change: impl for<'a> FnOnce(ReplayOptions<'a>) -> ReplayOptions<'a>,
) -> Result<Outcome, ReplayError> {
    leaving_nothing(|directory| {
        let step_limit = Duration::from_secs(20);
        let options = ReplayOptions { program, base_port: None, step_limit, directory };
        replay(trace, &change(options), &Stop::new())
    })
}

/// Calls it with a fresh directory; afterwards no process that has heard of it may be left.
pub(crate) fn leaving_nothing<T>(user: impl FnOnce(&Path) -> T) -> T {
    let directory = PrivateDirectory::new("replay test").unwrap();
    let path: PathBuf = directory.path().to_path_buf();
    let result = user(&path);
    let left = processes_that_name(&path);
    assert!(left.is_empty(), "these processes are left: {left:?}");
    assert_no_zombie();
    drop(directory);
    assert!(!path.exists(), "the directory is left");
    result
}

fn processes_that_name(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let lines = processes().into_iter().map(|process| {
        let bytes = std::fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    });
    lines.filter(|line| line.contains(path)).collect()
}

/// Tests that run at the same time have children as well, which may be zombies for a moment. One
/// that is left behind would be one for ever.
fn assert_no_zombie() {
    let own = format!(" {} ", std::process::id());
    let is_own_zombie = |process: PathBuf| {
        let line = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let after_name = line.rsplit_once(')').map_or("", |(_, rest)| rest);
        after_name.strip_prefix(" Z").is_some_and(|rest| rest.starts_with(&own))
    };
    let found = || processes().into_iter().any(is_own_zombie);
    assert!((0..10_000).any(|_| !found()), "a child has not been reaped");
}

fn processes() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.join("stat").exists()).collect()
}
