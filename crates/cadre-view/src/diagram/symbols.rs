use maud::{Markup, html};

use crate::diagram::flights::Fate;
use crate::diagram::geometry::{Point, length};
use crate::diagram::plan::{Disk, Mark};

/// Draws what happens to a node. Every mark has a shape of its own.
pub(crate) fn mark(mark: Mark, at: Point) -> Markup {
    let (x, y) = (length(at.x), length(at.y));
    let place = format!("translate({x} {y})");
    match mark {
        Mark::Step => html! { circle class="mark" cx=(x) cy=(y) r="5" {} },
        Mark::Choice => html! { path class="mark" transform=(place) d="M0 -7L7 0L0 7L-7 0Z" {} },
        Mark::Timeout => html! {
            g transform=(place) {
                circle class="mark hollow" r="6" {}
                path class="hands" d="M0 -4V0H3" {}
            }
        },
        Mark::Crash => html! { (cross(&place)) },
        Mark::Interrupt => html! {
            circle class="mark" cx=(x) cy=(y) r="5" {}
            (cross(&place))
        },
        Mark::Restart => html! { path class="mark good" transform=(place) d="M0 -8L8 6H-8Z" {} },
        Mark::CrashRestart => html! {
            (cross(&place))
            path class="mark good" transform=(place) d="M18 -8L26 6H10Z" {}
        },
        Mark::Pause => html! {
            g transform=(place) {
                rect class="mark hollow fault" x="-8" y="-8" width="16" height="16" rx="2" {}
                path class="stroke fault" d="M-3 -4V4M3 -4V4" {}
            }
        },
        Mark::Resume => html! { path class="mark good" transform=(place) d="M-5 -7L8 0L-5 7Z" {} },
        Mark::Jump => html! {
            g transform=(place) {
                circle class="mark hollow fault" r="7" {}
                path class="stroke fault" d="M0 -4V1H4" {}
            }
        },
        Mark::SyncFail => html! {
            g transform=(place) {
                (cylinder("disk failed"))
                path class="stroke fault" d="M-8 8L8 -8" {}
            }
        },
        Mark::Forge => html! {
            path class="mark fault" transform=(place) d="M-4 -7H4L8 0L4 7H-4L-8 0Z" {}
        },
        Mark::Failed => html! {
            g transform=(place) {
                path class="mark hollow fault" d="M-3.5 -8.5H3.5L8.5 -3.5V3.5L3.5 8.5H-3.5L-8.5 \
                    3.5V-3.5Z" {}
                path class="stroke fault" d="M0 -5V1M0 4V5" {}
            }
        },
    }
}

/// How far from the middle of a mark its word stands.
pub(crate) fn beside(mark: Mark) -> f64 {
    if mark == Mark::CrashRestart { 30.0 } else { 14.0 }
}

/// What the mark is called beside it; nothing where the row says it anyway.
pub(crate) fn mark_word(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Step | Mark::Choice | Mark::Timeout => None,
        Mark::Crash => Some("CRASH"),
        Mark::Interrupt => Some("CRASH IN STEP"),
        Mark::Restart => Some("RESTART"),
        Mark::CrashRestart => Some("CRASH + RESTART"),
        Mark::Pause => Some("PAUSE"),
        Mark::Resume => Some("RESUME"),
        Mark::Jump => Some("CLOCK JUMPS"),
        Mark::SyncFail => Some("SYNC FAILS"),
        Mark::Forge => Some("FORGES"),
        Mark::Failed => Some("FAILED"),
    }
}

/// Draws what happens to a disk: hollow is written, full survives a crash.
pub(crate) fn disk(disk: Disk, at: Point) -> Markup {
    let place = format!("translate({} {})", length(at.x), length(at.y));
    let class = match disk {
        Disk::Written => "disk written",
        Disk::Synced => "disk synced",
    };
    html! { g transform=(place) { (cylinder(class)) } }
}

/// Draws how the way of a message ends that does not arrive.
pub(crate) fn fate(fate: Fate, at: Point) -> Markup {
    let (x, y) = (length(at.x), length(at.y));
    let place = format!("translate({x} {y})");
    match fate {
        Fate::Arrived => html! {},
        Fate::Later => html! { path class="stroke later" transform=(place) d="M-3 -4L1 0L-3 4" {} },
        Fate::Lost | Fate::CutOff => html! {
            path class="stroke fault" transform=(place) d="M-5 -5L5 5M5 -5L-5 5" {}
        },
        Fate::Copied => html! {
            g transform=(place) {
                circle class="mark hollow fault" r="6" cx="-3" {}
                circle class="mark hollow fault" r="6" cx="3" {}
            }
        },
        Fate::Again => html! {
            g transform=(place) {
                circle class="mark hollow fault" r="7" {}
                path class="stroke fault" d="M-3 1A3.5 3.5 0 1 0 -2 -3M-4 -4L-2 -3L-1 -5" {}
            }
        },
        Fate::Altered => html! {
            g transform=(place) {
                path class="mark hollow fault" d="M0 -8L8 0L0 8L-8 0Z" {}
                path class="stroke fault" d="M-4 1C-2 -3 2 4 4 -1" {}
            }
        },
        Fate::InFlight => html! { circle class="open" cx=(x) cy=(y) r="3" {} },
    }
}

/// What the end is called beside it.
pub(crate) fn fate_word(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Arrived | Fate::Later | Fate::InFlight => None,
        Fate::Lost => Some("lost"),
        Fate::CutOff => Some("cut off"),
        Fate::Copied => Some("copied"),
        Fate::Again => Some("again"),
        Fate::Altered => Some("altered"),
    }
}

/// The class of an arrow, by which it is dashed or dotted.
pub(crate) fn fate_class(fate: Fate) -> &'static str {
    match fate {
        Fate::Arrived => "flight",
        Fate::Lost | Fate::CutOff => "flight lost",
        Fate::Copied | Fate::Again | Fate::Altered => "flight part",
        Fate::Later | Fate::InFlight => "flight open-end",
    }
}

/// The head of an arrow that ends at a point.
pub(crate) fn head(from: Point, to: Point) -> String {
    let distance = from.distance(to).max(1.0);
    let (across, down) = ((to.x - from.x) / distance, (to.y - from.y) / distance);
    let corner = |side: f64| Point {
        x: to.x - across * 9.0 - down * side,
        y: to.y - down * 9.0 + across * side,
    };
    let told = |point: Point| format!("{} {}", length(point.x), length(point.y));
    format!("M{}L{}L{}Z", told(to), told(corner(4.0)), told(corner(-4.0)))
}

fn cross(place: &str) -> Markup {
    html! {
        g transform=(place) {
            rect class="mark hollow fault" x="-8" y="-8" width="16" height="16" {}
            path class="stroke fault" d="M-5 -5L5 5M5 -5L-5 5" {}
        }
    }
}

fn cylinder(class: &str) -> Markup {
    html! {
        path class=(class) d="M-5 -3.5V3.5C-5 6 5 6 5 3.5V-3.5C5 -6 -5 -6 -5 -3.5C-5 -1 5 -1 5 \
            -3.5" {}
    }
}
