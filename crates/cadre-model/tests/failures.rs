//! Steps that panic or are not pure; alone in its process, because panic hooks belong to a process.
#![expect(clippy::unwrap_used, reason = "a helper that does not get what it expects ends its test")]

use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};

use cadre_model::{Cluster, Model, Part};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::Status;

static PRINTED: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicU32 = AtomicU32::new(0);

/// What goes wrong when a node does what it may do of its own accord.
#[derive(Clone, Copy)]
enum Wrong {
    StepPanics,
    StartPanics,
    ChoicesPanic,
    StepCounts,
}

impl Protocol for Wrong {
    type State = u32;
    type Message = Nothing;
    type Timer = u32;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u32 {
        match self {
            Self::StartPanics => panic!("no start"),
            Self::StepPanics | Self::ChoicesPanic | Self::StepCounts => 0,
        }
    }

    fn step(&self, _: NodeId, state: &mut u32, _: Event<Self>, _: &mut Effects<Self>) {
        match self {
            Self::StepPanics => {
                let found = *state;
                panic!("found {found} where more was expected");
            }
            Self::StepCounts => *state = CALLS.fetch_add(1, Ordering::SeqCst) + 1,
            Self::ChoicesPanic | Self::StartPanics => *state += 1,
        }
    }

    fn choices(&self, _: NodeId, state: &u32) -> Vec<u32> {
        if *state > 0 {
            assert!(!matches!(self, Self::ChoicesPanic), "no choice");
            return Vec::new();
        }
        vec![1]
    }
}

/// The failure that the trace of the only possible step tells.
fn failure(wrong: Wrong) -> String {
    let cluster = Cluster::builder(wrong).node("a").build().unwrap();
    assert_eq!(cluster.guarantees()[0].name, "every step returns");
    let mut choices = Vec::new();
    cluster.actions(cluster.initial(), &mut choices);
    let after = cluster.next(cluster.initial(), &choices[0]).unwrap();
    assert!(cluster.evaluate(0, Part::Main, cluster.initial()));
    assert!(!cluster.evaluate(0, Part::Main, &after));
    assert_eq!(cluster.snapshot(&after).nodes["a"].status, Status::Failed);
    let origin = cadre_model::Origin {
        protocol: "wrong".to_owned(),
        setup: std::collections::BTreeMap::new(),
        engine: "test".to_owned(),
    };
    let trace = cluster.record(&origin, &choices[..1], Some((0, cadre_trace::Verdict::Violated)));
    let finding = trace.header.guarantee.unwrap().finding.unwrap();
    let told = trace.steps[0].failure.clone().unwrap();
    assert_eq!(finding, format!("a failed: {told}"));
    choices.clear();
    cluster.actions(&after, &mut choices);
    assert!(choices.is_empty(), "a node that failed takes no more steps");
    told
}

#[test]
fn what_goes_wrong_in_a_step_is_told_and_not_printed() {
    panic::set_hook(Box::new(|_| {
        PRINTED.fetch_add(1, Ordering::SeqCst);
    }));
    let told = failure(Wrong::StepPanics);
    assert!(told.starts_with("found 0 where more was expected ("), "{told}");
    assert!(told.contains("failures.rs:"), "{told}");
    assert!(failure(Wrong::ChoicesPanic).starts_with("no choice ("));
    assert!(failure(Wrong::StepCounts).starts_with("the step function gave two results"));
    let cluster = Cluster::builder(Wrong::StartPanics).node("a").build().unwrap();
    assert!(!cluster.evaluate(0, Part::Main, cluster.initial()));
    assert_eq!(PRINTED.load(Ordering::SeqCst), 0, "a panic in a step reached the hook");

    let outside = panic::catch_unwind(|| panic!("outside of a step"));
    assert!(outside.is_err());
    assert_eq!(PRINTED.load(Ordering::SeqCst), 1, "the hook serves what is no step");

    // A runner of tests may put its own hook before the cluster's.
    panic::set_hook(Box::new(|_| {}));
    assert_eq!(failure(Wrong::StepPanics), "found 0 where more was expected");
    drop(panic::take_hook());
}
