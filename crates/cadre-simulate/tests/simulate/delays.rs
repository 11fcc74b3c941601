use cadre_simulate::{Delay, Random, Span};

const DRAWS: usize = 200_000;

/// Mean and deviation of what is drawn, in microseconds.
fn moments(delay: &str) -> (f64, f64) {
    let delay: Delay = delay.parse().unwrap();
    let mut random = Random::new(7);
    let drawn: Vec<f64> = (0..DRAWS).map(|_| delay.draw(&mut random) as f64).collect();
    let mean = drawn.iter().sum::<f64>() / DRAWS as f64;
    let square = |us: &f64| (us - mean).powi(2);
    (mean, (drawn.iter().map(square).sum::<f64>() / DRAWS as f64).sqrt())
}

#[test]
fn each_distribution_has_the_mean_and_the_deviation_that_it_says() {
    // A uniform distribution deviates by its width over the root of 12, an exponential one by its
    // mean; a Pareto one of shape 3 has half as much again as its scale for a mean, and deviates by
    // the root of three quarters of the scale.
    let cases = [
        ("fixed:5ms", 5_000.0, 0.0),
        ("uniform:1ms..9ms", 5_000.0, 8_000.0 / 12_f64.sqrt()),
        ("normal:50ms,5ms", 50_000.0, 5_000.0),
        ("exp:5ms", 5_000.0, 5_000.0),
        ("pareto:2ms,3", 3_000.0, 2_000.0 * 0.75_f64.sqrt()),
    ];
    for (delay, mean, deviation) in cases {
        let found = moments(delay);
        assert!((found.0 - mean).abs() <= 0.01 * mean, "{delay}: mean {}", found.0);
        assert!((found.1 - deviation).abs() <= 0.06 * mean, "{delay}: deviation {}", found.1);
    }
}

#[test]
fn no_delay_is_negative_or_longer_than_an_hour() {
    let mut random = Random::new(7);
    for delay in ["normal:1us,5ms", "pareto:1s,0.1"] {
        let delay: Delay = delay.parse().unwrap();
        let longest = (0..10_000).map(|_| delay.draw(&mut random)).max();
        assert!(longest.unwrap() <= Span::from_seconds(3_600).us, "{delay}");
    }
}

#[test]
fn a_stream_of_numbers_is_the_same_everywhere() {
    let mut random = Random::new(42);
    let bits: Vec<u64> = (0..3).map(|_| random.bits()).collect();
    expect_test::expect!["[d0764d4f4476689f, 519e4174576f3791, fbe07cfb0c24ed8c]"]
        .assert_eq(&format!("{bits:x?}"));
    let mut random = Random::new(42);
    let drawn = [random.exponential(), random.normal(), random.pareto(1.5)];
    expect_test::expect!["[3ffaf03b8672f7bf, 3febe5bb7235d3fc, 4001e59091eaf693]"]
        .assert_eq(&format!("{:x?}", drawn.map(f64::to_bits)));
}

#[test]
fn a_delay_is_written_as_it_is_read() {
    for text in ["fixed:5ms", "uniform:1us..9ms", "normal:5s,1ms", "exp:1.5s", "pareto:2ms,1.25"] {
        assert_eq!(text.parse::<Delay>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_delay_is_refused_with_what_was_expected() {
    let cases = [
        (
            "exp:-5ms",
            "expected a length of time such as 5ms, 200us, 1.5s or 2m, found `-5ms`, \
                      which is negative",
        ),
        (
            "exp:5",
            "expected a length of time such as 5ms, 200us, 1.5s or 2m, found `5`; the units \
                   are us, ms, s and m",
        ),
        ("uniform:9ms..1ms", "expected the shorter time first, found `uniform:9ms..1ms`"),
        ("pareto:1ms,0", "expected a shape above 0, found `pareto:1ms,0`"),
        (
            "soon",
            "expected fixed:5ms, uniform:1ms..9ms, normal:5ms,1ms, exp:5ms or pareto:1ms,1.5, \
                  found `soon`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Delay>().unwrap_err(), expected);
    }
}
