use std::time::{Duration, Instant};

/// What stands for times that the clock cannot tell any more.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A point in time by which something must have happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self(now() + limit.min(FAR))
    }

    /// How long it is until then; zero once it has passed.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    pub(crate) fn has_passed(self) -> bool {
        self.left().is_zero()
    }
}

#[expect(clippy::disallowed_methods, reason = "a time limit on a process is measured by a clock")]
fn now() -> Instant {
    Instant::now()
}
