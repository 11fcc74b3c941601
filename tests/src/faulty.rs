use cadre::model::ClusterError;
use cadre::prelude::{
    Budget, Cluster, Disk, Effects, Event, Faults, Game, Guarantee, Network, NodeId, Nothing,
    Protocol, Setup, Size, View,
};
use serde::{Deserialize, Serialize};

/// A small game with faults of nodes and of the network, and with a message that nobody handles.
///
/// The caller pings the listener, spreads a rumour with it, and waits for an answer or gives up.
#[derive(Debug)]
pub struct Faulty;

/// What a node of [`Faulty`] remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    Idle,
    Waiting { tries: u8 },
    Answered,
    GivenUp,
    Listening,
}

/// What the nodes of [`Faulty`] tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Message {
    Ping { tries: u8 },
    Rumour,
    Pong,
}

impl Protocol for Faulty {
    type State = State;
    type Message = Message;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, _: &mut Effects<Self>) -> State {
        if node.index() == 0 { State::Idle } else { State::Listening }
    }

    fn step(&self, _: NodeId, state: &mut State, event: Event<Self>, out: &mut Effects<Self>) {
        match (&mut *state, event) {
            (State::Idle, Event::Timeout(_)) => {
                *state = State::Waiting { tries: 1 };
                out.send(NodeId::from_index(1), Message::Ping { tries: 1 });
                out.send(NodeId::from_index(1), Message::Rumour);
                out.set_timer("give-up".to_owned(), std::time::Duration::from_secs(1));
            }
            (State::Waiting { .. }, Event::Timeout(_)) => *state = State::GivenUp,
            (State::Waiting { .. }, Event::Deliver { message: Message::Pong, .. }) => {
                *state = State::Answered;
                out.cancel_timer("give-up".to_owned());
            }
            (State::Listening, Event::Deliver { from, message: Message::Ping { .. } }) => {
                out.send(from, Message::Pong);
            }
            _ => {}
        }
    }

    fn choices(&self, _: NodeId, state: &State) -> Vec<String> {
        if *state == State::Idle { vec!["call".to_owned()] } else { Vec::new() }
    }
}

impl Game for Faulty {
    type Protocol = Faulty;

    fn name(&self) -> &'static str {
        "faulty"
    }

    fn summary(&self) -> &'static str {
        "a caller and a listener on a network that loses messages"
    }

    fn size(&self) -> Size {
        Size { one: "pair", many: "pairs", min: 1, default: 1, max: 1 }
    }

    fn cluster(&self, _: &Setup) -> Result<Cluster<Faulty>, ClusterError> {
        let faults = Faults {
            losses: Budget::AtMost(1),
            crashes: Budget::AtMost(1),
            restarts: true,
            ..Faults::default()
        };
        let is_answered =
            |view: &View<Faulty>| view.state(NodeId::from_index(0)) == Some(&State::Answered);
        Cluster::builder(Faulty)
            .node("caller")
            .node("listener")
            .network(Network::ConsumedOnce)
            .faults(faults)
            .guarantee(Guarantee::reachable("the caller is answered", is_answered))
            .guarantee(Guarantee::reachable("the caller is told a rumour", |_| false))
            .build()
    }
}
