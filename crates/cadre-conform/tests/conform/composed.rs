//! Steps that are several steps of the specification.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    Event, Simulation, action, check_in_private, engine, manager, random_events, trace, two_phase,
    without_variables,
};
use cadre_conform::{
    ConformError, Fault, Options, Reason, Rejection, Report, Spec, SpecAction, SpecGraph, SpecStep,
    SpecTrace, TraceVerdict, Walk, check, check_graph,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::Value;

fn sequence(events: &[Event]) -> SpecAction {
    SpecAction::Sequence(events.iter().map(|event| action(*event)).collect())
}

/// A trace of compositions, with all variables after each of them.
fn composed(name: &str, managers: usize, steps: &[&[Event]]) -> SpecTrace {
    let mut simulation = Simulation::new(managers);
    let initial = Some(simulation.variables());
    let steps = steps.iter().map(|events| {
        events.iter().for_each(|event| simulation.take(*event));
        SpecStep { action: sequence(events), variables: Some(simulation.variables()) }
    });
    SpecTrace { name: name.to_owned(), initial, steps: steps.collect() }
}

fn check_walking(spec: &Spec, traces: &[SpecTrace], walk: Walk) -> Report {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let options = Options { walk, ..Options::default() };
    check(spec, traces, engine(), directory.path(), &options, &Stop::new()).expect("TLC runs")
}

#[track_caller]
fn rejected(verdict: &TraceVerdict) -> &Rejection {
    match verdict {
        TraceVerdict::Rejected(rejection) => rejection,
        TraceVerdict::Conforms | TraceVerdict::Undetermined { .. } => panic!("{verdict:?}"),
    }
}

/// The step, its part, and what that is.
fn told(rejection: &Rejection) -> String {
    match &rejection.part {
        None => format!("step {}", rejection.step),
        Some(part) => {
            let (number, count) = (part.number, part.count);
            format!("step {}, {number} of {count}, {}", rejection.step, part.action)
        }
    }
}

#[test]
fn steps_put_together_in_any_way_conform_however_they_are_walked() {
    let traces = random_events(3, 60).into_iter().enumerate().map(|(number, events)| {
        let steps: Vec<&[Event]> = events.chunks(1 + number % 4).collect();
        composed(&format!("random-{number}"), 3, &steps)
    });
    let traces: Vec<SpecTrace> = traces.collect();
    for (traces, walk) in [
        (traces.clone(), Walk::Events),
        (traces.clone(), Walk::States),
        (without_variables(traces), Walk::Events),
    ] {
        let report = check_walking(&two_phase(3), &traces, walk);
        assert!(report.conforms(), "{walk:?}: {:?}", report.verdicts);
        assert_eq!(report.runs, 1);
    }
}

const TO_COMMIT: [Event; 5] = [
    ("RMPrepare", Some(0)),
    ("TMRcvPrepared", Some(0)),
    ("RMPrepare", Some(1)),
    ("TMRcvPrepared", Some(1)),
    ("TMCommit", None),
];

fn permutations(events: &[Event]) -> Vec<Vec<Event>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (position, first) in events.iter().enumerate() {
        let rest = [&events[..position], &events[position + 1..]].concat();
        all.extend(permutations(&rest).into_iter().map(|rest| [&[*first][..], &rest].concat()));
    }
    all
}

#[test]
fn of_every_order_of_five_steps_the_first_that_is_not_allowed_is_named() {
    let orders = permutations(&TO_COMMIT);
    assert_eq!(orders.len(), 120);
    let expected = orders.iter().map(|order| {
        let mut simulation = Simulation::new(2);
        for (number, event) in (1..).zip(order) {
            if !simulation.events().contains(event) {
                return format!("step 1, {number} of 5, {}", action(*event));
            }
            simulation.take(*event);
        }
        "conforms".to_owned()
    });
    let expected: Vec<String> = expected.collect();
    assert_eq!(expected.iter().filter(|told| *told == "conforms").count(), 6);
    let mut after = Simulation::new(2);
    TO_COMMIT.iter().for_each(|event| after.take(*event));
    for variables in [None, Some(after.variables())] {
        let traces = orders.iter().map(|order| {
            let step = SpecStep { action: sequence(order), variables: variables.clone() };
            SpecTrace { name: format!("{order:?}"), initial: None, steps: vec![step] }
        });
        let traces: Vec<SpecTrace> = traces.collect();
        for walk in [Walk::Events, Walk::States] {
            let report = check_walking(&two_phase(2), &traces, walk);
            let found = report.verdicts.iter().map(|verdict| match verdict {
                TraceVerdict::Conforms => "conforms".to_owned(),
                _ => told(rejected(verdict)),
            });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{walk:?}");
        }
    }
}

#[test]
fn a_step_that_is_not_allowed_within_a_composition_is_explained_by_the_state_before_it() {
    let wrong = [("RMPrepare", Some(0)), ("RMPrepare", Some(0)), ("TMAbort", None)];
    let report = check_in_private(&two_phase(2), &[composed("twice", 2, &[&wrong])]).unwrap();
    let rejection = rejected(&report.verdicts[0]);
    assert_eq!(told(rejection), "step 1, 2 of 3, RMPrepare(rm: rm1)");
    assert_eq!(rejection.reason, Reason::NotEnabled);
    assert_eq!(
        rejection.spec_state["rmState"].to_string(),
        "(rm1 :> \"prepared\" @@ rm2 :> \"working\")"
    );
    assert_eq!(rejection.false_parts[0].text, "rmState[r] = \"working\"");
    assert!(rejection.enabled.contains(&"TMRcvPrepared(rm: rm1)".to_owned()));
}

#[test]
fn a_composition_that_leads_elsewhere_is_explained_by_its_last_step() {
    let mut trace = composed("elsewhere", 2, &[&TO_COMMIT[..2], &TO_COMMIT[2..]]);
    let last = trace.steps[1].variables.as_mut().unwrap();
    last.insert("tmState".into(), "aborted".into());
    let report = check_in_private(&two_phase(2), &[trace]).unwrap();
    let rejection = rejected(&report.verdicts[0]);
    assert_eq!(told(rejection), "step 2, 3 of 3, TMCommit");
    let Reason::WrongState { differs } = &rejection.reason else { panic!("{rejection:?}") };
    assert_eq!(differs[0].variable, "tmState");
    assert_eq!(rejection.spec_state["tmPrepared"].to_string(), "{rm1, rm2}");
    assert_eq!(rejection.false_parts[0].text, "tmState' = \"committed\"");
}

#[test]
fn which_of_several_possibilities_it_was_is_settled_by_what_comes_later() {
    let [prepare, receive] = [TO_COMMIT[0], TO_COMMIT[1]].map(action);
    let either = || prepare.clone().or(prepare.clone().then(receive.clone()));
    let prepared = |managers: &[usize]| {
        let managers = managers.iter().map(|number| manager(*number));
        Some(BTreeMap::from([("tmPrepared".to_owned(), Value::set(managers))]))
    };
    let trace = |name: &str, steps: Vec<(SpecAction, Option<BTreeMap<String, Value>>)>| SpecTrace {
        name: name.to_owned(),
        initial: None,
        steps: steps
            .into_iter()
            .map(|(action, variables)| SpecStep { action, variables })
            .collect(),
    };
    let again = || SpecAction::named("RMPrepare").with("rm", manager(2));
    let traces = [
        trace("unknown", vec![(either(), None)]),
        trace("short", vec![(either(), prepared(&[]))]),
        trace("long", vec![(either(), None), (again(), prepared(&[1]))]),
        trace("neither", vec![(either(), prepared(&[2]))]),
        trace("changes", vec![(either(), prepared(&[])), (again(), prepared(&[1]))]),
        trace("nothing", vec![(SpecAction::Stutter.or(again()), prepared(&[])), (again(), None)]),
        trace("twice", vec![(again().then(either()), None), (either(), None)]),
    ];
    let report = check_in_private(&two_phase(2), &traces).unwrap();
    let conforms = |name: &str| ["unknown", "short", "long", "nothing"].contains(&name);
    for (trace, verdict) in traces.iter().zip(&report.verdicts) {
        assert_eq!(*verdict == TraceVerdict::Conforms, conforms(&trace.name), "{}", trace.name);
    }
    let told = |number: usize| told(rejected(&report.verdicts[number]));
    assert_eq!(told(3), "step 1, 2 of 2, TMRcvPrepared(rm: rm1)");
    assert_eq!(told(4), "step 2");
    assert_eq!(told(6), "step 2, 1 of 1, RMPrepare(rm: rm1)");
}

#[test]
fn an_action_that_the_specification_has_not_is_no_part_of_a_composition_either() {
    let steps = |last: SpecAction| {
        vec![SpecStep { action: action(TO_COMMIT[0]).then(last), variables: None }]
    };
    let trace =
        |name: &str, last| SpecTrace { name: name.to_owned(), initial: None, steps: steps(last) };
    let report = check_in_private(
        &two_phase(2),
        &[
            trace("unknown", SpecAction::named("Explode")),
            trace("arguments", SpecAction::named("RMPrepare").with("rm", 7.into())),
        ],
    );
    let verdicts = report.unwrap().verdicts;
    let [unknown, arguments] = [0, 1].map(|number| rejected(&verdicts[number]));
    assert_eq!(
        (told(unknown).as_str(), &unknown.reason),
        ("step 1, 2 of 2, Explode", &Reason::UnknownAction)
    );
    assert_eq!(arguments.reason, Reason::WrongArguments);
    let none = trace("none", SpecAction::OneOf(Vec::new()));
    let error = check_in_private(&two_phase(2), &[none]).unwrap_err();
    assert!(matches!(error, ConformError::NoAlternative { .. }), "{error}");
    assert!(error.to_string().contains("in step 1 of none"), "{error}");
    let either = || SpecAction::named("TMAbort").or(SpecAction::Stutter);
    let many = trace("many", SpecAction::Sequence((0..100).map(|_| either()).collect()));
    let error = check_in_private(&two_phase(2), &[many]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected at most 1000 sequences of actions that the step in step 1 of many may be, found \
         more; state it as several steps, or say in the mapping which of them it is"
    );
}

#[test]
fn an_invariant_of_the_specification_is_checked_between_the_steps_of_a_composition() {
    let mut spec = two_phase(2);
    let text = &mut spec.files[1].1;
    *text = text.replace("\n====", "\nNobodyWaits == tmPrepared = {}\n====");
    spec.invariants.push("NobodyWaits".to_owned());
    let report = check_in_private(&spec, &[composed("waits", 2, &[&TO_COMMIT])]).unwrap();
    let rejection = rejected(&report.verdicts[0]);
    assert_eq!(told(rejection), "step 1, 2 of 5, TMRcvPrepared(rm: rm1)");
    assert_eq!(rejection.reason, Reason::InvariantViolated { name: "NobodyWaits".to_owned() });
}

type Step = (usize, SpecAction, usize);

/// All that two-phase commit does where a manager's preparing and the hearing of it are one step.
fn graph_of_compositions(managers: usize) -> (SpecGraph, Vec<Step>) {
    let mut graph = SpecGraph::new(&two_phase(managers).variables);
    let first = Simulation::new(managers);
    let initial = graph.add_state(first.variables()).expect("all variables have values");
    graph.add_initial(initial);
    let (mut open, mut steps) = (vec![(initial, first)], Vec::new());
    while let Some((from, simulation)) = open.pop() {
        let events = simulation.events().into_iter();
        let heard = |(name, r): Event| match name {
            "RMPrepare" => vec![(name, r), ("TMRcvPrepared", r)],
            _ => vec![(name, r)],
        };
        for events in events.map(heard) {
            let mut next = simulation.clone();
            let is_possible = events.iter().all(|event| {
                let is_possible = next.events().contains(event);
                next.take(*event);
                is_possible
            });
            if !is_possible {
                continue;
            }
            let known = graph.states_count();
            let to = graph.add_state(next.variables()).expect("all variables have values");
            let action = if events.len() > 1 { sequence(&events) } else { action(events[0]) };
            steps.push((from, action, to));
            if to == known {
                open.push((to, next));
            }
        }
    }
    (graph, steps)
}

fn check_steps(
    mut graph: SpecGraph,
    spec: &Spec,
    steps: &[Step],
) -> (BTreeSet<(Step, bool)>, cadre_conform::GraphReport) {
    for (from, action, to) in steps {
        graph.add_step(*from, action.clone(), *to);
    }
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let (options, stop) = (Options::default(), Stop::new());
    let report = check_graph(spec, &graph, engine(), directory.path(), &options, &stop);
    let report = report.expect("TLC runs");
    let bad = report.bad_steps.iter().map(|bad| {
        let step = graph.steps()[bad.step];
        let is_unnamed = bad.fault == Fault::NotInNext;
        ((step.from, graph.action(step.action).clone(), step.to), is_unnamed)
    });
    (bad.collect(), report)
}

#[test]
fn a_graph_whose_steps_are_several_refines_the_specification_through_states_it_has_not() {
    let (graph, steps) = graph_of_compositions(3);
    let several = steps.iter().filter(|(_, action, _)| !action.is_single()).count();
    assert!(several > 10, "{several}");
    let (bad, report) = check_steps(graph, &two_phase(3), &steps);
    assert!(report.refines() && !report.is_covered(), "{bad:?}");
    assert_eq!(report.coverage["RMPrepare"].taken, 0);
    assert_eq!(report.coverage["RMPrepare"].within, several as u64);
    assert!(report.coverage["RMPrepare"].missing.is_some());
}

#[test]
fn every_composition_of_a_graph_that_is_not_one_of_the_specification_is_reported() {
    let (graph, steps) = graph_of_compositions(2);
    let mut expected = BTreeSet::new();
    let corrupted = steps.iter().enumerate().map(|(number, (from, step, to))| {
        let SpecAction::Sequence(parts) = step else {
            return (*from, step.clone(), *to);
        };
        let wrong = match number % 3 {
            // The wrong order, one too many, one too few.
            0 => parts[1].clone().then(parts[0].clone()),
            1 => step.clone().then(parts[0].clone()),
            _ => parts[0].clone(),
        };
        let step = (*from, wrong, *to);
        expected.insert((step.clone(), false));
        step
    });
    let corrupted: Vec<Step> = corrupted.collect();
    assert!(expected.len() > 3, "{expected:?}");
    let (bad, _) = check_steps(graph.clone(), &two_phase(2), &corrupted);
    assert_eq!(bad, expected);
    let (bad, _) = check_steps(graph, &two_phase(2), &steps);
    assert_eq!(bad, BTreeSet::new());
}

#[test]
fn a_composition_with_a_part_that_is_none_of_next_is_reported() {
    let (graph, steps) = graph_of_compositions(2);
    let mut spec = two_phase(2);
    let text = &mut spec.files[0].1;
    let without = text.replace("TMRcvPrepared(r) \\/ ", "").replace("\\/ TMRcvPrepared(r)", "");
    assert_ne!(*text, without);
    *text = without;
    let expected = steps.iter().filter(|(_, action, _)| !action.is_single());
    let expected: BTreeSet<(Step, bool)> = expected.map(|step| (step.clone(), true)).collect();
    let (bad, _) = check_steps(graph, &spec, &steps);
    assert_eq!(bad, expected);
}

#[test]
fn single_steps_need_no_more_of_tlc_than_they_did() {
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let traces = [trace("single", 2, &TO_COMMIT)];
    let (spec, options) = (two_phase(2), Options::default());
    cadre_conform::plan(&spec, &traces, engine(), directory.path(), &options)
        .expect("it is written");
    let module = directory.path().join("run-1/CadreTraces.tla");
    let text = std::fs::read_to_string(module).expect("it was written");
    assert!(!text.contains("cadrePart") && !text.contains("CadreWays"), "{text}");
}
