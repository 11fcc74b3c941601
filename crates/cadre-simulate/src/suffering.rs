use cadre_model::{ActionOf, Budget, TypedAction, TypedFault, Unsynced};
use cadre_step::{NodeId, Protocol, SyncError};
use cadre_trace::{Kept, Misread};

use crate::scheduler::Chain;
use crate::span::Span;
use crate::world::{Event, World};

/// A fault that occurs again and again, at random times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affliction {
    Crash { node: NodeId },
    GroupCrash { group: usize },
    Pause { node: NodeId },
    Partition,
    Jump { node: NodeId },
}

/// After how many effects an interrupted step may end.
const EFFECTS_MAX: usize = 4;

/// What goes wrong, and what ends it again.
impl<P: Protocol> World<'_, P> {
    /// Expects each fault for the first time.
    pub(crate) fn expect_faults(&mut self) {
        for node in (0..self.nodes.len()).map(NodeId::from_index) {
            self.expect(Affliction::Crash { node });
            self.expect(Affliction::Pause { node });
            self.expect(Affliction::Jump { node });
        }
        for group in 0..self.live.cluster().groups().len() {
            self.expect(Affliction::GroupCrash { group });
        }
        self.expect(Affliction::Partition);
    }

    /// Expects a fault once more, if it occurs at all.
    fn expect(&mut self, affliction: Affliction) {
        let (every, allowed) = (&self.config, &self.allowed);
        let every: Option<Span> = match affliction {
            Affliction::Crash { .. } => {
                every.crash_every.filter(|_| allowed.crashes || allowed.crash_restarts)
            }
            Affliction::GroupCrash { .. } => {
                every.group_crash_every.filter(|_| allowed.group_crashes)
            }
            Affliction::Pause { .. } => every.pause_every.filter(|_| allowed.pauses),
            Affliction::Partition => every.partition_every.filter(|_| {
                allowed.partitions || allowed.one_way_partitions || allowed.partial_partitions
            }),
            Affliction::Jump { .. } => every.jump_every.filter(|_| allowed.clocks),
        };
        if let Some(every) = every {
            let after_us = every.us as f64 * self.random.exponential();
            let at_us = self.now_us + (after_us as u64).max(1);
            self.queue.push(at_us, Chain::Time, Event::Suffer(affliction));
        }
    }

    pub(crate) fn suffer(&mut self, affliction: Affliction) {
        if !self.is_hostile {
            return;
        }
        match affliction {
            Affliction::Crash { node } => self.crash(node),
            Affliction::GroupCrash { group } => self.crash_group(group),
            Affliction::Pause { node } => self.pause(node),
            Affliction::Partition => self.partition(),
            Affliction::Jump { node } => self.jump(node),
        }
        self.expect(affliction);
    }

    fn count(&mut self, fault: &'static str) {
        *self.tally.faults.entry(fault).or_default() += 1;
    }

    /// Whether so many more nodes may be down.
    fn may_stop(&self, more: usize) -> bool {
        let minority = self.nodes.len().saturating_sub(1) / 2;
        let declared = match self.live.cluster().faults().crashes {
            Budget::AtMost(most) if !self.allowed.restarts => usize::from(most),
            // A single node that starts again is not lost for good.
            _ if self.allowed.restarts || self.allowed.crash_restarts => minority.max(1),
            Budget::None | Budget::AtMost(_) | Budget::Unlimited => minority,
        };
        self.down() + more <= self.config.down_max.unwrap_or(declared)
    }

    /// Whether nothing but faults can happen any more, there being no more events.
    pub(crate) fn is_at_rest(&self) -> bool {
        let mut nodes = (0..self.nodes.len()).map(NodeId::from_index);
        let may_start = |node: NodeId| self.live.is_down(node) && self.allowed.restarts;
        !self.live.is_parted() && !nodes.any(may_start)
    }

    /// How many nodes are down.
    pub(crate) fn down(&self) -> usize {
        let nodes = (0..self.nodes.len()).map(NodeId::from_index);
        nodes.filter(|node| self.live.is_down(*node) || self.live.has_failed(*node)).count()
    }

    fn crash(&mut self, node: NodeId) {
        let is_up = !self.live.is_down(node) && !self.live.has_failed(node);
        if !is_up || !self.may_stop(1) {
            return;
        }
        if self.allowed.interruptions && self.random.chance(self.config.interruption) {
            self.nodes[node.index()].doom = Some(self.random.below(EFFECTS_MAX + 1));
            return;
        }
        let kept = self.kept(node);
        let is_atomic =
            self.allowed.crash_restarts && (!self.allowed.crashes || self.random.chance(0.5));
        self.count("crashes");
        if !kept.is_nothing() && kept.torn.is_some() {
            self.count("torn writes");
        }
        self.forget(node);
        if is_atomic {
            self.act(TypedFault::CrashRestart { node, kept }.into());
            self.release(node);
        } else {
            self.act(TypedFault::Crash { node, kept }.into());
            self.expect_restart(node);
        }
    }

    /// What of a node's un-synced writes survives its crash.
    fn kept(&mut self, node: NodeId) -> Kept {
        let writes = self.live.unsynced(node);
        let mut kept = Kept::default();
        if writes.is_empty() {
            return kept;
        }
        match self.live.cluster().faults().unsynced {
            Unsynced::Lost => {}
            Unsynced::AnyPrefix => {
                let count = self.random.below(writes.len() + 1);
                kept.writes = writes[..count].iter().map(|(at, _)| *at).collect();
            }
            Unsynced::AnySubset => {
                let survives = |_: &&(usize, bool)| self.random.chance(0.5);
                kept.writes = writes.iter().filter(survives).map(|(at, _)| *at).collect();
            }
        }
        if self.allowed.torn_writes && self.random.chance(self.config.torn_write) {
            let is_lost = |(at, _): &&(usize, bool)| !kept.writes.contains(at);
            kept.torn =
                writes.iter().find(is_lost).filter(|(_, is_put)| *is_put).map(|(at, _)| *at);
        }
        kept
    }

    fn crash_group(&mut self, group: usize) {
        let nodes = self.live.cluster().groups()[group].clone();
        let up = nodes.iter().filter(|node| !self.live.is_down(**node)).count();
        if up == 0 || !self.may_stop(up) {
            return;
        }
        self.count("group crashes");
        nodes.iter().for_each(|node| self.forget(*node));
        self.act(TypedFault::CrashGroup { nodes: nodes.clone() }.into());
        nodes.into_iter().for_each(|node| self.expect_restart(node));
    }

    fn expect_restart(&mut self, node: NodeId) {
        if !self.live.is_down(node) {
            return;
        }
        let stays = !self.allowed.restarts || self.random.chance(self.config.stays_down);
        self.nodes[node.index()].stays_down = stays;
        if !stays {
            let at_us = self.now_us + self.config.down.draw(&mut self.random).max(1);
            let life = self.nodes[node.index()].life;
            self.queue.push(at_us, Chain::Time, Event::Restart { node, life });
        }
    }

    pub(crate) fn restart(&mut self, node: NodeId, life: u64) {
        if self.nodes[node.index()].life != life || !self.live.is_down(node) {
            return;
        }
        let misread = self.misread(node);
        self.act(TypedFault::Restart { node, misread }.into());
        self.release(node);
    }

    /// What a node reads wrongly; only a minority ever does, or as many as may be down, so that a
    /// right copy is left.
    fn misread(&mut self, node: NodeId) -> Option<Misread> {
        let allowed = self.allowed;
        if !(allowed.corrupt_reads || allowed.misdirected_reads)
            || !self.is_hostile
            || !self.random.chance(self.config.misread)
        {
            return None;
        }
        let damaged = self.nodes.iter().filter(|node| node.was_damaged).count();
        let minority = self.nodes.len().saturating_sub(1) / 2;
        let damaged_max = self.config.down_max.unwrap_or(minority);
        let is_winnable = damaged < damaged_max || self.nodes.len() == 1;
        if !self.nodes[node.index()].was_damaged && !is_winnable {
            return None;
        }
        let mut found = self.live.misreads(node);
        found.retain(|misread| match misread {
            Misread::Corrupt { .. } => allowed.corrupt_reads,
            Misread::Misdirected { .. } => allowed.misdirected_reads,
        });
        if found.is_empty() {
            return None;
        }
        self.nodes[node.index()].was_damaged = true;
        self.count("misreads");
        Some(found.swap_remove(self.random.below(found.len())))
    }

    /// After how many effects of its next step a node stops, if it does.
    pub(crate) fn take_doom(&mut self, node: NodeId) -> Option<usize> {
        self.nodes[node.index()].doom?;
        let effects = self.nodes[node.index()].doom.take()?;
        if !self.is_hostile || !self.may_stop(1) {
            return None;
        }
        self.count("interruptions");
        self.forget(node);
        let life = self.nodes[node.index()].life;
        let stays = !self.allowed.restarts;
        self.nodes[node.index()].stays_down = stays;
        if !stays {
            let at_us = self.now_us + self.config.down.draw(&mut self.random).max(1);
            self.queue.push(at_us, Chain::Time, Event::Restart { node, life });
        }
        Some(effects)
    }

    /// The failure of a sync, if it fails.
    pub(crate) fn failing_sync(&mut self, node: NodeId) -> Option<ActionOf<P>> {
        let errors = [
            (self.allowed.sync_errors, SyncError::Lost),
            (self.allowed.full_disks, SyncError::Full),
        ];
        let possible: Vec<SyncError> =
            errors.into_iter().filter(|(is_allowed, _)| *is_allowed).map(|(_, e)| e).collect();
        let fails =
            self.is_hostile && !possible.is_empty() && self.random.chance(self.config.sync_failure);
        if !fails {
            return None;
        }
        self.count("failed syncs");
        let error = possible[self.random.below(possible.len())];
        Some(TypedAction::Fault(TypedFault::SyncFail { node, error }))
    }

    fn pause(&mut self, node: NodeId) {
        if self.act(TypedFault::Pause { node }.into()) {
            self.count("pauses");
            let at_us = self.now_us + self.config.pause.draw(&mut self.random).max(1);
            self.queue.push(at_us, Chain::Time, Event::Resume { node });
        }
    }

    pub(crate) fn resume(&mut self, node: NodeId) {
        if self.act(TypedFault::Resume { node }.into()) {
            self.release(node);
        }
    }

    /// Lets what waited for a node arrive.
    fn release(&mut self, node: NodeId) {
        for (slot, ticket) in std::mem::take(&mut self.nodes[node.index()].held) {
            self.await_arrival(slot, ticket, self.now_us);
        }
    }

    fn partition(&mut self) {
        let count = self.nodes.len();
        if count < 2 || self.live.is_parted() {
            return;
        }
        let mut shapes = Vec::new();
        let allowed = self.allowed;
        shapes.extend(allowed.partitions.then_some(Shape::Symmetric));
        shapes.extend(allowed.one_way_partitions.then_some(Shape::OneWay));
        shapes.extend(allowed.partial_partitions.then_some(Shape::Partial));
        let shape = shapes[self.random.below(shapes.len())];
        let mut order: Vec<NodeId> = (0..count).map(NodeId::from_index).collect();
        self.random.shuffle(&mut order);
        let split = match shape {
            Shape::Symmetric | Shape::OneWay => 1 + self.random.below(count - 1),
            Shape::Partial => 1,
        };
        let (one, rest) = order.split_at(split);
        let other = if shape == Shape::Partial { &rest[..1] } else { rest };
        let pairs = one.iter().flat_map(|from| other.iter().map(move |to| (*from, *to)));
        let mut cut: Vec<(NodeId, NodeId)> = pairs.collect();
        if shape != Shape::OneWay {
            cut.extend(cut.clone().into_iter().map(|(from, to)| (to, from)));
        }
        cut.sort_unstable();
        self.count("partitions");
        self.act(TypedFault::Partition { cut }.into());
        self.cut_number += 1;
        let at_us = self.now_us + self.config.partition.draw(&mut self.random).max(1);
        self.queue.push(at_us, Chain::Time, Event::Heal { number: self.cut_number });
    }

    pub(crate) fn heal(&mut self, number: u64) {
        if number != self.cut_number || !self.live.is_parted() {
            return;
        }
        self.act(TypedFault::Heal.into());
        for (slot, ticket) in std::mem::take(&mut self.held) {
            self.await_arrival(slot, ticket, self.now_us);
        }
    }

    fn jump(&mut self, node: NodeId) {
        let far_us = self.config.jump.draw(&mut self.random);
        let tick_us = self.tick_us();
        let far_us = match tick_us {
            0 => far_us,
            // What budgets count are jumps of a tick.
            _ if self.config.within_budgets => tick_us,
            _ => far_us.div_ceil(tick_us) * tick_us,
        };
        let far_us = i64::try_from(far_us).unwrap_or(i64::MAX);
        let by_us = if self.random.chance(0.5) { far_us } else { -far_us };
        if self.act(TypedFault::Jump { node, by_us }.into()) {
            self.count("clock jumps");
            self.rearm(node, by_us);
        }
    }

    /// Ends all faults: heals the links, lets paused nodes go on, and starts those that are not
    /// down for good.
    pub(crate) fn make_peace(&mut self) {
        self.is_hostile = false;
        self.queue.make_fair();
        self.links.heal();
        self.config.bursts = None;
        self.config.reordering = 0.0;
        self.heal(self.cut_number);
        for node in (0..self.nodes.len()).map(NodeId::from_index) {
            self.nodes[node.index()].doom = None;
            self.resume(node);
            if !self.nodes[node.index()].stays_down {
                self.restart(node, self.nodes[node.index()].life);
            }
        }
        if self.grows() {
            self.deliver_again();
        }
    }
}

/// Which links a partition cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Symmetric,
    OneWay,
    Partial,
}
