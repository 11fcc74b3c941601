use std::collections::BTreeSet;

use cadre::step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

/// Two-phase commit: resource managers agree with a transaction manager on committing or aborting.
///
/// The formulation of Lamport, in "Specifying Systems" and of Gray and Lamport in "Consensus on
/// transaction commit" (2006): a resource manager prepares or aborts of its own accord; the
/// transaction manager commits once it has heard from all, or aborts at any time before; messages
/// are never consumed. Each node writes its new state to its disk, synced, before it says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoPhaseCommit {
    /// The transaction manager.
    pub manager: NodeId,
    /// The resource managers.
    pub participants: Vec<NodeId>,
    /// What is wrong with it.
    pub bug: Option<Bug>,
}

/// The seeded bugs of the step function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The transaction manager commits once it has heard from one resource manager.
    EarlyCommit,
    /// A resource manager that has prepared still aborts of its own accord.
    LateAbort,
}

/// What a node remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum State {
    /// Of the transaction manager.
    Manager {
        /// What it has decided.
        decision: Decision,
        /// The resource managers that it knows to be prepared.
        prepared: BTreeSet<NodeId>,
    },
    /// Of a resource manager.
    Participant(Progress),
}

/// What the transaction manager has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants say it")]
pub enum Decision {
    Undecided,
    Committed,
    Aborted,
}

/// How far a resource manager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants say it")]
pub enum Progress {
    Working,
    Prepared,
    Committed,
    Aborted,
}

/// What the nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A resource manager is ready to commit.
    Prepared,
    /// The transaction manager has committed.
    Commit,
    /// The transaction manager has aborted.
    Abort,
}

/// What a node does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// A resource manager becomes ready to commit.
    Prepare,
    /// The transaction manager commits.
    Commit,
    /// A resource manager, or the transaction manager, aborts.
    Abort,
}

/// Where a node keeps its state on its disk.
const STATE: &str = "state";

impl Protocol for TwoPhaseCommit {
    type State = State;
    type Message = Message;
    type Timer = Choice;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, disk: &Disk, _: &mut Effects<Self>) -> State {
        let saved = disk.get(STATE).expect("only this protocol writes to its disk");
        saved.unwrap_or_else(|| match node == self.manager {
            true => State::Manager { decision: Decision::Undecided, prepared: BTreeSet::new() },
            false => State::Participant(Progress::Working),
        })
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        let before = state.clone();
        match state {
            State::Manager { decision, prepared } => match event {
                Event::Deliver { from, message: Message::Prepared }
                    if *decision == Decision::Undecided =>
                {
                    prepared.insert(from);
                }
                Event::Timeout(Choice::Commit) => *decision = Decision::Committed,
                Event::Timeout(Choice::Abort) => *decision = Decision::Aborted,
                Event::Deliver { .. }
                | Event::Timeout(Choice::Prepare)
                | Event::Request { .. }
                | Event::SyncDone
                | Event::SyncFailed(_) => {}
            },
            State::Participant(progress) => match event {
                Event::Timeout(Choice::Prepare) => *progress = Progress::Prepared,
                Event::Timeout(Choice::Abort) => *progress = Progress::Aborted,
                Event::Deliver { message: Message::Commit, .. } => *progress = Progress::Committed,
                Event::Deliver { message: Message::Abort, .. } => *progress = Progress::Aborted,
                Event::Deliver { message: Message::Prepared, .. }
                | Event::Timeout(Choice::Commit)
                | Event::Request { .. }
                | Event::SyncDone
                | Event::SyncFailed(_) => {}
            },
        }
        if *state != before {
            out.put_synced(STATE, state);
            self.announce(state, out);
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<Choice> {
        match state {
            State::Manager { decision: Decision::Undecided, prepared } => {
                match prepared.len() >= self.quorum() {
                    true => vec![Choice::Commit, Choice::Abort],
                    false => vec![Choice::Abort],
                }
            }
            State::Participant(Progress::Working) => vec![Choice::Prepare, Choice::Abort],
            State::Participant(Progress::Prepared) if self.bug == Some(Bug::LateAbort) => {
                vec![Choice::Abort]
            }
            State::Manager { .. } | State::Participant(_) => Vec::new(),
        }
    }
}

impl TwoPhaseCommit {
    /// How many resource managers must be prepared before the transaction manager commits.
    fn quorum(&self) -> usize {
        match self.bug {
            Some(Bug::EarlyCommit) => 1,
            Some(Bug::LateAbort) | None => self.participants.len(),
        }
    }

    /// Says what a node in a new state has to say.
    fn announce(&self, state: &State, out: &mut Effects<Self>) {
        let to_all = self.participants.iter().copied();
        match state {
            State::Manager { decision: Decision::Committed, .. } => {
                out.broadcast(to_all, Message::Commit);
            }
            State::Manager { decision: Decision::Aborted, .. } => {
                out.broadcast(to_all, Message::Abort);
            }
            State::Participant(Progress::Prepared) => out.send(self.manager, Message::Prepared),
            State::Manager { decision: Decision::Undecided, .. } | State::Participant(_) => {}
        }
    }
}
