//! The specification itself, checked by TLC through the command.

use cadre_tests::Bench;
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn check(args: &str, expected: Expect) {
    let bench = bench();
    expected.assert_eq(&bench.run(args).transcript());
    bench.assert_nothing_left();
}

#[test]
fn invariants_and_temporal_properties_hold_and_every_action_is_taken() {
    check(
        "spec two-phase-commit --coverage",
        expect![[r#"
        checking the specification of two-phase-commit · 3 resource managers
        spec     holds     288 distinct states, 1 146 generated, depth 11, TLC 2.15, T s
                 taken     TMRcvPrepared: 96 steps, 21 to a new state
                 taken     TMCommit: 1 step, 1 to a new state
                 taken     TMAbort: 64 steps, 22 to a new state
                 taken     RMPrepare: 156 steps, 64 to a new state
                 taken     RMChooseToAbort: 156 steps, 64 to a new state
                 taken     RMRcvCommitMsg: 24 steps, 7 to a new state
                 taken     RMRcvAbortMsg: 648 steps, 108 to a new state
        PASS     TypeOK, Consistent, EverybodyDecides, Irrevocable hold (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn what_can_never_happen_is_told_by_the_coverage() {
    // With one writer there is never a second put that a sync could cover.
    check(
        "spec disk-store --nodes 1 --coverage",
        expect![[r#"
        checking the specification of disk-store · 1 writer
        spec     holds     15 distinct states, 31 generated, depth 5, TLC 2.15, T s
                 taken     Put: 3 steps, 1 to a new state
                 never     waiting' = Append(waiting, w) is evaluated (Put in DiskStore.tla, line 62)
                 never     UNCHANGED syncing is evaluated (Put in DiskStore.tla, line 62)
                 taken     SyncDone: 4 steps, 3 to a new state
                 taken     Get: 10 steps, 7 to a new state
                 taken     PowerLoss: 16 steps, 3 to a new state
        PASS     TypeOK, Durable, Monotonic, SyncsEnd hold (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_claim_that_fails_is_drawn_saved_and_can_be_followed() {
    let bench = bench();
    let ran = bench.run("spec two-phase-commit --nodes 2 --invariant NobodyCommits");
    expect![[r#"
        checking the specification of two-phase-commit · 2 resource managers
        spec     violated  50 distinct states, 129 generated, depth 7, TLC 2.15, T s

        violated  NobodyCommits   6 steps of TwoPhase
         #  action                       spec   rm1    rm2  changed
         1  rm1 chooses RMPrepare         :      *      :   rm1.rmState working → prepared,
                                          :      :      :   spec.msgs[0] none → {rm rm1, type Prepared}
         2  spec chooses TMRcvPrepared    *      :      :   spec.tmPrepared[0] none → rm1
         3  rm2 chooses RMPrepare         :      :      *   rm2.rmState working → prepared,
                                          :      :      :   spec.msgs[1] none → {rm rm2, type Prepared}
         4  spec chooses TMRcvPrepared    *      :      :   spec.tmPrepared[1] none → rm2
         5  spec chooses TMCommit         *      :      :   spec.msgs[2] none → {type Commit},
                                          :      :      :   spec.tmState init → committed
         6  rm1 chooses RMRcvCommitMsg    :      *      :   rm1.rmState prepared → committed
        saved    .cadre/traces/TwoPhase/nobodycommits-9a0ddf39.ndjson
        show     cadre show .cadre/traces/TwoPhase/nobodycommits-9a0ddf39.ndjson
        follow   cadre spec two-phase-commit --nodes 2 --invariant NobodyCommits --drive
        logs     .cadre/runs/spec-1
        FAIL     the invariant NobodyCommits is violated (exit 1)
        exit 1
    "#]].assert_eq(&ran.transcript());
    let line = |label: &str| {
        let found = ran.output.lines().find_map(|line| line.strip_prefix(label));
        found.unwrap().trim().split_once(' ').unwrap().1.to_owned()
    };
    let shown = bench.run(&line("show "));
    expect![[r#"
        TwoPhase · RM "{rm1, rm2}" · found by TLC · 6 steps
        violated  NobodyCommits

         #  action                       spec   rm1    rm2  changed
         1  rm1 chooses RMPrepare         :      *      :   rm1.rmState working → prepared,
                                          :      :      :   spec.msgs[0] none → {rm rm1, type Prepared}
         2  spec chooses TMRcvPrepared    *      :      :   spec.tmPrepared[0] none → rm1
         3  rm2 chooses RMPrepare         :      :      *   rm2.rmState working → prepared,
                                          :      :      :   spec.msgs[1] none → {rm rm2, type Prepared}
         4  spec chooses TMRcvPrepared    *      :      :   spec.tmPrepared[1] none → rm2
         5  spec chooses TMCommit         *      :      :   spec.msgs[2] none → {type Commit},
                                          :      :      :   spec.tmState init → committed
         6  rm1 chooses RMRcvCommitMsg    :      *      :   rm1.rmState prepared → committed

        at 6, rm1 set rmState to committed of its own accord (RMRcvCommitMsg).
        exit 0
    "#]].assert_eq(&shown.transcript());
    let saved = ran.output.lines().find_map(|line| line.strip_prefix("saved ")).unwrap().trim();
    for verb in ["replay", "conform"] {
        let refused = bench.run(&format!("{verb} {saved}"));
        assert!(refused.output.contains("spec GAME --drive"), "{}", refused.output);
        assert_eq!(refused.code, Some(5), "{}", refused.output);
    }
    let refused = bench.run(&format!("export {saved} --format shiviz --output log"));
    assert!(refused.output.contains("found a behaviour of TwoPhase"), "{}", refused.output);
    assert_eq!(refused.code, Some(2), "{}", refused.output);
    let followed = bench.run(&line("follow "));
    assert!(followed.output.contains("drive    follows   1 behaviour, 6 steps"));
    assert_eq!(followed.code, Some(1));
}

#[test]
fn without_fairness_nothing_ever_has_to_happen() {
    let ran = bench().run("spec two-phase-commit --nodes 1 --formula Spec");
    let told = &ran.output;
    assert!(told.contains("violated  EverybodyDecides"), "{told}");
    assert!(told.contains("and then nothing changes any more"), "{told}");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_name_that_the_specification_has_not_is_unreadable_input() {
    for option in ["--invariant", "--property", "--formula"] {
        let bench = bench();
        let ran = bench.run(&format!("spec two-phase-commit {option} Nothing"));
        assert!(ran.output.contains("Nothing"), "{}", ran.output);
        assert_eq!(ran.code, Some(5), "{}", ran.output);
    }
}

#[test]
fn a_claim_of_the_other_kind_is_refused() {
    for (claim, instead) in [
        ("--property NobodyCommits", "ask for it by --invariant"),
        ("--invariant EverybodyDecides", "ask for it by --property"),
    ] {
        let bench = bench();
        let ran = bench.run(&format!("spec two-phase-commit {claim}"));
        assert!(ran.output.contains(instead), "{}", ran.output);
        assert_eq!(ran.code, Some(2), "{}", ran.output);
        bench.assert_nothing_left();
    }
}

#[test]
fn two_workers_on_this_host_find_what_one_process_does() {
    let ran = bench().run("spec two-phase-commit --nodes 4 --distributed");
    assert!(ran.output.contains("1 568 distinct states"), "{}", ran.output);
    assert!(ran.output.contains("2 workers"), "{}", ran.output);
    assert!(ran.output.contains("PASS     TypeOK, Consistent hold"), "{}", ran.output);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn what_several_processes_find_to_be_violated_is_named() {
    let bench = bench();
    bench.write("hosts", "127.0.0.1 worker\n127.0.0.1 fingerprints\n");
    let claim = "--invariant NobodyCommits --hosts hosts";
    let ran = bench.run(&format!("spec two-phase-commit --nodes 2 --distributed {claim}"));
    let told = &ran.output;
    assert!(told.contains("an earlier state"), "{told}");
    assert!(told.contains("RMRcvCommitMsg"), "{told}");
    assert!(told.contains("FAIL     the invariant NobodyCommits is violated"), "{told}");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn what_several_processes_cannot_do_is_refused_before_they_start() {
    let bench = bench();
    bench.write("hosts", "127.0.0.1 worker\n127.0.0.1 boss\n");
    bench.write("far", "10.0.0.1 worker\n");
    for (args, told, code) in [
        ("--distributed --property Irrevocable", "invariants alone", 2),
        ("--distributed --coverage", "cannot be used with", 2),
        ("--distributed --hosts hosts", "in line 2", 5),
        ("--distributed --hosts nobody", "cannot read the hosts", 5),
        ("--distributed --hosts far", "expected --address", 2),
        ("--hosts hosts", "--distributed", 2),
    ] {
        let ran = bench.run(&format!("spec two-phase-commit {args}"));
        assert!(ran.output.contains(told), "{args}: {}", ran.output);
        assert_eq!(ran.code, Some(code), "{args}: {}", ran.output);
    }
    bench.assert_nothing_left();
}

#[test]
fn for_other_hosts_it_is_said_what_to_run_there() {
    let bench = bench();
    bench.write("hosts", "far worker 4\nfar fingerprints\n");
    let plan = "--distributed --hosts hosts --address lead --port 21000 --dry-run";
    let ran = bench.run(&format!("spec two-phase-commit {plan}"));
    let told: Vec<&str> = ran.output.lines().filter(|line| line.starts_with("waits")).collect();
    assert_eq!(told.len(), 2, "{}", ran.output);
    for (line, class) in told.into_iter().zip(["fp.DistributedFPSet lead", "TLCWorker lead"]) {
        assert!(line.starts_with("waits    for far: run there java -Xmx"), "{line}");
        assert!(line.contains("TLCServer.port=21000"), "{line}");
        assert!(line.ends_with(class), "{line}");
    }
    assert!(ran.output.contains("TLCWorker.threadCount=4"), "{}", ran.output);
}

#[test]
fn apalache_is_asked_only_where_it_is_and_for_specifications_alone() {
    let bench = bench().env("PATH", Some("")).env("APALACHE_MC", None);
    let absent = bench.run("spec two-phase-commit --engine apalache");
    assert!(absent.output.contains("expected apalache-mc on the PATH"), "{}", absent.output);
    assert_eq!(absent.code, Some(4));
    for args in ["check two-phase-commit", "spec two-phase-commit --simulate 1"] {
        let refused = bench.run(&format!("{args} --engine apalache"));
        assert!(refused.output.contains("expected another engine than Apalache"), "{args}");
        assert_eq!(refused.code, Some(2), "{args}: {}", refused.output);
    }
    bench.assert_nothing_left();
}
