//! What space-time diagrams say. What they look like is kept as pictures by the tests of the whole.

mod support;

use cadre_trace::Trace;
use cadre_view::{DiagramOptions, diagram};
use serde_json::json;

use support::{abort_after_prepare, hasty_commit, lost_write, ring};

fn drawn(trace: &Trace) -> String {
    diagram(trace, &DiagramOptions::default())
}

fn count(svg: &str, part: &str) -> usize {
    svg.matches(part).count()
}

#[test]
fn every_step_is_a_row_and_every_delivery_an_arrow_with_its_kind() {
    let svg = drawn(&abort_after_prepare());
    assert_eq!(count(&svg, "class=\"step"), 9);
    assert_eq!(count(&svg, "class=\"head\""), 6, "five deliveries, and one in the legend");
    assert_eq!(count(&svg, ">Prepared</text>"), 3);
    assert_eq!(count(&svg, ">Commit</text>"), 2);
}

#[test]
fn lanes_are_named_clients_first() {
    let svg = drawn(&lost_write());
    let places: Vec<Option<usize>> =
        [">c1</text>", ">c2</text>", ">n1</text>", ">n2</text>"].map(|name| svg.find(name)).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[test]
fn faults_are_said_in_words_and_drawn_by_shapes() {
    let svg = drawn(&lost_write());
    for word in [">CRASH<", ">RESTART<", ">CRASH + RESTART<", ">Copy lost<", ">Copy copied<"] {
        assert!(svg.contains(word), "{word}");
    }
    assert!(svg.contains("class=\"flight lost\"") && svg.contains("class=\"lane down\""));
}

#[test]
fn a_message_that_is_never_about_is_still_in_flight() {
    let svg = drawn(&hasty_commit());
    assert_eq!(count(&svg, "class=\"open\""), 2, "Commit to rm2, and one in the legend");
    assert!(svg.contains("still in flight at the end"));
}

#[test]
fn the_legend_says_what_occurs_and_nothing_else() {
    let svg = drawn(&hasty_commit());
    assert!(svg.contains(">of its own accord<") && !svg.contains(">crash<"));
    assert!(drawn(&lost_write()).contains(">crash<"));
}

#[test]
fn what_is_violated_stands_below_the_last_step() {
    let svg = drawn(&hasty_commit());
    assert!(svg.contains("✗ violated: consistency — rm1 has committed and rm2 has aborted"));
    assert!(!drawn(&ring(3, 5).holds()).contains("violated"));
}

#[test]
fn of_a_long_trace_the_causes_are_drawn_and_gaps_are_counted() {
    let trace = ring(4, 60).violates("a token stops", &["n1"], None);
    let whole = drawn(&trace);
    assert_eq!((count(&whole, "class=\"step"), count(&whole, "left out")), (60, 0));
    let cut = diagram(&trace, &DiagramOptions { steps_max: 12 });
    assert!((2..=12).contains(&count(&cut, "class=\"step")));
    assert!(cut.contains("steps left out") && cut.contains("causes among them"));
}

#[test]
fn what_repeats_for_ever_is_bracketed() {
    let story = ring(3, 6);
    assert!(drawn(&story.violates_for_ever("it ends", &["n1"], Some(2))).contains(">for ever<"));
}

#[test]
fn of_a_message_that_is_long_on_its_way_both_ends_are_drawn_with_the_other_step() {
    let told = |between: usize| {
        let prepared = json!("Prepared");
        let mut story = support::Story::two_phase(2).choose(
            "rm1",
            "Prepare",
            json!("prepared"),
            &[("tm", prepared.clone())],
        );
        for _ in 0..between {
            story = story.choose("rm2", "Wait", json!("waiting"), &[]);
        }
        drawn(&story.deliver(prepared, "rm1", "tm", json!("heard"), &[]).holds())
    };
    let near = told(20);
    assert!(near.contains(">Prepared</text>") && !near.contains("Prepared to"));
    let far = told(40);
    assert!(far.contains(">Prepared to 42</text>") && far.contains(">Prepared from 1</text>"));
    assert!(far.contains("arrives much later") && !far.contains(">Prepared</text>"));
}

#[test]
fn names_and_messages_are_never_markup() {
    let mut trace = hasty_commit();
    trace.header.protocol = "<script>&\"".to_owned();
    let svg = drawn(&trace);
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&amp;"));
}

#[test]
fn an_empty_trace_is_a_picture_of_its_lanes() {
    let trace = support::Story::two_phase(2).holds();
    let svg = drawn(&trace);
    assert_eq!(count(&svg, "class=\"step"), 0);
    assert!(svg.contains(">rm2</text>"));
}
