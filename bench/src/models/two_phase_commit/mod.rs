//! Two-phase commit with messages that are never consumed: `tla/TwoPhase` in every tool's language.
//!
//! With `n` resource managers there are `2^n + 4^n + 6^n` reachable states.

mod promela;
mod spec;
mod stateright;

pub(crate) use promela::promela;
pub(crate) use spec::lay_out;
pub(crate) use stateright::TwoPhaseCommit;

use cadre::prelude::{Cluster, Guarantee, Network, NodeId, View};
use cadre_protocols::two_phase_commit::{Progress, State, TwoPhaseCommit as Protocol};

/// The protocol of the library's game in a cluster with that one guarantee that all tools judge.
pub(crate) fn cluster(participants: usize) -> anyhow::Result<Cluster<Protocol>> {
    let protocol = Protocol {
        manager: NodeId::from_index(0),
        participants: (1..=participants).map(NodeId::from_index).collect(),
        bug: None,
    };
    let names = (1..=participants).map(|participant| format!("rm{participant}"));
    let builder =
        names.fold(Cluster::builder(protocol).node("tm"), |builder, name| builder.node(name));
    let consistent = Guarantee::always("no two decide differently", |view: &View<Protocol>| {
        let has = |wanted: Progress| {
            view.nodes().any(
                |node| matches!(view.state(node), Some(State::Participant(is)) if *is == wanted),
            )
        };
        !(has(Progress::Committed) && has(Progress::Aborted))
    });
    Ok(builder.network(Network::GrowingSet).guarantee(consistent).build()?)
}

/// How many states can be reached.
pub(crate) fn distinct(participants: u32) -> u64 {
    [2_u64, 4, 6].iter().map(|base| base.pow(participants)).sum()
}
