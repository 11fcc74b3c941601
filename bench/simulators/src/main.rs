//! Simulated messages for each second of processor time, on an equal workload: five nodes, each of
//! which pings every other one, gets a pong, and pings again; each message takes five milliseconds.

mod madsim_peer;
mod ours;
mod turmoil_peer;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// How many nodes there are.
const NODES: usize = 5;
/// How long a message takes, in milliseconds.
const LATENCY_MS: u64 = 5;
/// How often each simulator is measured, in turns; the median counts.
const ROUNDS: usize = 5;

/// A simulator: simulates so many seconds, and says how many messages arrived.
type Simulator = fn(u64) -> u64;

fn main() {
    // Each simulates as long as takes it about a second.
    let simulators: [(&str, Simulator, u64); 3] = [
        ("cadre", ours::simulate, 1_000),
        ("madsim 0.2.34", madsim_peer::simulate, 50),
        ("turmoil 0.7.2", turmoil_peer::simulate, 50),
    ];
    let mut rates = vec![Vec::new(); simulators.len()];
    for _ in 0..ROUNDS {
        for ((_, simulate, seconds), rates) in simulators.iter().zip(&mut rates) {
            let before_us = processor_us();
            let messages = simulate(*seconds);
            let took = (processor_us() - before_us) as f64 / 1e6;
            // Peers round times up, and none of the pairs may fall silent.
            let expected = seconds * expected_each_second();
            assert!(messages > expected / 2, "{messages} messages, expected {expected}");
            rates.push((messages as f64 / took, *seconds as f64 / took));
        }
    }
    println!("{:<16} {:>14} {:>18} {:>8}", "", "messages/s CPU", "virtual s/s CPU", "ratio");
    let medians: Vec<(f64, f64)> = rates.into_iter().map(median).collect();
    for ((name, ..), (messages, seconds)) in simulators.iter().zip(&medians) {
        let ratio = medians[0].0 / messages;
        println!("{name:<16} {messages:>14.0} {seconds:>18.0} {ratio:>7.1}x");
    }
}

/// Every ordered pair of nodes has one ping or pong on its way.
fn expected_each_second() -> u64 {
    (NODES * (NODES - 1)) as u64 * 1_000 / LATENCY_MS
}

fn median(mut rates: Vec<(f64, f64)>) -> (f64, f64) {
    rates.sort_by(|one, other| one.0.total_cmp(&other.0));
    rates[rates.len() / 2]
}

/// What this process has used of the processor.
fn processor_us() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system tells what a process uses");
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}
