use std::collections::BTreeMap;

use cadre::step::SyncError;
use cadre::trace::{
    Action, DiskWrite, Effect, Envelope, Event, Fault, Guarantee, GuaranteeKind, Happening, Header,
    HistoryEvent, Json, Kept, Link, NodeSnapshot, Recorder, Request, Snapshot, Status, Trace,
    Verdict,
};
use serde_json::json;

/// A trace in which everything goes wrong that can go wrong once, to be drawn.
pub fn stormy() -> Trace {
    let mut play = Play::new(&["a", "b", "c"]);
    play.ask("x", 0, "a", "Put", &[("b", "Copy"), ("c", "Copy")]);
    play.copy(Fault::Duplicate(envelope("a", "b", "Copy")), envelope("a", "b", "Copy"));
    play.deliver("a", "b", "Copy", &[("a", "Ack")]);
    play.cut(&[("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")]);
    play.fire("b", "Retry", &[("a", "Ack"), ("c", "Hint")]);
    play.synced("a", "x", 0);
    let altered = Fault::Corrupt { envelope: envelope("a", "c", "Copy"), into: json!("Wipe") };
    play.take(&envelope("a", "c", "Copy"));
    play.copy(altered, envelope("a", "c", "Wipe"));
    play.cut(&[]);
    play.deliver("a", "c", "Wipe", &[]);
    play.take(&envelope("b", "a", "Ack"));
    play.fault(Fault::Drop(envelope("b", "a", "Ack")));
    play.status("c", Status::Paused);
    play.fault(Fault::Pause { node: "c".to_owned() });
    play.status("a", Status::Down);
    play.fault(Fault::Crash { node: "a".to_owned(), kept: Kept::default() });
    play.copy(Fault::Replay(envelope("a", "b", "Copy")), envelope("a", "b", "Copy"));
    play.deliver("a", "b", "Copy", &[]);
    play.status("a", Status::Up);
    play.fault(Fault::Restart { node: "a".to_owned(), misread: None });
    play.status("c", Status::Up);
    play.fault(Fault::Resume { node: "c".to_owned() });
    play.fault(Fault::Jump { node: "c".to_owned(), by_us: -5_000 });
    play.fault(Fault::SyncFail { node: "b".to_owned(), error: SyncError::Lost });
    play.deliver("b", "c", "Hint", &[("c", "Self")]);
    play.deliver("c", "c", "Self", &[]);
    play.step(Action::Tick, None, Vec::new());
    play.status("b", Status::Down);
    play.status("c", Status::Down);
    play.fault(Fault::CrashGroup { nodes: vec!["b".to_owned(), "c".to_owned()] });
    play.ask("y", 0, "a", "Get", &[]);
    play.end(Verdict::Violated)
}

/// A trace of as many steps as wanted: requests to five nodes, each of which tells the next one,
/// with a crash now and then. The last step violates a guarantee about the first node.
pub fn long(steps: usize) -> Trace {
    let names = ["n1", "n2", "n3", "n4", "n5"];
    let mut play = Play::new(&names);
    for number in 1..steps {
        let (node, next) = (names[number / 2 % 5], names[(number / 2 + 1) % 5]);
        match number % 50 {
            49 => play.fault(Fault::CrashRestart { node: node.to_owned(), kept: Kept::default() }),
            odd if odd % 2 == 1 => play.fire(node, "Beat", &[(next, "Told")]),
            _ => play.deliver(names[(number / 2 + 4) % 5], node, "Told", &[]),
        }
    }
    play.fire("n1", "Beat", &[]);
    play.end(Verdict::Violated)
}

struct Play {
    recorder: Recorder,
    after: Snapshot,
}

impl Play {
    fn new(names: &[&str]) -> Self {
        let node = || NodeSnapshot {
            status: Status::Up,
            state: json!({ "seen": 0 }),
            timers: Vec::new(),
            due: Vec::new(),
            disk: BTreeMap::new(),
            unsynced: Vec::new(),
        };
        let nodes = names.iter().map(|name| ((*name).to_owned(), node()));
        let after = Snapshot { nodes: nodes.collect(), ..Snapshot::default() };
        let header = Header {
            protocol: "drawn".to_owned(),
            setup: BTreeMap::from([("nodes".to_owned(), json!(names.len()))]),
            origin: "story".to_owned(),
            nodes: names.iter().map(|name| (*name).to_owned()).collect(),
            network: "consumed-once".to_owned(),
            guarantee: None,
            verdict: Verdict::Holds,
            initial: after.clone(),
            spec: None,
            loop_from: None,
        };
        Self { recorder: Recorder::new(header), after }
    }

    fn ask(&mut self, client: &str, number: u32, node: &str, what: &str, sends: &[(&str, &str)]) {
        let id = Request { client: client.to_owned(), number };
        let (node, request) = (node.to_owned(), json!(what));
        let asked =
            HistoryEvent::Invoke { id: id.clone(), node: node.clone(), request: request.clone() };
        self.after.history.push(asked);
        let write = DiskWrite::Put { key: "value".to_owned(), value: what.to_owned() };
        self.node(&node).unsynced.push(write.clone());
        let mut effects = vec![Effect::Write(write), Effect::Sync];
        effects.extend(self.send(&node, sends));
        let event = Event::Request { id: id.clone(), request: request.clone() };
        self.step(Action::Invoke { id, node, request }, Some(event), effects);
    }

    fn deliver(&mut self, from: &str, to: &str, message: &str, sends: &[(&str, &str)]) {
        let sent = envelope(from, to, message);
        self.take(&sent);
        let effects = self.send(to, sends);
        let event = Event::Deliver { from: from.to_owned(), message: json!(message) };
        self.see(to);
        self.step(Action::Deliver(sent), Some(event), effects);
    }

    fn fire(&mut self, node: &str, timer: &str, sends: &[(&str, &str)]) {
        let effects = self.send(node, sends);
        let timer = json!(timer);
        let event = Event::Timeout { timer: timer.clone() };
        self.see(node);
        self.step(Action::Fire { node: node.to_owned(), timer }, Some(event), effects);
    }

    fn synced(&mut self, node: &str, client: &str, number: u32) {
        let id = Request { client: client.to_owned(), number };
        let response = json!("Done");
        self.node(node).disk.insert("value".to_owned(), "Put".to_owned());
        self.node(node).unsynced.clear();
        let answer = HistoryEvent::Return { id: id.clone(), response: response.clone() };
        self.after.history.push(answer);
        let action = Action::SyncDone { node: node.to_owned() };
        self.step(action, Some(Event::SyncDone), vec![Effect::Respond { id, response }]);
    }

    /// Puts a message in flight by a fault.
    fn copy(&mut self, fault: Fault, made: Envelope) {
        self.after.network.push(made);
        self.fault(fault);
    }

    fn cut(&mut self, links: &[(&str, &str)]) {
        let link = |(from, to): &(&str, &str)| Link { from: (*from).into(), to: (*to).into() };
        self.after.cut = links.iter().map(link).collect();
        let cut = self.after.cut.clone();
        self.fault(if cut.is_empty() { Fault::Heal } else { Fault::Partition { cut } });
    }

    fn fault(&mut self, fault: Fault) {
        self.step(Action::Fault(fault), None, Vec::new());
    }

    fn status(&mut self, node: &str, status: Status) {
        self.node(node).status = status;
    }

    /// Takes a message from the network, if it is there.
    fn take(&mut self, gone: &Envelope) {
        if let Some(at) = self.after.network.iter().position(|sent| sent == gone) {
            self.after.network.remove(at);
        }
    }

    /// What is sent over a link that is cut is lost.
    fn send(&mut self, from: &str, sends: &[(&str, &str)]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (to, message) in sends {
            let link = Link { from: from.to_owned(), to: (*to).to_owned() };
            if !self.after.cut.contains(&link) {
                self.after.network.push(envelope(from, to, message));
            }
            effects.push(Effect::Send { to: (*to).to_owned(), message: json!(message) });
        }
        effects
    }

    fn see(&mut self, node: &str) {
        let state = &mut self.node(node).state;
        let seen = state["seen"].as_u64().unwrap_or(0);
        state["seen"] = json!(seen + 1);
    }

    fn node(&mut self, name: &str) -> &mut NodeSnapshot {
        self.after.nodes.get_mut(name).expect("the story is about known nodes")
    }

    fn step(&mut self, action: Action, event: Option<Event>, effects: Vec<Effect>) {
        self.after.sort_network();
        self.recorder.record(Happening {
            action,
            event,
            effects,
            after: self.after.clone(),
            failure: None,
            spec: None,
            at_us: None,
        });
    }

    fn end(self, verdict: Verdict) -> Trace {
        self.recorder.finish(|header| {
            header.verdict = verdict;
            header.guarantee = Some(Guarantee {
                name: "what is put is kept".to_owned(),
                kind: GuaranteeKind::Always,
                reads: vec![header.nodes[0].clone()],
                finding: Some(format!("{} has forgotten it", header.nodes[0])),
            });
        })
    }
}

fn envelope(from: &str, to: &str, message: &str) -> Envelope {
    Envelope { from: from.to_owned(), to: to.to_owned(), message: Json::from(message) }
}
