use std::collections::BTreeSet;

use stateright::{Model, Property};

/// Two-phase commit as a plain model of Stateright.
#[derive(Clone, Debug)]
pub(crate) struct TwoPhaseCommit {
    /// How many resource managers there are.
    pub(crate) participants: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    participants: Vec<Progress>,
    decision: Decision,
    /// Those that the transaction manager knows to be prepared.
    heard: Vec<bool>,
    messages: BTreeSet<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Progress {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Decision {
    Undecided,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Prepared(usize),
    Commit,
    Abort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Commit,
    Abort,
    HearPrepared(usize),
    Prepare(usize),
    ChooseToAbort(usize),
    HearCommit(usize),
    HearAbort(usize),
}

impl Model for TwoPhaseCommit {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            participants: vec![Progress::Working; self.participants],
            decision: Decision::Undecided,
            heard: vec![false; self.participants],
            messages: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let is_undecided = state.decision == Decision::Undecided;
        let is_committing = state.messages.contains(&Message::Commit);
        let is_aborting = state.messages.contains(&Message::Abort);
        if is_undecided {
            if state.heard.iter().all(|heard| *heard) {
                actions.push(Action::Commit);
            }
            actions.push(Action::Abort);
        }
        for participant in 0..self.participants {
            if is_undecided && state.messages.contains(&Message::Prepared(participant)) {
                actions.push(Action::HearPrepared(participant));
            }
            if state.participants[participant] == Progress::Working {
                actions.push(Action::Prepare(participant));
                actions.push(Action::ChooseToAbort(participant));
            }
            if is_committing {
                actions.push(Action::HearCommit(participant));
            }
            if is_aborting {
                actions.push(Action::HearAbort(participant));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Commit => {
                state.decision = Decision::Committed;
                state.messages.insert(Message::Commit);
            }
            Action::Abort => {
                state.decision = Decision::Aborted;
                state.messages.insert(Message::Abort);
            }
            Action::HearPrepared(participant) => state.heard[participant] = true,
            Action::Prepare(participant) => {
                state.participants[participant] = Progress::Prepared;
                state.messages.insert(Message::Prepared(participant));
            }
            Action::ChooseToAbort(participant) | Action::HearAbort(participant) => {
                state.participants[participant] = Progress::Aborted;
            }
            Action::HearCommit(participant) => {
                state.participants[participant] = Progress::Committed;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no two decide differently", |_, state: &State| {
            !(state.participants.contains(&Progress::Committed)
                && state.participants.contains(&Progress::Aborted))
        })]
    }
}
