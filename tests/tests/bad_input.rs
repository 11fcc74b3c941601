//! Bad input and broken surroundings: a clear error, the right exit code, and nothing left behind.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::net::TcpListener;
use std::path::PathBuf;

use cadre::model::{Class, Model};
use cadre_protocols::two_phase_commit;
use cadre_tests::{Bench, Ran};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn broken() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_broken-games"))
}

/// Compares what a command printed, the exit code last, and looks for what it left behind.
fn check(bench: &Bench, args: &str, expected: Expect) {
    let ran = bench.run(args);
    expected.assert_eq(&told(&ran));
    bench.assert_nothing_left();
}

fn told(ran: &Ran) -> String {
    ran.transcript()
}

/// The text of a stored trace.
fn stored(name: &str) -> String {
    let traces = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../traces/two-phase-commit");
    std::fs::read_to_string(traces.join(name)).unwrap()
}

#[test]
fn a_truncated_trace_is_unreadable_input() {
    let (bench, text) = (bench(), stored("early-commit.ndjson"));
    bench.write("cut.ndjson", &text[..text.len() / 2]);
    check(
        &bench,
        "replay cut.ndjson",
        expect![[r#"
        error: cut.ndjson: line 3 ends in the middle of a step: the trace is truncated; record it again
        exit 5
    "#]],
    );
    let lines: Vec<&str> = text.lines().take(3).collect();
    bench.write("short.ndjson", &lines.join("\n"));
    check(
        &bench,
        "conform short.ndjson",
        expect![[r#"
        error: short.ndjson: expected 5 steps, found 2: the trace is truncated or was edited
        exit 5
    "#]],
    );
    check(
        &bench,
        "show short.ndjson",
        expect![[r#"
        error: short.ndjson: expected 5 steps, found 2: the trace is truncated or was edited
        exit 5
    "#]],
    );
}

#[test]
fn a_trace_that_tells_a_variable_which_the_specification_lacks_is_unreadable_input() {
    let bench = bench();
    let trace = cadre_tests::sampled_traces(1).remove(0);
    bench.write("wrong.ndjson", &trace.to_ndjson().replace("\"tmState\"", "\"tmPhase\""));
    let ran = bench.run("conform wrong.ndjson");
    let said = "(rmState, tmState, tmPrepared, msgs) in trace wrong, step 0, found `tmPhase`";
    assert!(ran.output.contains(said), "{}", ran.output);
    assert_eq!(ran.code, Some(5));
}

#[test]
fn a_tlc_without_enough_memory_is_a_failure_of_the_tool_chain() {
    let ran = bench().run("conform --graph two-phase-commit --memory 1M");
    assert!(ran.output.contains("error: "), "{}", ran.output);
    assert_eq!(ran.code, Some(4), "{}", ran.output);
}

#[test]
fn a_trace_of_another_version_is_unreadable_input() {
    let bench = bench();
    let text = stored("early-commit.ndjson").replacen("\"version\":2", "\"version\":7", 1);
    bench.write("later.ndjson", &text);
    check(
        &bench,
        "replay later.ndjson",
        expect![[r#"
        error: later.ndjson: expected trace version 2, found version 7; read it with the version of the tool that wrote it, or record it again
        exit 5
    "#]],
    );
}

#[test]
fn what_is_no_trace_is_unreadable_input() {
    let bench = bench();
    bench.write("poem.ndjson", "So much depends\nupon\n");
    check(
        &bench,
        "show poem.ndjson",
        expect![[r#"
        error: poem.ndjson: expected a first line with "format":"cadre-trace", found `So much depends`; is this file a trace?
        exit 5
    "#]],
    );
    check(
        &bench,
        "show nowhere.ndjson",
        expect![[r#"
        error: cannot read the trace nowhere.ndjson: No such file or directory (os error 2)
        exit 5
    "#]],
    );
}

#[test]
fn a_trace_whose_steps_the_protocol_no_longer_takes_says_which_and_what_is_possible() {
    let bench = bench();
    let text = stored("early-commit.ndjson").replace("\"bug\":\"early-commit\",", "");
    bench.write("fixed.ndjson", &text);
    check(
        &bench,
        "replay fixed.ndjson",
        expect![[r#"
        replaying fixed.ndjson
        model    differs   step 3, `tm chooses Commit`, cannot be taken: nothing of the kind ever happens; enabled there: tm chooses Abort, rm2 chooses Prepare, rm2 chooses Abort, rm3 chooses Prepare, rm3 chooses Abort
        FAIL     the step function does something else (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_trace_whose_states_were_edited_differs_at_that_step() {
    let bench = bench();
    let text = stored("early-commit.ndjson");
    let edited = text.replacen("\"state\":\"prepared\"", "\"state\":\"aborted\"", 1);
    assert_ne!(text, edited);
    bench.write("edited.ndjson", &edited);
    check(
        &bench,
        "replay edited.ndjson --against model",
        expect![[r#"
        replaying edited.ndjson
        model    differs   at step 1
                 nodes.rm1.state aborted → prepared
        FAIL     the step function does something else (exit 1)
        exit 1
    "#]],
    );
    check(
        &bench,
        "replay edited.ndjson --against processes",
        expect![[r#"
        replaying edited.ndjson
        replay   differs   rm1 does not do what the model does at step 1

        differs  at step 1, rm1 chooses Prepare, in rm1
        --- expected
        +++ found
        - rm1.state  aborted
        + rm1.state  prepared

        logs     .cadre/runs/replay-1
        FAIL     the real processes do something else (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_specification_that_does_not_parse_is_named_with_its_line() {
    let bench = broken();
    let ran = bench.run("check broken --traces 1");
    let told = told(&ran);
    assert!(told.contains("Broken.tla"), "{told}");
    assert!(told.contains("line 3"), "{told}");
    assert_eq!(ran.code, Some(5), "{told}");
    bench.assert_nothing_left();
}

#[test]
#[cfg(not(feature = "embedded"))]
fn an_engine_that_is_left_out_is_not_replaced_by_another_one() {
    check(
        &bench(),
        "spec two-phase-commit --engine embedded",
        expect![[r#"
        checking the specification of two-phase-commit · 3 resource managers
        error: expected the embedded engine in this command, found it left out; build it with `--features embedded`, or leave out --engine
        exit 4
    "#]],
    );
}

#[test]
fn a_missing_tlc_is_not_installed_offline() {
    let bench = bench().env("TLA2TOOLS_JAR", None);
    let cache = tempfile::tempdir().unwrap();
    let bench = bench.env("CADRE_CACHE", Some(&cache.path().display().to_string()));
    bench.write("trace.ndjson", &stored("early-commit.ndjson"));
    // Where it is built, another engine would stand in.
    let engine = if cfg!(feature = "embedded") { " --engine tlc" } else { "" };
    let ran = bench.run(&format!("conform trace.ndjson --offline{engine}"));
    let told = told(&ran).replace(&cache.path().display().to_string(), "CACHE");
    expect![[r#"
        error: expected TLC (tla2tools.jar) on this machine, found none, and offline nothing is installed; name a tla2tools.jar by --tlc-jar or TLA2TOOLS_JAR
        exit 4
    "#]].assert_eq(&told);
    bench.assert_nothing_left();
}

#[test]
fn a_corrupt_jar_is_refused() {
    let bench = bench();
    bench.write("tla2tools.jar", "PK but no more");
    bench.write("trace.ndjson", &stored("early-commit.ndjson"));
    check(
        &bench,
        "conform trace.ndjson --tlc-jar tla2tools.jar",
        expect![[r#"
        error: HERE/tla2tools.jar is corrupt: expected a zip archive with tlc2/TLC.class, found no archive (invalid Zip archive: Could not find EOCD); correct --tlc-jar, or leave it out to have TLC installed
        exit 4
    "#]],
    );
    check(
        &bench,
        "conform trace.ndjson --tlc-jar nowhere.jar",
        expect![[r#"
        error: expected tla2tools.jar at nowhere.jar as --tlc-jar says, found no file; correct --tlc-jar
        exit 4
    "#]],
    );
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = bench();
    bench.write("trace.ndjson", &stored("early-commit.ndjson"));
    let ran = bench.run(&format!("replay trace.ndjson --against processes --base-port {port}"));
    let told = told(&ran);
    assert!(told.contains(&format!("127.0.0.1:{port}")), "{told}");
    assert!(told.contains("in use"), "{told}");
    assert_eq!(ran.code, Some(4), "{told}");
    bench.assert_nothing_left();
}

/// A trace of the broken game in which its node goes.
fn going(bench: &Bench) -> &'static str {
    let suite_less = bench.run("explore broken");
    assert_eq!(suite_less.code, Some(0), "{}", suite_less.output);
    bench.write(
        "going.ndjson",
        concat!(
            r#"{"format":"cadre-trace","version":2,"steps":1,"header":{"protocol":"broken","#,
            r#""setup":{"nodes":1},"origin":"hand","nodes":["n1"],"network":"growing-set","#,
            r#""guarantee":null,"verdict":"bounded","initial":{"nodes":{"n1":{"status":"up","#,
            r#""state":false,"timers":[],"disk":{},"unsynced":[]}},"network":[],"history":[]},"#,
            r#""spec":null}}"#,
            "\n",
            r#"{"step":1,"action":{"choose":{"node":"n1","timer":"go"}},"event":{"timeout":"#,
            r#"{"timer":"go"}},"effects":[],"lamport":1,"clock":{"n1":1},"causes":[],"change":"#,
            r#"{"nodes":{"n1":{"status":"up","state":true,"timers":[],"disk":{},"unsynced":[]}},"#,
            r#""added":[],"removed":[],"history":[]},"failure":null,"spec":null}"#,
            "\n"
        ),
    );
    "going.ndjson"
}

#[test]
fn a_process_that_dies_ends_the_replay_with_its_step() {
    let bench = broken();
    let trace = going(&bench);
    let bench = bench.env("BROKEN", Some("dies"));
    check(
        &bench,
        &format!("replay {trace} --against processes"),
        expect![[r#"
            replaying going.ndjson
            error: at step 1 (n1 chooses go), node n1: expected `cadre` to go on talking, but it ended with exit code 9; it wrote nothing to HERE/.cadre/runs/replay-1/replay-1/n1.log
            exit 4
        "#]],
    );
}

#[test]
fn a_process_that_hangs_is_killed_at_the_limit() {
    let bench = broken();
    let trace = going(&bench);
    let bench = bench.env("BROKEN", Some("hangs"));
    let args = format!("replay {trace} --against processes --step-seconds 3");
    check(
        &bench,
        &args,
        expect![[r#"
            replaying going.ndjson
            error: at step 1 (n1 chooses go), node n1: expected `cadre` to talk within 3s, but it was silent; it may hang, or need a longer wait; it wrote nothing to HERE/.cadre/runs/replay-1/replay-1/n1.log
            exit 4
        "#]],
    );
}

#[test]
fn a_panic_in_a_step_is_a_violation_with_a_trace() {
    let bench = broken().env("BROKEN", Some("panics"));
    check(
        &bench,
        "explore broken",
        expect![[r#"
            exploring broken · 1 node
            explore  violated  2 distinct configurations, depth 1, T s at R /s, omission < 1e-31

            violated  every step returns   shortest, 1 step

             #  action          n1  changed
             1  n1 chooses go   !   n1 up → failed: the node cannot go (tests/src/bin/broken_games.rs:38:29)

            because  at 1, n1 failed of its own accord (go): the node cannot go
                     (tests/src/bin/broken_games.rs:38:29);
                     every step returns: n1 failed: the node cannot go
                     (tests/src/bin/broken_games.rs:38:29).

            saved    .cadre/traces/broken/every-step-returns-bb305e40.ndjson
            replay   cadre replay .cadre/traces/broken/every-step-returns-bb305e40.ndjson
            FAIL     every step returns (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn weights_that_make_no_sense_are_usage_errors() {
    let bench = bench();
    check(
        &bench,
        "fuzz two-phase-commit --weight crash=-1",
        expect![[r#"
        error: invalid value 'crash=-1' for '--weight <CLASS=WEIGHT>': expected CLASS=WEIGHT, the weight from 0 to 1000000

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &bench,
        "fuzz two-phase-commit --weight tea-break=2",
        expect![[r#"
            error: there is no class of actions `tea-break`; there is deliver, choose, fire, sync-done, tick, invoke, drop, burst, duplicate, replay, corrupt, forge, partition, crash, crash-group, crash-restart, interrupt, pause, sync-fail, jump, heal, restart, resume
            exit 2
        "#]],
    );
    check(
        &bench,
        "fuzz two-phase-commit --weight crash",
        expect![[r#"
        error: invalid value 'crash' for '--weight <CLASS=WEIGHT>': expected CLASS=WEIGHT, the weight from 0 to 1000000

        For more information, try '--help'.
        exit 2
    "#]],
    );
    let setup = cadre::Setup::new(&two_phase_commit::Game, None, None).unwrap();
    let cluster = cadre::Game::cluster(&two_phase_commit::Game, &setup).unwrap();
    let zero = |class: Class| format!(" --weight {}=0", class.name);
    let none: String = cluster.classes().into_iter().map(zero).collect();
    check(
        &bench,
        &format!("fuzz two-phase-commit{none}"),
        expect![[r#"
        error: expected at least one weight above 0, found none: nothing could ever happen
        exit 2
    "#]],
    );
    check(
        &bench,
        "fuzz two-phase-commit --cases 0",
        expect![[r#"
        error: invalid value '0' for '--cases <CASES>': 0 is not in 1..=4294967295

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        &bench,
        "minimise some.ndjson --attempts 0",
        expect![[r#"
        error: invalid value '0' for '--attempts <N>': 0 is not in 1..18446744073709551615

        For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn a_trace_that_violates_nothing_cannot_be_minimised() {
    let bench = bench();
    bench.write("fine.ndjson", &stored("crash-after-each-step.ndjson"));
    check(
        &bench,
        "minimise fine.ndjson",
        expect![[r#"
        minimising fine.ndjson
        error: fine.ndjson: expected a trace that violates a guarantee, found one that is about none
        exit 5
    "#]],
    );
    let text = stored("early-commit.ndjson");
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n").replacen("\"steps\":5", "\"steps\":4", 1);
    bench.write("cut.ndjson", &cut);
    check(
        &bench,
        "minimise cut.ndjson",
        expect![[r#"
        minimising cut.ndjson
        error: cut.ndjson: expected an execution that violates `no two resource managers decide differently`, found one that does not: only what fails can be minimised
        exit 5
    "#]],
    );
    bench.write("fixed.ndjson", &text.replace("\"bug\":\"early-commit\",", ""));
    check(
        &bench,
        "minimise fixed.ndjson",
        expect![[r#"
        minimising fixed.ndjson
        error: fixed.ndjson: the schedule cannot be carried out: step 3, `tm chooses Commit`, cannot be taken: nothing of the kind ever happens; enabled there: tm chooses Abort, rm2 chooses Prepare, rm2 chooses Abort, rm3 chooses Prepare, rm3 chooses Abort
        exit 5
    "#]],
    );
}

#[test]
fn a_protocol_that_looks_at_a_global_variable_is_found_out() {
    check(
        &broken(),
        "fuzz moody --cases 3 --check-determinism",
        expect![[r#"
            fuzzing moody · 1 pair, twice
            fuzz     bounded   3 random executions, 9 steps, seed 1
            again    differs   run 1, step 3: the configuration is another one then
                     step 3, deliver 1 n1→n2
                     change.nodes.n2.state 8 → 12
            FAIL     the same seed does not give the same run: look for clocks, random sources, global variables and hash order (exit 1)
            exit 1
        "#]],
    );
}

/// A bench whose `java` is a script: it gets the real Java as `$JAVA`.
#[cfg(unix)]
fn bench_with_java(script: &str) -> (Bench, tempfile::TempDir) {
    use std::os::unix::fs::PermissionsExt;

    let stop = cadre::process::Stop::new();
    let tlc = cadre::tla::find(&cadre::tla::Find::default(), &mut |_| {}, &stop).unwrap();
    let home = tempfile::tempdir().unwrap();
    let java = home.path().join("bin/java");
    std::fs::create_dir(home.path().join("bin")).unwrap();
    let real = tlc.java.display();
    let version = "case \"$1\" in -version) exec \"$JAVA\" \"$@\";; esac";
    std::fs::write(&java, format!("#!/bin/sh\nJAVA='{real}'\n{version}\n{script}\n")).unwrap();
    std::fs::set_permissions(&java, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bench = bench().env("JAVA_HOME", Some(&home.path().display().to_string()));
    (bench, home)
}

#[cfg(unix)]
#[test]
fn a_tlc_that_somebody_kills_is_a_failure_of_the_tool_chain() {
    let (bench, _home) = bench_with_java("kill -9 $$");
    for args in ["spec two-phase-commit", "check two-phase-commit --traces 1"] {
        let ran = bench.run(args);
        assert!(ran.output.contains("it was killed by a signal; run it again"), "{}", ran.output);
        assert_eq!(ran.code, Some(4), "{}", ran.output);
    }
    bench.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn a_tlc_that_says_nothing_has_not_found_everything_to_be_fine() {
    let (bench, _home) = bench_with_java("exit 0");
    for args in ["spec two-phase-commit", "check two-phase-commit --traces 1"] {
        let ran = bench.run(args);
        assert!(ran.output.contains("expected a verdict of TLC, found none"), "{}", ran.output);
        assert_eq!(ran.code, Some(4), "{}", ran.output);
    }
    bench.assert_nothing_left();
}

#[test]
fn a_module_that_is_not_named_like_its_file_is_unreadable_input() {
    let bench = bench();
    bench.write("Store.tla", "---- MODULE Shop ----\nVARIABLE x\nInit == x = 0\n====\n");
    let ran = bench.run("spec --scaffold Store.tla");
    assert!(ran.output.contains("Store") && ran.output.contains("Shop"), "{}", ran.output);
    assert_eq!(ran.code, Some(5), "{}", ran.output);
    bench.assert_nothing_left();
}

#[test]
fn symmetry_where_nothing_can_change_places_says_what_tells_nodes_apart() {
    check(
        &bench(),
        "explore two-phase-commit --symmetry --faults corruptions=1",
        expect![[r#"
        exploring two-phase-commit · 3 resource managers · faults corruptions=1, up to names
        error: expected nothing that tells the nodes of two-phase-commit apart, found corruptions; leave that out, or search without symmetry
        exit 2
    "#]],
    );
    check(
        &bench(),
        "explore disk-store --symmetry",
        expect![[r#"
        exploring disk-store · 3 writers, up to names
        error: disk-store declares no interchangeable nodes or values, so that there is nothing to leave out; search without symmetry
        exit 2
    "#]],
    );
}

#[test]
fn what_bounds_a_graph_is_refused_where_there_is_none() {
    let bench = bench();
    bench.write("log.ndjson", "{}");
    bench.write("trace.ndjson", &stored("early-commit.ndjson"));
    for what in ["trace.ndjson", "--log log.ndjson"] {
        for bound in ["--nodes 2", "--bug early-commit", "--depth 3", "--seconds 5"] {
            let ran = bench.run(&format!("conform {what} {bound}"));
            assert!(ran.output.contains("cannot be used with"), "{}", ran.output);
            assert_eq!(ran.code, Some(2), "{}", ran.output);
        }
    }
}
