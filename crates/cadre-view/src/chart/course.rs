use std::fmt::Write;

use maud::{Markup, html};

use super::{across, level, names, nothing, rounded, station, up};

/// How numbers went over time, stretch by stretch.
#[derive(Clone, Debug)]
pub struct Course {
    /// What is drawn.
    pub title: String,
    /// What time is counted in.
    pub across: String,
    /// What the numbers are.
    pub up: String,
    /// How long all stretches are together.
    pub time: f64,
    /// The numbers, told apart by their dashes as well as by their colours.
    pub curves: Vec<Curve>,
}

/// One of the numbers over time.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it is.
    pub name: String,
    /// What it was in each of equal stretches of time; `None` where nobody counted.
    pub numbers: Vec<Option<f64>>,
}

/// The colours and dashes of curves, in turns.
const STROKES: [(&str, &str); 3] = [("#1f5fa8", "none"), ("#b3541e", "6 4"), ("#4d4d4d", "2 3")];

impl Course {
    pub(super) fn markup(&self) -> Markup {
        let numbers = self.curves.iter().flat_map(|curve| curve.numbers.iter().flatten());
        let highest = numbers.copied().reduce(f64::max);
        let top = highest.map_or(1.0, round_up);
        html! {
            (names(&self.title, &self.across, &self.up))
            @for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
                (level(share, &rounded(top * share)))
                (station(across(share), &rounded(self.time * share)))
            }
            @if highest.is_none() {
                (nothing())
            }
            @for (at, (curve, (colour, dashes))) in
                self.curves.iter().zip(STROKES.into_iter().cycle()).enumerate()
            {
                path d=(curve.path(top)) fill="none" stroke=(colour) stroke-width="2"
                    stroke-dasharray=(dashes) {}
                (key(at, &curve.name, colour, dashes))
            }
        }
    }
}

impl Curve {
    /// Steps from stretch to stretch, with gaps where nobody counted.
    fn path(&self, top: f64) -> String {
        let mut path = String::new();
        let mut is_drawing = false;
        for (at, number) in self.numbers.iter().enumerate() {
            let edge = |at: usize| across(at as f64 / self.numbers.len() as f64);
            let Some(number) = number else {
                is_drawing = false;
                continue;
            };
            let (begin, end, y) = (edge(at), edge(at + 1), up(number / top));
            let _ = match is_drawing {
                true => write!(path, "V{y:.1}H{end:.1}"),
                false => write!(path, "M{begin:.1} {y:.1}H{end:.1}"),
            };
            is_drawing = true;
        }
        path
    }
}

/// What a curve is, at the top on the right.
fn key(at: usize, name: &str, colour: &str, dashes: &str) -> Markup {
    let (x, y) = (super::WIDTH - super::RIGHT - 150.0, 20.0 + 16.0 * at as f64);
    html! {
        path d=(format!("M{x} {:.1}h24", y - 5.0)) stroke=(colour) stroke-width="2"
            stroke-dasharray=(dashes) {}
        text x=(x + 30.0) y=(y) font-size="13" { (name) }
    }
}

/// The next number of one digit, or 1 for nothing.
fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(number.log10().floor());
    (number / power).ceil() * power
}
