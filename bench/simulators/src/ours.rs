use cadre_model::{Cluster, Network};
use cadre_simulate::{Config, Delay, Span, run};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

use crate::{LATENCY_MS, NODES};

struct Pings;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Message {
    Ping,
    Pong,
}

impl Protocol for Pings {
    type State = u64;
    type Message = Message;
    type Timer = Nothing;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, out: &mut Effects<Self>) -> u64 {
        let others = (0..NODES).map(NodeId::from_index).filter(|other| *other != node);
        out.broadcast(others, Message::Ping);
        0
    }

    fn step(&self, _: NodeId, heard: &mut u64, event: Event<Self>, out: &mut Effects<Self>) {
        if let Event::Deliver { from, message } = event {
            *heard += 1;
            let answer = match message {
                Message::Ping => Message::Pong,
                Message::Pong => Message::Ping,
            };
            out.send(from, answer);
        }
    }
}

pub fn simulate(seconds: u64) -> u64 {
    let mut cluster = Cluster::builder(Pings).network(Network::ConsumedOnce);
    for node in 0..NODES {
        cluster = cluster.node(format!("n{node}"));
    }
    let cluster = cluster.build().expect("the parts fit together");
    let config = Config {
        time: Span::from_seconds(seconds),
        latency: Delay::Fixed(Span::from_ms(LATENCY_MS)),
        events_max: u64::MAX,
        ..Config::default()
    };
    run(&cluster, &config, 1).tally.delivered
}
