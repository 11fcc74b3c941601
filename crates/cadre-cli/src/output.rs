use std::io::{self, Write};

use crate::exit::Failure;

/// Prints a line of the result; a reader that went away is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

/// Prints the line of a stage: what was done, what came of it, the particulars.
pub(crate) fn stage(name: &str, outcome: &str, particulars: &str) {
    line(&format!("{name:<8} {outcome:<9} {particulars}"));
}

/// Prints a line of the result behind a label, in the columns of [`cadre::view::failure`].
pub(crate) fn labelled(label: &str, text: &str) {
    line(&format!("{label:<8} {text}"));
}

/// Prints the last line.
pub(crate) fn verdict(word: &str, what: &str, exit: crate::Exit) {
    labelled(word, &format!("{what} (exit {})", exit.code()));
}

/// Prints a remark that is not part of the result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error.
pub(crate) fn complain(failure: &Failure) {
    note(&format!("error: {failure}"));
}
