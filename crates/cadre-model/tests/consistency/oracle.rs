//! The definitions, word by word, without any thought of speed.

use cadre_model::consistency::objects::{Answer, At, RegisterOperation};
use cadre_model::consistency::{Call, Outcome};

use crate::notation::StoreHistory;

type StoreCall = Call<At<char, RegisterOperation<u32>>, Answer<u32>>;

/// Whether some order of the operations is legal that keeps real time.
pub(crate) fn is_linearizable(history: &StoreHistory) -> bool {
    some_order(history, &|before, after| {
        let is_answered = before.outcome.answer().is_some();
        is_answered && before.ended.is_some_and(|ended| ended < after.invoked)
    })
}

/// Whether some order of the operations is legal that keeps the order of each process.
pub(crate) fn is_sequential(history: &StoreHistory) -> bool {
    some_order(history, &|before, after| {
        let is_answered = before.outcome.answer().is_some();
        is_answered && before.process == after.process && before.invoked < after.invoked
    })
}

/// Whether a permutation of the answered operations, and of some of the unknown ones, is legal and
/// has nothing before what must come before it.
fn some_order(history: &StoreHistory, must: &dyn Fn(&StoreCall, &StoreCall) -> bool) -> bool {
    let calls: Vec<&StoreCall> = history.calls().iter().collect();
    extend(&calls, &mut Vec::new(), must)
}

fn extend<'a>(
    calls: &[&'a StoreCall],
    order: &mut Vec<&'a StoreCall>,
    must: &dyn Fn(&StoreCall, &StoreCall) -> bool,
) -> bool {
    let is_in = |call: &StoreCall| order.iter().any(|other| std::ptr::eq(*other, call));
    let mut open = calls.iter().filter(|call| !is_in(call));
    if open.all(|call| call.outcome.answer().is_none()) && is_legal(order) {
        return true;
    }
    let next: Vec<&StoreCall> = calls
        .iter()
        .copied()
        .filter(|call| call.outcome != Outcome::Failed && !is_in(call))
        .filter(|call| {
            // Unknown ones may be left out, so only answered ones can be missing before another.
            calls.iter().all(|other| !must(other, call) || is_in(other))
        })
        .collect();
    next.into_iter().any(|call| {
        order.push(call);
        let found = extend(calls, order, must);
        order.pop();
        found
    })
}

fn is_legal(order: &[&StoreCall]) -> bool {
    order.iter().enumerate().all(|(at, call)| {
        let At { key, operation } = &call.operation;
        let here = order[..at].iter().filter(|other| other.operation.key == *key);
        let value = here.fold(0, |value, other| match other.operation.operation {
            RegisterOperation::Write(written) => written,
            RegisterOperation::CompareAndSet { from, to } if from == value => to,
            RegisterOperation::CompareAndSet { .. } | RegisterOperation::Read => value,
        });
        let answer = match operation {
            RegisterOperation::Read => Answer::Value(value),
            RegisterOperation::CompareAndSet { from, .. } if *from != value => Answer::Refused,
            RegisterOperation::CompareAndSet { .. } | RegisterOperation::Write(_) => Answer::Done,
        };
        call.outcome.answer().is_none_or(|given| *given == answer)
    })
}
