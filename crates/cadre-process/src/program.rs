use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What to start: a path, arguments, changes to the environment, and a working directory.
///
/// A path without a separator is looked up in `PATH`. A relative path with one is relative to the
/// directory of the caller, even if the child is given another directory.
///
/// # Examples
///
/// ```
/// use cadre_process::Program;
///
/// let program = Program::new("java").env("LANG", "C").args(["-jar", "my tools.jar"]);
/// assert_eq!(program.command_line(), "LANG=C java -jar 'my tools.jar'");
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    /// In the order of the calls; `None` removes the variable.
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Program {
    /// A program without arguments, in the environment and the directory of the caller.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            folders: Vec::new(),
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments in order.
    pub fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.change(name.into(), Some(value.into()))
    }

    /// Removes a variable which the child would otherwise inherit.
    pub fn env_remove(self, name: impl Into<OsString>) -> Self {
        self.change(name.into(), None)
    }

    /// Starts the child in this directory.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Makes a folder before the child is started, in the child's directory if that is relative.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// The program as one line that can be pasted into a POSIX shell.
    ///
    /// Bytes that are not UTF-8 are shown replaced.
    pub fn command_line(&self) -> String {
        let mut words = Vec::new();
        if let Some(directory) = &self.directory {
            words.extend(["cd".into(), quoted(directory.as_os_str()), "&&".into()]);
        }
        for folder in &self.folders {
            words.extend(["mkdir -p".into(), quoted(folder.as_os_str()), "&&".into()]);
        }
        let removed = self.environment.iter().filter(|(_, value)| value.is_none());
        for (position, (name, _)) in removed.enumerate() {
            if position == 0 {
                words.push("env".into());
            }
            words.extend(["-u".into(), quoted(name)]);
        }
        for (name, value) in &self.environment {
            if let Some(value) = value {
                words.push(format!("{}={}", name.to_string_lossy(), quoted(value)).into());
            }
        }
        words.push(quoted(self.path.as_os_str()));
        words.extend(self.arguments.iter().map(|argument| quoted(argument)));
        words.join(" ")
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folders that have to be there.
    pub(crate) fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let directory = self.directory.clone().unwrap_or_default();
        self.folders.iter().map(move |folder| directory.join(folder))
    }

    pub(crate) fn working_directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The expression that starts it; a non-zero exit is not an error to it.
    pub(crate) fn expression(&self) -> duct::Expression {
        // As a string, not as a path: only then a bare name is looked up in `PATH`.
        let mut expression = duct::cmd(self.path.as_os_str(), &self.arguments).unchecked();
        for (name, value) in &self.environment {
            expression = match value {
                Some(value) => expression.env(name, value),
                None => expression.env_remove(name),
            };
        }
        match &self.directory {
            Some(directory) => expression.dir(directory),
            None => expression,
        }
    }

    /// The last word on a variable counts, whatever was said before.
    fn change(mut self, name: OsString, value: Option<OsString>) -> Self {
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value));
        self
    }
}

fn quoted(word: &OsStr) -> Cow<'_, str> {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_quotes_what_a_shell_would_interpret() {
        let program = Program::new("echo").args(["", "plain-1", "two words", "it's", "$HOME"]);
        assert_eq!(program.command_line(), r"echo '' plain-1 'two words' 'it'\''s' '$HOME'");
    }

    #[test]
    fn a_command_line_shows_directory_and_environment() {
        let program = Program::new("./tool")
            .env("A", "x y")
            .env_remove("B")
            .env_remove("C")
            .directory("some where")
            .folder("in it")
            .arg("z");
        assert_eq!(
            program.command_line(),
            "cd 'some where' && mkdir -p 'in it' && env -u B -u C A='x y' ./tool z"
        );
    }

    #[test]
    fn the_last_word_on_a_variable_counts() {
        let program = Program::new("p").env_remove("A").env("A", "1").env("A", "2");
        assert_eq!(program.command_line(), "A=2 p");
    }
}
