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
        f1d2f24532ac40c039de2417e136a95c
        9a330b67702ecdbb304595fac9074b17
        dd03f6fbe978280cf5732b671edf7616
        79afb3cbe8d34aed0b2edaf844ea2712
        7500f21c898de7264816552771bba25b
        13363ff81403af247e4f7aff99bafcf3
        c4727701a5c498164b18508c9b01b8ab
        2b5a6d11d89eb8f28118660ca67c0614"#]]
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
