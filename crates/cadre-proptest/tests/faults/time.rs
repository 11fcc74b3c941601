//! Faults of time. In all rows time is counted, as without it a timer goes off at any moment, and
//! all of them would be revealed by none of them.

use cadre_model::{Budget, Faults, Guarantee, Network, View};
use cadre_step::{Disk, Effects, Event};

use crate::disks::{WAITS, is_durable};
use crate::toy::{
    A, B, IDLE, Row, Toy, Word, everything_in_time, recall, remember, send, ticks, words,
};

pub(crate) fn rows() -> Vec<Row> {
    vec![delay(), slow_sync(), pause(), clock_jump(), drift()]
}

/// What was sent two ticks ago is taken to have arrived or to be lost. Whatever else lets a message
/// wait is left out: pauses and crashes of its destination, and cut links.
fn delay() -> Row {
    let mut setting = everything_in_time();
    setting.network = Network::ConsumedOnce;
    setting.faults = Faults {
        partitions: Budget::None,
        one_way_partitions: Budget::None,
        partial_partitions: Budget::None,
        crashes: Budget::None,
        group_crashes: Budget::None,
        interruptions: Budget::None,
        torn_writes: Budget::None,
        pauses: Budget::None,
        ..setting.faults
    };
    const SENDS_LATER: Toy = Toy {
        start: |node, disk, out| {
            if node == A && disk.is_empty() {
                out.put_synced("s", &true);
                send(out, B, Word::One);
                out.set_timer(Word::Go, ticks(2));
            }
            recall(disk)
        },
        step: |_, state, event, out| match event {
            Event::Timeout(_) => send(out, B, Word::Two),
            Event::Deliver { message, .. } if !state.contains(&message) => {
                remember(state, message, out);
            }
            _ => {}
        },
        ..IDLE
    };
    Row {
        fault: "delay",
        setting,
        without: |setting| setting.faults.delays = Budget::None,
        guarantee: || {
            Guarantee::always("in order", |view: &View<Toy>| {
                words(view, B) != [Word::Two, Word::One]
            })
        },
        buggy: SENDS_LATER,
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Deliver { message: Word::One, .. } if state.contains(&Word::Two) => {}
                event => (SENDS_LATER.step)(node, state, event, out),
            },
            ..SENDS_LATER
        },
    }
}

/// A sync is taken to be done within two ticks. A node that pauses does not hear of its sync.
fn slow_sync() -> Row {
    let mut setting = everything_in_time();
    setting.faults.pauses = Budget::None;
    Row {
        fault: "slow sync",
        setting,
        without: |setting| setting.faults.slow_syncs = Budget::None,
        guarantee: is_durable,
        buggy: Toy {
            step: |_, state, event, out| match event {
                Event::Timeout(Word::Go) => {
                    state.push(Word::Go);
                    out.put("done", &true);
                    out.sync();
                    out.set_timer(Word::Done, ticks(2));
                }
                Event::Timeout(_) => state.push(Word::Done),
                Event::SyncFailed(_) => out.cancel_timer(Word::Done),
                Event::SyncDone | Event::Deliver { .. } | Event::Request { .. } => {}
            },
            ..WAITS
        },
        fixed: WAITS,
    }
}

/// Node `a` has something until a time, and `b` has it from a later time on; never again after a
/// restart.
fn lease(node: usize, disk: &Disk, out: &mut Effects<Toy>, (until, from): (u64, u64)) -> Vec<Word> {
    if !disk.is_empty() {
        return Vec::new();
    }
    out.put_synced("s", &true);
    match node {
        A => {
            out.set_timer(Word::Done, ticks(until));
            vec![Word::Mine]
        }
        _ => {
            out.set_timer(Word::Go, ticks(from));
            Vec::new()
        }
    }
}

const LEASES: Toy = Toy {
    start: |node, disk, out| lease(node, disk, out, (2, 4)),
    step: |_, state, event, _| match event {
        Event::Timeout(Word::Go) => state.push(Word::Mine),
        Event::Timeout(_) => state.clear(),
        _ => {}
    },
    ..IDLE
};

fn not_both() -> Guarantee<View<Toy>> {
    Guarantee::always("not both have it", |view: &View<Toy>| {
        ![A, B].iter().all(|node| words(view, *node).contains(&Word::Mine))
    })
}

/// A node is taken to notice the end of its lease. The twin takes over only when it is told.
fn pause() -> Row {
    Row {
        fault: "pause past a lease",
        setting: everything_in_time(),
        without: |setting| setting.faults.pauses = Budget::None,
        guarantee: not_both,
        buggy: LEASES,
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Timeout(Word::Done) => {
                    state.clear();
                    send(out, B, Word::Yes);
                }
                Event::Deliver { .. } if node == B && state.is_empty() => state.push(Word::Mine),
                _ => {}
            },
            ..LEASES
        },
    }
}

/// Clocks are taken to agree to less than a tick. Pauses do the same, and are left out.
fn clock_jump() -> Row {
    let mut setting = everything_in_time();
    setting.faults.pauses = Budget::None;
    Row {
        fault: "clock jump",
        setting,
        without: |setting| setting.faults.clock_jumps = Budget::None,
        guarantee: not_both,
        buggy: Toy { start: |node, disk, out| lease(node, disk, out, (2, 3)), ..LEASES },
        fixed: LEASES,
    }
}

/// Clocks are taken to differ by no more than a tick: skew and drift are several jumps.
fn drift() -> Row {
    let mut setting = everything_in_time();
    setting.faults.pauses = Budget::None;
    setting.faults.clock_jumps = Budget::AtMost(3);
    Row {
        fault: "clock skew and drift",
        setting,
        without: |setting| setting.faults.clock_jumps = Budget::AtMost(1),
        guarantee: not_both,
        buggy: LEASES,
        fixed: Toy { start: |node, disk, out| lease(node, disk, out, (2, 7)), ..LEASES },
    }
}
