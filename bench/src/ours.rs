use std::time::Instant;

use anyhow::{Result, ensure};
use cadre::explore::{Exploration, Flow, Settings, explore};
use cadre::model::Model;
use cadre::trace::Verdict;

use crate::case::{Case, paxos_network, raft_limits};
use crate::measurement::Searched;
use crate::models::increment_lock::IncrementLock;
use crate::models::{paxos, raft, two_phase_commit};

/// Searches a case with our explorer.
///
/// # Errors
///
/// Where the search did not end with all guarantees holding.
pub(crate) fn search(case: Case, size: u32, workers: u32) -> Result<Searched> {
    match case {
        Case::TwoPhaseCommit => run(&two_phase_commit::cluster(size as usize)?, workers),
        Case::Paxos | Case::LossyPaxos | Case::GrowingPaxos => {
            let (network, losses) = paxos_network(case);
            run(&paxos::cluster(size, network, losses)?, workers)
        }
        Case::Raft => run(&raft::cluster(raft_limits(size))?, workers),
        Case::IncrementLock => run(&IncrementLock { threads: size as usize }.checked(), workers),
    }
}

/// What the explorer says of a model.
#[cfg(test)]
pub(crate) fn verdict<M: Model>(model: &M) -> Verdict {
    call(model, 1).verdict()
}

#[expect(clippy::disallowed_methods, reason = "measuring the time of a search is the purpose")]
fn run<M: Model>(model: &M, workers: u32) -> Result<Searched> {
    let begun = Instant::now();
    let found = call(model, workers);
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(found.verdict() == Verdict::Holds, "expected all to hold, found {:?}", found.verdict());
    Ok(Searched {
        workers,
        distinct: found.progress.configurations,
        generated: found.progress.transitions,
        depth: found.progress.depth,
        seconds,
        bytes_behind: Some(found.progress.memory_behind),
    })
}

/// The one call of the explorer.
fn call<M: Model>(model: &M, workers: u32) -> Exploration<M::Action> {
    let settings = Settings { workers: workers as usize, ..Settings::default() };
    explore(model, &settings, &mut |_| Flow::Continue)
}
