use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cadre::tla::{Progress, progress};

use crate::output;
use crate::watch::{Clock, grouped};

/// Says how far TLC is while something runs it in a directory: on a terminal in a line that is
/// drawn again and again, elsewhere whenever TLC has said something new.
pub(crate) fn watched<T>(directory: &Path, work: impl FnOnce() -> T) -> T {
    let (working, ended) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut watch = SpecWatch::new();
            // What is sent is nothing: the channel closes when the work is done.
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                watch.look(progress(directory));
            }
            watch.end();
        });
        let done = work();
        drop(working);
        done
    })
}

const INTERVAL: Duration = Duration::from_millis(250);

/// In a log nothing is said of a run that ends soon.
const QUIET: Duration = Duration::from_secs(5);

struct SpecWatch {
    clock: Clock,
    is_terminal: bool,
    is_drawn: bool,
    said: Option<Progress>,
}

impl SpecWatch {
    fn new() -> Self {
        let is_terminal = output::are_notes_seen();
        Self { clock: Clock::start(), is_terminal, is_drawn: false, said: None }
    }

    fn look(&mut self, progress: Option<Progress>) {
        let Some(progress) = progress else { return };
        let elapsed = self.clock.elapsed();
        let remark = remark(elapsed, &progress);
        if self.is_terminal {
            output::redraw(&remark);
            self.is_drawn = true;
        } else if self.said != Some(progress) && elapsed >= QUIET && progress.queue > 0 {
            output::note(&remark);
        }
        self.said = Some(progress);
    }

    fn end(self) {
        if self.is_drawn {
            output::redraw("");
        }
    }
}

fn remark(elapsed: Duration, progress: &Progress) -> String {
    format!(
        "{:>6.0} s  {} distinct states, {} generated, depth {}, {} waiting, as TLC said last",
        elapsed.as_secs_f64(),
        grouped(progress.distinct),
        grouped(progress.generated),
        progress.depth,
        grouped(progress.queue),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_says_what_tlc_said_and_how_much_time_has_passed() {
        let progress = Progress { depth: 7, generated: 1_200, distinct: 300, queue: 45 };
        let text = remark(Duration::from_secs(61), &progress);
        assert_eq!(
            text,
            "    61 s  300 distinct states, 1 200 generated, depth 7, 45 waiting, as TLC said last"
        );
    }
}
