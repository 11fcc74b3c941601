//! The game on one small program, right and wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cadre_lineage::{
    Account, EndGuarantee, FaultSet, FaultSpec, Findings, LineageError, Program, RandomInjection,
    Rounds, RunSetup, Sweep, Verdict, Wanted, certify, exhaust, explain_and_block,
    first_difference, hunt, inject_at_random, verify_complete,
};
use cadre_model::Origin;
use cadre_step::{Disk, Effects, Event, NodeId, Nothing, Protocol};
use cadre_trace::{LineageGraph, LineageKind, Standing, Trace};

/// `a` tells `b` and `c` something in every round until `told_until`.
#[derive(Clone, Debug)]
struct Telling {
    told_until: u32,
    habit: Habit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    Good,
    Syncs,
    SendsInStart,
    CountsCalls,
    PanicsUnlessTwiceTold,
}

/// What a step must not look at.
static CALLS: AtomicU32 = AtomicU32::new(0);

impl Protocol for Telling {
    type State = u32;
    type Message = u32;
    type Timer = u32;
    type Request = Nothing;
    type Response = Nothing;

    fn start(&self, node: NodeId, _: &Disk, out: &mut Effects<Self>) -> u32 {
        out.set_timer(1, Duration::from_secs(1));
        if self.habit == Habit::SendsInStart {
            out.send(node, 0);
        }
        0
    }

    fn step(&self, node: NodeId, told: &mut u32, event: Event<Self>, out: &mut Effects<Self>) {
        match event {
            Event::Deliver { .. } => *told = (*told + 1).min(2),
            Event::Timeout(round) => {
                out.set_timer(round + 1, Duration::from_secs(1));
                self.tick(node, round, *told, out);
            }
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        }
    }
}

impl Telling {
    fn tick(&self, node: NodeId, round: u32, told: u32, out: &mut Effects<Self>) {
        let is_teller = node.index() == 0;
        match self.habit {
            Habit::Syncs => out.sync(),
            Habit::CountsCalls => out.send(node, CALLS.fetch_add(1, Ordering::Relaxed)),
            Habit::PanicsUnlessTwiceTold => {
                assert!(is_teller || round < 3 || told == 2, "told too rarely");
            }
            Habit::Good | Habit::SendsInStart => {}
        }
        if is_teller && round <= self.told_until {
            out.broadcast([1, 2].map(NodeId::from_index), round);
        }
    }
}

impl Program for Telling {
    type Observation = bool;

    fn nodes(&self) -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn tick(&self, round: u32) -> u32 {
        round
    }

    fn observe(&self, _: NodeId, told: &u32) -> bool {
        *told > 0
    }

    fn guarantees(&self) -> Vec<EndGuarantee<bool>> {
        let told = |seen: &bool| *seen;
        vec![EndGuarantee::implies(
            "where one is told both are",
            move |end| end.all().any(|(_, seen)| told(seen)),
            move |end| end.all().skip(1).all(|(_, seen)| told(seen)),
        )]
    }
}

const ONCE: Telling = Telling { told_until: 1, habit: Habit::Good };
const TWICE: Telling = Telling { told_until: 2, habit: Habit::Good };

fn spec(eot: u32, eff: u32, crashes: u32) -> FaultSpec {
    FaultSpec { eot, eff, crashes }
}

fn findings(program: &Telling, spec: FaultSpec, wanted: Wanted) -> (Findings, BTreeSet<String>) {
    let mut rounds = Rounds::new(program.clone(), spec).expect("the parameters fit");
    let findings = explain_and_block(&mut rounds, wanted, |_| ControlFlow::Continue(()))
        .expect("the program fits rounds");
    let texts = match &findings.verdict {
        Verdict::Violated { counterexamples, .. } => {
            counterexamples.iter().map(|run| run.faults.text(rounds.names())).collect()
        }
        Verdict::Certified | Verdict::Vacuous | Verdict::Bounded { .. } => BTreeSet::new(),
    };
    (findings, texts)
}

fn texts<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

#[test]
fn telling_once_is_broken_by_either_loss_and_telling_twice_by_none_before_the_second() {
    let (_, found) = findings(&ONCE, spec(3, 2, 0), Wanted::Minimal);
    assert_eq!(found, texts(["O(a,b,1)", "O(a,c,1)"]));
    let (findings, _) = findings(&TWICE, spec(3, 2, 0), Wanted::Minimal);
    assert_eq!(findings.verdict, Verdict::Certified);
}

#[test]
fn omissions_end_strictly_before_eff() {
    for (eff, found) in [(0, 0), (1, 0), (2, 2)] {
        let (_, texts) = findings(&ONCE, spec(4, eff, 0), Wanted::Minimal);
        assert_eq!(texts.len(), found, "EFF {eff}");
    }
}

#[test]
fn the_smallest_come_alone_and_the_minimal_may_be_larger() {
    let (_, found) = findings(&TWICE, spec(4, 3, 1), Wanted::Smallest);
    // A receiver that crashes before it has heard anything is a counterexample of size one.
    assert_eq!(found, texts(["C(b,1)", "C(b,2)", "C(c,1)", "C(c,2)"]));
    let (_, found) = findings(&TWICE, spec(4, 3, 0), Wanted::Minimal);
    assert_eq!(found, texts(["O(a,b,1) O(a,b,2)", "O(a,c,1) O(a,c,2)"]));
    let (one, _) = findings(&TWICE, spec(4, 3, 1), Wanted::One);
    let Verdict::Violated { counterexamples, is_complete: true } = one.verdict else {
        unreachable!("expected a counterexample, found {:?}", one.verdict)
    };
    assert_eq!(counterexamples.len(), 1);
    assert_eq!(counterexamples[0].faults.len(), 1);
}

/// Every set of faults is run on its own, and those without a broken part are kept.
#[test]
fn the_minimal_counterexamples_are_those_of_trying_every_subset() {
    let mut rounds = Rounds::new(TWICE, spec(4, 3, 1)).unwrap();
    let names = rounds.names().to_vec();
    let faults: Vec<String> = (1..3)
        .flat_map(|round| {
            ["a,b", "a,c", "b,a", "b,c", "c,a", "c,b"].map(|pair| format!("O({pair},{round})"))
        })
        .chain(
            ["a", "b", "c"].iter().flat_map(|node| (1..4).map(move |t| format!("C({node},{t})"))),
        )
        .collect();
    let mut sets: Vec<u32> = (0..1 << faults.len()).collect();
    sets.sort_by_key(|set| set.count_ones());
    let mut minimal: Vec<u32> = Vec::new();
    let mut found = BTreeSet::new();
    for set in sets {
        if set >> 12 != 0 && (set >> 12).count_ones() > 1
            || minimal.iter().any(|part| part & set == *part)
        {
            continue;
        }
        let chosen = faults.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        let text = chosen.map(|(_, fault)| fault.as_str()).collect::<Vec<_>>().join(" ");
        let faults = FaultSet::parse(&text, &names).unwrap();
        if !rounds.run(&faults).unwrap().is_good() {
            minimal.push(set);
            found.insert(faults.text(&names));
        }
    }
    assert!(found.len() > 2);
    assert_eq!(findings(&TWICE, spec(4, 3, 1), Wanted::Minimal).1, found);
}

#[test]
fn a_vacuous_baseline_gives_no_certificate() {
    let (findings, _) = findings(&ONCE, spec(1, 0, 0), Wanted::One);
    assert_eq!(findings.verdict, Verdict::Vacuous);
    assert_eq!(findings.vacuous, ["where one is told both are"]);
}

#[test]
fn breaking_off_says_how_far_everything_is_covered() {
    let mut rounds = Rounds::new(TWICE, spec(4, 3, 1)).unwrap();
    let findings = explain_and_block(&mut rounds, Wanted::One, |progress| {
        if progress.covered == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(findings.unwrap().verdict, Verdict::Bounded { covered: Some(0) });
}

#[test]
fn everything_tried_agrees_at_all_small_parameters() {
    for program in [ONCE, TWICE] {
        for eot in 1..5 {
            for (eff, crashes) in (0..eot).flat_map(|eff| (0..3).map(move |most| (eff, most))) {
                let mut rounds = Rounds::new(program.clone(), spec(eot, eff, crashes)).unwrap();
                let both = verify_complete(&mut rounds).unwrap();
                assert!(both.agrees(), "{}: {both:?}", rounds.spec());
                let mut rounds = Rounds::new(program.clone(), spec(eot, eff, crashes)).unwrap();
                let unrolled = certify(&mut rounds, |_| ControlFlow::Continue(())).unwrap();
                let both = (unrolled.findings, both.exhausted);
                assert!(both.1.agrees_with(&both.0), "{}: {both:?}", rounds.spec());
            }
        }
    }
}

/// Hunting follows the two ways in which somebody is told, and is done when both are cut.
#[test]
fn a_hunt_takes_away_every_way_in_which_a_good_outcome_came_about() {
    let mut rounds = Rounds::new(TWICE, spec(4, 3, 0)).unwrap();
    let hunted = hunt(&mut rounds, |_| ControlFlow::Continue(())).unwrap();
    let run = hunted.counterexample.expect("two losses on one channel break it");
    assert_eq!(run.faults.len(), 2);
    let mut rounds = Rounds::new(TWICE, spec(4, 2, 0)).unwrap();
    let hunted = hunt(&mut rounds, |_| ControlFlow::Continue(())).unwrap();
    assert!(hunted.counterexample.is_none() && hunted.is_exhausted);
}

#[test]
fn a_sweep_grows_eot_until_something_is_judged_then_eff_until_it_breaks() {
    let mut sweep = Sweep::new(0, 2);
    let mut went = Vec::new();
    while !sweep.is_over() {
        let at = sweep.spec();
        let (found, _) = findings(&TWICE, at, Wanted::One);
        went.push((at.eot, at.eff));
        sweep.go_on(&found);
    }
    // Told in round 2, then with losses in round 1, and with more time in vain.
    assert_eq!(went, [(1, 0), (2, 0), (2, 1), (3, 2), (4, 3), (5, 3), (6, 3)]);
    assert_eq!(sweep.clean(), Some(spec(3, 2, 0)));
    assert_eq!(sweep.failing(), Some(spec(4, 3, 0)));
}

/// What is told of a run is what happened in it: both losses, in the rounds in which they do.
#[test]
fn a_run_is_recorded_with_its_faults_and_read_back() {
    let mut rounds = Rounds::new(TWICE, spec(4, 3, 1)).unwrap();
    let faults = FaultSet::parse("O(a,b,1) C(a,2)", rounds.names()).unwrap();
    let run = rounds.run(&faults).unwrap();
    let (protocol, engine) = ("telling".to_owned(), "lineage".to_owned());
    let origin = Origin { protocol, setup: BTreeMap::new(), engine };
    let trace = rounds.record(&run, &origin).unwrap();
    let told: Vec<String> = trace.schedule().map(ToString::to_string).collect();
    let expected = ["a timeout 1", "drop 1 a→b", "time passes", "CRASH a", "deliver 1 a→c"];
    assert_eq!(told, expected);
    assert_eq!(Trace::from_ndjson(&trace.to_ndjson()).as_ref(), Ok(&trace));
    let setup = RunSetup::of_header(&trace.header).unwrap();
    assert_eq!((setup.spec, setup.faults.as_str()), (spec(4, 3, 1), "O(a,b,1) C(a,2)"));
    assert_eq!(first_difference(&trace, &trace), None);
    let good = rounds.run(&FaultSet::new()).unwrap();
    let good = rounds.record(&good, &origin).unwrap();
    assert_eq!(first_difference(&good, &trace).map(|(step, _)| step), Some(2));
}

#[test]
fn an_account_names_what_was_needed_what_the_faults_took_and_what_repairs_it() {
    let mut rounds = Rounds::new(TWICE, spec(4, 3, 0)).unwrap();
    let faults = FaultSet::parse("O(a,b,1) O(a,b,2)", rounds.names()).unwrap();
    let run = rounds.run(&faults).unwrap();
    let (protocol, engine) = ("telling".to_owned(), "lineage".to_owned());
    let origin = Origin { protocol, setup: BTreeMap::new(), engine };
    let account = Account::of(&mut rounds, &run, &origin).unwrap();
    assert_eq!(
        account.needed,
        ["without faults b ends as true as a sends 1 in round 1, or a sends 2 in round 2"]
    );
    let loses = ["O(a,b,1) loses 1, which a sends to b in round 1"];
    assert_eq!(account.faults[..1], loses);
    assert!(account.outcome.iter().any(|end| end.starts_with("b ends as false")));
    assert_eq!(account.repairs[0], "if a sends 1 to b as well in round 3: tried, all holds");
    let cut = |graph: &LineageGraph, standing| {
        graph.vertices.iter().filter(|vertex| vertex.standing == standing).count()
    };
    assert_eq!(cut(&account.good_graph, Standing::Cut), 2);
    let absent = account.bad_graph.vertices.iter().find(|it| it.kind == LineageKind::Absence);
    assert!(absent.is_some_and(|it| it.label.starts_with("no 1 from a by round 2")), "{absent:?}");
}

#[test]
fn random_injection_finds_what_there_is_and_nothing_else() {
    let injection = RandomInjection { seed: 1, loss_percent: 20, runs_max: 200 };
    let mut rounds = Rounds::new(ONCE, spec(4, 2, 0)).unwrap();
    assert!(inject_at_random(&mut rounds, &injection).unwrap().is_some());
    let mut rounds = Rounds::new(TWICE, spec(4, 2, 0)).unwrap();
    assert_eq!(inject_at_random(&mut rounds, &injection).unwrap(), None);
}

#[test]
fn a_panic_of_a_step_is_a_counterexample() {
    let program = Telling { told_until: 2, habit: Habit::PanicsUnlessTwiceTold };
    let (_, found) = findings(&program, spec(4, 2, 0), Wanted::Minimal);
    assert_eq!(found, texts(["O(a,b,1)", "O(a,c,1)"]));
    let mut rounds = Rounds::new(program, spec(4, 2, 0)).unwrap();
    let run = rounds.run(&FaultSet::parse("O(a,b,1)", rounds.names()).unwrap()).unwrap();
    assert!(run.broken[0].keys.iter().any(|text| text.contains("told too rarely")), "{run:?}");
    let exhausted = exhaust(&mut rounds).unwrap();
    assert_eq!(exhausted.smallest.map(|faults| faults.len()), Some(1));
    let unrolled = certify(&mut rounds, |_| ControlFlow::Continue(())).unwrap();
    assert!(matches!(unrolled.findings.verdict, Verdict::Violated { .. }), "{unrolled:?}");
}

#[test]
fn what_rounds_do_not_have_is_refused() {
    let error = |habit| {
        let program = Telling { told_until: 1, habit };
        let rounds = Rounds::new(program, spec(3, 2, 0));
        rounds.and_then(|mut rounds| rounds.run(&FaultSet::new())).unwrap_err()
    };
    assert!(matches!(error(Habit::Syncs), LineageError::Effect { round: 1, .. }));
    assert!(matches!(error(Habit::SendsInStart), LineageError::Effect { round: 0, .. }));
    assert!(matches!(error(Habit::CountsCalls), LineageError::Impure { .. }));
}

#[test]
fn inadmissible_faults_and_parameters_are_refused() {
    for (eot, eff) in [(0, 0), (3, 3), (3, 4)] {
        let refused = Rounds::new(ONCE, spec(eot, eff, 0)).unwrap_err();
        assert_eq!(refused, LineageError::Spec { eot, eff });
    }
    let mut rounds = Rounds::new(ONCE, spec(4, 2, 1)).unwrap();
    for text in ["O(a,b,2)", "O(a,a,1)", "C(a,4)", "C(a,1) C(b,1)", "C(a,1) C(a,2)"] {
        let faults = FaultSet::parse(text, rounds.names()).unwrap();
        let error = rounds.run(&faults).unwrap_err();
        assert!(matches!(error, LineageError::Inadmissible { .. }), "{text}: {error}");
    }
    for text in ["no faults", "O(a,b,1)", "C(a,3)"] {
        rounds.run(&FaultSet::parse(text, rounds.names()).unwrap()).unwrap();
    }
}
