//! How a search is set up from the command line, and what is said of what it tried.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use cadre::explore::{Bounds, Flow, Settings};
use cadre::model::Coverage;
use cadre_tests::Bench;
use expect_test::{Expect, expect};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn check(args: &str, expected: Expect) {
    let ran = bench().run(args);
    expected.assert_eq(&ran.transcript());
}

#[test]
fn a_search_that_needs_more_memory_than_it_may_have_is_bounded() {
    let ran = bench().run("explore two-phase-commit --nodes 9 --memory 8M");
    assert!(ran.output.contains("bounded   stopped at the most memory, 8 M: "), "{}", ran.output);
    assert!(!ran.output.contains("holds"), "{}", ran.output);
    assert_eq!(ran.code, Some(3));
    check(
        "explore two-phase-commit --memory 1",
        expect![[r#"
        exploring two-phase-commit · 3 resource managers
        explore  bounded   stopped at the most memory, 1 B: 1 distinct configurations, depth 1, T s at R /s, omission < 2e-32
                 bounded   every step returns
                 bounded   no two resource managers decide differently
                 bounded   once nothing can happen any more, all have decided
                 bounded   all can commit
                 executed  0 transitions
        BOUNDED  nothing was found, but not everything was seen (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn a_search_that_may_spill_gets_further_with_the_same_memory_and_leaves_nothing() {
    let bench = bench();
    let args = "explore two-phase-commit --nodes 8 --memory 80M";
    let short = bench.run(args);
    let advice = "most of it is what waits: with --spill DIR that waits in files";
    assert!(short.output.contains(advice), "{}", short.output);
    assert_eq!(short.code, Some(3));
    let spilled = bench.run(&format!("{args} --spill away"));
    assert_eq!(spilled.code, Some(0), "{}", spilled.output);
    let line = spilled.output.lines().nth(1).unwrap();
    assert!(line.ends_with(" M") && line.contains("omission < 8e-20, spilled "), "{line}");
    assert_eq!(entries(&bench, "away"), 0);

    let whole = bench.run("explore two-phase-commit --nodes 8");
    assert_eq!(line.split(", spilled ").next(), whole.output.lines().nth(1));
}

#[test]
fn a_search_that_spills_and_is_interrupted_leaves_nothing() {
    let bench = bench();
    let ran = bench.interrupt("explore two-phase-commit --nodes 10 --memory 200M --spill away");
    assert!(ran.output.contains("bounded   interrupted: "), "{}", ran.output);
    assert_eq!((ran.code, entries(&bench, "away")), (Some(3), 0));
}

/// How many files and directories there are in a directory.
fn entries(bench: &Bench, directory: &str) -> usize {
    std::fs::read_dir(bench.path().join(directory)).unwrap().count()
}

#[test]
fn a_place_to_spill_to_that_is_none_is_told_so() {
    let bench = bench();
    bench.write("file", "");
    let ran = bench.run("explore two-phase-commit --spill file");
    let told = "error: expected a directory to spill to, found file: it is no directory";
    assert!(ran.output.contains(told), "{}", ran.output);
    assert_eq!(ran.code, Some(4));
}

#[test]
fn a_memory_that_is_no_size_is_a_usage_error() {
    check(
        "explore two-phase-commit --memory lots",
        expect![[r#"
        error: invalid value 'lots' for '--memory <SIZE>': expected a size such as 500M or 8G, found `lots`

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        "check two-phase-commit --memory 8X",
        expect![[r#"
        error: invalid value '8X' for '--memory <SIZE>': expected a size such as 500M or 8G, found `8X`

        For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn workers_and_reductions_change_no_verdict() {
    let usual = bench().run("explore two-phase-commit --nodes 5");
    for args in [
        "--workers 1",
        "--workers 3 --without dominance",
        "--without sleep-sets",
        "--workers 2 --without sleep-sets --without dominance",
    ] {
        let ran = bench().run(&format!("explore two-phase-commit --nodes 5 {args}"));
        let but_transitions = |output: &str| {
            let lines = output.lines().filter(|line| !line.contains("executed"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(but_transitions(&ran.output), but_transitions(&usual.output), "{args}");
        let executed =
            |output: &str| output.lines().find(|line| line.contains("executed")).map(str::to_owned);
        let is_reduced = !args.contains("sleep-sets");
        assert_eq!(executed(&ran.output) == executed(&usual.output), is_reduced, "{args}");
        assert_eq!(ran.code, Some(0));
    }
    check(
        "explore two-phase-commit --workers 0",
        expect![[r#"
        error: invalid value '0' for '--workers <N>': number would be zero for non-zero type

        For more information, try '--help'.
        exit 2
    "#]],
    );
    check(
        "explore two-phase-commit --without sleep",
        expect![[r#"
        error: invalid value 'sleep' for '--without <REDUCTION>'
          [possible values: sleep-sets, dominance]

          tip: a similar value exists: 'sleep-sets'

        For more information, try '--help'.
        exit 2
    "#]],
    );
}

#[test]
fn an_interrupted_check_is_bounded_and_leaves_nothing() {
    let bench = bench();
    let ran = bench.interrupt("check two-phase-commit --nodes 12 --workers 1 --seconds 20");
    assert!(ran.output.contains("explore  bounded   interrupted: "), "{}", ran.output);
    assert!(ran.output.ends_with("(exit 3)\n"), "{}", ran.output);
    assert_eq!(ran.code, Some(3), "{}", ran.output);
    bench.assert_nothing_left();
}

#[test]
fn coverage_says_what_was_tried_and_what_is_impossible() {
    check(
        "explore two-phase-commit --coverage",
        expect![[r#"
        exploring two-phase-commit · 3 resource managers
        explore  holds     288 distinct configurations, depth 11, T s at R /s, omission < 2e-27
                 holds     every step returns
                 holds     no two resource managers decide differently
                 holds     once nothing can happen any more, all have decided
                 holds     all can commit, first after 10 steps
                 executed  350 transitions

        tried    each action of a node in each of its local states, counted once

         action            steps  effective  Manager  aborted  committed  prepared  working
         deliver Abort         9          6        ·        3      never         3        3
         deliver Commit        6          3        ·    never          3         3    never
         deliver Prepared     51         12       51        ·          ·         ·        ·
         choose Abort         11         11        8        ·          ·         ·        3
         choose Commit         1          1        1        ·          ·         ·        ·
         choose Prepare        3          3        ·        ·          ·         ·        3

        never    Abort in committed, Commit in aborted, Commit in working
                 everything was seen: what is missing here, no execution has
        PASS     every guarantee holds, everything was seen (exit 0)
        exit 0
    "#]],
    );
}

#[test]
fn coverage_of_a_bounded_search_claims_nothing_beyond_the_bound() {
    check(
        "explore two-phase-commit --coverage --depth 4",
        expect![[r#"
        exploring two-phase-commit · 3 resource managers
        explore  bounded   stopped at depth 4: 67 distinct configurations, depth 4, T s at R /s, omission < 1e-28
                 bounded   every step returns
                 bounded   no two resource managers decide differently
                 bounded   once nothing can happen any more, all have decided
                 bounded   all can commit
                 executed  141 transitions

        tried    each action of a node in each of its local states, counted once

         action            steps  effective  Manager  aborted  prepared  working
         deliver Abort         9          6        ·        3         3        3
         deliver Prepared     18          9       18        ·         ·        ·
         choose Abort          7          7        4        ·         ·        3
         choose Prepare        3          3        ·        ·         ·        3

        unmet    all can commit
                 not everything was seen: what is missing here was not met within the bound
        BOUNDED  nothing was found, but not everything was seen (exit 3)
        exit 3
    "#]],
    );
}

#[test]
fn coverage_of_a_search_that_ended_at_a_violation_says_so() {
    check(
        "explore two-phase-commit --bug early-commit --nodes 2 --coverage",
        expect![[r#"
        exploring two-phase-commit · 2 resource managers · bug early-commit
        explore  violated  66 distinct configurations, depth 5, T s at R /s, omission < 1e-28

        violated  no two resource managers decide differently   shortest, 5 steps

         #  action                    tm    rm1    rm2  changed
         1  rm1 chooses Prepare       :      ●      :   rm1 working → prepared, +Prepared→tm, disk state
         2  deliver Prepared rm1→tm   *◀───1─o      :   tm.prepared[0] none → 1, disk state
         3  tm chooses Commit         ●      :      :   tm.decision undecided → committed
         4  deliver Commit tm→rm1     o─3───▶*      :   rm1 prepared → committed, disk state
         5  rm2 chooses Abort         :      :      *   rm2 working → aborted, disk state

        because  at 4, rm1 went to committed on Commit, which tm sent at 3 of its own accord (Commit);
                 at 5, rm2, knowing nothing of rm1, went to aborted of its own accord (Abort);
                 no two resource managers decide differently: rm1 has committed and rm2 has aborted.

        saved    .cadre/traces/two-phase-commit/no-two-resource-managers-decide-320bdef6.ndjson
        replay   cadre replay .cadre/traces/two-phase-commit/no-two-resource-managers-decide-320bdef6.ndjson

        tried    each action of a node in each of its local states, counted once

         action            steps  effective  Manager  aborted  committed  prepared  working
         deliver Abort         6          4        ·        2      never         2        2
         deliver Commit        8          6        ·        2          2         2        2
         deliver Prepared     18          4       18        ·          ·         ·        ·
         choose Abort          6          6        4        ·          ·         ·        2
         choose Commit         3          3        3        ·          ·         ·        ·
         choose Prepare        2          2        ·        ·          ·         ·        2

        never    Abort in committed
                 the search ended at a violation: what is missing here was not met before it
        FAIL     no two resource managers decide differently (exit 1)
        exit 1
    "#]],
    );
}

#[test]
fn coverage_names_a_message_that_nobody_handles() {
    let ran = Bench::new(env!("CARGO_BIN_EXE_broken-games")).run("explore faulty --coverage");
    expect![[r#"
        exploring faulty · 1 pair
        explore  violated  84 distinct configurations up to what is left of budgets, depth 10, T s at R /s, omission < 4e-27

        violated  the caller is told a rumour: true in no configuration that can be reached

        tried    each action of a node in each of its local states, counted once

         action           steps  effective  Answered  GivenUp   Idle  Listening  Waiting   down
         deliver Ping         1          1         ·        ·      ·          1        ·      ·
         deliver Pong         4          1         1        1      1          ·        1      ·
         deliver Rumour       1          0         ·        ·      ·          1        ·      ·
         choose call          1          1         ·        ·      1          ·        ·      ·
         timeout give-up      1          1         ·        ·      ·          ·        1      ·
         CRASH                5          5         1        1      1          1        1      ·
         RESTART              2          2         ·        ·      ·          ·        ·      2

        ignored  Rumour
        unmet    the caller is told a rumour
                 everything was seen: what is missing here, no execution has
        FAIL     the caller is told a rumour (exit 1)
    "#]]
    .assert_eq(&ran.output);
    assert!(ran.output.lines().count() <= 40);
}

fn covered(nodes: usize, settings: &Settings) -> Coverage {
    let suite = cadre_protocols::suite();
    let game = suite.find("two-phase-commit").unwrap();
    let setup = game.setup(Some(nodes), None).unwrap();
    game.cover(&setup, settings, &mut |_| Flow::Continue).unwrap().1
}

#[test]
fn what_a_reduction_skips_counts_as_tried() {
    for nodes in 1..=5 {
        let all = covered(nodes, &Settings::default());
        let mut settings = Settings { workers: 1, ..Settings::default() };
        settings.reductions.sleep_sets = false;
        assert_eq!(covered(nodes, &settings), all);
        // Each resource manager prepares once and aborts once while it works.
        let steps = |kind: &str| {
            let found = all.kinds.iter().find(|found| found.to_string() == kind).unwrap();
            (found.tried.steps, found.tried.effective)
        };
        let count = nodes as u64;
        assert_eq!(steps("choose Prepare"), (count, count));
        // The manager knows any of the resource managers to be prepared; it commits with all.
        assert_eq!(steps("choose Commit"), (1, 1));
        assert_eq!(steps("choose Abort"), (count + (1 << nodes), count + (1 << nodes)));
        // Commit finds a resource manager that is prepared, or has committed already.
        assert_eq!(steps("deliver Commit"), (2 * count, count));
    }
}

#[test]
fn a_bounded_search_has_tried_less() {
    let bounds = Bounds { depth_max: Some(3), ..Bounds::default() };
    let (part, all) = (covered(3, &Settings::within(bounds)), covered(3, &Settings::default()));
    assert!(part.kinds.len() < all.kinds.len());
    assert!(!part.states.contains(&"committed".to_owned()));
    assert!(all.states.contains(&"committed".to_owned()));
}
