use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node};

/// A node `n1` sends a schema to `n2` and then, without waiting, data that need it: bug 2083 of
/// Cassandra.
#[derive(Clone, Copy, Debug)]
pub struct Migration;

/// What a node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MigrationState {
    has_schema: bool,
    has_seen_data: bool,
    is_complete: bool,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MigrationMessage {
    /// What the data are like.
    Schema,
    /// The data.
    Data,
}

impl Protocol for Migration {
    type State = MigrationState;
    type Message = MigrationMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> MigrationState {
        await_next(0, out);
        MigrationState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut MigrationState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Deliver { message: MigrationMessage::Schema, .. } => state.has_schema = true,
            Event::Deliver { message: MigrationMessage::Data, .. } => {
                state.has_seen_data = true;
                state.is_complete |= state.has_schema;
            }
            Event::Timeout(Round(round)) => {
                match round {
                    1 if me == node(0) => out.send(node(1), MigrationMessage::Schema),
                    2 if me == node(0) => out.send(node(1), MigrationMessage::Data),
                    _later_or_receiver => {}
                }
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Migration {
    /// Whether a node has seen the data, and could make sense of them.
    type Observation = (bool, bool);

    fn nodes(&self) -> Vec<String> {
        names(&["n1", "n2"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &MigrationState) -> (bool, bool) {
        (state.has_seen_data, state.is_complete)
    }

    fn tell(&self, seen: &(bool, bool)) -> String {
        match seen {
            (_, true) => "makes sense of the data",
            (true, false) => "makes no sense of the data",
            (false, false) => "sees no data",
        }
        .to_owned()
    }

    fn guarantees(&self) -> Vec<EndGuarantee<(bool, bool)>> {
        vec![EndGuarantee::implies(
            "data that have arrived are made sense of",
            |end: &End<'_, (bool, bool)>| end.of(node(1)).0,
            |end| end.of(node(1)).1,
        )]
    }
}
