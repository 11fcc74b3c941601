//! Parts of a cluster that do not fit together, and what is said of them.

use std::time::Duration;

use cadre_model::{Budget, Cluster, ClusterBuilder, Faults, Network, Timing, Unsynced};
use expect_test::{Expect, expect};

use crate::tiny::{Tiny, node};

const ONCE: Budget = Budget::AtMost(1);

/// Two nodes that do nothing.
fn two() -> ClusterBuilder<Tiny> {
    nodes(2)
}

fn nodes(count: usize) -> ClusterBuilder<Tiny> {
    let tiny = Tiny { start: |_, _, _| 0, step: |_, _, _, _| {} };
    let name = |index: usize| format!("n{index}");
    (0..count).fold(Cluster::builder(tiny), |builder, index| builder.node(name(index)))
}

fn consuming() -> ClusterBuilder<Tiny> {
    two().network(Network::ConsumedOnce)
}

fn ticking(tick: Duration) -> Timing {
    Timing::Interval { tick, late: 0 }
}

fn check(builder: ClusterBuilder<Tiny>, expected: Expect) {
    expected.assert_eq(&builder.build().map_or_else(|error| error.to_string(), |_| "built".into()));
}

#[test]
fn a_cluster_has_nodes_of_different_names_and_clients_of_them() {
    check(
        nodes(0),
        expect!["expected at least one node, found none; add nodes before building the cluster"],
    );
    check(two().node("n1"), expect!["expected a name for each node, found `n1` twice"]);
    check(
        two().client("c", node(2), vec![1]),
        expect!["expected a client of one of 2 nodes, found one of node number 2"],
    );
}

#[test]
fn what_a_growing_set_does_anyway_has_no_budget() {
    let faults = [
        Faults { losses: ONCE, ..Faults::default() },
        Faults { bursts: ONCE, ..Faults::default() },
        Faults { duplications: ONCE, ..Faults::default() },
        Faults { replays: Budget::Unlimited, ..Faults::default() },
        Faults { partitions: ONCE, ..Faults::default() },
        Faults { one_way_partitions: ONCE, ..Faults::default() },
        Faults { partial_partitions: ONCE, ..Faults::default() },
        Faults { delays: ONCE, ..Faults::default() },
    ];
    let mut refused = Vec::new();
    for faults in faults {
        let builder = two().faults(faults).timing(ticking(Duration::from_millis(1)));
        refused.push(builder.build().unwrap_err().to_string());
        // The same budgets fit a network that consumes.
        consuming().faults(faults).timing(ticking(Duration::from_millis(1))).build().unwrap();
    }
    let of = |text: &String| text.split([' ', ':']).nth(4).unwrap_or_default().to_owned();
    assert_eq!(
        refused.iter().map(of).collect::<Vec<_>>(),
        [
            "losses",
            "bursts",
            "duplications",
            "replays",
            "partitions",
            "one-way-partitions",
            "partial-partitions",
            "delays"
        ]
    );
    assert_eq!(
        refused[0],
        "expected no budget for losses: a growing-set network already loses, duplicates \
         and delays without limit; use a consumed-once or a FIFO network to bound them"
    );
    check(
        two().queue(3),
        expect![
            "expected no bounded queue: a growing-set network keeps every message; use a consumed-once or a FIFO network"
        ],
    );
}

#[test]
fn a_queue_has_room() {
    check(
        consuming().queue(0),
        expect![
            "expected room for a message at least, found a queue of 0; use partitions to cut links"
        ],
    );
    check(consuming().queue(1), expect!["built"]);
}

#[test]
fn faults_of_time_need_time() {
    let faults = [
        Faults { delays: ONCE, ..Faults::default() },
        Faults { slow_syncs: ONCE, ..Faults::default() },
        Faults { clock_jumps: ONCE, ..Faults::default() },
        Faults { pauses: ONCE, ..Faults::default() },
    ];
    let mut refused = Vec::new();
    for faults in faults {
        refused.push(consuming().faults(faults).build().unwrap_err().to_string());
        let timed = consuming().faults(faults).timing(ticking(Duration::from_secs(1)));
        timed.build().unwrap();
    }
    let of = |text: &String| text.split([' ', ':']).nth(4).unwrap_or_default().to_owned();
    let named: Vec<String> = refused.iter().map(of).collect();
    assert_eq!(named, ["delays", "slow-syncs", "clock-jumps", "pauses"]);
    assert_eq!(
        refused[0],
        "expected no budget for delays: without time a timer goes off at any moment, \
         whatever the clocks and delays; count time with `Timing::Interval` to bound them"
    );
}

#[test]
fn a_tick_takes_time() {
    for (tick, expected) in [
        (
            Duration::ZERO,
            expect![
                "expected a tick of a microsecond at least, found 0ns; choose the shortest delay of a timer"
            ],
        ),
        (
            Duration::from_nanos(999),
            expect![
                "expected a tick of a microsecond at least, found 999ns; choose the shortest delay of a timer"
            ],
        ),
        (Duration::from_micros(1), expect!["built"]),
    ] {
        check(two().timing(ticking(tick)), expected);
    }
}

#[test]
fn groups_and_traitors_are_nodes_of_the_cluster() {
    check(
        two().group([node(0), node(2)]),
        expect!["expected groups and traitors among 2 nodes, found node number 2"],
    );
    check(
        two().traitor(node(5), [1]),
        expect!["expected groups and traitors among 2 nodes, found node number 5"],
    );
}

#[test]
fn a_budget_that_nothing_can_spend_is_refused() {
    let group_crashes = Faults { group_crashes: ONCE, ..Faults::default() };
    check(
        two().faults(group_crashes),
        expect![
            "expected a group that crashes together, found a budget for group-crashes alone; add a group that crashes together, or leave it out"
        ],
    );
    check(two().faults(group_crashes).group([node(0), node(1)]), expect!["built"]);
    let forgeries = Faults { forgeries: ONCE, ..Faults::default() };
    check(
        two().faults(forgeries),
        expect![
            "expected a traitor, found a budget for forgeries alone; add a traitor, or leave it out"
        ],
    );
    check(two().faults(forgeries).traitor(node(0), [1]), expect!["built"]);
    let reads = Faults { crashes: ONCE, corrupt_reads: ONCE, ..Faults::default() };
    check(
        two().faults(reads),
        expect![
            "expected restarts, found a budget for corrupt-reads alone; add restarts, or leave it out"
        ],
    );
    check(two().faults(Faults { restarts: true, ..reads }), expect!["built"]);
    let reads = Faults { crash_restarts: ONCE, misdirected_reads: ONCE, ..Faults::default() };
    check(
        two().faults(reads),
        expect![
            "expected restarts, found a budget for misdirected-reads alone; add restarts, or leave it out"
        ],
    );
}

#[test]
fn budgets_fit_a_word() {
    let many = Budget::AtMost(255);
    let fits = Faults {
        losses: many,
        duplications: many,
        crashes: many,
        bursts: many,
        unsynced: Unsynced::AnySubset,
        // Takes no bits.
        sync_errors: Budget::Unlimited,
        ..Faults::default()
    };
    check(consuming().faults(fits), expect!["built"]);
    check(
        consuming().faults(Faults { crash_restarts: ONCE, ..fits }),
        expect![
            "expected fault budgets that fit 32 bits together, each taking as many as its number has; lower some, or make them unlimited, which takes none"
        ],
    );
}

#[test]
fn partitions_are_of_few_nodes() {
    let faults = Faults { partitions: ONCE, ..Faults::default() };
    let parted = |count| nodes(count).network(Network::Fifo).faults(faults);
    check(parted(10), expect!["built"]);
    check(
        parted(11),
        expect![
            "expected partitions of at most 10 nodes, found 11: they can be parted in 2^11 ways; use partial partitions, or fewer nodes"
        ],
    );
    let partial = Faults { partial_partitions: ONCE, ..Faults::default() };
    check(nodes(11).network(Network::Fifo).faults(partial), expect!["built"]);
}

#[test]
fn nodes_that_change_places_are_told_apart_by_nothing() {
    check(
        two().interchangeable([node(0), node(4)]),
        expect!["expected interchangeable nodes among 2, found node number 4"],
    );
    check(
        two().interchangeable([node(0), node(1)]).client("c", node(1), vec![1]),
        expect![
            "expected clients that ask the same when `n0` and `n1` change places, found that nobody would ask `n0` for [1]; give interchangeable nodes clients that differ in interchangeable values alone, or declare less interchangeable"
        ],
    );
    let alike = || two().interchangeable([node(0), node(1)]);
    check(alike(), expect!["built"]);
    let consuming = || alike().network(Network::ConsumedOnce);
    let faults = |faults| consuming().faults(faults);
    let none = Faults::default();
    let told_apart = [
        alike().network(Network::Fifo),
        alike().timing(ticking(Duration::from_secs(1))),
        alike().group([node(0)]),
        alike().traitor(node(0), [1]),
        faults(Faults { partial_partitions: ONCE, ..none }),
        faults(Faults { replays: ONCE, ..none }),
        faults(Faults { corruptions: ONCE, ..none }),
        faults(Faults { interruptions: ONCE, ..none }),
    ];
    let refused: Vec<String> =
        told_apart.into_iter().map(|builder| builder.build().unwrap_err().to_string()).collect();
    let prefix = "expected nothing that tells interchangeable nodes apart, found ";
    let what = |text: &String| {
        text.strip_prefix(prefix).and_then(|rest| rest.split(';').next()).map(str::to_owned)
    };
    let named: Vec<String> = refused.iter().filter_map(what).collect();
    expect![[r#"
        [
            "a FIFO network",
            "timers that count time",
            "groups that crash together",
            "traitors",
            "partitions",
            "replays",
            "corruptions",
            "interruptions",
        ]
    "#]]
    .assert_debug_eq(&named);
    assert_eq!(
        refused[0],
        "expected nothing that tells interchangeable nodes apart, found a FIFO network; \
         leave out one of the two"
    );
}
