use std::collections::BTreeMap;

use cadre_trace::{Action, Effect, Envelope, Happening, HistoryEvent, LoggedStep, Snapshot};

use crate::{Network, ReplayError};

/// One execution, made of the reports of its nodes.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) initial: Snapshot,
    pub(crate) happenings: Vec<Happening>,
}

/// Orders the reports of all nodes by their Lamport clocks, and those of one clock by node: an
/// order that agrees with happened-before. Checks that each node's steps are all there, and that
/// each message was in flight when it was delivered.
pub(crate) fn merge(
    names: &[String],
    network: Network,
    reports: Vec<LoggedStep>,
) -> Result<Merged, ReplayError> {
    let (starts, mut steps): (Vec<LoggedStep>, Vec<LoggedStep>) =
        reports.into_iter().partition(|report| report.action.is_none());
    let position = |report: &LoggedStep| names.iter().position(|name| *name == report.node);
    steps.sort_by_key(|report| (report.stamp.lamport, position(report)));
    let mut current = Snapshot::default();
    for name in names {
        let start = starts.iter().find(|start| start.node == *name);
        let start = start.ok_or_else(|| broken(name, 0, "is missing: it never started"))?;
        current.nodes.insert(name.clone(), start.after.clone());
        send(&mut current, network, name, &start.effects);
    }
    if starts.len() != names.len() {
        let extra = starts.last().map_or("?", |start| start.node.as_str());
        return Err(broken(extra, 0, "is there more than once"));
    }
    current.sort_network();
    let initial = current.clone();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut happenings = Vec::new();
    for report in steps {
        check_count(&mut counts, &report)?;
        happenings.push(happening(&mut current, network, report)?);
    }
    Ok(Merged { initial, happenings })
}

/// The messages among a node's effects.
pub(crate) fn envelopes(from: &str, effects: &[Effect]) -> Vec<Envelope> {
    let sent = effects.iter().filter_map(Effect::message).map(|(to, message)| Envelope {
        from: from.to_owned(),
        to: to.to_owned(),
        message: message.clone(),
    });
    sent.collect()
}

/// A node counts its steps from 1 in its own part of the vector clock.
fn check_count(counts: &mut BTreeMap<String, u64>, report: &LoggedStep) -> Result<(), ReplayError> {
    let count = counts.entry(report.node.clone()).or_default();
    *count += 1;
    let found = report.stamp.clock.get(&report.node).copied().unwrap_or_default();
    if found == *count {
        return Ok(());
    }
    let why = format!("should be its {count}. and says to be its {found}.: reports are missing");
    Err(broken(&report.node, report.stamp.lamport, &why))
}

fn happening(
    current: &mut Snapshot,
    network: Network,
    report: LoggedStep,
) -> Result<Happening, ReplayError> {
    let LoggedStep { node, action, event, effects, after, stamp, failure, .. } = report;
    let action = action.expect("a report without an action is that of a start");
    if action.node() != Some(node.as_str()) {
        return Err(broken(&node, stamp.lamport, "is about something else than the node"));
    }
    if let Action::Deliver(envelope) = &action {
        take(current, network, envelope, stamp.lamport)?;
    }
    if let Action::Invoke { id, node, request } = &action {
        let (id, node, request) = (id.clone(), node.clone(), request.clone());
        current.history.push(HistoryEvent::Invoke { id, node, request });
    }
    send(current, network, &node, &effects);
    current.sort_network();
    current.nodes.insert(node, after);
    let after = current.clone();
    Ok(Happening { action, event: Some(event), effects, after, failure, spec: None, at_us: None })
}

/// Delivers a message.
fn take(
    current: &mut Snapshot,
    network: Network,
    envelope: &Envelope,
    lamport: u64,
) -> Result<(), ReplayError> {
    let found = current.network.iter().position(|sent| sent == envelope);
    let found = found.ok_or_else(|| unsent(lamport, envelope))?;
    match network {
        Network::GrowingSet => {}
        Network::ConsumedOnce => drop(current.network.remove(found)),
    }
    Ok(())
}

/// Puts in flight what a step has sent, and notes what it has answered.
fn send(current: &mut Snapshot, network: Network, from: &str, effects: &[Effect]) {
    for envelope in envelopes(from, effects) {
        match network {
            Network::GrowingSet if current.network.contains(&envelope) => {}
            Network::GrowingSet | Network::ConsumedOnce => current.network.push(envelope),
        }
    }
    for effect in effects {
        if let Effect::Respond { id, response } = effect {
            let (id, response) = (id.clone(), response.clone());
            current.history.push(HistoryEvent::Return { id, response });
        }
    }
}

/// A delivery that lacks its sending.
fn unsent(lamport: u64, envelope: &Envelope) -> ReplayError {
    broken(&envelope.to, lamport, &format!("takes {envelope}, which is not in flight"))
}

fn broken(node: &str, lamport: u64, why: &str) -> ReplayError {
    ReplayError::Causality { node: node.to_owned(), lamport, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cadre_trace::{Event, LOG_VERSION, NodeSnapshot, Stamp, Status};
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_are_ordered_by_clock_and_then_by_node() {
        let reports = vec![
            start("b", vec![]),
            step("b", 2, 1, "hello"),
            start("a", vec![hello("b")]),
            fire("a", 2, 2),
            fire("a", 1, 1),
        ];
        let merged = merge(&names(), Network::ConsumedOnce, reports).unwrap();
        let order: Vec<String> =
            merged.happenings.iter().map(|happening| happening.action.to_string()).collect();
        assert_eq!(order, ["a timeout t", "a timeout t", "deliver hello a→b"]);
        assert_eq!(merged.initial.network.len(), 1);
        assert!(merged.happenings[2].after.network.is_empty());
    }

    #[test]
    fn a_growing_set_lists_a_message_once_and_for_ever() {
        let reports = vec![
            start("a", vec![hello("b"), hello("b")]),
            start("b", vec![]),
            step("b", 1, 1, "hello"),
        ];
        let merged = merge(&names(), Network::GrowingSet, reports).unwrap();
        assert_eq!(merged.initial.network.len(), 1);
        assert_eq!(merged.happenings[0].after.network.len(), 1);
    }

    #[test]
    fn a_delivery_of_what_was_never_sent_is_no_execution() {
        let reports = vec![start("a", vec![]), start("b", vec![]), step("b", 1, 1, "hello")];
        let error = merge(&names(), Network::GrowingSet, reports).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the reports of the nodes do not make an execution: step 1 of node b takes hello a→b, \
             which is not in flight"
        );
    }

    #[test]
    fn a_message_that_is_consumed_is_delivered_once() {
        let twice = [step("b", 1, 1, "hello"), step("b", 2, 2, "hello")];
        let mut reports = vec![start("a", vec![hello("b")]), start("b", vec![])];
        reports.extend(twice);
        assert!(merge(&names(), Network::GrowingSet, reports.clone()).is_ok());
        assert!(merge(&names(), Network::ConsumedOnce, reports).is_err());
    }

    #[test]
    fn a_missing_report_is_noticed() {
        let reports = vec![start("a", vec![]), start("b", vec![]), fire("a", 2, 2)];
        let error = merge(&names(), Network::GrowingSet, reports).unwrap_err();
        assert!(error.to_string().ends_with("reports are missing"), "{error}");
        let error = merge(&names(), Network::GrowingSet, vec![start("a", vec![])]).unwrap_err();
        assert!(error.to_string().ends_with("it never started"), "{error}");
    }

    fn names() -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    fn start(node: &str, effects: Vec<Effect>) -> LoggedStep {
        report(node, None, effects, Stamp::default())
    }

    fn fire(node: &str, lamport: u64, count: u64) -> LoggedStep {
        let action = Action::Fire { node: node.to_owned(), timer: json!("t") };
        report(node, Some(action), vec![], stamp(node, lamport, count))
    }

    fn step(node: &str, lamport: u64, count: u64, message: &str) -> LoggedStep {
        let envelope =
            Envelope { from: "a".to_owned(), to: node.to_owned(), message: json!(message) };
        report(node, Some(Action::Deliver(envelope)), vec![], stamp(node, lamport, count))
    }

    fn hello(to: &str) -> Effect {
        Effect::Send { to: to.to_owned(), message: json!("hello") }
    }

    fn stamp(node: &str, lamport: u64, count: u64) -> Stamp {
        Stamp { lamport, clock: BTreeMap::from([(node.to_owned(), count)]) }
    }

    fn report(
        node: &str,
        action: Option<Action>,
        effects: Vec<Effect>,
        stamp: Stamp,
    ) -> LoggedStep {
        let after = NodeSnapshot {
            status: Status::Up,
            state: json!(null),
            timers: vec![],
            due: vec![],
            disk: BTreeMap::new(),
            unsynced: vec![],
        };
        let (version, node) = (LOG_VERSION, node.to_owned());
        LoggedStep {
            version,
            node,
            action,
            event: Event::Start,
            effects,
            after,
            stamp,
            failure: None,
        }
    }
}
