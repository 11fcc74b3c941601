use std::collections::BTreeMap;

use crate::export::one_line;
use crate::{Step, Trace};

/// The trace as a log for ShiViz: the pattern of an event in the first line, the delimiter of
/// executions in the second, then one execution.
///
/// What happens to messages on their way has no host in a trace. ShiViz wants one for every event,
/// so the network gets one, which is called `network` unless a node is. Several nodes that crash at
/// once are an event of each, and none of these knows of the others.
pub fn shiviz(trace: &Trace) -> String {
    let mut log = String::from("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n");
    log += "=== (?<trace>.*) ===\n";
    log += &format!("=== {} ===\n", one_line(&trace.header.protocol));
    let network = network_name(trace);
    let mut network_clock = Clock::new();
    for step in &trace.steps {
        let text = one_line(&format!("{} {}", step.step, step.action));
        let nodes = step.action.nodes();
        if nodes.is_empty() {
            for (node, time) in &step.clock {
                let known = network_clock.entry(host(node)).or_default();
                *known = (*known).max(*time);
            }
            *network_clock.entry(network.clone()).or_default() += 1;
            log += &event(&text, &network, &network_clock);
        }
        for node in &nodes {
            log += &event(&text, &host(node), &clock_of(step, node, &nodes));
        }
    }
    log
}

type Clock = BTreeMap<String, u64>;

fn event(text: &str, host: &str, clock: &Clock) -> String {
    let clock = serde_json::to_string(clock).expect("names and numbers are JSON");
    format!("{text}\n{host} {clock}\n")
}

/// The clock of a step as one of the nodes knows it: those that take it at the same time have not
/// heard of it from each other.
fn clock_of(step: &Step, node: &str, together: &[&str]) -> Clock {
    let told = |(name, time): (&String, &u64)| {
        let is_other = name != node && together.contains(&name.as_str());
        let time = time.saturating_sub(u64::from(is_other));
        (time > 0).then(|| (host(name), time))
    };
    step.clock.iter().filter_map(told).collect()
}

fn network_name(trace: &Trace) -> String {
    let mut name = "network".to_owned();
    while trace.header.nodes.iter().any(|node| host(node) == name) {
        name.push('_');
    }
    name
}

/// A name without blanks, as the pattern has it.
fn host(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("_")
}
