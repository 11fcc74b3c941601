//! The whole block of a failing check.

mod support;

use cadre_trace::{Action, Difference, Envelope, Fault, Kept, Trace, diff};
use cadre_view::{FailureNotes, difference, failure, failure_at};
use expect_test::{Expect, expect};
use serde_json::json;

use support::{Story, abort_after_prepare, lost_write, ring};

fn notes(how: &str) -> FailureNotes {
    FailureNotes {
        saved: Some("traces/two-phase-commit/consistency-6f1c.ndjson".to_owned()),
        replay: Some("cadre replay traces/two-phase-commit/consistency-6f1c.ndjson".to_owned()),
        how: how.to_owned(),
        ..FailureNotes::default()
    }
}

fn check(trace: &Trace, how: &str, columns: usize, expected: Expect) {
    let text = failure_at(trace, &notes(how), columns);
    assert!(text.lines().count() <= 24, "{text}");
    expected.assert_eq(&text);
}

#[test]
fn nine_steps_in_a_hundred_columns() {
    assert_eq!(
        failure(&abort_after_prepare(), &notes("shortest")),
        failure_at(&abort_after_prepare(), &notes("shortest"), 100)
    );
    check(
        &abort_after_prepare(),
        "shortest, 9 steps",
        100,
        expect![[r#"
        violated  consistency                                  shortest, 9 steps

         #  action                    tm    rm1    rm2    rm3  changed
         1  rm1 chooses Prepare       :      ●      :      :   rm1 working → prepared, +Prepared→tm
         2  rm2 chooses Prepare       :      :      ●      :   rm2 working → prepared, +Prepared→tm
         3  deliver Prepared rm1→tm   *◀───1─o      :      :   tm.prepared[0] none → 1
         4  rm3 chooses Prepare       :      :      :      ●   rm3 working → prepared, +Prepared→tm
         5  deliver Prepared rm3→tm   *◀─────────────────4─o   tm.prepared[1] none → 3
         6  rm2 chooses Abort         :      :      *      :   rm2 prepared → aborted
         7  deliver Prepared rm2→tm   ●◀──────────2─o      :   tm.prepared +2, tm.state init → committed
         8  deliver Commit tm→rm3     o─7─────────────────▶*   rm3 prepared → committed
         9  deliver Commit tm→rm1     o─7───▶*      :      :   rm1 prepared → committed

        because  at 6, rm2 went to aborted of its own accord (Abort);
                 at 9, rm1, knowing rm2 only as of 2 (prepared), went to committed on Commit, which tm
                 sent at 7 on Prepared from rm2;
                 consistency: rm1 has committed and rm2 has aborted.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn nine_steps_in_eighty_columns() {
    check(
        &abort_after_prepare(),
        "shortest, 9 steps",
        80,
        expect![[r#"
        violated  consistency                                  shortest, 9 steps

         #  action                    tm    rm1    rm2    rm3  changed
         1  rm1 chooses Prepare       :      ●      :      :   rm1 working → prepared
         2  rm2 chooses Prepare       :      :      ●      :   rm2 working → prepared
         3  deliver Prepared rm1→tm   *◀───1─o      :      :   tm.prepared[0] none → 1
         4  rm3 chooses Prepare       :      :      :      ●   rm3 working → prepared
         5  deliver Prepared rm3→tm   *◀─────────────────4─o   tm.prepared[1] none → 3
         6  rm2 chooses Abort         :      :      *      :   rm2 prepared → aborted
         7  deliver Prepared rm2→tm   ●◀──────────2─o      :   tm.prepared +2,
                                      :      :      :      :   tm.state init → committed
         8  deliver Commit tm→rm3     o─7─────────────────▶*   rm3 prepared → committed
         9  deliver Commit tm→rm1     o─7───▶*      :      :   rm1 prepared → committed

        because  at 6, rm2 went to aborted of its own accord (Abort);
                 at 9, rm1, knowing rm2 only as of 2 (prepared), went to committed on
                 Commit, which tm sent at 7 on Prepared from rm2;
                 consistency: rm1 has committed and rm2 has aborted.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn faults_in_eighty_columns() {
    check(
        &lost_write(),
        "shrunk from 41 steps, 12 steps",
        80,
        expect![[r#"
        violated  what is answered is not forgotten   shrunk from 41 steps, 12 steps

          #  action                    n1     n2  changed
          1  c1 asks n1 Write(5)      ▷●      :   n1.value – → 5, n1.unsynced +value=5,
                                       :      :   n1.timers +Retry, +Copy(5)→n2
          2  n1 sync done              ●      :   n1.disk.value none → 5, c1 gets Done
          3  duplicate Copy(5) n1→n2   o─1─+  :
          4  drop Copy(5) n1→n2        o─1─✗  :
          5  CRASH n1                  ✗      :   n1 up → down
          6  deliver Copy(5) n1→n2     o─1───▶●   n2.value – → 5, n2.unsynced +value=5
          7  CRASH n2                         ✗   n2 up → down, n2.unsynced -value=5
          8  RESTART n1                ↑          n1 down → up: {role follower, value 5}
          9  RESTART n2                :      ↑   n2 down → up: {role leader, value –}
         10  deliver Copied n2→n1      *◀───6─o   nothing
         11  c2 asks n2 Read           :     ▷●   c2 gets –
         12  CRASH+RESTART n1          ✗↑     :   nothing

        because  at 9, n2 restarted as {role leader, value –}, having crashed at 7 with
                 value=5 not yet synced;
                 what is answered is not forgotten was judged on n2 = {role leader,
                 value –}.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn fourteen_steps_fit_with_a_five_line_argument() {
    let mut trace = ring(4, 14).violates("the token goes on", &["n1", "n2", "n3"], None);
    let guarantee = trace.header.guarantee.as_mut().unwrap();
    guarantee.finding = Some("n1, n2 and n3 have all seen it".to_owned() + &" again".repeat(10));
    check(
        &trace,
        "14 steps",
        80,
        expect![[r#"
            violated  the token goes on                         14 steps
              #  action                   n1    n2    n3    n4  changed
              1  n1 chooses Begin         ●     :     :     :   n1.seen 0 → 1, +Token(1)→n2
              2  deliver Token(1) n1→n2   o─1──▶●     :     :   n2.seen 0 → 1, +Token(1)→n3
              3  deliver Token(1) n2→n3   :     o─2──▶●     :   n3.seen 0 → 1, +Token(1)→n4
              4  deliver Token(1) n3→n4   :     :     o─3──▶●   n4.seen 0 → 1, +Token(1)→n1
              5  deliver Token(1) n4→n1   ●◀──────────────4─o   n1.seen 1 → 2, +Token(2)→n2
              6  deliver Token(2) n1→n2   o─5──▶●     :     :   n2.seen 1 → 2, +Token(2)→n3
              7  deliver Token(2) n2→n3   :     o─6──▶●     :   n3.seen 1 → 2, +Token(2)→n4
              8  deliver Token(2) n3→n4   :     :     o─7──▶●   n4.seen 1 → 2, +Token(2)→n1
              9  deliver Token(2) n4→n1   ●◀──────────────8─o   n1.seen 2 → 3, +Token(3)→n2
             10  deliver Token(3) n1→n2   o─9──▶●     :     :   n2.seen 2 → 3, +Token(3)→n3
             11  deliver Token(3) n2→n3   :     o─10─▶●     :   n3.seen 2 → 3, +Token(3)→n4
             12  deliver Token(3) n3→n4   :     :     o─11─▶●   n4.seen 2 → 3, +Token(3)→n1
             13  deliver Token(3) n4→n1   ●◀─────────────12─o   n1.seen 3 → 4, +Token(4)→n2
             14  deliver Token(4) n1→n2   o─13─▶●     :     :   n2.seen 3 → 4, +Token(4)→n3

            because  at 11, n3 set seen to 3 on Token(3), which n2 sent at 10 on Token(3)
                     from n1; at 13, n1 set seen to 4 on Token(3), which n4 sent at 12 on
                     Token(3) from n3; at 14, n2 set seen to 4 on Token(4), which n1 sent at
                     13 on Token(3) from n4; the token goes on: n1, n2 and n3 have all seen
                     it again again again again again again again again again again.
            saved    traces/two-phase-commit/consistency-6f1c.ndjson
            replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
        "#]],
    );
}

#[test]
fn of_forty_steps_those_remain_that_lead_to_the_violation() {
    let commit = json!("Commit");
    let mut story = Story::two_phase(5)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .choose("rm2", "Abort", json!("aborted"), &[]);
    for round in 1..=17 {
        let (rm, state) = (format!("rm{}", 3 + round % 3), json!({"tries": round}));
        story = story.fire(&rm, "Retry", state.clone(), &[("rm3", json!({"Ping": round}))]);
        story = story.deliver(json!({"Ping": round}), &rm, "rm3", json!({"heard": round}), &[]);
    }
    let trace = story
        .crash("rm5")
        .deliver(
            json!("Prepared"),
            "rm1",
            "tm",
            json!({"state": "committed", "prepared": [1]}),
            &[("rm1", commit.clone()), ("rm2", commit.clone())],
        )
        .choose("rm4", "Abort", json!("aborted"), &[])
        .deliver(commit, "tm", "rm1", json!("committed"), &[])
        .violates("consistency", &["rm1", "rm2"], Some("rm1 has committed and rm2 has aborted"));
    assert_eq!(trace.steps.len(), 40);
    check(
        &trace,
        "shortest, 40 steps",
        100,
        expect![[r#"
            violated  consistency                                       shortest, 40 steps

              #  action                    tm  rm1  rm2  rm3  rm4  rm5  changed
              1  rm1 chooses Prepare       :    ●    :    :    :    :   rm1 working → prepared, +Prepared→tm
              2  rm2 chooses Abort         :    :    *    :    :    :   rm2 working → aborted
              …  34 steps, none of them a cause; cadre show prints all
             37  CRASH rm5                 :    :    :    :    :    ✗   rm5 up → down
             38  deliver Prepared rm1→tm   ●◀─1─o    :    :    :        tm.prepared[0] none → 1,
                                           :    :    :    :    :        tm.state init → committed
             39  rm4 chooses Abort         :    :    :    :    *        rm4 {tries 16} → aborted
             40  deliver Commit tm→rm1     o─38▶*    :    :    :        rm1 prepared → committed

            because  at 2, rm2 went to aborted of its own accord (Abort);
                     at 40, rm1, knowing nothing of rm2, went to committed on Commit, which tm sent at 38 on
                     Prepared from rm1;
                     consistency: rm1 has committed and rm2 has aborted.

            saved    traces/two-phase-commit/consistency-6f1c.ndjson
            replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
        "#]],
    );
}

#[test]
fn four_hundred_steps_that_all_lead_there_show_the_first_and_the_last() {
    let trace = ring(3, 400).violates("the token goes on", &[], None);
    check(
        &trace,
        "400 steps",
        80,
        expect![[r#"
        violated  the token goes on                    400 steps
           #  action                     n1   n2   n3  changed
           1  n1 chooses Begin           ●    :    :   n1.seen 0 → 1, +Token(1)→n2
           2  deliver Token(1) n1→n2     o─1─▶●    :   n2.seen 0 → 1, +Token(1)→n3
           …  384 steps like these; cadre show prints all
         387  deliver Token(129) n2→n3   :    o386▶●   n3.seen 128 → 129, +Token(129)→n1
         388  deliver Token(129) n3→n1   ●◀────387─o   n1.seen 129 → 130, +Token(130)→n2
         389  deliver Token(130) n1→n2   o388▶●    :   n2.seen 129 → 130, +Token(130)→n3
         390  deliver Token(130) n2→n3   :    o389▶●   n3.seen 129 → 130, +Token(130)→n1
         391  deliver Token(130) n3→n1   ●◀────390─o   n1.seen 130 → 131, +Token(131)→n2
         392  deliver Token(131) n1→n2   o391▶●    :   n2.seen 130 → 131, +Token(131)→n3
         393  deliver Token(131) n2→n3   :    o392▶●   n3.seen 130 → 131, +Token(131)→n1
         394  deliver Token(131) n3→n1   ●◀────393─o   n1.seen 131 → 132, +Token(132)→n2
         395  deliver Token(132) n1→n2   o394▶●    :   n2.seen 131 → 132, +Token(132)→n3
         396  deliver Token(132) n2→n3   :    o395▶●   n3.seen 131 → 132, +Token(132)→n1
         397  deliver Token(132) n3→n1   ●◀────396─o   n1.seen 132 → 133, +Token(133)→n2
         398  deliver Token(133) n1→n2   o397▶●    :   n2.seen 132 → 133, +Token(133)→n3
         399  deliver Token(133) n2→n3   :    o398▶●   n3.seen 132 → 133, +Token(133)→n1
         400  deliver Token(133) n3→n1   ●◀────399─o   n1.seen 133 → 134, +Token(134)→n2

        because  at 400, n1 set seen to 134 on Token(133), which n3 sent at 399 on
                 Token(133) from n2.
        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn a_panic_is_a_violation_with_a_trace() {
    let trace = Story::two_phase(2)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .panics(json!("Prepared"), "rm1", "tm", "panicked: index out of bounds:\nthe len is 0")
        .violates("no step fails", &[], None);
    check(
        &trace,
        "shortest, 2 steps",
        80,
        expect![[r#"
        violated  no step fails                     shortest, 2 steps

         #  action                    tm  rm1  rm2  changed
         1  rm1 chooses Prepare       :    ●    :   rm1 working → prepared, +Prepared→tm
         2  deliver Prepared rm1→tm   !◀─1─o    :   tm up → failed: panicked: index out
                                           :    :   of bounds:\nthe len is 0

        because  at 2, tm failed on Prepared, which rm1 sent at 1 of its own accord
                 (Prepare): panicked: index out of bounds:\nthe len is 0.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn a_long_guarantee_is_not_cut() {
    let name = "no two participants of one transaction ever decide differently from each other";
    let trace = Story::two_phase(2).choose("rm1", "Abort", json!("aborted"), &[]).violates(
        name,
        &["rm1"],
        None,
    );
    check(
        &trace,
        "shortest, 1 step",
        80,
        expect![[r#"
        violated  no two participants of one transaction ever decide differently from each other
                  shortest, 1 step

         #  action              tm    rm1    rm2  changed
         1  rm1 chooses Abort   :      *      :   rm1 working → aborted

        because  at 1, rm1 went to aborted of its own accord (Abort);
                 no two participants of one transaction ever decide differently from
                 each other was judged on rm1 = aborted.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn no_trace_and_no_width_makes_the_block_longer_than_its_bound() {
    for steps in 1..60 {
        let trace = ring(2 + steps % 11, steps).violates("the token goes on", &["n1"], None);
        for columns in [40, 60, 72, 80, 100, 140] {
            let text = failure_at(&trace, &notes("shortest"), columns);
            assert!(text.lines().count() <= 24, "{steps} steps, {columns} columns:\n{text}");
        }
    }
}

/// A node that asks, and is put off again and again.
fn put_off(rounds: usize) -> Story {
    let mut story = Story::new(&[("a", json!("idle")), ("b", json!("busy"))], "multiset").choose(
        "a",
        "Begin",
        json!("asking"),
        &[("b", json!("Ask"))],
    );
    for _ in 0..rounds {
        let (ask, later) = (json!("Ask"), json!("Later"));
        story = story
            .deliver(ask.clone(), "a", "b", json!("busy"), &[("a", later.clone())])
            .deliver(later, "b", "a", json!("asking"), &[("b", ask)]);
    }
    story
}

#[test]
fn a_cycle_goes_on_for_ever() {
    let trace = put_off(1).violates_for_ever("a is answered", &["a"], Some(1));
    check(
        &trace,
        "shortest way into a cycle, 1 of 3 steps",
        100,
        expect![[r#"
            violated  a is answered            shortest way into a cycle, 1 of 3 steps

             #  action              a      b   changed
             1  a chooses Begin     ●      :   a idle → asking, +Ask→b
             2  deliver Ask a→b     o─1───▶●   +Later→a
             3  deliver Later b→a   ●◀───2─o   +Ask→b
                and so on for ever from step 2

            because  at 1, a went to asking of its own accord (Begin);
                     steps 2 and 3 may repeat for ever;
                     a is answered was judged on a = asking.

            saved    traces/two-phase-commit/consistency-6f1c.ndjson
            replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
        "#]],
    );
}

#[test]
fn an_end_is_said_to_be_one() {
    let trace = put_off(0).violates_for_ever("a is answered", &["a"], None);
    check(
        &trace,
        "shortest, 1 step",
        100,
        expect![[r#"
        violated  a is answered          shortest, 1 step

         #  action            a      b   changed
         1  a chooses Begin   ●      :   a idle → asking, +Ask→b

        because  at 1, a went to asking of its own accord (Begin);
                 after that nothing but a fault could change anything;
                 a is answered was judged on a = asking.

        saved    traces/two-phase-commit/consistency-6f1c.ndjson
        replay   cadre replay traces/two-phase-commit/consistency-6f1c.ndjson
    "#]],
    );
}

#[test]
fn a_long_trace_with_a_cycle_keeps_the_bound_and_the_cycle() {
    for loop_from in 1..60 {
        let rounds = loop_from / 2 + 3;
        let trace = put_off(rounds).violates_for_ever("a is answered", &["a"], Some(loop_from));
        for columns in [40, 72, 100] {
            let text = failure_at(&trace, &notes("shortest"), columns);
            assert!(text.lines().count() <= 24, "{loop_from}, {columns} columns:\n{text}");
            let from = format!("and so on for ever from step {}", loop_from + 1);
            assert!(text.contains(&from), "{text}");
            let last = format!("{}  ", trace.steps.len());
            assert!(text.lines().any(|line| line.trim_start().starts_with(&last)), "{text}");
        }
    }
}

#[test]
fn a_replay_that_differs_shows_both_sides_of_each_path() {
    let action = Action::Deliver(Envelope {
        from: "tm".to_owned(),
        to: "rm1".to_owned(),
        message: json!("Commit"),
    });
    let expected = json!({"state": "committed", "log": ["begin", "commit"], "term": 1});
    let found = json!({"state": "prepared", "log": ["begin"], "term": "1"});
    let found = difference(9, Some(&action), "rm1", &diff("rm1", &expected, &found));
    expect![[r#"
        differs  at step 9, deliver Commit tm→rm1, in rm1
        --- expected
        +++ found
        - rm1.log[1]  commit
        + rm1.log[1]  none
        - rm1.state   committed
        + rm1.state   prepared
        - rm1.term    1
        + rm1.term    "1"
    "#]]
    .assert_eq(&found);
}

#[test]
fn long_values_are_shown_where_they_differ_and_many_paths_are_counted() {
    let action =
        Action::Fault(Fault::CrashRestart { node: "n1".to_owned(), kept: Kept::default() });
    let long = |end: &str| Some(json!("x".repeat(300) + end + &"y".repeat(300)));
    let part = |index: usize| Difference {
        path: format!("n1.log[{index}]"),
        before: long("expected"),
        after: long("found"),
    };
    let parts: Vec<Difference> = (0..20).map(part).collect();
    expect![[r#"
        differs  at step 1, CRASH+RESTART n1, in n1
        --- expected
        +++ found
        - n1.log[0]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[0]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[1]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[1]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[2]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[2]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[3]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[3]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[4]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[4]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[5]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[5]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[6]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[6]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        - n1.log[7]  …xxxxxxxxxxxxexpectedyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        + n1.log[7]  …xxxxxxxxxxxxfoundyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
        … 12 more paths differ
    "#]]
    .assert_eq(&difference(1, Some(&action), "n1", &parts));
}
