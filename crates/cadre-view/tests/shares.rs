//! The picture of how numbers are distributed.

use cadre_view::{Shares, shares};

fn drawn(sorted: &[f64]) -> String {
    shares(&Shares {
        title: "Answers of <a> & b".to_owned(),
        across: "milliseconds".to_owned(),
        up: "share".to_owned(),
        sorted,
    })
}

#[test]
fn the_picture_names_its_axes_and_marks_percentiles() {
    let sorted: Vec<f64> = (1..=1_000).map(f64::from).collect();
    let svg = drawn(&sorted);
    for text in ["Answers of &lt;a&gt; &amp; b", "milliseconds", "share", "p50 500", "p90 900"] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    assert!(svg.contains("p99 990") && svg.contains(">1000</text>"));
    assert!(svg.len() < 20_000, "a picture of many numbers has few points");
}

#[test]
fn every_point_is_inside_the_picture() {
    for sorted in [vec![0.0], vec![5.0; 3], vec![1e-9, 1e12], vec![0.5, 1.0, 2.0]] {
        let svg = drawn(&sorted);
        let numbers = svg.split(['M', 'H', 'V', '"', ' ']).filter_map(|word| word.parse().ok());
        let numbers: Vec<f64> = numbers.collect();
        assert!(numbers.iter().all(|at| (-90.0..=720.0).contains(at)), "{svg}");
    }
}

#[test]
fn without_numbers_there_is_a_picture_that_says_so() {
    assert!(drawn(&[]).contains("there were none"));
}
