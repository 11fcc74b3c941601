//! A thousand random traces are read as they were written, and rebuilt as they were recorded.

use std::collections::BTreeMap;

use cadre_step::SyncError;
use cadre_trace::{
    Action, DiskWrite, Due, Effect, Envelope, Event, Fairness, Fault, Guarantee, GuaranteeKind,
    Happening, Header, HistoryEvent, Json, Kept, Link, Misread, NodeSnapshot, Recorder, Request,
    Snapshot, SpecHeader, SpecPart, SpecStep, Status, Trace, TraceError, Verdict,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

const NODES: [&str; 4] = ["n1", "tm", "节点", "a \"b\"\n→"];
const STEPS_MAX: usize = 12;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_trace_is_read_as_it_was_written(
        moves in vec(a_move(), 0..STEPS_MAX),
        header in a_header(),
    ) {
        let (trace, recorded) = record(header, moves);
        let once = trace.to_ndjson();
        let read = Trace::from_ndjson(&once).map_err(refused)?;
        prop_assert_eq!(&read, &trace);
        let twice = read.to_ndjson();
        prop_assert_eq!(&twice, &once);
        let read_twice = Trace::from_ndjson(&twice).map_err(refused)?;
        prop_assert_eq!(read_twice.to_ndjson(), once);
        let rebuilt: Vec<Snapshot> = read.snapshots().collect();
        prop_assert_eq!(rebuilt, recorded);
        let choices: Vec<&Action> = read.schedule().collect();
        prop_assert_eq!(choices.len(), trace.steps.len());
    }

    #[test]
    fn clocks_agree_with_causes(moves in vec(a_move(), 0..STEPS_MAX), header in a_header()) {
        let (trace, _) = record(header, moves);
        for step in &trace.steps {
            let cause_of = |cause: &usize| trace.steps.get(cause.wrapping_sub(1));
            for cause in step.causes.iter().filter_map(cause_of) {
                let counts = |node: &String| step.clock.get(node).copied().unwrap_or(0);
                prop_assert!(cause.clock.iter().all(|(node, count)| *count <= counts(node)));
                // A fault of the network carries the sender's clocks, a node's step comes after
                // them.
                match step.action.nodes().is_empty() {
                    false => prop_assert!(cause.lamport < step.lamport),
                    true => prop_assert!(cause.lamport <= step.lamport),
                }
            }
            for node in step.action.nodes() {
                let own = |other: &&cadre_trace::Step| other.action.nodes().contains(&node);
                let before = trace.steps[..step.step].iter().filter(own).count();
                prop_assert_eq!(step.clock[node], u64::try_from(before).unwrap());
            }
        }
    }
}

#[test]
fn the_numbers_at_the_edges_are_read_as_they_were_written() {
    let numbers = [
        serde_json::json!(u64::MAX),
        serde_json::json!(i64::MIN),
        serde_json::json!(f64::MAX),
        serde_json::json!(f64::MIN_POSITIVE),
        serde_json::json!(5e-324),
        serde_json::json!(-0.0),
        serde_json::json!(1.0),
        serde_json::json!(1e300),
        serde_json::json!(0.1 + 0.2),
        serde_json::json!(9_007_199_254_740_993_u64),
        // Read one unit too high unless the decoder is told to take the time.
        serde_json::json!(2.638_344_616_030_823e-256),
    ];
    let mut header = header(BTreeMap::new(), None);
    header.setup = numbers.iter().enumerate().map(|(at, n)| (at.to_string(), n.clone())).collect();
    let trace = Recorder::new(header).finish(|_| {});
    let text = trace.to_ndjson();
    let read = Trace::from_ndjson(&text).unwrap();
    assert_eq!(read, trace);
    assert_eq!(read.to_ndjson(), text);
}

fn refused(error: TraceError) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

/// What happens next, before it is known which messages are in flight.
#[derive(Clone, Debug)]
struct Move {
    kind: u8,
    /// Chooses the node, the message in flight and the client.
    pick: usize,
    to: usize,
    value: Json,
    text: String,
    number: u64,
    fails: bool,
}

fn a_move() -> impl Strategy<Value = Move> {
    (0..26_u8, 0..64_usize, 0..64_usize, json(), any::<String>(), any::<u64>(), 0..10_u8).prop_map(
        |(kind, pick, to, value, text, number, fails)| Move {
            kind,
            pick,
            to,
            value,
            text,
            number,
            fails: fails == 0,
        },
    )
}

fn a_header() -> impl Strategy<Value = Header> {
    let spec = proptest::option::of((any::<String>(), btree_map(any::<String>(), json(), 0..3)));
    (btree_map(any::<String>(), json(), 0..4), spec, proptest::option::of(any::<String>()), 0..6_u8)
        .prop_map(|(setup, spec, finding, kind)| {
            let mut header = header(setup, spec);
            header.guarantee = Some(Guarantee {
                name: "no two differ".to_owned(),
                kind: match kind {
                    0 => GuaranteeKind::Always,
                    1 => GuaranteeKind::Reachable,
                    2 => GuaranteeKind::Eventually(Fairness::None),
                    3 => GuaranteeKind::LeadsTo(Fairness::Weak),
                    4 => GuaranteeKind::Convergent(Fairness::Strong),
                    _ => GuaranteeKind::PrePost,
                },
                reads: finding.iter().map(|_| NODES[0].to_owned()).collect(),
                finding,
            });
            header
        })
}

fn header(setup: BTreeMap<String, Json>, spec: Option<(String, BTreeMap<String, Json>)>) -> Header {
    let node = |name: &&str| ((*name).to_owned(), node(Json::Null));
    Header {
        protocol: "random".to_owned(),
        setup,
        origin: "proptest".to_owned(),
        nodes: NODES.iter().map(|name| (*name).to_owned()).collect(),
        network: "anything".to_owned(),
        guarantee: None,
        verdict: Verdict::Bounded,
        initial: Snapshot { nodes: NODES.iter().map(node).collect(), ..Snapshot::default() },
        spec: spec.map(|(module, values)| SpecHeader {
            module,
            constants: values.clone(),
            variables: values,
        }),
        loop_from: None,
    }
}

fn node(state: Json) -> NodeSnapshot {
    NodeSnapshot {
        status: Status::Up,
        state,
        timers: Vec::new(),
        due: Vec::new(),
        disk: BTreeMap::new(),
        unsynced: Vec::new(),
    }
}

/// Any JSON: odd strings, numbers of each kind, values within values.
fn json() -> impl Strategy<Value = Json> {
    let float = any::<f64>().prop_map(|float| {
        // What is not finite has no JSON form and becomes null.
        serde_json::Number::from_f64(float).map_or(Json::Null, Json::Number)
    });
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        float,
        any::<String>().prop_map(Json::from),
        prop_oneof!["\u{0}\r\n\u{2028}", "0x", "\\\\\"", "𝄞\u{301}"].prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// Records the moves and keeps every configuration as it was.
fn record(header: Header, moves: Vec<Move>) -> (Trace, Vec<Snapshot>) {
    let mut after = header.initial.clone();
    let mut recorded = vec![after.clone()];
    let mut recorder = Recorder::new(header);
    for next in moves {
        let (action, event, effects) = play(&next, &mut after);
        after.sort_network();
        recorded.push(after.clone());
        assert_eq!(recorder.current(), &recorded[recorded.len() - 2]);
        recorder.record(Happening {
            action,
            event,
            effects,
            after: after.clone(),
            failure: next.fails.then(|| next.text.clone()),
            spec: next.fails.then(|| SpecStep {
                action: Some(next.text.clone()),
                arguments: BTreeMap::from([(next.text.clone(), next.value.clone())]),
                variables: BTreeMap::new(),
                ways: match next.number.is_multiple_of(2) {
                    true => Vec::new(),
                    false => vec![vec![SpecPart {
                        action: Some(next.text.clone()),
                        arguments: BTreeMap::from([(next.text.clone(), next.value.clone())]),
                    }]],
                },
            }),
            at_us: next.number.is_multiple_of(3).then_some(next.number),
        });
    }
    let trace = recorder.finish(|header| {
        header.verdict = Verdict::Violated;
        // Where the execution comes back to what it was, it may go on like this for ever.
        let (last, earlier) = recorded.split_last().expect("the initial one is recorded");
        header.loop_from = earlier.iter().position(|snapshot| snapshot == last);
    });
    (trace, recorded)
}

fn play(next: &Move, after: &mut Snapshot) -> (Action, Option<Event>, Vec<Effect>) {
    let name = NODES[next.pick % NODES.len()].to_owned();
    let id = Request {
        client: next.text.clone(),
        number: u32::try_from(next.to).expect("it is below 64"),
    };
    let flying = (!after.network.is_empty()).then(|| next.pick % after.network.len());
    let timer = next.value.clone();
    let (action, event) = match (next.kind, flying) {
        (0..=3, Some(at)) => {
            // Some networks keep what they deliver.
            let keeps = next.number.is_multiple_of(2);
            let envelope = match keeps {
                true => after.network[at].clone(),
                false => after.network.remove(at),
            };
            let (from, message) = (envelope.from.clone(), envelope.message.clone());
            (Action::Deliver(envelope), Some(Event::Deliver { from, message }))
        }
        (4, Some(at)) => (Action::Fault(Fault::Drop(after.network.remove(at))), None),
        (5, Some(at)) => {
            let envelope = after.network[at].clone();
            after.network.push(envelope.clone());
            (Action::Fault(Fault::Duplicate(envelope)), None)
        }
        (6, _) => {
            let event = Event::Timeout { timer: timer.clone() };
            (Action::Fire { node: name.clone(), timer }, Some(event))
        }
        (7, _) => (Action::SyncDone { node: name.clone() }, Some(Event::SyncDone)),
        (8, _) => {
            let request = next.value.clone();
            let event = Event::Request { id: id.clone(), request: request.clone() };
            let (id, node) = (id.clone(), name.clone());
            after.history.push(HistoryEvent::Invoke {
                id: id.clone(),
                node: node.clone(),
                request: request.clone(),
            });
            (Action::Invoke { id, node, request }, Some(event))
        }
        (9, _) => (Action::Fault(Fault::Crash { node: name.clone(), kept: kept(next) }), None),
        (10, _) => (
            Action::Fault(Fault::Restart { node: name.clone(), misread: misread(next) }),
            Some(Event::Start),
        ),
        (11, _) => (
            Action::Fault(Fault::CrashRestart { node: name.clone(), kept: kept(next) }),
            Some(Event::Start),
        ),
        (kind @ 12..=24, _) => match other_fault(kind, next, &name, after) {
            Some(fault) => (Action::Fault(fault), None),
            None => (Action::Tick, None),
        },
        (_, _) => {
            let event = Event::Timeout { timer: timer.clone() };
            (Action::Choose { node: name.clone(), timer }, Some(event))
        }
    };
    let Some(acting) = action.node().map(str::to_owned) else { return (action, event, Vec::new()) };
    let effects = follow(next, &acting, id, after);
    if let Action::Fault(Fault::Crash { .. }) = action {
        let node = after.nodes.get_mut(&acting).expect("it is one of the nodes");
        (node.status, node.state) = (Status::Down, Json::Null);
        node.timers.clear();
        node.due.clear();
    }
    (action, event, effects)
}

/// One of the faults that are neither crashes, losses nor duplications, and what it changes in the
/// network; `None` where there is nothing for it to be about.
fn other_fault(kind: u8, next: &Move, name: &str, after: &mut Snapshot) -> Option<Fault> {
    let node = name.to_owned();
    let link = Link { from: node.clone(), to: NODES[next.to % NODES.len()].to_owned() };
    let flying = (!after.network.is_empty()).then(|| next.pick % after.network.len());
    let made_up =
        || Envelope { from: link.from.clone(), to: link.to.clone(), message: next.value.clone() };
    Some(match kind {
        12 => {
            after
                .network
                .retain(|envelope| (&envelope.from, &envelope.to) != (&link.from, &link.to));
            Fault::Burst(link)
        }
        13 => {
            after.network.push(made_up());
            Fault::Replay(made_up())
        }
        14 => {
            let envelope = after.network.remove(flying?);
            let altered = Envelope { message: next.value.clone(), ..envelope.clone() };
            after.network.push(altered);
            Fault::Corrupt { envelope, into: next.value.clone() }
        }
        15 => Fault::Forge(made_up()),
        16 => {
            after.cut.push(link);
            after.cut.sort();
            after.cut.dedup();
            Fault::Partition { cut: after.cut.clone() }
        }
        17 => {
            after.cut.clear();
            Fault::Heal
        }
        18 => Fault::CrashGroup { nodes: vec![node, NODES[(next.pick + 1) % NODES.len()].into()] },
        19 => {
            let of = Action::Choose { node, timer: next.value.clone() };
            Fault::Interrupt { of: Box::new(of), effects: next.to }
        }
        20 => Fault::Pause { node },
        21 => Fault::Resume { node },
        22 => {
            let error = if next.fails { SyncError::Full } else { SyncError::Lost };
            Fault::SyncFail { node, error }
        }
        23 => Fault::Jump { node, by_us: i64::from_ne_bytes(next.number.to_ne_bytes()) },
        _ => return None,
    })
}

/// What is left of un-synced writes, or nothing.
fn kept(next: &Move) -> Kept {
    let torn = next.number.is_multiple_of(4).then_some(next.pick);
    let writes = if next.number.is_multiple_of(3) { vec![next.to, next.pick] } else { Vec::new() };
    Kept { writes, torn }
}

fn misread(next: &Move) -> Option<Misread> {
    let (key, value) = (next.text.clone(), next.number.to_string());
    match next.number % 3 {
        0 => None,
        1 => Some(Misread::Corrupt { key, value }),
        _ => Some(Misread::Misdirected { key, instead: value }),
    }
}

/// What the step of a node does: something of everything that there is.
fn follow(next: &Move, name: &str, id: Request, after: &mut Snapshot) -> Vec<Effect> {
    let put = DiskWrite::Put { key: next.text.clone(), value: next.number.to_string() };
    let delete = DiskWrite::Delete { key: next.text.clone() };
    let node = after.nodes.get_mut(name).expect("it is one of the nodes");
    node.state = next.value.clone();
    node.status = if next.fails { Status::Failed } else { Status::Up };
    node.timers.push(next.value.clone());
    node.due.push(Due { min: 0, max: u32::try_from(next.to).expect("it is below 64") });
    node.disk.insert(next.text.clone(), next.number.to_string());
    node.unsynced.extend([put.clone(), DiskWrite::Sync, delete.clone()]);
    let to = NODES[next.to % NODES.len()].to_owned();
    let message = next.value.clone();
    for _ in 0..next.number % 3 {
        let envelope = Envelope { from: name.to_owned(), to: to.clone(), message: message.clone() };
        after.network.push(envelope);
    }
    after.history.push(HistoryEvent::Return { id: id.clone(), response: next.value.clone() });
    vec![
        Effect::Send { to, message: message.clone() },
        Effect::SetTimer { timer: message.clone(), after_us: next.number },
        Effect::CancelTimer { timer: message.clone() },
        Effect::Write(put),
        Effect::WriteSynced(delete),
        Effect::Sync,
        Effect::Respond { id, response: message },
    ]
}
