use std::collections::BTreeMap;

use crate::log::Stamp;
use crate::snapshot::{Change, Envelope, Snapshot};
use crate::trace::{Action, Effect, Event, Header, SpecStep, Step, Trace};

/// Makes a [`Trace`] of things that happen one after another: numbers the steps, runs the clocks
/// and finds each step's causes.
///
/// Clocks follow Lamport, "Time, clocks, and the ordering of events in a distributed system"
/// (1978), and Mattern, "Virtual time and global states of distributed systems" (1989). A node
/// counts its own steps from 1, faults included; its start belongs to the initial configuration and
/// counts as 0. Loss and duplication happen in no node: they carry the clocks of the step that sent
/// the message.
/// Where several nodes crash at once the step is one of each of them, and joins their clocks.
#[derive(Clone, Debug)]
pub struct Recorder {
    header: Header,
    steps: Vec<Step>,
    current: Snapshot,
    nodes: BTreeMap<String, NodeClock>,
    /// Messages in flight with the step that sent them, oldest first.
    in_flight: Vec<(Envelope, usize)>,
    /// The same of messages that are not in flight any more, which may come back.
    past: Vec<(Envelope, usize)>,
}

/// What a recorder is told about one step.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The choice of the environment.
    pub action: Action,
    /// What a step function consumed, if one ran.
    pub event: Option<Event>,
    /// What it asked for.
    pub effects: Vec<Effect>,
    /// The configuration afterwards.
    pub after: Snapshot,
    /// Why the step function did not return as it should.
    pub failure: Option<String>,
    /// What the step is in the specification.
    pub spec: Option<SpecStep>,
    /// When it happened, in microseconds of virtual time, if somebody counted.
    pub at_us: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct NodeClock {
    stamp: Stamp,
    last_step: Option<usize>,
}

impl Recorder {
    /// Begins a trace at the header's initial configuration.
    pub fn new(header: Header) -> Self {
        let current = header.initial.clone();
        let in_flight = current.network.iter().map(|envelope| (envelope.clone(), 0)).collect();
        let (steps, nodes, past) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { header, steps, current, nodes, in_flight, past }
    }

    /// The configuration after the steps so far.
    pub fn current(&self) -> &Snapshot {
        &self.current
    }

    /// Adds a step.
    pub fn record(&mut self, happening: Happening) {
        let Happening { action, event, effects, after, failure, spec, at_us } = happening;
        let step = self.steps.len() + 1;
        let change = Change::between(&self.current, &after);
        let sent_at = action.envelope().and_then(|envelope| self.sender(envelope));
        let (stamp, causes) = self.advance(&action, step, sent_at);
        self.track(&change, step);
        self.current = after;
        self.steps.push(Step {
            step,
            action,
            event,
            effects,
            lamport: stamp.lamport,
            clock: stamp.clock,
            causes,
            change,
            failure,
            spec,
            at_us,
        });
    }

    /// Ends the trace. The header may say by now what has become of the execution.
    pub fn finish(self, conclude: impl FnOnce(&mut Header)) -> Trace {
        let mut trace = Trace { header: self.header, steps: self.steps };
        conclude(&mut trace.header);
        trace
    }

    /// The step that sent a message; 0 for a start.
    fn sender(&self, envelope: &Envelope) -> Option<usize> {
        let mut sent = self.in_flight.iter().chain(&self.past);
        sent.find(|(sent, _)| sent == envelope).map(|(_, step)| *step)
    }

    fn advance(
        &mut self,
        action: &Action,
        step: usize,
        sent_at: Option<usize>,
    ) -> (Stamp, Vec<usize>) {
        let sender = sent_at.and_then(|sent_at| self.steps.get(sent_at.wrapping_sub(1)));
        let carried =
            sender.map(|sender| Stamp { lamport: sender.lamport, clock: sender.clock.clone() });
        let names = action.nodes();
        let mut stamp = match names.is_empty() {
            true => carried.clone().unwrap_or_default(),
            false => Stamp::default(),
        };
        let mut causes = Vec::from_iter(sent_at);
        for name in &names {
            let node = self.nodes.entry((*name).to_owned()).or_default();
            causes.extend(node.last_step);
            node.stamp = node.stamp.next(name, carried.as_ref());
            node.last_step = Some(step);
            stamp.join(&node.stamp);
        }
        for name in names {
            self.nodes.entry(name.to_owned()).or_default().stamp = stamp.clone();
        }
        causes.sort_unstable();
        causes.dedup();
        (stamp, causes)
    }

    fn track(&mut self, change: &Change, step: usize) {
        for envelope in &change.removed {
            if let Some(found) = self.in_flight.iter().position(|(sent, _)| sent == envelope) {
                self.past.push(self.in_flight.remove(found));
            }
        }
        self.in_flight.extend(change.added.iter().map(|envelope| (envelope.clone(), step)));
    }
}
