use std::rc::Rc;

use cadre_model::{Guarantee, Model, check};
use cadre_proptest::{FuzzOptions, fuzz};

/// A line of numbers up to three, with a fault that jumps back to its beginning so many times.
struct Line;

impl Model for Line {
    type State = (u32, u32);
    type Action = &'static str;

    fn init(&self) -> Vec<(u32, u32)> {
        vec![(0, 0)]
    }

    fn actions(&self, (at, faults): &(u32, u32), out: &mut Vec<&'static str>) {
        out.extend((*at < 3).then_some("on"));
        out.extend((*faults < 2 && *at > 0).then_some("back"));
    }

    fn next(&self, (at, faults): &(u32, u32), action: &&'static str) -> Option<(u32, u32)> {
        match *action {
            "on" => (*at < 3).then_some((at + 1, *faults)),
            _ => (*faults < 2 && *at > 0).then_some((0, faults + 1)),
        }
    }

    fn is_fault(&self, action: &&'static str) -> bool {
        *action == "back"
    }
}

fn found(pre: fn(&(u32, u32)) -> bool, post: fn(&(u32, u32)) -> bool) -> Option<Vec<&'static str>> {
    let model = Rc::new(check(Line).guarantee(Guarantee::pre_post("at rest", pre, post)));
    let options = FuzzOptions { cases: 500, steps_max: 20, seed: 0, ..FuzzOptions::default() };
    fuzz(&model, &options, &mut |_| true).violation.map(|violation| violation.path)
}

#[test]
fn a_postcondition_is_judged_where_only_faults_are_left() {
    assert_eq!(found(|_| true, |(at, _)| *at == 3), None);
    assert_eq!(found(|_| true, |(at, _)| *at < 3), Some(vec!["on"; 3]));
}

#[test]
fn a_precondition_chooses_what_is_judged() {
    assert_eq!(found(|(at, _)| *at > 3, |_| false), None);
    let two_faults = found(|(_, faults)| *faults == 2, |_| false).unwrap();
    assert_eq!(two_faults.iter().filter(|action| **action == "back").count(), 2);
    // One step for each fault to take back, and three to the end.
    assert_eq!(two_faults.len(), 7);
}

#[test]
fn no_walk_is_long_enough_to_be_endless() {
    let never = check(Line)
        .eventually("never there", |_| false)
        .leads_to("never answered", |_| true, |_| false)
        .convergent("never settled", |_| false);
    let options = FuzzOptions { cases: 100, steps_max: 20, seed: 0, ..FuzzOptions::default() };
    let found = fuzz(&Rc::new(never), &options, &mut |_| true);
    assert_eq!((found.violation, &found.reached[..3]), (None, &[false; 3][..]));
}
