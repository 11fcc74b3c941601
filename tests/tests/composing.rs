//! A game one of whose steps is two steps of its specification.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::conform::{Matching, SpecAction, SpecStep, SpecTrace, spec_trace};
use cadre::trace::{Action, Envelope, Trace};
use cadre::{Setup, Suite};
use cadre_tests::{Ballot, Bench};
use expect_test::{Expect, expect};

fn check(args: &str, expected: Expect) {
    let bench = Bench::new(env!("CARGO_BIN_EXE_broken-games"));
    expected.assert_eq(&bench.run(args).transcript());
    bench.assert_nothing_left();
}

#[test]
fn every_execution_conforms_and_so_does_the_whole_graph() {
    check(
        "check ballot",
        expect![[r#"
        checking ballot · 2 voters
        explore  holds     12 distinct configurations, depth 5, T s at R /s, omission < 4e-30
        fuzz     bounded   256 random executions, 1 161 steps, seed 1
        record   done      3 free runs of real processes, N steps
        conform  conforms  19 traces against Ballot, TLC 2.15, 1 run, T s
        replay   agrees    4 schedules, 25 steps on 3 real processes
        PASS     every guarantee holds, traces conform, real processes agree (exit 0)
        exit 0
    "#]],
    );
    check(
        "conform --graph ballot",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        conform  conforms  every state and every step against Ballot, TLC 2.15, 1 run, T s
                 taken     Count: all 7
                 partly    Prepare: 3 of 7, the first not taken is Prepare(v: v2); in 10 steps that are several
                 within    Vote: 0 of 3, the first not taken is Vote(v: v1); in 10 steps that are several
        PASS     every step is one of Ballot, which allows more (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_composition_in_the_wrong_order_is_rejected_at_its_first_step() {
    check(
        "conform --graph ballot --bug vote-first",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters · bug vote-first
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        conform  rejected  10 of 20 steps against Ballot, TLC 2.15, 1 run, T s
                 shortest: step 1, v1 chooses Vote: the spec does not allow Vote (step 1 of 2 of Vote · Prepare) here: v \in prepared is false
        false    v \in prepared (Vote in Ballot.tla, line 13): v = v1, prepared = {}
        state    counted = {}, prepared = {}, voted = {}
        enabled  Prepare(v: v1), Prepare(v: v2)
        after    prepared = {v1}, voted = {v1}

        violated  every step is one of Ballot         shortest, 1 step

         #  action            teller     v1       v2  changed
         1  v1 chooses Vote     :        ●        :   v1.Voter.prepared false → true,
                                :        :        :   v1.Voter.voted false → true, +Vote→teller

        because  at 1, v1 set Voter.prepared to true and set Voter.voted to true of its own accord
                 (Vote);
                 every step is one of Ballot was judged on v1 = Voter(prepared true, voted true).

        saved    .cadre/traces/ballot/graph-53b47142.ndjson
        replay   cadre replay .cadre/traces/ballot/graph-53b47142.ndjson
        logs     .cadre/runs/conform-1
        FAIL     ballot does what Ballot does not (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn a_step_that_leaves_out_half_of_what_it_is_leads_elsewhere_at_its_last_step() {
    check(
        "conform --graph ballot --bug careless",
        expect![[r#"
            conforming the whole graph of ballot · 2 voters · bug careless
            graph    seen      18 configurations, depth 6, are 18 states and 27 steps of Ballot, T s
            conform  rejected  9 of 27 steps against Ballot, TLC 2.15, 1 run, T s
                     shortest: step 1, v1 chooses Vote: prepared is {}, the spec has {v1} (step 2 of 2 of Vote or Prepare · Vote)
            false    UNCHANGED <<prepared, counted>> (Vote in Ballot.tla, line 16): prepared = {v1}, prepared' = {}
            state    counted = {}, prepared = {v1}, voted = {}
            enabled  Prepare(v: v2), Vote(v: v1)
            after    voted = {v1}

            violated  every step is one of Ballot         shortest, 1 step

             #  action            teller     v1       v2  changed
             1  v1 chooses Vote     :        ●        :   v1.Voter.voted false → true, +Vote→teller

            because  at 1, v1 set Voter.voted to true of its own accord (Vote);
                     every step is one of Ballot was judged on v1 = Voter(prepared false, voted true).

            saved    .cadre/traces/ballot/graph-9f28b4db.ndjson
            replay   cadre replay .cadre/traces/ballot/graph-9f28b4db.ndjson
            logs     .cadre/runs/conform-1
            FAIL     ballot does what Ballot does not (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_name_that_the_specification_has_not_is_told_with_the_nearest_one_it_has() {
    check(
        "conform --graph ballot --bug odd-action",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters · bug odd-action
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        conform  rejected  7 of 20 steps against Ballot, TLC 2.15, 1 run, T s
        error: expected an action of TraceBallot (Count, Prepare, Vote), found `Counts` in step 2 of shortest; perhaps Count is meant
        exit 5
    "#]],
    );
    check(
        "conform --graph ballot --bug odd-alternative",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters · bug odd-alternative
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        error: expected an action of TraceBallot (Count, Prepare, Vote), found `Voted` in `Vote(v: v1) or Prepare(v: v1) · Vote(v: v1) or Voted(v: v1)`; perhaps Vote is meant
        exit 5
    "#]],
    );
    check(
        "conform --graph ballot --bug odd-argument",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters · bug odd-argument
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        conform  rejected  20 of 20 steps against Ballot, TLC 2.15, 1 run, T s
        error: expected the arguments of Prepare (v), found voter in step 1 of shortest; name each of them as the trace module does
        exit 5
    "#]],
    );
    check(
        "conform --graph ballot --bug odd-variable",
        expect![[r#"
        conforming the whole graph of ballot · 2 voters · bug odd-variable
        graph    seen      12 configurations, depth 5, are 12 states and 20 steps of Ballot, T s
        error: expected a variable of TraceBallot (prepared, voted, counted), found `count` in the mapping to Ballot; perhaps counted is meant
        exit 5
    "#]],
    );
    check(
        "check ballot --bug odd-alternative",
        expect![[r#"
        checking ballot · 2 voters · bug odd-alternative
        explore  holds     12 distinct configurations, depth 5, T s at R /s, omission < 4e-30
        fuzz     bounded   256 random executions, 1 161 steps, seed 1
        record   done      3 free runs of real processes, N steps
        error: expected an action of TraceBallot (Count, Prepare, Vote), found `Voted` in step 1 of sampled 1; perhaps Vote is meant
        exit 5
    "#]],
    );
    check(
        "check ballot --bug odd-variable",
        expect![[r#"
        checking ballot · 2 voters · bug odd-variable
        explore  holds     12 distinct configurations, depth 5, T s at R /s, omission < 4e-30
        fuzz     bounded   256 random executions, 1 161 steps, seed 1
        record   done      3 free runs of real processes, N steps
        error: expected a variable of TraceBallot (prepared, voted, counted), found `count` in the mapping to Ballot; perhaps counted is meant
        exit 5
    "#]],
    );
}

#[test]
fn a_behaviour_is_followed_whose_two_steps_are_one_step_of_the_game() {
    check(
        "spec ballot --nodes 1 --simulate 20 --drive",
        expect![[r#"
        behaviours of Ballot for ballot · 1 voter
        simulate drawn     20 behaviours, 1 of them distinct with 3 steps, seed 1, TLC 2.15, T s
        drive    follows   1 behaviour, 2 steps of the step function, T s
                 taken     Count: 1 time
                 taken     Prepare: 1 time
                 taken     Vote: 1 time
        PASS     the game follows every behaviour that was drawn (exit 0)
        exit 0
    "#]],
    );
    check(
        "spec ballot --simulate 20 --drive",
        expect![[r#"
        behaviours of Ballot for ballot · 2 voters
        simulate drawn     20 behaviours, 13 of them distinct with 78 steps, seed 1, TLC 2.15, T s
        drive    parts     from 7 of 13 behaviours, 28 steps of the step function, T s
                 taken     Count: 12 times
                 partly    Prepare: 14 of 21 times
                 taken     Vote: 12 times

        parts    behaviour 1, step 2, Prepare(v: v2)
        before   counted = {}
                 prepared = {v1}
                 voted = {}
        after    prepared = {v1, v2}
        instead  Vote(v: v1) or Prepare(v: v1) · Vote(v: v1), Vote(v: v2) or Prepare(v: v2) · Vote(v: v2)
        saved    .cadre/traces/ballot/spec-fc8a03d4.ndjson, up to there
        show     cadre show .cadre/traces/ballot/spec-fc8a03d4.ndjson
        FAIL     7 behaviours are not followed (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn what_a_trace_says_of_compositions_is_read_as_it_was_written() {
    let suite = Suite::new().game(Ballot);
    let trace = voted(&suite, true);
    let again = Trace::from_ndjson(&trace.to_ndjson()).unwrap();
    assert_eq!(again, trace);
    let told = spec_trace("again", &again).unwrap();
    let steps: Vec<String> = told.steps.iter().map(|step| step.action.to_string()).collect();
    assert_eq!(steps, ["Vote(v: v2) or Prepare(v: v2) · Vote(v: v2)", "Count(v: v2)"]);
    assert_eq!(again.steps[0].spec.as_ref().unwrap().action, None);
    assert_eq!(again.steps[1].spec.as_ref().unwrap().ways, Vec::<Vec<_>>::new());
}

#[test]
fn a_behaviour_may_end_within_a_composition_and_may_do_nothing_else_within_it() {
    let suite = Suite::new().game(Ballot);
    let (game, setup) = (suite.find("ballot").unwrap(), setup(&suite));
    let whole = spec_trace("whole", &voted(&suite, false)).unwrap();
    let after = |names: &[&str]| {
        let mut state = whole.initial.clone().unwrap();
        for name in names {
            let value = whole.steps[0].variables.as_ref().unwrap()["voted"].clone();
            state.insert((*name).to_owned(), value);
        }
        Some(state)
    };
    let voter = |name: &str| SpecAction::named(name).with("v", cadre::tla::Value::model("v2"));
    let prepare = SpecStep { action: voter("Prepare"), variables: after(&["prepared"]) };
    let vote = SpecStep { action: voter("Vote"), variables: after(&["prepared", "voted"]) };
    let count =
        SpecStep { action: voter("Count"), variables: after(&["prepared", "voted", "counted"]) };
    let unprepared = SpecStep { action: voter("Vote"), variables: after(&["voted"]) };
    let behaviour = |steps: &[&SpecStep]| SpecTrace {
        name: "behaviour".to_owned(),
        initial: whole.initial.clone(),
        steps: steps.iter().map(|step| (*step).clone()).collect(),
    };
    let behaviours = [
        behaviour(&[&prepare]),
        behaviour(&[&prepare, &vote]),
        behaviour(&[&prepare, &vote, &count]),
        behaviour(&[&prepare, &count]),
        behaviour(&[&unprepared]),
    ];
    let driven = game.drive(&setup, &behaviours, Matching::Actions, &mut |_| true).unwrap();
    let told = driven.iter().map(|driven| {
        let parted = driven.parting.as_ref().map(|parting| parting.step);
        (driven.trace.steps.len(), driven.followed, parted)
    });
    let expected = [(1, 1, None), (1, 2, None), (2, 3, None), (0, 0, Some(1)), (0, 0, Some(1))];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

fn setup(suite: &Suite) -> Setup {
    suite.find("ballot").unwrap().setup(None, None).unwrap()
}

/// The second voter votes, and if `heard` the teller counts it.
fn voted(suite: &Suite, heard: bool) -> Trace {
    let vote = Action::Choose { node: "v2".to_owned(), timer: "Vote".into() };
    let message =
        Envelope { from: "v2".to_owned(), to: "teller".to_owned(), message: "Vote".into() };
    let mut schedule = vec![vote];
    schedule.extend(heard.then_some(Action::Deliver(message)));
    suite.find("ballot").unwrap().execute(&setup(suite), &schedule).unwrap()
}
