use serde::{Deserialize, Serialize};

use crate::delay::Delay;
use crate::random::Random;
use crate::scheduler::Scheduler;
use crate::span::Span;

/// How a simulated cluster behaves: how long things take, and how often which fault occurs.
///
/// Faults are carried out only where the cluster declares that it may suffer them, unless
/// [`every_fault`](Config::every_fault) says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a run goes on with faults.
    pub time: Span,
    /// How long it may then take, without faults, until what is promised has come true.
    pub settle: Span,
    /// How long messages take.
    pub latency: Delay,
    /// How much more or less each takes, evenly.
    pub jitter: Span,
    /// How often a message takes as long as the one before it on its link: a probability.
    pub correlation: f64,
    /// How many messages a link carries in a second; without a limit unless given.
    pub bandwidth: Option<f64>,
    /// How many messages may wait for their turn on a link with a limited bandwidth.
    pub queue: usize,
    /// Links that differ from the others, each in one direction.
    pub links: Vec<LinkConfig>,
    /// How often a message is lost: a probability.
    pub loss: f64,
    /// Losses in bursts.
    pub bursts: Option<Bursts>,
    /// How often a message arrives twice: a probability.
    pub duplication: f64,
    /// How often a message arrives once more much later: a probability.
    pub replay: f64,
    /// How much later.
    pub replay_after: Delay,
    /// How often a message is altered: a probability.
    pub corruption: f64,
    /// How often a message is held up so that later ones overtake it: a probability.
    pub reordering: f64,
    /// How long it is held up.
    pub held_up: Delay,
    /// How long a sync of the disk takes.
    pub sync: Delay,
    /// How often a sync fails: a probability.
    pub sync_failure: f64,
    /// How often a crash tears a write: a probability.
    pub torn_write: f64,
    /// How often a start reads a value wrongly: a probability.
    pub misread: f64,
    /// The mean time between two crashes of one node; never unless given.
    pub crash_every: Option<Span>,
    /// How long a crashed node is down.
    pub down: Delay,
    /// How often a crashed node is down for good: a probability.
    pub stays_down: f64,
    /// How often a crash comes in the middle of a step: a probability.
    pub interruption: f64,
    /// The mean time between two crashes of one group of nodes.
    pub group_crash_every: Option<Span>,
    /// How many nodes may be down at once. Unless given, as many as the cluster declares where they
    /// stay down, and otherwise a minority, or one.
    pub down_max: Option<usize>,
    /// The mean time between two pauses of one node.
    pub pause_every: Option<Span>,
    /// How long a node pauses.
    pub pause: Delay,
    /// The mean time between two partitions.
    pub partition_every: Option<Span>,
    /// How long a partition lasts.
    pub partition: Delay,
    /// How much faster or slower than right a clock may be, in millionths.
    pub drift_ppm: u32,
    /// The mean time between two jumps of one node's clock.
    pub jump_every: Option<Span>,
    /// How far a clock jumps, ahead or back.
    pub jump: Delay,
    /// How long a node takes to do what it may do of its own accord.
    pub choice: Delay,
    /// How long a client waits before its next request.
    pub think: Delay,
    /// Within which time an answer counts as given in time.
    pub answer_within: Span,
    /// Whether each run draws its own rates: probabilities up to these ones, some of them 0, and
    /// mean times from a hundredth to four times as long, some of them endless.
    pub swarm: bool,
    /// Whether faults that the cluster does not declare are carried out too.
    pub every_fault: bool,
    /// Whether a run that goes wrong counts only if it has no more faults than the cluster's
    /// budgets allow.
    pub within_budgets: bool,
    /// What decides the order of events; runs take turns with them.
    pub schedulers: Vec<Scheduler>,
    /// The most events of one run.
    pub events_max: u64,
}

/// How one direction of a link differs from the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// The sender.
    pub from: String,
    /// The destination.
    pub to: String,
    /// How long messages take.
    #[serde(default)]
    pub latency: Option<Delay>,
    /// How often a message is lost: a probability.
    #[serde(default)]
    pub loss: Option<f64>,
    /// How many messages it carries in a second.
    #[serde(default)]
    pub bandwidth: Option<f64>,
}

/// Losses in bursts: each link is good or bad, and changes with each message (Gilbert, 1960, and
/// Elliott, 1963).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// How often a good link turns bad: a probability for each message.
    pub begin: f64,
    /// How often a bad link turns good.
    pub end: f64,
    /// How often a message over a bad link is lost.
    pub loss: f64,
}

impl Default for Config {
    /// That of the preset `calm`: no faults.
    fn default() -> Self {
        Self {
            time: Span::from_seconds(10),
            settle: Span::from_seconds(10),
            latency: Delay::Exponential(Span::from_ms(1)),
            jitter: Span::default(),
            correlation: 0.0,
            bandwidth: None,
            queue: 1_000,
            links: Vec::new(),
            loss: 0.0,
            bursts: None,
            duplication: 0.0,
            replay: 0.0,
            replay_after: Delay::Exponential(Span::from_seconds(1)),
            corruption: 0.0,
            reordering: 0.0,
            held_up: Delay::Exponential(Span::from_ms(20)),
            sync: Delay::Exponential(Span::from_ms(2)),
            sync_failure: 0.0,
            torn_write: 0.0,
            misread: 0.0,
            crash_every: None,
            down: Delay::Exponential(Span::from_ms(500)),
            stays_down: 0.0,
            interruption: 0.0,
            group_crash_every: None,
            down_max: None,
            pause_every: None,
            pause: Delay::Exponential(Span::from_ms(500)),
            partition_every: None,
            partition: Delay::Exponential(Span::from_seconds(1)),
            drift_ppm: 0,
            jump_every: None,
            jump: Delay::Exponential(Span::from_ms(100)),
            choice: Delay::Exponential(Span::from_ms(10)),
            think: Delay::Exponential(Span::from_ms(10)),
            answer_within: Span::from_seconds(1),
            swarm: false,
            every_fault: false,
            within_budgets: false,
            schedulers: vec![Scheduler::Timed],
            events_max: 10_000_000,
        }
    }
}

/// A configuration with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A fast network, and no faults.
    Calm,
    /// A fast network that loses, duplicates and reorders.
    LossyLan,
    /// A slow network with a heavy tail, bursts of losses and partitions.
    Wan,
    /// Every fault, at rates that each run draws for itself, and several schedulers.
    Hostile,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Calm, Self::LossyLan, Self::Wan, Self::Hostile];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::LossyLan => "lossy-lan",
            Self::Wan => "wan",
            Self::Hostile => "hostile",
        }
    }

    /// The preset of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// What it says.
    pub fn config(self) -> Config {
        let calm = Config::default();
        match self {
            Self::Calm => calm,
            Self::LossyLan => Config {
                loss: 0.02,
                bursts: Some(Bursts { begin: 0.002, end: 0.1, loss: 0.9 }),
                duplication: 0.01,
                reordering: 0.05,
                ..calm
            },
            Self::Wan => Config {
                latency: Delay::Pareto(Span::from_ms(20), 2.5),
                jitter: Span::from_ms(5),
                correlation: 0.25,
                loss: 0.005,
                bursts: Some(Bursts { begin: 0.001, end: 0.05, loss: 0.9 }),
                partition_every: Some(Span::from_seconds(10)),
                drift_ppm: 100,
                ..calm
            },
            Self::Hostile => Config {
                latency: Delay::Exponential(Span::from_ms(5)),
                jitter: Span::from_ms(2),
                correlation: 0.2,
                loss: 0.3,
                bursts: Some(Bursts { begin: 0.02, end: 0.1, loss: 0.95 }),
                duplication: 0.2,
                replay: 0.05,
                corruption: 0.05,
                reordering: 0.2,
                sync: Delay::Exponential(Span::from_ms(5)),
                sync_failure: 0.1,
                torn_write: 0.3,
                misread: 0.2,
                crash_every: Some(Span::from_seconds(2)),
                interruption: 0.3,
                group_crash_every: Some(Span::from_seconds(5)),
                pause_every: Some(Span::from_seconds(3)),
                partition_every: Some(Span::from_seconds(2)),
                drift_ppm: 10_000,
                jump_every: Some(Span::from_seconds(5)),
                swarm: true,
                schedulers: vec![
                    Scheduler::Timed,
                    Scheduler::Priorities { changes: 3 },
                    Scheduler::Timed,
                    Scheduler::DelayBounded { delays: 4 },
                ],
                ..calm
            },
        }
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// What should be a probability is none.
    #[error("expected a probability from 0 to 1 for `{field}`, found {found}")]
    NoProbability {
        /// The field.
        field: String,
        /// What it says.
        found: String,
    },
    /// A number that should be above 0 is not.
    #[error("expected {field} above 0, found {found}; leave it out for no such limit")]
    NotPositive {
        /// The field.
        field: String,
        /// What it says.
        found: String,
    },
    /// A node that the cluster does not have.
    #[error("there is no node `{name}` for `links`; the nodes are {}", .known.join(", "))]
    UnknownNode {
        /// What it says.
        name: String,
        /// The cluster's nodes.
        known: Vec<String>,
    },
    /// More nodes may be down than there are.
    #[error("expected at most {nodes} nodes for `down_max`, found {found}")]
    TooManyDown {
        /// What it says.
        found: usize,
        /// How many there are.
        nodes: usize,
    },
    /// Nothing decides the order of events.
    #[error("expected at least one of the schedulers `timed`, `priorities` and `delay-bounded`")]
    NoScheduler,
}

impl Config {
    /// Reads a configuration; what it does not say is as in the preset `calm`.
    ///
    /// # Errors
    ///
    /// Where it does not read: says where, and what was expected.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The configuration as it is read.
    ///
    /// # Panics
    ///
    /// Never: every configuration has a text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a configuration has a text")
    }

    /// Sees whether a cluster of these nodes can be simulated so.
    ///
    /// # Errors
    ///
    /// Where a number makes no sense, or a link names other nodes.
    pub fn check(&self, nodes: &[String]) -> Result<(), ConfigError> {
        let mut probabilities = vec![
            ("correlation".to_owned(), self.correlation),
            ("loss".to_owned(), self.loss),
            ("duplication".to_owned(), self.duplication),
            ("replay".to_owned(), self.replay),
            ("corruption".to_owned(), self.corruption),
            ("reordering".to_owned(), self.reordering),
            ("sync_failure".to_owned(), self.sync_failure),
            ("torn_write".to_owned(), self.torn_write),
            ("misread".to_owned(), self.misread),
            ("stays_down".to_owned(), self.stays_down),
            ("interruption".to_owned(), self.interruption),
        ];
        let mut positive = vec![("bandwidth".to_owned(), self.bandwidth)];
        if let Some(bursts) = self.bursts {
            probabilities.extend([
                ("bursts.begin".to_owned(), bursts.begin),
                ("bursts.end".to_owned(), bursts.end),
                ("bursts.loss".to_owned(), bursts.loss),
            ]);
        }
        for link in &self.links {
            let named = |field| format!("{field} of {}→{}", link.from, link.to);
            probabilities.extend(link.loss.map(|loss| (named("loss"), loss)));
            positive.push((named("bandwidth"), link.bandwidth));
            for name in [&link.from, &link.to] {
                if !nodes.contains(name) {
                    let known = nodes.to_vec();
                    return Err(ConfigError::UnknownNode { name: name.clone(), known });
                }
            }
        }
        let every = [
            ("crash_every", self.crash_every),
            ("group_crash_every", self.group_crash_every),
            ("pause_every", self.pause_every),
            ("partition_every", self.partition_every),
            ("jump_every", self.jump_every),
        ];
        positive
            .extend(every.map(|(field, span)| (field.to_owned(), span.map(|span| span.us as f64))));
        positive.push(("time".to_owned(), Some(self.time.us as f64)));
        for (field, found) in probabilities {
            if !(0.0..=1.0).contains(&found) {
                return Err(ConfigError::NoProbability { field, found: found.to_string() });
            }
        }
        for (field, found) in positive {
            if let Some(found) = found.filter(|found| !(*found > 0.0 && found.is_finite())) {
                return Err(ConfigError::NotPositive { field, found: found.to_string() });
            }
        }
        if let Some(found) = self.down_max.filter(|down_max| *down_max > nodes.len()) {
            return Err(ConfigError::TooManyDown { found, nodes: nodes.len() });
        }
        if self.schedulers.is_empty() { Err(ConfigError::NoScheduler) } else { Ok(()) }
    }

    /// The configuration of one run: where each run draws its own rates, half of the faults are
    /// left out, and the others occur less often than they might.
    ///
    /// After Groce et al., "Swarm testing" (2012): runs that leave faults out find what runs with
    /// all of them hide.
    pub fn drawn(&self, random: &mut Random) -> Self {
        let mut drawn = self.clone();
        if !self.swarm {
            return drawn;
        }
        let rates = [
            &mut drawn.loss,
            &mut drawn.duplication,
            &mut drawn.replay,
            &mut drawn.corruption,
            &mut drawn.reordering,
            &mut drawn.sync_failure,
            &mut drawn.torn_write,
            &mut drawn.misread,
            &mut drawn.interruption,
        ];
        for rate in rates {
            *rate *= if random.chance(0.5) { random.fraction() } else { 0.0 };
        }
        let every = [
            &mut drawn.crash_every,
            &mut drawn.group_crash_every,
            &mut drawn.pause_every,
            &mut drawn.partition_every,
            &mut drawn.jump_every,
        ];
        for span in every {
            // How long the interesting part of a run is, nobody knows: it may be any power of two.
            let shorter = random.below(10);
            let scaled = span.map(|span| Span::from_us(((span.us * 4) >> shorter).max(1)));
            *span = scaled.filter(|_| random.chance(0.5));
        }
        drawn.bursts = drawn.bursts.filter(|_| random.chance(0.5));
        if random.chance(0.5) {
            drawn.drift_ppm = 0;
        }
        // What is slow beside what makes as much of a difference as what fails.
        let delays = [&mut drawn.latency, &mut drawn.sync, &mut drawn.choice, &mut drawn.think];
        for delay in delays {
            *delay = delay.times([1, 1, 4, 16][random.below(4)]);
        }
        drawn
    }
}
