use std::collections::{HashMap, VecDeque};

use cadre_step::NodeId;

use super::rules::Network;
use super::tables::Envelope;

/// The messages in flight of one execution, each in a slot of its own.
pub(super) struct Flying<M> {
    network: Network,
    nodes: usize,
    slots: Vec<Option<Envelope<M>>>,
    free: Vec<Slot>,
    /// How many are in flight over each link.
    waiting: Vec<usize>,
    /// Where order counts, the messages of each link, the next one first.
    queues: Vec<VecDeque<Slot>>,
    /// Where nothing is ever consumed, where each message is.
    known: HashMap<Envelope<M>, Slot>,
}

/// The place of a message in flight; used again once the message has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl<M: Clone + Eq + std::hash::Hash> Flying<M> {
    pub(super) fn new(network: Network, nodes: usize) -> Self {
        Self {
            network,
            nodes,
            slots: Vec::new(),
            free: Vec::new(),
            waiting: vec![0; nodes * nodes],
            queues: (0..nodes * nodes).map(|_| VecDeque::new()).collect(),
            known: HashMap::new(),
        }
    }

    /// Puts a message in flight; behind the next one of its link where order counts and it is a
    /// copy of that.
    #[inline(always)]
    pub(super) fn insert(&mut self, envelope: Envelope<M>, is_copy: bool) -> Slot {
        if self.network == Network::GrowingSet {
            if let Some(slot) = self.known.get(&envelope) {
                return *slot;
            }
            self.known.insert(envelope.clone(), Slot::at(self.slots.len()));
        }
        let link = self.link(envelope.from, envelope.to);
        self.waiting[link] += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot.index()] = Some(envelope);
                slot
            }
            None => {
                self.slots.push(Some(envelope));
                Slot::at(self.slots.len() - 1)
            }
        };
        if self.network == Network::Fifo {
            let queue = &mut self.queues[link];
            queue.insert(if is_copy { 1 } else { queue.len() }, slot);
        }
        slot
    }

    /// Takes a message out of a network that consumes.
    #[inline(always)]
    pub(super) fn remove(&mut self, slot: Slot) -> Option<Envelope<M>> {
        if self.network == Network::GrowingSet {
            return self.get(slot).cloned();
        }
        let envelope = self.slots.get_mut(slot.index())?.take()?;
        let link = self.link(envelope.from, envelope.to);
        self.waiting[link] -= 1;
        if self.network == Network::Fifo {
            self.queues[link].retain(|other| *other != slot);
        }
        self.free.push(slot);
        Some(envelope)
    }

    /// Puts another message in the place of one.
    pub(super) fn replace(&mut self, slot: Slot, into: M) -> Option<Slot> {
        let before = self.get(slot)?;
        let after = Envelope { message: into, ..before.clone() };
        if self.network == Network::GrowingSet {
            return Some(self.insert(after, false));
        }
        self.slots[slot.index()] = Some(after);
        Some(slot)
    }

    /// The slot of a number, if there is a message in it.
    pub(super) fn slot(&self, index: usize) -> Option<Slot> {
        self.slots.get(index)?.is_some().then(|| Slot::at(index))
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Envelope<M>> {
        self.slots.get(slot.index())?.as_ref()
    }

    /// Whether a message may arrive next: it is there, and where order counts the first of its
    /// link.
    pub(super) fn is_next(&self, slot: Slot) -> bool {
        self.get(slot).is_some_and(|envelope| match self.network {
            Network::GrowingSet | Network::ConsumedOnce => true,
            Network::Fifo => {
                self.queues[self.link(envelope.from, envelope.to)].front() == Some(&slot)
            }
        })
    }

    /// Where a message is that may arrive next.
    pub(super) fn find_next(&self, wanted: &Envelope<M>) -> Option<Slot> {
        let is_wanted = |slot: &Slot| self.get(*slot) == Some(wanted);
        match self.network {
            Network::GrowingSet => self.known.get(wanted).copied(),
            Network::ConsumedOnce => (0..self.slots.len()).map(Slot::at).find(is_wanted),
            Network::Fifo => {
                self.queues[self.link(wanted.from, wanted.to)].front().copied().filter(is_wanted)
            }
        }
    }

    /// How many messages are in flight from one node to another.
    pub(super) fn waiting(&self, from: NodeId, to: NodeId) -> usize {
        self.waiting[self.link(from, to)]
    }

    /// Takes all messages of a link out of a network that consumes.
    pub(super) fn clear(&mut self, from: NodeId, to: NodeId) {
        let is_of_link = |envelope: &Envelope<M>| (envelope.from, envelope.to) == (from, to);
        let slots = (0..self.slots.len()).map(Slot::at);
        let lost: Vec<Slot> =
            slots.filter(|slot| self.get(*slot).is_some_and(is_of_link)).collect();
        for slot in lost {
            self.remove(slot);
        }
    }

    /// All of them; those of one link in order, where order counts.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = &Envelope<M>> + '_> {
        match self.network {
            Network::GrowingSet | Network::ConsumedOnce => Box::new(self.slots.iter().flatten()),
            Network::Fifo => {
                Box::new(self.queues.iter().flatten().filter_map(|slot| self.get(*slot)))
            }
        }
    }

    fn link(&self, from: NodeId, to: NodeId) -> usize {
        from.index() * self.nodes + to.index()
    }
}

impl Slot {
    fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 messages in flight"))
    }

    /// Its number: small, as slots are used again.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
