mod layout;
mod paint;

use cadre_trace::{LineageGraph, Standing};
use maud::{Markup, PreEscaped, html};

use crate::diagram;
use crate::text::{clip, one_line};

/// The style of lineage graphs, which a page has once and an SVG of its own has inside.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Draws a lineage as a graph in layers, the outcome at the bottom: an SVG that needs nothing but
/// itself.
///
/// What faults removed is framed and named as cut, what fell with it as fallen, what happened only
/// because of them as added. Of alternatives each comes by a junction of its own. A graph of more
/// than 300 vertices is drawn as far as the 300 that are nearest to the outcome, and says so.
///
/// # Examples
///
/// ```
/// use cadre_trace::{LineageGraph, LineageKind, LineageVertex, Standing};
///
/// let vertex = LineageVertex {
///     kind: LineageKind::Message,
///     label: "Log a→b".to_owned(),
///     node: Some("a".to_owned()),
///     time: 1,
///     step: None,
///     standing: Standing::Cut,
/// };
/// let (outcome, vertices) = ("b has it".to_owned(), vec![vertex]);
/// let svg = cadre_view::lineage_graph(&LineageGraph { outcome, vertices, edges: Vec::new() });
/// assert!(svg.contains("Log a→b") && svg.contains("✂ CUT"));
/// ```
pub fn lineage_graph(lineage: &LineageGraph) -> String {
    let drawn = paint::Drawn::of(lineage);
    let outcome = one_line(&lineage.outcome);
    let title = format!("Lineage of: {outcome}");
    let letters = i32::try_from(title.chars().count()).unwrap_or(i32::MAX).min(LETTERS_MAX);
    let (width, height) = (drawn.width.max(LETTER * letters + 32), drawn.height + HEAD);
    let cut = cut_set(lineage);
    let about = drawn.note.clone().unwrap_or_else(|| match cut.is_empty() {
        true => "what the outcome rests on".to_owned(),
        false => format!("cut: {}", cut.join(", ")),
    });
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img"
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            aria-labelledby="title about" {
            title id="title" { (title) }
            desc id="about" { (about) }
            style { (PreEscaped(diagram::STYLE)) (PreEscaped(STYLE)) }
            rect class="paper" width=(width) height=(height) {}
            text class="heading" x="16" y="26" { (clip(&title, (width / LETTER) as usize)) }
            text class="muted" x="16" y="46" { (clip(&about, width as usize / 7)) }
            g transform={ "translate(0 " (HEAD) ")" } { (drawn.markup) }
        }
    };
    markup.into_string() + "\n"
}

/// The same for a page that has the style.
pub(crate) fn lineage_in_page(lineage: &LineageGraph) -> Markup {
    let drawn = paint::Drawn::of(lineage);
    let (width, height) = (drawn.width, drawn.height);
    html! {
        @if let Some(note) = &drawn.note { p class="note" { (note) } }
        svg class="picture lineage" role="group"
            viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            aria-label={ "Lineage of: " (one_line(&lineage.outcome)) } {
            (drawn.markup)
        }
    }
}

/// What the faults removed.
fn cut_set(lineage: &LineageGraph) -> Vec<String> {
    let cut = lineage.vertices.iter().filter(|vertex| vertex.standing == Standing::Cut);
    cut.map(|vertex| one_line(&vertex.label)).collect()
}

/// The height of what stands above the graph of an SVG of its own.
const HEAD: i32 = 56;
/// How wide a letter of the title is at the most.
const LETTER: i32 = 10;
/// For a longer title the picture is not made wider.
const LETTERS_MAX: i32 = 100;
