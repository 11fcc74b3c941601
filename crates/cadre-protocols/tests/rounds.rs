//! Programs of rounds: verdicts, smallest counterexamples and how many there are.
//!
//! The verdicts, sizes, sets and numbers of configurations below were found beforehand, by exact
//! exploration of other renderings of the same programs; so they are an independent oracle.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use cadre::lineage::{
    FaultSet, FaultSpec, Findings, Program, Progress, RandomInjection, Rounds, Verdict, Wanted,
    certify, exhaust, explain_and_block, hunt, inject_at_random, verify_complete,
};
use cadre_protocols::rounds::{
    Acknowledgement, Commit, CommitSpec, Delivery, Handover, Kafka, Migration, Paxos, Promise,
    Replication, Strategy, Termination,
};

/// EOT, EFF and crashes.
type Bounds = (u32, u32, u32);

/// What is known of a program at some parameters.
#[derive(Clone, Copy)]
struct Row {
    at: Bounds,
    /// The size of the smallest counterexample, if there is one.
    smallest: Option<usize>,
    /// How many distinct configurations there are, where both renderings remember the same; ours
    /// forget timers that have gone off.
    configurations: Option<u64>,
    /// How many runs a prototype took; ours may take four times as many.
    runs: Option<u64>,
    /// Whether there are too many runs to certify it, so that it is covered up to some size alone.
    is_large: bool,
}

fn row(at: Bounds) -> Row {
    Row { at, smallest: None, configurations: None, runs: None, is_large: false }
}

impl Row {
    fn broken_by(self, smallest: usize) -> Self {
        Self { smallest: Some(smallest), ..self }
    }

    fn configurations(self, configurations: u64) -> Self {
        Self { configurations: Some(configurations), ..self }
    }

    fn runs(self, runs: u64) -> Self {
        Self { runs: Some(runs), ..self }
    }

    fn large(self) -> Self {
        Self { is_large: true, ..self }
    }

    /// What differs from the table; nothing where all is as it says.
    fn differences<P: Program + Clone>(&self, program: &P) -> Vec<String> {
        let mut rounds = Rounds::new(program.clone(), spec(self.at)).expect("the parameters fit");
        let exhausted = exhaust(&mut rounds).expect("the program fits rounds");
        let mut rounds = Rounds::new(program.clone(), spec(self.at)).expect("the parameters fit");
        let until = |progress: &Progress| {
            let is_enough = self.is_large && progress.covered >= Some(COVERED_OF_LARGE);
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let findings = explain_and_block(&mut rounds, Wanted::One, until).expect("it fits rounds");
        let by_lineage = match &findings.verdict {
            Verdict::Violated { counterexamples, .. } => Some(counterexamples[0].faults.len()),
            Verdict::Certified | Verdict::Vacuous | Verdict::Bounded { .. } => None,
        };
        let is_certified = findings.verdict == Verdict::Certified;
        let mut rounds = Rounds::new(program.clone(), spec(self.at)).expect("the parameters fit");
        let unrolled = certify(&mut rounds, |_| ControlFlow::Continue(())).expect("it fits rounds");
        let by_unrolling = match &unrolled.findings.verdict {
            Verdict::Violated { counterexamples, .. } => Some(counterexamples[0].faults.len()),
            Verdict::Certified | Verdict::Vacuous | Verdict::Bounded { .. } => None,
        };
        let is_certified_unrolled = unrolled.findings.verdict == Verdict::Certified;
        let exhausted_size = exhausted.smallest.as_ref().map(FaultSet::len);
        let facts = [
            ("size by trying everything", exhausted_size == self.smallest),
            ("size by lineage", by_lineage == self.smallest),
            ("certificate", is_certified == (self.smallest.is_none() && !self.is_large)),
            ("size by unrolling", by_unrolling == self.smallest),
            ("certificate by unrolling", is_certified_unrolled == self.smallest.is_none()),
            ("baseline", findings.vacuous.is_empty()),
            ("runs", self.runs.is_none_or(|runs| findings.runs <= 4 * runs)),
            (
                "configurations",
                self.configurations.is_none_or(|known| known == exhausted.configurations),
            ),
        ];
        let wrong = facts.iter().filter(|(_, is_right)| !is_right);
        wrong
            .map(|(what, _)| format!("{what} at {}: {exhausted:?} {findings:?}", spec(self.at)))
            .collect()
    }
}

/// How many faults are covered where there are too many sets to cover all.
const COVERED_OF_LARGE: usize = 3;

fn check<P: Program + Clone, const N: usize>(program: &P, rows: [Row; N]) {
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.differences(program)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn spec((eot, eff, crashes): Bounds) -> FaultSpec {
    FaultSpec { eot, eff, crashes }
}

fn go<P: Program + Clone>(rounds: &mut Rounds<P>, wanted: Wanted) -> Findings {
    explain_and_block(rounds, wanted, |_| ControlFlow::Continue(()))
        .expect("the program fits rounds")
}

fn found<P: Program + Clone>(program: &P, at: Bounds, wanted: Wanted) -> BTreeSet<String> {
    let mut rounds = Rounds::new(program.clone(), spec(at)).expect("the parameters fit");
    match go(&mut rounds, wanted).verdict {
        Verdict::Violated { counterexamples, is_complete: true } => {
            counterexamples.iter().map(|run| run.faults.text(rounds.names())).collect()
        }
        other => unreachable!("expected counterexamples, found {other:?}"),
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

fn commit(termination: Termination, spec: CommitSpec) -> Commit {
    Commit { termination, spec }
}

#[test]
fn deliveries_break_or_hold_as_tabulated() {
    check(
        &Delivery::new(Strategy::Simple),
        [
            row((4, 2, 0)).broken_by(1).configurations(16).runs(2),
            row((6, 3, 0)).broken_by(1).configurations(24).runs(2),
        ],
    );
    check(
        &Delivery::new(Strategy::Retry),
        [
            row((6, 3, 0)).configurations(27).runs(9),
            row((25, 23, 0)).configurations(346).runs(529),
            row((4, 2, 1)).broken_by(2).configurations(42).runs(13),
            row((6, 3, 1)).broken_by(2).configurations(85).runs(24),
        ],
    );
    check(
        &Delivery::new(Strategy::Classic),
        [
            row((5, 3, 0)).broken_by(3).configurations(61).runs(16),
            row((6, 0, 2)).configurations(174).runs(91),
        ],
    );
    check(
        &Delivery::new(Strategy::Redundant),
        [
            row((6, 3, 0)).configurations(111).runs(11),
            row((6, 3, 1)).configurations(172).runs(121),
            row((11, 10, 1)).configurations(1_094),
        ],
    );
    check(
        &Delivery::new(Strategy::Acknowledged),
        [
            row((6, 3, 1)).configurations(510).runs(830),
            row((8, 6, 1)).configurations(31_112).large(),
            row((8, 7, 1)).configurations(47_201).large(),
        ],
    );
}

#[test]
fn commits_break_or_hold_as_tabulated() {
    let strict = |termination| commit(termination, CommitSpec::Strict);
    let optimist = |termination| commit(termination, CommitSpec::Optimist);
    check(
        &strict(Termination::Wait),
        [
            row((7, 3, 0)).configurations(365).runs(216),
            row((5, 0, 1)).broken_by(1).configurations(40).runs(3),
            row((6, 0, 1)).broken_by(1).configurations(52).runs(7),
            row((6, 0, 2)).broken_by(1).runs(7),
            row((6, 3, 1)).broken_by(1).runs(7),
        ],
    );
    check(
        &optimist(Termination::Wait),
        [
            row((6, 0, 1)).broken_by(1).configurations(52).runs(6),
            row((6, 0, 2)).broken_by(1).configurations(175).runs(6),
        ],
    );
    check(
        &optimist(Termination::Timeout),
        [row((6, 0, 1)).configurations(52).runs(21), row((6, 0, 2)).configurations(181).runs(171)],
    );
    check(
        &strict(Termination::Cooperative),
        [row((6, 0, 1)).broken_by(1).runs(14), row((6, 0, 2)).broken_by(1).runs(8)],
    );
    check(
        &strict(Termination::ThreePhases),
        [row((8, 0, 1)).runs(29), row((8, 0, 2)).runs(323), row((9, 7, 1)).broken_by(2).runs(109)],
    );
}

#[test]
fn kafka_paxos_and_replication_break_or_hold_as_tabulated() {
    check(
        &Kafka,
        [
            row((7, 4, 1)).broken_by(3).configurations(2_906).runs(358),
            row((7, 4, 0)).configurations(900).runs(240),
        ],
    );
    check(
        &Paxos { promise: Promise::Broken, retry_delay: 3 },
        [
            row((7, 4, 0)).broken_by(2).configurations(3_418).runs(15),
            row((7, 6, 1)).broken_by(2).runs(88),
            row((8, 3, 0)).configurations(310),
            row((8, 3, 1)),
        ],
    );
    check(
        &Paxos { promise: Promise::Kept, retry_delay: 4 },
        [row((9, 5, 0)).configurations(4_844).runs(748), row((9, 5, 1))],
    );
    check(&Handover, [row((6, 3, 0)).broken_by(1).runs(2)]);
    check(&Migration, [row((6, 4, 0)).broken_by(1).runs(2)]);
    check(
        &Replication { acknowledgement: Acknowledgement::Primary },
        [row((6, 4, 1)).broken_by(2).runs(22)],
    );
    check(&Replication { acknowledgement: Acknowledgement::Backups }, [row((6, 4, 1)).runs(109)]);
}

#[test]
fn the_smallest_counterexamples_are_exactly_those_known() {
    let simple = Delivery::new(Strategy::Simple);
    assert_eq!(found(&simple, (4, 2, 0), Wanted::Minimal), texts(["O(a,b,1)", "O(a,c,1)"]));
    let retry = texts(["O(a,b,1) C(a,2)", "O(a,c,1) C(a,2)"]);
    assert_eq!(found(&Delivery::new(Strategy::Retry), (4, 2, 1), Wanted::Minimal), retry);
    let classic = texts(["O(a,b,1) O(c,a,2) O(c,b,2)", "O(a,c,1) O(b,a,2) O(b,c,2)"]);
    assert_eq!(found(&Delivery::new(Strategy::Classic), (5, 3, 0), Wanted::Minimal), classic);
    let kafka = texts(["O(b,Z,1) O(c,Z,1) C(a,5)", "O(b,Z,1) O(c,Z,1) C(a,6)"]);
    assert_eq!(found(&Kafka, (7, 4, 1), Wanted::Smallest), kafka);
    let paxos = Paxos { promise: Promise::Broken, retry_delay: 3 };
    assert_eq!(found(&paxos, (7, 4, 0), Wanted::Smallest), texts(["O(b,a,3) O(b,c,3)"]));
    let handover = texts(["O(A,FF,1)", "O(A,FF,2)"]);
    assert_eq!(found(&Handover, (6, 3, 0), Wanted::Smallest), handover);
    assert_eq!(found(&Migration, (6, 4, 0), Wanted::Minimal), texts(["O(n1,n2,1)"]));
    let primary = Replication { acknowledgement: Acknowledgement::Primary };
    assert!(found(&primary, (6, 4, 1), Wanted::Smallest).contains("O(a,b,2) O(a,c,2)"));
}

#[test]
fn the_crashes_that_block_commits_are_exactly_those_known() {
    let agents = texts(["C(a,1)", "C(a,2)", "C(b,1)", "C(b,2)", "C(d,1)", "C(d,2)"]);
    let coordinator = texts(["C(C,2)", "C(C,3)", "C(C,4)"]);
    let both = agents.union(&coordinator).cloned().collect();
    let waiting = |spec| commit(Termination::Wait, spec);
    for at in [(5, 0, 1), (6, 0, 1), (6, 0, 2), (6, 3, 1)] {
        assert_eq!(found(&waiting(CommitSpec::Strict), at, Wanted::Smallest), both, "{at:?}");
    }
    for at in [(6, 0, 1), (6, 0, 2)] {
        assert_eq!(found(&waiting(CommitSpec::Optimist), at, Wanted::Smallest), agents, "{at:?}");
    }
    let cooperative = commit(Termination::Cooperative, CommitSpec::Strict);
    assert_eq!(found(&cooperative, (6, 0, 1), Wanted::Minimal), coordinator);
    let three_phases = commit(Termination::ThreePhases, CommitSpec::Strict);
    let pairs = found(&three_phases, (9, 7, 1), Wanted::Smallest);
    assert_eq!(pairs.len(), 21);
    assert_eq!(pairs.iter().filter(|pair| pair.contains("C(")).count(), 12);
    for pair in ["O(C,b,6) C(a,3)", "O(C,b,6) C(a,4)", "O(C,b,6) O(d,C,4)"] {
        assert!(pairs.contains(pair), "{pair}: {pairs:?}");
    }
}

#[test]
fn without_the_promise_or_the_filter_for_correct_nodes_the_verdict_flips() {
    let paxos = |promise| Paxos { promise, retry_delay: 4 };
    assert_eq!(paxos_verdict(paxos(Promise::Kept)), None);
    assert!(paxos_verdict(paxos(Promise::Broken)).is_some());
    let redundant = Delivery::new(Strategy::Redundant);
    let of_all = Delivery { counts_correct_nodes_only: false, ..redundant };
    check(&redundant, [row((6, 3, 1))]);
    check(&of_all, [row((6, 3, 1)).broken_by(1)]);
}

fn paxos_verdict(paxos: Paxos) -> Option<usize> {
    let mut rounds = Rounds::new(paxos, spec((9, 5, 0))).expect("the parameters fit");
    match go(&mut rounds, Wanted::One).verdict {
        Verdict::Violated { counterexamples, .. } => Some(counterexamples[0].faults.len()),
        Verdict::Certified => None,
        other => unreachable!("expected all to be searched, found {other:?}"),
    }
}

/// Positive lineage misses what faults add: the price of few runs, which is why it certifies
/// nothing. What it finds is real.
#[test]
fn a_hunt_finds_most_bugs_in_few_runs_and_is_blind_to_what_faults_add() {
    fn hunted<P: Program>(program: P, at: Bounds) -> (Option<usize>, u64) {
        let mut rounds = Rounds::new(program, spec(at)).expect("the parameters fit");
        let hunted = hunt(&mut rounds, |_| ControlFlow::Continue(())).expect("it fits rounds");
        assert!(hunted.is_exhausted || hunted.counterexample.is_some());
        (hunted.counterexample.map(|run| run.faults.len()), hunted.runs)
    }
    assert_eq!(hunted(Delivery::new(Strategy::Retry), (4, 2, 1)).0, Some(2));
    assert_eq!(hunted(Delivery::new(Strategy::Classic), (5, 3, 0)).0, Some(3));
    let (size, runs) = hunted(Kafka, (7, 4, 1));
    assert!(size == Some(3) && runs <= 358, "{size:?} in {runs} runs");
    let three_phases = commit(Termination::ThreePhases, CommitSpec::Strict);
    assert_eq!(hunted(three_phases, (9, 7, 1)).0, None);
}

#[test]
fn random_injection_takes_longer_where_several_faults_have_to_meet() {
    let classic = Delivery::new(Strategy::Classic);
    let mut rounds = Rounds::new(classic, spec((5, 3, 0))).unwrap();
    let by_lineage = go(&mut rounds, Wanted::One).runs;
    let taken = (0..25).map(|seed| {
        let injection = RandomInjection { seed, loss_percent: 10, runs_max: 10_000 };
        inject_at_random(&mut rounds, &injection).unwrap().expect("one of these runs is bad")
    });
    let mean = taken.sum::<u64>() / 25;
    assert!(mean > 10 * by_lineage, "{mean} runs at random, {by_lineage} by lineage");
}

/// With a delay of three rounds proposers that keep promises overtake each other for ever.
#[test]
fn where_nothing_is_chosen_without_faults_nothing_is_certified() {
    let paxos = Paxos { promise: Promise::Kept, retry_delay: 3 };
    let mut rounds = Rounds::new(paxos, spec((9, 3, 0))).expect("the parameters fit");
    let findings = go(&mut rounds, Wanted::One);
    assert_eq!(findings.vacuous, ["one value is chosen"]);
    assert!(!matches!(findings.verdict, Verdict::Certified));
}

#[test]
fn lineage_finds_what_everything_tried_finds_and_never_runs_more() {
    fn compare<P: Program + Clone>(program: &P, at: Bounds) {
        let mut rounds = Rounds::new(program.clone(), spec(at)).expect("the parameters fit");
        let both = verify_complete(&mut rounds).expect("the program fits rounds");
        assert!(both.agrees(), "{at:?}: {both:?}");
        assert!(both.ratio() >= 1u32.into(), "{at:?}: {both:?}");
    }
    for strategy in [
        Strategy::Simple,
        Strategy::Retry,
        Strategy::Redundant,
        Strategy::Acknowledged,
        Strategy::Classic,
    ] {
        for (eot, eff) in (2..6).flat_map(|eot| (0..eot.min(4)).map(move |eff| (eot, eff))) {
            for crashes in 0..3 {
                compare(&Delivery::new(strategy), (eot, eff, crashes));
            }
        }
    }
    for termination in [
        Termination::Wait,
        Termination::Timeout,
        Termination::Cooperative,
        Termination::ThreePhases,
    ] {
        for at in [(6, 0, 1), (6, 3, 0), (6, 2, 1), (8, 2, 1)] {
            compare(&commit(termination, CommitSpec::Strict), at);
            compare(&commit(termination, CommitSpec::Optimist), at);
        }
    }
    for at in [(6, 0, 1), (6, 3, 0), (6, 3, 1)] {
        compare(&Handover, at);
        compare(&Migration, at);
    }
    for at in [(7, 0, 1), (7, 3, 0), (7, 3, 1)] {
        compare(&Kafka, at);
        compare(&Paxos { promise: Promise::Broken, retry_delay: 3 }, at);
        compare(&Paxos { promise: Promise::Kept, retry_delay: 4 }, at);
        compare(&Replication { acknowledgement: Acknowledgement::Primary }, at);
        compare(&Replication { acknowledgement: Acknowledgement::Backups }, at);
    }
}
