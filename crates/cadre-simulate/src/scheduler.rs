use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::span::Span;

/// What decides the order of events; written `timed`, `priorities:3` or `delay-bounded:4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scheduler {
    /// Time alone.
    Timed,
    /// Each link and each node has a random priority, and what has the highest goes first, whatever
    /// its latency; so many times in a run the one that goes first becomes the last. Timers wait
    /// for their time, and messages of a lower priority wait for them.
    ///
    /// After Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding
    /// bugs" (2010), with chains of messages for threads as in Ozkan et al., "Randomized testing of
    /// distributed systems with probabilistic guarantees" (2018).
    Priorities {
        /// How many times.
        changes: u32,
    },
    /// Every latency is the typical one, so that the order is regular; so many times in a run an
    /// event is put off behind all that wait.
    ///
    /// After Emmi, Qadeer and Rakamarić, "Delay-bounded scheduling" (2011).
    DelayBounded {
        /// How many times.
        delays: u32,
    },
}

/// The events to come.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    timed: BinaryHeap<Reverse<Entry<E>>>,
    /// What goes by priority, in the order of time.
    ranked: Vec<Entry<E>>,
    scheduler: Scheduler,
    /// The priority of each chain; the highest goes first.
    ranks: Vec<i64>,
    /// At how many events the order is interfered with, the next one last.
    moments: Vec<u64>,
    taken: u64,
    lowest: i64,
    numbered: u64,
    /// When the last of the events that no timer waits for is due.
    latest_us: u64,
}

/// An event with its time.
#[derive(Debug)]
pub(crate) struct Entry<E> {
    pub(crate) at_us: u64,
    number: u64,
    pub(crate) chain: Chain,
    pub(crate) event: E,
}

/// What an event is ordered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    /// Time alone says when it happens.
    Time,
    /// It waits for its time, but others may wait for it: a timer of this chain.
    Timer(usize),
    /// It may happen earlier or later, but after what is before it in this chain.
    Free(usize),
}

/// How long an event by priority takes, so that time goes on.
const QUANTUM_US: u64 = 50;

impl<E> Queue<E> {
    pub(crate) fn new(scheduler: Scheduler, chains: usize, random: &mut Random) -> Self {
        let mut ranks: Vec<i64> = (0..).take(chains).collect();
        random.shuffle(&mut ranks);
        let interferences = match scheduler {
            Scheduler::Timed => 0,
            Scheduler::Priorities { changes } => changes,
            Scheduler::DelayBounded { delays } => delays,
        };
        // How long the interesting part of a run is, nobody knows: any power of two may be right.
        let events_max = 1_usize << (3 + random.below(10));
        let mut moments: Vec<u64> =
            (0..interferences).map(|_| random.below(events_max) as u64).collect();
        moments.sort_unstable_by_key(|moment| Reverse(*moment));
        Self {
            timed: BinaryHeap::new(),
            ranked: Vec::new(),
            scheduler,
            ranks,
            moments,
            taken: 0,
            lowest: -1,
            numbered: 0,
            latest_us: 0,
        }
    }

    pub(crate) fn push(&mut self, at_us: u64, chain: Chain, event: E) {
        self.numbered += 1;
        let entry = Entry { at_us, number: self.numbered, chain, event };
        match (chain, self.scheduler) {
            (Chain::Free(_), Scheduler::Priorities { .. }) => self.ranked.push(entry),
            (Chain::Free(_), Scheduler::DelayBounded { .. }) => {
                self.latest_us = self.latest_us.max(at_us);
                self.timed.push(Reverse(entry));
            }
            (Chain::Time | Chain::Timer(_), _) | (Chain::Free(_), Scheduler::Timed) => {
                self.timed.push(Reverse(entry));
            }
        }
    }

    /// Takes the next event; its time is not before `now_us`.
    pub(crate) fn pop(&mut self, now_us: u64) -> Option<Entry<E>> {
        let best = self.best_ranked();
        if let Some((at, rank)) = best
            && !self.timed.peek().is_some_and(|Reverse(first)| {
                let is_first = matches!(first.chain, Chain::Timer(own) if self.ranks[own] > rank);
                is_first || first.at_us <= now_us + QUANTUM_US
            })
        {
            return Some(self.pop_ranked(at, now_us));
        }
        loop {
            let Reverse(mut entry) = self.timed.pop()?;
            if let Chain::Free(_) = entry.chain
                && let Scheduler::DelayBounded { .. } = self.scheduler
                && self.is_moment()
            {
                entry.at_us = self.latest_us.max(entry.at_us) + 1;
                self.push(entry.at_us, entry.chain, entry.event);
                continue;
            }
            entry.at_us = entry.at_us.max(now_us);
            return Some(entry);
        }
    }

    /// Whether events wait whatever their time is.
    pub(crate) fn has_ranked(&self) -> bool {
        !self.ranked.is_empty()
    }

    /// Goes by time alone from now on.
    pub(crate) fn make_fair(&mut self) {
        self.scheduler = Scheduler::Timed;
        self.timed.extend(self.ranked.drain(..).map(Reverse));
    }

    /// What goes first of the events by priority, and its priority.
    fn best_ranked(&self) -> Option<(usize, i64)> {
        let key = |entry: &Entry<E>| match entry.chain {
            Chain::Free(chain) | Chain::Timer(chain) => {
                (self.ranks[chain], Reverse(entry.at_us), Reverse(entry.number))
            }
            Chain::Time => (i64::MAX, Reverse(entry.at_us), Reverse(entry.number)),
        };
        let best = self.ranked.iter().enumerate().max_by_key(|(_, entry)| key(entry));
        best.map(|(at, entry)| (at, key(entry).0))
    }

    fn pop_ranked(&mut self, at: usize, now_us: u64) -> Entry<E> {
        let mut entry = self.ranked.swap_remove(at);
        if self.is_moment()
            && let Chain::Free(chain) = entry.chain
        {
            self.ranks[chain] = self.lowest;
            self.lowest -= 1;
        }
        entry.at_us = now_us + QUANTUM_US;
        entry
    }

    /// Whether the order is interfered with at this event.
    fn is_moment(&mut self) -> bool {
        self.taken += 1;
        let is_moment = self.moments.last().is_some_and(|moment| *moment < self.taken);
        if is_moment {
            self.moments.pop();
        }
        is_moment
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at_us, self.number) == (other.at_us, other.number)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_us, self.number).cmp(&(other.at_us, other.number))
    }
}

impl Scheduler {
    /// Whether latencies are drawn, and not the typical ones.
    #[inline]
    pub(crate) fn draws_latencies(self) -> bool {
        !matches!(self, Self::DelayBounded { .. })
    }
}

/// The smallest step of time that a scheduler takes.
pub(crate) const STEP: Span = Span::from_us(QUANTUM_US);

impl FromStr for Scheduler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected timed, priorities:3 or delay-bounded:4, found `{text}`");
        let (kind, count) = text.split_once(':').unwrap_or((text, "3"));
        let count = count.parse().map_err(|_| wrong())?;
        match kind {
            "timed" => Ok(Self::Timed),
            "priorities" => Ok(Self::Priorities { changes: count }),
            "delay-bounded" => Ok(Self::DelayBounded { delays: count }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timed => f.write_str("timed"),
            Self::Priorities { changes } => write!(f, "priorities:{changes}"),
            Self::DelayBounded { delays } => write!(f, "delay-bounded:{delays}"),
        }
    }
}

impl TryFrom<String> for Scheduler {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Scheduler> for String {
    fn from(scheduler: Scheduler) -> Self {
        scheduler.to_string()
    }
}
