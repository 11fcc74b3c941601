//! The logs of several nodes as one sequence of events.

use std::collections::BTreeMap;

use super::clocks::LogClock;
use super::events::LogEvent;
use super::kind::shortened;
use super::{LogError, LogLine};

/// The events of one execution in an order that agrees with their clocks; as they stand where there
/// are none.
///
/// Among the orders that agree it is the one by how many events are known, then by nodes.
///
/// # Errors
///
/// [`LogError::Order`] where no order agrees, [`LogError::Line`] where clocks are of two kinds.
pub(super) fn merged(events: Vec<LogEvent>) -> Result<Vec<LogEvent>, LogError> {
    let mut clocked = Vec::with_capacity(events.len());
    for event in &events {
        match &event.clock {
            Some(clock) => clocked.push(Clocked { node: &event.node, clock, at: &event.at }),
            None => return Ok(events),
        }
    }
    judge_kinds(&clocked)?;
    let nodes = by_node(&clocked);
    for of_node in nodes.values() {
        judge_node(of_node)?;
    }
    if let Some(Clocked { clock: LogClock::Vector(_), .. }) = clocked.first() {
        for event in &clocked {
            nodes.iter().try_for_each(|(other, theirs)| judge_seen(event, other, theirs))?;
        }
    }
    let mut events = events;
    // The sort is stable, and a node's own clock advances.
    events.sort_by(|a, b| {
        let key = |event: &LogEvent| event.clock.as_ref().map(LogClock::height);
        key(a).cmp(&key(b)).then_with(|| a.node.cmp(&b.node))
    });
    Ok(events)
}

/// An event as far as its order goes.
struct Clocked<'a> {
    node: &'a str,
    clock: &'a LogClock,
    at: &'a LogLine,
}

impl Clocked<'_> {
    fn own(&self) -> u64 {
        self.clock.own(self.node)
    }
}

fn by_node<'a, 'b>(events: &'b [Clocked<'a>]) -> BTreeMap<&'a str, Vec<&'b Clocked<'a>>> {
    let mut nodes: BTreeMap<&str, Vec<&Clocked<'_>>> = BTreeMap::new();
    for event in events {
        nodes.entry(event.node).or_default().push(event);
    }
    nodes
}

fn judge_kinds(events: &[Clocked<'_>]) -> Result<(), LogError> {
    let is_vector = |event: &Clocked<'_>| matches!(event.clock, LogClock::Vector(_));
    let Some(first) = events.first() else { return Ok(()) };
    match events.iter().find(|event| is_vector(event) != is_vector(first)) {
        None => Ok(()),
        Some(other) => Err(LogError::Line {
            at: other.at.clone(),
            expected: format!("a clock of the kind that {} has", first.at),
            found: match other.clock {
                LogClock::Lamport(time) => format!("the Lamport clock {time}"),
                LogClock::Vector(entries) => {
                    shortened(&format!("the vector clock {}", shown(entries)))
                }
            },
            advice: "merge by one kind of clock",
        }),
    }
}

/// The clock of a node advances with each of its events.
fn judge_node(events: &[&Clocked<'_>]) -> Result<(), LogError> {
    let first = events.first().filter(|event| event.own() == 0);
    if let (Some(first), LogClock::Vector(entries)) = (first, events[0].clock) {
        return Err(LogError::Line {
            at: first.at.clone(),
            expected: format!("an entry of {} itself in its vector clock", first.node),
            found: shortened(&shown(entries)),
            advice: "let a node count its own events, from 1",
        });
    }
    for pair in events.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        if after.own() <= before.own() {
            let (node, from, to) = (after.node, before.own(), after.own());
            return Err(LogError::Order {
                first: before.at.clone(),
                second: after.at.clone(),
                why: format!("the clock of {node} does not advance, it is {from} and then {to}"),
            });
        }
    }
    Ok(())
}

/// What an event has seen of a node, it knows all about.
fn judge_seen(event: &Clocked<'_>, other: &str, theirs: &[&Clocked<'_>]) -> Result<(), LogError> {
    let (LogClock::Vector(known), seen) = (event.clock, event.clock.own(other)) else {
        return Ok(());
    };
    // The last one will do: what comes before it is known to it.
    let seen = match other == event.node {
        true => theirs.partition_point(|earlier| earlier.own() < seen),
        false => theirs.partition_point(|earlier| earlier.own() <= seen),
    };
    let Some(last) = seen.checked_sub(1).map(|last| theirs[last]) else { return Ok(()) };
    if other != event.node && last.clock.own(event.node) >= event.own() {
        let why = "by its clock each of them comes after the other".to_owned();
        let (first, second) = (last.at.min(event.at).clone(), last.at.max(event.at).clone());
        return Err(LogError::Order { first, second, why });
    }
    let LogClock::Vector(entries) = last.clock else { return Ok(()) };
    for (node, count) in entries {
        let known = known.get(node).copied().unwrap_or_default();
        if known < *count {
            let why = format!(
                "the second comes after the first, which knows of event {count} of {node}, and yet \
                 it knows of none after {known}"
            );
            return Err(LogError::Order { first: last.at.clone(), second: event.at.clone(), why });
        }
    }
    Ok(())
}

fn shown(entries: &BTreeMap<String, u64>) -> String {
    let entries = entries.iter().map(|(node, count)| format!("{node}: {count}"));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events as `node {clock}` or `node time`, one on each line.
    fn events(text: &str) -> Vec<LogEvent> {
        let event = |(number, line): (usize, &str)| {
            let (node, clock) = line.trim().split_once(' ').unwrap();
            LogEvent {
                at: LogLine { file: "log".to_owned(), unit: "line", number },
                node: node.to_owned(),
                clock: LogClock::read(&serde_json::from_str(clock).unwrap()),
                name: format!("{number}"),
                fields: serde_json::Map::new(),
            }
        };
        (1..).zip(text.lines().filter(|line| !line.trim().is_empty())).map(event).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let merged = merged(events(text));
        let told = merged.map_or_else(
            |error| error.to_string(),
            |events| events.iter().map(|e| e.name.clone()).collect::<Vec<_>>().join(" "),
        );
        assert!(told.contains(expected), "{text}\n{told}");
    }

    #[test]
    fn events_are_merged_along_vector_clocks() {
        check(
            r#"
            b {"a": 2, "b": 1}
            b {"a": 2, "b": 2}
            a {"a": 1}
            a {"a": 2}
            a {"a": 3, "b": 2}
            "#,
            "3 4 1 2 5",
        );
    }

    #[test]
    fn events_are_merged_by_lamport_clocks_and_nodes() {
        check("b 2\n b 5\n a 2\n a 3", "3 1 4 2");
    }

    #[test]
    fn events_without_clocks_stay_as_they_are() {
        check("b null\n a null", "1 2");
    }

    #[test]
    fn an_impossible_order_is_an_error_with_both_lines() {
        check(
            "a 2\n a 2",
            "log, line 1 and log, line 2 contradict each other: the clock of a does not advance, \
             it is 2 and then 2",
        );
        check("a {\"a\": 2}\n a {\"a\": 1}", "it is 2 and then 1");
        check(
            "a {\"a\": 1, \"b\": 1}\n b {\"a\": 1, \"b\": 1}",
            "line 1 and log, line 2 contradict each other: by its clock each of them comes after",
        );
        check(
            "c {\"c\": 1}\n a {\"a\": 1, \"c\": 1}\n b {\"a\": 1, \"b\": 1}",
            "line 2 and log, line 3 contradict each other: the second comes after the first, which \
             knows of event 1 of c, and yet it knows of none after 0",
        );
        check(
            "a {\"a\": 1, \"b\": 1}\n a {\"a\": 2}",
            "knows of event 1 of b, and yet it knows of none after 0",
        );
        check("a {\"b\": 1}", "an entry of a itself");
        check("a 1\n b {\"b\": 1}", "a clock of the kind that log, line 1 has");
    }

    /// Every history of three nodes with two events each, in which any event may follow from any
    /// event of another node, is merged in an order that agrees with all of it.
    #[test]
    fn every_small_history_is_merged_in_an_order_that_agrees_with_it() {
        const NODES: [&str; 3] = ["a", "b", "c"];
        // Which earlier event of the given order each event follows from; 0 is none.
        let mut merged_count = 0;
        for code in 0..6_usize.pow(6) {
            let follows: Vec<usize> = (0..6).map(|i| code / 6_usize.pow(i as u32) % 6).collect();
            if follows.iter().enumerate().any(|(event, from)| *from > event) {
                continue;
            }
            let mut clocks: Vec<BTreeMap<String, u64>> = Vec::new();
            let mut last: [Option<usize>; 3] = [None; 3];
            for (event, from) in follows.iter().enumerate() {
                let node = event % 3;
                let mut clock = BTreeMap::new();
                let known = [last[node], from.checked_sub(1)];
                for entries in known.into_iter().flatten().map(|event| &clocks[event]) {
                    for (name, count) in entries {
                        let known: &mut u64 = clock.entry(name.clone()).or_default();
                        *known = (*known).max(*count);
                    }
                }
                *clock.entry(NODES[node].to_owned()).or_default() += 1;
                last[node] = Some(event);
                clocks.push(clock);
            }
            // The logs stand one after the other, as files do.
            let order = [2, 5, 1, 4, 0, 3];
            let lines = order.map(|event| {
                format!("{} {}", NODES[event % 3], serde_json::to_string(&clocks[event]).unwrap())
            });
            let merged = merged(events(&lines.join("\n"))).unwrap();
            let place = |event: usize| {
                let line = order.iter().position(|other| *other == event).unwrap() + 1;
                merged.iter().position(|other| other.name == line.to_string()).unwrap()
            };
            for (event, from) in follows.iter().enumerate() {
                assert!(*from == 0 || place(from - 1) < place(event), "{follows:?}");
                assert!(event < 3 || place(event - 3) < place(event), "{follows:?}");
            }
            merged_count += 1;
        }
        assert_eq!(merged_count, 720);
    }
}
