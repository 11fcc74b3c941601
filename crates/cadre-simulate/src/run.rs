use cadre_model::{Cluster, Origin};
use cadre_step::Protocol;
use cadre_trace::{Trace, Verdict};

use crate::config::Config;
use crate::judge::Judge;
use crate::random::Random;
use crate::scheduler::Scheduler;
use crate::tally::Tally;
use crate::world::World;

/// What one run was like.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it follows from.
    pub seed: u64,
    /// What decided the order of events.
    pub scheduler: Scheduler,
    /// How it ended.
    pub ending: Ending,
    /// What was counted.
    pub tally: Tally,
    /// The positions of the `reachable` guarantees that an example was met of.
    pub met: Vec<usize>,
}

/// How a run ended. Guarantees are named by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A guarantee is violated.
    Violated {
        /// Which.
        guarantee: usize,
    },
    /// All that was promised has come true, or nothing was.
    Converged,
    /// What was promised has not come true, for so many nodes are down for good that no majority
    /// is left.
    NoQuorum {
        /// What was promised.
        guarantee: usize,
    },
    /// What was promised has not come true, though things went on to happen, without faults, for as
    /// long as was allowed.
    Livelock {
        /// What was promised.
        guarantee: usize,
    },
    /// What was promised has not come true, and nothing can happen any more.
    Stuck {
        /// What was promised.
        guarantee: usize,
    },
    /// Events went on without time passing.
    Zeno,
    /// There were more events than a run may have.
    EventsMax,
    /// Something went wrong, but after more faults than the cluster's budgets allow.
    BeyondBudgets,
}

/// The trace of a run.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The run.
    pub run: Run,
    /// What happened; each step with its time.
    pub trace: Trace,
}

/// How many events may happen at one moment of time.
const AT_ONCE_MAX: u64 = 100_000;

/// Simulates one run.
///
/// # Panics
///
/// Where the configuration does not [fit](Config::check) the cluster.
pub fn run<P: Protocol>(cluster: &Cluster<P>, config: &Config, seed: u64) -> Run {
    let run = carry_out(cluster, config, seed, false).0;
    if config.within_budgets && run.ending.is_wrong() && !is_affordable(cluster, config, seed) {
        return Run { ending: Ending::BeyondBudgets, ..run };
    }
    run
}

/// Whether what happens in a run costs no more than the cluster's budgets.
fn is_affordable<P: Protocol>(cluster: &Cluster<P>, config: &Config, seed: u64) -> bool {
    let (_, schedule) = carry_out(cluster, config, seed, true);
    // What the cluster cannot carry out at all is for whoever records the run to complain of.
    cluster
        .path(schedule.iter().map(|(_, action)| action))
        .map_or(true, |path| cluster.affords(&path))
}

/// Simulates one run again and gives its trace, by executing on the cluster what happened.
///
/// The trace is judged by the guarantee that the run ended with; where that takes more than one
/// finite execution to be violated, as a livelock does, the trace is `bounded`.
///
/// # Errors
///
/// Where the cluster does not allow what the simulation did: a bug of one of the two.
///
/// # Panics
///
/// As [`run`].
pub fn record<P: Protocol>(
    cluster: &Cluster<P>,
    config: &Config,
    seed: u64,
    origin: &Origin,
) -> Result<Recorded, cadre_model::Unresolved> {
    let (run, schedule) = carry_out(cluster, config, seed, true);
    let actions = schedule.iter().map(|(_, action)| action);
    let mut trace = cluster.execute(origin, actions, run.ending.guarantee())?;
    for (step, (at_us, _)) in trace.steps.iter_mut().zip(&schedule) {
        step.at_us = Some(*at_us);
    }
    Ok(Recorded { run, trace })
}

impl Ending {
    /// The guarantee that it is about.
    pub fn guarantee(self) -> Option<usize> {
        match self {
            Self::Violated { guarantee }
            | Self::NoQuorum { guarantee }
            | Self::Livelock { guarantee }
            | Self::Stuck { guarantee } => Some(guarantee),
            Self::Converged | Self::Zeno | Self::EventsMax | Self::BeyondBudgets => None,
        }
    }

    /// Whether something is wrong: all but what converged, what had no quorum, and what was cut
    /// off.
    pub fn is_wrong(self) -> bool {
        match self {
            Self::Violated { .. } | Self::Livelock { .. } | Self::Stuck { .. } | Self::Zeno => true,
            Self::Converged | Self::NoQuorum { .. } | Self::EventsMax | Self::BeyondBudgets => {
                false
            }
        }
    }

    /// What a trace of it says.
    pub fn verdict(self) -> Verdict {
        if self.is_wrong() { Verdict::Violated } else { Verdict::Bounded }
    }
}

type Schedule = Vec<(u64, cadre_trace::Action)>;

fn carry_out<P: Protocol>(
    cluster: &Cluster<P>,
    config: &Config,
    seed: u64,
    keeps: bool,
) -> (Run, Schedule) {
    let mut random = Random::new(seed);
    let drawn = config.drawn(&mut random);
    let turn = usize::try_from(seed % config.schedulers.len() as u64).unwrap_or(0);
    let scheduler = config.schedulers[turn];
    let mut world = World::new(cluster, drawn, scheduler, random, keeps);
    let mut judge = Judge::new(cluster, &world.live, keeps);
    let ending = go_on(&mut world, &mut judge);
    let schedule = world.schedule.take().unwrap_or_default();
    let met = judge.met();
    let run = Run { seed, scheduler, ending, tally: world.into_tally(), met };
    (run, schedule)
}

fn go_on<P: Protocol>(world: &mut World<'_, P>, judge: &mut Judge) -> Ending {
    let peace_us = world.config.time.us;
    let end_us = match judge.has_promises() {
        true => peace_us + world.config.settle.us,
        false => peace_us,
    };
    let mut at_once = 0;
    if let Some(ending) = violated(world, judge.look(&world.live)) {
        return ending;
    }
    loop {
        let next = world.queue.pop(world.now_us);
        let is_over = |at_us: u64| world.is_hostile && at_us >= peace_us;
        if world.is_hostile && next.as_ref().is_none_or(|entry| is_over(entry.at_us)) {
            if let Some(entry) = next {
                world.queue.push(entry.at_us, entry.chain, entry.event);
                world.now_us = world.now_us.max(peace_us);
            }
            world.make_peace();
            if let Some(ending) = violated(world, judge.look(&world.live)) {
                return ending;
            }
            continue;
        }
        let Some(entry) = next else {
            if world.grows() && world.deliver_again() {
                continue;
            }
            return at_rest(world, judge);
        };
        if entry.at_us >= end_us {
            return out_of_time(world, judge);
        }
        at_once = if entry.at_us > world.now_us { 0 } else { at_once + 1 };
        world.pass(entry.at_us);
        world.tally.events += 1;
        if at_once > AT_ONCE_MAX {
            return Ending::Zeno;
        }
        if world.tally.events > world.config.events_max {
            return Ending::EventsMax;
        }
        world.happen(entry.event);
        if let Some(ending) = violated(world, judge.look(&world.live)) {
            return ending;
        }
    }
}

/// The end of a run that violates a guarantee.
fn violated<P: Protocol>(world: &World<'_, P>, found: Option<usize>) -> Option<Ending> {
    let found = if world.has_failed { Some(0) } else { found };
    found.map(|guarantee| Ending::Violated { guarantee })
}

/// The end of a run in which nothing can happen any more.
fn at_rest<P: Protocol>(world: &World<'_, P>, judge: &mut Judge) -> Ending {
    let is_at_rest = world.is_at_rest();
    let found = judge
        .look_at_last(&world.live)
        .or_else(|| if is_at_rest { judge.look_at_rest(&world.live) } else { None });
    match (found, judge.unkept()) {
        (Some(guarantee), _) => Ending::Violated { guarantee },
        (None, Some(guarantee)) if has_no_quorum(world) => Ending::NoQuorum { guarantee },
        (None, Some(guarantee)) => Ending::Stuck { guarantee },
        (None, None) => Ending::Converged,
    }
}

/// The end of a run that has used up its time.
fn out_of_time<P: Protocol>(world: &World<'_, P>, judge: &mut Judge) -> Ending {
    match (judge.look_at_last(&world.live), judge.unkept()) {
        (Some(guarantee), _) => Ending::Violated { guarantee },
        (None, Some(guarantee)) if has_no_quorum(world) => Ending::NoQuorum { guarantee },
        (None, Some(guarantee)) => Ending::Livelock { guarantee },
        (None, None) => Ending::Converged,
    }
}

/// Whether no majority is up.
fn has_no_quorum<P: Protocol>(world: &World<'_, P>) -> bool {
    2 * world.down() >= world.nodes.len()
}
