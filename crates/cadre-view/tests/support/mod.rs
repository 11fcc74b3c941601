//! Builds traces by hand, step by step, in the words of a story.
#![expect(dead_code, reason = "each test file uses its own part of the story teller")]

use std::collections::BTreeMap;

use cadre_trace::{
    Action, DiskWrite, Effect, Envelope, Event, Fairness, Fault, Guarantee, GuaranteeKind,
    Happening, Header, HistoryEvent, Json, Kept, NodeSnapshot, Recorder, Request, Snapshot, Status,
    Trace, Verdict,
};
use serde_json::json;

pub(crate) struct Story {
    recorder: Recorder,
    after: Snapshot,
    /// Whether messages stay in flight when they arrive.
    growing: bool,
}

impl Story {
    pub(crate) fn new(nodes: &[(&str, Json)], network: &str) -> Self {
        let node = |(name, state): &(&str, Json)| ((*name).to_owned(), up(state.clone()));
        let initial = Snapshot { nodes: nodes.iter().map(node).collect(), ..Snapshot::default() };
        let header = Header {
            protocol: "two-phase-commit".to_owned(),
            setup: BTreeMap::new(),
            origin: "explore".to_owned(),
            nodes: nodes.iter().map(|(name, _)| (*name).to_owned()).collect(),
            network: network.to_owned(),
            guarantee: None,
            verdict: Verdict::Holds,
            initial: initial.clone(),
            spec: None,
            loop_from: None,
        };
        Self { recorder: Recorder::new(header), after: initial, growing: network == "growing" }
    }

    /// A coordinator and some participants on a network that forgets nothing.
    pub(crate) fn two_phase(participants: usize) -> Self {
        let tm = ("tm".to_owned(), json!({"state": "init", "prepared": []}));
        let rms = (1..=participants).map(|rm| (format!("rm{rm}"), json!("working")));
        let nodes: Vec<(String, Json)> = std::iter::once(tm).chain(rms).collect();
        let nodes: Vec<(&str, Json)> =
            nodes.iter().map(|(name, state)| (name.as_str(), state.clone())).collect();
        Self::new(&nodes, "growing")
    }

    pub(crate) fn choose(
        self,
        node: &str,
        choice: &str,
        state: Json,
        sends: &[(&str, Json)],
    ) -> Self {
        let timer = json!(choice);
        let action = Action::Choose { node: node.to_owned(), timer: timer.clone() };
        self.step(action, Some(Event::Timeout { timer }), node, state, sends)
    }

    pub(crate) fn fire(self, node: &str, timer: &str, state: Json, sends: &[(&str, Json)]) -> Self {
        let timer = json!(timer);
        let action = Action::Fire { node: node.to_owned(), timer: timer.clone() };
        self.step(action, Some(Event::Timeout { timer }), node, state, sends)
    }

    pub(crate) fn deliver(
        mut self,
        message: Json,
        from: &str,
        to: &str,
        state: Json,
        sends: &[(&str, Json)],
    ) -> Self {
        let envelope = envelope(from, to, message.clone());
        if !self.growing {
            self.take(&envelope);
        }
        let event = Event::Deliver { from: from.to_owned(), message };
        self.step(Action::Deliver(envelope), Some(event), to, state, sends)
    }

    pub(crate) fn lose(mut self, message: Json, from: &str, to: &str) -> Self {
        let envelope = envelope(from, to, message);
        self.take(&envelope);
        self.fault(Action::Fault(Fault::Drop(envelope)))
    }

    pub(crate) fn duplicate(mut self, message: Json, from: &str, to: &str) -> Self {
        let envelope = envelope(from, to, message);
        self.after.network.push(envelope.clone());
        self.fault(Action::Fault(Fault::Duplicate(envelope)))
    }

    pub(crate) fn crash(mut self, name: &str) -> Self {
        let node = self.node(name);
        *node = NodeSnapshot {
            status: Status::Down,
            state: Json::Null,
            timers: Vec::new(),
            due: Vec::new(),
            disk: node.disk.clone(),
            unsynced: Vec::new(),
        };
        self.fault(Action::Fault(Fault::Crash { node: name.to_owned(), kept: Kept::default() }))
    }

    pub(crate) fn restart(mut self, name: &str, state: Json) -> Self {
        self.node(name).status = Status::Up;
        self.step(
            Action::Fault(Fault::Restart { node: name.to_owned(), misread: None }),
            Some(Event::Start),
            name,
            state,
            &[],
        )
    }

    pub(crate) fn crash_restart(self, name: &str, state: Json) -> Self {
        let action =
            Action::Fault(Fault::CrashRestart { node: name.to_owned(), kept: Kept::default() });
        self.step(action, Some(Event::Start), name, state, &[])
    }

    pub(crate) fn ask(
        mut self,
        client: &str,
        number: u32,
        node: &str,
        request: Json,
        state: Json,
        sends: &[(&str, Json)],
    ) -> Self {
        let id = Request { client: client.to_owned(), number };
        let node = node.to_owned();
        let event = Event::Request { id: id.clone(), request: request.clone() };
        let asked =
            HistoryEvent::Invoke { id: id.clone(), node: node.clone(), request: request.clone() };
        self.after.history.push(asked);
        let action = Action::Invoke { id, node: node.clone(), request };
        self.step(action, Some(event), &node, state, sends)
    }

    /// Writes to the disk as part of the next step.
    pub(crate) fn writing(mut self, node: &str, key: &str, value: &str) -> Self {
        let write = DiskWrite::Put { key: key.to_owned(), value: value.to_owned() };
        self.node(node).unsynced.push(write);
        self
    }

    /// Arms a timer as part of the next step.
    pub(crate) fn arming(mut self, node: &str, timer: Json) -> Self {
        self.node(node).timers.push(timer);
        self
    }

    /// Answers a client as part of the next step.
    pub(crate) fn answering(mut self, client: &str, number: u32, response: Json) -> Self {
        let id = Request { client: client.to_owned(), number };
        self.after.history.push(HistoryEvent::Return { id, response });
        self
    }

    pub(crate) fn sync_done(mut self, name: &str) -> Self {
        let node = self.node(name);
        for write in std::mem::take(&mut node.unsynced) {
            if let DiskWrite::Put { key, value } = write {
                node.disk.insert(key, value);
            }
        }
        let state = node.state.clone();
        let action = Action::SyncDone { node: name.to_owned() };
        self.step(action, Some(Event::SyncDone), name, state, &[])
    }

    pub(crate) fn panics(mut self, message: Json, from: &str, to: &str, failure: &str) -> Self {
        let action = Action::Deliver(envelope(from, to, message.clone()));
        self.node(to).status = Status::Failed;
        self.node(to).state = Json::Null;
        self.recorder.record(Happening {
            action,
            event: Some(Event::Deliver { from: from.to_owned(), message }),
            effects: Vec::new(),
            after: self.after.clone(),
            failure: Some(failure.to_owned()),
            spec: None,
            at_us: None,
        });
        self
    }

    pub(crate) fn violates(self, guarantee: &str, reads: &[&str], finding: Option<&str>) -> Trace {
        self.recorder.finish(|header| {
            header.verdict = Verdict::Violated;
            header.guarantee = Some(Guarantee {
                name: guarantee.to_owned(),
                kind: GuaranteeKind::Always,
                reads: reads.iter().map(|node| (*node).to_owned()).collect(),
                finding: finding.map(str::to_owned),
            });
        })
    }

    /// Violates a guarantee by what happens for ever after that step; `None` where nothing does.
    pub(crate) fn violates_for_ever(
        self,
        guarantee: &str,
        reads: &[&str],
        loop_from: Option<usize>,
    ) -> Trace {
        let mut trace = self.violates(guarantee, reads, None);
        trace.header.loop_from = loop_from;
        if let Some(guarantee) = &mut trace.header.guarantee {
            guarantee.kind = GuaranteeKind::Eventually(Fairness::Weak);
        }
        trace
    }

    pub(crate) fn holds(self) -> Trace {
        self.recorder.finish(|_| {})
    }

    fn step(
        mut self,
        action: Action,
        event: Option<Event>,
        name: &str,
        state: Json,
        sends: &[(&str, Json)],
    ) -> Self {
        self.node(name).state = state;
        let mut effects = Vec::new();
        for (to, message) in sends {
            let sent = envelope(name, to, message.clone());
            if !self.growing || !self.after.network.contains(&sent) {
                self.after.network.push(sent);
            }
            effects.push(Effect::Send { to: (*to).to_owned(), message: message.clone() });
        }
        let history = &self.recorder.current().history;
        for answer in &self.after.history[history.len()..] {
            if let HistoryEvent::Return { id, response } = answer {
                effects.push(Effect::Respond { id: id.clone(), response: response.clone() });
            }
        }
        self.record(action, event, effects);
        self
    }

    fn fault(mut self, action: Action) -> Self {
        self.record(action, None, Vec::new());
        self
    }

    fn record(&mut self, action: Action, event: Option<Event>, effects: Vec<Effect>) {
        self.after.sort_network();
        let after = self.after.clone();
        self.recorder.record(Happening {
            action,
            event,
            effects,
            after,
            failure: None,
            spec: None,
            at_us: None,
        });
    }

    fn take(&mut self, envelope: &Envelope) {
        let at = self.after.network.iter().position(|other| other == envelope);
        self.after.network.remove(at.expect("the story delivers what is in flight"));
    }

    fn node(&mut self, name: &str) -> &mut NodeSnapshot {
        self.after.nodes.get_mut(name).expect("the story is about known nodes")
    }
}

/// Every participant prepares, the coordinator commits, and one participant aborts all the same.
pub(crate) fn abort_after_prepare() -> Trace {
    let tm = |state: &str, prepared: Json| json!({"state": state, "prepared": prepared});
    Story::two_phase(3)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .choose("rm2", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .deliver(json!("Prepared"), "rm1", "tm", tm("init", json!([1])), &[])
        .choose("rm3", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .deliver(json!("Prepared"), "rm3", "tm", tm("init", json!([1, 3])), &[])
        .choose("rm2", "Abort", json!("aborted"), &[])
        .deliver(
            json!("Prepared"),
            "rm2",
            "tm",
            tm("committed", json!([1, 2, 3])),
            &[("rm1", json!("Commit")), ("rm2", json!("Commit")), ("rm3", json!("Commit"))],
        )
        .deliver(json!("Commit"), "tm", "rm3", json!("committed"), &[])
        .deliver(json!("Commit"), "tm", "rm1", json!("committed"), &[])
        .violates("consistency", &["rm1", "rm2"], Some("rm1 has committed and rm2 has aborted"))
}

/// The coordinator does not wait for all.
pub(crate) fn hasty_commit() -> Trace {
    let tm = |state: &str, prepared: Json| json!({"state": state, "prepared": prepared});
    let commit = json!("Commit");
    Story::two_phase(2)
        .choose("rm1", "Prepare", json!("prepared"), &[("tm", json!("Prepared"))])
        .deliver(json!("Prepared"), "rm1", "tm", tm("init", json!([1])), &[])
        .choose(
            "tm",
            "Commit",
            tm("committed", json!([1])),
            &[("rm1", commit.clone()), ("rm2", commit.clone())],
        )
        .deliver(commit, "tm", "rm1", json!("committed"), &[])
        .choose("rm2", "Abort", json!("aborted"), &[])
        .violates("consistency", &["rm1", "rm2"], Some("rm1 has committed and rm2 has aborted"))
}

/// Two replicas with disks, on a network that loses and duplicates; a client writes and reads.
pub(crate) fn lost_write() -> Trace {
    let state = |role: &str, value: Json| json!({"role": role, "value": value});
    Story::new(
        &[("n1", state("leader", json!(null))), ("n2", state("follower", json!(null)))],
        "multiset",
    )
    .writing("n1", "value", "5")
    .arming("n1", json!("Retry"))
    .ask(
        "c1",
        0,
        "n1",
        json!({"Write": 5}),
        state("leader", json!(5)),
        &[("n2", json!({"Copy": 5}))],
    )
    .answering("c1", 0, json!("Done"))
    .sync_done("n1")
    .duplicate(json!({"Copy": 5}), "n1", "n2")
    .lose(json!({"Copy": 5}), "n1", "n2")
    .crash("n1")
    .writing("n2", "value", "5")
    .deliver(
        json!({"Copy": 5}),
        "n1",
        "n2",
        state("follower", json!(5)),
        &[("n1", json!("Copied"))],
    )
    .crash("n2")
    .restart("n1", state("follower", json!(5)))
    .restart("n2", state("leader", json!(null)))
    .deliver(json!("Copied"), "n2", "n1", state("follower", json!(5)), &[])
    .answering("c2", 0, json!(null))
    .ask("c2", 0, "n2", json!("Read"), state("leader", json!(null)), &[])
    .crash_restart("n1", state("follower", json!(5)))
    .violates("what is answered is not forgotten", &["n2"], None)
}

/// A token goes round; its holder's neighbour panics in the end.
pub(crate) fn ring(nodes: usize, steps: usize) -> Story {
    let names: Vec<String> = (1..=nodes).map(|node| format!("n{node}")).collect();
    let states: Vec<(&str, Json)> =
        names.iter().map(|name| (name.as_str(), json!({"seen": 0}))).collect();
    let mut story = Story::new(&states, "multiset");
    let token = |round: usize| json!({"Token": round});
    story = story.choose("n1", "Begin", json!({"seen": 1}), &[("n2", token(1))]);
    for step in 1..steps {
        let (from, to, next) = (step - 1, step, step + 1);
        let name = |at: usize| names[at % nodes].as_str();
        story = story.deliver(
            token(from / nodes + 1),
            name(from),
            name(to),
            json!({"seen": to / nodes + 1}),
            &[(name(next), token(to / nodes + 1))],
        );
    }
    story
}

fn up(state: Json) -> NodeSnapshot {
    NodeSnapshot {
        status: Status::Up,
        state,
        timers: Vec::new(),
        due: Vec::new(),
        disk: BTreeMap::new(),
        unsynced: Vec::new(),
    }
}

fn envelope(from: &str, to: &str, message: Json) -> Envelope {
    Envelope { from: from.to_owned(), to: to.to_owned(), message }
}
