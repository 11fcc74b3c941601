use std::time::Duration;

use cadre_model::{Budget, Cluster, Faults, Guarantee, Network, View};
use cadre_simulate::{Config, Ending, Span, record};
use cadre_step::{Effects, Event};
use cadre_trace::Verdict;

use crate::tiny::{MS, Tiny, agree, every_fault, gossip, node, one, origin, runs, short, three};

fn agreement() -> Guarantee<View<Tiny>> {
    Guarantee::convergent("all know the same", agree)
}

fn all_know_seven() -> Guarantee<View<Tiny>> {
    Guarantee::eventually("all know 7", |view: &View<Tiny>| {
        view.nodes().all(|node| view.state(node) == Some(&7))
    })
}

#[test]
fn what_repairs_itself_converges_once_the_faults_have_stopped() {
    let cluster = three(gossip(), Network::ConsumedOnce, every_fault(), agreement());
    let config = Config {
        loss: 0.5,
        crash_every: Some(Span::from_ms(200)),
        partition_every: Some(Span::from_ms(300)),
        ..short()
    };
    let found = runs(&cluster, &config, 20);
    assert_eq!(found.violation, None);
    assert!(found.runs.iter().all(|run| run.ending == Ending::Converged));
    assert!(found.tally.lost > 0 && found.tally.faults["crashes"] > 0);
}

#[test]
fn what_needs_nodes_that_are_down_for_good_had_no_quorum() {
    let faults = Faults { crashes: Budget::Unlimited, ..Faults::default() };
    let cluster = three(gossip(), Network::ConsumedOnce, faults, all_know_seven());
    let config = Config { crash_every: Some(Span::from_us(200)), down_max: Some(3), ..short() };
    let found = runs(&cluster, &config, 5);
    assert_eq!(found.violation, None);
    assert!(found.runs.iter().all(|run| matches!(run.ending, Ending::NoQuorum { guarantee: 1 })));
}

/// Two nodes of which each always wants what the other has just given up.
fn fickle() -> Tiny {
    Tiny {
        start: |id, _, out| {
            out.set_timer(0, MS);
            u32::from(id == node(0))
        },
        step: |id, state, event, out: &mut Effects<Tiny>| match event {
            Event::Timeout(_) => {
                out.send(node((id.index() + 1) % 3), *state);
                out.set_timer(0, MS);
            }
            Event::Deliver { message, .. } => *state = 1 - message,
            Event::Request { .. } | Event::SyncDone | Event::SyncFailed(_) => {}
        },
    }
}

#[test]
fn what_goes_on_without_getting_anywhere_is_a_livelock() {
    let cluster = three(fickle(), Network::ConsumedOnce, Faults::default(), agreement());
    let run = one(&cluster, &short());
    assert_eq!(run.ending, Ending::Livelock { guarantee: 1 });
    assert!(run.ending.is_wrong() && run.tally.time_us > 1_900_000);
    let recorded = record(&cluster, &short(), run.seed, &origin()).unwrap();
    assert_eq!(recorded.run, run);
    assert_eq!(recorded.trace.header.verdict, Verdict::Bounded, "a cycle has not been shown");
}

/// What never does anything.
fn idle() -> Tiny {
    Tiny { start: |id, _, _| u32::from(id == node(0)), step: |_, _, _, _| {} }
}

#[test]
fn what_can_do_nothing_any_more_is_stuck() {
    let cluster = three(idle(), Network::ConsumedOnce, Faults::default(), agreement());
    assert_eq!(one(&cluster, &short()).ending, Ending::Stuck { guarantee: 1 });
    let never_stuck = Guarantee::never_stuck("nobody gets stuck", |_: &View<Tiny>| false);
    let cluster = three(idle(), Network::ConsumedOnce, Faults::default(), never_stuck);
    let run = one(&cluster, &short());
    assert_eq!(run.ending, Ending::Violated { guarantee: 1 });
    let recorded = record(&cluster, &short(), run.seed, &origin()).unwrap();
    assert_eq!(recorded.trace.header.verdict, Verdict::Violated);
}

#[test]
fn what_goes_on_without_time_passing_is_a_zeno_run() {
    let hasty = Tiny {
        start: |_, _, out| {
            out.set_timer(0, Duration::ZERO);
            0
        },
        step: |_, _, event, out| {
            if let Event::Timeout(_) = event {
                out.set_timer(0, Duration::ZERO);
            }
        },
    };
    let cluster = three(hasty, Network::ConsumedOnce, Faults::default(), agreement());
    let run = one(&cluster, &short());
    assert_eq!(run.ending, Ending::Zeno);
    assert!(run.ending.is_wrong() && run.tally.time_us < 1_000);
}

#[test]
fn a_step_that_panics_is_a_violation_with_its_trace() {
    let fragile = Tiny {
        start: |_, _, out| {
            out.set_timer(0, MS);
            0
        },
        step: |id, state, event, out| {
            *state += 1;
            assert!(*state < 5 || id != node(1), "five is too many");
            if let Event::Timeout(_) = event {
                out.set_timer(0, MS);
            }
        },
    };
    let cluster: Cluster<Tiny> =
        three(fragile, Network::ConsumedOnce, Faults::default(), agreement());
    let run = one(&cluster, &short());
    assert_eq!(run.ending, Ending::Violated { guarantee: 0 });
    let trace = record(&cluster, &short(), run.seed, &origin()).unwrap().trace;
    let last = trace.steps.last().unwrap();
    assert!(last.failure.as_ref().unwrap().starts_with("five is too many"));
    assert!(last.at_us.unwrap() > 1_000 && last.at_us.unwrap() <= run.tally.time_us);
    let times: Vec<u64> = trace.steps.iter().map(|step| step.at_us.unwrap()).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_run_with_too_many_events_says_that_it_was_cut_off() {
    let cluster = three(gossip(), Network::ConsumedOnce, Faults::default(), agreement());
    let run = one(&cluster, &Config { events_max: 10, ..short() });
    assert_eq!((run.ending, run.ending.is_wrong()), (Ending::EventsMax, false));
}
