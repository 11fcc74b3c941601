//! A message to a node that does not exist is a failed step, not a crash of the tool.

use cadre_model::{Cluster, Model, Origin, Part};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::Verdict;

/// A node that sends to a neighbour it does not have.
struct Lonely {
    calls_at_start: bool,
}

impl Protocol for Lonely {
    type State = ();
    type Message = String;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, out: &mut Effects<Self>) {
        if self.calls_at_start {
            out.send(NodeId::from_index(7), "hello".to_owned());
        }
    }

    fn step(&self, _: NodeId, (): &mut (), _: Event<Self>, out: &mut Effects<Self>) {
        out.send(NodeId::from_index(7), "hello".to_owned());
    }

    fn choices(&self, _: NodeId, (): &()) -> Vec<String> {
        vec!["call".to_owned()]
    }
}

#[test]
fn a_message_to_a_node_that_does_not_exist_fails_the_step() {
    let lonely = Lonely { calls_at_start: false };
    let cluster = Cluster::builder(lonely).node("n1").build().unwrap();
    let mut actions = Vec::new();
    cluster.actions(cluster.initial(), &mut actions);
    let after = cluster.next(cluster.initial(), &actions[0]).unwrap();
    assert!(cluster.evaluate(0, Part::Main, cluster.initial()));
    assert!(!cluster.evaluate(0, Part::Main, &after));
    let (protocol, setup, engine) = ("lonely".to_owned(), Default::default(), "test".to_owned());
    let origin = Origin { protocol, setup, engine };
    let trace = cluster.record(&origin, &actions[..1], Some((0, Verdict::Violated)));
    let why = trace.steps[0].failure.as_deref().unwrap();
    assert!(why.contains("does not exist"), "{why}");
    assert_eq!(trace.steps[0].effects, []);
}

#[test]
fn a_node_that_starts_with_such_a_message_has_failed_at_once() {
    let lonely = Lonely { calls_at_start: true };
    let cluster = Cluster::builder(lonely).node("n1").build().unwrap();
    assert!(!cluster.evaluate(0, Part::Main, cluster.initial()));
}
