use std::collections::{BTreeMap, BTreeSet};

/// Places the vertices of an acyclic graph in layers from top to bottom, each beside the others of
/// its layer, so that few edges cross; see Sugiyama, Tagawa and Toda, "Methods for visual
/// understanding of hierarchical system structures" (1981).
///
/// Layers follow from time where several things happen at once, else from the longest path. What
/// crosses a layer gets a place in it. Crossings are reduced by the barycentre of neighbours, a
/// number of sweeps down and up of which the best is kept; equal ones stay as they were, so that
/// the same graph always looks the same. A vertex on which nothing rests may be put last.
pub(crate) fn layered(
    vertices: &[Vertex],
    edges: &[(usize, usize)],
    last: Option<usize>,
) -> Layered {
    let mut layers = layers(vertices, edges);
    if let (Some(last), Some(lowest)) = (last, layers.iter().max().copied()) {
        layers[last] = lowest;
    }
    let mut grid = Grid::new(vertices, edges, &layers);
    grid.reduce_crossings();
    let across = grid.positions();
    let left = (0..grid.widths.len())
        .map(|place| across[place] - grid.widths[place] / 2.0)
        .fold(f64::INFINITY, f64::min);
    let at = |place: usize| (grid.layer_of[place], across[place] - left);
    let right = (0..grid.widths.len())
        .map(|place| across[place] - left + grid.widths[place] / 2.0)
        .fold(0.0, f64::max);
    Layered {
        vertices: (0..vertices.len()).map(at).collect(),
        routes: grid.routes.iter().map(|route| route.iter().map(|p| at(*p)).collect()).collect(),
        layers: grid.rows.len(),
        width: right,
    }
}

/// What has to be known of a vertex to place it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vertex {
    pub(crate) width: f64,
    pub(crate) time: usize,
}

/// Where everything is: a layer, and how far from the left edge its middle is.
#[derive(Debug)]
pub(crate) struct Layered {
    pub(crate) vertices: Vec<(usize, f64)>,
    /// For each edge the places that it comes by, its ends included.
    pub(crate) routes: Vec<Vec<(usize, f64)>>,
    pub(crate) layers: usize,
    pub(crate) width: f64,
}

/// Between two vertices of a layer.
const BETWEEN: f64 = 22.0;
/// How wide the way of an edge through a layer is.
const EDGE_WIDTH: f64 = 8.0;
/// How often the layers are gone through.
const SWEEPS: usize = 24;

fn layers(vertices: &[Vertex], edges: &[(usize, usize)]) -> Vec<usize> {
    let order = topological(vertices.len(), edges);
    let into = |to: usize| edges.iter().filter(move |edge| edge.1 == to).map(|edge| edge.0);
    let times: BTreeSet<usize> = vertices.iter().map(|vertex| vertex.time).collect();
    let is_timed = times.len() * 2 <= vertices.len()
        && edges.iter().all(|(from, to)| vertices[*from].time <= vertices[*to].time);
    let mut depth = vec![0; vertices.len()];
    for vertex in order {
        let same = |from: &usize| !is_timed || vertices[*from].time == vertices[vertex].time;
        depth[vertex] = into(vertex).filter(same).map(|from| depth[from] + 1).max().unwrap_or(0);
    }
    if !is_timed {
        return depth;
    }
    let key = |vertex: usize| (vertices[vertex].time, depth[vertex]);
    let keys: BTreeSet<(usize, usize)> = (0..vertices.len()).map(key).collect();
    let index: BTreeMap<(usize, usize), usize> = keys.into_iter().zip(0..).collect();
    (0..vertices.len()).map(|vertex| index[&key(vertex)]).collect()
}

/// The vertices in an order in which edges go forward; those of a cycle, which there should not be,
/// come last.
fn topological(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut missing = vec![0; count];
    for (_, to) in edges {
        missing[*to] += 1;
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|vertex| missing[*vertex] == 0).collect();
    let mut order = Vec::new();
    while let Some(vertex) = ready.pop_first() {
        order.push(vertex);
        for (_, to) in edges.iter().filter(|(from, _)| *from == vertex) {
            missing[*to] -= 1;
            if missing[*to] == 0 {
                ready.insert(*to);
            }
        }
    }
    let placed: BTreeSet<usize> = order.iter().copied().collect();
    order.extend((0..count).filter(|vertex| !placed.contains(vertex)));
    order
}

/// Places in rows: the vertices first, then one for each layer that an edge crosses.
#[derive(Debug)]
struct Grid {
    widths: Vec<f64>,
    layer_of: Vec<usize>,
    /// The places of each layer from left to right.
    rows: Vec<Vec<usize>>,
    /// The neighbours of each place in the layer above and in the one below.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    routes: Vec<Vec<usize>>,
}

impl Grid {
    fn new(vertices: &[Vertex], edges: &[(usize, usize)], layers: &[usize]) -> Self {
        let count = layers.iter().max().map_or(0, |last| last + 1);
        let mut grid = Self {
            widths: vertices.iter().map(|vertex| vertex.width).collect(),
            layer_of: layers.to_vec(),
            rows: vec![Vec::new(); count],
            above: vec![Vec::new(); vertices.len()],
            below: vec![Vec::new(); vertices.len()],
            routes: Vec::new(),
        };
        for (vertex, layer) in layers.iter().enumerate() {
            grid.rows[*layer].push(vertex);
        }
        for (from, to) in edges {
            let mut route = vec![*from];
            for layer in layers[*from] + 1..layers[*to] {
                route.push(grid.widths.len());
                grid.rows[layer].push(grid.widths.len());
                grid.layer_of.push(layer);
                grid.widths.push(EDGE_WIDTH);
                grid.above.push(Vec::new());
                grid.below.push(Vec::new());
            }
            route.push(*to);
            for pair in route.windows(2) {
                grid.below[pair[0]].push(pair[1]);
                grid.above[pair[1]].push(pair[0]);
            }
            grid.routes.push(route);
        }
        grid
    }

    fn reduce_crossings(&mut self) {
        let (mut best, mut least) = (self.rows.clone(), self.crossings());
        for sweep in 0..SWEEPS {
            let is_down = sweep % 2 == 0;
            let order: Vec<usize> = match is_down {
                true => (1..self.rows.len()).collect(),
                false => (0..self.rows.len().saturating_sub(1)).rev().collect(),
            };
            for layer in order {
                let fixed = if is_down { layer - 1 } else { layer + 1 };
                self.sort(layer, fixed);
            }
            let crossings = self.crossings();
            if crossings < least {
                (best, least) = (self.rows.clone(), crossings);
            }
        }
        self.rows = best;
    }

    /// Sorts a layer by the mean position of its neighbours in a layer that stays as it is.
    fn sort(&mut self, layer: usize, fixed: usize) {
        let position = self.position_in(fixed);
        let neighbours = if fixed < layer { &self.above } else { &self.below };
        let mut keyed: Vec<(f64, usize)> = Vec::new();
        for (index, place) in self.rows[layer].iter().enumerate() {
            let near: Vec<usize> = neighbours[*place].iter().map(|other| position[other]).collect();
            let mean = match near.len() {
                0 => index as f64,
                count => near.iter().sum::<usize>() as f64 / count as f64,
            };
            keyed.push((mean, *place));
        }
        keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
        self.rows[layer] = keyed.into_iter().map(|(_, place)| place).collect();
    }

    fn position_in(&self, layer: usize) -> BTreeMap<usize, usize> {
        self.rows[layer].iter().enumerate().map(|(index, place)| (*place, index)).collect()
    }

    /// How often edges cross.
    fn crossings(&self) -> usize {
        let mut count = 0;
        for layer in 1..self.rows.len() {
            let above = self.position_in(layer - 1);
            let mut passed: Vec<usize> = Vec::new();
            for place in &self.rows[layer] {
                let ends: Vec<usize> = self.above[*place].iter().map(|end| above[end]).collect();
                for end in &ends {
                    count += passed.iter().filter(|other| *other > end).count();
                }
                passed.extend(ends);
            }
        }
        count
    }

    /// How far right the middle of each place is: near the mean of its neighbours, in order and
    /// without touching.
    fn positions(&self) -> Vec<f64> {
        let mut at = vec![0.0; self.widths.len()];
        for row in &self.rows {
            let wanted: Vec<f64> = row.iter().map(|_| 0.0).collect();
            self.settle(row, &wanted, &mut at);
        }
        for sweep in 0..SWEEPS {
            let is_down = sweep % 2 == 0;
            let rows: Vec<&Vec<usize>> = match is_down {
                true => self.rows.iter().collect(),
                false => self.rows.iter().rev().collect(),
            };
            for row in rows {
                let wanted: Vec<f64> = row
                    .iter()
                    .map(|place| {
                        let near = self.above[*place].iter().chain(&self.below[*place]);
                        let near: Vec<f64> = near.map(|other| at[*other]).collect();
                        match near.len() {
                            0 => at[*place],
                            count => near.iter().sum::<f64>() / count as f64,
                        }
                    })
                    .collect();
                self.settle(row, &wanted, &mut at);
            }
        }
        at
    }

    /// Moves the places of a row as little as possible from where they want to be, so that they
    /// keep their order and do not touch: those that would are put together at their mean.
    fn settle(&self, row: &[usize], wanted: &[f64], at: &mut [f64]) {
        let mut offsets = Vec::new();
        let mut offset = 0.0;
        for (index, place) in row.iter().enumerate() {
            if let Some(before) = index.checked_sub(1) {
                offset += (self.widths[row[before]] + self.widths[*place]) / 2.0 + BETWEEN;
            }
            offsets.push(offset);
        }
        // Blocks of neighbours that move together: their sum and their number.
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        for (wanted, offset) in wanted.iter().zip(&offsets) {
            blocks.push((wanted - offset, 1));
            while let [.., (sum, count), (next_sum, next_count)] = blocks[..]
                && sum / count as f64 > next_sum / next_count as f64
            {
                blocks.truncate(blocks.len() - 2);
                blocks.push((sum + next_sum, count + next_count));
            }
        }
        let means =
            blocks.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / *count as f64, *count));
        for ((place, offset), mean) in row.iter().zip(&offsets).zip(means) {
            at[*place] = mean + offset;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(count: usize) -> Vec<Vertex> {
        (0..count).map(|time| Vertex { width: 40.0, time }).collect()
    }

    #[test]
    fn every_edge_goes_down_and_no_two_vertices_touch() {
        let vertices = same(7);
        let edges = [(0, 2), (1, 2), (0, 3), (2, 4), (3, 4), (0, 6), (4, 6), (1, 5), (5, 6)];
        let layered = layered(&vertices, &edges, None);
        for (from, to) in edges {
            assert!(layered.vertices[from].0 < layered.vertices[to].0);
        }
        for (one, a) in layered.vertices.iter().enumerate() {
            for b in &layered.vertices[one + 1..] {
                assert!(a.0 != b.0 || (a.1 - b.1).abs() >= 40.0 + BETWEEN - 1e-6);
            }
        }
        assert_eq!(layered.routes[5].len(), layered.vertices[6].0 + 1, "one place in each layer");
    }

    #[test]
    fn two_crossed_pairs_are_uncrossed() {
        let edges = [(0, 3), (1, 2)];
        let layers = layers(&same(4), &edges);
        let mut grid = Grid::new(&same(4), &edges, &layers);
        assert_eq!(grid.crossings(), 1);
        grid.reduce_crossings();
        assert_eq!(grid.crossings(), 0);
    }

    #[test]
    fn what_happens_at_one_time_is_in_one_layer() {
        let vertices = [1, 1, 1, 2, 2, 2].map(|time| Vertex { width: 40.0, time });
        let layered = layered(&vertices, &[(0, 3), (0, 1), (1, 5)], None);
        let layer = |vertex: usize| layered.vertices[vertex].0;
        assert_eq!([layer(0), layer(2), layer(1)], [0, 0, 1]);
        assert_eq!([layer(3), layer(4), layer(5)], [2, 2, 2]);
    }
}
