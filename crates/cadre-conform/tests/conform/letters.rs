//! Specifications that take for themselves every short name there is.

use std::collections::BTreeMap;

use crate::support::{contents, engine};
use cadre_conform::{
    LogMapping, ModelOptions, Options, Spec, SpecAction, SpecGraph, SpecModel, SpecStep, SpecTrace,
    TraceVerdict, Walk, check, check_graph, check_model, simulate, spec_of_states,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Simulation, Value, Verdict};

/// Every letter, and what a generated module might want to call something.
fn names() -> Vec<String> {
    let words = ["name", "args", "way", "ids", "seen", "isNext", "value", "key", "event", "row"];
    ('a'..='z').map(String::from).chain(words.map(String::from)).collect()
}

/// Takes two of the things that have these names; `declared` gives the names another meaning too.
fn module(declared: &str, initially: &str, framed: &str) -> String {
    format!(
        "---- MODULE Letters ----\nEXTENDS Integers\nCONSTANT Thing\nVARIABLES total, last\n\
         {declared}\nInit == total = 0 /\\ last = \"empty\"{initially}\n\
         Take(thing) ==\n  /\\ total < 2\n  /\\ total' = total + 1\n  /\\ last' = thing\n\
         \x20 /\\ UNCHANGED <<{framed}>>\n\
         Next == \\E thing \\in Thing : Take(thing)\n\
         Spec == Init /\\ [][Next]_<<total, last>>\n\
         Small == total \\in 0..2 /\\ (last = \"empty\" \\/ \\E thing \\in Thing : last = thing)\n\
         Never == total < 2\n====\n"
    )
}

const TRACE: &str = "---- MODULE TraceLetters ----\nEXTENDS Letters\nTraceInit == Init\n\
    TraceArguments == [Take |-> [thing : Thing]]\n\
    TraceEvent(happened) ==\n  /\\ happened.name \\in DOMAIN TraceArguments\n  \
    /\\ happened.args \\in TraceArguments[happened.name]\n  \
    /\\ Take(happened.args.thing)\n====\n";

fn spec(text: String) -> Spec {
    Spec::new("Letters")
        .module("Letters", text)
        .module("TraceLetters", TRACE)
        .constant("Thing", Value::set(names().into_iter().map(Value::model)))
        .variables(["total", "last"])
        .invariants(["Small"])
}

/// The names are things alone, and names that are bound in the modules.
fn bound() -> Spec {
    let mut spec = spec(module("", "", ""));
    for (_, text) in &mut spec.files {
        *text = text.replace("thing", "t").replace("happened", "e");
    }
    spec
}

fn as_variables() -> Spec {
    let all = names().join(", ");
    let initially: String = names().iter().map(|name| format!(" /\\ {name} = 0")).collect();
    let spec = spec(module(&format!("VARIABLES {all}"), &initially, &all));
    let variables = ["total", "last"].map(String::from).into_iter().chain(names());
    spec.variables(variables)
}

fn as_constants() -> Spec {
    let spec = spec(module(&format!("CONSTANTS {}", names().join(", ")), "", ""));
    (0..).zip(names()).fold(spec, |spec, (number, name)| match number % 3 {
        0 => spec.constant(&name, Value::Int(number)),
        1 => spec.constant(&name, Value::model(&name)),
        _ => spec.constant(&name, Value::model("x")),
    })
}

fn as_operators() -> Spec {
    let operators: String = names().iter().map(|name| format!("{name} == 7\n")).collect();
    spec(module(&operators, "", ""))
}

/// The action that takes a thing, whatever its parameter is called.
fn take(spec: &Spec, thing: &str) -> SpecAction {
    let is_bound = spec.files[0].1.contains("Take(t)");
    SpecAction::named("Take").with(if is_bound { "t" } else { "thing" }, Value::model(thing))
}

fn state(spec: &Spec, total: i32, last: Value) -> BTreeMap<String, Value> {
    let value = |name: &String| match name.as_str() {
        "total" => total.into(),
        "last" => last.clone(),
        _ => 0.into(),
    };
    spec.variables.iter().map(|name| (name.clone(), value(name))).collect()
}

fn trace(spec: &Spec, things: &[&str]) -> SpecTrace {
    let steps = (1..).zip(things).map(|(total, thing)| SpecStep {
        action: take(spec, thing),
        variables: Some(state(spec, total, Value::model(*thing))),
    });
    let initial = Some(state(spec, 0, "empty".into()));
    SpecTrace { name: things.concat(), initial, steps: steps.collect() }
}

/// The same steps, of which nothing is known but that they end in this state.
fn composed(mut trace: SpecTrace) -> SpecTrace {
    let last = trace.steps.last().and_then(|step| step.variables.clone());
    let parts = trace.steps.into_iter().map(|step| step.action).collect();
    trace.steps = vec![SpecStep { action: SpecAction::Sequence(parts), variables: last }];
    trace
}

fn private() -> PrivateDirectory {
    PrivateDirectory::new("conform-test").expect("a directory is created")
}

fn traces_are_judged(spec: &Spec) {
    let wrong = SpecTrace { initial: None, ..trace(spec, &["a", "t", "k"]) };
    let mut hidden = trace(spec, &["k", "args"]);
    hidden.initial = None;
    hidden.steps[0].variables = None;
    let unknown = trace(spec, &["nobody"]);
    let traces = [trace(spec, &["e", "t"]), hidden, wrong, unknown];
    let with_composed: Vec<SpecTrace> =
        traces.iter().cloned().chain([composed(trace(spec, &["i", "way"]))]).collect();
    for (walk, traces) in [(Walk::Events, &traces[..]), (Walk::States, &with_composed)] {
        let (options, directory) = (Options { walk, ..Options::default() }, private());
        let report =
            check(spec, traces, engine(), directory.path(), &options, &Stop::new()).expect("TLC");
        for (position, verdict) in report.verdicts.iter().enumerate() {
            let TraceVerdict::Rejected(rejection) = verdict else {
                assert!(![2, 3].contains(&position), "{verdict:?}");
                assert_eq!(*verdict, TraceVerdict::Conforms);
                continue;
            };
            let told = rejection.false_parts.first().map(|part| part.text.as_str());
            match position {
                2 => assert_eq!((rejection.step, told), (3, Some("total < 2"))),
                3 => assert_eq!((rejection.step, rejection.enabled.len()), (1, names().len())),
                _ => panic!("{rejection:?}"),
            }
        }
    }
}

fn graphs_are_judged(spec: &Spec) {
    for with_composed in [false, true] {
        let mut graph = SpecGraph::new(&spec.variables);
        let add = |graph: &mut SpecGraph, total, last| {
            graph.add_state(state(spec, total, last)).expect("all variables have values")
        };
        let initial = add(&mut graph, 0, "empty".into());
        graph.add_initial(initial);
        let mut sources = vec![initial];
        for total in [1, 2] {
            let mut targets = Vec::new();
            for name in names() {
                let to = add(&mut graph, total, Value::model(&name));
                for from in &sources {
                    graph.add_step(*from, take(spec, &name), to);
                }
                targets.push(to);
            }
            sources = targets;
        }
        if with_composed {
            let parts = ["p", "i"].map(|name| take(spec, name));
            let to = add(&mut graph, 2, Value::model("i"));
            graph.add_step(initial, SpecAction::Sequence(parts.into()), to);
        }
        let (options, directory) = (Options::default(), private());
        let report = check_graph(spec, &graph, engine(), directory.path(), &options, &Stop::new())
            .expect("TLC");
        assert_eq!((&report.bad_initial, &report.bad_steps), (&Vec::new(), &Vec::new()));
        assert_eq!(report.next_allowed, report.next_taken);
        assert_eq!((report.lacking.len(), report.initial_missing), (0, 0));
        assert_eq!(report.undetermined, BTreeMap::new());
    }
}

fn behaviours_are_drawn(spec: &Spec) {
    let (directory, simulation) = (private(), Simulation { behaviours: 3, states_max: 4, seed: 7 });
    let drawn = simulate(spec, simulation, engine(), directory.path(), &Stop::new()).expect("TLC");
    assert_eq!(drawn.drawn, 3);
    assert!(drawn.behaviours.iter().all(|behaviour| behaviour.steps.len() == 2));
}

fn its_violations_are_found(spec: &Spec) {
    let mut model = SpecModel::of(spec.clone());
    model.module = "Letters".into();
    model.invariants.push("Never".into());
    let (options, directory) = (ModelOptions::default(), private());
    let found = check_model(&model, engine(), directory.path(), &options, &Stop::new());
    let found = found.expect("TLC");
    assert_eq!(found.verdict, Verdict::InvariantViolated { name: "Never".into() });
    assert_eq!(found.behaviour.len(), 3);
}

fn states_alone_are_judged(spec: &Spec) {
    let files = spec.files[..1].to_vec();
    let mapping = LogMapping { constants: spec.constants.clone(), ..LogMapping::default() };
    let of_states = spec_of_states(&contents(&files, "Letters"), files, &mapping).expect("a spec");
    let mut right = trace(spec, &["s", "t"]);
    right.steps.iter_mut().for_each(|step| step.action = SpecAction::named("Next"));
    let mut wrong = right.clone();
    wrong.steps.remove(0);
    let (options, directory) = (Options { walk: Walk::States, ..Options::default() }, private());
    let report =
        check(&of_states, &[right, wrong], engine(), directory.path(), &options, &Stop::new());
    let verdicts = report.expect("TLC").verdicts;
    assert_eq!(verdicts[0], TraceVerdict::Conforms);
    assert!(matches!(&verdicts[1], TraceVerdict::Rejected(_)), "{verdicts:?}");
}

fn everything_works(spec: &Spec) {
    traces_are_judged(spec);
    graphs_are_judged(spec);
    behaviours_are_drawn(spec);
    its_violations_are_found(spec);
    states_alone_are_judged(spec);
}

#[test]
fn model_values_may_have_any_name_that_is_bound_in_the_modules() {
    everything_works(&bound());
}

#[test]
fn variables_may_have_any_name() {
    everything_works(&as_variables());
}

#[test]
fn constants_may_have_any_name() {
    everything_works(&as_constants());
}

#[test]
fn operators_may_have_any_name() {
    everything_works(&as_operators());
}
