//! Traces that each leave the specification in another way, and what is said of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::{Event, action, check_in_private, engine, manager, trace, two_phase};
use cadre_conform::{
    FalsePart, Options, Reason, Report, Spec, SpecAction, SpecStep, SpecTrace, TraceVerdict, check,
};
use cadre_process::{PrivateDirectory, Stop};
use cadre_tla::{Engine, Value};
use expect_test::{Expect, expect};

const PREPARE: [Event; 4] = [
    ("RMPrepare", Some(0)),
    ("TMRcvPrepared", Some(0)),
    ("RMPrepare", Some(1)),
    ("TMRcvPrepared", Some(1)),
];
const COMMIT: Event = ("TMCommit", None);
const ABORT: Event = ("TMAbort", None);

/// A trace that is right up to its last event, of which no state is logged.
fn refused(name: &str, before: &[Event], event: Event) -> SpecTrace {
    let mut trace = trace(name, 2, before);
    trace.steps.push(SpecStep { action: action(event), variables: None });
    trace
}

/// A trace that is right but for one variable after its last event.
fn altered(name: &str, events: &[Event], variable: &str, value: Value) -> SpecTrace {
    let mut trace = trace(name, 2, events);
    let variables = match trace.steps.last_mut() {
        Some(last) => last.variables.as_mut(),
        None => trace.initial.as_mut(),
    };
    variables.expect("all variables are logged").insert(variable.into(), value);
    trace
}

fn named(name: &str, action: SpecAction) -> SpecTrace {
    let mut trace = trace(name, 2, &[]);
    trace.steps.push(SpecStep { action, variables: None });
    trace
}

fn message(kind: &str) -> Value {
    Value::record([("type", kind.into())])
}

fn states(first: &str, second: &str) -> Value {
    Value::function([(manager(1), first.into()), (manager(2), second.into())])
}

/// A trace that stays where it is but for one variable.
fn stuttering(name: &str) -> SpecTrace {
    let mut trace = trace(name, 2, &[ABORT]);
    let mut variables = trace.steps[0].variables.clone().expect("all variables are logged");
    variables.insert("tmPrepared".into(), Value::set([manager(1)]));
    trace.steps.push(SpecStep { action: SpecAction::Stutter, variables: Some(variables) });
    trace
}

/// A trace of which only one variable is known, and that in one step.
fn partial(name: &str, events: &[Event], variable: &str, value: Value) -> SpecTrace {
    let mut trace = altered(name, events, variable, value);
    trace.initial = None;
    let last = trace.steps.len() - 1;
    for (position, step) in trace.steps.iter_mut().enumerate() {
        match step.variables.as_mut().filter(|_| position == last) {
            Some(variables) => variables.retain(|name, _| name == variable),
            None => step.variables = None,
        }
    }
    trace
}

pub(crate) fn divergences() -> Vec<SpecTrace> {
    let prepared = &PREPARE[..1];
    let committed = [&PREPARE[..], &[COMMIT]].concat();
    let second_unheard = [PREPARE[0], PREPARE[1], PREPARE[2]];
    let told = [&committed[..], &[("RMRcvCommitMsg", Some(1))]].concat();
    vec![
        refused("a commit too early", prepared, COMMIT),
        refused("a message before it was sent", &[], ("TMRcvPrepared", Some(0))),
        refused("a decision before it was taken", &PREPARE, ("RMRcvCommitMsg", Some(1))),
        refused("a missing step", &second_unheard, COMMIT),
        refused("an extra step", prepared, ("RMPrepare", Some(0))),
        refused("reordered steps", prepared, ("RMChooseToAbort", Some(0))),
        refused("a second decision", &committed, ABORT),
        refused("the other decision", &committed, ("RMRcvAbortMsg", Some(0))),
        altered("a wrong initial value", &[], "tmState", "aborted".into()),
        altered("a message at the beginning", &[], "msgs", Value::set([message("Abort")])),
        named("an undeclared action", SpecAction::named("RMRepair").with("rm", manager(1))),
        named("an argument outside", SpecAction::named("RMPrepare").with("rm", manager(9))),
        named("an argument missing", SpecAction::named("RMPrepare")),
        altered("a wrong value", &[ABORT], "tmState", "committed".into()),
        altered("a wrong element", prepared, "rmState", states("prepared", "prepared")),
        altered("a change that is none", prepared, "tmState", "aborted".into()),
        altered("a message not sent", prepared, "msgs", Value::set([])),
        altered("a value of another type", &[ABORT], "tmState", 7.into()),
        altered("a set that is none", &PREPARE[..2], "tmPrepared", "rm1".into()),
        stuttering("a stutter that is none"),
        partial("one variable alone", &PREPARE, "tmPrepared", Value::set([manager(2)])),
        trace("an invariant of the specification", 2, &told),
    ]
}

/// Says of each divergence what an engine finds.
pub(crate) fn check_divergences(traces: &[SpecTrace], engine: &dyn Engine) -> Report {
    let mut spec = two_phase(2);
    let claim = "NobodyCommits == \\A r \\in RM : rmState[r] # \"committed\"\n====";
    let module = &mut spec.files[1].1;
    let end = module.find("\n====").expect("the module ends");
    module.replace_range(end.., &format!("\n{claim}\n"));
    spec.invariants.push("NobodyCommits".into());
    let directory = PrivateDirectory::new("conform-test").expect("a directory is created");
    let options = Options { diagnosed_max: traces.len(), ..Options::default() };
    check(&spec, traces, engine, directory.path(), &options, &Stop::new()).expect("verdicts")
}

#[test]
fn each_divergence_is_reported_with_its_step_its_action_and_the_part_that_is_false() {
    let traces = divergences();
    let report = check_divergences(&traces, engine());
    let mut told = String::new();
    for (trace, verdict) in traces.iter().zip(&report.verdicts) {
        let _ = writeln!(told, "{}", trace.name);
        tell(&mut told, trace, verdict);
    }
    // One run walks the traces; of the others one asks why, and two meet with values that TLC does
    // not compare.
    let _ = writeln!(told, "{} runs", report.runs);
    expected().assert_eq(&told);
}

fn tell(told: &mut String, trace: &SpecTrace, verdict: &TraceVerdict) {
    let TraceVerdict::Rejected(rejection) = verdict else { panic!("{}: {verdict:?}", trace.name) };
    let step = trace.steps.get(rejection.step.wrapping_sub(1));
    let action = step.map_or("initial state".to_owned(), |step| step.action.to_string());
    let reason = match &rejection.reason {
        Reason::WrongState { differs } | Reason::WrongInitial { differs } => {
            let differs = differs.iter().map(|differs| differs.variable.as_str());
            format!("other {}", differs.collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    };
    let _ = writeln!(told, "  step {}, {action}: {reason}", rejection.step);
    for part in &rejection.false_parts {
        tell_part(told, part);
    }
    let _ = writeln!(told, "  {} enabled", rejection.enabled.len());
}

fn tell_part(told: &mut String, part: &FalsePart) {
    let place = part.place.as_ref().map(|(file, line)| format!(", {file} {line}"));
    let is = if part.error.is_some() { "unknown" } else { "false" };
    let _ =
        writeln!(told, "  {is}: {} ({}{})", part.text, part.operator, place.unwrap_or_default());
    let values: BTreeMap<_, _> = part.values.iter().map(|(name, value)| (name, value)).collect();
    for (name, value) in values {
        let _ = writeln!(told, "    {name} = {value}");
    }
}

fn expected() -> Expect {
    expect![[r#"
        a commit too early
          step 2, TMCommit: NotEnabled
          false: tmPrepared = RM (TMCommit, TwoPhase.tla 56)
            RM = {rm1, rm2}
            tmPrepared = {}
          4 enabled
        a message before it was sent
          step 1, TMRcvPrepared(rm: rm1): NotEnabled
          false: Prepared(r) \in msgs (TMRcvPrepared, TwoPhase.tla 49)
            Prepared(r) = [rm |-> rm1, type |-> "Prepared"]
            msgs = {}
            r = rm1
          5 enabled
        a decision before it was taken
          step 5, RMRcvCommitMsg(rm: rm2): NotEnabled
          false: Commit \in msgs (RMRcvCommitMsg, TwoPhase.tla 89)
            Commit = [type |-> "Commit"]
            msgs = {[rm |-> rm1, type |-> "Prepared"], [rm |-> rm2, type |-> "Prepared"]}
          4 enabled
        a missing step
          step 4, TMCommit: NotEnabled
          false: tmPrepared = RM (TMCommit, TwoPhase.tla 56)
            RM = {rm1, rm2}
            tmPrepared = {rm1}
          3 enabled
        an extra step
          step 2, RMPrepare(rm: rm1): NotEnabled
          false: rmState[r] = "working" (RMPrepare, TwoPhase.tla 73)
            r = rm1
            rmState[r] = "prepared"
          4 enabled
        reordered steps
          step 2, RMChooseToAbort(rm: rm1): NotEnabled
          false: rmState[r] = "working" (RMChooseToAbort, TwoPhase.tla 81)
            r = rm1
            rmState[r] = "prepared"
          4 enabled
        a second decision
          step 6, TMAbort: NotEnabled
          false: tmState = "init" (TMAbort, TwoPhase.tla 63)
            tmState = "committed"
          2 enabled
        the other decision
          step 6, RMRcvAbortMsg(rm: rm1): NotEnabled
          false: Abort \in msgs (RMRcvAbortMsg, TwoPhase.tla 94)
            Abort = [type |-> "Abort"]
            msgs = {[rm |-> rm1, type |-> "Prepared"], [rm |-> rm2, type |-> "Prepared"], [type |-> "Commit"]}
          2 enabled
        a wrong initial value
          step 0, initial state: other tmState
          false: tmState = "init" (Init, TwoPhase.tla 38)
            tmState = "aborted"
          0 enabled
        a message at the beginning
          step 0, initial state: other msgs
          false: msgs = {} (Init, TwoPhase.tla 40)
            msgs = {[type |-> "Abort"]}
          0 enabled
        an undeclared action
          step 1, RMRepair(rm: rm1): UnknownAction
          false: e.name \in DOMAIN TraceArguments (TraceEvent, TraceTwoPhase.tla 56)
            e = [args |-> [rm |-> rm1], name |-> "RMRepair"]
            e.name = "RMRepair"
          5 enabled
        an argument outside
          step 1, RMPrepare(rm: rm9): WrongArguments
          false: e.args \in TraceArguments[e.name] (TraceEvent, TraceTwoPhase.tla 57)
            e = [args |-> [rm |-> rm9], name |-> "RMPrepare"]
            e.args = [rm |-> rm9]
          5 enabled
        an argument missing
          step 1, RMPrepare: WrongArguments
          false: e.args \in TraceArguments[e.name] (TraceEvent, TraceTwoPhase.tla 57)
            e = [args |-> <<>>, name |-> "RMPrepare"]
            e.args = <<>>
          5 enabled
        a wrong value
          step 1, TMAbort: other tmState
          false: tmState' = "aborted" (TMAbort, TwoPhase.tla 64)
            tmState' = "committed"
          5 enabled
        a wrong element
          step 1, RMPrepare(rm: rm1): other rmState
          false: rmState' = [rmState EXCEPT ![r] = "prepared"] (RMPrepare, TwoPhase.tla 74)
            [rmState EXCEPT ![r] = "prepared"] = (rm1 :> "prepared" @@ rm2 :> "working")
            r = rm1
            rmState = (rm1 :> "working" @@ rm2 :> "working")
            rmState' = (rm1 :> "prepared" @@ rm2 :> "prepared")
          5 enabled
        a change that is none
          step 1, RMPrepare(rm: rm1): other tmState
          false: UNCHANGED <<tmState, tmPrepared>> (RMPrepare, TwoPhase.tla 76)
            tmState = "init"
            tmState' = "aborted"
          5 enabled
        a message not sent
          step 1, RMPrepare(rm: rm1): other msgs
          false: msgs' = msgs \cup {Prepared(r)} (RMPrepare, TwoPhase.tla 75)
            msgs = {}
            msgs \cup {Prepared(r)} = {[rm |-> rm1, type |-> "Prepared"]}
            msgs' = {}
            r = rm1
          5 enabled
        a value of another type
          step 1, TMAbort: other tmState
          unknown: tmState' = "aborted" (TMAbort, TwoPhase.tla 64)
            tmState' = 7
          5 enabled
        a set that is none
          step 2, TMRcvPrepared(rm: rm1): other tmPrepared
          unknown: tmPrepared' = tmPrepared \cup {r} (TMRcvPrepared, TwoPhase.tla 50)
            tmPrepared = {}
            tmPrepared' = "rm1"
          4 enabled
        a stutter that is none
          step 2, stutter: other tmPrepared
          false: UNCHANGED <<tmPrepared>> (stuttering)
            tmPrepared = {}
            tmPrepared' = {rm1}
          6 enabled
        one variable alone
          step 4, TMRcvPrepared(rm: rm2): other tmPrepared
          false: tmPrepared' = tmPrepared \cup {r} (TMRcvPrepared, TwoPhase.tla 50)
            r = rm2
            tmPrepared = {rm1}
            tmPrepared \cup {r} = {rm1, rm2}
            tmPrepared' = {rm2}
          3 enabled
        an invariant of the specification
          step 6, RMRcvCommitMsg(rm: rm2): InvariantViolated { name: "NobodyCommits" }
          false: rmState[r] # "committed" (NobodyCommits, TraceTwoPhase.tla 66)
            r = rm2
            rmState[r] = "committed"
          0 enabled
        4 runs
    "#]]
}

/// Actions of every structure that is taken apart.
const STRUCTURES: &str = "
EXTENDS Integers
VARIABLES x, y
TraceInit == x = 0 /\\ y = {1, 2}
Bound(n) == \\E k \\in y :
    /\\ k < n
    /\\ \\/ /\\ k = n - 1   \\* the nearest one
          /\\ x' = k
       \\/ k > 100
    /\\ y' = y
Defined(n) ==
    LET twice == n + n
        Next(m) == m + 1
    IN  /\\ IF n > 2 THEN x = twice ELSE x = Next(twice)
        /\\ UNCHANGED <<x, y>>
Guard(Op(_)) == Op(x) /\\ UNCHANGED <<x, y>>
Guarded(n) == n > 1 /\\ (x > 5 => n > 0) /\\ Guard(LAMBDA m : m > n)
Together == x' = 1 /\\ x' = 2 /\\ y' = y
TraceArguments == [Bound |-> [n : 0..9], Defined |-> [n : 0..9], Guarded |-> [n : 0..9],
                   Together |-> {<<>>}]
TraceEvent(e) ==
    /\\ e.name \\in DOMAIN TraceArguments
    /\\ e.args \\in TraceArguments[e.name]
    /\\ \\/ e.name = \"Bound\" /\\ Bound(e.args.n)
       \\/ e.name = \"Defined\" /\\ Defined(e.args.n)
       \\/ e.name = \"Guarded\" /\\ Guarded(e.args.n)
       \\/ e.name = \"Together\" /\\ Together
";

#[test]
fn formulas_of_every_structure_are_taken_apart() {
    let module = format!("---- MODULE TraceStructures ----{STRUCTURES}====\n");
    let spec = Spec::new("Structures").module("TraceStructures", module).variables(["x", "y"]);
    let trace = |action: SpecAction| SpecTrace {
        name: action.to_string(),
        initial: None,
        steps: vec![SpecStep { action, variables: None }],
    };
    let with = |name: &str, n: i32| trace(SpecAction::named(name).with("n", n.into()));
    let traces = [
        with("Bound", 5),
        with("Bound", 1),
        with("Defined", 3),
        with("Defined", 2),
        with("Guarded", 2),
        trace(SpecAction::named("Together")),
    ];
    let report = check_in_private(&spec, &traces).unwrap();
    let mut told = String::new();
    for (trace, verdict) in traces.iter().zip(&report.verdicts) {
        let _ = writeln!(told, "{}", trace.name);
        tell(&mut told, trace, verdict);
    }
    expect![[r#"
        Bound(n: 5)
          step 1, Bound(n: 5): NotEnabled
          false: k = n - 1 (Bound, TraceStructures.tla 7)
            k = 1
            n = 5
            n - 1 = 4
          2 enabled
        Bound(n: 1)
          step 1, Bound(n: 1): NotEnabled
          false: k < n (Bound, TraceStructures.tla 6)
            k = 1
            n = 1
          2 enabled
        Defined(n: 3)
          step 1, Defined(n: 3): NotEnabled
          false: x = twice (Defined, TraceStructures.tla 14)
            twice = 6
            x = 0
          2 enabled
        Defined(n: 2)
          step 1, Defined(n: 2): NotEnabled
          false: x = Next(twice) (Defined, TraceStructures.tla 14)
            Next(twice) = 5
            x = 0
          2 enabled
        Guarded(n: 2)
          step 1, Guarded(n: 2): NotEnabled
          false: Op(x) (Guard, TraceStructures.tla 16)
            x = 0
          2 enabled
        Together
          step 1, Together: NotEnabled
          2 enabled
    "#]]
    .assert_eq(&told);
}
