use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use cadre_trace::Frame;

use crate::clock;

/// How many frames may wait for one peer; more are lost.
const WAITING_MAX: usize = 4096;

/// How often it is tried to send one frame before it is lost.
const ATTEMPTS_MAX: u32 = 3;

/// How long one attempt to connect may take.
const CONNECT_LIMIT: Duration = Duration::from_millis(250);

/// How long a peer may leave a frame unread before the connection is given up.
const WRITE_LIMIT: Duration = Duration::from_secs(1);

/// How long to wait before another attempt.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(20);

/// The ways to the peers, opened when something is sent.
#[derive(Debug)]
pub(crate) struct Links {
    addresses: BTreeMap<String, SocketAddr>,
    open: BTreeMap<String, SyncSender<String>>,
}

impl Links {
    pub(crate) fn new(addresses: BTreeMap<String, SocketAddr>) -> Self {
        Self { addresses, open: BTreeMap::new() }
    }

    /// Hands a frame over to the thread that sends to its destination. Never waits: a frame that
    /// finds no address, or too many before it, is lost.
    pub(crate) fn send(&mut self, frame: &Frame) {
        let Some(address) = self.addresses.get(&frame.to).copied() else { return };
        let Ok(mut line) = serde_json::to_string(frame) else { return };
        line.push('\n');
        let link = self.open.entry(frame.to.clone()).or_insert_with(|| open(address));
        let _lost_if_full = link.try_send(line);
    }
}

fn open(address: SocketAddr) -> SyncSender<String> {
    let (sender, lines) = sync_channel(WAITING_MAX);
    thread::spawn(move || send_lines(address, &lines));
    sender
}

fn send_lines(address: SocketAddr, lines: &Receiver<String>) {
    let mut connection = None;
    for line in lines {
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                clock::pause(ATTEMPT_PAUSE);
            }
            connection = send_line(address, connection, &line).ok();
            if connection.is_some() {
                break;
            }
        }
    }
}

/// An error means that the line has not arrived whole, so that trying again duplicates nothing.
fn send_line(
    address: SocketAddr,
    connection: Option<TcpStream>,
    line: &str,
) -> io::Result<TcpStream> {
    let mut connection = match connection {
        Some(connection) => connection,
        None => {
            let connection = TcpStream::connect_timeout(&address, CONNECT_LIMIT)?;
            connection.set_nodelay(true)?;
            connection.set_write_timeout(Some(WRITE_LIMIT))?;
            connection
        }
    };
    connection.write_all(line.as_bytes())?;
    Ok(connection)
}
