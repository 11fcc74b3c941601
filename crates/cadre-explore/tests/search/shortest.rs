use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::ThreadId;

use cadre_explore::{Flow, Settings, explore};
use cadre_model::{Model, check};
use cadre_trace::Verdict;

use crate::bounds::UpTo;

/// Threads that read a counter and write back one more than they have read, each so many times.
#[derive(Clone, Copy)]
struct LostUpdate {
    threads: usize,
    times: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Memory {
    counter: u8,
    /// For each thread what it has read, and how often it has written.
    threads: Vec<(Option<u8>, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Access {
    Read(usize),
    Write(usize),
}

impl Model for LostUpdate {
    type State = Memory;
    type Action = Access;

    fn init(&self) -> Vec<Memory> {
        vec![Memory { counter: 0, threads: vec![(None, 0); self.threads] }]
    }

    fn actions(&self, memory: &Memory, out: &mut Vec<Access>) {
        for (thread, (read, written)) in memory.threads.iter().enumerate() {
            match read {
                Some(_) => out.push(Access::Write(thread)),
                None if *written < self.times => out.push(Access::Read(thread)),
                None => {}
            }
        }
    }

    fn next(&self, memory: &Memory, access: &Access) -> Option<Memory> {
        let mut after = memory.clone();
        match access {
            Access::Read(thread) => after.threads[*thread].0 = Some(memory.counter),
            Access::Write(thread) => {
                let (read, written) = &mut after.threads[*thread];
                after.counter = read.take()? + 1;
                *written += 1;
            }
        }
        Some(after)
    }
}

/// The length of the shortest path that ends where something is true, by trying all paths of a
/// length.
fn shortest<M: Model>(model: &M, is_found: &dyn Fn(&M::State) -> bool) -> Option<usize> {
    const LENGTH_MAX: usize = 12;
    (0..=LENGTH_MAX)
        .find(|length| model.init().iter().any(|state| some_path(model, state, *length, is_found)))
}

fn some_path<M: Model>(
    model: &M,
    state: &M::State,
    length: usize,
    is_found: &dyn Fn(&M::State) -> bool,
) -> bool {
    if length == 0 {
        return is_found(state);
    }
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.iter().any(|action| {
        let after = model.next(state, action).unwrap();
        some_path(model, &after, length - 1, is_found)
    })
}

fn execute<M: Model>(model: &M, path: &[M::Action]) -> M::State {
    let first = model.init().swap_remove(0);
    path.iter().fold(first, |state, action| model.next(&state, action).unwrap())
}

#[test]
fn a_counterexample_is_as_short_as_any() {
    for (threads, times) in [(1, 3), (2, 1), (2, 2), (3, 1), (3, 2)] {
        for most in 0..=4 {
            // So many updates lost: as many were written as the counter lacks.
            let lost = move |memory: &Memory| {
                let written: u8 = memory.threads.iter().map(|(_, written)| *written).sum();
                written - memory.counter > most
            };
            let model = LostUpdate { threads, times };
            let checked = check(model).always("few are lost", move |memory| !lost(memory));
            let found = explore(&checked, &Settings::default(), &mut |_| Flow::Continue);
            let path = found.findings[0].path.clone();
            let expected = shortest(&model, &lost);
            assert_eq!(path.as_ref().map(Vec::len), expected, "{threads} {times} {most}");
            assert_eq!(path.is_some(), found.verdict() == Verdict::Violated);
            assert!(path.is_none_or(|path| lost(&execute(&model, &path))));
        }
    }
}

#[test]
fn an_example_of_what_is_reachable_is_as_short_as_any() {
    let model = LostUpdate { threads: 2, times: 2 };
    for wanted in 0..=5_u8 {
        let met = move |memory: &Memory| memory.counter == wanted;
        let found = explore(&check(model).reachable("met", met), &Settings::default(), &mut |_| {
            Flow::Continue
        });
        let path = found.findings[0].path.as_ref();
        assert_eq!(path.map(Vec::len), shortest(&model, &met));
        assert!(path.is_none_or(|path| met(&execute(&model, path))));
    }
}

/// Two initial configurations, one of which is nearer to zero.
struct Down;

impl Model for Down {
    type State = u32;
    type Action = ();

    fn init(&self) -> Vec<u32> {
        vec![9, 4]
    }

    fn actions(&self, state: &u32, out: &mut Vec<()>) {
        out.extend((*state > 0).then_some(()));
    }

    fn next(&self, state: &u32, (): &()) -> Option<u32> {
        state.checked_sub(1)
    }
}

#[test]
fn the_nearest_of_several_beginnings_counts() {
    let model = check(Down).always("above", |state| *state > 1);
    let found = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    assert_eq!(found.findings[0].path.as_ref().map(Vec::len), Some(3));
    let model = check(Down).always("not four", |state| *state != 4);
    let found = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    assert_eq!(found.findings[0].path.as_ref().map(Vec::len), Some(0), "it begins there");
}

/// Adds one or two, and does not expect to come to seven.
pub(crate) struct Asserts;

impl Model for Asserts {
    type State = u32;
    type Action = u32;

    fn init(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, out: &mut Vec<u32>) {
        out.extend([1, 2]);
    }

    fn next(&self, state: &u32, add: &u32) -> Option<u32> {
        assert_ne!(state + add, 7, "seven");
        Some((state + add) % 10)
    }
}

#[test]
fn a_panic_of_a_model_is_a_counterexample_with_its_path() {
    for workers in [1, 2] {
        let settings = Settings { workers, ..Settings::default() };
        let found = explore(&check(Asserts), &settings, &mut |_| Flow::Continue);
        let (_, finding) = found.violation().unwrap();
        assert_eq!(finding.claim.name, "every step returns");
        assert_eq!(finding.path.as_deref(), Some(&[1, 2, 2, 2][..]), "the last step is the one");
        assert!(finding.why.as_deref().unwrap().contains("seven"), "{:?}", finding.why);
    }
}

#[test]
fn a_panic_of_a_guarantee_is_a_counterexample_as_well() {
    let model = check(UpTo(9)).always("small", |state| {
        assert!(*state < 3, "three is too much");
        true
    });
    let found = explore(&model, &Settings::default(), &mut |_| Flow::Continue);
    let (_, finding) = found.violation().unwrap();
    assert_eq!(finding.path.as_ref().map(Vec::len), Some(3));
    assert!(finding.why.as_deref().unwrap().contains("three is too much"));
}

/// Begins in so many configurations and goes three steps from each; notes which threads ask.
struct Wide {
    width: u32,
    threads: Mutex<HashSet<ThreadId>>,
}

impl Model for Wide {
    type State = u32;
    type Action = ();

    fn init(&self) -> Vec<u32> {
        (0..self.width).collect()
    }

    fn actions(&self, _: &u32, out: &mut Vec<()>) {
        self.threads.lock().unwrap().insert(std::thread::current().id());
        out.push(());
    }

    fn next(&self, state: &u32, (): &()) -> Option<u32> {
        Some(state + self.width).filter(|after| *after < 4 * self.width)
    }
}

#[test]
fn a_search_uses_the_calling_thread_and_at_most_its_workers() {
    for (width, workers) in [(2_000, 3), (20_000, 1), (20_000, 2)] {
        let model = Wide { width, threads: Mutex::default() };
        let settings = Settings { workers, ..Settings::default() };
        let found = explore(&model, &settings, &mut |_| Flow::Continue);
        assert_eq!(found.progress.configurations, 4 * u64::from(width));
        let threads = model.threads.into_inner().unwrap();
        // Levels that are not wide are not shared out.
        let threads_max = if width == 2_000 { 1 } else { workers + 1 };
        assert!(threads.len() <= threads_max, "{} threads", threads.len());
        assert_eq!(threads.contains(&std::thread::current().id()), width == 2_000);
    }
}
