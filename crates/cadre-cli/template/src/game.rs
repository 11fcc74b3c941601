use cadre::conform::Mapping;
use cadre::model::ClusterError;
use cadre::prelude::{Bug, Cluster, Guarantee, Network, NodeId, Place, Setup, Size, View};

use super::step::{Greeting, State};

/// The game: one host, and as many guests as asked for.
#[derive(Clone, Copy, Debug)]
pub struct Game;

const BUGS: &[Bug] = &[Bug {
    name: "welcomes-strangers",
    summary: "the host welcomes guests that have said nothing",
    place: Place::Step,
}];

impl cadre::Game for Game {
    type Protocol = Greeting;

    fn name(&self) -> &'static str {
        "greeting"
    }

    fn summary(&self) -> &'static str {
        "guests say hello to a host, who welcomes them"
    }

    fn size(&self) -> Size {
        Size { one: "guest", many: "guests", min: 1, default: 2, max: 4 }
    }

    fn bugs(&self) -> &'static [Bug] {
        BUGS
    }

    fn cluster(&self, setup: &Setup) -> Result<Cluster<Greeting>, ClusterError> {
        let guests: Vec<NodeId> = (1..=setup.size).map(NodeId::from_index).collect();
        let protocol = Greeting {
            host: NodeId::from_index(0),
            guests: guests.clone(),
            welcomes_strangers: setup.bug.is_some(),
        };
        // Messages are never consumed: any of them may be late, twice, or never there.
        let mut cluster = Cluster::builder(protocol).node("host").network(Network::GrowingSet);
        for guest in &guests {
            cluster = cluster.node(format!("g{}", guest.index()));
        }
        cluster
            .guarantee(Guarantee::always("who is welcomed has said hello", |view| {
                guests_of(view).all(|(said, welcomed)| said || !welcomed)
            }))
            .guarantee(Guarantee::reachable("all guests can be welcomed", |view| {
                guests_of(view).all(|(_, welcomed)| welcomed)
            }))
            .build()
    }

    fn mapping(&self, setup: &Setup) -> Option<Mapping<Greeting>> {
        Some(super::mapping::mapping(setup.size))
    }
}

/// Whether each guest has said hello, and whether it was welcomed.
fn guests_of(view: &View<Greeting>) -> impl Iterator<Item = (bool, bool)> + '_ {
    view.nodes().filter_map(|node| match view.state(node) {
        Some(State::Guest { said, welcomed }) => Some((*said, *welcomed)),
        Some(State::Host(_)) | None => None,
    })
}
