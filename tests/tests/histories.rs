//! Transcripts of `history`: what it prints of recorded histories, and its exit codes.

use cadre_tests::Bench;
use expect_test::{Expect, expect};

/// Runs `history` on a bench with the stored histories, and compares what it prints.
fn check(args: &str, expected: Expect) {
    let bench = Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"));
    bench.copy("tests/histories");
    bench.write("twice.ndjson", TWICE);
    bench.write("cut.ndjson", &TWICE[..TWICE.len() - 5]);
    bench.write("hard.ndjson", &hard());
    let ran = bench.run(&format!("history {args}"));
    assert!(ran.output.lines().count() <= 25, "{}", ran.output);
    expected.assert_eq(&ran.transcript());
}

const TWICE: &str = r#"{"process":"c1","type":"invoke","operation":"write","value":1}
{"process":"c1","type":"ok"}
{"process":"c1","type":"invoke","operation":"write","value":1}
"#;

/// Twelve overlapping writes, and a read of something else.
fn hard() -> String {
    let mut text = String::new();
    for value in 1..=12 {
        let event = serde_json::json!(
            {"process": value, "type": "invoke", "operation": "write", "value": value}
        );
        text += &format!("{event}\n");
    }
    text += "{\"process\":\"r\",\"type\":\"invoke\",\"operation\":\"read\"}\n";
    text += "{\"process\":\"r\",\"type\":\"ok\",\"answer\":13}\n";
    for value in 1..=12 {
        text += &format!("{}\n", serde_json::json!({"process": value, "type": "ok"}));
    }
    text
}

#[test]
fn a_stale_read_is_not_linearizable() {
    check(
        "tests/histories/stale-read.ndjson",
        expect![[r#"
            judging tests/histories/stale-read.ndjson · register · linearizable
            history  violated  5 operations, 1 without an answer, 5 steps

            violated  linearizable   4 of 5 operations suffice to show it

             #  event                      writer  reader 1  reader 2
             1  writer write 1                ┬        :         :
             2  writer write 1 → ok           ┴        :         :
             3  writer write 2                ┬        :         :
             4  reader 1 read                 │        ┬         :
             5  reader 1 read → 2             │        ┴         :
             6  reader 2 read                 │        :         ┬
             7  reader 2 read → 1             │        :         ┴
             8  writer write 2 → unknown      ?        :         :

            because  what happened before event 7 is linearizable, for example in the order writer write 1,
                     writer write 2 → ?, reader 1 read → 2; reader 2 read → 1 has no place; an answer that has
                     one is 2.
            FAIL     linearizable does not hold (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn a_stale_read_is_sequential() {
    check(
        "tests/histories/stale-read.ndjson --consistency sequential",
        expect![[r#"
            judging tests/histories/stale-read.ndjson · register · sequential
            history  holds     5 operations, 1 without an answer, 14 steps
            PASS     sequential holds of this history (exit 0)
            exit 0
        "#]],
    );
}

#[test]
fn an_answer_without_its_question_is_not_causal() {
    check(
        "tests/histories/lost-question.ndjson --consistency causal",
        expect![[r#"
            judging tests/histories/lost-question.ndjson · kv · causal
            history  violated  5 operations

            violated  causal   5 of 5 operations suffice to show it

             #  event                               alice  bob  carol
             1  alice write question "when?"          ┬     :     :
             2  alice write question "when?" → ok     ┴     :     :
             3  bob read question                     :     ┬     :
             4  bob read question → "when?"           :     ┴     :
             5  bob write answer "today"              :     ┬     :
             6  bob write answer "today" → ok         :     ┴     :
             7  carol read answer                     :     :     ┬
             8  carol read answer → "today"           :     :     ┴
             9  carol read question                   :     :     ┬
            10  carol read question → null            :     :     ┴

            because  carol read question → null returns the initial value, but must see alice write question
                     "when?": it comes causally before the read, by way of bob read question → "when?", bob
                     write answer "today", carol read answer → "today".
            FAIL     causal does not hold (exit 1)
            exit 1
        "#]],
    );
}

#[test]
fn the_session_guarantee_at_fault_is_named() {
    check(
        "tests/histories/lost-question.ndjson --consistency sessions",
        expect![[r#"
            judging tests/histories/lost-question.ndjson · kv · sessions
            history  violated  5 operations

            violated  writes-follow-reads   5 of 5 operations suffice to show it

             #  event                               alice  bob  carol
             1  alice write question "when?"          ┬     :     :
             2  alice write question "when?" → ok     ┴     :     :
             3  bob read question                     :     ┬     :
             4  bob read question → "when?"           :     ┴     :
             5  bob write answer "today"              :     ┬     :
             6  bob write answer "today" → ok         :     ┴     :
             7  carol read answer                     :     :     ┬
             8  carol read answer → "today"           :     :     ┴
             9  carol read question                   :     :     ┬
            10  carol read question → null            :     :     ┴

            because  carol read question → null returns the initial value, but must see alice write question
                     "when?": the same process had read a write whose writer had read it, by way of bob read
                     question → "when?", bob write answer "today", carol read answer → "today".
            FAIL     writes-follow-reads does not hold (exit 1)
            exit 1
        "#]],
    );
    check(
        "tests/histories/lost-question.ndjson --consistency monotonic-reads",
        expect![[r#"
        judging tests/histories/lost-question.ndjson · kv · monotonic-reads
        history  holds     5 operations
        PASS     monotonic-reads holds of this history (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_jepsen_log_of_a_lock_is_judged() {
    check(
        "tests/histories/lock.ndjson --object lock",
        expect![[r#"
        judging tests/histories/lock.ndjson · lock · linearizable
        history  holds     4 operations, 1 without an answer, 6 steps
        PASS     linearizable holds of this history (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_search_that_runs_out_of_steps_is_bounded() {
    check(
        "hard.ndjson --object register --steps 1000",
        expect![[r#"
        judging hard.ndjson · register · linearizable
        history  unknown   13 operations, 1 000 steps
        BOUNDED  the steps ran out before there was a verdict (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn a_question_that_makes_no_sense_is_a_usage_error() {
    check(
        "tests/histories/lock.ndjson",
        expect![[r#"
        error: tests/histories/lock.ndjson: expected an object, found none in the first line; name one with --object
        exit 2
    "#]],
    );
    check(
        "tests/histories/lock.ndjson --object lock --consistency causal",
        expect![[r#"
        error: tests/histories/lock.ndjson: expected register or kv for causal, which is about reads and writes, found lock
        exit 2
    "#]],
    );
    check(
        "tests/histories/lock.ndjson --object stack",
        expect![[r#"
        error: invalid value 'stack' for '--object <OBJECT>'
          [possible values: register, cas-register, write-once, kv, queue, lock, counter, log]

        For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn a_file_that_is_no_history_is_unreadable_input() {
    check(
        "nothing.ndjson",
        expect![[r#"
        error: cannot read the history nothing.ndjson: No such file or directory (os error 2)
        exit 5
    "#]],
    );
    check(
        "cut.ndjson --object register",
        expect![[r#"
        error: cut.ndjson: line 3: expected a JSON object with an event, found a line that ends in the middle: `{"process":"c1","type":"invoke","operati`
        exit 5
    "#]],
    );
    check(
        "twice.ndjson --object register --consistency causal",
        expect![[r#"
        error: twice.ndjson: lines 1 and 3: expected that each value is written to a key once, found the same twice; make the values distinct
        exit 5
    "#]],
    );
    check(
        "tests/histories/lock.ndjson --object queue",
        expect![[r#"
        error: tests/histories/lock.ndjson: line 1: expected enqueue with a value, or dequeue, found `acquire` with null
        exit 5
    "#]],
    );
}

#[test]
fn every_stored_history_is_read() {
    let bench = Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"));
    bench.copy("tests/histories");
    let files = bench.files("tests/histories");
    assert!(!files.is_empty());
    for file in files {
        let path = file.strip_prefix(bench.path()).unwrap().display();
        let ran = bench.run(&format!("history {path} --object lock"));
        let ran_too = bench.run(&format!("history {path} --object kv"));
        let ran_plain = bench.run(&format!("history {path} --object register"));
        let codes = [ran.code, ran_too.code, ran_plain.code];
        assert!(codes.iter().any(|code| matches!(code, Some(0 | 1))), "{path}: {codes:?}");
    }
}
