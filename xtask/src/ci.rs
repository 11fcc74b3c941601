//! The checks of a change, in the order a person would do them.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use cadre_process::{Program, Stop, run_through};

/// More than any step needs; a step that hangs must not hang for ever.
const STEP_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

/// Includes the tests that need tools beyond Rust and Python, and the engine without a JVM.
const FEATURES: [&str; 2] = [
    "--features",
    "cadre-tests/pictures,cadre-tests/embedded,cadre-conform/embedded,cadre-tla/embedded",
];

/// A command of the checks.
#[derive(Clone, Debug)]
pub struct Step {
    /// As a person would type it in the root of the repository.
    pub text: String,
    program: Program,
}

/// The commands in order. The rules of `tidy` come after them.
pub fn steps(root: &Path) -> Vec<Step> {
    let commands: [fn(Program) -> Program; 4] = [
        |cargo| cargo.args(["fmt", "--all", "--check"]),
        |cargo| {
            let lints = ["clippy", "--workspace", "--all-targets", "--locked"];
            cargo.args(lints).args(FEATURES).args(["--", "-D", "warnings"])
        },
        |cargo| cargo.args(["test", "--workspace", "--locked"]).args(FEATURES),
        |cargo| {
            let documentation = ["doc", "--workspace", "--no-deps", "--locked"];
            cargo.args(documentation).env("RUSTDOCFLAGS", "-Dwarnings")
        },
    ];
    let step = |command: fn(Program) -> Program| Step {
        text: command(Program::new("cargo")).command_line(),
        program: command(Program::new(cargo())).directory(root),
    };
    commands.into_iter().map(step).collect()
}

/// Runs the commands on this terminal and tells of each before it starts; stops at the first that
/// fails.
///
/// # Errors
///
/// A command cannot be started, or does not exit with zero.
pub fn run(steps: &[Step], tell: impl Fn(&str)) -> Result<()> {
    for Step { text, program } in steps {
        tell(text);
        match run_through(program, STEP_LIMIT, &Stop::new())? {
            Some(0) => {}
            Some(code) => bail!("expected success, found exit code {code} of: {text}"),
            None => bail!("expected success, found a signal that killed: {text}"),
        }
    }
    Ok(())
}

/// The cargo that runs this program, else the one to be found.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_first_failure_is_the_last_command() {
        let told = RefCell::new(Vec::new());
        let steps = ["exit 0", "exit 3", "exit 0"].map(|text| Step {
            text: text.into(),
            program: Program::new("/bin/sh").args(["-c", text]),
        });
        let error = run(&steps, |command| told.borrow_mut().push(command.to_owned())).unwrap_err();
        assert!(error.to_string().contains("exit code 3"), "{error}");
        assert_eq!(told.into_inner(), ["exit 0", "exit 3"]);
    }

    #[test]
    fn commands_are_told_as_a_person_would_type_them() {
        let texts: Vec<String> = steps(Path::new("root")).into_iter().map(|s| s.text).collect();
        assert_eq!(texts[0], "cargo fmt --all --check");
        assert_eq!(texts[3], "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked");
    }
}
