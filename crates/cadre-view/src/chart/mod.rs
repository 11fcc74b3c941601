use maud::{Markup, html};

pub use self::course::{Course, Curve};
pub use self::shares::Shares;

mod course;
mod shares;

/// A picture of numbers.
#[derive(Clone, Debug)]
pub enum Chart<'a> {
    /// What share of some numbers is below each number.
    Shares(Shares<'a>),
    /// How numbers went over time.
    Course(Course),
}

/// Draws charts below each other, as SVG that needs nothing but itself.
///
/// # Examples
///
/// ```
/// use cadre_view::{Chart, Shares, charts};
///
/// let svg = charts(&[Chart::Shares(Shares {
///     title: "Answers".to_owned(),
///     across: "milliseconds".to_owned(),
///     up: "share".to_owned(),
///     sorted: &[1.0, 2.0, 30.0],
/// })]);
/// assert!(svg.starts_with("<svg") && svg.contains("Answers"));
/// ```
pub fn charts(charts: &[Chart<'_>]) -> String {
    let height = HEIGHT * charts.len() as f64;
    let offset = |at: usize| format!("translate(0 {})", HEIGHT * at as f64);
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {height}"))
            width=(WIDTH) height=(height) font-family="sans-serif" font-size="14" fill="#222222" {
            rect width=(WIDTH) height=(height) fill="#ffffff" {}
            @for (at, chart) in charts.iter().enumerate() {
                g transform=(offset(at)) {
                    @match chart {
                        Chart::Shares(shares) => (shares.markup()),
                        Chart::Course(course) => (course.markup()),
                    }
                }
            }
        }
    };
    drawn.into_string() + "\n"
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 32.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 60.0;

/// The title of a chart and what its axes are.
fn names(title: &str, across: &str, up: &str) -> Markup {
    let (middle, height) = ((LEFT + WIDTH - RIGHT) / 2.0, (TOP + HEIGHT - BOTTOM) / 2.0);
    html! {
        text x=(LEFT) y="28" font-size="17" font-weight="bold" { (title) }
        text x=(middle) y=(HEIGHT - 16.0) text-anchor="middle" { (across) }
        text transform=(format!("translate(20 {height}) rotate(-90)")) text-anchor="middle" { (up) }
    }
}

/// A line across, with what it stands for on its left.
fn level(share: f64, label: &str) -> Markup {
    let (y, right) = (up(share), WIDTH - RIGHT);
    html! {
        path d=(format!("M{LEFT} {y:.1}H{right}")) stroke="#dddddd" {}
        text x=(LEFT - 8.0) y=(format!("{:.1}", y + 5.0)) text-anchor="end" { (label) }
    }
}

/// A line up, with what it stands for below.
fn station(x: f64, label: &str) -> Markup {
    let bottom = HEIGHT - BOTTOM;
    html! {
        path d=(format!("M{x:.1} {TOP}V{bottom}")) stroke="#dddddd" {}
        text x=(format!("{x:.1}")) y=(bottom + 20.0) text-anchor="middle" { (label) }
    }
}

/// What stands in the middle of a chart without numbers.
fn nothing() -> Markup {
    let (middle, height) = ((LEFT + WIDTH - RIGHT) / 2.0, (TOP + HEIGHT - BOTTOM) / 2.0);
    html! { text x=(middle) y=(height) text-anchor="middle" { "there were none" } }
}

fn up(share: f64) -> f64 {
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

fn across(share: f64) -> f64 {
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// A number with three digits that count.
fn rounded(number: f64) -> String {
    match number {
        large if large >= 100.0 => format!("{large:.0}"),
        middling if middling >= 10.0 => format!("{middling:.1}"),
        small => format!("{small:.2}"),
    }
}
