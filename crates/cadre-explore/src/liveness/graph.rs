use std::collections::HashMap;

use cadre_model::{Model, Part};

use crate::exploration::{Flow, Progress};
use crate::settings::{Bound, Bounds};

/// The configurations that can be reached, as numbers in breadth-first order, with what leads from
/// one to another.
///
/// Configurations themselves are not kept: an action is found again by its position among those
/// that lead away from its configuration. What changes nothing is left out.
#[derive(Default)]
pub(crate) struct Graph {
    /// For each initial configuration of the model, in its order, its number.
    pub(crate) initial: Vec<u32>,
    /// How many configurations were met.
    pub(crate) nodes: usize,
    /// For each configuration that was looked at where its edges begin, and where the last ones
    /// end.
    offsets: Vec<usize>,
    pub(crate) edges: Vec<Edge>,
    /// How many fairness classes there are.
    pub(crate) classes: usize,
    /// For each predicate that was asked for the configurations in which it is true.
    pub(crate) truths: Vec<Bits>,
}

/// An action that leads to another configuration.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    /// The configuration it leads to, or [`OUTSIDE`].
    pub(crate) to: u32,
    /// The fairness class, or [`UNOWED`] or [`FAULT`].
    pub(crate) class: u32,
}

/// Stands for the configurations beyond the bounds.
pub(crate) const OUTSIDE: u32 = u32::MAX;
/// Stands for a fault.
const FAULT: u32 = u32::MAX;
/// Stands for an action without a fairness class.
const UNOWED: u32 = u32::MAX - 1;

impl Edge {
    pub(crate) fn is_fault(self) -> bool {
        self.class == FAULT
    }

    /// The fairness class, if there is one.
    pub(crate) fn owed(self) -> Option<u32> {
        (self.class < UNOWED).then_some(self.class)
    }
}

impl Graph {
    /// The positions of the edges that lead away from a configuration; none where it was met and
    /// not looked at.
    pub(crate) fn leaving(&self, node: u32) -> std::ops::Range<usize> {
        let node = node as usize;
        match self.offsets.get(node + 1) {
            Some(end) => self.offsets[node]..*end,
            None => 0..0,
        }
    }

    /// The configuration that an edge leads away from.
    pub(crate) fn source(&self, edge: usize) -> u32 {
        number(self.offsets.partition_point(|offset| *offset <= edge) - 1)
    }

    /// Whether nothing but faults can change anything.
    pub(crate) fn is_at_rest(&self, node: u32) -> bool {
        let is_known = (node as usize) + 1 < self.offsets.len();
        is_known && self.edges[self.leaving(node)].iter().all(|edge| edge.is_fault())
    }

    /// Whether a fairness class is possible in a configuration.
    pub(crate) fn allows(&self, node: u32, class: u32) -> bool {
        self.edges[self.leaving(node)].iter().any(|edge| edge.class == class)
    }
}

/// One bit for each configuration.
#[derive(Clone, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn contains(&self, node: u32) -> bool {
        self.0.get(node as usize / 64).is_some_and(|word| word & (1 << (node % 64)) != 0)
    }

    fn insert(&mut self, node: u32) {
        let word = node as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (node % 64);
    }
}

/// Walks through a model once more, within the bounds, and keeps what leads where.
///
/// The second part of the result is what ended it before everything was seen.
pub(crate) fn build<M: Model>(
    model: &M,
    bounds: &Bounds,
    asked: Vec<(usize, Part)>,
    watch: &mut dyn FnMut(&Progress) -> Flow,
) -> (Graph, Option<Bound>) {
    let mut builder = Builder {
        model,
        numbers: HashMap::new(),
        classes: HashMap::new(),
        nodes_max: bounds.configurations_max.unwrap_or(u64::MAX).min(u64::from(OUTSIDE) - 1),
        is_cut: false,
        graph: Graph { truths: vec![Bits::default(); asked.len()], ..Graph::default() },
        asked,
        actions: Vec::new(),
    };
    let bound = builder.run(bounds, watch);
    builder.graph.classes = builder.classes.len();
    (builder.graph, bound)
}

/// The actions along edges that follow each other from one of the initial configurations.
pub(crate) fn actions_along<M: Model>(
    model: &M,
    graph: &Graph,
    initial: u32,
    edges: &[usize],
) -> (M::State, Vec<M::Action>) {
    let position = graph.initial.iter().position(|node| *node == initial);
    let first = model.init().swap_remove(position.expect("an execution begins at the beginning"));
    let mut at = first.clone();
    let mut path = Vec::new();
    let mut actions = Vec::new();
    for edge in edges {
        let position = edge - graph.leaving(graph.source(*edge)).start;
        actions.clear();
        model.actions(&at, &mut actions);
        let mut steps = actions.drain(..).filter_map(|action| {
            let after = model.next(&at, &action)?;
            (after != at).then_some((action, after))
        });
        let step = steps.nth(position).expect("a pure model does again what it did before");
        drop(steps);
        path.push(step.0);
        at = step.1;
    }
    (first, path)
}

/// How many configurations are looked at between two calls of the watcher.
const WATCH_INTERVAL: usize = 4096;

/// About what a configuration takes besides its edges: its number, and its place in the queue.
const NODE_BYTES: usize = 80;

struct Builder<'a, M: Model> {
    model: &'a M,
    numbers: HashMap<u128, u32>,
    classes: HashMap<u128, u32>,
    asked: Vec<(usize, Part)>,
    nodes_max: u64,
    /// Whether an edge leads outside.
    is_cut: bool,
    graph: Graph,
    actions: Vec<M::Action>,
}

impl<M: Model> Builder<'_, M> {
    fn run(&mut self, bounds: &Bounds, watch: &mut dyn FnMut(&Progress) -> Flow) -> Option<Bound> {
        let mut level = Vec::new();
        for state in self.model.init() {
            let number = self.meet(&state, true, &mut level);
            self.is_cut = self.is_cut || number == OUTSIDE;
            self.graph.initial.push(number);
        }
        self.graph.offsets.push(0);
        let mut depth = 0;
        while !level.is_empty() {
            depth += 1;
            let is_last = bounds.depth_max.is_some_and(|depth_max| depth >= depth_max);
            let mut next_level = Vec::new();
            for (count, state) in level.iter().enumerate() {
                if count % WATCH_INTERVAL == 0 {
                    let progress = self.progress(depth);
                    if watch(&progress) == Flow::Stop {
                        return Some(Bound::Watcher);
                    }
                    if bounds.memory_max.is_some_and(|max| progress.memory > max) {
                        return Some(Bound::Memory(progress.memory));
                    }
                }
                self.expand(state, !is_last, &mut next_level);
            }
            level = next_level;
        }
        let nodes = self.graph.nodes as u64;
        match (self.is_cut, nodes >= self.nodes_max) {
            (false, _) => None,
            (true, true) => Some(Bound::Configurations(nodes)),
            (true, false) => Some(Bound::Depth(depth)),
        }
    }

    fn progress(&self, depth: u64) -> Progress {
        Progress {
            covered: 0,
            configurations: self.graph.nodes as u64,
            transitions: self.graph.edges.len() as u64,
            depth,
            queue: (self.graph.nodes + 1 - self.graph.offsets.len()) as u64,
            memory: (self.graph.nodes * NODE_BYTES + self.graph.edges.len() * size_of::<Edge>())
                as u64,
            ..Progress::default()
        }
    }

    /// The number of a configuration; a new one is added where there is room for it.
    fn meet(&mut self, state: &M::State, has_room: bool, new: &mut Vec<M::State>) -> u32 {
        let fingerprint = self.model.fingerprint(state);
        if let Some(known) = self.numbers.get(&fingerprint) {
            return *known;
        }
        if !has_room || self.graph.nodes as u64 >= self.nodes_max {
            return OUTSIDE;
        }
        let node = number(self.graph.nodes);
        self.numbers.insert(fingerprint, node);
        self.graph.nodes += 1;
        for (truth, (guarantee, part)) in self.graph.truths.iter_mut().zip(&self.asked) {
            if self.model.evaluate(*guarantee, *part, state) {
                truth.insert(node);
            }
        }
        new.push(state.clone());
        node
    }

    fn expand(&mut self, state: &M::State, has_room: bool, new: &mut Vec<M::State>) {
        let mut actions = std::mem::take(&mut self.actions);
        self.model.actions(state, &mut actions);
        for action in actions.drain(..) {
            let Some(after) = self.model.next(state, &action) else { continue };
            if after == *state {
                continue;
            }
            let to = self.meet(&after, has_room, new);
            self.is_cut = self.is_cut || to == OUTSIDE;
            let class = self.class(&action);
            self.graph.edges.push(Edge { to, class });
        }
        self.actions = actions;
        self.graph.offsets.push(self.graph.edges.len());
    }

    fn class(&mut self, action: &M::Action) -> u32 {
        if self.model.is_fault(action) {
            return FAULT;
        }
        let next = number(self.classes.len());
        let class = self.model.fairness_class(action);
        class.map_or(UNOWED, |class| *self.classes.entry(class).or_insert(next))
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 configurations and classes")
}
