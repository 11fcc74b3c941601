use cadre_model::consistency::Causality::{Causal, Convergent, Memory};
use cadre_model::consistency::SessionGuarantee::{
    self, MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads,
};
use cadre_model::consistency::objects::{Answer, At, RegisterOperation};
use cadre_model::consistency::{
    Accesses, Budget, HistoryError, Unsuitable, Verdict, explain_linearizability, linearizable,
    sequential,
};

use crate::notation::{
    StoreHistory, has, history, is_causal, is_linearizable, is_sequential, one_by_one, store,
};

#[test]
fn a_history_without_events_has_every_property() {
    let empty = StoreHistory::new();
    assert!(is_linearizable(&empty) && is_sequential(&empty));
    assert!([Causal, Convergent, Memory].iter().all(|kind| is_causal(&empty, *kind)));
    assert!(SessionGuarantee::ALL.iter().all(|guarantee| has(&empty, *guarantee)));
}

#[test]
fn a_stale_read_is_sequential_but_not_linearizable() {
    let stale = one_by_one("a w1, b r0");
    assert!(!is_linearizable(&stale));
    assert!(is_sequential(&stale));
}

#[test]
fn a_read_that_overlaps_a_write_may_see_it_or_not() {
    assert!(is_linearizable(&history("a w1, b r, b =0, a ok")));
    assert!(is_linearizable(&history("a w1, b r, b =1, a ok")));
    assert!(!is_linearizable(&history("a w1, b r, b =2, a ok")));
}

#[test]
fn a_new_old_inversion_is_regular_but_not_atomic() {
    // Both reads overlap the write, as in Lamport's regular register; the second sees less.
    let inversion = history("a w1, b r, b =1, c r, c =0, a ok");
    assert!(!is_linearizable(&inversion));
    assert!(is_sequential(&inversion));
}

#[test]
fn an_update_is_lost_when_two_compare_and_sets_succeed_from_one_value() {
    assert!(is_linearizable(&history("a c01, b c02, a ok, b no")));
    assert!(!is_linearizable(&history("a c01, b c02, a ok, b ok")));
    assert!(!is_sequential(&history("a c01, b c02, a ok, b ok")));
}

#[test]
fn a_negative_answer_is_an_answer() {
    assert!(is_linearizable(&history("a c12, a no")));
    assert!(!is_linearizable(&history("a w1, a ok, a c12, a no")));
    assert!(is_linearizable(&history("a w1, b c12, b no, a ok")));
}

#[test]
fn store_buffers_are_not_sequential_but_causal() {
    let buffers = one_by_one("a xw1, b yw1, a yr0, b xr0");
    assert!(!is_sequential(&buffers) && !is_linearizable(&buffers));
    assert!(is_causal(&buffers, Causal) && is_causal(&buffers, Memory));
}

#[test]
fn each_key_may_be_sequential_where_all_together_are_not() {
    // Sequential consistency is not local; linearizability is.
    let all = one_by_one("a xw1, a yr0, b yw1, b xr0");
    assert!(!is_sequential(&all));
    assert!(is_sequential(&one_by_one("a xw1, b xr0")));
    assert!(is_sequential(&one_by_one("a yr0, b yw1")));
}

#[test]
fn a_pending_write_may_be_read_late_or_never() {
    assert!(is_linearizable(&history("a w1, b r, b =0, b r, b =1")));
    assert!(is_linearizable(&history("a w1, b r, b =0, b r, b =0")));
    assert!(!is_linearizable(&history("a w1, b r, b =1, b r, b =0")));
    assert!(!is_linearizable(&history("b r, b =1, a w1")));
    assert!(is_sequential(&history("b r, b =1, a w1")));
}

#[test]
fn what_failed_has_no_effect_and_what_is_unknown_may_have_one() {
    let after = |end: &str, value: u32| history(&format!("a w1, a {end}, b r, b ={value}"));
    assert!(is_linearizable(&after("info", 1)) && is_linearizable(&after("info", 0)));
    assert!(!is_linearizable(&after("fail", 1)) && is_linearizable(&after("fail", 0)));
    assert!(is_sequential(&after("info", 1)) && !is_sequential(&after("fail", 1)));
    assert!(is_causal(&after("info", 1), Causal) && !is_causal(&after("fail", 1), Causal));
}

#[test]
fn an_unknown_write_may_take_effect_after_later_operations_of_its_process() {
    let late = history("a w1, a info, a r, a =0, b r, b =0, b r, b =1");
    assert!(is_linearizable(&late) && is_sequential(&late));
    assert!(is_causal(&late, Memory));
    assert!(SessionGuarantee::ALL.iter().all(|guarantee| has(&late, *guarantee)));
    // But not before earlier ones.
    let early = history("a r, a =1, a w1, a info");
    assert!(!is_linearizable(&early) && !is_sequential(&early) && !is_causal(&early, Causal));
}

#[test]
fn a_value_from_nowhere_contradicts_everything() {
    let thin_air = one_by_one("a w1, b r7");
    assert!(!is_linearizable(&thin_air) && !is_sequential(&thin_air));
    assert!(!is_causal(&thin_air, Causal));
    assert!(SessionGuarantee::ALL.iter().all(|guarantee| !has(&thin_air, *guarantee)));
}

#[test]
fn concurrent_writes_seen_in_two_orders_are_causal_but_not_sequential() {
    let orders = one_by_one("a w1, b w2, c r1, d r2, c r2, d r1");
    assert!(!is_sequential(&orders));
    assert!(is_causal(&orders, Causal) && is_causal(&orders, Memory));
    assert!(!is_causal(&orders, Convergent));
}

#[test]
fn causality_lost_through_a_third_process_is_found() {
    // Somebody answers a question that a third cannot see yet.
    let lost = one_by_one("a xw1, b xr1, b yw1, c yr1, c xr0");
    assert!(!is_causal(&lost, Causal) && !has(&lost, WritesFollowReads));
    assert!(has(&lost, ReadYourWrites) && has(&lost, MonotonicReads));
    assert!(has(&lost, MonotonicWrites));
}

#[test]
fn a_cycle_of_reads_before_writes_is_no_causality() {
    let cycle = history("a r, b r, a =2, b =1, a w1, a ok, b w2, b ok");
    assert!(!is_causal(&cycle, Causal) && !has(&cycle, WritesFollowReads));
}

#[test]
fn the_kinds_of_causal_consistency_differ_as_published() {
    // After figure 3 of Bouajjani, Enea, Guerraoui and Hamza (POPL 2017).
    let kinds = |text: &str| {
        let history = one_by_one(text);
        [Memory, Convergent, Causal].map(|kind| is_causal(&history, kind))
    };
    assert_eq!(kinds("a w1, b w2, a r2, b r1"), [true, false, true]);
    assert_eq!(kinds("a zw1, a xw1, a yw1, b xw2, b zr0, b yr1, b xr2"), [false, true, true]);
    assert_eq!(kinds("a w1, b w2, b r1, b r2, b r1"), [false, false, true]);
    assert_eq!(kinds("a xw1, a yw1, b yr1, b xr0"), [false, false, false]);
}

#[test]
fn whoever_does_not_read_its_write_has_lost_the_first_guarantee_alone() {
    let found = one_by_one("a w1, a r0");
    assert!(!has(&found, ReadYourWrites));
    assert!(has(&found, MonotonicReads) && has(&found, MonotonicWrites));
    assert!(has(&found, WritesFollowReads));
    assert!(!has(&one_by_one("a w1, a w2, a r1"), ReadYourWrites));
    assert!(has(&one_by_one("a w1, b w2, a r2"), ReadYourWrites));
}

#[test]
fn whoever_reads_backwards_has_lost_the_second_guarantee_alone() {
    for text in ["a w1, b r1, b r0", "a w1, c w2, b r1, b r2, b r1"] {
        let found = one_by_one(text);
        assert!(!has(&found, MonotonicReads), "{text}");
        assert!(has(&found, ReadYourWrites) && has(&found, MonotonicWrites), "{text}");
        assert!(has(&found, WritesFollowReads), "{text}");
    }
    // In opposite orders by two processes: no single session has gone backwards.
    assert!(has(&one_by_one("a w1, b w2, c r1, d r2, c r2, d r1"), MonotonicReads));
}

#[test]
fn writes_of_one_process_seen_out_of_order_have_lost_the_third_guarantee() {
    let keys = one_by_one("a xw1, a yw1, b yr1, b xr0");
    assert!(!has(&keys, MonotonicWrites));
    assert!(has(&keys, ReadYourWrites) && has(&keys, MonotonicReads));
    assert!(has(&keys, WritesFollowReads));
    assert!(!has(&one_by_one("a w1, a w2, b r2, b r1"), MonotonicWrites));
    // Somebody else's write in between may be newer still.
    assert!(has(&one_by_one("a xw1, a yw1, c xw2, b yr1, b xr2"), MonotonicWrites));
}

#[test]
fn an_answer_seen_before_its_question_has_lost_the_fourth_guarantee() {
    assert!(!has(&one_by_one("a w1, b r1, b w2, c r2, c r1"), WritesFollowReads));
    assert!(has(&one_by_one("a w1, b r1, b w2, c r1, c r2"), WritesFollowReads));
    // Through two writers.
    let far = "a xw1, b xr1, b yw1, c yr1, c zw1, d zr1, d xr0";
    assert!(!has(&one_by_one(far), WritesFollowReads));
}

#[test]
fn values_that_do_not_tell_their_writes_are_refused() {
    let unsuitable = |text: &str| Accesses::new(&store(), &history(text)).unwrap_err();
    assert_eq!(
        unsuitable("a w1, a ok, b w1, b ok"),
        Unsuitable::WrittenTwice { first: 0, second: 1 }
    );
    assert_eq!(unsuitable("a w0, a ok"), Unsuitable::InitialWritten { call: 0 });
    assert_eq!(unsuitable("a c12, a ok"), Unsuitable::NeitherReadNorWrite { call: 0 });
    // The same value under two keys, or by a write that failed, is no trouble.
    Accesses::new(&store(), &history("a xw1, a ok, b yw1, b ok, c w1, c fail")).unwrap();
}

#[test]
fn a_search_beyond_its_budget_is_unknown() {
    let hard = history("a w1, b w2, c w3, d w4, e r, e =9, a ok, b ok, c ok, d ok");
    let few = Budget { steps_max: 10 };
    assert_eq!(linearizable(&store(), &hard, few), Verdict::Unknown { steps: 10 });
    assert_eq!(sequential(&store(), &hard, few), Verdict::Unknown { steps: 10 });
    let explained = explain_linearizability(&store(), &hard, few);
    assert_eq!(explained.verdict, Verdict::Unknown { steps: 10 });
    assert_eq!(explained.violation, None);
    assert!(!is_linearizable(&hard));
}

#[test]
fn a_violation_under_one_key_is_found_though_another_key_takes_all_the_steps() {
    let hard = "a w1, b w2, c w3, d w4, e r, e =9, a ok, b ok, c ok, d ok";
    let both = history(&format!("{hard}, a yr, a =5"));
    assert_eq!(linearizable(&store(), &both, Budget { steps_max: 10 }), Verdict::Violated);
}

#[test]
fn a_process_calls_one_operation_at_a_time() {
    let mut history = history("a w1");
    assert_eq!(history.answer(1, Answer::Done), Err(HistoryError::Idle { process: 1 }));
    let again = history.calls()[0].operation.clone();
    assert_eq!(history.invoke(0, again), Err(HistoryError::Busy { process: 0 }));
}

#[test]
fn ten_thousand_operations_take_little_more_than_a_step_for_each_overlap() {
    // Eight processes write and read in turn, each overlapping the seven others; operations take
    // effect in the order of their answers.
    let (mut long, mut value) = (StoreHistory::new(), 0);
    for round in 0..1_250 {
        let writes = |process: usize| (round + process).is_multiple_of(2);
        let written = |process: usize| (8 * round + process) as u32 + 1;
        for process in 0..8 {
            let operation = match writes(process) {
                true => RegisterOperation::Write(written(process)),
                false => RegisterOperation::Read,
            };
            long.invoke(process, At { key: 'x', operation }).unwrap();
        }
        for process in 0..8 {
            let answer = if writes(process) { Answer::Done } else { Answer::Value(value) };
            value = if writes(process) { written(process) } else { value };
            long.answer(process, answer).unwrap();
        }
    }
    assert_eq!(long.calls().len(), 10_000);
    let explained = explain_linearizability(&store(), &long, Budget::default());
    assert_eq!(explained.verdict, Verdict::Holds);
    assert!(explained.steps < 8 * 10_000, "{} steps", explained.steps);
    assert!(is_sequential(&long));
}
