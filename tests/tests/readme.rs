//! Every command of the README is run, and prints what the README says.
//!
//! With `UPDATE_EXPECT` set, what is printed is written into the README.

use std::path::Path;

use cadre_tests::Bench;

/// What stands before the arguments of the command.
const COMMAND: &str = "cargo run --release -- ";
/// What a newcomer's command is called, and what the test's is.
const PROGRAM: (&str, &str) = ("target/release/cadre replay", "cadre replay");

#[test]
fn every_command_of_the_readme_prints_what_the_readme_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut fences: Vec<String> = text.split("```").map(str::to_owned).collect();
    let mut commands = 0;
    for index in (1..fences.len()).step_by(2) {
        let Some(shell) = fences[index].strip_prefix("sh\n").map(str::to_owned) else { continue };
        let shown = fences.get(index + 2).and_then(|fence| fence.strip_prefix("text\n"));
        let shown = shown.map(str::to_owned);
        for args in shell.lines().filter_map(|line| line.strip_prefix(COMMAND)) {
            commands += 1;
            let printed = run(args);
            if let Some(shown) = &shown {
                if std::env::var_os("UPDATE_EXPECT").is_some() {
                    fences[index + 2] = format!("text\n{}", printed.replace(PROGRAM.1, PROGRAM.0));
                } else {
                    assert_eq!(
                        cadre_tests::timeless(&printed),
                        cadre_tests::timeless(shown),
                        "{args}"
                    );
                }
            }
        }
    }
    assert!(commands >= 6, "the README has lost its commands");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, fences.join("```")).unwrap();
    }
}

/// What a command prints, but for what it says of an installation. It must not complain.
fn run(args: &str) -> String {
    let bench = Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"));
    bench.copy("tests/histories");
    bench.copy("traces/two-phase-commit");
    let ran = bench.run_raw(args);
    let is_to_fail = ["--bug", "stale-read", "retry-deliv", "--formula Spec"]
        .iter()
        .any(|failing| args.contains(failing));
    let is_expected = matches!(ran.code, Some(0)) || is_to_fail;
    assert!(is_expected, "{args}: exit {:?}\n{}", ran.code, ran.output);
    let lines = ran.output.lines().filter(|line| !line.contains("installing"));
    lines.map(|line| format!("{line}\n")).collect()
}
