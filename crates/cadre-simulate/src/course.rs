use crate::tally::Tally;

/// What was counted in each of equal stretches of the time with faults, in one run or in several
/// together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// How long a stretch is, in microseconds.
    pub stretch_us: u64,
    /// The stretches, in order; those that no run has come to are left out.
    pub stretches: Vec<Stretch>,
}

/// What was counted in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// How much virtual time the runs spent in it, in microseconds.
    pub time_us: u64,
    /// Requests that clients wanted to make.
    pub asked: u64,
    /// Requests that were answered in time.
    pub in_time: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were lost.
    pub lost: u64,
}

/// How many stretches a run has.
const STRETCHES: u64 = 60;

impl Course {
    /// Of a run that has so much time.
    pub(crate) fn new(time_us: u64) -> Self {
        Self { stretch_us: time_us.div_ceil(STRETCHES).max(1), stretches: Vec::new() }
    }

    /// When the next stretch is over; never once all are.
    #[inline]
    pub(crate) fn next_us(&self) -> u64 {
        match self.stretches.len() as u64 {
            done if done < STRETCHES => (done + 1).saturating_mul(self.stretch_us),
            _ => u64::MAX,
        }
    }

    /// Ends all stretches that are over by now, given what has been counted since the beginning.
    pub(crate) fn pass(&mut self, now_us: u64, tally: &Tally) {
        while self.next_us() <= now_us {
            self.end(self.stretch_us, tally);
        }
    }

    /// Ends the stretch that the run has ended in.
    pub(crate) fn finish(&mut self, now_us: u64, tally: &Tally) {
        let begin_us = self.stretches.len() as u64 * self.stretch_us;
        if self.next_us() < u64::MAX && now_us > begin_us {
            self.end(now_us - begin_us, tally);
        }
    }

    fn end(&mut self, time_us: u64, tally: &Tally) {
        let before = |count: fn(&Stretch) -> u64| self.stretches.iter().map(count).sum::<u64>();
        self.stretches.push(Stretch {
            time_us,
            asked: tally.asked - before(|stretch| stretch.asked),
            in_time: tally.in_time - before(|stretch| stretch.in_time),
            sent: tally.sent - before(|stretch| stretch.sent),
            lost: tally.lost - before(|stretch| stretch.lost),
        });
    }

    /// Adds the course of another run of the same length.
    pub(crate) fn add(&mut self, other: &Self) {
        self.stretch_us = self.stretch_us.max(other.stretch_us);
        let length = self.stretches.len().max(other.stretches.len());
        self.stretches.resize(length, Stretch::default());
        for (one, more) in self.stretches.iter_mut().zip(&other.stretches) {
            one.time_us += more.time_us;
            one.asked += more.asked;
            one.in_time += more.in_time;
            one.sent += more.sent;
            one.lost += more.lost;
        }
    }
}

impl Stretch {
    /// So many in a second of virtual time; `None` where no run has been.
    pub fn each_second(&self, count: u64) -> Option<f64> {
        (self.time_us > 0).then(|| count as f64 * 1e6 / self.time_us as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_count_what_happened_in_them_and_add_up_to_the_whole() {
        let mut course = Course::new(600);
        let mut tally = Tally { sent: 3, lost: 1, ..Tally::default() };
        course.pass(5, &tally);
        assert_eq!(course.stretches, []);
        course.pass(25, &tally);
        tally.sent = 10;
        course.finish(27, &tally);
        let sent: Vec<_> = course.stretches.iter().map(|s| (s.time_us, s.sent, s.lost)).collect();
        assert_eq!(sent, [(10, 3, 1), (10, 0, 0), (7, 7, 0)]);
    }

    #[test]
    fn what_comes_after_the_time_with_faults_is_in_no_stretch() {
        let mut course = Course::new(60);
        course.pass(1_000, &Tally { asked: 4, ..Tally::default() });
        course.finish(2_000, &Tally { asked: 9, ..Tally::default() });
        assert_eq!(course.stretches.len(), 60);
        assert_eq!(course.stretches.iter().map(|stretch| stretch.asked).sum::<u64>(), 4);
    }

    #[test]
    fn courses_of_runs_add_up_where_both_have_been() {
        let mut course = Course::new(600);
        let mut other = course.clone();
        course.pass(20, &Tally { sent: 5, ..Tally::default() });
        other.finish(5, &Tally { sent: 2, ..Tally::default() });
        course.add(&other);
        let sent: Vec<_> = course.stretches.iter().map(|s| s.each_second(s.sent)).collect();
        assert_eq!(sent, [Some(7e6 / 15.0), Some(0.0)]);
        assert_eq!(Stretch::default().each_second(1), None);
    }
}
