//! How much memory and how many threads TLC is given, by what it has to do.

use std::thread;

use cadre_process::free_memory;

/// What a run of TLC is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// The length of the generated module.
    pub(crate) text_bytes: usize,
    /// How many states or steps it is about.
    pub(crate) states: usize,
}

/// The heap to begin with. TLC itself runs in 64 MB; how large the states of a specification are is
/// not known beforehand, and Java takes no more of it than it needs.
const BASE_MB: u64 = 384;
/// What the parser takes for each byte of a module: 13 MB of it need more than 1 GB.
const HEAP_BYTES_PER_TEXT_BYTE: u64 = 100;
/// What TLC takes for each state. Measured with traces of two-phase commit: 250 000 states need
/// 27 s of processor time with 128 MB and 25 s with 512 MB, and do not end in two minutes with
/// 64 MB; 500 000 need 67 s with 128 MB, 53 s with 256 MB and 51 s with 512 MB.
const HEAP_BYTES_PER_STATE: u64 = 500;
/// The least heap that is of any use.
const LEAST_MB: u64 = 128;
/// Up to how many states a second thread gains nothing: 2 500 states are a run of 1.4 s of
/// processor time with one thread and with two, most of it the start of Java and the parser.
const ONE_WORKER_STATES_MAX: usize = 5_000;
/// How many threads at most: the states are few beside those that TLC is made for.
const WORKERS_MAX: usize = 8;

impl Work {
    /// The heap of Java in megabytes: what the work needs, but no more than three quarters of what
    /// is free.
    pub(crate) fn heap_mb(self) -> u32 {
        self.heap_mb_of(free_memory())
    }

    fn heap_mb_of(self, free: Option<u64>) -> u32 {
        let needed = BASE_MB
            + (self.text_bytes as u64 * HEAP_BYTES_PER_TEXT_BYTE
                + self.states as u64 * HEAP_BYTES_PER_STATE)
                / MB;
        let most = free.map_or(u64::MAX, |free| free / 4 * 3 / MB);
        u32::try_from(needed.min(most).max(LEAST_MB)).unwrap_or(u32::MAX)
    }

    /// How many threads TLC searches with.
    pub(crate) fn workers(self) -> u32 {
        self.workers_of(thread::available_parallelism().map_or(1, usize::from))
    }

    fn workers_of(self, cores: usize) -> u32 {
        match self.states <= ONE_WORKER_STATES_MAX {
            true => 1,
            false => cores.clamp(1, WORKERS_MAX) as u32,
        }
    }
}

const MB: u64 = 1 << 20;

/// The heap in megabytes for work of which nobody knows how much it is: half of what is free.
pub(crate) fn heap_mb_of_unknown() -> u32 {
    let free = free_memory().map_or(u64::from(UNKNOWN_MB) * 2, |free| free / MB);
    u32::try_from(free / 2).unwrap_or(u32::MAX).clamp(LEAST_MB as u32, UNKNOWN_MAX_MB)
}

/// That heap where the system does not say what is free.
const UNKNOWN_MB: u32 = 2048;
/// More of it is taken only on request: other programs may want to begin, too.
const UNKNOWN_MAX_MB: u32 = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Work = Work { text_bytes: 15_000, states: 2_500 };
    const MANY: Work = Work { text_bytes: 1_090_000, states: 500_000 };

    #[test]
    fn the_heap_grows_with_the_work_and_ends_at_what_is_free() {
        let gigabytes = |count: u64| Some(count << 30);
        assert_eq!(FEW.heap_mb_of(gigabytes(8)), 386);
        assert_eq!(MANY.heap_mb_of(gigabytes(8)), 726);
        assert_eq!(MANY.heap_mb_of(None), 726);
        assert_eq!(MANY.heap_mb_of(Some(800 << 20)), 600);
        assert_eq!(MANY.heap_mb_of(Some(1 << 20)), 128);
    }

    #[test]
    fn only_much_work_is_divided_among_the_cores() {
        assert_eq!([1, 2, 64].map(|cores| FEW.workers_of(cores)), [1, 1, 1]);
        assert_eq!([1, 2, 64].map(|cores| MANY.workers_of(cores)), [1, 2, 8]);
    }
}
