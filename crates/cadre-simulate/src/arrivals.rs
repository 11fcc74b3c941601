use cadre_model::{ActionOf, Network, Slot, TypedAction, TypedFault};
use cadre_step::{NodeId, Protocol};
use cadre_trace::Action;

use crate::links::Way;
use crate::scheduler::{Chain, STEP};
use crate::world::{Event, World};

/// Messages: how they leave, and what becomes of them when they should arrive.
impl<P: Protocol> World<'_, P> {
    pub(crate) fn send(&mut self, from: NodeId, to: NodeId, slot: Slot) {
        self.tally.sent += 1;
        if let Some((_, _, message)) = self.live.message(slot) {
            self.kinds.of(message).sent += 1;
        }
        let number = self.links.number(from, to);
        let draws = self.scheduler.draws_latencies();
        let (config, random) = (&self.config, &mut self.random);
        let way = self.links.way(number, self.now_us, config, draws, random);
        let (after_us, mut is_lost) = match way {
            Way::Arrives { after_us } => (after_us, false),
            Way::Lost { after_us } => (after_us, self.allowed.losses && self.is_hostile),
        };
        is_lost |= self.live.is_cut(from, to) && self.allowed.losses;
        let mut at_us = self.now_us + after_us;
        if !self.allowed.delays {
            at_us = at_us.min(self.before_tick_us());
        }
        if self.live.cluster().network() == Network::Fifo {
            at_us = self.links.in_order(number, at_us);
        }
        let ticket = self.ticket(slot);
        let event = Event::Arrive { slot, ticket, is_lost, is_first: true };
        self.queue.push(at_us, Chain::Free(number), event);
    }

    /// Lets a message arrive that was held up.
    pub(crate) fn await_arrival(&mut self, slot: Slot, ticket: u64, at_us: u64) {
        if let Some((from, to, _)) = self.live.message(slot) {
            let chain = Chain::Free(self.links.number(from, to));
            let event = Event::Arrive { slot, ticket, is_lost: false, is_first: true };
            self.queue.push(at_us, chain, event);
        }
    }

    /// Delivers what is in flight once more where messages are never consumed, so far as that
    /// changes anything; whether there is any.
    pub(crate) fn deliver_again(&mut self) -> bool {
        let slots = (0..self.tickets.len()).filter_map(|index| self.live.slot(index));
        let open: Vec<Slot> = slots.filter(|slot| !self.live.is_deaf_to(*slot)).collect();
        for slot in &open {
            let at_us = self.now_us + self.config.latency.draw(&mut self.random);
            self.await_arrival(*slot, 0, at_us);
        }
        !open.is_empty()
    }

    pub(crate) fn arrive(&mut self, slot: Slot, ticket: u64, is_lost: bool, is_first: bool) {
        let grows = self.grows();
        if !grows && self.tickets[slot.index()] != ticket {
            return;
        }
        let Some((from, to, _)) = self.live.message(slot) else { return };
        if is_lost {
            return self.lose(slot);
        }
        if self.live.is_cut(from, to) {
            return self.held.push((slot, ticket));
        }
        if !self.live.is_active(to) {
            return match self.live.is_down(to) || self.live.has_failed(to) {
                true if self.allowed.losses => self.lose(slot),
                _ => self.nodes[to.index()].held.push((slot, ticket)),
            };
        }
        let keeps_order = self.live.cluster().network() == Network::Fifo;
        if keeps_order && !self.live.can_arrive(slot) {
            // Others of its link are before it.
            return self.await_arrival(slot, ticket, self.now_us + STEP.us);
        }
        if self.is_hostile && is_first {
            self.copy(slot, from, to);
            if self.allowed.corruptions && self.random.chance(self.config.corruption) {
                return self.corrupt(slot);
            }
        }
        if let Some((_, _, message)) = self.live.message(slot) {
            self.kinds.of(message).delivered += 1;
        }
        self.tally.delivered += 1;
        let doom = self.take_doom(to);
        if self.schedule.is_some() {
            self.keep_arrival(slot, doom);
        }
        match doom {
            None => self.live.deliver(slot, &mut self.told),
            Some(effects) => self.live.deliver_interrupted(slot, effects, &mut self.told),
        };
        self.follow_up();
        self.look_at(to);
    }

    /// Keeps that a message arrives, and whether the node stops in the step that it takes.
    fn keep_arrival(&mut self, slot: Slot, doom: Option<usize>) {
        let told = self.live.delivery(slot).map(|action| self.live.tell(&action));
        self.keep(told.map(|of| match doom {
            None => of,
            Some(effects) => {
                Action::Fault(cadre_trace::Fault::Interrupt { of: of.into(), effects })
            }
        }));
    }

    /// Loses a message; where nothing is consumed, it is only not delivered.
    fn lose(&mut self, slot: Slot) {
        self.tally.lost += 1;
        let Some(TypedAction::Deliver { from, to, message }) = self.live.delivery(slot) else {
            return;
        };
        if !self.grows() {
            let told = self.schedule.is_some().then(|| {
                let drop = TypedFault::Drop { from, to, message };
                self.live.tell(&drop.into())
            });
            if self.live.lose(slot) {
                self.keep(told);
            } else {
                // Others of its link are before it.
                let ticket = self.tickets[slot.index()];
                let event = Event::Arrive { slot, ticket, is_lost: true, is_first: false };
                let link = Chain::Free(self.links.number(from, to));
                self.tally.lost -= 1;
                self.queue.push(self.now_us + STEP.us, link, event);
            }
        }
    }

    /// Lets a message that arrives arrive once more, soon or much later.
    fn copy(&mut self, slot: Slot, from: NodeId, to: NodeId) {
        if !self.allowed.duplications {
            return;
        }
        let is_duplicate = self.random.chance(self.config.duplication);
        let is_replay = self.random.chance(self.config.replay);
        let keeps_order = self.live.cluster().network() == Network::Fifo;
        for (is_wanted, fault) in [(is_duplicate, "duplications"), (is_replay, "replays")] {
            let is_late = fault == "replays";
            if !is_wanted || (is_late && keeps_order && !self.live.remembers()) {
                continue;
            }
            let delay = if is_late { self.config.replay_after } else { self.config.latency };
            let at_us = self.now_us + delay.draw(&mut self.random);
            let delivery = self.live.delivery(slot);
            let Some(TypedAction::Deliver { message, .. }) = delivery else { continue };
            *self.tally.faults.entry(fault).or_default() += 1;
            if is_late && self.live.remembers() {
                let action = Box::new(TypedFault::Replay { from, to, message }.into());
                self.queue.push(at_us, Chain::Time, Event::Replay { action });
                continue;
            }
            let copy = match self.grows() {
                true => Some(slot),
                false => {
                    let fault: ActionOf<P> = TypedFault::Duplicate { from, to, message }.into();
                    let told = self.schedule.is_some().then(|| self.live.tell(&fault));
                    self.keep(told);
                    self.live.duplicate(slot)
                }
            };
            if let Some(copy) = copy {
                let ticket = self.ticket(copy);
                let event = Event::Arrive { slot: copy, ticket, is_lost: false, is_first: false };
                let link = Chain::Free(self.links.number(from, to));
                self.queue.push(if keeps_order { self.now_us } else { at_us }, link, event);
            }
        }
    }

    /// Alters a message, which then arrives.
    fn corrupt(&mut self, slot: Slot) {
        let mut found = self.live.corruptions(slot);
        let delivery = self.live.delivery(slot);
        let Some(TypedAction::Deliver { from, to, message }) = delivery else { return };
        let mut at = slot;
        if !found.is_empty() {
            let into = found.swap_remove(self.random.below(found.len()));
            let fault = TypedFault::Corrupt { from, to, message, into: into.clone() };
            let told = self.schedule.is_some().then(|| self.live.tell(&fault.into()));
            self.keep(told);
            *self.tally.faults.entry("corruptions").or_default() += 1;
            at = self.live.corrupt(slot, into).unwrap_or(slot);
        }
        let ticket = self.ticket(at);
        let event = Event::Arrive { slot: at, ticket, is_lost: false, is_first: false };
        self.queue.push(self.now_us, Chain::Free(self.links.number(from, to)), event);
    }

    fn ticket(&mut self, slot: Slot) -> u64 {
        if self.tickets.len() <= slot.index() {
            self.tickets.resize(slot.index() + 1, 0);
        }
        self.tickets_given += 1;
        self.tickets[slot.index()] = self.tickets_given;
        self.tickets_given
    }
}
