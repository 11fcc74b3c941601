use anyhow::Result;

use crate::architecture;
use crate::{Tree, Violation};

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let sections = architecture::sections(architecture::text(tree)?);
    let folders = tree.folders("crates");
    let mut violations = Vec::new();
    for folder in &folders {
        if !sections.iter().any(|(_, name)| name == folder) {
            let what = format!(
                "expected a section `### {folder}` in {}, found none; say what the crate is for \
                 and what must be absent from it",
                architecture::PATH
            );
            violations.push(Violation::of(format!("crates/{folder}"), what));
        }
    }
    for (line, name) in sections {
        if !folders.contains(name) {
            let what = format!("expected a folder crates/{name}, found none; remove the section");
            violations.push(Violation::at(architecture::PATH, line, what));
        }
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::found;

    #[test]
    fn a_crate_without_a_section_and_a_section_without_a_crate_are_found() {
        let map = ("ARCHITECTURE.md", "### cadre-a\n### `cadre-b`\n");
        let (a, b) = (("crates/cadre-a/Cargo.toml", ""), ("crates/cadre-b/Cargo.toml", ""));
        assert_eq!(found(check, [map, a, b]).len(), 0);
        assert_eq!(found(check, [map, a]).len(), 1);
        assert_eq!(found(check, [map, a, b, ("crates/cadre-c/src/lib.rs", "")]).len(), 1);
        check(&Tree::of([a])).unwrap_err();
    }
}
