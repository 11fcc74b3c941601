use std::collections::{BTreeMap, BTreeSet};

use super::Pattern;
use super::accesses::{Accesses, Kind, Node, Source};
use super::clocks::{Clocks, Graph, Place};

/// What a client may rely on while it talks to one replica after the other.
///
/// Terry and others, "Session guarantees for weakly consistent replicated data", 1994. Each is
/// judged by what single processes saw: a read contradicts it where a write that must be visible to
/// it has certainly overwritten what it returned. A conflict that shows only where several
/// processes are compared, such as two that see two concurrent writes in opposite orders, is left
/// to the stronger properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionGuarantee {
    /// A process that has written reads its write, or something newer.
    ReadYourWrites,
    /// A process that has read something never reads something older.
    MonotonicReads,
    /// Who has seen a write of a process has seen its earlier writes.
    MonotonicWrites,
    /// Who has seen a write has seen what its writer had read before.
    WritesFollowReads,
}

impl SessionGuarantee {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::MonotonicWrites,
        Self::WritesFollowReads,
    ];
}

/// The first pattern that contradicts a session guarantee; `None` where the history has it.
pub fn session(accesses: &Accesses, guarantee: SessionGuarantee) -> Option<Pattern> {
    let thin_air = |node: &&Node| node.kind == Kind::Read(Source::Nowhere);
    if let Some(read) = accesses.nodes.iter().find(thin_air) {
        return Some(Pattern::ThinAirRead { read: read.call });
    }
    match guarantee {
        SessionGuarantee::ReadYourWrites => read_your_writes(accesses),
        SessionGuarantee::MonotonicReads => monotonic_reads(accesses),
        SessionGuarantee::MonotonicWrites => monotonic_writes(accesses),
        SessionGuarantee::WritesFollowReads => writes_follow_reads(accesses),
    }
}

const WRITTEN: &str = "the same process wrote it before";
const READ: &str = "the same process had read it before";
const WRITTEN_EARLIER: &str = "the same process had read a later write of its writer";
const FOLLOWED: &str = "the same process had read a write whose writer had read it";
const READ_FIRST: &str = "each read by the writer of the next before it wrote";

/// A process and a key.
type Where = (usize, usize);

fn read_your_writes(accesses: &Accesses) -> Option<Pattern> {
    let mut last: BTreeMap<Where, usize> = BTreeMap::new();
    accesses.nodes.iter().enumerate().find_map(|(index, node)| {
        let at = (node.process, node.place);
        match node.kind {
            Kind::Write => {
                last.insert(at, index);
                None
            }
            Kind::UnknownWrite => None,
            Kind::Read(source) => {
                let new = *last.get(&at)?;
                let is_older =
                    |old: &usize| is_earlier(&accesses.nodes[*old], &accesses.nodes[new]);
                stale(accesses, WRITTEN, source, new, index, |_| Vec::new(), is_older)
            }
        }
    })
}

fn monotonic_reads(accesses: &Accesses) -> Option<Pattern> {
    // The last read, and the first read of each write.
    let mut seen: BTreeMap<Where, (usize, BTreeMap<usize, usize>)> = BTreeMap::new();
    accesses.nodes.iter().enumerate().find_map(|(index, node)| {
        let source = node.source()?;
        let at = (node.process, node.place);
        if let Some((read, all)) = seen.get(&at) {
            let new = accesses.nodes[*read].source()?.write()?;
            let is_older = |old: &usize| *old != new && all.contains_key(old);
            let path = |old: Option<usize>| {
                let first = old.and_then(|old| all.get(&old));
                first.into_iter().chain([read]).map(|read| accesses.nodes[*read].call).collect()
            };
            let found = stale(accesses, READ, source, new, index, path, is_older);
            if found.is_some() {
                return found;
            }
        }
        let write = source.write()?;
        let (last, all) = seen.entry(at).or_insert((index, BTreeMap::new()));
        *last = index;
        all.entry(write).or_insert(index);
        None
    })
}

/// The writes of each process are seen in their order.
fn monotonic_writes(accesses: &Accesses) -> Option<Pattern> {
    let nodes = &accesses.nodes;
    let mut writes: BTreeMap<Where, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.kind == Kind::Write) {
        writes.entry((node.process, node.place)).or_default().push(index);
    }
    // By observer and writer: the latest write seen, and the read that saw it.
    let mut seen: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    nodes.iter().enumerate().find_map(|(index, node)| {
        let source = node.source()?;
        let seen_by_it = seen.range((node.process, 0)..=(node.process, usize::MAX));
        let found = seen_by_it.into_iter().find_map(|((_, writer), (write, witness))| {
            let own = writes.get(&(*writer, node.place))?;
            // That what was seen itself is lost again is for monotonic reads to find.
            let is_seen = |other: &usize| {
                let is_it = other == write && source != Source::Initial;
                is_it || is_earlier(&nodes[*other], &nodes[*write])
            };
            let new = own[own.partition_point(is_seen).checked_sub(1)?];
            let is_older = |old: &usize| is_earlier(&nodes[*old], &nodes[new]);
            let path = |_| vec![nodes[*write].call, nodes[*witness].call];
            stale(accesses, WRITTEN_EARLIER, source, new, index, path, is_older)
        });
        if found.is_some() {
            return found;
        }
        let write = source.write()?;
        let latest = seen.entry((node.process, nodes[write].process)).or_insert((write, index));
        if earlier_writes(&nodes[latest.0]) < earlier_writes(&nodes[write]) {
            *latest = (write, index);
        }
        None
    })
}

/// How many accesses of its process are certainly not after a write.
fn earlier_writes(write: &Node) -> usize {
    write.position + usize::from(write.kind == Kind::Write)
}

/// What a writer had read is seen before what it wrote.
fn writes_follow_reads(accesses: &Accesses) -> Option<Pattern> {
    let (graph, reads) = reads_before_writes(accesses);
    let clocks = match graph.clocks() {
        Ok(clocks) => clocks,
        Err(cycle) => {
            let cycle = cycle.iter().map(|node| accesses.nodes[*node].call).collect();
            return Some(Pattern::Cycle { how: READ_FIRST, cycle, because: Vec::new() });
        }
    };
    let mut readers: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
    for (process, own) in reads.iter().enumerate() {
        for (position, read) in own.iter().enumerate() {
            if let Some(write) = accesses.nodes[*read].source().and_then(Source::write) {
                readers.entry(write).or_default().push(Place { chain: process, position });
            }
        }
    }
    let observers = 0..accesses.processes;
    let follow = Follow { accesses, graph, clocks, reads, readers };
    observers.into_iter().find_map(|observer| follow.observed(observer))
}

/// Which writes follow which, by what their writers had read.
struct Follow<'a> {
    accesses: &'a Accesses,
    graph: Graph,
    clocks: Clocks,
    /// By process.
    reads: Vec<Vec<usize>>,
    /// By write: who reads it.
    readers: BTreeMap<usize, Vec<Place>>,
}

impl Follow<'_> {
    /// What a process read though it had seen what follows something newer.
    fn observed(&self, observer: usize) -> Option<Pattern> {
        let nodes = &self.accesses.nodes;
        let mut counts = vec![0; self.reads.len()];
        // By key: writes that what was seen follows, and writes that were seen.
        let mut followed: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut seen: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut last = None;
        for read in &self.reads[observer] {
            let source = nodes[*read].source()?;
            let newer = followed.get(&nodes[*read].place).into_iter().flatten();
            let seen_too = seen.get(&nodes[*read].place).into_iter().flatten();
            // That what was seen itself is lost again is for monotonic reads to find.
            let seen_too = seen_too.filter(|_| source != Source::Initial);
            let found = newer.chain(seen_too).find_map(|new| {
                let is_older = |old: &usize| self.follows(*new, *old);
                let path = |old: Option<usize>| {
                    let mut path = old.map_or(Vec::new(), |old| self.graph.path(old, *new));
                    path.extend(last.map_or(Vec::new(), |last| self.graph.path(*new, last)));
                    path.iter().map(|node| nodes[*node].call).collect()
                };
                stale(self.accesses, FOLLOWED, source, *new, *read, path, is_older)
            });
            if found.is_some() {
                return found;
            }
            last = Some(*read);
            let Some(write) = source.write() else { continue };
            seen.entry(nodes[write].place).or_default().insert(write);
            for (process, count) in self.clocks.of(write).iter().enumerate() {
                let more = counts[process]..counts[process].max(*count as usize);
                counts[process] = more.end;
                for before in &self.reads[process][more] {
                    if let Some(write) = nodes[*before].source().and_then(Source::write) {
                        followed.entry(nodes[write].place).or_default().insert(write);
                    }
                }
            }
        }
        None
    }

    /// Whether a write was read, directly or not, before another one was written.
    fn follows(&self, new: usize, old: usize) -> bool {
        let readers = self.readers.get(&old).into_iter().flatten();
        readers.into_iter().any(|reader| self.clocks.has(*reader, new))
    }
}

/// Reads before what their process writes later, writes before those who read them; and the reads
/// of each process.
fn reads_before_writes(accesses: &Accesses) -> (Graph, Vec<Vec<usize>>) {
    let mut reads: Vec<Vec<usize>> = vec![Vec::new(); accesses.processes];
    let mut edges = Vec::new();
    let mut places = Vec::with_capacity(accesses.nodes.len());
    for (index, node) in accesses.nodes.iter().enumerate() {
        let own = &mut reads[node.process];
        edges.extend(own.last().map(|before| (*before, index)));
        edges.extend(node.source().and_then(Source::write).map(|write| (write, index)));
        places
            .push((!node.is_write()).then_some(Place { chain: node.process, position: own.len() }));
        if !node.is_write() {
            own.push(index);
        }
    }
    let mut graph = Graph::new(places);
    edges.iter().for_each(|(before, after)| graph.add(*before, *after));
    (graph, reads)
}

/// A read that returned what a write has overwritten.
fn stale(
    accesses: &Accesses,
    why: &'static str,
    source: Source,
    new: usize,
    read: usize,
    path: impl FnOnce(Option<usize>) -> Vec<usize>,
    is_older: impl Fn(&usize) -> bool,
) -> Option<Pattern> {
    let call = |node: usize| accesses.nodes[node].call;
    let (write, read) = (call(new), call(read));
    match source {
        Source::Initial => Some(Pattern::StaleInitial { why, write, path: path(None), read }),
        Source::Write(old) if is_older(&old) => Some(Pattern::StaleRead {
            why,
            old: call(old),
            new: write,
            path: path(Some(old)),
            read,
        }),
        Source::Write(_) | Source::Nowhere => None,
    }
}

/// Whether a write came before another one of the same process.
fn is_earlier(write: &Node, other: &Node) -> bool {
    let is_certain = write.kind == Kind::Write;
    write.process == other.process && is_certain && write.position < other.position
}
