use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, Once, PoisonError};

use timely::communication::allocator::zero_copy::stream::Stream;

/// A connection to one other process that remembers when it has broken.
///
/// Timely dataflow answers a broken connection with a panic in a thread of its own, which spreads
/// to all others of the process. Here it is noted first which connection it was, so that an error
/// can say so; and all connections are closed at the end, so that no thread waits for ever and the
/// loss spreads to the other processes.
pub(super) struct Wire<S> {
    stream: S,
    /// The number of the process at the other end.
    process: usize,
    losses: Losses,
}

/// The processes to which a connection has broken, in that order.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses(Arc<Mutex<Vec<usize>>>);

impl Losses {
    fn note(&self, process: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }

    /// The first process to which a connection has broken.
    pub(super) fn first(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().copied()
    }
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, process: usize, losses: &Losses) -> Self {
        Self { stream, process, losses: losses.clone() }
    }

    fn noted<R>(&self, result: io::Result<R>) -> io::Result<R> {
        let is_lost = |error: &io::Error| !matches!(error.kind(), io::ErrorKind::Interrupted);
        if result.as_ref().is_err_and(is_lost) {
            self.losses.note(self.process);
        }
        result
    }
}

impl<S: Stream> Read for Wire<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.stream.read(buffer);
            match &read {
                // Timely takes an interruption for a failure.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => {
                    self.losses.note(self.process);
                    return read;
                }
                Ok(_) | Err(_) => return self.noted(read),
            }
        }
    }
}

impl<S: Stream> Write for Wire<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(buffer);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stream.flush();
        self.noted(flushed)
    }
}

impl<S: Stream> Stream for Wire<S> {
    fn try_clone(&self) -> io::Result<Self> {
        let Self { stream, process, losses } = self;
        Ok(Self { stream: stream.try_clone()?, process: *process, losses: losses.clone() })
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.stream.shutdown(how)
    }
}

/// Keeps the panics by which timely dataflow spreads the loss of a connection from being printed:
/// they are caught, and an error is given instead.
pub(super) fn hush() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let told = info.payload_as_str().unwrap_or_default();
            if !SPREADING.iter().any(|beginning| told.starts_with(beginning)) {
                earlier(info);
            }
        }));
    });
}

/// How the messages of those panics begin.
const SPREADING: [&str; 4] = [
    "timely communication error:",
    "MergeQueue poisoned.",
    "Send thread panic",
    "Recv thread panic",
];
