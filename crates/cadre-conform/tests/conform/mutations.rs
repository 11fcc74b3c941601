//! Specifications and traces that are each wrong in one place: how many of them are noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::graphs::everything;
use crate::support::{
    Event, Simulation, action, check_in_private, engine, manager, random_events, trace, two_phase,
};
use cadre_conform::{
    ConformError, Options, Spec, SpecGraph, SpecStep, SpecTrace, TraceVerdict, check_graph,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::Value;
use cadre_tla::syntax::{Definitions, Formula};
use expect_test::expect;

/// A line of the specification, and what it becomes.
#[derive(Debug)]
struct Mutant {
    operator: String,
    line: usize,
    before: String,
    after: String,
}

impl Mutant {
    fn told(&self) -> String {
        format!("{}: {} becomes {}", self.operator, self.before, self.after)
    }
}

const OPERATORS: [&str; 8] = [
    "Init",
    "TMRcvPrepared",
    "TMCommit",
    "TMAbort",
    "RMPrepare",
    "RMChooseToAbort",
    "RMRcvCommitMsg",
    "RMRcvAbortMsg",
];

/// What is written for what else, wherever it stands.
const SWAPS: [(&str, &str); 16] = [
    ("\"working\"", "\"prepared\""),
    ("\"prepared\"", "\"working\""),
    ("\"prepared\"", "\"aborted\""),
    ("\"committed\"", "\"aborted\""),
    ("\"aborted\"", "\"committed\""),
    ("\"aborted\"", "\"working\""),
    ("\"init\"", "\"committed\""),
    ("\"init\"", "\"aborted\""),
    ("\\cup", "\\cap"),
    ("\\cup", "\\"),
    ("Commit", "Abort"),
    ("Abort", "Commit"),
    ("= RM", "= {}"),
    ("= RM", "\\subseteq RM"),
    ("= {}", "= {Commit}"),
    ("![r]", "![CHOOSE s \\in RM : s # r]"),
];

/// Every conjunct left out, negated, and with each of the swaps that it has room for. What says of
/// a variable what it becomes is not left out, because TLC refuses that by itself.
fn mutants(text: &str) -> Vec<Mutant> {
    let definitions = Definitions::read([("TwoPhase.tla", text)]);
    let mut mutants = Vec::new();
    for operator in OPERATORS {
        let body = &definitions.get(operator).expect("the specification has it").body;
        let Formula::All(parts) = body else { panic!("{operator} has conjuncts") };
        for part in parts {
            let (Formula::Other(excerpt) | Formula::Applied { whole: excerpt, .. }) = part else {
                panic!("{part} is a conjunct")
            };
            let before = excerpt.line_text.clone();
            let mut afters = Vec::new();
            if !excerpt.has_prime && operator != "Init" {
                afters.extend(["TRUE".to_owned(), format!("~({before})")]);
            }
            if !before.starts_with("UNCHANGED") {
                let swaps = SWAPS.iter().filter(|(from, _)| before.contains(from));
                afters.extend(swaps.map(|(from, to)| before.replacen(from, to, 1)));
            }
            let line = excerpt.line as usize;
            let operator = operator.to_owned();
            mutants.extend(afters.into_iter().map(|after| Mutant {
                operator: operator.clone(),
                line,
                before: before.clone(),
                after,
            }));
        }
    }
    mutants
}

/// All mutants as one specification, in which a variable that never changes says which one it is.
fn all_in_one(spec: &mut Spec, mutants: &[Mutant]) {
    let mut lines: Vec<String> = spec.files[0].1.lines().map(str::to_owned).collect();
    for (number, mutant) in mutants.iter().enumerate() {
        let line = &mut lines[mutant.line - 1];
        let begin = line.find("/\\").expect("a conjunct has a bullet") + 2;
        let rest = line.split_off(begin);
        let after = &mutant.after;
        let _ = write!(line, " IF mutant = {} THEN {after} ELSE {}", number + 1, rest.trim());
    }
    let text = lines.join("\n");
    let text = text.replace("    msgs            \\*", "    mutant, msgs    \\*");
    let text =
        text.replace("tmPrepared, msgs>>\n\nPrepared", "tmPrepared, msgs, mutant>>\n\nPrepared");
    let text =
        text.replace("Init ==\n", &format!("Init ==\n    /\\ mutant \\in 0..{}\n", mutants.len()));
    let text = text.replace("\nNext ==", "\nOriginal ==");
    let text = text.replace("\nCONSTANT RM", "\nEXTENDS Integers\nCONSTANT RM");
    spec.files[0].1 = text.replace("\nSpec ==", "\nNext == Original /\\ mutant' = mutant\nSpec ==");
    let module = spec.files[1].1.replace("TraceEvent(e) ==", "OriginalEvent(e) ==");
    let end = module.rfind("\n\n====").expect("the module ends");
    let event = "TraceEvent(e) == OriginalEvent(e) /\\ mutant' = mutant\n====\n";
    spec.files[1].1 = format!("{}\n{event}", &module[..end]);
    spec.variables.push("mutant".into());
    spec.invariants.clear();
}

/// The graph of two-phase commit once for each mutant, and once for the original.
fn copies(mutants: usize, variables: &[String]) -> SpecGraph {
    let (single, steps) = everything(2);
    let mut graph = SpecGraph::new(variables);
    for mutant in 0..=mutants {
        let states: Vec<usize> = (0..single.states_count())
            .map(|number| {
                let mut state = single.state(number);
                state.insert("mutant".into(), Value::Int(mutant as i64));
                graph.add_state(state).expect("all variables have values")
            })
            .collect();
        single.initial().iter().for_each(|state| graph.add_initial(states[*state]));
        for (from, action, to) in &steps {
            graph.add_step(states[*from], action.clone(), states[*to]);
        }
    }
    graph
}

#[test]
fn mutants_of_the_specification_are_noticed_by_the_whole_graph() {
    let mut spec = two_phase(2);
    let mutants = mutants(&spec.files[0].1);
    all_in_one(&mut spec, &mutants);
    let graph = copies(mutants.len(), &spec.variables);
    let directory = PrivateDirectory::new("conform-test").unwrap();
    let options = Options::default();
    let report =
        check_graph(&spec, &graph, engine(), directory.path(), &options, &Stop::new()).unwrap();
    assert!(report.undetermined.is_empty());
    let mut states: BTreeSet<usize> = report.bad_initial.iter().copied().collect();
    states.extend(report.bad_steps.iter().map(|bad| graph.steps()[bad.step].from));
    states.extend(&report.lacking);
    let noticed: BTreeSet<i64> = states
        .into_iter()
        .map(|state| match graph.state(state)["mutant"] {
            Value::Int(mutant) => mutant,
            ref other => panic!("{other}"),
        })
        .collect();
    assert!(!noticed.contains(&0), "the original is noticed");
    let unnoticed = mutants.iter().zip(1..).filter(|(_, number)| !noticed.contains(number));
    let mut told = String::new();
    for (mutant, _) in unnoticed {
        let _ = writeln!(told, "{}", mutant.told());
    }
    let _ = writeln!(told, "{} of {} are noticed", noticed.len(), mutants.len());
    expect![[r#"
        59 of 59 are noticed
    "#]]
    .assert_eq(&told);
}

#[test]
fn what_leaves_a_variable_open_is_refused_by_tlc() {
    for (line, by) in [
        ("    /\\ tmState' = \"aborted\"\n", ""),
        (
            "    /\\ UNCHANGED <<tmState, tmPrepared, msgs>>\n",
            "    /\\ UNCHANGED <<tmState, msgs>>\n",
        ),
    ] {
        let mut spec = two_phase(2);
        let text = &mut spec.files[0].1;
        assert!(text.contains(line));
        *text = text.replacen(line, by, 1);
        let events: [Event; 2] = [("RMChooseToAbort", Some(0)), ("TMAbort", None)];
        match check_in_private(&spec, &[trace("any", 2, &events)]) {
            Ok(report) => assert!(!report.conforms(), "{line}"),
            Err(ConformError::Tla(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Whether a trace that logs everything is a behaviour, by a model of its own.
fn is_behaviour(events: &[Event], trace: &SpecTrace) -> bool {
    let mut simulation = Simulation::new(2);
    if trace.initial.as_ref() != Some(&simulation.variables()) {
        return false;
    }
    for (event, step) in events.iter().zip(&trace.steps) {
        let before = simulation.variables();
        let is_possible = simulation.events().contains(event);
        simulation.take(*event);
        let after = simulation.variables();
        // What is possible and changes nothing is to obey the same decision again.
        let is_again = before == after
            && match event.0 {
                "RMRcvCommitMsg" => before["tmState"] == "committed".into(),
                "RMRcvAbortMsg" => before["tmState"] == "aborted".into(),
                "TMRcvPrepared" => {
                    before["tmState"] == "init".into() && is_prepared(&before, event)
                }
                _ => false,
            };
        if !(is_possible || is_again) || step.variables.as_ref() != Some(&after) {
            return false;
        }
    }
    true
}

fn is_prepared(state: &BTreeMap<String, Value>, event: &Event) -> bool {
    let Value::Set(prepared) = &state["tmPrepared"] else { panic!("a set") };
    event.1.is_some_and(|r| prepared.contains(&manager(r + 1)))
}

/// Each trace with one change: a step left out, repeated, or exchanged with the next one, another
/// action or argument, or the value of one variable at another time.
fn mutated(events: &[Event]) -> Vec<(String, Vec<Event>, SpecTrace)> {
    let original = trace("", 2, events);
    let mut found = Vec::new();
    let mut add = |what: String, events: Vec<Event>, trace: SpecTrace| {
        found.push((what.clone(), events, SpecTrace { name: what, ..trace }));
    };
    for at in 0..events.len() {
        let changed = |change: &dyn Fn(&mut Vec<Event>, &mut Vec<SpecStep>)| {
            let (mut events, mut trace) = (events.to_vec(), original.clone());
            change(&mut events, &mut trace.steps);
            (events, trace)
        };
        let (left, trace) = changed(&|events, steps| {
            events.remove(at);
            steps.remove(at);
        });
        add(format!("left out {at}"), left, trace);
        let (repeated, trace) = changed(&|events, steps| {
            events.insert(at, events[at]);
            steps.insert(at, steps[at].clone());
        });
        add(format!("repeated {at}"), repeated, trace);
        if at + 1 < events.len() {
            let (exchanged, trace) = changed(&|events, steps| {
                events.swap(at, at + 1);
                steps.swap(at, at + 1);
            });
            add(format!("exchanged {at}"), exchanged, trace);
        }
        let other: Event = match events[at] {
            ("TMCommit", _) => ("TMAbort", None),
            ("TMAbort", _) => ("TMCommit", None),
            ("RMRcvAbortMsg", r) => ("RMChooseToAbort", r),
            ("RMChooseToAbort", r) => ("RMRcvAbortMsg", r),
            ("RMPrepare", r) => ("TMRcvPrepared", r),
            ("TMRcvPrepared", r) => ("RMPrepare", r),
            (name, r) => (name, r.map(|r| 1 - r)),
        };
        let (renamed, trace) = changed(&|events, steps| {
            events[at] = other;
            steps[at].action = action(other);
        });
        add(format!("renamed {at}"), renamed, trace);
        for variable in ["rmState", "tmState", "tmPrepared", "msgs"] {
            let (same, trace) = changed(&|_, steps| {
                let elsewhere = if at > 0 { at - 1 } else { steps.len() - 1 };
                let value =
                    steps[elsewhere].variables.as_ref().expect("all is logged")[variable].clone();
                let variables = steps[at].variables.as_mut().expect("all is logged");
                variables.insert(variable.into(), value);
            });
            add(format!("{variable} of another time {at}"), same, trace);
        }
    }
    found
}

#[test]
fn mutants_of_traces_are_noticed_unless_they_are_behaviours_themselves() {
    let all: Vec<_> = random_events(2, 12).iter().flat_map(|events| mutated(events)).collect();
    let traces: Vec<SpecTrace> = all.iter().map(|(_, _, trace)| trace.clone()).collect();
    let report = check_in_private(&two_phase(2), &traces).unwrap();
    let (mut wrong, mut equal) = (0, 0);
    for ((what, events, trace), verdict) in all.iter().zip(&report.verdicts) {
        let is_right = is_behaviour(events, trace);
        assert_eq!(*verdict == TraceVerdict::Conforms, is_right, "{what} of {events:?}");
        (wrong, equal) = if is_right { (wrong, equal + 1) } else { (wrong + 1, equal) };
    }
    assert!(wrong > 300 && equal > 100, "{wrong} wrong, {equal} not");
}
