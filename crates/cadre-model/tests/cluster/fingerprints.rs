use std::collections::{BTreeMap, BTreeSet};

use cadre_model::{Cluster, Configuration, Model, Network};
use cadre_step::{Event, Protocol};

use crate::tiny::{Tiny, choices, node, reachable};
use crate::two_phase;

/// Two nodes that send each other messages, equal ones among them, with a client and timers.
fn chatter(network: Network) -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |id, _, out| {
            out.send(node(1 - id.index()), 3);
            out.send(node(1 - id.index()), 3);
            out.set_timer(1, std::time::Duration::from_secs(1));
            0
        },
        step: |id, state, event, out| {
            let other = node(1 - id.index());
            match event {
                Event::Deliver { message, .. } => {
                    *state = (*state + message) % 7;
                    out.put("state", state);
                    if *state % 2 == 0 && *state > 0 {
                        out.send(other, message % 3);
                        out.sync();
                    }
                }
                Event::Request { id, request } => out.respond(id, request + *state),
                Event::Timeout(_) => *state += 1,
                Event::SyncDone | Event::SyncFailed(_) => {}
            }
        },
    };
    let cluster = Cluster::builder(tiny).node("a").node("b").network(network);
    cluster.client("c", node(0), vec![1, 2]).build().unwrap()
}

/// Walks that follow from a seed, and every configuration on the way.
fn walks<P: Protocol>(cluster: &Cluster<P>, count: u64) -> Vec<Configuration> {
    let mut met = Vec::new();
    for seed in 0..count {
        let mut random = seed;
        let mut at = cluster.initial().clone();
        for _ in 0..40 {
            met.push(at.clone());
            let all = choices(cluster, &at);
            if all.is_empty() {
                break;
            }
            // The generator of Knuth's MMIX: its upper bits are random enough for a walk.
            random = random.wrapping_mul(6_364_136_223_846_793_005);
            random = random.wrapping_add(1_442_695_040_888_963_407);
            let chosen = all[(random >> 33) as usize % all.len()];
            at = cluster.next(&at, &chosen).unwrap();
        }
    }
    met
}

fn check_that_import_agrees<P: Protocol>(cluster: &Cluster<P>) {
    for at in walks(cluster, 60) {
        let from_scratch = cluster.import(&cluster.snapshot(&at)).unwrap();
        assert_eq!(from_scratch.fingerprint(), at.fingerprint());
        assert_eq!(cluster.snapshot(&from_scratch), cluster.snapshot(&at));
    }
}

#[test]
fn a_fingerprint_kept_up_to_date_is_the_one_computed_from_scratch() {
    check_that_import_agrees(&chatter(Network::GrowingSet));
    check_that_import_agrees(&chatter(Network::ConsumedOnce));
    check_that_import_agrees(&two_phase::cluster(3, 3));
}

#[test]
fn a_fingerprint_is_that_of_the_contents_and_not_of_the_order_of_meeting_them() {
    let (one, two) = (chatter(Network::ConsumedOnce), chatter(Network::ConsumedOnce));
    let met = walks(&one, 30);
    // The other cluster meets the same configurations in the opposite order, so that its ids
    // differ.
    for at in met.iter().rev() {
        assert_eq!(two.import(&one.snapshot(at)).unwrap().fingerprint(), at.fingerprint());
    }
}

#[test]
fn configurations_met_on_different_ways_are_the_same() {
    let cluster = chatter(Network::ConsumedOnce);
    let mut by_contents: BTreeMap<String, Configuration> = BTreeMap::new();
    for at in walks(&cluster, 200) {
        let contents = format!("{:?}", cluster.snapshot(&at));
        let known = by_contents.entry(contents).or_insert_with(|| at.clone());
        assert_eq!((&*known, known.fingerprint()), (&at, at.fingerprint()));
    }
}

#[test]
fn the_configurations_of_a_whole_space_have_fingerprints_of_their_own() {
    let cluster = two_phase::cluster(4, 4);
    let all = reachable(&cluster);
    let fingerprints: BTreeSet<u128> = all.iter().map(Configuration::fingerprint).collect();
    let contents: BTreeSet<String> =
        all.iter().map(|at| format!("{:?}", cluster.snapshot(at))).collect();
    assert_eq!(all.len(), 16 + 256 + 1296);
    assert_eq!((fingerprints.len(), contents.len()), (all.len(), all.len()));
}

#[test]
fn equal_messages_count_in_a_fingerprint() {
    let cluster = chatter(Network::ConsumedOnce);
    let mut told = cluster.snapshot(cluster.initial());
    assert_eq!(told.network.len(), 4);
    told.network.pop();
    let fewer = cluster.import(&told).unwrap();
    assert_ne!(fewer.fingerprint(), cluster.initial().fingerprint());
}
