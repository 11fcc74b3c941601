use serde::{Deserialize, Serialize};

/// What one search in one process has cost, and what it has met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// How many threads searched; a tool that cannot use as many as asked says how many it did.
    pub(crate) workers: u32,
    /// Distinct states.
    pub(crate) distinct: u64,
    /// Steps carried out, as the tool counts them.
    pub(crate) generated: u64,
    /// How deep it came, as the tool counts.
    pub(crate) depth: u64,
    /// The time of the search alone, as far as the tool tells it.
    pub(crate) search_seconds: f64,
    /// From the start of the process to its end.
    pub(crate) wall_seconds: f64,
    /// The processor time of the process.
    pub(crate) cpu_seconds: f64,
    /// The most memory that was resident.
    pub(crate) peak_bytes: u64,
    /// The bytes outside the frontier, where the tool says it.
    pub(crate) bytes_behind: Option<u64>,
}

/// What a search has met, and its own time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Searched {
    /// How many threads searched.
    pub(crate) workers: u32,
    /// Distinct states.
    pub(crate) distinct: u64,
    /// Steps carried out, as the tool counts them.
    pub(crate) generated: u64,
    /// How deep it came, as the tool counts.
    pub(crate) depth: u64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// The bytes that it keeps of states that it is done with, where the tool says it.
    pub(crate) bytes_behind: Option<u64>,
}
