use cadre_step::{NodeId, Protocol};

use super::action::TypedAction;
use super::builder::{Network, Spend};
use super::configuration::{Configuration, set_members};
use super::tables::{Tables, cost};
use super::{Choice, Cluster, Packed};

/// What an action changes in a configuration.
pub(super) struct Change<'t> {
    /// The node with its new local state; none where only the network is concerned.
    local: Option<(usize, u32)>,
    sends: &'t [u32],
    /// The envelope that is taken out of a network that consumes.
    consumed: Option<u32>,
    history: Option<u32>,
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
        let budgets = self.faults.word();
        configuration.set_budgets(self.layout, budgets, self.budget_keys.of(budgets));
    }

    #[inline]
    pub(super) fn send(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
    ) {
        let key = tables.envelopes.keys[envelope as usize];
        match self.network {
            Network::GrowingSet => {
                configuration.set_insert(self.layout, envelope, key);
            }
            Network::ConsumedOnce => configuration.list_insert(self.layout, envelope, key),
        }
    }

    pub(super) fn is_in_flight(&self, configuration: &Configuration, envelope: u32) -> bool {
        match self.network {
            Network::GrowingSet => configuration.set_contains(self.layout, envelope),
            Network::ConsumedOnce => configuration.list_contains(self.layout, envelope),
        }
    }

    pub(super) fn envelopes(&self, configuration: &Configuration) -> Vec<u32> {
        let network = configuration.network(self.layout);
        match self.network {
            Network::GrowingSet => set_members(network).collect(),
            Network::ConsumedOnce => network.to_vec(),
        }
    }

    /// What a node's action changes, given the position of its outcome; budgets aside.
    #[inline]
    pub(super) fn change<'t>(
        &self,
        tables: &'t Tables<P>,
        at: &Configuration,
        (node, action, outcome): (usize, u32, u32),
        delivered: Option<u32>,
    ) -> Result<Change<'t>, Unknown> {
        let outcome_id = outcome;
        let outcome = &tables.nodes[node].outcomes[outcome as usize];
        let mut change = Change {
            local: Some((node, outcome.local)),
            sends: &outcome.leaving.sends,
            consumed: None,
            history: None,
            budgets: None,
            key: outcome.key_change,
        };
        if self.network == Network::ConsumedOnce
            && let Some(envelope) = delivered
        {
            change.consumed = Some(envelope);
            change.key = change.key.wrapping_sub(tables.envelopes.keys[envelope as usize]);
        }
        let asks = delivered.is_none() && tables.nodes[node].invoked(action).is_some();
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
            consumed: None,
            history: None,
            budgets: None,
            key: 0,
        };
        if spend == Spend::Duplication {
            change.sends = sent;
        } else {
            change.consumed = Some(envelope);
            change.key = tables.envelopes.keys[envelope as usize].wrapping_neg();
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
        let Some(after) = self.faults.spend(before, spend) else { return false };
        if after != before {
            let keys = &self.budget_keys;
            change.budgets = Some(after);
            let added = keys.of(after).wrapping_sub(keys.of(before));
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
            after.list_remove(self.layout, envelope, 0);
        }
        if let Some(history) = change.history {
            after.set_history(self.layout, history, 0);
        }
        if let Some(budgets) = change.budgets {
            after.set_budgets(self.layout, budgets, 0);
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
                return self.network == Network::ConsumedOnce && self.is_in_flight(at, envelope);
            }
            Packed::Node { node, action } => (node as usize, action),
        };
        let row = &tables.nodes[node].rows[at.local(node) as usize];
        match &tables.nodes[node].actions[action as usize] {
            TypedAction::Deliver { .. } => {
                let envelope = tables.nodes[node].delivered(action);
                row.is_up && envelope.is_some_and(|envelope| self.is_in_flight(at, envelope))
            }
            TypedAction::Invoke { .. } => {
                let wanted = (u32::try_from(node).unwrap_or(u32::MAX), action);
                row.is_up && tables.invocations(at.history(self.layout)).contains(&wanted)
            }
            TypedAction::Crash { .. } | TypedAction::CrashRestart { .. } => row.is_up,
            TypedAction::Restart { .. } => !row.is_up && !row.has_failed,
            TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. } => row.has_own(action),
            TypedAction::Drop { .. } | TypedAction::Duplicate { .. } => false,
        }
    }

    /// The configuration after a possible action; `None` where the budget does not allow it.
    pub(super) fn carry_out(
        &self,
        tables: &Tables<P>,
        before: &Configuration,
        choice: Choice,
    ) -> Result<Option<Configuration>, Unknown> {
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
        let after = self.after(tables, before, choice, None)?;
        Ok(after.expect("what costs nothing is always allowed"))
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
                let delivered = tables_of.delivered(action);
                self.change(tables, before, (node, action, outcome), delivered)?
            }
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
                cost(&tables.nodes[node as usize].actions[action as usize])
            }
        }
    }
}

impl Choice {
    pub(super) fn of_node(node: usize, action: u32) -> Self {
        Self(Packed::Node { node: u32::try_from(node).expect("fewer than 2^32 nodes"), action })
    }
}
