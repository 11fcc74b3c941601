use cadre_model::consistency::objects::{Answer, At, RegisterOperation};
use cadre_model::consistency::{Budget, Outcome, Reason, explain_linearizability};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action;
use todc_utils::linearizability::history::History as PeerHistory;
use todc_utils::specifications::Specification as PeerSpecification;

use crate::enumerated::only;
use crate::notation::{StoreHistory, is_linearizable, is_sequential, store};
use crate::oracle;

/// What the independent checker says, which knows answered operations of one object only: an
/// unknown one is either left out or answered at the very end.
pub(crate) fn peer_says_linearizable(history: &StoreHistory) -> bool {
    let calls = history.calls();
    let unknown: Vec<usize> =
        (0..calls.len()).filter(|call| calls[*call].outcome == Outcome::Unknown).collect();
    (0..1_u32 << unknown.len()).any(|taken| {
        let is_taken = |call: usize| {
            let at = unknown.iter().position(|other| *other == call);
            at.is_none_or(|at| taken >> at & 1 == 1)
        };
        let mut events = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            if call.outcome == Outcome::Failed || !is_taken(index) {
                continue;
            }
            let answer = call.outcome.answer().cloned();
            let ended = if answer.is_some() { call.ended.unwrap() } else { usize::MAX };
            let deed = (call.operation.clone(), answer);
            // Its processes call one after the other: one for each call is safe.
            events.push((call.invoked, index, Action::Call(deed.clone())));
            events.push((ended, index, Action::Response(deed)));
        }
        events.sort_by_key(|(at, _, _)| *at);
        let actions: Vec<_> =
            events.into_iter().map(|(_, process, action)| (process, action)).collect();
        actions.is_empty()
            || WGLChecker::<PeerStore>::is_linearizable(PeerHistory::from_actions(actions))
    })
}

/// The registers once more, as the independent checker wants them.
struct PeerStore;

type Deed = (At<char, RegisterOperation<u32>>, Option<Answer<u32>>);

impl PeerSpecification for PeerStore {
    type State = [u32; 3];
    type Operation = Deed;

    fn init() -> [u32; 3] {
        [0; 3]
    }

    fn apply((at, answer): &Deed, state: &[u32; 3]) -> (bool, [u32; 3]) {
        let mut next = *state;
        let value = &mut next[(at.key as u8 - b'x') as usize];
        let given = match at.operation {
            RegisterOperation::Read => Answer::Value(*value),
            RegisterOperation::Write(written) => {
                *value = written;
                Answer::Done
            }
            RegisterOperation::CompareAndSet { from, to } if from == *value => {
                *value = to;
                Answer::Done
            }
            RegisterOperation::CompareAndSet { .. } => Answer::Refused,
        };
        (answer.as_ref().is_none_or(|answer| *answer == given), next)
    }
}

/// A step of a random execution.
#[derive(Clone, Debug)]
struct Move {
    process: usize,
    key: char,
    operation: RegisterOperation<u32>,
    /// What happens when the process is at it again.
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Answer,
    /// A wrong answer, unless it happens to be right.
    Lie(u32),
    Fail,
    GiveUp {
        took_effect: bool,
    },
}

fn moves(processes: usize, keys: usize, length: usize) -> impl Strategy<Value = Vec<Move>> {
    let operation = prop_oneof![
        3 => Just(RegisterOperation::Read),
        2 => (1..4_u32).prop_map(RegisterOperation::Write),
        1 => (0..4_u32, 1..4_u32)
            .prop_map(|(from, to)| RegisterOperation::CompareAndSet { from, to }),
    ];
    let end = prop_oneof![
        16 => Just(End::Answer),
        1 => (0..4_u32).prop_map(End::Lie),
        1 => Just(End::Fail),
        2 => any::<bool>().prop_map(|took_effect| End::GiveUp { took_effect }),
    ];
    let key = (0..keys).prop_map(|key| ['x', 'y', 'z'][key]);
    let step = (0..processes, key, operation, end)
        .prop_map(|(process, key, operation, end)| Move { process, key, operation, end });
    proptest::collection::vec(step, 0..length)
}

/// Plays moves on real registers: a process that is at rest calls; one that has called sees its
/// operation take effect and end.
fn play(moves: &[Move]) -> StoreHistory {
    let mut history = StoreHistory::new();
    let mut state = [0_u32; 3];
    let mut open: [Option<Move>; 4] = Default::default();
    for step in moves {
        let Some(called) = open[step.process].take() else {
            let operation = At { key: step.key, operation: step.operation.clone() };
            history.invoke(step.process, operation).unwrap();
            open[step.process] = Some(step.clone());
            continue;
        };
        let deed = (At { key: called.key, operation: called.operation.clone() }, None);
        let (_, next) = PeerStore::apply(&deed, &state);
        let value = state[(called.key as u8 - b'x') as usize];
        let answer = match &called.operation {
            RegisterOperation::Read => Answer::Value(value),
            RegisterOperation::CompareAndSet { from, .. } if *from != value => Answer::Refused,
            RegisterOperation::CompareAndSet { .. } | RegisterOperation::Write(_) => Answer::Done,
        };
        match called.end {
            End::Answer => {
                state = next;
                history.answer(step.process, answer).unwrap();
            }
            End::Lie(value) => {
                let lie = match called.operation {
                    RegisterOperation::Read => Answer::Value(value),
                    RegisterOperation::Write(_) => Answer::Done,
                    RegisterOperation::CompareAndSet { .. } => match answer {
                        Answer::Done => Answer::Refused,
                        _ => Answer::Done,
                    },
                };
                history.answer(step.process, lie).unwrap();
            }
            End::Fail => history.fail(step.process).unwrap(),
            End::GiveUp { took_effect } => {
                state = if took_effect { next } else { state };
                history.give_up(step.process).unwrap();
            }
        }
    }
    history
}

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

#[test]
fn an_independent_checker_agrees_on_random_histories_of_three_keys() {
    let mut runner = TestRunner::new_with_rng(config(3_000), rng());
    let verdicts = std::cell::RefCell::new([0; 2]);
    let found = runner.run(&moves(4, 3, 40), |moves| {
        let history = play(&moves);
        let unknown = history.calls().iter().filter(|call| call.outcome == Outcome::Unknown);
        if unknown.count() > 8 {
            return Ok(());
        }
        let ours = is_linearizable(&history);
        verdicts.borrow_mut()[usize::from(ours)] += 1;
        prop_assert_eq!(ours, peer_says_linearizable(&history));
        prop_assert!(is_sequential(&history) || !ours);
        Ok(())
    });
    found.unwrap();
    assert!(verdicts.borrow().iter().all(|count| *count > 300), "{verdicts:?}");
}

#[test]
fn sequential_consistency_of_random_histories_is_as_defined() {
    let mut runner = TestRunner::new_with_rng(config(1_500), rng());
    let verdicts = std::cell::RefCell::new([0; 2]);
    let found = runner.run(&moves(3, 2, 14), |moves| {
        let history = play(&moves);
        let ours = is_sequential(&history);
        verdicts.borrow_mut()[usize::from(ours)] += 1;
        prop_assert_eq!(ours, oracle::is_sequential(&history));
        prop_assert_eq!(is_linearizable(&history), oracle::is_linearizable(&history));
        Ok(())
    });
    found.unwrap();
    assert!(verdicts.borrow().iter().all(|count| *count > 50), "{verdicts:?}");
}

#[test]
fn an_explanation_is_a_violation_by_itself_and_names_the_first_answer_without_a_place() {
    let mut runner = TestRunner::new_with_rng(config(1_000), rng());
    let count = std::cell::Cell::new(0);
    let found = runner.run(&moves(4, 2, 40), |moves| {
        let history = play(&moves);
        let explained = explain_linearizability(&store(), &history, Budget::default());
        let Some(violation) = explained.violation else { return Ok(()) };
        count.set(count.get() + 1);
        prop_assert!(violation.is_minimal);
        let part = only(&history, &violation.operations);
        prop_assert!(!is_linearizable(&part));
        let Reason::NoPlace { legal_events, expected, operation, .. } = violation.reason else {
            return Err(TestCaseError::fail("a reason of another kind"));
        };
        let end = history.calls()[operation].ended;
        prop_assert_eq!(legal_events, end);
        prop_assert!(is_linearizable(&cut(&history, end.unwrap())));
        prop_assert!(!is_linearizable(&cut(&history, end.unwrap() + 1)));
        for answer in expected {
            prop_assert_ne!(Some(&answer), history.calls()[operation].outcome.answer());
        }
        Ok(())
    });
    found.unwrap();
    assert!(count.get() > 100, "{count:?}");
}

/// The first events of a history.
fn cut(history: &StoreHistory, events: usize) -> StoreHistory {
    let mut first = StoreHistory::new();
    for event in 0..events {
        for call in history.calls() {
            let process = call.process;
            if call.invoked == event {
                first.invoke(process, call.operation.clone()).unwrap();
            }
            if call.ended == Some(event) {
                match &call.outcome {
                    Outcome::Answered(answer) => first.answer(process, answer.clone()).unwrap(),
                    Outcome::Failed => first.fail(process).unwrap(),
                    Outcome::Unknown => first.give_up(process).unwrap(),
                }
            }
        }
    }
    first
}

/// The same histories on every run.
fn rng() -> proptest::test_runner::TestRng {
    proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha)
}
