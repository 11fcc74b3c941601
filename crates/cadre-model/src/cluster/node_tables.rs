use std::collections::HashMap;

use cadre_step::{Protocol, RequestId};
use smallvec::SmallVec;

use super::action::{ActionOf, TypedAction, TypedFault};
use super::local::LocalOf;
use super::rows::{ENVELOPE_BITS, Row};
use super::tables::{Interner, first_envelopes};
use crate::fingerprint::bytes_of;

/// What belongs to one node.
pub(super) struct NodeTables<P: Protocol> {
    pub(super) locals: Interner<LocalOf<P>>,
    /// For each local state what is known of it.
    pub(super) rows: Vec<Row>,
    /// The actions that concern this node.
    pub(super) actions: Vec<ActionOf<P>>,
    action_ids: HashMap<ActionOf<P>, u32>,
    /// For each action the envelope it delivers, if it is a delivery.
    pub(super) delivers: Vec<Option<u32>>,
    /// For each action the envelope that it takes out of a network that consumes.
    pub(super) consumes: Vec<Option<u32>>,
    /// For each action its bit in a sleep set; none has no bits.
    pub(super) bits: Vec<u128>,
    /// The bits of all actions of this node.
    pub(super) all_bits: u128,
    /// The envelopes for this node, as a bit set.
    pub(super) addressed: Vec<u32>,
    /// Roughly the bytes that rows and actions take.
    pub(super) bytes_of_steps: u64,
    pub(super) outcomes: Vec<Outcome<P::Response>>,
    /// For each local state how it came about first; `None` where the node has just started, or
    /// where it was imported.
    pub(super) births: Vec<Option<(u32, u32)>>,
}

/// What of a step's effects leaves the node.
pub(super) struct Leaving<R> {
    /// Envelopes sent, in order.
    pub(super) sends: SmallVec<[u32; 4]>,
    pub(super) responses: Vec<(RequestId, R)>,
}

/// What an action makes of a local state.
pub(super) struct Outcome<R> {
    pub(super) local: u32,
    /// The new local state's key minus the old one's.
    pub(super) key_change: u128,
    pub(super) leaving: Leaving<R>,
}

impl<P: Protocol> NodeTables<P> {
    pub(super) fn new() -> Self {
        Self {
            locals: Interner::default(),
            rows: Vec::new(),
            actions: Vec::new(),
            action_ids: HashMap::new(),
            delivers: Vec::new(),
            consumes: Vec::new(),
            bits: Vec::new(),
            all_bits: 0,
            addressed: Vec::new(),
            bytes_of_steps: 0,
            outcomes: Vec::new(),
            births: Vec::new(),
        }
    }

    pub(super) fn action_id(&mut self, action: ActionOf<P>) -> u32 {
        if let Some(id) = self.action_ids.get(&action) {
            return *id;
        }
        let consumes = match &action {
            TypedAction::Fault(TypedFault::Interrupt { of, .. }) => {
                let of = self.action_id(of.as_ref().clone());
                self.consumes[of as usize]
            }
            TypedAction::Fault(_)
            | TypedAction::Tick
            | TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. } => None,
        };
        let id = u32::try_from(self.actions.len()).expect("fewer than 2^32 actions of a node");
        // It is kept twice: as a value and as a key.
        self.bytes_of_steps += 2 * bytes_of(&action);
        self.action_ids.insert(action.clone(), id);
        self.actions.push(action);
        self.delivers.push(None);
        self.consumes.push(consumes);
        self.bits.push(0);
        id
    }

    pub(super) fn bytes(&self) -> u64 {
        let outcomes = self.outcomes.capacity() * size_of::<Outcome<P::Response>>();
        let births = self.births.capacity() * size_of::<Option<(u32, u32)>>();
        self.locals.bytes + self.bytes_of_steps + (outcomes + births) as u64
    }

    pub(super) fn set_bit(&mut self, action: u32, bit: u32) {
        self.bits[action as usize] = 1 << bit;
        self.all_bits |= 1 << bit;
    }

    /// The first envelopes for this node.
    pub(super) fn addressed_first(&self) -> u128 {
        first_envelopes(&self.addressed)
    }

    /// Of the envelopes of a word, those for this node.
    #[inline]
    pub(super) fn addressed(&self, word: usize) -> u32 {
        self.addressed.get(word).copied().unwrap_or(0)
    }

    /// The position of what an action makes of a local state, if it is known.
    #[inline]
    pub(super) fn outcome_id(&self, local: u32, action: u32) -> Option<u32> {
        let row = &self.rows[local as usize];
        match self.delivers[action as usize] {
            Some(envelope) => row.delivery(envelope),
            None => row.other(action),
        }
    }

    pub(super) fn set_outcome(
        &mut self,
        local: u32,
        action: u32,
        outcome: Outcome<P::Response>,
        consumes: bool,
    ) -> u32 {
        let at = u32::try_from(self.outcomes.len()).expect("fewer than 2^32 outcomes");
        let row = &mut self.rows[local as usize];
        self.bytes_of_steps -= row.bytes();
        let Leaving { sends, responses } = &outcome.leaving;
        if !responses.is_empty() {
            row.telling |= self.bits[action as usize];
        }
        match self.delivers[action as usize] {
            None => row.set_other(action, at),
            Some(envelope) => {
                // A delivery always takes the message out of a network that consumes.
                let is_deaf =
                    !consumes && outcome.local == local && sends.is_empty() && responses.is_empty();
                row.set_delivery(envelope, at, is_deaf);
            }
        }
        self.bytes_of_steps += row.bytes();
        self.outcomes.push(outcome);
        at
    }

    /// The actions, each with the number of its bit if it has one and is no delivery.
    pub(super) fn own_bits(&self) -> impl Iterator<Item = (&ActionOf<P>, Option<u32>)> {
        self.actions.iter().zip(&self.bits).map(|(action, bits)| {
            let bit = (*bits != 0).then(|| bits.trailing_zeros());
            (action, bit.filter(|bit| *bit >= ENVELOPE_BITS))
        })
    }

    /// The request that an action makes.
    pub(super) fn invoked(&self, action: u32) -> Option<RequestId> {
        fn invoked<M, T, Q>(action: &TypedAction<M, T, Q>) -> Option<RequestId> {
            match action {
                TypedAction::Invoke { id, .. } => Some(*id),
                TypedAction::Fault(TypedFault::Interrupt { of, .. }) => invoked(of),
                TypedAction::Deliver { .. }
                | TypedAction::Choose { .. }
                | TypedAction::Fire { .. }
                | TypedAction::SyncDone { .. }
                | TypedAction::Tick
                | TypedAction::Fault(_) => None,
            }
        }
        invoked(&self.actions[action as usize])
    }

    /// The envelope that an action delivers.
    pub(super) fn delivered(&self, action: u32) -> Option<u32> {
        self.delivers[action as usize]
    }

    /// The envelope that an action takes out of a network that consumes.
    #[inline]
    pub(super) fn consumed(&self, action: u32) -> Option<u32> {
        self.consumes[action as usize]
    }

    /// The id of an action that has been met.
    pub(super) fn known_action(&self, action: &ActionOf<P>) -> Option<u32> {
        self.action_ids.get(action).copied()
    }
}
