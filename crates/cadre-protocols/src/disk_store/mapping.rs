use std::collections::BTreeMap;

use cadre::conform::{Mapping, Spec, SpecAction};
use cadre::model::{HistoryEntry, TypedFault};
use cadre::prelude::{Nothing, TypedAction, View};
use cadre::tla::Value;

use super::game::{KEYS, key_of, on_disk, put_value, store, writer_name};
use super::step::{DiskStore, Put, Request, Response};

/// The refinement mapping to `tla/DiskStore`, whose README has the table.
pub(super) fn mapping(writers: usize) -> Mapping<DiskStore> {
    Mapping::new(spec(writers), action, variables)
}

fn spec(writers: usize) -> Spec {
    let writers = (1..).take(writers);
    let key_of = writers.clone().map(|value| (writer(value), Value::model(key_of(value))));
    Spec::new("DiskStore")
        .module("DiskStore", include_str!("../../../../tla/DiskStore/DiskStore.tla"))
        .module("MCDiskStore", include_str!("../../../../tla/DiskStore/MCDiskStore.tla"))
        .module("TraceDiskStore", include_str!("../../../../tla/DiskStore/TraceDiskStore.tla"))
        .constant("Key", Value::set(KEYS.map(Value::model)))
        .constant("ReadKey", Value::model(KEYS[0]))
        .constant("Writer", Value::set(writers.map(writer)))
        .constant("KeyOf", Value::function(key_of))
        .constant("None", stored(None))
        .variables(["disk", "syncing", "waiting", "asked", "acknowledged", "answers"])
        .invariants(["TypeOK", "Durable", "Monotonic"])
        .temporal("FairSpec", ["SyncsEnd"])
}

fn action(_: &View<DiskStore>, action: &TypedAction<Nothing, Nothing, Request>) -> SpecAction {
    match action {
        TypedAction::Invoke { request: Request::Put { value, .. }, .. } => {
            SpecAction::named("Put").with("w", writer(*value))
        }
        TypedAction::Invoke { request: Request::Get { .. }, .. } => SpecAction::named("Get"),
        TypedAction::SyncDone { .. } => SpecAction::named("SyncDone"),
        TypedAction::Fault(TypedFault::Crash { .. } | TypedFault::CrashRestart { .. }) => {
            SpecAction::named("PowerLoss")
        }
        // The specification knows of nothing else; what claims to be more than stuttering is
        // rejected.
        TypedAction::Fault(_)
        | TypedAction::Tick
        | TypedAction::Deliver { .. }
        | TypedAction::Choose { .. }
        | TypedAction::Fire { .. } => SpecAction::Stutter,
    }
}

fn variables(view: &View<DiskStore>) -> BTreeMap<String, Value> {
    let puts = |puts: fn(&super::State) -> &[Put]| {
        let puts = view.state(store()).map_or(&[][..], puts);
        Value::sequence(puts.iter().map(|put| writer(put.value)))
    };
    let (mut asked, mut acknowledged, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for entry in view.history() {
        match entry {
            HistoryEntry::Invoke { id } => asked.extend(put_value(view.request(*id)).map(writer)),
            HistoryEntry::Return { id, response: Response::Stored } => {
                acknowledged.extend(put_value(view.request(*id)).map(writer));
            }
            HistoryEntry::Return { response: Response::Value(value), .. } => {
                answers.push(stored(*value));
            }
        }
    }
    let disk = KEYS.map(|key| (Value::model(key), stored(on_disk(view, key))));
    BTreeMap::from([
        ("disk".to_owned(), Value::function(disk)),
        ("syncing".to_owned(), puts(|state| &state.syncing)),
        ("waiting".to_owned(), puts(|state| &state.waiting)),
        ("asked".to_owned(), Value::sequence(asked)),
        ("acknowledged".to_owned(), Value::set(acknowledged)),
        ("answers".to_owned(), Value::sequence(answers)),
    ])
}

/// A writer as a model value; it stands for the value that it puts, too.
fn writer(value: u32) -> Value {
    Value::model(writer_name(value))
}

/// What is stored, as a model value.
fn stored(value: Option<u32>) -> Value {
    value.map_or(Value::model("none"), writer)
}
