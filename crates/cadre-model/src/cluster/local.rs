use std::time::Duration;

use cadre_step::{Disk, Effect, EffectOf, Effects, Event, NodeId, Protocol, SyncError};
use cadre_trace::{
    DiskWrite, Due, Json, Kept, Misread, NodeSnapshot, Status, bytes_from_text, bytes_to_text,
};

use super::action::{ActionOf, FaultOf, TypedAction, TypedFault};
use super::damage::half;
use super::faults::Timing;
use super::names::{from_json, to_json};

/// Everything that belongs to one node: its memory, its timers and its disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Local<S, T> {
    pub(super) life: Life<S>,
    /// Whether it takes no steps for now, although it is up.
    pub(super) is_paused: bool,
    /// Sorted, each once.
    pub(super) timers: Vec<T>,
    /// When each timer goes off, where time is counted; empty otherwise.
    pub(super) due: Vec<Due>,
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

/// One node of a protocol: the one definition of what steps and faults do to it.
pub(super) struct Stepping<'p, P: Protocol> {
    pub(super) protocol: &'p P,
    pub(super) timing: Timing,
    pub(super) node: NodeId,
    pub(super) purity: Purity,
    /// Where effects are listed; an earlier list that is used again saves its allocation.
    pub(super) room: Vec<EffectOf<P>>,
}

/// How it is seen to that a step depends on its arguments alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purity {
    /// Each step is taken twice, and the results are compared.
    Checked,
    /// It is taken for granted, at half the price.
    Trusted,
}

/// Starts a node from a disk.
pub(super) fn start<P: Protocol>(
    protocol: &P,
    timing: Timing,
    node: NodeId,
    disk: Disk,
) -> Execution<P> {
    let mut after = Local::stopped(disk);
    let stepping = Stepping { protocol, timing, node, purity: Purity::Checked, room: Vec::new() };
    let effects = stepping.start(&mut after);
    Execution { after, effects }
}

/// Carries out an action that concerns a node.
pub(super) fn execute<P: Protocol>(
    protocol: &P,
    timing: Timing,
    node: NodeId,
    before: &LocalOf<P>,
    action: &ActionOf<P>,
) -> Execution<P> {
    let mut after = before.clone();
    let stepping = Stepping { protocol, timing, node, purity: Purity::Checked, room: Vec::new() };
    let effects = stepping.change(&mut after, action.clone());
    Execution { after, effects }
}

impl<P: Protocol> Stepping<'_, P> {
    /// Starts the node from its disk.
    pub(super) fn start(self, local: &mut LocalOf<P>) -> Vec<EffectOf<P>> {
        let read = local.disk.clone();
        self.start_reading(local, &read)
    }

    /// Starts the node from what it reads of its disk.
    fn start_reading(self, local: &mut LocalOf<P>, read: &Disk) -> Vec<EffectOf<P>> {
        let node = self.node;
        self.run(local, None, (), |(), protocol, out| protocol.start(node, read, out))
    }

    /// Carries out an action that concerns the node, and tells what it asked for.
    pub(super) fn change(self, local: &mut LocalOf<P>, action: ActionOf<P>) -> Vec<EffectOf<P>> {
        match action {
            TypedAction::Fault(fault) => self.suffer(local, fault),
            TypedAction::Tick => {
                local.due.iter_mut().for_each(|due| due.pass(1));
                Vec::new()
            }
            TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. } => self.take_step(local, action, None),
        }
    }

    /// Lets the node take a step, of whose effects only the first ones are carried out where it
    /// stops in the middle.
    fn take_step(
        self,
        local: &mut LocalOf<P>,
        action: ActionOf<P>,
        effects_max: Option<usize>,
    ) -> Vec<EffectOf<P>> {
        let event = match action {
            TypedAction::Deliver { from, message, .. } => Event::Deliver { from, message },
            TypedAction::Choose { timer, .. } => Event::Timeout(timer),
            TypedAction::Fire { timer, .. } => {
                local.disarm(&timer);
                Event::Timeout(timer)
            }
            TypedAction::SyncDone { .. } => {
                local.finish_sync();
                Event::SyncDone
            }
            TypedAction::Invoke { id, request, .. } => Event::Request { id, request },
            TypedAction::Fault(TypedFault::SyncFail { error, .. }) => {
                local.fail_sync(error);
                Event::SyncFailed(error)
            }
            TypedAction::Tick | TypedAction::Fault(_) => return Vec::new(),
        };
        self.consume(local, event, effects_max)
    }

    /// Lets the node consume an event, if it is up.
    pub(super) fn consume(
        self,
        local: &mut LocalOf<P>,
        event: Event<P>,
        effects_max: Option<usize>,
    ) -> Vec<EffectOf<P>> {
        // Until the step has returned, the node has none.
        let state = match std::mem::replace(&mut local.life, Life::Down) {
            Life::Up(state) => state,
            other @ (Life::Down | Life::Failed(_)) => {
                local.life = other;
                return Vec::new();
            }
        };
        let node = self.node;
        self.run(local, effects_max, (state, event), |(mut state, event), protocol, out| {
            protocol.step(node, &mut state, event, out);
            state
        })
    }

    fn suffer(self, local: &mut LocalOf<P>, fault: FaultOf<P>) -> Vec<EffectOf<P>> {
        match fault {
            TypedFault::Crash { kept, .. } => {
                *local = Local::stopped(local.disk_after_crash(&kept));
            }
            TypedFault::CrashGroup { .. } if matches!(local.life, Life::Failed(_)) => {}
            TypedFault::CrashGroup { .. } => {
                *local = Local::stopped(local.disk_after_crash(&Kept::default()));
            }
            TypedFault::CrashRestart { kept, .. } => {
                *local = Local::stopped(local.disk_after_crash(&kept));
                return self.start(local);
            }
            TypedFault::Restart { misread, .. } => {
                let disk = std::mem::take(&mut local.disk);
                let read = match &misread {
                    Some(misread) => misread_disk(&disk, misread),
                    None => disk.clone(),
                };
                *local = Local::stopped(disk);
                return self.start_reading(local, &read);
            }
            TypedFault::Interrupt { of, effects } => {
                return self.take_step(local, *of, Some(effects));
            }
            TypedFault::SyncFail { .. } => {
                return self.take_step(local, TypedAction::Fault(fault), None);
            }
            TypedFault::Pause { .. } => local.is_paused = true,
            TypedFault::Resume { .. } => local.is_paused = false,
            TypedFault::Jump { by_us, .. } => local.jump(self.timing, by_us),
            // The network's faults change no node.
            TypedFault::Drop { .. }
            | TypedFault::Burst { .. }
            | TypedFault::Duplicate { .. }
            | TypedFault::Replay { .. }
            | TypedFault::Corrupt { .. }
            | TypedFault::Forge { .. }
            | TypedFault::Partition { .. }
            | TypedFault::Heal => {}
        }
        Vec::new()
    }

    /// Runs user code, twice with the same input where a hidden one should show, and applies its
    /// effects; only the first ones, before it stops, where it is interrupted.
    fn run<I: Clone>(
        self,
        local: &mut LocalOf<P>,
        effects_max: Option<usize>,
        input: I,
        user: impl Fn(I, &P, &mut Effects<P>) -> P::State,
    ) -> Vec<EffectOf<P>> {
        let once = |input, out: &mut Effects<P>| crate::guarded(|| user(input, self.protocol, out));
        let again = (self.purity == Purity::Checked).then(|| input.clone());
        let mut out = Effects::reusing(self.room);
        let result = once(input, &mut out);
        let is_impure = again.is_some_and(|input| {
            let mut others = Effects::new();
            once(input, &mut others) != result || (result.is_ok() && others.list() != out.list())
        });
        if is_impure {
            let why = "the step function gave two results for the same arguments; look for \
                       hash-map iteration, a clock, a random source or global state";
            local.life = Life::Failed(why.to_owned());
            return Vec::new();
        }
        match result {
            Ok(state) => {
                local.life = Life::Up(state);
                let mut effects = out.into_list();
                effects.truncate(effects_max.unwrap_or(usize::MAX));
                for effect in &effects {
                    local.apply::<P>(self.timing, effect);
                }
                if effects_max.is_some() {
                    *local = Local::stopped(std::mem::take(&mut local.disk));
                }
                effects
            }
            Err(panic) => {
                local.life = Life::Failed(panic);
                Vec::new()
            }
        }
    }
}

/// Lets a node fail that sends a message to a node that does not exist, where there are so many.
pub(super) fn fail_astray<P: Protocol>(
    local: &mut LocalOf<P>,
    effects: &mut Vec<EffectOf<P>>,
    nodes: usize,
) {
    let is_lost =
        |effect: &&EffectOf<P>| matches!(effect, Effect::Send { to, .. } if to.index() >= nodes);
    if let Some(lost) = effects.iter().find(is_lost) {
        let why = format!("{lost:?} is for a node that does not exist; there are {nodes}");
        local.life = Life::Failed(why);
        effects.clear();
    }
}

/// What a node reads of a disk.
fn misread_disk(disk: &Disk, misread: &Misread) -> Disk {
    let mut read = disk.clone();
    let bytes = |text: &String| bytes_from_text(text).unwrap_or_default();
    match misread {
        Misread::Corrupt { key, value } => read.insert(bytes(key), bytes(value)),
        Misread::Misdirected { key, instead } => {
            let instead = bytes(instead);
            let found = disk.range(instead.clone()..=instead).next();
            if let Some((_, value)) = found {
                read.insert(bytes(key), value.to_vec());
            }
        }
    }
    read
}

/// Asks a node for its choices; a panic there counts as one in a step.
pub(super) fn choices<P: Protocol>(
    protocol: &P,
    node: NodeId,
    local: &LocalOf<P>,
) -> Result<Vec<P::Timer>, String> {
    match &local.life {
        Life::Up(state) if !local.is_paused => crate::guarded(|| protocol.choices(node, state)),
        Life::Up(_) | Life::Down | Life::Failed(_) => Ok(Vec::new()),
    }
}

impl<S, T: Clone + Ord> Local<S, T> {
    pub(super) fn stopped(disk: Disk) -> Self {
        let (timers, due, unsynced) = (Vec::new(), Vec::new(), Vec::new());
        Self { life: Life::Down, is_paused: false, timers, due, disk, unsynced }
    }

    fn apply<P: Protocol<Timer = T>>(&mut self, timing: Timing, effect: &EffectOf<P>) {
        match effect {
            Effect::SetTimer { timer, after } => self.arm(timing, timer, *after),
            Effect::CancelTimer { timer } => self.disarm(timer),
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

    fn arm(&mut self, timing: Timing, timer: &T, after: Duration) {
        self.disarm(timer);
        let at = self.timers.partition_point(|armed| armed < timer);
        self.timers.insert(at, timer.clone());
        if let Timing::Interval { tick, late } = timing {
            let ticks = after.as_nanos().div_ceil(tick.as_nanos().max(1));
            let min = u32::try_from(ticks).unwrap_or(u32::MAX);
            self.due.insert(at, Due { min, max: min.saturating_add(late) });
        }
    }

    fn disarm(&mut self, timer: &T) {
        if let Ok(at) = self.timers.binary_search(timer) {
            self.timers.remove(at);
            if !self.due.is_empty() {
                self.due.remove(at);
            }
        }
    }

    /// The timers that may go off now.
    pub(super) fn ripe(&self) -> impl Iterator<Item = &T> {
        let is_ripe = |at: usize| self.due.get(at).is_none_or(|due| due.min == 0);
        self.timers.iter().enumerate().filter(move |(at, _)| is_ripe(*at)).map(|(_, timer)| timer)
    }

    /// Whether no time may pass before a timer goes off.
    pub(super) fn is_overdue(&self) -> bool {
        self.is_active() && self.due.iter().any(|due| due.max == 0)
    }

    fn jump(&mut self, timing: Timing, by_us: i64) {
        let Timing::Interval { tick, .. } = timing else { return };
        let tick_us = i64::try_from(tick.as_micros()).unwrap_or(i64::MAX).max(1);
        self.due.iter_mut().for_each(|due| due.pass(by_us / tick_us));
    }

    /// The disk after a crash that some of the un-synced writes survive.
    pub(super) fn disk_after_crash(&self, kept: &Kept) -> Disk {
        let mut disk = self.disk.clone();
        for (at, write) in self.unsynced.iter().enumerate() {
            let is_torn = kept.torn == Some(at);
            if !is_torn && !kept.writes.contains(&at) {
                continue;
            }
            match write {
                Write::Put { key, value } if is_torn => disk.insert(key.clone(), half(value)),
                Write::Put { key, value } => disk.insert(key.clone(), value.clone()),
                Write::Delete { key } => disk.remove(key),
                Write::Sync => {}
            }
        }
        disk
    }

    /// Whether a sync has been asked for and not been answered.
    pub(super) fn is_syncing(&self) -> bool {
        self.unsynced.contains(&Write::Sync)
    }

    /// Answers the oldest sync that has been asked for: it has failed.
    fn fail_sync(&mut self, error: SyncError) {
        let Some(mark) = self.unsynced.iter().position(|write| *write == Write::Sync) else {
            return;
        };
        match error {
            SyncError::Lost => drop(self.unsynced.drain(..=mark)),
            SyncError::Full => drop(self.unsynced.remove(mark)),
        }
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

impl<S, T> Local<S, T> {
    /// Whether it takes steps.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.life, Life::Up(_)) && !self.is_paused
    }
}

/// A node as traces tell it.
pub(super) fn tell<P: Protocol>(local: &LocalOf<P>) -> NodeSnapshot {
    let (status, state) = match &local.life {
        Life::Up(state) if local.is_paused => (Status::Paused, to_json(state)),
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
        due: local.due.clone(),
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
        Status::Up | Status::Paused => Life::Up(from_json("state", &told.state)?),
        Status::Down => Life::Down,
        Status::Failed => Life::Failed("the trace does not say why".to_owned()),
    };
    let mut timers: Vec<P::Timer> = Vec::new();
    for timer in &told.timers {
        timers.push(from_json("timer", timer)?);
    }
    let mut due = told.due.clone();
    match due.is_empty() {
        true => timers.sort(),
        false if due.len() != timers.len() => {
            return Err(format!("there are {} timers due, but {}", due.len(), timers.len()));
        }
        false => {
            let mut both: Vec<_> = timers.into_iter().zip(due).collect();
            both.sort_by(|(one, _), (other, _)| one.cmp(other));
            (timers, due) = both.into_iter().unzip();
        }
    }
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
    let is_paused = told.status == Status::Paused;
    Ok(Local { life, is_paused, timers, due, disk, unsynced })
}
