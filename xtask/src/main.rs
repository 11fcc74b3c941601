//! `cargo xtask tidy` and `cargo xtask ci`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::rules::RULES;
use xtask::{Tree, ci, root};

const USAGE: &str = "\
usage: cargo xtask <task>

  tidy    check the rules of the repository
  ci      check everything: format, lints, tests, documentation, tidy";

fn main() -> ExitCode {
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn task() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        ["ci"] => {
            ci::run(&ci::steps(&root()), |command| say(&format!("$ {command}")))?;
            say("$ cargo xtask tidy");
            tidy()
        }
        _ => bail!("expected a task, found {arguments:?}\n{USAGE}"),
    }
}

fn tidy() -> Result<()> {
    let tree = Tree::read(&root())?;
    let mut broken = 0;
    for rule in RULES {
        let violations = match (rule.check)(&tree) {
            Ok(violations) => violations.iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("{error:#}")],
        };
        if !violations.is_empty() {
            broken += 1;
            say(&format!("{}: expected that {}; found otherwise:", rule.name, rule.fact));
            violations.iter().for_each(|violation| say(&format!("  {violation}")));
        }
    }
    if broken > 0 {
        bail!("{broken} of {} rules are broken", RULES.len());
    }
    say(&format!("tidy: all {} rules hold", RULES.len()));
    Ok(())
}

#[expect(clippy::print_stderr, reason = "what a task has to say is for the person who started it")]
fn say(line: &str) {
    eprintln!("{line}");
}
