use std::time::Duration;

use anyhow::{Context, Result, bail};
use cadre_process::{PrivateDirectory, Program, Stop, run};
use serde_json::Value;

use crate::{Tree, Violation, ci};

/// The licences under which a package may be used here.
const ALLOWED: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const TIME_LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    judge(&metadata(tree)?)
}

/// All packages of the lock file if all are there, else those which this platform needs: they have
/// been fetched by the build of this very program.
fn metadata(tree: &Tree) -> Result<String> {
    let directory = PrivateDirectory::new("licences")?;
    let log = directory.path().join("metadata");
    let everything = Program::new(ci::cargo())
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--quiet"])
        .directory(tree.root());
    let needed = everything.clone().args(["--filter-platform", &host(tree, &directory)?]);
    for program in [everything, needed] {
        let finished = run(&program, &log, TIME_LIMIT, &Stop::new())?;
        if finished.code == Some(0) {
            // Warnings go to the same file; the answer is one line.
            let output = finished.output()?;
            let answer = output.lines().find(|line| line.starts_with('{'));
            return answer.map(str::to_owned).context("expected a line of JSON, found none");
        }
    }
    bail!("expected cargo metadata to know every package, but it says:\n{}", log_text(&log))
}

fn host(tree: &Tree, directory: &PrivateDirectory) -> Result<String> {
    let program = Program::new("rustc").arg("-vV").directory(tree.root());
    let finished = run(&program, &directory.path().join("host"), TIME_LIMIT, &Stop::new())?;
    let output = finished.output()?;
    let host = output.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).with_context(|| format!("expected rustc to name the host:\n{output}"))
}

fn log_text(log: &std::path::Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}

fn judge(metadata: &str) -> Result<Vec<Violation>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let packages = metadata["packages"].as_array().context("expected packages, found none")?;
    let mut violations = Vec::new();
    for package in packages {
        let text = |key: &str| package[key].as_str();
        let name = text("name").context("expected a package with a name, found none")?;
        let licence = text("license").unwrap_or_default();
        if !is_allowed(licence) {
            let what = format!(
                "expected a licence that the list in xtask's licences rule satisfies, \
                 found \"{licence}\"; do without the package, or argue for the licence there"
            );
            violations.push(Violation::of(name, what));
        }
    }
    Ok(violations)
}

/// Whether the allowed licences satisfy an SPDX expression; an expression that cannot be read is
/// not satisfied. The slash of old manifests means "or".
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

fn either(rest: &mut &[&str]) -> Option<bool> {
    let mut satisfied = all(rest)?;
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        *rest = after;
        satisfied |= all(rest)?;
    }
    Some(satisfied)
}

fn all(rest: &mut &[&str]) -> Option<bool> {
    let mut satisfied = one(rest)?;
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        *rest = after;
        satisfied &= one(rest)?;
    }
    Some(satisfied)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    match **rest {
        ["(", ref inner @ ..] => {
            *rest = inner;
            let satisfied = either(rest)?;
            *rest = rest.strip_prefix(&[")"])?;
            Some(satisfied)
        }
        [name, "WITH", exception, ref after @ ..] => {
            *rest = after;
            Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()))
        }
        [name, ref after @ ..] => {
            *rest = after;
            Some(ALLOWED.contains(&name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_satisfied_by_the_list_or_not() {
        let satisfied = [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-3.0-only OR MIT AND ISC",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "Unlicense OR MIT",
        ];
        for expression in satisfied {
            assert!(is_allowed(expression), "{expression}");
        }
        let unsatisfied = [
            "",
            "MPL-2.0",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT AND (GPL-3.0-only OR MPL-2.0)",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "MIT OR",
            "(MIT",
            "MIT )",
            "MIT MIT",
        ];
        for expression in unsatisfied {
            assert!(!is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn a_package_without_an_allowed_licence_is_found() {
        let metadata = r#"{"packages": [
            {"name": "a", "license": "MIT"},
            {"name": "b", "license": "MPL-2.0"},
            {"name": "c", "license": null}
        ]}"#;
        let found = judge(metadata).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].to_string().starts_with("b: "), "{found:?}");
        judge("{}").unwrap_err();
    }
}
