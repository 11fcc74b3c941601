//! Faults of nodes: crashes, interruptions, traitors.

use cadre_model::{Budget, Faults, Guarantee, View};
use cadre_step::Event;

use crate::toy::{
    A, B, C, EVER, IDLE, ONCE, Row, Toy, Word, disk_of, everything, id, recall, remember, send,
    words,
};

pub(crate) fn rows() -> Vec<Row> {
    vec![crash(), crash_restart(), group_crash(), interruption(), equivocation(), forging()]
}

/// There is one node to serve. A group of both nodes is left out, as no twin survives it.
fn crash() -> Row {
    let mut setting = everything();
    setting.faults = Faults {
        crashes: ONCE,
        restarts: false,
        group_crashes: Budget::None,
        corrupt_reads: Budget::None,
        misdirected_reads: Budget::None,
        ..setting.faults
    };
    Row {
        fault: "crash-stop",
        setting,
        without: |setting| setting.faults.crashes = Budget::None,
        guarantee: || {
            Guarantee::always("somebody serves", |view: &View<Toy>| {
                [A, B].iter().any(|node| words(view, *node).contains(&Word::Mine))
            })
        },
        buggy: Toy {
            start: |node, _, _| if node == A { vec![Word::Mine] } else { Vec::new() },
            ..IDLE
        },
        fixed: Toy { start: |_, _, _| vec![Word::Mine], ..IDLE },
    }
}

/// Memory is taken to last. Crashes that last are among the other faults, restarts are not.
fn crash_restart() -> Row {
    let mut setting = everything();
    setting.faults = Faults {
        restarts: false,
        corrupt_reads: Budget::None,
        misdirected_reads: Budget::None,
        ..setting.faults
    };
    const FORGETS: Toy = Toy {
        step: |_, state, event, out| match event {
            Event::Timeout(_) => {
                state.push(Word::Go);
                send(out, B, Word::One);
            }
            Event::Deliver { message, .. } if !state.contains(&message) => {
                remember(state, message, out);
            }
            _ => {}
        },
        choices: |node, state| match node == A && state.is_empty() {
            true => vec![Word::Go],
            false => Vec::new(),
        },
        ..IDLE
    };
    Row {
        fault: "crash-restart",
        setting,
        without: |setting| setting.faults.crash_restarts = Budget::None,
        guarantee: knows_what_it_sent,
        buggy: FORGETS,
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Timeout(_) => {
                    remember(state, Word::Go, out);
                    send(out, B, Word::One);
                }
                event => (FORGETS.step)(node, state, event, out),
            },
            ..FORGETS
        },
    }
}

/// Whoever runs knows of what it has sent, once that has arrived.
pub(crate) fn knows_what_it_sent() -> Guarantee<View<Toy>> {
    Guarantee::always("a knows what it sent", |view: &View<Toy>| {
        let has_arrived = words(view, B).contains(&Word::One);
        !has_arrived || !view.is_up(id(A)) || words(view, A).contains(&Word::Go)
    })
}

/// Two memories are taken for one that lasts. One crash of one node is allowed besides, and no
/// other fault that ends in one.
fn group_crash() -> Row {
    let mut setting = everything();
    setting.faults = Faults { crashes: ONCE, crash_restarts: Budget::None, ..setting.faults };
    Row {
        fault: "correlated crash",
        setting,
        without: |setting| setting.faults.group_crashes = Budget::None,
        guarantee: || {
            Guarantee::always("it is somewhere", |view: &View<Toy>| {
                let has_it = |node: usize| {
                    words(view, node).contains(&Word::Mine)
                        || !recall(disk_of(view, node)).is_empty()
                };
                [A, B].into_iter().any(has_it)
            })
        },
        buggy: Toy {
            start: |_, disk, out| match disk.is_empty() {
                true => {
                    out.put_synced("s", &true);
                    vec![Word::Mine]
                }
                false => Vec::new(),
            },
            ..IDLE
        },
        fixed: Toy {
            start: |_, disk, out| match disk.is_empty() {
                true => {
                    let mut state = Vec::new();
                    remember(&mut state, Word::Mine, out);
                    state
                }
                false => recall(disk),
            },
            ..IDLE
        },
    }
}

/// Two writes are taken for one.
fn interruption() -> Row {
    const WRITES_TWICE: Toy = Toy {
        step: |_, state, event, out| {
            if let Event::Timeout(_) = event {
                remember(state, Word::One, out);
                remember(state, Word::Two, out);
            }
        },
        choices: |node, state| match node == A && state.is_empty() {
            true => vec![Word::Go],
            false => Vec::new(),
        },
        ..IDLE
    };
    Row {
        fault: "crash between two writes",
        setting: everything(),
        without: |setting| setting.faults.interruptions = Budget::None,
        guarantee: || {
            Guarantee::always("both or none", |view: &View<Toy>| {
                recall(disk_of(view, A)) != [Word::One]
            })
        },
        buggy: WRITES_TWICE,
        fixed: Toy {
            step: |_, state, event, out| {
                if let Event::Timeout(_) = event {
                    remember(state, Word::Done, out);
                }
            },
            ..WRITES_TWICE
        },
    }
}

/// What a node says to one it is taken to say to all; `b` and `c` decide what they first hear from
/// `a`. The twin decides what the other has heard as well. Partitions are left out, as with three
/// nodes there is too much to see.
fn equivocation() -> Row {
    let mut setting = everything();
    setting.nodes = 3;
    setting.faults = Faults {
        losses: EVER,
        duplications: ONCE,
        corruptions: EVER,
        forgeries: Budget::AtMost(2),
        crash_restarts: EVER,
        ..Faults::default()
    };
    setting.forged = vec![Word::Yes, Word::No];
    const BELIEVES: Toy = Toy {
        start: |node, disk, out| {
            if node == A && disk.is_empty() {
                out.put_synced("s", &true);
                send(out, B, Word::Yes);
                send(out, C, Word::Yes);
            }
            recall(disk)
        },
        step: |_, state, event, out| {
            if let Event::Deliver { message, .. } = event
                && state.is_empty()
            {
                remember(state, message, out);
                remember(state, Word::Done, out);
            }
        },
        ..IDLE
    };
    Row {
        fault: "Byzantine equivocation",
        setting,
        without: |setting| setting.faults.forgeries = Budget::None,
        guarantee: || {
            Guarantee::always("b and c agree", |view: &View<Toy>| {
                let decided = |node| match words(view, node) {
                    [value, rest @ ..] if rest.contains(&Word::Done) => Some(*value),
                    _ => None,
                };
                decided(B).is_none() || decided(C).is_none() || decided(B) == decided(C)
            })
        },
        buggy: BELIEVES,
        fixed: Toy {
            step: |node, state, event, out| {
                let Event::Deliver { from, message } = event else { return };
                match message {
                    Word::Yes | Word::No if from.index() == A && state.is_empty() => {
                        remember(state, message, out);
                        let echo = if message == Word::Yes { Word::One } else { Word::Two };
                        send(out, if node == B { C } else { B }, echo);
                    }
                    Word::One if from.index() != A && state[..] == [Word::Yes] => {
                        remember(state, Word::Done, out);
                    }
                    Word::Two if from.index() != A && state[..] == [Word::No] => {
                        remember(state, Word::Done, out);
                    }
                    _ => {}
                }
            },
            ..BELIEVES
        },
    }
}

/// What only `b` can know is believed from anybody.
fn forging() -> Row {
    let mut setting = everything();
    setting.faults.forgeries = ONCE;
    setting.forged = vec![Word::Two];
    const BELIEVES: Toy = Toy {
        step: |_, state, event, out| match event {
            Event::Timeout(_) => {
                remember(state, Word::Go, out);
                send(out, B, Word::Two);
            }
            Event::Deliver { .. } if !state.contains(&Word::Done) => {
                remember(state, Word::Done, out);
            }
            _ => {}
        },
        choices: |node, state| match node == B && !state.contains(&Word::Go) {
            true => vec![Word::Go],
            false => Vec::new(),
        },
        ..IDLE
    };
    Row {
        fault: "Byzantine forging",
        setting,
        without: |setting| setting.faults.forgeries = Budget::None,
        guarantee: || {
            Guarantee::always("b wanted what it does", |view: &View<Toy>| {
                let kept = words(view, B);
                !kept.contains(&Word::Done) || kept.contains(&Word::Go)
            })
        },
        buggy: BELIEVES,
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Deliver { from, .. } if from.index() != B => {}
                event => (BELIEVES.step)(node, state, event, out),
            },
            ..BELIEVES
        },
    }
}
