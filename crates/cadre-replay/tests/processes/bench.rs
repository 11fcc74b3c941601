use std::collections::{BTreeMap, BTreeSet};

use cadre_replay::Network;
use cadre_step::{Disk, Effect, EffectOf, Effects, Event, NodeId, Protocol, RequestId};
use cadre_trace::{
    Action, DiskWrite, Envelope, Fault, Happening, Header, HistoryEvent, Json, Kept, NodeSnapshot,
    Recorder, Request, Snapshot, Status, Trace, Verdict,
};
use serde_json::json;

use crate::protocol::{self, Count, Tally, Timer};

/// Executes the protocol's own step function in this process and writes down what happens: the
/// expectation, made without the code under test.
pub(crate) struct Bench {
    tally: Tally,
    names: Vec<String>,
    network: Network,
    nodes: Vec<Local>,
    recorder: Recorder,
}

#[derive(Clone)]
struct Local {
    status: Status,
    count: Option<Count>,
    timers: BTreeSet<Timer>,
    disk: BTreeMap<String, String>,
    unsynced: Vec<DiskWrite>,
}

/// What a step asks for and what became of it.
type Ran = (Vec<EffectOf<Tally>>, Option<String>);

impl Bench {
    pub(crate) fn new(names: &[&str], network: Network) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let ids = (0..names.len()).map(NodeId::from_index);
        let tally = Tally { nodes: ids.clone().collect(), trouble: None };
        let nodes: Vec<Local> = ids.map(|id| started(&tally, id, BTreeMap::new()).0).collect();
        let snapshots = names.iter().cloned().zip(nodes.iter().map(Local::snapshot));
        let initial = Snapshot { nodes: snapshots.collect(), ..Snapshot::default() };
        let recorder = Recorder::new(header(&names, network, initial));
        Self { tally, names, network, nodes, recorder }
    }

    pub(crate) fn finish(self) -> Trace {
        self.recorder.finish(|_| {})
    }

    pub(crate) fn act(&mut self, action: Action) {
        let mut after = self.recorder.current().clone();
        let name = action.node().map(str::to_owned);
        let index = self.names.iter().position(|known| Some(known) == name.as_ref());
        let (effects, failure) = match index {
            Some(index) => self.run(index, &action),
            None => (Vec::new(), None),
        };
        self.move_messages(&action, &mut after);
        if let Action::Invoke { id, node, request } = &action {
            let (id, node, request) = (id.clone(), node.clone(), request.clone());
            after.history.push(HistoryEvent::Invoke { id, node, request });
        }
        let effects: Vec<_> = effects.iter().map(|effect| self.tell(effect)).collect();
        if let (Some(name), Some(index)) = (&name, index) {
            after.nodes.insert(name.clone(), self.nodes[index].snapshot());
            self.apply_outside(name, &effects, &mut after);
        }
        after.sort_network();
        let event = event_of(&action);
        self.recorder.record(Happening {
            action,
            event,
            effects,
            after,
            failure,
            spec: None,
            at_us: None,
        });
    }

    /// What the action does to the node.
    fn run(&mut self, index: usize, action: &Action) -> Ran {
        let id = NodeId::from_index(index);
        let disk = self.nodes[index].disk.clone();
        match action {
            Action::Fault(Fault::Crash { .. }) => {
                self.nodes[index] = Local { disk, ..Local::down() };
                return (Vec::new(), None);
            }
            Action::Fault(Fault::Restart { .. }) | Action::Fault(Fault::CrashRestart { .. }) => {
                let (local, effects) = started(&self.tally, id, disk);
                self.nodes[index] = local;
                return (effects, None);
            }
            _ => {}
        }
        let event = self.event(action);
        let local = &mut self.nodes[index];
        match action {
            Action::Fire { timer, .. } => {
                assert!(local.timers.remove(&parsed(timer)), "the timer is armed");
            }
            Action::SyncDone { .. } => local.finish_sync(),
            _ => {}
        }
        if matches!(event, Event::Request { request: protocol::Request::Fail, .. }) {
            (local.status, local.count) = (Status::Failed, None);
            return (Vec::new(), Some("asked to fail".to_owned()));
        }
        let mut out = Effects::new();
        let count = local.count.as_mut().expect("the node is up");
        self.tally.step(id, count, event, &mut out);
        let effects = out.into_list();
        local.apply(&effects);
        (effects, None)
    }

    fn event(&self, action: &Action) -> Event<Tally> {
        match action {
            Action::Deliver(envelope) => {
                let from = self.names.iter().position(|name| *name == envelope.from).unwrap();
                let message = parsed(&envelope.message);
                Event::Deliver { from: NodeId::from_index(from), message }
            }
            Action::Choose { timer, .. } | Action::Fire { timer, .. } => {
                Event::Timeout(parsed(timer))
            }
            Action::SyncDone { .. } => Event::SyncDone,
            Action::Invoke { id, request, .. } => Event::Request {
                id: RequestId { client: 0, number: id.number },
                request: parsed(request),
            },
            other => panic!("{other} is no event"),
        }
    }

    /// What the action does to the messages in flight.
    fn move_messages(&self, action: &Action, after: &mut Snapshot) {
        let Some(envelope) = action.envelope() else { return };
        let found = after.network.iter().position(|sent| sent == envelope);
        let found = found.unwrap_or_else(|| panic!("{envelope} is in flight"));
        match (action, self.network) {
            (Action::Fault(Fault::Duplicate(_)), Network::ConsumedOnce) => {
                after.network.push(envelope.clone())
            }
            (_, Network::ConsumedOnce) => drop(after.network.remove(found)),
            (_, Network::GrowingSet) => {}
        }
    }

    fn apply_outside(&self, from: &str, effects: &[cadre_trace::Effect], after: &mut Snapshot) {
        for effect in effects {
            match effect {
                cadre_trace::Effect::Send { to, message } => {
                    let (from, to) = (from.to_owned(), to.clone());
                    let envelope = Envelope { from, to, message: message.clone() };
                    if self.network == Network::ConsumedOnce || !after.network.contains(&envelope) {
                        after.network.push(envelope);
                    }
                }
                cadre_trace::Effect::Respond { id, response } => {
                    let (id, response) = (id.clone(), response.clone());
                    after.history.push(HistoryEvent::Return { id, response });
                }
                _ => {}
            }
        }
    }

    fn tell(&self, effect: &EffectOf<Tally>) -> cadre_trace::Effect {
        match effect {
            Effect::Send { to, message } => cadre_trace::Effect::Send {
                to: self.names[to.index()].clone(),
                message: json!(message),
            },
            Effect::SetTimer { timer, after } => cadre_trace::Effect::SetTimer {
                timer: json!(timer),
                after_us: u64::try_from(after.as_micros()).unwrap(),
            },
            Effect::CancelTimer { timer } => {
                cadre_trace::Effect::CancelTimer { timer: json!(timer) }
            }
            Effect::Put { key, value } => cadre_trace::Effect::Write(put(key, value)),
            Effect::PutSynced { key, value } => cadre_trace::Effect::WriteSynced(put(key, value)),
            Effect::Delete { key } => {
                cadre_trace::Effect::Write(DiskWrite::Delete { key: text(key) })
            }
            Effect::Sync => cadre_trace::Effect::Sync,
            Effect::Respond { request, response } => cadre_trace::Effect::Respond {
                id: Request { client: "client".to_owned(), number: request.number },
                response: json!(response),
            },
        }
    }
}

impl Local {
    fn down() -> Self {
        Self {
            status: Status::Down,
            count: None,
            timers: BTreeSet::new(),
            disk: BTreeMap::new(),
            unsynced: Vec::new(),
        }
    }

    fn apply(&mut self, effects: &[EffectOf<Tally>]) {
        for effect in effects {
            match effect {
                Effect::Send { .. } | Effect::Respond { .. } => {}
                Effect::SetTimer { timer, .. } => drop(self.timers.insert(timer.clone())),
                Effect::CancelTimer { timer } => drop(self.timers.remove(timer)),
                Effect::Put { key, value } => self.unsynced.push(put(key, value)),
                Effect::PutSynced { key, value } => {
                    self.disk.insert(text(key), text(value));
                }
                Effect::Delete { key } => self.unsynced.push(DiskWrite::Delete { key: text(key) }),
                Effect::Sync => self.unsynced.push(DiskWrite::Sync),
            }
        }
    }

    fn finish_sync(&mut self) {
        let mark = self.unsynced.iter().position(|write| *write == DiskWrite::Sync);
        for write in self.unsynced.drain(..=mark.expect("a sync is pending")) {
            match write {
                DiskWrite::Put { key, value } => drop(self.disk.insert(key, value)),
                DiskWrite::Delete { key } => drop(self.disk.remove(&key)),
                DiskWrite::Sync => {}
            }
        }
    }

    fn snapshot(&self) -> NodeSnapshot {
        NodeSnapshot {
            status: self.status,
            state: json!(self.count),
            timers: self.timers.iter().map(|timer| json!(timer)).collect(),
            due: Vec::new(),
            disk: self.disk.clone(),
            unsynced: self.unsynced.clone(),
        }
    }
}

pub(crate) fn header(names: &[String], network: Network, initial: Snapshot) -> Header {
    Header {
        protocol: "tally".to_owned(),
        setup: BTreeMap::new(),
        origin: "test".to_owned(),
        nodes: names.to_vec(),
        network: network.to_string(),
        guarantee: None,
        verdict: Verdict::Bounded,
        initial,
        spec: None,
        loop_from: None,
    }
}

pub(crate) fn deliver(message: Json, from: &str, to: &str) -> Action {
    Action::Deliver(envelope(message, from, to))
}

pub(crate) fn envelope(message: Json, from: &str, to: &str) -> Envelope {
    Envelope { from: from.to_owned(), to: to.to_owned(), message }
}

pub(crate) fn speak(node: &str) -> Action {
    Action::Choose { node: node.to_owned(), timer: json!("Speak") }
}

pub(crate) fn beat(node: &str) -> Action {
    Action::Fire { node: node.to_owned(), timer: json!("Beat") }
}

pub(crate) fn sync_done(node: &str) -> Action {
    Action::SyncDone { node: node.to_owned() }
}

pub(crate) fn crash_restart(node: &str) -> Action {
    Action::Fault(Fault::CrashRestart { node: node.to_owned(), kept: Kept::default() })
}

pub(crate) fn invoke(node: &str, number: u32, request: Json) -> Action {
    let id = Request { client: "client".to_owned(), number };
    Action::Invoke { id, node: node.to_owned(), request }
}

fn started(
    tally: &Tally,
    id: NodeId,
    disk: BTreeMap<String, String>,
) -> (Local, Vec<EffectOf<Tally>>) {
    let entries = disk.iter().map(|(key, value)| (key.clone().into(), value.clone().into()));
    let mut out = Effects::new();
    let count = tally.start(id, &Disk::from_entries(entries), &mut out);
    let mut local = Local { status: Status::Up, count: Some(count), disk, ..Local::down() };
    let effects = out.into_list();
    local.apply(&effects);
    (local, effects)
}

fn event_of(action: &Action) -> Option<cadre_trace::Event> {
    match action {
        Action::Deliver(Envelope { from, message, .. }) => {
            Some(cadre_trace::Event::Deliver { from: from.clone(), message: message.clone() })
        }
        Action::Choose { timer, .. } | Action::Fire { timer, .. } => {
            Some(cadre_trace::Event::Timeout { timer: timer.clone() })
        }
        Action::SyncDone { .. } => Some(cadre_trace::Event::SyncDone),
        Action::Invoke { id, request, .. } => {
            Some(cadre_trace::Event::Request { id: id.clone(), request: request.clone() })
        }
        Action::Fault(Fault::Restart { .. }) | Action::Fault(Fault::CrashRestart { .. }) => {
            Some(cadre_trace::Event::Start)
        }
        Action::Tick | Action::Fault(_) => None,
    }
}

fn put(key: &[u8], value: &[u8]) -> DiskWrite {
    DiskWrite::Put { key: text(key), value: text(value) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn parsed<T: serde::de::DeserializeOwned>(json: &Json) -> T {
    serde_json::from_value(json.clone()).unwrap()
}
