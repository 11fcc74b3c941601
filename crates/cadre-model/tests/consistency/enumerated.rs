use cadre_model::consistency::objects::{Answer, At, RegisterOperation};
use cadre_model::consistency::{Budget, Verdict, explain_linearizability, explain_sequential};

use crate::differential::peer_says_linearizable;
use crate::notation::{StoreHistory, is_linearizable, is_sequential, store};
use crate::oracle;

/// What a process can do, and what comes of it.
#[derive(Clone, Copy)]
enum Deed {
    Write(u32),
    Read(u32),
    Lost(u32),
    Swap(bool),
}

/// All ways in which the events of two processes with so many operations each can interleave.
fn interleavings(left: usize, right: usize) -> Vec<Vec<usize>> {
    match (left, right) {
        (0, 0) => vec![Vec::new()],
        _ => {
            let mut all = Vec::new();
            for (process, rest) in [(0, left.checked_sub(1)), (1, right.checked_sub(1))] {
                let Some(rest) = rest else { continue };
                let rests = match process {
                    0 => interleavings(rest, right),
                    _ => interleavings(left, rest),
                };
                all.extend(rests.into_iter().map(|mut order| {
                    order.insert(0, process);
                    order
                }));
            }
            all
        }
    }
}

fn history(order: &[usize], deeds: &[Vec<Deed>; 2]) -> StoreHistory {
    let mut history = StoreHistory::new();
    let mut events = [0; 2];
    for process in order.iter().copied() {
        let deed = deeds[process][events[process] / 2];
        let operation = match deed {
            Deed::Write(value) | Deed::Lost(value) => RegisterOperation::Write(value),
            Deed::Read(_) => RegisterOperation::Read,
            Deed::Swap(_) => RegisterOperation::CompareAndSet { from: 1, to: 2 },
        };
        match (events[process] % 2, deed) {
            (0, _) => drop(history.invoke(process, At { key: 'x', operation }).unwrap()),
            (_, Deed::Read(value)) => history.answer(process, Answer::Value(value)).unwrap(),
            (_, Deed::Write(_) | Deed::Swap(true)) => {
                history.answer(process, Answer::Done).unwrap();
            }
            (_, Deed::Swap(false)) => history.answer(process, Answer::Refused).unwrap(),
            (_, Deed::Lost(_)) => history.give_up(process).unwrap(),
        }
        events[process] += 1;
    }
    history
}

fn every_history(each: &mut dyn FnMut(&StoreHistory)) {
    let deeds = [
        Deed::Write(1),
        Deed::Write(2),
        Deed::Lost(1),
        Deed::Read(0),
        Deed::Read(1),
        Deed::Read(2),
        Deed::Swap(true),
        Deed::Swap(false),
    ];
    for (left, right) in [(1, 1), (2, 1), (2, 2)] {
        let orders = interleavings(2 * left, 2 * right);
        for choice in 0..deeds.len().pow((left + right) as u32) {
            let deed = |at: usize| deeds[choice / deeds.len().pow(at as u32) % deeds.len()];
            let chosen = [(0..left).map(deed).collect(), (left..left + right).map(deed).collect()];
            orders.iter().for_each(|order| each(&history(order, &chosen)));
        }
    }
}

#[test]
fn every_history_of_two_processes_with_two_operations_each_is_judged_by_definition() {
    let (mut all, mut linearizable, mut sequential) = (0, 0, 0);
    every_history(&mut |history| {
        let expected = oracle::is_linearizable(history);
        assert_eq!(is_linearizable(history), expected, "{history:?}");
        let expected_sequential = oracle::is_sequential(history);
        assert_eq!(is_sequential(history), expected_sequential, "{history:?}");
        assert!(expected_sequential || !expected, "{history:?}");
        all += 1;
        linearizable += usize::from(expected);
        sequential += usize::from(expected_sequential);
    });
    // 8² × 6 + 8³ × 15 + 8⁴ × 70, of which neither verdict is rare.
    assert_eq!(all, 384 + 7_680 + 286_720);
    assert!(linearizable > all / 20 && sequential < all * 19 / 20);
    assert!(linearizable < sequential, "{linearizable} {sequential}");
}

#[test]
fn an_independent_checker_agrees_on_every_small_history() {
    let mut count = 0;
    every_history(&mut |history| {
        // All of these would take long; every fifth is as good as any other.
        count += 1;
        if count % 5 == 0 {
            assert_eq!(is_linearizable(history), peer_says_linearizable(history), "{history:?}");
        }
    });
    assert!(count > 200_000);
}

#[test]
fn every_explanation_of_a_small_history_is_a_violation_by_itself() {
    let (mut count, mut shorter) = (0, 0);
    every_history(&mut |history| {
        count += 1;
        if count % 7 != 0 {
            return;
        }
        let explained = [
            (explain_linearizability(&store(), history, Budget::default()), true),
            (explain_sequential(&store(), history, Budget::default()), false),
        ];
        for (explained, in_real_time) in explained {
            let Some(violation) = explained.violation else {
                assert_eq!(explained.verdict, Verdict::Holds);
                continue;
            };
            assert!(violation.is_minimal);
            shorter += usize::from(violation.operations.len() < history.calls().len());
            let part = only(history, &violation.operations);
            let judge = if in_real_time { oracle::is_linearizable } else { oracle::is_sequential };
            assert!(!judge(&part), "{history:?} {violation:?}");
        }
    });
    assert!(shorter > 1_000, "{shorter}");
}

/// The history of some operations alone.
pub(crate) fn only(history: &StoreHistory, operations: &[usize]) -> StoreHistory {
    let mut events = Vec::new();
    for call in operations.iter().map(|call| &history.calls()[*call]) {
        events.push((call.invoked, call, false));
        events.extend(call.ended.map(|ended| (ended, call, true)));
    }
    events.sort_by_key(|(at, _, _)| *at);
    let mut part = StoreHistory::new();
    for (_, call, is_end) in events {
        match (is_end, call.outcome.answer()) {
            (false, _) => drop(part.invoke(call.process, call.operation.clone()).unwrap()),
            (true, Some(answer)) => part.answer(call.process, answer.clone()).unwrap(),
            (true, None) => part.give_up(call.process).unwrap(),
        }
    }
    part
}
