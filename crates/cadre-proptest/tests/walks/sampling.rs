use std::collections::HashSet;
use std::rc::Rc;

use cadre_model::{Choice, Model};
use cadre_proptest::{SampleOptions, sample};

use crate::{lost_update, two_phase};

fn options(count: usize) -> SampleOptions {
    SampleOptions { count, steps_max: 100, seed: 11, attempts_max: 100 * count }
}

#[test]
fn a_thousand_executions_of_two_phase_commit_are_distinct_and_possible() {
    let cluster = Rc::new(two_phase::cluster(3, 3));
    let all: Vec<Vec<Choice>> = sample(&cluster, &options(1_000));
    assert_eq!(all.len(), 1_000);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 1_000);
    for path in &all {
        let mut at = cluster.initial().clone();
        for choice in path {
            at = cluster.next(&at, choice).unwrap();
        }
        let mut left = Vec::new();
        cluster.actions(&at, &mut left);
        assert!(left.is_empty(), "a walk goes on while something is enabled");
    }
}

#[test]
fn a_sample_follows_from_its_seed() {
    let of =
        |seed| sample(&Rc::new(two_phase::cluster(3, 3)), &SampleOptions { seed, ..options(50) });
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_sample_of_a_small_space_is_all_of_it() {
    // Two threads of two steps each: (4 choose 2) orders, or one after the other under a lock.
    let all = |is_locked| sample(&Rc::new(lost_update::checked(2, is_locked)), &options(100));
    assert_eq!((all(false).len(), all(true).len()), (6, 2));
}

#[test]
fn a_sample_gives_up_after_so_many_attempts() {
    let model = Rc::new(lost_update::checked(3, false));
    let few = SampleOptions { attempts_max: 7, ..options(100) };
    assert!((1..=7).contains(&sample(&model, &few).len()));
    let none = SampleOptions { attempts_max: 0, ..options(100) };
    assert!(sample(&model, &none).is_empty());
}

#[test]
fn an_execution_of_a_sample_has_no_more_steps_than_it_may() {
    let short = SampleOptions { steps_max: 3, ..options(1_000) };
    let all = sample(&Rc::new(lost_update::checked(2, false)), &short);
    assert!(all.iter().all(|path| path.len() == 3));
    assert_eq!(all.len(), 6);
}
