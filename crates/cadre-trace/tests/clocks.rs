//! The clocks and causes of small executions that are known by heart.

use std::collections::BTreeMap;

use cadre_trace::{
    Action, Effect, Envelope, Fault, Happening, Header, Json, Kept, NodeSnapshot, Recorder,
    Snapshot, Status, Step, Trace, Verdict,
};
use serde_json::json;

#[test]
fn a_chain_of_messages_counts_up() {
    let trace = Play::new(Network::Consuming)
        .choose("a", &[("b", "1")])
        .deliver("1", "a", "b", &[("c", "2")])
        .deliver("2", "b", "c", &[])
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 2 clock a1 b1 causes [1]",
            "3 lamport 3 clock a1 b1 c1 causes [2]",
        ],
    );
}

#[test]
fn steps_without_a_message_between_them_are_concurrent() {
    let trace = Play::new(Network::Consuming)
        .choose("a", &[("c", "1")])
        .choose("b", &[("c", "2")])
        .choose("a", &[])
        .deliver("2", "b", "c", &[])
        .deliver("1", "a", "c", &[])
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 1 clock b1 causes []",
            "3 lamport 2 clock a2 causes [1]",
            "4 lamport 2 clock b1 c1 causes [2]",
            "5 lamport 3 clock a1 b1 c2 causes [1, 4]",
        ],
    );
}

#[test]
fn on_a_growing_network_a_message_sent_again_keeps_its_first_sender() {
    let trace = Play::new(Network::Growing)
        .choose("a", &[("b", "1")])
        .choose("a", &[("b", "1")])
        .deliver("1", "a", "b", &[])
        .deliver("1", "a", "b", &[])
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 2 clock a2 causes [1]",
            "3 lamport 2 clock a1 b1 causes [1]",
            "4 lamport 3 clock a1 b2 causes [1, 3]",
        ],
    );
}

#[test]
fn of_equal_messages_in_flight_the_oldest_arrives_first() {
    let trace = Play::new(Network::Consuming)
        .choose("a", &[("b", "1")])
        .choose("a", &[("b", "1")])
        .deliver("1", "a", "b", &[])
        .deliver("1", "a", "b", &[])
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 2 clock a2 causes [1]",
            "3 lamport 2 clock a1 b1 causes [1]",
            "4 lamport 3 clock a2 b2 causes [2, 3]",
        ],
    );
}

#[test]
fn loss_and_duplication_carry_the_clocks_of_the_sender() {
    let trace = Play::new(Network::Consuming)
        .choose("a", &[])
        .choose("a", &[("b", "1")])
        .duplicate("1", "a", "b")
        .lose("1", "a", "b")
        .deliver("1", "a", "b", &[])
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 2 clock a2 causes [1]",
            "3 lamport 2 clock a2 causes [2]",
            "4 lamport 2 clock a2 causes [2]",
            "5 lamport 3 clock a2 b1 causes [3]",
        ],
    );
}

#[test]
fn a_message_of_the_start_is_caused_by_step_0() {
    let mut play = Play::new(Network::Consuming);
    play.after.network.push(envelope("a", "b", "1"));
    let mut header = play.header;
    header.initial = play.after.clone();
    play = Play { recorder: Recorder::new(header.clone()), header, ..play };
    let trace = play.deliver("1", "a", "b", &[]).end();
    check(&trace, &["1 lamport 1 clock b1 causes [0]"]);
}

#[test]
fn a_node_counts_its_faults() {
    let trace = Play::new(Network::Consuming)
        .choose("a", &[("b", "1")])
        .fault(Action::Fault(Fault::Crash { node: "b".to_owned(), kept: Kept::default() }))
        .fault(Action::Fault(Fault::Restart { node: "b".to_owned(), misread: None }))
        .deliver("1", "a", "b", &[])
        .fault(Action::Fault(Fault::CrashRestart { node: "b".to_owned(), kept: Kept::default() }))
        .end();
    check(
        &trace,
        &[
            "1 lamport 1 clock a1 causes []",
            "2 lamport 1 clock b1 causes []",
            "3 lamport 2 clock b2 causes [2]",
            "4 lamport 3 clock a1 b3 causes [1, 3]",
            "5 lamport 4 clock a1 b4 causes [4]",
        ],
    );
}

/// Whether the network forgot the message and got it again or kept it all the time cannot be told
/// from the configurations; nor does it matter to the clocks, for both senders are earlier steps of
/// the node itself.
#[test]
fn a_message_to_oneself_that_is_replaced_by_an_equal_one_keeps_its_first_sender() {
    for network in [Network::Consuming, Network::Growing] {
        let trace = Play::new(network)
            .choose("a", &[("a", "tick")])
            .deliver("tick", "a", "a", &[("a", "tick")])
            .choose("a", &[])
            .deliver("tick", "a", "a", &[])
            .end();
        check(
            &trace,
            &[
                "1 lamport 1 clock a1 causes []",
                "2 lamport 2 clock a2 causes [1]",
                "3 lamport 3 clock a3 causes [2]",
                "4 lamport 4 clock a4 causes [1, 3]",
            ],
        );
    }
}

fn check(trace: &Trace, expected: &[&str]) {
    let line = |step: &Step| {
        let clock: String =
            step.clock.iter().map(|(node, count)| format!(" {node}{count}")).collect();
        format!("{} lamport {} clock{clock} causes {:?}", step.step, step.lamport, step.causes)
    };
    assert_eq!(trace.steps.iter().map(line).collect::<Vec<_>>(), expected);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    /// A message that arrives is gone.
    Consuming,
    /// Messages stay, and are there once.
    Growing,
}

struct Play {
    header: Header,
    recorder: Recorder,
    after: Snapshot,
    network: Network,
}

impl Play {
    fn new(network: Network) -> Self {
        let node = NodeSnapshot {
            status: Status::Up,
            state: Json::Null,
            timers: Vec::new(),
            due: Vec::new(),
            disk: BTreeMap::new(),
            unsynced: Vec::new(),
        };
        let names = ["a", "b", "c"].map(str::to_owned);
        let nodes = names.iter().map(|name| (name.clone(), node.clone())).collect();
        let after = Snapshot { nodes, ..Snapshot::default() };
        let header = Header {
            protocol: "play".to_owned(),
            setup: BTreeMap::new(),
            origin: "test".to_owned(),
            nodes: names.to_vec(),
            network: "any".to_owned(),
            guarantee: None,
            verdict: Verdict::Holds,
            initial: after.clone(),
            spec: None,
            loop_from: None,
        };
        Self { recorder: Recorder::new(header.clone()), header, after, network }
    }

    fn choose(self, node: &str, sends: &[(&str, &str)]) -> Self {
        let action = Action::Choose { node: node.to_owned(), timer: json!("go") };
        self.step(action, node, sends)
    }

    fn deliver(mut self, message: &str, from: &str, to: &str, sends: &[(&str, &str)]) -> Self {
        let envelope = envelope(from, to, message);
        if self.network == Network::Consuming {
            self.take(&envelope);
        }
        self.step(Action::Deliver(envelope), to, sends)
    }

    fn duplicate(mut self, message: &str, from: &str, to: &str) -> Self {
        self.after.network.push(envelope(from, to, message));
        self.fault(Action::Fault(Fault::Duplicate(envelope(from, to, message))))
    }

    fn lose(mut self, message: &str, from: &str, to: &str) -> Self {
        self.take(&envelope(from, to, message));
        self.fault(Action::Fault(Fault::Drop(envelope(from, to, message))))
    }

    fn fault(self, action: Action) -> Self {
        self.step(action, "", &[])
    }

    fn step(mut self, action: Action, node: &str, sends: &[(&str, &str)]) -> Self {
        let mut effects = Vec::new();
        for (to, message) in sends {
            let sent = envelope(node, to, message);
            if self.network == Network::Consuming || !self.after.network.contains(&sent) {
                self.after.network.push(sent);
            }
            effects.push(Effect::Send { to: (*to).to_owned(), message: json!(message) });
        }
        self.after.sort_network();
        let after = self.after.clone();
        let happening = Happening {
            action,
            event: None,
            effects,
            after,
            failure: None,
            spec: None,
            at_us: None,
        };
        self.recorder.record(happening);
        self
    }

    fn take(&mut self, envelope: &Envelope) {
        let at = self.after.network.iter().position(|other| other == envelope);
        self.after.network.remove(at.expect("the message is in flight"));
    }

    fn end(self) -> Trace {
        self.recorder.finish(|_| {})
    }
}

fn envelope(from: &str, to: &str, message: &str) -> Envelope {
    Envelope { from: from.to_owned(), to: to.to_owned(), message: json!(message) }
}
