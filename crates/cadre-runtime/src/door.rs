use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cadre_trace::Frame;

use crate::RuntimeError;
use crate::clock;
use crate::inbox::{read_line, shorten};

/// How long the door stays shut after an attempt to accept a connection has failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How long the door's own knock may take when it closes.
const KNOCK_LIMIT: Duration = Duration::from_millis(200);

/// Where frames come in: a TCP port that many may connect to. Closed on drop.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
}

impl Door {
    /// Listens; every line of every connection is given to `take`, as the frame it is or as the
    /// reason why it is none. A connection is closed when `take` says `false`.
    ///
    /// Connections are read at the same time, the lines of one in their order.
    ///
    /// # Errors
    ///
    /// [`RuntimeError::PortInUse`] and [`RuntimeError::Listen`].
    pub fn open(
        address: SocketAddr,
        take: impl Fn(Result<Frame, String>) -> bool + Clone + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let error = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => RuntimeError::PortInUse { address },
            _ => RuntimeError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let closed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&closed);
        thread::spawn(move || accept(&listener, &seen, &take));
        Ok(Self { address, closed })
    }

    /// Where it is; the port is never 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        // Wakes the thread that accepts; where that fails it sleeps on, which does no harm.
        let _ = TcpStream::connect_timeout(&self.address, KNOCK_LIMIT);
    }
}

fn accept<T>(listener: &TcpListener, closed: &AtomicBool, take: &T)
where
    T: Fn(Result<Frame, String>) -> bool + Clone + Send + 'static,
{
    for connection in listener.incoming() {
        if closed.load(Ordering::Acquire) {
            return;
        }
        match connection {
            Ok(connection) => {
                let take = take.clone();
                thread::spawn(move || read_frames(connection, take));
            }
            Err(_) => clock::pause(ACCEPT_PAUSE),
        }
    }
}

/// A connection that breaks loses what it carried, as a network may.
fn read_frames(connection: TcpStream, take: impl Fn(Result<Frame, String>) -> bool) {
    let mut input = BufReader::new(connection);
    while let Ok(Some(line)) = read_line(&mut input) {
        let frame = serde_json::from_str(&line)
            .map_err(|error| format!("expected a frame, found `{}`: {error}", shorten(&line)));
        if !take(frame) {
            return;
        }
    }
}
