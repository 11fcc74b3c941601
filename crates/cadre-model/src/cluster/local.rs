use cadre_step::{Disk, Effect, EffectOf, Effects, Event, NodeId, Protocol};
use cadre_trace::{DiskWrite, Json, NodeSnapshot, Status, bytes_from_text, bytes_to_text};

use super::action::{ActionOf, TypedAction, from_json, to_json};

/// Everything that belongs to one node: its memory, its timers and its disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Local<S, T> {
    pub(super) life: Life<S>,
    /// Sorted, each once.
    pub(super) timers: Vec<T>,
    /// What survives a crash.
    pub(super) disk: Disk,
    /// What does not yet, in the order in which it was written.
    pub(super) unsynced: Vec<Write>,
}

/// The local states of a protocol's nodes.
pub(super) type LocalOf<P> = Local<<P as Protocol>::State, <P as Protocol>::Timer>;

/// Whether a node runs, and with what in memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Life<S> {
    Up(S),
    Down,
    /// Its step function did not return as it should, and what it did instead.
    Failed(String),
}

/// An un-synced write, or the mark of a sync that has been asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Write {
    Put { key: Vec<u8>, value: Vec<u8> },
    Delete { key: Vec<u8> },
    Sync,
}

/// What an action made of a node.
pub(super) struct Execution<P: Protocol> {
    pub(super) after: LocalOf<P>,
    pub(super) effects: Vec<EffectOf<P>>,
}

/// Starts a node from a disk.
pub(super) fn start<P: Protocol>(protocol: &P, node: NodeId, disk: &Disk) -> Execution<P> {
    let fresh =
        Local { life: Life::Down, timers: Vec::new(), disk: disk.clone(), unsynced: Vec::new() };
    run(fresh, |out| protocol.start(node, disk, out))
}

/// Carries out an action that concerns a node: the one definition of what steps, crashes and
/// restarts do to it.
pub(super) fn execute<P: Protocol>(
    protocol: &P,
    node: NodeId,
    before: &LocalOf<P>,
    action: &ActionOf<P>,
) -> Execution<P> {
    let mut local = before.clone();
    let event = match action {
        TypedAction::Deliver { from, message, .. } => {
            Event::Deliver { from: *from, message: message.clone() }
        }
        TypedAction::Choose { timer, .. } => Event::Timeout(timer.clone()),
        TypedAction::Fire { timer, .. } => {
            local.timers.retain(|armed| armed != timer);
            Event::Timeout(timer.clone())
        }
        TypedAction::SyncDone { .. } => {
            local.finish_sync();
            Event::SyncDone
        }
        TypedAction::Invoke { id, request, .. } => {
            Event::Request { id: *id, request: request.clone() }
        }
        TypedAction::Crash { .. } => {
            let disk = local.disk;
            let after = Local { life: Life::Down, timers: Vec::new(), disk, unsynced: Vec::new() };
            return Execution { after, effects: Vec::new() };
        }
        TypedAction::Restart { .. } | TypedAction::CrashRestart { .. } => {
            return start(protocol, node, &local.disk);
        }
        TypedAction::Drop { .. } | TypedAction::Duplicate { .. } => {
            return Execution { after: local, effects: Vec::new() };
        }
    };
    let Life::Up(state) = &local.life else {
        return Execution { after: local, effects: Vec::new() };
    };
    let state = state.clone();
    run(local, |out| {
        let mut state = state.clone();
        protocol.step(node, &mut state, event.clone(), out);
        state
    })
}

/// Asks a node for its choices; a panic there counts as one in a step.
pub(super) fn choices<P: Protocol>(
    protocol: &P,
    node: NodeId,
    local: &LocalOf<P>,
) -> Result<Vec<P::Timer>, String> {
    let Life::Up(state) = &local.life else { return Ok(Vec::new()) };
    crate::guarded(|| protocol.choices(node, state))
}

/// Runs user code twice with the same arguments, so that a hidden input shows, and applies its
/// effects.
fn run<P: Protocol>(
    mut local: LocalOf<P>,
    user: impl Fn(&mut Effects<P>) -> P::State,
) -> Execution<P> {
    let once = || {
        crate::guarded(|| {
            let mut out = Effects::new();
            let state = user(&mut out);
            (state, out.into_list())
        })
    };
    let result = once();
    if result != once() {
        let why = "the step function gave two results for the same arguments; look for hash-map \
                   iteration, a clock, a random source or global state";
        local.life = Life::Failed(why.to_owned());
        return Execution { after: local, effects: Vec::new() };
    }
    match result {
        Ok((state, effects)) => {
            local.life = Life::Up(state);
            for effect in &effects {
                local.apply::<P>(effect);
            }
            Execution { after: local, effects }
        }
        Err(panic) => {
            local.life = Life::Failed(panic);
            Execution { after: local, effects: Vec::new() }
        }
    }
}

impl<S, T: Clone + Ord> Local<S, T> {
    fn apply<P: Protocol<Timer = T>>(&mut self, effect: &EffectOf<P>) {
        match effect {
            Effect::SetTimer { timer, .. } => {
                if let Err(at) = self.timers.binary_search(timer) {
                    self.timers.insert(at, timer.clone());
                }
            }
            Effect::CancelTimer { timer } => self.timers.retain(|armed| armed != timer),
            Effect::Put { key, value } => {
                self.unsynced.push(Write::Put { key: key.clone(), value: value.clone() });
            }
            Effect::PutSynced { key, value } => self.disk.insert(key.clone(), value.clone()),
            Effect::Delete { key } => self.unsynced.push(Write::Delete { key: key.clone() }),
            Effect::Sync => self.unsynced.push(Write::Sync),
            // What leaves the node is the cluster's business.
            Effect::Send { .. } | Effect::Respond { .. } => {}
        }
    }

    /// Whether a sync has been asked for and not been answered.
    pub(super) fn is_syncing(&self) -> bool {
        self.unsynced.contains(&Write::Sync)
    }

    /// Makes durable what was written before the oldest sync that has been asked for.
    fn finish_sync(&mut self) {
        let Some(mark) = self.unsynced.iter().position(|write| *write == Write::Sync) else {
            return;
        };
        for write in self.unsynced.drain(..=mark) {
            match write {
                Write::Put { key, value } => self.disk.insert(key, value),
                Write::Delete { key } => self.disk.remove(&key),
                Write::Sync => {}
            }
        }
    }
}

/// A node as traces tell it.
pub(super) fn tell<P: Protocol>(local: &LocalOf<P>) -> NodeSnapshot {
    let (status, state) = match &local.life {
        Life::Up(state) => (Status::Up, to_json(state)),
        Life::Down => (Status::Down, Json::Null),
        Life::Failed(_) => (Status::Failed, Json::Null),
    };
    let entry = |(key, value): (&[u8], &[u8])| (bytes_to_text(key), bytes_to_text(value));
    let write = |write: &Write| match write {
        Write::Put { key, value } => {
            DiskWrite::Put { key: bytes_to_text(key), value: bytes_to_text(value) }
        }
        Write::Delete { key } => DiskWrite::Delete { key: bytes_to_text(key) },
        Write::Sync => DiskWrite::Sync,
    };
    NodeSnapshot {
        status,
        state,
        timers: local.timers.iter().map(to_json).collect(),
        disk: local.disk.range(..).map(entry).collect(),
        unsynced: local.unsynced.iter().map(write).collect(),
    }
}

/// The node that a trace tells of; the inverse of [`tell`], but for the reason of a failure.
pub(super) fn read<P: Protocol>(told: &NodeSnapshot) -> Result<LocalOf<P>, String> {
    let bytes = |text: &String| {
        bytes_from_text(text).ok_or_else(|| format!("`{text}` is not bytes in hexadecimal"))
    };
    let life = match told.status {
        Status::Up => Life::Up(from_json("state", &told.state)?),
        Status::Down => Life::Down,
        Status::Failed => Life::Failed("the trace does not say why".to_owned()),
    };
    let mut timers = Vec::new();
    for timer in &told.timers {
        timers.push(from_json("timer", timer)?);
    }
    timers.sort();
    let mut disk = Disk::new();
    for (key, value) in &told.disk {
        disk.insert(bytes(key)?, bytes(value)?);
    }
    let mut unsynced = Vec::new();
    for write in &told.unsynced {
        unsynced.push(match write {
            DiskWrite::Put { key, value } => Write::Put { key: bytes(key)?, value: bytes(value)? },
            DiskWrite::Delete { key } => Write::Delete { key: bytes(key)? },
            DiskWrite::Sync => Write::Sync,
        });
    }
    Ok(Local { life, timers, disk, unsynced })
}
