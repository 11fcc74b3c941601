//! How a violation is argued.

mod support;

use cadre_trace::Trace;
use cadre_view::because;
use expect_test::{Expect, expect};
use serde_json::json;

use support::{Story, abort_after_prepare, hasty_commit, lost_write};

fn check(trace: &Trace, expected: Expect) {
    let text = because(trace).unwrap_or_default();
    assert!(text.lines().count() <= 5, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 96), "{text}");
    expected.assert_eq(&text);
}

#[test]
fn a_decision_is_traced_to_its_message_and_to_what_was_unknown() {
    check(
        &abort_after_prepare(),
        expect![[r#"
        at 6, rm2 went to aborted of its own accord (Abort);
        at 9, rm1, knowing rm2 only as of 2 (prepared), went to committed on Commit, which tm sent at 7
        on Prepared from rm2;
        consistency: rm1 has committed and rm2 has aborted.
    "#]],
    );
    check(
        &hasty_commit(),
        expect![[r#"
        at 4, rm1 went to committed on Commit, which tm sent at 3 of its own accord (Commit);
        at 5, rm2, knowing nothing of rm1, went to aborted of its own accord (Abort);
        consistency: rm1 has committed and rm2 has aborted.
    "#]],
    );
}

#[test]
fn a_restart_is_traced_to_the_crash_and_what_was_not_synced() {
    check(
        &lost_write(),
        expect![[r#"
        at 9, n2 restarted as {role leader, value –}, having crashed at 7 with value=5 not yet synced;
        what is answered is not forgotten was judged on n2 = {role leader, value –}.
    "#]],
    );
}

#[test]
fn without_a_finding_the_states_that_were_read_are_named() {
    let mut trace = abort_after_prepare();
    let guarantee = trace.header.guarantee.as_mut().unwrap();
    guarantee.finding = None;
    guarantee.reads = ["tm", "rm1", "rm2", "rm3"].map(str::to_owned).to_vec();
    check(
        &trace,
        expect![[r#"
            at 6, rm2 went to aborted of its own accord (Abort); at 7, tm, knowing rm2 only as of 2
            (prepared), added 2 to prepared and set state to committed on Prepared, which rm2 sent at 2 of
            its own accord (Prepare); at 9, rm1, knowing rm2 only as of 2 (prepared), went to committed on
            Commit, which tm sent at 7 on Prepared from rm2; and 1 more node; consistency was judged on rm2
            = aborted, tm = {prepared [1, 2, 3], state committed}, rm1 = committed, and 1 more.
        "#]],
    );
}

#[test]
fn without_reads_it_is_about_what_the_last_step_changed() {
    let mut trace = abort_after_prepare();
    let guarantee = trace.header.guarantee.as_mut().unwrap();
    guarantee.reads.clear();
    guarantee.finding = None;
    check(
        &trace,
        expect![[r#"
        at 9, rm1 went to committed on Commit, which tm sent at 7 on Prepared from rm2.
    "#]],
    );
}

#[test]
fn a_node_that_never_changed_is_as_it_was_at_the_start() {
    let trace = Story::two_phase(2).choose("rm1", "Abort", json!("aborted"), &[]).violates(
        "both work",
        &["rm1", "rm2"],
        None,
    );
    check(
        &trace,
        expect![[r#"
        rm2 is working as it was at the start;
        at 1, rm1 went to aborted of its own accord (Abort);
        both work was judged on rm2 = working, rm1 = aborted.
    "#]],
    );
}

#[test]
fn an_initial_configuration_can_violate() {
    let trace = Story::two_phase(2).violates("someone has decided", &["rm1", "rm2"], None);
    check(
        &trace,
        expect![[r#"
        rm1 is working as it was at the start;
        rm2 is working as it was at the start;
        someone has decided was judged on rm1 = working, rm2 = working.
    "#]],
    );
}

#[test]
fn a_failed_step_is_traced_to_its_message() {
    let trace = Story::two_phase(2)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .panics(json!("Prepared"), "rm1", "tm", "panicked: index out of bounds:\nthe len is 0")
        .violates("no step fails", &[], None);
    check(
        &trace,
        expect![[r#"
        at 2, tm failed on Prepared, which rm1 sent at 1 of its own accord (Prepare): panicked: index
        out of bounds:\nthe len is 0.
    "#]],
    );
}

#[test]
fn a_copy_is_told_from_the_message_itself() {
    let pay = json!({"Pay": 5});
    let trace = Story::new(&[("a", json!(10)), ("b", json!(0))], "multiset")
        .fire("a", "Payday", json!(5), &[("b", pay.clone())])
        .duplicate(pay.clone(), "a", "b")
        .deliver(pay.clone(), "a", "b", json!(5), &[])
        .deliver(pay, "a", "b", json!(10), &[])
        .violates("money is neither made nor lost", &["a", "b"], Some("10 have become 15"));
    check(
        &trace,
        expect![[r#"
        at 1, a went to 5 on its timeout Payday;
        at 4, b went to 10 on a copy, made at 2, of Pay(5), which a sent at 1 on its timeout Payday;
        money is neither made nor lost: 10 have become 15.
    "#]],
    );
}

#[test]
fn long_states_and_many_nodes_do_not_make_it_longer() {
    let mut nodes: Vec<(String, serde_json::Value)> = Vec::new();
    for node in 1..=9 {
        let log: Vec<String> = (0..node * 20).map(|entry| format!("entry {entry}")).collect();
        nodes.push((format!("replica-{node}"), json!({"log": log})));
    }
    let nodes: Vec<(&str, serde_json::Value)> =
        nodes.iter().map(|(name, state)| (name.as_str(), state.clone())).collect();
    let mut story = Story::new(&nodes, "multiset");
    for (name, state) in &nodes {
        let log = json!({"log": [state["log"][0], "something else"], "term": 2, "vote": *name});
        story = story.choose(name, "Forget everything that was ever agreed upon", log, &[]);
    }
    let names: Vec<&str> = nodes.iter().map(|(name, _)| *name).collect();
    check(
        &story.violates("logs agree", &names, None),
        expect![[r#"
            at 8, replica-8 set log[1] to something else and 160 more parts of its own accord (Forget
            everything that was ever agreed…); at 9, replica-9 set log[1] to something else and 180 more
            parts of its own accord (Forget everything that was ever agreed…); and 7 more nodes; logs agree
            was judged on replica-8 = {log [entry 0, something else], term 2,…, replica-9 = {log [entry 0,
            something else], term 2,…, and 7 more.
        "#]],
    );
}

#[test]
fn a_trace_that_violates_nothing_has_no_argument() {
    assert_eq!(because(&Story::two_phase(2).holds()), None);
}
