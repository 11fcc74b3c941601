//! The specification of two-phase commit, explored by TLC, against the closed forms.

use crate::support::{engine, file, manager};
use cadre_conform::{ModelOptions, SpecModel, check_model, plan_model};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Outcome, Value, Verdict};

fn model(managers: usize) -> SpecModel {
    SpecModel {
        module: "MCTwoPhase".into(),
        files: vec![file("TwoPhase.tla"), file("MCTwoPhase.tla")],
        constants: [("RM".to_string(), Value::set((1..=managers).map(manager)))].into(),
        specification: "Spec".into(),
        invariants: vec!["TypeOK".into(), "Consistent".into()],
        properties: Vec::new(),
        deadlock: false,
    }
}

fn explore(model: &SpecModel) -> Outcome {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let options = ModelOptions::default();
    let command = plan_model(model, engine(), directory.path(), &options).expect("a plan is made");
    assert!(command.contains("CadreModel"), "{command}");
    check_model(model, engine(), directory.path(), &options, &Stop::new()).expect("TLC runs")
}

#[test]
fn two_phase_commit_has_the_states_of_the_closed_form_and_their_depth() {
    for managers in 3..=6 {
        let outcome = explore(&model(managers));
        let power = |base: u64| base.pow(managers as u32);
        assert_eq!(outcome.verdict, Verdict::NoError);
        assert_eq!(outcome.distinct, power(2) + power(4) + power(6));
        assert_eq!(outcome.depth, Some(3 * managers as u64 + 2));
    }
}

#[test]
fn the_model_that_must_fail_fails_with_a_shortest_behaviour() {
    let mut model = model(3);
    model.invariants = vec!["NobodyCommits".into()];
    let outcome = explore(&model);
    assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "NobodyCommits".into() });
    assert_eq!(outcome.behaviour.len(), 9);
    assert_eq!(outcome.behaviour[8].action, "RMRcvCommitMsg");
}
