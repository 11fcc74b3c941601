//! Trace modules that are written from specifications, through the real parser and the real TLC.

use std::collections::BTreeMap;

use cadre_conform::{Scaffold, Spec, SpecAction, SpecStep, SpecTrace, TraceVerdict, scaffold};
use expect_test::{Expect, expect};

use crate::support::{check_in_private, contents, file, random_traces, two_phase};

/// The trace module of a specification, which parses.
fn written(mut files: Vec<(String, String)>, module: &str) -> (Scaffold, Vec<(String, String)>) {
    let scaffold = scaffold(&contents(&files, module), &files).expect("it is a specification");
    files.push((format!("{}.tla", scaffold.module), scaffold.text.clone()));
    let again = contents(&files, &scaffold.module);
    assert!(again.definition("TraceEvent").is_some());
    (scaffold, files)
}

fn check(body: &str, expected: Expect) -> Scaffold {
    let text = format!("---- MODULE M ----\nEXTENDS Naturals\n{body}\n====\n");
    let (scaffold, _) = written(vec![("M.tla".to_owned(), text)], "M");
    let code = scaffold.text.split_once("TraceArguments ==\n").expect("it is defined").1;
    let code = code.split_once("\nTraceInit").expect("it is defined").0;
    expected.assert_eq(&format!("{code}unnamed {:?}\n", scaffold.unnamed));
    scaffold
}

#[test]
fn the_trace_module_of_two_phase_commit_judges_as_the_one_that_people_wrote() {
    let (scaffold, files) = written(vec![file("TwoPhase.tla")], "TwoPhase");
    assert_eq!((scaffold.actions.len(), scaffold.unnamed.len()), (7, 0));
    // Its parameters are called otherwise.
    let files = files.into_iter().map(|(name, text)| {
        let text = match name.starts_with("Trace") {
            true => text.replace("[r : RM]", "[rm : RM]").replace("e.args.r)", "e.args.rm)"),
            false => text,
        };
        (name, text)
    });
    let spec = Spec { files: files.collect(), ..two_phase(2) };
    let mut traces = random_traces(2, 20);
    let last = traces[3].steps.len() - 1;
    traces[3].steps.swap(last - 1, last);
    let (by_people, by_us) =
        (check_in_private(&two_phase(2), &traces), check_in_private(&spec, &traces));
    let (by_people, by_us) =
        (by_people.expect("TLC has verdicts"), by_us.expect("TLC has verdicts"));
    assert_eq!(by_people.verdicts, by_us.verdicts);
    assert!(matches!(by_us.verdicts[3], TraceVerdict::Rejected(_)));
}

#[test]
fn groups_of_actions_are_taken_apart_and_arguments_come_from_their_sets() {
    check(
        "VARIABLE x\nUp(a, b) == x' = a + b\nDown == x > 0 /\\ x' = 0\n\
         Jump == \\E k \\in 1..3 : x' = k\nMoves == Down \\/ \\E i \\in 1..2 : Up(i, 7)\n\
         Init == x = 0\nNext == Moves \\/ Jump \\/ \\E a, b \\in {1, 2} : Up(a, b)",
        expect![[r#"
                [Down |-> NoArguments,
                 Jump |-> NoArguments,
                 Up   |-> [a : 1..2, b : {7}] \cup [a : {1, 2}, b : {1, 2}]]

            IsDown(e) == e.name = "Down" /\ Down
            IsJump(e) == e.name = "Jump" /\ Jump
            IsUp(e) == e.name = "Up" /\ Up(e.args.a, e.args.b)
            unnamed []
        "#]],
    );
}

#[test]
fn a_set_that_depends_on_another_argument_is_written_out() {
    check(
        "CONSTANTS Node, Peers(_)\nVARIABLE x\nSend(from, to) == x' = <<from, to>>\nInit == x = 0\n\
         Next == \\E n \\in Node : \\E m \\in Peers(n) : Send(n, m)",
        expect![[r#"
                [Send |-> UNION {{[from |-> n, to |-> m] : m \in Peers(n)} : n \in Node}]

            IsSend(e) == e.name = "Send" /\ Send(e.args.from, e.args.to)
            unnamed []
        "#]],
    );
}

#[test]
fn steps_without_a_name_are_told_with_their_lines() {
    check(
        "VARIABLE x\nUp(a) == x' = a\nInit == x = 0\n\
         Next ==\n  \\/ x' = 1\n  \\/ \\E <<a, b>> \\in {<<1, 2>>} : Up(a)\n  \\/ Up(3)",
        expect![[r#"
                [Up |-> [a : {3}]]

            IsUp(e) == e.name = "Up" /\ Up(e.args.a)
            unnamed [("M", 7), ("M", 8)]
        "#]],
    );
}

/// Which of these steps are allowed where `Next` is all that a specification says.
fn allowed(next: &str, steps: &[SpecAction]) -> Vec<bool> {
    let text =
        format!("---- MODULE M ----\nEXTENDS Naturals\nVARIABLE v\nInit == v = 0\n{next}\n====\n");
    let (scaffold, files) = written(vec![("M.tla".to_owned(), text)], "M");
    let spec = Spec {
        name: "M".to_owned(),
        trace_module: scaffold.module,
        files,
        constants: BTreeMap::new(),
        variables: vec!["v".to_owned()],
        invariants: Vec::new(),
        temporal: None,
    };
    let trace = |step: &SpecAction| SpecTrace {
        name: step.to_string(),
        initial: None,
        steps: vec![SpecStep { action: step.clone(), variables: None }],
    };
    let traces: Vec<SpecTrace> = steps.iter().map(trace).collect();
    let report = check_in_private(&spec, &traces).expect("TLC has verdicts");
    report.verdicts.iter().map(|verdict| *verdict == TraceVerdict::Conforms).collect()
}

fn step(name: &str, arguments: &[i32]) -> SpecAction {
    let named = ["a", "b", "c"].into_iter().zip(arguments);
    named.fold(SpecAction::named(name), |step, (name, value)| step.with(name, (*value).into()))
}

#[test]
fn a_variable_that_is_two_arguments_is_the_same_in_both() {
    let moves = |next: &str| {
        let next = format!("Move(a, b) == v' = <<a, b>>\nNext == {next}");
        allowed(&next, &[step("Move", &[1, 1]), step("Move", &[1, 2]), step("Move", &[2, 1])])
    };
    assert_eq!(moves("\\E x \\in 1..2 : Move(x, x)"), [true, false, false]);
    assert_eq!(moves("\\E x \\in 1..2 : \\E y \\in 1..x : Move(x, y)"), [true, false, true]);
    assert_eq!(moves("\\E x \\in 1..2 : Move(x, x + 1)"), [false, true, false]);
    assert_eq!(moves("\\E x, y \\in 1..2 : Move(x, y)"), [true, true, true]);
    let swaps = [[1, 1, 1], [2, 2, 1], [2, 1, 1], [1, 1, 2]].map(|three| step("Swap", &three));
    let next = "Swap(a, b, c) == v' = <<a, b, c>>\n\
                Next == \\E x \\in 1..3 : \\E y \\in 1..x : Swap(x, x, y)";
    assert_eq!(allowed(next, &swaps), [true, true, false, false]);
}

#[test]
fn a_variable_that_is_no_argument_has_to_have_a_value_all_the_same() {
    let next = |set: &str| {
        format!(
            "Up(a) == v' = a\nDown == v' = 0\nMoves == Down \\/ \\E i \\in 1..2 : Up(i)\n\
                 Next == \\E k \\in {set} : Moves"
        )
    };
    let steps = [step("Up", &[1]), step("Up", &[3]), step("Down", &[])];
    assert_eq!(allowed(&next("{7}"), &steps), [true, false, true]);
    assert_eq!(allowed(&next("{}"), &steps), [false, false, false]);
}

#[test]
fn a_set_of_several_lines_means_in_the_trace_module_what_it_means_in_the_specification() {
    let takes = |next: &str| {
        let next = format!("Take(a) == v' = a\n{next}");
        allowed(&next, &[1, 2, 3].map(|taken| step("Take", &[taken])))
    };
    let set = "Next == \\E x \\in {y \\in 1..9 : /\\ y = 1 => y # 1\n\
               \x20                              /\\ y < 3} : Take(x)";
    assert_eq!(takes(set), [false, true, false]);
    let commented = "Next == \\E x \\in {1, \\* the first\n 3} : Take(x)";
    assert_eq!(takes(commented), [true, false, true]);
    let tabs = "Next ==\t\\E x \\in\t{y \\in 1..9 : /\\ y = 1 => y # 1\n\
                \t\t\t\t      /\\ y < 3} : Take(x)";
    assert_eq!(takes(tabs), [false, true, false]);
    let argument = "Next == Take(IF 1 = 1 \\* always\n             THEN 2 ELSE 3)";
    assert_eq!(takes(argument), [false, true, false]);
}

#[test]
fn where_no_step_has_a_name_the_trace_module_still_parses() {
    check(
        "VARIABLE x\nInit == x = 0\nNext == x' = 1 - x",
        expect![[r#"
                [none \in {} |-> {}]

            unnamed [("M", 5)]
        "#]],
    );
}

#[test]
fn events_have_a_name_that_means_nothing_in_the_specification() {
    let scaffold = check(
        "VARIABLES e, x\nevent == 1\nUp(n) == e' = e + n /\\ x' = event\n\
         Init == e = 0 /\\ x = 0\nNext == \\E n \\in 1..2 : Up(n)",
        expect![[r#"
                [Up |-> [n : 1..2]]

            IsUp(traceEvent) == traceEvent.name = "Up" /\ Up(traceEvent.args.n)
            unnamed []
        "#]],
    );
    assert!(scaffold.text.contains("TraceEvent(traceEvent) =="), "{}", scaffold.text);
}
