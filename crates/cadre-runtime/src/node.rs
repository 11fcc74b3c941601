use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use cadre_step::{Effect, EffectOf, Effects, Event, NodeId, Protocol, RequestId, SyncError};
use cadre_trace::{
    Action, Envelope, Fault, Frame, Kept, LOG_VERSION, LoggedStep, Misread, NodeSnapshot, Stamp,
    Status,
};

use crate::RuntimeError;
use crate::clock;
use crate::links::Links;
use crate::names::{Names, to_json};
use crate::store::{Store, Write};

/// One node of a protocol: its memory, its timers, its disk and its ways to the others.
pub(crate) struct Node<'a, P: Protocol> {
    protocol: &'a P,
    id: NodeId,
    name: &'a str,
    names: Names<'a>,
    /// `None` once a step has failed.
    state: Option<P::State>,
    /// The armed timers, and when they are due.
    timers: BTreeMap<P::Timer, Instant>,
    store: Store,
    links: Links,
    stamp: Stamp,
    /// How many effects of the next step are carried out, where it is to end in the middle.
    effects_max: Option<usize>,
}

/// What a node is made of.
pub(crate) struct NodeParts<'a, P> {
    pub(crate) protocol: &'a P,
    pub(crate) id: NodeId,
    pub(crate) names: Names<'a>,
    pub(crate) store: Store,
    pub(crate) links: Links,
    /// What the start reads wrongly from the disk.
    pub(crate) misread: Option<Misread>,
}

/// Why a node takes a step.
pub(crate) enum Cause<P: Protocol> {
    Delivery { from: NodeId, message: P::Message, stamp: Stamp },
    Choice(P::Timer),
    Timer(P::Timer),
    SyncDone,
    SyncFailed(SyncError),
    Request { id: RequestId, request: P::Request },
}

impl<'a, P: Protocol> Node<'a, P> {
    /// Starts on what the disk holds; the start counts as step 0 of the node.
    pub(crate) fn start(parts: NodeParts<'a, P>) -> Result<(Self, LoggedStep), RuntimeError> {
        let NodeParts { protocol, id, names, store, links, misread } = parts;
        let name = names.node(id)?;
        let (timers, stamp) = (BTreeMap::new(), Stamp::default());
        let disk = store.disk(misread.as_ref())?;
        let (state, effects_max) = (None, None);
        let mut node =
            Self { protocol, id, name, names, state, timers, store, links, stamp, effects_max };
        let result = guarded(|out| protocol.start(id, &disk, out));
        let report = node.conclude(None, cadre_trace::Event::Start, result)?;
        Ok((node, report))
    }

    /// Takes one step and carries out its effects.
    ///
    /// The caller has checked that the cause is one: that the timer is armed, the choice to be
    /// made, the sync asked for; and that the node [is up](Node::is_up).
    pub(crate) fn step(&mut self, cause: Cause<P>) -> Result<LoggedStep, RuntimeError> {
        let cause = self.tried(cause)?;
        let (action, told) = self.tell(&cause)?;
        let received = match &cause {
            Cause::Delivery { stamp, .. } => Some(stamp),
            Cause::Choice(_)
            | Cause::Timer(_)
            | Cause::SyncDone
            | Cause::SyncFailed(_)
            | Cause::Request { .. } => None,
        };
        self.stamp = self.stamp.next(self.name, received);
        let event = match cause {
            Cause::Delivery { from, message, .. } => Event::Deliver { from, message },
            Cause::Choice(timer) => Event::Timeout(timer),
            Cause::Timer(timer) => {
                self.timers.remove(&timer);
                Event::Timeout(timer)
            }
            Cause::SyncDone => Event::SyncDone,
            Cause::SyncFailed(error) => {
                self.store.fail_sync(error);
                Event::SyncFailed(error)
            }
            Cause::Request { id, request } => Event::Request { id, request },
        };
        let mut state = self.state.take().expect("only a node that is up takes steps");
        let result = guarded(|out| {
            self.protocol.step(self.id, &mut state, event, out);
            state
        });
        self.conclude(Some(action), told, result)
    }

    /// Carries out the sync that is to be reported as done, or finds that it fails.
    fn tried(&mut self, cause: Cause<P>) -> Result<Cause<P>, RuntimeError> {
        let Cause::SyncDone = cause else { return Ok(cause) };
        match self.store.sync() {
            Ok(()) => Ok(Cause::SyncDone),
            Err(error) => error.sync_error().map(Cause::SyncFailed).ok_or(error),
        }
    }

    /// Lets the next step end in the middle.
    pub(crate) fn interrupt(&mut self, effects: usize) {
        self.effects_max = Some(effects);
    }

    /// Puts some un-synced writes on the disk.
    pub(crate) fn keep(&self, kept: &Kept) -> Result<(), RuntimeError> {
        self.store.keep(kept)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state.is_some()
    }

    /// What the node may do of its own accord; nothing once it has failed.
    pub(crate) fn choices(&self) -> Vec<P::Timer> {
        let state = self.state.as_ref();
        state.map_or_else(Vec::new, |state| self.protocol.choices(self.id, state))
    }

    pub(crate) fn is_armed(&self, timer: &P::Timer) -> bool {
        self.timers.contains_key(timer)
    }

    /// The timer that is due first, and when; of two the one that is first in order.
    pub(crate) fn next_timer(&self) -> Option<(&P::Timer, Instant)> {
        let first = self.timers.iter().min_by_key(|(_, due)| **due);
        first.map(|(timer, due)| (timer, *due))
    }

    pub(crate) fn sync_pending(&self) -> bool {
        self.store.sync_pending()
    }

    /// The step as a trace shows it: what the surroundings did, and what the node sees of it.
    fn tell(&self, cause: &Cause<P>) -> Result<(Action, cadre_trace::Event), RuntimeError> {
        let node = self.name.to_owned();
        Ok(match cause {
            Cause::Delivery { from, message, .. } => {
                let from = self.names.node(*from)?.to_owned();
                let message = to_json("a message", message)?;
                let envelope = Envelope { from: from.clone(), to: node, message: message.clone() };
                (Action::Deliver(envelope), cadre_trace::Event::Deliver { from, message })
            }
            Cause::Choice(timer) => {
                let timer = to_json("a timer", timer)?;
                let event = cadre_trace::Event::Timeout { timer: timer.clone() };
                (Action::Choose { node, timer }, event)
            }
            Cause::Timer(timer) => {
                let timer = to_json("a timer", timer)?;
                let event = cadre_trace::Event::Timeout { timer: timer.clone() };
                (Action::Fire { node, timer }, event)
            }
            Cause::SyncDone => (Action::SyncDone { node }, cadre_trace::Event::SyncDone),
            Cause::SyncFailed(error) => {
                let event = cadre_trace::Event::SyncFailed { error: *error };
                (Fault::SyncFail { node, error: *error }.into(), event)
            }
            Cause::Request { id, request } => {
                let id = self.names.request(*id)?;
                let request = to_json("a request", request)?;
                let event =
                    cadre_trace::Event::Request { id: id.clone(), request: request.clone() };
                (Action::Invoke { id, node, request }, event)
            }
        })
    }

    /// Carries out what a step has asked for, and tells of it. A step that has panicked has asked
    /// for nothing.
    fn conclude(
        &mut self,
        action: Option<Action>,
        event: cadre_trace::Event,
        result: Result<(P::State, Vec<EffectOf<P>>), String>,
    ) -> Result<LoggedStep, RuntimeError> {
        let mut told = Vec::new();
        let failure = match result {
            Ok((state, effects)) => {
                self.state = Some(state);
                let carried_out = self.effects_max.take().unwrap_or(effects.len());
                for effect in effects.into_iter().take(carried_out) {
                    told.push(self.names.effect::<P>(&effect)?);
                    self.carry_out(effect)?;
                }
                None
            }
            Err(panic) => {
                self.state = None;
                Some(panic)
            }
        };
        Ok(LoggedStep {
            version: LOG_VERSION,
            node: self.name.to_owned(),
            action,
            event,
            effects: told,
            after: self.snapshot()?,
            stamp: self.stamp.clone(),
            failure,
        })
    }

    fn carry_out(&mut self, effect: EffectOf<P>) -> Result<(), RuntimeError> {
        match effect {
            Effect::Send { to, message } => {
                let frame = Frame {
                    version: LOG_VERSION,
                    from: self.name.to_owned(),
                    to: self.names.node(to)?.to_owned(),
                    message: to_json("a message", &message)?,
                    stamp: self.stamp.clone(),
                };
                self.links.send(&frame);
            }
            Effect::SetTimer { timer, after } => {
                self.timers.insert(timer, clock::after(after));
            }
            Effect::CancelTimer { timer } => {
                self.timers.remove(&timer);
            }
            Effect::Put { key, value } => self.store.write(Write::Put { key, value }),
            Effect::PutSynced { key, value } => self.store.put_synced(key, value)?,
            Effect::Delete { key } => self.store.write(Write::Delete { key }),
            Effect::Sync => self.store.write(Write::Sync),
            // The report of the step is the answer: the driver speaks for the clients.
            Effect::Respond { .. } => {}
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<NodeSnapshot, RuntimeError> {
        let (status, state) = match &self.state {
            Some(state) => (Status::Up, to_json("a state", state)?),
            None => (Status::Failed, cadre_trace::Json::Null),
        };
        let timers = self.timers.keys().map(|timer| to_json("a timer", timer));
        Ok(NodeSnapshot {
            status,
            state,
            timers: timers.collect::<Result<_, _>>()?,
            // A real clock counts no ticks.
            due: Vec::new(),
            disk: self.store.synced_text(),
            unsynced: self.store.unsynced_text(),
        })
    }
}

/// Calls user code; a panic becomes its message.
fn guarded<P: Protocol>(
    user: impl FnOnce(&mut Effects<P>) -> P::State,
) -> Result<(P::State, Vec<EffectOf<P>>), String> {
    let mut out = Effects::new();
    // What the user's code may have left half changed is dropped.
    match catch_unwind(AssertUnwindSafe(|| user(&mut out))) {
        Ok(state) => Ok((state, out.into_list())),
        Err(payload) => Err(panic_message(payload.as_ref())),
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
