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
        eeb163d7ffda78de795a8dc024f107e0
        97420d22b4a6799c393e63f7d2738901
        665b407964515b1eb133496b292ee146
        f83611f7bff5db3c0529813627104087
        122d4ae9c6c2369c1c8695d0138d757d
        6b645aa17b8761297ad1b61d57634dd0
        01b41bf4fd4675475793549987d97c6b
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
