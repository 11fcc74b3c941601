//! The real TLC on small modules, one for each way in which a run can end.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{
    Config, Dump, Engine, Find, Jit, Lasso, Outcome, Run, StepsTaken, TlaError, Tlc, Value,
    Verdict, find,
};

const COUNTER: &str = "\
EXTENDS Naturals, TLC
VARIABLE x
Init == x = 1
Next == x < 4 /\\ x' = x + 1
Spec == Init /\\ [][Next]_x /\\ WF_x(Next)
Small == x < 3
Large == x > 1
Up == [][x' < 3]_x
Never == <>(x = 9)
Always == []<>(x = 4)
Show == PrintT(<<\"seen\", x, [f |-> {x}]>>)
";

fn tlc() -> &'static Tlc {
    static TLC: OnceLock<Tlc> = OnceLock::new();
    TLC.get_or_init(|| find(&Find::default(), &mut |_| {}, &Stop::new()).expect("TLC is found"))
}

fn module(body: &str) -> String {
    format!("---- MODULE M ----\n{body}====\n")
}

fn prepare(directory: &Path, body: &str, config: &Config) -> Run {
    fs::write(directory.join("M.tla"), module(body)).expect("the module is written");
    fs::write(directory.join("M.cfg"), config.to_text()).expect("the configuration is written");
    Run::new(directory, "M")
}

fn run_with(
    body: &str,
    config: Config,
    change: impl FnOnce(&mut Run),
) -> Result<Outcome, TlaError> {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let mut run = prepare(directory.path(), body, &config);
    change(&mut run);
    tlc().run(&run, &Stop::new())
}

fn counter(config: Config) -> Outcome {
    run_with(COUNTER, config, |_| {}).expect("TLC gives a verdict")
}

fn init_next() -> Config {
    Config::new().init_next("Init", "Next")
}

#[test]
fn a_complete_search_counts_states_and_depth() {
    let outcome = counter(init_next().invariant("Show"));
    assert_eq!(outcome.verdict, Verdict::NoError);
    assert_eq!((outcome.generated, outcome.distinct, outcome.depth), (4, 4, Some(4)));
    assert!(outcome.version.starts_with("TLC2 Version"), "{}", outcome.version);
}

#[test]
fn a_violated_invariant_is_named_and_its_behaviour_is_read() {
    let outcome = counter(init_next().invariant("Small"));
    assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "Small".into() });
    let states: Vec<_> = outcome.behaviour.iter().map(|s| (s.index, &s.variables["x"])).collect();
    assert_eq!(states, [(1, &Value::Int(1)), (2, &Value::Int(2)), (3, &Value::Int(3))]);
    assert_eq!(outcome.behaviour[0].action, "Initial predicate");
    assert_eq!(outcome.behaviour[1].action, "Next");
    assert!(outcome.behaviour[1].location.contains("of module M"));
}

#[test]
fn an_invariant_violated_at_once_has_a_behaviour_of_one_state() {
    let outcome = counter(init_next().invariant("Large"));
    assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "Large".into() });
    assert_eq!(outcome.behaviour.len(), 1);
    assert_eq!(outcome.behaviour[0].variables["x"], Value::Int(1));
}

#[test]
fn a_violated_action_property_is_named() {
    let outcome = counter(Config::new().specification("Spec").property("Up"));
    assert_eq!(outcome.verdict, Verdict::PropertyViolated { name: Some("Up".into()) });
    assert_eq!(outcome.behaviour.len(), 3);
}

#[test]
fn a_violated_temporal_property_says_how_the_behaviour_goes_on() {
    let outcome = counter(Config::new().specification("Spec").property("Never"));
    assert_eq!(outcome.verdict, Verdict::PropertyViolated { name: None });
    assert_eq!(outcome.lasso, Some(Lasso::Stuttering));
    assert_eq!(outcome.behaviour.len(), 4);
    let outcome = counter(Config::new().specification("Spec").property("Always"));
    assert_eq!(outcome.verdict, Verdict::NoError);
    assert_eq!(outcome.lasso, None);
}

#[test]
fn a_behaviour_that_repeats_says_from_which_state_on_and_by_which_action() {
    let body = "EXTENDS Integers\nVARIABLE x\nInit == x = 0\nUp == x < 3 /\\ x' = x + 1\n\
                Again == x = 3 /\\ x' = 1\nSpec == Init /\\ [][Up \\/ Again]_x /\\ WF_x(Up \\/ Again)\n\
                Ends == <>[](x = 3)\n";
    let config = Config::new().specification("Spec").property("Ends");
    let outcome = run_with(body, config, |_| {}).expect("TLC gives a verdict");
    assert_eq!(outcome.behaviour.len(), 4);
    assert_eq!(outcome.lasso, Some(Lasso::BackTo { index: 2, action: "Again".into() }));
}

#[test]
fn coverage_counts_steps_and_tells_what_was_never_evaluated() {
    let body = "EXTENDS Integers\nVARIABLE x\nInit == x = 0\nUp == x < 3 /\\ x' = x + 1\n\
                Skip == x = 7 /\\ x' = x - 1\nNext == Up \\/ Skip\nSmall == x < 5\n";
    let outcome = run_with(body, init_next().invariant("Small"), |run| run.coverage = true);
    let coverage = outcome.expect("TLC gives a verdict").coverage.expect("it was asked for");
    let of = |name: &str| coverage.iter().find(|told| told.name == name).expect("it is counted");
    assert_eq!(of("Up").steps, Some(StepsTaken { all: 3, new: 3 }));
    assert_eq!(of("Skip").steps, Some(StepsTaken { all: 0, new: 0 }));
    let never = |name: &str| {
        of(name).never.iter().map(|place| place.text(&module(body))).collect::<Vec<_>>()
    };
    assert_eq!(never("Up"), [""; 0]);
    assert_eq!(never("Skip"), ["x' = x - 1"]);
    assert_eq!((of("Small").steps, never("Small")), (None, Vec::new()));
}

#[test]
fn a_deadlock_is_a_violation_only_if_asked_for() {
    let outcome = run_with(COUNTER, init_next(), |run| run.deadlock = true).unwrap();
    assert_eq!(outcome.verdict, Verdict::Deadlock);
    assert_eq!(outcome.behaviour.len(), 4);
    assert_eq!(counter(init_next()).verdict, Verdict::NoError);
}

#[test]
fn a_false_assumption_is_a_verdict() {
    let body = COUNTER.replace("Init ==", "ASSUME 1 = 2\nInit ==");
    let outcome = run_with(&body, init_next(), |_| {}).unwrap();
    let Verdict::AssumptionFailed { assumption } = outcome.verdict else {
        panic!("{:?}", outcome.verdict)
    };
    assert!(assumption.contains("line 4"), "{assumption}");
}

#[test]
fn going_on_after_a_violation_does_not_hide_it() {
    let outcome =
        run_with(COUNTER, init_next().invariant("Small"), |run| run.keep_going = true).unwrap();
    assert_eq!(outcome.verdict, Verdict::InvariantViolated { name: "Small".into() });
    assert_eq!(outcome.distinct, 4);
}

#[test]
fn what_the_specification_prints_and_all_states_are_kept() {
    let directory = PrivateDirectory::new("tla-test").unwrap();
    let mut run = prepare(directory.path(), COUNTER, &init_next().invariant("Show"));
    (run.user_file, run.dump, run.workers, run.jit) = (true, true, 2, Jit::Full);
    let outcome = tlc().run(&run, &Stop::new()).unwrap();
    assert_eq!(outcome.user_lines.len(), 4);
    assert_eq!(outcome.user_values().unwrap()[0].to_string(), "<<\"seen\", 1, [f |-> {1}]>>");
    let states: Result<Vec<_>, _> = Dump::open(&outcome.dump.unwrap()).unwrap().collect();
    let mut values: Vec<_> = states.unwrap().iter().map(|state| state["x"].clone()).collect();
    values.sort();
    assert_eq!(values, [1, 2, 3, 4].map(Value::from));
    let command = fs::read_to_string(directory.path().join("command.txt")).unwrap();
    assert_eq!(command.trim_end(), tlc().command_line(&run));
    assert!(!directory.path().join("tmp").exists());
    assert!(!directory.path().join("meta").exists());
}

#[test]
fn a_run_that_prints_nothing_has_no_user_lines() {
    let outcome = run_with(COUNTER, init_next(), |run| run.user_file = true).unwrap();
    assert!(outcome.user_lines.is_empty());
}

#[track_caller]
fn check_parse_error(body: &str, line_expected: Option<u32>, part: &str) {
    match run_with(body, init_next(), |_| {}) {
        Err(TlaError::Parse { file, line, message, .. }) => {
            assert_eq!((file.as_str(), line), ("M.tla", line_expected), "{message}");
            assert!(message.contains(part), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_module_that_does_not_parse_is_an_error_with_its_line() {
    check_parse_error("VARIABLE x\nInit == x = = 1\n", Some(3), "Encountered");
    check_parse_error("VARIABLE x\nInit == x = y\nNext == x' = x\n", Some(3), "Unknown operator");
    check_parse_error("EXTENDS Nowhere\n", None, "Nowhere");
}

#[test]
fn a_module_that_is_not_named_like_its_file_is_an_error_that_says_so() {
    let directory = PrivateDirectory::new("tla-test").unwrap();
    let run = prepare(directory.path(), COUNTER, &init_next());
    let text = fs::read_to_string(directory.path().join("M.tla")).unwrap();
    fs::write(directory.path().join("M.tla"), text.replace("MODULE M ", "MODULE N ")).unwrap();
    match tlc().run(&run, &Stop::new()) {
        Err(TlaError::Parse { file, message, .. }) => {
            assert_eq!(file, "M.tla");
            assert!(message.contains("does not match the name"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!directory.path().join("tmp").exists());
}

#[cfg(unix)]
#[test]
fn a_tlc_that_somebody_kills_is_an_error_and_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let directory = PrivateDirectory::new("tla-test").unwrap();
    let java = directory.path().join("java");
    fs::write(&java, "#!/bin/sh\necho 'TLC2 Version 2.15'\nkill -9 $$\n").unwrap();
    fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).unwrap();
    let killed = Tlc { java, ..tlc().clone() };
    let run = prepare(directory.path(), COUNTER, &init_next());
    match killed.run(&run, &Stop::new()) {
        Err(TlaError::Killed { tail, .. }) => assert!(tail.contains("TLC2 Version"), "{tail}"),
        other => panic!("{other:?}"),
    }
    assert!(!directory.path().join("tmp").exists());
    assert!(!directory.path().join("meta").exists());
}

#[track_caller]
fn check_config_error(config: Config, part: &str) {
    match run_with(COUNTER, config, |_| {}) {
        Err(TlaError::Config { message, .. }) => assert!(message.contains(part), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_configuration_that_does_not_fit_is_an_error() {
    check_config_error(Config::new().init_next("Init", "Nope"), "Nope");
    check_config_error(init_next().invariant("Nope"), "Nope");
    check_config_error(init_next().property("a b"), "a");
    let body = format!("CONSTANT C\n{COUNTER}").replace("EXTENDS Naturals, TLC\n", "");
    let body = format!("EXTENDS Naturals, TLC\n{body}");
    match run_with(&body, init_next(), |_| {}) {
        Err(TlaError::Config { message, .. }) => assert!(message.contains('C'), "{message}"),
        other => panic!("{other:?}"),
    }
    check_config_error(init_next().substitute("Unknown", "Small"), "Unknown");
}

#[test]
fn an_expression_that_cannot_be_evaluated_is_an_error_with_place_and_behaviour() {
    let body = COUNTER.replace("x' = x + 1", "x' = IF x = 2 THEN x + \"a\" ELSE x + 1");
    match run_with(&body, init_next(), |_| {}) {
        Err(TlaError::Evaluation(error)) => {
            assert_eq!(error.behaviour.len(), 2, "{error:?}");
            assert!(error.places.last().unwrap().starts_with("line 5"), "{error:?}");
            assert!(error.message.contains("StringValue") || error.message.contains("string"));
        }
        other => panic!("{other:?}"),
    }
    let body = COUNTER.replace("x < 3", "x.f < 3");
    match run_with(&body, init_next().invariant("Small"), |_| {}) {
        Err(TlaError::Evaluation(error)) => {
            assert_eq!(error.behaviour.len(), 1, "{error:?}");
            assert!(error.message.contains("non-record"), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn running_out_of_memory_is_an_error_of_its_own() {
    let body = COUNTER.replace("x = 1\n", "x = [i \\in 1..500000000 |-> 0]\n");
    match run_with(&body, init_next(), |run| run.heap_mb = 48) {
        Err(TlaError::OutOfMemory { heap_mb: 48, .. }) => {}
        other => panic!("{other:?}"),
    }
}

const ENDLESS: &str = "\
EXTENDS Naturals
VARIABLE x
Init == x = 0
Next == x' = x + 1
";

#[test]
fn a_run_without_end_is_killed_at_its_time_limit() {
    let limit = Duration::from_millis(2500);
    match run_with(ENDLESS, init_next(), |run| run.time_limit = limit) {
        Err(TlaError::TimeLimit { limit: found, tail, .. }) => {
            assert_eq!(found, limit);
            assert!(!tail.contains("@!@!@"), "{tail}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_requested_stop_ends_a_run() {
    let directory = PrivateDirectory::new("tla-test").unwrap();
    let run = prepare(directory.path(), ENDLESS, &init_next());
    let stop = Stop::new();
    stop.request();
    assert!(matches!(tlc().run(&run, &stop), Err(TlaError::Stopped)));
    assert!(!directory.path().join("tmp").exists());
}

#[test]
fn a_java_that_says_nothing_gives_no_verdict() {
    let mute = Tlc { java: "true".into(), ..tlc().clone() };
    let directory = PrivateDirectory::new("tla-test").unwrap();
    let run = prepare(directory.path(), COUNTER, &init_next());
    match mute.run(&run, &Stop::new()) {
        Err(TlaError::NoVerdict { code: 0, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_value_survives_the_way_through_tlc() {
    let text = r#"<<"a\"b\\c\n\t", {1, 2}, {}, <<>>, TRUE, -3, (-2147483647 - 1), rm1, {rm1},
        [a |-> 1, b |-> {}], (1 :> 2 @@ 3 :> 4), (rm1 :> "x" @@ rm2 :> {}), [type |-> "Commit"]>>"#;
    let value = Value::parse(text).unwrap();
    let body = format!(
        "EXTENDS Integers, TLC\nCONSTANTS rm1, rm2\nVARIABLE x\nInit == x = {}\nNext == x' = x\n",
        value.to_text().unwrap()
    );
    let directory = PrivateDirectory::new("tla-test").unwrap();
    let mut run =
        prepare(directory.path(), &body, &init_next().model("rm1", "rm1").model("rm2", "rm2"));
    run.dump = true;
    let outcome = tlc().run(&run, &Stop::new()).unwrap();
    let state = Dump::open(&outcome.dump.unwrap()).unwrap().next().unwrap().unwrap();
    assert_eq!(state["x"], value);
}

fn simulated(config: Config) -> Result<cadre_tla::Behaviours, TlaError> {
    let directory = PrivateDirectory::new("tla-test").expect("a directory is created");
    let run = prepare(directory.path(), COUNTER, &config);
    let simulation = cadre_tla::Simulation { behaviours: 12, states_max: 3, seed: 1 };
    tlc().simulate(&run, simulation, &Stop::new())
}

#[test]
fn random_behaviours_are_as_many_and_as_long_as_asked_for() {
    let behaviours = simulated(init_next()).expect("TLC draws behaviours");
    assert_eq!(behaviours.violated, None);
    let xs = |states: &Vec<std::collections::BTreeMap<String, Value>>| {
        states.iter().map(|state| state["x"].to_string()).collect::<Vec<_>>().join(" ")
    };
    let all: Vec<String> = behaviours.all.iter().map(xs).collect();
    assert_eq!(all, vec!["1 2 3"; 12]);
}

#[test]
fn a_random_behaviour_that_violates_an_invariant_is_told() {
    let behaviours = simulated(init_next().invariant("Small")).expect("TLC draws behaviours");
    let (verdict, states) = behaviours.violated.expect("the invariant is violated");
    assert_eq!(verdict, Verdict::InvariantViolated { name: "Small".into() });
    assert_eq!(states.len(), 3);
}

#[test]
fn a_specification_without_initial_states_has_no_behaviours_and_that_is_an_error() {
    let error = simulated(Config::new().init_next("Never", "Next")).expect_err("there is none");
    assert!(!error.to_string().is_empty());
}
