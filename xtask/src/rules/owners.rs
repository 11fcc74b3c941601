use std::collections::BTreeSet;

use anyhow::Result;

use crate::architecture::{self, Owner, Row};
use crate::manifest::{Dependency, Manifest, Purpose, is_internal, workspace_packages};
use crate::{Tree, Violation};

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let rows = architecture::rows(architecture::text(tree)?)?;
    let manifests = Manifest::all(tree)?;
    let mut violations = unlisted(tree, &rows)?;
    for manifest in &manifests {
        for dependency in &manifest.dependencies {
            if !is_internal(&dependency.package) {
                let found = judge(&rows, manifest, dependency);
                violations
                    .extend(found.into_iter().map(|what| Violation::of(&manifest.path, what)));
            }
        }
    }
    for row in &rows {
        violations.extend(
            unused(row, &manifests)
                .into_iter()
                .map(|what| Violation::at(architecture::PATH, row.line, what)),
        );
    }
    Ok(violations)
}

/// What the root manifest offers without being in the table.
fn unlisted(tree: &Tree, rows: &[Row]) -> Result<Vec<Violation>> {
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.package.as_str()).collect();
    let offered: BTreeSet<String> = workspace_packages(tree)?.into_values().collect();
    let unlisted = offered
        .iter()
        .filter(|package| !is_internal(package) && !listed.contains(package.as_str()))
        .map(|package| Violation::of("Cargo.toml", not_in_table(package)));
    Ok(unlisted.collect())
}

fn not_in_table(package: &str) -> String {
    format!(
        "expected every third-party package in the table \"Dependencies\" of {}, \
         did not find `{package}`; add a row with its owner and its reason",
        architecture::PATH
    )
}

fn judge(rows: &[Row], manifest: &Manifest, dependency: &Dependency) -> Vec<String> {
    let package = &dependency.package;
    let mut found = Vec::new();
    if !dependency.is_inherited {
        found.push(format!(
            "expected `{package}.workspace = true`, so that one version serves all, \
             found a version of its own; move that to the root manifest"
        ));
    }
    let Some(row) = rows.iter().find(|row| row.package == *package) else {
        found.push(not_in_table(package));
        return found;
    };
    if !row.owners.iter().any(|owner| permits(owner, manifest, dependency)) {
        found.push(format!(
            "expected `{package}` with its owners in the table \"Dependencies\" of {} only; \
             use the owner's functions, or list `{}` there",
            architecture::PATH,
            manifest.name
        ));
    }
    found
}

/// The package of tests uses everything for tests.
fn permits(owner: &Owner, manifest: &Manifest, dependency: &Dependency) -> bool {
    let is_for_tests = dependency.purpose == Purpose::Tests || manifest.name == "cadre-tests";
    let is_named = owner.package.as_ref().is_none_or(|name| *name == manifest.name);
    is_named && (is_for_tests || !owner.is_tests_only)
}

fn unused(row: &Row, manifests: &[Manifest]) -> Vec<String> {
    let is_used = |owner: &Owner| {
        manifests.iter().any(|manifest| {
            manifest.dependencies.iter().any(|dependency| {
                dependency.package == row.package && permits(owner, manifest, dependency)
            })
        })
    };
    let unused = row.owners.iter().filter(|owner| !is_used(owner));
    unused
        .map(|owner| {
            format!(
                "expected {} to depend on `{}`, found that it does not; remove it from the row",
                owner.package.as_deref().unwrap_or("a package"),
                row.package
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::found;

    const ROOT: (&str, &str) = ("Cargo.toml", "[workspace.dependencies]\na = '1'\nb = '1'\n");
    const TABLE: (&str, &str) = (
        "ARCHITECTURE.md",
        "| package | owner | why |\n|---|---|---|\n\
         | a | cadre-x, any (tests) | needed |\n| b | any | needed |\n",
    );

    #[test]
    fn owners_and_tests_may_use_what_the_table_gives_them() {
        let none: [&str; 0] = [];
        let x = "[package]\nname = 'cadre-x'\n[dependencies]\n\
                 a.workspace = true\nb.workspace = true\n";
        let y = "[package]\nname = 'cadre-y'\n[dev-dependencies]\na.workspace = true\n";
        let files =
            [ROOT, TABLE, ("crates/cadre-x/Cargo.toml", x), ("crates/cadre-y/Cargo.toml", y)];
        assert_eq!(found(check, files), none);
    }

    #[test]
    fn strangers_strange_packages_and_own_versions_are_found() {
        let y = "[package]\nname = 'cadre-y'\n[dependencies]\n\
                 a.workspace = true\nb = '1'\nc.workspace = true\n";
        let found = found(check, [ROOT, TABLE, ("crates/cadre-y/Cargo.toml", y)]);
        let has = |text: &str| found.iter().any(|violation| violation.contains(text));
        assert!(has("list `cadre-y` there"), "{found:#?}");
        assert!(has("`b.workspace = true`"), "{found:#?}");
        assert!(has("did not find `c`"), "{found:#?}");
        assert!(has("ARCHITECTURE.md:3: expected cadre-x to depend on `a`"), "{found:#?}");
    }

    #[test]
    fn a_row_nobody_uses_is_found() {
        let found = found(check, [ROOT, TABLE]);
        assert_eq!(found.len(), 3, "{found:#?}");
    }

    #[test]
    fn what_the_workspace_offers_must_be_in_the_table() {
        let root = ("Cargo.toml", "[workspace.dependencies]\nz = '1'\n");
        let table = ("ARCHITECTURE.md", "| package | owner | why |\n");
        assert_eq!(found(check, [root, table]).len(), 1);
    }

    #[test]
    fn a_missing_map_is_an_error() {
        check(&Tree::of([ROOT])).unwrap_err();
    }
}
