mod flights;
mod geometry;
mod labels;
mod legend;
mod paint;
mod plan;
mod symbols;

use cadre_trace::{Trace, Verdict};
use maud::{Markup, PreEscaped, html};

use crate::select::select;
use crate::text::{clip, one_line};

pub(crate) use geometry::{Geometry, length};
pub(crate) use plan::Plan;

/// How large a space-time diagram may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiagramOptions {
    /// The most rows for steps. Of a longer trace those are left out that the violation does not
    /// follow from, a row for each gap.
    pub steps_max: usize,
}

/// As many steps are drawn, unless told.
pub const STEPS_MAX: usize = 2_000;

/// The style of what is drawn, which a page has once and an SVG of its own has inside.
pub(crate) const STYLE: &str = include_str!("style.css");

impl Default for DiagramOptions {
    fn default() -> Self {
        Self { steps_max: STEPS_MAX }
    }
}

/// Draws a trace as a space-time diagram, as Lamport draws them, but with the time downwards: an
/// SVG that needs nothing but itself.
///
/// A line for each node and each client, a row for each step, an arrow for each message. What is
/// lost, copied or altered, crashes, cut links and disks are told apart by shapes and words, colour
/// only adds to them. The same trace gives the same bytes.
pub fn diagram(trace: &Trace, options: &DiagramOptions) -> String {
    let plan = Plan::of(trace, &select(trace, options.steps_max));
    let geometry = Geometry::of(&plan);
    let (title, about) = (title(trace), about(trace));
    let (width, height) = (geometry.width, geometry.height + HEAD);
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img"
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            aria-labelledby="title about" {
            title id="title" { (title) }
            desc id="about" { (about) }
            style { (PreEscaped(STYLE)) }
            rect class="paper" width=(width) height=(height) {}
            text class="heading" x="16" y="26" { (clip(&title, geometry.width as usize / 9)) }
            text class="muted" x="16" y="46" { (clip(&about, geometry.width as usize / 7)) }
            g transform={ "translate(0 " (HEAD) ")" } {
                (paint::painted(&plan, &geometry, ""))
                (paint::lane_names(&plan, &geometry))
            }
        }
    };
    markup.into_string() + "\n"
}

/// The same for a page that has the style: names of lanes that may stay while the steps are
/// scrolled, and a list of steps of which one can be selected.
pub(crate) fn diagram_in_page(plan: &Plan<'_>, prefix: &str) -> Markup {
    let geometry = Geometry::of(plan);
    let (width, names) = (geometry.width, geometry.y(0));
    let height = geometry.height - names;
    html! {
        svg class="picture names" aria-hidden="true" viewBox={ "0 0 " (width) " " (names) }
            width=(width) height=(names) {
            (paint::lane_names(plan, &geometry))
        }
        svg class="picture diagram" role="listbox" tabindex="0"
            viewBox={ "0 " (names) " " (width) " " (height) } width=(width) height=(height)
            aria-label={ "Steps of " (title(plan.trace)) } {
            (paint::painted(plan, &geometry, prefix))
        }
    }
}

/// The height of what stands above the lanes of an SVG of its own.
const HEAD: i32 = 56;

/// The game and its parameters.
pub(crate) fn title(trace: &Trace) -> String {
    let setup = trace.header.setup.iter();
    let setup = setup.map(|(name, value)| format!("{name} {}", crate::text::say(value)));
    let words: Vec<String> =
        std::iter::once(one_line(&trace.header.protocol)).chain(setup).collect();
    words.join(" · ")
}

/// What was found, and in how many steps.
pub(crate) fn about(trace: &Trace) -> String {
    let header = &trace.header;
    let guarantee = header.guarantee.as_ref().map(|guarantee| one_line(&guarantee.name));
    let steps = match trace.steps.len() {
        1 => "1 step".to_owned(),
        steps => format!("{steps} steps"),
    };
    let found = match (header.verdict, guarantee) {
        (Verdict::Holds | Verdict::Bounded, None) => steps,
        (verdict, None) => format!("{verdict}, {steps}"),
        (verdict, Some(guarantee)) => format!("{verdict}: {guarantee}, {steps}"),
    };
    format!("{found}, found by {}", one_line(&header.origin))
}
