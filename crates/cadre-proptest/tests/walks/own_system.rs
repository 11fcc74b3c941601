use std::cell::Cell;

use cadre_proptest::{Machine, Step, Subject, Walk};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::lost_update::{Access, LostUpdate};

/// A counter with the two accesses that the model has, and what each thread has in its register.
struct Counter {
    value: u8,
    registers: [u8; 3],
}

impl Counter {
    fn access(&mut self, access: &Access) {
        match access {
            Access::Read(thread) => self.registers[*thread] = self.value,
            Access::Write(thread) => self.value = self.registers[*thread] + 1,
        }
    }
}

struct RightCounter;
struct WrongCounter;

thread_local! {
    static MADE: Cell<u32> = const { Cell::new(0) };
}

impl Subject for RightCounter {
    type Model = LostUpdate;

    fn model() -> LostUpdate {
        MADE.set(MADE.get() + 1);
        LostUpdate { threads: 3, is_locked: false }
    }
}

impl StateMachineTest for RightCounter {
    type SystemUnderTest = Counter;
    type Reference = Machine<RightCounter>;

    fn init_test(_: &Walk<LostUpdate>) -> Counter {
        Counter { value: 0, registers: [0; 3] }
    }

    fn apply(mut counter: Counter, _: &Walk<LostUpdate>, step: Step<Access>) -> Counter {
        if let Some(access) = step.action() {
            counter.access(access);
        }
        counter
    }

    fn check_invariants(counter: &Counter, walk: &Walk<LostUpdate>) {
        assert_eq!(counter.value, walk.state().counter);
    }
}

prop_state_machine! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(200) })]

    #[test]
    fn a_counter_of_ones_own_follows_the_model(sequential 1..12 => RightCounter);
}

impl Subject for WrongCounter {
    type Model = LostUpdate;

    fn model() -> LostUpdate {
        RightCounter::model()
    }
}

/// A counter that writes one more than it holds, not than the thread has read.
fn is_right(steps: &[Step<Access>], mut walk: Walk<LostUpdate>) -> bool {
    let mut value = 0;
    steps.iter().all(|step| {
        walk = Machine::<WrongCounter>::apply(walk.clone(), step);
        value += u8::from(matches!(step, Step::Act(Access::Write(_))));
        value == walk.state().counter
    })
}

fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, ..Config::with_cases(200) };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

#[test]
fn a_counter_that_differs_from_the_model_is_shrunk_by_proptest_itself() {
    let walks = Machine::<WrongCounter>::sequential_strategy(1..12);
    let found = runner().run(&walks, |(walk, steps, seen)| {
        if let Some(seen) = seen {
            seen.store(steps.len(), std::sync::atomic::Ordering::SeqCst);
        }
        match is_right(&steps, walk) {
            true => Ok(()),
            false => Err(proptest::test_runner::TestCaseError::fail("it differs")),
        }
    });
    let Err(TestError::Fail(_, (_, steps, _))) = found else { panic!("{found:?}") };
    // Two read before either writes; whatever else there was is left out.
    assert_eq!(steps.iter().filter(|step| step.action().is_some()).count(), 4, "{steps:?}");
}

#[test]
fn a_walk_that_has_come_to_its_end_idles() {
    let tree = Machine::<RightCounter>::sequential_strategy(10).new_tree(&mut runner()).unwrap();
    let (walk, steps, _) = proptest::strategy::ValueTree::current(&tree);
    assert!(!walk.is_at_end());
    assert!(steps[..6].iter().all(|step| step.action().is_some()));
    assert_eq!(steps[6..], [Step::Idle, Step::Idle, Step::Idle, Step::Idle]);
    assert!(steps.iter().fold(walk, Machine::<RightCounter>::apply).is_at_end());
}

#[test]
fn the_model_of_a_subject_is_made_once_in_a_thread() {
    let before = MADE.get();
    for _ in 0..5 {
        let walks = Machine::<RightCounter>::sequential_strategy(3);
        assert!(walks.new_tree(&mut runner()).is_ok());
    }
    assert_eq!(MADE.get(), before.max(1));
}
