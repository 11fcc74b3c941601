use std::time::{Duration, Instant};

/// What stands for times that the clock cannot tell any more.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The wall clock some time from now.
pub(crate) fn after(delay: Duration) -> Instant {
    now() + delay.min(FAR)
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "a hosted node lives by the wall clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits; never on the thread that steps.
#[expect(clippy::disallowed_methods, reason = "a peer that cannot be reached is tried again later")]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
