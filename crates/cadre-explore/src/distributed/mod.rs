//! One search, spread over several processes on timely dataflow.

mod error;
mod exchange;
mod levels;
mod outgoing;
mod report;
mod search;
mod trail;
mod visited;
mod wire;

use std::fmt;
use std::time::Instant;

use cadre_model::Portable;
use timely::communication::allocator::zero_copy::stream::Stream;

pub use self::error::ShareError;
pub use self::levels::Levels;
/// What processes are connected by: a TCP stream, or any other stream of bytes.
pub use timely::communication::allocator::zero_copy::stream::Stream as Connection;

use self::search::Search;
use crate::exploration::{Exploration, Flow, Progress};
use crate::liveness;
use crate::settings::Settings;

/// The part of one process in a search that several processes share.
pub struct Share<'a, S> {
    /// The number of this process.
    pub process: usize,
    /// For each process the connection to it; `None` at the position of this one.
    pub connections: Vec<Option<S>>,
    /// What is searched, in words: processes that do not agree on it do not begin.
    pub subject: String,
    /// Whether finished levels are kept, so that a search that broke off can go on.
    pub keep: Keep<'a>,
    /// Now: without a time to count from, timely dataflow never sleeps while it waits for others.
    pub now: Instant,
}

/// Whether finished levels are kept.
pub enum Keep<'a> {
    /// They are not.
    Nothing,
    /// They are, from the first on.
    Levels(&'a mut dyn Levels),
    /// They are; and the search goes on after the last level that all processes have finished.
    Resume(&'a mut dyn Levels),
}

/// Searches every configuration, as [`explore`](crate::explore) does, together with other processes
/// that call this with the same model and settings; they all get the same result.
///
/// Each configuration has an owner, chosen by its fingerprint: the owner keeps it, judges it and
/// looks at what follows, and sends that to the owners of what follows, in large batches. A level
/// begins when all processes have finished the one before. What is asleep travels along.
///
/// The counts of a search that sees everything, its verdicts and the lengths of its paths are those
/// of one process. Other than there, levels are never cut short: a search that ends at a violation
/// or at a bound has looked at the whole of its last level. Of the shortest counterexamples the one
/// whose last configuration has the smallest fingerprint is shown, whichever process found it.
/// `watch` may end the search at any time by a process; it gets what this process knows.
/// Guarantees that only endless executions violate are judged where there is one process alone.
///
/// # Examples
///
/// Two processes, played by two threads:
///
/// ```
/// use std::os::unix::net::UnixStream;
///
/// use cadre_explore::{Flow, Keep, Settings, Share, explore_shared};
/// use cadre_model::{Model, check};
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u32;
///     type Action = u32;
///
///     fn init(&self) -> Vec<u32> {
///         vec![0]
///     }
///
///     fn actions(&self, _: &u32, out: &mut Vec<u32>) {
///         out.extend([1, 2]);
///     }
///
///     fn next(&self, state: &u32, add: &u32) -> Option<u32> {
///         Some((state + add) % 10)
///     }
/// }
///
/// let (one, two) = UnixStream::pair()?;
/// let run = |process, connections| {
///     let counter = check(Counter).always("never seven", |state| *state != 7);
///     let subject = "the counter".to_owned();
///     let now = std::time::Instant::now();
///     let share = Share { process, connections, subject, keep: Keep::Nothing, now };
///     explore_shared(&counter, &Settings::default(), share, &mut |_| Flow::Continue).unwrap()
/// };
/// let found = std::thread::scope(|scope| {
///     let other = scope.spawn(|| run(1, vec![Some(two), None]));
///     [run(0, vec![None, Some(one)]), other.join().unwrap()]
/// });
/// assert_eq!(found[0], found[1]);
/// assert_eq!(found[0].violation().unwrap().1.path.as_ref().unwrap().len(), 4);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Where another process is lost or searches something else, and where levels cannot be kept.
///
/// # Panics
///
/// Where there is a connection at the position of this process, or none at that of another.
pub fn explore_shared<M: Portable, S: Stream + 'static>(
    model: &M,
    settings: &Settings,
    share: Share<'_, S>,
    watch: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<Exploration<M::Action>, ShareError> {
    let Share { process, connections, subject, keep, now } = share;
    let connected = connections.iter().map(Option::is_some);
    let all_but_one = (0..connections.len()).map(|at| at != process);
    assert!(connected.eq(all_but_one), "a process is connected to all others and not to itself");
    let by = match connections.len() {
        1 => "one process".to_owned(),
        processes => format!("{processes} processes"),
    };
    let identity = format!("{subject}, {}, {by}", told(settings));
    let is_alone = connections.len() == 1;
    let found = exchange::run(process, connections, now, |exchange| {
        Search::new(model, settings, identity, exchange).run(exchange, keep, watch)
    })?;
    Ok(match is_alone {
        true => liveness::judge(model, &settings.bounds, watch, found),
        false => found,
    })
}

/// What of the settings all processes must agree on; each may have memory of its own.
fn told(settings: &Settings) -> String {
    let crate::Bounds { depth_max, configurations_max, memory_max: _ } = &settings.bounds;
    let mut told = "no bounds".to_owned();
    let bounds = [(depth_max, "levels"), (configurations_max, "configurations")];
    for (bound, what) in bounds {
        if let Some(bound) = bound {
            told = match told.as_str() {
                "no bounds" => format!("at most {bound} {what}"),
                _ => format!("{told} and {bound} {what}"),
            };
        }
    }
    if !settings.reductions.dominance {
        told += ", without dominance";
    }
    told
}

impl<S> fmt::Debug for Share<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("process", &self.process)
            .field("processes", &self.connections.len())
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Keep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Levels(_) => "Levels",
            Self::Resume(_) => "Resume",
        })
    }
}
