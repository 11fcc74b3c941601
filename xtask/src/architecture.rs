//! The map of the repository, as far as rules read it.

use anyhow::{Context, Result, bail};

use crate::Tree;

/// The map of the repository, to which rules hold the repository.
pub const PATH: &str = "ARCHITECTURE.md";

const HEADER: [&str; 3] = ["package", "owner", "why"];

/// A row of the table of third-party packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Counted from one.
    pub line: usize,
    /// The third-party package.
    pub package: String,
    /// Who may depend on it.
    pub owners: Vec<Owner>,
    /// What it is good for.
    pub why: String,
}

/// Who may depend on a third-party package, and whether for tests only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// A package of the workspace; none means any.
    pub package: Option<String>,
    /// Whether tests alone may use it.
    pub is_tests_only: bool,
}

/// The text of the map.
///
/// # Errors
///
/// There is none.
pub fn text(tree: &Tree) -> Result<&str> {
    tree.text(PATH).with_context(|| format!("expected a file {PATH}, found none; write it"))
}

/// The table below the header `| package | owner | why |`.
///
/// # Errors
///
/// There is no such table, or a row of it has not three cells with content.
pub fn rows(text: &str) -> Result<Vec<Row>> {
    let mut lines = text.lines().zip(1..);
    if !lines.any(|(line, _)| cells(line).is_some_and(|cells| cells == HEADER)) {
        bail!("expected a table with the header `| package | owner | why |`, found none; add it");
    }
    let mut rows = Vec::new();
    for (text, line) in lines {
        let Some(cells) = cells(text) else { break };
        if cells.iter().all(|cell| cell.chars().all(|c| c == '-' || c == ':')) {
            continue;
        }
        let [package, owners, why] = cells[..] else {
            bail!("line {line}: expected three cells, found {}", cells.len());
        };
        if [package, owners, why].contains(&"") {
            bail!("line {line}: expected content in every cell, found an empty one");
        }
        let owners = owners.split(',').map(|owner| Owner::parse(owner.trim())).collect();
        rows.push(Row { line, package: package.into(), owners, why: why.into() });
    }
    Ok(rows)
}

/// The crates that have a section: line and name of the headings `### cadre…`.
pub fn sections(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .zip(1..)
        .filter_map(|(text, line)| {
            Some((line, text.strip_prefix("### ")?.trim().trim_matches('`')))
        })
        .filter(|(_, name)| name.starts_with("cadre") && !name.contains(' '))
        .collect()
}

impl Owner {
    fn parse(text: &str) -> Self {
        let (name, is_tests_only) = match text.strip_suffix("(tests)") {
            Some(name) => (name.trim(), true),
            None => (text, false),
        };
        let name = name.trim_matches('`');
        Self { package: (name != "any").then(|| name.to_owned()), is_tests_only }
    }
}

/// The cells of a row of a table, without blanks and code quotes around them.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_to_its_end() {
        let text = "# Map\n\n| package | owner | why |\n|---|:--|---|\n\
                    | `a` | `x`, any (tests) | because |\n| b | any | why not |\n\n| c | d | e |\n";
        let rows = rows(text).unwrap();
        let owner = |name: Option<&str>, is_tests_only| Owner {
            package: name.map(str::to_owned),
            is_tests_only,
        };
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].line, rows[0].package.as_str()), (5, "a"));
        assert_eq!(rows[0].owners, [owner(Some("x"), false), owner(None, true)]);
        assert_eq!(rows[1].owners, [owner(None, false)]);
    }

    #[test]
    fn a_missing_table_and_a_broken_row_are_errors() {
        rows("| package | owner |\n").unwrap_err();
        rows("| package | owner | why |\n|---|---|---|\n| a | b |\n").unwrap_err();
        rows("| package | owner | why |\n|---|---|---|\n| a | b | |\n").unwrap_err();
    }

    #[test]
    fn sections_are_headings_that_name_a_crate() {
        let text =
            "## cadre\n### `cadre-x`\n### cadre\n### The trace\n### cadre and all the rest\n";
        assert_eq!(sections(text), [(2, "cadre-x"), (3, "cadre")]);
    }
}
