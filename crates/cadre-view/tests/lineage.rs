//! What an outcome rests on, as far as a trace tells, and how that is drawn.

mod support;

use cadre_trace::{LineageEdge, LineageGraph, LineageKind, LineageVertex, Standing, Trace, export};
use cadre_view::{lineage_graph, lineage_of};
use expect_test::{Expect, expect};

use support::{abort_after_prepare, hasty_commit, lost_write, ring};

/// Each vertex with those that it rests on.
fn check(trace: &Trace, expected: Expect) {
    let lineage = lineage_of(trace);
    let name = |at: usize| {
        let vertex = &lineage.vertices[at];
        let word = match vertex.standing {
            Standing::Kept => "",
            Standing::Cut => " CUT",
            Standing::Fallen => " fallen",
            Standing::Added => " added",
        };
        format!("{:?} {}{word}", vertex.kind, vertex.label)
    };
    let mut text = String::new();
    for at in 0..lineage.vertices.len() {
        text += &format!("{}\n", name(at));
        for edge in lineage.edges.iter().filter(|edge| edge.to == at) {
            assert!(edge.from < at, "what supports comes first");
            text += &format!("    on {}\n", name(edge.from));
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn the_outcome_rests_on_the_steps_and_messages_that_led_to_it() {
    check(
        &hasty_commit(),
        expect![[r#"
        Step rm1 chooses Prepare
        Message Prepared rm1→tm
            on Step rm1 chooses Prepare
        Step deliver Prepared rm1→tm
            on Message Prepared rm1→tm
        Step tm chooses Commit
            on Step deliver Prepared rm1→tm
        Message Commit tm→rm1
            on Step tm chooses Commit
        Step deliver Commit tm→rm1
            on Step rm1 chooses Prepare
            on Message Commit tm→rm1
        Step rm2 chooses Abort
        Outcome rm1 has committed and rm2 has aborted
            on Step deliver Commit tm→rm1
            on Step rm2 chooses Abort
    "#]],
    );
}

#[test]
fn what_was_lost_to_those_concerned_is_cut_and_missed() {
    check(
        &lost_write(),
        expect![[r#"
        Step c1 asks n1 Write(5)
        Message Copy(5) n1→n2
            on Step c1 asks n1 Write(5)
        Step duplicate Copy(5) n1→n2
            on Message Copy(5) n1→n2
        Message Copy(5) n1→n2
            on Step duplicate Copy(5) n1→n2
        Step deliver Copy(5) n1→n2
            on Message Copy(5) n1→n2
        Step CRASH n2
            on Step deliver Copy(5) n1→n2
        Step RESTART n2
            on Step CRASH n2
        Message Copy(5) n1→n2 CUT
            on Step c1 asks n1 Write(5)
        Absence no Copy(5) from n1
            on Message Copy(5) n1→n2 CUT
        Outcome not: what is answered is not forgotten
            on Step RESTART n2
            on Absence no Copy(5) from n1
    "#]],
    );
}

#[test]
fn what_happened_elsewhere_is_no_part_of_it() {
    let lineage = lineage_of(&abort_after_prepare());
    let labels: Vec<&str> = lineage.vertices.iter().map(|vertex| vertex.label.as_str()).collect();
    assert!(labels.contains(&"deliver Commit tm→rm1"));
    assert!(!labels.contains(&"deliver Commit tm→rm3"), "{labels:?}");
}

#[test]
fn the_graph_has_a_box_for_each_vertex_and_says_what_was_cut() {
    let lineage = lineage_of(&lost_write());
    let svg = lineage_graph(&lineage);
    assert_eq!(svg.matches("class=\"vertex").count(), lineage.vertices.len());
    assert!(svg.contains("✂ CUT") && svg.contains("cut: Copy(5) n1→n2"));
    assert_eq!(svg, lineage_graph(&lineage_of(&lost_write())), "the same bytes");
}

#[test]
fn alternatives_come_by_junctions_of_their_own() {
    let vertex = |kind, label: &str| LineageVertex {
        kind,
        label: label.to_owned(),
        node: None,
        time: 1,
        step: None,
        standing: Standing::Kept,
    };
    let edge = |from, to, alternative| LineageEdge { from, to, alternative };
    let mut lineage = LineageGraph {
        outcome: "b has it".to_owned(),
        vertices: vec![
            vertex(LineageKind::Message, "from a"),
            vertex(LineageKind::Message, "from c"),
            vertex(LineageKind::Outcome, "b has it"),
        ],
        edges: vec![edge(0, 2, 0), edge(1, 2, 0)],
    };
    assert!(!lineage_graph(&lineage).contains(">or<"), "both are needed");
    lineage.edges[1].alternative = 1;
    assert_eq!(lineage_graph(&lineage).matches(">or<").count(), 2);
    assert!(export::lineage_dot(&lineage).contains("label=\"either 2\""));
}

#[test]
fn a_graph_that_is_too_large_keeps_what_is_near_the_outcome_and_says_so() {
    let svg = lineage_graph(&lineage_of(&ring(5, 400).holds()));
    assert_eq!(svg.matches("class=\"vertex").count(), 300);
    assert!(svg.contains("the 300 of ") && svg.contains("vertices that are nearest"));
}
