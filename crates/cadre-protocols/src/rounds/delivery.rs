use std::collections::BTreeSet;

use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node, others};

/// `a` broadcasts one payload to `b` and `c`, in one of several ways.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// How.
    pub strategy: Strategy,
    /// Whether the guarantee speaks of correct nodes alone, as it should.
    pub counts_correct_nodes_only: bool,
}

/// Who sends the payload, to whom, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `a` sends it once.
    Simple,
    /// `a` sends it in every round.
    Retry,
    /// Everybody who has it sends it in every round.
    Redundant,
    /// Everybody who has it sends it to all who have not acknowledged it.
    Acknowledged,
    /// Everybody who hears it sends it on, in each round in which he does (Birman).
    Classic,
}

/// What a node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeliveryState {
    has: bool,
    /// It has the payload from the next round on.
    has_next: bool,
    /// Whether it was told in this round.
    is_told: bool,
    acknowledged: BTreeSet<NodeId>,
}

/// The payload, or that it has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeliveryMessage {
    /// The payload.
    Payload,
    /// The payload has arrived.
    Acknowledge,
}

const SIZE: usize = 3;

impl Delivery {
    /// A broadcast by this strategy, with the guarantee as it should be.
    pub fn new(strategy: Strategy) -> Self {
        Self { strategy, counts_correct_nodes_only: true }
    }

    fn deliver(
        &self,
        state: &mut DeliveryState,
        from: NodeId,
        message: DeliveryMessage,
        out: &mut Effects<Self>,
    ) {
        match message {
            DeliveryMessage::Payload => match self.strategy {
                Strategy::Classic => state.is_told = true,
                Strategy::Simple | Strategy::Retry | Strategy::Redundant => state.has = true,
                Strategy::Acknowledged => {
                    state.has = true;
                    out.send(from, DeliveryMessage::Acknowledge);
                }
            },
            DeliveryMessage::Acknowledge => {
                state.acknowledged.insert(from);
            }
        }
    }

    fn tick(&self, me: NodeId, state: &mut DeliveryState, round: u32, out: &mut Effects<Self>) {
        let begins = me == node(0) && round == 1;
        let others = others(SIZE, me);
        match self.strategy {
            Strategy::Classic => {
                if std::mem::take(&mut state.is_told) || begins {
                    out.broadcast(others, DeliveryMessage::Payload);
                    state.has_next = true;
                }
            }
            Strategy::Simple if begins => out.broadcast(others, DeliveryMessage::Payload),
            Strategy::Simple => {}
            Strategy::Retry if me == node(0) => out.broadcast(others, DeliveryMessage::Payload),
            Strategy::Retry => {}
            Strategy::Redundant | Strategy::Acknowledged => {
                if state.has || begins {
                    let missing = others.filter(|other| !state.acknowledged.contains(other));
                    out.broadcast(missing, DeliveryMessage::Payload);
                }
            }
        }
        state.has |= begins && self.strategy != Strategy::Classic;
    }
}

impl Protocol for Delivery {
    type State = DeliveryState;
    type Message = DeliveryMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> DeliveryState {
        await_next(0, out);
        DeliveryState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut DeliveryState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        // Ticks alone change the next round, so that whatever comes after one is in it.
        state.has |= std::mem::take(&mut state.has_next);
        match event {
            Event::Deliver { from, message } => self.deliver(state, from, message, out),
            Event::Timeout(Round(round)) => {
                self.tick(me, state, round, out);
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Delivery {
    /// Whether a node has the payload.
    type Observation = bool;

    fn nodes(&self) -> Vec<String> {
        names(&["a", "b", "c"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &DeliveryState) -> bool {
        state.has
    }

    fn tell(&self, has: &bool) -> String {
        if *has { "has the payload" } else { "lacks the payload" }.to_owned()
    }

    fn interchangeable(&self) -> Vec<Vec<NodeId>> {
        vec![vec![node(1), node(2)]]
    }

    fn guarantees(&self) -> Vec<EndGuarantee<bool>> {
        let only_correct = self.counts_correct_nodes_only;
        let holders = |end: &End<'_, bool>| -> BTreeSet<String> {
            end.correct()
                .filter(|(holder, has)| **has && *holder != node(0))
                .map(|(holder, _)| format!("{} has the payload", ["a", "b", "c"][holder.index()]))
                .collect()
        };
        let all_have = move |end: &End<'_, bool>| {
            end.all().all(|(holder, has)| *has || only_correct && !end.is_correct(holder))
        };
        vec![EndGuarantee::new("who has the payload is not alone", holders, move |end| {
            if all_have(end) { holders(end) } else { BTreeSet::new() }
        })]
    }
}
