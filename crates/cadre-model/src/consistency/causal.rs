use std::collections::{BTreeMap, BTreeSet};

use super::Pattern;
use super::accesses::{Accesses, Kind, Node, Source};
use super::clocks::{Clocks, Graph, Place};

/// What is asked of causality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Causality {
    /// Causal consistency: each read has an explanation by what comes before it causally; two reads
    /// of a process may explain concurrent writes differently.
    Causal,
    /// Causal convergence: and all processes agree on one order of concurrent writes.
    Convergent,
    /// Causal memory (Ahamad and others 1995): and each process has one order of all writes that
    /// explains all of its reads.
    Memory,
}

/// The first pattern that contradicts causal consistency; `None` where the history has it.
///
/// Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", POPL 2017: where each
/// value is written once, a history is causally consistent unless it has one of a few patterns.
/// What comes before what is told by the order of each process and by which write a value is from.
pub fn causal(accesses: &Accesses, causality: Causality) -> Option<Pattern> {
    let thin_air = |node: &&Node| node.kind == Kind::Read(Source::Nowhere);
    if let Some(read) = accesses.nodes.iter().find(thin_air) {
        return Some(Pattern::ThinAirRead { read: read.call });
    }
    let order = Order::new(accesses);
    let clocks = match order.graph.clocks() {
        Ok(clocks) => clocks,
        Err(cycle) => return Some(order.cycle(CAUSALLY, &cycle, &[])),
    };
    order.stale(&clocks).or_else(|| match causality {
        Causality::Causal => None,
        Causality::Convergent => order.conflict(&clocks),
        Causality::Memory => (0..accesses.processes).find_map(|process| order.view(process)),
    })
}

const CAUSALLY: &str = "causally";
const IN_EVERY_ORDER: &str = "in any order that all processes agree on";
const IN_THE_VIEW: &str = "in any order that explains the reads of one process";
const CAUSALLY_BEFORE: &str = "it comes causally before the read";
const BEFORE_IN_THE_VIEW: &str =
    "it comes before the read in any order that explains what the same process read";

/// The causal order.
struct Order<'a> {
    accesses: &'a Accesses,
    graph: Graph,
    /// By key: its writes by chain, each in order.
    writes: Vec<Vec<Vec<usize>>>,
}

/// A write that must come before another, because of a read.
struct Forced {
    before: usize,
    after: usize,
    read: usize,
}

impl<'a> Order<'a> {
    fn new(accesses: &'a Accesses) -> Self {
        let mut graph = Graph::new(places(accesses));
        let mut last: Vec<Option<usize>> = vec![None; accesses.processes];
        for (index, node) in accesses.nodes.iter().enumerate() {
            if let Some(before) = last[node.process] {
                graph.add(before, index);
            }
            match node.kind {
                // Whatever its process did later may have come before it.
                Kind::UnknownWrite => continue,
                Kind::Read(Source::Write(write)) => graph.add(write, index),
                Kind::Write | Kind::Read(Source::Initial | Source::Nowhere) => {}
            }
            last[node.process] = Some(index);
        }
        let writes = writes(accesses, &graph);
        Self { accesses, graph, writes }
    }

    /// A read of what has been overwritten before it.
    fn stale(&self, clocks: &Clocks) -> Option<Pattern> {
        self.reads().find_map(|(read, source)| {
            self.last_writes(read, clocks).find_map(|write| {
                let call = |node: usize| self.accesses.nodes[node].call;
                let path = self.graph.path(write, read);
                match source {
                    None => Some(Pattern::StaleInitial {
                        why: CAUSALLY_BEFORE,
                        write: call(write),
                        path: self.calls(&path),
                        read: call(read),
                    }),
                    Some(old) if old != write && self.is_before(old, write, clocks) => {
                        let path = [self.graph.path(old, write), path].concat();
                        Some(Pattern::StaleRead {
                            why: CAUSALLY_BEFORE,
                            old: call(old),
                            new: call(write),
                            path: self.calls(&path),
                            read: call(read),
                        })
                    }
                    Some(_) => None,
                }
            })
        })
    }

    /// Writes that no common order suits.
    fn conflict(&self, clocks: &Clocks) -> Option<Pattern> {
        let forced = self.forced(self.reads(), clocks);
        let mut graph = self.graph.clone();
        forced.iter().for_each(|forced| graph.add(forced.before, forced.after));
        let cycle = graph.clocks().err()?;
        Some(self.cycle(IN_EVERY_ORDER, &cycle, &forced))
    }

    /// Reads of one process that no order of all writes suits.
    fn view(&self, process: usize) -> Option<Pattern> {
        let is_own =
            |(read, _): &(usize, Option<usize>)| self.accesses.nodes[*read].process == process;
        let mut view = Self {
            accesses: self.accesses,
            graph: self.graph.clone(),
            writes: self.writes.clone(),
        };
        let mut forced = Vec::new();
        loop {
            let clocks = match view.graph.clocks() {
                Ok(clocks) => clocks,
                Err(cycle) => return Some(self.cycle(IN_THE_VIEW, &cycle, &forced)),
            };
            for (read, _) in view.reads().filter(is_own).filter(|(_, source)| source.is_none()) {
                if let Some(write) = view.last_writes(read, &clocks).next() {
                    let nodes = &self.accesses.nodes;
                    let path = view.graph.path(write, read);
                    let reads = self.support(&path, &forced);
                    return Some(Pattern::StaleInitial {
                        why: BEFORE_IN_THE_VIEW,
                        write: nodes[write].call,
                        path: self.calls(&[path, reads].concat()),
                        read: nodes[read].call,
                    });
                }
            }
            let more = view.forced(view.reads().filter(is_own), &clocks);
            if more.is_empty() {
                return None;
            }
            more.iter().for_each(|forced| view.graph.add(forced.before, forced.after));
            forced.extend(more);
        }
    }

    /// Writes that come before a read are before the one that it is from.
    fn forced(
        &self,
        reads: impl Iterator<Item = (usize, Option<usize>)>,
        clocks: &Clocks,
    ) -> Vec<Forced> {
        let mut forced = Vec::new();
        for (read, source) in reads {
            let Some(after) = source else { continue };
            let others = self.last_writes(read, clocks).filter(|write| *write != after);
            let others = others.filter(|write| !self.is_before(*write, after, clocks));
            forced.extend(others.map(|before| Forced { before, after, read }));
        }
        forced
    }

    /// Reads with the writes that they are from; none for the initial value.
    fn reads(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        let nodes = self.accesses.nodes.iter().enumerate();
        nodes.filter_map(|(index, node)| Some((index, node.source()?.write())))
    }

    /// The last write of each chain to the key of a read, among those before the read.
    fn last_writes(&self, read: usize, clocks: &Clocks) -> impl Iterator<Item = usize> {
        let chains = &self.writes[self.accesses.nodes[read].place];
        chains.iter().filter_map(move |writes| {
            let is_before = |write: &usize| clocks.has(self.place(*write), read);
            let count = writes.partition_point(is_before);
            count.checked_sub(1).map(|last| writes[last])
        })
    }

    fn is_before(&self, node: usize, other: usize, clocks: &Clocks) -> bool {
        clocks.has(self.place(node), other)
    }

    fn place(&self, node: usize) -> Place {
        self.graph.place(node).expect("every access stands in a chain")
    }

    fn cycle(&self, how: &'static str, cycle: &[usize], forced: &[Forced]) -> Pattern {
        let closed = [cycle, &cycle[..1]].concat();
        let because = self.support(&closed, forced);
        Pattern::Cycle { how, cycle: self.calls(cycle), because: self.calls(&because) }
    }

    /// What forces the steps of a path that are no causal ones: reads, and how the one write comes
    /// before the read that is from the other, which may be for such a reason again.
    fn support(&self, path: &[usize], forced: &[Forced]) -> Vec<usize> {
        let mut support = BTreeSet::new();
        let mut known = BTreeSet::new();
        let mut open: Vec<Vec<usize>> = vec![path.to_vec()];
        while let Some(path) = open.pop() {
            for step in path.windows(2) {
                let is_this = |forced: &Forced| [forced.before, forced.after] == *step;
                let Some(index) = forced.iter().position(is_this) else { continue };
                if !known.insert(index) {
                    continue;
                }
                let mut graph = self.graph.clone();
                forced[..index].iter().for_each(|forced| graph.add(forced.before, forced.after));
                let why = graph.path(forced[index].before, forced[index].read);
                support.extend(why.iter().copied());
                open.push(why);
            }
        }
        support.into_iter().collect()
    }

    fn calls(&self, nodes: &[usize]) -> Vec<usize> {
        nodes.iter().map(|node| self.accesses.nodes[*node].call).collect()
    }
}

/// A chain for each process, and one for each write that nothing of its process follows.
fn places(accesses: &Accesses) -> Vec<Option<Place>> {
    let mut chains = accesses.processes;
    let places = accesses.nodes.iter().map(|node| match node.kind {
        Kind::UnknownWrite => {
            chains += 1;
            Some(Place { chain: chains - 1, position: 0 })
        }
        Kind::Write | Kind::Read(_) => Some(Place { chain: node.process, position: node.position }),
    });
    places.collect()
}

fn writes(accesses: &Accesses, graph: &Graph) -> Vec<Vec<Vec<usize>>> {
    let keys = accesses.nodes.iter().map(|node| node.place + 1).max().unwrap_or(0);
    let mut by_chain = vec![BTreeMap::new(); keys];
    for (index, node) in accesses.nodes.iter().enumerate().filter(|(_, node)| node.is_write()) {
        let chain = graph.place(index).map(|place| place.chain);
        by_chain[node.place].entry(chain).or_insert_with(Vec::new).push(index);
    }
    by_chain.into_iter().map(|chains| chains.into_values().collect()).collect()
}
