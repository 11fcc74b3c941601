//! The smallest protocols that show one thing each.

use std::time::Duration;

use cadre_model::{Budget, Cluster, Faults, Guarantee, Network, Origin, View};
use cadre_simulate::{Config, Delay, Options, Run, Simulation, Span, simulate};
use cadre_step::{Disk, Effects, Event, NodeId, Protocol};

/// A protocol made of functions; states, messages, timers, requests and answers are numbers.
pub(crate) struct Tiny {
    pub(crate) start: fn(NodeId, &Disk, &mut Effects<Tiny>) -> u32,
    pub(crate) step: fn(NodeId, &mut u32, Event<Tiny>, &mut Effects<Tiny>),
}

impl Protocol for Tiny {
    type State = u32;
    type Message = u32;
    type Timer = u32;
    type Request = u32;
    type Response = u32;

    fn start(&self, node: NodeId, disk: &Disk, out: &mut Effects<Self>) -> u32 {
        (self.start)(node, disk, out)
    }

    fn step(&self, node: NodeId, state: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
        (self.step)(node, state, event, out);
    }
}

pub(crate) fn node(index: usize) -> NodeId {
    NodeId::from_index(index)
}

pub(crate) const MS: Duration = Duration::from_millis(1);

/// Three nodes that tell each other the largest number they know, every ten milliseconds; node `a`
/// begins with 7 and keeps it on its disk.
pub(crate) fn gossip() -> Tiny {
    fn tell(id: NodeId, known: u32, out: &mut Effects<Tiny>) {
        let others = (0..3).map(node).filter(|other| *other != id);
        out.broadcast(others, known);
        out.set_timer(0, 10 * MS);
    }
    Tiny {
        start: |id, disk, out| {
            let known = disk.get("known").ok().flatten();
            let known = known.unwrap_or(if id == node(0) { 7 } else { 0 });
            tell(id, known, out);
            known
        },
        step: |id, known, event, out| match event {
            Event::Deliver { message, .. } => {
                if message > *known {
                    *known = message;
                    out.put("known", known);
                    out.sync();
                }
            }
            Event::Request { id, request } => out.respond(id, *known + request),
            Event::Timeout(_) => tell(id, *known, out),
            Event::SyncDone | Event::SyncFailed(_) => {}
        },
    }
}

/// Whether all nodes that are up know the same.
pub(crate) fn agree(view: &View<Tiny>) -> bool {
    let mut known = view.nodes().filter_map(|node| view.state(node));
    let first = known.next();
    known.all(|other| Some(other) == first)
}

/// Every fault of a network that consumes.
pub(crate) fn every_fault() -> Faults {
    let some = Budget::Unlimited;
    Faults {
        losses: some,
        duplications: some,
        replays: some,
        corruptions: some,
        partitions: some,
        one_way_partitions: some,
        partial_partitions: some,
        crashes: some,
        restarts: true,
        interruptions: some,
        unsynced: cadre_model::Unsynced::AnySubset,
        torn_writes: some,
        sync_errors: some,
        full_disks: some,
        corrupt_reads: some,
        misdirected_reads: some,
        ..Faults::default()
    }
}

/// A cluster of three nodes and one client of each of the first two.
pub(crate) fn three(
    protocol: Tiny,
    network: Network,
    faults: Faults,
    guarantee: Guarantee<View<Tiny>>,
) -> Cluster<Tiny> {
    let nodes = ["a", "b", "c"];
    let builder = Cluster::builder(protocol).network(network).faults(faults);
    let builder = nodes.into_iter().fold(builder, cadre_model::ClusterBuilder::node);
    builder
        .client("one", node(0), vec![1; 50])
        .client("two", node(1), vec![2; 50])
        .guarantee(guarantee)
        .build()
        .unwrap()
}

pub(crate) fn always_true() -> Guarantee<View<Tiny>> {
    Guarantee::always("nothing in particular", |_| true)
}

/// A second without faults, and messages that take a millisecond.
pub(crate) fn short() -> Config {
    Config {
        time: Span::from_seconds(1),
        settle: Span::from_seconds(1),
        latency: Delay::Fixed(Span::from_ms(1)),
        ..Config::default()
    }
}

pub(crate) fn runs(cluster: &Cluster<Tiny>, config: &Config, count: u64) -> Simulation {
    let options = Options { seeds: 1..count + 1, workers: 2 };
    simulate(cluster, config, &options, &mut |_| true).unwrap()
}

pub(crate) fn one(cluster: &Cluster<Tiny>, config: &Config) -> Run {
    runs(cluster, config, 1).runs.remove(0)
}

pub(crate) fn origin() -> Origin {
    Origin { protocol: "tiny".to_owned(), setup: [].into(), engine: "simulate".to_owned() }
}
