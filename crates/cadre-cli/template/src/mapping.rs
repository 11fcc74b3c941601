use std::collections::BTreeMap;

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::prelude::{NodeId, Nothing, TypedAction, View};
use cadre::tla::Value;

use super::step::{Choice, Greeting, Message, State};

/// What the protocol is in `tla/Greeting.tla`.
pub(super) fn mapping(guests: usize) -> Mapping<Greeting> {
    Mapping::new(spec(guests), action, variables)
}

fn spec(guests: usize) -> Spec {
    Spec::new("Greeting")
        .module("Greeting", include_str!("../tla/Greeting.tla"))
        .module("MCGreeting", include_str!("../tla/MCGreeting.tla"))
        .module("TraceGreeting", include_str!("../tla/TraceGreeting.tla"))
        .constant("Guest", Value::set((1..=guests).map(NodeId::from_index).map(guest)))
        .variables(["met", "welcomed", "msgs"])
        .invariants(["Polite"])
}

/// Which step of the specification an action is, if it changes the specification's variables.
fn action(_: &View<Greeting>, action: &TypedAction<Message, Choice, Nothing>) -> SpecAction {
    let step = |name: &str, node: NodeId| SpecAction::named(name).with("g", guest(node));
    match action {
        TypedAction::Choose { node, timer: Choice::SayHello } => step("SayHello", *node),
        TypedAction::Deliver { from, message: Message::Hello, .. } => step("Meet", *from),
        TypedAction::Deliver { to, message: Message::Welcome, .. } => step("Hear", *to),
        // The specification knows of nothing else.
        _ => SpecAction::Stutter,
    }
}

/// The specification's variables.
fn variables(view: &View<Greeting>) -> BTreeMap<String, Value> {
    let (mut met, mut welcomed) = (Value::set([]), Vec::new());
    for node in view.nodes() {
        match view.state(node) {
            Some(State::Host(guests)) => met = Value::set(guests.iter().copied().map(guest)),
            Some(State::Guest { welcomed: true, .. }) => welcomed.push(guest(node)),
            Some(State::Guest { .. }) | None => {}
        }
    }
    let message = |(from, to, message): (NodeId, NodeId, &Message)| match message {
        Message::Hello => Value::sequence(["hello".into(), guest(from)]),
        Message::Welcome => Value::sequence(["welcome".into(), guest(to)]),
    };
    BTreeMap::from([
        ("met".to_owned(), met),
        ("welcomed".to_owned(), Value::set(welcomed)),
        ("msgs".to_owned(), Value::set(view.in_flight().map(message))),
    ])
}

fn guest(node: NodeId) -> Value {
    Value::model(format!("g{}", node.index()))
}
