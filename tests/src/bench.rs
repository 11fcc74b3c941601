use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{Program, Stop};

/// A directory of its own in which a test runs the command, with another one for temporary files.
#[derive(Debug)]
pub struct Bench {
    directory: tempfile::TempDir,
    temporary: tempfile::TempDir,
    command: PathBuf,
    environment: Vec<(String, Option<String>)>,
}

/// What a command printed, and its exit code.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Standard output and standard error, as they came.
    pub output: String,
    /// The exit code; `None` where it was killed.
    pub code: Option<i32>,
}

impl Ran {
    /// What was printed and then the exit code, as transcripts have it.
    pub fn transcript(&self) -> String {
        format!("{}exit {}\n", self.output, self.code.unwrap_or(-1))
    }
}

/// No command of these tests takes longer, an installation of TLC included.
const TIME_LIMIT: Duration = Duration::from_secs(300);

impl Bench {
    /// A bench for a command: the path that Cargo tells a test as `CARGO_BIN_EXE_cadre-under-test`.
    ///
    /// # Panics
    ///
    /// Where there is no room for a directory.
    pub fn new(command: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let temporary = tempfile::tempdir().expect("a temporary directory");
        Self { directory, temporary, command: PathBuf::from(command), environment: Vec::new() }
    }

    /// Sets a variable of the environment for the commands to come, or takes it away.
    #[must_use]
    pub fn env(mut self, name: &str, value: Option<&str>) -> Self {
        self.environment.push((name.to_owned(), value.map(str::to_owned)));
        self
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the command with arguments given in one string, separated by blanks, and takes out of
    /// its output what differs from run to run: see [`timeless`].
    ///
    /// # Panics
    ///
    /// Where it cannot be started or does not end.
    pub fn run(&self, args: &str) -> Ran {
        let ran = self.run_raw(args);
        Ran { output: timeless(&ran.output), ..ran }
    }

    /// Runs the command as [`run`](Bench::run) does, with only the paths taken out of its output.
    ///
    /// # Panics
    ///
    /// Where it cannot be started or does not end.
    pub fn run_raw(&self, args: &str) -> Ran {
        self.run_program(Program::new(&self.command).args(args.split_whitespace()), args)
    }

    /// Runs the command as [`run`](Bench::run) does, with a text as its input.
    ///
    /// # Panics
    ///
    /// Where it cannot be started or does not end.
    pub fn type_in(&self, args: &str, input: &str) -> Ran {
        let file = self.temporary.path().join("input");
        std::fs::write(&file, input).unwrap_or_else(|error| panic!("{args}: {error}"));
        let script = "exec \"$0\" \"$@\" < \"$TMPDIR/input\"";
        let shell = Program::new("/bin/sh").args(["-c", script]).arg(&self.command);
        let ran = self.run_program(shell.args(args.split_whitespace()), args);
        std::fs::remove_file(file).unwrap_or_else(|error| panic!("{args}: {error}"));
        Ran { output: timeless(&ran.output), ..ran }
    }

    /// Runs the command as [`run`](Bench::run) does, and interrupts it after a second by Ctrl-C.
    ///
    /// # Panics
    ///
    /// Where it cannot be started or does not end.
    pub fn interrupt(&self, args: &str) -> Ran {
        let script = "\"$0\" \"$@\" & sleep 1; kill -INT $!; wait $!";
        let shell = Program::new("/bin/sh").args(["-c", script]).arg(&self.command);
        let ran = self.run_program(shell.args(args.split_whitespace()), args);
        Ran { output: timeless(&ran.output), ..ran }
    }

    /// Runs a shell script in which `"$0"` is the command.
    ///
    /// # Panics
    ///
    /// Where it cannot be started or does not end.
    pub fn shell(&self, script: &str) -> Ran {
        let shell = Program::new("/bin/sh").args(["-c", script]).arg(&self.command);
        let ran = self.run_program(shell, script);
        Ran { output: timeless(&ran.output), ..ran }
    }

    fn run_program(&self, program: Program, args: &str) -> Ran {
        let mut program = program
            .directory(self.path())
            .env("COLUMNS", "100")
            .env("TMPDIR", self.temporary.path());
        for (name, value) in &self.environment {
            program = match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            };
        }
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let finished = cadre_process::run(&program, log.path(), TIME_LIMIT, &Stop::new());
        let finished = finished.unwrap_or_else(|error| panic!("cadre {args}: {error}"));
        let output = finished.output().unwrap_or_else(|error| panic!("cadre {args}: {error}"));
        Ran { output: self.without_paths(&output), code: finished.code }
    }

    /// Checks that the commands so far left no process and no temporary file behind.
    ///
    /// # Panics
    ///
    /// Where they did.
    pub fn assert_nothing_left(&self) {
        let left: Vec<_> = std::fs::read_dir(self.temporary.path())
            .expect("the directory for temporary files is there")
            .map(|entry| entry.map(|entry| entry.path()))
            .collect();
        assert!(left.is_empty(), "temporary files are left behind: {left:?}");
        let here = self.path().display().to_string();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            assert!(!command.contains(&here), "a process is left behind: {command}");
        }
    }

    /// Writes a file into the directory.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Copies the files of a directory of the repository to the same place of the bench.
    ///
    /// # Panics
    ///
    /// Where it cannot be read or written.
    pub fn copy(&self, directory: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory);
        let to = self.path().join(directory);
        let copied = std::fs::create_dir_all(&to).and_then(|()| {
            for entry in std::fs::read_dir(from)? {
                let entry = entry?;
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
            Ok(())
        });
        copied.unwrap_or_else(|error| panic!("{directory}: {error}"));
    }

    /// The files below a directory of the bench, by their paths from there.
    ///
    /// # Panics
    ///
    /// Where it cannot be read.
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.path().join(below)];
        while let Some(directory) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&directory) else { continue };
            for entry in entries {
                let path = entry.expect("an entry of a directory that is there").path();
                if path.is_dir() { open.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }

    fn without_paths(&self, output: &str) -> String {
        let command = self.command.display().to_string();
        let here = self.path().display().to_string();
        output.replace(&command, "cadre").replace(&here, "HERE")
    }
}

/// A text with what differs from run to run replaced: seconds, rates, and how many steps free runs
/// of processes took. Remarks on how far a search is are left out: only long ones have any.
pub fn timeless(text: &str) -> String {
    let line = |line: &str| match line.strip_suffix(" steps") {
        Some(start) if line.starts_with("record") => {
            format!("{} N steps\n", &start[..start.rfind(' ').unwrap_or(start.len())])
        }
        _ => without_times(line) + "\n",
    };
    text.replace("target/release/cadre", "cadre")
        .lines()
        .filter(|line| !is_remark(line))
        .map(line)
        .collect()
}

/// Whether a line says how far a search is, as `61 s  300 distinct states, 45 waiting` does.
fn is_remark(line: &str) -> bool {
    let seconds = line.trim_start().split_once(" s  ");
    seconds.is_some_and(|(seconds, rest)| {
        seconds.parse::<u64>().is_ok() && rest.contains(" waiting, ")
    })
}

/// A line with each number of seconds, and each number per second, replaced.
fn without_times(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for index in 0..words.len() {
        let is_number = words[index].trim_start_matches('(').parse::<f64>().is_ok();
        let unit = words.get(index + 1).map_or("", |word| word.trim_end_matches([',', ')']));
        if is_number && unit == "s" {
            words[index] = words[index].replace(|letter| letter != '(', "") + "T";
        } else if is_number && ["k/s", "M/s"].contains(&unit) {
            // The prefix of the unit goes with the number.
            words[index] = "R".to_owned();
            words[index + 1] = words[index + 1].replace(['k', 'M'], "");
        } else if let Some((number, rest)) = words[index].split_once("/s")
            && number.parse::<f64>().is_ok()
        {
            words[index] = format!("R /s{rest}");
        }
    }
    words.join(" ")
}
