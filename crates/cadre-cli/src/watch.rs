use std::time::{Duration, Instant};

use cadre::explore::{Bounds, Flow, Progress};
use cadre::process::Stop;

use crate::{memory, output};

/// Watches a long search: says how far it is, and ends it when time is up.
///
/// On a terminal one line is drawn again a few times a second; elsewhere, such as in the log of a
/// server, there is a line every ten seconds.
pub(crate) struct Watch {
    clock: Clock,
    limits: Limits,
    is_terminal: bool,
    is_drawn: bool,
    /// When something was last said, and what the search was like then.
    said: (Duration, Progress),
    stop: Stop,
}

/// How far a search goes, and how long it may take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) bounds: Bounds,
    pub(crate) time: Option<Duration>,
}

const INTERVAL: Duration = Duration::from_secs(10);
const INTERVAL_ON_A_TERMINAL: Duration = Duration::from_millis(250);
/// A longer estimate says nothing.
const ESTIMATE_MAX: Duration = Duration::from_secs(100 * 60 * 60);

impl Watch {
    pub(crate) fn new(limits: Limits, stop: &Stop) -> Self {
        Self {
            clock: Clock::start(),
            limits,
            is_terminal: output::are_notes_seen(),
            is_drawn: false,
            said: (Duration::ZERO, Progress::default()),
            stop: stop.clone(),
        }
    }

    pub(crate) fn look(&mut self, progress: &Progress) -> Flow {
        let elapsed = self.clock.elapsed();
        if let Some(remark) = self.remark(elapsed, progress) {
            match self.is_terminal {
                true => output::redraw(&remark),
                false => output::note(&remark),
            }
            self.is_drawn = self.is_terminal;
        }
        let is_over = self.limits.time.is_some_and(|limit| elapsed >= limit);
        if is_over || self.stop.requested() { Flow::Stop } else { Flow::Continue }
    }

    /// Takes away what was drawn, and says how long the search took.
    pub(crate) fn end(self) -> Duration {
        if self.is_drawn {
            output::redraw("");
        }
        self.clock.elapsed()
    }

    /// What there is to say at some time, if it is time to say something.
    fn remark(&mut self, elapsed: Duration, progress: &Progress) -> Option<String> {
        let interval = if self.is_terminal { INTERVAL_ON_A_TERMINAL } else { INTERVAL };
        let (said, before) = self.said;
        if elapsed < said + interval {
            return None;
        }
        let of = |most: Option<u64>| most.map_or(String::new(), |most| format!(" of {most}"));
        let estimate = self.limits.estimate((said, &before), (elapsed, progress));
        let estimate = estimate.map_or(String::new(), |(left, bound)| {
            format!(", about {} to {bound}", duration(left))
        });
        let spilled = match progress.spilled {
            0 => String::new(),
            spilled => format!(" and {} in files", memory::shown(spilled)),
        };
        self.said = (elapsed, *progress);
        Some(format!(
            "{:>6.0} s  {} configurations, {}/s, depth {}{}, {} waiting, {}{spilled}{estimate}",
            elapsed.as_secs_f64(),
            grouped(progress.configurations),
            rate(progress.configurations.saturating_sub(before.configurations), elapsed - said),
            progress.depth,
            of(self.limits.bounds.depth_max),
            grouped(progress.queue),
            memory::shown(progress.memory),
        ))
    }
}

impl Limits {
    /// When the nearest bound is reached if the search goes on as between two looks, and which.
    fn estimate(
        &self,
        (earlier, before): (Duration, &Progress),
        (now, progress): (Duration, &Progress),
    ) -> Option<(Duration, &'static str)> {
        let passed = (now - earlier).as_secs_f64();
        let left = |most: Option<u64>, then: u64, now: u64| {
            let pace = now.saturating_sub(then) as f64 / passed;
            Duration::try_from_secs_f64(most?.saturating_sub(now) as f64 / pace).ok()
        };
        let (then, bounds) = (before, &self.bounds);
        let configurations =
            left(bounds.configurations_max, then.configurations, progress.configurations);
        let memory = left(bounds.memory_max, then.memory, progress.memory);
        let time = self.time.map(|limit| limit.saturating_sub(now));
        let bounds = [
            (configurations, "the most configurations"),
            (memory, "the most memory"),
            (time, "the time limit"),
        ];
        bounds
            .into_iter()
            .filter_map(|(left, bound)| Some((left?, bound)))
            .min()
            .filter(|(left, _)| *left <= ESTIMATE_MAX)
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
pub(crate) fn grouped(count: impl ToString) -> String {
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

/// A time to come, roughly.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 120 * 60 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A count of things, in the singular where it is one.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(is_terminal: bool, limits: Limits) -> Watch {
        Watch { is_terminal, ..Watch::new(limits, &Stop::new()) }
    }

    fn progress(configurations: u64, memory: u64) -> Progress {
        Progress { configurations, depth: 7, queue: 1_000, memory, ..Progress::default() }
    }

    #[test]
    fn a_log_gets_a_line_every_ten_seconds_and_a_terminal_a_few_a_second() {
        for (is_terminal, said) in [(false, 5), (true, 200)] {
            let mut watch = watch(is_terminal, Limits::default());
            let times = (1..=1_000).map(|step| Duration::from_millis(50 * step));
            let lines = times.filter_map(|time| watch.remark(time, &progress(1, 1)));
            assert_eq!(lines.count(), said);
        }
    }

    #[test]
    fn a_line_of_progress_tells_the_pace_and_the_nearest_bound() {
        let bounds = Bounds {
            depth_max: Some(9),
            configurations_max: Some(4_000_000),
            memory_max: Some(8 << 30),
        };
        let mut watch = watch(false, Limits { bounds, time: Some(Duration::from_secs(3_600)) });
        let mut say = |seconds, configurations, memory| {
            watch.remark(Duration::from_secs(seconds), &progress(configurations, memory)).unwrap()
        };
        assert_eq!(
            say(10, 1_000_000, 1 << 30),
            "    10 s  1 000 000 configurations, 100 k/s, depth 7 of 9, 1 000 waiting, 1 G, \
             about 30 s to the most configurations"
        );
        assert_eq!(
            say(20, 1_001_000, 7 << 30),
            "    20 s  1 001 000 configurations, 100/s, depth 7 of 9, 1 000 waiting, 7 G, \
             about 1 s to the most memory"
        );
        assert_eq!(
            say(3_000, 1_001_000, 7 << 30),
            "  3000 s  1 001 000 configurations, 0/s, depth 7 of 9, 1 000 waiting, 7 G, \
             about 10 min to the time limit"
        );
    }

    #[test]
    fn without_a_bound_there_is_no_estimate() {
        let mut watch = watch(false, Limits::default());
        let line = watch.remark(Duration::from_secs(10), &progress(5, 2_048)).unwrap();
        assert!(line.ends_with("depth 7, 1 000 waiting, 2 K"), "{line}");
    }

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
