use cadre_explore::{Bound, Bounds, Exploration, Flow, Settings, explore};

use crate::{at_most, depth_at_most};
use cadre_model::{Choice, Model, check};
use cadre_trace::Verdict;

use crate::two_phase;

fn search(bounds: &Settings) -> Exploration<Choice> {
    explore(&two_phase::cluster(3, 3), bounds, &mut |_| Flow::Continue)
}

/// Numbers from 0 up to the model's own.
pub(crate) struct UpTo(pub(crate) u32);

impl Model for UpTo {
    type State = u32;
    type Action = ();

    fn init(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, state: &u32, out: &mut Vec<()>) {
        out.extend((*state < self.0).then_some(()));
    }

    fn next(&self, state: &u32, (): &()) -> Option<u32> {
        (*state < self.0).then_some(state + 1)
    }
}

#[test]
fn a_search_that_a_depth_ends_is_bounded() {
    let whole = search(&Settings::default()).progress;
    for depth in 1..whole.depth {
        let found = search(&depth_at_most(depth));
        assert_eq!(found.bound, Some(Bound::Depth(depth)));
        assert_eq!((found.progress.depth, found.verdict()), (depth, Verdict::Bounded));
        assert!(found.progress.configurations < whole.configurations);
        let claimed = |at: usize| found.findings[at].verdict;
        assert_eq!((claimed(0), claimed(1)), (Verdict::Bounded, Verdict::Bounded));
    }
}

#[test]
fn a_depth_that_is_just_enough_is_no_bound() {
    let whole = search(&Settings::default());
    let depth_max = Some(whole.progress.depth);
    let found = search(&Settings::within(Bounds { depth_max, ..Bounds::default() }));
    assert_eq!((found.bound, found.verdict()), (None, Verdict::Holds));
    assert_eq!(found.progress.configurations, whole.progress.configurations);
}

/// Numbers that come round again.
struct Ring(u32);

impl Model for Ring {
    type State = u32;
    type Action = ();

    fn init(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, out: &mut Vec<()>) {
        out.push(());
    }

    fn next(&self, state: &u32, (): &()) -> Option<u32> {
        Some((state + 1) % self.0)
    }
}

#[test]
fn a_last_level_that_leads_back_is_no_bound() {
    let found = |depth| {
        let bounds = depth_at_most(depth);
        explore(&Ring(5), &bounds, &mut |_| Flow::Continue).bound
    };
    assert_eq!((found(4), found(5), found(6)), (Some(Bound::Depth(4)), None, None));
}

#[test]
fn a_search_that_a_number_of_configurations_ends_is_bounded() {
    for max in [1, 2, 50, 287] {
        let found = search(&at_most(max));
        assert!(matches!(found.bound, Some(Bound::Configurations(met)) if met >= max));
        assert_eq!(found.findings[1].verdict, Verdict::Bounded);
        assert_eq!(found.verdict(), Verdict::Bounded);
    }
}

#[test]
fn a_number_of_configurations_that_is_not_reached_is_no_bound() {
    let found = search(&at_most(289));
    assert_eq!((found.bound, found.verdict()), (None, Verdict::Holds));
    let numbers = |max| {
        let bounds = at_most(max);
        explore(&UpTo(9), &bounds, &mut |_| Flow::Continue)
    };
    assert_eq!(numbers(11).bound, None);
    assert_eq!(numbers(10).bound, None, "there is no eleventh");
    assert_eq!(numbers(9).bound, Some(Bound::Configurations(9)));
}

#[test]
fn a_search_that_the_watcher_ends_is_bounded() {
    let found = explore(&two_phase::cluster(3, 3), &Settings::default(), &mut |_| Flow::Stop);
    assert_eq!((found.bound, found.verdict()), (Some(Bound::Watcher), Verdict::Bounded));
    assert_eq!(found.progress.configurations, 1);
}

#[test]
fn the_watcher_sees_the_search_grow() {
    let mut seen = Vec::new();
    let found = explore(&two_phase::cluster(5, 5), &Settings::default(), &mut |progress| {
        seen.push(*progress);
        Flow::Continue
    });
    assert!(seen.is_sorted_by(|one, other| one.configurations <= other.configurations));
    assert!(seen.iter().all(|progress| progress.queue <= progress.configurations));
    assert!(seen.len() as u64 >= found.progress.depth, "each level is watched");
}

#[test]
fn what_is_reachable_and_not_met_within_a_bound_is_bounded_and_else_violated() {
    let verdict = |wanted: u32, depth_max| {
        let model = check(UpTo(9)).reachable("met", move |state| *state == wanted);
        let bounds = Settings::within(Bounds { depth_max, ..Bounds::default() });
        let found = explore(&model, &bounds, &mut |_| Flow::Continue);
        (found.findings[0].verdict, found.verdict())
    };
    assert_eq!(verdict(9, None), (Verdict::Holds, Verdict::Holds));
    assert_eq!(verdict(10, None), (Verdict::Violated, Verdict::Violated));
    assert_eq!(verdict(9, Some(5)), (Verdict::Bounded, Verdict::Bounded));
    assert_eq!(verdict(10, Some(5)), (Verdict::Bounded, Verdict::Bounded));
    // Met is met, but the rest of the space may still hold something else.
    assert_eq!(verdict(3, Some(5)), (Verdict::Holds, Verdict::Bounded));
}

#[test]
fn a_violation_within_a_bound_is_a_violation() {
    let model = check(UpTo(9)).always("small", |state| *state < 4);
    let found = |depth| {
        let bounds = depth_at_most(depth);
        explore(&model, &bounds, &mut |_| Flow::Continue)
    };
    assert_eq!((found(5).verdict(), found(5).bound), (Verdict::Violated, None));
    assert_eq!(found(4).verdict(), Verdict::Bounded, "the fifth level was not looked at");
}
