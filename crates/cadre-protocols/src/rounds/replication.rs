use std::collections::BTreeSet;

use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node};

/// A client `C` writes to a primary `a`, which tells its backups `b` and `c` once, in passing.
#[derive(Clone, Copy, Debug)]
pub struct Replication {
    /// Who tells the client.
    pub acknowledgement: Acknowledgement,
}

/// When the client takes its write for done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// When the primary says so, before the backups have it.
    Primary,
    /// When the backups say so as well.
    Backups,
}

/// What a node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReplicationState {
    has: bool,
    acknowledged_by: BTreeSet<NodeId>,
}

/// What they say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReplicationMessage {
    /// Write this.
    Request,
    /// The primary has written this.
    Replicate,
    /// The sender has it.
    Acknowledge,
}

const CLIENT: usize = 0;
const PRIMARY: usize = 1;
const BACKUPS: [usize; 2] = [2, 3];

impl Protocol for Replication {
    type State = ReplicationState;
    type Message = ReplicationMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> ReplicationState {
        await_next(0, out);
        ReplicationState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut ReplicationState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Deliver { from, message } => match message {
                ReplicationMessage::Request => {
                    state.has = true;
                    out.send(from, ReplicationMessage::Acknowledge);
                    out.broadcast(BACKUPS.map(node), ReplicationMessage::Replicate);
                }
                ReplicationMessage::Replicate => {
                    state.has = true;
                    if self.acknowledgement == Acknowledgement::Backups {
                        out.send(node(CLIENT), ReplicationMessage::Acknowledge);
                    }
                }
                ReplicationMessage::Acknowledge => {
                    state.acknowledged_by.insert(from);
                }
            },
            Event::Timeout(Round(round)) => {
                if round == 1 && me == node(CLIENT) {
                    out.send(node(PRIMARY), ReplicationMessage::Request);
                }
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Replication {
    /// Whether a node has the write, and takes it for done.
    type Observation = (bool, bool);

    fn nodes(&self) -> Vec<String> {
        names(&["C", "a", "b", "c"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &ReplicationState) -> (bool, bool) {
        let is_done_by = |index: &usize| state.acknowledged_by.contains(&node(*index));
        let is_done = is_done_by(&PRIMARY)
            && (self.acknowledgement == Acknowledgement::Primary || BACKUPS.iter().all(is_done_by));
        (state.has, is_done)
    }

    fn tell(&self, (has, is_done): &(bool, bool)) -> String {
        match (has, is_done) {
            (_, true) => "takes the write for done",
            (true, false) => "has the write",
            (false, false) => "lacks the write",
        }
        .to_owned()
    }

    fn interchangeable(&self) -> Vec<Vec<NodeId>> {
        vec![BACKUPS.map(node).to_vec()]
    }

    fn guarantees(&self) -> Vec<EndGuarantee<(bool, bool)>> {
        vec![EndGuarantee::implies(
            "what is acknowledged outlives the primary",
            |end: &End<'_, (bool, bool)>| end.all().any(|(_, seen)| seen.1),
            |end| end.correct().any(|(holder, seen)| seen.0 && holder != node(PRIMARY)),
        )]
    }
}
