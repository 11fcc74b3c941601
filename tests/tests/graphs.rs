//! Whole graphs of the library's games against their specifications.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::AnyGame;
use cadre::conform::{
    self, ConformError, Fault, GraphBound, GraphBounds, GraphReport, ModelOptions, Options, Spec,
    SpecModel,
};
use cadre::process::Stop;
use cadre::tla::Find;
use cadre::{GameGraph, Setup, Suite};
use cadre_tests::Bench;
use expect_test::{Expect, expect};

/// What TLC says about the graph of a game; `change` may change the specification.
fn check(
    graph: &GameGraph<'_>,
    game: &dyn AnyGame,
    setup: &Setup,
    change: impl Fn(&mut Spec),
) -> Result<GraphReport, ConformError> {
    let mut spec = game.spec(setup).unwrap();
    change(&mut spec);
    check_with(&Options::default(), graph, &spec)
}

fn check_with(
    options: &Options,
    graph: &GameGraph<'_>,
    spec: &Spec,
) -> Result<GraphReport, ConformError> {
    let stop = Stop::new();
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &stop).unwrap();
    let directory = tempfile::tempdir().unwrap();
    conform::check_graph(spec, &graph.mapped.graph, &tlc, directory.path(), options, &stop)
}

fn setup_of(suite: &Suite, game: &str, bug: Option<&str>) -> Setup {
    suite.find(game).unwrap().setup(None, bug).unwrap()
}

/// Changes a part of a module, which must be there.
fn replace(spec: &mut Spec, file: &str, part: &str, by: &str) {
    let (_, text) = spec.files.iter_mut().find(|(name, _)| name == file).unwrap();
    assert!(text.contains(part), "{file} has no {part}");
    *text = text.replacen(part, by, 1);
}

fn everything(_: u64, _: u64) -> bool {
    true
}

#[test]
fn the_graphs_of_the_games_refine_their_specifications_and_lack_only_what_budgets_forbid() {
    let suite = cadre_protocols::suite();
    for (name, partly) in
        [("two-phase-commit", None), ("disk-store", Some("PowerLoss")), ("primary-backup", None)]
    {
        let (game, setup) = (suite.find(name).unwrap(), setup_of(&suite, name, None));
        let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
        let report = check(&graph, game, &setup, |_| {}).unwrap();
        assert!(report.refines(), "{name}");
        // What the specification allows and the game lacks takes a second run to name.
        let runs = if partly.is_none() { 1 } else { 2 };
        assert_eq!((report.tlc.runs, graph.mapped.bound), (runs, None), "{name}");
        assert_eq!(report.is_covered(), partly.is_none(), "{name}");
        let lacking = report.coverage.iter().filter(|(_, action)| action.missing.is_some());
        assert_eq!(lacking.map(|(name, _)| name.as_str()).next(), partly, "{name}");
    }
}

#[test]
fn a_graph_that_is_equal_to_the_specification_has_the_states_that_tlc_counts() {
    let suite = cadre_protocols::suite();
    for (name, expected) in [("two-phase-commit", Some(8 + 64 + 216)), ("primary-backup", None)] {
        let (game, setup) = (suite.find(name).unwrap(), setup_of(&suite, name, None));
        let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
        let counted = distinct_states(&game.spec(&setup).unwrap());
        let states = graph.mapped.graph.states_count() as u64;
        assert_eq!(states, counted, "{name}");
        assert_eq!(expected.unwrap_or(states), states, "{name}");
    }
}

/// How many states TLC finds by exploring the specification itself.
fn distinct_states(spec: &Spec) -> u64 {
    let model = SpecModel {
        module: format!("MC{}", spec.name),
        files: spec.files.clone(),
        constants: spec.constants.clone(),
        specification: "Spec".to_owned(),
        invariants: Vec::new(),
        properties: Vec::new(),
        deadlock: false,
    };
    let stop = Stop::new();
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &stop).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let options = ModelOptions::default();
    conform::check_model(&model, &tlc, directory.path(), &options, &stop).unwrap().distinct
}

#[test]
fn every_seeded_bug_is_a_step_that_the_specification_has_not() {
    let suite = cadre_protocols::suite();
    for (name, bug, steps) in [
        ("two-phase-commit", "early-commit", 3),
        ("two-phase-commit", "late-abort", 2),
        ("disk-store", "acknowledges-before-sync", 1),
        ("disk-store", "answers-past-the-sync", 3),
        ("disk-store", "reads-before-sync", 2),
        ("primary-backup", "acknowledges-before-copy", 1),
        ("primary-backup", "reads-alone", 4),
        ("primary-backup", "confirms-after-takeover", 3),
    ] {
        let (game, setup) = (suite.find(name).unwrap(), setup_of(&suite, name, Some(bug)));
        let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
        let report = check(&graph, game, &setup, |_| {}).unwrap();
        let first = report.bad_steps.first().unwrap();
        assert_eq!(graph.trace_to_step(first.step).unwrap().steps.len(), steps, "{bug}");
    }
}

#[test]
fn an_action_that_the_specification_has_forgotten_is_found_as_a_step_of_the_game() {
    let suite = cadre_protocols::suite();
    let (game, setup) =
        (suite.find("two-phase-commit").unwrap(), setup_of(&suite, "two-phase-commit", None));
    let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
    let report = check(&graph, game, &setup, |spec| {
        replace(spec, "TwoPhase.tla", "        \\/ RMChooseToAbort(r)\n", "");
    });
    // Once an abort was sent, a resource manager that works gets to the same state by obeying it.
    let faults: Vec<Fault> = report.unwrap().bad_steps.into_iter().map(|bad| bad.fault).collect();
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|fault| *fault == Fault::NotInNext), "{faults:?}");
}

#[test]
fn each_of_a_hundred_steps_that_were_made_up_is_reported_and_nothing_else() {
    let suite = cadre_protocols::suite();
    let (game, setup) =
        (suite.find("two-phase-commit").unwrap(), setup_of(&suite, "two-phase-commit", None));
    let mut graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
    let graph_of_spec = &mut graph.mapped.graph;
    let states = graph_of_spec.states_count();
    let mut made_up = Vec::new();
    // From every second state to the one a few places before it, by the action of some step.
    for from in (10..states).step_by(2).take(100) {
        let (to, action) = (from - 1 - from % 7, graph_of_spec.steps()[from].action);
        let action = graph_of_spec.action(action).clone();
        made_up.extend(graph_of_spec.add_step(from, action, to));
    }
    assert_eq!(made_up.len(), 100);
    let report = check(&graph, game, &setup, |_| {}).unwrap();
    let reported: Vec<usize> = report.bad_steps.iter().map(|bad| bad.step).collect();
    assert_eq!(reported, made_up);
}

#[test]
fn a_graph_in_several_runs_has_the_verdict_of_one_run() {
    let suite = cadre_protocols::suite();
    let (game, setup) = (suite.find("disk-store").unwrap(), setup_of(&suite, "disk-store", None));
    let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
    let whole = check(&graph, game, &setup, |_| {}).unwrap();
    let options = Options { states_per_run_max: 400, ..Options::default() };
    let parts = check_with(&options, &graph, &game.spec(&setup).unwrap()).unwrap();
    // In one portion it is looked at quickly before it is looked at thoroughly.
    assert_eq!((whole.tlc.runs, parts.tlc.runs), (2, 2));
    assert_eq!((parts.refines(), &parts.coverage), (true, &whole.coverage));
    assert_eq!(parts.next_allowed, whole.next_allowed);
}

#[test]
fn a_trace_module_that_takes_anything_is_a_failure_of_the_tool_chain() {
    let suite = cadre_protocols::suite();
    let (game, setup) =
        (suite.find("two-phase-commit").unwrap(), setup_of(&suite, "two-phase-commit", None));
    let graph = game.graph(&setup, GraphBounds::default(), &mut everything).unwrap();
    let report = check(&graph, game, &setup, |spec| {
        let guard = "    /\\ e.name \\in DOMAIN TraceArguments\n    \
                     /\\ e.args \\in TraceArguments[e.name]\n    /\\ \\/ IsTMRcvPrepared(e)";
        replace(spec, "TraceTwoPhase.tla", guard, "    /\\ \\/ TMAbort");
    });
    assert!(matches!(report, Err(ConformError::Vacuous { .. })), "{report:?}");
}

#[test]
fn what_a_bound_leaves_out_is_neither_wrong_nor_missing() {
    let suite = cadre_protocols::suite();
    let (game, setup) =
        (suite.find("two-phase-commit").unwrap(), setup_of(&suite, "two-phase-commit", None));
    let bounds = GraphBounds { depth_max: Some(4), configurations_max: None };
    let graph = game.graph(&setup, bounds, &mut everything).unwrap();
    assert_eq!(graph.mapped.bound, Some(GraphBound::Depth(4)));
    let report = check(&graph, game, &setup, |_| {}).unwrap();
    assert!(report.refines() && report.is_covered());
}

#[test]
fn the_command_says_what_is_taken_and_draws_what_is_wrong() {
    transcript(
        "conform --graph disk-store",
        expect![[r#"
        conforming the whole graph of disk-store · 3 writers
        graph    seen      5 745 configurations, depth 9, are 712 states and 1 109 steps of DiskStore, T s
        conform  conforms  every state and every step against DiskStore, TLC 2.15, 2 runs, T s
                 taken     Get: all 374
                 partly    PowerLoss: 179 of 293, the first not taken is PowerLoss
                 taken     Put: all 263
                 taken     SyncDone: all 293
        PASS     every step is one of DiskStore, which allows more (exit 0)
        exit 0
    "#]],
    );
    transcript(
        "conform --graph two-phase-commit --bug late-abort",
        expect![[r#"
            conforming the whole graph of two-phase-commit · 3 resource managers · bug late-abort
            graph    seen      459 configurations, depth 11, are 459 states and 1 709 steps of TwoPhase, T s
            conform  rejected  459 of 1 709 steps against TwoPhase, TLC 2.15, 2 runs, T s
                     shortest: step 2, rm1 chooses Abort: the spec does not allow RMChooseToAbort here: rmState[r] = "working" is false
            false    rmState[r] = "working" (RMChooseToAbort in TwoPhase.tla, line 81): r = rm1, rmState[r] = "prepared"
            state    msgs = {[rm |-> rm1, type |-> "Prepared"]}, rmState = (rm1 :> "prepared" @@ rm2 :> "working" @@ rm3 :> "working"), tmPrepared = {}, tmState = "init"
            enabled  RMChooseToAbort(rm: rm2), RMChooseToAbort(rm: rm3), RMPrepare(rm: rm2), RMPrepare(rm: rm3), TMAbort, TMRcvPrepared(rm: rm1)
            after    rmState = (rm1 :> "aborted" @@ rm2 :> "working" @@ rm3 :> "working")

            violated  every step is one of TwoPhase            shortest, 2 steps

             #  action                tm    rm1    rm2    rm3  changed
             1  rm1 chooses Prepare   :      ●      :      :   rm1 working → prepared, +Prepared→tm, disk state
             2  rm1 chooses Abort     :      *      :      :   rm1 prepared → aborted, disk state

            because  at 2, rm1 went to aborted of its own accord (Abort);
                     every step is one of TwoPhase was judged on rm1 = aborted.

            saved    .cadre/traces/two-phase-commit/graph-eb1b6770.ndjson
            replay   cadre replay .cadre/traces/two-phase-commit/graph-eb1b6770.ndjson
            logs     .cadre/runs/conform-1
            FAIL     two-phase-commit does what TwoPhase does not (exit 1)
            exit 1
        "#]],
    );
    transcript(
        "conform --graph two-phase-commit --depth 4",
        expect![[r#"
        conforming the whole graph of two-phase-commit · 3 resource managers
        graph    bounded   stopped at depth 4: 67 configurations, depth 4, are 67 states and 151 steps of TwoPhase, T s
        conform  conforms  every state and every step against TwoPhase, TLC 2.15, 1 run, T s
                 taken     RMChooseToAbort: all 48
                 taken     RMPrepare: all 48
                 taken     RMRcvAbortMsg: all 18
                 taken     TMAbort: all 22
                 taken     TMRcvPrepared: all 15
        BOUNDED  every step that was seen is one of TwoPhase, but not all were seen (exit 3)
        exit 3
    "#]],
    );
}

fn transcript(args: &str, expected: Expect) {
    let bench = Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"));
    let ran = bench.run(args);
    let lines = ran.output.lines().filter(|line| !line.contains("installing"));
    let shown: String = lines.map(|line| format!("{line}\n")).collect();
    expected.assert_eq(&format!("{shown}exit {}\n", ran.code.unwrap_or(-1)));
}
