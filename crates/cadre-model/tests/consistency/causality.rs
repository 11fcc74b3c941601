use cadre_model::consistency::objects::{Answer, At, RegisterOperation};
use cadre_model::consistency::{
    Accesses, Causality, SessionGuarantee, causal, session, smallest_pattern,
};

use crate::enumerated::only;
use crate::notation::{StoreHistory, has, is_causal, is_sequential, store};

/// A read or a write of a process; a read is from a write, by its place, or of the initial value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Access {
    process: usize,
    key: char,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Read(Option<usize>),
}

/// Operations one after the other, the value of a write being its place plus 1. Real time is of no
/// importance here.
fn history(accesses: &[Access]) -> StoreHistory {
    let mut history = StoreHistory::new();
    for (index, access) in accesses.iter().enumerate() {
        let (operation, answer) = match access.kind {
            Kind::Write => (RegisterOperation::Write(index as u32 + 1), Answer::Done),
            Kind::Read(from) => {
                let value = from.map_or(0, |from| from as u32 + 1);
                (RegisterOperation::Read, Answer::Value(value))
            }
        };
        history.invoke(access.process, At { key: access.key, operation }).unwrap();
        history.answer(access.process, answer).unwrap();
    }
    history
}

/// Every way in which processes with so many operations each read and write these keys.
fn every(sizes: &[usize], keys: &[char], each: &mut dyn FnMut(&[Access])) {
    let processes: Vec<usize> = sizes
        .iter()
        .enumerate()
        .flat_map(|(process, size)| std::iter::repeat_n(process, *size))
        .collect();
    let kinds = 2 * keys.len();
    for choice in 0..kinds.pow(processes.len() as u32) {
        let shape: Vec<Access> = processes
            .iter()
            .enumerate()
            .map(|(at, process)| {
                let kind = choice / kinds.pow(at as u32) % kinds;
                let kind_of = if kind.is_multiple_of(2) { Kind::Write } else { Kind::Read(None) };
                Access { process: *process, key: keys[kind / 2], kind: kind_of }
            })
            .collect();
        sources(&mut shape.clone(), 0, each);
    }
}

fn sources(accesses: &mut Vec<Access>, at: usize, each: &mut dyn FnMut(&[Access])) {
    let Some(access) = accesses.get(at).copied() else {
        each(accesses);
        return;
    };
    sources(accesses, at + 1, each);
    if access.kind == Kind::Write {
        return;
    }
    for from in 0..accesses.len() {
        if accesses[from].kind == Kind::Write && accesses[from].key == access.key {
            accesses[at].kind = Kind::Read(Some(from));
            sources(accesses, at + 1, each);
        }
    }
    accesses[at].kind = Kind::Read(None);
}

type Relation = Vec<Vec<bool>>;

/// The smallest transitive relation that includes these pairs.
fn closed(mut relation: Relation) -> Relation {
    let size = relation.len();
    for through in 0..size {
        for from in 0..size {
            for to in 0..size {
                relation[from][to] |= relation[from][through] && relation[through][to];
            }
        }
    }
    relation
}

fn causally(accesses: &[Access]) -> Relation {
    let size = accesses.len();
    let mut relation = vec![vec![false; size]; size];
    for (to, access) in accesses.iter().enumerate() {
        for (from, earlier) in accesses[..to].iter().enumerate() {
            relation[from][to] = earlier.process == access.process;
        }
        if let Kind::Read(Some(from)) = access.kind {
            relation[from][to] = true;
        }
    }
    closed(relation)
}

/// Whether some order of these accesses keeps a relation and satisfies a condition.
fn some_order(
    members: &[usize],
    before: &Relation,
    order: &mut Vec<usize>,
    is_good: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if order.len() == members.len() {
        return is_good(order);
    }
    members.iter().copied().any(|next| {
        let is_ready = !order.contains(&next)
            && members.iter().all(|other| !before[*other][next] || order.contains(other));
        is_ready && {
            order.push(next);
            let found = some_order(members, before, order, is_good);
            order.pop();
            found
        }
    })
}

/// The last write to a key in an order.
fn last_write(accesses: &[Access], order: &[usize], key: char) -> Option<usize> {
    let mut writes = order.iter().copied().rev();
    writes.find(|at| accesses[*at].kind == Kind::Write && accesses[*at].key == key)
}

/// Each read is the last write of some order of its causal past.
fn causal_by_definition(accesses: &[Access]) -> bool {
    let before = causally(accesses);
    let is_acyclic = (0..accesses.len()).all(|at| !before[at][at]);
    is_acyclic
        && (0..accesses.len()).all(|read| {
            let Kind::Read(from) = accesses[read].kind else { return true };
            let past: Vec<usize> = (0..accesses.len()).filter(|at| before[*at][read]).collect();
            some_order(&past, &before, &mut Vec::new(), &|order| {
                last_write(accesses, order, accesses[read].key) == from
            })
        })
}

/// One order of all accesses, in which each read is the last write of its causal past.
fn convergent_by_definition(accesses: &[Access]) -> bool {
    let before = causally(accesses);
    let is_acyclic = (0..accesses.len()).all(|at| !before[at][at]);
    let all: Vec<usize> = (0..accesses.len()).collect();
    is_acyclic
        && some_order(&all, &before, &mut Vec::new(), &|order| {
            (0..accesses.len()).all(|read| {
                let Kind::Read(from) = accesses[read].kind else { return true };
                let past: Vec<usize> =
                    order.iter().copied().filter(|at| before[*at][read]).collect();
                last_write(accesses, &past, accesses[read].key) == from
            })
        })
}

/// For each process one order of all writes and its reads, in which each read is the last write.
fn memory_by_definition(accesses: &[Access]) -> bool {
    let before = causally(accesses);
    let is_acyclic = (0..accesses.len()).all(|at| !before[at][at]);
    let processes = accesses.iter().map(|access| access.process).max().map_or(0, |last| last + 1);
    is_acyclic
        && (0..processes).all(|process| {
            let is_in_view =
                |at: &usize| accesses[*at].kind == Kind::Write || accesses[*at].process == process;
            let view: Vec<usize> = (0..accesses.len()).filter(is_in_view).collect();
            some_order(&view, &before, &mut Vec::new(), &|order| {
                order.iter().enumerate().all(|(at, read)| match accesses[*read].kind {
                    Kind::Write => true,
                    Kind::Read(from) => {
                        last_write(accesses, &order[..at], accesses[*read].key) == from
                    }
                })
            })
        })
}

/// Pairs of writes the first of which is certainly older, as far as a guarantee goes.
fn older(accesses: &[Access], guarantee: SessionGuarantee) -> Relation {
    let size = accesses.len();
    let mut relation = vec![vec![false; size]; size];
    for (to, access) in accesses.iter().enumerate() {
        if access.kind != Kind::Write {
            continue;
        }
        for (from, earlier) in accesses[..to].iter().enumerate() {
            if earlier.process != access.process {
                continue;
            }
            match (guarantee, earlier.kind) {
                (SessionGuarantee::WritesFollowReads, Kind::Read(Some(read))) => {
                    relation[read][to] = true;
                }
                (SessionGuarantee::WritesFollowReads, _) => {}
                (_, Kind::Write) => relation[from][to] = true,
                (_, Kind::Read(_)) => {}
            }
        }
    }
    closed(relation)
}

/// Whether no read is contradicted by what its process had written, or read, before.
fn session_by_definition(accesses: &[Access], guarantee: SessionGuarantee) -> bool {
    let older = older(accesses, guarantee);
    let is_acyclic = (0..accesses.len()).all(|at| !older[at][at]);
    let sources_before = |read: usize| {
        let earlier = accesses[..read].iter();
        earlier.filter(move |other| other.process == accesses[read].process).filter_map(|other| {
            match other.kind {
                Kind::Read(from) => from,
                Kind::Write => None,
            }
        })
    };
    let same_key = |one: usize, other: usize| accesses[one].key == accesses[other].key;
    is_acyclic
        && (0..accesses.len()).all(|read| {
            let Kind::Read(from) = accesses[read].kind else { return true };
            let contradicts = |new: usize, is_strict: bool| {
                same_key(new, read)
                    && match from {
                        None => is_strict,
                        Some(old) => older[old][new],
                    }
            };
            match guarantee {
                SessionGuarantee::ReadYourWrites => (0..read).all(|own| {
                    accesses[own].process != accesses[read].process
                        || accesses[own].kind != Kind::Write
                        || !contradicts(own, true)
                }),
                SessionGuarantee::MonotonicReads => {
                    let seen: Vec<usize> =
                        sources_before(read).filter(|source| same_key(*source, read)).collect();
                    match from {
                        None => seen.is_empty(),
                        // Once replaced by another, it must not come back.
                        Some(old) => {
                            seen.last() == Some(&old) || seen.iter().all(|source| *source != old)
                        }
                    }
                }
                SessionGuarantee::MonotonicWrites | SessionGuarantee::WritesFollowReads => {
                    sources_before(read).all(|seen| {
                        !contradicts(seen, false)
                            && (0..accesses.len())
                                .all(|new| !older[new][seen] || !contradicts(new, true))
                    })
                }
            }
        })
}

fn check(accesses: &[Access], counts: &mut [usize; 4]) {
    let history = history(accesses);
    let judged = [
        (Causality::Causal, causal_by_definition(accesses)),
        (Causality::Convergent, convergent_by_definition(accesses)),
        (Causality::Memory, memory_by_definition(accesses)),
    ];
    for (kind, expected) in judged {
        assert_eq!(is_causal(&history, kind), expected, "{kind:?} {accesses:?}");
    }
    let [causal, convergent, memory] = judged.map(|(_, holds)| holds);
    assert!(causal || !(convergent || memory), "{accesses:?}");
    for guarantee in SessionGuarantee::ALL {
        let holds = has(&history, guarantee);
        assert_eq!(holds, session_by_definition(accesses, guarantee), "{guarantee:?} {accesses:?}");
        assert!(holds || !memory, "causal memory has every session guarantee: {accesses:?}");
    }
    if is_sequential(&history) {
        assert!(convergent && memory, "{accesses:?}");
        counts[3] += 1;
    }
    for (count, holds) in counts.iter_mut().zip([causal, convergent, memory]) {
        *count += usize::from(holds);
    }
}

#[test]
fn every_history_of_two_processes_with_three_operations_on_one_key_is_judged_by_definition() {
    let (mut counts, mut all) = ([0; 4], 0);
    every(&[3, 3], &['x'], &mut |accesses| {
        all += 1;
        check(accesses, &mut counts);
    });
    assert!(counts[0] < all && counts[1] < counts[0] && counts[2] < counts[0], "{counts:?}");
    assert!(counts[3] < counts[2] && counts[2] != counts[1], "{counts:?}");
}

#[test]
fn every_history_of_three_processes_with_one_or_two_operations_on_two_keys_is_judged_by_definition()
{
    let (mut counts, mut all) = ([0; 4], 0);
    every(&[2, 2, 1], &['x', 'y'], &mut |accesses| {
        all += 1;
        check(accesses, &mut counts);
    });
    assert!(all > 1_000 && counts[0] < all, "{counts:?}");
    assert!(counts[3] < counts[1] && counts[3] < counts[2], "{counts:?}");
}

#[test]
fn every_pattern_of_a_small_history_is_a_violation_by_itself() {
    let mut count = 0;
    every(&[3, 2], &['x', 'y'], &mut |accesses| {
        let history = history(accesses);
        let found = Accesses::new(&store(), &history).unwrap();
        for kind in [Causality::Causal, Causality::Convergent, Causality::Memory] {
            let Some(pattern) = causal(&found, kind) else { continue };
            count += 1;
            let part = only(&history, &pattern.operations());
            assert!(!is_causal(&part, kind), "{kind:?} {accesses:?} {pattern:?}");
            let smallest = smallest_pattern(&found, &|some| causal(some, kind)).unwrap();
            let operations = smallest.operations();
            assert!(operations.len() <= pattern.operations().len(), "{accesses:?}");
            assert!(!is_causal(&only(&history, &operations), kind), "{accesses:?} {smallest:?}");
            for at in &operations {
                if let Kind::Read(Some(from)) = accesses[*at].kind {
                    assert!(operations.contains(&from), "{accesses:?} {smallest:?}");
                }
            }
            for left_out in operations.iter().filter(|at| accesses[**at].kind != Kind::Write) {
                let rest: Vec<usize> =
                    operations.iter().copied().filter(|at| at != left_out).collect();
                assert!(is_causal(&only(&history, &rest), kind), "{accesses:?} {smallest:?}");
            }
        }
        for guarantee in SessionGuarantee::ALL {
            let Some(pattern) = session(&found, guarantee) else { continue };
            count += 1;
            let part = only(&history, &pattern.operations());
            assert!(!has(&part, guarantee), "{guarantee:?} {accesses:?} {pattern:?}");
        }
    });
    assert!(count > 1_000, "{count}");
}
