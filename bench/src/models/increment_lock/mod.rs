//! Threads that each take a lock, read a shared counter, write it back with one more and release
//! the lock: a plain model, without messages.

mod ours;
mod stateright;

pub(crate) use ours::IncrementLock;
pub(crate) use stateright::IncrementLock as IncrementLockOfStateright;

/// How many states can be reached: each order in which some of the threads have come through,
/// and in it the four states that the last of them passes.
pub(crate) fn distinct(threads: u32) -> u64 {
    let mut orders = 1_u64;
    let mut distinct = 1;
    for come in 0..u64::from(threads) {
        orders *= u64::from(threads) - come;
        distinct += 4 * orders;
    }
    distinct
}
