use cadre_step::{NodeId, Protocol};

use super::action::{TypedAction, TypedFault};
use super::conditions::{Conditions, Turn};
use super::configuration::Configuration;
use super::damage::{can_misread, can_remain};
use super::faults::{Spend, cost};
use super::rules::Network;
use super::tables::Tables;
use super::wide::Costs;
use super::{Choice, Cluster, Packed};

/// What an action changes in a configuration.
pub(super) struct Change<'t> {
    /// The node with its new local state; none where only the network is concerned.
    local: Option<(usize, u32)>,
    sends: &'t [u32],
    /// Whether what is sent is a copy of what is there.
    is_copied: bool,
    /// The envelope that is taken out of a network that consumes.
    consumed: Option<u32>,
    history: Option<u32>,
    conditions: Option<u32>,
    budgets: Option<u32>,
    /// What is added to the fingerprint, but for the envelopes that are sent.
    key: u128,
}

impl Change<'_> {
    /// Whether clients ask or are answered.
    #[inline]
    pub(super) fn is_telling(&self) -> bool {
        self.history.is_some()
    }
}

/// That something follows from a step that has not been looked at yet.
#[derive(Debug)]
pub(super) struct Unknown;

/// What can happen in a configuration, and what it does to it: the one definition of the cluster's
/// semantics beyond a single node.
impl<P: Protocol> Cluster<P> {
    pub(super) fn start(&self) -> Configuration {
        let mut tables = self.write();
        let mut initial = Configuration::new(self.layout);
        tables.conditions_id(Conditions::default());
        tables.add_standing();
        for node in 0..self.layout.nodes {
            let id = NodeId::from_index(node);
            let execution = tables.start(&self.protocol, id);
            let leaving = tables.leaving(node, execution.effects);
            let local = tables.local_id(&self.protocol, node, execution.after);
            let key = tables.nodes[node].locals.keys[local as usize];
            initial.set_local(node, local, key);
            for envelope in leaving.sends {
                self.send(&tables, &mut initial, envelope);
            }
        }
        let history = tables.history_id(Vec::new());
        initial.set_history(self.layout, history, tables.histories.keys[history as usize]);
        self.set_full_budgets(&mut initial);
        initial
    }

    /// Gives a configuration the budgets of the beginning.
    pub(super) fn set_full_budgets(&self, configuration: &mut Configuration) {
        let budgets = self.purse.full();
        configuration.set_budgets(self.layout, budgets, self.purse.key(budgets));
    }

    /// Changes the conditions.
    pub(super) fn turn(&self, tables: &Tables<P>, configuration: &mut Configuration, id: u32) {
        let keys = &tables.conditions.keys;
        let before = configuration.conditions(self.layout);
        let key = keys[id as usize].wrapping_sub(keys[before as usize]);
        configuration.set_conditions(self.layout, id, key);
    }

    /// What a node's action changes, given the position of its outcome; budgets aside.
    ///
    /// Where order counts `key` says nothing of the network.
    #[inline]
    pub(super) fn change<'t>(
        &self,
        tables: &'t Tables<P>,
        at: &Configuration,
        (node, action, outcome): (usize, u32, u32),
        consumed: Option<u32>,
    ) -> Result<Change<'t>, Unknown> {
        let outcome_id = outcome;
        let outcome = &tables.nodes[node].outcomes[outcome as usize];
        let mut change = Change {
            local: Some((node, outcome.local)),
            sends: &outcome.leaving.sends,
            is_copied: false,
            consumed: None,
            history: None,
            conditions: None,
            budgets: None,
            key: outcome.key_change,
        };
        if let Some(envelope) = consumed
            && self.network != Network::GrowingSet
        {
            change.consumed = Some(envelope);
            if self.network == Network::ConsumedOnce {
                change.key = change.key.wrapping_sub(tables.envelopes.keys[envelope as usize]);
            }
            if self.remembers {
                let earlier = at.conditions(self.layout);
                let turn = (earlier, Turn::Delivered { envelope });
                let later = *tables.turns.get(&turn).ok_or(Unknown)?;
                let keys = &tables.conditions.keys;
                change.conditions = Some(later);
                let added = keys[later as usize].wrapping_sub(keys[earlier as usize]);
                change.key = change.key.wrapping_add(added);
            }
        }
        let asks = consumed.is_none() && tables.nodes[node].invoked(action).is_some();
        if asks || !outcome.leaving.responses.is_empty() {
            let earlier = at.history(self.layout);
            let later = tables.telling(earlier, node, outcome_id).ok_or(Unknown)?;
            let keys = &tables.histories.keys;
            change.history = Some(later);
            let added = keys[later as usize].wrapping_sub(keys[earlier as usize]);
            change.key = change.key.wrapping_add(added);
        }
        Ok(change)
    }

    /// What the network loses or gains, budgets aside.
    pub(super) fn network_change<'t>(
        &self,
        tables: &'t Tables<P>,
        envelope: u32,
        spend: Spend,
        sent: &'t [u32; 1],
    ) -> Change<'t> {
        let mut change = Change {
            local: None,
            sends: &[],
            is_copied: false,
            consumed: None,
            history: None,
            conditions: None,
            budgets: None,
            key: 0,
        };
        if spend == Spend::Duplication {
            change.sends = sent;
            change.is_copied = true;
        } else {
            change.consumed = Some(envelope);
            if self.network == Network::ConsumedOnce {
                change.key = tables.envelopes.keys[envelope as usize].wrapping_neg();
            }
        }
        change
    }

    /// The fingerprint of the configuration after a change.
    #[inline]
    pub(super) fn fingerprint_after(
        &self,
        tables: &Tables<P>,
        at: &Configuration,
        change: &Change<'_>,
    ) -> u128 {
        if self.network == Network::Fifo || self.filters(at) {
            return self.apply(tables, at, change).fingerprint();
        }
        let mut fingerprint = at.fingerprint().wrapping_add(change.key);
        for sent in change.sends {
            let is_new =
                self.network == Network::ConsumedOnce || !at.set_contains(self.layout, *sent);
            if is_new {
                let key = tables.envelopes.keys[*sent as usize];
                fingerprint = fingerprint.wrapping_add(key);
            }
        }
        fingerprint
    }

    /// Adds what a fault costs to a change; `false` where the budget does not allow it.
    #[inline]
    pub(super) fn pay(&self, at: &Configuration, change: &mut Change<'_>, spend: Spend) -> bool {
        let before = at.budgets(self.layout);
        let Some(after) = self.purse.spend(before, spend) else { return false };
        if after != before {
            change.budgets = Some(after);
            let added = self.purse.key_change(before, spend);
            change.key = change.key.wrapping_add(added);
        }
        true
    }

    /// The configuration after a change.
    #[inline]
    fn apply(
        &self,
        tables: &Tables<P>,
        before: &Configuration,
        change: &Change<'_>,
    ) -> Configuration {
        let mut after = before.clone();
        // The keys of the parts are added at once.
        after.add_key(change.key);
        if let Some((node, local)) = change.local {
            after.set_local(node, local, 0);
        }
        if let Some(envelope) = change.consumed {
            match self.network {
                Network::Fifo => self.take_out(tables, &mut after, envelope),
                Network::ConsumedOnce | Network::GrowingSet => {
                    after.list_remove(self.layout, envelope, 0);
                }
            }
        }
        if let Some(conditions) = change.conditions {
            after.set_conditions(self.layout, conditions, 0);
        }
        if let Some(history) = change.history {
            after.set_history(self.layout, history, 0);
        }
        if let Some(budgets) = change.budgets {
            after.set_budgets(self.layout, budgets, 0);
        }
        if change.is_copied {
            change.sends.iter().for_each(|sent| self.put_in_again(tables, &mut after, *sent));
            return after;
        }
        for sent in change.sends {
            self.send(tables, &mut after, *sent);
        }
        after
    }

    /// Whether an action may happen in a configuration, budgets aside.
    pub(super) fn is_possible(
        &self,
        tables: &Tables<P>,
        at: &Configuration,
        choice: Choice,
    ) -> bool {
        let (node, action) = match choice.0 {
            Packed::Drop { envelope } | Packed::Duplicate { envelope } => {
                return self.rules.consumes() && self.is_next(tables, at, envelope);
            }
            Packed::Wide { action } => {
                let after = self.wide_after(tables, at, action);
                return after.is_ok_and(|after| after.is_some());
            }
            Packed::Node { node, action } => (node as usize, action),
        };
        self.is_possible_of(tables, at, node, action)
    }

    /// Whether an action of a node may happen in a configuration, budgets aside.
    pub(super) fn is_possible_of(
        &self,
        tables: &Tables<P>,
        at: &Configuration,
        node: usize,
        action: u32,
    ) -> bool {
        let row = &tables.nodes[node].rows[at.local(node) as usize];
        let local = || &tables.nodes[node].locals.values[at.local(node) as usize];
        let is_up = !row.is_down && !row.has_failed;
        match &tables.nodes[node].actions[action as usize] {
            TypedAction::Deliver { .. } => {
                let can_arrive = |envelope: u32| {
                    self.is_next(tables, at, envelope) && !self.is_blocked(tables, at, envelope)
                };
                row.is_up && tables.nodes[node].delivered(action).is_some_and(can_arrive)
            }
            TypedAction::Invoke { .. } => {
                let wanted = (u32::try_from(node).unwrap_or(u32::MAX), action);
                row.is_up && tables.invocations(at.history(self.layout)).contains(&wanted)
            }
            TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. } => row.is_up && row.has_own(action),
            TypedAction::Tick => false,
            TypedAction::Fault(fault) => match fault {
                TypedFault::Crash { kept, .. } | TypedFault::CrashRestart { kept, .. } => {
                    is_up && can_remain(&local().unsynced, kept)
                }
                TypedFault::Jump { .. } => is_up,
                TypedFault::Restart { misread, .. } => {
                    let can_read = |misread| can_misread(&local().disk, misread);
                    row.is_down && misread.as_ref().is_none_or(can_read)
                }
                TypedFault::Pause { .. } => row.is_up,
                TypedFault::Resume { .. } => is_up && row.is_paused,
                TypedFault::SyncFail { .. } => row.is_up && row.is_syncing,
                TypedFault::Interrupt { of, .. } => tables.nodes[node]
                    .known_action(of)
                    .is_some_and(|of| self.is_possible_of(tables, at, node, of)),
                TypedFault::Drop { .. }
                | TypedFault::Burst { .. }
                | TypedFault::Duplicate { .. }
                | TypedFault::Replay { .. }
                | TypedFault::Corrupt { .. }
                | TypedFault::Forge { .. }
                | TypedFault::Partition { .. }
                | TypedFault::Heal
                | TypedFault::CrashGroup { .. } => false,
            },
        }
    }

    /// The configuration after a possible action; `None` where the budget does not allow it.
    pub(super) fn carry_out(
        &self,
        tables: &Tables<P>,
        before: &Configuration,
        choice: Choice,
    ) -> Result<Option<Configuration>, Unknown> {
        if let Packed::Wide { action } = choice.0 {
            let Some(mut after) = self.wide_after(tables, before, action)? else { return Ok(None) };
            // What changes nothing costs nothing.
            let changes = after.fingerprint() != before.fingerprint();
            let costs = self.wide_costs(tables, before, action);
            let is_paid = !changes || self.pay_all(&mut after, &costs);
            return Ok(is_paid.then_some(after));
        }
        let spend = self.spend(tables, choice);
        self.after(tables, before, choice, spend)
    }

    /// The configuration after a possible action, as if faults cost nothing.
    pub(super) fn carry_out_freely(
        &self,
        tables: &Tables<P>,
        before: &Configuration,
        choice: Choice,
    ) -> Result<Configuration, Unknown> {
        let after = match choice.0 {
            Packed::Wide { action } => self.wide_after(tables, before, action)?,
            Packed::Node { .. } | Packed::Drop { .. } | Packed::Duplicate { .. } => {
                self.after(tables, before, choice, None)?
            }
        };
        Ok(after.expect("what costs nothing is always allowed"))
    }

    /// Takes what an action costs out of the budgets; `false` where they do not allow it.
    pub(super) fn pay_all(&self, after: &mut Configuration, costs: &Costs) -> bool {
        let before = after.budgets(self.layout);
        let spend = |left, spend: &Spend| self.purse.spend(left, *spend);
        let Some(left) = costs.iter().try_fold(before, spend) else { return false };
        let key = self.purse.key(left).wrapping_sub(self.purse.key(before));
        after.set_budgets(self.layout, left, key);
        true
    }

    #[inline]
    fn after(
        &self,
        tables: &Tables<P>,
        before: &Configuration,
        choice: Choice,
        spend: Option<Spend>,
    ) -> Result<Option<Configuration>, Unknown> {
        let sent;
        let mut change = match choice.0 {
            Packed::Node { node, action } => {
                let node = node as usize;
                let tables_of = &tables.nodes[node];
                let outcome = tables_of.outcome_id(before.local(node), action).ok_or(Unknown)?;
                let consumed = tables_of.consumed(action);
                self.change(tables, before, (node, action, outcome), consumed)?
            }
            Packed::Wide { .. } => return Ok(None),
            Packed::Drop { envelope } => {
                sent = [envelope];
                self.network_change(tables, envelope, Spend::Loss, &sent)
            }
            Packed::Duplicate { envelope } => {
                sent = [envelope];
                self.network_change(tables, envelope, Spend::Duplication, &sent)
            }
        };
        if let Some(spend) = spend {
            // What changes nothing costs nothing.
            let changes = self.fingerprint_after(tables, before, &change) != before.fingerprint();
            if changes && !self.pay(before, &mut change, spend) {
                return Ok(None);
            }
        }
        Ok(Some(self.apply(tables, before, &change)))
    }

    /// What an action costs.
    pub(super) fn spend(&self, tables: &Tables<P>, choice: Choice) -> Option<Spend> {
        match choice.0 {
            Packed::Drop { .. } => Some(Spend::Loss),
            Packed::Duplicate { .. } => Some(Spend::Duplication),
            Packed::Node { node, action } => {
                cost::<P>(&tables.nodes[node as usize].actions[action as usize])
            }
            Packed::Wide { action } => cost::<P>(&tables.wide.actions[action as usize]),
        }
    }
}

impl Choice {
    pub(super) fn of_node(node: usize, action: u32) -> Self {
        Self(Packed::Node { node: u32::try_from(node).expect("fewer than 2^32 nodes"), action })
    }
}
