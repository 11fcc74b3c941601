//! Searches that several processes share: what they print, and what happens when one is lost.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

use std::path::Path;
use std::time::Duration;

use cadre::process::{Conversation, Program, Stop, converse};
use cadre::sharing::Door;
use cadre_tests::{Bench, Ran, timeless};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_cadre-under-test"))
}

/// A bench for a game in which one process of a search stalls where the sum of all counts is nine.
fn stalling() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_broken-games"))
}

/// Waits until the first processes have kept level nine, and the one that stalls level eight.
fn await_stall(directory: &Path, stalls: usize, processes: usize) {
    for process in 0..processes {
        let level = if process == stalls { 8 } else { 9 };
        let file = directory.join(format!("process-{process}/level-{level:05}"));
        let mut naps = 0;
        while !file.exists() {
            naps += 1;
            assert!(naps < 12_000, "{} is not there after two minutes", file.display());
            nap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests wait for files of other processes")]
fn nap() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Kills the process of a shared search that was started in a directory.
fn kill(process: usize, directory: &Path) {
    let is_it = |entry: &std::fs::DirEntry| {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        let place = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        command.contains(&format!("--process\0{process}\0"))
            && Some(place) == directory.canonicalize().ok()
    };
    let found = std::fs::read_dir("/proc").unwrap().flatten().find(is_it).unwrap();
    let id = found.file_name().into_string().unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let kill = Program::new("kill").args(["-KILL", &id]);
    let killed = cadre::process::run(&kill, log.path(), Duration::from_secs(60), &Stop::new());
    assert_eq!(killed.unwrap().code, Some(0));
}

fn check_ended(ran: &Ran, code: i32, says: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.output);
    for expected in says {
        assert!(ran.output.contains(expected), "expected `{expected}` in:\n{}", ran.output);
    }
}

const COUNTED: &str = "explore  holds     343 distinct configurations, depth 19";

#[test]
fn two_and_three_processes_print_what_one_prints() {
    for nodes in 3..=5 {
        let one = bench().run(&format!("explore two-phase-commit --nodes {nodes}"));
        assert_eq!(one.code, Some(0));
        for processes in [2, 3] {
            let bench = bench();
            let args = format!("explore two-phase-commit --nodes {nodes} --processes {processes}");
            let shared = bench.run(&args);
            let told = shared.output.replace(&format!(" · {processes} processes"), "");
            assert_eq!((told, shared.code), (one.output.clone(), one.code));
            bench.assert_nothing_left();
        }
    }
}

#[test]
fn a_counterexample_of_three_processes_is_as_short_as_that_of_one() {
    let bench = bench();
    let shared = bench.run("explore two-phase-commit --bug early-commit --processes 3");
    let violated = "no two resource managers decide differently   shortest, 5 steps";
    check_ended(&shared, 1, &[violated, "depth 5,"]);
    let saved = bench.files(".cadre/traces");
    assert_eq!(saved.len(), 1, "one of the processes has saved the trace");
    let replay = format!("replay {} --against model", saved[0].display());
    check_ended(&bench.run(&replay), 1, &["violated again"]);
    let again = bench.run("explore two-phase-commit --bug early-commit --processes 2");
    assert_eq!(again.output.replace("2 processes", "3 processes"), shared.output);
}

#[test]
fn a_killed_process_is_reported_with_the_command_that_goes_on() {
    let bench = stalling().env("STALLS", Some("1"));
    let kept = bench.path().join("kept");
    let ran = std::thread::scope(|scope| {
        let search = scope.spawn(|| bench.run("explore stalling --processes 3 --checkpoint kept"));
        await_stall(&kept, 1, 3);
        kill(1, bench.path());
        search.join().unwrap()
    });
    let resume = "go on after the last finished level by: \
                  cadre explore stalling --nodes 3 --processes 3 --checkpoint kept --resume";
    check_ended(&ran, 4, &["error: lost process 1 of 3: it was ended by a signal, see ", resume]);
    bench.assert_nothing_left();

    let bench = bench.env("STALLS", None);
    let anew = bench.run("explore stalling --processes 3 --checkpoint kept");
    check_ended(&anew, 2, &["expected no levels of an earlier search"]);
    let fewer = bench.run("explore stalling --processes 2 --checkpoint kept --resume");
    check_ended(&fewer, 5, &["3 processes"]);
    let resumed = bench.run("explore stalling --processes 3 --checkpoint kept --resume");
    check_ended(&resumed, 0, &[COUNTED, "PASS"]);
    // Everything is finished by now; there is only the last word to be said.
    let again = bench.run("explore stalling --processes 3 --checkpoint kept --resume");
    assert_eq!((again.code, again.output), (resumed.code, resumed.output));
    bench.assert_nothing_left();
}

#[test]
fn one_process_keeps_its_levels_as_well() {
    let bench = stalling();
    let whole = bench.run("explore stalling --checkpoint kept");
    check_ended(&whole, 0, &[COUNTED]);
    let kept = bench.files("kept");
    assert_eq!(kept.len(), 20, "levels 0 to 18, and that there is no more");
    kept[8..].iter().for_each(|level| std::fs::remove_file(level).unwrap());
    let resumed = bench.run("explore stalling --checkpoint kept --resume");
    assert_eq!((resumed.code, resumed.output), (whole.code, whole.output));
    assert_eq!(bench.files("kept"), kept);
    std::fs::write(&kept[3], "nonsense").unwrap();
    let damaged = bench.run("explore stalling --checkpoint kept --resume");
    check_ended(&damaged, 4, &["level-00003 is damaged"]);
}

#[test]
fn one_process_says_what_is_wrong_with_its_directory_and_what_to_do() {
    let bench = bench();
    let whole = bench.run("explore two-phase-commit --checkpoint kept");
    check_ended(&whole, 0, &["PASS"]);
    assert_eq!(whole.output, bench.run("explore two-phase-commit").output);
    std::fs::create_dir(bench.path().join("thesis")).unwrap();
    bench.write("thesis/chapter-1.tex", "");
    bench.write("file", "");
    let go_on = "or go on with that search by: \
                 cadre explore two-phase-commit --nodes 3 --checkpoint kept --resume";
    let of = |nodes: u32, bounds: &str| {
        let version = env!("CARGO_PKG_VERSION");
        format!("two-phase-commit, nodes {nodes}, by cadre {version}, {bounds}, one process")
    };
    let kept = of(3, "no bounds");
    let larger = format!("levels of {} in kept, found those of {kept};", of(4, "no bounds"));
    let shallow = format!("levels of {} in kept, found", of(3, "at most 4 levels"));
    for (args, code, says) in [
        ("--checkpoint kept", 2, "expected no levels of an earlier search in kept, found some;"),
        ("--checkpoint kept", 2, go_on),
        ("--nodes 4 --checkpoint kept --resume", 5, &larger),
        ("--depth 4 --checkpoint kept --resume", 5, &shallow),
        ("--checkpoint none --resume", 2, "expected a finished level in none to resume from"),
        ("--checkpoint none --resume", 2, "found none; begin without --resume"),
        ("--checkpoint thesis", 2, "found thesis: chapter-1.tex is there, which is of no search;"),
        ("--checkpoint file", 4, "found file: it is no directory; choose another one"),
        ("--checkpoint kept --spill away", 2, "cannot be used with"),
    ] {
        check_ended(&bench.run(&format!("explore two-phase-commit {args}")), code, &[says]);
    }
    assert_eq!(bench.files("thesis").len(), 1);
    // What was found is found again, by whoever goes on.
    let again = bench.run("explore two-phase-commit --checkpoint kept --resume");
    assert_eq!((again.code, again.output), (whole.code, whole.output));
    bench.assert_nothing_left();
}

#[test]
fn a_search_that_was_ended_says_how_to_go_on_and_comes_to_the_counterexample() {
    let bench = bench();
    let stopped =
        bench.run("explore two-phase-commit --bug early-commit --checkpoint kept --seconds 0");
    let go_on = "explore two-phase-commit --nodes 3 --bug early-commit --checkpoint kept --resume";
    let told = format!("go on after the last finished level by: cadre {go_on}");
    check_ended(&stopped, 3, &["stopped at the time limit", &told, "BOUNDED"]);
    let resumed = bench.run(go_on);
    check_ended(&resumed, 1, &["no two resource managers decide differently   shortest, 5 steps"]);

    let little = bench.run("explore two-phase-commit --nodes 6 --checkpoint little --memory 1M");
    check_ended(
        &little,
        3,
        &["stopped at the most memory, 1 M", "with more --memory, go on after"],
    );
    let more = bench.run("explore two-phase-commit --nodes 6 --checkpoint little --resume");
    assert_eq!(more.output, bench.run("explore two-phase-commit --nodes 6").output);
}

/// Starts a process of a search by hosts.
fn start(bench: &Bench, process: usize, stalls: bool, more: &[&str]) -> Conversation {
    let program = Program::new(env!("CARGO_BIN_EXE_broken-games")).directory(bench.path());
    let program = program.args(["explore", "stalling", "--hosts", "hosts", "--process"]);
    let program = program.arg(process.to_string()).args(["--checkpoint", "kept"]).args(more);
    let program = program.env("STALLS", if stalls { process.to_string() } else { String::new() });
    converse(&program, &bench.path().join(format!("process-{process}.log"))).unwrap()
}

/// What a process prints until its end, its exit code, and what it complained of.
fn ending(
    bench: &Bench,
    process: usize,
    mut running: Conversation,
) -> (String, Option<i32>, String) {
    let mut printed = String::new();
    while let Ok(line) = running.receive(Duration::from_secs(120)) {
        printed += &(line + "\n");
    }
    let code = running.finish(Duration::from_secs(120)).unwrap();
    let log = bench.path().join(format!("process-{process}.log"));
    (timeless(&printed), code, std::fs::read_to_string(log).unwrap())
}

#[test]
fn processes_of_a_hosts_file_end_when_one_is_killed_and_go_on_when_all_are_resumed() {
    let bench = stalling();
    let doors = [(); 3].map(|()| Door::open("127.0.0.1:0").unwrap());
    let hosts: String = doors.iter().map(|door| format!("{}\n", door.address())).collect();
    bench.write("hosts", &format!("# the hosts of a search\n\n{hosts}"));
    drop(doors);

    let running = [0, 1, 2].map(|process| start(&bench, process, process == 1, &[]));
    await_stall(&bench.path().join("kept"), 1, 3);
    let [zero, mut one, two] = running;
    one.kill().unwrap();
    for (process, running) in [(0, zero), (2, two)] {
        let (_, code, complaint) = ending(&bench, process, running);
        assert_eq!(code, Some(4), "{complaint}");
        let command = format!(
            "explore stalling --nodes 3 --hosts hosts --process {process} --checkpoint kept \
             --resume"
        );
        assert!(complaint.starts_with("error: lost process "), "{complaint}");
        assert!(complaint.contains(&command), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }

    let resumed = [0, 1, 2].map(|process| start(&bench, process, false, &["--resume"]));
    for (process, running) in resumed.into_iter().enumerate() {
        let (printed, code, complaint) = ending(&bench, process, running);
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{printed}");
        assert!(printed.contains(COUNTED) && printed.contains("PASS"), "{printed}");
    }
    bench.assert_nothing_left();
}

#[test]
fn a_command_line_that_makes_no_sense_is_told_so() {
    let bench = stalling();
    bench.write("hosts", "127.0.0.1:1\n");
    bench.write("nonsense", "somewhere\n");
    for (args, code, says) in [
        ("--resume", 2, "--checkpoint"),
        ("--hosts hosts", 2, "--process"),
        ("--process 1", 2, "--hosts"),
        ("--processes 2 --hosts hosts --process 0", 2, "cannot be used with"),
        ("--processes 0", 2, "not in 1..=256"),
        ("--hosts hosts --process 1", 2, "there is no process 1: hosts has 1, from 0 on"),
        ("--hosts nonsense --process 0", 5, "expected HOST:PORT in each line, found `somewhere`"),
        ("--hosts nowhere --process 0", 5, "cannot read the hosts nowhere"),
        ("--processes 2 --checkpoint kept --resume", 2, "expected a finished level"),
    ] {
        check_ended(&bench.run(&format!("explore stalling {args}")), code, &[says]);
    }
    bench.assert_nothing_left();
}
