//! Transcripts of executions that are made step by step: what is typed, and what is answered.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::trace::{Action, Fault, Kept};
use cadre::{AnyGame, Standing, Stepper};
use cadre_tests::{Bench, Faulty};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

/// Types lines into a session on a bench, and compares what is printed, the exit code last.
fn check(bench: &Bench, args: &str, typed: &str, expected: Expect) {
    let ran = bench.type_in(&format!("explore {args} --step"), typed);
    expected.assert_eq(&ran.transcript());
    bench.assert_nothing_left();
}

#[test]
fn actions_are_taken_by_number_and_taken_back() {
    check(
        &bench(),
        "two-phase-commit --nodes 1",
        "2\n1\nb\nb\nb\ng\nq\n",
        expect![[r#"
            stepping two-phase-commit · 1 resource manager
            a number takes that action, h lists the other commands

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
            > 2
            took     rm1 chooses Prepare: rm1 working → prepared, +Prepared→tm, disk state

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
            > 1
            took     deliver Prepared rm1→tm: tm.prepared[0] none → 1, disk state

            step 2
               1  tm chooses Commit
               2  tm chooses Abort
            > b

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
            > b

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
            > b
            error    expected a step to take back, but this is the beginning
            > g
            holds    every step returns
            holds    no two resource managers decide differently
            open     once nothing can happen any more, all have decided (judged once only faults can happen)
            not met  all can commit (to be reachable)
            > q
            BOUNDED  0 steps by hand, nothing was violated on the way (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn a_violation_is_announced_the_moment_it_happens_and_its_trace_replays() {
    let bench = bench();
    let typed = "2\n1\n1\n1\n3\ns\nsave\nsave mine.ndjson\nsave mine.ndjson\nq\n";
    check(
        &bench,
        "two-phase-commit --nodes 2 --bug early-commit",
        typed,
        expect![[r#"
            stepping two-phase-commit · 2 resource managers · bug early-commit
            a number takes that action, h lists the other commands

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
               4  rm2 chooses Prepare
               5  rm2 chooses Abort
            > 2
            took     rm1 chooses Prepare: rm1 working → prepared, +Prepared→tm, disk state

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
               3  rm2 chooses Prepare
               4  rm2 chooses Abort
            > 1
            took     deliver Prepared rm1→tm: tm.prepared[0] none → 1, disk state

            step 2
               1  tm chooses Commit
               2  tm chooses Abort
               3  rm2 chooses Prepare
               4  rm2 chooses Abort
            > 1
            took     tm chooses Commit: tm.decision undecided → committed, +Commit→rm1,rm2, disk state

            step 3
               1  deliver Commit tm→rm1
               2  deliver Commit tm→rm2
               3  rm2 chooses Prepare
               4  rm2 chooses Abort
            > 1
            took     deliver Commit tm→rm1: rm1 prepared → committed, disk state

            step 4
               1  deliver Commit tm→rm2
               2  rm2 chooses Prepare
               3  rm2 chooses Abort
            > 3
            took     rm2 chooses Abort: rm2 working → aborted, disk state
            violated no two resource managers decide differently: rm1 has committed and rm2 has aborted

            step 5
               1  deliver Commit tm→rm2
            > s
             #  action                    tm    rm1    rm2  changed
             1  rm1 chooses Prepare       :      ●      :   rm1 working → prepared, +Prepared→tm, disk state
             2  deliver Prepared rm1→tm   *◀───1─o      :   tm.prepared[0] none → 1, disk state
             3  tm chooses Commit         ●      :      :   tm.decision undecided → committed
             4  deliver Commit tm→rm1     o─3───▶*      :   rm1 prepared → committed, disk state
             5  rm2 chooses Abort         :      :      *   rm2 working → aborted, disk state

            at 4, rm1 went to committed on Commit, which tm sent at 3 of its own accord (Commit);
            at 5, rm2, knowing nothing of rm1, went to aborted of its own accord (Abort);
            no two resource managers decide differently: rm1 has committed and rm2 has aborted.
            > save
            saved    .cadre/traces/two-phase-commit/no-two-resource-managers-decide-320bdef6.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/no-two-resource-managers-decide-320bdef6.ndjson
            > save mine.ndjson
            saved    mine.ndjson
            replay   cadre replay mine.ndjson
            > save mine.ndjson
            error    expected the name of a new file, but mine.ndjson exists
            > q
            FAIL     no two resource managers decide differently (exit 1)
            exit 1
        "#]],
    );
    let saved = bench.files(".cadre/traces").pop().unwrap();
    assert_eq!(
        std::fs::read(&saved).unwrap(),
        std::fs::read(bench.path().join("mine.ndjson")).unwrap()
    );
    let ran = bench.run(&format!("replay {}", saved.display()));
    assert!(ran.output.contains("violated again"), "{}", ran.output);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_trace_is_loaded_and_the_execution_goes_on_from_its_end() {
    let bench = bench();
    bench.type_in("explore two-phase-commit --nodes 1 --step", "2\nsave here.ndjson\nq\n");
    let typed = "load here.ndjson\nd\nd rm1\nd tm\n1\nb\nb\nb\n";
    check(
        &bench,
        "two-phase-commit --nodes 1",
        typed,
        expect![[r#"
            stepping two-phase-commit · 1 resource manager
            a number takes that action, h lists the other commands

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
            > load here.ndjson
            loaded   1 step of here.ndjson

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
            > d
            rm1 chooses Prepare
              rm1.disk.state none → "prepared"
              rm1.state working → prepared
              network none → Prepared rm1→tm
            > d rm1
            rm1, up
            state    prepared
            disk     state = "prepared"
            > d tm
            tm, up
            state    {decision undecided, prepared []}
            for it   Prepared rm1→tm
            > 1
            took     deliver Prepared rm1→tm: tm.prepared[0] none → 1, disk state

            step 2
               1  tm chooses Commit
               2  tm chooses Abort
            > b

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
            > b

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
            > b
            error    expected a step to take back, but this is the beginning
            BOUNDED  0 steps by hand, nothing was violated on the way (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn what_is_reachable_is_announced_and_the_end_says_so() {
    let typed = "2\n1\n1\n1\ng\n";
    check(
        &bench(),
        "two-phase-commit --nodes 1",
        typed,
        expect![[r#"
            stepping two-phase-commit · 1 resource manager
            a number takes that action, h lists the other commands

            step 0
               1  tm chooses Abort
               2  rm1 chooses Prepare
               3  rm1 chooses Abort
            > 2
            took     rm1 chooses Prepare: rm1 working → prepared, +Prepared→tm, disk state

            step 1
               1  deliver Prepared rm1→tm
               2  tm chooses Abort
            > 1
            took     deliver Prepared rm1→tm: tm.prepared[0] none → 1, disk state

            step 2
               1  tm chooses Commit
               2  tm chooses Abort
            > 1
            took     tm chooses Commit: tm.decision undecided → committed, +Commit→rm1, disk state

            step 3
               1  deliver Commit tm→rm1
            > 1
            took     deliver Commit tm→rm1: rm1 prepared → committed, disk state
            met      all can commit

            step 4: nothing can happen any more
            > g
            holds    every step returns
            holds    no two resource managers decide differently
            holds    once nothing can happen any more, all have decided
            met      all can commit
            BOUNDED  4 steps by hand, nothing was violated on the way (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn errors_say_what_was_expected_and_the_session_goes_on() {
    let bench = bench();
    bench.write("poem.ndjson", "So much depends\nupon\n");
    bench.type_in("explore two-phase-commit --nodes 2 --step", "save two.ndjson\nq\n");
    let typed = "0\n7\nfly\n1 2\nb\nb now\nd rm9\n\
                 load\nload poem.ndjson\nload nowhere.ndjson\nload two.ndjson\n\
                 save no/such/place.ndjson\ns\nd\n-1\n99999999999999999999999\nh\nq\n";
    check(
        &bench,
        "two-phase-commit --nodes 1",
        typed,
        expect![[r#"
        stepping two-phase-commit · 1 resource manager
        a number takes that action, h lists the other commands

        step 0
           1  tm chooses Abort
           2  rm1 chooses Prepare
           3  rm1 chooses Abort
        > 0
        error    expected a number from 1 to 3, or a command as h lists them, found `0`
        > 7
        error    expected a number from 1 to 3, or a command as h lists them, found `7`
        > fly
        error    expected a number from 1 to 3, or a command as h lists them, found `fly`
        > 1 2
        error    expected nothing after `1`, found `1 2`
        > b
        error    expected a step to take back, but this is the beginning
        > b now
        error    expected nothing after `b`, found `b now`
        > d rm9
        error    expected a node, one of tm, rm1, found `rm9`
        > load
        error    expected a file after `load`, found `load`
        > load poem.ndjson
        error    poem.ndjson: expected a first line with "format":"cadre-trace", found `So much depends`; is this file a trace?
        > load nowhere.ndjson
        error    cannot read the trace nowhere.ndjson: No such file or directory (os error 2)
        > load two.ndjson
        error    expected a trace of two-phase-commit, size 1, found one of two-phase-commit, size 2
        > save no/such/place.ndjson
        error    cannot save the trace in no/such/place.ndjson: No such file or directory (os error 2)
        > s
        nothing has happened yet
        > d
        nothing has happened yet
        > -1
        error    expected a number from 1 to 3, or a command as h lists them, found `-1`
        > 99999999999999999999999
        error    expected a number from 1 to 3, or a command as h lists them, found `99999999999999999999999`
        > h
        N           take action number N
          b           go one step back
          s           show the lanes so far
          d [NODE]    what the last step changed; or all of a node
          g           which guarantees hold here
          save [FILE] save the steps so far as a trace
          load FILE   go to the end of a trace
          l           list all actions
          q           quit
        > q
        BOUNDED  0 steps by hand, nothing was violated on the way (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn an_input_that_is_no_text_is_an_error_like_others() {
    let bench = bench();
    let script = "printf '\\377\\376\\n1\\n' | \"$0\" explore two-phase-commit --nodes 1 --step";
    let ran = bench.shell(script);
    assert!(ran.output.contains("error    expected a number from 1 to 3"), "{}", ran.output);
    assert!(ran.output.contains("\nstep 1\n"), "{}", ran.output);
    assert_eq!(ran.code, Some(3));
}

#[test]
fn ctrl_c_ends_a_session_that_waits_for_input() {
    let bench = bench();
    // The other end of the pipe stays open, and nothing comes through it.
    let script = "mkfifo pipe; exec 3<>pipe; \
                  \"$0\" explore two-phase-commit --nodes 1 --step <&3 & \
                  sleep 1; kill -INT $!; wait $!";
    let ran = bench.shell(script);
    assert!(ran.output.ends_with("was violated on the way (exit 3)\n"), "{}", ran.output);
    assert_eq!(ran.code, Some(3));
}

#[test]
fn faults_are_named_as_such() {
    check(
        &Bench::new(env!("CARGO_BIN_EXE_broken-games")),
        "faulty",
        "1\n2\nd n1\n1\nq\n",
        expect![[r#"
            stepping faulty · 1 pair
            a number takes that action, h lists the other commands

            step 0
               1  caller chooses call
               2  CRASH caller (fault)
               3  CRASH listener (fault)
            > 1
            took     caller chooses call: caller Idle → Waiting(tries 1), caller.timers +give-up, +Rumour→listener, +Ping(tries 1)→listener

            step 1
               1  deliver Ping(tries 1) caller→listener
               2  deliver Rumour caller→listener
               3  caller timeout give-up
               4  CRASH caller (fault)
               5  CRASH listener (fault)
               6  drop Ping(tries 1) caller→listener (fault)
               7  drop Rumour caller→listener (fault)
            > 2
            took     deliver Rumour caller→listener: nothing

            step 2
               1  deliver Ping(tries 1) caller→listener
               2  caller timeout give-up
               3  CRASH caller (fault)
               4  CRASH listener (fault)
               5  drop Ping(tries 1) caller→listener (fault)
            > d n1
            error    expected a node, one of caller, listener, found `n1`
            > 1
            took     deliver Ping(tries 1) caller→listener: +Pong→caller

            step 3
               1  deliver Pong listener→caller
               2  caller timeout give-up
               3  CRASH caller (fault)
               4  CRASH listener (fault)
               5  drop Pong listener→caller (fault)
            > q
            BOUNDED  3 steps by hand, nothing was violated on the way (exit 3)
            exit 3
        "#]],
    );
}

#[test]
fn a_step_that_panics_is_announced() {
    let bench = Bench::new(env!("CARGO_BIN_EXE_broken-games")).env("BROKEN", Some("panics"));
    check(
        &bench,
        "broken",
        "1\nd n1\ns\nq\n",
        expect![[r#"
            stepping broken · 1 node
            a number takes that action, h lists the other commands

            step 0
               1  n1 chooses go
            > 1
            took     n1 chooses go: n1 up → failed: the node cannot go (tests/src/bin/broken_games.rs:38:29)
            violated every step returns: n1 failed: the node cannot go (tests/src/bin/broken_games.rs:38:29)

            step 1: nothing can happen any more
            > d n1
            n1, failed
            state    –
            > s
             #  action          n1  changed
             1  n1 chooses go   !   n1 up → failed: the node cannot go (tests/src/bin/broken_games.rs:38:29)

            at 1, n1 failed of its own accord (go): the node cannot go
            (tests/src/bin/broken_games.rs:38:29);
            every step returns: n1 failed: the node cannot go (tests/src/bin/broken_games.rs:38:29).
            > q
            FAIL     every step returns (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn stepping_and_searching_do_not_go_together() {
    let ran = bench().run("explore two-phase-commit --step --depth 4");
    assert!(
        ran.output.contains("'--step' cannot be used with '--depth <DEPTH>'"),
        "{}",
        ran.output
    );
    assert_eq!(ran.code, Some(2));
}

/// Takes every action in turn, so deep, and takes it back; gives how many steps that were.
fn go_everywhere(game: &dyn AnyGame, stepper: &mut dyn Stepper, depth: usize) -> usize {
    let trace = stepper.trace().unwrap();
    assert_eq!(trace.steps.len(), stepper.steps());
    let again = game.reexecute(&trace).unwrap();
    assert_eq!((again.difference, again.trace.steps.len()), (None, trace.steps.len()));
    let (enabled, standings) = (stepper.enabled(), stepper.standings());
    let mut steps = 0;
    for (position, expected) in enabled.iter().enumerate().take_while(|_| depth > 0) {
        assert_eq!(stepper.take(position).as_ref(), Some(&expected.action));
        let is_fault = matches!(
            expected.action,
            Action::Fault(Fault::Crash { .. } | Fault::CrashRestart { .. } | Fault::Drop(_))
        );
        assert_eq!(expected.is_fault, is_fault, "{}", expected.action);
        steps += 1 + go_everywhere(game, stepper, depth - 1);
        assert!(stepper.back());
        assert_eq!((stepper.enabled(), stepper.standings()), (enabled.clone(), standings.clone()));
    }
    assert_eq!(stepper.take(enabled.len()), None);
    steps
}

#[test]
fn every_execution_can_be_gone_through_and_back() {
    let suite = cadre_protocols::suite().game(Faulty);
    for game in suite.games() {
        let setup = game.setup(None, None).unwrap();
        let mut stepper = game.stepper(&setup).unwrap();
        assert!(go_everywhere(game, stepper.as_mut(), 3) > 50);
        assert!(!stepper.back());
    }
}

#[test]
fn a_trace_with_more_faults_than_there_is_budget_for_is_gone_through_all_the_same() {
    let game: &dyn AnyGame = &Faulty;
    let setup = game.setup(None, None).unwrap();
    let node = || "caller".to_owned();
    let schedule = [
        Action::Fault(Fault::Crash { node: node(), kept: Kept::default() }),
        Action::Fault(Fault::Restart { node: node(), misread: None }),
    ];
    let schedule = [schedule.clone(), schedule].concat();
    let trace = game.execute(&setup, &schedule).unwrap();
    let mut stepper = game.stepper(&setup).unwrap();
    assert_eq!(stepper.load(&trace).unwrap(), None);
    assert_eq!(stepper.steps(), 4);
    assert_eq!(stepper.trace().unwrap().steps, trace.steps);
    // There is no budget left, and there has never been one for what happened.
    assert!(stepper.enabled().iter().all(|enabled| !enabled.is_fault));
    assert!(stepper.back() && stepper.back());
    assert_eq!(stepper.steps(), 2);
}

#[test]
fn a_trace_that_tells_other_states_is_loaded_with_a_warning() {
    let game: &dyn AnyGame = &Faulty;
    let setup = game.setup(None, None).unwrap();
    let mut stepper = game.stepper(&setup).unwrap();
    stepper.take(0).unwrap();
    let mut trace = stepper.trace().unwrap();
    trace.steps[0].change.added.clear();
    assert_eq!(stepper.load(&trace).unwrap(), Some(1));
    assert_eq!(stepper.standings()[1].1, Standing::NotMet);
}
