use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use cadre::explore::{Bounds, Settings};
use cadre::model::FaultChange;
use cadre::model::consistency::{Budget, Consistency, Object};
use cadre::proptest::{MinimiseOptions, WEIGHT_MAX};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::lineage_args::LineageArgs;
use crate::memory;
use crate::simulate_args::SimulateArgs;
use crate::spec_args::SpecArgs;

/// Write a protocol once; search it, check its traces with TLC, replay them on real processes.
#[derive(Debug, Parser)]
#[command(name = "cadre", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// Install nothing: fail where TLC or Java is missing
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Use this tla2tools.jar
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tlc_jar: Option<PathBuf>,
    /// What reads modules of TLA+; without this TLC, and what there is where that cannot be had
    #[arg(long, global = true, value_name = "ENGINE")]
    pub(crate) engine: Option<EngineName>,
    /// Keep traces and run directories under this directory
    #[arg(long, global = true, value_name = "DIR", default_value = ".cadre")]
    pub(crate) out: PathBuf,
    /// Keep run directories of runs that went well, too
    #[arg(long, global = true)]
    pub(crate) keep: bool,
}

/// What comes to a verdict about modules of TLA+.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EngineName {
    /// The model checker of TLA+, which runs on Java
    Tlc,
    /// The crate tla-checker, in this process and without Java; a command built with the feature
    /// `embedded` has it
    Embedded,
    /// Apalache, where it is installed: for `spec`, invariants, and behaviours of so many steps
    Apalache,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List the games, their guarantees and their seeded bugs
    List,
    /// Run the whole pipeline on one game: explore, fuzz, conform, replay
    Check {
        #[command(flatten)]
        game: GameArgs,
        #[command(flatten)]
        search: SearchArgs,
        /// How many sampled traces TLC checks
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        traces: u32,
        /// What random choices follow from
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Search every configuration of a game, or go through one execution by hand
    Explore {
        #[command(flatten)]
        game: GameArgs,
        #[command(flatten)]
        search: SearchArgs,
        #[command(flatten)]
        sharing: SharingArgs,
        /// Say which actions were tried in which states, and which never: in no execution if
        /// everything was seen, not within the bounds otherwise
        #[arg(long, conflicts_with_all = ["processes", "hosts", "checkpoint"])]
        coverage: bool,
        /// Count configurations that differ in the names of interchangeable nodes and values as one
        #[arg(long, conflicts_with_all = ["coverage", "processes", "hosts", "checkpoint"])]
        symmetry: bool,
        /// Go step by step instead of searching: reads commands from standard input, `h` lists them
        #[arg(
            long,
            conflicts_with_all = [
                "depth", "configurations", "seconds", "memory", "workers", "without", "coverage",
                "symmetry", "processes", "hosts", "checkpoint"
            ]
        )]
        step: bool,
    },
    /// Try random executions of a game and shrink what fails
    Fuzz {
        #[command(flatten)]
        game: GameArgs,
        /// How many executions
        #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
        cases: u32,
        /// The most steps of one execution
        #[arg(long, default_value_t = 60)]
        steps: usize,
        /// What random choices follow from
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How likely a class of actions is beside the others, such as crash=3; 0 is never; may be
        /// repeated
        #[arg(long, value_name = "CLASS=WEIGHT", value_parser = weight)]
        weight: Vec<(String, u32)>,
        /// Use the same weights in every execution, instead of varying them
        #[arg(long)]
        steady: bool,
        /// Do everything twice, and say where the second time differs
        #[arg(long)]
        check_determinism: bool,
    },
    /// Simulate runs of a game in virtual time: how it behaves under latency, loss and crashes
    Simulate(SimulateArgs),
    /// Find the smallest faults that break a program of synchronous rounds, or certify that there
    /// are none; of any other game, find faults that break a fair schedule
    Lineage(LineageArgs),
    /// Make a counterexample shorter, whatever has found it
    Minimise {
        /// The trace
        trace: PathBuf,
        /// The most executions that are tried
        #[arg(
            long, value_name = "N", default_value_t = MinimiseOptions::default().attempts_max,
            value_parser = clap::value_parser!(u64).range(1..)
        )]
        attempts: u64,
    },
    /// Check traces, or all that a game can do, against the specification, by TLC
    Conform {
        /// The traces
        #[arg(required_unless_present_any = ["graph", "log"], conflicts_with = "graph")]
        traces: Vec<PathBuf>,
        /// Print the java command and run nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        graph: GraphArgs,
        #[command(flatten)]
        log: LogArgs,
    },
    /// Execute a trace again: by the step function, then on real processes
    Replay {
        /// The trace
        trace: PathBuf,
        /// What executes it
        #[arg(long, value_enum, default_value_t = Against::Both)]
        against: Against,
        /// A bug of the process to switch on
        #[arg(long)]
        bug: Option<String>,
        #[command(flatten)]
        process: ProcessArgs,
    },
    /// Draw a trace
    Show {
        /// The trace
        trace: PathBuf,
        /// The columns of the drawing
        #[arg(long, default_value_t = 100)]
        width: usize,
        #[command(flatten)]
        picture: PictureArgs,
    },
    /// Write a trace in the form of another tool
    Export {
        /// The trace
        trace: PathBuf,
        /// Which form
        #[arg(long, value_enum)]
        format: Format,
        /// The file to write; `-` for standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        output: PathBuf,
    },
    /// Judge a recorded history of clients: linearizable, sequential, causal, sessions
    History {
        /// The history: a line of JSON for each event
        file: PathBuf,
        /// What was called; the first line of the file may say it too
        #[arg(long, value_parser = object_names())]
        object: Option<Object>,
        /// What is asked of it
        #[arg(long, default_value = "linearizable", value_parser = consistency_names())]
        consistency: Consistency,
        /// The most steps of the search for a legal order
        #[arg(long, default_value_t = Budget::default().steps_max)]
        steps: u64,
    },
    /// Check the TLA+ specification of a game itself, by TLC
    Spec(SpecArgs),
    /// Write a protocol to begin with, with its game, its specification and its tests
    Init {
        /// The directory, whose name becomes that of the package
        directory: PathBuf,
        /// Where the sources of Cadre are, which no registry has
        #[arg(long, value_name = "DIR")]
        cadre_path: PathBuf,
    },
    /// Say what is here and what is missing
    Doctor,
    /// Host one node for real, steered by lines of JSON on standard input
    Run(RunArgs),
}

/// A picture of a trace for a browser instead of the terminal.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PictureArgs {
    /// Write a report to look through: one page of HTML that needs nothing else
    #[arg(long, group = "picture")]
    pub(crate) html: bool,
    /// Write the space-time diagram as SVG
    #[arg(long, group = "picture")]
    pub(crate) svg: bool,
    /// Write the lineage of the outcome as SVG
    #[arg(long, group = "picture")]
    pub(crate) lineage: bool,
    /// The file to write, `-` for standard output [default: beside the trace, with the ending of
    /// the picture]
    #[arg(long, value_name = "FILE", requires = "picture")]
    pub(crate) output: Option<PathBuf>,
    /// Draw all steps, also of a trace of more than 2000
    #[arg(long, requires = "picture", conflicts_with = "lineage")]
    pub(crate) full: bool,
}

/// The forms of other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A log for ShiViz
    Shiviz,
    /// A sequence diagram for Mermaid
    Mermaid,
    /// A graph of causes for Graphviz
    Dot,
    /// The lineage of the outcome for Graphviz
    LineageDot,
    /// The variables of the specification, in the Informal Trace Format
    Itf,
}

/// Which game, how large, with which bug.
#[derive(Debug, clap::Args)]
pub(crate) struct GameArgs {
    /// The game: see `list`
    pub(crate) game: String,
    /// How large its cluster is: see `list` for what is counted
    #[arg(long)]
    pub(crate) nodes: Option<usize>,
    /// A seeded bug to switch on: see `list`
    #[arg(long)]
    pub(crate) bug: Option<String>,
    /// How often which fault may happen, instead of what the game says, such as
    /// losses=2,crashes=unlimited,restarts=yes,unsynced=any-prefix
    #[arg(long, value_name = "FAULT=COUNT", value_delimiter = ',')]
    pub(crate) faults: Vec<FaultChange>,
}

/// Of which game every state and every step is checked, and how far.
#[derive(Clone, Debug, clap::Args)]
#[group(conflicts_with_all = ["traces", "log"])]
pub(crate) struct GraphArgs {
    /// Check every state and every step of this game instead of traces, and say which steps of the
    /// specification it never takes
    #[arg(long, value_name = "GAME")]
    pub(crate) graph: Option<String>,
    /// How large the cluster of --graph is: see `list` for what is counted
    #[arg(long, requires = "graph")]
    pub(crate) nodes: Option<usize>,
    /// A seeded bug of --graph to switch on: see `list`
    #[arg(long, requires = "graph")]
    pub(crate) bug: Option<String>,
    /// The most levels of --graph, the initial configuration being the first
    #[arg(long, requires = "graph")]
    pub(crate) depth: Option<u64>,
    /// The most distinct configurations of --graph
    #[arg(long, requires = "graph", default_value_t = 1_000_000)]
    pub(crate) configurations: u64,
    /// The most seconds of --graph: of its exploration, and of each run of TLC
    #[arg(long, requires = "graph", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// The heap of TLC for --graph, such as 500M or 8G
    #[arg(long, requires = "graph", value_name = "SIZE", value_parser = memory::parse)]
    pub(crate) memory: Option<u64>,
}

/// Which logs of somebody else's program are checked, and against what.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// Check these logs instead of traces: a line of JSON for each event, by any program; those of
    /// several nodes are merged by their clocks
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["traces", "graph"])]
    pub(crate) log: Vec<PathBuf>,
    /// What the fields of --log are in the specification, in TOML or JSON
    #[arg(long, value_name = "FILE", requires = "log")]
    pub(crate) mapping: Option<PathBuf>,
    /// The specification that --log is checked against: a game, or the file of a trace module
    /// [default: what the mapping says]
    #[arg(long, value_name = "GAME|FILE.tla", requires = "log")]
    pub(crate) spec: Option<String>,
}

/// How far a search goes, and how it goes about it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// The most levels, the initial configuration being the first
    #[arg(long)]
    pub(crate) depth: Option<u64>,
    /// The most distinct configurations
    #[arg(long)]
    pub(crate) configurations: Option<u64>,
    /// The most seconds
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// The most memory that the search keeps, such as 500M or 8G [default: three quarters of what
    /// is free at the start, where the system says it]
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    pub(crate) memory: Option<u64>,
    /// Put configurations that wait in files below this directory where they take more than an
    /// eighth of --memory; the files are removed in the end [default: all wait in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) spill: Option<PathBuf>,
    /// How many threads search, which changes nothing but the time [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Search without a reduction: for comparing, the verdicts are the same; may be repeated
    #[arg(long, value_enum, value_name = "REDUCTION")]
    pub(crate) without: Vec<Reduction>,
}

/// What a search need not look at twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Reduction {
    /// Of actions that commute, one order is enough
    SleepSets,
    /// Where only budgets for faults differ, the most that is left is enough
    Dominance,
}

impl SearchArgs {
    /// The settings of the search; its time is left to whoever watches it, and where it spills to
    /// whoever begins it.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::within(Bounds {
            depth_max: self.depth,
            configurations_max: self.configurations,
            memory_max: self.memory.or_else(memory::share_of_free),
        });
        settings.workers = self.workers.map_or(settings.workers, NonZeroUsize::get);
        for reduction in &self.without {
            match reduction {
                Reduction::SleepSets => settings.reductions.sleep_sets = false,
                Reduction::Dominance => settings.reductions.dominance = false,
            }
        }
        settings
    }

    /// How long the search may take.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }
}

/// By which processes a search is shared.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SharingArgs {
    /// Search with so many processes on this host
    #[arg(
        long, value_name = "K", conflicts_with_all = ["hosts", "process", "spill"],
        value_parser = clap::value_parser!(u16).range(1..=256)
    )]
    pub(crate) processes: Option<u16>,
    /// Search with the processes that this file tells, HOST:PORT in a line for each; each of them
    /// is to be started
    #[arg(long, value_name = "FILE", requires = "process", conflicts_with = "spill")]
    pub(crate) hosts: Option<PathBuf>,
    /// Which of these processes this one is, from 0 on
    #[arg(long, value_name = "I", requires = "hosts")]
    pub(crate) process: Option<usize>,
    /// Keep finished levels under this directory, so that the search can be resumed
    #[arg(long, value_name = "DIR", conflicts_with = "spill")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Go on after the last level that was finished and kept, by all processes if there are several
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,
}

impl SharingArgs {
    /// Whether more than a search by this process alone is asked for, of which nothing is kept.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.processes.is_some() || self.hosts.is_some() || self.checkpoint.is_some()
    }
}

/// How real processes are started.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ProcessArgs {
    /// The port of the first node, the others follow; free ports unless given
    #[arg(long)]
    pub(crate) base_port: Option<u16>,
    /// The most seconds that a start, a step or a message may take
    #[arg(long, default_value_t = 10)]
    pub(crate) step_seconds: u64,
}

/// What executes a trace again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Against {
    /// The step function
    Model,
    /// Real processes
    Processes,
    /// First the step function, then real processes
    Both,
}

/// One node.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) game: GameArgs,
    /// The name of the node
    #[arg(long)]
    pub(crate) node: String,
    /// Where it receives messages; port 0 for a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The directory of its disk
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Wait for commands instead of going its own way
    #[arg(long)]
    pub(crate) steered: bool,
    /// What its choices follow from, where it goes its own way
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The most milliseconds before it makes a choice that it could make
    #[arg(long, default_value_t = 40)]
    pub(crate) choice_delay_ms: u64,
}

fn weight(text: &str) -> Result<(String, u32), String> {
    let told = text.split_once('=').and_then(|(class, weight)| {
        let weight = weight.parse().ok().filter(|weight| *weight <= WEIGHT_MAX)?;
        Some((class.to_owned(), weight))
    });
    told.ok_or_else(|| format!("expected CLASS=WEIGHT, the weight from 0 to {WEIGHT_MAX}"))
}

fn object_names() -> impl TypedValueParser<Value = Object> {
    PossibleValuesParser::new(Object::ALL.map(Object::name))
        .map(|name| Object::of_name(&name).expect("a name of the list names an object"))
}

fn consistency_names() -> impl TypedValueParser<Value = Consistency> {
    PossibleValuesParser::new(Consistency::ALL.map(Consistency::name))
        .map(|name| Consistency::of_name(&name).expect("a name of the list names a property"))
}
