//! A token that one of many nodes gets: the others of its group never act where it does.

use cadre_explore::{Flow, Settings, explore};
use cadre_model::{Cluster, Guarantee, View};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::Verdict;
use serde::{Deserialize, Serialize};

/// Node 0 gives a token to one of the others, which tells so.
struct Token {
    nodes: usize,
    /// A node that does not tell.
    silent: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Give(NodeId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Message {
    Token,
    Thanks,
}

impl Protocol for Token {
    /// Whether the node has given the token, has got it, or has been thanked.
    type State = u8;
    type Message = Message;
    type Timer = Give;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
        0
    }

    fn step(&self, node: NodeId, state: &mut u8, event: Event<Self>, out: &mut Effects<Self>) {
        *state += 1;
        match event {
            Event::Timeout(Give(to)) => out.send(to, Message::Token),
            Event::Deliver { from, message: Message::Token } if *state == 1 => {
                if self.silent != Some(node.index()) {
                    out.send(from, Message::Thanks);
                }
            }
            Event::Deliver { .. }
            | Event::Request { .. }
            | Event::SyncDone
            | Event::SyncFailed(_) => *state = 2,
        }
    }

    fn choices(&self, node: NodeId, state: &u8) -> Vec<Give> {
        let others = (1..self.nodes).map(|other| Give(NodeId::from_index(other)));
        if node.index() == 0 && *state == 0 { others.collect() } else { Vec::new() }
    }
}

/// What a search up to names says, and why if something is violated.
fn searched(silent: Option<usize>) -> (Verdict, Option<(String, String)>) {
    const NODES: usize = 6;
    let mut builder = Cluster::builder(Token { nodes: NODES, silent });
    for node in 0..NODES {
        builder = builder.node(format!("n{node}"));
    }
    let thanked = Guarantee::reachable("there are thanks", |view: &View<Token>| {
        view.state(NodeId::from_index(0)) == Some(&2)
    });
    let builder = builder.interchangeable((1..NODES).map(NodeId::from_index)).guarantee(thanked);
    let cluster = builder.build().unwrap();
    let found = explore(&cluster.quotient(), &Settings::default(), &mut |_| Flow::Continue);
    let violation = found
        .violation()
        .map(|(_, finding)| (finding.claim.name.clone(), finding.why.clone().unwrap_or_default()));
    (found.verdict(), violation)
}

#[test]
fn a_node_that_is_silent_where_only_its_twins_act_is_found_out() {
    assert_eq!(searched(None), (Verdict::Holds, None));
    for silent in 1..6 {
        let (name, why) = searched(Some(silent)).1.unwrap();
        assert_eq!(name, "what is interchangeable behaves alike", "{silent}");
        assert!(why.contains(&format!("`n{silent}`")), "{why}");
    }
}
