use std::path::PathBuf;

use crate::args::{GameArgs, ProcessArgs};

/// Which specification is checked, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct SpecArgs {
    #[command(flatten)]
    pub(crate) game: Option<GameArgs>,
    /// Write a trace module for this specification instead: which of its steps a trace may name,
    /// with what arguments
    #[arg(long, value_name = "FILE.tla", conflicts_with_all = ["game", "simulate", "drive"])]
    pub(crate) scaffold: Option<PathBuf>,
    /// TLC's worker threads, or with --distributed its workers on this host; with more than one,
    /// the depth is approximate [default: 1, or 2 with --distributed]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: Option<u32>,
    /// The most steps of a behaviour, for --engine apalache, which looks at no longer ones
    #[arg(long, value_name = "STEPS", default_value_t = 10)]
    pub(crate) length: u32,
    /// Print the java command and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Say how often each action was taken, and what was never evaluated
    #[arg(long, conflicts_with_all = ["dry_run", "drive"])]
    pub(crate) coverage: bool,
    #[command(flatten)]
    pub(crate) claims: ClaimArgs,
    #[command(flatten)]
    pub(crate) distributed: DistributedArgs,
    #[command(flatten)]
    pub(crate) drive: DriveArgs,
}

/// By which processes TLC explores.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DistributedArgs {
    /// Let TLC explore by several processes, on this host unless --hosts says others; for
    /// invariants alone
    #[arg(long, conflicts_with_all = ["simulate", "drive", "coverage", "scaffold"])]
    pub(crate) distributed: bool,
    /// The processes of --distributed: in a line for each `HOST worker`, `HOST worker THREADS` or
    /// `HOST fingerprints`; those of 127.0.0.1 are started, and for others it is said what to run
    #[arg(long, value_name = "FILE", requires = "distributed", conflicts_with = "workers")]
    pub(crate) hosts: Option<PathBuf>,
    /// The name or address by which other hosts reach this one; needed where there are any
    #[arg(long, value_name = "HOST", requires = "distributed")]
    pub(crate) address: Option<String>,
    /// The port of TLC's leading process [default: some port from 20000 on]
    #[arg(long, requires = "distributed", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
}

/// What is checked beyond what the game claims.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ClaimArgs {
    /// One more invariant: a claim that nothing happens makes TLC show how it does; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) invariant: Vec<String>,
    /// One more temporal property; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) property: Vec<String>,
    /// The temporal formula that is the specification, such as one without fairness [default: what
    /// the game says, otherwise Spec]
    #[arg(long, value_name = "NAME", conflicts_with = "simulate")]
    pub(crate) formula: Option<String>,
}

impl ClaimArgs {
    /// These arguments again.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let invariants = self.invariant.iter().map(|name| ("--invariant", name));
        let properties = self.property.iter().map(|name| ("--property", name));
        let formula = self.formula.iter().map(|name| ("--formula", name));
        let all = invariants.chain(properties).chain(formula);
        all.flat_map(|(option, name)| [option.to_owned(), name.clone()]).collect()
    }
}

/// Which behaviours of a specification the game is to follow.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DriveArgs {
    /// Have TLC draw so many random behaviours instead of exploring all
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with_all = ["workers", "dry_run", "coverage", "property"]
    )]
    pub(crate) simulate: Option<u32>,
    /// The most steps of each of them
    #[arg(
        long, requires = "simulate", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) steps: u32,
    /// What random behaviours follow from
    #[arg(long, requires = "simulate", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Let the step function follow the behaviours, or the counterexample, and say where they part
    #[arg(long)]
    pub(crate) drive: bool,
    /// Let real processes follow so many of them, too
    #[arg(long, value_name = "K", requires = "drive")]
    pub(crate) processes: Option<usize>,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}
