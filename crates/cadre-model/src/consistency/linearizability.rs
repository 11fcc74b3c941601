use std::collections::BTreeMap;

use super::minimal::{self, Reduced};
use super::search::{Found, Item, Ordering, Search, Stuck, items};
use super::{Budget, Explained, History, Reason, Specification, Verdict, Violation};

/// How much more an explanation may search than the verdict.
const EXPLANATION_FACTOR: u64 = 4;

/// Whether a history is linearizable: some order of the operations explains all answers, and what
/// was answered before something else was called comes before it (Herlihy and Wing 1990).
pub fn linearizable<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    budget: Budget,
) -> Verdict {
    decide(specification, history, &mut budget.steps_max.clone())
}

/// Whether a history is [`linearizable`], and if not, why.
///
/// The explanation is about the violation that shows first. It searches up to four times as much
/// again; where that does not suffice, it says less.
pub fn explain_linearizability<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    budget: Budget,
) -> Explained<S::Answer> {
    let mut steps_left = budget.steps_max;
    let mut exhausted = false;
    let mut illegal = Vec::new();
    let mut parts = parts(specification, items(specification, history));
    parts.sort_by_key(Vec::len);
    for part in parts {
        match search(specification, &part, &mut steps_left) {
            Found::Legal(_) => {}
            Found::Illegal(stuck) => illegal.push((part, stuck.furthest)),
            Found::Exhausted => exhausted = true,
        }
    }
    let steps = budget.steps_max - steps_left;
    let mut spare = budget.steps_max.saturating_mul(EXPLANATION_FACTOR);
    let prefixes = illegal
        .iter()
        .map(|(part, furthest)| illegal_prefix(specification, part, *furthest, &mut spare));
    let first = prefixes.collect::<Vec<_>>().into_iter().min_by_key(|prefix| prefix.end);
    let verdict = match (&first, exhausted) {
        (Some(_), _) => Verdict::Violated,
        (None, true) => Verdict::Unknown { steps },
        (None, false) => Verdict::Holds,
    };
    let violation = first.map(|prefix| explain(specification, prefix, &mut spare));
    Explained { verdict, steps, violation }
}

/// Whether a history is linearizable, within the steps that are left.
pub(super) fn decide<S: Specification>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
    steps_left: &mut u64,
) -> Verdict {
    let steps = *steps_left;
    let mut parts = parts(specification, items(specification, history));
    // A violation in a small part is found before a large one takes all the steps.
    parts.sort_by_key(Vec::len);
    let mut exhausted = false;
    for part in &parts {
        match search(specification, part, steps_left) {
            Found::Legal(_) => {}
            Found::Illegal(_) => return Verdict::Violated,
            Found::Exhausted => exhausted = true,
        }
    }
    match exhausted {
        true => Verdict::Unknown { steps },
        false => Verdict::Holds,
    }
}

/// The operations of each part that can be judged alone.
fn parts<'a, S: Specification>(
    specification: &S,
    items: Vec<Item<'a, S>>,
) -> Vec<Vec<Item<'a, S>>> {
    let mut parts: BTreeMap<S::Key, Vec<Item<'a, S>>> = BTreeMap::new();
    for item in &items {
        match specification.partition(item.operation) {
            Some(key) => parts.entry(key).or_default().push(item.clone()),
            None => return vec![items],
        }
    }
    parts.into_values().collect()
}

fn search<S: Specification>(
    specification: &S,
    items: &[Item<'_, S>],
    steps_left: &mut u64,
) -> Found<S::Answer> {
    Search::new(specification, items, Ordering::RealTime).run(steps_left)
}

/// The beginning of a history that ends with the first answer that has no place.
struct Prefix<'a, S: Specification> {
    items: Vec<Item<'a, S>>,
    /// The event of the answer.
    end: usize,
    /// Whether everything before that answer is known to be linearizable.
    is_shortest: bool,
    /// Other answers that the search came across.
    others: Vec<S::Answer>,
}

/// The shortest beginning that is not linearizable.
///
/// A search that failed has placed everything before the furthest event that it came to; so that
/// event is where to look first. It may be too early only because the search knew what was answered
/// later, and the beginning does not.
fn illegal_prefix<'a, S: Specification>(
    specification: &S,
    part: &[Item<'a, S>],
    furthest: usize,
    spare: &mut u64,
) -> Prefix<'a, S> {
    let answered = part.iter().filter(|item| item.answer.is_some());
    let mut ends: Vec<usize> = answered.map(|item| item.ended).collect();
    ends.sort_unstable();
    let last = ends.last().copied().unwrap_or(furthest);
    let mut is_shortest = true;
    for end in ends.into_iter().filter(|end| *end >= furthest) {
        let items = prefix(specification, part, end);
        let at = items.iter().position(|item| item.ended == end).unwrap_or(0);
        match Search::new(specification, &items, Ordering::RealTime).watching(at).run(spare) {
            Found::Illegal(Stuck { expected: others, .. }) => {
                return Prefix { items, end, is_shortest, others };
            }
            Found::Legal(_) => {}
            Found::Exhausted => {
                is_shortest = false;
                break;
            }
        }
    }
    let items = prefix(specification, part, last);
    Prefix { items, end: last, is_shortest, others: Vec::new() }
}

/// What is known after an event: later answers are still to come.
fn prefix<'a, S: Specification>(
    specification: &S,
    part: &[Item<'a, S>],
    end: usize,
) -> Vec<Item<'a, S>> {
    let begun = part.iter().filter(|item| item.invoked < end);
    let known = begun.map(|item| match item.ended > end {
        true => without_answer(item),
        false => item.clone(),
    });
    known.filter(|item| item.matters(specification)).collect()
}

fn without_answer<'a, S: Specification>(item: &Item<'a, S>) -> Item<'a, S> {
    Item { answer: None, ended: usize::MAX, ..item.clone() }
}

fn explain<S: Specification>(
    specification: &S,
    prefix: Prefix<'_, S>,
    spare: &mut u64,
) -> Violation<S::Answer> {
    let Prefix { items, end, is_shortest, others } = prefix;
    let last = items.iter().find(|item| item.ended == end).map_or(0, |item| item.call);
    let expected = expected(specification, &items, last, others, spare);
    let mut judge = |items: &[Item<'_, S>]| match search(specification, items, spare) {
        Found::Illegal(_) => Some(true),
        Found::Legal(_) => Some(false),
        Found::Exhausted => None,
    };
    let Reduced { items: core, is_minimal } = minimal::reduce(specification, items, &mut judge);
    let before: Vec<Item<'_, S>> = core.iter().filter(|item| item.call != last).cloned().collect();
    let order = match search(specification, &before, spare) {
        Found::Legal(order) => order,
        Found::Illegal(_) | Found::Exhausted => Vec::new(),
    };
    Violation {
        operations: core.iter().map(|item| item.call).collect(),
        is_minimal,
        reason: Reason::NoPlace {
            legal_events: is_shortest.then_some(end),
            order,
            operation: last,
            expected,
        },
    }
}

/// Of answers that an operation could have had, those that have a place.
fn expected<S: Specification>(
    specification: &S,
    items: &[Item<'_, S>],
    last: usize,
    others: Vec<S::Answer>,
    spare: &mut u64,
) -> Vec<S::Answer> {
    let Some(at) = items.iter().position(|item| item.call == last) else { return Vec::new() };
    let mut is_legal = |answer: &S::Answer| {
        let mut changed = items.to_vec();
        changed[at].answer = Some(answer);
        matches!(search(specification, &changed, spare), Found::Legal(_))
    };
    let legal: Vec<bool> = others.iter().map(&mut is_legal).collect();
    others.into_iter().zip(legal).filter_map(|(answer, legal)| legal.then_some(answer)).collect()
}
