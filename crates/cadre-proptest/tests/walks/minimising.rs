use std::rc::Rc;

use cadre_explore::{Flow, Settings, explore};
use cadre_model::{Cluster, Endless, Model, Part, check};
use cadre_proptest::{
    Counterexample, MinimiseError, MinimiseOptions, Minimised, SampleOptions, minimise, sample,
};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};

use crate::{lost_update, two_phase};

fn ending<A>(guarantee: usize, path: Vec<A>) -> Counterexample<A> {
    Counterexample { guarantee, initial: 0, path, loop_from: None }
}

fn minimal<M: Model>(
    model: &M,
    found: &Counterexample<M::Action>,
) -> Result<Minimised<M::Action>, MinimiseError> {
    minimise(model, found, &MinimiseOptions::default())
}

/// The configurations of an execution.
fn states<M: Model>(model: &M, path: &[M::Action]) -> Option<Vec<M::State>> {
    let mut states = vec![model.init().swap_remove(0)];
    for action in path {
        states.push(model.next(&states[states.len() - 1], action)?);
    }
    Some(states)
}

fn keeps<M: Model>(model: &M, guarantee: usize, path: &[M::Action]) -> Option<bool> {
    let is_true = |state: &M::State| model.evaluate(guarantee, Part::Main, state);
    Some(states(model, path)?.iter().all(is_true))
}

/// Walks at random to the end, and minimises every walk that violates what a search violates first.
fn check_all<M: Model + 'static>(model: M, steps_max: usize, excess_max: usize) {
    let search = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    let (guarantee, shortest) = search.violation().unwrap();
    let shortest = shortest.path.as_ref().unwrap().len();
    let model = Rc::new(model);
    let options = SampleOptions { count: 2_000, steps_max, seed: 3, attempts_max: 2_000 };
    let mut violating = 0;
    for path in sample(&model, &options) {
        let shorter = match minimal(&*model, &ending(guarantee, path.clone())) {
            Ok(shorter) => shorter,
            Err(MinimiseError::NotViolated { .. }) => {
                assert_eq!(keeps(&*model, guarantee, &path), Some(true));
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        violating += 1;
        let found = &shorter.path;
        assert!(shorter.is_minimal && found.len() <= shortest + excess_max, "{found:?}");
        assert_eq!(keeps(&*model, guarantee, found), Some(false));
        // No single action can be spared.
        for left_out in 0..found.len() {
            let mut rest = found.clone();
            rest.remove(left_out);
            assert_ne!(keeps(&*model, guarantee, &rest), Some(false), "{rest:?}");
        }
    }
    assert!(violating >= 4, "{violating} walks violate");
}

#[test]
fn every_long_walk_into_a_race_becomes_a_shortest_one() {
    for threads in 2..=6 {
        check_all(lost_update::checked(threads, false), 50, 0);
    }
}

#[test]
fn every_long_walk_to_a_wrong_decision_becomes_nearly_a_shortest_one() {
    for voters in 2..=5 {
        check_all(two_phase::cluster(voters, voters - 1), 200, 2);
    }
}

#[test]
fn what_does_not_fail_cannot_be_made_shorter() {
    let race = lost_update::checked(2, false);
    let name = "no update is lost".to_owned();
    let error = minimal(&race, &ending(0, Vec::new())).unwrap_err();
    assert_eq!(error, MinimiseError::NotViolated { guarantee: name });
    // What must be reachable no execution violates.
    assert!(matches!(
        minimal(&race, &ending(1, Vec::new())),
        Err(MinimiseError::NotViolated { .. })
    ));
    let twice = vec![lost_update::Access::Read(0), lost_update::Access::Read(0)];
    let error = minimal(&race, &ending(0, twice)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 2, `Read(0)`, is not enabled: the execution is of another model"
    );
    let elsewhere = Counterexample { initial: 1, ..ending(0, Vec::new()) };
    let error = minimal(&race, &elsewhere).unwrap_err();
    assert_eq!(error, MinimiseError::NoSuchBeginning { initial: 1, known: 1 });
}

/// A sum of numbers that are added.
struct Sum;

impl Model for Sum {
    type State = i64;
    type Action = i64;

    fn init(&self) -> Vec<i64> {
        vec![0]
    }

    fn actions(&self, _: &i64, out: &mut Vec<i64>) {
        out.extend([-1, 1, 5]);
    }

    fn next(&self, state: &i64, add: &i64) -> Option<i64> {
        Some(state + add)
    }
}

#[test]
fn the_end_of_the_attempts_is_told_and_leaves_a_violation() {
    let model = check(Sum).always("below nine", |sum| *sum < 9);
    let path: Vec<i64> = std::iter::repeat_n([1, -1, 1], 100).flatten().collect();
    let mut lengths = Vec::new();
    for attempts_max in 0..40 {
        let options = MinimiseOptions { attempts_max };
        let shorter = minimise(&model, &ending(0, path.clone()), &options).unwrap();
        assert_eq!(keeps(&model, 0, &shorter.path), Some(false));
        assert!(shorter.attempts <= attempts_max);
        lengths.push((shorter.path.len(), shorter.is_minimal));
    }
    assert!(!lengths[0].1 && lengths.windows(2).all(|pair| pair[1].0 <= pair[0].0), "{lengths:?}");
    let all = minimal(&model, &ending(0, path)).unwrap();
    assert_eq!((all.path, all.is_minimal), (vec![1; 9], true));
}

/// A clock that goes round, and a lamp beside it that is lit now and then; it may be wound up.
struct Clock;

impl Model for Clock {
    type State = (u8, bool, u8);
    type Action = &'static str;

    fn init(&self) -> Vec<(u8, bool, u8)> {
        vec![(0, false, 0)]
    }

    fn actions(&self, _: &(u8, bool, u8), out: &mut Vec<&'static str>) {
        out.extend(["tick", "light", "wind"]);
    }

    fn next(
        &self,
        (hour, lit, wound): &(u8, bool, u8),
        action: &&'static str,
    ) -> Option<(u8, bool, u8)> {
        Some(match *action {
            "tick" => ((hour + 1) % 3, *lit, *wound),
            "light" => (*hour, !lit, *wound),
            _ => (*hour, *lit, (wound + 1).min(2)),
        })
    }

    fn fairness_class(&self, action: &&'static str) -> Option<u128> {
        // Only the clock has to go on.
        (*action == "tick").then_some(1)
    }
}

#[test]
fn an_endless_execution_loses_what_its_stem_and_its_cycle_can_spare() {
    let model = check(Clock).eventually("four o'clock", |(hour, ..)| *hour == 4).leads_to(
        "wound, then lit",
        |(_, _, wound)| *wound > 1,
        |(_, lit, _)| *lit,
    );
    let stem = ["tick", "wind", "light", "wind", "tick", "light", "tick"];
    let cycle = ["tick", "light", "tick", "light", "tick", "light", "light"];
    let path = [stem, cycle].concat();
    let found = |guarantee, path| Counterexample {
        guarantee,
        initial: 0,
        path,
        loop_from: Some(stem.len()),
    };
    let four = minimal(&model, &found(0, path)).unwrap();
    assert_eq!((four.path, four.loop_from), (vec!["tick"; 3], Some(0)));
    let dark = [&stem[..], &["tick"; 6][..]].concat();
    let wound = minimal(&model, &found(1, dark)).unwrap();
    assert_eq!(wound.path, ["wind", "wind", "tick", "tick", "tick"]);
    assert_eq!(wound.loop_from, Some(2));
    let again = Endless::walk(&model, (0, false, 0), &wound.path[..2], &wound.path[2..]).unwrap();
    assert!(again.violates(1));
    // A cycle that does not close violates nothing.
    let open = found(0, vec!["tick"; 8]);
    assert!(matches!(minimal(&model, &open), Err(MinimiseError::NotViolated { .. })));
}

/// Letters that tell how many have been counted before them, and arrive.
struct Post;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Letter {
    Count,
    Send,
    Arrive(u8),
}

impl Model for Post {
    type State = (u8, Vec<u8>, bool);
    type Action = Letter;

    fn init(&self) -> Vec<Self::State> {
        vec![(0, Vec::new(), false)]
    }

    fn actions(&self, (_, sent, _): &Self::State, out: &mut Vec<Letter>) {
        out.extend([Letter::Count, Letter::Send]);
        out.extend(sent.iter().copied().map(Letter::Arrive));
    }

    fn next(
        &self,
        (count, sent, has_arrived): &Self::State,
        action: &Letter,
    ) -> Option<Self::State> {
        match action {
            Letter::Count => Some((count + 1, sent.clone(), *has_arrived)),
            Letter::Send => Some((*count, [sent.as_slice(), &[*count]].concat(), *has_arrived)),
            Letter::Arrive(told) => sent.contains(told).then(|| (*count, sent.clone(), true)),
        }
    }

    fn is_like(&self, one: &Letter, other: &Letter) -> bool {
        matches!((one, other), (Letter::Arrive(_), Letter::Arrive(_)))
    }
}

#[test]
fn another_message_of_the_kind_takes_the_place_of_one_that_is_not_sent_any_more() {
    let model = check(Post).always("nothing arrives", |(_, _, has_arrived)| !has_arrived);
    let path = vec![Letter::Count, Letter::Send, Letter::Count, Letter::Arrive(1)];
    let shorter = minimal(&model, &ending(0, path)).unwrap();
    assert_eq!(shorter.path, [Letter::Send, Letter::Arrive(0)]);
}

/// A node that counts what it does, and fails in one of two ways when it has done enough.
struct TwoPanics;

impl Protocol for TwoPanics {
    type State = [u8; 2];
    type Message = Nothing;
    type Timer = usize;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> [u8; 2] {
        [0; 2]
    }

    fn step(&self, _: NodeId, counts: &mut [u8; 2], event: Event<Self>, _: &mut Effects<Self>) {
        let Event::Timeout(which) = event else { return };
        counts[which] += 1;
        assert!(counts[0] < 2 || counts[1] > 0, "twice without the other");
        assert!(counts[0] < 4, "found {} of the one, {} of the other", counts[0], counts[1]);
    }

    fn choices(&self, _: NodeId, _: &[u8; 2]) -> Vec<usize> {
        vec![0, 1]
    }
}

#[test]
fn a_step_that_fails_goes_on_failing_in_the_same_place() {
    let cluster = Cluster::builder(TwoPanics).node("a").build().unwrap();
    let mut at = cluster.initial().clone();
    let mut path = Vec::new();
    for which in [1, 1, 1, 0, 0, 0, 0] {
        let mut actions = Vec::new();
        cluster.actions(&at, &mut actions);
        let choice = actions.into_iter().find(|choice| {
            matches!(
                cluster.describe(*choice),
                cadre_model::TypedAction::Choose { timer, .. } if timer == which
            )
        });
        path.push(choice.unwrap());
        at = cluster.next(&at, &path[path.len() - 1]).unwrap();
    }
    // Without the other ones it would fail after two steps, but elsewhere.
    let shorter = minimal(&cluster, &ending(0, path)).unwrap();
    assert_eq!(shorter.path.len(), 5);
}

#[test]
fn a_long_execution_takes_far_fewer_attempts_than_it_has_pairs_of_steps() {
    let model = check(Sum).always("below nine", |sum| *sum < 9);
    let path: Vec<i64> = std::iter::repeat_n([-1, 1], 5_000).flatten().chain([5, 5]).collect();
    let shorter = minimal(&model, &ending(0, path)).unwrap();
    assert_eq!((shorter.path, shorter.is_minimal), (vec![5, 5], true));
    assert!(shorter.attempts < 1_000, "{}", shorter.attempts);
}
