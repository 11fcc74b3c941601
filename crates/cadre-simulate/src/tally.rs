use std::collections::BTreeMap;
use std::fmt::Debug;
use std::mem::{Discriminant, discriminant};

use crate::course::Course;

/// What was counted and measured in one run, or in several together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Virtual time, in microseconds.
    pub time_us: u64,
    /// Events that happened.
    pub events: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Messages that were lost, whatever lost them.
    pub lost: u64,
    /// The same by what the messages are.
    pub kinds: BTreeMap<String, MessageCount>,
    /// Faults that were carried out, losses aside, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests that clients wanted to make.
    pub asked: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were answered in time.
    pub in_time: u64,
    /// How long the answers took.
    pub latencies: Latencies,
    /// How some of it went over time.
    pub course: Course,
}

/// How many messages of a kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCount {
    /// That were sent.
    pub sent: u64,
    /// That arrived.
    pub delivered: u64,
}

/// How long answers took, each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// In microseconds, sorted once they are asked for.
    us: Vec<u64>,
}

impl Tally {
    /// Adds what another run counted.
    pub fn add(&mut self, other: &Self) {
        self.time_us += other.time_us;
        self.events += other.events;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.lost += other.lost;
        for (kind, count) in &other.kinds {
            let known = self.kinds.entry(kind.clone()).or_default();
            known.sent += count.sent;
            known.delivered += count.delivered;
        }
        for (fault, count) in &other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.asked += other.asked;
        self.answered += other.answered;
        self.in_time += other.in_time;
        self.course.add(&other.course);
        self.latencies.us.extend(&other.latencies.us);
        self.latencies.us.sort_unstable();
    }

    /// The share of requests that were answered in time; `None` where nobody asked.
    pub fn availability(&self) -> Option<f64> {
        (self.asked > 0).then(|| self.in_time as f64 / self.asked as f64)
    }

    /// Answers in time for each second.
    pub fn goodput(&self) -> f64 {
        if self.time_us == 0 { 0.0 } else { self.in_time as f64 * 1e6 / self.time_us as f64 }
    }
}

impl Latencies {
    pub(crate) fn push(&mut self, us: u64) {
        self.us.push(us);
    }

    pub(crate) fn sort(&mut self) {
        self.us.sort_unstable();
    }

    /// All of them, the shortest first.
    pub fn sorted_us(&self) -> &[u64] {
        &self.us
    }

    /// The latency that this share of the answers did not exceed, by the nearest rank; `None` where
    /// there were no answers.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let rank = (share * self.us.len() as f64).ceil().max(1.0) as usize;
        self.us.get(rank.min(self.us.len()).checked_sub(1)?).copied()
    }
}

/// Counts messages by the variant of their type, without looking at their text each time.
#[derive(Clone, Debug)]
pub(crate) struct Kinds<M> {
    known: Vec<(Discriminant<M>, MessageCount)>,
    names: Vec<String>,
}

impl<M: Debug> Kinds<M> {
    pub(crate) fn new() -> Self {
        Self { known: Vec::new(), names: Vec::new() }
    }

    #[inline]
    pub(crate) fn of(&mut self, message: &M) -> &mut MessageCount {
        let wanted = discriminant(message);
        let at = self.known.iter().position(|(kind, _)| *kind == wanted);
        let at = at.unwrap_or_else(|| self.add(message));
        &mut self.known[at].1
    }

    #[cold]
    fn add(&mut self, message: &M) -> usize {
        self.known.push((discriminant(message), MessageCount::default()));
        self.names.push(name_of(message));
        self.known.len() - 1
    }

    pub(crate) fn into_counts(self) -> BTreeMap<String, MessageCount> {
        self.names.into_iter().zip(self.known).map(|(name, (_, count))| (name, count)).collect()
    }
}

/// The variant's name, or `message` for what is no enum.
fn name_of(message: &impl Debug) -> String {
    let text = format!("{message:?}");
    let end = text.find(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    let name = &text[..end.unwrap_or(text.len())];
    let is_name = name.starts_with(|first: char| first.is_uppercase());
    if is_name { name.to_owned() } else { "message".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_least_number_that_so_many_do_not_exceed() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(0.5), None);
        (1..=100).rev().for_each(|us| latencies.push(us));
        latencies.sort();
        let found = [0.0, 0.01, 0.5, 0.9, 0.99, 1.0].map(|share| latencies.percentile(share));
        assert_eq!(found, [1, 1, 50, 90, 99, 100].map(Some));
    }

    #[test]
    fn the_counts_of_runs_add_up() {
        let mut tally = Tally { time_us: 2_000_000, asked: 4, in_time: 3, ..Tally::default() };
        tally.latencies.push(7);
        let other = Tally { time_us: 1_000_000, asked: 2, in_time: 0, ..tally.clone() };
        tally.add(&other);
        assert_eq!((tally.availability(), tally.goodput()), (Some(0.5), 1.0));
        assert_eq!(tally.latencies.sorted_us(), [7, 7]);
        assert_eq!(Tally::default().availability(), None);
    }

    #[test]
    fn messages_are_counted_by_their_variant() {
        let mut kinds = Kinds::new();
        for message in [Some(1), None, Some(2)] {
            kinds.of(&message).sent += 1;
        }
        let counts = kinds.into_counts();
        assert_eq!((counts["Some"].sent, counts["None"].sent), (2, 1));
        let mut numbers = Kinds::new();
        [1, 2].iter().for_each(|number| numbers.of(number).sent += 1);
        assert_eq!(numbers.into_counts()["message"].sent, 2);
    }
}
