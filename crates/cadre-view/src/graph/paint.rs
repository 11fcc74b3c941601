use std::collections::{BTreeMap, BTreeSet};

use cadre_trace::{LineageEdge, LineageGraph, LineageKind, LineageVertex, Standing};
use maud::{Markup, html};

use crate::diagram::length;
use crate::graph::layout::{Layered, Vertex, layered};
use crate::text::{clip, one_line, width};

/// A lineage graph on paper.
pub(crate) struct Drawn {
    pub(crate) markup: Markup,
    pub(crate) width: i32,
    pub(crate) height: i32,
    /// What is to be said of vertices that are left out.
    pub(crate) note: Option<String>,
}

/// As many vertices are drawn.
const VERTICES_MAX: usize = 300;
const LABEL_COLUMNS: usize = 34;
const LETTER: f64 = 7.0;
const BOX_HEIGHT: f64 = 40.0;
/// From layer to layer.
const LAYER: f64 = 74.0;
const MARGIN: f64 = 24.0;
/// The diameter of a junction of alternatives.
const JUNCTION: f64 = 22.0;

impl Drawn {
    pub(crate) fn of(lineage: &LineageGraph) -> Self {
        let kept = nearest(lineage);
        let note = (kept.len() < lineage.vertices.len()).then(|| {
            let all = lineage.vertices.len();
            format!("the {} of {all} vertices that are nearest to the outcome", kept.len())
        });
        let graph = Graph::of(lineage, &kept);
        let layered = layered(&graph.sizes(), &graph.edges(), graph.outcome());
        let markup = html! {
            @for ((edge, class), route) in graph.links.iter().zip(&layered.routes) {
                (painted_edge(&graph, *edge, class, route))
            }
            @for (item, at) in graph.items.iter().zip(&layered.vertices) {
                (painted_item(item, *at))
            }
            (legend(lineage, legend_top(&layered)))
        };
        let width = (layered.width + 2.0 * MARGIN).max(LEGEND_WIDTH);
        let height = legend_top(&layered) + 34.0;
        Self { markup, width: width as i32, height: height as i32, note }
    }
}

/// The width below which the legend has no room.
const LEGEND_WIDTH: f64 = 620.0;

fn legend_top(layered: &Layered) -> f64 {
    MARGIN + layered.layers.max(1) as f64 * LAYER
}

/// What is drawn: vertices, and junctions of alternatives.
struct Graph<'l> {
    items: Vec<Item<'l>>,
    /// Pairs of items, with the class of the edge between them.
    links: Vec<((usize, usize), &'static str)>,
}

enum Item<'l> {
    Vertex(&'l LineageVertex),
    Junction { class: &'static str, time: usize },
}

impl<'l> Graph<'l> {
    fn of(lineage: &'l LineageGraph, kept: &BTreeSet<usize>) -> Self {
        let mut items: Vec<Item<'l>> = Vec::new();
        let mut place = BTreeMap::new();
        for index in kept {
            place.insert(*index, items.len());
            items.push(Item::Vertex(&lineage.vertices[*index]));
        }
        let mut links = Vec::new();
        let edges = || {
            let edges = lineage.edges.iter();
            edges.filter(|edge| kept.contains(&edge.from) && kept.contains(&edge.to))
        };
        let mut alternatives: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for edge in edges() {
            alternatives.entry(edge.to).or_default().insert(edge.alternative);
        }
        let mut junctions: BTreeMap<(usize, u32), usize> = BTreeMap::new();
        for edge in edges() {
            let class = edge_class(lineage, edge);
            if alternatives[&edge.to].len() < 2 {
                links.push(((place[&edge.from], place[&edge.to]), class));
                continue;
            }
            let target = &lineage.vertices[edge.to];
            let junction = *junctions.entry((edge.to, edge.alternative)).or_insert_with(|| {
                let class = standing_class(target.standing);
                items.push(Item::Junction { class, time: target.time });
                links.push(((items.len() - 1, place[&edge.to]), class));
                items.len() - 1
            });
            links.push(((place[&edge.from], junction), class));
        }
        Self { items, links }
    }

    /// The outcome's place among the items.
    fn outcome(&self) -> Option<usize> {
        self.items.iter().position(|item| match item {
            Item::Vertex(vertex) => vertex.kind == LineageKind::Outcome,
            Item::Junction { .. } => false,
        })
    }

    fn sizes(&self) -> Vec<Vertex> {
        let size = |item: &Item<'_>| Vertex { width: item.width(), time: item.time() };
        self.items.iter().map(size).collect()
    }

    fn edges(&self) -> Vec<(usize, usize)> {
        self.links.iter().map(|(edge, _)| *edge).collect()
    }
}

impl Item<'_> {
    fn time(&self) -> usize {
        match self {
            Self::Vertex(vertex) => vertex.time,
            Self::Junction { time, .. } => *time,
        }
    }

    fn width(&self) -> f64 {
        match self {
            Self::Vertex(vertex) => {
                let columns = width(&label(vertex)).max(width(&place(vertex)));
                (columns as f64 * LETTER + 28.0).max(84.0)
            }
            Self::Junction { .. } => JUNCTION,
        }
    }

    fn height(&self) -> f64 {
        match self {
            Self::Vertex(_) => BOX_HEIGHT,
            Self::Junction { .. } => JUNCTION,
        }
    }
}

/// The vertices that are nearest to the outcome, which is the last one.
fn nearest(lineage: &LineageGraph) -> BTreeSet<usize> {
    let count = lineage.vertices.len();
    if count <= VERTICES_MAX {
        return (0..count).collect();
    }
    let mut kept = BTreeSet::from([count - 1]);
    let mut open = std::collections::VecDeque::from([count - 1]);
    while let Some(vertex) = open.pop_front() {
        let into = lineage.edges.iter().filter(|edge| edge.to == vertex && edge.from < count);
        for edge in into {
            if kept.len() < VERTICES_MAX && kept.insert(edge.from) {
                open.push_back(edge.from);
            }
        }
    }
    kept
}

fn painted_edge(
    graph: &Graph<'_>,
    (from, to): (usize, usize),
    class: &str,
    route: &[(usize, f64)],
) -> Markup {
    let below = graph.items[to].height();
    let half = |item: usize| graph.items[item].height() / 2.0;
    let count = route.len();
    let mut points: Vec<(f64, f64)> =
        route.iter().map(|(layer, x)| (x + MARGIN, middle(*layer))).collect();
    points[0].1 += half(from);
    points[count - 1].1 -= half(to) + 6.0;
    // Straight down at both ends, and in between in the direction from the last to the next place.
    let lean = |at: usize| match at {
        0 => 0.0,
        last if last + 1 == count => 0.0,
        at => (points[at + 1].0 - points[at - 1].0) / (points[at + 1].1 - points[at - 1].1),
    };
    let mut path = format!("M{} {}", length(points[0].0), length(points[0].1));
    for at in 1..count {
        let ((x, y), (next_x, next_y)) = (points[at - 1], points[at]);
        let third = (next_y - y) * 0.45;
        let numbers = [
            x + lean(at - 1) * third,
            y + third,
            next_x - lean(at) * third,
            next_y - third,
            next_x,
            next_y,
        ];
        path += &format!("C{}", numbers.map(length).join(" "));
    }
    let tip =
        route.last().map_or((0.0, 0.0), |(layer, x)| (x + MARGIN, middle(*layer) - below / 2.0));
    let head = format!("M{} {}l-4 -8h8Z", length(tip.0), length(tip.1));
    html! {
        g class={ "edge " (class) } {
            path d=(path) {}
            path class="tip" d=(head) {}
        }
    }
}

fn middle(layer: usize) -> f64 {
    MARGIN + layer as f64 * LAYER + BOX_HEIGHT / 2.0
}

fn painted_item(item: &Item<'_>, (layer, x): (usize, f64)) -> Markup {
    let (x, y) = (x + MARGIN, middle(layer));
    match item {
        Item::Junction { class, .. } => html! {
            g class={ "junction " (class) } {
                circle cx=(length(x)) cy=(length(y)) r=(length(JUNCTION / 2.0)) {}
                text x=(length(x)) y=(length(y + 4.0)) text-anchor="middle" { "or" }
            }
        },
        Item::Vertex(vertex) => {
            let wide = item.width();
            let (kind, standing) = (kind_class(vertex.kind), standing_class(vertex.standing));
            let word = standing_word(vertex.standing);
            let name = aria(vertex);
            html! {
                g class={ "vertex " (kind) " " (standing) }
                    data-step=[vertex.step] role="img" aria-label=(name) {
                    title { (name) }
                    (shape(vertex.kind, x, y, wide))
                    text x=(length(x)) y=(length(y - 2.0)) text-anchor="middle" { (label(vertex)) }
                    text class="where" x=(length(x)) y=(length(y + 13.0)) text-anchor="middle" {
                        (place(vertex))
                    }
                    @if let Some(word) = word {
                        text class="badge" x=(length(x - wide / 2.0 + 4.0))
                            y=(length(y - BOX_HEIGHT / 2.0 - 4.0)) { (word) }
                    }
                }
            }
        }
    }
}

fn shape(kind: LineageKind, x: f64, y: f64, wide: f64) -> Markup {
    let (left, top) = (x - wide / 2.0, y - BOX_HEIGHT / 2.0);
    let rect = |inset: f64, corner: f64| {
        html! {
            rect class="body" x=(length(left + inset)) y=(length(top + inset))
                width=(length(wide - 2.0 * inset)) height=(length(BOX_HEIGHT - 2.0 * inset))
                rx=(length(corner)) {}
        }
    };
    match kind {
        LineageKind::Step => rect(0.0, 4.0),
        LineageKind::Message => rect(0.0, BOX_HEIGHT / 2.0),
        LineageKind::Outcome => html! { (rect(0.0, 4.0)) (rect(3.5, 2.0)) },
        LineageKind::Write => {
            let across = length(wide);
            let (x, y, tall) = (length(left), length(top + 5.0), length(BOX_HEIGHT - 10.0));
            let back = length(-wide);
            html! {
                path class="body" d={ "M" (x) " " (y) "v" (tall) "c0 7 " (across) " 7 " (across)
                    " 0v-" (tall) "c0 -7 " (back) " -7 " (back) " 0c0 7 " (across) " 7 " (across)
                    " 0" } {}
            }
        }
        LineageKind::Absence => {
            let (x, y) = (length(left + 10.0), length(top));
            let flat = length(wide - 20.0);
            html! {
                path class="body" d={ "M" (x) " " (y) "h" (flat) "l10 10v20l-10 10h-" (flat)
                    "l-10 -10v-20Z" } {}
            }
        }
    }
}

fn label(vertex: &LineageVertex) -> String {
    let columns = match vertex.kind {
        LineageKind::Outcome => 2 * LABEL_COLUMNS,
        LineageKind::Step | LineageKind::Message | LineageKind::Write | LineageKind::Absence => {
            LABEL_COLUMNS
        }
    };
    clip(&one_line(&vertex.label), columns)
}

/// Where and when it happened.
fn place(vertex: &LineageVertex) -> String {
    let when = match (vertex.kind, vertex.step) {
        (LineageKind::Outcome, _) => "outcome".to_owned(),
        (_, Some(step)) => format!("step {step}"),
        (_, None) => format!("at {}", vertex.time),
    };
    let kind = match vertex.kind {
        LineageKind::Step | LineageKind::Outcome => "",
        LineageKind::Message => "message · ",
        LineageKind::Write => "write · ",
        LineageKind::Absence => "absence · ",
    };
    let node = vertex.node.as_deref().map(|node| format!("{} · ", one_line(node)));
    clip(&format!("{kind}{}{when}", node.unwrap_or_default()), LABEL_COLUMNS)
}

fn aria(vertex: &LineageVertex) -> String {
    let word = standing_word(vertex.standing).map(|word| format!(", {word}"));
    format!("{}, {}{}", one_line(&vertex.label), place(vertex), word.unwrap_or_default())
}

fn kind_class(kind: LineageKind) -> &'static str {
    match kind {
        LineageKind::Step => "is-step",
        LineageKind::Message => "is-message",
        LineageKind::Write => "is-write",
        LineageKind::Absence => "is-absence",
        LineageKind::Outcome => "is-outcome",
    }
}

fn standing_class(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "kept",
        Standing::Cut => "cut",
        Standing::Fallen => "fallen",
        Standing::Added => "added",
    }
}

fn standing_word(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Kept => None,
        Standing::Cut => Some("✂ CUT"),
        Standing::Fallen => Some("fallen"),
        Standing::Added => Some("+ added"),
    }
}

/// An edge stands as the end of it that stands worse.
fn edge_class(lineage: &LineageGraph, edge: &LineageEdge) -> &'static str {
    let ends = [edge.from, edge.to].map(|end| lineage.vertices[end].standing);
    let has = |standing: Standing| ends.contains(&standing);
    match () {
        () if has(Standing::Added) => "added",
        () if has(Standing::Cut) => "cut",
        () if has(Standing::Fallen) => "fallen",
        () => "kept",
    }
}

/// Says what the shapes mean that occur.
fn legend(lineage: &LineageGraph, top: f64) -> Markup {
    let standings: BTreeSet<Standing> =
        lineage.vertices.iter().map(|vertex| vertex.standing).collect();
    let mut words = vec!["box: step", "pill: message"];
    let kinds: BTreeSet<LineageKind> = lineage.vertices.iter().map(|vertex| vertex.kind).collect();
    words.extend(kinds.contains(&LineageKind::Write).then_some("cylinder: write"));
    words.extend(kinds.contains(&LineageKind::Absence).then_some("octagon: what did not come"));
    words.extend(standings.contains(&Standing::Cut).then_some("✂ removed by a fault"));
    words.extend(standings.contains(&Standing::Fallen).then_some("fallen: fell with it"));
    words.extend(standings.contains(&Standing::Added).then_some("+ only because of the faults"));
    html! {
        text class="muted" x=(length(MARGIN)) y=(length(top + 10.0)) { (words.join("   ·   ")) }
    }
}
