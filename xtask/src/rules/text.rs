use anyhow::Result;

use crate::{Tree, Violation};

const ENDINGS: [&str; 9] =
    [".rs", ".toml", ".md", ".tla", ".cfg", ".sh", ".yml", ".yaml", ".gitignore"];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Violation>> {
    let written = |path: &str| {
        path.starts_with(".ci/") || ENDINGS.iter().any(|ending| path.ends_with(ending))
    };
    let texts = tree.texts().filter(|(path, _)| written(path));
    Ok(texts.flat_map(|(path, text)| judge(path, text)).collect())
}

fn judge(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (text, line) in text.split('\n').zip(1..) {
        if text.contains('\t') {
            violations.push(Violation::at(path, line, "expected blanks, found a tab"));
        }
        if text.ends_with(char::is_whitespace) {
            let what = "expected no blank at the end of a line, found one";
            violations.push(Violation::at(path, line, what));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        violations.push(Violation::of(path, "expected a newline at the end, found none"));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::found;

    #[test]
    fn tabs_blanks_and_a_missing_end_are_found() {
        assert_eq!(found(check, [("a.rs", "a\n\nb\n"), ("b.rs", ""), ("c.svg", "\t ")]).len(), 0);
        assert_eq!(found(check, [("a.rs", "a\tb\n")]).len(), 1);
        assert_eq!(found(check, [("a.md", "a \n")]).len(), 1);
        assert_eq!(found(check, [("a.md", "a\r\n")]).len(), 1);
        assert_eq!(found(check, [(".ci/run", "a")]).len(), 1);
    }
}
