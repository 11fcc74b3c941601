use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, shared by whoever may make it and whoever must heed it.
///
/// Clones are the same request. It cannot be taken back.
///
/// # Examples
///
/// ```
/// let stop = cadre_process::Stop::new();
/// let shared = stop.clone();
/// assert!(!stop.requested());
/// shared.request();
/// assert!(stop.requested());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A request that nobody has made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the request; all clones see it.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the request has been made.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
