//! Faults of the network.

use cadre_model::{Budget, Guarantee, Network, View};
use cadre_step::{Disk, Effects, Event};

use crate::toy::{
    A, B, C, EVER, IDLE, ONCE, Row, Setting, Toy, Word, everything, recall, remember, send, words,
};

pub(crate) fn rows() -> Vec<Row> {
    let streams = vec![loss(), burst(), duplication(), replay(), reordering(), queue()];
    streams.into_iter().chain([corruption(), partition(), one_way(), partial()]).collect()
}

/// Node `a` sends some words when it starts for the first time, and never again.
fn pour(node: usize, disk: &Disk, out: &mut Effects<Toy>, words: &[Word]) -> Vec<Word> {
    if node == A && disk.is_empty() {
        out.put_synced("s", &true);
        words.iter().for_each(|word| send(out, B, *word));
    }
    recall(disk)
}

/// A node that keeps the words it gets, so far as it accepts them.
fn keep(
    state: &mut Vec<Word>,
    event: Event<Toy>,
    out: &mut Effects<Toy>,
    accepts: fn(&[Word], Word) -> bool,
) {
    if let Event::Deliver { message, .. } = event
        && accepts(state, message)
    {
        remember(state, message, out);
    }
}

/// `a` sends two words, and `b` keeps all that it gets.
const KEEPS_ALL: Toy = Toy {
    start: |node, disk, out| pour(node, disk, out, &[Word::One, Word::Two]),
    step: |_, state, event, out| keep(state, event, out, |_, _| true),
    ..IDLE
};

/// The guarantee that what `b` has kept does not look like this.
fn never(wrong: fn(&[Word]) -> bool) -> Guarantee<View<Toy>> {
    Guarantee::always("what b keeps is right", move |view: &View<Toy>| !wrong(words(view, B)))
}

/// What is sent later is taken for all that was sent.
fn loss() -> Row {
    Row {
        fault: "loss",
        setting: everything(),
        without: |setting| setting.faults.losses = Budget::None,
        guarantee: || never(|kept| kept.starts_with(&[Word::Two])),
        buggy: KEEPS_ALL,
        fixed: Toy {
            step: |_, state, event, out| {
                keep(state, event, out, |kept, word| {
                    word == Word::One || kept.contains(&Word::One)
                });
            },
            ..KEEPS_ALL
        },
    }
}

/// A second copy is taken for a remedy against loss. Of single losses there is one.
fn burst() -> Row {
    let mut setting = everything();
    setting.faults.losses = ONCE;
    setting.queue = Some(2);
    Row {
        fault: "burst",
        setting,
        without: |setting| setting.faults.bursts = Budget::None,
        guarantee: || {
            let is_kept = |view: &View<Toy>| words(view, B).contains(&Word::One);
            Guarantee::pre_post("b gets it in the end", |_| true, is_kept)
        },
        buggy: Toy {
            start: |node, disk, out| pour(node, disk, out, &[Word::One, Word::One]),
            ..KEEPS_ALL
        },
        fixed: ASKS,
    }
}

/// Node `b` asks `a` for each word until it has it.
const ASKS: Toy = Toy {
    step: |_, state, event, out| match event {
        Event::Timeout(word) => send(out, A, word),
        Event::Deliver { message: Word::Ask, .. } => send(out, B, Word::One),
        Event::Deliver { message: Word::Go, .. } => send(out, B, Word::Two),
        event => keep(state, event, out, |kept, word| !kept.contains(&word)),
    },
    choices: |node, kept| match node {
        B if !kept.contains(&Word::One) => vec![Word::Ask],
        B if !kept.contains(&Word::Two) => vec![Word::Go],
        _ => Vec::new(),
    },
    ..IDLE
};

/// One word is counted twice before the next.
fn duplication() -> Row {
    Row {
        fault: "duplication",
        setting: everything(),
        without: |setting| setting.faults.duplications = Budget::None,
        guarantee: || never(|kept| kept.starts_with(&[Word::One, Word::One, Word::Two])),
        buggy: KEEPS_ALL,
        fixed: Toy {
            step: |_, state, event, out| {
                keep(state, event, out, |kept, word| kept.last() != Some(&word));
            },
            ..KEEPS_ALL
        },
    }
}

/// Links that keep the order are taken for links that never bring back what has passed: a
/// duplicate is next to its original there, a replay is not.
fn replay() -> Row {
    Row {
        fault: "exact replay",
        setting: everything(),
        without: |setting| setting.faults.replays = Budget::None,
        guarantee: || never(|kept| kept.starts_with(&[Word::One, Word::Two, Word::One])),
        buggy: KEEPS_ALL,
        fixed: Toy {
            step: |_, state, event, out| {
                keep(state, event, out, |kept, word| !kept.contains(&word));
            },
            ..KEEPS_ALL
        },
    }
}

/// What is sent first is taken to arrive first.
fn reordering() -> Row {
    let mut setting = everything();
    setting.network = Network::ConsumedOnce;
    Row {
        fault: "reordering",
        setting,
        without: |setting| setting.network = Network::Fifo,
        guarantee: || never(|kept| kept.starts_with(&[Word::Two]) && kept.contains(&Word::One)),
        buggy: KEEPS_ALL,
        fixed: Toy {
            step: |_, state, event, out| {
                keep(state, event, out, |kept, word| {
                    word == Word::Two || !kept.contains(&Word::Two)
                });
            },
            ..KEEPS_ALL
        },
    }
}

/// Two messages are sent where there is room for one. What else loses messages is left out.
fn queue() -> Row {
    let mut setting = reliable();
    setting.queue = Some(1);
    Row {
        fault: "bounded queue",
        setting,
        without: |setting| setting.queue = None,
        guarantee: || {
            let are_kept = |view: &View<Toy>| {
                [Word::One, Word::Two].iter().all(|word| words(view, B).contains(word))
            };
            Guarantee::pre_post("b gets both in the end", |_| true, are_kept)
        },
        buggy: KEEPS_ALL,
        fixed: ASKS,
    }
}

/// Everything but losses and bursts, which are partitions of a moment, and partitions.
fn reliable() -> Setting {
    let mut setting = everything();
    setting.faults.losses = Budget::None;
    setting.faults.bursts = Budget::None;
    setting.faults.partitions = Budget::None;
    setting.faults.one_way_partitions = Budget::None;
    setting.faults.partial_partitions = Budget::None;
    setting
}

/// A number is believed. One corruption: two of them could make the checksum right again.
fn corruption() -> Row {
    let mut setting = everything();
    setting.faults.corruptions = ONCE;
    Row {
        fault: "corruption",
        setting,
        without: |setting| setting.faults.corruptions = Budget::None,
        guarantee: || {
            never(|kept| {
                kept.iter().any(|word| match word {
                    Word::Number(value) | Word::Checked { value, .. } => *value != 2,
                    _ => false,
                })
            })
        },
        buggy: Toy {
            start: |node, disk, out| pour(node, disk, out, &[Word::Number(2)]),
            ..KEEPS_ALL
        },
        fixed: Toy {
            start: |node, disk, out| pour(node, disk, out, &[Word::Checked { value: 2, sum: 2 }]),
            step: |_, state, event, out| {
                keep(state, event, out, |_, word| match word {
                    Word::Checked { value, sum } => value == sum,
                    _ => false,
                });
            },
            ..KEEPS_ALL
        },
    }
}

/// A message to many is sent once. Three nodes, of which a partial partition does not part one from
/// both others; the faults of nodes are left out, as with three nodes there is too much to see.
fn partition() -> Row {
    Row {
        fault: "partition",
        setting: among_three(),
        without: |setting| setting.faults.partitions = Budget::None,
        guarantee: || {
            let has_heard = |view: &View<Toy>| {
                words(view, A).contains(&Word::Two)
                    || [B, C].iter().any(|node| words(view, *node).contains(&Word::One))
            };
            Guarantee::pre_post("somebody hears of somebody", |_| true, has_heard)
        },
        buggy: Toy {
            step: |node, state, event, out| match event {
                Event::Timeout(_) => {
                    greet(node, out);
                    state.push(Word::Go);
                }
                Event::Deliver { message, .. } if !state.contains(&message) => state.push(message),
                _ => {}
            },
            choices: |_, state| match state.contains(&Word::Go) {
                true => Vec::new(),
                false => vec![Word::Go],
            },
            ..IDLE
        },
        fixed: Toy {
            step: |node, state, event, out| match event {
                Event::Timeout(_) => greet(node, out),
                Event::Deliver { message, .. } if !state.contains(&message) => state.push(message),
                _ => {}
            },
            choices: |_, state| match state.is_empty() {
                true => vec![Word::Go],
                false => Vec::new(),
            },
            ..IDLE
        },
    }
}

/// The first node tells the others of itself, and they tell it of themselves.
fn greet(node: usize, out: &mut Effects<Toy>) {
    match node {
        A => {
            send(out, B, Word::One);
            send(out, C, Word::One);
        }
        _ => send(out, A, Word::Two),
    }
}

fn among_three() -> Setting {
    let mut setting = everything();
    setting.nodes = 3;
    setting.queue = Some(1);
    setting.faults = cadre_model::Faults {
        corruptions: EVER,
        partitions: ONCE,
        one_way_partitions: ONCE,
        partial_partitions: ONCE,
        ..cadre_model::Faults::default()
    };
    setting
}

/// Who is heard is taken to hear. One partition of both directions, which a heal ends for good; for
/// two nodes a partial one is the same.
fn one_way() -> Row {
    let mut setting = reliable();
    setting.faults.partitions = ONCE;
    setting.faults.one_way_partitions = ONCE;
    setting.queue = Some(2);
    Row {
        fault: "one-way partition",
        setting,
        without: |setting| setting.faults.one_way_partitions = Budget::None,
        guarantee: || {
            let hears = |view: &View<Toy>| words(view, A).contains(&Word::Two);
            let is_heard = |view: &View<Toy>| {
                [Word::One, Word::Three].iter().any(|word| words(view, B).contains(word))
            };
            Guarantee::pre_post("who hears is heard", hears, is_heard)
        },
        buggy: Toy {
            step: |node, state, event, out| match (node, event) {
                (A, Event::Timeout(_)) => {
                    send(out, B, Word::One);
                    remember(state, Word::Go, out);
                }
                (_, Event::Timeout(_)) => {
                    send(out, A, Word::Two);
                    remember(state, Word::Go, out);
                }
                (_, Event::Deliver { message, .. }) if !state.contains(&message) => {
                    if node == A {
                        send(out, B, Word::Three);
                    }
                    remember(state, message, out);
                }
                _ => {}
            },
            choices: |_, state| match state.contains(&Word::Go) {
                true => Vec::new(),
                false => vec![Word::Go],
            },
            ..IDLE
        },
        fixed: Toy {
            step: |node, state, event, out| match (node, event) {
                (A, Event::Timeout(_)) => send(out, B, Word::One),
                (_, Event::Timeout(_)) => send(out, A, Word::Two),
                (_, Event::Deliver { message, .. }) => {
                    if !state.contains(&message) {
                        remember(state, message, out);
                    }
                    if message == Word::One {
                        send(out, A, Word::Yes);
                    }
                }
                _ => {}
            },
            choices: |node, state| {
                let wanted = if node == A { Word::Yes } else { Word::One };
                match state.contains(&wanted) {
                    true => Vec::new(),
                    false => vec![Word::Go],
                }
            },
            ..IDLE
        },
    }
}

/// Whom a third node reaches is taken to be reached. One-way partitions are left out: one of them
/// and a whole one, one after the other, lose what a partial one loses.
fn partial() -> Row {
    let mut setting = among_three();
    setting.queue = None;
    setting.faults.one_way_partitions = Budget::None;
    const RELAYED: Toy = Toy {
        step: |node, state, event, out| match (node, event) {
            (A, Event::Timeout(_)) => {
                state.push(Word::Go);
                send(out, B, Word::One);
                send(out, C, Word::Ask);
            }
            (C, Event::Deliver { message: Word::Ask, .. }) => send(out, B, Word::Two),
            (C, Event::Deliver { message: Word::Three, .. }) => send(out, A, Word::No),
            (A, Event::Deliver { message: Word::No, .. }) => send(out, B, Word::One),
            (B, Event::Deliver { message, .. }) => {
                state.push(message);
                if message == Word::Two {
                    send(out, C, Word::Three);
                }
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
        fault: "partial partition",
        setting,
        without: |setting| setting.faults.partial_partitions = Budget::None,
        guarantee: || {
            let has_heard = |view: &View<Toy>| words(view, B).contains(&Word::Two);
            let knows = |view: &View<Toy>| words(view, B).contains(&Word::One);
            Guarantee::pre_post("b hears of a from a", has_heard, knows)
        },
        buggy: RELAYED,
        fixed: Toy {
            step: |node, state, event, out| match (node, &event) {
                (C, Event::Deliver { message: Word::Ask, .. }) => {
                    send(out, B, Word::One);
                    send(out, B, Word::Two);
                }
                _ => (RELAYED.step)(node, state, event, out),
            },
            ..RELAYED
        },
    }
}
