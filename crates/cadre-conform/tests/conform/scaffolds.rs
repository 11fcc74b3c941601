//! Trace modules that are written from specifications, through the real parser and the real TLC.

use cadre_conform::{
    ConformError, Options, Reason, Scaffold, Spec, SpecAction, SpecGraph, SpecStep, SpecTrace,
    TraceVerdict, check_graph, scaffold,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::Value;
use expect_test::{Expect, expect};

use crate::support::{check_in_private, contents, engine, file, random_traces, two_phase};

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
         Next ==\n  \\/ x' = 1\n  \\/ \\E a \\in 1..2 : Up(a + 1)\n  \\/ Up(3)",
        expect![[r#"
                [Up |-> [a : {3}]]

            IsUp(e) == e.name = "Up" /\ Up(e.args.a)
            unnamed [("M", 7), ("M", 8)]
        "#]],
    );
}

/// Messages to two nodes, on their way and heard of.
const MAIL: &str = "---- MODULE Mail ----\nEXTENDS Naturals\nVARIABLES msgs, heard\n\
    Init == msgs = {} /\\ heard = {}\nSend(to) == msgs' = msgs \\cup {to} /\\ UNCHANGED heard\n\
    Receive(m) == heard' = heard \\cup {m} /\\ msgs' = msgs \\ {m}\n\
    Next == (\\E to \\in 1..2 : Send(to)) \\/ (\\E m \\in msgs : Receive(m))\n====\n";

fn mail() -> Spec {
    let (scaffold, files) = written(vec![("Mail.tla".to_owned(), MAIL.to_owned())], "Mail");
    assert!(scaffold.text.contains("[Receive |-> [m : msgs]"), "{}", scaffold.text);
    Spec { files, ..Spec::new("Mail").variables(["msgs", "heard"]) }
}

fn mail_action(name: &str, number: i32) -> SpecAction {
    SpecAction::named(name).with(if name == "Send" { "to" } else { "m" }, number.into())
}

#[test]
fn arguments_may_be_from_a_set_that_changes() {
    let trace = |steps: &[(&str, i32)]| SpecTrace {
        name: format!("{steps:?}"),
        initial: None,
        steps: steps
            .iter()
            .map(|(name, number)| SpecStep { action: mail_action(name, *number), variables: None })
            .collect(),
    };
    let both = [("Send", 1), ("Send", 2), ("Receive", 2), ("Receive", 1)];
    let twice = [("Send", 1), ("Receive", 1), ("Receive", 1)];
    let traces = [trace(&both), trace(&[("Send", 1), ("Receive", 2)]), trace(&twice)];
    let report = check_in_private(&mail(), &traces).expect("TLC has verdicts");
    assert_eq!(report.verdicts[0], TraceVerdict::Conforms);
    for (verdict, step) in [(&report.verdicts[1], 2), (&report.verdicts[2], 3)] {
        let TraceVerdict::Rejected(rejection) = verdict else { panic!("{verdict:?}") };
        assert_eq!((rejection.step, &rejection.reason), (step, &Reason::WrongArguments));
        assert!(rejection.enabled.contains(&"Send(to: 1)".to_owned()), "{:?}", rejection.enabled);
    }
    // An action that there is not is told by the names of those that there are.
    let unnoticed = SpecAction::OneOf(vec![mail_action("Send", 1), mail_action("Recieve", 1)]);
    let steps = vec![SpecStep { action: unnoticed, variables: None }];
    let trace = SpecTrace { name: "a slip".to_owned(), initial: None, steps };
    let error = check_in_private(&mail(), &[trace]).unwrap_err();
    assert!(matches!(error, ConformError::UnknownName { .. }), "{error}");
}

#[test]
fn arguments_of_a_graph_may_be_from_a_set_that_changes() {
    let set = |numbers: &[i32]| Value::set(numbers.iter().map(|number| (*number).into()));
    let sets = [&[][..], &[1], &[2], &[1, 2]];
    // With a step that is none, the steps are looked up one by one.
    for wrong in [false, true] {
        let mut graph = SpecGraph::new(&["msgs", "heard"].map(String::from));
        let mut states = Vec::new();
        for (msgs, heard) in sets.iter().flat_map(|msgs| sets.map(|heard| (*msgs, heard))) {
            let state = [("msgs", set(msgs)), ("heard", set(heard))];
            let state = state.map(|(name, value)| (name.to_owned(), value));
            states.push((graph.add_state(state.into()).expect("all values"), msgs, heard));
        }
        graph.add_initial(0);
        let with = |set: &[i32], more: i32| {
            (1..=2).filter(|n| set.contains(n) || *n == more).collect::<Vec<_>>()
        };
        let number = |msgs: &[i32], heard: &[i32]| {
            states.iter().position(|(_, m, h)| *m == msgs && *h == heard).expect("it is there")
        };
        for (from, msgs, heard) in &states {
            for message in 1..=2 {
                if !msgs.contains(&message) {
                    let to = number(&with(msgs, message), heard);
                    graph.add_step(*from, mail_action("Send", message), to);
                } else {
                    let rest: Vec<i32> = msgs.iter().copied().filter(|n| *n != message).collect();
                    let to = number(&rest, &with(heard, message));
                    graph.add_step(*from, mail_action("Receive", message), to);
                }
            }
        }
        if wrong {
            graph.add_step(0, mail_action("Receive", 2), number(&[], &[2]));
        }
        let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
        let options = Options::default();
        let report =
            check_graph(&mail(), &graph, engine(), directory.path(), &options, &Stop::new())
                .expect("TLC has verdicts");
        assert_eq!(report.bad_steps.len(), usize::from(wrong));
        assert_eq!(report.next_allowed, report.next_taken);
        assert_eq!(report.tlc.runs, 1 + u32::from(wrong));
        assert_eq!(report.coverage["Receive"].taken, 16);
    }
}
