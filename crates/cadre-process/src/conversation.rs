use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use os_pipe::{PipeReader, PipeWriter};

use crate::child::{Child, Exit, Group};
use crate::clock::Wait;
use crate::{ProcessError, Program, log};

/// How long a child may leave a line unread before [`Conversation::send`] gives up.
const SEND_LIMIT: Duration = Duration::from_secs(30);

/// How long a child that has closed its output is given to end.
const ENDING_LIMIT: Duration = Duration::from_secs(1);

/// How many received lines wait for [`Conversation::receive`] before the child has to wait.
const WAITING_LINES_MAX: usize = 1024;

/// How long one line of the child may be.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Starts the program to talk to it: lines to its input, lines from its output.
///
/// What it writes to its error output goes whole to the file `log`; the folders above that are
/// created, an older log is replaced.
///
/// # Examples
///
/// ```
/// use cadre_process::{PrivateDirectory, Program, converse};
/// use std::time::Duration;
///
/// let directory = PrivateDirectory::new("example")?;
/// let mut echo = converse(&Program::new("cat"), &directory.path().join("log"))?;
/// echo.send("hello")?;
/// assert_eq!(echo.receive(Duration::from_secs(10))?, "hello");
/// assert_eq!(echo.finish(Duration::from_secs(10))?, Some(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ProcessError::NotFound`] and [`ProcessError::Start`] if it could not be started,
/// [`ProcessError::Io`] if the log or a pipe could not be created.
pub fn converse(program: &Program, log: &Path) -> Result<Conversation, ProcessError> {
    let errors = log::create(log)?;
    let pipe_error = |source| ProcessError::io("open a pipe to", program.path(), source);
    let (child_input, input) = os_pipe::pipe().map_err(pipe_error)?;
    let (output, child_output) = os_pipe::pipe().map_err(pipe_error)?;
    // Starting consumes the expression and with it the child's ends of the pipes: from then on the
    // child alone has them.
    let expression =
        program.expression().stdin_file(child_input).stdout_file(child_output).stderr_file(errors);
    let child = Child::start(program, expression, Group::Own)?;
    let (sender, to_send) = channel();
    let (confirm, confirmed) = channel();
    let (received, receiver) = sync_channel(WAITING_LINES_MAX);
    thread::spawn(move || write_lines(input, &to_send, &confirm));
    thread::spawn(move || read_lines(output, &received));
    Ok(Conversation {
        child,
        program: program.path().into(),
        log: log.into(),
        sender,
        confirmed,
        unconfirmed: 0,
        receiver,
    })
}

/// A child one talks to in lines; dropping it kills and reaps the child.
#[derive(Debug)]
pub struct Conversation {
    child: Child,
    program: PathBuf,
    log: PathBuf,
    /// Lines on their way to the thread that writes them, so that a child which does not read
    /// cannot block the caller.
    sender: Sender<String>,
    confirmed: Receiver<io::Result<()>>,
    /// Lines handed to the writer that it has not yet written.
    unconfirmed: usize,
    receiver: Receiver<io::Result<String>>,
}

impl Conversation {
    /// Sends one line; its end is added.
    ///
    /// # Errors
    ///
    /// - [`ProcessError::Io`] if the line contains a line break; nothing is sent then,
    /// - [`ProcessError::Ended`] if the child does not read any more,
    /// - [`ProcessError::Silent`] if it has not read for half a minute and the pipe is full.
    pub fn send(&mut self, line: &str) -> Result<(), ProcessError> {
        if line.contains(['\n', '\r']) {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it contains a line break");
            return Err(ProcessError::io("send one line to", &self.program, source));
        }
        if self.sender.send(line.to_owned()).is_err() {
            return Err(self.closed());
        }
        self.unconfirmed += 1;
        while self.unconfirmed > 0 {
            match self.confirmed.recv_timeout(SEND_LIMIT) {
                Ok(Ok(())) => self.unconfirmed -= 1,
                Ok(Err(source)) if source.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(self.closed());
                }
                Ok(Err(source)) => {
                    return Err(ProcessError::io("send a line to", &self.program, source));
                }
                Err(RecvTimeoutError::Timeout) => return Err(self.silent(SEND_LIMIT)),
                Err(RecvTimeoutError::Disconnected) => return Err(self.closed()),
            }
        }
        Ok(())
    }

    /// The next line of the child, without its end; what is not UTF-8 is replaced.
    ///
    /// Lines the child printed before it ended are still received.
    ///
    /// # Errors
    ///
    /// - [`ProcessError::Silent`] if there is no line within the time; the child goes on, and one
    ///   may receive again,
    /// - [`ProcessError::Ended`] if the child has ended,
    /// - [`ProcessError::Io`] if the line is longer than 64 MiB.
    pub fn receive(&mut self, within: Duration) -> Result<String, ProcessError> {
        match self.receiver.recv_timeout(within) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(source)) => Err(ProcessError::io("receive a line from", &self.program, source)),
            Err(RecvTimeoutError::Timeout) => Err(self.silent(within)),
            Err(RecvTimeoutError::Disconnected) => Err(self.closed()),
        }
    }

    /// The number by which the operating system knows the child, also once it has ended.
    pub fn process_id(&self) -> u32 {
        self.child.process_id()
    }

    /// Kills the child as SIGKILL does, and reaps it; without effect if it has ended.
    ///
    /// # Errors
    ///
    /// [`ProcessError::Io`] if the operating system does not let us.
    pub fn kill(&mut self) -> Result<(), ProcessError> {
        self.child.kill()
    }

    /// Closes the child's input and waits for its end; gives its exit code, or none if a signal
    /// killed it. Lines not received are discarded.
    ///
    /// # Errors
    ///
    /// [`ProcessError::TimedOut`] if it did not end in time, and was killed.
    pub fn finish(self, within: Duration) -> Result<Option<i32>, ProcessError> {
        let Self { mut child, program, log, sender, receiver, .. } = self;
        drop(sender);
        drop(receiver);
        match wait_for_end(&mut child, within)? {
            Some(Exit(code)) => Ok(code),
            None => {
                child.kill()?;
                Err(ProcessError::timed_out(&program, within, &log))
            }
        }
    }

    /// The error for a child that has closed its pipes, as ending does.
    fn closed(&mut self) -> ProcessError {
        match wait_for_end(&mut self.child, ENDING_LIMIT) {
            Ok(Some(Exit(code))) => ProcessError::ended(&self.program, code, &self.log),
            Ok(None) => self.silent(ENDING_LIMIT),
            Err(error) => error,
        }
    }

    fn silent(&self, waited: Duration) -> ProcessError {
        ProcessError::silent(&self.program, waited, &self.log)
    }
}

fn wait_for_end(child: &mut Child, limit: Duration) -> Result<Option<Exit>, ProcessError> {
    let wait = Wait::begin(limit);
    loop {
        let exit = child.ended()?;
        if exit.is_some() || wait.is_over() {
            return Ok(exit);
        }
        wait.nap();
    }
}

/// Ends, and thereby closes the child's input, when the conversation does or the child is gone.
fn write_lines(mut input: PipeWriter, lines: &Receiver<String>, confirm: &Sender<io::Result<()>>) {
    for mut line in lines {
        line.push('\n');
        let result = input.write_all(line.as_bytes());
        let failed = result.is_err();
        if confirm.send(result).is_err() || failed {
            return;
        }
    }
}

/// Reads to the end of the output even if nobody receives: a closed pipe would kill the child.
fn read_lines(output: PipeReader, received: &SyncSender<io::Result<String>>) {
    let mut output = BufReader::new(output);
    let mut wanted = true;
    while let Some(line) = read_line(&mut output).transpose() {
        let failed = line.is_err();
        wanted = wanted && received.send(line).is_ok();
        if failed {
            return;
        }
    }
}

/// One line without its end; none at the end of the output.
fn read_line(output: &mut BufReader<PipeReader>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    output.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop_if(|byte| *byte == b'\n').is_some() {
        bytes.pop_if(|byte| *byte == b'\r');
    } else if bytes.len() as u64 == LINE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 64 MiB"));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
