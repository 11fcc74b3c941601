use std::time::Duration;

use cadre_model::{Budget, Cluster, Faults};
use cadre_step::Event;
use serde_json::json;

use crate::tiny::{
    Tiny, after, crash, deliver, enabled, fire, look, node, reachable, restart, snapshots,
};

const SHORT: Duration = Duration::from_millis(1);

/// Arms timers 1 and 2 at its start and 3 when 1 goes off, which also takes 2 back.
fn alarm(faults: Faults) -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |_, _, out| {
            out.set_timer(2, SHORT);
            out.set_timer(1, SHORT * 1000);
            0
        },
        step: |_, state, event, out| {
            if let Event::Timeout(timer) = event {
                *state = *state * 10 + timer;
                if timer == 1 {
                    out.cancel_timer(2);
                    out.set_timer(3, SHORT);
                    out.set_timer(3, SHORT * 2);
                }
            }
        },
    };
    Cluster::builder(tiny).node("a").faults(faults).build().unwrap()
}

#[test]
fn every_armed_timer_may_go_off_at_any_moment() {
    let cluster = alarm(Faults::default());
    assert_eq!(enabled(&cluster, cluster.initial()), [fire(0, 1), fire(0, 2)]);
}

#[test]
fn a_timer_goes_off_once() {
    let cluster = alarm(Faults::default());
    let at = after(&cluster, &[fire(0, 2)]);
    assert_eq!(enabled(&cluster, &at), [fire(0, 1)]);
    assert_eq!(look(&cluster, &at, "a").timers, [json!(1)]);
}

#[test]
fn a_timer_that_is_taken_back_does_not_go_off() {
    let cluster = alarm(Faults::default());
    let at = after(&cluster, &[fire(0, 1)]);
    assert_eq!(enabled(&cluster, &at), [fire(0, 3)]);
}

#[test]
fn a_timer_armed_twice_is_one_timer() {
    let cluster = alarm(Faults::default());
    assert_eq!(look(&cluster, &after(&cluster, &[fire(0, 1)]), "a").timers, [json!(3)]);
    let at = after(&cluster, &[fire(0, 1), fire(0, 3)]);
    assert!(enabled(&cluster, &at).is_empty());
}

#[test]
fn the_orders_in_which_timers_go_off_are_all_there() {
    let mut states: Vec<u64> = snapshots(&alarm(Faults::default()))
        .iter()
        .map(|snapshot| snapshot.nodes["a"].state.as_u64().unwrap())
        .collect();
    states.sort_unstable();
    assert_eq!(states, [0, 1, 2, 13, 21, 213]);
}

#[test]
fn a_crash_takes_the_timers() {
    let faults = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let cluster = alarm(faults);
    let down = after(&cluster, &[fire(0, 1), crash(0)]);
    assert_eq!(enabled(&cluster, &down), [restart(0)]);
    assert!(look(&cluster, &down, "a").timers.is_empty());
    let up = after(&cluster, &[fire(0, 1), crash(0), restart(0)]);
    assert_eq!(look(&cluster, &up, "a").timers, [json!(1), json!(2)], "those of the start");
}

#[test]
fn the_order_in_which_timers_are_armed_does_not_matter() {
    let tiny = Tiny {
        start: |id, _, out| {
            if id == node(0) {
                out.send(node(1), 4);
                out.send(node(1), 5);
            }
            0
        },
        step: |_, _, event, out| {
            if let Event::Deliver { message, .. } = event {
                out.set_timer(message, SHORT);
            }
        },
    };
    let cluster = Cluster::builder(tiny).node("a").node("b");
    let cluster = cluster.network(cadre_model::Network::ConsumedOnce).build().unwrap();
    let one = after(&cluster, &[deliver(0, 1, 4), deliver(0, 1, 5)]);
    let two = after(&cluster, &[deliver(0, 1, 5), deliver(0, 1, 4)]);
    assert_eq!(one, two);
    // Each of the two messages waits, has armed its timer, or has let it go off.
    assert_eq!(reachable(&cluster).len(), 9);
}
