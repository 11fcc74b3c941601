//! What `init` writes, and what it is worth.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::Path;

use cadre::conform::{self, SpecTrace};
use cadre::explore::{Flow, Settings};
use cadre::process::Stop;
use cadre::proptest::{FuzzOptions, SampleOptions};
use cadre::tla::Find;
use cadre::trace::Verdict;
use cadre::{AnyGame, Setup, testing};
use cadre_tests::Bench;
use expect_test::expect;
use greeting::Game;

// The very files that `init` writes, compiled here: a package of their own would have to compile
// everything else once more.
#[path = "../../crates/cadre-cli/template/src/lib.rs"]
pub mod greeting;

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

fn sources() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap().display().to_string()
}

#[test]
fn init_writes_a_package_and_nothing_where_something_is() {
    let bench = bench();
    let args = format!("init hello-world --cadre-path {}", sources());
    let ran = bench.run(&args);
    expect![[r#"
        init     written   hello-world, 11 files
        next     cd hello-world && cargo test && cargo run -- check greeting
        exit 0
    "#]]
    .assert_eq(&ran.transcript());
    let files: Vec<String> = bench
        .files("hello-world")
        .iter()
        .map(|file| file.strip_prefix(bench.path()).unwrap().display().to_string())
        .collect();
    expect![[r#"
        hello-world/Cargo.toml
        hello-world/README.md
        hello-world/src/game.rs
        hello-world/src/lib.rs
        hello-world/src/main.rs
        hello-world/src/mapping.rs
        hello-world/src/step.rs
        hello-world/tests/greeting.rs
        hello-world/tla/Greeting.tla
        hello-world/tla/MCGreeting.tla
        hello-world/tla/TraceGreeting.tla"#]]
    .assert_eq(&files.join("\n"));
    let read = |file: &str| std::fs::read_to_string(bench.path().join(file)).unwrap();
    let manifest = read("hello-world/Cargo.toml");
    assert!(manifest.contains("name = \"hello-world\""), "{manifest}");
    assert!(manifest.contains(&format!("path = \"{}/crates/cadre\"", sources())), "{manifest}");
    assert!(read("hello-world/src/main.rs").contains("hello_world::Game"));
    for file in &files {
        let text = read(file);
        assert!(!["PACKAGE", "NAME", "CADRE"].iter().any(|word| text.contains(word)), "{file}");
    }
    expect![[r#"
        error: expected an empty directory or none, found files in hello-world; choose another one
        exit 2
    "#]]
    .assert_eq(&bench.run(&args).transcript());
    expect![[r#"
        error: expected a directory whose name is that of a package, of small letters, digits, `-` and `_`, found `Hello`
        exit 2
    "#]].assert_eq(&bench.run("init Hello --cadre-path .").transcript());
    expect![[r#"
        error: expected the sources of Cadre in ., found no crates/cadre-cli there
        exit 2
    "#]]
    .assert_eq(&bench.run("init hello --cadre-path .").transcript());
}

#[test]
fn what_is_written_holds_and_its_bug_is_found() {
    let (setup, traces) = (Setup::new(&Game, None, None).unwrap(), tempfile::tempdir().unwrap());
    testing::assert_holds(&Game, &setup, &Settings::default(), traces.path());
    testing::assert_survives(&Game, &setup, &FuzzOptions::default(), traces.path());
    let setup = Setup::new(&Game, None, Some("welcomes-strangers")).unwrap();
    let go_on = &mut |_: &_| Flow::Continue;
    let found = AnyGame::explore(&Game, &setup, &Settings::default(), go_on).unwrap();
    assert_eq!(found.verdict, Verdict::Violated);
}

#[test]
fn what_is_written_conforms_to_its_specification() {
    let setup = Setup::new(&Game, None, None).unwrap();
    let options = SampleOptions { count: 20, steps_max: 12, seed: 1, attempts_max: 1000 };
    let traces = AnyGame::sample(&Game, &setup, &options).unwrap();
    let told: Vec<SpecTrace> =
        traces.iter().map(|trace| conform::spec_trace("sample", trace).unwrap()).collect();
    let spec = AnyGame::spec(&Game, &setup).unwrap();
    let (stop, directory) = (Stop::new(), tempfile::tempdir().unwrap());
    let tlc = cadre::tla::find(&Find::default(), &mut |_| {}, &stop).unwrap();
    let options = conform::Options::default();
    let report = conform::check(&spec, &told, &tlc, directory.path(), &options, &stop).unwrap();
    assert!(report.conforms(), "{:?}", report.verdicts);
}

#[test]
fn a_trace_module_is_written_beside_a_specification_and_not_over_another() {
    let bench = bench();
    bench.copy("crates/cadre-cli/template/tla");
    bench.write("Greeting.tla", include_str!("../../crates/cadre-cli/template/tla/Greeting.tla"));
    let written = bench.run("spec --scaffold Greeting.tla");
    expect![[r#"
        scaffold written   TraceGreeting.tla, 3 actions
        next     fill in its table, then cadre conform --log FILE --mapping FILE --spec TraceGreeting.tla
        exit 0
    "#]].assert_eq(&written.transcript());
    let by_us = std::fs::read_to_string(bench.path().join("TraceGreeting.tla")).unwrap();
    let by_people = include_str!("../../crates/cadre-cli/template/tla/TraceGreeting.tla");
    let code = |text: &str| text.split_once("EXTENDS").unwrap().1.to_owned();
    assert_eq!(code(&by_us), code(by_people));
    expect![[r#"
        error: expected no TraceGreeting.tla yet, found one; remove or rename it first
        exit 2
    "#]]
    .assert_eq(&bench.run("spec --scaffold Greeting.tla").transcript());
    bench.write("Small.tla", "---- MODULE Small ----\nVARIABLE x\nInit == x = 0\n====\n");
    expect![[r#"
        error: expected Small to define Next, found no definition; name the module that has the initial predicate Init and the next-state action Next
        exit 5
    "#]].assert_eq(&bench.run("spec --scaffold Small.tla").transcript());
    bench.write("Bad.tla", "---- MODULE Bad ----\nInit == x = 0\n====\n");
    let bad = bench.run("spec --scaffold Bad.tla");
    assert_eq!(bad.code, Some(5), "{}", bad.output);
    assert!(bad.output.contains("Bad.tla, line 2"), "{}", bad.output);
}

#[test]
fn a_log_needs_no_trace_module_where_one_can_be_written() {
    let bench = bench();
    bench.write("Greeting.tla", include_str!("../../crates/cadre-cli/template/tla/Greeting.tla"));
    bench.write(
        "mapping.toml",
        "spec = \"Greeting.tla\"\nconstants.Guest = \"{a, b}\"\nevent.name = \"what\"\n\
         [events]\nSayHello.arguments.g = \"who as model\"\nMeet.arguments.g = \"who as model\"\n",
    );
    bench.write(
        "log.ndjson",
        "{\"what\": \"SayHello\", \"who\": \"a\"}\n{\"what\": \"Meet\", \"who\": \"b\"}\n",
    );
    let ran = bench.run("conform --log log.ndjson --mapping mapping.toml");
    expect![[r#"
        conforming 1 log with the specification Greeting
        log      read      2 steps of 1 node in 1 file, 1 trace
        conform  rejected  1 of 1 trace against Greeting, TLC 2.15, 2 runs, T s

        rejected log.ndjson, line 2: Meet of log, step 2 of log
                 the specification does not allow Meet(g: b) here
        false    <<"hello", g>> \in msgs (Meet in Greeting.tla, line 25): g = b, <<"hello", g>> = <<"hello", b>>, msgs = {<<"hello", a>>}
        state    met = {}, msgs = {<<"hello", a>>}, welcomed = {}
        enabled  Meet(g: a), SayHello(g: b)
        logs     .cadre/runs/conform-1
        FAIL     1 trace does not conform (exit 1)
        exit 1
    "#]].assert_eq(&ran.transcript());
}
