use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::diagram::flights::Fate;
use crate::diagram::geometry::{Geometry, LETTER, Point};
use crate::diagram::plan::{Disk, Mark, Plan, StretchKind};
use crate::diagram::symbols;
use crate::text::width;

/// Says what the symbols mean that occur, and no others.
pub(crate) fn legend(plan: &Plan<'_>, geometry: &Geometry) -> Markup {
    let (mut x, mut y) = (geometry.action_left, geometry.bottom + 52);
    let mut placed = Vec::new();
    for entry in entries(plan) {
        let wide = 46 + width(entry.text) as i32 * LETTER * 9 / 10;
        if x + wide > geometry.width && x > geometry.action_left {
            (x, y) = (geometry.action_left, y + 22);
        }
        placed.push((Point::new(x + 14, y), entry));
        x += wide;
    }
    html! {
        g class="legend" {
            @for (at, entry) in &placed {
                (symbol(entry.symbol, *at))
                text x=(at.x as i32 + 18) y=(at.y as i32 + 4) { (entry.text) }
            }
        }
    }
}

struct Entry {
    symbol: Symbol,
    text: &'static str,
}

#[derive(Clone, Copy)]
enum Symbol {
    Mark(Mark),
    Disk(Disk),
    Fate(Fate),
    Stretch(StretchKind),
}

fn entries(plan: &Plan<'_>) -> Vec<Entry> {
    let marks: BTreeSet<Mark> =
        plan.steps().flat_map(|row| row.marks.iter().map(|(_, mark)| *mark)).collect();
    let disks: BTreeSet<Disk> = plan.steps().filter_map(|row| row.disk).collect();
    let fates: BTreeSet<Fate> =
        plan.steps().flat_map(|row| row.flights.iter().map(|flight| flight.fate)).collect();
    let stretches: BTreeSet<StretchKind> =
        plan.stretches.iter().map(|stretch| stretch.kind).collect();
    let marks = marks.into_iter().map(|mark| (Symbol::Mark(mark), mark_text(mark)));
    let disks = disks.into_iter().map(|disk| (Symbol::Disk(disk), disk_text(disk)));
    let fates = fates.into_iter().map(|fate| (Symbol::Fate(fate), fate_text(fate)));
    let stretches = stretches
        .into_iter()
        .filter_map(|stretch| stretch_text(stretch).map(|text| (Symbol::Stretch(stretch), text)));
    let all = marks.chain(disks).chain(fates).chain(stretches);
    all.map(|(symbol, text)| Entry { symbol, text }).collect()
}

fn symbol(symbol: Symbol, at: Point) -> Markup {
    let (x, y) = (at.x as i32, at.y as i32);
    match symbol {
        // This one is wider than the others.
        Symbol::Mark(Mark::CrashRestart) => {
            symbols::mark(Mark::CrashRestart, Point { x: at.x - 10.0, ..at })
        }
        Symbol::Mark(mark) => symbols::mark(mark, at),
        Symbol::Disk(disk) => symbols::disk(disk, at),
        Symbol::Fate(fate) => html! {
            path class=(symbols::fate_class(fate)) d={ "M" (x - 9) " " (y) "H" (x + 6) } {}
            @if fate == Fate::Arrived {
                path class="head"
                    d=(symbols::head(at, Point { x: at.x + 10.0, y: at.y })) {}
            } @else {
                (symbols::fate(fate, Point { x: at.x + 4.0, y: at.y }))
            }
        },
        Symbol::Stretch(kind) => {
            let class = match kind {
                StretchKind::Up => "lane",
                StretchKind::Down => "lane down",
                StretchKind::Paused => "lane paused",
                StretchKind::Waits => "waits",
                StretchKind::WaitsStill => "waits still",
            };
            match kind {
                StretchKind::Waits | StretchKind::WaitsStill => html! {
                    rect class=(class) x=(x - 4) y=(y - 8) width="8" height="16" rx="4" {}
                },
                StretchKind::Paused => html! {
                    path class=(class) d={ "M" (x - 2) " " (y - 8) "v16m4 0v-16" } {}
                },
                StretchKind::Up | StretchKind::Down => html! {
                    path class=(class) d={ "M" (x) " " (y - 8) "v16" } {}
                },
            }
        }
    }
}

fn mark_text(mark: Mark) -> &'static str {
    match mark {
        Mark::Step => "step",
        Mark::Choice => "of its own accord",
        Mark::Timeout => "timeout",
        Mark::Crash => "crash",
        Mark::Interrupt => "crash within a step",
        Mark::Restart => "restart",
        Mark::CrashRestart => "crash and restart",
        Mark::Pause => "pause",
        Mark::Resume => "resume",
        Mark::Jump => "clock jumps",
        Mark::SyncFail => "sync fails",
        Mark::Forge => "forged message",
        Mark::Failed => "step function fails",
    }
}

fn disk_text(disk: Disk) -> &'static str {
    match disk {
        Disk::Written => "written, not synced",
        Disk::Synced => "synced to disk",
    }
}

fn fate_text(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrived => "message",
        Fate::Lost => "lost",
        Fate::CutOff => "sent over a cut link",
        Fate::Copied => "copied",
        Fate::Again => "in flight again",
        Fate::Altered => "altered",
        Fate::Later => "arrives much later",
        Fate::InFlight => "still in flight at the end",
    }
}

/// What a line means that is not simply there.
fn stretch_text(kind: StretchKind) -> Option<&'static str> {
    match kind {
        StretchKind::Up => None,
        StretchKind::Paused => Some("paused"),
        StretchKind::Down => Some("down"),
        StretchKind::Waits => Some("a client waits"),
        StretchKind::WaitsStill => Some("never answered"),
    }
}
