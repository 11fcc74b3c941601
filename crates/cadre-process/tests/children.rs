//! Real children: each test starts some and looks for what remains of them.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use cadre_process::{PrivateDirectory, ProcessError, Program, Stop, converse, run, run_through};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_run_keeps_both_outputs_and_the_exit_code() {
    let place = Place::new();
    let program = shell("echo one; echo two >&2; echo three; exit 7");
    let finished = run(&program, &place.log, PATIENCE, &Stop::new()).unwrap();
    assert_eq!(finished.code, Some(7));
    assert_eq!(finished.output().unwrap(), "one\ntwo\nthree\n");
    assert_eq!(finished.tail(2), "two\nthree");
    assert_eq!(finished.log, place.log);
}

#[test]
fn a_run_has_an_empty_input() {
    let place = Place::new();
    let finished = run(&Program::new("cat"), &place.log, PATIENCE, &Stop::new()).unwrap();
    assert_eq!((finished.code, finished.output().unwrap().as_str()), (Some(0), ""));
}

#[test]
fn a_child_killed_by_a_signal_has_no_exit_code() {
    let place = Place::new();
    let finished = run(&shell("kill -9 $$"), &place.log, PATIENCE, &Stop::new()).unwrap();
    assert_eq!(finished.code, None);
}

#[test]
fn a_child_gets_its_environment_and_directory() {
    let place = Place::new();
    let program = shell("echo \"$GIVEN-${HOME:-removed}\"; pwd")
        .env("GIVEN", "given")
        .env_remove("HOME")
        .directory(place.directory.path());
    let finished = run(&program, &place.log, PATIENCE, &Stop::new()).unwrap();
    let path = place.directory.path().canonicalize().unwrap();
    assert_eq!(finished.output().unwrap(), format!("given-removed\n{}\n", path.display()));
}

#[test]
fn a_big_output_is_kept_whole() {
    let place = Place::new();
    let program = shell("i=0; while [ $i -lt 16384 ]; do i=$((i+1)); printf '%063d\\n' $i; done");
    let finished = run(&program, &place.log, PATIENCE, &Stop::new()).unwrap();
    let output = finished.output().unwrap();
    assert_eq!(output.len(), 1 << 20);
    for (position, line) in output.lines().enumerate() {
        assert_eq!(line.parse::<usize>().unwrap(), position + 1);
    }
    assert_eq!(finished.tail(1), format!("{:063}", 16_384));
}

#[test]
fn the_time_limit_kills_and_reaps_the_child_and_what_it_started() {
    let place = Place::new();
    let program = shell("echo $$; sleep 600 & echo $!; wait");
    let limit = Duration::from_millis(300);
    let error = run(&program, &place.log, limit, &Stop::new()).unwrap_err();
    let ProcessError::TimedOut { limit: reached, tail, log, .. } = &error else {
        panic!("expected a time-out, found {error:?}");
    };
    assert_eq!((*reached, log), (limit, &place.log));
    let ids: Vec<u32> = tail.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{tail}");
    ids.into_iter().for_each(assert_gone);
}

#[test]
fn what_a_child_leaves_running_in_its_group_is_killed_at_its_end() {
    let place = Place::new();
    let program = shell("sleep 600 & echo $!");
    let finished = run(&program, &place.log, PATIENCE, &Stop::new()).unwrap();
    assert_gone(finished.output().unwrap().trim().parse().unwrap());
}

#[test]
fn a_request_to_stop_kills_and_reaps_the_child() {
    let place = Place::new();
    let stop = Stop::new();
    let begun = place.directory.path().join("begun");
    let program = shell("echo $$; touch begun; exec sleep 600").directory(place.directory.path());
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            assert!(eventually(|| begun.exists()));
            stop.request();
        });
        run(&program, &place.log, PATIENCE, &stop).unwrap_err()
    });
    assert!(matches!(error, ProcessError::Stopped { .. }), "{error:?}");
    assert_gone(std::fs::read_to_string(&place.log).unwrap().trim().parse().unwrap());
}

#[test]
fn a_stop_requested_before_starts_nothing() {
    let place = Place::new();
    let stop = Stop::new();
    stop.request();
    let program = shell("touch started").directory(place.directory.path());
    let error = run(&program, &place.log, PATIENCE, &stop).unwrap_err();
    assert!(matches!(error, ProcessError::Stopped { .. }), "{error:?}");
    assert!(!place.directory.path().join("started").exists());
}

#[test]
fn a_missing_program_is_not_found() {
    let place = Place::new();
    for path in ["cadre-no-such-program", "./cadre-no-such-program"] {
        let error = run(&Program::new(path), &place.log, PATIENCE, &Stop::new()).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, ProcessError::NotFound { .. }), "{error:?}");
        assert!(message.contains(path), "{message}");
        let error = converse(&Program::new(path), &place.log).unwrap_err();
        assert!(matches!(error, ProcessError::NotFound { .. }), "{error:?}");
    }
}

#[test]
fn a_missing_directory_is_not_a_missing_program() {
    let place = Place::new();
    let program = shell("true").directory(place.directory.path().join("missing"));
    let error = run(&program, &place.log, PATIENCE, &Stop::new()).unwrap_err();
    assert!(matches!(error, ProcessError::Start { .. }), "{error:?}");
}

#[test]
fn a_file_that_cannot_be_executed_is_not_a_missing_program() {
    let place = Place::new();
    let file = place.directory.path().join("data");
    std::fs::write(&file, "data").unwrap();
    let error = run(&Program::new(file), &place.log, PATIENCE, &Stop::new()).unwrap_err();
    assert!(matches!(error, ProcessError::Start { .. }), "{error:?}");
}

#[test]
fn folders_of_the_log_are_created_and_an_older_log_is_replaced() {
    let place = Place::new();
    let log = place.directory.path().join("a/b/log");
    run(&shell("echo a long first text"), &log, PATIENCE, &Stop::new()).unwrap();
    run(&shell("echo short"), &log, PATIENCE, &Stop::new()).unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "short\n");
}

#[test]
fn a_log_that_cannot_be_created_is_an_error() {
    let place = Place::new();
    let error = run(&shell("true"), place.directory.path(), PATIENCE, &Stop::new()).unwrap_err();
    assert!(matches!(error, ProcessError::Io { .. }), "{error:?}");
}

#[test]
fn a_run_on_the_terminal_gives_the_exit_code_and_heeds_its_limit() {
    assert_eq!(run_through(&shell("exit 5"), PATIENCE, &Stop::new()).unwrap(), Some(5));
    let limit = Duration::from_millis(50);
    let error = run_through(&shell("exec sleep 600"), limit, &Stop::new()).unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error:?}");
}

#[test]
fn a_conversation_goes_line_by_line_and_keeps_the_error_output() {
    let place = Place::new();
    let program =
        shell("while read -r line; do echo \"<$line>\"; echo \"$line\" >&2; done; exit 4");
    let mut conversation = converse(&program, &place.log).unwrap();
    for number in 0..200 {
        conversation.send(&format!("line {number}")).unwrap();
        assert_eq!(conversation.receive(PATIENCE).unwrap(), format!("<line {number}>"));
    }
    let id = conversation.process_id();
    assert_eq!(conversation.finish(PATIENCE).unwrap(), Some(4));
    assert_gone(id);
    assert_eq!(std::fs::read_to_string(&place.log).unwrap().lines().count(), 200);
}

#[test]
fn a_line_may_be_long_and_may_lack_its_end() {
    let place = Place::new();
    let mut conversation = converse(&Program::new("cat"), &place.log).unwrap();
    let long = "x".repeat(1 << 20);
    conversation.send(&long).unwrap();
    assert!(conversation.receive(PATIENCE).unwrap() == long);
    let mut conversation = converse(&shell("printf 'a\\r\\n\\nend'"), &place.log).unwrap();
    let lines: Vec<String> = (0..3).map(|_| conversation.receive(PATIENCE).unwrap()).collect();
    assert_eq!(lines, ["a", "", "end"]);
}

#[test]
fn a_line_break_cannot_be_sent_inside_a_line() {
    let place = Place::new();
    let mut conversation = converse(&Program::new("cat"), &place.log).unwrap();
    let error = conversation.send("two\nlines").unwrap_err();
    assert!(matches!(error, ProcessError::Io { .. }), "{error:?}");
    conversation.send("one").unwrap();
    assert_eq!(conversation.receive(PATIENCE).unwrap(), "one");
}

#[test]
fn a_child_that_dies_in_a_conversation_is_reported_with_its_last_words() {
    let place = Place::new();
    let program = shell("read -r line; echo last answer; echo last words >&2; exit 9");
    let mut conversation = converse(&program, &place.log).unwrap();
    conversation.send("hello").unwrap();
    assert_eq!(conversation.receive(PATIENCE).unwrap(), "last answer");
    let error = conversation.receive(PATIENCE).unwrap_err();
    let ProcessError::Ended { code: Some(9), tail, .. } = &error else {
        panic!("expected the end with code 9, found {error:?}");
    };
    assert_eq!(tail, "last words");
    let error = conversation.send("anybody there?").unwrap_err();
    assert!(matches!(error, ProcessError::Ended { code: Some(9), .. }), "{error:?}");
    assert_gone(conversation.process_id());
    assert_eq!(conversation.finish(PATIENCE).unwrap(), Some(9));
}

#[test]
fn a_silent_child_is_reported_and_may_be_heard_later() {
    let place = Place::new();
    let mut conversation = converse(&Program::new("cat"), &place.log).unwrap();
    let error = conversation.receive(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, ProcessError::Silent { .. }), "{error:?}");
    conversation.send("still there").unwrap();
    assert_eq!(conversation.receive(PATIENCE).unwrap(), "still there");
}

#[test]
fn a_killed_child_is_gone_and_its_lines_are_still_received() {
    let place = Place::new();
    let program = shell("echo first; echo second; exec sleep 600");
    let mut conversation = converse(&program, &place.log).unwrap();
    assert_eq!(conversation.receive(PATIENCE).unwrap(), "first");
    assert_eq!(conversation.receive(PATIENCE).unwrap(), "second");
    conversation.kill().unwrap();
    assert_gone(conversation.process_id());
    let error = conversation.receive(PATIENCE).unwrap_err();
    assert!(matches!(error, ProcessError::Ended { code: None, .. }), "{error:?}");
    conversation.kill().unwrap();
}

#[test]
fn a_child_that_does_not_end_is_killed_when_the_conversation_finishes() {
    let place = Place::new();
    let conversation = converse(&shell("exec sleep 600"), &place.log).unwrap();
    let id = conversation.process_id();
    let error = conversation.finish(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error:?}");
    assert_gone(id);
}

#[test]
fn a_child_can_finish_although_nobody_receives_its_lines() {
    let place = Place::new();
    let program = shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line; done; exit 2");
    let conversation = converse(&program, &place.log).unwrap();
    assert_eq!(conversation.finish(PATIENCE).unwrap(), Some(2));
}

#[test]
fn a_dropped_conversation_leaves_no_process() {
    let place = Place::new();
    let program = shell("sleep 600 & echo $!; wait");
    let mut conversation = converse(&program, &place.log).unwrap();
    let grandchild = conversation.receive(PATIENCE).unwrap().parse().unwrap();
    let child = conversation.process_id();
    assert!(is_there(child) && is_there(grandchild));
    drop(conversation);
    assert_gone(child);
    assert_gone(grandchild);
}

#[test]
fn a_conversation_dropped_by_a_panic_leaves_no_process() {
    let place = Place::new();
    let log = place.log.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let panicked = thread::spawn(move || {
        let conversation = converse(&shell("exec sleep 600"), &log).unwrap();
        sender.send(conversation.process_id()).unwrap();
        std::panic::resume_unwind(Box::new("in the middle of a conversation"));
    });
    let id = receiver.recv().unwrap();
    assert!(panicked.join().is_err());
    assert_gone(id);
}

/// Were a pipe end of one child inherited by another, closing the first one's input would not end
/// it before the other has ended.
#[test]
fn children_started_at_the_same_time_do_not_hold_each_others_pipes() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let place = Place::new();
                for _ in 0..25 {
                    let sleeper = converse(&shell("exec sleep 600"), &place.log).unwrap();
                    let other = place.directory.path().join("other");
                    let reader = converse(&Program::new("cat"), &other).unwrap();
                    assert_eq!(reader.finish(PATIENCE).unwrap(), Some(0));
                    drop(sleeper);
                }
            });
        }
    });
}

#[test]
fn a_private_directory_is_removed_also_on_the_way_of_an_error() {
    fn fails(path: &mut PathBuf) -> Result<(), ProcessError> {
        let directory = PrivateDirectory::new("a test")?;
        *path = directory.path().to_path_buf();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(path.is_dir() && name.starts_with("cadre-a-test-"), "{name}");
        std::fs::create_dir_all(path.join("some/folders")).unwrap();
        run(&Program::new("cadre-no-such-program"), &path.join("log"), PATIENCE, &Stop::new())?;
        Ok(())
    }
    let mut path = PathBuf::new();
    fails(&mut path).unwrap_err();
    assert!(!path.exists());
}

#[test]
fn a_private_directory_can_be_kept() {
    let path = PrivateDirectory::new("kept").unwrap().keep();
    assert!(path.is_dir());
    std::fs::remove_dir(path).unwrap();
}

struct Place {
    directory: PrivateDirectory,
    log: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = PrivateDirectory::new("test").expect("the temporary directory is writable");
        let log = directory.path().join("log");
        Self { directory, log }
    }
}

fn shell(script: &str) -> Program {
    Program::new("/bin/sh").args(["-c", script])
}

/// A grandchild is reaped by whoever inherits it, a moment after its death; until then, and for
/// good where nobody reaps, it is a zombie, which is dead enough.
fn assert_gone(id: u32) {
    assert!(eventually(|| !is_there(id)), "process {id} is still there");
}

fn is_there(id: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"))
    else {
        return false;
    };
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
    let is_our_child = parent == Some(std::process::id().to_string().as_str());
    // A zombie of our own is a child we have not reaped.
    state != Some('Z') || is_our_child
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a process to vanish")]
fn eventually(holds: impl Fn() -> bool) -> bool {
    (0..2000).any(|_| {
        let holds = holds();
        if !holds {
            thread::sleep(Duration::from_millis(5));
        }
        holds
    })
}
