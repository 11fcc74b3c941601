//! Logs of a program that knows nothing of this tool, through the whole command.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::PathBuf;

use cadre_tests::{Bench, Ran};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn beside(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("logs").join(name)
}

/// Lets the program in Python write its logs, one for each node.
fn written(bench: &Bench, args: &str) {
    let program = beside("two_phase_commit.py");
    let ran = bench.shell(&format!("python3 {} . {args}", program.display()));
    assert_eq!(ran.code, Some(0), "{}", ran.output);
}

/// Conforms the logs with the mapping, or a changed one.
fn conform(bench: &Bench, change: impl Fn(String) -> String) -> Ran {
    let text = std::fs::read_to_string(beside("two_phase_commit.toml")).unwrap();
    let spec = beside("../../tla/TwoPhase/TraceTwoPhase.tla").canonicalize().unwrap();
    let text = text.replace("../../tla/TwoPhase/TraceTwoPhase.tla", spec.to_str().unwrap());
    bench.write("mapping.toml", &change(text));
    let ran = bench
        .run("conform --log rm1.ndjson rm2.ndjson rm3.ndjson tm.ndjson --mapping mapping.toml");
    bench.assert_nothing_left();
    ran
}

/// Writes a log and compares what is said of it, the exit code last.
fn check_lines(lines: &str, expected: Expect) {
    let bench = bench();
    for node in ["rm1", "rm2", "rm3", "tm"] {
        bench.write(&format!("{node}.ndjson"), "");
    }
    bench.write("tm.ndjson", lines);
    expected.assert_eq(&conform(&bench, |text| text).transcript());
}

#[test]
fn runs_of_a_program_in_python_conform() {
    for seed in [1, 2, 5] {
        let bench = bench();
        written(&bench, &format!("--seed {seed}"));
        let ran = conform(&bench, |text| text);
        assert_eq!(ran.code, Some(0), "{}", ran.output);
        assert!(ran.output.contains("conforms  1 trace against TwoPhase"), "{}", ran.output);
    }
}

#[test]
fn a_manager_in_python_that_commits_too_early_is_rejected_at_its_line() {
    let bench = bench();
    written(&bench, "--bug early-commit");
    let ran = conform(&bench, |text| text);
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    let expected = "\
rejected tm.ndjson, line 2: decide committed of tm, step 5 of the log
         the specification does not allow TMCommit here
false    tmPrepared = RM (TMCommit in TwoPhase.tla, line 56)";
    assert!(ran.output.contains(expected), "{}", ran.output);
}

#[test]
fn a_participant_in_python_that_gives_up_late_is_rejected_at_its_line() {
    let bench = bench();
    written(&bench, "--bug late-abort");
    let ran = conform(&bench, |text| text);
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    let expected = "\
rejected rm2.ndjson, line 2: give up of rm2, step 4 of the log
         the specification does not allow RMChooseToAbort(rm: rm2) here
";
    assert!(ran.output.contains(expected), "{}", ran.output);
}

const TM_PREPARED: &str =
    "tmPrepared = { field = \"prepared\", as = \"set(model)\", initial = \"{}\" }";

/// The mapping for a program that logs nothing of what the manager hears: each preparing is heard
/// at once.
fn heard_at_once(text: String, steps: [&str; 2]) -> String {
    let steps = steps
        .map(|action| format!("{{ action = \"{action}\", arguments.rm = \"node as model\" }}"));
    let prepare = "action = \"RMPrepare\"\narguments.rm = \"node as model\"";
    let heard = "[events.heard]\naction = \"TMRcvPrepared\"\narguments.rm = \"sender as model\"";
    assert!([prepare, heard, TM_PREPARED].iter().all(|part| text.contains(part)), "{text}");
    let text = text.replace(prepare, &format!("steps = [{}]", steps.join(", ")));
    let text = text.replace(heard, "").replace(TM_PREPARED, "");
    text.replace("[constants]", "ignore = [\"heard\"]\n\n[constants]")
}

#[test]
fn an_event_of_a_log_may_be_several_steps_of_the_specification() {
    let bench = bench();
    written(&bench, "--seed 1");
    let ran = conform(&bench, |text| heard_at_once(text, ["RMPrepare", "TMRcvPrepared"]));
    assert_eq!(ran.code, Some(0), "{}", ran.output);
    assert!(ran.output.contains("read      7 steps of 4 nodes"), "{}", ran.output);
}

#[test]
fn the_step_of_an_event_that_is_not_allowed_is_told() {
    let bench = bench();
    written(&bench, "--seed 1");
    let ran = conform(&bench, |text| heard_at_once(text, ["TMRcvPrepared", "RMPrepare"]));
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    let expected = "\
rejected rm1.ndjson, line 1: prepare of rm1, step 1 of the log
         the specification does not allow TMRcvPrepared(rm: rm1) (step 1 of 2 of \
         TMRcvPrepared(rm: rm1) · RMPrepare(rm: rm1)) here
";
    assert!(ran.output.contains(expected), "{}", ran.output);
    let ran = conform(&bench, |text| heard_at_once(text, ["RMPrepare", "TMPrepared"]));
    assert_eq!(ran.code, Some(5), "{}", ran.output);
    assert!(ran.output.contains("found `TMPrepared` for the event `prepare`"), "{}", ran.output);
}

#[test]
fn a_variable_with_another_value_is_told_with_both() {
    check_lines(
        r#"{"event": "prepare", "node": "rm1", "clock": {"rm1": 1}, "state": "PREPARED"}
{"event": "heard", "node": "tm", "clock": {"rm1": 1, "tm": 1}, "sender": "rm1", "prepared": ["rm2"]}
"#,
        expect![[r#"
            conforming 4 logs with the specification TwoPhase
            log      read      2 steps of 2 nodes in 4 files, 1 trace, merged by their clocks
            conform  rejected  1 of 1 trace against TwoPhase, TLC 2.15, 2 runs, T s

            rejected tm.ndjson, line 2: heard of tm, step 2 of the log
                     after TMRcvPrepared(rm: rm1), tmPrepared is {rm1} in the specification and {rm2} in the log
            false    tmPrepared' = tmPrepared \cup {r} (TMRcvPrepared in TwoPhase.tla, line 50): r = rm1, tmPrepared \cup {r} = {rm1}, tmPrepared = {}, tmPrepared' = {rm2}
            state    msgs = {[rm |-> rm1, type |-> "Prepared"]}, rmState = (rm1 :> "prepared" @@ rm2 :> "working" @@ rm3 :> "working"), tmPrepared = {}, tmState = "init"
            enabled  RMChooseToAbort(rm: rm2), RMChooseToAbort(rm: rm3), RMPrepare(rm: rm2), RMPrepare(rm: rm3), TMAbort, TMRcvPrepared(rm: rm1)
            logs     .cadre/runs/conform-1
            FAIL     1 trace does not conform (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_line_that_was_cut_off_is_told_with_its_place() {
    check_lines(
        r#"{"event": "prepare", "node": "rm1", "clock": {"rm1": 1}, "state": "PREPARED"}
{"event": "heard", "node": "tm", "clo"#,
        expect![[r#"
            error: tm.ndjson, line 2: expected an object of JSON in each line, found `{"event": "heard", "node": "tm", "clo` (EOF while parsing a string at column 37); write each event as one line of JSON; a line that was cut off is not one
            exit 5
        "#]],
    );
}

#[test]
fn clocks_that_contradict_each_other_are_told_with_both_lines() {
    check_lines(
        r#"{"event": "prepare", "node": "rm1", "clock": {"rm1": 1, "tm": 1}, "state": "PREPARED"}
{"event": "heard", "node": "tm", "clock": {"rm1": 1, "tm": 1}, "sender": "rm1"}
"#,
        expect![[r#"
            error: tm.ndjson, line 1 and tm.ndjson, line 2 contradict each other: by its clock each of them comes after the other; let each event of a node advance its clock, and join what comes with a message
            exit 5
        "#]],
    );
}

#[test]
fn an_action_that_the_specification_does_not_have_is_refused_before_the_run() {
    let bench = bench();
    written(&bench, "");
    let ran = conform(&bench, |text| text.replace("RMPrepare", "RMPrepared"));
    expect![[r#"
        error: expected an action of TraceTwoPhase (RMChooseToAbort, RMPrepare, RMRcvAbortMsg, RMRcvCommitMsg, TMAbort, TMCommit, TMRcvPrepared), found `RMPrepared` for the event `prepare` of the mapping; perhaps RMPrepare is meant
        exit 5
    "#]].assert_eq(&ran.transcript());
}

#[test]
fn a_mapping_that_does_not_read_is_told_with_its_line() {
    let bench = bench();
    written(&bench, "");
    let ran = conform(&bench, |text| text.replace("set(model)", "set(models)"));
    expect![[r#"
        error: cannot read the mapping mapping.toml: TOML parse error at line 43, column 14
           |
        43 | tmPrepared = { field = "prepared", as = "set(models)", initial = "{}" }
           |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        expected a kind (itself, bool, int, string, model, optional(K), set(K), sequence(K), function(K, K), record(NAME: K, …), tla), found `models`
        exit 5
    "#]].assert_eq(&ran.transcript());
    let ran = conform(&bench, |text| text.replace("[event]", "[evnt]"));
    expect![[r#"
        error: cannot read the mapping mapping.toml: TOML parse error at line 8, column 2
          |
        8 | [evnt]
          |  ^^^^
        unknown field `evnt`, expected one of `game`, `nodes`, `spec`, `constants`, `invariants`, `event`, `events`, `ignore`, `variables`
        exit 5
    "#]].assert_eq(&ran.transcript());
}

#[test]
fn a_log_without_a_specification_is_a_usage_error() {
    let bench = bench();
    bench.write("log.ndjson", "{}\n{}");
    expect![[r#"
        error: expected a specification, found none; name a game or the file of a trace module by --spec, or in the mapping by `game` or `spec`
        exit 2
    "#]]
    .assert_eq(&bench.run("conform --log log.ndjson").transcript());
    expect![[r#"
        error: there is no game `three-phase`; there is two-phase-commit, disk-store, primary-backup
        exit 2
    "#]]
    .assert_eq(&bench.run("conform --log log.ndjson --spec three-phase").transcript());
    expect![[r#"
        error: cannot read the log none.ndjson: No such file or directory (os error 2)
        exit 5
    "#]]
    .assert_eq(&bench.run("conform --log none.ndjson --spec disk-store").transcript());
    expect![[r#"
        error: the following required arguments were not provided:
          --log <FILE>...
          <TRACES>...

        Usage: cadre-under-test conform --log <FILE>... --spec <GAME|FILE.tla> <TRACES>...

        For more information, try '--help'.
        exit 2
    "#]]
    .assert_eq(&bench.run("conform --spec disk-store").transcript());
}

#[test]
fn states_in_the_informal_trace_format_are_checked_against_the_specification_of_a_game() {
    let bench = bench();
    let state = |tm: &str, msgs: &str| {
        format!(
            r##"{{"rmState": {{"#map": [[{{"#model": "rm1"}}, "working"]]}}, "tmState": "{tm}",
                "tmPrepared": {{"#set": []}}, "msgs": {{"#set": [{msgs}]}}}}"##
        )
    };
    let itf = |second: &str| {
        let states = format!("{}, {second}", state("init", ""));
        format!(
            r##"{{"vars": ["rmState", "tmState", "tmPrepared", "msgs"], "states": [{states}]}}"##
        )
    };
    bench.write("good.itf.json", &itf(&state("aborted", r#"{"type": "Abort"}"#)));
    bench.write("bad.itf.json", &itf(&state("committed", r#"{"type": "Commit"}"#)));
    bench.write("one.json", r#"{"game": "two-phase-commit", "nodes": 1}"#);
    let ran = bench.run("conform --log good.itf.json bad.itf.json --mapping one.json");
    expect![[r#"
        conforming 2 logs with the specification TwoPhase
        log      read      2 steps of 2 nodes in 2 files, 2 traces
        conform  rejected  1 of 2 traces against TwoPhase, TLC 2.15, 2 runs, T s

        rejected bad.itf.json, state 2: a step of bad.itf, step 1 of bad.itf
                 no step leads there; after the one that comes nearest, msgs is {[type |-> "Abort"]} in the specification and {[type |-> "Commit"]} in the log
                 no step leads there; after the one that comes nearest, tmState is "aborted" in the specification and "committed" in the log
        false    tmPrepared = RM (TMCommit in TwoPhase.tla, line 56): RM = {rm1}, tmPrepared = {}
        false    tmState' = "aborted" (TMAbort in TwoPhase.tla, line 64): tmState' = "committed"
        false    Prepared(r) \in msgs (TMRcvPrepared in TwoPhase.tla, line 49): r = rm1, Prepared(r) = [rm |-> rm1, type |-> "Prepared"], msgs = {}
        false    rmState' = [rmState EXCEPT ![r] = "prepared"] (RMPrepare in TwoPhase.tla, line 74): r = rm1, [rmState EXCEPT ![r] = "prepared"] = (rm1 :> "prepared"), rmState = (rm1 :> "working"), rmState' = (rm1 :> "working")
        false    rmState' = [rmState EXCEPT ![r] = "aborted"] (RMChooseToAbort in TwoPhase.tla, line 82): r = rm1, [rmState EXCEPT ![r] = "aborted"] = (rm1 :> "aborted"), rmState = (rm1 :> "working"), rmState' = (rm1 :> "working")
        state    msgs = {}, rmState = (rm1 :> "working"), tmPrepared = {}, tmState = "init"
        enabled  Next, NextOrNothing
        logs     .cadre/runs/conform-1
        FAIL     1 trace does not conform (exit 1)
        exit 1
    "#]].assert_eq(&ran.transcript());
}

const LOCK: &str = "---- MODULE Lock ----
VARIABLE holder
Init == holder = \"nobody\"
Acquire(n) == holder = \"nobody\" /\\ holder' = n
Release(n) == holder = n /\\ holder' = \"nobody\"
Next == \\E n \\in {\"na\", \"nb\"} : Acquire(n) \\/ Release(n)
====
";

/// A lock whose lines have clocks, against its specification, of which nobody has written a trace
/// module.
fn lock(lines: &str) -> Ran {
    locks("", &[lines])
}

/// Several executions of it, with what a mapping says to tell them apart.
fn locks(run: &str, executions: &[&str]) -> Ran {
    let bench = bench();
    bench.write("Lock.tla", LOCK);
    // A file that can be no module is none of the specification's.
    bench.write("Lock-old.tla", "---- MODULE Lock ----\nfor later\n====\n");
    bench.write(
        "lock.toml",
        &format!(
            "spec = \"Lock.tla\"\n\
             [event]\nname = \"event\"\nnode = \"node\"\nclock = \"clock\"\n{run}\n\
             [events.acquire]\naction = \"Acquire\"\narguments.n = \"node\"\n\
             [events.release]\naction = \"Release\"\narguments.n = \"node\"\n"
        ),
    );
    let mut log = String::new();
    for (run, lines) in executions.iter().enumerate() {
        for line in lines.lines() {
            let mut words = line.splitn(3, ' ');
            let [node, event, clock] = [(); 3].map(|()| words.next().unwrap());
            let told = format!(r#""node": "{node}", "event": "{event}", "clock": {clock}"#);
            log += &format!("{{\"run\": {run}, {told}}}\n");
        }
    }
    bench.write("log.ndjson", &log);
    bench.run("conform --log log.ndjson --mapping lock.toml")
}

#[test]
fn a_log_conforms_in_any_order_that_agrees_with_its_clocks() {
    for lines in [
        // Merged, the second node comes between the lines of the first.
        "na acquire {\"na\": 1}\nna release {\"na\": 2}\nnb acquire {\"nb\": 1}",
        "na acquire {\"na\": 1}\nna release {\"na\": 2}\nnb acquire {\"na\": 1, \"nb\": 1}",
        "nb acquire 1\nnb release 2\nna acquire 2",
    ] {
        let ran = lock(lines);
        assert_eq!(ran.code, Some(0), "{lines}\n{}", ran.output);
        assert!(ran.output.contains("conforms  1 trace against Lock"), "{}", ran.output);
    }
}

#[test]
fn the_orders_of_one_execution_say_nothing_of_those_of_another() {
    let late = "na acquire {\"na\": 1}\nna release {\"na\": 2}\nnb acquire {\"nb\": 1}";
    let none = "na acquire {\"na\": 1}\nnb acquire {\"nb\": 1}";
    let ran = locks("run = \"run\"", &[late, late]);
    assert_eq!(ran.code, Some(0), "{}", ran.output);
    for executions in [[late, none, late], [none, late, late]] {
        let ran = locks("run = \"run\"", &executions);
        assert!(ran.output.contains("rejected  1 of 3 traces against Lock"), "{}", ran.output);
        assert_eq!(ran.code, Some(1), "{}", ran.output);
    }
}

#[test]
fn a_log_that_conforms_in_no_order_is_rejected() {
    // The release has seen the second node's line.
    let seen = "na acquire {\"na\": 1}\nna release {\"na\": 2, \"nb\": 1}\n\
                nb acquire {\"na\": 1, \"nb\": 1}";
    expect![[r#"
        conforming 1 log with the specification Lock
        log      read      3 steps of 2 nodes in 1 file, 1 trace, merged by their clocks
        conform  rejected  1 of 1 trace against Lock, TLC 2.15, 2 runs, T s

        rejected log.ndjson, line 3: acquire of nb, step 2 of the log
                 the specification does not allow Acquire(n: "nb") here
        false    holder = "nobody" (Acquire in Lock.tla, line 4): holder = "na"
        state    holder = "na"
        enabled  Release(n: "na")
        logs     .cadre/runs/conform-1
        FAIL     1 trace does not conform (exit 1)
        exit 1
    "#]]
    .assert_eq(&lock(seen).transcript());
    // In every order the lock is held when it is acquired once more.
    let free = "na acquire {\"na\": 1}\nnb acquire {\"nb\": 1}";
    let ran = lock(free);
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    assert!(ran.output.contains("log.ndjson, line 2: acquire of nb, step 2"), "{}", ran.output);
}

#[test]
fn a_log_of_which_not_all_orders_could_be_tried_is_not_decided() {
    let bench = bench();
    bench.write(
        "Count.tla",
        "---- MODULE Count ----\nEXTENDS Naturals\nVARIABLE n\nInit == n = 0\n\
         Tick(i) == n' = n + 1\nBang == n = 99 /\\ n' = 0\n\
         Next == Bang \\/ \\E i \\in {\"a\", \"b\", \"c\", \"d\"} : Tick(i)\n====\n",
    );
    bench.write(
        "count.toml",
        "spec = \"Count.tla\"\n\
         [event]\nname = \"event\"\nnode = \"node\"\nclock = \"clock\"\n\
         [events.tick]\naction = \"Tick\"\narguments.i = \"node\"\n\
         [events.bang]\naction = \"Bang\"\n",
    );
    let mut lines = String::new();
    for node in ["a", "b", "c", "d"] {
        for count in 1..=5 {
            let clock = format!("{{\"{node}\": {count}}}");
            let line = format!(r#"{{"event": "tick", "node": "{node}", "clock": {clock}}}"#);
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    let all = r#"{"event": "bang", "node": "a", "clock": {"a": 6, "b": 5, "c": 5, "d": 5}}"#;
    bench.write("log.ndjson", &format!("{lines}{all}\n"));
    expect![[r#"
        conforming 1 log with the specification Count
        log      read      21 steps of 4 nodes in 1 file, 1 trace, merged by their clocks
        conform  unknown   1 of 1 trace against Count, TLC 2.15, 5 runs, T s

        unknown  log.ndjson, line 21: bang of a, step 21 of the log
                 another order of concurrent lines may conform: the specification allows neither this one nor the 2380 others that were tried, and the clocks leave more
        logs     .cadre/runs/conform-1
        BOUNDED  1 trace is not decided (exit 3)
        exit 3
    "#]]
    .assert_eq(&bench.run("conform --log log.ndjson --mapping count.toml").transcript());
}
