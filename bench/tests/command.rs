//! The command as it is called.

use std::time::Duration;

use cadre::process::{PrivateDirectory, Program, Stop, run};

/// Runs the command; gives what it printed, and whether it was content.
fn bench(arguments: &str, change: impl Fn(Program) -> Program) -> (String, bool) {
    let directory = PrivateDirectory::new("bench-test").expect("a private directory");
    let program = Program::new(env!("CARGO_BIN_EXE_cadre-bench")).args(arguments.split(' '));
    let log = directory.path().join("log");
    let limit = Duration::from_secs(120);
    let finished = run(&change(program), &log, limit, &Stop::new()).expect("the command runs");
    (finished.output().expect("its output is there"), finished.code == Some(0))
}

#[test]
fn the_table_has_a_row_for_each_tool_and_ratios_where_counts_agree() {
    let (told, is_content) = bench("--quick --case growing-paxos", |program| program);
    assert!(is_content, "{told}");
    let rows: Vec<&str> =
        told.lines().filter(|line| line.starts_with("growing-paxos 1 ")).collect();
    assert_eq!(rows.len(), 3, "{told}");
    assert!(rows.iter().all(|row| row.contains("14 265")), "{told}");
    assert!(rows[1..].iter().all(|row| row.matches('x').count() >= 3), "{told}");
    assert!(told.contains("not measured two-phase-commit 9"), "{told}");
}

#[test]
fn a_peer_that_is_not_there_is_skipped() {
    let arguments = "--quick --case two-phase-commit --size 2 --tool ours --tool spin";
    let (told, is_content) = bench(arguments, |program| program.env("PATH", "/nowhere"));
    assert!(is_content, "{told}");
    assert!(told.contains("spin: spin not installed, skipped"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("two-phase-commit 2 ")), "{told}");
}

#[test]
fn one_search_is_one_line_of_json() {
    let (told, is_content) = bench("one stateright-bfs increment-lock 3", |program| program);
    assert!(is_content, "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("{\"workers\":2,\"distinct\":61,"), "{told}");
}

#[test]
fn a_case_that_a_tool_does_not_know_is_an_error() {
    let (told, is_content) = bench("one spin raft 1", |program| program);
    assert!(!is_content && told.starts_with("error: "), "{told}");
}

#[test]
fn weighing_tells_what_a_program_has_used_and_passes_its_exit_code_on() {
    let (told, is_content) = bench("weigh -- sh -c exit", |program| program);
    assert!(is_content && told.contains("\"peak_bytes\":"), "{told}");
    let (told, is_content) = bench("weigh -- false", |program| program);
    assert!(!is_content, "{told}");
}
