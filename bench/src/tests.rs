use crate::case::Case;
use crate::ours;
use crate::peers::stateright::{self, Order};

fn counts(case: Case, size: u32) -> [u64; 3] {
    let ours = ours::search(case, size, 1).unwrap();
    let peer = |order| stateright::search(case, size, order, 2).unwrap().distinct;
    [ours.distinct, peer(Order::BreadthFirst), peer(Order::DepthFirst)]
}

fn all_are(expected: u64) -> [u64; 3] {
    [expected; 3]
}

#[test]
fn two_phase_commit_has_as_many_states_as_its_closed_form_says() {
    for size in 1..=5 {
        let expected = Case::TwoPhaseCommit.expected(size).unwrap();
        assert_eq!(counts(Case::TwoPhaseCommit, size), all_are(expected), "{size}");
    }
}

#[test]
fn increment_and_lock_has_as_many_states_as_its_closed_form_says() {
    for size in 1..=5 {
        let expected = Case::IncrementLock.expected(size).unwrap();
        assert_eq!(counts(Case::IncrementLock, size), all_are(expected), "{size}");
    }
}

#[test]
fn paxos_has_as_many_states_here_as_there() {
    assert_eq!(counts(Case::GrowingPaxos, 1), all_are(14_265));
    assert_eq!(counts(Case::Paxos, 1), all_are(101_408));
}

#[test]
fn raft_has_as_many_states_here_as_there() {
    let [ours, breadth_first, depth_first] = counts(Case::Raft, 0);
    assert_eq!([breadth_first, depth_first], [ours, ours]);
}
