//! Behaviours that TLC draws from a specification, followed by step functions and real processes.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::conform::{Matching, SpecAction, SpecStep, SpecTrace, simulate};
use cadre::process::Stop;
use cadre::tla::{Find, Simulation, Value};
use cadre::{AnyGame, DrivenTrace, Setup, Suite};
use cadre_tests::{Bench, Ran};
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn check(args: &str, expected: Expect) {
    let bench = bench();
    let ran: Ran = bench.run(args);
    expected.assert_eq(&ran.transcript());
    bench.assert_nothing_left();
}

#[test]
fn a_thousand_behaviours_are_followed_by_the_step_function_and_fifty_by_real_processes() {
    check(
        "spec two-phase-commit --simulate 1000 --drive --processes 50",
        expect![[r#"
        behaviours of TwoPhase for two-phase-commit · 3 resource managers
        simulate drawn     1 000 behaviours, 607 of them distinct with 3 724 steps, seed 1, TLC 2.15, T s
        drive    follows   607 behaviours, 3 724 steps of the step function, T s
                 taken     RMChooseToAbort: 639 times
                 taken     RMPrepare: 944 times
                 taken     RMRcvAbortMsg: 1 161 times
                 taken     RMRcvCommitMsg: 21 times
                 taken     TMAbort: 600 times
                 taken     TMCommit: 7 times
                 taken     TMRcvPrepared: 352 times
        replay   agrees    50 schedules, 264 steps on 4 real processes
        PASS     the game follows every behaviour that was drawn (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn what_the_specification_allows_and_the_game_does_not_do_is_shown_where_they_part() {
    // The game has one power loss, and the specification any number.
    check(
        "spec disk-store --simulate 50 --drive",
        expect![[r#"
        behaviours of DiskStore for disk-store · 3 writers
        simulate drawn     50 behaviours, 47 of them distinct with 346 steps, seed 1, TLC 2.15, T s
        drive    parts     from 14 of 47 behaviours, 313 steps of the step function, T s
                 taken     Get: 85 times
                 partly    PowerLoss: 41 of 55 times
                 taken     Put: 136 times
                 taken     SyncDone: 51 times

        parts    behaviour 4, step 6, PowerLoss
        before   acknowledged = {w2}
                 answers = <<>>
                 asked = <<w2, w3, w1>>
                 disk = (x :> none @@ y :> w2)
                 syncing = <<w1>>
                 waiting = <<>>
        after    syncing = <<>>
        instead  Get, SyncDone
        saved    .cadre/traces/disk-store/spec-9a7e38b4.ndjson, up to there
        show     cadre show .cadre/traces/disk-store/spec-9a7e38b4.ndjson
        FAIL     14 behaviours are not followed (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_counterexample_of_the_specification_is_followed_and_can_be_replayed() {
    let bench = bench();
    let ran = bench
        .run("spec two-phase-commit --nodes 1 --drive --invariant NobodyCommits --processes 1");
    expect![[r#"
        checking the specification of two-phase-commit · 1 resource manager
        spec     violated  11 distinct states, 17 generated, depth 5, TLC 2.15, T s
        drive    follows   1 behaviour, 4 steps of the step function, T s
        replay   agrees    1 schedule, 4 steps on 2 real processes

         #  action                    tm    rm1  changed
         1  rm1 chooses Prepare       :      ●   rm1 working → prepared, +Prepared→tm, disk state
         2  deliver Prepared rm1→tm   *◀───1─o   tm.prepared[0] none → 1, disk state
         3  tm chooses Commit         ●      :   tm.decision undecided → committed, +Commit→rm1, disk state
         4  deliver Commit tm→rm1     o─3───▶*   rm1 prepared → committed, disk state
        saved    .cadre/traces/two-phase-commit/spec-e541690f.ndjson
        replay   cadre replay .cadre/traces/two-phase-commit/spec-e541690f.ndjson
        logs     .cadre/runs/spec-1
        FAIL     the invariant NobodyCommits is violated (exit 1)
        exit 1
    "#]].assert_eq(&ran.transcript());
    let saved = bench.files(".cadre/traces").pop().unwrap();
    let again = bench.run(&format!("replay {} --against model", saved.display()));
    assert_eq!(again.code, Some(0), "{}", again.output);
}

#[test]
fn without_a_violation_there_is_no_counterexample_to_follow() {
    check(
        "spec two-phase-commit --nodes 1 --drive",
        expect![[r#"
            checking the specification of two-phase-commit · 1 resource manager
            spec     holds     12 distinct states, 20 generated, depth 5, TLC 2.15, T s
            PASS     TypeOK, Consistent, EverybodyDecides, Irrevocable hold, so that there is nothing to follow (exit 0)
            exit 0
        "#]],
    );
}

#[test]
fn random_behaviours_that_violate_nothing_prove_nothing() {
    check(
        "spec two-phase-commit --nodes 1 --simulate 5",
        expect![[r#"
        behaviours of TwoPhase for two-phase-commit · 1 resource manager
        simulate drawn     5 behaviours, 4 of them distinct with 9 steps, seed 1, TLC 2.15, T s
        BOUNDED  nothing was found in the behaviours drawn (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn an_invariant_that_the_specification_does_not_have_is_told() {
    check(
        "spec two-phase-commit --nodes 1 --simulate 5 --drive --invariant Peace",
        expect![[r#"
            behaviours of TwoPhase for two-phase-commit · 1 resource manager
            error: the configuration is refused: The invariant Peace specified in the configuration file is not defined in the specification.; correct it, see HERE/.cadre/runs/spec-1/simulate/tlc.log
            exit 5
        "#]],
    );
}

/// What a game does along behaviours.
fn driven(game: &dyn AnyGame, setup: &Setup, behaviours: &[SpecTrace]) -> Vec<DrivenTrace> {
    game.drive(setup, behaviours, Matching::Actions, &mut |_| true).unwrap()
}

fn drawn(suite: &Suite, behaviours: u32) -> Vec<SpecTrace> {
    let game = suite.find("two-phase-commit").unwrap();
    let spec = game.spec(&game.setup(None, None).unwrap()).unwrap();
    let stop = Stop::new();
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &stop).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let simulation = Simulation { behaviours, states_max: 30, seed: 3 };
    simulate(&spec, simulation, &tlc, directory.path(), &stop).unwrap().behaviours
}

#[test]
fn what_follows_a_behaviour_maps_to_its_actions_and_states() {
    let suite = cadre_protocols::suite();
    let (game, behaviours) = (suite.find("two-phase-commit").unwrap(), drawn(&suite, 50));
    let setup = game.setup(None, None).unwrap();
    for (behaviour, driven) in behaviours.iter().zip(driven(game, &setup, &behaviours)) {
        let told = cadre::conform::spec_trace("driven", &driven.trace).unwrap();
        let steps = |trace: &SpecTrace| {
            let steps = trace.steps.iter().filter(|step| step.action != SpecAction::Stutter);
            steps.map(|step| (step.action.clone(), step.variables.clone())).collect::<Vec<_>>()
        };
        assert_eq!(steps(&told), steps(behaviour), "{}", behaviour.name);
        assert_eq!((driven.followed, driven.parting.is_none()), (behaviour.steps.len(), true));
    }
}

/// A behaviour with another action or another value at any one step is left there.
#[test]
fn a_behaviour_that_no_specification_has_is_left_at_the_step_that_is_wrong() {
    let suite = cadre_protocols::suite();
    let game = suite.find("two-phase-commit").unwrap();
    let setup = game.setup(None, None).unwrap();
    let behaviour = drawn(&suite, 20).into_iter().max_by_key(|b| b.steps.len()).unwrap();
    assert!(behaviour.steps.len() >= 6, "{behaviour:?}");
    for wrong in 0..behaviour.steps.len() {
        let mut renamed = behaviour.clone();
        renamed.steps[wrong].action = SpecAction::named("TMCommitOrNot");
        let mut changed = behaviour.clone();
        let variables = changed.steps[wrong].variables.as_mut().unwrap();
        variables.insert("tmState".to_owned(), Value::string("lost"));
        for driven in driven(game, &setup, &[renamed, changed]) {
            assert_eq!(driven.parting.unwrap().step, wrong + 1);
            assert_eq!(driven.followed, wrong);
        }
    }
    let mut foreign = behaviour;
    foreign.initial.as_mut().unwrap().insert("tmState".to_owned(), Value::string("lost"));
    assert_eq!(driven(game, &setup, &[foreign])[0].parting.as_ref().unwrap().step, 0);
}

#[test]
fn what_changes_nothing_in_the_specification_takes_no_action() {
    let suite = cadre_protocols::suite();
    let game = suite.find("two-phase-commit").unwrap();
    let setup = game.setup(Some(1), None).unwrap();
    let start = game.execute(&setup, &[]).unwrap();
    let initial = cadre::conform::spec_trace("start", &start).unwrap().initial;
    let stutter = SpecStep { action: SpecAction::Stutter, variables: initial.clone() };
    let steps = vec![stutter.clone(), stutter];
    let behaviour = SpecTrace { name: "nothing".to_owned(), initial, steps };
    let driven = driven(game, &setup, &[behaviour]);
    assert_eq!((driven[0].followed, driven[0].trace.steps.len()), (2, 0));
}
