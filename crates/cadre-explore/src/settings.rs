use crate::aside::{SpillFailure, Spilling};
use crate::exploration::Progress;

/// How a search goes about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How far it goes.
    pub bounds: Bounds,
    /// How many threads search. Nothing but the time it takes depends on it.
    pub workers: usize,
    /// What need not be looked at twice.
    pub reductions: Reductions,
    /// Whether configurations that wait may be put aside; a search that several processes share
    /// keeps them in memory all the same.
    pub spilling: Option<Spilling>,
}

/// How far a search goes; `None` is no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Levels, the initial configurations being the first.
    pub depth_max: Option<u64>,
    /// Distinct configurations.
    pub configurations_max: Option<u64>,
    /// Bytes that the search keeps in memory: what it has met, what it has still to look at, how it
    /// got there, and what the model keeps itself.
    pub memory_max: Option<u64>,
}

/// The reductions, each to be switched off; the verdicts are the same with and without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// Of actions that commute one order is enough; all configurations are met all the same.
    pub sleep_sets: bool,
    /// Of configurations that differ only in what is left of budgets for faults those are enough
    /// that no other of at most their depth exceeds. Fewer configurations are met.
    pub dominance: bool,
}

/// What ended a search before everything was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Bounds::depth_max`].
    Depth(u64),
    /// [`Bounds::configurations_max`].
    Configurations(u64),
    /// [`Bounds::memory_max`].
    Memory(u64),
    /// What waits could not be put aside, or not be brought back: see [`Settings::spilling`].
    Spill(SpillFailure),
    /// The watcher.
    Watcher,
}

impl Settings {
    /// Everything there is, within some bounds.
    pub fn within(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }
}

impl Bounds {
    /// Which of the bounds on depth and configurations left something out.
    pub(crate) fn reached(&self, progress: &Progress) -> Bound {
        match self.configurations_max {
            Some(max) if progress.configurations >= max => {
                Bound::Configurations(progress.configurations)
            }
            Some(_) | None => Bound::Depth(progress.depth),
        }
    }
}

impl Default for Settings {
    /// No bounds, a thread for each processor, every reduction, everything in memory.
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            reductions: Reductions::default(),
            spilling: None,
        }
    }
}

impl Default for Reductions {
    fn default() -> Self {
        Self { sleep_sets: true, dominance: true }
    }
}
