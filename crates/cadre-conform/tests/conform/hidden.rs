//! Specifications whose events do not determine the state, or cannot always be evaluated.

use crate::support::{check_in_private, engine};
use cadre_conform::{
    ConformError, Options, Reason, Spec, SpecAction, SpecStep, SpecTrace, TraceVerdict, Walk,
    check as check_all, simulate,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Simulation, TlaError, Value};

/// A counter which `Jump` raises by 1 or 2, whichever it likes, and `Add` by its argument.
const COUNTER: &str = "
EXTENDS Integers
VARIABLES x, y
TraceInit == x \\in {0, 10} /\\ y = 0
Jump == x' \\in {x + 1, x + 2} /\\ y' = y
Add(n) == x' = x + n /\\ y' = n
Halve == x % 2 = 0 /\\ x' = x \\div 2 /\\ y' = y
TraceArguments == [Jump |-> {<<>>}, Add |-> [n : Int], Halve |-> {<<>>}, Choose |-> {<<>>}]
TraceEvent(e) ==
    /\\ e.name \\in DOMAIN TraceArguments
    /\\ e.args \\in TraceArguments[e.name]
    /\\ \\/ e.name = \"Jump\" /\\ Jump
       \\/ e.name = \"Add\" /\\ Add(e.args.n)
       \\/ e.name = \"Halve\" /\\ Halve
       \\/ e.name = \"Choose\" /\\ x' = (CHOOSE z \\in {1, 2} : z > x) /\\ y' = y
";

fn counter() -> Spec {
    let module = format!("---- MODULE TraceCounter ----{COUNTER}====\n");
    Spec::new("Counter").module("TraceCounter", module).variables(["x", "y"])
}

/// A trace of actions, each with the value of `x` afterwards if that is known.
fn trace(initial: Option<i32>, steps: &[(&str, Option<i32>)]) -> SpecTrace {
    let state = |x: Option<i32>| x.map(|x| [("x".to_string(), Value::from(x))].into());
    let steps = steps.iter().map(|(name, x)| {
        let action = match name.strip_prefix('+') {
            Some(n) => {
                SpecAction::named("Add").with("n", n.parse::<i32>().expect("a number").into())
            }
            None => SpecAction::named(*name),
        };
        SpecStep { action, variables: state(*x) }
    });
    SpecTrace { name: "counter".into(), initial: state(initial), steps: steps.collect() }
}

#[track_caller]
fn check(traces: &[SpecTrace], expected: &[&str]) {
    let report = check_in_private(&counter(), traces).expect("TLC runs");
    let verdicts: Vec<String> = report.verdicts.iter().map(text).collect();
    assert_eq!(verdicts, expected);
}

fn text(verdict: &TraceVerdict) -> String {
    match verdict {
        TraceVerdict::Conforms => "conforms".into(),
        TraceVerdict::Undetermined { step, .. } => format!("undetermined at {step}"),
        TraceVerdict::Rejected(rejection) => {
            let step = rejection.step;
            match &rejection.reason {
                Reason::WrongState { differs } | Reason::WrongInitial { differs } => {
                    let differs = differs.iter().map(|d| format!("{}, not {}", d.logged, d.spec));
                    format!("{step}: {}", differs.collect::<Vec<_>>().join("; "))
                }
                other => format!("{step}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_hidden_choice_is_settled_by_a_later_state() {
    check(
        &[
            trace(Some(0), &[("Jump", None), ("Jump", Some(4))]),
            trace(Some(0), &[("Jump", None), ("Jump", Some(2)), ("Halve", Some(1))]),
            trace(None, &[("Jump", Some(12)), ("Jump", None), ("Jump", Some(15))]),
            trace(Some(10), &[("Jump", Some(11)), ("+5", Some(16))]),
        ],
        &["conforms", "conforms", "conforms", "conforms"],
    );
}

#[test]
fn states_that_agree_one_by_one_but_not_together_are_rejected() {
    check(
        &[
            // Every state is reached by the events, but 14 is not reached through 11.
            trace(Some(10), &[("Jump", Some(11)), ("Jump", Some(14))]),
            // After 1 nothing can be halved, though it can be after 2.
            trace(Some(0), &[("Jump", Some(1)), ("Halve", None)]),
            trace(Some(0), &[("Jump", Some(2)), ("Halve", None)]),
            trace(Some(0), &[("Jump", Some(3))]),
            trace(Some(5), &[("Jump", Some(6))]),
        ],
        &["2: 14, not 12", "2: NotEnabled", "conforms", "1: 3, not 1", "0: 5, not 0"],
    );
}

#[test]
fn without_logged_states_any_choice_will_do() {
    check(
        &[
            trace(None, &[("Jump", None), ("Halve", None), ("Jump", None)]),
            trace(None, &[("Jump", None), ("Halve", None), ("Halve", None), ("Halve", None)]),
        ],
        &["conforms", "4: NotEnabled"],
    );
}

#[test]
fn an_evaluation_error_is_the_verdict_of_its_trace_alone() {
    check(
        &[
            trace(Some(0), &[("Jump", Some(1)), ("+1", Some(2))]),
            trace(Some(10), &[("Jump", Some(11)), ("Choose", Some(1))]),
            trace(Some(0), &[("Jump", Some(7)), ("Choose", Some(1)), ("Choose", None)]),
            trace(Some(0), &[("+1", Some(1)), ("+3", Some(5))]),
        ],
        &["conforms", "undetermined at 2", "1: 7, not 1", "2: 5, not 4"],
    );
}

#[test]
fn an_evaluation_error_in_the_initial_state_is_an_error_of_the_specification() {
    let mut spec = counter();
    spec.files[0].1 = spec.files[0].1.replace("y = 0", "y = 0 /\\ x.f = 1");
    let result = check_in_private(&spec, &[trace(None, &[])]);
    assert!(matches!(result, Err(ConformError::Tla(TlaError::Evaluation(_)))), "{result:?}");
}

#[test]
fn arguments_beyond_32_bits_are_an_error_that_names_the_number() {
    let mut trace = trace(None, &[]);
    let action = SpecAction::named("Add").with("n", Value::Int(1 << 40));
    trace.steps.push(SpecStep { action, variables: None });
    let error = check_in_private(&counter(), &[trace]).unwrap_err().to_string();
    assert!(error.contains(&(1_i64 << 40).to_string()), "{error}");
}

#[test]
fn of_an_implication_and_of_a_case_the_part_is_named_that_is_false() {
    let actions = "
Guarded == (x >= 11 => y = 0 /\\ x < 12) /\\ UNCHANGED <<x, y>>
Picked ==
    /\\ CASE x = 0 -> y = 1 [] x > 100 -> y = 2 [] OTHER -> y = 0 /\\ x # 10
    /\\ x' = x + 1
    /\\ y' = y
TraceArguments ==";
    let mut spec = counter();
    let text = &mut spec.files[0].1;
    *text = text.replacen("\nTraceArguments ==", actions, 1);
    *text = text
        .replace("Halve |-> {<<>>},", "Halve |-> {<<>>}, Guarded |-> {<<>>}, Picked |-> {<<>>},");
    let event = |name: &str| format!("\\/ e.name = \"{name}\" /\\ {name}");
    let events = ["Halve", "Guarded", "Picked"].map(event).join("\n       ");
    *text = text.replace(&event("Halve"), &events);
    let report = check_in_private(
        &spec,
        &[
            trace(Some(10), &[("Guarded", Some(10)), ("Jump", Some(12)), ("Guarded", None)]),
            trace(Some(10), &[("+1", Some(11)), ("Guarded", None)]),
            trace(Some(0), &[("Picked", None)]),
            trace(Some(10), &[("Picked", None)]),
        ],
    );
    let told = report.expect("TLC runs").verdicts.into_iter().map(|verdict| match verdict {
        TraceVerdict::Rejected(rejection) => {
            let part = &rejection.false_parts[0];
            format!("{}: {} in {}", rejection.step, part.text, part.operator)
        }
        other => format!("{other:?}"),
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "3: x < 12 in Guarded",
            "2: y = 0 in Guarded",
            "1: y = 1 in Picked",
            "1: x # 10 in Picked"
        ]
    );
}

#[test]
fn an_error_where_the_logged_states_never_come_by_is_no_matter() {
    check(
        &[
            trace(Some(0), &[("Choose", Some(1)), ("Jump", Some(3))]),
            trace(Some(0), &[("Choose", Some(1)), ("Jump", Some(4))]),
            trace(Some(0), &[("Choose", Some(5))]),
            trace(Some(10), &[("Choose", Some(1))]),
        ],
        &["conforms", "2: 4, not 2", "1: 5, not 1", "undetermined at 1"],
    );
}

#[test]
fn a_logged_name_that_is_no_variable_is_an_error() {
    let mut spec = counter().variables(["x", "y", "twice"]);
    spec.files[0].1 = spec.files[0].1.replace("TraceInit", "twice == 2 * x\nTraceInit");
    let mut told = trace(Some(0), &[("+5", Some(5))]);
    told.steps[0].variables = Some([("twice".to_string(), 11.into())].into());
    match check_in_private(&spec, &[told]) {
        Err(ConformError::NotVariable { variable, found }) => {
            assert_eq!((variable.as_str(), found.as_str()), ("twice", "x, y"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_that_tlc_cannot_read_is_a_wrong_value() {
    for value in [Value::Int(3_000_000_000), Value::from("Zürich")] {
        let mut told = trace(Some(0), &[("+5", Some(5))]);
        told.steps[0].variables = Some([("y".to_string(), value.clone())].into());
        let report = check_in_private(&counter(), &[told, trace(Some(0), &[("+5", Some(5))])]);
        let verdicts = report.expect("TLC runs").verdicts;
        assert_eq!(text(&verdicts[0]), format!("1: {value}, not 5"));
        assert_eq!(text(&verdicts[1]), "conforms");
    }
}

#[test]
fn a_wrong_state_is_explained_by_the_state_that_leads_there() {
    let module = "---- MODULE TracePick ----\nEXTENDS Integers\nVARIABLES x, y\n\
        TraceInit == x = 0 /\\ y = 0\nPick == x' \\in {1, 2} /\\ y' = y\n\
        Go ==\n  /\\ x' = x\n  /\\ y' = IF x = 2 THEN 5 ELSE 7\n\
        TraceArguments == [Pick |-> {<<>>}, Go |-> {<<>>}]\n\
        TraceEvent(e) ==\n    \\/ e.name = \"Pick\" /\\ Pick\n\
        \x20   \\/ e.name = \"Go\" /\\ Go\n====\n";
    let spec = Spec::new("Pick").module("TracePick", module).variables(["x", "y"]);
    let other = "---- MODULE Other ----\nEXTENDS Integers\nVARIABLE z\nGo == z > 5\n====\n";
    let mut beside = spec.clone();
    beside.files.push(("Zebra.tla".into(), other.replace("Other", "Zebra")));
    for spec in [spec, beside] {
        for (x, y) in [(2, 5), (1, 7)] {
            let state = |y: i32| [("x".to_string(), x.into()), ("y".to_string(), y.into())].into();
            let told = SpecTrace {
                name: "pick".into(),
                initial: None,
                steps: vec![
                    SpecStep { action: SpecAction::named("Pick"), variables: None },
                    SpecStep { action: SpecAction::named("Go"), variables: Some(state(9)) },
                ],
            };
            let report = check_in_private(&spec, &[told]).expect("TLC runs");
            let TraceVerdict::Rejected(rejection) = &report.verdicts[0] else { panic!() };
            assert_eq!(rejection.spec_state["x"], x.into());
            let parts: Vec<&str> = rejection.false_parts.iter().map(|p| p.text.as_str()).collect();
            assert_eq!(parts, ["y' = IF x = 2 THEN 5 ELSE 7"]);
            assert_eq!(rejection.false_parts[0].operator, "Go");
            assert_eq!(text(&report.verdicts[0]), format!("2: 9, not {y}"));
        }
    }
}

/// A queue of which nothing says that it is to have something before that is taken out.
const QUEUE: &str = "---- MODULE TraceQueue ----
EXTENDS Integers, Sequences
VARIABLES q, out
TraceInit == q = <<>> /\\ out \\in {0, 5}
Push == q' = Append(q, 1) /\\ UNCHANGED out
Pop == out' = Head(q) /\\ q' = Tail(q)
TraceArguments == [Push |-> {<<>>}, Pop |-> {<<>>}]
TraceEvent(e) == e.args = <<>> /\\ ((e.name = \"Push\" /\\ Push) \\/ (e.name = \"Pop\" /\\ Pop))
====
";

#[test]
fn an_evaluation_error_in_the_first_step_is_the_verdict_of_its_trace_alone() {
    let spec = Spec::new("Queue").module("TraceQueue", QUEUE).variables(["q", "out"]);
    let trace = |names: &[&str], out: Option<i32>| {
        let steps = names.iter().map(|name| SpecStep {
            action: match name.split_once(' ') {
                Some(parts) => {
                    SpecAction::Sequence([parts.0, parts.1].map(SpecAction::named).into())
                }
                None => SpecAction::named(*name),
            },
            variables: None,
        });
        let initial = out.map(|out| [("out".to_owned(), out.into())].into());
        SpecTrace { name: names.concat(), initial, steps: steps.collect() }
    };
    let unknown = "1: UnknownAction";
    let first = "undetermined at 1";
    for (walk, cases) in [
        (
            Walk::Events,
            &[
                (trace(&["Push", "Pop"], None), "conforms"),
                (trace(&["Pop"], None), first),
                (trace(&["Pop", "Push"], Some(5)), first),
                (trace(&["Push", "Push", "Pop"], Some(5)), "conforms"),
                (trace(&["Fly"], None), unknown),
                (trace(&["Push", "Pop", "Pop"], None), "undetermined at 3"),
            ][..],
        ),
        (
            Walk::States,
            &[
                (trace(&["Push Pop", "Push"], Some(5)), "conforms"),
                (trace(&["Pop Push", "Push"], None), first),
                (trace(&["Push Pop", "Pop Push"], None), "undetermined at 2"),
                (trace(&["Fly Push"], None), unknown),
                (trace(&["Push"], Some(7)), "0: 7, not 0"),
            ],
        ),
    ] {
        let (traces, expected): (Vec<_>, Vec<_>) = cases.iter().cloned().unzip();
        let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
        let options = Options { walk, ..Options::default() };
        let report = check_all(&spec, &traces, engine(), directory.path(), &options, &Stop::new());
        let verdicts = report.expect("TLC has verdicts").verdicts;
        assert_eq!(verdicts.iter().map(text).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn drawn_behaviours_that_differ_in_their_states_alone_are_two() {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    // Chance is to choose among a few.
    let all = "Jump |-> {<<>>}, Add |-> [n : Int], Halve |-> {<<>>}, Choose |-> {<<>>}";
    let mut spec = counter();
    assert!(spec.files[0].1.contains(all));
    spec.files[0].1 = spec.files[0].1.replace(all, "Jump |-> {<<>>}");
    let simulation = Simulation { behaviours: 100, states_max: 2, seed: 1 };
    let drawn = simulate(&spec, simulation, engine(), directory.path(), &Stop::new());
    let drawn = drawn.expect("TLC draws");
    // From either of two initial states to either of two others.
    assert_eq!((drawn.behaviours.len(), drawn.drawn), (4, 100));
}
