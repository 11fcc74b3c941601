use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use cadre_process::Stop;

/// For each process of a search the connection to it; `None` at the position of this one.
pub type Connections = Vec<Option<TcpStream>>;

/// Where one process of a search waits for the others.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cadre::{process::Stop, sharing::Door};
///
/// let doors = [Door::open("127.0.0.1:0")?, Door::open("127.0.0.1:0")?];
/// let addresses: Vec<String> = doors.iter().map(|door| door.address().to_string()).collect();
/// let [one, two] = doors;
/// let limit = Duration::from_secs(10);
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| two.meet(&addresses, 1, limit, &Stop::new()));
///     assert!(one.meet(&addresses, 0, limit, &Stop::new()).unwrap()[1].is_some());
///     assert!(other.join().unwrap().unwrap()[0].is_some());
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why the processes of a search did not come together.
#[derive(Debug, thiserror::Error)]
pub enum MeetError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; is it an address of this host, and free?")]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Some process did not come.
    #[error("waited {waited:?} for process {process} at {address}, and it did not come")]
    Absent {
        /// Its number.
        process: usize,
        /// Where it should be.
        address: String,
        /// For how long.
        waited: Duration,
    },
    /// Somebody else is where a process should be.
    #[error("expected process {process} of {processes} at {address}, found somebody else")]
    Stranger {
        /// The number of the process.
        process: usize,
        /// How many there are.
        processes: usize,
        /// Where it should be.
        address: String,
    },
    /// There is no such process.
    #[error("expected the number of one of {processes} processes, from 0 on, found {process}")]
    NoSuchProcess {
        /// The number.
        process: usize,
        /// How many there are.
        processes: usize,
    },
    /// The wait was ended from outside.
    #[error("interrupted while waiting for the other processes")]
    Stopped,
}

/// How often a process looks again whether another has come.
const NAP: Duration = Duration::from_millis(20);

/// How long a connection may take to be made, and a greeting to be answered.
const GREETING_LIMIT: Duration = Duration::from_secs(5);

impl Door {
    /// Listens at an address of this host; port 0 for a free one.
    ///
    /// # Errors
    ///
    /// [`MeetError::Listen`].
    pub fn open(address: &str) -> Result<Self, MeetError> {
        let error = |source| MeetError::Listen { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).map_err(error)?;
        listener.set_nonblocking(true).map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        Ok(Self { listener, address })
    }

    /// Where it is; the port is never 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all processes are connected: this one goes to those of smaller numbers, and
    /// those of greater numbers come to it.
    ///
    /// # Errors
    ///
    /// Where one has not come in about that time, or something else is where it should be.
    pub fn meet(
        self,
        addresses: &[String],
        process: usize,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Connections, MeetError> {
        let processes = addresses.len();
        if process >= processes {
            return Err(MeetError::NoSuchProcess { process, processes });
        }
        let mut connections: Connections = addresses.iter().map(|_| None).collect();
        let is_absent = |at: usize, found: &Connections| at != process && found[at].is_none();
        for _ in 0..=limit.as_millis() / NAP.as_millis() {
            for other in 0..process {
                if connections[other].is_none() {
                    let greeting = Greeting { from: process, to: other, processes };
                    connections[other] = greeting.go(&addresses[other])?;
                }
            }
            while let Ok((stream, _)) = self.listener.accept() {
                if let Some((other, stream)) = Greeting::receive(stream, process, processes) {
                    // One that comes again has given up its first connection.
                    connections[other] = Some(stream);
                }
            }
            if !(0..processes).any(|at| is_absent(at, &connections)) {
                return Ok(connections);
            }
            if stop.requested() {
                return Err(MeetError::Stopped);
            }
            nap();
        }
        let absent = (0..processes).find(|at| is_absent(*at, &connections)).unwrap_or(process);
        let address = addresses[absent].clone();
        Err(MeetError::Absent { process: absent, address, waited: limit })
    }
}

/// What two processes say to each other first, so that neither takes somebody else for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Greeting {
    from: usize,
    to: usize,
    processes: usize,
}

/// The name of the tool, and the version of what processes send each other.
const TOOL: &[u8; 8] = b"cadre  1";

const GREETING_BYTES: usize = TOOL.len() + 3 * size_of::<u32>();

impl Greeting {
    /// Goes to another process; `None` where it is not there yet.
    fn go(self, address: &str) -> Result<Option<TcpStream>, MeetError> {
        let Ok(mut found) = address.to_socket_addrs() else { return Ok(None) };
        let connect = |address| TcpStream::connect_timeout(&address, GREETING_LIMIT).ok();
        let Some(mut stream) = found.find_map(connect) else { return Ok(None) };
        let answer = Self { from: self.to, to: self.from, ..self };
        match prepare(&stream).and_then(|()| self.write(&mut stream)) {
            Ok(()) => {}
            Err(_) => return Ok(None),
        }
        match Self::read(&mut stream) {
            Ok(Some(greeting)) if greeting == answer => Ok(Some(stream)),
            Ok(_) => {
                let (process, processes) = (self.to, self.processes);
                Err(MeetError::Stranger { process, processes, address: address.to_owned() })
            }
            // It may have been about to end, or busy with others.
            Err(_) => Ok(None),
        }
    }

    /// Lets another process in; `None` for anybody else.
    fn receive(
        mut stream: TcpStream,
        process: usize,
        processes: usize,
    ) -> Option<(usize, TcpStream)> {
        prepare(&stream).ok()?;
        let greeting = Self::read(&mut stream).ok()??;
        let Self { from, to, processes: all } = greeting;
        let answer = Self { from: process, to: from, processes };
        answer.write(&mut stream).ok()?;
        (from > process && from < processes && to == process && all == processes)
            .then_some((from, stream))
    }

    fn write(self, stream: &mut TcpStream) -> io::Result<()> {
        let mut bytes = TOOL.to_vec();
        for number in [self.from, self.to, self.processes] {
            bytes.extend(u32::try_from(number).expect("fewer than 2^32 processes").to_le_bytes());
        }
        stream.write_all(&bytes)
    }

    /// What the other says; `None` where it is no greeting.
    fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = [0; GREETING_BYTES];
        stream.read_exact(&mut bytes)?;
        let (tool, numbers) = bytes.split_at(TOOL.len());
        let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes) as usize;
        let numbers: Vec<usize> = numbers.chunks(size_of::<u32>()).map(word).collect();
        let greeting = Self { from: numbers[0], to: numbers[1], processes: numbers[2] };
        stream.set_read_timeout(None)?;
        Ok((tool == TOOL).then_some(greeting))
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(GREETING_LIMIT))
}

#[expect(clippy::disallowed_methods, reason = "processes wait until all of them have come")]
fn nap() {
    std::thread::sleep(NAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Door, String) {
        let door = Door::open("127.0.0.1:0").unwrap();
        let address = door.address().to_string();
        (door, address)
    }

    #[test]
    fn processes_meet_in_whichever_order_they_come_and_strangers_are_not_let_in() {
        for last in 0..3 {
            let (doors, addresses): (Vec<_>, Vec<_>) = (0..3).map(|_| open()).unzip();
            for address in &addresses {
                let mut stranger = TcpStream::connect(address).unwrap();
                stranger.write_all(b"GET / HTTP/1.1\r\n\r\n and so on").unwrap();
            }
            let mut ends = std::thread::scope(|scope| {
                let addresses = &addresses;
                let mut order: Vec<_> = doors.into_iter().enumerate().collect();
                order.rotate_left(last + 1);
                let come = |(process, door): (usize, Door)| {
                    nap();
                    let limit = Duration::from_secs(60);
                    let met = move || door.meet(addresses, process, limit, &Stop::new());
                    (process, scope.spawn(met))
                };
                let coming: Vec<_> = order.into_iter().map(come).collect();
                let met = coming.into_iter().map(|(at, met)| (at, met.join().unwrap().unwrap()));
                met.collect::<Vec<_>>()
            });
            ends.sort_by_key(|(process, _)| *process);
            for one in 0..3 {
                assert!(ends[one].1[one].is_none());
                for other in (0..3).filter(|other| *other != one) {
                    let said = [one as u8, other as u8];
                    ends[one].1[other].as_mut().unwrap().write_all(&said).unwrap();
                    let mut heard = [9; 2];
                    ends[other].1[one].as_mut().unwrap().read_exact(&mut heard).unwrap();
                    assert_eq!(heard, said);
                }
            }
        }
    }

    #[test]
    fn a_process_that_does_not_come_is_named() {
        let (door, address) = open();
        let (gone, nowhere) = open();
        drop(gone);
        let addresses = [address, nowhere];
        let error = door.meet(&addresses, 0, Duration::from_millis(100), &Stop::new()).unwrap_err();
        assert!(matches!(&error, MeetError::Absent { process: 1, .. }), "{error}");
    }

    #[test]
    fn a_process_of_another_search_is_a_stranger() {
        let (late, address) = open();
        let (door, there) = open();
        let (limit, stop) = (Duration::from_secs(60), Stop::new());
        // It believes to be one of three.
        let (pair, three) = ([there.clone(), address], [there, String::new(), String::new()]);
        std::thread::scope(|scope| {
            let alone = scope.spawn(|| door.meet(&pair, 0, limit, &stop));
            let error = late.meet(&three, 1, limit, &Stop::new()).unwrap_err();
            assert!(matches!(&error, MeetError::Stranger { process: 0, .. }), "{error}");
            stop.request();
            assert!(matches!(alone.join().unwrap(), Err(MeetError::Stopped)));
        });
    }
}
