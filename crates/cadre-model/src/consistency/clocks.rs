use std::collections::VecDeque;

/// Things that come before others.
///
/// Some stand in chains, in which each comes before the next; what comes before something is then
/// told by a number for each chain, as in a vector clock.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    chains: usize,
    places: Vec<Option<Place>>,
    /// By node: what comes right before it.
    before: Vec<Vec<usize>>,
}

/// A place in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chain: usize,
    pub(super) position: usize,
}

/// How many of each chain come before a node, itself counted.
#[derive(Debug)]
pub(super) struct Clocks {
    chains: usize,
    counts: Vec<u32>,
}

impl Graph {
    /// Nodes with their places, and nothing that comes before them yet.
    pub(super) fn new(places: Vec<Option<Place>>) -> Self {
        let chains = places.iter().flatten().map(|place| place.chain + 1).max().unwrap_or(0);
        let before = vec![Vec::new(); places.len()];
        Self { chains, places, before }
    }

    pub(super) fn add(&mut self, before: usize, after: usize) {
        self.before[after].push(before);
    }

    pub(super) fn place(&self, node: usize) -> Option<Place> {
        self.places[node]
    }

    /// The clock of each node, or a cycle.
    pub(super) fn clocks(&self) -> Result<Clocks, Vec<usize>> {
        let mut after = vec![Vec::new(); self.before.len()];
        let mut waiting: Vec<usize> = self.before.iter().map(Vec::len).collect();
        for (node, before) in self.before.iter().enumerate() {
            for other in before {
                after[*other].push(node);
            }
        }
        let mut clocks =
            Clocks { chains: self.chains, counts: vec![0; self.chains * self.before.len()] };
        let mut open: Vec<usize> =
            (0..waiting.len()).rev().filter(|node| waiting[*node] == 0).collect();
        let mut done = 0;
        while let Some(node) = open.pop() {
            done += 1;
            if let Some(Place { chain, position }) = self.places[node] {
                let count = &mut clocks.counts[node * self.chains + chain];
                *count = (*count).max(position as u32 + 1);
            }
            for next in &after[node] {
                clocks.merge(node, *next);
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    open.push(*next);
                }
            }
        }
        match done == waiting.len() {
            true => Ok(clocks),
            false => Err(self.cycle(&waiting)),
        }
    }

    /// The shortest way from one node to another, both included; empty where there is none.
    pub(super) fn path(&self, from: usize, to: usize) -> Vec<usize> {
        let mut next: Vec<Option<usize>> = vec![None; self.before.len()];
        let mut open = VecDeque::from([to]);
        while let Some(node) = open.pop_front() {
            for before in &self.before[node] {
                if *before == from {
                    next[from] = Some(node);
                    return self.follow(&next, from, to);
                }
                if next[*before].is_none() && *before != to {
                    next[*before] = Some(node);
                    open.push_back(*before);
                }
            }
        }
        Vec::new()
    }

    /// Of steps along a chain only the ends are of interest.
    fn follow(&self, next: &[Option<usize>], from: usize, to: usize) -> Vec<usize> {
        let mut path = vec![from];
        let mut node = from;
        while let Some(following) = next[node] {
            path.push(following);
            if following == to {
                break;
            }
            node = following;
        }
        self.shorten(path)
    }

    fn shorten(&self, path: Vec<usize>) -> Vec<usize> {
        let is_step = |before: usize, after: usize| match (self.places[before], self.places[after])
        {
            (Some(before), Some(after)) => {
                before.chain == after.chain && before.position < after.position
            }
            (None, _) | (_, None) => false,
        };
        let is_between = |index: usize| {
            let ends = index > 0 && index + 1 < path.len();
            ends && is_step(path[index - 1], path[index]) && is_step(path[index], path[index + 1])
        };
        (0..path.len()).filter(|index| !is_between(*index)).map(|index| path[index]).collect()
    }

    /// A cycle among the nodes that still wait for others.
    fn cycle(&self, waiting: &[usize]) -> Vec<usize> {
        let is_waiting = |node: &usize| waiting[*node] > 0;
        let step = |node: usize| self.before[node].iter().copied().find(is_waiting);
        let mut node = (0..waiting.len()).find(is_waiting).unwrap_or(0);
        // As many steps back as there are nodes lead into a cycle.
        for _ in 0..waiting.len() {
            node = step(node).unwrap_or(node);
        }
        // The shortest through that node, begun with its first call.
        let mut cycle = self.path(node, node);
        cycle.pop();
        // Where the cycle was begun may be between two others of its chain.
        cycle.rotate_left(1);
        cycle.extend(cycle.first().copied());
        cycle = self.shorten(cycle);
        cycle.pop();
        let first = cycle.iter().enumerate().min_by_key(|(_, node)| **node);
        let first = first.map_or(0, |(index, _)| index);
        cycle.rotate_left(first);
        cycle
    }
}

impl Clocks {
    /// By chain: how many come before the node, itself counted.
    pub(super) fn of(&self, node: usize) -> &[u32] {
        &self.counts[node * self.chains..(node + 1) * self.chains]
    }

    /// Whether something at a place comes before a node, or is it.
    pub(super) fn has(&self, place: Place, node: usize) -> bool {
        self.of(node)[place.chain] as usize > place.position
    }

    fn merge(&mut self, from: usize, into: usize) {
        for chain in 0..self.chains {
            let count = self.counts[from * self.chains + chain];
            let own = &mut self.counts[into * self.chains + chain];
            *own = (*own).max(count);
        }
    }
}
