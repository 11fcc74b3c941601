//! Two-phase commit with messages that are never consumed, in its smallest form: a shared fixture.

use std::collections::BTreeSet;

use cadre_model::{Cluster, ClusterBuilder, Guarantee, View};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use serde::{Deserialize, Serialize};

/// Node 0 decides for all others, once so many have voted: right only if that is all of them.
pub(crate) struct TwoPhase {
    voters: usize,
    quorum: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Who has said yes, remembered after the decision as well; and the decision.
    Deciding(BTreeSet<NodeId>, Option<Vote>),
    Working,
    Voted,
    Done(Vote),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Vote {
    Yes,
    No,
}

/// A cluster of one decider and so many voters, with a guarantee to keep and one to reach.
pub(crate) fn cluster(voters: usize, quorum: usize) -> Cluster<TwoPhase> {
    builder(voters, quorum).build().unwrap()
}

pub(crate) fn builder(voters: usize, quorum: usize) -> ClusterBuilder<TwoPhase> {
    let mut builder = Cluster::builder(TwoPhase { voters, quorum }).node("tm");
    for voter in 1..=voters {
        builder = builder.node(format!("rm{voter}"));
    }
    builder
        .interchangeable((1..=voters).map(NodeId::from_index))
        .guarantee(Guarantee::always("voters agree", |view: &View<TwoPhase>| {
            !(any(view, Vote::Yes) && any(view, Vote::No))
        }))
        .guarantee(Guarantee::reachable("all say yes", |view: &View<TwoPhase>| {
            view.nodes().skip(1).all(|node| view.state(node) == Some(&Place::Done(Vote::Yes)))
        }))
}

fn any(view: &View<TwoPhase>, vote: Vote) -> bool {
    view.nodes().skip(1).any(|node| view.state(node) == Some(&Place::Done(vote)))
}

impl Protocol for TwoPhase {
    type State = Place;
    type Message = Vote;
    type Timer = Vote;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, disk: &Disk, _: &mut Effects<Self>) -> Place {
        let saved = disk.get("place").unwrap();
        saved.unwrap_or(match node.index() {
            0 => Place::Deciding(BTreeSet::new(), None),
            _ => Place::Working,
        })
    }

    fn step(&self, _: NodeId, place: &mut Place, event: Event<Self>, out: &mut Effects<Self>) {
        let before = place.clone();
        match (&mut *place, event) {
            (Place::Deciding(yes, None), Event::Deliver { from, message: Vote::Yes }) => {
                yes.insert(from);
            }
            (Place::Deciding(_, decision), Event::Timeout(vote)) => *decision = Some(vote),
            (Place::Working, Event::Timeout(Vote::Yes)) => *place = Place::Voted,
            (Place::Working, Event::Timeout(Vote::No)) => *place = Place::Done(Vote::No),
            (Place::Working | Place::Voted, Event::Deliver { message, .. }) => {
                *place = Place::Done(message);
            }
            (
                Place::Deciding(..) | Place::Working | Place::Voted | Place::Done(_),
                Event::Deliver { .. }
                | Event::Timeout(_)
                | Event::Request { .. }
                | Event::SyncDone
                | Event::SyncFailed(_),
            ) => {}
        }
        if *place == before {
            return;
        }
        out.put_synced("place", place);
        match place {
            Place::Deciding(_, Some(vote)) => {
                out.broadcast((1..=self.voters).map(NodeId::from_index), *vote);
            }
            Place::Voted => out.send(NodeId::from_index(0), Vote::Yes),
            Place::Deciding(_, None) | Place::Working | Place::Done(_) => {}
        }
    }

    fn choices(&self, _: NodeId, place: &Place) -> Vec<Vote> {
        match place {
            Place::Deciding(yes, None) if yes.len() >= self.quorum => vec![Vote::Yes, Vote::No],
            Place::Deciding(_, None) => vec![Vote::No],
            Place::Working => vec![Vote::Yes, Vote::No],
            Place::Deciding(..) | Place::Voted | Place::Done(_) => Vec::new(),
        }
    }
}
