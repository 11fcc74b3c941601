use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Tree, Violation};

const INDEX: &str = "traces/index.json";

/// Files in `traces/` that are no traces.
const NO_TRACES: [&str; 2] = ["index.json", "README.md"];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let mut violations = traces(tree)?;
    for spec in tree.folders("tla") {
        violations.extend(spec_files(tree, spec));
    }
    Ok(violations)
}

fn traces(tree: &Tree) -> Result<Vec<Violation>> {
    let index = tree.text(INDEX).with_context(|| format!("expected a file {INDEX}, found none"))?;
    let index: Value = serde_json::from_str(index).context(INDEX)?;
    let entries = index["traces"].as_array().context("expected a list `traces` in the index")?;
    let listed = entries
        .iter()
        .map(|entry| entry["file"].as_str())
        .collect::<Option<BTreeSet<&str>>>()
        .context("expected a `file` in every entry of the index")?;
    let present: BTreeSet<&str> =
        tree.paths().filter_map(|path| path.strip_prefix("traces/")).collect();
    let mut violations = Vec::new();
    for file in present.iter().filter(|file| !NO_TRACES.contains(file) && !listed.contains(*file)) {
        let what = format!("expected it in {INDEX}, found it not there; list it or remove it");
        violations.push(Violation::of(format!("traces/{file}"), what));
    }
    for file in listed.difference(&present) {
        let what = format!("expected a file traces/{file}, found none; remove it from the index");
        violations.push(Violation::of(INDEX, what));
    }
    if listed.len() < entries.len() {
        violations.push(Violation::of(INDEX, "expected each file once, found one twice"));
    }
    Ok(violations)
}

fn spec_files(tree: &Tree, spec: &str) -> Vec<Violation> {
    let folder = format!("tla/{spec}");
    let files = tree.files_in(&folder);
    let mut violations = Vec::new();
    for file in ["manifest.json", "README.md"] {
        if !files.contains(file) {
            let what = format!("expected a file {file}, found none; write it");
            violations.push(Violation::of(&folder, what));
        }
    }
    let modules: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix(".tla")).collect();
    if modules.is_empty() {
        violations.push(Violation::of(&folder, "expected a module, found none; write it"));
    }
    for config in files.iter().filter_map(|file| file.strip_suffix(".cfg")) {
        if !modules.iter().any(|module| config.starts_with(module)) {
            let what = "expected a name that begins with that of a module, found none; rename it";
            violations.push(Violation::of(format!("{folder}/{config}.cfg"), what));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::found;

    const EMPTY: (&str, &str) = (INDEX, r#"{"traces": []}"#);
    const ONE: (&str, &str) = (INDEX, r#"{"traces": [{"file": "a/b.ndjson"}]}"#);

    #[test]
    fn traces_are_listed_and_there() {
        let trace = ("traces/a/b.ndjson", "");
        assert_eq!(found(check, [ONE, trace, ("traces/README.md", "")]).len(), 0);
        assert_eq!(found(check, [ONE]).len(), 1);
        assert_eq!(found(check, [EMPTY, trace]).len(), 1);
        let twice = (INDEX, r#"{"traces": [{"file": "a/b.ndjson"}, {"file": "a/b.ndjson"}]}"#);
        assert_eq!(found(check, [twice, trace]).len(), 1);
    }

    #[test]
    fn a_missing_or_unreadable_index_is_an_error() {
        for index in ["", "{}", r#"{"traces": [{}]}"#] {
            check(&Tree::of([(INDEX, index)])).unwrap_err();
        }
        check(&Tree::of([])).unwrap_err();
    }

    #[test]
    fn a_spec_is_complete() {
        let spec = [
            EMPTY,
            ("tla/A/A.tla", ""),
            ("tla/A/MCA.tla", ""),
            ("tla/A/MCA.cfg", ""),
            ("tla/A/MCASmall.cfg", ""),
            ("tla/A/manifest.json", ""),
            ("tla/A/README.md", ""),
        ];
        assert_eq!(found(check, spec).len(), 0);
        let without = |missing| {
            found(check, spec.into_iter().filter(move |(path, _)| *path != missing)).len()
        };
        assert_eq!(without("tla/A/manifest.json"), 1);
        assert_eq!(without("tla/A/README.md"), 1);
        assert_eq!(without("tla/A/MCA.tla"), 2);
        assert_eq!(found(check, spec.into_iter().chain([("tla/A/B.cfg", "")])).len(), 1);
        assert_eq!(found(check, [EMPTY, ("tla/A/README.md", "")]).len(), 2);
    }
}
