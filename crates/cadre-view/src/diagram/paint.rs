use cadre_trace::{Action, Trace, Verdict};
use maud::{Markup, html};

use crate::columns::Calls;
use crate::diagram::flights::{Fate, Flight, Place};
use crate::diagram::geometry::{Geometry, LETTER, Point, ROW, length};
use crate::diagram::labels::Taken;
use crate::diagram::plan::{
    Band, Call, Lane, Mark, Plan, Row, Side, StepRow, Stretch, StretchKind,
};
use crate::diagram::{legend, symbols};
use crate::lanes::Call as ActionText;
use crate::select::Gap;
use crate::text::{clip, one_line};

/// Everything on its place, the way of messages below what is written.
///
/// Names of elements begin with the prefix, so that several diagrams may
/// stand on one page.
pub(crate) fn painted(plan: &Plan<'_>, geometry: &Geometry, prefix: &str) -> Markup {
    let mut taken = taken(plan, geometry);
    html! {
        @for band in &plan.bands { (painted_band(band, geometry)) }
        @if let Some(rows) = plan.repetition() {
            (repetition(geometry, *rows.start(), *rows.end()))
        }
        @for (index, lane) in plan.lanes.iter().enumerate() {
            @if let Lane::Client(_) = lane {
                (line("lane client", index, geometry.x(index), geometry.y(0), geometry.bottom))
            }
        }
        @for stretch in &plan.stretches { (painted_stretch(stretch, plan, geometry)) }
        @for row in plan.steps() {
            @if !row.calls.is_empty() || !row.flights.is_empty() {
                g class="lines" data-step=(row.step.step) {
                    @for call in &row.calls { (call_line(call, row, geometry)) }
                    @for flight in &row.flights { (flight_line(flight, geometry)) }
                }
            }
        }
        @for (row, number) in plan.rows.iter().zip(1..) {
            @match row {
                Row::Step(row) => (painted_step(row, geometry, &mut taken, prefix)),
                Row::Gap(gap) => (painted_gap(*gap, number, geometry)),
            }
        }
        (outcome(plan, geometry))
        (legend::legend(plan, geometry))
    }
}

/// The names at the top of the lanes.
pub(crate) fn lane_names(plan: &Plan<'_>, geometry: &Geometry) -> Markup {
    html! {
        @for (index, lane) in plan.lanes.iter().enumerate() {
            (lane_name(*lane, index, geometry))
        }
    }
}

/// The places of all marks, and of words that cannot stand elsewhere.
fn taken(plan: &Plan<'_>, geometry: &Geometry) -> Taken {
    let mut taken = Taken::default();
    for row in plan.steps() {
        for (lane, mark) in &row.marks {
            let at = Point::new(geometry.x(*lane), geometry.y(row.row));
            taken.take(at, 8.0);
            if row.disk.is_some() {
                taken.take(beside(at, row.side), 7.0);
            }
            if let Some(word) = symbols::mark_word(*mark) {
                taken.take_text(word, beside_mark(*mark, at));
            }
        }
        for flight in &row.flights {
            if let Some((word, left)) = flight_word(flight, geometry) {
                taken.take(flight_ends(flight, geometry).1, 8.0);
                taken.take_text(&word, left);
            }
        }
    }
    taken
}

/// How far from a mark something stands that belongs to it.
const BESIDE: f64 = 14.0;

/// Where the disk of a mark stands.
fn beside(mark: Point, side: Side) -> Point {
    let x = match side {
        Side::Left => mark.x - BESIDE,
        Side::Right => mark.x + BESIDE,
    };
    Point { x, ..mark }
}

/// Where the word of a mark begins.
fn beside_mark(mark: Mark, at: Point) -> Point {
    Point { x: at.x + symbols::beside(mark), ..at }
}

/// What is said of a message that does not arrive, and where that begins: on the side to which it
/// was going.
fn flight_word(flight: &Flight, geometry: &Geometry) -> Option<(String, Point)> {
    let word = format!("{} {}", flight.text, symbols::fate_word(flight.fate)?);
    let (begin, end) = flight_ends(flight, geometry);
    let long = crate::text::width(&word) as f64 * f64::from(LETTER) * 0.95;
    let x = if end.x < begin.x { end.x - BESIDE - long } else { end.x + BESIDE };
    Some((word, Point { x, ..end }))
}

fn painted_band(band: &Band, geometry: &Geometry) -> Markup {
    let (top, bottom) = (geometry.y(*band.rows.start()), geometry.y(*band.rows.end()));
    let (left, right) = (geometry.lanes_left, geometry.lanes_right);
    let lines = (top..bottom).step_by(12).skip(1);
    html! {
        g class="band" {
            rect x=(left) y=(top) width=(right - left) height=(bottom - top) {}
            @for y in lines { path d={ "M" (left) " " (y) "L" (left + 8) " " (y - 8) } {} }
            @for y in (top..bottom).step_by(12).skip(1) {
                path d={ "M" (right - 8) " " (y) "L" (right) " " (y - 8) } {}
            }
            path class="edge" d={ "M" (left) " " (top) "H" (right) } {}
            path class="edge" d={ "M" (left) " " (bottom) "H" (right) } {}
            text class="word fault" x=(right - 6) y=(top + 14) text-anchor="end" {
                (clip(&one_line(&band.text), ((right - left) / LETTER) as usize))
            }
        }
    }
}

fn repetition(geometry: &Geometry, first: usize, last: usize) -> Markup {
    let (top, bottom) = (geometry.y(first) - ROW / 2, geometry.y(last) + ROW / 2);
    let x = geometry.number_right + 6;
    let y = (top + bottom) / 2;
    html! {
        g class="repeats" {
            path d={ "M" (x + 4) " " (top + 2) "H" (x) "V" (bottom - 2) "H" (x + 4) } {}
            text transform={ "translate(10 " (y) ") rotate(-90)" } text-anchor="middle" {
                "for ever"
            }
        }
    }
}

fn lane_name(lane: Lane<'_>, index: usize, geometry: &Geometry) -> Markup {
    let x = geometry.x(index);
    let name = clip(&one_line(lane.name()), geometry.label_columns.min(14));
    let half = (crate::text::width(&name) as i32 * LETTER / 2 + 10).max(20);
    let (top, height) = (geometry.y(0) - 24, 24);
    let (class, corner) = match lane {
        Lane::Client(_) => ("name client", 11),
        Lane::Node(_) => ("name", 3),
    };
    html! {
        g class=(class) data-lane=(index) {
            rect x=(x - half) y=(top) width=(2 * half) height=(height) rx=(corner) {}
            text x=(x) y=(top + 16) text-anchor="middle" { (name) }
        }
    }
}

fn painted_stretch(stretch: &Stretch, plan: &Plan<'_>, geometry: &Geometry) -> Markup {
    let x = geometry.x(stretch.lane);
    let y = |row: usize| match row {
        0 => geometry.y(0),
        row if row > plan.last_row() => geometry.bottom,
        row => geometry.y(row),
    };
    let (top, bottom) = (y(*stretch.rows.start()), y(*stretch.rows.end()));
    let lane = stretch.lane;
    match stretch.kind {
        StretchKind::Up => line("lane", lane, x, top, bottom),
        StretchKind::Down => line("lane down", lane, x, top, bottom),
        StretchKind::Paused => html! {
            (line("lane paused", lane, x - 2, top, bottom))
            (line("lane paused", lane, x + 2, top, bottom))
        },
        StretchKind::Waits => html! {
            rect class="waits" data-lane=(lane) x=(x - 4) y=(top - 4) width="8"
                height=(bottom - top + 8) rx="4" {}
        },
        StretchKind::WaitsStill => html! {
            rect class="waits still" data-lane=(lane) x=(x - 4) y=(top - 4) width="8"
                height=(bottom - top + 4) rx="4" {}
        },
    }
}

fn line(class: &str, lane: usize, x: i32, top: i32, bottom: i32) -> Markup {
    html! { path class=(class) data-lane=(lane) d={ "M" (x) " " (top) "V" (bottom) } {} }
}

fn painted_step(row: &StepRow<'_>, geometry: &Geometry, taken: &mut Taken, prefix: &str) -> Markup {
    let y = geometry.y(row.row);
    let number = row.step.step;
    let action = ActionText::of(&row.step.action).cut(Calls::Long, geometry.action_columns);
    let changed = row.changed.said();
    let lanes: Vec<String> = row.marks.iter().map(|(lane, _)| lane.to_string()).collect();
    html! {
        g class="step" id={ (prefix) "step-" (number) }
            data-step=(number) data-lanes=(lanes.join(" ")) role="option" {
            rect class="hit" x="4" y=(y - ROW / 2) width=(geometry.width - 8) height=(ROW) rx="4" {}
            text class="number" x=(geometry.number_right) y=(y + 4) text-anchor="end" { (number) }
            text class="action" x=(geometry.action_left) y=(y + 4) {
                (action)
            }
            @if row.step.action == Action::Tick {
                path class="tick"
                    d={ "M" (geometry.lanes_left) " " (y) "H" (geometry.lanes_right) } {}
            }
            @for call in &row.calls { (call_text(call, row, geometry, taken)) }
            @for flight in &row.flights { (flight_text(flight, geometry, taken)) }
            @for (lane, mark) in &row.marks { (painted_mark(*lane, *mark, row, geometry)) }
            text class="changed" x=(geometry.changed_left) y=(y + 4) {
                (clip(&changed, geometry.changed_columns))
            }
        }
    }
}

fn painted_mark(lane: usize, mark: Mark, row: &StepRow<'_>, geometry: &Geometry) -> Markup {
    let at = Point::new(geometry.x(lane), geometry.y(row.row));
    html! {
        g data-lane=(lane) {
            (symbols::mark(mark, at))
            @if let Some(word) = symbols::mark_word(mark) {
                (painted_word(word, beside_mark(mark, at), word_class(mark)))
            } @else if let Some(disk) = row.disk {
                (symbols::disk(disk, beside(at, row.side)))
            }
        }
    }
}

fn word_class(mark: Mark) -> &'static str {
    if let Mark::Restart | Mark::Resume = mark { "word good" } else { "word fault" }
}

fn painted_word(word: &str, at: Point, class: &str) -> Markup {
    html! { text class=(class) x=(length(at.x)) y=(length(at.y + 4.0)) { (word) } }
}

/// The places of a call: its client's end, its node's end, and which is first.
fn call_ends(call: &Call, row: &StepRow<'_>, geometry: &Geometry) -> (Point, Point, f64) {
    let aside = match (row.calls.len() > 1, call.is_answer) {
        (false, _) => 0.0,
        (true, false) => -6.0,
        (true, true) => 6.0,
    };
    let y = f64::from(geometry.y(row.row)) + aside;
    let client = Point { x: f64::from(geometry.x(call.client)) + 5.0, y };
    let node = Point { x: f64::from(geometry.x(call.node)) - 8.0, y };
    (client, node, aside)
}

fn call_line(call: &Call, row: &StepRow<'_>, geometry: &Geometry) -> Markup {
    let (client, node, _) = call_ends(call, row, geometry);
    let (from, to) = if call.is_answer { (node, client) } else { (client, node) };
    html! {
        g class="call" data-lane=(call.client) data-to=(call.node) {
            (straight("flight", from, to))
            (painted_head(from, to))
        }
    }
}

fn call_text(call: &Call, row: &StepRow<'_>, geometry: &Geometry, taken: &mut Taken) -> Markup {
    let (client, node, aside) = call_ends(call, row, geometry);
    let text = clip(&call.text, geometry.label_columns);
    // Near the client, where no messages are; the answer below its question leaves it that place.
    let share = |pixels: f64| (pixels / (node.x - client.x).max(1.0)).min(0.9);
    let half = crate::text::width(&text) as f64 * f64::from(LETTER) / 2.0;
    let near = if aside > 0.0 { 90.0 } else { 4.0 } + half;
    let far = near + 20.0;
    let (near, far) = (client.towards(node, share(near)), client.towards(node, share(far)));
    let at = taken.place(&text, near, far);
    html! { g data-lane=(call.client) data-to=(call.node) { (painted_label(&text, at)) } }
}

/// Where a message's way begins and ends on paper.
fn flight_ends(flight: &Flight, geometry: &Geometry) -> (Point, Point) {
    let begin = geometry.point(flight.from, None);
    (begin, geometry.point(flight.to, Some(begin)))
}

fn flight_line(flight: &Flight, geometry: &Geometry) -> Markup {
    let (begin, end) = flight_ends(flight, geometry);
    let distance = begin.distance(end).max(1.0);
    let from = begin.towards(end, (6.0 / distance).min(0.5));
    let arrives = flight.fate == Fate::Arrived;
    let tip = if arrives { end.towards(begin, (8.0 / distance).min(0.5)) } else { end };
    html! {
        g data-lane=(lane_of(flight.from, true)) data-to=(lane_of(flight.to, false)) {
            @if arrives && begin.x == end.x {
                (looping(begin, end))
            } @else {
                (straight(symbols::fate_class(flight.fate), from, tip))
                @if arrives { (painted_head(from, tip)) }
            }
        }
    }
}

/// Whether only the end of the way is drawn.
fn is_from_afar(flight: &Flight) -> bool {
    match flight.from {
        Place::Before { .. } => true,
        Place::Lane { .. } | Place::Between { .. } | Place::Towards { .. } => false,
    }
}

fn flight_text(flight: &Flight, geometry: &Geometry, taken: &mut Taken) -> Markup {
    let (begin, end) = flight_ends(flight, geometry);
    let text = clip(&flight.text, geometry.label_columns);
    let bulge = Point { x: begin.x + 40.0, y: (begin.y + end.y) / 2.0 };
    let label = match flight.fate {
        Fate::Later => Some(taken.place(&text, end, end)),
        Fate::Arrived if is_from_afar(flight) => Some(taken.place(&text, begin, begin)),
        Fate::Arrived if begin.x == end.x => Some(taken.place(&text, bulge, bulge)),
        Fate::Arrived => Some(taken.place(&text, begin, end)),
        // What does not get anywhere is named where it ends, or by the row that sends it.
        Fate::Lost | Fate::CutOff | Fate::Copied | Fate::Again | Fate::Altered | Fate::InFlight => {
            None
        }
    };
    html! {
        g data-lane=(lane_of(flight.from, true)) data-to=(lane_of(flight.to, false)) {
            (symbols::fate(flight.fate, end))
            @if let Some((word, left)) = flight_word(flight, geometry) {
                (painted_word(&word, left, "word fault"))
            }
            @if let Some(at) = label { (painted_label(&text, at)) }
        }
    }
}

fn lane_of(place: Place, is_begin: bool) -> usize {
    match place {
        Place::Lane { lane, .. } | Place::Towards { lane } => lane,
        Place::Between { from, to, .. } | Place::Before { from, to, .. } => {
            if is_begin {
                from
            } else {
                to
            }
        }
    }
}

fn straight(class: &str, from: Point, to: Point) -> Markup {
    let told = |point: Point| format!("{} {}", length(point.x), length(point.y));
    html! { path class=(class) d={ "M" (told(from)) "L" (told(to)) } {} }
}

fn painted_head(from: Point, to: Point) -> Markup {
    html! { path class="head" d=(symbols::head(from, to)) {} }
}

/// A message of a node to itself.
fn looping(begin: Point, end: Point) -> Markup {
    let tip = Point { x: end.x + 8.0, ..end };
    let (x, top, bottom) = (length(begin.x + 54.0), length(begin.y), length(end.y));
    let path = format!(
        "M{} {top}C{x} {top} {x} {bottom} {} {bottom}",
        length(begin.x + 6.0),
        length(tip.x)
    );
    html! {
        path class="flight" d=(path) {}
        (painted_head(Point { x: tip.x + 9.0, ..tip }, tip))
    }
}

fn painted_label(text: &str, at: Point) -> Markup {
    html! {
        text class="label" x=(length(at.x)) y=(length(at.y + 4.0)) text-anchor="middle" { (text) }
    }
}

fn painted_gap(gap: Gap, row: usize, geometry: &Geometry) -> Markup {
    let y = geometry.y(row);
    let (left, right) = (geometry.lanes_left, geometry.lanes_right);
    let waves: String = (left..right - 24).step_by(24).map(|_| "q6 -6 12 0t12 0").collect();
    let what = if gap.causes { "causes among them" } else { "no causes among them" };
    html! {
        g class="gap" {
            rect class="paper" x=(left) y=(y - 8) width=(right - left) height="16" {}
            path d={ "M" (left) " " (y) (waves) } {}
            text x=(geometry.action_left) y=(y + 4) { "… " (gap.steps) " steps left out" }
            text x=(geometry.changed_left) y=(y + 4) { (what) }
        }
    }
}

/// What became of the execution, below it.
fn outcome(plan: &Plan<'_>, geometry: &Geometry) -> Markup {
    let Some((text, reads)) = violation(plan.trace) else { return html! {} };
    let y = geometry.bottom;
    html! {
        g class="outcome" {
            @for lane in reads.iter().filter_map(|name| plan.node(name)) {
                path class="stroke fault" d={ "M" (geometry.x(lane) - 6) " " (y) "h12" } {}
            }
            path class="edge"
                d={ "M" (geometry.lanes_left) " " (y + 4) "H" (geometry.lanes_right) } {}
            text class="word fault" x=(geometry.action_left) y=(y + 24) {
                (clip(&text, (geometry.width - geometry.action_left) as usize / 7))
            }
        }
    }
}

fn violation(trace: &Trace) -> Option<(String, &[String])> {
    let guarantee = trace.header.guarantee.as_ref()?;
    if trace.header.verdict != Verdict::Violated {
        return None;
    }
    let finding = guarantee.finding.as_ref().map(|finding| format!(" — {finding}"));
    let text = format!("✗ violated: {}{}", guarantee.name, finding.unwrap_or_default());
    Some((one_line(&text), &guarantee.reads))
}
