//! Searches up to the names of interchangeable nodes.

use std::collections::{BTreeSet, HashSet};

use cadre_explore::{Exploration, Flow, Settings, explore};
use cadre_model::{Choice, Cluster, Configuration, Guarantee, Model, Network, View};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::Verdict;
use serde::{Deserialize, Serialize};

use crate::two_phase;

fn orbits<P: Protocol>(cluster: &Cluster<P>, workers: usize) -> Exploration<Choice> {
    let settings = Settings { workers, ..Settings::default() };
    explore(&cluster.quotient(), &settings, &mut |_| Flow::Continue)
}

/// Of n things k, without order.
fn choose(n: u64, k: u64) -> u64 {
    (0..k).fold(1, |product, index| product * (n - index) / (index + 1))
}

#[test]
fn two_phase_commit_has_the_orbits_of_its_closed_form() {
    for voters in 3..=10 {
        let found = orbits(&two_phase::cluster(voters, voters), 2);
        let n = voters as u64;
        let expected = choose(n + 1, 1) + choose(n + 3, 3) + choose(n + 5, 5);
        assert_eq!(found.progress.configurations, expected);
        assert_eq!((found.progress.depth, found.verdict()), (3 * n + 2, Verdict::Holds));
    }
}

#[test]
fn the_protocol_is_called_no_more_often_than_in_a_plain_search() {
    for voters in 2..=6 {
        let (plain, up_to_names) =
            (two_phase::cluster(voters, voters), two_phase::cluster(voters, voters));
        explore(&plain, &Settings::default(), &mut |_| Flow::Continue);
        orbits(&up_to_names, 1);
        let calls = |cluster: &Cluster<_>| cluster.user_calls().unwrap();
        assert!(calls(&up_to_names) <= calls(&plain), "{voters} voters");
    }
}

#[test]
fn a_violation_is_found_in_as_many_steps_as_without_symmetry() {
    for voters in 2..=5 {
        let cluster = two_phase::cluster(voters, 1);
        let plain = explore(&cluster, &Settings::default(), &mut |_| Flow::Continue);
        let found = orbits(&cluster, 1);
        let path = found.violation().unwrap().1.path.clone().unwrap();
        assert_eq!(path.len(), plain.violation().unwrap().1.path.as_ref().unwrap().len());
        let mut at = cluster.initial().clone();
        for choice in path {
            at = cluster.next(&at, &choice).unwrap();
        }
        assert!(cluster.violates(found.violation().unwrap().0, &at));
    }
}

/// Each node chooses another once and tells it; whoever hears from somebody remembers the last.
/// Names of nodes point to each other in every pattern.
struct Friends {
    nodes: usize,
    /// A node that does not do as the others.
    odd: Option<NodeId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Friendship {
    chosen: Option<NodeId>,
    heard_from: BTreeSet<NodeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Befriend(NodeId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Hello;

impl Protocol for Friends {
    type State = Friendship;
    type Message = Hello;
    type Timer = Befriend;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> Friendship {
        Friendship { chosen: None, heard_from: BTreeSet::new() }
    }

    fn step(
        &self,
        node: NodeId,
        state: &mut Friendship,
        event: Event<Self>,
        out: &mut Effects<Self>,
    ) {
        match event {
            Event::Timeout(Befriend(other)) => {
                state.chosen = Some(other);
                // So that the disk holds names too, which cannot be renamed there.
                out.put_synced("chosen", &other);
                out.send(other, Hello);
            }
            Event::Deliver { from, .. } if self.odd != Some(node) => {
                state.heard_from.insert(from);
            }
            Event::Deliver { .. }
            | Event::Request { .. }
            | Event::SyncDone
            | Event::SyncFailed(_) => {}
        }
    }

    fn choices(&self, node: NodeId, state: &Friendship) -> Vec<Befriend> {
        let others = (0..self.nodes).map(NodeId::from_index).filter(|other| *other != node);
        if state.chosen.is_none() { others.map(Befriend).collect() } else { Vec::new() }
    }
}

fn friends(nodes: usize, odd: Option<NodeId>) -> Cluster<Friends> {
    let mut cluster = Cluster::builder(Friends { nodes, odd }).network(Network::ConsumedOnce);
    for node in 0..nodes {
        cluster = cluster.node(format!("n{node}"));
    }
    let lonely = |view: &View<Friends>| {
        view.nodes().all(|node| view.state(node).is_none_or(|state| state.heard_from.len() < 2))
    };
    cluster
        .interchangeable((0..nodes).map(NodeId::from_index))
        .guarantee(Guarantee::reachable("popular", move |view| !lonely(view)))
        .build()
        .unwrap()
}

/// A configuration as what each node has chosen, heard and has not heard yet, renamed.
fn described(cluster: &Cluster<Friends>, at: &Configuration, names: &[usize]) -> String {
    cluster.with_view(at, |view| {
        let name = |node: &NodeId| names[node.index()];
        let mut nodes: Vec<_> = view
            .nodes()
            .map(|node| {
                let state = view.state(node).unwrap();
                let heard: BTreeSet<_> = state.heard_from.iter().map(name).collect();
                (name(&node), state.chosen.as_ref().map(name), heard)
            })
            .collect();
        nodes.sort();
        let mut messages: Vec<_> =
            view.in_flight().map(|(from, to, _)| (name(&from), name(&to))).collect();
        messages.sort_unstable();
        format!("{nodes:?} {messages:?}")
    })
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

/// How many orbits there are, by trying every permutation on every configuration.
fn orbits_by_permutations(cluster: &Cluster<Friends>, nodes: usize) -> usize {
    let (mut met, mut queue) = (HashSet::new(), vec![cluster.initial().clone()]);
    let mut representatives = HashSet::new();
    let all = permutations(nodes);
    met.insert(cluster.initial().clone());
    while let Some(at) = queue.pop() {
        let names = all.iter().map(|names| described(cluster, &at, names));
        representatives.insert(names.min().unwrap());
        let mut choices = Vec::new();
        cluster.actions(&at, &mut choices);
        for choice in choices {
            let after = cluster.next(&at, &choice).unwrap();
            if met.insert(after.clone()) {
                queue.push(after);
            }
        }
    }
    representatives.len()
}

#[test]
fn each_orbit_has_one_representative_also_where_nodes_point_at_each_other() {
    for nodes in 2..=4 {
        let cluster = friends(nodes, None);
        let expected = orbits_by_permutations(&cluster, nodes);
        for workers in [1, 2] {
            let found = orbits(&friends(nodes, None), workers);
            assert_eq!(found.progress.configurations, expected as u64, "{nodes} nodes");
            assert_eq!(found.verdict() == Verdict::Holds, nodes > 2);
        }
    }
}

#[test]
fn a_node_that_does_not_behave_like_its_twins_is_found_out() {
    let found = orbits(&friends(3, Some(NodeId::from_index(2))), 1);
    let (_, finding) = found.violation().unwrap();
    assert_eq!(finding.claim.name, "what is interchangeable behaves alike");
    let why = finding.why.as_deref().unwrap();
    assert!(why.contains("`n1` and `n2` do not behave alike"), "{why}");
}
