use std::collections::BTreeSet;

use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node};

/// Kafka's replication: replicas `a`, `b` and `c`, a client `C`, and Zookeeper as one node `Z`.
///
/// The leader waits for those replicas that it knows as members, which may be itself alone.
#[derive(Clone, Copy, Debug)]
pub struct Kafka;

/// What a node knows; it only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KafkaState {
    members: BTreeSet<NodeId>,
    leaders: BTreeSet<NodeId>,
    clients: BTreeSet<NodeId>,
    /// Who has sent it the datum; it stores the datum if there is one.
    writers: BTreeSet<NodeId>,
    acknowledged: BTreeSet<NodeId>,
    is_told_written: bool,
}

/// What they say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KafkaMessage {
    /// A replica is a member.
    Member(NodeId),
    /// A replica leads.
    Leader(NodeId),
    /// The sender is a client.
    Client,
    /// The datum.
    Write,
    /// A follower stores the datum.
    Stored,
    /// The datum is written.
    Written,
}

const LEADER: usize = 0;
const REPLICAS: usize = 3;
const CLIENT: usize = 3;
const ZOOKEEPER: usize = 4;
/// The rounds in which the client writes.
const WRITING: std::ops::RangeInclusive<u32> = 2..=4;

impl Kafka {
    fn serve(me: NodeId, state: &KafkaState, out: &mut Effects<Self>) {
        if state.writers.is_empty() {
            return;
        }
        if !state.leaders.contains(&me) {
            return out.broadcast(state.writers.iter().copied(), KafkaMessage::Stored);
        }
        let waits_for = |member: &&NodeId| **member != me && !state.acknowledged.contains(member);
        let missing: Vec<NodeId> = state.members.iter().filter(waits_for).copied().collect();
        if missing.is_empty() {
            out.broadcast(state.writers.iter().copied(), KafkaMessage::Written);
        }
        out.broadcast(missing, KafkaMessage::Write);
    }

    fn publish(state: &KafkaState, out: &mut Effects<Self>) {
        for told in state.members.iter().chain(&state.clients) {
            for member in &state.members {
                out.send(*told, KafkaMessage::Member(*member));
            }
            out.send(*told, KafkaMessage::Leader(node(LEADER)));
        }
    }

    fn tick(me: NodeId, state: &mut KafkaState, round: u32, out: &mut Effects<Self>) {
        match me.index() {
            ZOOKEEPER if round == 1 => {
                state.members.insert(node(LEADER));
            }
            ZOOKEEPER => Self::publish(state, out),
            CLIENT if round == 1 => out.send(node(ZOOKEEPER), KafkaMessage::Client),
            CLIENT if WRITING.contains(&round) => {
                out.broadcast(state.leaders.iter().copied(), KafkaMessage::Write);
            }
            CLIENT => {}
            _replica => {
                if round == 1 {
                    out.send(node(ZOOKEEPER), KafkaMessage::Member(me));
                }
                Self::serve(me, state, out);
            }
        }
    }
}

impl Protocol for Kafka {
    type State = KafkaState;
    type Message = KafkaMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> KafkaState {
        await_next(0, out);
        KafkaState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut KafkaState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Deliver { from, message } => {
                let _ = match message {
                    KafkaMessage::Member(member) => state.members.insert(member),
                    KafkaMessage::Leader(leader) => state.leaders.insert(leader),
                    KafkaMessage::Client => state.clients.insert(from),
                    KafkaMessage::Write => state.writers.insert(from),
                    KafkaMessage::Stored => state.acknowledged.insert(from),
                    KafkaMessage::Written => std::mem::replace(&mut state.is_told_written, true),
                };
            }
            Event::Timeout(Round(round)) => {
                Self::tick(me, state, round, out);
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Kafka {
    /// Whether a node was told that the datum is written, and whether it stores it.
    type Observation = (bool, bool);

    fn nodes(&self) -> Vec<String> {
        names(&["a", "b", "c", "C", "Z"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, me: NodeId, state: &KafkaState) -> (bool, bool) {
        (state.is_told_written, me.index() < REPLICAS && !state.writers.is_empty())
    }

    fn tell(&self, (is_told, stores): &(bool, bool)) -> String {
        match (is_told, stores) {
            (true, _) => "is told that the write is done",
            (false, true) => "stores the write",
            (false, false) => "stores nothing",
        }
        .to_owned()
    }

    fn interchangeable(&self) -> Vec<Vec<NodeId>> {
        vec![vec![node(1), node(2)]]
    }

    fn guarantees(&self) -> Vec<EndGuarantee<(bool, bool)>> {
        vec![EndGuarantee::implies(
            "what is acknowledged is stored",
            |end: &End<'_, (bool, bool)>| end.all().any(|(_, seen)| seen.0),
            |end| end.correct().any(|(_, seen)| seen.1),
        )]
    }
}
