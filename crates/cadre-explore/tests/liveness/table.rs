//! Small models whose answers are known beforehand, each violated and holding.

use cadre_explore::{Bound, Bounds, Flow, Settings, explore};
use cadre_model::{Checked, Model, check};
use cadre_trace::{Fairness, GuaranteeKind, Verdict};

use crate::graphs::{Arrow, FAIRNESSES, Graph, assert_real, graph, search, told};

/// Judges a guarantee under no, weak and strong fairness; what is told is the counterexample.
fn check_each(
    arrows: &[Arrow],
    guarantee: impl Fn(Checked<Graph>) -> Checked<Graph>,
    expected: [&str; 3],
) {
    let graph = graph(arrows);
    let judged = FAIRNESSES
        .into_iter()
        .fold(check(graph.clone()), |checked, fairness| guarantee(checked).under(fairness));
    let found = search(&judged);
    assert_eq!([0, 1, 2].map(|guarantee| told(&graph, &found, guarantee)), expected);
}

fn eventually(goal: u8) -> impl Fn(Checked<Graph>) -> Checked<Graph> {
    move |checked| checked.eventually("gets there", move |state| *state == goal)
}

fn leads_to(from: u8, to: u8) -> impl Fn(Checked<Graph>) -> Checked<Graph> {
    move |checked| {
        checked.leads_to("is answered", move |state| *state == from, move |state| *state == to)
    }
}

fn convergent(goal: u8) -> impl Fn(Checked<Graph>) -> Checked<Graph> {
    move |checked| checked.convergent("settles", move |state| *state == goal)
}

const HOLDS: [&str; 3] = ["holds"; 3];

#[test]
fn a_cycle_that_never_comes_by_is_a_counterexample() {
    let ring = [(0, "a", 1), (1, "b", 2), (2, "c", 3), (3, "d", 0)];
    check_each(&ring, eventually(4), ["| a b c d"; 3]);
    check_each(&ring, eventually(3), HOLDS);
}

#[test]
fn a_cycle_behind_a_stem_is_a_counterexample() {
    let arrows = [(0, "a", 1), (1, "b", 2), (2, "c", 1)];
    check_each(&arrows, eventually(3), ["a | b c"; 3]);
}

#[test]
fn an_end_elsewhere_is_a_counterexample_and_one_there_is_none() {
    let fork = [(0, "left", 1), (0, "right", 2)];
    check_each(&fork, eventually(1), ["right ."; 3]);
    check_each(&fork, eventually(2), ["left ."; 3]);
    check_each(&[(0, "left", 1), (0, "right", 2), (2, "back", 1)], eventually(1), HOLDS);
    check_each(&[], eventually(1), ["."; 3]);
    check_each(&[], eventually(0), HOLDS);
}

#[test]
fn both_sides_of_a_diamond_are_judged() {
    let diamond = graph(&[(0, "a", 1), (0, "b", 2), (1, "c", 3), (2, "d", 3)]);
    let judged = check(diamond.clone())
        .eventually("goes left", |state| *state == 1)
        .eventually("goes right", |state| *state == 2)
        .eventually("comes together", |state| *state == 3);
    let found = search(&judged);
    let all = [0, 1, 2].map(|guarantee| told(&diamond, &found, guarantee));
    assert_eq!(all, ["b d .", "a c .", "holds"]);
    assert_eq!((found.verdict(), found.bound), (Verdict::Violated, None));
}

#[test]
fn what_is_owed_survives_a_join_with_a_path_on_which_it_is_not() {
    // The path through 1 is met first, and nothing is owed on it.
    let join = [(0, "a", 1), (1, "b", 3), (0, "c", 2), (2, "d", 3), (3, "e", 4)];
    check_each(&join, eventually(1), ["c d e ."; 3]);
    check_each(&join, leads_to(2, 1), ["c d e ."; 3]);
    check_each(&join, leads_to(2, 4), HOLDS);
    // The join lies on a cycle.
    let join = [(0, "a", 1), (1, "b", 3), (0, "c", 2), (2, "d", 3), (3, "e", 4), (4, "f", 3)];
    check_each(&join, leads_to(2, 1), ["c d | e f"; 3]);
    check_each(&join, leads_to(2, 4), HOLDS);
}

#[test]
fn what_changes_nothing_is_as_if_it_were_not_there() {
    check_each(&[(0, "spin", 0)], eventually(1), ["."; 3]);
    check_each(&[(0, "spin", 0)], eventually(0), HOLDS);
    // As long as something else can happen, it does.
    check_each(&[(0, "spin", 0), (0, "go", 1)], eventually(1), HOLDS);
    // To spin is not to go, though it has the same name: the cycle neglects it.
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "go", 0), (1, "go", 2)];
    check_each(&arrows, eventually(2), ["| a b", "| a b", "holds"]);
}

#[test]
fn a_loop_that_neglects_what_is_always_possible_is_excluded_by_weak_fairness() {
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "go", 2), (1, "go", 2)];
    check_each(&arrows, eventually(2), ["| a b", "holds", "holds"]);
}

#[test]
fn a_loop_that_neglects_what_is_possible_again_and_again_is_excluded_by_strong_fairness() {
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "go", 2)];
    check_each(&arrows, eventually(2), ["| a b", "| a b", "holds"]);
}

#[test]
fn what_nobody_owes_may_be_put_off_for_ever() {
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "?go", 2), (1, "?go", 2)];
    check_each(&arrows, eventually(2), ["| a b"; 3]);
    // It is more than a fault, though: where nothing else can happen it does.
    check_each(&[(0, "?go", 1)], eventually(1), HOLDS);
}

#[test]
fn two_ways_of_one_process_are_one_class() {
    // Two classes: with strong fairness each of the two goes ahead some time.
    let two = [(0, "left", 1), (1, "back", 0), (0, "right", 2)];
    check_each(&two, eventually(2), ["| left back", "| left back", "holds"]);
    let one = [(0, "go", 1), (1, "back", 0), (0, "go", 2)];
    check_each(&one, eventually(2), ["| go back"; 3]);
}

#[test]
fn a_fair_cycle_may_have_to_join_two_cycles() {
    // Either cycle alone neglects the way to the other.
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "c", 2), (2, "d", 0)];
    check_each(&arrows, eventually(3), ["| a b", "| a b", "| a b c d"]);
    // With weak fairness this is so where both ways are open everywhere.
    let arrows = [(0, "a", 1), (1, "a", 0), (0, "c", 2), (1, "c", 2), (2, "a", 0), (2, "c", 1)];
    check_each(&arrows, eventually(3), ["| a a", "| a c a", "| a c a"]);
}

#[test]
fn strong_fairness_takes_components_apart() {
    // The way out is possible in 1 alone: what is left of the ring is the cycle of 2 and 3.
    let arrows = [(0, "a", 1), (1, "b", 2), (2, "c", 3), (3, "d", 2), (3, "e", 0), (1, "go", 4)];
    check_each(&arrows, eventually(4), ["| a b c e", "| a b c e", "holds"]);
    let arrows = [(0, "a", 1), (1, "b", 2), (2, "c", 3), (3, "c", 2), (3, "c", 0), (1, "go", 4)];
    check_each(&arrows, eventually(4), ["| a b c c", "| a b c c", "a b | c c"]);
}

#[test]
fn an_answer_before_the_question_is_none() {
    let arrows = [(0, "answer", 1), (1, "ask", 2), (2, "on", 3)];
    check_each(&arrows, leads_to(2, 1), ["answer ask on ."; 3]);
    check_each(&arrows, leads_to(1, 2), HOLDS);
    check_each(&arrows, leads_to(2, 2), HOLDS);
    check_each(&arrows, leads_to(4, 5), HOLDS);
}

#[test]
fn a_question_is_asked_again_on_each_round() {
    let arrows = [(0, "ask", 1), (1, "answer", 2), (2, "again", 0)];
    check_each(&arrows, leads_to(1, 2), HOLDS);
    // The last round goes without an answer.
    let arrows = [(0, "ask", 1), (1, "answer", 2), (2, "again", 0), (1, "give up", 3)];
    check_each(&arrows, leads_to(1, 2), ["ask give up ."; 3]);
}

#[test]
fn faults_happen_or_not() {
    // They need not: the execution rests at 0.
    check_each(&[(0, "!crash", 1)], eventually(1), ["."; 3]);
    // They may: and 2 is no way out.
    let arrows = [(0, "go", 1), (0, "!crash", 2)];
    check_each(&arrows, eventually(1), ["!crash ."; 3]);
    check_each(&arrows, convergent(1), ["!crash ."; 3]);
    // They may go on for ever, and keep a node from what it could do in between.
    let arrows = [(0, "go", 1), (0, "!crash", 2), (2, "restart", 0)];
    check_each(&arrows, eventually(1), ["| !crash restart", "| !crash restart", "holds"]);
    // Until they stop.
    check_each(&arrows, convergent(1), HOLDS);
    // A fault is never owed: a cycle without it is fair.
    let arrows = [(0, "a", 1), (1, "b", 0), (0, "!crash", 2), (1, "!crash", 2)];
    check_each(&arrows, eventually(2), ["| a b"; 3]);
}

#[test]
fn to_settle_is_to_stay() {
    let arrows = [(0, "a", 1), (1, "b", 0)];
    check_each(&arrows, convergent(1), ["| a b"; 3]);
    check_each(&arrows, eventually(1), HOLDS);
    check_each(&[(0, "a", 1)], convergent(1), HOLDS);
    // A fault may take it away again, but then it comes back.
    check_each(&[(0, "a", 1), (1, "!b", 0)], convergent(1), HOLDS);
    check_each(&[(0, "a", 1), (1, "!b", 2)], convergent(1), ["a !b ."; 3]);
    check_each(&[(0, "a", 1), (1, "!b", 2)], eventually(3), ["a ."; 3]);
    // Broken on the far side of the cycle that is met first.
    let arrows = [(0, "a", 1), (1, "b", 2), (2, "c", 1)];
    check_each(&arrows, convergent(1), ["a | b c"; 3]);
}

#[test]
fn every_beginning_counts() {
    let two = Graph { initial: vec![2, 0, 2, 1], arrows: vec![(0, "a", 2), (1, "b", 3)] };
    let found = search(&check(two.clone()).eventually("two", |state| *state == 2));
    assert_eq!(told(&two, &found, 0), "b .");
    let found = search(&check(two).eventually("two or three", |state| *state > 1));
    assert_eq!(found.verdict(), Verdict::Holds);
    let none = Graph::default();
    assert_eq!(search(&check(none).eventually("never", |_| false)).verdict(), Verdict::Holds);
}

#[test]
fn a_system_is_stuck_where_it_may_not_rest() {
    let fork = graph(&[(0, "left", 1), (0, "right", 2), (2, "!crash", 0), (1, "spin", 1)]);
    let stuck = |may_rest: fn(&u8) -> bool| {
        let found = search(&check(fork.clone()).never_stuck("rests at the end", may_rest));
        (told(&fork, &found, 0), found.verdict())
    };
    assert_eq!(stuck(|state| *state == 1), ("right .".to_owned(), Verdict::Violated));
    assert_eq!(stuck(|state| *state == 2), ("left .".to_owned(), Verdict::Violated));
    assert_eq!(stuck(|state| *state > 0), ("holds".to_owned(), Verdict::Holds));
}

#[test]
fn fairness_makes_no_difference_to_what_finite_executions_violate() {
    let all = |checked: Checked<Graph>| {
        checked
            .always("always", |state| *state != 1)
            .under(Fairness::Strong)
            .reachable("reachable", |state| *state == 2)
            .under(Fairness::None)
            .never_stuck("never stuck", |state| *state == 1)
            .under(Fairness::Strong)
    };
    let judged = all(check(graph(&[(0, "a", 1)])).under(Fairness::Strong));
    let kinds: Vec<GuaranteeKind> =
        judged.guarantees().into_iter().map(|claim| claim.kind).collect();
    let expected = [GuaranteeKind::Always, GuaranteeKind::Reachable, GuaranteeKind::PrePost];
    assert_eq!(kinds[..3], expected);
    assert_eq!(search(&judged).findings[0].verdict, Verdict::Violated);
}

#[test]
fn nothing_is_judged_beyond_a_finite_violation() {
    let judged = check(graph(&[(0, "a", 1), (1, "b", 0)]))
        .eventually("never", |_| false)
        .always("not one", |state| *state != 1);
    let found = search(&judged);
    assert_eq!(found.findings[0].verdict, Verdict::Bounded);
    assert_eq!(found.violation().map(|(guarantee, _)| guarantee), Some(1));
}

#[test]
fn a_watcher_may_end_the_taking_apart() {
    // The way out is at the end alone; without it the one before has none but there, and so on.
    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let mut arrows = vec![(6, "out", 7)];
    arrows.extend((0..6).map(|at| (at, NAMES[usize::from(at)], at + 1)));
    arrows.extend((0..6).map(|at| (at + 1, "back", at)));
    let judged =
        check(graph(&arrows)).eventually("out", |state| *state == 7).under(Fairness::Strong);
    assert_eq!(search(&judged).verdict(), Verdict::Holds);
    let verdict = |calls: i32| {
        let mut left = calls;
        let found = explore(&judged, &Settings::default(), &mut |_| {
            left -= 1;
            if left < 0 { Flow::Stop } else { Flow::Continue }
        });
        assert_eq!(found.bound.is_some(), found.verdict() == Verdict::Bounded);
        (found.verdict(), left < 0)
    };
    // Each level of the two walks is one call; each part that is taken apart is one more.
    let enough = (0..).find(|calls| !verdict(*calls).1).unwrap();
    assert_eq!(enough, 8 + 8 + 6);
    for calls in 0..enough {
        assert_eq!(verdict(calls).0, Verdict::Bounded, "after {calls} calls");
    }
    assert_eq!(verdict(enough).0, Verdict::Holds);
}

/// A line of so many configurations, with a cycle of two at the beginning.
fn line(length: u8) -> Graph {
    let mut line = graph(&[(1, "back", 0)]);
    let name = |at| if at == 1 { "leave" } else { "on" };
    line.arrows.extend((0..length).map(|at| (at, name(at), at + 1)));
    line
}

#[test]
fn a_graph_that_is_cut_shows_violations_and_nothing_else() {
    let judged = check(line(20))
        .eventually("the end", |state| *state == 20)
        .under(Fairness::Strong)
        .eventually("the end", |state| *state == 20);
    let bounds = |depth_max, configurations_max| {
        Settings::within(Bounds { depth_max, configurations_max, ..Bounds::default() })
    };
    let search = |bounds: &Settings| {
        let found = explore(&judged, bounds, &mut |_| Flow::Continue);
        assert_real(&judged, &found);
        found
    };
    for depth in 1..=25 {
        for bounds in [bounds(Some(depth), None), bounds(None, Some(depth))] {
            let found = search(&bounds);
            let is_cut = found.findings[0].verdict == Verdict::Bounded;
            assert_eq!(is_cut, depth < 21);
            let weakly = found.findings[1].verdict;
            assert_eq!(weakly, if depth > 1 { Verdict::Violated } else { Verdict::Bounded });
            assert_eq!(found.bound.is_some(), weakly == Verdict::Bounded);
        }
    }
    // Without the violation the bound is told.
    let judged =
        check(line(20)).eventually("the end", |state| *state == 20).under(Fairness::Strong);
    let found = explore(&judged, &bounds(Some(4), None), &mut |_| Flow::Continue);
    assert_eq!((found.bound, found.verdict()), (Some(Bound::Depth(4)), Verdict::Bounded));
}

#[test]
fn a_watcher_may_end_the_second_walk() {
    let judged = check(line(20)).eventually("the end", |state| *state == 20);
    // Each level is one call; there are as many in the search that comes first.
    for calls in 0..=42 {
        let mut left = calls;
        let found = explore(&judged, &Settings::default(), &mut |_| {
            left -= 1;
            if left < 0 { Flow::Stop } else { Flow::Continue }
        });
        assert_real(&judged, &found);
        let expected = match calls {
            0..=22 => Verdict::Bounded,
            _ => Verdict::Violated,
        };
        assert_eq!(found.verdict(), expected, "after {calls} calls");
        assert_eq!(found.bound, (calls <= 22).then_some(Bound::Watcher));
    }
}
