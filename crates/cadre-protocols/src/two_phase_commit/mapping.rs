use std::collections::BTreeMap;

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::prelude::{NodeId, TypedAction, View};
use cadre::tla::Value;

use super::game::participant_name;
use super::step::{Choice, Decision, Message, Progress, State, TwoPhaseCommit};

/// The refinement mapping to `tla/TwoPhase`, whose README has the table.
pub(super) fn mapping(participants: usize) -> Mapping<TwoPhaseCommit> {
    Mapping::new(spec(participants), action, variables)
}

fn spec(participants: usize) -> Spec {
    let managers = (1..=participants).map(NodeId::from_index).map(participant);
    Spec::new("TwoPhase")
        .module("TwoPhase", include_str!("../../../../tla/TwoPhase/TwoPhase.tla"))
        .module("MCTwoPhase", include_str!("../../../../tla/TwoPhase/MCTwoPhase.tla"))
        .module("TraceTwoPhase", include_str!("../../../../tla/TwoPhase/TraceTwoPhase.tla"))
        .constant("RM", Value::set(managers))
        .variables(["rmState", "tmState", "tmPrepared", "msgs"])
        .invariants(["TypeOK", "Consistent"])
        .temporal("FairSpec", ["EverybodyDecides", "Irrevocable"])
}

fn action(
    _: &View<TwoPhaseCommit>,
    action: &TypedAction<Message, Choice, cadre::step::Nothing>,
) -> SpecAction {
    match action {
        TypedAction::Choose { node, timer } => match (node.index(), timer) {
            (0, Choice::Commit) => step("TMCommit", None),
            (0, Choice::Abort) => step("TMAbort", None),
            (_, Choice::Prepare) => step("RMPrepare", Some(*node)),
            (_, Choice::Abort) => step("RMChooseToAbort", Some(*node)),
            (_, Choice::Commit) => SpecAction::Stutter,
        },
        TypedAction::Deliver { from, to, message } => match message {
            Message::Prepared => step("TMRcvPrepared", Some(*from)),
            Message::Commit => step("RMRcvCommitMsg", Some(*to)),
            Message::Abort => step("RMRcvAbortMsg", Some(*to)),
        },
        // The specification knows of nothing else; what claims to be more than stuttering is
        // rejected.
        TypedAction::Fault(_)
        | TypedAction::Tick
        | TypedAction::Fire { .. }
        | TypedAction::SyncDone { .. }
        | TypedAction::Invoke { .. } => SpecAction::Stutter,
    }
}

fn variables(view: &View<TwoPhaseCommit>) -> BTreeMap<String, Value> {
    let mut rm_state = Vec::new();
    let (mut tm_state, mut tm_prepared) = (Value::string("init"), Value::set([]));
    for node in view.nodes() {
        match view.state(node) {
            Some(State::Manager { decision, prepared }) => {
                tm_state = Value::string(match decision {
                    Decision::Undecided => "init",
                    Decision::Committed => "committed",
                    Decision::Aborted => "aborted",
                });
                tm_prepared = Value::set(prepared.iter().copied().map(participant));
            }
            Some(State::Participant(progress)) => {
                let state = Value::string(match progress {
                    Progress::Working => "working",
                    Progress::Prepared => "prepared",
                    Progress::Committed => "committed",
                    Progress::Aborted => "aborted",
                });
                rm_state.push((participant(node), state));
            }
            None => {}
        }
    }
    BTreeMap::from([
        ("rmState".to_owned(), Value::function(rm_state)),
        ("tmState".to_owned(), tm_state),
        ("tmPrepared".to_owned(), tm_prepared),
        ("msgs".to_owned(), Value::set(view.in_flight().map(message))),
    ])
}

/// A message; the specification broadcasts, so that `Commit` to all is one message there.
fn message((from, _, message): (NodeId, NodeId, &Message)) -> Value {
    let kind = |name: &str| ("type", Value::string(name));
    match message {
        Message::Prepared => Value::record([kind("Prepared"), ("rm", participant(from))]),
        Message::Commit => Value::record([kind("Commit")]),
        Message::Abort => Value::record([kind("Abort")]),
    }
}

fn step(name: &str, participant_of: Option<NodeId>) -> SpecAction {
    let argument = participant_of.map(|node| ("rm".to_owned(), participant(node)));
    SpecAction::Step { name: name.to_owned(), arguments: argument.into_iter().collect() }
}

/// A resource manager as a model value.
fn participant(node: NodeId) -> Value {
    Value::model(participant_name(node.index()))
}
