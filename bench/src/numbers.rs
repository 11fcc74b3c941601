/// A whole number with its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// Seconds to three digits or so.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        small if small < 10.0 => format!("{small:.3}"),
        large => format!("{large:.1}"),
    }
}

/// How many times as much as ours.
pub(crate) fn times(ratio: f64) -> String {
    match ratio {
        small if small < 10.0 => format!("{small:.2}x"),
        large => format!("{large:.0}x"),
    }
}

/// Megabytes, of a million bytes each.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// The one in the middle; of an even number, the lower of the two.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The least.
pub(crate) fn least(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three_from_the_right() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (10_340_352, "10 340 352")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn figures_have_about_three_digits() {
        assert_eq!(seconds(0.1234), "0.123");
        assert_eq!(seconds(123.45), "123.5");
        assert_eq!(times(2.345), "2.35x");
        assert_eq!(times(123.45), "123x");
    }
}
