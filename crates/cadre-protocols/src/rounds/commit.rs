use std::collections::BTreeSet;

use cadre::lineage::{End, EndGuarantee, Program};
use cadre::prelude::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use super::{Round, await_next, names, node, others};

/// A coordinator `C` and agents `a`, `b` and `d` commit together, all of them able to.
#[derive(Clone, Copy, Debug)]
pub struct Commit {
    /// How they end it.
    pub termination: Termination,
    /// What is guaranteed.
    pub spec: CommitSpec,
}

/// What is done when somebody does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// Two-phase commit: all wait.
    Wait,
    /// The coordinator aborts where votes are missing in round 4.
    Timeout,
    /// Moreover agents that have waited too long ask all others.
    Cooperative,
    /// Three-phase commit: agents that have waited too long commit if all are ready to, else abort.
    ThreePhases,
}

/// What is guaranteed about termination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitSpec {
    /// Somebody decides with another one.
    Strict,
    /// Unless the coordinator has crashed.
    Optimist,
}

/// What a coordinator or an agent knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommitState {
    prepared: bool,
    precommitted: bool,
    decision: Option<Decision>,
    /// The decision from the next round on.
    decision_next: Option<Decision>,
    /// Whether a round has passed since the first in which it was seen decided.
    stopped: bool,
    voters: BTreeSet<NodeId>,
    /// The rounds in which a timer goes off.
    timers: BTreeSet<u32>,
    heard: Heard,
}

/// What was heard in this round, until its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Heard {
    prepare: bool,
    vote: bool,
    precommit: bool,
    acknowledgements: BTreeSet<NodeId>,
    asked_by: BTreeSet<NodeId>,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    /// All do it.
    Commit,
    /// Nobody does it.
    Abort,
}

/// What they say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CommitMessage {
    /// Get ready.
    Prepare,
    /// The sender is ready.
    Vote,
    /// All are ready.
    PreCommit,
    /// The sender knows that all are ready.
    Acknowledge,
    /// What is decided.
    Decided(Decision),
    /// What has been decided?
    Ask,
}

const SIZE: usize = 4;
const AGENTS: usize = 3;
/// How many rounds an agent waits.
const PATIENCE: u32 = 3;
const VOTES_DUE: u32 = 4;
const ACKNOWLEDGEMENTS_DUE: u32 = 5;

impl Commit {
    fn is_coordinator(me: NodeId) -> bool {
        me == node(0)
    }

    fn has_three_phases(&self) -> bool {
        self.termination == Termination::ThreePhases
    }

    /// The coordinator's end of a round, where there are two phases.
    fn coordinate_two(&self, state: &mut CommitState, round: u32, out: &mut Effects<Self>) {
        if !state.stopped {
            out.broadcast(others(SIZE, node(0)), CommitMessage::Prepare);
        }
        if state.voters.len() == AGENTS {
            state.decide_next(Decision::Commit);
        } else if self.termination != Termination::Wait && round == VOTES_DUE {
            state.decide_next(Decision::Abort);
        }
    }

    /// The coordinator's end of a round, where there are three.
    fn coordinate_three(state: &mut CommitState, round: u32, out: &mut Effects<Self>) {
        let agents = others(SIZE, node(0));
        if round == 1 {
            out.broadcast(agents, CommitMessage::Prepare);
        } else if state.heard.vote && state.voters.len() == AGENTS && state.decision.is_none() {
            out.broadcast(agents, CommitMessage::PreCommit);
        }
        if state.heard.acknowledgements.len() == AGENTS {
            state.decide_next(Decision::Commit);
        } else if round == ACKNOWLEDGEMENTS_DUE {
            state.decide_next(Decision::Abort);
        }
    }

    /// An agent's end of a round.
    fn serve(&self, me: NodeId, state: &mut CommitState, round: u32, out: &mut Effects<Self>) {
        let is_late = state.timers.remove(&round);
        let waits = matches!(self.termination, Termination::Cooperative | Termination::ThreePhases);
        if state.heard.prepare {
            out.send(node(0), CommitMessage::Vote);
            if waits {
                state.timers.insert(round + PATIENCE);
            }
        }
        if state.heard.precommit && state.prepared {
            state.precommitted = true;
            out.send(node(0), CommitMessage::Acknowledge);
            state.timers = BTreeSet::from([round + PATIENCE]);
        }
        if is_late && state.decision.is_none() {
            if !self.has_three_phases() {
                out.broadcast(others(SIZE, me), CommitMessage::Ask);
            } else if state.precommitted {
                state.decide(Decision::Commit);
            } else {
                state.decide_next(Decision::Abort);
            }
        }
    }

    fn tick(&self, me: NodeId, state: &mut CommitState, round: u32, out: &mut Effects<Self>) {
        if !state.heard.asked_by.is_empty() && !state.prepared {
            state.decide(Decision::Abort);
        }
        if let Some(decision) = state.decision {
            for asker in &state.heard.asked_by {
                out.send(*asker, CommitMessage::Decided(decision));
            }
        }
        match (Self::is_coordinator(me), self.has_three_phases()) {
            (false, _) => self.serve(me, state, round, out),
            (true, false) => self.coordinate_two(state, round, out),
            (true, true) => Self::coordinate_three(state, round, out),
        }
        if let Some(decision) = state.decision {
            let tells_coordinator =
                self.termination == Termination::Cooperative || Self::is_coordinator(me);
            let told = others(SIZE, me).filter(|to| tells_coordinator || *to != node(0));
            out.broadcast(told, CommitMessage::Decided(decision));
            state.stopped = true;
        }
        state.heard = Heard::default();
    }
}

impl CommitState {
    fn decide(&mut self, decision: Decision) {
        self.decision.get_or_insert(decision);
    }

    fn decide_next(&mut self, decision: Decision) {
        self.decision_next.get_or_insert(decision);
    }

    fn hear(&mut self, from: NodeId, message: CommitMessage) {
        match message {
            CommitMessage::Prepare => {
                self.prepared = true;
                self.heard.prepare = true;
            }
            CommitMessage::Vote => {
                self.voters.insert(from);
                self.heard.vote = true;
            }
            CommitMessage::PreCommit => self.heard.precommit = true,
            CommitMessage::Acknowledge => {
                self.heard.acknowledgements.insert(from);
            }
            CommitMessage::Decided(decision) => self.decide(decision),
            CommitMessage::Ask => {
                self.heard.asked_by.insert(from);
            }
        }
    }
}

impl Protocol for Commit {
    type State = CommitState;
    type Message = CommitMessage;
    type Timer = Round;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) -> CommitState {
        await_next(0, out);
        CommitState::default()
    }

    fn step(
        &self,
        me: NodeId,
        state: &mut CommitState,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        // Ticks alone decide for the next round, so that whatever comes after one is in it.
        if let Some(decision) = state.decision_next.take() {
            state.decide(decision);
        }
        match event {
            Event::Deliver { from, message } => state.hear(from, message),
            Event::Timeout(Round(round)) => {
                self.tick(me, state, round, out);
                await_next(round, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Program for Commit {
    /// Whether a node has prepared, and what it has decided.
    type Observation = (bool, Option<Decision>);

    fn nodes(&self) -> Vec<String> {
        names(&["C", "a", "b", "d"])
    }

    fn tick(&self, round: u32) -> Round {
        Round(round)
    }

    fn observe(&self, _: NodeId, state: &CommitState) -> Self::Observation {
        (state.prepared, state.decision)
    }

    fn tell(&self, seen: &Self::Observation) -> String {
        match seen {
            (_, Some(Decision::Commit)) => "commits",
            (_, Some(Decision::Abort)) => "aborts",
            (true, None) => "is prepared and decides nothing",
            (false, None) => "decides nothing",
        }
        .to_owned()
    }

    /// Where no two decisions can meet, it does not matter who is heard first.
    fn interchangeable(&self) -> Vec<Vec<NodeId>> {
        match self.termination {
            Termination::Wait => vec![(1..SIZE).map(node).collect()],
            Termination::Timeout | Termination::Cooperative | Termination::ThreePhases => {
                Vec::new()
            }
        }
    }

    fn guarantees(&self) -> Vec<EndGuarantee<Self::Observation>> {
        type Seen<'a> = End<'a, (bool, Option<Decision>)>;
        let is_optimist = self.spec == CommitSpec::Optimist;
        let decisions =
            |end: &Seen<'_>| end.all().filter_map(|(_, seen)| seen.1).collect::<Vec<_>>();
        let all_agree = move |end: &Seen<'_>| {
            decisions(end).windows(2).all(|neighbours| neighbours[0] == neighbours[1])
        };
        vec![
            EndGuarantee::implies(
                "once somebody has prepared, two decide",
                |end: &Seen<'_>| end.all().any(|(_, seen)| seen.0),
                move |end| decisions(end).len() >= 2 || is_optimist && !end.is_correct(node(0)),
            ),
            EndGuarantee::implies(
                "all who decide agree",
                move |end| !decisions(end).is_empty(),
                all_agree,
            ),
        ]
    }
}
