//! One hosted node at a time, in this process: what it refuses, what it reports and how it ends.

#![expect(clippy::unwrap_used, reason = "these are tests and their helpers")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cadre_runtime::{HostOptions, Mode, RuntimeError, host};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol};
use cadre_trace::{Command, Frame, LOG_VERSION, LoggedStep, Report, Request, Stamp, Status};
use serde_json::json;
use tempfile::TempDir;

#[test]
fn a_node_reports_where_it_listens_then_its_start_then_its_steps() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    assert!(driver.address.port() > 0);
    let start = driver.invite();
    assert_eq!(start.after.status, Status::Up);
    assert_eq!(start.action, None);
    let chosen = driver.step(&Command::Choose { timer: json!("Count") });
    assert_eq!(chosen.after.disk, BTreeMap::from([("count".to_owned(), "1".to_owned())]));
    assert_eq!(chosen.stamp.lamport, 1);
    assert!(driver.stop().is_ok());
}

#[test]
fn a_node_finds_on_its_disk_what_was_synced_before() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    driver.step(&Command::Choose { timer: json!("Count") });
    driver.stop().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    assert_eq!(driver.invite().after.state, json!(1));
    driver.stop().unwrap();
}

#[test]
fn what_is_written_after_a_sync_was_asked_for_is_not_synced_by_it() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    for number in 0..2 {
        driver.step(&request(number, "Save"));
    }
    let done = driver.step(&Command::SyncDone);
    assert_eq!(done.after.disk, BTreeMap::from([("saved".to_owned(), "0".to_owned())]));
    assert_eq!(done.after.unsynced.len(), 2);
    driver.step(&Command::Choose { timer: json!("Count") });
    driver.stop().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    let disk = driver.invite().after.disk;
    let expected = [("count", "1"), ("saved", "0")];
    assert_eq!(disk, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    driver.stop().unwrap();
}

#[test]
fn what_cannot_be_done_is_refused_and_the_node_goes_on() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.refused(&Command::SyncDone, "expected `peers` first: the node has not started");
    driver.invite();
    driver.refused(&Command::SyncDone, "expected a sync of n, none is pending");
    driver.refused(
        &Command::Fire { timer: json!("Count") },
        "expected an armed timer of n, Count is not armed",
    );
    driver.refused(
        &Command::Choose { timer: json!("Other") },
        "expected one of the choices of n, which are [Count], found Other",
    );
    driver.refused(
        &Command::Choose { timer: json!("Nothing") },
        "expected a timer of the protocol, found `Nothing`: unknown variant `Nothing`, expected \
         `Count` or `Other`",
    );
    let stranger = Request { client: "stranger".to_owned(), number: 0 };
    driver.refused(
        &Command::Request { id: stranger, request: json!("Save") },
        "expected a request of one of the clients client, found stranger",
    );
    driver.step(&Command::Choose { timer: json!("Count") });
    driver.stop().unwrap();
}

#[test]
fn a_frame_that_is_none_of_its_own_is_refused() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    let frame = |from: &str, to: &str| {
        let (from, to, stamp) = (from.to_owned(), to.to_owned(), Stamp::default());
        let frame = Frame { version: LOG_VERSION, from, to, message: json!(3), stamp };
        serde_json::to_string(&frame).unwrap()
    };
    let mut connection = TcpStream::connect(driver.address).unwrap();
    for (line, expected) in [
        (frame("m", "m"), "expected a frame for n, found one for m"),
        (frame("x", "n"), "expected a frame of one of n, m, found one of x"),
        ("hello".to_owned(), "expected a frame, found `hello`: expected value at line 1 column 1"),
    ] {
        writeln!(connection, "{line}").unwrap();
        assert_eq!(driver.report(), Report::Refused { why: expected.to_owned() });
    }
    writeln!(connection, "{}", frame("m", "n")).unwrap();
    let Report::Step(step) = driver.report() else { panic!("it is a step") };
    assert_eq!(step.after.state, json!(3));
    driver.stop().unwrap();
}

#[test]
fn a_step_that_panics_is_reported_and_is_the_last_one() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    let failed = driver.step(&request(0, "Fail"));
    assert_eq!(failed.failure.as_deref(), Some("asked to fail"));
    assert_eq!(failed.after.status, Status::Failed);
    assert_eq!(failed.after.state, json!(null));
    driver.refused(&request(1, "Save"), "n has failed and takes no steps");
    driver.stop().unwrap();
}

#[test]
fn a_line_that_is_no_command_is_reported_and_ends_the_node() {
    let directory = TempDir::new().unwrap();
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    writeln!(driver.commands, "dance").unwrap();
    let why = "expected a command, found `dance`: expected value at line 1 column 1".to_owned();
    assert_eq!(driver.report(), Report::Refused { why });
    let error = driver.end().unwrap_err();
    assert!(matches!(error, RuntimeError::Command { .. }), "{error}");
}

#[test]
fn peers_of_another_version_or_setup_end_the_node() {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    for (version, names, expected) in [
        (99, ["n", "m"], "expected version 1, found version 99"),
        (LOG_VERSION, ["n", "n"], "expected the address of every node, found none of m"),
    ] {
        let directory = TempDir::new().unwrap();
        let mut driver = Driver::start(options(directory.path()));
        let addresses = names.map(|name| (name.to_owned(), address)).into();
        driver.send(&Command::Peers { version, addresses, misread: None });
        let error = driver.end().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_end_of_its_input_ends_a_node_before_and_after_its_start() {
    let directory = TempDir::new().unwrap();
    assert!(Driver::start(options(directory.path())).end().is_ok());
    let mut driver = Driver::start(options(directory.path()));
    driver.invite();
    assert!(driver.end().is_ok());
}

#[test]
fn a_free_node_acts_of_its_own_accord() {
    let directory = TempDir::new().unwrap();
    let mode = Mode::Free { seed: 1, choice_delay_max: Duration::from_millis(1) };
    let mut driver = Driver::start(HostOptions { mode, ..options(directory.path()) });
    driver.invite();
    for lamport in 1..=3 {
        let Report::Step(step) = driver.report() else { panic!("it is a step") };
        assert_eq!((step.after.state, step.stamp.lamport), (json!(lamport), lamport));
    }
    driver.send(&request(0, "Save"));
    let mut steps = (0..2).map(|_| match driver.report() {
        Report::Step(step) => step.event,
        other => panic!("expected a step, found {other:?}"),
    });
    let asked = steps.find(|event| matches!(event, cadre_trace::Event::Request { .. }));
    assert!(asked.is_some());
    assert_eq!(steps.next(), Some(cadre_trace::Event::SyncDone));
    drop(steps);
    driver.stop().unwrap();
}

#[test]
fn a_port_in_use_is_named_with_a_remedy() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let directory = TempDir::new().unwrap();
    let options = HostOptions { listen: address, ..options(directory.path()) };
    assert_eq!(
        refused_start(&options),
        format!(
            "expected to listen on {address}, but the port is already in use; end the process \
             that uses it, or choose another port (0 takes a free one)"
        )
    );
}

#[test]
fn a_disk_in_use_is_named_with_a_remedy() {
    let directory = TempDir::new().unwrap();
    let driver = Driver::start(options(directory.path()));
    let error = refused_start(&options(directory.path()));
    assert!(error.contains("but another process has it open; end that process"), "{error}");
    driver.end().unwrap();
}

#[test]
fn a_disk_of_another_node_is_not_used() {
    let directory = TempDir::new().unwrap();
    Driver::start(options(directory.path())).end().unwrap();
    let other = HostOptions { node: NodeId::from_index(1), ..options(directory.path()) };
    let error = refused_start(&other);
    assert!(error.contains("expected the disk of node m of n, m at "), "{error}");
    assert!(error.contains("found that of node n of n, m (layout 1)"), "{error}");
}

#[test]
fn a_file_that_is_no_disk_is_not_used() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("node.redb"), "a letter to a friend").unwrap();
    let error = refused_start(&options(directory.path()));
    assert!(error.contains("found a file of something else"), "{error}");
    let letter = std::fs::read_to_string(directory.path().join("node.redb")).unwrap();
    assert_eq!(letter, "a letter to a friend");
}

#[test]
fn a_data_directory_that_is_a_file_is_not_used() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refused_start(&options(&file));
    assert!(error.contains("expected a directory for the node's disk at "), "{error}");
}

#[test]
fn a_node_that_is_not_among_the_names_is_not_hosted() {
    let directory = TempDir::new().unwrap();
    let options = HostOptions { node: NodeId::from_index(2), ..options(directory.path()) };
    let expected =
        "expected one of the nodes n, m, found node number 2; check the name and the setup";
    assert_eq!(refused_start(&options), expected);
}

/// Counts by itself up to 3, saves when asked to, and takes a message as its new count.
struct Counter;

#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
enum Timer {
    Count,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
enum Ask {
    Save,
    Fail,
}

impl Protocol for Counter {
    type State = u32;
    type Message = u32;
    type Timer = Timer;
    type Request = Ask;
    type Response = u32;

    fn start(&self, _: NodeId, disk: &Disk, _: &mut Effects<Self>) -> u32 {
        disk.get("count").unwrap().unwrap_or_default()
    }

    fn step(&self, _: NodeId, count: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Deliver { message, .. } => *count = message,
            Event::Timeout(Timer::Count | Timer::Other) => {
                *count += 1;
                out.put_synced("count", count);
            }
            Event::Request { request: Ask::Save, .. } => {
                out.put("saved", count);
                out.sync();
            }
            Event::Request { request: Ask::Fail, .. } => panic!("asked to fail"),
            Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }

    fn choices(&self, _: NodeId, count: &u32) -> Vec<Timer> {
        if *count < 3 { vec![Timer::Count] } else { Vec::new() }
    }
}

/// What talks to a node that is hosted on another thread.
struct Driver {
    commands: PipeWriter,
    reports: BufReader<PipeReader>,
    address: SocketAddr,
    hosting: JoinHandle<Result<(), RuntimeError>>,
}

impl Driver {
    fn start(options: HostOptions) -> Self {
        let (commands_out, commands) = pipe().unwrap();
        let (reports, reports_in) = pipe().unwrap();
        let commands_out = BufReader::new(commands_out);
        let hosting = thread::spawn(move || host(&Counter, &options, commands_out, reports_in));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut driver = Self { commands, reports: BufReader::new(reports), address, hosting };
        let Report::Listening { version: LOG_VERSION, address } = driver.report() else {
            panic!("it listens first");
        };
        driver.address = address;
        driver
    }

    fn invite(&mut self) -> LoggedStep {
        let addresses = ["n", "m"].map(|name| (name.to_owned(), self.address)).into();
        self.step(&Command::Peers { version: LOG_VERSION, addresses, misread: None })
    }

    fn step(&mut self, command: &Command) -> LoggedStep {
        self.send(command);
        match self.report() {
            Report::Step(step) => *step,
            other => panic!("expected a step, found {other:?}"),
        }
    }

    fn refused(&mut self, command: &Command, expected: &str) {
        self.send(command);
        assert_eq!(self.report(), Report::Refused { why: expected.to_owned() });
    }

    fn send(&mut self, command: &Command) {
        writeln!(self.commands, "{}", serde_json::to_string(command).unwrap()).unwrap();
    }

    fn report(&mut self) -> Report {
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn stop(mut self) -> Result<(), RuntimeError> {
        self.send(&Command::Stop);
        self.end()
    }

    /// Goes away, and waits for what the node makes of it.
    fn end(self) -> Result<(), RuntimeError> {
        drop(self.commands);
        self.hosting.join().unwrap()
    }
}

fn request(number: u32, what: &str) -> Command {
    let id = Request { client: "client".to_owned(), number };
    Command::Request { id, request: json!(what) }
}

fn options(data: &Path) -> HostOptions {
    HostOptions {
        node: NodeId::from_index(0),
        names: vec!["n".to_owned(), "m".to_owned()],
        clients: vec!["client".to_owned()],
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        data: data.to_path_buf(),
        mode: Mode::Steered,
        defect: None,
    }
}

fn refused_start(options: &HostOptions) -> String {
    host(&Counter, options, std::io::empty(), std::io::sink()).unwrap_err().to_string()
}
