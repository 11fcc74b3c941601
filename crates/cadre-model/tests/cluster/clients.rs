use cadre_model::{ActionOf, Budget, Cluster, Faults, HistoryEntry, Network, TypedAction};
use cadre_step::{Event, RequestId};

use crate::tiny::{Tiny, after, crash, deliver, enabled, node, reachable, restart};

/// Node `a` hands each request on to `b` and answers once it hears from `b`, with what it hears.
fn relay(faults: Faults) -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |_, _, _| 0,
        step: |id, state, event, out| match event {
            Event::Request { id, request } => {
                *state = 1 + id.number;
                out.send(node(1), request);
            }
            Event::Deliver { message, .. } if id == node(1) => out.send(node(0), message + 1),
            Event::Deliver { message, .. } => {
                // To whoever asked last; a relay without memory of it answers number 0.
                let number = state.saturating_sub(1);
                out.respond(RequestId { client: 0, number }, message);
            }
            Event::Timeout(_) | Event::SyncDone | Event::SyncFailed(_) => {}
        },
    };
    let cluster = Cluster::builder(tiny).node("a").node("b").network(Network::ConsumedOnce);
    cluster.faults(faults).client("c", node(0), vec![10, 20]).build().unwrap()
}

fn ask(client: u32, number: u32, request: u32) -> ActionOf<Tiny> {
    TypedAction::Invoke { id: RequestId { client, number }, node: node(0), request }
}

fn invoked(client: u32, number: u32) -> HistoryEntry<u32> {
    HistoryEntry::Invoke { id: RequestId { client, number } }
}

fn returned(client: u32, number: u32, response: u32) -> HistoryEntry<u32> {
    HistoryEntry::Return { id: RequestId { client, number }, response }
}

fn history(cluster: &Cluster<Tiny>, path: &[ActionOf<Tiny>]) -> Vec<HistoryEntry<u32>> {
    cluster.with_view(&after(cluster, path), |view| view.history().to_vec())
}

#[test]
fn a_history_holds_requests_and_answers_in_their_order() {
    let cluster = relay(Faults::default());
    let path =
        [ask(0, 0, 10), deliver(0, 1, 10), deliver(1, 0, 11), ask(0, 1, 20), deliver(0, 1, 20)];
    assert_eq!(history(&cluster, &path), [invoked(0, 0), returned(0, 0, 11), invoked(0, 1)]);
    assert_eq!(reachable(&cluster).len(), 7, "there is one order only");
}

#[test]
fn a_client_waits_for_its_answer_before_it_asks_again() {
    let cluster = relay(Faults::default());
    let at = after(&cluster, &[ask(0, 0, 10)]);
    assert_eq!(enabled(&cluster, &at), [deliver(0, 1, 10)]);
}

#[test]
fn a_client_that_is_done_asks_no_more() {
    let cluster = relay(Faults::default());
    let once = |number, request| {
        [ask(0, number, request), deliver(0, 1, request), deliver(1, 0, request + 1)]
    };
    let at = after(&cluster, &[once(0, 10), once(1, 20)].concat());
    assert!(enabled(&cluster, &at).is_empty());
}

#[test]
fn the_client_of_a_crashed_node_waits_for_ever() {
    let faults = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let cluster = relay(faults);
    let tiny_crash = [ask(0, 0, 10), crash(0), restart(0)];
    assert_eq!(history(&cluster, &tiny_crash), [invoked(0, 0)]);
    let asks = |at: &_| {
        let asks = |action: &ActionOf<Tiny>| matches!(action, TypedAction::Invoke { .. });
        enabled(&cluster, at).iter().any(asks)
    };
    assert!(!asks(&after(&cluster, &tiny_crash)));
    // What answers it after all is an answer like any other.
    let path = [&tiny_crash[..], &[deliver(0, 1, 10), deliver(1, 0, 11)]].concat();
    assert_eq!(history(&cluster, &path), [invoked(0, 0), returned(0, 0, 11)]);
    assert!(asks(&after(&cluster, &path)));
}

#[test]
fn nobody_asks_a_node_that_is_down() {
    let faults = Faults { crashes: Budget::AtMost(1), ..Faults::default() };
    let cluster = relay(faults);
    assert_eq!(enabled(&cluster, &after(&cluster, &[crash(0)])), []);
}

#[test]
fn answers_that_nobody_waits_for_are_ignored() {
    let tiny = Tiny {
        start: |_, _, _| 0,
        step: |_, state, event, out| {
            if let Event::Request { id, .. } = event {
                *state += 1;
                out.respond(RequestId { number: 7, ..id }, 1);
                out.respond(RequestId { client: 9, ..id }, 2);
                out.respond(id, 3);
                out.respond(id, 4);
            }
        },
    };
    let cluster = Cluster::builder(tiny).node("a").client("c", node(0), vec![5]).build().unwrap();
    assert_eq!(history(&cluster, &[ask(0, 0, 5)]), [invoked(0, 0), returned(0, 0, 3)]);
}

#[test]
fn clients_do_not_wait_for_each_other() {
    let tiny = Tiny {
        start: |_, _, _| 0,
        step: |_, _, event, out| {
            if let Event::Request { id, request } = event {
                out.respond(id, request);
            }
        },
    };
    let cluster = Cluster::builder(tiny).node("a");
    let cluster = cluster.client("c", node(0), vec![1, 2]).client("d", node(0), vec![3]);
    let cluster = cluster.build().unwrap();
    assert_eq!(enabled(&cluster, cluster.initial()), [ask(0, 0, 1), ask(1, 0, 3)]);
    // The histories are the orders of three answered requests, two of which have theirs: 1+2+3+3.
    assert_eq!(reachable(&cluster).len(), 9);
    let one = history(&cluster, &[ask(1, 0, 3), ask(0, 0, 1)]);
    assert_eq!(one, [invoked(1, 0), returned(1, 0, 3), invoked(0, 0), returned(0, 0, 1)]);
}
