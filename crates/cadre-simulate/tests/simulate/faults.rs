use std::collections::BTreeSet;

use cadre_model::{Faults, Network};
use cadre_simulate::{Bursts, Config, Delay, LinkConfig, Preset, Span, Tally, record};

use crate::tiny::{always_true, every_fault, gossip, origin, runs, short, three};

/// What ten runs of the gossip counted.
fn tally(network: Network, faults: Faults, config: &Config) -> Tally {
    let cluster = three(gossip(), network, faults, always_true());
    let found = runs(&cluster, config, 10);
    assert_eq!(found.violation, None);
    found.tally
}

fn with(config: &Config) -> Tally {
    tally(Network::ConsumedOnce, every_fault(), config)
}

#[test]
fn without_faults_every_message_arrives_and_every_request_is_answered() {
    for network in [Network::GrowingSet, Network::ConsumedOnce, Network::Fifo] {
        let found = tally(network, Faults::default(), &short());
        assert_eq!((found.lost, found.faults.len()), (0, 0));
        // What is sent in the last millisecond is still on its way.
        assert!(found.sent - found.delivered <= 10 * 6, "{found:?}");
        assert_eq!(found.availability(), Some(1.0));
        assert_eq!(found.kinds["message"].sent, found.sent);
    }
}

#[test]
fn a_rate_of_losses_loses_that_share_of_the_messages() {
    for loss in [0.1, 0.5] {
        let found = with(&Config { loss, ..short() });
        let share = found.lost as f64 / found.sent as f64;
        assert!((share - loss).abs() < 0.03, "{share} instead of {loss}");
    }
}

#[test]
fn bursts_lose_messages_one_after_the_other() {
    let bursts = Some(Bursts { begin: 0.05, end: 0.2, loss: 1.0 });
    let found = with(&Config { bursts, ..short() });
    // A link is bad for a fifth of the time: 0.05 / (0.05 + 0.2).
    let share = found.lost as f64 / found.sent as f64;
    assert!((share - 0.2).abs() < 0.04, "{share}");
}

#[test]
fn a_link_may_differ_from_the_others_in_one_direction() {
    let link = LinkConfig {
        from: "a".to_owned(),
        to: "b".to_owned(),
        latency: Some(Delay::Fixed(Span::from_ms(20))),
        loss: Some(1.0),
        bandwidth: None,
    };
    let found = with(&Config { links: vec![link], ..short() });
    let share = found.lost as f64 / found.sent as f64;
    assert!((share - 1.0 / 6.0).abs() < 0.01, "one link of six: {share}");
}

#[test]
fn a_link_of_little_bandwidth_loses_what_its_queue_cannot_hold() {
    // Each link is offered 100 messages in a second.
    let found = with(&Config { bandwidth: Some(50.0), queue: 5, ..short() });
    let share = found.lost as f64 / found.sent as f64;
    assert!((share - 0.45).abs() < 0.06, "{share}");
    let enough = with(&Config { bandwidth: Some(200.0), queue: 5, ..short() });
    assert_eq!(enough.lost, 0);
}

#[test]
fn each_rate_makes_its_fault_occur_and_no_other() {
    let cases: [(&str, Config); 9] = [
        ("duplications", Config { duplication: 0.2, ..short() }),
        ("replays", Config { replay: 0.2, replay_after: "exp:50ms".parse().unwrap(), ..short() }),
        ("corruptions", Config { corruption: 0.2, ..short() }),
        ("crashes", Config { crash_every: Some(Span::from_ms(200)), ..short() }),
        ("pauses", Config { pause_every: Some(Span::from_ms(200)), ..short() }),
        ("partitions", Config { partition_every: Some(Span::from_ms(200)), ..short() }),
        ("clock jumps", Config { jump_every: Some(Span::from_ms(200)), ..short() }),
        ("failed syncs", Config { sync_failure: 0.9, ..short() }),
        (
            "interruptions",
            Config { crash_every: Some(Span::from_ms(200)), interruption: 1.0, ..short() },
        ),
    ];
    for (fault, config) in cases {
        let found = with(&config);
        assert_eq!(found.faults.keys().copied().collect::<Vec<_>>(), [fault]);
        assert!(found.faults[fault] >= 10, "{fault}: {found:?}");
    }
}

#[test]
fn a_fault_that_the_cluster_does_not_declare_does_not_occur_unless_asked_for() {
    let config = Config { crash_every: Some(Span::from_ms(100)), loss: 0.5, ..short() };
    let found = tally(Network::ConsumedOnce, Faults::default(), &config);
    assert_eq!((found.lost, found.faults.len()), (0, 0));
    let config = Config { every_fault: true, ..config };
    let found = tally(Network::ConsumedOnce, Faults::default(), &config);
    assert!(found.lost > 0 && found.faults["crashes"] > 0);
}

#[test]
fn slow_disks_syncs_and_links_make_clients_wait() {
    let fast = with(&short());
    let paused = with(&Config { pause_every: Some(Span::from_ms(300)), ..short() });
    assert!(paused.latencies.percentile(0.99) > fast.latencies.percentile(0.99));
    assert!(paused.answered < fast.answered);
}

#[test]
fn whatever_happens_can_be_carried_out_by_the_cluster() {
    let hostile = Preset::Hostile.config();
    let mut met = BTreeSet::new();
    for network in [Network::GrowingSet, Network::ConsumedOnce, Network::Fifo] {
        let faults = match network {
            Network::GrowingSet => Faults {
                losses: Default::default(),
                duplications: Default::default(),
                replays: Default::default(),
                partitions: Default::default(),
                one_way_partitions: Default::default(),
                partial_partitions: Default::default(),
                ..every_fault()
            },
            Network::ConsumedOnce | Network::Fifo => every_fault(),
        };
        let cluster = three(gossip(), network, faults, always_true());
        for seed in 0..24 {
            let often = Some(Span::from_ms(150));
            let config = Config {
                time: Span::from_ms(700),
                crash_every: often,
                partition_every: often,
                pause_every: often,
                jump_every: often,
                misread: 1.0,
                ..hostile.clone()
            };
            let recorded = record(&cluster, &config, seed, &origin()).unwrap();
            met.extend(recorded.run.tally.faults.into_keys());
        }
    }
    let expected = [
        "clock jumps",
        "corruptions",
        "crashes",
        "duplications",
        "failed syncs",
        "interruptions",
        "misreads",
        "partitions",
        "pauses",
        "replays",
    ];
    for fault in expected {
        assert!(met.contains(fault), "{fault} did not occur: {met:?}");
    }
}
