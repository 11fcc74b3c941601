use cadre_step::{NodeId, Protocol};

use super::action::{ActionOf, TypedAction};
use super::builder::{Network, Spend};
use super::configuration::{Configuration, set_members};
use super::tables::Tables;
use super::{Choice, Cluster, Packed};
use crate::fingerprint;

/// What can happen in a configuration, and what it does to it: the one definition of the cluster's
/// semantics beyond a single node.
impl<P: Protocol> Cluster<P> {
    pub(super) fn start(&self) -> Configuration {
        let mut tables = self.tables.borrow_mut();
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
        let budgets = self.faults.word();
        initial.set_budgets(self.layout, budgets, self.budget_key(budgets));
        initial
    }

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

    /// Calls `visit` for each envelope in flight, a repeated one once.
    fn each_envelope(&self, configuration: &Configuration, mut visit: impl FnMut(u32)) {
        let network = configuration.network(self.layout);
        match self.network {
            Network::GrowingSet => set_members(network).for_each(visit),
            Network::ConsumedOnce => {
                let mut last = None;
                for envelope in network {
                    if last.replace(envelope) != Some(envelope) {
                        visit(*envelope);
                    }
                }
            }
        }
    }

    pub(super) fn budget_key(&self, word: u32) -> u128 {
        let mut keys = self.budget_keys.borrow_mut();
        *keys.entry(word).or_insert_with(|| fingerprint(&("budgets", word)))
    }

    /// Pays for a fault; `false` where the budget does not allow it.
    fn pay(&self, configuration: &mut Configuration, spend: Spend) -> bool {
        let before = configuration.budgets(self.layout);
        let Some(after) = self.faults.spend(before, spend) else { return false };
        if after != before {
            let key_change = self.budget_key(after).wrapping_sub(self.budget_key(before));
            configuration.set_budgets(self.layout, after, key_change);
        }
        true
    }

    /// Carries out a node's action on a configuration in which it is enabled, budgets aside.
    fn act(&self, before: &Configuration, node: usize, action: u32) -> Configuration {
        let mut tables = self.tables.borrow_mut();
        let outcome = tables.outcome(&self.protocol, node, before.local(node), action);
        let tables = &mut *tables;
        let mut after = before.clone();
        let invoked = match &tables.nodes[node].actions[action as usize] {
            TypedAction::Invoke { id, .. } => Some(*id),
            TypedAction::Deliver { .. }
            | TypedAction::Drop { .. }
            | TypedAction::Duplicate { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Crash { .. }
            | TypedAction::Restart { .. }
            | TypedAction::CrashRestart { .. } => None,
        };
        if self.network == Network::ConsumedOnce
            && let Some(envelope) = tables.nodes[node].delivered(action)
        {
            let key = tables.envelopes.keys[envelope as usize];
            after.list_remove(self.layout, envelope, key);
        }
        let outcome = &tables.nodes[node].outcomes[outcome];
        after.set_local(node, outcome.local, outcome.key_change);
        for envelope in &outcome.leaving.sends {
            self.send(tables, &mut after, *envelope);
        }
        if invoked.is_some() || !outcome.leaving.responses.is_empty() {
            let responses = outcome.leaving.responses.clone();
            let earlier = before.history(self.layout);
            let later = tables.history_after(earlier, invoked, &responses);
            let keys = &tables.histories.keys;
            let key_change = keys[later as usize].wrapping_sub(keys[earlier as usize]);
            after.set_history(self.layout, later, key_change);
        }
        after
    }

    /// Whether a node's action would leave the configuration as it is.
    fn is_idle(
        &self,
        tables: &mut Tables<P>,
        at: &Configuration,
        node: usize,
        action: u32,
    ) -> bool {
        let outcome = tables.outcome(&self.protocol, node, at.local(node), action);
        let outcome = &tables.nodes[node].outcomes[outcome];
        outcome.is_quiet
            && match self.network {
                Network::GrowingSet => {
                    outcome.leaving.sends.iter().all(|sent| at.set_contains(self.layout, *sent))
                }
                Network::ConsumedOnce => outcome.leaving.sends.is_empty(),
            }
    }

    /// What a node's action costs.
    pub(super) fn cost(action: &ActionOf<P>) -> Option<Spend> {
        match action {
            TypedAction::Drop { .. } => Some(Spend::Loss),
            TypedAction::Duplicate { .. } => Some(Spend::Duplication),
            TypedAction::Crash { .. } => Some(Spend::Crash),
            TypedAction::CrashRestart { .. } => Some(Spend::CrashRestart),
            TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. }
            | TypedAction::Restart { .. } => None,
        }
    }

    pub(super) fn node_actions(&self, at: &Configuration, out: &mut Vec<Choice>) {
        let mut tables = self.tables.borrow_mut();
        self.each_envelope(at, |envelope| {
            let (node, action) = tables.delivery(envelope);
            let is_up = tables.nodes[node].info[at.local(node) as usize].is_up;
            // A delivery that changes nothing still takes the message out of a network that
            // consumes.
            let consumes = self.network == Network::ConsumedOnce;
            if is_up && (consumes || !self.is_idle(&mut tables, at, node, action)) {
                out.push(Choice::of_node(node, action));
            }
        });
        for node in 0..self.layout.nodes {
            let local = at.local(node) as usize;
            for index in 0..tables.nodes[node].info[local].own.len() {
                let action = tables.nodes[node].info[local].own[index];
                let cost = Self::cost(&tables.nodes[node].actions[action as usize]);
                let budgets = at.budgets(self.layout);
                let affordable = cost.is_none_or(|cost| self.faults.spend(budgets, cost).is_some());
                if affordable && !self.is_idle(&mut tables, at, node, action) {
                    out.push(Choice::of_node(node, action));
                }
            }
        }
        for (node, action) in tables.invocations(at.history(self.layout)) {
            let local = at.local(*node as usize) as usize;
            if tables.nodes[*node as usize].info[local].is_up {
                out.push(Choice(Packed::Node { node: *node, action: *action }));
            }
        }
    }

    pub(super) fn network_actions(&self, at: &Configuration, out: &mut Vec<Choice>) {
        let budgets = at.budgets(self.layout);
        let can_drop = self.faults.spend(budgets, Spend::Loss).is_some();
        let can_duplicate = self.faults.spend(budgets, Spend::Duplication).is_some();
        if !can_drop && !can_duplicate {
            return;
        }
        self.each_envelope(at, |envelope| {
            if can_drop {
                out.push(Choice(Packed::Drop { envelope }));
            }
            if can_duplicate {
                out.push(Choice(Packed::Duplicate { envelope }));
            }
        });
    }

    /// Whether an action may happen in a configuration, budgets aside.
    pub(super) fn is_possible(&self, at: &Configuration, choice: Choice) -> bool {
        let tables = self.tables.borrow();
        let (node, action) = match choice.0 {
            Packed::Drop { envelope } | Packed::Duplicate { envelope } => {
                return self.network == Network::ConsumedOnce && self.is_in_flight(at, envelope);
            }
            Packed::Node { node, action } => (node as usize, action),
        };
        let info = &tables.nodes[node].info[at.local(node) as usize];
        match &tables.nodes[node].actions[action as usize] {
            TypedAction::Deliver { .. } => {
                let envelope = tables.nodes[node].delivered(action);
                info.is_up && envelope.is_some_and(|envelope| self.is_in_flight(at, envelope))
            }
            TypedAction::Invoke { .. } => {
                let wanted = (u32::try_from(node).unwrap_or(u32::MAX), action);
                info.is_up && tables.invocations(at.history(self.layout)).contains(&wanted)
            }
            TypedAction::Crash { .. } | TypedAction::CrashRestart { .. } => info.is_up,
            TypedAction::Restart { .. } => !info.is_up && !info.has_failed,
            TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. } => info.own.contains(&action),
            TypedAction::Drop { .. } | TypedAction::Duplicate { .. } => false,
        }
    }

    /// The configuration after a possible action; `None` where the budget does not allow it.
    pub(super) fn carry_out(
        &self,
        before: &Configuration,
        choice: Choice,
    ) -> Option<Configuration> {
        let mut after = self.carry_out_freely(before, choice);
        let cost = match choice.0 {
            Packed::Drop { .. } => Some(Spend::Loss),
            Packed::Duplicate { .. } => Some(Spend::Duplication),
            Packed::Node { node, action } => {
                Self::cost(&self.tables.borrow().nodes[node as usize].actions[action as usize])
            }
        };
        match cost {
            // What changes nothing costs nothing.
            Some(cost) if after != *before => self.pay(&mut after, cost).then_some(after),
            Some(_) | None => Some(after),
        }
    }

    /// The configuration after a possible action, as if faults cost nothing.
    pub(super) fn carry_out_freely(&self, before: &Configuration, choice: Choice) -> Configuration {
        let envelope = match choice.0 {
            Packed::Node { node, action } => return self.act(before, node as usize, action),
            Packed::Drop { envelope } | Packed::Duplicate { envelope } => envelope,
        };
        let key = self.tables.borrow().envelopes.keys[envelope as usize];
        let mut after = before.clone();
        if let Packed::Drop { .. } = choice.0 {
            after.list_remove(self.layout, envelope, key);
        } else {
            after.list_insert(self.layout, envelope, key);
        }
        after
    }
}

impl Choice {
    pub(super) fn of_node(node: usize, action: u32) -> Self {
        Self(Packed::Node { node: u32::try_from(node).expect("fewer than 2^32 nodes"), action })
    }
}
