use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cadre_process::{Conversation, ProcessError, Program, Stop, converse};
use cadre_trace::{Command, Frame, Kept, LOG_VERSION, LoggedStep, Misread, Report};

use crate::clock::Deadline;
use crate::{ReplayError, Site};

/// How long a wait goes on before it looks whether a stop is requested.
const SLICE: Duration = Duration::from_millis(50);

/// How many lines of a log an error quotes.
const QUOTED_LINES: usize = 20;

/// How much of a line an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 120;

/// What is common to the processes of one run.
#[derive(Debug)]
pub(crate) struct Launcher<'a> {
    pub(crate) program: &'a Program,
    pub(crate) names: &'a [String],
    pub(crate) base_port: Option<u16>,
    /// How long anything may take that is asked of a process.
    pub(crate) limit: Duration,
    pub(crate) directory: &'a Path,
    pub(crate) stop: &'a Stop,
}

/// One process that hosts a node; killed and reaped on drop.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    conversation: Conversation,
    address: SocketAddr,
    log: PathBuf,
    limit: Duration,
    stop: Stop,
    /// The way by which the driver delivers messages, once there was one.
    connection: Option<TcpStream>,
}

/// What a process says to a command.
#[derive(Debug)]
pub(crate) enum Answer {
    Step(Box<LoggedStep>),
    Refused(String),
}

impl Launcher<'_> {
    /// Checks that no node has a disk yet, and that there is a port for each.
    pub(crate) fn check(&self) -> Result<(), ReplayError> {
        for node in 0..self.names.len() {
            let path = self.data(node);
            if path.exists() {
                return Err(ReplayError::DirectoryUsed { path });
            }
            self.listen(node)?;
        }
        Ok(())
    }

    /// Starts the process of a node, for the first time or again. It does not listen yet.
    pub(crate) fn start(&self, node: usize, again: usize, at: &Site) -> Result<Child, ReplayError> {
        let name = self.names[node].clone();
        let label = self.label(node);
        let log = match again {
            0 => self.directory.join(format!("{label}.log")),
            again => self.directory.join(format!("{label}.restart-{again}.log")),
        };
        let address = self.listen(node)?;
        let program = self.program.clone().arg("--node").arg(name.as_str());
        let program = program.arg("--listen").arg(address.to_string());
        let program = program.arg("--data").arg(self.data(node));
        let conversation = converse(&program, &log).map_err(|source| ReplayError::Process {
            at: at.clone(),
            node: name.clone(),
            source: Box::new(source),
        })?;
        let (limit, stop) = (self.limit, self.stop.clone());
        Ok(Child { name, conversation, address, log, limit, stop, connection: None })
    }

    fn data(&self, node: usize) -> PathBuf {
        self.directory.join(self.label(node))
    }

    fn listen(&self, node: usize) -> Result<SocketAddr, ReplayError> {
        let Some(base_port) = self.base_port else { return Ok((Ipv4Addr::LOCALHOST, 0).into()) };
        let port = u16::try_from(node).ok().and_then(|offset| base_port.checked_add(offset));
        let count = self.names.len();
        let port = port.ok_or(ReplayError::Ports { base_port, count })?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }

    /// A name for the node's files.
    fn label(&self, node: usize) -> String {
        let name = &self.names[node];
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match !name.is_empty() && name.chars().all(plain) {
            true => name.clone(),
            false => format!("node-{node}"),
        }
    }
}

impl Child {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the process writes its errors.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Where it listens, once it [has said so](Child::await_listening).
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it says where it listens.
    pub(crate) fn await_listening(&mut self, at: &Site) -> Result<(), ReplayError> {
        match self.await_report(at)? {
            Report::Listening { version: LOG_VERSION, address } => {
                self.address = address;
                Ok(())
            }
            other => {
                let expected = format!("where it listens, in version {LOG_VERSION}");
                Err(self.nonsense(at, expected, &format!("{other:?}")))
            }
        }
    }

    /// Tells it where its peers are, whereupon it starts.
    pub(crate) fn invite(
        &mut self,
        addresses: BTreeMap<String, SocketAddr>,
        misread: Option<Misread>,
        at: &Site,
    ) -> Result<(), ReplayError> {
        self.command(&Command::Peers { version: LOG_VERSION, addresses, misread }, at)
    }

    /// Lets some un-synced writes reach its disk.
    pub(crate) fn keep(&mut self, kept: &Kept, at: &Site) -> Result<(), ReplayError> {
        self.command(&Command::Keep { kept: kept.clone() }, at)?;
        match self.await_report(at)? {
            Report::Kept => Ok(()),
            other => {
                Err(self.nonsense(at, "that writes were kept".to_owned(), &format!("{other:?}")))
            }
        }
    }

    pub(crate) fn command(&mut self, command: &Command, at: &Site) -> Result<(), ReplayError> {
        let line = serde_json::to_string(command).expect("a command has a JSON form");
        self.conversation.send(&line).map_err(|source| self.trouble(at, source))
    }

    /// Delivers a message.
    pub(crate) fn deliver(&mut self, frame: &Frame, at: &Site) -> Result<(), ReplayError> {
        let mut line = serde_json::to_string(frame).expect("a frame has a JSON form");
        line.push('\n');
        self.write(line.as_bytes()).map_err(|source| ReplayError::Unreachable {
            at: at.clone(),
            node: self.name.clone(),
            address: self.address,
            source,
        })
    }

    /// Waits until it has taken a step, or has refused to.
    pub(crate) fn await_answer(&mut self, at: &Site) -> Result<Answer, ReplayError> {
        let report = self.await_report(at)?;
        self.answer(report, at)
    }

    /// What it has said by now, or says within a time; `None` for nothing.
    pub(crate) fn answer_within(
        &mut self,
        within: Duration,
        at: &Site,
    ) -> Result<Option<Answer>, ReplayError> {
        match self.conversation.receive(within) {
            Ok(line) => {
                let report = self.read(&line, at)?;
                self.answer(report, at).map(Some)
            }
            Err(ProcessError::Silent { .. }) => Ok(None),
            Err(source) => Err(self.trouble(at, source)),
        }
    }

    /// What it says before it ends, as it has been told to; `None` once it has ended.
    pub(crate) fn last_answer(&mut self, at: &Site) -> Result<Option<Answer>, ReplayError> {
        match self.await_answer(at) {
            Ok(answer) => Ok(Some(answer)),
            Err(ReplayError::Process { source, .. })
                if matches!(*source, ProcessError::Ended { code: Some(0), .. }) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Kills it as a crash does, and reaps it.
    pub(crate) fn kill(mut self, at: &Site) -> Result<(), ReplayError> {
        self.conversation.kill().map_err(|source| self.trouble(at, source))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let connection = TcpStream::connect_timeout(&self.address, self.limit)?;
                connection.set_nodelay(true)?;
                connection.set_write_timeout(Some(self.limit))?;
                none.insert(connection)
            }
        };
        connection.write_all(line)
    }

    fn await_report(&mut self, at: &Site) -> Result<Report, ReplayError> {
        let deadline = Deadline::after(self.limit);
        loop {
            match self.conversation.receive(deadline.left().min(SLICE)) {
                Ok(line) => return self.read(&line, at),
                Err(ProcessError::Silent { program, log, tail, .. }) if deadline.has_passed() => {
                    let waited = self.limit;
                    let silent = ProcessError::Silent { program, waited, log, tail };
                    return Err(self.trouble(at, silent));
                }
                Err(ProcessError::Silent { .. }) if self.stop.requested() => {
                    return Err(ReplayError::Stopped { at: at.clone() });
                }
                Err(ProcessError::Silent { .. }) => {}
                Err(source) => return Err(self.trouble(at, source)),
            }
        }
    }

    fn read(&self, line: &str, at: &Site) -> Result<Report, ReplayError> {
        serde_json::from_str(line)
            .map_err(|error| self.nonsense(at, format!("a report ({error})"), line))
    }

    fn answer(&self, report: Report, at: &Site) -> Result<Answer, ReplayError> {
        match report {
            Report::Step(step) if step.version == LOG_VERSION && step.node == self.name => {
                Ok(Answer::Step(step))
            }
            Report::Refused { why } => Ok(Answer::Refused(why)),
            other => {
                let expected = format!("a step of {} in version {LOG_VERSION}", self.name);
                Err(self.nonsense(at, expected, &format!("{other:?}")))
            }
        }
    }

    fn trouble(&self, at: &Site, source: ProcessError) -> ReplayError {
        ReplayError::Process { at: at.clone(), node: self.name.clone(), source: Box::new(source) }
    }

    fn nonsense(&self, at: &Site, expected: String, found: &str) -> ReplayError {
        ReplayError::Nonsense {
            at: at.clone(),
            node: self.name.clone(),
            expected,
            found: found.chars().take(QUOTED_CHARACTERS).collect(),
            log: quote(&self.log),
        }
    }
}

/// Where a log is, and its last lines.
fn quote(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n");
    match last.is_empty() {
        true => format!("it wrote nothing to {}", log.display()),
        false => format!("see {}, which ends:\n{last}", log.display()),
    }
}
