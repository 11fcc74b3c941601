//! A worked example: a store of one's own, against a model of what a store does, and under several
//! clients at once. The store has a bug that a flag switches on; without it the same suites pass.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cadre::model::consistency::objects::{Answer, Counter, CounterOperation};
use cadre::model::consistency::{Budget, Outcome};
use cadre::model::{Cause, Class, Model, Nature};
use cadre::proptest::{Mismatch, RaceOptions, Service, System, Weights};
use cadre::testing::{ParallelSuite, SystemSuite};
use cadre::trace::Trace;

/// What is done to a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Do {
    Put(char, u8),
    Delete(char),
    /// Makes the log shorter.
    Compact,
    /// The process ends and starts again from its log.
    Restart,
}

/// What a store is: a map. Compaction and restarts change nothing.
struct Map {
    keys: &'static [char],
}

impl Model for Map {
    type State = BTreeMap<char, u8>;
    type Action = Do;

    fn init(&self) -> Vec<BTreeMap<char, u8>> {
        vec![BTreeMap::new()]
    }

    fn actions(&self, _: &BTreeMap<char, u8>, out: &mut Vec<Do>) {
        for key in self.keys {
            out.extend([Do::Put(*key, 1), Do::Put(*key, 2), Do::Delete(*key)]);
        }
        out.extend([Do::Compact, Do::Restart]);
    }

    fn next(&self, map: &BTreeMap<char, u8>, action: &Do) -> Option<BTreeMap<char, u8>> {
        let mut after = map.clone();
        match action {
            Do::Put(key, value) => _ = after.insert(*key, *value),
            Do::Delete(key) => _ = after.remove(key),
            Do::Compact | Do::Restart => {}
        }
        Some(after)
    }

    fn is_fault(&self, action: &Do) -> bool {
        *action == Do::Restart
    }

    fn classes(&self) -> Vec<Class> {
        vec![REQUEST, Class::ACTION, Class::FAULT]
    }

    fn nature(&self, action: &Do) -> Nature {
        let class = match action {
            Do::Put(..) | Do::Delete(_) => REQUEST,
            Do::Compact => Class::ACTION,
            Do::Restart => Class::FAULT,
        };
        Nature { class, subject: None }
    }
}

const REQUEST: Class = Class { name: "request", cause: Cause::Client, weight: 4 };

/// A store that appends to a log, and answers from memory.
struct Store {
    memory: BTreeMap<char, u8>,
    log: Vec<(char, Option<u8>)>,
    compacted: Vec<(char, Option<u8>)>,
    /// Compaction throws away deletions, though the part of the log that was compacted before may
    /// still have what was deleted.
    forgets_deletions: bool,
}

impl Store {
    fn new(forgets_deletions: bool) -> Self {
        Self { memory: BTreeMap::new(), log: Vec::new(), compacted: Vec::new(), forgets_deletions }
    }

    fn write(&mut self, key: char, value: Option<u8>) {
        self.log.push((key, value));
        match value {
            Some(value) => _ = self.memory.insert(key, value),
            None => _ = self.memory.remove(&key),
        }
    }

    fn compact(&mut self) {
        let mut last: BTreeMap<char, Option<u8>> = self.log.drain(..).collect();
        if self.forgets_deletions {
            last.retain(|_, value| value.is_some());
        }
        self.compacted.extend(last);
    }

    fn restart(&mut self) {
        self.memory.clear();
        for (key, value) in self.compacted.iter().chain(&self.log) {
            match value {
                Some(value) => _ = self.memory.insert(*key, *value),
                None => _ = self.memory.remove(key),
            }
        }
    }
}

impl System<Map> for Store {
    fn begin(&mut self, _: &BTreeMap<char, u8>) {
        *self = Self::new(self.forgets_deletions);
    }

    fn step(&mut self, action: &Do, expected: &BTreeMap<char, u8>) -> Result<(), Mismatch> {
        match action {
            Do::Put(key, value) => self.write(*key, Some(*value)),
            Do::Delete(key) => self.write(*key, None),
            Do::Compact => self.compact(),
            Do::Restart => self.restart(),
        }
        let extra = self.memory.keys().find(|key| !expected.contains_key(key));
        match extra {
            Some(key) => Err(Mismatch {
                what: "no key comes back".to_owned(),
                found: format!("{key} is there, and should not be"),
            }),
            None if self.memory == *expected => Ok(()),
            None => Err(Mismatch {
                what: "every key has its value".to_owned(),
                found: format!("expected {expected:?}, found {:?}", self.memory),
            }),
        }
    }
}

fn suite(keys: &'static [char], forgets_deletions: bool, traces: &Path) -> SystemSuite<Map, Store> {
    let weights = Weights::new(&Map { keys }, [("request", 6), ("action", 3), ("fault", 2)]);
    let (model, store) = (Map { keys }, Store::new(forgets_deletions));
    SystemSuite::new("store", model, store, traces).weights(weights.unwrap()).cases(300)
}

const KEYS: &[char] = &['a', 'b', 'c'];

#[test]
fn a_store_that_forgets_deletions_is_found_out_and_its_twin_passes() {
    let traces = tempfile::tempdir().unwrap();
    let story = suite(KEYS, true, traces.path()).check().unwrap_err();
    assert!(story.contains("violated  no key comes back "), "{story}");
    // Put, compact, delete, compact, restart: nothing of it can be spared.
    assert!(story.contains(", 5 steps"), "{story}");
    let report = suite(KEYS, false, traces.path()).run();
    assert_eq!((report.cases, report.replayed.len()), (300, 1));
    assert!(report.replayed[0].missing.is_empty());
    assert!(report.to_string().contains("does not fail any more"), "{report}");
}

#[test]
fn what_was_saved_is_executed_first() {
    let traces = tempfile::tempdir().unwrap();
    suite(KEYS, true, traces.path()).check().unwrap_err();
    // No execution of one step shows it, but the saved one does.
    let story = suite(KEYS, true, traces.path()).steps(1).check().unwrap_err();
    assert!(story.contains("fails again, as it did when it was saved"), "{story}");
    assert!(story.contains("no key comes back"), "{story}");
}

#[test]
fn a_saved_failure_that_cannot_be_executed_any_more_is_reported_by_name() {
    let traces = tempfile::tempdir().unwrap();
    suite(KEYS, true, traces.path()).check().unwrap_err();
    // The code changes: there are other keys now.
    let other: &[char] = &['x', 'y'];
    let report = suite(other, false, traces.path()).run();
    let missing = &report.replayed[0].missing;
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing[0].contains("`Put(") && missing[1].contains("`Delete("), "{missing:?}");
    let refused = suite(other, false, traces.path()).refuse_stale().check().unwrap_err();
    assert!(refused.contains("cannot be executed as it was saved"), "{refused}");
}

#[test]
fn a_saved_failure_is_a_trace_that_can_be_drawn() {
    let traces = tempfile::tempdir().unwrap();
    suite(KEYS, true, traces.path()).check().unwrap_err();
    let saved = std::fs::read_dir(traces.path().join("store")).unwrap().next().unwrap().unwrap();
    let trace = Trace::from_ndjson(&std::fs::read_to_string(saved.path()).unwrap()).unwrap();
    let told = cadre::view::lanes(&trace, &cadre::view::LaneOptions::default());
    assert!(told.contains("system chooses Restart"), "{told}");
}

#[test]
fn a_store_that_panics_is_shrunk_to_where_it_panics() {
    struct Fragile(u8);
    impl System<Map> for Fragile {
        fn begin(&mut self, _: &BTreeMap<char, u8>) {
            self.0 = 0;
        }
        fn step(&mut self, action: &Do, _: &BTreeMap<char, u8>) -> Result<(), Mismatch> {
            self.0 += u8::from(*action == Do::Compact);
            assert!(self.0 < 3, "compacted {} times", self.0);
            Ok(())
        }
    }
    let traces = tempfile::tempdir().unwrap();
    let suite = SystemSuite::new("fragile", Map { keys: KEYS }, Fragile(0), traces.path());
    let story = suite.check().unwrap_err();
    assert!(story.contains("the system panics"), "{story}");
    assert!(story.contains(", 3 steps"), "{story}");
    assert!(story.contains("compacted 3 times"), "{story}");
}

#[test]
fn a_suite_of_no_executions_is_refused() {
    let error = suite(KEYS, false, Path::new("nowhere")).cases(0).check().unwrap_err();
    assert_eq!(error, "expected at least one execution to try, found 0");
}

/// A counter that several clients add to; a wrong one reads and writes in two steps.
struct Adder {
    sum: Mutex<i64>,
    is_atomic: bool,
    /// How many are between reading and writing.
    between: AtomicUsize,
}

impl Service<Counter> for Adder {
    fn call(&self, _: usize, operation: &CounterOperation) -> Outcome<Answer<i64>> {
        Outcome::Answered(match operation {
            CounterOperation::Read => Answer::Value(*self.sum.lock().unwrap()),
            CounterOperation::Add(number) if self.is_atomic => {
                *self.sum.lock().unwrap() += number;
                Answer::Done
            }
            CounterOperation::Add(number) => {
                let read = *self.sum.lock().unwrap();
                self.between.fetch_add(1, Ordering::SeqCst);
                // Others are likely to come in between, however few processors there are.
                self.linger_until(|between| between > 1);
                *self.sum.lock().unwrap() = read + number;
                self.between.fetch_sub(1, Ordering::SeqCst);
                self.linger_until(|between| between == 0);
                Answer::Done
            }
        })
    }
}

impl Adder {
    fn linger_until(&self, is_enough: fn(usize) -> bool) {
        for _ in 0..500 {
            if is_enough(self.between.load(Ordering::SeqCst)) {
                break;
            }
            std::thread::yield_now();
        }
    }
}

/// What came of letting several clients add at once.
fn race(is_atomic: bool, traces: &Path) -> Result<cadre::testing::SuiteReport, String> {
    let make = move || Adder { sum: Mutex::new(0), is_atomic, between: AtomicUsize::new(0) };
    let calls = |client: usize| vec![CounterOperation::Add(1 << client), CounterOperation::Read];
    let options = RaceOptions { cases: 20, rounds: 40, ..RaceOptions::default() };
    ParallelSuite::new("adder", Counter, make, calls, traces).options(options).check()
}

#[test]
fn additions_that_are_lost_among_several_clients_are_found_and_a_lock_saves_them() {
    let traces = tempfile::tempdir().unwrap();
    let story = race(false, traces.path()).unwrap_err();
    assert!(story.contains("violated  what clients are answered is linearizable"), "{story}");
    // Two clients add and one of them reads: less does not show it.
    assert!(story.contains(", 3 calls"), "{story}");
    assert!(race(false, traces.path()).unwrap_err().contains("fails again"));
    let report = race(true, traces.path()).unwrap();
    assert_eq!((report.cases, report.replayed.len(), report.unknown), (20, 1, 0));
}

#[test]
fn a_race_without_clients_is_refused() {
    let make = || Adder { sum: Mutex::new(0), is_atomic: true, between: AtomicUsize::new(0) };
    let none = RaceOptions { clients: 0, budget: Budget::default(), ..RaceOptions::default() };
    let calls = |_| vec![CounterOperation::Read];
    let suite = ParallelSuite::new("adder", Counter, make, calls, Path::new("nowhere"));
    let error = suite.options(none).check().unwrap_err();
    assert!(error.starts_with("expected at least one client, call, plan and round, found 0, 4,"));
}
