use std::fmt::Write;

use maud::{Markup, html};

use super::{RIGHT, WIDTH, across, level, names, nothing, rounded, station, up};

/// What share of some numbers is below each number: a curve over powers of ten.
#[derive(Clone, Debug)]
pub struct Shares<'a> {
    /// What is drawn.
    pub title: String,
    /// What the numbers are.
    pub across: String,
    /// What is counted.
    pub up: String,
    /// The numbers, the smallest first.
    pub sorted: &'a [f64],
}

/// The most points of the curve.
const POINTS_MAX: usize = 400;
/// The shares that are marked, with what they are called.
const MARKS: [(f64, &str); 3] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")];

impl Shares<'_> {
    pub(super) fn markup(&self) -> Markup {
        html! {
            (names(&self.title, &self.across, &self.up))
            @for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
                (level(share, &format!("{} %", 100.0 * share)))
            }
            @if let Some(scale) = Scale::of(self.sorted) {
                @for power in scale.low..=scale.high {
                    (station(scale.across(10_f64.powi(power)), &10_f64.powi(power).to_string()))
                }
                path d=(curve(self.sorted, &scale)) fill="none" stroke="#1f5fa8" stroke-width="2" {}
                @for (share, name) in MARKS {
                    (mark(share, name, at_share(self.sorted, share), &scale))
                }
            } @else {
                (nothing())
            }
        }
    }
}

fn mark(share: f64, name: &str, number: f64, scale: &Scale) -> Markup {
    let (x, y) = (scale.across(number), up(share));
    // Names stand where the curve is not: on its left, and on its right near the left edge.
    let (beside, anchor) = if x < super::LEFT + 130.0 { (10.0, "start") } else { (-10.0, "end") };
    let down = if anchor == "start" { 16.0 } else { -4.0 };
    let at = |number: f64| format!("{number:.1}");
    let told = format!("{name} {}", rounded(number));
    html! {
        circle cx=(at(x)) cy=(at(y)) r="4" fill="#b3541e" {}
        text x=(at(x + beside)) y=(at(y + down)) text-anchor=(anchor) { (told) }
    }
}

/// Powers of ten, from the left edge to the right one.
struct Scale {
    low: i32,
    high: i32,
}

/// What is drawn at the left edge where a number is 0.
const LEAST: f64 = 1e-3;

impl Scale {
    fn of(sorted: &[f64]) -> Option<Self> {
        let (first, last) = (sorted.first()?.max(LEAST), sorted.last()?.max(LEAST));
        let low = first.log10().floor() as i32;
        Some(Self { low, high: (last.log10().ceil() as i32).max(low + 1) })
    }

    fn across(&self, number: f64) -> f64 {
        across((number.max(LEAST).log10() - f64::from(self.low)) / f64::from(self.high - self.low))
    }
}

fn at_share(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted[rank.min(sorted.len()) - 1]
}

fn curve(sorted: &[f64], scale: &Scale) -> String {
    let count = sorted.len();
    let points = count.min(POINTS_MAX);
    let mut path = format!("M{:.1} {:.1}", scale.across(sorted[0]), up(0.0));
    for point in 1..=points {
        let rank = (point * count).div_ceil(points);
        let (x, y) = (scale.across(sorted[rank - 1]), up(rank as f64 / count as f64));
        let _ = write!(path, "H{x:.1}V{y:.1}");
    }
    let _ = write!(path, "H{:.1}", WIDTH - RIGHT);
    path
}
