use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};

use cadre_model::{Budget, Cluster, Faults, Guarantee, Model, Site, View, check};
use cadre_proptest::{FuzzOptions, FuzzOutcome, Weights, WeightsError, fuzz, fuzz_twice};
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};

use crate::lost_update;

/// A node that ticks, and may crash and restart: its memory is how often it ticked.
struct Ticker;

impl Protocol for Ticker {
    type State = u8;
    type Message = Nothing;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
        0
    }

    fn step(&self, _: NodeId, ticks: &mut u8, _: Event<Self>, _: &mut Effects<Self>) {
        *ticks = ticks.saturating_add(1);
    }

    fn choices(&self, _: NodeId, _: &u8) -> Vec<String> {
        vec!["tick".to_owned()]
    }
}

fn ticker(most: u8) -> Rc<Cluster<Ticker>> {
    let faults = Faults { crash_restarts: Budget::Unlimited, ..Faults::default() };
    let few = move |view: &View<Ticker>| {
        view.state(NodeId::from_index(0)).is_none_or(|ticks| *ticks < most)
    };
    let cluster = Cluster::builder(Ticker).node("n").faults(faults);
    Rc::new(cluster.guarantee(Guarantee::always("few ticks in a row", few)).build().unwrap())
}

fn run(most: u8, weights: Weights) -> FuzzOutcome<cadre_model::Choice> {
    let options = FuzzOptions { cases: 50, steps_max: 40, seed: 1, weights };
    fuzz(&ticker(most), &options, &mut |_| true)
}

#[test]
fn what_weighs_nothing_never_happens() {
    let weights =
        |given: &[(&'static str, u32)]| Weights::new(&*ticker(1), given.iter().copied()).unwrap();
    assert!(run(40, weights(&[("crash-restart", 0)])).violation.is_some());
    assert!(run(40, weights(&[("choose", 1), ("crash-restart", 9)]).steady()).violation.is_none());
    // A node that has not ticked loses nothing in a crash, which then does not happen.
    let idle = run(1, weights(&[("choose", 0)]));
    assert_eq!((idle.violation, idle.cases_run, idle.steps), (None, 50, 0));
}

#[test]
fn weights_that_vary_find_what_steady_ones_do_not() {
    // Half of the walks do without crashes: a long run of ticks needs such a walk.
    assert!(run(35, Weights::default().steady()).violation.is_none());
    assert!(run(35, Weights::default()).violation.is_some());
}

#[test]
fn weights_of_classes_that_are_not_there_or_all_zero_are_refused() {
    let model = lost_update::checked(2, true);
    let refused =
        |given: &[(&'static str, u32)]| Weights::new(&model, given.iter().copied()).unwrap_err();
    assert_eq!(
        refused(&[("crash", 1)]),
        WeightsError::Unknown { found: "crash".to_owned(), known: vec!["action", "fault"] }
    );
    assert_eq!(refused(&[("action", 0), ("fault", 0)]), WeightsError::AllZero);
    let large = WeightsError::TooLarge { class: "action".to_owned(), found: 1_000_001 };
    assert_eq!(refused(&[("action", 1_000_001)]), large);
}

#[test]
fn the_classes_of_a_cluster_are_told_where_one_is_unknown() {
    let error = Weights::new(&*ticker(1), [("tea-break", 3)]).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no class of actions `tea-break`; there is deliver, choose,")
    );
    assert!(error.contains("crash-restart"), "{error}");
}

/// A ticker that adds what it finds in a global variable, which each start makes larger.
struct Impure(&'static AtomicU8);

impl Protocol for Impure {
    type State = u8;
    type Message = Nothing;
    type Timer = String;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, _: NodeId, _: &Disk, _: &mut Effects<Self>) -> u8 {
        self.0.fetch_add(1, Ordering::SeqCst);
        0
    }

    fn step(&self, _: NodeId, ticks: &mut u8, _: Event<Self>, _: &mut Effects<Self>) {
        // Twice in a row it does the same, and not before the third step anything else.
        let most = if *ticks < 2 { 1 } else { self.0.load(Ordering::SeqCst) };
        *ticks = ticks.saturating_add(most);
    }

    fn choices(&self, _: NodeId, _: &u8) -> Vec<String> {
        vec!["tick".to_owned()]
    }
}

#[test]
fn a_protocol_that_looks_at_a_global_variable_is_found_out_in_the_step_where_it_does() {
    static STARTS: AtomicU8 = AtomicU8::new(0);
    let mut make = || Cluster::builder(Impure(&STARTS)).node("n").build().map(Rc::new);
    let options = FuzzOptions { cases: 3, steps_max: 5, ..FuzzOptions::default() };
    let once = fuzz(&make().unwrap(), &options, &mut |_| true);
    assert_eq!(once.violation, None, "each step does the same when it is taken twice");
    let parted = fuzz_twice(&mut make, &options, &mut |_| true).unwrap().parted.unwrap();
    assert_eq!(parted.parting.site, Some(Site { run: 1, step: 3 }));
    assert_eq!(parted.parting.what, "configuration");
    assert_eq!(parted.paths.map(|path| path.len()), [3, 3]);
}

#[test]
fn a_pure_model_does_the_same_twice() {
    let options = FuzzOptions { cases: 20, ..FuzzOptions::default() };
    let twice = |seed| {
        let options = FuzzOptions { seed, ..options.clone() };
        let mut make = || Ok::<_, ()>(Rc::new(lost_update::checked(3, true)));
        fuzz_twice(&mut make, &options, &mut |_| true).unwrap()
    };
    assert_eq!(twice(1).parted, None);
    assert_eq!(twice(1), twice(1));
    assert_ne!(twice(1).fingerprint, twice(2).fingerprint);
    let mut make = || Ok::<_, ()>(ticker(3));
    let failing = fuzz_twice(&mut make, &options, &mut |_| true).unwrap();
    assert_eq!((failing.parted, failing.outcome.violation.is_some()), (None, true));
}

#[test]
fn searches_that_are_stopped_are_not_compared() {
    let mut asked = 0;
    let mut make = || Ok::<_, ()>(Rc::new(check(Ticks).always("few", |ticks| *ticks < 100)));
    let options = FuzzOptions { cases: 10, ..FuzzOptions::default() };
    let twice = fuzz_twice(&mut make, &options, &mut |_| {
        asked += 1;
        asked < 15
    });
    let twice = twice.unwrap();
    assert_eq!((twice.parted, twice.outcome.stopped), (None, true));
}

struct Ticks;

impl Model for Ticks {
    type State = u32;
    type Action = ();

    fn init(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, _: &u32, out: &mut Vec<()>) {
        out.push(());
    }

    fn next(&self, ticks: &u32, (): &()) -> Option<u32> {
        Some((ticks + 1).min(50))
    }
}
