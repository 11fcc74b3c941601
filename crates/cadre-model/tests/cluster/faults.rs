use cadre_model::{Budget, Cluster, ClusterError, Configuration, Faults, Guarantee, Network};
use cadre_step::{Event, NodeId};
use cadre_trace::{Snapshot, Status};
use serde_json::json;

use crate::tiny::{
    Tiny, after, crash, crash_restart, deliver, duplicate, enabled, look, lose, node, reachable,
    restart, snapshots,
};

/// Node `a` sends so many equal messages to `b`, which counts what it gets.
fn senders<const COUNT: usize>(network: Network, faults: Faults) -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |id, _, out| {
            let count = if id == node(0) { COUNT } else { 0 };
            (0..count).for_each(|_| out.send(node(1), 7));
            0
        },
        step: |_, state, event, _| {
            if let Event::Deliver { .. } = event {
                *state = (*state + 1).min(5);
            }
        },
    };
    build(tiny, network, faults)
}

fn build(tiny: Tiny, network: Network, faults: Faults) -> Cluster<Tiny> {
    Cluster::builder(tiny).node("a").node("b").network(network).faults(faults).build().unwrap()
}

fn states_of(all: &[Snapshot], name: &str) -> Vec<u64> {
    let mut states: Vec<u64> =
        all.iter().filter_map(|snapshot| snapshot.nodes[name].state.as_u64()).collect();
    states.sort_unstable();
    states.dedup();
    states
}

#[test]
fn a_growing_set_delivers_one_message_again_and_again() {
    let cluster = senders::<1>(Network::GrowingSet, Faults::default());
    let all = snapshots(&cluster);
    assert_eq!(states_of(&all, "b"), [0, 1, 2, 3, 4, 5]);
    assert!(all.iter().all(|snapshot| snapshot.network.len() == 1));
}

#[test]
fn a_growing_set_holds_equal_messages_once() {
    let cluster = senders::<3>(Network::GrowingSet, Faults::default());
    assert_eq!(cluster.snapshot(cluster.initial()).network.len(), 1);
}

#[test]
fn a_consumed_message_is_delivered_once() {
    let cluster = senders::<1>(Network::ConsumedOnce, Faults::default());
    let all = snapshots(&cluster);
    assert_eq!(states_of(&all, "b"), [0, 1]);
    assert_eq!(all.len(), 2);
    assert!(enabled(&cluster, &after(&cluster, &[deliver(0, 1, 7)])).is_empty());
}

#[test]
fn equal_messages_in_a_network_that_consumes_are_counted() {
    let cluster = senders::<3>(Network::ConsumedOnce, Faults::default());
    assert_eq!(cluster.snapshot(cluster.initial()).network.len(), 3);
    assert_eq!(enabled(&cluster, cluster.initial()), [deliver(0, 1, 7)]);
    assert_eq!(reachable(&cluster).len(), 4);
    assert_eq!(states_of(&snapshots(&cluster), "b"), [0, 1, 2, 3]);
}

#[test]
fn a_delivery_that_changes_nothing_still_consumes() {
    let tiny = Tiny {
        start: |id, _, out| {
            if id == node(0) {
                out.send(node(1), 7);
            }
            0
        },
        step: |_, _, _, _| {},
    };
    let cluster = build(tiny, Network::ConsumedOnce, Faults::default());
    let at = after(&cluster, &[deliver(0, 1, 7)]);
    assert!(cluster.snapshot(&at).network.is_empty());
}

#[test]
fn a_delivery_that_changes_nothing_in_a_growing_set_is_not_listed() {
    let tiny = Tiny {
        start: |_, _, out| {
            out.send(node(1), 7);
            0
        },
        step: |_, _, _, _| {},
    };
    let cluster = build(tiny, Network::GrowingSet, Faults::default());
    assert!(enabled(&cluster, cluster.initial()).is_empty());
}

#[test]
fn a_budget_of_losses_bounds_what_is_lost() {
    for budget in 0..=3_u8 {
        let faults = Faults { losses: Budget::AtMost(budget), ..Faults::default() };
        let cluster = senders::<3>(Network::ConsumedOnce, faults);
        // Delivered and lost messages add up to three at most, of which the lost to the budget.
        let expected: usize = (0..=usize::from(budget)).map(|lost| 4 - lost).sum();
        assert_eq!(reachable(&cluster).len(), expected, "budget {budget}");
    }
}

#[test]
fn an_unlimited_budget_adds_no_configurations_of_its_own() {
    let faults = Faults { losses: Budget::Unlimited, ..Faults::default() };
    let cluster = senders::<3>(Network::ConsumedOnce, faults);
    // The same numbers of delivered and waiting messages, whatever was lost: 4 + 3 + 2 + 1.
    assert_eq!(reachable(&cluster).len(), 10);
    let limited = Faults { losses: Budget::AtMost(3), ..Faults::default() };
    assert_eq!(reachable(&senders::<3>(Network::ConsumedOnce, limited)).len(), 10);
}

#[test]
fn a_lost_message_never_arrives() {
    let faults = Faults { losses: Budget::AtMost(1), ..Faults::default() };
    let cluster = senders::<1>(Network::ConsumedOnce, faults);
    let at = after(&cluster, &[lose(0, 1, 7)]);
    assert!(enabled(&cluster, &at).is_empty());
    assert_eq!(look(&cluster, &at, "b").state, json!(0));
}

#[test]
fn a_budget_of_duplications_bounds_what_arrives_twice() {
    for budget in 0..=3_u8 {
        let faults = Faults { duplications: Budget::AtMost(budget), ..Faults::default() };
        let cluster = senders::<1>(Network::ConsumedOnce, faults);
        let most = states_of(&snapshots(&cluster), "b").into_iter().max();
        assert_eq!(most, Some(1 + u64::from(budget)));
    }
}

#[test]
fn a_duplicate_is_in_flight_beside_the_message() {
    let faults = Faults { duplications: Budget::AtMost(1), ..Faults::default() };
    let cluster = senders::<1>(Network::ConsumedOnce, faults);
    let at = after(&cluster, &[duplicate(0, 1, 7)]);
    assert_eq!(cluster.snapshot(&at).network.len(), 2);
    let at = after(&cluster, &[duplicate(0, 1, 7), deliver(0, 1, 7), deliver(0, 1, 7)]);
    assert!(enabled(&cluster, &at).is_empty());
    assert_eq!(look(&cluster, &at, "b").state, json!(2));
}

#[test]
fn losses_and_duplications_are_no_faults_of_a_growing_set() {
    let losses = Faults { losses: Budget::AtMost(1), ..Faults::default() };
    let duplications = Faults { duplications: Budget::Unlimited, ..Faults::default() };
    for (faults, fault) in [(losses, "losses"), (duplications, "duplications")] {
        let tiny = Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
        let built = Cluster::builder(tiny).node("a").faults(faults).build();
        assert_eq!(built.unwrap_err(), ClusterError::FaultOfTheNetwork { fault });
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let builder = || Cluster::builder(Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} });
    assert_eq!(builder().build().unwrap_err(), ClusterError::NoNode);
    let twice = builder().node("a").node("a").build().unwrap_err();
    assert_eq!(twice, ClusterError::NodeTwice { name: "a".to_owned() });
    let stray = builder().node("a").client("c", node(3), vec![1]).build().unwrap_err();
    assert_eq!(stray, ClusterError::ClientOfUnknownNode { node: 3, nodes: 1 });
}

#[test]
fn a_stopped_node_stays_down_where_nothing_restarts() {
    let faults = Faults { crashes: Budget::AtMost(1), ..Faults::default() };
    let cluster = senders::<1>(Network::GrowingSet, faults);
    let at = after(&cluster, &[deliver(0, 1, 7), crash(1)]);
    assert_eq!(look(&cluster, &at, "b").status, Status::Down);
    assert!(enabled(&cluster, &at).is_empty(), "the budget is spent and `b` takes no steps");
}

#[test]
fn a_message_for_a_node_that_is_down_waits() {
    let faults = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let cluster = senders::<1>(Network::ConsumedOnce, faults);
    let down = after(&cluster, &[crash(1)]);
    assert_eq!(enabled(&cluster, &down), [restart(1)]);
    assert_eq!(cluster.snapshot(&down).network.len(), 1);
    let at = after(&cluster, &[crash(1), restart(1), deliver(0, 1, 7)]);
    assert_eq!(look(&cluster, &at, "b").state, json!(1));
}

#[test]
fn a_crash_takes_the_memory_and_a_restart_begins_anew() {
    let faults = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let cluster = senders::<1>(Network::GrowingSet, faults);
    let at = after(&cluster, &[deliver(0, 1, 7), deliver(0, 1, 7), crash(1)]);
    assert_eq!(look(&cluster, &at, "b").state, json!(null));
    let path = [deliver(0, 1, 7), deliver(0, 1, 7), crash(1), restart(1)];
    assert_eq!(look(&cluster, &after(&cluster, &path), "b").state, json!(0));
}

#[test]
fn a_crash_and_restart_as_one_step_is_the_two_steps() {
    let apart = Faults { crashes: Budget::AtMost(1), restarts: true, ..Faults::default() };
    let at_once = Faults { crash_restarts: Budget::AtMost(1), ..Faults::default() };
    let (apart, at_once) =
        (senders::<1>(Network::GrowingSet, apart), senders::<1>(Network::GrowingSet, at_once));
    let one = after(&apart, &[deliver(0, 1, 7), crash(1), restart(1)]);
    let other = after(&at_once, &[deliver(0, 1, 7), crash_restart(1)]);
    assert_eq!(apart.snapshot(&one), at_once.snapshot(&other));
    let up = |all: Vec<Snapshot>| {
        let is_up =
            |snapshot: &Snapshot| snapshot.nodes.values().all(|node| node.status == Status::Up);
        states_of(&all.into_iter().filter(is_up).collect::<Vec<_>>(), "b")
    };
    assert_eq!(up(snapshots(&apart)), up(snapshots(&at_once)));
    assert!(reachable(&at_once).len() < reachable(&apart).len());
}

#[test]
fn a_fault_that_changes_nothing_is_not_listed_and_costs_nothing() {
    let faults = Faults { crash_restarts: Budget::AtMost(1), ..Faults::default() };
    let tiny = Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
    let cluster = build(tiny, Network::GrowingSet, faults);
    // A node that is as it began loses nothing by starting again.
    assert!(enabled(&cluster, cluster.initial()).is_empty());
    assert_eq!(reachable(&cluster).len(), 1);
}

#[test]
fn unlimited_crashes_add_no_more_than_the_nodes_being_down() {
    let faults = Faults { crashes: Budget::Unlimited, restarts: true, ..Faults::default() };
    let tiny = Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
    let cluster = build(tiny, Network::GrowingSet, faults);
    assert_eq!(reachable(&cluster).len(), 4);
}

#[test]
fn crashes_are_counted_over_all_nodes() {
    for budget in 0..=2_u8 {
        let faults = Faults { crashes: Budget::AtMost(budget), ..Faults::default() };
        let tiny = Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
        let cluster = build(tiny, Network::GrowingSet, faults);
        let most_down = snapshots(&cluster)
            .iter()
            .map(|snapshot| snapshot.nodes.values().filter(|n| n.status == Status::Down).count())
            .max();
        assert_eq!(most_down, Some(usize::from(budget)));
    }
}

#[test]
fn what_a_crashed_node_sent_is_still_delivered() {
    let faults = Faults { crashes: Budget::AtMost(1), ..Faults::default() };
    for network in [Network::GrowingSet, Network::ConsumedOnce] {
        let cluster = senders::<1>(network, faults);
        let at: Configuration = after(&cluster, &[crash(0), deliver(0, 1, 7)]);
        assert_eq!(look(&cluster, &at, "b").state, json!(1));
    }
}

#[test]
fn messages_are_delivered_in_any_order() {
    let tiny = Tiny {
        start: |id: NodeId, _, out| {
            if id == node(0) {
                (1..=3).for_each(|message| out.send(node(1), message));
            }
            0
        },
        step: |_, state, event, _| {
            if let Event::Deliver { message, .. } = event {
                *state = *state * 10 + message;
            }
        },
    };
    let cluster = build(tiny, Network::ConsumedOnce, Faults::default());
    let states = states_of(&snapshots(&cluster), "b");
    let whole: Vec<u64> = states.into_iter().filter(|state| *state > 99).collect();
    assert_eq!(whole, [123, 132, 213, 231, 312, 321]);
}

#[test]
fn a_postcondition_is_violated_only_where_nothing_but_faults_can_happen() {
    let tiny = Tiny {
        start: |id, _, out| {
            if id == node(0) {
                out.send(node(1), 7);
            }
            0
        },
        step: |_, state, event, _| {
            if let Event::Deliver { .. } = event {
                *state = 1;
            }
        },
    };
    let cluster = Cluster::builder(tiny)
        .node("a")
        .node("b")
        .network(Network::ConsumedOnce)
        .faults(Faults { crash_restarts: Budget::AtMost(1), ..Faults::default() })
        .guarantee(Guarantee::pre_post("never right", |_| true, |_| false))
        .guarantee(Guarantee::pre_post("never asked", |_| false, |_| false))
        .build()
        .unwrap();
    assert!(!cluster.violates(1, cluster.initial()), "a message is to be delivered");
    let at = after(&cluster, &[deliver(0, 1, 7)]);
    assert_eq!(enabled(&cluster, &at), [crash_restart(0), crash_restart(1)]);
    assert!(cluster.violates(1, &at) && !cluster.violates(2, &at));
}
