//! The modules of a run, as they are given to the checker.

use std::fs;
use std::path::PathBuf;

use crate::contents::modules_in;
use crate::place::untabbed;
use crate::syntax::{Definitions, extended, listed, tokens};
use crate::{Run, TlaError};

/// The modules of a run.
pub(super) struct Modules {
    /// Where they are.
    pub(super) folder: PathBuf,
    /// The root module and what it extends, what is extended first.
    pub(super) extended: Vec<Module>,
}

/// A module.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) definitions: Definitions,
    /// The variables that it declares.
    pub(super) variables: Vec<String>,
    /// The modules that it instantiates.
    pub(super) instantiated: Vec<String>,
}

/// The operators in whose place others stand, which have names as long, so that all columns stay as
/// they are.
pub(super) const REPLACED: [(&str, &str); 3] = [PRINT_T, PRINT, SELECT];
/// What prints; what stands in its place notes what is to be printed.
pub(super) const PRINT_T: (&str, &str) = ("PrintT", "Cadre_");
/// The same as an expression.
pub(super) const PRINT: (&str, &str) = ("Print", "Cadr_");
/// What the checker knows with a `LAMBDA` only, and not with the name of an operator.
pub(super) const SELECT: (&str, &str) = ("SelectSeq", "CadreSeq_");

impl Modules {
    /// Copies the modules of a run, with other operators in place of some.
    ///
    /// # Errors
    ///
    /// [`TlaError::Io`] if they cannot be read, or the copies not be written.
    pub(super) fn copy(run: &Run) -> Result<Self, TlaError> {
        let folder = run.directory.join("embedded");
        crate::run::create(&folder)?;
        let mut files = Vec::new();
        for (name, text) in modules_in(&run.directory)? {
            // The checker counts a tab as one column, by which it would read a list otherwise.
            let lines = text.lines().map(|line| untabbed(line) + "\n");
            let (path, text) = (folder.join(&name), replaced(&lines.collect::<String>()));
            fs::write(&path, &text).map_err(|source| TlaError::io("write", &path, source))?;
            files.push((name, text));
        }
        let files: Vec<_> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        // What has no file is a standard module, or missing; the checker will say which.
        let extended = extended(&run.module, &files).into_iter();
        Ok(Self { folder, extended: extended.map(Module::read).collect() })
    }

    /// The file of a module.
    pub(super) fn path(&self, module: &str) -> PathBuf {
        self.folder.join(format!("{module}.tla"))
    }
}

impl Module {
    fn read((file, text): (&str, &str)) -> Self {
        let name = file.trim_end_matches(".tla");
        Self {
            name: name.to_owned(),
            definitions: Definitions::read([(name, text)]),
            variables: listed(text, &["VARIABLE", "VARIABLES"]),
            instantiated: listed(text, &["INSTANCE"]),
            text: text.to_owned(),
        }
    }
}

fn replaced(text: &str) -> String {
    let mut copy = text.to_owned();
    for token in tokens(text) {
        if let Some((_, instead)) = REPLACED.iter().find(|(name, _)| token.is(name)) {
            copy.replace_range(token.start..token.end(), instead);
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_replaced_where_it_is_a_name_and_nothing_moves() {
        let text = "A == PrintT(<<\"PrintT\">>) \\* PrintT\nPrintTwo == Print(1, 2)\n";
        assert_eq!(
            replaced(text),
            "A == Cadre_(<<\"PrintT\">>) \\* PrintT\nPrintTwo == Cadr_(1, 2)\n"
        );
    }
}
