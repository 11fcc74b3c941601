//! The rules of the repository.

mod absences;
mod goldens;
mod layers;
mod licences;
mod order;
mod owners;
mod sections;
mod sizes;
mod text;
mod words;

use anyhow::Result;

use crate::{Tree, Violation};

/// A rule: what it says, and how to find out.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// One word.
    pub name: &'static str,
    /// What is true of a tidy repository.
    pub fact: &'static str,
    /// Finds what breaks it. An error means that not even that could be found out.
    pub check: fn(&Tree) -> Result<Vec<Violation>>,
}

/// All rules, in the order they are checked.
pub const RULES: [Rule; 10] = [
    Rule {
        name: "layers",
        fact: "crates depend on crates below them, as the map of the layers allows",
        check: layers::check,
    },
    Rule {
        name: "owners",
        fact: "every third-party package has its owners and its reason in ARCHITECTURE.md",
        check: owners::check,
    },
    Rule {
        name: "licences",
        fact: "every package may be used under a licence of the list",
        check: licences::check,
    },
    Rule {
        name: "sizes",
        fact: "files, functions and lines are short enough to be read",
        check: sizes::check,
    },
    Rule {
        name: "text",
        fact: "text has no tabs, no blanks at the end of a line and a newline at its own",
        check: text::check,
    },
    Rule { name: "order", fact: "a file begins with its public item", check: order::check },
    Rule {
        name: "words",
        fact: "no file names a place or holds a note that concerns nobody else",
        check: words::check,
    },
    Rule {
        name: "absences",
        fact: "a crate does not do what is another's to do",
        check: absences::check,
    },
    Rule {
        name: "sections",
        fact: "every crate has its section in ARCHITECTURE.md",
        check: sections::check,
    },
    Rule {
        name: "goldens",
        fact: "every trace is listed, and every spec is complete",
        check: goldens::check,
    },
];

/// Whether a file of Rust is a test as a whole, or helps only tests.
fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs")
}

#[cfg(test)]
fn found(
    check: fn(&Tree) -> Result<Vec<Violation>>,
    files: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> Vec<String> {
    check(&Tree::of(files)).unwrap().iter().map(Violation::to_string).collect()
}
