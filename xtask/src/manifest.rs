//! What the packages of the workspace say of themselves.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::Tree;

/// What a package of the workspace depends on.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Where it is, for messages.
    pub path: String,
    /// The name of the package.
    pub name: String,
    /// All that it depends on, in the order of the file.
    pub dependencies: Vec<Dependency>,
}

/// One dependency of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the package depended on, whatever it is renamed to.
    pub package: String,
    /// For what it is needed.
    pub purpose: Purpose,
    /// Whether version and features are those of the workspace.
    pub is_inherited: bool,
}

/// For what a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// For the package itself, or for building it.
    Code,
    /// For its tests only.
    Tests,
}

impl Manifest {
    /// The manifests of all members: `crates/*`, `bench`, `tests` and `xtask`.
    ///
    /// # Errors
    ///
    /// One of them is not TOML, or has no package name.
    pub fn all(tree: &Tree) -> Result<Vec<Self>> {
        let renamed = workspace_packages(tree)?;
        tree.texts()
            .filter(|(path, _)| is_member(path))
            .map(|(path, text)| Self::parse(path, text, &renamed).with_context(|| path.to_owned()))
            .collect()
    }

    fn parse(path: &str, text: &str, renamed: &BTreeMap<String, String>) -> Result<Self> {
        let table: Table = text.parse()?;
        let name = table.get("package").and_then(|package| package.get("name"));
        let name = name.and_then(Value::as_str).context("expected a package name, found none")?;
        let mut dependencies = Vec::new();
        collect(&table, renamed, &mut dependencies);
        for target in table.get("target").and_then(Value::as_table).into_iter().flatten() {
            if let Some(target) = target.1.as_table() {
                collect(target, renamed, &mut dependencies);
            }
        }
        Ok(Self { path: path.into(), name: name.into(), dependencies })
    }
}

/// The packages in `[workspace.dependencies]`, by the name members use for them.
///
/// # Errors
///
/// The root manifest is missing or not TOML.
pub fn workspace_packages(tree: &Tree) -> Result<BTreeMap<String, String>> {
    let text = tree.text("Cargo.toml").context("expected a root Cargo.toml, found none")?;
    let table: Table = text.parse().context("Cargo.toml")?;
    let dependencies = table.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let dependencies = dependencies.and_then(Value::as_table).into_iter().flatten();
    Ok(dependencies.map(|(name, value)| (name.clone(), package(name, value))).collect())
}

/// Whether a package is one of this workspace.
pub fn is_internal(package: &str) -> bool {
    package == "cadre" || package == "xtask" || package.starts_with("cadre-")
}

fn is_member(path: &str) -> bool {
    let folder = path.strip_suffix("/Cargo.toml");
    let folder = folder.map(|folder| folder.strip_prefix("crates/").unwrap_or(folder));
    match folder {
        Some("bench" | "tests" | "xtask") => true,
        Some(folder) => path.starts_with("crates/") && !folder.contains('/'),
        None => false,
    }
}

fn collect(table: &Table, renamed: &BTreeMap<String, String>, found: &mut Vec<Dependency>) {
    let kinds = [
        ("dependencies", Purpose::Code),
        ("build-dependencies", Purpose::Code),
        ("dev-dependencies", Purpose::Tests),
    ];
    for (key, purpose) in kinds {
        for (name, value) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
            let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let package = match renamed.get(name) {
                Some(package) if is_inherited => package.clone(),
                Some(_) | None => package(name, value),
            };
            found.push(Dependency { package, purpose, is_inherited });
        }
    }
}

fn package(name: &str, value: &Value) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_and_spelling_are_found() {
        let tree = Tree::of([
            ("Cargo.toml", "[workspace.dependencies]\nshort = { version = '1', package = 'long' }"),
            (
                "crates/a/Cargo.toml",
                "[package]\nname = 'a'\n[dependencies]\nshort.workspace = true\nb = '1'\n\
                 [dev-dependencies]\nc = { package = 'd', version = '1' }\n\
                 [target.'cfg(unix)'.build-dependencies]\ne.workspace = true\n",
            ),
            ("crates/a/fixtures/Cargo.toml", "not a member"),
        ]);
        let manifests = Manifest::all(&tree).unwrap();
        assert_eq!(manifests.len(), 1);
        let found: Vec<_> = manifests[0]
            .dependencies
            .iter()
            .map(|found| (found.package.as_str(), found.purpose, found.is_inherited))
            .collect();
        let expected = [
            ("b", Purpose::Code, false),
            ("d", Purpose::Tests, false),
            ("e", Purpose::Code, true),
            ("long", Purpose::Code, true),
        ];
        let mut sorted = found;
        sorted.sort();
        assert_eq!(sorted, expected);
    }
}
