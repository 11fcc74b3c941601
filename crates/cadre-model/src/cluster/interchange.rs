use std::collections::BTreeMap;
use std::sync::Arc;

use cadre_step::{NodeId, Protocol, Value};

use super::builder::ClusterError;
use super::naming::{Outline, Thing, renamed};
use super::tables::Client;
use crate::fingerprint;

/// What of a cluster can change places: groups of units, and what happens to every name when two
/// neighbours of a group do.
///
/// A unit is a node or a value, with the values that only its own clients name. Clients go where
/// the nodes that they ask and the values that they name go.
#[derive(Clone, Default)]
pub(super) struct Symmetry {
    pub(super) groups: Vec<Group>,
    /// For each two neighbours of a group what becomes of the names.
    pub(super) swaps: Vec<Swap>,
    /// For each thing that can change places its unit, and its place there.
    places: BTreeMap<Thing, (usize, usize)>,
    clients: Vec<Asking>,
}

/// Units that can change places, as the positions of the first of them and of its swap with the
/// next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) first_unit: usize,
    pub(super) first_swap: usize,
    pub(super) units: usize,
}

/// What becomes of the names when two neighbours change places.
#[derive(Clone)]
pub(super) struct Swap {
    others: BTreeMap<Thing, Thing>,
    /// For each node the one that takes its place.
    nodes: Vec<usize>,
}

/// What is declared to be able to change places.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) nodes: Vec<Vec<NodeId>>,
    pub(super) values: Vec<Vec<Value>>,
}

/// A client, as a thing of which others can tell what it asks.
#[derive(Clone)]
struct Asking {
    node: Thing,
    requests: Arc<Outline>,
    names: Vec<Thing>,
    /// Its position among the clients that ask the same of the same node.
    rank: usize,
}

impl Symmetry {
    /// # Errors
    ///
    /// Where clients tell apart what is declared to be able to change places.
    pub(super) fn of<P: Protocol>(
        declared: &Declared,
        workload: &[Client<P::Request>],
        names: &[String],
    ) -> Result<Self, ClusterError> {
        if declared.is_empty() {
            return Ok(Self::default());
        }
        let unreadable = |why| ClusterError::RequestsCannotBeRenamed { why };
        let clients = askings::<P>(workload).map_err(unreadable)?;
        let mut symmetry = Self { clients, ..Self::default() };
        let mut tied = Vec::new();
        for group in &declared.nodes {
            let mut units: Vec<Vec<Thing>> =
                group.iter().map(|node| vec![Thing::node(node.index())]).collect();
            // What one node alone names need not move with it, as it stays where it is.
            let columns = match units.len() {
                1 => Vec::new(),
                _ => symmetry.columns(&units, declared),
            };
            for column in columns {
                tied.extend_from_slice(&column);
                units.iter_mut().zip(column).for_each(|(unit, value)| unit.push(value));
            }
            symmetry.add(units, names.len());
        }
        for group in &declared.values {
            let free = group.iter().map(|value| value_thing(*value));
            let free = free.filter(|value| !tied.contains(value)).map(|value| vec![value]);
            symmetry.add(free.collect(), names.len());
        }
        for swap in 0..symmetry.swaps.len() {
            symmetry.lead_clients::<P>(swap, workload, names)?;
        }
        Ok(symmetry)
    }

    /// The values that the clients of each of some nodes name, and those of no other of these: the
    /// first of each node, the second, and so on.
    fn columns(&self, units: &[Vec<Thing>], declared: &Declared) -> Vec<Vec<Thing>> {
        let named = |unit: &Vec<Thing>| {
            let mut named: Vec<Thing> = Vec::new();
            for client in self.clients.iter().filter(|client| client.node == unit[0]) {
                let new = client.names.iter().filter(|name| declared.group_of(**name).is_some());
                let new: Vec<Thing> = new.copied().filter(|name| !named.contains(name)).collect();
                named.extend(new);
            }
            named
        };
        let named: Vec<Vec<Thing>> = units.iter().map(named).collect();
        let is_own = |value: &Thing| named.iter().filter(|all| all.contains(value)).count() == 1;
        let own: Vec<Vec<Thing>> =
            named.iter().map(|all| all.iter().copied().filter(is_own).collect()).collect();
        let columns = own.iter().map(Vec::len).min().unwrap_or(0);
        let column = |at: usize| own.iter().map(|values| values[at]).collect::<Vec<Thing>>();
        let is_of_one_group = |column: &Vec<Thing>| {
            let group = declared.group_of(column[0]);
            column.iter().all(|value| declared.group_of(*value) == group)
        };
        (0..columns).map(column).filter(is_of_one_group).collect()
    }

    fn add(&mut self, units: Vec<Vec<Thing>>, nodes: usize) {
        let first_unit = self.units();
        let group = Group { first_unit, first_swap: self.swaps.len(), units: units.len() };
        for pair in units.windows(2) {
            let both = pair[0].iter().copied().zip(pair[1].iter().copied());
            let others = both.flat_map(|(one, other)| [(one, other), (other, one)]).collect();
            let mut swap = Swap { others, nodes: Vec::new() };
            let other = |node| swap.other(Thing::node(node)).number() as usize;
            swap.nodes = (0..nodes).map(other).collect();
            self.swaps.push(swap);
        }
        for (unit, things) in units.into_iter().enumerate() {
            for (at, thing) in things.into_iter().enumerate() {
                self.places.insert(thing, (first_unit + unit, at));
            }
        }
        self.groups.push(group);
    }

    /// Adds to a swap which clients change places.
    fn lead_clients<P: Protocol>(
        &mut self,
        swap: usize,
        workload: &[Client<P::Request>],
        names: &[String],
    ) -> Result<(), ClusterError> {
        let mut led = Vec::new();
        for (client, asking) in self.clients.iter().enumerate() {
            let unreadable = |why| ClusterError::RequestsCannotBeRenamed { why };
            let name = |thing| self.swaps[swap].other(thing);
            let requests = renamed(&workload[client].requests, &name).map_err(unreadable)?;
            let node = name(asking.node);
            let asks_so = |(other, asked): &(usize, &Client<P::Request>)| {
                self.clients[*other].node == node && asked.requests == requests
            };
            let twin = workload.iter().enumerate().filter(asks_so).nth(asking.rank);
            let Some((twin, _)) = twin else {
                return Err(ClusterError::ClientTellsApart {
                    what: self.swaps[swap].described(names),
                    node: names[node.number() as usize].clone(),
                    requests: format!("{requests:?}"),
                });
            };
            if twin != client {
                led.push((client_thing(client), client_thing(twin)));
            }
        }
        self.swaps[swap].others.extend(led);
        Ok(())
    }

    pub(super) fn units(&self) -> usize {
        self.groups.last().map_or(0, |last| last.first_unit + last.units)
    }

    /// The units that a thing belongs to.
    pub(super) fn units_of(&self, thing: Thing, out: &mut Vec<usize>) {
        out.extend(self.places.get(&thing).map(|(unit, _)| *unit));
        if let Thing::Client(client) = thing
            && let Some(client) = self.clients.get(client as usize)
        {
            let things = client.names.iter().chain([&client.node]);
            out.extend(things.filter_map(|thing| self.places.get(thing)).map(|(unit, _)| *unit));
        }
    }

    /// What a thing looks like from a unit: part of it, part of another of some group, or something
    /// with a name of its own.
    pub(super) fn label(&self, thing: Thing, from: usize) -> u128 {
        let client = match thing {
            Thing::Client(client) => self.clients.get(client as usize),
            Thing::Node(_) | Thing::Value(_) => None,
        };
        if let Some(Asking { node, requests, rank, .. }) = client {
            let requests = requests.seen(&|thing| self.label(thing, from));
            return fingerprint(&("client", self.label(*node, from), requests, rank));
        }
        match self.places.get(&thing) {
            None => fingerprint(&("named", thing)),
            Some((unit, at)) if *unit == from => fingerprint(&("itself", at)),
            Some((unit, at)) => {
                let group = self.groups.partition_point(|group| group.first_unit <= *unit);
                fingerprint(&("another", group, at))
            }
        }
    }
}

impl Swap {
    /// The thing that takes the place of another.
    pub(super) fn other(&self, thing: Thing) -> Thing {
        self.others.get(&thing).copied().unwrap_or(thing)
    }

    /// The node that takes the place of another.
    #[inline]
    pub(super) fn node(&self, node: usize) -> usize {
        self.nodes[node]
    }

    /// What changes places, but for clients.
    pub(super) fn described(&self, names: &[String]) -> String {
        let pairs = self.others.iter().filter(|(one, other)| one < other);
        let pairs = pairs.filter_map(|(one, other)| match (one, other) {
            (Thing::Node(one), Thing::Node(other)) => {
                Some(format!("`{}` and `{}`", names[*one as usize], names[*other as usize]))
            }
            (Thing::Value(one), Thing::Value(other)) => Some(format!("values {one} and {other}")),
            _ => None,
        });
        pairs.collect::<Vec<_>>().join(", ")
    }
}

impl Declared {
    /// # Errors
    ///
    /// Where something is in two groups, or a node does not exist.
    pub(super) fn check(&self, names: &[String]) -> Result<(), ClusterError> {
        let nodes = names.len();
        let mut known = Vec::new();
        for node in self.nodes.iter().flatten() {
            let Some(name) = names.get(node.index()) else {
                let node = node.index();
                return Err(ClusterError::InterchangeableUnknownNode { node, nodes });
            };
            if known.contains(node) {
                return Err(ClusterError::InterchangeableNodeTwice { name: name.clone() });
            }
            known.push(*node);
        }
        let mut known = Vec::new();
        for value in self.values.iter().flatten() {
            if known.contains(value) {
                return Err(ClusterError::InterchangeableValueTwice { value: value.index() });
            }
            known.push(*value);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.values.is_empty()
    }

    /// The group of values that a thing is in.
    fn group_of(&self, thing: Thing) -> Option<usize> {
        self.values.iter().position(|group| group.iter().any(|value| value_thing(*value) == thing))
    }
}

fn askings<P: Protocol>(workload: &[Client<P::Request>]) -> Result<Vec<Asking>, String> {
    let mut askings = Vec::new();
    for (at, Client { node, requests }) in workload.iter().enumerate() {
        let is_alike =
            |other: &&Client<P::Request>| other.node == *node && other.requests == *requests;
        let rank = workload[..at].iter().filter(is_alike).count();
        // As a pair of each request and its number, so that their order is seen.
        let numbered: Vec<(usize, P::Request)> = requests.iter().cloned().enumerate().collect();
        let requests = Outline::of(&numbered)?;
        let node = Thing::node(node.index());
        let names = requests.things();
        askings.push(Asking { node, names, requests: requests.into(), rank });
    }
    Ok(askings)
}

fn value_thing(value: Value) -> Thing {
    Thing::Value(u32::try_from(value.index()).expect("values have 32 bits"))
}

fn client_thing(client: usize) -> Thing {
    Thing::Client(u32::try_from(client).expect("fewer than 2^32 clients"))
}
