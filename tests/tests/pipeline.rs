//! The whole pipeline through the command: real TLC, real processes.

use cadre_tests::{Bench, Ran, stored_traces};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

/// What a command printed but for the lines that tell of an installation.
fn told(ran: &Ran) -> String {
    let lines = ran.output.lines().filter(|line| !line.contains("installing"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn check(args: &str, code: i32, expected: Expect) {
    let ran = bench().run(args);
    expected.assert_eq(&told(&ran));
    assert_eq!(ran.code, Some(code));
}

#[test]
fn a_right_protocol_passes_every_stage() {
    check(
        "check two-phase-commit",
        0,
        expect![[r#"
            checking two-phase-commit · 3 resource managers
            explore  holds     288 distinct configurations, depth 11, T s at R /s, omission < 2e-27
            fuzz     bounded   256 random executions, 1 495 steps, seed 1
            record   done      3 free runs of real processes, N steps
            conform  conforms  1 004 traces against TwoPhase, TLC 2.15, 1 run, T s
            replay   agrees    4 schedules, 50 steps on 4 real processes
            PASS     every guarantee holds, traces conform, real processes agree (exit 0)
        "#]],
    );
}

#[test]
fn an_early_commit_is_found_rejected_by_tlc_and_reproduced_by_processes() {
    check(
        "check two-phase-commit --bug early-commit",
        1,
        expect![[r#"
            checking two-phase-commit · 3 resource managers · bug early-commit
            explore  violated  249 distinct configurations, depth 5, T s at R /s, omission < 2e-27
            conform  rejected  1 of 1 trace against TwoPhase, TLC 2.15, 2 runs, T s
                     counterexample: step 3, tm chooses Commit: the spec does not allow TMCommit here: tmPrepared = RM is false
            replay   agrees    1 schedule, 5 steps on 4 real processes

            violated  no two resource managers decide differently   shortest, 5 steps

             #  action                    tm   rm1   rm2   rm3  changed
             1  rm1 chooses Prepare       :     ●     :     :   rm1 working → prepared, +Prepared→tm, disk state
             2  deliver Prepared rm1→tm   *◀──1─o     :     :   tm.prepared[0] none → 1, disk state
             3  tm chooses Commit         ●     :     :     :   tm.decision undecided → committed
             4  deliver Commit tm→rm1     o─3──▶*     :     :   rm1 prepared → committed, disk state
             5  rm2 chooses Abort         :     :     *     :   rm2 working → aborted, disk state

            because  at 4, rm1 went to committed on Commit, which tm sent at 3 of its own accord (Commit);
                     at 5, rm2, knowing nothing of rm1, went to aborted of its own accord (Abort);
                     no two resource managers decide differently: rm1 has committed and rm2 has aborted.

            saved    .cadre/traces/two-phase-commit/no-two-resource-managers-decide-7817fa95.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/no-two-resource-managers-decide-7817fa95.ndjson
            report   .cadre/runs/check-1/report.html
            FAIL     no two resource managers decide differently (exit 1)
        "#]],
    );
}

#[test]
fn a_late_abort_is_found_rejected_by_tlc_and_reproduced_by_processes() {
    check(
        "check two-phase-commit --bug late-abort",
        1,
        expect![[r#"
            checking two-phase-commit · 3 resource managers · bug late-abort
            explore  violated  450 distinct configurations, depth 9, T s at R /s, omission < 5e-27
            conform  rejected  1 of 1 trace against TwoPhase, TLC 2.15, 2 runs, T s
                     counterexample: step 3, rm1 chooses Abort: the spec does not allow RMChooseToAbort here: rmState[r] = "working" is false
            replay   agrees    1 schedule, 9 steps on 4 real processes

            violated  no two resource managers decide differently   shortest, 9 steps
             #  action                    tm   rm1   rm2   rm3  changed
             1  rm1 chooses Prepare       :     ●     :     :   rm1 working → prepared, +Prepared→tm, disk state
             2  deliver Prepared rm1→tm   *◀──1─o     :     :   tm.prepared[0] none → 1, disk state
             3  rm1 chooses Abort         :     *     :     :   rm1 prepared → aborted, disk state
             …  2 steps like these; cadre show prints all
             6  rm3 chooses Prepare       :     :     :     ●   rm3 working → prepared, +Prepared→tm, disk state
             7  deliver Prepared rm3→tm   *◀──────────────6─o   tm.prepared[2] none → 3, disk state
             8  tm chooses Commit         ●     :     :     :   tm.decision undecided → committed
             9  deliver Commit tm→rm2     o─8────────▶*     :   rm2 prepared → committed, disk state

            because  at 3, rm1 went to aborted of its own accord (Abort);
                     at 9, rm2, knowing rm1 only as of 1 (prepared), went to committed on Commit, which tm
                     sent at 8 of its own accord (Commit);
                     no two resource managers decide differently: rm2 has committed and rm1 has aborted.
            saved    .cadre/traces/two-phase-commit/no-two-resource-managers-decide-cff975a9.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/no-two-resource-managers-decide-cff975a9.ndjson
            report   .cadre/runs/check-1/report.html
            FAIL     no two resource managers decide differently (exit 1)
        "#]],
    );
}

#[test]
fn a_process_that_answers_before_it_syncs_is_found_by_the_replay_alone() {
    check(
        "check two-phase-commit --bug answers-before-sync",
        1,
        expect![[r#"
            checking two-phase-commit · 3 resource managers · bug answers-before-sync
            explore  holds     288 distinct configurations, depth 11, T s at R /s, omission < 2e-27
            fuzz     bounded   256 random executions, 1 495 steps, seed 1
            record   done      3 free runs of real processes, N steps
            conform  conforms  1 004 traces against TwoPhase, TLC 2.15, 1 run, T s
            replay   differs   rm1 does not do what the model does at step 2

            differs  at step 2, CRASH+RESTART rm1, in rm1
            --- expected
            +++ found
            - rm1.disk.state  "prepared"
            + rm1.disk.state  none
            - rm1.state       prepared
            + rm1.state       working

            saved    .cadre/traces/two-phase-commit/schedule-af94557e.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/schedule-af94557e.ndjson --bug answers-before-sync
            report   .cadre/runs/check-1/report.html
            logs     .cadre/runs/check-1
            FAIL     the real processes do something else (exit 1)
        "#]],
    );
}

#[test]
fn a_violation_takes_at_most_25_lines() {
    for bug in ["early-commit", "late-abort"] {
        let ran = bench().run(&format!("check two-phase-commit --bug {bug}"));
        assert!(told(&ran).lines().count() <= 25, "{}", ran.output);
    }
}

#[test]
fn a_bounded_search_is_never_passed() {
    let ran = bench().run("check two-phase-commit --depth 5 --traces 10");
    assert!(ran.output.ends_with("(exit 3)\n"), "{}", ran.output);
    assert_eq!(ran.code, Some(3));
}

#[test]
fn tlc_counts_what_the_explorer_counts() {
    for nodes in 3..=6_u32 {
        let distinct = 2_u64.pow(nodes) + 4_u64.pow(nodes) + 6_u64.pow(nodes);
        let depth = 3 * nodes + 2;
        for verb in ["explore", "spec"] {
            let ran = bench().run(&format!("{verb} two-phase-commit --nodes {nodes}"));
            let told = told(&ran).replace(' ', "");
            assert!(told.contains(&format!("{distinct}distinct")), "{verb}: {}", ran.output);
            assert!(told.contains(&format!("depth{depth},")), "{verb}: {}", ran.output);
            assert_eq!(ran.code, Some(0), "{}", ran.output);
        }
    }
}

/// The path of a stored trace.
fn stored(name: &str) -> String {
    format!("{}/../traces/two-phase-commit/{name}.ndjson", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_stored_trace_is_replayed_by_real_processes() {
    for stored in stored_traces() {
        let bench = bench();
        let ran = bench.run(&format!("replay {}", stored.path.display()));
        assert!(ran.output.contains("agrees    1 schedule"), "{}", ran.output);
        let code = if stored.verdict == "violated" { 1 } else { 0 };
        assert_eq!(ran.code, Some(code), "{}", ran.output);
        bench.assert_nothing_left();
    }
}

#[test]
fn a_replay_says_at_which_step_a_process_that_does_not_sync_differs() {
    let bench = bench();
    let trace = stored("crash-after-each-step");
    let ran = bench.run(&format!("replay {trace} --bug answers-before-sync"));
    expect![[r#"
        replaying TRACE
        model    agrees    20 steps by the step function
        replay   differs   rm1 does not do what the model does at step 2

        differs  at step 2, CRASH+RESTART rm1, in rm1
        --- expected
        +++ found
        - rm1.disk.state  "prepared"
        + rm1.disk.state  none
        - rm1.state       prepared
        + rm1.state       working

        logs     .cadre/runs/replay-1
        FAIL     the real processes do something else (exit 1)
    "#]]
    .assert_eq(&told(&ran).replace(&trace, "TRACE"));
    assert_eq!(ran.code, Some(1));
    bench.assert_nothing_left();
}

#[test]
fn a_conforming_and_a_wrong_trace_are_told_apart_in_one_run() {
    let bench = bench();
    bench.run("explore two-phase-commit --bug late-abort");
    let wrong = bench.files(".cadre/traces").pop().unwrap();
    let right = cadre_tests::sampled_traces(1).pop().unwrap();
    bench.write("right.ndjson", &right.to_ndjson());
    let ran = bench.run(&format!("conform right.ndjson {}", wrong.display()));
    expect![[r#"
        conform  rejected  1 of 2 traces against TwoPhase, TLC 2.15, 2 runs, T s
                 no-two-resource-managers-decide-cff975a9: step 3, rm1 chooses Abort: the spec does not allow RMChooseToAbort here: rmState[r] = "working" is false
        false    rmState[r] = "working" (RMChooseToAbort in TwoPhase.tla, line 81): r = rm1, rmState[r] = "prepared"
        state    msgs = {[rm |-> rm1, type |-> "Prepared"]}, rmState = (rm1 :> "prepared" @@ rm2 :> "working" @@ rm3 :> "working"), tmPrepared = {rm1}, tmState = "init"
        enabled  RMChooseToAbort(rm: rm2), RMChooseToAbort(rm: rm3), RMPrepare(rm: rm2), RMPrepare(rm: rm3), TMAbort, TMRcvPrepared(rm: rm1)

        violated  no-two-resource-managers-decide-cff975a9 is a behaviour of TwoPhase   up to there, 3 steps

         #  action                    tm   rm1   rm2   rm3  changed
         1  rm1 chooses Prepare       :     ●     :     :   rm1 working → prepared, +Prepared→tm, disk state
         2  deliver Prepared rm1→tm   *◀──1─o     :     :   tm.prepared[0] none → 1, disk state
         3  rm1 chooses Abort         :     *     :     :   rm1 prepared → aborted, disk state

        because  at 3, rm1 went to aborted of its own accord (Abort);
                 no-two-resource-managers-decide-cff975a9 is a behaviour of TwoPhase was judged on rm1 =
                 aborted.

        saved    HERE/.cadre/traces/two-phase-commit/no-two-resource-managers-decide-cff975a9.ndjson
        replay   cadre replay HERE/.cadre/traces/two-phase-commit/no-two-resource-managers-decide-cff975a9.ndjson
        logs     .cadre/runs/conform-1
        FAIL     1 trace does not conform (exit 1)
    "#]].assert_eq(&told(&ran));
    assert_eq!(ran.code, Some(1));
}
