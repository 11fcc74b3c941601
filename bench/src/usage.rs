use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What processes have used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Processor time, of the user and of the system.
    pub(crate) cpu_seconds: f64,
    /// The most memory that was resident; of several processes, that of the largest.
    pub(crate) peak_bytes: u64,
}

/// Whose usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of this process.
    Own,
    /// Of those that it has started and that have ended.
    Children,
}

impl Usage {
    /// Asks the operating system.
    ///
    /// # Errors
    ///
    /// Where it does not tell.
    #[cfg(unix)]
    pub(crate) fn of(whose: Whose) -> Result<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeValLike;

        let usage = getrusage(match whose {
            Whose::Own => UsageWho::RUSAGE_SELF,
            Whose::Children => UsageWho::RUSAGE_CHILDREN,
        })?;
        let microseconds =
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        // Only Apple counts in bytes, the others in kibibytes.
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        Ok(Self {
            cpu_seconds: microseconds as f64 / 1e6,
            peak_bytes: u64::try_from(usage.max_rss())? * unit,
        })
    }

    /// Nobody is asked.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(unix))]
    pub(crate) fn of(_: Whose) -> Result<Self> {
        anyhow::bail!("expected a Unix, which tells what a process has used")
    }
}
