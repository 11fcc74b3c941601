use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context as _;
use cadre::simulate::{Config, Delay, Preset, Span};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::args::GameArgs;
use crate::exit::{Exit, Failure, OrExit};

/// Which runs are simulated, and how the cluster behaves in them.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) game: GameArgs,
    /// The seed of the first run, each run having the next one [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// How many runs [default: 100, or 1 where a seed is given]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// How long each run goes on with faults, in virtual time, such as 60s
    #[arg(long, value_name = "TIME")]
    time: Option<Span>,
    /// How long it may then take until what is promised has come true
    #[arg(long, value_name = "TIME")]
    settle: Option<Span>,
    /// What to begin with; the other options change it
    #[arg(long, default_value = "hostile", value_parser = presets())]
    preset: Preset,
    /// What to begin with, from a file of JSON: see `--print-config`
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    config: Option<PathBuf>,
    /// Print what all of these options say as JSON, and run nothing
    #[arg(long)]
    pub(crate) print_config: bool,
    /// How many threads, which changes nothing but the time [default: one per processor]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// How long messages take: fixed:5ms, uniform:1ms..9ms, normal:5ms,1ms, exp:5ms, pareto:1ms,1.5
    #[arg(long, value_name = "DELAY")]
    latency: Option<Delay>,
    /// How much more or less each message takes
    #[arg(long, value_name = "TIME")]
    jitter: Option<Span>,
    /// How many messages a link carries in a second
    #[arg(long, value_name = "RATE")]
    bandwidth: Option<f64>,
    /// The probability that a message is lost
    #[arg(long, value_name = "P")]
    loss: Option<f64>,
    /// The probability that a message arrives twice
    #[arg(long, value_name = "P")]
    duplication: Option<f64>,
    /// The probability that a message is altered
    #[arg(long, value_name = "P")]
    corruption: Option<f64>,
    /// The probability that a message is overtaken
    #[arg(long, value_name = "P")]
    reordering: Option<f64>,
    /// The mean time between two crashes of a node
    #[arg(long, value_name = "TIME")]
    crash_every: Option<Span>,
    /// The mean time between two pauses of a node
    #[arg(long, value_name = "TIME")]
    pause_every: Option<Span>,
    /// The mean time between two partitions
    #[arg(long, value_name = "TIME")]
    partition_every: Option<Span>,
    /// How long a sync of the disk takes
    #[arg(long, value_name = "DELAY")]
    sync: Option<Delay>,
    /// How long a client waits before its next request
    #[arg(long, value_name = "DELAY")]
    think: Option<Delay>,
    /// Within which time an answer counts as given in time
    #[arg(long, value_name = "TIME")]
    answer_within: Option<Span>,
    /// Carry out faults too that the game does not say it may suffer
    #[arg(long)]
    every_fault: bool,
    /// Count a run that goes wrong only if it has no more faults than the game's budgets allow
    #[arg(long, conflicts_with = "every_fault")]
    within_budgets: bool,
    /// Draw how long answers took, and how requests and messages went over time, into this SVG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

impl SimulateArgs {
    /// How the cluster behaves.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            None => self.preset.config(),
            Some(path) => read(path)?,
        };
        let spans = [
            (&mut config.time, self.time),
            (&mut config.settle, self.settle),
            (&mut config.jitter, self.jitter),
            (&mut config.answer_within, self.answer_within),
        ];
        replace(spans);
        let delays = [
            (&mut config.latency, self.latency),
            (&mut config.sync, self.sync),
            (&mut config.think, self.think),
        ];
        replace(delays);
        let probabilities = [
            (&mut config.loss, self.loss),
            (&mut config.duplication, self.duplication),
            (&mut config.corruption, self.corruption),
            (&mut config.reordering, self.reordering),
        ];
        replace(probabilities);
        config.bandwidth = self.bandwidth.or(config.bandwidth);
        config.crash_every = self.crash_every.or(config.crash_every);
        config.pause_every = self.pause_every.or(config.pause_every);
        config.partition_every = self.partition_every.or(config.partition_every);
        config.every_fault |= self.every_fault;
        config.within_budgets |= self.within_budgets;
        Ok(config)
    }

    /// What the runs follow from.
    pub(crate) fn seeds(&self) -> Result<Range<u64>, Failure> {
        let first = self.seed.unwrap_or(1);
        let runs = self.runs.unwrap_or(if self.seed.is_some() { 1 } else { 100 });
        let end = first.checked_add(runs);
        let end = end.context("expected a seed that leaves room for so many runs");
        Ok(first..end.or_exit(Exit::Usage)?)
    }

    pub(crate) fn workers(&self) -> usize {
        let one_each = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.workers.map_or_else(one_each, NonZeroUsize::get)
    }

    /// What is begun with, for the first line.
    pub(crate) fn beginning(&self) -> String {
        match &self.config {
            None => format!("preset {}", self.preset.name()),
            Some(path) => path.display().to_string(),
        }
    }
}

fn replace<T, const N: usize>(pairs: [(&mut T, Option<T>); N]) {
    for (place, given) in pairs {
        if let Some(given) = given {
            *place = given;
        }
    }
}

fn read(path: &std::path::Path) -> Result<Config, Failure> {
    let at = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read the configuration {at}: {error}"))
        .or_exit(Exit::Input)?;
    Config::from_json(&text).map_err(|error| anyhow::anyhow!("{at}: {error}")).or_exit(Exit::Usage)
}

fn presets() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(Preset::ALL.map(Preset::name))
        .map(|name| Preset::of_name(&name).expect("a name of the list names a preset"))
}
