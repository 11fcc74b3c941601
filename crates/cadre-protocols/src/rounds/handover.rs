use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node};

/// A new leader `LL` waits for its follower `FF`, whose answer may come before the leader is ready
/// for it: bug 1270 of Zookeeper. An attestor `A` tells the follower that it is not alone.
#[derive(Clone, Copy, Debug)]
pub struct Handover;

/// What a node knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HandoverState {
    attestations: u32,
    hears_of_leader: bool,
    answers_next: bool,
    is_answered: bool,
    /// Whether the leader takes answers by now.
    is_ready: bool,
    is_finished: bool,
}

/// What they say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HandoverMessage {
    /// Somebody else follows too.
    Attest,
    /// The sender leads.
    NewLeader,
    /// The follower follows.
    Follow,
}

const LEADER: usize = 0;
const FOLLOWER: usize = 1;
/// When the leader speaks, and the last round in which it takes no answers.
const SPEAKS: u32 = 2;
const UNREADY_UNTIL: u32 = 4;

impl Handover {
    fn follow(state: &mut HandoverState, out: &mut Effects<Self>) {
        let is_due = std::mem::take(&mut state.answers_next);
        let hears = std::mem::take(&mut state.hears_of_leader);
        if is_due || hears && state.attestations == 1 {
            out.send(node(LEADER), HandoverMessage::Follow);
        }
        state.answers_next = hears && state.attestations > 1;
    }
}

impl Protocol for Handover {
    type State = HandoverState;
    type Message = HandoverMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> HandoverState {
        await_next(0, out);
        HandoverState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut HandoverState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Deliver { message, .. } => match message {
                HandoverMessage::Attest => state.attestations += 1,
                HandoverMessage::NewLeader => state.hears_of_leader = true,
                HandoverMessage::Follow => {
                    state.is_answered = true;
                    state.is_finished |= state.is_ready;
                }
            },
            Event::Timeout(Round(round)) => {
                match me.index() {
                    LEADER => {
                        if round == SPEAKS {
                            out.send(node(FOLLOWER), HandoverMessage::NewLeader);
                        }
                        state.is_ready = round >= UNREADY_UNTIL;
                    }
                    FOLLOWER => Self::follow(state, out),
                    _attestor => out.send(node(FOLLOWER), HandoverMessage::Attest),
                }
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Handover {
    /// Whether the leader has had its answer, and has finished.
    type Observation = (bool, bool);

    fn nodes(&self) -> Vec<String> {
        names(&["LL", "FF", "A"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &HandoverState) -> (bool, bool) {
        (state.is_answered, state.is_finished)
    }

    fn tell(&self, (is_answered, is_finished): &(bool, bool)) -> String {
        match (is_answered, is_finished) {
            (_, true) => "finishes",
            (true, false) => "is answered and does not finish",
            (false, false) => "is not answered",
        }
        .to_owned()
    }

    fn guarantees(&self) -> Vec<EndGuarantee<(bool, bool)>> {
        vec![EndGuarantee::implies(
            "a leader that is answered finishes",
            |end: &End<'_, (bool, bool)>| end.of(node(LEADER)).0,
            |end| end.of(node(LEADER)).1,
        )]
    }
}
