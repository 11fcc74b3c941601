use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use cadre_step::Protocol;
use cadre_trace::{Command, Frame, Json, LOG_VERSION, LoggedStep, Misread, Report, Request};
use serde::de::DeserializeOwned;

use crate::clock;
use crate::door::Door;
use crate::inbox::{Arrival, WAITING_MAX, read_commands};
use crate::links::Links;
use crate::names::Names;
use crate::node::{Cause, Node, NodeParts};
use crate::random::Random;
use crate::store::{Owner, Store};
use crate::{HostOptions, Mode, RuntimeError};

/// How many frames are kept that arrive before the node may start; later ones are lost.
const EARLY_FRAMES_MAX: usize = 4096;

/// Hosts one node until the driver stops it or goes away.
///
/// Commands and reports are lines of JSON: [`Command`] and [`Report`]. The first report says where
/// the node listens; the node starts when it is told where its peers are; from then on each step is
/// reported once its effects have been carried out. What a command asks for that cannot be done now
/// is refused in a report.
///
/// # Examples
///
/// ```
/// # use cadre_runtime::{HostOptions, Mode, host};
/// # use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
/// # struct Idle;
/// # impl Protocol for Idle {
/// #     type State = u32;
/// #     type Message = u32;
/// #     type Timer = Nothing;
/// #     type Request = Nothing;
/// #     type Response = Nothing;
/// #     fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 { 0 }
/// #     fn step(&self, _: NodeId, _: &mut u32, _: Event<Self>, _: &mut Effects<Self>) {}
/// # }
/// # let directory = tempfile::tempdir()?;
/// let options = HostOptions {
///     node: NodeId::from_index(0),
///     names: vec!["n1".to_owned()],
///     clients: Vec::new(),
///     listen: "127.0.0.1:0".parse()?,
///     data: directory.path().to_path_buf(),
///     mode: Mode::Steered,
///     defect: None,
/// };
/// let mut reports = Vec::new();
/// host(&Idle, &options, "\"stop\"\n".as_bytes(), &mut reports)?;
/// assert!(reports.starts_with(br#"{"listening":{"version":1,"address":"127.0.0.1:"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Where the options name no node, the address or the disk cannot be had, the disk fails, a line is
/// no command, or nobody takes the reports any more.
pub fn host<P: Protocol>(
    protocol: &P,
    options: &HostOptions,
    commands: impl BufRead + Send + 'static,
    reports: impl Write,
) -> Result<(), RuntimeError> {
    let names = Names { nodes: &options.names, clients: &options.clients };
    let name = names.node(options.node)?;
    let owner = Owner { node: name, nodes: names.nodes };
    let store = Store::open(&options.data, owner, options.defect)?;
    let (sender, inbox) = sync_channel(WAITING_MAX);
    let to_inbox = sender.clone();
    let take = move |frame: Result<Frame, String>| {
        let arrival = match frame {
            Ok(frame) => Arrival::Frame(frame),
            Err(why) => Arrival::BadFrame { why },
        };
        to_inbox.send(arrival).is_ok()
    };
    let door = Door::open(options.listen, take)?;
    let mut reports = Reports(reports);
    reports.write(&Report::Listening { version: LOG_VERSION, address: door.address() })?;
    read_commands(commands, sender);
    let Some(Invitation { addresses, misread, early }) = invitation(&inbox, names, &mut reports)?
    else {
        return Ok(());
    };
    let links = Links::new(addresses);
    let parts = NodeParts { protocol, id: options.node, names, store, links, misread };
    let (node, start) = Node::start(parts)?;
    reports.step(start)?;
    let choice_delay_max = match options.mode {
        Mode::Steered => None,
        Mode::Free { choice_delay_max, .. } => Some(choice_delay_max),
    };
    let random = match options.mode {
        Mode::Steered => Random::new(0, 0),
        Mode::Free { seed, .. } => Random::new(seed, options.node.index()),
    };
    let hosted = Hosted { node, name, names, reports, choice_delay_max, choice_due: None, random };
    hosted.run(&inbox, early)
}

/// A node that runs.
struct Hosted<'a, P: Protocol, W> {
    node: Node<'a, P>,
    name: &'a str,
    names: Names<'a>,
    reports: Reports<W>,
    /// `None` where the driver decides everything.
    choice_delay_max: Option<Duration>,
    /// When the node makes one of its choices, if it has any.
    choice_due: Option<Instant>,
    random: Random,
}

/// Where the reports go.
struct Reports<W>(W);

/// What a node waits for before it starts.
struct Invitation {
    addresses: BTreeMap<String, SocketAddr>,
    misread: Option<Misread>,
    /// Frames of peers that have started earlier.
    early: Vec<Frame>,
}

enum Next {
    Continue,
    End,
}

impl<P: Protocol, W: Write> Hosted<'_, P, W> {
    fn run(mut self, inbox: &Receiver<Arrival>, early: Vec<Frame>) -> Result<(), RuntimeError> {
        for frame in early {
            self.take_frame(frame)?;
        }
        loop {
            self.plan_choice();
            let arrival = receive(inbox, self.wait());
            match arrival.map_or(Ok(Next::Continue), |arrival| self.take(arrival))? {
                Next::Continue => {}
                Next::End => return Ok(()),
            }
            if self.choice_delay_max.is_some() {
                self.act_alone()?;
            }
        }
    }

    fn take(&mut self, arrival: Arrival) -> Result<Next, RuntimeError> {
        match arrival {
            Arrival::Command(Command::Stop) | Arrival::DriverGone => return Ok(Next::End),
            Arrival::Command(command) => self.take_command(command)?,
            Arrival::BadCommand { found, why } => return self.reports.bad_command(found, why),
            Arrival::Frame(frame) => self.take_frame(frame)?,
            Arrival::BadFrame { why } => self.reports.refuse(why)?,
        }
        Ok(Next::Continue)
    }

    fn take_command(&mut self, command: Command) -> Result<(), RuntimeError> {
        if !self.node.is_up() {
            return self.reports.refuse(format!("{} has failed and takes no steps", self.name));
        }
        let cause = match command {
            Command::Peers { .. } => Err(format!("{} knows its peers already", self.name)),
            Command::Choose { timer } => self.choice(&timer),
            Command::Fire { timer } => self.armed(&timer),
            Command::SyncDone if self.node.sync_pending() => Ok(Cause::SyncDone),
            Command::SyncFail { error } if self.node.sync_pending() => Ok(Cause::SyncFailed(error)),
            Command::Interrupt { effects } => {
                self.node.interrupt(effects);
                return Ok(());
            }
            Command::Keep { kept } => {
                self.node.keep(&kept)?;
                return self.reports.write(&Report::Kept);
            }
            Command::SyncDone | Command::SyncFail { .. } => {
                Err(format!("expected a sync of {}, none is pending", self.name))
            }
            Command::Request { id, request } => self.request(&id, &request),
            Command::Stop => unreachable!("a stop ends the node before"),
        };
        match cause {
            Ok(cause) => self.step(cause),
            Err(why) => self.reports.refuse(why),
        }
    }

    fn choice(&self, timer: &Json) -> Result<Cause<P>, String> {
        let timer: P::Timer = read("timer", timer)?;
        let choices = self.node.choices();
        match choices.contains(&timer) {
            true => Ok(Cause::Choice(timer)),
            false => Err(format!(
                "expected one of the choices of {}, which are {choices:?}, found {timer:?}",
                self.name
            )),
        }
    }

    fn armed(&self, timer: &Json) -> Result<Cause<P>, String> {
        let timer: P::Timer = read("timer", timer)?;
        match self.node.is_armed(&timer) {
            true => Ok(Cause::Timer(timer)),
            false => {
                Err(format!("expected an armed timer of {}, {timer:?} is not armed", self.name))
            }
        }
    }

    fn request(&self, id: &Request, request: &Json) -> Result<Cause<P>, String> {
        let known = self.names.request_id(id);
        let id = known.ok_or_else(|| {
            let clients = self.names.clients.join(", ");
            format!("expected a request of one of the clients {clients}, found {}", id.client)
        })?;
        Ok(Cause::Request { id, request: read("request", request)? })
    }

    fn take_frame(&mut self, frame: Frame) -> Result<(), RuntimeError> {
        if !self.node.is_up() {
            return Ok(());
        }
        match self.delivery(frame) {
            Ok(cause) => self.step(cause),
            Err(why) => self.reports.refuse(why),
        }
    }

    fn delivery(&self, frame: Frame) -> Result<Cause<P>, String> {
        if frame.version != LOG_VERSION {
            return Err(format!(
                "expected a frame of version {LOG_VERSION}, found version {}",
                frame.version
            ));
        }
        if frame.to != self.name {
            return Err(format!("expected a frame for {}, found one for {}", self.name, frame.to));
        }
        let from = self.names.node_id(&frame.from).ok_or_else(|| {
            format!("expected a frame of one of {}, found one of {}", self.peers(), frame.from)
        })?;
        let message = read("message", &frame.message)?;
        Ok(Cause::Delivery { from, message, stamp: frame.stamp })
    }

    fn peers(&self) -> String {
        self.names.nodes.join(", ")
    }

    fn step(&mut self, cause: Cause<P>) -> Result<(), RuntimeError> {
        let step = self.node.step(cause)?;
        self.reports.step(step)
    }

    /// How long nothing has to be done unless something arrives; `None` for ever.
    fn wait(&self) -> Option<Duration> {
        self.choice_delay_max?;
        if !self.node.is_up() {
            return None;
        }
        if self.node.sync_pending() {
            return Some(Duration::ZERO);
        }
        let timer_due = self.node.next_timer().map(|(_, due)| due);
        let due = timer_due.into_iter().chain(self.choice_due).min()?;
        Some(due.saturating_duration_since(clock::now()))
    }

    /// Decides when the node makes its next choice, where it has come to have one.
    fn plan_choice(&mut self) {
        let Some(delay_max) = self.choice_delay_max else { return };
        if self.choice_due.is_none() && !self.node.choices().is_empty() {
            let bound = u64::try_from(delay_max.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
            let delay = Duration::from_micros(self.random.below(bound));
            self.choice_due = Some(clock::after(delay));
        }
    }

    /// What is due without anybody's asking: at most one sync, one timer and one choice, so that
    /// none of them keeps the others, or what arrives, waiting.
    fn act_alone(&mut self) -> Result<(), RuntimeError> {
        if self.node.is_up() && self.node.sync_pending() {
            self.step(Cause::SyncDone)?;
        }
        let now = clock::now();
        let timer = self.node.next_timer().filter(|(_, due)| *due <= now);
        if let Some(timer) = timer.map(|(timer, _)| timer.clone()).filter(|_| self.node.is_up()) {
            self.step(Cause::Timer(timer))?;
        }
        if self.choice_due.is_some_and(|due| due <= now) {
            self.choice_due = None;
            let mut choices = self.node.choices();
            if let Some(bound) = u64::try_from(choices.len()).ok().filter(|count| *count > 0) {
                let chosen = usize::try_from(self.random.below(bound)).expect("it is an index");
                self.step(Cause::Choice(choices.swap_remove(chosen)))?;
            }
        }
        Ok(())
    }
}

impl<W: Write> Reports<W> {
    fn step(&mut self, step: LoggedStep) -> Result<(), RuntimeError> {
        self.write(&Report::Step(Box::new(step)))
    }

    fn refuse(&mut self, why: String) -> Result<(), RuntimeError> {
        self.write(&Report::Refused { why })
    }

    fn bad_command<T>(&mut self, found: String, why: String) -> Result<T, RuntimeError> {
        self.refuse(format!("expected a command, found `{found}`: {why}"))?;
        Err(RuntimeError::Command { found, why })
    }

    fn write(&mut self, report: &Report) -> Result<(), RuntimeError> {
        let mut line = serde_json::to_string(report)
            .map_err(|source| RuntimeError::NoJson { what: "a report", source })?;
        line.push('\n');
        let written = self.0.write_all(line.as_bytes()).and_then(|()| self.0.flush());
        written.map_err(|source| RuntimeError::Report { source })
    }
}

/// Waits until the driver says where the peers are; `None` where it ends the node instead.
fn invitation<W: Write>(
    inbox: &Receiver<Arrival>,
    names: Names<'_>,
    reports: &mut Reports<W>,
) -> Result<Option<Invitation>, RuntimeError> {
    let mut early = Vec::new();
    loop {
        match receive(inbox, None) {
            None | Some(Arrival::DriverGone | Arrival::Command(Command::Stop)) => return Ok(None),
            Some(Arrival::Command(Command::Peers { version, addresses, misread })) => {
                if let Err(why) = check_peers(version, &addresses, names) {
                    return reports.bad_command("peers".to_owned(), why);
                }
                return Ok(Some(Invitation { addresses, misread, early }));
            }
            Some(Arrival::Command(
                Command::Choose { .. }
                | Command::Fire { .. }
                | Command::SyncDone
                | Command::SyncFail { .. }
                | Command::Interrupt { .. }
                | Command::Keep { .. }
                | Command::Request { .. },
            )) => reports.refuse("expected `peers` first: the node has not started".to_owned())?,
            Some(Arrival::BadCommand { found, why }) => return reports.bad_command(found, why),
            Some(Arrival::Frame(frame)) if early.len() < EARLY_FRAMES_MAX => early.push(frame),
            Some(Arrival::Frame(_)) => {}
            Some(Arrival::BadFrame { why }) => reports.refuse(why)?,
        }
    }
}

fn check_peers(
    version: u32,
    addresses: &BTreeMap<String, SocketAddr>,
    names: Names<'_>,
) -> Result<(), String> {
    if version != LOG_VERSION {
        return Err(format!("expected version {LOG_VERSION}, found version {version}"));
    }
    if let Some(name) = names.nodes.iter().find(|name| !addresses.contains_key(*name)) {
        return Err(format!("expected the address of every node, found none of {name}"));
    }
    if let Some(name) = addresses.keys().find(|name| names.node_id(name).is_none()) {
        return Err(format!(
            "expected addresses of the nodes {}, found one of {name}",
            names.nodes.join(", ")
        ));
    }
    Ok(())
}

/// The next arrival; `None` where there is none in time.
fn receive(inbox: &Receiver<Arrival>, within: Option<Duration>) -> Option<Arrival> {
    match within {
        None => inbox.recv().ok(),
        Some(within) => match inbox.recv_timeout(within) {
            Ok(arrival) => Some(arrival),
            Err(RecvTimeoutError::Timeout) => None,
            // The door holds a sender for as long as it is open.
            Err(RecvTimeoutError::Disconnected) => Some(Arrival::DriverGone),
        },
    }
}

fn read<T: DeserializeOwned>(what: &str, json: &Json) -> Result<T, String> {
    T::deserialize(json).map_err(|error| {
        format!("expected a {what} of the protocol, found `{}`: {error}", cadre_trace::brief(json))
    })
}
