//! Each fault is necessary: for each there is a tiny protocol with a bug that only this fault
//! reveals, found by the explorer, by random walks and by simulations, and a fixed twin that
//! survives the same.
//!
//! A row says under what circumstances, and which of them is the fault. With all of them the
//! protocol is violated; without the fault, and all else as before, it holds; and so does its fixed
//! twin with all of them. Where another fault does the same by its nature, such as a burst of one
//! message and a loss, a row leaves it out and says so.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

mod disks;
mod network;
mod nodes;
mod time;
mod toy;

use std::collections::BTreeMap;
use std::rc::Rc;

use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::{Choice, Cluster, Origin};
use cadre_proptest::{FuzzOptions, fuzz};
use cadre_simulate::{Config, Delay, Ending, Options, Preset, Span, simulate};
use cadre_trace::Verdict;
use cadre_view::{LaneOptions, because, lanes};
use expect_test::{expect, expect_file};

use crate::toy::{Row, Toy};

fn rows() -> Vec<Row> {
    [network::rows(), nodes::rows(), disks::rows(), time::rows()].into_iter().flatten().collect()
}

fn explored(cluster: &Cluster<Toy>) -> Exploration<Choice> {
    let settings = Settings { workers: 1, ..Settings::default() };
    explore(cluster, &settings, &mut |_| Flow::Continue)
}

fn told(cluster: &Cluster<Toy>, path: &[Choice]) -> String {
    let actions: Vec<String> =
        path.iter().map(|choice| cluster.tell(*choice).to_string()).collect();
    actions.join("; ")
}

#[test]
fn the_explorer_finds_each_bug_only_with_its_fault_and_none_in_the_fixed_twin() {
    let mut table = String::new();
    for row in rows() {
        let cluster = row.cluster(&row.buggy);
        let found = explored(&cluster);
        let (_, violation) = found.violation().unwrap_or_else(|| panic!("{}", row.fault));
        let path = violation.path.as_ref().unwrap();
        table.push_str(&format!("{}: {}\n", row.fault, told(&cluster, path)));

        for (what, cluster) in [
            ("without the fault", row.cluster_without(&row.buggy)),
            ("the fixed twin", row.cluster(&row.fixed)),
        ] {
            let found = explored(&cluster);
            let path = found.violation().and_then(|(_, finding)| finding.path.as_ref());
            let path = path.map(|path| told(&cluster, path));
            assert_eq!(path, None, "{}, {what}", row.fault);
            assert_eq!(found.verdict(), Verdict::Holds, "{}, {what}", row.fault);
        }
    }
    expect![[r#"
        loss: drop One a→b; deliver Two a→b
        burst: drop all a→b
        duplication: duplicate One a→b; deliver One a→b; deliver One a→b; deliver Two a→b
        exact replay: deliver One a→b; deliver Two a→b; replay One a→b; deliver One a→b
        reordering: deliver Two a→b; deliver One a→b
        bounded queue: deliver One a→b
        corruption: corrupt Number(2) into Number(3) a→b; deliver Number(3) a→b
        partition: CUT a | b, c; a chooses Go; b chooses Go; c chooses Go; HEAL
        one-way partition: b chooses Go; CUT a → b; deliver Two b→a; a chooses Go; HEAL
        partial partition: CUT a | b; a chooses Go; deliver Ask a→c; deliver Two c→b; deliver Three b→c; deliver No c→a; HEAL
        crash-stop: CRASH a
        crash-restart: a chooses Go; CRASH+RESTART a; deliver One a→b
        correlated crash: CRASH a, b
        crash between two writes: CRASH a after effect 1 of a chooses Go
        Byzantine equivocation: deliver Yes a→b; drop Yes a→c; forge No a→c; deliver No a→c
        Byzantine forging: forge Two a→b; deliver Two a→b
        un-synced writes lost: a chooses Go; CRASH+RESTART a; deliver One a→b
        a prefix of un-synced writes kept: a chooses Go; CRASH+RESTART a keeping write 1
        a subset of un-synced writes kept: a chooses Go; CRASH+RESTART a keeping write 2
        torn write: a chooses Go; CRASH a keeping half of write 1; RESTART a
        sync error that loses pages: a chooses Go; SYNC FAILS a, writes lost; a sync done
        full disk: a chooses Go; DISK FULL a
        corrupt read: a chooses Go; CRASH a; RESTART a reading "Ye!" under vote
        misdirected read: CRASH a; RESTART a reading two in place of one
        delay: time passes; time passes; a timeout Go; deliver Two a→b; deliver One a→b
        slow sync: a chooses Go; time passes; time passes; a timeout Done
        pause past a lease: PAUSE a; time passes; time passes; time passes; time passes; b timeout Go
        clock jump: CLOCK b +1000 µs; time passes; time passes; b timeout Go
        clock skew and drift: CLOCK b +1000 µs; CLOCK b +1000 µs; CLOCK b +1000 µs; time passes; b timeout Go
    "#]].assert_eq(&table);
}

#[test]
fn every_fault_reads_well_in_the_lanes() {
    let mut pictures = String::new();
    for row in rows() {
        let cluster = row.cluster(&row.buggy);
        let found = explored(&cluster);
        let (guarantee, violation) = found.violation().unwrap();
        let path = violation.path.as_ref().unwrap();
        let origin = Origin {
            protocol: row.fault.to_owned(),
            setup: BTreeMap::new(),
            engine: "explore".to_owned(),
        };
        let trace = cluster.record(&origin, path, Some((guarantee, Verdict::Violated)));
        let again = row.cluster(&row.buggy).reexecute(&trace).unwrap();
        assert_eq!((again.difference, again.trace.header.verdict), (None, Verdict::Violated));
        let options = LaneOptions { width: 96, ..LaneOptions::default() };
        let (lanes, because) = (lanes(&trace, &options), because(&trace).unwrap());
        pictures.push_str(&format!("{}\n{lanes}{because}\n\n", row.fault));
    }
    expect_file!["lanes.txt"].assert_eq(&pictures);
}

#[test]
fn random_walks_find_each_bug_and_none_in_the_fixed_twin() {
    for row in rows() {
        let options =
            FuzzOptions { cases: 20_000, steps_max: 30, seed: 1, ..FuzzOptions::default() };
        let cluster = Rc::new(row.cluster(&row.buggy));
        let found = fuzz(&cluster, &options, &mut |_| true).violation;
        let found = found.unwrap_or_else(|| panic!("no walk shows the bug of {}", row.fault));
        let shortest = explored(&cluster).violation().unwrap().1.path.as_ref().unwrap().len();
        assert!(found.path.len() >= shortest, "{}", row.fault);

        let few = FuzzOptions { cases: 100, ..options };
        for cluster in [row.cluster_without(&row.buggy), row.cluster(&row.fixed)] {
            let found = fuzz(&Rc::new(cluster), &few, &mut |_| true).violation;
            assert!(found.is_none(), "{}", row.fault);
        }
    }
}

/// Which rows the simulator has no part in, and why.
const NOT_SIMULATED: [(&str, &str); 2] = [
    ("Byzantine equivocation", "what a traitor says is for exhaustive search"),
    ("Byzantine forging", "what a traitor says is for exhaustive search"),
];

/// Everything at once and often, in runs of a moment.
fn hostile() -> Config {
    let every_ms = |ms| Some(Span::from_ms(ms));
    let about_ms = |ms| Delay::Exponential(Span::from_ms(ms));
    Config {
        time: Span::from_ms(100),
        settle: Span::from_ms(100),
        latency: about_ms(2),
        replay: 0.2,
        replay_after: about_ms(10),
        corruption: 0.3,
        held_up: about_ms(5),
        sync: about_ms(3),
        sync_failure: 0.3,
        down: about_ms(5),
        stays_down: 0.3,
        down_max: Some(2),
        crash_every: every_ms(20),
        group_crash_every: every_ms(40),
        pause_every: every_ms(20),
        pause: about_ms(10),
        partition_every: every_ms(20),
        partition: about_ms(10),
        jump_every: every_ms(20),
        jump: about_ms(3),
        choice: about_ms(3),
        drift_ppm: 300_000,
        ..Preset::Hostile.config()
    }
}

/// The first run of so many that violates the guarantee with no more faults than the budgets allow.
fn simulated(cluster: &Cluster<Toy>, runs: u64) -> Option<u64> {
    let options = Options { seeds: 0..runs, workers: 2 };
    let config = Config { within_budgets: true, ..hostile() };
    let found = simulate(cluster, &config, &options, &mut |_| true).unwrap();
    let violation = found.violation?;
    matches!(violation.ending, Ending::Violated { .. }).then_some(violation.seed)
}

#[test]
fn simulations_find_each_bug_and_none_in_the_fixed_twin() {
    let mut missed = Vec::new();
    for row in rows() {
        if NOT_SIMULATED.iter().any(|(fault, _)| *fault == row.fault) {
            continue;
        }
        if simulated(&row.cluster(&row.buggy), 60_000).is_none() {
            missed.push(format!("{}: the bug is not found", row.fault));
        }
        for (what, cluster) in [
            ("without the fault", row.cluster_without(&row.buggy)),
            ("the fixed twin", row.cluster(&row.fixed)),
        ] {
            if let Some(seed) = simulated(&cluster, 2_000) {
                missed.push(format!("{}: {what} is violated with seed {seed}", row.fault));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
