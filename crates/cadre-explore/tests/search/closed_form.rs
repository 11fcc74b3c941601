use cadre_explore::{Exploration, Flow, Reductions, Settings, explore};
use cadre_model::{Choice, Model};
use cadre_trace::Verdict;

use crate::two_phase;

fn search(voters: usize, quorum: usize) -> (Exploration<Choice>, u64) {
    let cluster = two_phase::cluster(voters, quorum);
    let found = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
    (found, cluster.user_calls().unwrap())
}

#[test]
fn two_phase_commit_has_the_configurations_of_its_closed_form() {
    for voters in 1..=6_u32 {
        let (found, _) = search(voters as usize, voters as usize);
        let expected = 2_u64.pow(voters) + 4_u64.pow(voters) + 6_u64.pow(voters);
        assert_eq!(found.progress.configurations, expected, "{voters} voters");
        assert_eq!(found.progress.depth, 3 * u64::from(voters) + 2, "{voters} voters");
        assert_eq!((found.verdict(), found.bound), (Verdict::Holds, None));
        assert!(found.findings.iter().all(|finding| finding.verdict == Verdict::Holds));
    }
}

#[test]
fn the_transitions_of_a_search_are_the_actions_that_lead_elsewhere() {
    let cluster = two_phase::cluster(3, 3);
    let reductions = Reductions { sleep_sets: false, ..Reductions::default() };
    let settings = Settings { reductions, ..Settings::default() };
    let found = explore(&cluster, &settings, &mut |_| Flow::Continue);
    let (mut met, mut transitions) = (vec![cluster.initial().clone()], 0);
    let mut looked_at = 0;
    while let Some(at) = met.get(looked_at).cloned() {
        looked_at += 1;
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after = cluster.next(&at, &choice).unwrap();
            assert_ne!(after, at, "what changes nothing is not listed");
            transitions += 1;
            if !met.contains(&after) {
                met.push(after);
            }
        }
    }
    assert_eq!(found.progress.transitions, transitions);
    assert_eq!(found.progress.configurations, met.len() as u64);
}

#[test]
fn the_same_search_has_the_same_result() {
    for quorum in [2, 3] {
        assert_eq!(search(3, quorum), search(3, quorum));
    }
}

#[test]
fn user_code_is_called_far_less_often_than_there_are_transitions() {
    let (found, calls) = search(6, 6);
    assert!(calls * 50 < found.progress.transitions, "{calls} calls");
    let (again, of_a_fresh_cluster) = search(6, 6);
    assert_eq!((again.progress, of_a_fresh_cluster), (found.progress, calls));
}

#[test]
fn a_second_search_of_one_cluster_calls_no_user_code() {
    let cluster = two_phase::cluster(3, 3);
    let first = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
    let calls = cluster.user_calls();
    let second = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
    assert_eq!((first, calls), (second, cluster.user_calls()));
}

#[test]
fn a_decider_that_does_not_wait_is_found_out_in_five_steps() {
    for voters in 2..=4 {
        let (found, _) = search(voters, 1);
        let (guarantee, finding) = found.violation().unwrap();
        assert_eq!((guarantee, finding.claim.name.as_str()), (1, "voters agree"));
        // Vote, deliver it, decide, deliver the decision; and somebody else says no.
        assert_eq!(finding.path.as_ref().unwrap().len(), 5);
        let others = found.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
        assert_eq!(others.count(), 1);
    }
}

#[test]
fn an_example_of_what_is_reachable_comes_with_the_verdict() {
    let (found, _) = search(2, 2);
    let example = found.findings[2].path.as_ref().unwrap();
    // Two votes, their deliveries, the decision, and its deliveries.
    assert_eq!((found.findings[2].verdict, example.len()), (Verdict::Holds, 7));
}
