use std::time::{Duration, Instant};

/// How often a wait looks again.
const NAP: Duration = Duration::from_millis(5);

/// A wait with a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    begun: Instant,
    limit: Duration,
}

impl Wait {
    pub(crate) fn begin(limit: Duration) -> Self {
        Self { begun: now(), limit }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now().duration_since(self.begun)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.elapsed() >= self.limit
    }

    /// Sleeps until it is worth looking again, but not past the limit.
    #[expect(clippy::disallowed_methods, reason = "waiting for a child is what this crate is for")]
    pub(crate) fn nap(&self) {
        std::thread::sleep(NAP.min(self.limit.saturating_sub(self.elapsed())));
    }
}

#[expect(clippy::disallowed_methods, reason = "a time limit on a child is measured by a clock")]
fn now() -> Instant {
    Instant::now()
}
