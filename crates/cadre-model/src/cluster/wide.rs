use std::collections::HashMap;

use cadre_step::{NodeId, Protocol};
use smallvec::SmallVec;

use super::action::{ActionOf, TypedAction, TypedFault};
use super::conditions::{Turn, partitions};
use super::configuration::Configuration;
use super::damage::altered;
use super::faults::{Spend, Timing, cost, shape};
use super::names::{from_json, to_json};
use super::rules::Network;
use super::steps::Unknown;
use super::tables::{Envelope, Tables};
use super::{Choice, Cluster, Packed};

/// The actions that concern more than one node, or the network as a whole, and what belongs to
/// them.
pub(super) struct WideTables<P: Protocol> {
    pub(super) actions: Vec<ActionOf<P>>,
    ids: HashMap<ActionOf<P>, u32>,
    /// For each action the envelope that it is about, and the one that it makes of it.
    envelopes: Vec<Option<(u32, u32)>>,
    /// The actions that may be possible whatever has happened.
    standing: Vec<u32>,
    /// For each envelope that was in flight the actions that alter it.
    corruptions: HashMap<u32, Vec<u32>>,
}

/// The faults that an action costs; time that passes may cost several.
pub(super) type Costs = SmallVec<[Spend; 2]>;

impl<P: Protocol> Tables<P> {
    /// The id of an action that concerns more than one node.
    pub(super) fn wide_id(&mut self, action: ActionOf<P>) -> u32 {
        if let Some(id) = self.wide.ids.get(&action) {
            return *id;
        }
        let envelopes = match &action {
            TypedAction::Fault(
                TypedFault::Replay { from, to, message } | TypedFault::Forge { from, to, message },
            ) => {
                let id = self.envelope(*from, *to, message.clone());
                Some((id, id))
            }
            TypedAction::Fault(TypedFault::Corrupt { from, to, message, into }) => Some((
                self.envelope(*from, *to, message.clone()),
                self.envelope(*from, *to, into.clone()),
            )),
            TypedAction::Fault(_)
            | TypedAction::Tick
            | TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. } => None,
        };
        let id = u32::try_from(self.wide.actions.len()).expect("fewer than 2^32 actions");
        self.wide.ids.insert(action.clone(), id);
        self.wide.actions.push(action);
        self.wide.envelopes.push(envelopes);
        id
    }

    fn envelope(&mut self, from: NodeId, to: NodeId, message: P::Message) -> u32 {
        self.envelope_id(Envelope { from, to, message })
    }

    /// Adds the actions that may be possible from the beginning.
    pub(super) fn add_standing(&mut self) {
        let rules = self.rules.clone();
        let nodes = self.nodes.len();
        let mut standing: Vec<ActionOf<P>> = Vec::new();
        if rules.timing != Timing::Untimed {
            standing.push(TypedAction::Tick);
        }
        if rules.faults.allows(Spend::Burst) {
            let node = NodeId::from_index;
            let links = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
            let burst = |(from, to)| TypedFault::Burst { from: node(from), to: node(to) }.into();
            standing.extend(links.map(burst));
        }
        if rules.cuts() {
            let cuts = partitions(nodes, &rules.faults).into_iter();
            standing.extend(cuts.map(|cut| TypedFault::Partition { cut }.into()));
            standing.push(TypedFault::Heal.into());
        }
        if rules.faults.allows(Spend::GroupCrash) {
            let groups = rules.groups.iter();
            standing
                .extend(groups.map(|nodes| TypedFault::CrashGroup { nodes: nodes.clone() }.into()));
        }
        if rules.faults.allows(Spend::Forgery) {
            for (traitor, messages) in &rules.traitors {
                let others = (0..nodes).map(NodeId::from_index).filter(|node| node != traitor);
                for to in others {
                    standing.extend(
                        messages.iter().cloned().map(|message| {
                            TypedFault::Forge { from: *traitor, to, message }.into()
                        }),
                    );
                }
            }
        }
        let ids = standing.into_iter().map(|action| self.wide_id(action)).collect();
        self.wide.standing = ids;
    }

    /// Finds out what an envelope may be altered into: what still reads as a message.
    pub(super) fn add_corruptions(&mut self, envelope: u32) {
        if self.wide.corruptions.contains_key(&envelope) {
            return;
        }
        let Envelope { from, to, message } =
            self.envelopes.values[envelope as usize].as_ref().clone();
        let mut found: Vec<P::Message> = Vec::new();
        for json in altered(&to_json(&message)) {
            let read = from_json::<P::Message>("message", &json).ok();
            found.extend(read.filter(|into| *into != message && !found.contains(into)));
        }
        let corrupt =
            |into| TypedFault::Corrupt { from, to, message: message.clone(), into }.into();
        let actions: Vec<ActionOf<P>> = found.into_iter().map(corrupt).collect();
        let ids = actions.into_iter().map(|action| self.wide_id(action)).collect();
        self.wide.corruptions.insert(envelope, ids);
    }
}

impl<P: Protocol> Cluster<P> {
    /// The actions that concern more than one node and may be possible in a configuration; or else
    /// the envelopes of which it is not known what they may be altered into.
    pub(super) fn wide_actions(
        &self,
        tables: &Tables<P>,
        at: &Configuration,
    ) -> Result<Vec<u32>, Vec<u32>> {
        let mut found = tables.wide.standing.clone();
        if self.rules.faults.allows(Spend::Corruption) {
            let corruptions = &tables.wide.corruptions;
            let mut next = self.first_in_flight(tables, at);
            found.extend(next.iter().filter_map(|envelope| corruptions.get(envelope)).flatten());
            next.retain(|envelope| !corruptions.contains_key(envelope));
            if !next.is_empty() {
                return Err(next);
            }
        }
        if self.rules.faults.allows(Spend::Replay) {
            let conditions = at.conditions(self.layout) as usize;
            let past = tables.conditions.values[conditions].past.iter();
            let replays = past.map(|key| {
                let envelope = &tables.envelopes.values[tables.envelope_of(*key) as usize];
                let Envelope { from, to, message } = envelope.as_ref().clone();
                TypedAction::Fault(TypedFault::Replay { from, to, message })
            });
            found.extend(replays.filter_map(|replay| tables.wide.ids.get(&replay).copied()));
        }
        Ok(found)
    }

    /// What an action costs.
    pub(super) fn wide_costs(&self, tables: &Tables<P>, at: &Configuration, action: u32) -> Costs {
        match &tables.wide.actions[action as usize] {
            TypedAction::Tick => {
                let mut costs = Costs::new();
                if self.are_messages_waiting(tables, at) {
                    costs.push(Spend::Delay);
                }
                if self.locals(tables, at).any(|row| row.is_up && row.is_syncing) {
                    costs.push(Spend::SlowSync);
                }
                costs
            }
            TypedAction::Fault(TypedFault::Partition { cut }) => {
                Costs::from_iter([shape(cut, self.layout.nodes, &self.rules.faults)])
            }
            action @ (TypedAction::Fault(_)
            | TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. }) => cost::<P>(action).into_iter().collect(),
        }
    }

    /// Whether there may be actions that concern more than one node.
    pub(super) fn has_wide(&self) -> bool {
        let faults =
            [Spend::Burst, Spend::Replay, Spend::Corruption, Spend::Forgery, Spend::GroupCrash];
        self.rules.timing != Timing::Untimed
            || self.rules.cuts()
            || faults.into_iter().any(|spend| self.rules.faults.allows(spend))
    }

    fn locals<'t>(
        &self,
        tables: &'t Tables<P>,
        at: &Configuration,
    ) -> impl Iterator<Item = &'t super::rows::Row> {
        let nodes = tables.nodes.iter().enumerate();
        nodes.map(|(node, tables)| &tables.rows[at.local(node) as usize])
    }

    /// Whether a message could arrive that the network has to deliver.
    fn are_messages_waiting(&self, tables: &Tables<P>, at: &Configuration) -> bool {
        // A growing set may keep a message as long as it likes.
        let mut envelopes = self.envelopes(at).into_iter().filter(|_| self.rules.consumes());
        envelopes.any(|envelope| {
            let (node, _) = tables.delivery(envelope);
            let row = &tables.nodes[node].rows[at.local(node) as usize];
            row.is_up && !self.is_blocked(tables, at, envelope)
        })
    }

    /// The configuration after an action that concerns more than one node, as if it cost nothing;
    /// `None` where it is not possible.
    pub(super) fn wide_after(
        &self,
        tables: &Tables<P>,
        at: &Configuration,
        action: u32,
    ) -> Result<Option<Configuration>, Unknown> {
        let mut after = at.clone();
        let is_possible = match &tables.wide.actions[action as usize] {
            TypedAction::Tick => self.pass_time(tables, &mut after, action)?,
            TypedAction::Fault(fault) => match fault {
                TypedFault::Burst { from, to } => {
                    self.lose_all(tables, &mut after, (*from, *to));
                    true
                }
                TypedFault::Replay { .. } => self.replay(tables, &mut after, action),
                TypedFault::Corrupt { .. } => self.corrupt(tables, &mut after, action),
                TypedFault::Forge { from, .. } => {
                    let (envelope, _) = tables.wide.envelopes[action as usize].expect("it has one");
                    self.send(tables, &mut after, envelope);
                    tables.nodes[from.index()].rows[at.local(from.index()) as usize].is_up
                }
                TypedFault::Partition { .. } | TypedFault::Heal => {
                    let turn = (at.conditions(self.layout), Turn::Wide { action });
                    let id = *tables.turns.get(&turn).ok_or(Unknown)?;
                    self.turn(tables, &mut after, id);
                    true
                }
                TypedFault::CrashGroup { nodes } => {
                    for node in nodes {
                        self.move_node(tables, &mut after, node.index(), action)?;
                    }
                    true
                }
                TypedFault::Drop { .. }
                | TypedFault::Duplicate { .. }
                | TypedFault::Crash { .. }
                | TypedFault::Restart { .. }
                | TypedFault::CrashRestart { .. }
                | TypedFault::Interrupt { .. }
                | TypedFault::Pause { .. }
                | TypedFault::Resume { .. }
                | TypedFault::SyncFail { .. }
                | TypedFault::Jump { .. } => false,
            },
            TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. } => false,
        };
        Ok(is_possible.then_some(after))
    }

    /// Finds out what [`wide_after`](Cluster::wide_after) asks for.
    pub(super) fn learn_wide(&self, tables: &mut Tables<P>, at: &Configuration, action: u32) {
        let typed = tables.wide.actions[action as usize].clone();
        let affected: Vec<usize> = match &typed {
            TypedAction::Tick => (0..self.layout.nodes).collect(),
            TypedAction::Fault(TypedFault::CrashGroup { nodes }) => {
                nodes.iter().map(|node| node.index()).collect()
            }
            TypedAction::Fault(TypedFault::Partition { .. } | TypedFault::Heal) => {
                let before = at.conditions(self.layout);
                let mut conditions = tables.conditions.values[before as usize].as_ref().clone();
                match &typed {
                    TypedAction::Fault(TypedFault::Partition { cut }) => {
                        conditions.cut.extend(cut.iter().copied());
                    }
                    _ => conditions.cut.clear(),
                }
                let after = tables.conditions_id(conditions);
                tables.turns.insert((before, Turn::Wide { action }), after);
                Vec::new()
            }
            TypedAction::Fault(_)
            | TypedAction::Deliver { .. }
            | TypedAction::Choose { .. }
            | TypedAction::Fire { .. }
            | TypedAction::SyncDone { .. }
            | TypedAction::Invoke { .. } => Vec::new(),
        };
        for node in affected {
            let local = at.local(node);
            let own = tables.nodes[node].action_id(typed.clone());
            tables.find_out(&self.protocol, (node, local, own), at.history(self.layout));
        }
    }

    /// Lets one unit of time pass in every node; not while a timer is overdue.
    fn pass_time(
        &self,
        tables: &Tables<P>,
        after: &mut Configuration,
        action: u32,
    ) -> Result<bool, Unknown> {
        if self.locals(tables, after).any(|row| row.is_overdue) {
            return Ok(false);
        }
        for node in 0..self.layout.nodes {
            self.move_node(tables, after, node, action)?;
        }
        Ok(true)
    }

    /// Lets an action that concerns several nodes change one of them.
    fn move_node(
        &self,
        tables: &Tables<P>,
        after: &mut Configuration,
        node: usize,
        action: u32,
    ) -> Result<(), Unknown> {
        let typed = &tables.wide.actions[action as usize];
        let own = tables.nodes[node].known_action(typed).ok_or(Unknown)?;
        let outcome = tables.nodes[node].outcome_id(after.local(node), own).ok_or(Unknown)?;
        let outcome = &tables.nodes[node].outcomes[outcome as usize];
        after.set_local(node, outcome.local, outcome.key_change);
        Ok(())
    }

    fn lose_all(&self, tables: &Tables<P>, after: &mut Configuration, link: (NodeId, NodeId)) {
        let is_there = |envelope: &u32| {
            let envelope = &tables.envelopes.values[*envelope as usize];
            (envelope.from, envelope.to) == link
        };
        let lost: Vec<u32> = self.envelopes(after).into_iter().filter(is_there).collect();
        for envelope in lost {
            self.take_out(tables, after, envelope);
        }
    }

    fn replay(&self, tables: &Tables<P>, after: &mut Configuration, action: u32) -> bool {
        let (envelope, _) = tables.wide.envelopes[action as usize].expect("it has one");
        let conditions = after.conditions(self.layout) as usize;
        let key = tables.envelopes.keys[envelope as usize];
        // Who does not search has no memory of what was delivered, and takes the schedule's word.
        let is_past = !self.remembers || tables.conditions.values[conditions].past.contains(&key);
        self.put_in(tables, after, envelope);
        is_past && self.rules.consumes()
    }

    fn corrupt(&self, tables: &Tables<P>, after: &mut Configuration, action: u32) -> bool {
        let (envelope, into) = tables.wide.envelopes[action as usize].expect("it has two");
        if !self.is_next(tables, after, envelope) {
            return false;
        }
        match self.network {
            Network::GrowingSet => self.put_in(tables, after, into),
            Network::ConsumedOnce => {
                self.take_out(tables, after, envelope);
                self.put_in(tables, after, into);
            }
            Network::Fifo => self.replace_first(tables, after, envelope, into),
        }
        true
    }
}

impl Choice {
    pub(super) fn wide(action: u32) -> Self {
        Self(Packed::Wide { action })
    }
}

impl<P: Protocol> Default for WideTables<P> {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            ids: HashMap::new(),
            envelopes: Vec::new(),
            standing: Vec::new(),
            corruptions: HashMap::new(),
        }
    }
}
