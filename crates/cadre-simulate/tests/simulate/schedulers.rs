use cadre_model::{Cluster, Faults, Guarantee, Network, View};
use cadre_simulate::{Config, Delay, Ending, Scheduler, Span};
use cadre_step::Event;

use crate::tiny::{MS, Tiny, node, one, runs, short, three};

/// Node `c` counts what it has heard from `a` before it heard from `b`, which speaks as often.
fn race<const ROUNDS: u32>() -> Cluster<Tiny> {
    let tiny = Tiny {
        start: |id, _, out| {
            if id != node(2) {
                out.set_timer(0, MS);
            }
            0
        },
        step: |id, state, event, out| match event {
            Event::Timeout(_) => {
                out.send(node(2), u32::try_from(id.index()).unwrap());
                *state += 1;
                if *state < 10 {
                    out.set_timer(0, MS);
                }
            }
            // It counts up for `a` until `b` is heard.
            Event::Deliver { message: 0, .. } if *state < 100 => *state += 1,
            Event::Deliver { message: 1, .. } if *state < 100 => *state += 100,
            Event::Deliver { .. }
            | Event::Request { .. }
            | Event::SyncDone
            | Event::SyncFailed(_) => {}
        },
    };
    let calm = Guarantee::always("b is heard soon", |view: &View<Tiny>| {
        view.state(node(2)).is_none_or(|heard| *heard >= 100 || *heard < ROUNDS)
    });
    three(tiny, Network::ConsumedOnce, Faults::default(), calm)
}

fn found_by(scheduler: Scheduler, cluster: &Cluster<Tiny>, count: u64) -> bool {
    let latency = Delay::Uniform(Span::from_us(400), Span::from_us(600));
    let config = Config { schedulers: vec![scheduler], latency, ..short() };
    let found = runs(cluster, &config, count);
    let is_violated = found.violation.is_some();
    assert!(found.violation.is_none_or(|found| found.ending == Ending::Violated { guarantee: 1 }));
    is_violated
}

#[test]
fn priorities_and_bounded_delays_find_an_order_that_time_alone_never_shows() {
    let cluster = race::<3>();
    assert!(!found_by(Scheduler::Timed, &cluster, 200), "latencies differ by too little");
    assert!(found_by(Scheduler::Priorities { changes: 3 }, &cluster, 200));
    assert!(found_by(Scheduler::DelayBounded { delays: 4 }, &cluster, 200));
}

#[test]
fn an_order_that_cannot_be_is_found_by_no_scheduler() {
    // Node `a` speaks ten times in all.
    let cluster = race::<11>();
    for scheduler in [
        Scheduler::Timed,
        Scheduler::Priorities { changes: 3 },
        Scheduler::DelayBounded { delays: 4 },
    ] {
        assert!(!found_by(scheduler, &cluster, 200), "{scheduler}");
    }
}

#[test]
fn the_schedulers_take_turns() {
    let schedulers = vec![Scheduler::Timed, Scheduler::Priorities { changes: 2 }];
    let config = Config { schedulers: schedulers.clone(), ..short() };
    let cluster = race::<11>();
    let met: Vec<Scheduler> =
        runs(&cluster, &config, 4).runs.iter().map(|run| run.scheduler).collect();
    assert_eq!(met, [schedulers[1], schedulers[0], schedulers[1], schedulers[0]]);
    assert_eq!(one(&cluster, &short()).scheduler, Scheduler::Timed);
}
