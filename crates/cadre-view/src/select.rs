use std::collections::BTreeSet;

use cadre_trace::{Action, Step, Trace};

use crate::causes::{origin, past, step_at, subjects};

/// As many steps show how a long trace begins, if they are causes.
const OPENING: usize = 2;

/// What a table shows, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The step of that number.
    Step(usize),
    /// Steps that are left out.
    Gap(Gap),
}

/// Steps that are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How many.
    pub(crate) steps: usize,
    /// Whether what the argument is about follows from any of them.
    pub(crate) causes: bool,
}

/// Chooses the steps for a table of at most so many rows, a row for each gap included.
///
/// First come the steps that the argument names and the first ones, then those it follows from,
/// then faults; of equal ones the later. If not all steps have room, those that are nothing of this
/// are left out.
pub(crate) fn select(trace: &Trace, rows_max: usize) -> Vec<Shown> {
    let count = trace.steps.len();
    select_by(trace, rows_max, &ranks(trace), |number| count - number)
}

/// The same for an argument about some steps, whatever the trace says of itself: faults come first,
/// then these steps, the earlier ones first.
pub(crate) fn select_about(trace: &Trace, rows_max: usize, about: &BTreeSet<usize>) -> Vec<Shown> {
    let rank = |(number, step): (usize, &Step)| match about.contains(&number) {
        _ if is_fault(&step.action) => Rank::Named,
        true => Rank::Cause,
        false => Rank::Other,
    };
    let ranks: Vec<Rank> = (1..).zip(&trace.steps).map(rank).collect();
    select_by(trace, rows_max, &ranks, |number| number)
}

/// Of steps of one rank those come first of which `order_of` is least.
fn select_by(
    trace: &Trace,
    rows_max: usize,
    ranks: &[Rank],
    order_of: impl Fn(usize) -> usize,
) -> Vec<Shown> {
    let count = trace.steps.len();
    if count <= rows_max {
        return (1..=count).map(Shown::Step).collect();
    }
    let matters = |number: &usize| rank_of(ranks, *number) != Rank::Other;
    let mut order: Vec<usize> = (1..=count).filter(matters).collect();
    order.sort_by_key(|number| (rank_of(ranks, *number), order_of(*number)));
    let mut kept = BTreeSet::new();
    // Steps beyond these are of no more use than the ones that did not fit.
    for number in order.into_iter().take(rows_max.saturating_mul(4)) {
        kept.insert(number);
        if rows(&kept, count) > rows_max {
            kept.remove(&number);
        }
    }
    list(&kept, ranks, count)
}

/// What a step is to the argument that the trace violates its guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Named,
    /// A cause with which the trace begins.
    Opening,
    Cause,
    Fault,
    Other,
}

fn ranks(trace: &Trace) -> Vec<Rank> {
    let named: BTreeSet<usize> =
        subjects(trace).iter().filter_map(|subject| subject.step).collect();
    let causes = past(trace, named.iter().copied());
    let senders = named.iter().filter_map(|number| step_at(trace, *number));
    let senders: BTreeSet<usize> =
        senders.filter_map(|step| origin(trace, step)).map(|origin| origin.sent_at).collect();
    let repeats = |number: usize| trace.header.loop_from.is_some_and(|from| number > from);
    let rank = |number: usize, action: &Action| {
        if named.contains(&number) || senders.contains(&number) || number == trace.steps.len() {
            Rank::Named
        } else if causes.contains(&number) || repeats(number) {
            if number <= OPENING { Rank::Opening } else { Rank::Cause }
        } else if is_fault(action) {
            Rank::Fault
        } else {
            Rank::Other
        }
    };
    trace.steps.iter().enumerate().map(|(index, step)| rank(index + 1, &step.action)).collect()
}

fn is_fault(action: &Action) -> bool {
    match action {
        Action::Fault(_) => true,
        Action::Deliver(_)
        | Action::Choose { .. }
        | Action::Fire { .. }
        | Action::SyncDone { .. }
        | Action::Invoke { .. }
        | Action::Tick => false,
    }
}

fn rank_of(ranks: &[Rank], number: usize) -> Rank {
    ranks.get(number.wrapping_sub(1)).copied().unwrap_or(Rank::Other)
}

/// The rows of the kept steps and of the gaps between them.
fn rows(kept: &BTreeSet<usize>, count: usize) -> usize {
    let ends = kept.iter().copied().chain([count + 1]);
    let mut last = 0;
    let mut gaps = 0;
    for end in ends {
        gaps += usize::from(end > last + 1);
        last = end;
    }
    kept.len() + gaps
}

fn list(kept: &BTreeSet<usize>, ranks: &[Rank], count: usize) -> Vec<Shown> {
    let mut shown = Vec::new();
    let mut last = 0;
    for number in kept.iter().copied().chain([count + 1]) {
        let gap = last + 1..number;
        match gap.len() {
            0 => {}
            // A row that says that a step is left out might as well show it.
            1 => shown.push(Shown::Step(last + 1)),
            steps => {
                let causes = gap.clone().any(|number| rank_of(ranks, number) <= Rank::Cause);
                shown.push(Shown::Gap(Gap { steps, causes }));
            }
        }
        if number <= count {
            shown.push(Shown::Step(number));
        }
        last = number;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Rank, Shown, list, rows};

    #[test]
    fn a_gap_costs_one_row_and_a_gap_of_one_is_the_step_itself() {
        let kept = BTreeSet::from([1, 3, 7]);
        assert_eq!(rows(&kept, 8), 6);
        let shown = list(&kept, &[Rank::Other; 8], 8);
        let steps: Vec<Option<usize>> = shown
            .iter()
            .map(|shown| match shown {
                Shown::Step(number) => Some(*number),
                Shown::Gap(_) => None,
            })
            .collect();
        assert_eq!(steps, [Some(1), Some(2), Some(3), None, Some(7), Some(8)]);
    }
}
