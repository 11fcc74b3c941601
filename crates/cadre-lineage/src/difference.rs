use std::collections::{BTreeMap, BTreeSet};

use cadre_trace::{LineageEdge, LineageGraph, LineageKind, LineageVertex};

/// The lineage of a good and of a bad run as one graph, the violation last.
///
/// What is in both is there once, with the standing and the causes that it has in the good run.
pub(crate) fn difference(good: &LineageGraph, bad: &LineageGraph) -> LineageGraph {
    let mut vertices: Vec<LineageVertex> = good.vertices.clone();
    let mut edges: Vec<LineageEdge> = good.edges.clone();
    let known: BTreeMap<_, usize> = good
        .vertices
        .iter()
        .enumerate()
        .map(|(position, vertex)| (name(vertex), position))
        .collect();
    let places: Vec<usize> = bad
        .vertices
        .iter()
        .map(|vertex| {
            known.get(&name(vertex)).copied().unwrap_or_else(|| {
                vertices.push(vertex.clone());
                vertices.len() - 1
            })
        })
        .collect();
    let is_new = |place: usize| place >= good.vertices.len();
    let added = bad.edges.iter().filter(|edge| is_new(places[edge.to]));
    edges.extend(added.map(|edge| LineageEdge {
        from: places[edge.from],
        to: places[edge.to],
        ..*edge
    }));
    sorted(&bad.outcome, &vertices, &edges)
}

/// What makes two vertices of two runs the same.
fn name(vertex: &LineageVertex) -> (LineageKind, &str, Option<&str>, usize) {
    (vertex.kind, &vertex.label, vertex.node.as_deref(), vertex.time)
}

/// The graph in an order of time in which causes come before what rests on them.
pub(crate) fn sorted(
    outcome: &str,
    vertices: &[LineageVertex],
    edges: &[LineageEdge],
) -> LineageGraph {
    let mut position = vec![usize::MAX; vertices.len()];
    let mut open: BTreeSet<(usize, usize)> =
        vertices.iter().enumerate().map(|(place, vertex)| (vertex.time, place)).collect();
    let mut order = Vec::new();
    while !open.is_empty() {
        let waits = |place: usize| {
            edges.iter().any(|edge| edge.to == place && position[edge.from] == usize::MAX)
        };
        let next = open.iter().find(|(_, place)| !waits(*place)).or(open.first()).copied();
        let next = next.expect("something is open");
        open.remove(&next);
        position[next.1] = order.len();
        order.push(next.1);
    }
    let edge = |edge: &LineageEdge| LineageEdge {
        from: position[edge.from],
        to: position[edge.to],
        ..*edge
    };
    let mut edges: Vec<LineageEdge> = edges.iter().map(edge).collect();
    edges.sort_by_key(|edge| (edge.to, edge.alternative, edge.from));
    edges.dedup();
    let vertices = order.iter().map(|place| vertices[*place].clone()).collect();
    LineageGraph { outcome: outcome.to_owned(), vertices, edges }
}
