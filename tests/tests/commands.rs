//! Transcripts of the command: everything it prints, and its exit code.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre_tests::Bench;
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

/// Runs a command on a fresh bench and compares what it prints, the exit code last.
fn check(args: &str, expected: Expect) {
    let ran = bench().run(args);
    expected.assert_eq(&ran.transcript());
}

#[test]
fn list_names_the_games_with_their_guarantees_and_bugs() {
    check(
        "list",
        expect![[r#"
            two-phase-commit
              resource managers agree with a transaction manager on committing or aborting
              --nodes N    1 to 16 resource managers, 3 unless said otherwise
              spec         tla/TwoPhase
              always       every step returns
              always       no two resource managers decide differently
              at rest      once nothing can happen any more, all have decided
              reachable    all can commit
              --bug early-commit
                           the transaction manager commits once it has heard from one resource manager
              --bug late-abort
                           a resource manager that has prepared still aborts of its own accord
              --bug answers-before-sync
                           the process sends what it has to say before its disk is synced (the step function is right)
            disk-store
              a key-value store on one node that answers a put once the disk has synced it
              --nodes N    1 to 4 writers, 3 unless said otherwise
              spec         tla/DiskStore
              always       every step returns
              always       no acknowledged put is lost
              always       what clients are answered is linearizable
              at rest      once nothing can happen any more, no put waits for a sync
              reachable    all requests can be answered
              --bug acknowledges-before-sync
                           a put is answered when it is written, before its sync is done
              --bug answers-past-the-sync
                           a sync that is done answers all puts, also those written after it was asked for
              --bug reads-before-sync
                           a get shows values that are not synced yet
            primary-backup
              a primary answers what its backup has confirmed; the backup may take over at any time
              --nodes N    2 to 4 clients, 2 unless said otherwise
              spec         tla/PrimaryBackup
              always       every step returns
              always       no acknowledged put is lost
              always       what clients are answered is linearizable
              at rest      once nothing can happen any more, the clients of a backup that runs are answered
              reachable    without the primary the backup can answer all its clients
              --bug acknowledges-before-copy
                           the primary answers a put before the backup has it
              --bug reads-alone
                           the primary answers a get without asking whether it is still in charge
              --bug confirms-after-takeover
                           a backup that has taken over still confirms copies, which it does not keep
            simple-deliv (rounds)
              one node tells two others something, once
              lineage      --eot 4 --eff 2 --crashes 0 unless said otherwise
              at EOT       who has the payload is not alone
              --bug counts-crashed-nodes
                           the guarantee asks nodes that have crashed to have it as well
            retry-deliv (rounds)
              the same, in every round
              lineage      --eot 4 --eff 2 --crashes 1 unless said otherwise
              at EOT       who has the payload is not alone
              --bug counts-crashed-nodes
                           the guarantee asks nodes that have crashed to have it as well
            classic-deliv (rounds)
              whoever hears it tells it once
              lineage      --eot 5 --eff 3 --crashes 0 unless said otherwise
              at EOT       who has the payload is not alone
              --bug counts-crashed-nodes
                           the guarantee asks nodes that have crashed to have it as well
            redun-deliv (rounds)
              whoever has it tells it in every round
              lineage      --eot 6 --eff 3 --crashes 0 unless said otherwise
              at EOT       who has the payload is not alone
              --bug counts-crashed-nodes
                           the guarantee asks nodes that have crashed to have it as well
            ack-deliv (rounds)
              whoever has it tells it until it is acknowledged
              lineage      --eot 6 --eff 3 --crashes 1 unless said otherwise
              at EOT       who has the payload is not alone
              --bug counts-crashed-nodes
                           the guarantee asks nodes that have crashed to have it as well
            2pc (rounds)
              two-phase commit in which all wait
              lineage      --eot 5 --eff 0 --crashes 1 unless said otherwise
              at EOT       once somebody has prepared, two decide
              at EOT       all who decide agree
            2pc-optimist (rounds)
              the same, where a coordinator that crashes excuses all
              lineage      --eot 6 --eff 0 --crashes 1 unless said otherwise
              at EOT       once somebody has prepared, two decide
              at EOT       all who decide agree
            2pc-timeout (rounds)
              two-phase commit whose coordinator gives up, excused if it crashes
              lineage      --eot 6 --eff 0 --crashes 1 unless said otherwise
              at EOT       once somebody has prepared, two decide
              at EOT       all who decide agree
            2pc-ctp (rounds)
              two-phase commit in which agents ask each other
              lineage      --eot 8 --eff 0 --crashes 1 unless said otherwise
              at EOT       once somebody has prepared, two decide
              at EOT       all who decide agree
            3pc (rounds)
              three-phase commit
              lineage      --eot 9 --eff 7 --crashes 1 unless said otherwise
              at EOT       once somebody has prepared, two decide
              at EOT       all who decide agree
            kafka (rounds)
              replicas of a log that a client appends to, as of 2013
              lineage      --eot 7 --eff 4 --crashes 1 unless said otherwise
              at EOT       what is acknowledged is stored
            paxos (rounds)
              the synod of Paxos with two proposers
              lineage      --eot 9 --eff 5 --crashes 0 unless said otherwise
              at EOT       one value is chosen
              --bug breaks-promises
                           acceptors accept what is below a ballot that they have prepared
            paxos-hasty (rounds)
              the same, where proposers try again a round earlier
              lineage      --eot 7 --eff 4 --crashes 0 unless said otherwise
              at EOT       one value is chosen
              --bug breaks-promises
                           acceptors accept what is below a ballot that they have prepared
            async-backup (rounds)
              a primary that tells its backups once, and its client
              lineage      --eot 6 --eff 4 --crashes 1 unless said otherwise
              at EOT       what is acknowledged outlives the primary
              --bug acknowledges-before-copies
                           the client takes the word of the primary for that of its backups
            zk-1270 (rounds)
              a handover that waits for a flag that is set later
              lineage      --eot 6 --eff 3 --crashes 0 unless said otherwise
              at EOT       a leader that is answered finishes
            ca-2083 (rounds)
              a migration in which data overtake their schema
              lineage      --eot 6 --eff 4 --crashes 0 unless said otherwise
              at EOT       data that have arrived are made sense of
            exit 0
        "#]],
    );
}

#[test]
fn explore_reports_the_closed_form_counts() {
    check(
        "explore two-phase-commit --nodes 4",
        expect![[r#"
            exploring two-phase-commit · 4 resource managers
            explore  holds     1 568 distinct configurations, depth 14, T s at R /s, omission < 6e-26
                     holds     every step returns
                     holds     no two resource managers decide differently
                     holds     once nothing can happen any more, all have decided
                     holds     all can commit, first after 13 steps
                     executed  1 970 transitions
            PASS     every guarantee holds, everything was seen (exit 0)
            exit 0
        "#]],
    );
}

#[test]
fn a_search_that_ends_at_a_bound_is_bounded() {
    check(
        "explore two-phase-commit --nodes 4 --depth 6",
        expect![[r#"
            exploring two-phase-commit · 4 resource managers
            explore  bounded   stopped at depth 6: 504 distinct configurations, depth 6, T s at R /s, omission < 6e-27
                     bounded   every step returns
                     bounded   no two resource managers decide differently
                     bounded   once nothing can happen any more, all have decided
                     bounded   all can commit
                     executed  997 transitions
            BOUNDED  nothing was found, but not everything was seen (exit 3)
            exit 3
        "#]],
    );
    check(
        "explore two-phase-commit --nodes 6 --configurations 1000",
        expect![[r#"
            exploring two-phase-commit · 6 resource managers
            explore  bounded   stopped at the most configurations: 1 000 distinct configurations, depth 4, T s at R /s, omission < 2e-26
                     bounded   every step returns
                     bounded   no two resource managers decide differently
                     bounded   once nothing can happen any more, all have decided
                     bounded   all can commit
                     executed  1 340 transitions
            BOUNDED  nothing was found, but not everything was seen (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn an_early_commit_is_shown_with_its_shortest_counterexample() {
    check(
        "explore two-phase-commit --bug early-commit",
        expect![[r#"
            exploring two-phase-commit · 3 resource managers · bug early-commit
            explore  violated  249 distinct configurations, depth 5, T s at R /s, omission < 2e-27

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
            FAIL     no two resource managers decide differently (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_late_abort_is_shown_with_its_shortest_counterexample() {
    check(
        "explore two-phase-commit --bug late-abort",
        expect![[r#"
            exploring two-phase-commit · 3 resource managers · bug late-abort
            explore  violated  450 distinct configurations, depth 9, T s at R /s, omission < 5e-27

            violated  no two resource managers decide differently   shortest, 9 steps

             #  action                    tm   rm1   rm2   rm3  changed
             1  rm1 chooses Prepare       :     ●     :     :   rm1 working → prepared, +Prepared→tm, disk state
             2  deliver Prepared rm1→tm   *◀──1─o     :     :   tm.prepared[0] none → 1, disk state
             3  rm1 chooses Abort         :     *     :     :   rm1 prepared → aborted, disk state
             4  rm2 chooses Prepare       :     :     ●     :   rm2 working → prepared, +Prepared→tm, disk state
             5  deliver Prepared rm2→tm   *◀────────4─o     :   tm.prepared[1] none → 2, disk state
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
            FAIL     no two resource managers decide differently (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn fuzz_finds_the_bug_and_shrinks_it() {
    check(
        "fuzz two-phase-commit --bug early-commit",
        expect![[r#"
            fuzzing two-phase-commit · 3 resource managers · bug early-commit
            fuzz     violated  2 random executions, 11 steps, seed 1

            violated  no two resource managers decide differently   shrunk from 6 steps, 5 steps

             #  action                    tm   rm1   rm2   rm3  changed
             1  rm3 chooses Prepare       :     :     :     ●   rm3 working → prepared, +Prepared→tm, disk state
             2  deliver Prepared rm3→tm   *◀──────────────1─o   tm.prepared[0] none → 3, disk state
             3  tm chooses Commit         ●     :     :     :   tm.decision undecided → committed
             4  rm1 chooses Abort         :     *     :     :   rm1 working → aborted, disk state
             5  deliver Commit tm→rm2     o─3────────▶*     :   rm2 working → committed, disk state

            because  at 4, rm1 went to aborted of its own accord (Abort);
                     at 5, rm2, knowing nothing of rm1, went to committed on Commit, which tm sent at 3 of
                     its own accord (Commit);
                     no two resource managers decide differently: rm2 has committed and rm1 has aborted.

            saved    .cadre/traces/two-phase-commit/no-two-resource-managers-decide-ff3fc5cf.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/no-two-resource-managers-decide-ff3fc5cf.ndjson
            FAIL     no two resource managers decide differently (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn fuzz_without_a_finding_is_bounded() {
    check(
        "fuzz two-phase-commit",
        expect![[r#"
            fuzzing two-phase-commit · 3 resource managers
            fuzz     bounded   256 random executions, 1 495 steps, seed 1
                     met       all can commit
            BOUNDED  nothing was found in the executions tried (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn fuzz_twice_finds_the_same() {
    check(
        "fuzz two-phase-commit --cases 20 --check-determinism",
        expect![[r#"
            fuzzing two-phase-commit · 3 resource managers, twice
            fuzz     bounded   20 random executions, 124 steps, seed 1
            again    same      the second time, with fingerprint e26b1f1a1af082f6b72f6ff8da700557
                     not met   all can commit
            BOUNDED  nothing was found in the executions tried (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn fuzz_weighs_what_it_is_told_to_weigh() {
    check(
        "fuzz two-phase-commit --nodes 1 --cases 50 --weight choose=0 --steady",
        expect![[r#"
        fuzzing two-phase-commit · 1 resource manager
        fuzz     bounded   50 random executions, 0 steps, seed 1
                 not met   all can commit
        BOUNDED  nothing was found in the executions tried (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn minimise_writes_a_shorter_trace_next_to_the_long_one() {
    let bench = bench();
    bench.write("long.ndjson", &long());
    let ran = bench.run("minimise long.ndjson");
    expect![[r#"
        minimising long.ndjson
        minimise minimal   9 → 5 steps, none of them can be spared, 65 executions tried

        violated  no two resource managers decide differently   minimal, 9 before, 5 steps

         #  action                    tm   rm1   rm2   rm3  changed
         1  rm1 chooses Prepare       :     ●     :     :   rm1 working → prepared, +Prepared→tm, disk state
         2  deliver Prepared rm1→tm   *◀──1─o     :     :   tm.prepared[0] none → 1, disk state
         3  rm2 chooses Abort         :     :     *     :   rm2 working → aborted, disk state
         4  tm chooses Commit         ●     :     :     :   tm.decision undecided → committed
         5  deliver Commit tm→rm1     o─4──▶*     :     :   rm1 prepared → committed, disk state

        because  at 3, rm2 went to aborted of its own accord (Abort);
                 at 5, rm1, knowing nothing of rm2, went to committed on Commit, which tm sent at 4 of
                 its own accord (Commit);
                 no two resource managers decide differently: rm1 has committed and rm2 has aborted.

        saved    no-two-resource-managers-decide-f4c5c0a1.ndjson
        replay   cadre replay no-two-resource-managers-decide-f4c5c0a1.ndjson
        FAIL     no two resource managers decide differently (exit 1)
    "#]].assert_eq(&ran.output);
    assert_eq!(ran.code, Some(1));
    let short = bench.files(".").into_iter().find(|file| !file.ends_with("long.ndjson")).unwrap();
    let again = bench.run(&format!("replay {} --against model", short.display()));
    assert_eq!(again.code, Some(1), "{}", again.output);
    assert!(again.output.contains("violated again"), "{}", again.output);
    let ran = bench.run(&format!("minimise {}", short.display()));
    assert!(ran.output.contains("5 → 5 steps, none of them can be spared"), "{}", ran.output);
}

#[test]
fn minimise_says_where_it_stopped() {
    let bench = bench();
    bench.write("long.ndjson", &long());
    let ran = bench.run("minimise long.ndjson --attempts 3");
    assert!(ran.output.contains("not minimal: stopped after 3 executions"), "{}", ran.output);
    assert_eq!(ran.code, Some(1));
}

/// A long trace of the early commit, with steps that have nothing to do with it.
fn long() -> String {
    let suite = cadre_protocols::suite();
    let game = suite.find("two-phase-commit").unwrap();
    let text = include_str!("../../traces/two-phase-commit/early-commit.ndjson");
    let short = cadre::trace::Trace::from_ndjson(text).unwrap();
    let setup = game.setup_of(&short).unwrap();
    let options =
        cadre::proptest::SampleOptions { count: 200, steps_max: 60, seed: 1, attempts_max: 200 };
    let mut sampled = game.sample(&setup, &options).unwrap();
    sampled.iter_mut().for_each(|trace| trace.header.guarantee = short.header.guarantee.clone());
    sampled
        .retain(|trace| game.minimise(trace, &cadre::proptest::MinimiseOptions::default()).is_ok());
    sampled.into_iter().max_by_key(|trace| trace.steps.len()).unwrap().to_ndjson()
}

#[test]
fn show_draws_the_whole_trace() {
    let bench = bench();
    bench.run("explore two-phase-commit --nodes 2 --bug late-abort");
    let trace = bench.files(".cadre/traces").pop().unwrap();
    let ran = bench.run(&format!("show {}", trace.display()));
    expect![[r#"
        two-phase-commit · bug "late-abort", nodes 2 · found by explore · 7 steps
        violated  no two resource managers decide differently

         #  action                    tm    rm1    rm2  changed
         1  rm1 chooses Prepare       :      ●      :   rm1 working → prepared, +Prepared→tm, disk state
         2  deliver Prepared rm1→tm   *◀───1─o      :   tm.prepared[0] none → 1, disk state
         3  rm1 chooses Abort         :      *      :   rm1 prepared → aborted, disk state
         4  rm2 chooses Prepare       :      :      ●   rm2 working → prepared, +Prepared→tm, disk state
         5  deliver Prepared rm2→tm   *◀──────────4─o   tm.prepared[1] none → 2, disk state
         6  tm chooses Commit         ●      :      :   tm.decision undecided → committed
         7  deliver Commit tm→rm2     o─6──────────▶*   rm2 prepared → committed, disk state

        at 3, rm1 went to aborted of its own accord (Abort);
        at 7, rm2, knowing rm1 only as of 1 (prepared), went to committed on Commit, which tm sent at 6
        of its own accord (Commit);
        no two resource managers decide differently: rm2 has committed and rm1 has aborted.
    "#]].assert_eq(&ran.output);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    check(
        "explore three-phase-commit",
        expect![[r#"
            error: there is no game `three-phase-commit`; there is two-phase-commit, disk-store, primary-backup
            exit 2
        "#]],
    );
    check(
        "explore two-phase-commit --bug tardy-abort",
        expect![[r#"
        error: two-phase-commit has no bug `tardy-abort`; it has early-commit, late-abort, answers-before-sync
        exit 2
    "#]],
    );
    check(
        "explore two-phase-commit --nodes 0",
        expect![[r#"
        error: expected 1 to 16 resource managers for two-phase-commit, found 0
        exit 2
    "#]],
    );
    check(
        "explore two-phase-commit --nodes three",
        expect![[r#"
        error: invalid value 'three' for '--nodes <NODES>': invalid digit found in string

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        "explode",
        expect![[r#"
            error: unrecognized subcommand 'explode'

              tip: some similar subcommands exist: 'export', 'explore'

            Usage: cadre-under-test [OPTIONS] <COMMAND>

            For more information, try '--help'.
            exit 2
        "#]],
    );
}

#[test]
fn a_printed_replay_command_reproduces_the_violation() {
    let bench = bench();
    let found = bench.run("explore two-phase-commit --bug early-commit");
    let replay = found.output.lines().find_map(|line| line.strip_prefix("replay"));
    let replay = replay.and_then(|line| line.trim().strip_prefix("cadre ")).unwrap().to_owned();
    let ran = bench.run(&replay);
    expect![[r#"
        replaying .cadre/traces/two-phase-commit/no-two-resource-managers-decide-7817fa95.ndjson
        model    agrees    5 steps by the step function
        replay   agrees    1 schedule, 5 steps on 4 real processes
        FAIL     violated again, no two resource managers decide differently: rm1 has committed and rm2 has aborted (exit 1)
    "#]].assert_eq(&ran.output);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn the_same_command_prints_the_same_bytes_and_saves_the_same_trace() {
    let runs = [(), ()].map(|()| {
        let bench = bench();
        let ran = bench.run("explore two-phase-commit --bug late-abort");
        let saved = bench.files(".cadre/traces").pop().unwrap();
        let name = saved.file_name().unwrap().to_owned();
        (ran.output, name, std::fs::read(saved).unwrap())
    });
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn an_interrupted_search_is_bounded_and_says_how_far_it_came() {
    let bench = bench();
    let ran = bench.interrupt("explore two-phase-commit --nodes 12 --seconds 20");
    assert!(ran.output.contains("explore  bounded   interrupted: "), "{}", ran.output);
    assert_eq!(ran.code, Some(3), "{}", ran.output);
    bench.assert_nothing_left();
}

#[test]
fn nothing_is_left_behind_by_a_run_that_went_well() {
    let bench = bench();
    bench.run("explore two-phase-commit");
    bench.run("doctor");
    assert_eq!(std::fs::read_dir(bench.path()).unwrap().count(), 0);
}
