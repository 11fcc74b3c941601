use std::rc::Rc;

use cadre_explore::{Flow, Settings, explore};
use cadre_model::{Cluster, Model, Part, check};
use cadre_proptest::{FuzzOptions, FuzzOutcome, Violation, fuzz};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};

use crate::{lost_update, two_phase};

fn run<M: Model + 'static>(model: M, options: &FuzzOptions) -> FuzzOutcome<M::Action> {
    fuzz(&Rc::new(model), options, &mut |_| true)
}

fn seeded(seed: u64) -> FuzzOptions {
    FuzzOptions { cases: 1_000, steps_max: 50, seed, ..FuzzOptions::default() }
}

/// How much longer the shrunk path is than the shortest there is; the guarantee is the same.
fn excess<M: Model + 'static>(model: M, seed: u64) -> usize {
    let search = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    let (guarantee, shortest) = search.violation().unwrap();
    let shortest = shortest.path.as_ref().unwrap().len();
    let model = Rc::new(model);
    let violation = fuzz(&model, &seeded(seed), &mut |_| true).violation.unwrap();
    assert_eq!(violation.guarantee, guarantee);
    assert!(violation.path.len() <= violation.steps_before_shrinking);
    let holds = holds_along(&*model, &violation);
    assert!(!holds[holds.len() - 1] && holds[..holds.len() - 1].iter().all(|holds| *holds));
    violation.path.len() - shortest
}

/// For each configuration of an execution whether it keeps the guarantee.
fn holds_along<M: Model>(model: &M, violation: &Violation<M::Action>) -> Vec<bool> {
    let mut state = model.init()[violation.initial].clone();
    let mut holds = vec![model.evaluate(violation.guarantee, Part::Main, &state)];
    for action in &violation.path {
        state = model.next(&state, action).unwrap();
        holds.push(model.evaluate(violation.guarantee, Part::Main, &state));
    }
    holds
}

#[test]
fn a_race_shrinks_to_a_shortest_execution() {
    for threads in 2..=6 {
        for seed in 0..20 {
            assert_eq!(excess(lost_update::checked(threads, false), seed), 0);
        }
    }
}

#[test]
fn a_decider_that_does_not_wait_shrinks_to_nearly_a_shortest_execution() {
    for voters in 2..=5 {
        for seed in 0..20 {
            assert!(excess(two_phase::cluster(voters, voters - 1), seed) <= 2);
        }
    }
}

#[test]
fn the_twins_without_a_bug_pass_with_the_same_budget() {
    for seed in 0..5 {
        let race = run(lost_update::checked(3, true), &seeded(seed));
        assert_eq!((race.violation, race.cases_run, race.stopped), (None, 1_000, false));
        // Three threads of two steps each, in every case: a walk ends where nothing is enabled.
        assert_eq!(race.steps, 6 * 1_000);
        let commit = run(two_phase::cluster(3, 3), &seeded(seed));
        assert_eq!((commit.violation, commit.cases_run), (None, 1_000));
    }
}

#[test]
fn what_is_reachable_is_noted_when_it_is_reached() {
    let race = run(lost_update::checked(3, true), &seeded(1));
    assert_eq!(race.reached[..3], [false, true, false]);
    let commit = run(two_phase::cluster(2, 2), &seeded(1));
    assert_eq!(commit.reached, [false, false, true]);
}

#[test]
fn the_same_seed_has_the_same_result_and_another_has_another() {
    let violation = |seed| {
        let outcome = run(two_phase::cluster(4, 3), &seeded(seed));
        assert_eq!(outcome, run(two_phase::cluster(4, 3), &seeded(seed)));
        outcome
    };
    let all: Vec<_> = (0..10).map(violation).collect();
    assert!(all.iter().any(|outcome| outcome.steps != all[0].steps));
}

#[test]
fn the_watcher_is_told_of_each_case_and_may_end_it() {
    let mut told = Vec::new();
    let model = Rc::new(two_phase::cluster(2, 2));
    let outcome = fuzz(&model, &seeded(0), &mut |case| {
        told.push(case);
        case < 3
    });
    assert_eq!((told, outcome.cases_run, outcome.stopped), (vec![0, 1, 2, 3], 3, true));
}

#[test]
fn a_walk_takes_no_more_steps_than_it_may() {
    let options =
        |steps_max| FuzzOptions { cases: 10, steps_max, seed: 0, ..FuzzOptions::default() };
    for steps_max in 0..=3_usize {
        let outcome = run(lost_update::checked(2, false), &options(steps_max));
        assert_eq!((outcome.steps, outcome.violation), (10 * steps_max as u64, None));
    }
    assert!(run(lost_update::checked(2, false), &options(4)).violation.is_some());
}

#[test]
fn a_violation_at_the_beginning_has_no_steps() {
    for steps_max in [0, 10] {
        let broken = lost_update::LostUpdate { threads: 2, is_locked: true };
        let options = FuzzOptions { cases: 5, steps_max, seed: 0, ..FuzzOptions::default() };
        let outcome = run(check(broken).always("never", |_| false), &options);
        let violation = outcome.violation.unwrap();
        assert_eq!((violation.path.len(), violation.steps_before_shrinking), (0, 0));
        assert_eq!((outcome.cases_run, outcome.steps), (1, 0));
    }
}

/// Numbers that go up and down, from several beginnings or from none.
struct Numbers(Vec<i32>);

impl Model for Numbers {
    type State = i32;
    type Action = i32;

    fn init(&self) -> Vec<i32> {
        self.0.clone()
    }

    fn actions(&self, _: &i32, out: &mut Vec<i32>) {
        // A model should not list what it does not accept: three is passed over.
        out.extend([-1, 1, 3]);
    }

    fn next(&self, state: &i32, add: &i32) -> Option<i32> {
        (*add != 3).then_some(state + add)
    }
}

#[test]
fn a_violation_says_where_its_execution_begins() {
    let model = check(Numbers(vec![0, 10, 20])).always("below 23", |state| *state < 23);
    let violation = run(model, &seeded(3)).violation.unwrap();
    assert_eq!((violation.initial, violation.path), (2, vec![1, 1, 1]));
}

#[test]
fn a_model_without_a_beginning_has_no_executions() {
    let outcome = run(check(Numbers(Vec::new())).always("never", |_| false), &seeded(0));
    assert_eq!((outcome.cases_run, outcome.violation), (0, None));
}

#[test]
fn a_walk_that_is_long_shrinks_to_what_matters() {
    let model = check(Numbers(vec![0])).always("below eight", |state| *state < 8);
    let options = FuzzOptions { cases: 100, steps_max: 400, seed: 5, ..FuzzOptions::default() };
    let violation = run(model, &options).violation.unwrap();
    assert_eq!(violation.path, vec![1; 8]);
    assert!(violation.steps_before_shrinking > 8);
}

/// A pump that is primed or not, and how many strokes it has made in either condition.
struct Pump;

impl Model for Pump {
    type State = (bool, u32);
    type Action = &'static str;

    fn init(&self) -> Vec<(bool, u32)> {
        vec![(false, 0)]
    }

    fn actions(&self, _: &(bool, u32), out: &mut Vec<&'static str>) {
        out.extend(["prime", "stroke"]);
    }

    fn next(&self, (primed, strokes): &(bool, u32), action: &&'static str) -> Option<(bool, u32)> {
        let is_prime = *action == "prime";
        Some((*primed || is_prime, strokes + u32::from(!is_prime)))
    }
}

#[test]
fn of_two_guarantees_the_one_that_was_violated_is_kept() {
    // Without its first step a long run of the primed pump violates the other guarantee at once.
    let model = || {
        check(Pump)
            .always("no stroke when dry", |(primed, strokes)| *primed || *strokes == 0)
            .always("three strokes at most", |(_, strokes)| *strokes < 4)
    };
    let met: Vec<_> = (0..20).map(|seed| run(model(), &seeded(seed)).violation.unwrap()).collect();
    for violation in &met {
        let expected = match violation.guarantee {
            0 => vec!["stroke"],
            // Dry strokes count as well, though the first of them violates the other one.
            _ => vec!["stroke"; 4],
        };
        assert_eq!(violation.path, expected);
    }
    assert!(met.iter().any(|one| one.guarantee == 0) && met.iter().any(|one| one.guarantee == 1));
}

/// A node that counts its own choices and panics at the third.
struct Panics;

impl Protocol for Panics {
    type State = u32;
    type Message = Nothing;
    type Timer = bool;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 {
        0
    }

    fn step(&self, _: NodeId, state: &mut u32, event: Event<Self>, _: &mut Effects<Self>) {
        if let Event::Timeout(counts) = event {
            *state += u32::from(counts);
        }
        assert!(*state < 3, "three is too many");
    }

    fn choices(&self, _: NodeId, _: &u32) -> Vec<bool> {
        vec![true, false]
    }
}

#[test]
fn a_panic_in_a_step_violates_the_guarantee_that_every_cluster_has() {
    let cluster = Rc::new(Cluster::builder(Panics).node("a").build().unwrap());
    let violation = fuzz(&cluster, &seeded(0), &mut |_| true).violation.unwrap();
    assert_eq!(cluster.guarantees()[violation.guarantee].name, "every step returns");
    assert_eq!(violation.path.len(), 3);
}
