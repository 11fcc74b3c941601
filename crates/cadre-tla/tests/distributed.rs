//! TLC on several processes of this host, for real.

use std::fs;
use std::path::Path;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Config, Distributed, Engine, Explored, Find, Hosts, Run, TlaError, Verdict, find};

/// Three counters, each up to five: 216 states.
const COUNTERS: &str = "---- MODULE M ----\nEXTENDS Integers\nVARIABLE x\n\
    Init == x = [i \\in 1..3 |-> 0]\n\
    Next == \\E i \\in 1..3 : x[i] < 5 /\\ x' = [x EXCEPT ![i] = @ + 1]\n\
    Small == x[1] + x[2] + x[3] <= 15\nUnequal == x[1] + x[2] + x[3] # 9\n====\n";

fn prepare(directory: &Path, config: &Config) -> Run {
    fs::write(directory.join("M.tla"), COUNTERS).expect("the module is written");
    fs::write(directory.join("M.cfg"), config.to_text()).expect("the configuration is written");
    Run::new(directory, "M")
}

fn config(invariant: &str) -> Config {
    Config::new().init_next("Init", "Next").invariant(invariant)
}

fn explore(config: &Config, hosts: Hosts, port: u16) -> Result<Explored, TlaError> {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let tlc = find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is installed");
    let address = "127.0.0.1".to_owned();
    let distributed = Distributed { tlc, hosts, address, port };
    let run = prepare(directory.path(), config);
    let first = distributed.explore(&run, &Stop::new());
    // A directory can be used again, as it is after an exception of TLC's own.
    let found = first.and_then(|_| distributed.explore(&run, &Stop::new()));
    let command = fs::read_to_string(directory.path().join("command.txt")).expect("it is noted");
    assert_eq!(command.trim(), distributed.command_line(&run));
    if let Ok(explored) = &found {
        let alone = distributed.tlc.run(&run, &Stop::new()).expect("TLC gives a verdict");
        if explored.last.is_empty() {
            assert_eq!(
                (Some(alone.distinct), alone.verdict),
                (explored.distinct, Verdict::NoError)
            );
        } else {
            assert_ne!(alone.verdict, Verdict::NoError);
        }
    }
    found
}

#[test]
fn two_workers_and_a_server_of_fingerprints_find_all_states() {
    let here = || "127.0.0.1".to_owned();
    let hosts = Hosts { fingerprints: vec![here()], ..Hosts::here(2) };
    let explored = explore(&config("Small"), hosts, 21_301).expect("it ends");
    assert_eq!((explored.distinct, explored.verdict), (Some(216), Some(Verdict::NoError)));
    assert!(explored.version.contains("Version"), "{}", explored.version);
}

#[test]
fn of_a_violation_the_last_states_are_told() {
    let explored = explore(&config("Unequal"), Hosts::here(2), 21_302).expect("it ends");
    assert_eq!(explored.verdict, None);
    assert_eq!(explored.last.len(), 2);
    let sum = |state: usize| {
        let told = explored.last[state].variables["x"].to_string();
        told.chars().filter_map(|digit| digit.to_digit(10)).sum::<u32>()
    };
    assert_eq!((sum(0), sum(1)), (8, 9));
}

#[test]
fn a_run_whose_workers_have_gone_is_an_error_and_ends() {
    let error = explore(&config("Small"), Hosts::default(), 21_303).unwrap_err();
    assert!(matches!(error, TlaError::WorkersLost { .. }), "{error}");
}

#[test]
fn a_module_that_does_not_parse_is_an_error_although_workers_wait() {
    let error = explore(&config("Nothing"), Hosts::here(1), 21_304).unwrap_err();
    assert!(!matches!(error, TlaError::WorkersLost { .. }), "{error}");
    assert!(error.to_string().contains("Nothing"), "{error}");
}
