//! The specification of two-phase commit, explored by TLC, against the closed forms.

use crate::support::{engine, file, manager, two_phase};
use cadre_conform::{
    ConformError, ModelOptions, Spec, SpecModel, behaviour_trace, check_model, plan_model,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Outcome, Value, Verdict};
use cadre_trace::Trace;

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
fn of_several_temporal_properties_the_violated_one_is_named() {
    let mut fair = model(2);
    fair.specification = "FairSpec".into();
    fair.properties = ["Irrevocable", "EverybodyDecides"].map(String::from).into();
    assert_eq!(explore(&fair).verdict, Verdict::NoError);
    let unfair = SpecModel { specification: "Spec".into(), ..fair };
    let violated = Verdict::PropertyViolated { name: Some("EverybodyDecides".into()) };
    assert_eq!(explore(&unfair).verdict, violated);
}

#[test]
fn a_behaviour_has_a_lane_for_each_element_over_which_variables_are_functions() {
    let mut model = model(2);
    model.invariants = vec!["NobodyCommits".into()];
    let outcome = explore(&model);
    let trace = behaviour_trace(&two_phase(2), &outcome, "NobodyCommits");
    assert_eq!(trace.header.nodes, ["spec", "rm1", "rm2"]);
    let steps = trace.steps.iter().map(|step| step.action.to_string());
    let expected = [
        "rm1 chooses RMPrepare",
        "spec chooses TMRcvPrepared",
        "rm2 chooses RMPrepare",
        "spec chooses TMRcvPrepared",
        "spec chooses TMCommit",
        "rm1 chooses RMRcvCommitMsg",
    ];
    assert_eq!(steps.collect::<Vec<_>>(), expected);
    let last = trace.snapshots().last().expect("a trace has a configuration");
    assert_eq!(last.nodes["rm1"].state["rmState"], "committed");
    assert_eq!(last.nodes["spec"].state["tmPrepared"][1], "rm2");
    assert_eq!(Trace::from_ndjson(&trace.to_ndjson()).expect("it reads"), trace);
}

#[test]
fn a_behaviour_that_repeats_is_a_trace_that_repeats() {
    let file = "---- MODULE MCRing ----\nEXTENDS Integers\nVARIABLES at, seen\n\
                Init == at = 1 /\\ seen = [n \\in 1..3 |-> FALSE]\n\
                Move == at' = (at % 3) + 1 /\\ seen' = [seen EXCEPT ![at] = TRUE]\n\
                Spec == Init /\\ [][Move]_<<at, seen>> /\\ WF_<<at, seen>>(Move)\n\
                Stays == <>[](at = 1)\n====\n";
    let spec = Spec::new("Ring")
        .module("MCRing", file)
        .constant("Node", Value::set((1..=3).map(Value::Int)))
        .variables(["at", "seen"])
        .temporal("Spec", ["Stays"]);
    let model = SpecModel { constants: [].into(), ..SpecModel::of(spec.clone()) };
    let trace = behaviour_trace(&spec, &explore(&model), "Stays");
    assert_eq!(trace.header.nodes, ["spec", "1", "2", "3"]);
    let from = trace.header.loop_from.expect("it repeats");
    let states: Vec<_> = trace.snapshots().collect();
    assert_eq!(states.last(), states.get(from));
    assert_eq!(states.len(), from + 4, "three steps lead back");
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

#[test]
fn a_specification_without_an_initial_state_does_not_hold() {
    let mut none = model(2);
    none.files[1].1 = none.files[1]
        .1
        .replace("EXTENDS TwoPhase\n", "EXTENDS TwoPhase\n\nNever == Spec /\\ RM = {}\n");
    none.specification = "Never".into();
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let options = ModelOptions::default();
    match check_model(&none, engine(), directory.path(), &options, &Stop::new()) {
        Err(ConformError::NoInitialState { specification, .. }) => {
            assert_eq!(specification, "Never");
        }
        other => panic!("{other:?}"),
    }
}
