use std::fmt::Write;

/// What share of some numbers is below each number: a curve.
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

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 32.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 60.0;
/// The most points of the curve.
const POINTS_MAX: usize = 400;
/// The shares that are marked, with what they are called.
const MARKS: [(f64, &str); 3] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")];

/// Draws which share of some numbers is below each, over powers of ten, as SVG that needs nothing
/// but itself.
///
/// # Examples
///
/// ```
/// let svg = cadre_view::shares(&cadre_view::Shares {
///     title: "Answers".to_owned(),
///     across: "milliseconds".to_owned(),
///     up: "share".to_owned(),
///     sorted: &[1.0, 2.0, 30.0],
/// });
/// assert!(svg.starts_with("<svg") && svg.contains("Answers"));
/// ```
pub fn shares(shares: &Shares<'_>) -> String {
    let mut svg = String::new();
    let mut add = |line: String| svg.push_str(&(line + "\n"));
    add(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"14\" \
         fill=\"#222222\">"
    ));
    add(format!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"));
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let title = escaped(&shares.title);
    add(format!(
        "<text x=\"{LEFT}\" y=\"28\" font-size=\"17\" font-weight=\"bold\">{title}</text>"
    ));
    add(format!(
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        HEIGHT - 16.0,
        escaped(&shares.across)
    ));
    let height = (TOP + HEIGHT - BOTTOM) / 2.0;
    add(format!(
        "<text transform=\"translate(20 {height}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        escaped(&shares.up)
    ));
    for tenth in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = up(tenth);
        let right = WIDTH - RIGHT;
        add(format!(
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{} %</text>",
            LEFT - 8.0,
            y + 5.0,
            100.0 * tenth
        ));
    }
    let Some(scale) = Scale::of(shares.sorted) else {
        add(format!(
            "<text x=\"{middle}\" y=\"{height}\" text-anchor=\"middle\">there were none</text>"
        ));
        return svg + "</svg>\n";
    };
    for power in scale.low..=scale.high {
        let (x, bottom) = (scale.across(10_f64.powi(power)), HEIGHT - BOTTOM);
        add(format!(
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#dddddd\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 20.0,
            10_f64.powi(power)
        ));
    }
    let curve = curve(shares.sorted, &scale);
    add(format!("<path d=\"{curve}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\"/>"));
    for (share, name) in MARKS {
        let number = at_share(shares.sorted, share);
        let (x, y) = (scale.across(number), up(share));
        // Names stand where the curve is not: on its left, and on its right near the left edge.
        let (beside, anchor) = if x < LEFT + 130.0 { (10.0, "start") } else { (-10.0, "end") };
        let down = if anchor == "start" { 16.0 } else { -4.0 };
        add(format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#b3541e\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name} {}</text>",
            x + beside,
            y + down,
            rounded(number)
        ));
    }
    svg + "</svg>\n"
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
        let share =
            (number.max(LEAST).log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }
}

fn up(share: f64) -> f64 {
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
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

/// A number with three digits that count.
fn rounded(number: f64) -> String {
    match number {
        large if large >= 100.0 => format!("{large:.0}"),
        middling if middling >= 10.0 => format!("{middling:.1}"),
        small => format!("{small:.2}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
