//! Faults of disks.

use cadre_model::{Budget, Faults, Guarantee, Unsynced, View};
use cadre_step::{Disk, Event, SyncError};

use crate::nodes::knows_what_it_sent;
use crate::toy::{A, B, IDLE, Row, Toy, Word, disk_of, everything, recall, remember, send, words};

pub(crate) fn rows() -> Vec<Row> {
    let writes = vec![lost(), prefix(), subset(), torn(), sync_error(), full_disk()];
    writes.into_iter().chain([corrupt_read(), misdirected_read()]).collect()
}

/// Node `a` does something once for each time it has started with nothing.
const ACTS_ONCE: Toy = Toy {
    choices: |node, state| match node == A && state.is_empty() {
        true => vec![Word::Go],
        false => Vec::new(),
    },
    ..IDLE
};

/// A write is taken to last before it is synced.
fn lost() -> Row {
    const WRITES: Toy = Toy {
        start: |node, disk, _| match node == A && !disk.is_empty() {
            true => vec![Word::Go],
            false => recall(disk),
        },
        step: |_, state, event, out| match event {
            Event::Timeout(_) => {
                out.put("g", &true);
                state.push(Word::Go);
                send(out, B, Word::One);
            }
            Event::Deliver { message, .. } if !state.contains(&message) => {
                remember(state, message, out);
            }
            _ => {}
        },
        ..ACTS_ONCE
    };
    Row {
        fault: "un-synced writes lost",
        setting: everything(),
        without: |setting| {
            setting.faults = Faults {
                crashes: Budget::None,
                crash_restarts: Budget::None,
                group_crashes: Budget::None,
                interruptions: Budget::None,
                torn_writes: Budget::None,
                ..setting.faults
            };
        },
        guarantee: knows_what_it_sent,
        buggy: WRITES,
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Timeout(_) => {
                    out.put_synced("g", &true);
                    state.push(Word::Go);
                    send(out, B, Word::One);
                }
                event => (WRITES.step)(node, state, event, out),
            },
            ..WRITES
        },
    }
}

/// Whether a key holds what was written there.
fn has(disk: &Disk, key: &str) -> bool {
    disk.get::<bool>(key) == Ok(Some(true))
}

/// Two writes before one sync; nothing is written again once something is on the disk.
const WRITES_BOTH: Toy = Toy {
    start: |_, disk, _| if disk.is_empty() { Vec::new() } else { vec![Word::Go] },
    step: |_, state, event, out| {
        if let Event::Timeout(_) = event {
            state.push(Word::Go);
            out.put("one", &true);
            out.put("two", &true);
            out.sync();
        }
    },
    ..ACTS_ONCE
};

/// Writes under one sync are taken for one.
fn prefix() -> Row {
    let mut setting = everything();
    setting.faults.unsynced = Unsynced::AnyPrefix;
    Row {
        fault: "a prefix of un-synced writes kept",
        setting,
        without: |setting| setting.faults.unsynced = Unsynced::Lost,
        guarantee: || {
            Guarantee::always("not the first alone", |view: &View<Toy>| {
                !has(disk_of(view, A), "one") || disk_of(view, A).range(..).count() == 2
            })
        },
        buggy: WRITES_BOTH,
        fixed: Toy {
            step: |_, state, event, out| {
                if let Event::Timeout(_) = event {
                    state.push(Word::Go);
                    out.put("both", &true);
                    out.sync();
                }
            },
            ..WRITES_BOTH
        },
    }
}

/// Writes are taken to reach the disk in their order.
fn subset() -> Row {
    let mut setting = everything();
    setting.faults.unsynced = Unsynced::AnySubset;
    Row {
        fault: "a subset of un-synced writes kept",
        setting,
        without: |setting| setting.faults.unsynced = Unsynced::AnyPrefix,
        guarantee: || {
            Guarantee::always("not the second alone", |view: &View<Toy>| {
                !has(disk_of(view, A), "two") || has(disk_of(view, A), "one")
            })
        },
        buggy: WRITES_BOTH,
        fixed: Toy {
            step: |_, state, event, out| match event {
                Event::Timeout(_) => {
                    state.push(Word::Go);
                    out.put("one", &true);
                    out.sync();
                }
                Event::SyncDone if !state.contains(&Word::Two) => {
                    state.push(Word::Two);
                    out.put("two", &true);
                    out.sync();
                }
                _ => {}
            },
            ..WRITES_BOTH
        },
    }
}

/// Node `a` takes what it cannot read for something, and writes without a sync.
const BELIEVES_ITS_DISK: Toy = Toy {
    start: |_, disk, _| match disk.get::<Word>("vote") {
        Ok(vote) => vote.into_iter().collect(),
        Err(_) => vec![Word::Broken],
    },
    step: |_, state, event, out| {
        if let Event::Timeout(_) = event {
            out.put("vote", &Word::Yes);
            state.push(Word::Yes);
        }
    },
    ..ACTS_ONCE
};

/// The same, but what it cannot read is nothing.
const DOUBTS_ITS_DISK: Toy = Toy {
    start: |_, disk, _| disk.get::<Word>("vote").ok().flatten().into_iter().collect(),
    ..BELIEVES_ITS_DISK
};

/// What is on the disk is taken to be whole. What is read wrongly is another fault.
fn torn() -> Row {
    Row {
        fault: "torn write",
        setting: everything(),
        without: |setting| setting.faults.torn_writes = Budget::None,
        guarantee: || {
            Guarantee::always("nothing broken is taken from the disk", |view: &View<Toy>| {
                let is_broken = disk_of(view, A).get::<Word>("vote").is_err();
                !(is_broken && words(view, A).contains(&Word::Broken))
            })
        },
        buggy: BELIEVES_ITS_DISK,
        fixed: DOUBTS_ITS_DISK,
    }
}

/// What is read is taken to be what is on the disk. What is broken there is another fault.
fn corrupt_read() -> Row {
    Row {
        fault: "corrupt read",
        setting: everything(),
        without: |setting| setting.faults.corrupt_reads = Budget::None,
        guarantee: || {
            Guarantee::always("nothing broken is read", |view: &View<Toy>| {
                let is_whole = disk_of(view, A).get::<Word>("vote").is_ok();
                !(is_whole && words(view, A).contains(&Word::Broken))
            })
        },
        buggy: Toy { step: SYNCS_ITS_VOTE, ..BELIEVES_ITS_DISK },
        fixed: Toy { step: SYNCS_ITS_VOTE, ..DOUBTS_ITS_DISK },
    }
}

const SYNCS_ITS_VOTE: fn(usize, &mut Vec<Word>, Event<Toy>, &mut cadre_step::Effects<Toy>) =
    |_, state, event, out| {
        if let Event::Timeout(_) = event {
            out.put_synced("vote", &Word::Yes);
            state.push(Word::Yes);
        }
    };

/// What is read under a key is taken to have been written there.
fn misdirected_read() -> Row {
    Row {
        fault: "misdirected read",
        setting: everything(),
        without: |setting| setting.faults.misdirected_reads = Budget::None,
        guarantee: || {
            Guarantee::always("a reads what it wrote", |view: &View<Toy>| {
                !words(view, A).contains(&Word::No)
            })
        },
        buggy: Toy {
            start: |_, disk, out| match disk.is_empty() {
                true => {
                    out.put_synced("one", &Word::Yes);
                    out.put_synced("two", &Word::No);
                    vec![Word::Yes]
                }
                false => disk.get::<Word>("one").ok().flatten().into_iter().collect(),
            },
            ..IDLE
        },
        fixed: Toy {
            start: |_, disk, out| match disk.is_empty() {
                true => {
                    out.put_synced("one", &("one", Word::Yes));
                    out.put_synced("two", &("two", Word::No));
                    vec![Word::Yes]
                }
                false => match disk.get::<(String, Word)>("one") {
                    Ok(Some((key, word))) if key == "one" => vec![word],
                    _ => Vec::new(),
                },
            },
            ..IDLE
        },
    }
}

/// The guarantee that what is said to be done is on the disk.
pub(crate) fn is_durable() -> Guarantee<View<Toy>> {
    Guarantee::always("what is done is on the disk", |view: &View<Toy>| {
        !words(view, A).contains(&Word::Done) || has(disk_of(view, A), "done")
    })
}

/// Writes, and says that it is done once the sync is.
pub(crate) const WAITS: Toy = Toy {
    start: |_, _, _| Vec::new(),
    step: |_, state, event, out| match event {
        Event::Timeout(_) => {
            state.push(Word::Go);
            out.put("done", &true);
            out.sync();
        }
        Event::SyncDone => state.push(Word::Done),
        Event::SyncFailed(error) => {
            if error == SyncError::Lost {
                out.put("done", &true);
            }
            out.sync();
        }
        Event::Deliver { .. } | Event::Request { .. } => {}
    },
    ..ACTS_ONCE
};

/// A sync that failed is taken to have kept what it could not write.
fn sync_error() -> Row {
    Row {
        fault: "sync error that loses pages",
        setting: everything(),
        without: |setting| setting.faults.sync_errors = Budget::None,
        guarantee: is_durable,
        buggy: Toy {
            step: |node, state, event, out| match event {
                Event::SyncFailed(_) => out.sync(),
                event => (WAITS.step)(node, state, event, out),
            },
            ..WAITS
        },
        fixed: WAITS,
    }
}

/// A disk is taken to have room.
fn full_disk() -> Row {
    Row {
        fault: "full disk",
        setting: everything(),
        without: |setting| setting.faults.full_disks = Budget::None,
        guarantee: is_durable,
        buggy: Toy {
            step: |node, state, event, out| match event {
                Event::SyncFailed(SyncError::Full) => state.push(Word::Done),
                event => (WAITS.step)(node, state, event, out),
            },
            ..WAITS
        },
        fixed: WAITS,
    }
}
