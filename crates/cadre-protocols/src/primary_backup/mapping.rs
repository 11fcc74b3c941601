use std::collections::BTreeMap;

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::model::{HistoryEntry, TypedFault};
use cadre::prelude::{TypedAction, View};
use cadre::step::RequestId;
use cadre::tla::Value;

use super::game::{backup, client_name, is_of_primary, primary, value_of};
use super::step::{Choice, Held, Message, PrimaryBackup, Request, Response, Role, State, Turn};

/// The refinement mapping to `tla/PrimaryBackup`, whose README has the table.
pub(super) fn mapping(clients: usize) -> Mapping<PrimaryBackup> {
    Mapping::new(spec(clients), action, move |view| variables(view, clients))
}

fn spec(clients: usize) -> Spec {
    let of = |is_wanted: fn(&usize) -> bool| Value::set((0..clients).filter(is_wanted).map(client));
    const SPEC: &str = include_str!("../../../../tla/PrimaryBackup/PrimaryBackup.tla");
    const MODEL: &str = include_str!("../../../../tla/PrimaryBackup/MCPrimaryBackup.tla");
    const TRACE: &str = include_str!("../../../../tla/PrimaryBackup/TracePrimaryBackup.tla");
    Spec::new("PrimaryBackup")
        .module("PrimaryBackup", SPEC)
        .module("MCPrimaryBackup", MODEL)
        .module("TracePrimaryBackup", TRACE)
        .constant("PrimaryClient", of(|client| is_of_primary(*client)))
        .constant("BackupClient", of(|client| !is_of_primary(*client)))
        .constant("None", stored(None))
        .variables(["primary", "backup", "msgs", "asked", "answers", "answered"])
        .invariants(["TypeOK", "Durable", "Agree"])
        .temporal("FairSpec", ["BackupAnswers", "Irrevocable"])
}

fn action(_: &View<PrimaryBackup>, action: &TypedAction<Message, Choice, Request>) -> SpecAction {
    match action {
        TypedAction::Invoke { id, node, .. } => {
            let name = if *node == primary() { "AskPrimary" } else { "AskBackup" };
            SpecAction::named(name).with("c", client_of(*id))
        }
        TypedAction::Deliver { message: Message::Copy { number: copied, .. }, .. } => {
            SpecAction::named("GetCopy").with("n", number(*copied))
        }
        TypedAction::Deliver { message: Message::Confirm { number: confirmed }, .. } => {
            SpecAction::named("GetConfirm").with("n", number(*confirmed))
        }
        TypedAction::Choose { timer: Choice::TakeOver, .. } => SpecAction::named("TakeOver"),
        TypedAction::Fault(TypedFault::Crash { node, .. }) => {
            let name = if *node == primary() { "CrashPrimary" } else { "CrashBackup" };
            SpecAction::named(name)
        }
        // The specification knows of nothing else; what claims to be more than stuttering is
        // rejected.
        TypedAction::Fault(_)
        | TypedAction::Tick
        | TypedAction::SyncDone { .. }
        | TypedAction::Fire { .. } => SpecAction::Stutter,
    }
}

fn variables(view: &View<PrimaryBackup>, clients: usize) -> BTreeMap<String, Value> {
    let mut asked = vec![0; clients];
    let mut answers = vec![Vec::new(); clients];
    // The requests of the primary in the order of their numbers.
    let mut turns: Vec<RequestId> = Vec::new();
    let mut answered = 0;
    for entry in view.history() {
        let id = entry.id();
        match entry {
            HistoryEntry::Invoke { .. } => {
                asked[id.client as usize] += 1;
                turns.extend(is_of_primary(id.client as usize).then_some(id));
            }
            HistoryEntry::Return { response, .. } => {
                answers[id.client as usize].push(answer(*response));
                let turn = turns.iter().zip(1..).find(|(turn, _)| **turn == id);
                answered = turn.map_or(answered, |(_, number)| answered.max(number));
            }
        }
    }
    let by_client = |values: Vec<Value>| Value::function((0..clients).map(client).zip(values));
    BTreeMap::from([
        ("primary".to_owned(), node(view.state(primary()))),
        ("backup".to_owned(), node(view.state(backup()))),
        ("msgs".to_owned(), Value::set(view.in_flight().map(|(_, _, sent)| message(sent)))),
        ("asked".to_owned(), by_client(asked.into_iter().map(number).collect())),
        ("answers".to_owned(), by_client(answers.into_iter().map(Value::sequence).collect())),
        ("answered".to_owned(), number(answered)),
    ])
}

/// A node's state; a node without one is down.
fn node(state: Option<&State>) -> Value {
    let mode = |name: &str| ("mode", Value::string(name));
    let Some(state) = state else { return Value::record([mode("down")]) };
    let register = [("number", number(state.number)), ("value", stored(state.value))];
    let of_role = match state.role {
        Role::Primary => {
            let unconfirmed = Value::sequence(state.unconfirmed.iter().map(turn));
            vec![mode("primary"), ("unconfirmed", unconfirmed)]
        }
        Role::Backup => {
            let held = state.held.iter().map(|Held { id, .. }| client_of(*id));
            vec![mode("backup"), ("held", Value::sequence(held))]
        }
        Role::Successor => vec![mode("successor")],
    };
    Value::record(of_role.into_iter().chain(register))
}

fn turn(turn: &Turn) -> Value {
    Value::record([
        ("number", number(turn.number)),
        ("client", client_of(turn.id)),
        ("answer", answer(turn.response)),
    ])
}

fn message(message: &Message) -> Value {
    let kind = |name: &str| ("type", Value::string(name));
    match message {
        Message::Copy { number: copied, value } => {
            Value::record([kind("Copy"), ("number", number(*copied)), ("value", stored(*value))])
        }
        Message::Confirm { number: confirmed } => {
            Value::record([kind("Confirm"), ("number", number(*confirmed))])
        }
    }
}

fn answer(response: Response) -> Value {
    match response {
        Response::Stored => Value::string("stored"),
        Response::Value(value) => stored(value),
    }
}

/// A value of the register as the client that puts it.
fn stored(value: Option<u32>) -> Value {
    let putter = |value| (0..).find(|client| value_of(*client) == value);
    value.and_then(putter).map_or(Value::model("none"), client)
}

/// A client as a model value.
fn client(client: usize) -> Value {
    Value::model(client_name(client))
}

fn client_of(id: RequestId) -> Value {
    client(id.client as usize)
}

fn number(number: u32) -> Value {
    Value::Int(number.into())
}
