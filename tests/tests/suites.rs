//! Property suites of two-phase commit with faults of the network and of the nodes, as a user would
//! write them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::Path;

use cadre::model::ClusterError;
use cadre::prelude::{
    Budget, Cluster, Faults, Game, Guarantee, Network, NodeId, Setup, Size, TypedAction, View,
};
use cadre::process::Program;
use cadre::testing::{ProcessSuite, PropertySuite, SuiteReport};
use cadre_protocols::two_phase_commit::{Bug, Choice, Progress, State, TwoPhaseCommit};

/// Two-phase commit on a network that loses and duplicates, with nodes that crash and restart.
struct WithFaults;

impl Game for WithFaults {
    type Protocol = TwoPhaseCommit;

    fn name(&self) -> &'static str {
        "two-phase-commit-with-faults"
    }

    fn summary(&self) -> &'static str {
        "two-phase commit on a bad day"
    }

    fn size(&self) -> Size {
        Size { one: "resource manager", many: "resource managers", min: 1, default: 3, max: 5 }
    }

    fn bugs(&self) -> &'static [cadre::Bug] {
        &[cadre::Bug {
            name: "late-abort",
            summary: "a resource manager that has prepared still aborts of its own accord",
            place: cadre::Place::Step,
        }]
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<TwoPhaseCommit>, ClusterError> {
        let protocol = TwoPhaseCommit {
            manager: NodeId::from_index(0),
            participants: (1..=setup.size).map(NodeId::from_index).collect(),
            bug: setup.bug.is_some().then_some(Bug::LateAbort),
        };
        let faults = Faults {
            losses: Budget::AtMost(2),
            duplications: Budget::AtMost(2),
            crash_restarts: Budget::AtMost(2),
            ..Faults::default()
        };
        let cluster = Cluster::builder(protocol).node("tm").network(Network::ConsumedOnce);
        let names = (1..=setup.size).map(|number| format!("rm{number}"));
        let cluster = names.fold(cluster, |cluster, name| cluster.node(name)).faults(faults);
        let decided = |view: &View<TwoPhaseCommit>, wanted: Progress| {
            view.nodes().any(|node| view.state(node) == Some(&State::Participant(wanted)))
        };
        let agree = move |view: &View<TwoPhaseCommit>| {
            !(decided(view, Progress::Committed) && decided(view, Progress::Aborted))
        };
        let all_commit = |view: &View<TwoPhaseCommit>| {
            let committed = State::Participant(Progress::Committed);
            view.nodes().skip(1).all(|node| view.state(node) == Some(&committed))
        };
        cluster
            .guarantee(Guarantee::always("no two resource managers decide differently", agree))
            .guarantee(Guarantee::reachable("all can commit", all_commit))
            .build()
    }
}

fn suite<'a>(bug: Option<&str>, traces: &Path) -> PropertySuite<'a, WithFaults> {
    let setup = Setup::new(&WithFaults, None, bug).unwrap();
    PropertySuite::new(&WithFaults, &setup, traces).cases(2_000).weight("crash-restart", 2)
}

/// Nobody aborts who has not prepared: a test that wants to see commits.
fn hopeful<'a>(bug: Option<&str>, traces: &Path) -> PropertySuite<'a, WithFaults> {
    suite(bug, traces).permitting(|view, action| match action {
        TypedAction::Choose { node, timer: Choice::Abort } => {
            view.state(*node) == Some(&State::Participant(Progress::Prepared))
        }
        _ => true,
    })
}

fn all_commit(report: &SuiteReport) -> bool {
    report.reached.iter().any(|(claim, was_met)| claim.name == "all can commit" && *was_met)
}

#[test]
fn two_phase_commit_survives_faults_and_the_twin_with_the_bug_does_not() {
    let traces = tempfile::tempdir().unwrap();
    let story = suite(Some("late-abort"), traces.path()).check().unwrap_err();
    assert!(story.contains("violated  no two resource managers decide differently"), "{story}");
    let report = suite(None, traces.path()).run();
    assert_eq!(report.cases, 2_000);
    // What was saved of the twin is another setup's.
    assert!(report.replayed.is_empty());
}

#[test]
fn a_precondition_makes_commits_likely_and_holds_for_what_is_shrunk() {
    let traces = tempfile::tempdir().unwrap();
    assert!(all_commit(&hopeful(None, traces.path()).run()));
    let story = hopeful(Some("late-abort"), traces.path()).check().unwrap_err();
    assert!(story.contains("rm") && !story.contains("working → aborted"), "{story}");
}

#[test]
fn what_was_saved_fails_again_before_anything_else_is_tried() {
    let traces = tempfile::tempdir().unwrap();
    suite(Some("late-abort"), traces.path()).check().unwrap_err();
    let again = suite(Some("late-abort"), traces.path()).cases(1).steps(0).check().unwrap_err();
    assert!(again.contains("fails again, as it did when it was saved"), "{again}");
}

#[test]
fn a_saved_failure_of_a_bug_that_is_mended_says_which_steps_are_gone() {
    let traces = tempfile::tempdir().unwrap();
    suite(Some("late-abort"), traces.path()).check().unwrap_err();
    // The bug is mended: the same setup takes other steps now.
    let folder = traces.path().join("two-phase-commit-with-faults");
    let saved = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&saved).unwrap();
    std::fs::write(&saved, text.replace("\"bug\":\"late-abort\",", "")).unwrap();
    let report = suite(None, traces.path()).run();
    let missing = report.replayed[0].missing.join("; ");
    assert!(missing.contains("chooses Abort`, cannot be taken"), "{missing}");
    let refused = suite(None, traces.path()).refuse_stale().check().unwrap_err();
    assert!(refused.contains("remove the file or save the failure anew"), "{refused}");
}

#[test]
fn weights_that_make_no_sense_and_no_cases_are_refused() {
    let nowhere = Path::new("nowhere");
    let unknown = suite(None, nowhere).weight("tea-break", 1).check().unwrap_err();
    assert!(unknown.contains("there is no class of actions `tea-break`"), "{unknown}");
    let none = suite(None, nowhere).cases(0).check().unwrap_err();
    assert!(none.contains("expected at least one execution to try"), "{none}");
}

#[test]
fn the_same_suite_does_the_same_twice() {
    let traces = tempfile::tempdir().unwrap();
    assert_eq!(suite(None, traces.path()).run(), suite(None, traces.path()).run());
    let other = suite(None, traces.path()).seed(7).run();
    assert_ne!(other.steps, suite(None, traces.path()).run().steps);
}

/// Real processes that host two-phase commit, a bug of the process included or not.
fn processes<'a>(bug: Option<&str>, traces: &Path) -> ProcessSuite<'a, WithFaults> {
    let setup = Setup::new(&WithFaults, Some(2), None).unwrap();
    let program = Program::new(env!("CARGO_BIN_EXE_cadre-under-test"));
    let program = program.args(["run", "two-phase-commit", "--nodes", "2", "--steered"]);
    let program = bug.iter().fold(program, |program, bug| program.arg("--bug").arg(*bug));
    ProcessSuite::new(&WithFaults, &setup, program, traces).weight("crash-restart", 8).cases(20)
}

#[test]
fn processes_that_answer_before_their_disk_is_synced_are_found_and_right_ones_pass() {
    let traces = tempfile::tempdir().unwrap();
    let story = processes(Some("answers-before-sync"), traces.path()).check().unwrap_err();
    assert!(story.contains("violated  every process does what the game does"), "{story}");
    // A step that writes, and a crash right after it.
    assert!(story.contains(", 2 steps"), "{story}");
    let again = processes(Some("answers-before-sync"), traces.path()).cases(1).steps(0).check();
    assert!(again.unwrap_err().contains("fails again"));
    let report = processes(None, traces.path()).run();
    assert_eq!((report.cases, report.replayed.len()), (20, 1));
}

#[test]
fn a_process_that_cannot_be_started_is_told() {
    let setup = Setup::new(&WithFaults, Some(1), None).unwrap();
    let program = Program::new("no-such-program");
    let suite = ProcessSuite::new(&WithFaults, &setup, program, Path::new("nowhere"));
    let error = suite.cases(1).check().unwrap_err();
    assert!(error.contains("no-such-program"), "{error}");
}
