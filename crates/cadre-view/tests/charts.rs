//! Pictures of numbers: how they are distributed, and how they went.

use cadre_view::{Chart, Course, Curve, Shares, charts};

fn drawn(sorted: &[f64]) -> String {
    charts(&[Chart::Shares(Shares {
        title: "Answers of <a> & b".to_owned(),
        across: "milliseconds".to_owned(),
        up: "share".to_owned(),
        sorted,
    })])
}

fn gone(numbers: &[Option<f64>]) -> String {
    let curve = |name: &str| Curve { name: name.to_owned(), numbers: numbers.to_vec() };
    charts(&[Chart::Course(Course {
        title: "Messages".to_owned(),
        across: "seconds".to_owned(),
        up: "in a second".to_owned(),
        time: 60.0,
        curves: vec![curve("sent"), curve("lost")],
    })])
}

fn numbers_in(svg: &str) -> Vec<f64> {
    svg.split(['M', 'H', 'V', '"', ' ']).filter_map(|word| word.parse().ok()).collect()
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
        assert!(numbers_in(&svg).iter().all(|at| (-90.0..=720.0).contains(at)), "{svg}");
    }
}

#[test]
fn without_numbers_there_is_a_picture_that_says_so() {
    assert!(drawn(&[]).contains("there were none"));
}

#[test]
fn a_course_has_a_step_for_each_stretch_and_gaps_where_nobody_counted() {
    let svg = gone(&[Some(1.0), Some(3.0), None, Some(7.0)]);
    for text in ["Messages", "seconds", "in a second", ">sent<", ">lost<", ">7.00<", ">60.0<"] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    let is_curve = |part: &&str| part.starts_with("M76.0 ") && part.contains('H');
    let drawn = svg.split('"').find(is_curve).expect("a curve");
    assert_eq!(drawn.matches('M').count(), 2, "{drawn}");
    assert_eq!(drawn.matches('V').count(), 1, "{drawn}");
}

#[test]
fn a_course_stays_inside_its_picture() {
    for numbers in [&[Some(0.0)][..], &[None], &[Some(1e9), Some(1e-9)], &[]] {
        let svg = gone(numbers);
        assert!(numbers_in(&svg).iter().all(|at| (-90.0..=720.0).contains(at)), "{svg}");
    }
    assert!(gone(&[None]).contains("there were none"));
}

#[test]
fn charts_stand_below_each_other() {
    let one = Course {
        title: "one".to_owned(),
        across: String::new(),
        up: String::new(),
        time: 1.0,
        curves: Vec::new(),
    };
    let svg = charts(&[Chart::Course(one.clone()), Chart::Course(one)]);
    assert!(svg.contains("height=\"840\"") && svg.contains("translate(0 420)"), "{svg}");
}
