use std::time::Duration;

use cadre_step::{Disk, Effects, Event, NodeId, Protocol, RequestId};
use serde::{Deserialize, Serialize};

/// How often a node speaks of its own accord.
const SPOKEN_MAX: u32 = 2;

/// How often its timer goes off.
const BEATS_MAX: u32 = 2;

/// Nodes that speak to each other and count: everything a protocol can ask for, once.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) nodes: Vec<NodeId>,
    /// What goes wrong with the second message that is heard; only a real process can do that.
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Dies,
    Hangs,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Synced at once.
    spoken: u32,
    /// Synced by the timer.
    heard: u32,
    /// Synced before the client is answered.
    kept: Option<u32>,
    /// Never on the disk.
    answered: u32,
    beats: u32,
    asked: Option<RequestId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Message {
    Ping(u32),
    Pong(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Timer {
    Beat,
    Speak,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Request {
    Keep(u32),
    Fail,
}

impl Protocol for Tally {
    type State = Count;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Response = u32;

    fn start(&self, _: NodeId, disk: &Disk, out: &mut Effects<Self>) -> Count {
        out.set_timer(Timer::Beat, Duration::from_millis(3));
        let read = |key| disk.get(key).expect("the disk reads").unwrap_or_default();
        let kept = disk.get("kept").expect("the disk reads");
        let (spoken, heard) = (read("spoken"), read("heard"));
        Count { spoken, heard, kept, answered: 0, beats: 0, asked: None }
    }

    fn step(&self, node: NodeId, count: &mut Count, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Deliver { from, message: Message::Ping(number) } => {
                count.heard += 1;
                self.suffer(count.heard);
                out.put("heard", &count.heard);
                out.send(from, Message::Pong(number));
            }
            Event::Deliver { message: Message::Pong(_), .. } => {
                count.answered += 1;
                if count.answered == SPOKEN_MAX {
                    out.cancel_timer(Timer::Beat);
                }
            }
            Event::Timeout(Timer::Speak) => {
                count.spoken += 1;
                out.put_synced("spoken", &count.spoken);
                let others = self.nodes.iter().filter(|other| **other != node);
                out.broadcast(others.copied(), Message::Ping(count.spoken));
            }
            Event::Timeout(Timer::Beat) => {
                count.beats += 1;
                out.sync();
                if count.beats < BEATS_MAX {
                    out.set_timer(Timer::Beat, Duration::from_millis(3));
                }
            }
            Event::SyncDone | Event::SyncFailed(_) => {
                if let Some(id) = count.asked.take() {
                    out.respond(id, count.kept.unwrap_or_default());
                }
            }
            Event::Request { id, request: Request::Keep(value) } => {
                (count.kept, count.asked) = (Some(value), Some(id));
                out.put("kept", &value);
                out.delete("heard");
                out.sync();
            }
            Event::Request { request: Request::Fail, .. } => panic!("asked to fail"),
        }
    }

    fn choices(&self, _: NodeId, count: &Count) -> Vec<Timer> {
        if count.spoken < SPOKEN_MAX { vec![Timer::Speak] } else { Vec::new() }
    }
}

impl Tally {
    fn suffer(&self, heard: u32) {
        if heard == 2 {
            match self.trouble {
                None => {}
                Some(Trouble::Dies) => std::process::abort(),
                Some(Trouble::Hangs) => loop {
                    std::thread::park();
                },
            }
        }
    }
}
