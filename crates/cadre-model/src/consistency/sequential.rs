use super::linearizability;
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
    match decide(specification, history, &items, &mut budget.steps_max.clone()) {
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
    let found = decide(specification, history, &items, &mut steps_left);
    let steps = budget.steps_max - steps_left;
    let mut spare = budget.steps_max.saturating_mul(EXPLANATION_FACTOR);
    let (verdict, violation) = match found {
        Found::Legal(_) => (Verdict::Holds, None),
        Found::Illegal(_) => (Verdict::Violated, Some(explain(specification, items, &mut spare))),
        Found::Exhausted => (Verdict::Unknown { steps: budget.steps_max }, None),
    };
    Explained { verdict, steps, violation }
}

/// What is linearizable is sequentially consistent, and a search that knows real time goes astray
/// less: it comes first, with a half of the steps.
fn decide<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    items: &[Item<'_, S>],
    steps_left: &mut u64,
) -> Found<S::Answer> {
    let mut first_steps = *steps_left / 2;
    *steps_left -= first_steps;
    let verdict = linearizability::decide(specification, history, &mut first_steps);
    *steps_left += first_steps;
    match verdict {
        Verdict::Holds => Found::Legal(Vec::new()),
        Verdict::Violated | Verdict::Unknown { .. } => search(specification, items, steps_left),
    }
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
