use std::collections::BTreeMap;
use std::path::Path;

use cadre_process::Stop;
use cadre_tla::Engine;

use super::events::LogEvent;
use super::told::Told;
use super::{LogMapping, LogTrace};
use crate::{ConformError, Options, Reason, Report, Spec, SpecTrace, TraceVerdict, check};

/// How many steps the other orders of one execution have together that are tried.
const STEPS_MAX: usize = 50_000;

/// How often TLC is run for other orders: each time for those that begin as one that was rejected
/// does, and then go on otherwise.
const ROUNDS_MAX: usize = 20;

/// Checks logs as [`check`] does traces.
///
/// Clocks mostly leave open in which order some of the lines happened, so that a rejection says no
/// more than that this one order is none of the specification. The other orders that agree with the
/// clocks are tried then, up to a bound: an execution conforms if one of them does, and the trace
/// is in that order afterwards; it is rejected if none does, with the rejection of the first order;
/// and it is undetermined if none of those that were tried does, and there are more.
///
/// # Errors
///
/// As [`check`].
pub fn check_logs(
    spec: &Spec,
    mapping: &LogMapping,
    traces: &mut [LogTrace],
    engine: &dyn Engine,
    directory: &Path,
    options: &Options,
    stop: &Stop,
) -> Result<Report, ConformError> {
    let told = |traces: &[LogTrace]| -> Vec<SpecTrace> {
        traces.iter().map(|trace| trace.spec.clone()).collect()
    };
    let mut report = check(spec, &told(traces), engine, directory, options, stop)?;
    let options = Options { diagnosed_max: 0, ..options.clone() };
    let mut search = Search::new(traces, &report.verdicts);
    for round in 0.. {
        let orders = search.others(traces, &report.verdicts, round);
        if orders.is_empty() {
            break;
        }
        let reordered = orders.iter().map(|order| order.of(&traces[order.trace], mapping));
        let reordered: Vec<LogTrace> = reordered.collect();
        let directory = directory.join(format!("orders-{}", round + 1));
        let of_round = check(spec, &told(&reordered), engine, &directory, &options, stop)?;
        for ((order, trace), verdict) in orders.into_iter().zip(reordered).zip(of_round.verdicts) {
            match verdict {
                // The first order that conforms is enough, for its own execution alone.
                _ if report.verdicts[order.trace] == TraceVerdict::Conforms => {}
                TraceVerdict::Conforms => {
                    report.verdicts[order.trace] = TraceVerdict::Conforms;
                    traces[order.trace] = trace;
                }
                TraceVerdict::Rejected(rejection) => search.refused.push((order, rejection.step)),
                TraceVerdict::Undetermined { .. } => search.is_open[order.trace] = true,
            }
        }
        report.runs += of_round.runs;
        report.elapsed += of_round.elapsed;
        report.commands.extend(of_round.commands);
        report.logs.extend(of_round.logs);
    }
    search.judge(&mut report.verdicts);
    Ok(report)
}

/// The orders that are tried where the first one is rejected.
struct Search {
    /// The orders that were rejected, and at which step.
    refused: Vec<(Order, usize)>,
    /// For each execution how many more steps of other orders are tried.
    steps_left: Vec<usize>,
    /// For each execution how many other orders were tried.
    tried: Vec<usize>,
    /// Of which executions some order could not be judged.
    is_open: Vec<bool>,
}

impl Search {
    fn new(traces: &[LogTrace], verdicts: &[TraceVerdict]) -> Self {
        let refused = verdicts.iter().enumerate().filter_map(|(trace, verdict)| match verdict {
            // A name that nothing has is none in any order.
            TraceVerdict::Rejected(rejection) if rejection.reason != Reason::UnknownAction => {
                let events = (0..traces[trace].events.len()).collect();
                Some((Order { trace, events, fixed: 0 }, rejection.step))
            }
            TraceVerdict::Rejected(_)
            | TraceVerdict::Conforms
            | TraceVerdict::Undetermined { .. } => None,
        });
        Self {
            refused: refused.collect(),
            steps_left: vec![STEPS_MAX; traces.len()],
            tried: vec![0; traces.len()],
            is_open: vec![false; traces.len()],
        }
    }

    /// The orders to be tried next, as far as there may be more.
    fn others(
        &mut self,
        traces: &[LogTrace],
        verdicts: &[TraceVerdict],
        round: usize,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        for (order, step) in std::mem::take(&mut self.refused) {
            let trace = order.trace;
            if verdicts[trace] == TraceVerdict::Conforms {
                continue;
            }
            for other in order.others(&traces[trace].events, step) {
                let steps_left = self.steps_left[trace].checked_sub(other.events.len());
                let Some(steps_left) = steps_left.filter(|_| round < ROUNDS_MAX) else {
                    self.is_open[trace] = true;
                    break;
                };
                self.steps_left[trace] = steps_left;
                self.tried[trace] += 1;
                orders.push(other);
            }
        }
        orders
    }

    /// A rejection is none where not all orders were tried.
    fn judge(&self, verdicts: &mut [TraceVerdict]) {
        for (trace, verdict) in verdicts.iter_mut().enumerate() {
            if let TraceVerdict::Rejected(rejection) = verdict
                && self.is_open[trace]
            {
                let why = format!(
                    "another order of concurrent lines may conform: the specification allows \
                     neither this one nor the {} others that were tried, and the clocks leave more",
                    self.tried[trace]
                );
                *verdict = TraceVerdict::Undetermined { step: rejection.step, why };
            }
        }
    }
}

/// An order of the events of an execution that agrees with their clocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    /// The execution.
    trace: usize,
    /// The events, by their places in the first order.
    events: Vec<usize>,
    /// How many of them stay where they are: orders in which they do not are found elsewhere.
    fixed: usize,
}

impl Order {
    /// The orders that are different before so many events have happened, each once: the last
    /// differences first, and after its difference each is as the first order.
    fn others<'a>(
        &'a self,
        events: &'a [LogEvent],
        length: usize,
    ) -> impl Iterator<Item = Self> + 'a {
        let node = |event: usize| events[event].node.as_str();
        // Of what has not happened yet the first event of each node.
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for event in self.events.iter().skip(length).rev() {
            first.insert(node(*event), *event);
        }
        let end = length.min(self.events.len());
        (self.fixed..end).rev().flat_map(move |place| {
            let begins = self.events[place];
            first.insert(node(begins), begins);
            let is_free = |event: usize| {
                first.values().all(|other| !events[*other].is_before(&events[event]))
            };
            let free = first.values().copied().filter(|event| *event != begins && is_free(*event));
            let free: Vec<usize> = free.collect();
            free.into_iter().map(move |event| self.with(place, event))
        })
    }

    /// This order with an event that comes later at a place.
    fn with(&self, place: usize, event: usize) -> Self {
        let mut events = self.events.clone();
        let later = events[place..].iter().position(|other| *other == event).unwrap_or_default();
        events[place..=place + later].rotate_right(1);
        Self { trace: self.trace, events, fixed: place + 1 }
    }

    /// The execution in this order.
    fn of(&self, trace: &LogTrace, mapping: &LogMapping) -> LogTrace {
        let events = self.events.iter().map(|event| trace.events[*event].clone()).collect();
        Told::read(mapping, trace.spec.name.clone(), events)
            .expect("the same lines were read in another order")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::LogLine;
    use super::super::clocks::LogClock;
    use super::*;

    /// Events as `node clock`.
    fn events(text: &str) -> Vec<LogEvent> {
        let event = |line: &str| {
            let (node, clock) = line.trim().split_once(' ').unwrap();
            LogEvent {
                at: LogLine { file: "log".to_owned(), unit: "line", number: 1 },
                node: node.to_owned(),
                clock: LogClock::read(&serde_json::from_str(clock).unwrap()),
                name: String::new(),
                fields: serde_json::Map::new(),
            }
        };
        text.lines().map(event).collect()
    }

    /// All orders that are tried where each is rejected at its end.
    fn all(events: &[LogEvent]) -> BTreeSet<Vec<usize>> {
        let first = Order { trace: 0, events: (0..events.len()).collect(), fixed: 0 };
        let mut orders = BTreeSet::from([first.events.clone()]);
        let mut waiting = vec![first];
        while let Some(order) = waiting.pop() {
            for other in order.others(events, events.len()) {
                assert!(orders.insert(other.events.clone()), "{other:?} is tried twice");
                waiting.push(other);
            }
        }
        orders
    }

    #[test]
    fn all_orders_that_agree_with_the_clocks_are_tried_and_each_once() {
        // Two events of each of three nodes that know nothing of each other: 6! / (2! 2! 2!).
        let vectors = [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("c", 2)];
        let lines = vectors.map(|(node, count)| format!("{node} {{\"{node}\": {count}}}"));
        assert_eq!(all(&events(&lines.join("\n"))).len(), 90);
        // The second event of `b` has seen the first of `a`.
        let seen = "a {\"a\": 1}\nb {\"b\": 1}\na {\"a\": 2}\nb {\"a\": 1, \"b\": 2}";
        let expected = [[0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [1, 0, 2, 3], [1, 0, 3, 2]];
        assert_eq!(all(&events(seen)), expected.map(Vec::from).into());
        // Lamport clocks leave open what has the same time.
        let expected = [[0, 1, 2, 3], [1, 0, 2, 3]];
        assert_eq!(all(&events("a 1\nb 1\na 2\nb 3")), expected.map(Vec::from).into());
        assert_eq!(all(&[]).len(), 1);
    }

    #[test]
    fn no_order_begins_as_one_that_was_rejected() {
        let events = events("a {\"a\": 1}\nb {\"b\": 1}\na {\"a\": 2}");
        let first = Order { trace: 0, events: vec![0, 1, 2], fixed: 0 };
        let others = |length| first.others(&events, length).map(|o| o.events).collect::<Vec<_>>();
        assert_eq!(others(0), Vec::<Vec<usize>>::new());
        assert_eq!(others(1), [[1, 0, 2]]);
        assert_eq!(others(2), [[0, 2, 1], [1, 0, 2]]);
    }
}
