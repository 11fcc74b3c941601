use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use crate::exit::Failure;

/// Prints a line of the result; a reader that went away is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

/// Prints a text as it is; a reader that went away is no error.
pub(crate) fn text(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints what stands before the line that a person types next.
pub(crate) fn prompt(text: &str) {
    let mut output = io::stdout().lock();
    let _ = write!(output, "{text}");
    let _ = output.flush();
}

/// Prints the line of a stage: what was done, what came of it, the particulars.
pub(crate) fn stage(name: &str, outcome: &str, particulars: &str) {
    line(&format!("{name:<8} {outcome:<9} {particulars}"));
}

/// Prints a line of the result behind a label, in the columns of [`cadre::view::failure`].
pub(crate) fn labelled(label: &str, text: &str) {
    line(&format!("{label:<8} {text}"));
}

/// What stands in for TLC, once it does.
static STAND_IN: OnceLock<&str> = OnceLock::new();

/// Lets every verdict say that it comes from this one and not from TLC.
pub(crate) fn verdicts_are_by(engine: &'static str) {
    STAND_IN.get_or_init(|| engine);
}

/// Prints the last line.
pub(crate) fn verdict(word: &str, what: &str, exit: crate::Exit) {
    let by = STAND_IN
        .get()
        .map_or(String::new(), |engine| format!(" (checked by {engine}, not by TLC)"));
    labelled(word, &format!("{what}{by} (exit {})", exit.code()));
}

/// Prints a remark that is not part of the result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether remarks go to a terminal.
pub(crate) fn are_notes_seen() -> bool {
    io::stderr().is_terminal()
}

/// Replaces the line of a terminal that was drawn last; an empty text takes it away.
pub(crate) fn redraw(text: &str) {
    // Back to the start, clear the line, and do not wrap what is too long: it could not be cleared.
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "\r\x1b[2K\x1b[?7l{text}\x1b[?7h");
    let _ = terminal.flush();
}

/// Prints an error.
pub(crate) fn complain(failure: &Failure) {
    note(&format!("error: {failure}"));
}

/// The words in lines of so many columns, the later ones behind an indent; what takes more lines
/// is cut.
pub(crate) fn wrap(text: &str, columns: usize, lines_max: usize, indent: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let width = lines[last].chars().count() + 1 + word.chars().count();
        match lines[last].as_str() {
            "" => lines[last] = word.to_owned(),
            _ if width > columns => lines.push(format!("{indent}{word}")),
            line => lines[last] = format!("{line} {word}"),
        }
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        lines[lines_max - 1] += " …";
    }
    lines
}
