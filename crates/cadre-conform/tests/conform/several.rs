//! What TLC on several processes finds but does not name.

use cadre_conform::{ConformError, ModelOptions, SpecModel, check_model_distributed};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Distributed, Find, Hosts, TlaError, Verdict, find};

/// Counts up by these formulas, which are the initial value and the step.
fn counting(first: &str, step: &str) -> SpecModel {
    let text = format!(
        "---- MODULE MCCount ----\nEXTENDS Integers\nVARIABLE x\n\
         Init == x = {first}\nNext == {step}\nSpec == Init /\\ [][Next]_x\n\
         Few == x < 3\nMany == x > 0\n====\n"
    );
    SpecModel {
        module: "MCCount".into(),
        files: vec![("MCCount.tla".into(), text)],
        constants: [].into(),
        specification: "Spec".into(),
        invariants: Vec::new(),
        properties: Vec::new(),
        deadlock: true,
    }
}

fn explore(model: &SpecModel, port: u16) -> Result<Verdict, ConformError> {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let tlc = find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is installed");
    let address = "127.0.0.1".to_owned();
    let distributed = Distributed { tlc, hosts: Hosts::here(1), address, port };
    let options = ModelOptions { heap_mb: Some(256), ..ModelOptions::default() };
    check_model_distributed(model, &distributed, directory.path(), &options, &Stop::new())
        .map(|found| found.verdict)
}

/// The step that goes on for ever.
const ROUND: &str = "x' = (x + 1) % 5";

#[test]
fn violations_are_named_wherever_they_are() {
    let stuck = explore(&counting("0", "x < 2 /\\ x' = x + 1"), 21_321).expect("it ends");
    assert_eq!(stuck, Verdict::Deadlock);
    for (port, name) in [(21_322, "Few"), (21_323, "Many")] {
        let model = SpecModel { invariants: vec![name.into()], ..counting("0", ROUND) };
        let found = explore(&model, port).expect("it ends");
        assert_eq!(found, Verdict::InvariantViolated { name: name.into() });
    }
}

#[test]
fn an_error_of_the_specification_is_no_deadlock() {
    for (port, first, step) in [
        (21_324, "0", "x' = IF x = 2 THEN CHOOSE y \\in {} : TRUE ELSE x + 1"),
        (21_325, "CHOOSE y \\in {} : TRUE", ROUND),
    ] {
        let error = explore(&counting(first, step), port).unwrap_err();
        assert!(matches!(error, ConformError::Tla(TlaError::Evaluation(_))), "{error}");
    }
}

#[test]
fn a_false_assumption_is_told() {
    let mut model = counting("0", ROUND);
    model.files[0].1 = model.files[0].1.replace("VARIABLE", "ASSUME 1 > 2\nVARIABLE");
    let found = explore(&model, 21_326).expect("it ends");
    assert!(matches!(found, Verdict::AssumptionFailed { .. }), "{found:?}");
}
