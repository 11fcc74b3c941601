//! The engine without a JVM on the games of the library, beside TLC and instead of it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::conform::{self, Options, Spec, SpecTrace, TraceVerdict};
use cadre::process::Stop;
use cadre::proptest::SampleOptions;
use cadre::tla::{Embedded, Engine, Find};
use cadre_tests::{Bench, stored_traces};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

/// The verdicts of an engine, without the explanations.
fn verdicts(engine: &dyn Engine, spec: &Spec, traces: &[SpecTrace]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { diagnosed_max: 0, ..Options::default() };
    let stop = Stop::new();
    let report = conform::check(spec, traces, engine, directory.path(), &options, &stop).unwrap();
    let told = report.verdicts.iter().map(|verdict| match verdict {
        TraceVerdict::Conforms => "conforms".to_owned(),
        TraceVerdict::Rejected(found) => format!("step {}: {:?}", found.step, found.reason),
        TraceVerdict::Undetermined { step, .. } => format!("step {step}: unknown"),
    });
    told.collect()
}

/// What TLC says of each trace; the engine without a JVM says the same.
fn agreed(spec: &Spec, traces: &[SpecTrace]) -> Vec<String> {
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &Stop::new()).unwrap();
    let told = verdicts(&tlc, spec, traces);
    assert_eq!(told, verdicts(&Embedded, spec, traces), "{}", spec.name);
    told
}

#[test]
fn both_engines_say_the_same_of_sampled_executions_of_every_game_and_of_corrupted_ones() {
    let suite = cadre_protocols::suite();
    let mut games = 0;
    for game in suite.games() {
        let Ok(setup) = game.setup(None, None) else { continue };
        let Some(spec) = game.spec(&setup) else { continue };
        games += 1;
        let options = SampleOptions { count: 100, steps_max: 40, seed: 3, attempts_max: 2_000 };
        let sampled = game.sample(&setup, &options).unwrap();
        let told = sampled.iter().map(|trace| conform::spec_trace("sampled", trace).unwrap());
        let mut traces: Vec<SpecTrace> = told.collect();
        let count = traces.len();
        // Each of the corrupted copies leaves out one step that changes something.
        for trace in traces.clone() {
            let mut corrupted = trace.clone();
            corrupted.steps.remove(trace.steps.len() / 2);
            traces.push(corrupted);
        }
        let told = agreed(&spec, &traces);
        assert!(told[..count].iter().all(|verdict| verdict == "conforms"), "{}", spec.name);
        assert!(told[count..].iter().any(|verdict| verdict != "conforms"), "{}", spec.name);
    }
    assert!(games >= 3, "only {games} games have a specification");
}

#[test]
fn both_engines_say_the_same_of_every_stored_trace() {
    let suite = cadre_protocols::suite();
    let mut rejected = 0;
    for stored in stored_traces() {
        let Some(game) = suite.find(&stored.trace.header.protocol) else { continue };
        let setup = game.setup_of(&stored.trace).unwrap();
        let Some(spec) = game.spec(&setup) else { continue };
        let Ok(told) = conform::spec_trace(&stored.name, &stored.trace) else { continue };
        let told = agreed(&spec, &[told]);
        rejected += usize::from(told[0] != "conforms");
    }
    assert!(rejected >= 3, "only {rejected} of the stored traces do not conform");
}

fn check(bench: &Bench, args: &str, expected: Expect) {
    expected.assert_eq(&bench.run(args).transcript());
    bench.assert_nothing_left();
}

#[test]
fn the_pipeline_runs_without_tlc_and_its_verdict_says_so() {
    check(
        &bench(),
        "check two-phase-commit --traces 50 --engine embedded",
        expect![[r#"
        checking two-phase-commit · 3 resource managers
        explore  holds     288 distinct configurations, depth 11, T s at R /s, omission < 2e-27
        fuzz     bounded   256 random executions, 1 495 steps, seed 1
        record   done      3 free runs of real processes, N steps
        conform  conforms  54 traces against TwoPhase, tla-checker 0.24.11, 1 run, T s
        replay   agrees    4 schedules, 48 steps on 4 real processes
        PASS     every guarantee holds, traces conform, real processes agree (checked by tla-checker, not by TLC) (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_seeded_bug_is_explained_by_the_engine_without_a_jvm() {
    check(
        &bench(),
        "check two-phase-commit --bug early-commit --engine embedded",
        expect![[r#"
        checking two-phase-commit · 3 resource managers · bug early-commit
        explore  violated  249 distinct configurations, depth 5, T s at R /s, omission < 2e-27
        conform  rejected  1 of 1 trace against TwoPhase, tla-checker 0.24.11, 2 runs, T s
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
        FAIL     no two resource managers decide differently (checked by tla-checker, not by TLC) (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_specification_a_graph_and_behaviours_are_checked_without_tlc() {
    check(
        &bench(),
        "spec disk-store --engine embedded",
        expect![[r#"
        checking the specification of disk-store · 3 writers
        spec     holds     742 distinct states, 1 689 generated, depth 9, tla-checker 0.24.11, T s
        PASS     TypeOK, Durable, Monotonic hold (checked by tla-checker, not by TLC) (exit 0)
        exit 0
    "#]],
    );
    check(
        &bench(),
        "conform --graph disk-store --engine embedded",
        expect![[r#"
        conforming the whole graph of disk-store · 3 writers
        graph    seen      5 745 configurations, depth 9, are 712 states and 1 109 steps of DiskStore, T s
        conform  conforms  every state and every step against DiskStore, tla-checker 0.24.11, 2 runs, T s
                 taken     Get: all 374
                 partly    PowerLoss: 179 of 293, the first not taken is PowerLoss
                 taken     Put: all 263
                 taken     SyncDone: all 293
        PASS     every step is one of DiskStore, which allows more (checked by tla-checker, not by TLC) (exit 0)
        exit 0
    "#]],
    );
    check(
        &bench(),
        "spec two-phase-commit --simulate 50 --drive --engine embedded",
        expect![[r#"
        behaviours of TwoPhase for two-phase-commit · 3 resource managers
        simulate drawn     50 behaviours, 48 of them distinct with 276 steps, seed 1, tla-checker 0.24.11, T s
        drive    follows   48 behaviours, 276 steps of the step function, T s
                 taken     RMChooseToAbort: 68 times
                 taken     RMPrepare: 63 times
                 taken     RMRcvAbortMsg: 73 times
                 taken     RMRcvCommitMsg: 3 times
                 taken     TMAbort: 47 times
                 taken     TMCommit: 1 time
                 taken     TMRcvPrepared: 21 times
        PASS     the game follows every behaviour that was drawn (checked by tla-checker, not by TLC) (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn without_java_the_embedded_engine_stands_in_unless_tlc_is_asked_for() {
    let cache = tempfile::tempdir().unwrap();
    let bench = bench()
        .env("TLA2TOOLS_JAR", None)
        .env("CADRE_CACHE", Some(&cache.path().display().to_string()))
        .env("JAVA_HOME", None)
        .env("PATH", Some(""));
    let traces = concat!(env!("CARGO_MANIFEST_DIR"), "/../traces/two-phase-commit");
    let text = std::fs::read_to_string(format!("{traces}/early-commit.ndjson")).unwrap();
    bench.write("trace.ndjson", &text);
    let ran = bench.run("conform trace.ndjson --offline");
    assert!(ran.output.starts_with("TLC cannot be had: expected TLC"), "{}", ran.output);
    assert!(ran.output.contains("(checked by tla-checker, not by TLC) (exit 1)"), "{}", ran.output);
    assert_eq!(ran.code, Some(1));
    let ran = bench.run("conform trace.ndjson --offline --engine tlc");
    assert_eq!(ran.code, Some(4), "{}", ran.output);
    let ran = bench.run("doctor --offline");
    assert!(ran.output.contains("embedded engine  ok       tla-checker"), "{}", ran.output);
    bench.assert_nothing_left();
}
