use crate::diagram::flights::Place;
use crate::diagram::plan::{Lane, Mark, Plan, Row};
use crate::diagram::symbols::mark_word;
use crate::text::width;

/// Where the lanes and rows of a plan are on paper, in pixels.
#[derive(Debug)]
pub(crate) struct Geometry {
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// The right edge of step numbers.
    pub(crate) number_right: i32,
    pub(crate) action_left: i32,
    pub(crate) action_columns: usize,
    pub(crate) lanes_left: i32,
    pub(crate) lanes_right: i32,
    pub(crate) changed_left: i32,
    pub(crate) changed_columns: usize,
    /// The most columns of a message beside its arrow.
    pub(crate) label_columns: usize,
    /// Where the lanes end.
    pub(crate) bottom: i32,
    lanes: Vec<i32>,
}

/// From row to row.
pub(crate) const ROW: i32 = 30;
/// A letter, a little more than it is on average.
pub(crate) const LETTER: i32 = 7;
/// Where row 0 is.
const TOP: i32 = 32;
/// What stands below the lanes.
const FOOT: i32 = 104;
const ACTION_COLUMNS: std::ops::RangeInclusive<usize> = 10..=38;
const CHANGED_COLUMNS: std::ops::RangeInclusive<usize> = 10..=60;
/// From lane to lane if there are at most so many.
const PITCHES: [(usize, i32); 3] = [(5, 132), (8, 104), (16, 84)];
const PITCH_LEAST: i32 = 64;

impl Geometry {
    pub(crate) fn of(plan: &Plan<'_>) -> Self {
        let clamp = |range: &std::ops::RangeInclusive<usize>, columns: usize| {
            columns.clamp(*range.start(), *range.end())
        };
        let longest = |text: &dyn Fn(&Row<'_>) -> usize| plan.rows.iter().map(text).max();
        let action = longest(&|row| match row {
            Row::Step(row) => width(&row.step.action.to_string()),
            Row::Gap(_) => 0,
        });
        let changed = longest(&|row| match row {
            Row::Step(row) => width(&row.changed.said()),
            Row::Gap(_) => 0,
        });
        let action_columns = clamp(&ACTION_COLUMNS, action.unwrap_or(0));
        let changed_columns = clamp(&CHANGED_COLUMNS, changed.unwrap_or(0));
        let digits = plan.trace.steps.len().to_string().len();
        let number_right = 20 + digits as i32 * LETTER;
        let action_left = number_right + 14;
        let lanes_left = action_left + action_columns as i32 * LETTER + 8;
        let fits = |most: &usize| plan.lanes.len() <= *most;
        let pitch = PITCHES.iter().find(|(most, _)| fits(most)).map_or(PITCH_LEAST, |(_, p)| *p);
        let mut lanes = Vec::new();
        let mut next = lanes_left + pitch / 2;
        let mut before = None;
        for lane in &plan.lanes {
            let is_client = matches!(lane, Lane::Client(_));
            // Clients are not part of the system: they stand a little apart.
            next += if before == Some(true) && !is_client { pitch / 4 } else { 0 };
            lanes.push(next);
            next += pitch;
            before = Some(is_client);
        }
        let last = plan.lanes.len().saturating_sub(1);
        let is_word = |(lane, mark): &(usize, Mark)| *lane == last && mark_word(*mark).is_some();
        let has_word = plan.steps().any(|row| row.marks.iter().any(is_word));
        let lanes_right = next - pitch / 2 + if has_word { 96 } else { 24 };
        let changed_left = lanes_right + 12;
        let bottom = TOP + (plan.last_row() as i32 + 1) * ROW;
        Self {
            width: changed_left + changed_columns as i32 * LETTER + 16,
            height: bottom + FOOT,
            number_right,
            action_left,
            action_columns,
            lanes_left,
            lanes_right,
            changed_left,
            changed_columns,
            label_columns: (pitch as usize / 6).min(18),
            bottom,
            lanes,
        }
    }

    pub(crate) fn x(&self, lane: usize) -> i32 {
        self.lanes.get(lane).copied().unwrap_or(self.lanes_left)
    }

    pub(crate) fn y(&self, row: usize) -> i32 {
        TOP + row as i32 * ROW
    }

    /// The point of a place; `begin` is where the way to it begins.
    pub(crate) fn point(&self, place: Place, begin: Option<Point>) -> Point {
        match place {
            Place::Lane { lane, row } => Point::new(self.x(lane), self.y(row)),
            Place::Between { from, to, row } if from == to => {
                Point::new(self.x(from) + 38, self.y(row))
            }
            Place::Between { from, to, row } => {
                let (from, to) = (self.x(from), self.x(to));
                Point::new(from + (to - from) * 11 / 20, self.y(row))
            }
            Place::Towards { lane } => self.stub(begin.unwrap_or_default(), lane, 1.0),
            Place::Before { from, to, row } => {
                self.stub(Point::new(self.x(to), self.y(row)), from, -1.0)
            }
        }
    }

    /// The end of a short way from a point towards a lane, downwards or upwards.
    fn stub(&self, begin: Point, lane: usize, sense: f64) -> Point {
        let away = f64::from(self.x(lane)) - begin.x;
        let down = f64::from(ROW) * 0.72 * sense;
        // Those that go further are flatter, so that several from one node fan out.
        let length = (away * away + down * down).sqrt();
        let share = if length > STUB { STUB / length } else { 1.0 };
        Point { x: begin.x + away * share, y: begin.y + down * share }
    }
}

/// How long the way of a message is drawn that does not arrive.
const STUB: f64 = 44.0;

/// A place on paper.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    pub(crate) fn new(x: i32, y: i32) -> Self {
        Self { x: f64::from(x), y: f64::from(y) }
    }

    /// The point on the way to another one.
    pub(crate) fn towards(self, other: Self, share: f64) -> Self {
        Self { x: self.x + (other.x - self.x) * share, y: self.y + (other.y - self.y) * share }
    }

    pub(crate) fn distance(self, other: Self) -> f64 {
        let (across, down) = (other.x - self.x, other.y - self.y);
        (across * across + down * down).sqrt()
    }
}

/// A length with one digit after the point, where that is not zero.
pub(crate) fn length(pixels: f64) -> String {
    let tenths = (pixels * 10.0).round() as i64;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => {
            let sign = if tenths < 0 { "-" } else { "" };
            format!("{sign}{}.{}", (tenths / 10).abs(), tenth.abs())
        }
    }
}
