use cadre_model::{Network, fingerprint};
use cadre_simulate::{Config, Options, Preset, Span, record, simulate};

use crate::tiny::{always_true, every_fault, gossip, origin, three};

fn hostile() -> Config {
    Config { time: Span::from_seconds(1), ..Preset::Hostile.config() }
}

#[test]
fn a_seed_gives_the_same_trace_in_every_build_on_every_machine() {
    let mut hashes = Vec::new();
    for network in [Network::ConsumedOnce, Network::Fifo] {
        let cluster = three(gossip(), network, every_fault(), always_true());
        for seed in [1, 2, 3, 7] {
            let text = || {
                let recorded = record(&cluster, &hostile(), seed, &origin()).unwrap();
                recorded.trace.to_ndjson()
            };
            let found = text();
            assert_eq!(found, text(), "the second time");
            hashes.push(format!("{:032x}", fingerprint(&found)));
        }
    }
    // The same in debug and release builds and on every machine: both are run by the automation.
    expect_test::expect![[r#"
        2a79cc4672d636625ff797e946f8430f
        6b8c1e355561b2f66f05a407ce93e92b
        c7f780aa8a9d31776b9991c2cbba8ef4
        f83611f7bff5db3c0529813627104087
        fce77048a76553cb02ad9f3ad8e76457
        ab51924c39c8a02c4102093138c5c2c2
        f5729ffe8e697e26d6f5fb921b85bb06
        36c29c833013ddba0badc28eda4f3300"#]]
    .assert_eq(&hashes.join("\n"));
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let cluster = three(gossip(), Network::ConsumedOnce, every_fault(), always_true());
    let with = |workers| {
        let options = Options { seeds: 1..25, workers };
        simulate(&cluster, &hostile(), &options, &mut |_| true).unwrap()
    };
    let alone = with(1);
    assert_eq!(alone.runs.len(), 24);
    for workers in [2, 3, 8] {
        assert_eq!(with(workers), alone);
    }
}

#[test]
fn who_watches_can_end_it_and_keeps_what_was_found() {
    let cluster = three(gossip(), Network::ConsumedOnce, every_fault(), always_true());
    let options = Options { seeds: 1..1_000, workers: 1 };
    let found = simulate(&cluster, &hostile(), &options, &mut |look| look.runs < 3).unwrap();
    assert!(found.is_stopped && (3..10).contains(&found.runs.len()));
}
