use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use cadre_model::Cluster;
use cadre_step::Protocol;

use crate::config::{Config, ConfigError};
use crate::run::{Run, run};
use crate::tally::Tally;

/// Which runs are simulated, and by how many threads.
#[derive(Clone, Debug)]
pub struct Options {
    /// A run for each of these seeds.
    pub seeds: Range<u64>,
    /// How many threads; changes nothing but the time it takes.
    pub workers: usize,
}

/// What came of several runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// The runs, in the order of their seeds, up to the first that went wrong.
    pub runs: Vec<Run>,
    /// Everything counted together.
    pub tally: Tally,
    /// The first run that went wrong.
    pub violation: Option<Violation>,
    /// Whether it was ended from outside.
    pub is_stopped: bool,
}

/// A run that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What it follows from.
    pub seed: u64,
    /// What went wrong.
    pub ending: crate::run::Ending,
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// Runs that have ended.
    pub runs: u64,
    /// Their virtual time, in microseconds.
    pub time_us: u64,
    /// Their messages.
    pub messages: u64,
}

/// Simulates runs until one goes wrong, or until `watch` says no.
///
/// # Errors
///
/// Where the configuration does not fit the cluster.
pub fn simulate<P: Protocol>(
    cluster: &Cluster<P>,
    config: &Config,
    options: &Options,
    watch: &mut dyn FnMut(&Look) -> bool,
) -> Result<Simulation, ConfigError> {
    config.check(cluster.node_names())?;
    let next = AtomicU64::new(options.seeds.start);
    // No seed from here on is needed: one before it went wrong.
    let enough = AtomicU64::new(options.seeds.end);
    let mut ended: BTreeMap<u64, Run> = BTreeMap::new();
    let mut is_stopped = false;
    std::thread::scope(|scope| {
        // Whoever is ahead waits, so that an end comes soon.
        let (sender, receiver) = mpsc::sync_channel(1);
        for _ in 0..options.workers.max(1) {
            let (sender, next, enough) = (sender.clone(), &next, &enough);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= enough.load(Ordering::Relaxed) {
                        return;
                    }
                    let ended = run(cluster, config, seed);
                    if ended.ending.is_wrong() {
                        enough.fetch_min(seed + 1, Ordering::Relaxed);
                    }
                    if sender.send(ended).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut look = Look::default();
        for run in receiver {
            look.runs += 1;
            look.time_us += run.tally.time_us;
            look.messages += run.tally.sent;
            ended.insert(run.seed, run);
            if !is_stopped && !watch(&look) {
                is_stopped = true;
                enough.store(0, Ordering::Relaxed);
            }
        }
    });
    Ok(gather(ended, is_stopped))
}

/// Puts runs together, up to the first that went wrong.
fn gather(ended: BTreeMap<u64, Run>, is_stopped: bool) -> Simulation {
    let mut simulation =
        Simulation { runs: Vec::new(), tally: Tally::default(), violation: None, is_stopped };
    for run in ended.into_values() {
        simulation.tally.add(&run.tally);
        let (seed, ending) = (run.seed, run.ending);
        simulation.runs.push(run);
        if ending.is_wrong() {
            simulation.violation = Some(Violation { seed, ending });
            break;
        }
    }
    simulation
}
