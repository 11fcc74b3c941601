use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use cadre::process::Stop;

use crate::output;

/// The lines of standard input, read so that Ctrl-C ends the waiting for one.
pub(crate) struct Lines {
    lines: Receiver<String>,
    stop: Stop,
    /// Whether somebody types, and sees what is typed.
    is_typed: bool,
}

/// How often is looked whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);

impl Lines {
    pub(crate) fn new(stop: &Stop) -> Self {
        let (sender, lines) = sync_channel(1);
        // Nobody waits for this thread: it ends with the input, or with the command.
        thread::spawn(move || {
            let mut input = io::stdin().lock();
            let mut line = Vec::new();
            while let Ok(1..) = input.read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        Self { lines, stop: stop.clone(), is_typed: io::stdin().is_terminal() }
    }

    /// Asks for the next line with a prompt, and gives it without the blanks around it; `None` at
    /// the end, or once a stop is requested.
    ///
    /// Where nobody types, the line is printed behind the prompt, so that what is printed reads as
    /// if somebody did.
    pub(crate) fn ask(&self, prompt: &str) -> Option<String> {
        if self.is_typed {
            output::prompt(prompt);
        }
        let line = self.next();
        match &line {
            Some(line) if !self.is_typed => output::line(&format!("{prompt}{line}")),
            None if self.is_typed => output::line(""),
            Some(_) | None => {}
        }
        line
    }

    fn next(&self) -> Option<String> {
        while !self.stop.requested() {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }
}
