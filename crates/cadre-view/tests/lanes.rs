//! What the lanes look like. Each picture was looked at before it became an expectation.

mod support;

use cadre_trace::{Action, Envelope, Fault, Trace};
use cadre_view::{LaneOptions, lanes};
use expect_test::{Expect, expect};
use serde_json::json;

use support::{Story, abort_after_prepare, hasty_commit, lost_write, ring};

fn check(trace: &Trace, width: usize, expected: Expect) {
    let text = lanes(trace, &LaneOptions { width, ..LaneOptions::default() });
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(longest <= width, "{longest} columns are more than {width}:\n{text}");
    // A snapshot whose lines all begin with blanks would lose them.
    expected.assert_eq(&format!("{width} columns\n{text}"));
}

#[test]
fn five_steps_are_five_rows() {
    check(
        &hasty_commit(),
        100,
        expect![[r#"
            100 columns
             #  action                    tm    rm1    rm2  changed
             1  rm1 chooses Prepare       :      ●      :   rm1 working → prepared, +Prepared→tm
             2  deliver Prepared rm1→tm   *◀───1─o      :   tm.prepared[0] none → 1
             3  tm chooses Commit         ●      :      :   tm.state init → committed, +Commit→rm1,rm2
             4  deliver Commit tm→rm1     o─3───▶*      :   rm1 prepared → committed
             5  rm2 chooses Abort         :      :      *   rm2 working → aborted
        "#]],
    );
}

#[test]
fn arrows_cross_the_lanes_between_sender_and_receiver() {
    check(
        &abort_after_prepare(),
        100,
        expect![[r#"
            100 columns
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
        "#]],
    );
}

#[test]
fn eighty_columns_leave_out_sends_rather_than_states() {
    check(
        &abort_after_prepare(),
        80,
        expect![[r#"
            80 columns
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
        "#]],
    );
}

#[test]
fn on_a_very_narrow_terminal_changes_stand_below_their_step() {
    check(
        &hasty_commit(),
        56,
        expect![[r#"
            56 columns
             #  action                    tm rm1 rm2
             1  rm1 chooses Prepare       :   ●   :
                rm1 working → prepared, +Prepared→tm
             2  deliver Prepared rm1→tm   *◀1─o   :
                tm.prepared[0] none → 1
             3  tm chooses Commit         ●   :   :
                tm.state init → committed, +Commit→rm1,rm2
             4  deliver Commit tm→rm1     o─3▶*   :
                rm1 prepared → committed
             5  rm2 chooses Abort         :   :   *
                rm2 working → aborted
        "#]],
    );
}

#[test]
fn faults_requests_and_disks_are_rows_like_any_other() {
    check(
        &lost_write(),
        100,
        expect![[r#"
            100 columns
              #  action                    n1     n2  changed
              1  c1 asks n1 Write(5)      ▷●      :   n1.value – → 5, n1.unsynced +value=5, n1.timers +Retry
              2  n1 sync done              ●      :   n1.disk.value none → 5, c1 gets Done
              3  duplicate Copy(5) n1→n2   o─1─+  :
              4  drop Copy(5) n1→n2        o─1─✗  :
              5  CRASH n1                  ✗      :   n1 up → down
              6  deliver Copy(5) n1→n2     o─1───▶●   n2.value – → 5, n2.unsynced +value=5, +Copied→n1
              7  CRASH n2                         ✗   n2 up → down, n2.unsynced -value=5
              8  RESTART n1                ↑          n1 down → up: {role follower, value 5}
              9  RESTART n2                :      ↑   n2 down → up: {role leader, value –}
             10  deliver Copied n2→n1      *◀───6─o   nothing
             11  c2 asks n2 Read           :     ▷●   c2 gets –
             12  CRASH+RESTART n1          ✗↑     :   nothing
        "#]],
    );
}

#[test]
fn lists_of_changes_that_are_too_long_get_more_lines() {
    check(
        &lost_write(),
        72,
        expect![[r#"
            72 columns
              #  action                    n1   n2  changed
              1  c1 asks n1 Write(5)      ▷●    :   n1.value – → 5,
                                           :    :   n1.unsynced +value=5,
                                           :    :   n1.timers +Retry, +Copy(5)→n2
              2  n1 sync done              ●    :   n1.disk.value none → 5,
                                           :    :   c1 gets Done
              3  duplicate Copy(5) n1→n2   o1+  :
              4  drop Copy(5) n1→n2        o1✗  :
              5  CRASH n1                  ✗    :   n1 up → down
              6  deliver Copy(5) n1→n2     o─1─▶●   n2.value – → 5,
                                                :   n2.unsynced +value=5, +Copied→n1
              7  CRASH n2                       ✗   n2 up → down,
                                                    n2.unsynced -value=5
              8  RESTART n1                ↑        n1 down → up: {role follower,
                                           :        value 5}
              9  RESTART n2                :    ↑   n2 down → up: {role leader,
                                           :    :   value –}
             10  deliver Copied n2→n1      *◀─6─o   nothing
             11  c2 asks n2 Read           :   ▷●   c2 gets –
             12  CRASH+RESTART n1          ✗↑   :   nothing
        "#]],
    );
}

#[test]
fn ten_nodes_stand_closer() {
    check(
        &ring(10, 13).holds(),
        100,
        expect![[r#"
            100 columns
              #  action                    n1  n2  n3  n4  n5  n6  n7  n8  n9 n10  changed
              1  n1 chooses Begin          ●   :   :   :   :   :   :   :   :   :   n1.seen 0 → 1, +Token(1)→n2
              2  deliver Token(1) n1→n2    o─1▶●   :   :   :   :   :   :   :   :   n2.seen 0 → 1, +Token(1)→n3
              3  deliver Token(1) n2→n3    :   o─2▶●   :   :   :   :   :   :   :   n3.seen 0 → 1, +Token(1)→n4
              4  deliver Token(1) n3→n4    :   :   o─3▶●   :   :   :   :   :   :   n4.seen 0 → 1, +Token(1)→n5
              5  deliver Token(1) n4→n5    :   :   :   o─4▶●   :   :   :   :   :   n5.seen 0 → 1, +Token(1)→n6
              6  deliver Token(1) n5→n6    :   :   :   :   o─5▶●   :   :   :   :   n6.seen 0 → 1, +Token(1)→n7
              7  deliver Token(1) n6→n7    :   :   :   :   :   o─6▶●   :   :   :   n7.seen 0 → 1, +Token(1)→n8
              8  deliver Token(1) n7→n8    :   :   :   :   :   :   o─7▶●   :   :   n8.seen 0 → 1, +Token(1)→n9
              9  deliver Token(1) n8→n9    :   :   :   :   :   :   :   o─8▶●   :   n9.seen 0 → 1, +Token(1)→n10
             10  deliver Token(1) n9→n10   :   :   :   :   :   :   :   :   o─9▶●   n10.seen 0 → 1, +Token(1)→n1
             11  deliver Token(1) n10→n1   ●◀───────────────────────────────10─o   n1.seen 1 → 2, +Token(2)→n2
             12  deliver Token(2) n1→n2    o11▶●   :   :   :   :   :   :   :   :   n2.seen 1 → 2, +Token(2)→n3
             13  deliver Token(2) n2→n3    :   o12▶●   :   :   :   :   :   :   :   n3.seen 1 → 2, +Token(2)→n4
        "#]],
    );
}

#[test]
fn ten_nodes_in_eighty_columns_drop_the_word_that_the_arrow_says() {
    check(
        &ring(10, 5).holds(),
        80,
        expect![[r#"
            80 columns
             #  action             n1  n2  n3  n4  n5  n6  n7  n8  n9 n10  changed
             1  n1 chooses Begin   ●   :   :   :   :   :   :   :   :   :   n1.seen 0 → 1
             2  Token(1) n1→n2     o─1▶●   :   :   :   :   :   :   :   :   n2.seen 0 → 1
             3  Token(1) n2→n3     :   o─2▶●   :   :   :   :   :   :   :   n3.seen 0 → 1
             4  Token(1) n3→n4     :   :   o─3▶●   :   :   :   :   :   :   n4.seen 0 → 1
             5  Token(1) n4→n5     :   :   :   o─4▶●   :   :   :   :   :   n5.seen 0 → 1
        "#]],
    );
}

#[test]
fn thirty_nodes_have_lanes_if_they_take_part() {
    check(
        &ring(30, 5).holds(),
        80,
        expect![[r#"
            80 columns
             #  action             n1    n2    n3    n4    n5  changed
             1  n1 chooses Begin   ●     :     :     :     :   n1.seen 0 → 1, +Token(1)→n2
             2  Token(1) n1→n2     o─1──▶●     :     :     :   n2.seen 0 → 1, +Token(1)→n3
             3  Token(1) n2→n3     :     o─2──▶●     :     :   n3.seen 0 → 1, +Token(1)→n4
             4  Token(1) n3→n4     :     :     o─3──▶●     :   n4.seen 0 → 1, +Token(1)→n5
             5  Token(1) n4→n5     :     :     :     o─4──▶●   n5.seen 0 → 1, +Token(1)→n6
                25 more nodes take no part in these steps
        "#]],
    );
}

#[test]
fn where_there_is_no_room_for_lanes_the_words_are_left() {
    check(
        &ring(30, 11).holds(),
        44,
        expect![[r#"
            44 columns
              #  action             1 2 3 4 5 6 7 8 9
              1  n1 chooses Begin   ● : : : : : : : :
                 n1.seen 0 → 1, +Token(1)→n2
              2  Token(1) n1→n2     o▶● : : : : : : :
                 n2.seen 0 → 1, +Token(1)→n3
              3  Token(1) n2→n3     : o▶● : : : : : :
                 n3.seen 0 → 1, +Token(1)→n4
              4  Token(1) n3→n4     : : o▶● : : : : :
                 n4.seen 0 → 1, +Token(1)→n5
              5  Token(1) n4→n5     : : : o▶● : : : :
                 n5.seen 0 → 1, +Token(1)→n6
              6  Token(1) n5→n6     : : : : o▶● : : :
                 n6.seen 0 → 1, +Token(1)→n7
              7  Token(1) n6→n7     : : : : : o▶● : :
                 n7.seen 0 → 1, +Token(1)→n8
              8  Token(1) n7→n8     : : : : : : o▶● :
                 n8.seen 0 → 1, +Token(1)→n9
              9  Token(1) n8→n9     : : : : : : : o▶●
                 n9.seen 0 → 1, +Token(1)→n10
             10  Token(1) n9→n10    : : : : : : : : :
                 n10.seen 0 → 1, +Token(1)→n11
             11  Token(1) n10→n11   : : : : : : : : :
                 n11.seen 0 → 1, +Token(1)→n12
                 no room for the lanes of 21 more nodes
        "#]],
    );
}

#[test]
fn a_long_trace_keeps_its_beginning_and_its_causes() {
    let options = LaneOptions { width: 80, steps_max: 8 };
    expect![[r#"
        8 rows
          #  action                    n1     n2     n3  changed
          1  n1 chooses Begin          ●      :      :   n1.seen 0 → 1, +Token(1)→n2
          2  deliver Token(1) n1→n2    o─1───▶●      :   n2.seen 0 → 1, +Token(1)→n3
          …  33 steps like these; cadre show prints all
         36  deliver Token(12) n2→n3   :      o─35──▶●   n3.seen 11 → 12, +Token(12)→n1
         37  deliver Token(12) n3→n1   ●◀─────────36─o   n1.seen 12 → 13, +Token(13)→n2
         38  deliver Token(13) n1→n2   o─37──▶●      :   n2.seen 12 → 13, +Token(13)→n3
         39  deliver Token(13) n2→n3   :      o─38──▶●   n3.seen 12 → 13, +Token(13)→n1
         40  deliver Token(13) n3→n1   ●◀─────────39─o   n1.seen 13 → 14, +Token(14)→n2
    "#]]
    .assert_eq(&format!("8 rows\n{}", lanes(&ring(3, 40).holds(), &options)));
}

#[test]
fn a_failed_step_and_its_node_are_marked() {
    let trace = Story::two_phase(2)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .panics(json!("Prepared"), "rm1", "tm", "panicked: index out of bounds:\nthe len is 0")
        .choose("rm2", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .holds();
    check(
        &trace,
        100,
        expect![[r#"
            100 columns
             #  action                    tm    rm1    rm2  changed
             1  rm1 chooses Prepare       :      ●      :   rm1 working → prepared, +Prepared→tm
             2  deliver Prepared rm1→tm   !◀───1─o      :   tm up → failed: panicked: index out of bounds:\nthe
                                                 :      :   len is 0
             3  rm2 chooses Prepare              :      ●   rm2 working → prepared, +Prepared→tm
        "#]],
    );
}

#[test]
fn a_message_to_oneself_stays_in_its_lane() {
    let trace = Story::new(&[("n1", json!(0)), ("n2", json!(0))], "multiset")
        .choose("n1", "Tick", json!(1), &[("n1", json!("Tock"))])
        .deliver(json!("Tock"), "n1", "n1", json!(2), &[("n2", json!("Tock"))])
        .deliver(json!("Tock"), "n1", "n2", json!(0), &[])
        .holds();
    check(
        &trace,
        80,
        expect![[r#"
            80 columns
             #  action               n1     n2  changed
             1  n1 chooses Tick      ●      :   n1 0 → 1, +Tock→n1
             2  deliver Tock n1→n1 o▶●      :   n1 1 → 2, +Tock→n2
             3  deliver Tock n1→n2   o─2───▶*   nothing
        "#]],
    );
}

#[test]
fn odd_texts_and_wide_letters_do_not_break_the_table() {
    let trace = Story::new(&[("节点", json!("")), ("n2", json!("\u{1b}[31m"))], "multiset")
        .choose("节点", "投票", json!("多数\n派"), &[("n2", json!({"票": ["a\tb", ""]}))])
        .deliver(json!({"票": ["a\tb", ""]}), "节点", "n2", json!("x"), &[])
        .holds();
    let text = lanes(&trace, &LaneOptions { width: 80, ..LaneOptions::default() });
    expect![[r#"
        80 columns
         #  action                          节点    n2  changed
         1  节点 chooses 投票                ●      :   节点 "" → 多数\n派
         2  deliver {票 [a\tb, ]} 节点→n2    o─1───▶*   n2 \u{1b}[31m → x
    "#]]
    .assert_eq(&format!("80 columns\n{text}"));
}

#[test]
fn a_long_message_is_broken_and_its_lanes_go_on() {
    let append = json!({"Append": {"term": 3, "previous": [2, 7], "commit": 6,
        "entries": [{"term": 3, "command": {"Put": ["colour", "green"]}}]}});
    let trace = Story::new(&[("n1", json!(0)), ("n2", json!(0)), ("n3", json!(0))], "multiset")
        .choose("n1", "Replicate", json!(1), &[("n3", append.clone())])
        .deliver(append, "n1", "n3", json!({"term": 3, "log": [1, 2, 2, 3], "commit": 6}), &[])
        .holds();
    check(
        &trace,
        100,
        expect![[r#"
            100 columns
             #  action                                     n1     n2     n3  changed
             1  n1 chooses Replicate                       ●      :      :   n1 0 → 1
             2  deliver Append(commit 6, entries           o─1──────────▶*   n3 0 → {commit 6, log [1, 2, 2, 3],
                [{command Put([colour, green]), term       :      :      :   term 3}
                3}], previous [2, 7], term 3) n1→n3        :      :      :
        "#]],
    );
}

#[test]
fn a_trace_that_names_unknown_nodes_and_has_no_steps_is_drawn_all_the_same() {
    let mut trace = hasty_commit();
    trace.header.nodes = vec!["tm".to_owned()];
    trace.steps[0].causes = vec![0, 1, 9];
    trace.steps[1].action = Action::Fault(Fault::Drop(Envelope {
        from: "nobody".to_owned(),
        to: "tm".to_owned(),
        message: json!(null),
    }));
    check(
        &trace,
        90,
        expect![[r#"
            90 columns
             #  action                  tm  changed
             1  rm1 chooses Prepare     :   rm1 working → prepared, +Prepared→tm
             2  drop – nobody→tm        :   tm.prepared[0] none → 1
             3  tm chooses Commit       ●   tm.state init → committed, +Commit→rm1,rm2
             4  deliver Commit tm→rm1   :   rm1 prepared → committed
             5  rm2 chooses Abort       :   rm2 working → aborted
        "#]],
    );
    trace.steps.clear();
    check(
        &trace,
        90,
        expect![[r#"
            90 columns
             #  action   tm  changed
        "#]],
    );
}

#[test]
fn no_width_makes_the_drawing_fail() {
    for trace in [abort_after_prepare(), lost_write(), ring(30, 40).holds()] {
        for width in 0..160 {
            for steps_max in [0, 1, 3, 10, usize::MAX] {
                assert!(!lanes(&trace, &LaneOptions { width, steps_max }).is_empty());
            }
        }
    }
}

#[test]
fn from_sixty_columns_on_no_line_is_wider_than_the_terminal() {
    for trace in [hasty_commit(), abort_after_prepare(), lost_write(), ring(12, 40).holds()] {
        for width in 60..160 {
            for line in lanes(&trace, &LaneOptions { width, ..LaneOptions::default() }).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
