use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::run::LOG;

/// How far a run is that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of states of the longest of the shortest paths so far.
    pub depth: u64,
    /// How many states were generated.
    pub generated: u64,
    /// How many of them are distinct.
    pub distinct: u64,
    /// How many states wait for their successors to be found.
    pub queue: u64,
}

/// What TLC has said last in the run of this directory of how far it is, which it does after three
/// seconds and then once a minute; nothing, if it has said nothing yet.
pub fn progress(directory: &Path) -> Option<Progress> {
    let mut file = File::open(directory.join(LOG)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    last(&String::from_utf8_lossy(&tail))
}

/// So much of the log's end holds what was said last.
const TAIL_BYTES: u64 = 64 * 1024;

fn last(text: &str) -> Option<Progress> {
    text.lines().rev().find_map(parse)
}

/// Reads `Progress(7) at 12:00:00: 1,146 states generated (9 s/min), 288 distinct states found, 0
/// states left on queue.`
fn parse(line: &str) -> Option<Progress> {
    let (depth, rest) = line.strip_prefix("Progress(")?.split_once(')')?;
    let before = |mark: &str| {
        let number = rest.split_once(mark)?.0.rsplit(' ').next()?;
        number.replace(',', "").parse().ok()
    };
    Some(Progress {
        depth: depth.parse().ok()?,
        generated: before(" states generated")?,
        distinct: before(" distinct states found")?,
        queue: before(" states left on queue")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_progress_counts_with_or_without_a_pace() {
        let text = "Progress(3) at 2026-01-01 10:00:00: 5 states generated, 4 distinct states \
                    found, 1 states left on queue.\nmore\n\
                    Progress(11) at 2026-01-01 10:01:00: 100,969 states generated (7 s/min), \
                    25,374 distinct states found (2 ds/min), 1,000 states left on queue.\nmore\n";
        let found = Progress { depth: 11, generated: 100_969, distinct: 25_374, queue: 1_000 };
        assert_eq!(last(text), Some(found));
        assert_eq!(last("nothing\n"), None);
    }
}
