//! How Apalache is asked and understood, as its manual says; the program is a stand-in of a few
//! lines, for no registry has the real one.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Apalache, Config, Engine, Outcome, Run, Simulation, TlaError, Value, Verdict};

/// What Apalache's documentation of the Informal Trace Format shows of a counterexample.
const TRACE: &str = r##"{"#meta":{"format":"ITF"},"vars":["x","seen"],
"states":[{"#meta":{"index":0},"x":0,"seen":{"#set":[]}},
{"#meta":{"index":1},"x":{"#bigint":"1"},"seen":{"#set":["a"]}}]}"##;

fn asked(
    script: &str,
    config: &Config,
    change: impl FnOnce(&mut Run),
) -> Result<Outcome, TlaError> {
    let directory = PrivateDirectory::new("apalache-test").expect("a directory is created");
    let program = directory.path().join("apalache-mc");
    let remember = "echo \"$@\" >> asked";
    let found = "mkdir -p apalache; cp trace.json apalache/violation1.itf.json";
    let text = format!("#!/bin/sh\n{remember}\nfound() {{ {found}; }}\n{script}\n");
    fs::write(&program, text).expect("the program is written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be executed");
    fs::write(directory.path().join("trace.json"), TRACE).expect("the trace is written");
    fs::write(directory.path().join("M.cfg"), config.to_text()).expect("it is written");
    let mut run = Run::new(directory.path(), "M");
    change(&mut run);
    let outcome = Apalache { program, steps_max: 7 }.run(&run, &Stop::new());
    if outcome.is_ok() {
        check_command(directory.path());
    }
    outcome
}

fn check_command(directory: &Path) {
    let asked = fs::read_to_string(directory.join("asked")).expect("it was asked");
    let first = asked.lines().next().expect("it was asked");
    for part in ["check --config=M.cfg --length=7", "--no-deadlock M.tla"] {
        assert!(first.contains(part), "{first}");
    }
}

fn config() -> Config {
    Config::new().init_next("Init", "Next").invariant("Small").invariant("Odd")
}

#[test]
fn nothing_found_is_bounded_by_the_most_steps() {
    let script = "echo 'The outcome is: NoError'; echo 'EXITCODE: OK'";
    let outcome = asked(script, &config(), |_| {}).expect("it answers");
    assert_eq!((outcome.verdict, outcome.bound), (Verdict::NoError, Some(7)));
}

#[test]
fn a_counterexample_is_read_and_its_invariant_is_the_one_that_fails_alone() {
    // The second invariant alone has a configuration of its own.
    let script = "case \"$*\" in *Only_Small*) echo 'The outcome is: NoError'; exit 0;; esac\n\
                  found; echo 'The outcome is: Error'; echo 'EXITCODE: ERROR (12)'; exit 12";
    let outcome = asked(script, &config(), |_| {}).expect("it answers");
    assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "Odd".into() });
    assert_eq!(outcome.behaviour.len(), 2);
    assert_eq!(outcome.behaviour[1].variables["x"], Value::Int(1));
    assert_eq!(outcome.behaviour[1].variables["seen"], Value::set([Value::string("a")]));
}

#[test]
fn a_state_without_successor_is_one() {
    let script = "found; echo 'The outcome is: Deadlock'; exit 12";
    let outcome = asked(script, &config(), |_| {}).expect("it answers");
    assert_eq!(outcome.verdict, Verdict::Deadlock);
}

#[test]
fn silence_types_that_do_not_fit_and_codes_without_words_are_no_verdicts() {
    let error = |script| asked(script, &config(), |_| {}).expect_err("it is no verdict");
    assert!(matches!(error("exit 0"), TlaError::NoVerdict { code: 0, .. }));
    assert!(matches!(error("exit 12"), TlaError::NoVerdict { code: 12, .. }));
    let lie = "echo 'The outcome is: NoError'; exit 12";
    assert!(matches!(error(lie), TlaError::NoVerdict { code: 12, .. }));
    let types =
        error("echo 'Typing input error: Expected a type annotation for VARIABLE x'; exit 120");
    assert!(matches!(&types, TlaError::Parse { .. }), "{types}");
    assert!(types.to_string().contains("type annotation for VARIABLE x"), "{types}");
    let without = error("echo 'The outcome is: Error'; exit 12");
    assert!(matches!(without, TlaError::Io { .. }), "{without}");
}

#[test]
fn what_apalache_would_pass_over_is_refused() {
    let refused = |config: &Config, change: fn(&mut Run)| {
        let error = asked("exit 1", config, change).expect_err("it is refused");
        assert!(matches!(error, TlaError::NotByEngine { .. }), "{error}");
    };
    refused(&config().property("Always"), |_| {});
    refused(&config(), |run| run.dump = true);
    refused(&config(), |run| run.user_file = true);
    refused(&config(), |run| run.coverage = true);
    let apalache = Apalache { program: "apalache-mc".into(), steps_max: 1 };
    let simulation = Simulation { behaviours: 1, states_max: 1, seed: 1 };
    let simulated = apalache.simulate(&Run::new(".", "M"), simulation, &Stop::new());
    assert!(matches!(simulated, Err(TlaError::NotByEngine { .. })));
}
