use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::{History, Outcome, Specification};

/// An object that is read and written, so that what was read tells which write it was from.
pub trait ReadsAndWrites: Specification {
    /// What is read or written.
    type Place: Clone + Eq + Hash;
    /// What is written there.
    type Datum: Clone + Eq + Hash;

    /// What is read before the first write.
    fn first_datum(&self) -> Self::Datum;

    /// An operation as a read or a write; `None` where it is neither.
    fn access(
        &self,
        operation: &Self::Operation,
        answer: Option<&Self::Answer>,
    ) -> Option<Access<Self::Place, Self::Datum>>;
}

/// A read or a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access<P, D> {
    /// A read.
    Read {
        /// Where.
        from: P,
        /// What; `None` where there was no answer.
        datum: Option<D>,
    },
    /// A write.
    Write {
        /// Where.
        to: P,
        /// What.
        datum: D,
    },
}

/// The reads and writes of a history, each read with the write that it is from.
///
/// Reads without an answer are left out, and so are writes without one whose value nobody read:
/// they may not have taken effect.
#[derive(Clone, Debug)]
pub struct Accesses {
    pub(super) nodes: Vec<Node>,
    pub(super) processes: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) call: usize,
    pub(super) process: usize,
    /// How many certain accesses of the process come before it.
    pub(super) position: usize,
    pub(super) place: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A write that was answered.
    Write,
    /// A write that was not: nothing of its process comes after it for certain.
    UnknownWrite,
    Read(Source),
}

/// Where a value that was read is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Initial,
    Write(usize),
    /// Nobody has written it.
    Nowhere,
}

/// Why a history cannot be judged by its reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// An operation is something else.
    #[error("expected reads and writes only, found something else in operation {call}")]
    NeitherReadNorWrite {
        /// The operation.
        call: usize,
    },
    /// It is not clear which write a value is from.
    #[error(
        "expected that each value is written to a key once, found that operations {first} and \
         {second} write the same; make the values distinct"
    )]
    WrittenTwice {
        /// The one write.
        first: usize,
        /// The other.
        second: usize,
    },
    /// It is not clear whether a value was there at first.
    #[error(
        "expected that the initial value is never written, found that operation {call} does; make \
         the values distinct"
    )]
    InitialWritten {
        /// The write.
        call: usize,
    },
}

impl Accesses {
    /// The reads and writes of a history.
    ///
    /// # Errors
    ///
    /// Where there is something else in it, or where a value does not tell which write it is from.
    pub fn new<S: ReadsAndWrites>(
        specification: &S,
        history: &History<S::Operation, S::Answer>,
    ) -> Result<Self, Unsuitable> {
        let told = told(specification, history)?;
        let first_datum = specification.first_datum();
        let mut writes: HashMap<(&S::Place, &S::Datum), usize> = HashMap::new();
        for told in &told {
            if let Access::Write { to, datum } = &told.access {
                if *datum == first_datum {
                    return Err(Unsuitable::InitialWritten { call: told.call });
                }
                if let Some(first) = writes.insert((to, datum), told.call) {
                    return Err(Unsuitable::WrittenTwice { first, second: told.call });
                }
            }
        }
        let mut places: HashMap<&S::Place, usize> = HashMap::new();
        let mut nodes = Vec::with_capacity(told.len());
        for Told { call, is_certain, access } in &told {
            let (place, kind) = match access {
                Access::Read { datum: None, .. } => continue,
                Access::Read { from, datum: Some(datum) } => {
                    let write = writes.get(&(from, datum)).copied();
                    let source = match write {
                        Some(write) => Source::Write(write),
                        None if *datum == first_datum => Source::Initial,
                        None => Source::Nowhere,
                    };
                    (from, Kind::Read(source))
                }
                Access::Write { to, .. } if *is_certain => (to, Kind::Write),
                Access::Write { to, .. } => (to, Kind::UnknownWrite),
            };
            let next = places.len();
            let place = *places.entry(place).or_insert(next);
            let process = history.calls()[*call].process;
            nodes.push(Node { call: *call, process, position: 0, place, kind });
        }
        Ok(Self { nodes: settle(nodes, history.processes()), processes: history.processes() })
    }
}

impl Accesses {
    /// The accesses of some calls; reads whose write is not among them are left out too.
    pub(super) fn only(&self, calls: &[usize]) -> Self {
        let is_kept = |call: usize| calls.binary_search(&call).is_ok();
        let mut nodes = Vec::with_capacity(calls.len());
        for node in self.nodes.iter().filter(|node| is_kept(node.call)) {
            let kind = match node.kind {
                Kind::Read(Source::Write(write)) => {
                    let write = self.nodes[write].call;
                    if !is_kept(write) {
                        continue;
                    }
                    Kind::Read(Source::Write(write))
                }
                kind @ (Kind::Write | Kind::UnknownWrite | Kind::Read(_)) => kind,
            };
            nodes.push(Node { kind, ..node.clone() });
        }
        Self { nodes: settle(nodes, self.processes), processes: self.processes }
    }

    /// What can be left out together: a read, and a write with all reads of its value.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let is_of_it = |other: &&Node| other.source() == Some(Source::Write(index));
            let readers = self.nodes.iter().filter(is_of_it).map(|reader| reader.call);
            groups.push(std::iter::once(node.call).chain(readers).collect());
        }
        groups
    }
}

struct Told<P, D> {
    call: usize,
    is_certain: bool,
    access: Access<P, D>,
}

type ToldOf<S> = Told<<S as ReadsAndWrites>::Place, <S as ReadsAndWrites>::Datum>;

fn told<S: ReadsAndWrites>(
    specification: &S,
    history: &History<S::Operation, S::Answer>,
) -> Result<Vec<ToldOf<S>>, Unsuitable> {
    let mut found = Vec::with_capacity(history.calls().len());
    for (index, call) in history.calls().iter().enumerate() {
        if matches!(call.outcome, Outcome::Failed) {
            continue;
        }
        let answer = call.outcome.answer();
        let access = specification.access(&call.operation, answer);
        let access = access.ok_or(Unsuitable::NeitherReadNorWrite { call: index })?;
        found.push(Told { call: index, is_certain: answer.is_some(), access });
    }
    Ok(found)
}

/// Leaves out unknown writes that nobody read, numbers the others, and names sources by their
/// places among the nodes instead of the calls.
fn settle(mut nodes: Vec<Node>, processes: usize) -> Vec<Node> {
    let read: BTreeSet<usize> = nodes.iter().filter_map(|node| node.source()?.write()).collect();
    nodes.retain(|node| node.kind != Kind::UnknownWrite || read.contains(&node.call));
    let mut positions = vec![0; processes];
    for node in &mut nodes {
        node.position = positions[node.process];
        positions[node.process] += usize::from(node.kind != Kind::UnknownWrite);
    }
    let calls: Vec<usize> = nodes.iter().map(|node| node.call).collect();
    for node in &mut nodes {
        if let Kind::Read(Source::Write(write)) = &mut node.kind {
            *write = calls.binary_search(write).expect("a write that is read is a node");
        }
    }
    nodes
}

impl Node {
    pub(super) fn source(&self) -> Option<Source> {
        match self.kind {
            Kind::Read(source) => Some(source),
            Kind::Write | Kind::UnknownWrite => None,
        }
    }

    pub(super) fn is_write(&self) -> bool {
        self.source().is_none()
    }
}

impl Source {
    pub(super) fn write(self) -> Option<usize> {
        match self {
            Self::Write(write) => Some(write),
            Self::Initial | Self::Nowhere => None,
        }
    }
}
