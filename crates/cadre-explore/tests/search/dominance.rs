//! What differs from another configuration only in that less is left of budgets is left out.

use cadre_explore::{Exploration, Flow, Reductions, Settings, explore};
use cadre_model::{Budget, Choice, Cluster, Faults, Model, Network, check};
use cadre_trace::Verdict;

use crate::two_phase::{self, TwoPhase};

/// Two-phase commit in which messages may be lost and come twice, and nodes may restart.
fn faulty(quorum: usize) -> Cluster<TwoPhase> {
    let faults = Faults {
        losses: Budget::AtMost(2),
        duplications: Budget::AtMost(2),
        crash_restarts: Budget::AtMost(2),
        ..Faults::default()
    };
    two_phase::builder(2, quorum).network(Network::ConsumedOnce).faults(faults).build().unwrap()
}

fn search(
    cluster: &Cluster<TwoPhase>,
    reductions: Reductions,
    workers: usize,
) -> Exploration<Choice> {
    let settings = Settings { workers, reductions, ..Settings::default() };
    explore(cluster, &settings, &mut |_| Flow::Continue)
}

#[test]
fn of_what_differs_in_budgets_only_the_most_is_looked_at() {
    let whole = Reductions { dominance: false, ..Reductions::default() };
    let whole = search(&faulty(2), whole, 1).progress;
    assert_eq!(whole.covered, 0);
    for sleep_sets in [false, true] {
        let reductions = Reductions { sleep_sets, dominance: true };
        let found = search(&faulty(2), reductions, 1);
        assert_eq!(found.verdict(), Verdict::Holds);
        let Exploration { progress, .. } = &found;
        assert!(progress.configurations * 2 < whole.configurations, "{progress:?} of {whole:?}");
        assert!(progress.configurations + progress.covered < whole.configurations);
        assert!(progress.covered > 0 && progress.depth <= whole.depth);
        for workers in [2, 3] {
            assert_eq!(search(&faulty(2), reductions, workers), found);
        }
    }
}

#[test]
fn a_counterexample_is_as_short_as_without_dominance() {
    let lengths = |dominance| {
        let reductions = Reductions { dominance, ..Reductions::default() };
        let found = search(&faulty(1), reductions, 1);
        let length = |path: &Option<Vec<Choice>>| path.as_ref().map(Vec::len);
        let findings = found.findings.iter();
        findings.map(|finding| (finding.verdict, length(&finding.path))).collect::<Vec<_>>()
    };
    let found = lengths(true);
    assert_eq!(found, lengths(false));
    assert!(found.contains(&(Verdict::Violated, Some(5))), "{found:?}");
}

#[test]
fn guarantees_that_may_see_budgets_switch_dominance_off() {
    let initial = faulty(2).initial().clone();
    let seeing = check(faulty(2)).always("not again", move |at| *at == initial || at != &initial);
    let found = explore(&seeing, &Settings::default(), &mut |_| Flow::Continue);
    let whole = Reductions { dominance: false, ..Reductions::default() };
    let whole = search(&faulty(2), whole, 1);
    assert_eq!(found.progress.configurations, whole.progress.configurations);
}

#[test]
fn budgets_for_too_many_combinations_are_not_compared() {
    let covered = |crash_restarts| {
        let faults = Faults {
            losses: Budget::AtMost(1),
            duplications: Budget::AtMost(1),
            crash_restarts: Budget::AtMost(crash_restarts),
            ..Faults::default()
        };
        let builder = two_phase::builder(1, 1).network(Network::ConsumedOnce).faults(faults);
        let found = search(&builder.build().unwrap(), Reductions::default(), 1);
        assert_eq!(found.verdict(), Verdict::Holds);
        found.progress.covered
    };
    assert!(covered(63) > 0);
    assert_eq!(covered(64), 0);
}

/// Numbers, each of which comes small and large, and then covers the small one.
struct Late {
    numbers: u32,
    /// Whether the large ones are there from the beginning; if not, the second half of them follows
    /// from the first half of the small ones.
    at_once: bool,
}

impl Model for Late {
    type State = (u32, bool);
    type Action = ();

    fn init(&self) -> Vec<(u32, bool)> {
        let small = (0..self.numbers).map(|number| (number, false));
        let large = (0..self.numbers).map(|number| (number, true));
        small.chain(large.filter(|_| self.at_once)).collect()
    }

    fn actions(&self, _: &(u32, bool), out: &mut Vec<()>) {
        out.push(());
    }

    fn next(&self, (number, _): &(u32, bool), (): &()) -> Option<(u32, bool)> {
        let follows = *number < self.numbers / 2 && !self.at_once;
        follows.then_some((number + self.numbers / 2, true))
    }

    fn covering(&self, states: &[(u32, bool)], found: &mut impl FnMut(usize, u128)) {
        for (index, (number, is_large)) in states.iter().enumerate() {
            if !is_large {
                found(index, self.fingerprint(&(*number, true)));
            }
        }
    }
}

#[test]
fn only_what_is_met_at_the_same_level_or_before_covers_in_whatever_order_it_comes() {
    // Levels that are expanded in several blocks, by one thread and by several.
    for (numbers, workers) in [(1_500, 1), (40_000, 1), (40_000, 2)] {
        let settings = Settings { workers, ..Settings::default() };
        let search = |at_once| {
            let model = Late { numbers, at_once };
            explore(&model, &settings, &mut |_| Flow::Continue).progress
        };
        let (same, later) = (search(true), search(false));
        let numbers = u64::from(numbers);
        assert_eq!((same.configurations, same.covered, same.depth), (numbers, numbers, 1));
        let all = numbers + numbers / 2;
        assert_eq!((later.configurations, later.covered, later.depth), (all, 0, 2));
    }
}
