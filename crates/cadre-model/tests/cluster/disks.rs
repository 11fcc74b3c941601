use cadre_model::{ActionOf, Budget, Cluster, Configuration, Faults, TypedAction};
use cadre_step::{Event, RequestId};
use cadre_trace::DiskWrite;
use serde_json::json;

use crate::tiny::{
    Tiny, after, crash, crash_restart, enabled, look, node, reachable, restart, sync_done,
};

const PUT: u32 = 1;
const PUT_SYNCED: u32 = 2;
const SYNC: u32 = 3;
const DELETE: u32 = 4;
const PUT_AND_SYNC: u32 = 5;

/// One node that does to its disk what a client asks for, and whose state after a start is what it
/// finds there: 1 for the key that is put, 10 for the key that is put synced.
fn writer(requests: &[u32]) -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |_, disk, _| {
            let get = |key: &str| disk.get::<u32>(key).unwrap().unwrap_or(0);
            get("put") + 10 * get("synced")
        },
        step: |_, state, event, out| match event {
            Event::Request { id, request } => {
                match request {
                    PUT => out.put("put", &1),
                    PUT_SYNCED => out.put_synced("synced", &1),
                    SYNC => out.sync(),
                    DELETE => out.delete("put"),
                    PUT_AND_SYNC => {
                        out.put("put", &1);
                        out.sync();
                    }
                    other => panic!("no such request: {other}"),
                }
                out.respond(id, 0);
            }
            Event::SyncDone | Event::SyncFailed(_) => *state += 100,
            Event::Deliver { .. } | Event::Timeout(_) => {}
        },
    };
    let faults = Faults {
        crashes: Budget::AtMost(1),
        restarts: true,
        crash_restarts: Budget::AtMost(1),
        ..Faults::default()
    };
    let cluster = Cluster::builder(tiny).node("a").faults(faults);
    cluster.client("c", node(0), requests.to_vec()).build().unwrap()
}

fn ask(number: u32, request: u32) -> ActionOf<Tiny> {
    TypedAction::Invoke { id: RequestId { client: 0, number }, node: node(0), request }
}

/// What the node finds when it starts again.
fn found(cluster: &Cluster<Tiny>, before: &[ActionOf<Tiny>]) -> u64 {
    let state = |last: &[ActionOf<Tiny>]| {
        let at: Configuration = after(cluster, &[before, last].concat());
        look(cluster, &at, "a").state.as_u64().unwrap()
    };
    let apart = state(&[crash(0), restart(0)]);
    assert_eq!(apart, state(&[crash_restart(0)]), "the two kinds of crash agree");
    apart
}

#[test]
fn a_write_without_a_sync_is_lost_in_a_crash() {
    let cluster = writer(&[PUT]);
    assert_eq!(found(&cluster, &[ask(0, PUT)]), 0);
}

#[test]
fn an_atomic_write_and_sync_survives_a_crash() {
    let cluster = writer(&[PUT_SYNCED]);
    assert_eq!(found(&cluster, &[ask(0, PUT_SYNCED)]), 10);
}

#[test]
fn a_write_survives_a_crash_once_its_sync_is_done() {
    let cluster = writer(&[PUT, SYNC]);
    let asked = [ask(0, PUT), ask(1, SYNC)];
    assert_eq!(found(&cluster, &asked), 0, "the sync is asked for and not done");
    let done = [&asked[..], &[sync_done(0)]].concat();
    assert_eq!(found(&cluster, &done), 1);
    assert_eq!(look(&cluster, &after(&cluster, &done), "a").state, json!(100));
}

#[test]
fn an_atomic_write_does_not_sync_what_was_written_before_it() {
    let cluster = writer(&[PUT, PUT_SYNCED]);
    let asked = [ask(0, PUT), ask(1, PUT_SYNCED)];
    assert_eq!(found(&cluster, &asked), 10);
    let unsynced = look(&cluster, &after(&cluster, &asked), "a").unsynced;
    assert_eq!(unsynced, [DiskWrite::Put { key: "put".to_owned(), value: "1".to_owned() }]);
}

#[test]
fn a_sync_covers_what_was_written_before_it_was_asked_for() {
    let cluster = writer(&[SYNC, PUT]);
    let done = [ask(0, SYNC), ask(1, PUT), sync_done(0)];
    assert_eq!(found(&cluster, &done), 0, "the write came after the sync");
}

#[test]
fn syncs_are_done_oldest_first() {
    let cluster = writer(&[PUT, SYNC, DELETE, SYNC]);
    let asked = [ask(0, PUT), ask(1, SYNC), ask(2, DELETE), ask(3, SYNC)];
    let once = [&asked[..], &[sync_done(0)]].concat();
    assert_eq!(found(&cluster, &once), 1, "the first sync covers the write alone");
    let twice = [&once[..], &[sync_done(0)]].concat();
    assert_eq!(found(&cluster, &twice), 0, "the second sync covers the deletion");
    assert!(!enabled(&cluster, &after(&cluster, &twice)).contains(&sync_done(0)));
}

#[test]
fn a_deletion_without_a_sync_is_lost_in_a_crash() {
    let cluster = writer(&[PUT, SYNC, DELETE]);
    let path = [ask(0, PUT), ask(1, SYNC), sync_done(0), ask(2, DELETE)];
    assert_eq!(found(&cluster, &path), 1);
}

#[test]
fn no_sync_is_done_that_nobody_asked_for() {
    let cluster = writer(&[PUT]);
    assert!(!enabled(&cluster, &after(&cluster, &[ask(0, PUT)])).contains(&sync_done(0)));
}

#[test]
fn a_crash_forgets_the_sync_that_was_asked_for() {
    let cluster = writer(&[PUT_AND_SYNC]);
    let down = after(&cluster, &[ask(0, PUT_AND_SYNC), crash(0)]);
    assert!(look(&cluster, &down, "a").unsynced.is_empty());
    let at = after(&cluster, &[ask(0, PUT_AND_SYNC), crash(0), restart(0)]);
    assert!(!enabled(&cluster, &at).contains(&sync_done(0)));
    assert!(look(&cluster, &at, "a").unsynced.is_empty());
}

#[test]
fn a_write_and_its_sync_have_a_gap_and_an_atomic_write_has_none() {
    // Asked, or not; crashed at some moment, in one of two ways, or not; the answer is in the
    // history.
    let durable = |request: u32, key: &str| {
        let cluster = writer(&[request]);
        let answered = reachable(&cluster);
        let answered = answered.iter().map(|at| cluster.snapshot(at));
        answered
            .filter(|snapshot| snapshot.history.len() == 2)
            .all(|snapshot| snapshot.nodes["a"].disk.contains_key(key))
    };
    assert!(durable(PUT_SYNCED, "synced"));
    assert!(!durable(PUT_AND_SYNC, "put"), "answered, and not on the disk");
}
