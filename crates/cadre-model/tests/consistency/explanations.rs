use cadre_model::consistency::objects::Answer;
use cadre_model::consistency::{
    Accesses, Budget, Causality, Reason, SessionGuarantee, Violation, causal, draw,
    explain_linearizability, explain_sequential, session, tell,
};
use expect_test::{Expect, expect};

use crate::notation::{StoreHistory, history, one_by_one, store};

/// What is told of a violation: the drawing, a blank line, the sentence.
fn told(history: &StoreHistory, violation: &Violation<Answer<u32>>) -> String {
    let names = ["a", "b", "c", "d"].map(str::to_owned);
    let drawing = draw(history, &violation.operations, &names, 20);
    format!("{drawing}\n{}\n", tell(history, violation, &names))
}

fn check_linearizable(text: &str, expected: Expect) {
    let history = history(text);
    let explained = explain_linearizability(&store(), &history, Budget::default());
    expected.assert_eq(&told(&history, &explained.violation.unwrap()));
}

fn check_sequential(text: &str, expected: Expect) {
    let history = one_by_one(text);
    let explained = explain_sequential(&store(), &history, Budget::default());
    expected.assert_eq(&told(&history, &explained.violation.unwrap()));
}

fn check_causal(text: &str, causality: Causality, expected: Expect) {
    let history = one_by_one(text);
    let pattern = causal(&Accesses::new(&store(), &history).unwrap(), causality).unwrap();
    let (operations, reason) = (pattern.operations(), Reason::Pattern(pattern));
    let violation = Violation { operations, is_minimal: true, reason };
    expected.assert_eq(&told(&history, &violation));
}

fn check_session(text: &str, guarantee: SessionGuarantee, expected: Expect) {
    let history = one_by_one(text);
    let pattern = session(&Accesses::new(&store(), &history).unwrap(), guarantee).unwrap();
    let (operations, reason) = (pattern.operations(), Reason::Pattern(pattern));
    let violation = Violation { operations, is_minimal: true, reason };
    expected.assert_eq(&told(&history, &violation));
}

#[test]
fn a_stale_read_is_shown_with_the_write_alone() {
    check_linearizable(
        "a w1, a ok, c yw5, c ok, b r, b =1, b yr, b =5, a w2, a ok, d r, d =2, c r, c =1, d r, \
         d =2",
        expect![[r#"
             #  event              a  c
             1  a write x 1        ┬  :
             2  a write x 1 → ok   ┴  :
             9  a write x 2        ┬  :
            10  a write x 2 → ok   ┴  :
            13  c read x           :  ┬
            14  c read x → 1       :  ┴

            what happened before event 14 is linearizable, for example in the order a write x 1, a write x 2; c read x → 1 has no place; an answer that has one is 2.
        "#]],
    );
}

#[test]
fn a_new_old_inversion_is_shown_with_both_reads() {
    check_linearizable(
        "d yw1, a w1, d ok, b r, b =1, c r, c =0, a ok",
        expect![[r#"
         #  event              a  b  c
         2  a write x 1        ┬  :  :
         4  b read x           │  ┬  :
         5  b read x → 1       │  ┴  :
         6  c read x           │  :  ┬
         7  c read x → 0       │  :  ┴
         8  a write x 1 → ok   ┴  :  :

        what happened before event 7 is linearizable, for example in the order a write x 1, b read x → 1; c read x → 0 has no place; an answer that has one is 1.
    "#]],
    );
}

#[test]
fn a_value_from_nowhere_is_shown_by_itself() {
    check_linearizable(
        "a w1, a ok, b r, b =1, b r, b =7",
        expect![[r#"
         #  event          b
         5  b read x       ┬
         6  b read x → 7   ┴

        what happened before event 6 is linearizable; b read x → 7 has no place; an answer that has one is 1.
    "#]],
    );
}

#[test]
fn unknown_operations_are_shown_where_they_matter() {
    check_linearizable(
        "a w1, a info, b r, b =1, b r, b =0, c w3, c info",
        expect![[r#"
         #  event                   a  b
         1  a write x 1             ┬  :
         2  a write x 1 → unknown   ?  :
         3  b read x                :  ┬
         4  b read x → 1            :  ┴
         5  b read x                :  ┬
         6  b read x → 0            :  ┴

        what happened before event 6 is linearizable, for example in the order a write x 1 → ?, b read x → 1; b read x → 0 has no place; an answer that has one is 1.
    "#]],
    );
}

#[test]
fn store_buffers_are_shown_with_what_has_no_place() {
    check_sequential(
        "a xw1, b yw1, c zw3, a yr0, b xr0, c zr3",
        expect![[r#"
         #  event              a  b
         1  a write x 1        ┬  :
         2  a write x 1 → ok   ┴  :
         3  b write y 1        :  ┬
         4  b write y 1 → ok   :  ┴
         7  a read y           ┬  :
         8  a read y → 0       ┴  :
         9  b read x           :  ┬
        10  b read x → 0       :  ┴

        no order of these operations explains the answers: after a write x 1, a read y → 0, b write y 1 there is no place for b read x → 0.
    "#]],
    );
}

#[test]
fn each_kind_of_causal_violation_has_its_sentence() {
    check_causal(
        "a xw1, b xr1, b yw1, c yr1, c xr0",
        Causality::Causal,
        expect![[r#"
         #  event              a  b  c
         1  a write x 1        ┬  :  :
         2  a write x 1 → ok   ┴  :  :
         3  b read x           :  ┬  :
         4  b read x → 1       :  ┴  :
         5  b write y 1        :  ┬  :
         6  b write y 1 → ok   :  ┴  :
         7  c read y           :  :  ┬
         8  c read y → 1       :  :  ┴
         9  c read x           :  :  ┬
        10  c read x → 0       :  :  ┴

        c read x → 0 returns the initial value, but must see a write x 1: it comes causally before the read, by way of b read x → 1, b write y 1, c read y → 1.
    "#]],
    );
    check_causal(
        "a xw1, a xw2, b xr2, b yw1, c yr1, c xr1",
        Causality::Causal,
        expect![[r#"
         #  event              a  b  c
         1  a write x 1        ┬  :  :
         2  a write x 1 → ok   ┴  :  :
         3  a write x 2        ┬  :  :
         4  a write x 2 → ok   ┴  :  :
         5  b read x           :  ┬  :
         6  b read x → 2       :  ┴  :
         7  b write y 1        :  ┬  :
         8  b write y 1 → ok   :  ┴  :
         9  c read y           :  :  ┬
        10  c read y → 1       :  :  ┴
        11  c read x           :  :  ┬
        12  c read x → 1       :  :  ┴

        c read x → 1 returns what a write x 1 wrote, but must see a write x 2, which has overwritten that: it comes causally before the read, by way of b read x → 2, b write y 1, c read y → 1.
    "#]],
    );
    check_causal(
        "a w1, b w2, a r2, b r1",
        Causality::Convergent,
        expect![[r#"
             #  event              a  b
             1  a write x 1        ┬  :
             2  a write x 1 → ok   ┴  :
             3  b write x 2        :  ┬
             4  b write x 2 → ok   :  ┴
             5  a read x           ┬  :
             6  a read x → 2       ┴  :
             7  b read x           :  ┬
             8  b read x → 1       :  ┴

            each of these comes before the next, and the last before the first, in any order that all processes agree on: a write x 1; b write x 2, because of a read x → 2, b read x → 1.
        "#]],
    );
    check_causal(
        "a w1, b w2, c r1, c r2, c r1",
        Causality::Memory,
        expect![[r#"
             #  event              a  b  c
             1  a write x 1        ┬  :  :
             2  a write x 1 → ok   ┴  :  :
             3  b write x 2        :  ┬  :
             4  b write x 2 → ok   :  ┴  :
             5  c read x           :  :  ┬
             6  c read x → 1       :  :  ┴
             7  c read x           :  :  ┬
             8  c read x → 2       :  :  ┴
             9  c read x           :  :  ┬
            10  c read x → 1       :  :  ┴

            each of these comes before the next, and the last before the first, in any order that explains the reads of one process: a write x 1; b write x 2, because of c read x → 1, c read x → 2, c read x → 1.
        "#]],
    );
}

#[test]
fn each_session_guarantee_has_its_sentence() {
    check_session(
        "a w1, a w2, a r1",
        SessionGuarantee::ReadYourWrites,
        expect![[r#"
         #  event              a
         1  a write x 1        ┬
         2  a write x 1 → ok   ┴
         3  a write x 2        ┬
         4  a write x 2 → ok   ┴
         5  a read x           ┬
         6  a read x → 1       ┴

        a read x → 1 returns what a write x 1 wrote, but must see a write x 2, which has overwritten that: the same process wrote it before.
    "#]],
    );
    check_session(
        "a w1, b r1, b r0",
        SessionGuarantee::MonotonicReads,
        expect![[r#"
         #  event              a  b
         1  a write x 1        ┬  :
         2  a write x 1 → ok   ┴  :
         3  b read x           :  ┬
         4  b read x → 1       :  ┴
         5  b read x           :  ┬
         6  b read x → 0       :  ┴

        b read x → 0 returns the initial value, but must see a write x 1: the same process had read it before, by way of b read x → 1.
    "#]],
    );
    check_session(
        "a xw1, a yw1, b yr1, b xr0",
        SessionGuarantee::MonotonicWrites,
        expect![[r#"
         #  event              a  b
         1  a write x 1        ┬  :
         2  a write x 1 → ok   ┴  :
         3  a write y 1        ┬  :
         4  a write y 1 → ok   ┴  :
         5  b read y           :  ┬
         6  b read y → 1       :  ┴
         7  b read x           :  ┬
         8  b read x → 0       :  ┴

        b read x → 0 returns the initial value, but must see a write x 1: the same process had read a later write of its writer, by way of a write y 1, b read y → 1.
    "#]],
    );
    check_session(
        "a xw1, b xr1, b yw1, c yr1, c xr0",
        SessionGuarantee::WritesFollowReads,
        expect![[r#"
             #  event              a  b  c
             1  a write x 1        ┬  :  :
             2  a write x 1 → ok   ┴  :  :
             3  b read x           :  ┬  :
             4  b read x → 1       :  ┴  :
             5  b write y 1        :  ┬  :
             6  b write y 1 → ok   :  ┴  :
             7  c read y           :  :  ┬
             8  c read y → 1       :  :  ┴
             9  c read x           :  :  ┬
            10  c read x → 0       :  :  ┴

            c read x → 0 returns the initial value, but must see a write x 1: the same process had read a write whose writer had read it, by way of b read x → 1, b write y 1, c read y → 1.
        "#]],
    );
}

#[test]
fn a_drawing_that_is_too_long_says_how_much_is_left_out() {
    let history = one_by_one("a w1, b r1, a w2, b r2, a w3, b r3");
    let operations: Vec<usize> = (0..history.calls().len()).collect();
    let drawing = draw(&history, &operations, &["client with a long name".to_owned()], 6);
    expect![[r#"
         #  event                         client with…  process 1
         …  8 earlier events
         9  client with… write x 3              ┬           :
        10  client with… write x 3 → ok         ┴           :
        11  process 1 read x                    :           ┬
        12  process 1 read x → 3                :           ┴
    "#]]
    .assert_eq(&drawing);
}
