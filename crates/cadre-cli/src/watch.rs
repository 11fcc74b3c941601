use std::time::{Duration, Instant};

use cadre::explore::{Flow, Progress};
use cadre::process::Stop;

use crate::output;

/// Watches a long search: says how far it is every ten seconds, and ends it when time is up.
pub(crate) struct Watch {
    clock: Clock,
    said: Duration,
    limit: Option<Duration>,
    stop: Stop,
}

const INTERVAL: Duration = Duration::from_secs(10);

impl Watch {
    pub(crate) fn new(limit: Option<Duration>, stop: &Stop) -> Self {
        Self { clock: Clock::start(), said: Duration::ZERO, limit, stop: stop.clone() }
    }

    pub(crate) fn look(&mut self, progress: &Progress) -> Flow {
        let elapsed = self.clock.elapsed();
        if elapsed >= self.said + INTERVAL {
            self.said = elapsed;
            output::note(&format!(
                "{:>9.0} s  {} configurations, depth {}, {} waiting, {}/s",
                elapsed.as_secs_f64(),
                grouped(progress.configurations),
                progress.depth,
                grouped(progress.queue),
                rate(progress.configurations, elapsed),
            ));
        }
        let is_over = self.limit.is_some_and(|limit| elapsed >= limit);
        if is_over || self.stop.requested() { Flow::Stop } else { Flow::Continue }
    }
}

/// The wall clock of the command: how long things took, for people to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the command tells people how long things took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// When it was started.
    pub(crate) fn started(self) -> Instant {
        self.0
    }
}

/// A count with its thousands apart.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count per second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> String {
    let per_second = count as f64 / elapsed.as_secs_f64().max(1e-6);
    match per_second {
        fast if fast >= 1e6 => format!("{:.1} M", fast / 1e6),
        fast if fast >= 1e3 => format!("{:.0} k", fast / 1e3),
        slow => format!("{slow:.0}"),
    }
}

/// A count of things, in the singular where it is one.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_745_408].map(grouped),
            ["0", "999", "1 000", "1 745 408"].map(str::to_owned)
        );
    }

    #[test]
    fn one_thing_is_in_the_singular() {
        assert_eq!(count(1, "step", "steps"), "1 step");
        assert_eq!(count(1_200, "step", "steps"), "1 200 steps");
    }
}
