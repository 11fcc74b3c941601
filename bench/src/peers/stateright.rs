use std::hash::Hash;
use std::time::Instant;

use anyhow::{Result, ensure};
use stateright::{Checker, Model};

use crate::case::{Case, paxos_flow, raft_limits};
use crate::measurement::Searched;
use crate::models::increment_lock::IncrementLockOfStateright;
use crate::models::paxos::{self, GrowingPaxos};
use crate::models::raft;
use crate::models::two_phase_commit::TwoPhaseCommit;

/// The order in which Stateright searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Short paths first: whole states wait.
    BreadthFirst,
    /// One path at a time.
    DepthFirst,
}

/// Searches a case with Stateright.
///
/// # Errors
///
/// Where a property does not hold.
pub(crate) fn search(case: Case, size: u32, order: Order, workers: u32) -> Result<Searched> {
    let settings = Settings { order, workers };
    match case {
        Case::TwoPhaseCommit => run(TwoPhaseCommit { participants: size as usize }, settings),
        Case::Paxos | Case::LossyPaxos => run(paxos::actors(size, paxos_flow(case)), settings),
        Case::GrowingPaxos => run(GrowingPaxos { rounds: size }, settings),
        Case::Raft => run(raft::actors(raft_limits(size)), settings),
        Case::IncrementLock => run(IncrementLockOfStateright { threads: size as usize }, settings),
    }
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    order: Order,
    workers: u32,
}

fn run<M>(model: M, settings: Settings) -> Result<Searched>
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + Clone + PartialEq + 'static,
    M::Action: Clone + PartialEq,
{
    let checker = model.checker().threads(settings.workers as usize);
    match settings.order {
        Order::BreadthFirst => finish(|| checker.spawn_bfs(), settings),
        Order::DepthFirst => finish(|| checker.spawn_dfs(), settings),
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring the time of a search is the purpose")]
fn finish<M, C>(spawn: impl FnOnce() -> C, settings: Settings) -> Result<Searched>
where
    M: Model,
    M::State: Clone + PartialEq,
    M::Action: Clone + PartialEq,
    C: Checker<M>,
{
    let begun = Instant::now();
    let checker = spawn().join();
    let seconds = begun.elapsed().as_secs_f64();
    let violated: Vec<&str> = checker.discoveries().into_keys().collect();
    ensure!(violated.is_empty(), "expected all to hold, found violated: {}", violated.join(", "));
    Ok(Searched {
        workers: settings.workers,
        distinct: checker.unique_state_count() as u64,
        generated: checker.state_count() as u64,
        depth: checker.max_depth() as u64,
        seconds,
        bytes_behind: None,
    })
}
