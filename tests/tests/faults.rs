//! Games with other faults than their own, from the command line.

use cadre_tests::Bench;
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn check(bench: &Bench, args: &str, expected: Expect) {
    expected.assert_eq(&bench.run(args).transcript());
}

const GAME: &str = "disk-store --nodes 1 --bug acknowledges-before-sync";

#[test]
fn a_bug_that_needs_a_crash_is_not_found_without_one() {
    check(
        &bench(),
        &format!("explore {GAME} --faults crash-restarts=none"),
        expect![[r#"
        exploring disk-store · 1 writer · bug acknowledges-before-sync · faults crash-restarts=none
        explore  holds     15 distinct configurations, depth 5, T s at R /s, omission < 6e-30
                 holds     every step returns
                 holds     no acknowledged put is lost
                 holds     what clients are answered is linearizable
                 holds     once nothing can happen any more, no put waits for a sync
                 holds     all requests can be answered, first after 3 steps
                 executed  17 transitions
        PASS     every guarantee holds, everything was seen (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_trace_is_executed_again_with_the_faults_that_it_was_found_with() {
    let bench = bench();
    let faults = "crash-restarts=none,crashes=1,restarts=yes";
    check(
        &bench,
        &format!("fuzz {GAME} --faults {faults}"),
        expect![[r#"
        fuzzing disk-store · 1 writer · bug acknowledges-before-sync · faults crash-restarts=none,crashes=1,restarts=yes
        fuzz     violated  18 random executions, 104 steps, seed 1

        violated  no acknowledged put is lost          shrunk from 2 steps, 2 steps

         #  action                              store  changed
         1  w1 asks store Put(key x, value 1)    ▷●    store.syncing[0] none → {id {client 0, number 0}, key
                                                  :    x, value 1}, store.values.x none → 1,
                                                  :    store.unsynced +x=1 +sync, w1 gets Stored
         2  CRASH store                           ✗    store up → down, store.unsynced -x=1 -sync

        because  at 2, store crashed;
                 no acknowledged put is lost: x=1 was acknowledged, and store holds nothing there.

        saved    .cadre/traces/disk-store/no-acknowledged-put-is-lost-dc8f711f.ndjson
        replay   cadre replay .cadre/traces/disk-store/no-acknowledged-put-is-lost-dc8f711f.ndjson
        FAIL     no acknowledged put is lost (exit 1)
        exit 1
    "#]],
    );
    let directory = bench.path().join(".cadre/traces/disk-store");
    let mut traces = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let trace = traces.next().unwrap().into_string().unwrap();
    let replay = format!("replay --against model .cadre/traces/disk-store/{trace}");
    check(
        &bench,
        &replay,
        expect![[r#"
        replaying .cadre/traces/disk-store/no-acknowledged-put-is-lost-dc8f711f.ndjson
        model    agrees    2 steps by the step function
        FAIL     violated again, no acknowledged put is lost: x=1 was acknowledged, and store holds nothing there (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn what_a_specification_does_not_know_of_other_faults_is_said_with_what_it_rejects() {
    let bench = bench();
    let ran = bench.run("check two-phase-commit --nodes 2 --faults crashes=1");
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    let expected = "
         the faults are not the game's own (crashes=1): the specification may know nothing of them
";
    assert!(ran.output.contains(expected), "{}", ran.output);
    let ran = bench.run("check two-phase-commit --nodes 2");
    assert!(!ran.output.contains("the faults are not"), "{}", ran.output);
}

#[test]
fn faults_that_make_no_sense_are_told_so() {
    let bench = bench();
    let cases = [
        (
            "explore two-phase-commit --faults losses=1",
            expect![[r#"
            error: the cluster cannot be built: expected no budget for losses: a growing-set network already loses, duplicates and delays without limit; use a consumed-once or a FIFO network to bound them
            exit 2
        "#]],
        ),
        (
            "explore two-phase-commit --faults loses=1",
            expect![[r#"
            error: invalid value 'loses=1' for '--faults <FAULT=COUNT>': there is no fault `loses`; there are losses, bursts, duplications, replays, corruptions, forgeries, partitions, one-way-partitions, partial-partitions, delays, crashes, crash-restarts, group-crashes, interruptions, pauses, torn-writes, sync-errors, full-disks, corrupt-reads, misdirected-reads, slow-syncs, clock-jumps, restarts and unsynced

            For more information, try '--help'.
            exit 2
        "#]],
        ),
        (
            "fuzz two-phase-commit --faults crashes=300",
            expect![[r#"
            error: invalid value 'crashes=300' for '--faults <FAULT=COUNT>': expected none, a count up to 255, or unlimited for crashes, found `300`

            For more information, try '--help'.
            exit 2
        "#]],
        ),
        (
            "explore two-phase-commit --faults group-crashes=1",
            expect![[r#"
            error: the cluster cannot be built: expected a group that crashes together, found a budget for group-crashes alone; add a group that crashes together, or leave it out
            exit 2
        "#]],
        ),
        (
            "spec two-phase-commit --faults crashes=1",
            expect![[r#"
            error: expected no --faults, which the specification says for itself; leave them out
            exit 2
        "#]],
        ),
    ];
    for (args, expected) in cases {
        check(&bench, args, expected);
        bench.assert_nothing_left();
    }
}
