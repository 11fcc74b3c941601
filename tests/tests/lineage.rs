//! Lineage-driven fault injection by the command, and on every program of the library.

use cadre::lineage::{FaultSet, ScheduleHunt};
use cadre::trace::Trace;
use cadre::{Place, RoundsSetup};
use cadre_tests::Bench;
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn check(args: &str, expected: Expect) {
    expected.assert_eq(&bench().run(args).transcript());
}

#[test]
fn a_counterexample_is_drawn_explained_saved_and_replayed() {
    let bench = bench();
    let ran = bench.run("lineage simple-deliv --random 25");
    expect![[r#"
        lineage simple-deliv · EOT 4, EFF 2 (omissions in rounds t with 1 <= t < 2), crashes 0
        lineage  violated  2 runs, 32 calls of the program, the run without faults is good, T s
                 random    4.3 runs on average to find any, of 25 series

        violated  who has the payload is not alone
                  smallest: O(a,c,1)
         #  action                a      b      c   changed
         1  a timeout 1           ●      :      :   a.has false → true, +Payload→b,c
         2  drop Payload a→c      o─1────────✗  :
         3  time passes           :      :      :
         4  deliver Payload a→b   o─1───▶*      :   b.has false → true

        good     without faults c has the payload as a sends Payload in round 1
        faults   O(a,c,1) loses Payload, which a sends to c in round 1
        bad      b has the payload (a sends Payload in round 1)
                 c lacks the payload (no Payload from a by round 2)
        repair   if a sends Payload to c as well in round 2: tried, all holds
                 or b waits until it is sure of c: what is owed follows from that b has the payload

        saved    .cadre/traces/simple-deliv/who-has-the-payload-is-604834ee.ndjson
        replay   cadre replay .cadre/traces/simple-deliv/who-has-the-payload-is-604834ee.ndjson
        FAIL     who has the payload is not alone (exit 1)
        exit 1
    "#]]
    .assert_eq(&ran.transcript());
    let replay = ran.output.lines().find_map(|line| line.strip_prefix("replay   cadre "));
    let again = bench.run(replay.expect("a command to replay it"));
    expect![[r#"
        replaying .cadre/traces/simple-deliv/who-has-the-payload-is-604834ee.ndjson
        lineage  agrees    4 steps by the step function, with O(a,c,1)
        FAIL     violated again, who has the payload is not alone (exit 1)
        exit 1
    "#]]
    .assert_eq(&again.transcript());
    let saved = ran.output.lines().find_map(|line| line.strip_prefix("saved    "));
    let shown = bench.run(&format!("show {}", saved.expect("a saved trace")));
    assert_eq!(shown.code, Some(0), "{}", shown.output);
    assert!(shown.output.contains("drop Payload a→"), "{}", shown.output);
}

#[test]
fn a_trace_that_the_program_does_not_make_any_more_differs() {
    let bench = bench();
    let ran = bench.run("lineage simple-deliv --faults O(a,b,1)");
    let saved = ran.output.lines().find_map(|line| line.strip_prefix("saved    ")).unwrap();
    let mut trace = Trace::from_ndjson(&std::fs::read_to_string(bench.path().join(saved)).unwrap());
    let trace = trace.as_mut().unwrap();
    trace.header.setup.insert("faults".to_owned(), "O(a,c,1)".into());
    bench.write("other.ndjson", &trace.to_ndjson());
    let again = bench.run("replay other.ndjson");
    assert_eq!(again.code, Some(1), "{}", again.output);
    assert!(again.output.contains("lineage  differs   at step 2"), "{}", again.output);
}

#[test]
fn what_cannot_be_broken_is_certified_whichever_engine_is_asked() {
    check(
        "lineage redun-deliv --verify-complete",
        expect![[r#"
            lineage redun-deliv · EOT 6, EFF 3 (omissions in rounds t with 1 <= t < 3), crashes 0
            lineage  certified 7 runs, 86 calls of the program, all fault sets covered, T s
                     agrees    trying everything: no violation, 100 executions, 14 for each run above
                     certified who has the payload is not alone
            PASS     no admissible faults break a guarantee (exit 0)
            exit 0
        "#]],
    );
    check(
        "lineage redun-deliv --certify",
        expect![[r#"
        lineage redun-deliv · EOT 6, EFF 3 (omissions in rounds t with 1 <= t < 3), crashes 0
        lineage  certified unrolled: 22 local states, 46 local steps, all fault sets covered, T s
                 certified who has the payload is not alone
        PASS     no admissible faults break a guarantee (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn a_vacuous_baseline_gives_a_warning_and_no_certificate() {
    check(
        "lineage paxos-hasty",
        expect![[r#"
        lineage paxos-hasty · EOT 7, EFF 4 (omissions in rounds t with 1 <= t < 4), crashes 0
        lineage  vacuous   672 runs, 1 240 calls of the program, all fault sets covered, which means little, T s
                 warning   without faults nothing is asked by EOT 7 of `one value is chosen`; raise --eot
        VACUOUS  no certificate: without faults nothing is judged (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn all_minimal_counterexamples_are_listed() {
    let ran = bench().run("lineage classic-deliv --all");
    for faults in ["O(a,b,1) O(c,a,2) O(c,b,2)", "O(a,c,1) O(b,a,2) O(b,c,2)"] {
        assert!(ran.output.contains(faults), "{}", ran.output);
    }
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_hunt_finds_little_faults_in_few_runs_and_certifies_nothing() {
    let ran = bench().run("lineage classic-deliv --hunt");
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    check(
        "lineage 3pc --hunt",
        expect![[r#"
        lineage 3pc · EOT 9, EFF 7 (omissions in rounds t with 1 <= t < 7), crashes 1
        hunt     bounded   76 runs, 796 calls of the program, T s
        BOUNDED  nothing is left that takes away what supported good outcomes; no certificate (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn a_sweep_tells_the_smallest_parameters_that_break_a_program() {
    let ran = bench().run("lineage retry-deliv --sweep --crashes 1 --seconds 20");
    assert_eq!(ran.code, Some(1), "{}", ran.output);
    assert!(ran.output.contains("smallest EOT 3, EFF 2"), "{}", ran.output);
}

#[test]
fn the_size_is_told_without_a_run() {
    check(
        "lineage classic-deliv --dry-run",
        expect![[r#"
        lineage classic-deliv · EOT 5, EFF 3 (omissions in rounds t with 1 <= t < 3), crashes 0
        size               about 262 144 fault sets
        nodes    a, b, c
                 holds     who has the payload is not alone
        run      nothing: this was a dry run
        exit 0
    "#]],
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        ("lineage simple-deliv --eot 3 --eff 3", "EFF < EOT, found EOT 3 and EFF 3"),
        ("lineage simple-deliv --bug none-such", "simple-deliv has no bug `none-such`"),
        ("lineage none-such", "there is no program of rounds `none-such`"),
        (
            "lineage two-phase-commit --eot 5",
            "--eot is about rounds, and two-phase-commit has none",
        ),
        ("lineage simple-deliv --faults O(a,b,2)", "expected faults within EOT 4, EFF 2"),
        ("lineage simple-deliv --faults O(a,x,1)", "of the nodes a, b, c"),
        ("lineage", "required"),
    ];
    for (args, why) in cases {
        let ran = bench().run(args);
        assert_eq!(ran.code, Some(2), "{args}: {}", ran.output);
        assert!(ran.output.contains(why), "{args}: {}", ran.output);
    }
}

#[test]
fn a_page_shows_both_runs() {
    let bench = bench();
    let ran = bench.run("lineage retry-deliv --html page.html");
    assert!(ran.output.contains("report   page.html"), "{}", ran.output);
    let page = std::fs::read_to_string(bench.path().join("page.html")).unwrap();
    let is_page = page.to_lowercase().starts_with("<!doctype html>");
    assert!(is_page && page.contains("without faults"), "{page}");
}

/// The verdict and the size of the smallest counterexample in every row are as they are known.
#[test]
fn the_table_is_as_known() {
    let ran = bench().run("lineage --table");
    assert_eq!(ran.code, Some(0), "{}", ran.output);
    assert!(ran.output.contains("rows are as known"), "{}", ran.output);
}

/// What is told of a counterexample holds: its graphs are acyclic and in the order of time, what is
/// cut is cut by a fault, and the trace reads back.
#[test]
fn every_counterexample_of_the_library_is_accounted_for() {
    let suite = cadre_protocols::suite();
    let mut accounts = 0;
    for game in suite.rounds_games() {
        for known in game.known().into_iter().filter(|known| known.smallest.is_some()) {
            let setup = RoundsSetup { spec: known.spec, bug: known.bug.map(str::to_owned) };
            let mut rounds = game.begin(&setup).unwrap();
            let found = rounds.explain_and_block(cadre::lineage::Wanted::One, &mut |_| {
                std::ops::ControlFlow::Continue(())
            });
            let cadre::lineage::Verdict::Violated { counterexamples, .. } = found.unwrap().verdict
            else {
                unreachable!("{} is broken, as known", game.name())
            };
            let run = &counterexamples[0];
            let account = rounds.account(run, &game.origin(&setup)).unwrap();
            let name = format!("{} {}", game.name(), run.faults.text(rounds.names()));
            assert_eq!(account.faults.len(), run.faults.len(), "{name}");
            assert!(!account.needed.is_empty() && !account.outcome.is_empty(), "{name}");
            for graph in [&account.good_graph, &account.bad_graph, &account.difference] {
                assert!(graph.edges.iter().all(|edge| edge.from < edge.to), "{name}: {graph:?}");
                assert!(graph.vertices.len() > 1, "{name}");
            }
            for trace in [&account.good, &account.bad] {
                assert_eq!(Trace::from_ndjson(&trace.to_ndjson()).as_ref(), Ok(trace), "{name}");
                let (again, faults) = game.setup_of(&trace.header).unwrap();
                assert_eq!(again, setup, "{name}");
                assert!(FaultSet::parse(&faults, rounds.names()).is_ok(), "{name}");
            }
            accounts += 1;
        }
    }
    assert!(accounts > 15);
}

/// Beyond rounds: every bug of a step function is found in a fair schedule with few faults and
/// delays, and the same hunt finds nothing in its fixed twin.
#[test]
fn schedules_of_games_break_with_their_bugs_and_hold_without() {
    let suite = cadre_protocols::suite();
    let options = ScheduleHunt { deviations_max: 2, ..ScheduleHunt::default() };
    let mut found = 0;
    for game in suite.games() {
        let setup = game.setup(None, None).unwrap();
        let right = game.hunt(&setup, &options, &mut |_| true).unwrap();
        assert!(right.violation.is_none(), "{}: {:?}", game.name(), right.violation);
        for bug in game.bugs().iter().filter(|bug| bug.place == Place::Step) {
            let setup = game.setup(None, Some(bug.name)).unwrap();
            let hunted = game.hunt(&setup, &options, &mut |_| true).unwrap();
            let (trace, deviations) =
                hunted.violation.unwrap_or_else(|| unreachable!("{} is not found", bug.name));
            assert!(deviations.len() <= 2, "{deviations:?}");
            let again = game.reexecute(&trace).unwrap();
            assert_eq!(again.difference, None, "{}: {}", game.name(), bug.name);
            found += 1;
        }
    }
    assert!(found >= 8);
}
