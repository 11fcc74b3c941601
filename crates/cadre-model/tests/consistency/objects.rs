use cadre_model::consistency::objects::{
    Answer, Counter, CounterOperation, Lock, LockOperation, Log, LogOperation, Queue,
    QueueOperation, WriteOnce, WriteOnceOperation,
};
use cadre_model::consistency::{
    Budget, History, Specification, Verdict, explain_linearizability, linearizable, sequential,
};

/// The verdict on operations that are called by one process after the other.
fn in_turn<S: Specification>(
    specification: &S,
    calls: impl IntoIterator<Item = (S::Operation, S::Answer)>,
) -> Verdict {
    let mut history = History::new();
    for (process, (operation, answer)) in calls.into_iter().enumerate() {
        history.invoke(process, operation).unwrap();
        history.answer(process, answer).unwrap();
    }
    linearizable(specification, &history, Budget::default())
}

/// The verdict on operations that all overlap.
fn at_once<S: Specification>(specification: &S, calls: Vec<(S::Operation, S::Answer)>) -> Verdict {
    let mut history = History::new();
    let mut answers = Vec::new();
    for (process, (operation, answer)) in calls.into_iter().enumerate() {
        history.invoke(process, operation).unwrap();
        answers.push(answer);
    }
    for (process, answer) in answers.into_iter().enumerate() {
        history.answer(process, answer).unwrap();
    }
    linearizable(specification, &history, Budget::default())
}

use Answer::{Done, Empty, Refused};
use Verdict::{Holds, Violated};

#[test]
fn a_queue_is_first_in_first_out() {
    use QueueOperation::{Dequeue, Enqueue};
    let queue = Queue::<u8>::new();
    let filled = [(Enqueue(1), Done), (Enqueue(2), Done)];
    let taken = |first: u8, second: u8| {
        let takes = [(Dequeue, Answer::Value(first)), (Dequeue, Answer::Value(second))];
        in_turn(&queue, filled.clone().into_iter().chain(takes))
    };
    assert_eq!(taken(1, 2), Holds);
    assert_eq!(taken(2, 1), Violated);
    assert_eq!(taken(1, 1), Violated);
    assert_eq!(in_turn(&queue, [(Dequeue, Empty), (Enqueue(1), Done)]), Holds);
    assert_eq!(in_turn(&queue, [(Enqueue(1), Done), (Dequeue, Empty)]), Violated);
    assert_eq!(at_once(&queue, vec![(Enqueue(1), Done), (Dequeue, Empty)]), Holds);
}

#[test]
fn a_lock_has_one_owner_at_a_time() {
    use LockOperation::{Acquire, Release};
    let lock = Lock::<char>::new();
    let both = vec![(Acquire('a'), Done), (Acquire('b'), Done)];
    assert_eq!(at_once(&lock, both), Violated);
    let one = vec![(Acquire('a'), Done), (Acquire('b'), Refused)];
    assert_eq!(at_once(&lock, one), Holds);
    let handed = [(Acquire('a'), Done), (Release('a'), Done), (Acquire('b'), Done)];
    assert_eq!(in_turn(&lock, handed), Holds);
    assert_eq!(in_turn(&lock, [(Acquire('a'), Done), (Release('b'), Done)]), Violated);
    assert_eq!(in_turn(&lock, [(Acquire('a'), Refused)]), Violated);
}

#[test]
fn an_increment_of_a_counter_is_not_lost() {
    use CounterOperation::{Add, Read};
    let counted =
        |sum: i64| in_turn(&Counter, [(Add(1), Done), (Add(2), Done), (Read, Answer::Value(sum))]);
    assert_eq!(counted(3), Holds);
    assert_eq!(counted(2), Violated);
}

#[test]
fn a_log_is_read_in_the_order_of_its_appends() {
    use LogOperation::{Append, Read};
    let log = Log::<u8>::new();
    let read = |values: &[u8]| (Read, Answer::Values(values.to_vec()));
    let appended = [(Append(1), Done), (Append(2), Done)];
    assert_eq!(in_turn(&log, appended.clone().into_iter().chain([read(&[1, 2])])), Holds);
    assert_eq!(in_turn(&log, appended.clone().into_iter().chain([read(&[2, 1])])), Violated);
    let together = vec![(Append(1), Done), (Append(2), Done), read(&[2]), read(&[2, 1])];
    assert_eq!(at_once(&log, together), Holds);
    let forked = vec![(Append(1), Done), (Append(2), Done), read(&[2]), read(&[1])];
    assert_eq!(at_once(&log, forked), Violated);
}

#[test]
fn the_first_write_to_a_write_once_register_stays() {
    use WriteOnceOperation::{Read, Write};
    let register = WriteOnce::<u8>::new();
    let both = vec![(Write(1), Done), (Write(2), Done)];
    assert_eq!(at_once(&register, both), Violated);
    let one = [(Read, Empty), (Write(1), Done), (Write(2), Refused), (Read, Answer::Value(1))];
    assert_eq!(in_turn(&register, one), Holds);
    assert_eq!(in_turn(&register, [(Write(1), Refused)]), Violated);
}

/// A coin that shows either side.
struct Coin;

impl Specification for Coin {
    type State = Option<bool>;
    type Operation = &'static str;
    type Answer = bool;
    type Key = ();
    type Subject = ();

    fn initial(&self) -> Option<bool> {
        None
    }

    fn apply(
        &self,
        state: &Option<bool>,
        operation: &&'static str,
        results: &mut Vec<(Option<bool>, bool)>,
    ) {
        match (*operation, state) {
            ("toss", _) => results.extend([(Some(false), true), (Some(true), true)]),
            (_, Some(side)) => results.push((*state, *side)),
            // Before the first toss there is nothing to look at: who looks waits.
            (_, None) => {}
        }
    }
}

#[test]
fn a_nondeterministic_object_may_have_gone_either_way_but_only_one() {
    let looks = |first: bool, second: bool| {
        in_turn(&Coin, [("toss", true), ("look", first), ("look", second)])
    };
    assert_eq!([looks(true, true), looks(false, false)], [Holds; 2]);
    assert_eq!([looks(true, false), looks(false, true)], [Violated; 2]);
    let again = [("toss", true), ("look", true), ("toss", true), ("look", false)];
    assert_eq!(in_turn(&Coin, again), Holds);
}

#[test]
fn what_has_to_wait_cannot_be_answered_first() {
    assert_eq!(in_turn(&Coin, [("look", true), ("toss", true)]), Violated);
    assert_eq!(at_once(&Coin, vec![("look", true), ("toss", true)]), Holds);
}

#[test]
fn an_explanation_leaves_out_values_of_a_queue_that_are_in_order() {
    use QueueOperation::{Dequeue, Enqueue};
    let mut history = History::new();
    for value in 0..50 {
        history.invoke(0, Enqueue(value)).unwrap();
        history.answer(0, Done).unwrap();
    }
    for value in (0..20).chain([21, 20]).chain(22..50) {
        history.invoke(1, Dequeue).unwrap();
        history.answer(1, Answer::Value(value)).unwrap();
    }
    let explained = explain_linearizability(&Queue::new(), &history, Budget::default());
    let violation = explained.violation.unwrap();
    // Both values were put in, the second was taken first; the first was not taken yet.
    assert_eq!(violation.operations, [20, 21, 70]);
    assert!(violation.is_minimal);
    assert_eq!(sequential(&Queue::new(), &history, Budget::default()), Violated);
}
