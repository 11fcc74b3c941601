//! Orbits of several groups of nodes, of values and of clients, counted by trying every
//! permutation on every configuration.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::{
    Budget, Choice, Cluster, ClusterError, Configuration, Faults, Guarantee, HistoryEntry, Model,
    View,
};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol, Value};
use cadre_trace::Verdict;
use expect_test::expect;
use serde::{Deserialize, Serialize};

use crate::paxos::{self, Message, Paxos, Phase, Size, State, Vote};

/// For each node and each value the one that takes its place.
struct Permutation {
    nodes: Vec<usize>,
    values: Vec<usize>,
}

impl Permutation {
    fn node(&self, node: NodeId) -> NodeId {
        NodeId::from_index(self.nodes[node.index()])
    }

    fn value(&self, value: Value) -> Value {
        Value::from_index(self.values[value.index()])
    }

    fn set(&self, nodes: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        nodes.iter().map(|node| self.node(*node)).collect()
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(last) {
        for at in 0..=last {
            let mut longer = shorter.clone();
            longer.insert(at, last);
            all.push(longer);
        }
    }
    all
}

/// The permutations of some nodes and then of others.
fn one_after_the_other(one: &[usize], other: &[usize]) -> Vec<usize> {
    one.iter().copied().chain(other.iter().map(|node| node + one.len())).collect()
}

fn quotient<P: Protocol>(cluster: &Cluster<P>, workers: usize) -> Exploration<Choice> {
    let settings = Settings { workers, ..Settings::default() };
    explore(&cluster.quotient(), &settings, &mut |_| Flow::Continue)
}

/// How many configurations and how many orbits there are.
fn by_permutations<P: Protocol>(
    cluster: &Cluster<P>,
    all: &[Permutation],
    described: impl Fn(&View<P>, &Permutation) -> String,
) -> (u64, u64) {
    let (mut met, mut queue) = (HashSet::new(), vec![cluster.initial().clone()]);
    let mut representatives = HashSet::new();
    met.insert(cluster.initial().clone());
    while let Some(at) = queue.pop() {
        let least = cluster.with_view(&at, |view| {
            all.iter().map(|permutation| described(view, permutation)).min().unwrap()
        });
        representatives.insert(least);
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after: Configuration = cluster.next(&at, &choice).unwrap();
            if met.insert(after.clone()) {
                queue.push(after);
            }
        }
    }
    (met.len() as u64, representatives.len() as u64)
}

fn renamed_vote(vote: &Option<Vote>, by: &Permutation) -> Option<Vote> {
    vote.map(|vote| Vote { value: by.value(vote.value), ..vote })
}

/// A configuration of Paxos after a permutation of nodes and values, and one of clients.
fn described_paxos(view: &View<Paxos>, by: &Permutation, clients: &[usize]) -> String {
    let mut nodes: Vec<(NodeId, String)> = Vec::new();
    for node in view.nodes() {
        let mut text = String::new();
        match view.state(node).unwrap() {
            State::Proposer { asked, round, phase } => {
                let asked = asked.map(|(id, value)| (clients[id.client as usize], by.value(value)));
                let phase = match phase {
                    Phase::Idle => Phase::Idle,
                    Phase::Preparing { promises, highest } => Phase::Preparing {
                        promises: by.set(promises),
                        highest: renamed_vote(highest, by),
                    },
                    Phase::Proposing { value, acceptances } => Phase::Proposing {
                        value: by.value(*value),
                        acceptances: by.set(acceptances),
                    },
                    Phase::Chosen { value } => Phase::Chosen { value: by.value(*value) },
                };
                write!(text, "{asked:?} {round} {phase:?}").unwrap();
            }
            State::Acceptor { promised, vote } => {
                let promised = promised.map(|(round, to)| (round, by.node(to)));
                write!(text, "{promised:?} {:?}", renamed_vote(vote, by)).unwrap();
            }
        }
        nodes.push((by.node(node), text));
    }
    nodes.sort();
    let mut messages: Vec<String> = view
        .in_flight()
        .map(|(from, to, message)| {
            let message = match message {
                Message::Promise { round, vote } => {
                    Message::Promise { round: *round, vote: renamed_vote(vote, by) }
                }
                Message::Accept { vote } => {
                    Message::Accept { vote: Vote { value: by.value(vote.value), ..*vote } }
                }
                Message::Prepare { .. } | Message::Accepted { .. } => *message,
            };
            format!("{:?} {:?} {message:?}", by.node(from), by.node(to))
        })
        .collect();
    messages.sort();
    let history = view.history().iter().map(|entry| {
        let client = clients[entry.id().client as usize];
        match entry {
            HistoryEntry::Invoke { .. } => (client, None),
            HistoryEntry::Return { response, .. } => (client, Some(by.value(*response))),
        }
    });
    format!("{nodes:?} {messages:?} {:?}", history.collect::<Vec<_>>())
}

#[test]
fn paxos_has_as_many_orbits_as_permutations_of_proposers_acceptors_and_values_leave() {
    let mut table = String::new();
    // Clients go with the proposers that they ask.
    let described = |view: &View<Paxos>, by: &Permutation| described_paxos(view, by, &by.nodes);
    for (proposers, acceptors, rounds) in
        [(1, 3, 2), (2, 1, 2), (2, 2, 1), (2, 3, 1), (2, 2, 2), (3, 1, 1), (3, 2, 1)]
    {
        let size = Size { proposers, acceptors, rounds, quorum: acceptors / 2 + 1 };
        let cluster = paxos::cluster(size);
        let mut all = Vec::new();
        for values in permutations(proposers) {
            for others in permutations(acceptors) {
                let nodes = one_after_the_other(&values, &others);
                all.push(Permutation { nodes, values: values.clone() });
            }
        }
        let (plain, expected) = by_permutations(&cluster, &all, described);
        let searched = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
        assert_eq!(searched.progress.configurations, plain);
        for workers in [1, 2] {
            let found = quotient(&paxos::cluster(size), workers);
            assert_eq!(found.progress.configurations, expected, "{size:?}");
            assert_eq!(found.progress.depth, searched.progress.depth);
            assert_eq!(found.verdict(), searched.verdict());
        }
        writeln!(
            table,
            "proposers {proposers}, acceptors {acceptors}, rounds {rounds}: {plain} configurations, \
             {expected} orbits"
        )
        .unwrap();
    }
    expect![[r#"
        proposers 1, acceptors 3, rounds 2: 4758 configurations, 946 orbits
        proposers 2, acceptors 1, rounds 2: 501 configurations, 251 orbits
        proposers 2, acceptors 2, rounds 1: 193 configurations, 63 orbits
        proposers 2, acceptors 3, rounds 1: 1575 configurations, 210 orbits
        proposers 2, acceptors 2, rounds 2: 4393 configurations, 1224 orbits
        proposers 3, acceptors 1, rounds 1: 559 configurations, 97 orbits
        proposers 3, acceptors 2, rounds 1: 2083 configurations, 227 orbits
    "#]]
    .assert_eq(&table);
}

#[test]
fn paxos_with_too_small_a_quorum_is_found_out_in_as_many_steps_as_without_symmetry() {
    let size = Size { proposers: 2, acceptors: 2, rounds: 1, quorum: 1 };
    let cluster = paxos::cluster(size);
    let plain = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
    let found = quotient(&cluster, 2);
    let (guarantee, finding) = found.violation().unwrap();
    assert_eq!(finding.claim.name, "all clients are answered alike");
    let expected = plain.violation().unwrap().1.path.as_ref().unwrap().len();
    let path = finding.path.clone().unwrap();
    assert_eq!(path.len(), expected);
    let mut at = cluster.initial().clone();
    for choice in path {
        at = cluster.next(&at, &choice).unwrap();
    }
    assert!(cluster.violates(guarantee, &at));
}

/// Each node picks one of some values once and tells all others.
struct Gossip {
    nodes: usize,
    values: usize,
    odd: Odd,
}

/// What tells apart what is declared to be interchangeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    Nothing,
    /// A node that does not hear of anything once it has picked a value itself.
    DeafNode(usize),
    /// A node that offers no choice once it has heard of a value.
    ShyNode(usize),
    /// A node that starts with a value of its own.
    EarlyNode(usize),
    /// A value that is not heard.
    UnheardValue(usize),
    /// Of the values that a node hears of the largest is remembered.
    LargestValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Heard {
    picked: Option<Value>,
    of: BTreeSet<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Pick(Value);

impl Protocol for Gossip {
    type State = Heard;
    type Message = Value;
    type Timer = Pick;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, disk: &Disk, _: &mut Effects<Self>) -> Heard {
        let is_early = self.odd == Odd::EarlyNode(node.index());
        let picked: Option<Value> = disk.get("picked").unwrap();
        let picked = picked.or(is_early.then(|| Value::from_index(0)));
        Heard { picked, of: BTreeSet::new() }
    }

    fn step(&self, node: NodeId, state: &mut Heard, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Timeout(Pick(value)) => {
                state.picked = Some(value);
                // So that the disk holds a value too, which cannot be renamed there.
                out.put_synced("picked", &value);
                let others = (0..self.nodes).map(NodeId::from_index);
                out.broadcast(others.filter(|other| *other != node), value);
            }
            Event::Deliver { message: value, .. } => {
                let is_deaf = self.odd == Odd::DeafNode(node.index()) && state.picked.is_some();
                if !is_deaf && self.odd != Odd::UnheardValue(value.index()) {
                    state.of.insert(value);
                }
                if self.odd == Odd::LargestValue {
                    state.of = state.of.last().copied().into_iter().collect();
                }
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }

    fn choices(&self, node: NodeId, state: &Heard) -> Vec<Pick> {
        let is_shy = self.odd == Odd::ShyNode(node.index()) && !state.of.is_empty();
        if state.picked.is_some() || is_shy {
            return Vec::new();
        }
        (0..self.values).map(|value| Pick(Value::from_index(value))).collect()
    }
}

/// A cluster in which the first nodes are of one group and the others of another.
fn gossip(
    (first, second, values): (usize, usize, usize),
    odd: Odd,
    guarantee: Guarantee<View<Gossip>>,
) -> Cluster<Gossip> {
    let nodes = first + second;
    let faults = Faults { crash_restarts: Budget::Unlimited, ..Faults::default() };
    let mut builder = Cluster::builder(Gossip { nodes, values, odd }).faults(faults);
    for node in 0..nodes {
        builder = builder.node(format!("n{node}"));
    }
    builder
        .interchangeable((0..first).map(NodeId::from_index))
        .interchangeable((first..nodes).map(NodeId::from_index))
        .interchangeable_values((0..values).map(Value::from_index))
        .guarantee(guarantee)
        .build()
        .unwrap()
}

fn described_gossip(view: &View<Gossip>, by: &Permutation) -> String {
    let mut nodes: Vec<_> = view
        .nodes()
        .map(|node| {
            let Heard { picked, of } = view.state(node).unwrap();
            let of: BTreeSet<Value> = of.iter().map(|value| by.value(*value)).collect();
            let written: Option<Value> = view.disk(node).get("picked").unwrap();
            let value = |value| by.value(value);
            (by.node(node), picked.map(value), written.map(value), of)
        })
        .collect();
    nodes.sort_unstable();
    let mut messages: Vec<_> = view
        .in_flight()
        .map(|(from, to, value)| (by.node(from), by.node(to), by.value(*value)))
        .collect();
    messages.sort_unstable();
    format!("{nodes:?} {messages:?}")
}

fn never_all_alike() -> Guarantee<View<Gossip>> {
    Guarantee::always("not all nodes pick the same", |view: &View<Gossip>| {
        let mut picked = view.nodes().map(|node| view.state(node).unwrap().picked);
        let first = picked.next().unwrap();
        first.is_none() || !picked.all(|other| other == first)
    })
}

fn reached(name: &str) -> Guarantee<View<Gossip>> {
    Guarantee::reachable(name, |view: &View<Gossip>| {
        view.nodes().all(|node| view.state(node).unwrap().picked.is_some())
    })
}

#[test]
fn groups_of_nodes_and_values_have_as_many_orbits_as_permutations_leave() {
    let sizes = [
        (2, 0, 2),
        (2, 0, 3),
        (1, 1, 2),
        (3, 0, 2),
        (3, 0, 3),
        (2, 1, 2),
        (2, 1, 3),
        (2, 2, 1),
        (3, 1, 1),
        (4, 0, 1),
    ];
    for (first, second, values) in sizes {
        let mut all = Vec::new();
        for one in permutations(first) {
            for other in permutations(second) {
                for values in permutations(values) {
                    all.push(Permutation { nodes: one_after_the_other(&one, &other), values });
                }
            }
        }
        let size = (first, second, values);
        let cluster = gossip(size, Odd::Nothing, reached("all pick"));
        let (plain, expected) = by_permutations(&cluster, &all, described_gossip);
        let found = quotient(&gossip(size, Odd::Nothing, reached("all pick")), 2);
        assert_eq!(found.progress.configurations, expected, "{size:?} of {plain}");
        assert_eq!(found.verdict(), Verdict::Holds, "{size:?}");
        let broken = gossip(size, Odd::Nothing, never_all_alike());
        let plain = explore(&broken, &Settings::default(), &mut |_| Flow::Continue);
        let found = quotient(&broken, 1);
        let length =
            |found: &Exploration<Choice>| found.violation().unwrap().1.path.as_ref().unwrap().len();
        assert_eq!(length(&found), length(&plain));
    }
}

/// The name of the guarantee that is violated, and why it is.
fn violated(cluster: &Cluster<Gossip>) -> (String, String) {
    let found = quotient(cluster, 2);
    let (_, finding) = found.violation().unwrap();
    assert!(finding.path.is_some());
    (finding.claim.name.clone(), finding.why.clone().unwrap())
}

#[test]
fn whatever_treats_nodes_or_values_differently_is_found_out() {
    let nodes =
        (0..3).flat_map(|node| [Odd::DeafNode(node), Odd::ShyNode(node), Odd::EarlyNode(node)]);
    let values = (0..2).map(Odd::UnheardValue).chain([Odd::LargestValue]);
    for odd in nodes.chain(values) {
        let (name, why) = violated(&gossip((3, 0, 2), odd, reached("all pick")));
        assert_eq!(name, "what is interchangeable behaves alike", "{odd:?}");
        assert!(why.contains("alike"), "{why}");
    }
}

#[test]
fn a_node_that_is_declared_to_be_of_another_group_may_do_as_it_likes() {
    for odd in [Odd::DeafNode(2), Odd::ShyNode(2), Odd::EarlyNode(2)] {
        let cluster = gossip((2, 1, 1), odd, reached("all pick"));
        let found = quotient(&cluster, 1);
        assert_eq!(found.verdict(), Verdict::Holds, "{odd:?}");
    }
}

#[test]
fn a_guarantee_that_names_a_node_or_a_value_is_found_out() {
    for node in 0..3 {
        let names_a_node = Guarantee::reachable("one node picks", move |view: &View<Gossip>| {
            view.state(NodeId::from_index(node)).unwrap().picked.is_some()
        });
        let (name, why) = violated(&gossip((3, 0, 2), Odd::Nothing, names_a_node));
        assert_eq!(name, "guarantees treat what is interchangeable alike");
        assert!(why.contains("`one node picks`"), "{why}");
    }
    for value in 0..2 {
        let names_a_value = Guarantee::reachable("one is picked", move |view: &View<Gossip>| {
            let value = Some(Value::from_index(value));
            view.nodes().any(|node| view.state(node).unwrap().picked == value)
        });
        let (name, why) = violated(&gossip((3, 0, 2), Odd::Nothing, names_a_value));
        assert_eq!(name, "guarantees treat what is interchangeable alike");
        assert!(why.contains("values 0 and 1"), "{why}");
    }
}

#[test]
fn a_guarantee_that_names_a_client_is_found_out() {
    let size = Size { proposers: 2, acceptors: 1, rounds: 2, quorum: 1 };
    let answered = |is_meant: fn(u32) -> bool| {
        Guarantee::reachable("a client is answered", move |view: &View<Paxos>| {
            view.history().iter().any(|entry| match entry {
                HistoryEntry::Return { id, .. } => is_meant(id.client),
                HistoryEntry::Invoke { .. } => false,
            })
        })
    };
    for is_meant in [|client| client == 0, |client| client == 1] {
        let cluster = paxos::builder(size).guarantee(answered(is_meant)).build().unwrap();
        let found = quotient(&cluster, 1);
        let (_, finding) = found.violation().unwrap();
        assert_eq!(finding.claim.name, "guarantees treat what is interchangeable alike");
        assert!(finding.why.as_ref().unwrap().contains("`p0` and `p1`"));
    }
    let cluster = paxos::builder(size).guarantee(answered(|_| true)).build().unwrap();
    assert_eq!(quotient(&cluster, 1).verdict(), Verdict::Holds);
}

#[test]
fn clients_of_one_node_change_places_with_the_values_that_they_name() {
    let size = Size { proposers: 1, acceptors: 1, rounds: 1, quorum: 1 };
    let value = Value::from_index;
    let proposer = NodeId::from_index(0);
    let cluster = Cluster::builder(Paxos::new(size)).node("p").node("a");
    let cluster = cluster.interchangeable_values([value(0), value(1)]);
    // A node that is alone in its group stays where it is, and keeps no value to itself.
    let cluster = cluster.interchangeable([proposer]);
    let cluster = cluster.client("c0", proposer, vec![value(0)]);
    let cluster = cluster.client("c1", proposer, vec![value(1)]).build().unwrap();
    let all = permutations(2).into_iter().map(|values| Permutation { nodes: vec![0, 1], values });
    // Clients go with the values that they name.
    let described = |view: &View<Paxos>, by: &Permutation| described_paxos(view, by, &by.values);
    let (plain, expected) = by_permutations(&cluster, &all.collect::<Vec<_>>(), described);
    let found = quotient(&cluster, 1);
    assert_eq!(found.progress.configurations, expected);
    assert!(expected < plain);
}

#[test]
fn clients_that_tell_nodes_or_values_apart_are_refused() {
    let node = NodeId::from_index;
    let value = Value::from_index;
    let size = Size { proposers: 2, acceptors: 1, rounds: 1, quorum: 1 };
    let builder = || {
        let builder = Cluster::builder(Paxos::new(size)).node("p0").node("p1").node("a");
        builder.interchangeable([node(0), node(1)]).client("c0", node(0), vec![value(0)])
    };
    let is_refused = |built: Result<Cluster<Paxos>, ClusterError>| {
        matches!(built.err(), Some(ClusterError::ClientTellsApart { .. }))
    };
    // One proposer has a client and the other has none.
    assert!(is_refused(builder().build()));
    // The clients differ in values that are not declared.
    assert!(is_refused(builder().client("c1", node(1), vec![value(1)]).build()));
    let values = || builder().interchangeable_values([value(0), value(1)]);
    assert!(!is_refused(values().client("c1", node(1), vec![value(1)]).build()));
    // The same value at both: nobody asks for the other, which cannot take its place.
    assert!(is_refused(values().client("c1", node(1), vec![value(0)]).build()));
    assert!(is_refused(values().client("c1", node(1), vec![value(1), value(0)]).build()));
    // Values of two groups do not change places with each other.
    let apart = builder().interchangeable_values([value(0)]).interchangeable_values([value(1)]);
    assert!(is_refused(apart.client("c1", node(1), vec![value(1)]).build()));
    let why = values().build().err().unwrap().to_string();
    let expected = "when `p0` and `p1` change places, found that nobody would ask `p1` for";
    assert!(why.contains(expected), "{why}");
}

#[test]
fn what_is_in_two_groups_is_refused() {
    let node = NodeId::from_index;
    let size = Size { proposers: 2, acceptors: 1, rounds: 1, quorum: 1 };
    let builder = || Cluster::builder(Paxos::new(size)).node("p0").node("p1").node("a");
    let twice = builder().interchangeable([node(0), node(1)]).interchangeable([node(1), node(2)]);
    let name = "p1".to_owned();
    assert_eq!(twice.build().err(), Some(ClusterError::InterchangeableNodeTwice { name }));
    let values = |of: [usize; 2]| of.map(Value::from_index);
    let twice = builder().interchangeable_values(values([0, 1]));
    let twice = twice.interchangeable_values(values([1, 2]));
    assert_eq!(twice.build().err(), Some(ClusterError::InterchangeableValueTwice { value: 1 }));
}
