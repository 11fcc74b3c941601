use std::collections::HashMap;

use super::Specification;
use super::search::Item;

/// Operations that are inconsistent by themselves.
pub(super) struct Reduced<'a, S: Specification> {
    pub(super) items: Vec<Item<'a, S>>,
    /// Whether nothing more can be left out.
    pub(super) is_minimal: bool,
}

/// Leaves out operations as long as what is left stays illegal.
///
/// Nothing is left out that could be missed: a legal history stays legal without an operation that
/// changes nothing, and without all operations of a subject, so that an illegal rest proves the
/// whole illegal. Left out first are halves, then quarters, in the end single ones.
pub(super) fn reduce<'a, S: Specification>(
    specification: &S,
    items: Vec<Item<'a, S>>,
    is_illegal: &mut dyn FnMut(&[Item<'a, S>]) -> Option<bool>,
) -> Reduced<'a, S> {
    let mut reduction = Reduction { items, is_illegal, is_minimal: true };
    loop {
        let before = reduction.items.len();
        // Whole subjects first: the fewer operations are left, the faster is each search.
        reduction.leave_out(subjects(specification, &reduction.items));
        reduction.leave_out(observers(specification, &reduction.items));
        // Without a subject an observer may have become superfluous, and the other way round.
        if reduction.items.len() == before {
            let Reduction { items, is_minimal, .. } = reduction;
            return Reduced { items, is_minimal };
        }
    }
}

struct Reduction<'a, 'f, S: Specification> {
    items: Vec<Item<'a, S>>,
    is_illegal: &'f mut dyn FnMut(&[Item<'a, S>]) -> Option<bool>,
    is_minimal: bool,
}

impl<S: Specification> Reduction<'_, '_, S> {
    /// Leaves out whole groups, each given by the calls of its operations.
    fn leave_out(&mut self, mut groups: Vec<Vec<usize>>) {
        let mut size = groups.len();
        while size > 0 {
            let mut start = 0;
            while start < groups.len() {
                let end = groups.len().min(start + size);
                let mut dropped: Vec<usize> = groups[start..end].concat();
                dropped.sort_unstable();
                let is_kept = |call: usize| dropped.binary_search(&call).is_err();
                let rest: Vec<_> =
                    self.items.iter().filter(|item| is_kept(item.call)).cloned().collect();
                match (self.is_illegal)(&rest) {
                    Some(true) => {
                        self.items = rest;
                        groups.drain(start..end);
                    }
                    Some(false) => start = end,
                    None => {
                        self.is_minimal = false;
                        start = end;
                    }
                }
            }
            size /= 2;
        }
    }
}

fn observers<S: Specification>(specification: &S, items: &[Item<'_, S>]) -> Vec<Vec<usize>> {
    let observes = |item: &&Item<'_, S>| specification.observes(item.operation, item.answer);
    items.iter().filter(observes).map(|item| vec![item.call]).collect()
}

/// The operations of each subject, subjects that share an operation taken together; none where some
/// operation's subject is not known.
fn subjects<S: Specification>(specification: &S, items: &[Item<'_, S>]) -> Vec<Vec<usize>> {
    let mut numbers: HashMap<S::Subject, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut first_subjects = Vec::new();
    for item in items {
        let Some(subjects) = specification.subjects(item.operation, item.answer) else {
            return Vec::new();
        };
        let mut first = None;
        for subject in subjects {
            let number = *numbers.entry(subject).or_insert_with(|| {
                parents.push(parents.len());
                parents.len() - 1
            });
            let root = root(&mut parents, number);
            match first {
                None => first = Some(root),
                Some(first) => parents[root] = first,
            }
        }
        first_subjects.extend(first.map(|first| (first, item.call)));
    }
    let mut groups = vec![Vec::new(); parents.len()];
    for (subject, call) in first_subjects {
        groups[root(&mut parents, subject)].push(call);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn root(parents: &mut [usize], mut of: usize) -> usize {
    while parents[of] != of {
        parents[of] = parents[parents[of]];
        of = parents[of];
    }
    of
}

#[cfg(test)]
mod tests {
    use super::super::History;
    use super::super::objects::{Answer, Register, RegisterOperation};
    use super::super::search::items;
    use super::*;

    const REGISTER: Register<u32> = Register { initial: 0 };

    /// Writes of 1 to 9, each read once.
    fn history() -> History<RegisterOperation<u32>, Answer<u32>> {
        let mut history = History::new();
        for value in 1..10 {
            history.invoke(0, RegisterOperation::Write(value)).unwrap();
            history.answer(0, Answer::Done).unwrap();
            history.invoke(1, RegisterOperation::Read).unwrap();
            history.answer(1, Answer::Value(value)).unwrap();
        }
        history
    }

    /// The calls that are left where a judge decides.
    fn left(judge: &dyn Fn(&[usize]) -> Option<bool>) -> (Vec<usize>, bool) {
        let history = history();
        let mut is_illegal = |items: &[Item<'_, Register<u32>>]| {
            judge(&items.iter().map(|item| item.call).collect::<Vec<_>>())
        };
        let reduced = reduce(&REGISTER, items(&REGISTER, &history), &mut is_illegal);
        (reduced.items.iter().map(|item| item.call).collect(), reduced.is_minimal)
    }

    #[test]
    fn what_matters_is_left_wherever_it_stands() {
        // A write takes its read with it unless the read matters, and a read takes nothing.
        for (one, other) in (0..18).flat_map(|one| (0..18).map(move |other| (one, other))) {
            let needed = |calls: &[usize]| Some([one, other].iter().all(|at| calls.contains(at)));
            let mut expected: Vec<usize> =
                [one, other].iter().flat_map(|at| [at / 2 * 2, *at]).collect();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(left(&needed), (expected, true), "{one} {other}");
        }
    }

    #[test]
    fn what_is_not_decided_stays_and_is_not_called_minimal() {
        assert_eq!(left(&|_| None), ((0..18).collect(), false));
        let (calls, is_minimal) =
            left(&|calls| if calls.len() > 4 { Some(calls.contains(&0)) } else { None });
        assert!(calls.len() > 4 && calls.len() < 18 && !is_minimal, "{calls:?}");
    }

    #[test]
    fn an_operation_without_a_subject_keeps_all_subjects() {
        let mut history = history();
        history.invoke(0, RegisterOperation::CompareAndSet { from: 1, to: 2 }).unwrap();
        history.answer(0, Answer::Refused).unwrap();
        let refused = history.calls().len() - 1;
        let mut needs_it =
            |items: &[Item<'_, Register<u32>>]| Some(items.iter().any(|item| item.call == refused));
        let reduced = reduce(&REGISTER, items(&REGISTER, &history), &mut needs_it);
        let calls: Vec<usize> = reduced.items.iter().map(|item| item.call).collect();
        let writes = (0..18).step_by(2);
        assert_eq!(calls, writes.chain([refused]).collect::<Vec<_>>());
    }
}
