use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use cadre_process::Stop;
use cadre_runtime::Door;
use cadre_trace::{Change, Envelope, Frame, LOG_VERSION, Stamp};

use crate::clock::Deadline;
use crate::{ReplayError, Site};

/// How many frames may wait until the replay looks at them.
const WAITING_MAX: usize = 4096;

/// How long a wait goes on before it looks whether a stop is requested.
const SLICE: Duration = Duration::from_millis(50);

/// The network between the processes: every message ends here and waits for its turn.
#[derive(Debug)]
pub(crate) struct Gate {
    door: Door,
    arrivals: Receiver<Result<Frame, String>>,
    /// Frames that no step of the trace has accounted for yet.
    unclaimed: Vec<Frame>,
    /// Frames of the step that is being carried out.
    claimed: Vec<Frame>,
    /// The messages in flight, as the trace has them, with the clocks of their senders.
    in_flight: Vec<Frame>,
    /// Those that were, each once: what may be replayed.
    past: Vec<Frame>,
}

impl Gate {
    pub(crate) fn open() -> Result<Self, ReplayError> {
        let (sender, arrivals) = sync_channel(WAITING_MAX);
        let take = move |frame| sender.send(frame).is_ok();
        let door = Door::open((Ipv4Addr::LOCALHOST, 0).into(), take)
            .map_err(|error| ReplayError::Gate(Box::new(error)))?;
        let (unclaimed, claimed) = (Vec::new(), Vec::new());
        let (in_flight, past) = (Vec::new(), Vec::new());
        Ok(Self { door, arrivals, unclaimed, claimed, in_flight, past })
    }

    /// What every node is told to be the address of every peer.
    pub(crate) fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Waits for a message that a node has sent; whether it has arrived within the limit.
    pub(crate) fn claim(
        &mut self,
        envelope: &Envelope,
        limit: Duration,
        stop: &Stop,
        at: &Site,
    ) -> Result<bool, ReplayError> {
        let deadline = Deadline::after(limit);
        loop {
            if let Some(found) = self.unclaimed.iter().position(|frame| frame.carries(envelope)) {
                self.claimed.push(self.unclaimed.remove(found));
                return Ok(true);
            }
            match self.arrivals.recv_timeout(deadline.left().min(SLICE)) {
                Ok(frame) => self.unclaimed.push(sound(frame, at)?),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if stop.requested() {
                        return Err(ReplayError::Stopped { at: at.clone() });
                    }
                    if deadline.has_passed() {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// A message that has arrived although nobody has said to have sent it.
    pub(crate) fn unclaimed(&mut self, at: &Site) -> Result<Option<&Frame>, ReplayError> {
        while let Ok(frame) = self.arrivals.try_recv() {
            self.unclaimed.push(sound(frame, at)?);
        }
        Ok(self.unclaimed.first())
    }

    /// A message in flight.
    pub(crate) fn find(&self, envelope: &Envelope) -> Option<&Frame> {
        self.in_flight.iter().find(|frame| frame.carries(envelope))
    }

    /// Puts a message that no process has sent among those of the step that is being carried out.
    pub(crate) fn make_up(&mut self, envelope: &Envelope, stamp: Stamp) {
        let Envelope { from, to, message } = envelope.clone();
        self.claimed.push(Frame { version: LOG_VERSION, from, to, message, stamp });
    }

    /// Follows what a step of the trace makes of the messages in flight. The envelope that could
    /// not be added is given back: it neither was in flight nor has been sent.
    ///
    /// What kind of network it is shows in the change alone: a message of a growing set is never
    /// removed, nor added twice.
    pub(crate) fn follow(&mut self, change: &Change) -> Result<(), Envelope> {
        let mut claimed = std::mem::take(&mut self.claimed);
        let mut added = Vec::new();
        for envelope in &change.added {
            let sent = claimed.iter().position(|frame| frame.carries(envelope));
            let frame = match sent {
                Some(sent) => Some(claimed.remove(sent)),
                None => self.find(envelope).or_else(|| self.passed(envelope)).cloned(),
            };
            added.push(frame.ok_or_else(|| envelope.clone())?);
        }
        for envelope in &change.removed {
            if let Some(gone) = self.in_flight.iter().position(|frame| frame.carries(envelope)) {
                let gone = self.in_flight.remove(gone);
                if self.passed(envelope).is_none() {
                    self.past.push(gone);
                }
            }
        }
        self.in_flight.extend(added);
        Ok(())
    }

    fn passed(&self, envelope: &Envelope) -> Option<&Frame> {
        self.past.iter().find(|frame| frame.carries(envelope))
    }
}

fn sound(frame: Result<Frame, String>, at: &Site) -> Result<Frame, ReplayError> {
    frame.map_err(|why| ReplayError::Frame { at: at.clone(), why })
}
