//! Two-phase commit through the real TLC.

use std::time::Duration;

use crate::support::{
    Event, check_in, check_in_private, engine, manager, random_traces, trace, two_phase,
    without_variables,
};
use cadre_conform::{
    ConformError, Options, Reason, Rejection, Report, SpecAction, SpecStep, SpecTrace,
    TraceVerdict, check, plan,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Find, TlaError, Value, find};

const PREPARE_BOTH: [Event; 4] = [
    ("RMPrepare", Some(0)),
    ("TMRcvPrepared", Some(0)),
    ("RMPrepare", Some(1)),
    ("TMRcvPrepared", Some(1)),
];

#[track_caller]
fn rejection(report: &Report, trace: usize) -> &Rejection {
    match &report.verdicts[trace] {
        TraceVerdict::Rejected(rejection) => rejection,
        other => panic!("trace {trace}: {other:?}"),
    }
}

#[track_caller]
fn check_only_rejected(report: &Report, traces: &[usize]) {
    for (position, verdict) in report.verdicts.iter().enumerate() {
        let expected = traces.contains(&position);
        assert_eq!(matches!(verdict, TraceVerdict::Rejected(_)), expected, "trace {position}");
        assert!(expected || *verdict == TraceVerdict::Conforms, "trace {position}: {verdict:?}");
    }
}

#[test]
fn a_thousand_traces_conform_in_one_run_and_a_corrupted_step_is_found_exactly() {
    let spec = two_phase(10);
    let mut traces = random_traces(10, 1000);
    let report = check_in_private(&spec, &traces).unwrap();
    assert!(report.conforms());
    assert_eq!(report.runs, 1);

    // One step's event: the same resource manager prepares a second time.
    let wrong = traces[617].clone();
    let step = wrong.steps.iter().position(|step| is_named(&step.action, "RMPrepare")).unwrap();
    let again = wrong.steps[step].clone();
    traces[617].steps.insert(step + 1, again);
    // One step's variables.
    let variables = traces[42].steps[7].variables.as_mut().unwrap();
    variables.insert("tmState".into(), "committed".into());
    let report = check_in_private(&spec, &traces).unwrap();
    check_only_rejected(&report, &[42, 617]);
    let event = rejection(&report, 617);
    assert_eq!((event.step, &event.reason), (step + 2, &Reason::NotEnabled));
    assert!(!event.enabled.is_empty());
    let state = rejection(&report, 42);
    assert_eq!(state.step, 8);
    let Reason::WrongState { differs } = &state.reason else { panic!("{state:?}") };
    assert_eq!(differs.len(), 1);
    assert_eq!(differs[0].variable, "tmState");
    assert_eq!(differs[0].logged, "committed".into());
}

fn is_named(action: &SpecAction, expected: &str) -> bool {
    matches!(action, SpecAction::Step { name, .. } if name == expected)
}

#[test]
fn verdicts_do_not_depend_on_logged_variables() {
    let spec = two_phase(4);
    let mut traces = without_variables(random_traces(4, 50));
    let report = check_in_private(&spec, &traces).unwrap();
    assert!(report.conforms());
    let unprepared = SpecAction::named("TMRcvPrepared").with("rm", manager(4));
    traces[3].steps.insert(0, SpecStep { action: unprepared, variables: None });
    let report = check_in_private(&spec, &traces).unwrap();
    check_only_rejected(&report, &[3]);
}

#[test]
fn a_commit_before_all_are_prepared_is_rejected_with_what_was_possible() {
    let mut trace = trace("early", 2, &PREPARE_BOTH[..2]);
    trace.steps.push(SpecStep { action: SpecAction::named("TMCommit"), variables: None });
    let report = check_in_private(&two_phase(2), &[trace]).unwrap();
    let rejection = rejection(&report, 0);
    assert_eq!((rejection.step, &rejection.reason), (3, &Reason::NotEnabled));
    assert_eq!(rejection.spec_state["tmPrepared"].to_string(), "{rm1}");
    assert_eq!(
        rejection.enabled,
        ["RMChooseToAbort(rm: rm2)", "RMPrepare(rm: rm2)", "TMAbort", "TMRcvPrepared(rm: rm1)"]
    );
    assert_eq!(report.runs, 2);
}

#[test]
fn an_unknown_action_and_arguments_outside_their_domain_are_rejections() {
    let one = |action: SpecAction| SpecTrace {
        name: action.to_string(),
        initial: None,
        steps: vec![SpecStep { action, variables: None }],
    };
    let prepare = || SpecAction::named("RMPrepare");
    let traces = [
        one(SpecAction::named("RMRepair").with("rm", manager(1))),
        one(prepare().with("rm", manager(9))),
        one(prepare().with("rm", "rm1".into())),
        one(prepare().with("manager", manager(1))),
        one(prepare().with("rm", manager(1)).with("more", 1.into())),
        one(prepare()),
        one(SpecAction::named("TMAbort").with("rm", manager(1))),
        one(prepare().with("rm", manager(1))),
    ];
    let report = check_in_private(&two_phase(2), &traces).unwrap();
    check_only_rejected(&report, &[0, 1, 2, 3, 4, 5, 6]);
    for (position, trace) in traces.iter().enumerate().take(7) {
        let rejection = rejection(&report, position);
        assert_eq!(rejection.step, 1);
        let expected = if position == 0 { Reason::UnknownAction } else { Reason::WrongArguments };
        assert_eq!(rejection.reason, expected, "{}", trace.name);
        assert!(rejection.enabled.contains(&"RMPrepare(rm: rm2)".to_string()));
    }
}

#[test]
fn stutters_and_traces_without_steps_conform() {
    let mut stuttering = trace("stuttering", 2, &PREPARE_BOTH);
    let variables = stuttering.steps[1].variables.clone();
    stuttering.steps.insert(2, SpecStep { action: SpecAction::Stutter, variables });
    let mut moving = stuttering.clone();
    moving.steps[2].variables = moving.steps[3].variables.clone();
    let traces = [stuttering, trace("empty", 2, &[]), moving];
    let report = check_in_private(&two_phase(2), &traces).unwrap();
    check_only_rejected(&report, &[2]);
    assert_eq!(rejection(&report, 2).step, 3);
}

#[test]
fn a_wrong_initial_state_is_rejected_at_step_zero() {
    let mut wrong = trace("wrong", 2, &PREPARE_BOTH);
    wrong.initial = Some([("tmState".to_string(), "aborted".into())].into());
    let report = check_in_private(&two_phase(2), &[trace("right", 2, &PREPARE_BOTH), wrong]);
    let report = report.unwrap();
    check_only_rejected(&report, &[1]);
    let rejection = rejection(&report, 1);
    assert_eq!(rejection.step, 0);
    let Reason::WrongInitial { differs } = &rejection.reason else { panic!("{rejection:?}") };
    assert_eq!(differs[0].spec, "init".into());
}

#[test]
fn values_that_are_equal_in_tla_are_equal_here() {
    let mut trace = trace("unusual", 2, &PREPARE_BOTH[..1]);
    let message = [(Value::from("type"), "Prepared".into()), ("rm".into(), manager(1))];
    let message = Value::Function(message.into());
    let variables = trace.steps[0].variables.as_mut().unwrap();
    variables.insert("msgs".into(), Value::Set([message].into()));
    assert!(check_in_private(&two_phase(2), &[trace]).unwrap().conforms());
}

#[test]
fn a_specification_that_does_not_parse_is_an_error_with_file_and_line() {
    let mut spec = two_phase(2);
    spec.files[0].1 = spec.files[0]
        .1
        .replace("tmState = \"init\"\n    /\\ tmPrepared", "tmState =\n /\\ tmPrepared");
    match check_in_private(&spec, &[trace("any", 2, &PREPARE_BOTH)]) {
        Err(ConformError::Tla(TlaError::Parse { file, line: Some(_), .. })) => {
            assert_eq!(file, "TwoPhase.tla");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_constant_without_value_and_an_unknown_one_are_errors() {
    let mut spec = two_phase(2);
    spec.constants.clear();
    match check_in_private(&spec, &[trace("any", 2, &PREPARE_BOTH)]) {
        Err(ConformError::Tla(TlaError::Config { message, .. })) => {
            assert!(message.contains("RM"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let mut spec = two_phase(2);
    spec.constants.insert("Quorum".into(), 1.into());
    match check_in_private(&spec, &[trace("any", 2, &PREPARE_BOTH)]) {
        Err(ConformError::Tla(TlaError::Config { message, .. })) => {
            assert!(message.contains("Quorum"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_constants_than_those_of_the_trace_are_no_agreement() {
    let report = check_in_private(&two_phase(3), &[trace("two", 2, &PREPARE_BOTH)]).unwrap();
    assert_eq!(rejection(&report, 0).step, 0);
}

#[test]
fn a_variable_that_the_specification_lacks_is_an_error() {
    let mut trace = trace("wrong", 2, &PREPARE_BOTH);
    trace.steps[2].variables.as_mut().unwrap().insert("log".into(), 1.into());
    match check_in_private(&two_phase(2), &[trace]) {
        Err(ConformError::UnknownVariable { step: 3, variable, .. }) => assert_eq!(variable, "log"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_traces_are_no_success() {
    assert!(matches!(check_in_private(&two_phase(2), &[]), Err(ConformError::NoTraces)));
}

#[test]
fn a_trace_module_that_accepts_everything_is_found_out() {
    let mut spec = two_phase(2);
    let body = "EXTENDS TwoPhase\nTraceArguments == [x |-> {<<>>}]\nTraceInit == Init\n\
                TraceEvent(e) == UNCHANGED vars\n";
    spec.files[1].1 = format!("---- MODULE TraceTwoPhase ----\n{body}====\n");
    let traces = without_variables(vec![trace("any", 2, &PREPARE_BOTH)]);
    match check_in_private(&spec, &traces) {
        Err(ConformError::Vacuous { expected, .. }) => assert!(expected.contains("rejected")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trace_module_without_initial_states_is_found_out() {
    let mut spec = two_phase(2);
    spec.files[1].1 = spec.files[1].1.replace("TraceInit == Init", "TraceInit == Init /\\ FALSE");
    let result = check_in_private(&spec, &[trace("any", 2, &PREPARE_BOTH)]);
    assert!(matches!(result, Err(ConformError::Vacuous { .. })), "{result:?}");
}

#[test]
fn an_invariant_of_the_specification_is_checked_in_every_state_of_a_trace() {
    let mut spec = two_phase(2);
    let (text, _) = spec.files[1].1.rsplit_once("====").unwrap();
    let text = text.trim_end_matches('=');
    let claim = "NobodyCommits == \\A r \\in RM : rmState[r] # \"committed\"";
    spec.files[1].1 = format!("{text}{claim}\n====\n");
    spec.invariants.push("NobodyCommits".into());
    let events = [&PREPARE_BOTH[..], &[("TMCommit", None), ("RMRcvCommitMsg", Some(1))]].concat();
    let traces = [trace("some", 2, &events), trace("none", 2, &PREPARE_BOTH)];
    let report = check_in_private(&spec, &traces).unwrap();
    check_only_rejected(&report, &[0]);
    let rejection = rejection(&report, 0);
    assert_eq!(rejection.step, 6);
    assert_eq!(rejection.reason, Reason::InvariantViolated { name: "NobodyCommits".into() });
}

#[test]
fn a_time_limit_ends_the_check_and_leaves_nothing_running() {
    let directory = PrivateDirectory::new("conform-test").unwrap();
    let options = Options { time_limit: Duration::from_millis(50), ..Options::default() };
    let traces = [trace("any", 2, &PREPARE_BOTH)];
    let result = check(&two_phase(2), &traces, engine(), directory.path(), &options, &Stop::new());
    assert!(matches!(result, Err(ConformError::Tla(TlaError::TimeLimit { .. }))), "{result:?}");
    assert!(!directory.path().join("run-1/tmp").exists());
}

#[test]
fn a_corrupt_jar_and_a_missing_one_offline_are_errors_before_anything_runs() {
    let directory = PrivateDirectory::new("conform-test").unwrap();
    let jar = directory.path().join("tla2tools.jar");
    std::fs::write(&jar, "no archive").unwrap();
    let cache = Some(directory.path().join("cache"));
    let look = Find { jar: Some(jar), offline: true, cache: cache.clone() };
    let result = find(&look, &mut |_| {}, &Stop::new());
    assert!(matches!(result, Err(TlaError::JarCorrupt { .. })), "{result:?}");
    if std::env::var_os("TLA2TOOLS_JAR").is_none() {
        let look = Find { jar: None, offline: true, cache };
        let result = find(&look, &mut |_| {}, &Stop::new());
        assert!(matches!(result, Err(TlaError::Offline { .. })), "{result:?}");
    }
}

#[test]
fn a_plan_is_the_command_of_the_check() {
    let directory = PrivateDirectory::new("conform-test").unwrap();
    let traces = [trace("any", 2, &PREPARE_BOTH)];
    let options = Options::default();
    let command = plan(&two_phase(2), &traces, engine(), directory.path(), &options).unwrap();
    assert!(command.contains("tlc2.TLC"), "{command}");
    let report = check_in(&two_phase(2), &traces, directory.path()).unwrap();
    assert_eq!(report.commands, [command]);
}
