use super::minimal::{self, Reduced};
use super::search::{Found, Item, Ordering, Search, Stuck, items};
use super::{Budget, Explained, History, Reason, Specification, Verdict, Violation};

/// How much more an explanation may search than the verdict.
const EXPLANATION_FACTOR: u64 = 4;

/// Whether a history is sequentially consistent: some order of the operations explains all answers
/// and keeps the order of each process (Lamport 1979).
///
/// Unlike linearizability, this cannot be judged key by key.
pub fn sequential<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    budget: Budget,
) -> Verdict {
    let items = items(specification, history);
    match search(specification, &items, &mut budget.steps_max.clone()) {
        Found::Legal(_) => Verdict::Holds,
        Found::Illegal(_) => Verdict::Violated,
        Found::Exhausted => Verdict::Unknown { steps: budget.steps_max },
    }
}

/// Whether a history is [`sequential`]ly consistent, and if not, why.
pub fn explain_sequential<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    budget: Budget,
) -> Explained<S::Answer> {
    let items = items(specification, history);
    let mut steps_left = budget.steps_max;
    let found = search(specification, &items, &mut steps_left);
    let steps = budget.steps_max - steps_left;
    let mut spare = budget.steps_max.saturating_mul(EXPLANATION_FACTOR);
    let (verdict, violation) = match found {
        Found::Legal(_) => (Verdict::Holds, None),
        Found::Illegal(_) => (Verdict::Violated, Some(explain(specification, items, &mut spare))),
        Found::Exhausted => (Verdict::Unknown { steps: budget.steps_max }, None),
    };
    Explained { verdict, steps, violation }
}

fn search<S: Specification>(
    specification: &S,
    items: &[Item<'_, S>],
    steps_left: &mut u64,
) -> Found<S::Answer> {
    Search::new(specification, items, Ordering::Processes).run(steps_left)
}

fn explain<S: Specification>(
    specification: &S,
    items: Vec<Item<'_, S>>,
    spare: &mut u64,
) -> Violation<S::Answer> {
    let mut judge = |items: &[Item<'_, S>]| match search(specification, items, spare) {
        Found::Illegal(_) => Some(true),
        Found::Legal(_) => Some(false),
        Found::Exhausted => None,
    };
    let Reduced { items: core, is_minimal } = minimal::reduce(specification, items, &mut judge);
    let order = match search(specification, &core, spare) {
        Found::Illegal(Stuck { order, .. }) => order,
        Found::Legal(_) | Found::Exhausted => Vec::new(),
    };
    let operations: Vec<usize> = core.iter().map(|item| item.call).collect();
    let mut next: Vec<&Item<'_, S>> = Vec::new();
    for item in core.iter().filter(|item| item.answer.is_some()) {
        let is_first = next.iter().all(|other| other.process != item.process);
        if is_first && !order.contains(&item.call) {
            next.push(item);
        }
    }
    let next = next.iter().map(|item| item.call).collect();
    Violation { operations, is_minimal, reason: Reason::NoOrder { order, next } }
}
