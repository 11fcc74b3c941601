use std::io::{BufRead, Read};
use std::sync::mpsc::SyncSender;
use std::thread;

use cadre_trace::{Command, Frame};

/// How many things may wait for a node before those who bring them have to wait.
pub(crate) const WAITING_MAX: usize = 1024;

/// How long one line may be.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What reaches a node from outside.
#[derive(Debug)]
pub(crate) enum Arrival {
    Command(Command),
    /// A line among the commands that is none.
    BadCommand {
        found: String,
        why: String,
    },
    /// There will be no more commands.
    DriverGone,
    Frame(Frame),
    /// A line from a connection that is no frame.
    BadFrame {
        why: String,
    },
}

/// Reads commands to the end of the input, on a thread of its own.
pub(crate) fn read_commands(mut commands: impl BufRead + Send + 'static, to: SyncSender<Arrival>) {
    thread::spawn(move || {
        // An input that cannot be read is as good as one that has ended.
        while let Ok(Some(line)) = read_line(&mut commands) {
            if line.trim().is_empty() {
                continue;
            }
            let arrival = match serde_json::from_str(&line) {
                Ok(command) => Arrival::Command(command),
                Err(error) => Arrival::BadCommand { found: shorten(&line), why: error.to_string() },
            };
            if to.send(arrival).is_err() {
                return;
            }
        }
        // Where nobody receives any more the node has ended already.
        let _ = to.send(Arrival::DriverGone);
    });
}

/// One line without its end; none at the end of the input, nor for a line that is cut short by it.
pub(crate) fn read_line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    input.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// As much of a line as an error quotes.
pub(crate) fn shorten(line: &str) -> String {
    line.chars().take(80).collect()
}
