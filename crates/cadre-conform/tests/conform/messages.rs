//! A specification with arguments from a set that is a variable, as messages on their way are.

use crate::support::{check_in_private, contents, engine};
use cadre_conform::{
    ConformError, Options, Reason, Spec, SpecAction, SpecGraph, SpecStep, SpecTrace, TraceVerdict,
    check_graph, scaffold,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::Value;

/// Messages to two nodes, on their way and heard of.
const MAIL: &str = "---- MODULE Mail ----\nEXTENDS Naturals\nVARIABLES msgs, heard\n\
    Init == msgs = {} /\\ heard = {}\nSend(to) == msgs' = msgs \\cup {to} /\\ UNCHANGED heard\n\
    Receive(m) == heard' = heard \\cup {m} /\\ msgs' = msgs \\ {m}\n\
    Next == (\\E to \\in 1..2 : Send(to)) \\/ (\\E m \\in msgs : Receive(m))\n====\n";

fn mail() -> Spec {
    let mut files = vec![("Mail.tla".to_owned(), MAIL.to_owned())];
    let scaffold = scaffold(&contents(&files, "Mail"), &files).expect("it is a specification");
    assert!(scaffold.text.contains("[Receive |-> [m : msgs]"), "{}", scaffold.text);
    files.push(("TraceMail.tla".to_owned(), scaffold.text));
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
