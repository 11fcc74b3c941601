use cadre_step::{NodeId, Protocol, RequestId};
use cadre_trace::{Json, NodeSnapshot};
use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::configuration::{Configuration, set_members};
use super::history::{History, HistoryEntry};
use super::local::{self, Life, LocalOf};
use super::names::{from_json, to_json};
use super::rows::ENVELOPE_BITS;
use super::tables::{Envelope, Tables};
use super::{Choice, Cluster, Network, Packed};
use crate::expansion::Asleep;
use crate::fingerprint;
use crate::portable::{Portable, PortableError, Reader};

/// How much of what a cluster has met a receiver has been told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// For each node how many local states.
    locals: Vec<usize>,
    envelopes: usize,
    conditions: usize,
    histories: usize,
    /// For each node how many actions have been looked through for such that can be asleep.
    actions: Vec<usize>,
}

/// What a sender's ids and bits are in this cluster.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// For each node.
    locals: Vec<Vec<u32>>,
    envelopes: Vec<u32>,
    conditions: Vec<u32>,
    histories: Vec<u32>,
    /// For each bit of what is asleep the bit that it is here; none where the action has no bit.
    bits: Vec<u128>,
}

/// Values that packed configurations name by their positions, in the order of the sender's ids.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Definitions {
    /// Nothing that was told before counts any more.
    is_first: bool,
    locals: Vec<LocalDefinition>,
    envelopes: Vec<EnvelopeDefinition>,
    conditions: Vec<ConditionsDefinition>,
    histories: Vec<HistoryDefinition>,
    bits: Vec<BitDefinition>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LocalDefinition {
    key: u128,
    node: usize,
    snapshot: NodeSnapshot,
    /// Why the node has failed.
    why: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EnvelopeDefinition {
    key: u128,
    from: NodeId,
    to: NodeId,
    message: Json,
}

#[derive(Debug, Serialize, Deserialize)]
struct ConditionsDefinition {
    key: u128,
    cut: Vec<(NodeId, NodeId)>,
    past: Vec<u128>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HistoryDefinition {
    key: u128,
    entries: Vec<EntryDefinition>,
}

#[derive(Debug, Serialize, Deserialize)]
enum EntryDefinition {
    Invoke(RequestId),
    Return(RequestId, Json),
}

/// Which of a node's own actions a bit of what is asleep stands for.
#[derive(Debug, Serialize, Deserialize)]
struct BitDefinition {
    bit: u32,
    node: usize,
    action: u128,
}

/// Packed are, each preceded by its length, the definitions that are new to the receiver, as JSON;
/// and for each configuration its fingerprint, what is asleep there, and its words, which are those
/// that it has in the sender. All numbers are little-endian.
impl<P: Protocol> Portable for Cluster<P> {
    type Told = Told;
    type Heard = Heard;

    fn pack(
        &self,
        states: &[Configuration],
        asleep: &[Asleep],
        told: &mut Told,
        out: &mut Vec<u8>,
    ) {
        let tables = self.read();
        let length = |length: usize| u32::try_from(length).expect("packets are small");
        let definitions = match told.catch_up(&tables) {
            Some(new) => serde_json::to_vec(&new).expect("values have a JSON form"),
            None => Vec::new(),
        };
        out.extend(length(definitions.len()).to_le_bytes());
        out.extend(definitions);
        for (state, asleep) in states.iter().zip(asleep) {
            out.extend(state.fingerprint().to_le_bytes());
            out.extend(self.asleep_elsewhere(&tables, state, *asleep).to_le_bytes());
            out.extend(length(size_of_val(state.words())).to_le_bytes());
            out.extend(state.words().iter().flat_map(|word| word.to_le_bytes()));
        }
    }

    fn unpack(
        &self,
        bytes: &[u8],
        heard: &mut Heard,
        arrive: &mut impl FnMut(u128, Asleep) -> bool,
        out: &mut Vec<Configuration>,
    ) -> Result<(), PortableError> {
        let mut rest = Reader(bytes);
        let definitions = rest.sized()?;
        if !definitions.is_empty() {
            let new = serde_json::from_slice(definitions).map_err(PortableError::garbled)?;
            heard.take_in(&mut self.write(), &self.protocol, new)?;
        }
        let tables = self.read();
        let mut words = Vec::new();
        while !rest.is_empty() {
            let fingerprint = u128::from_le_bytes(rest.array()?);
            let asleep = heard.asleep(u128::from_le_bytes(rest.array()?));
            let packed = rest.sized()?;
            if arrive(fingerprint, asleep) {
                words.clear();
                let word = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes);
                words.extend(packed.chunks(size_of::<u32>()).filter_map(|bytes| word(bytes).ok()));
                let state = self.translated(&tables, heard, &words);
                let state = state.ok_or_else(|| PortableError::garbled("ids that nobody told"))?;
                if state.fingerprint() != fingerprint {
                    return Err(PortableError::garbled("a configuration with other contents"));
                }
                out.push(state);
            }
        }
        Ok(())
    }

    fn rank(&self, action: &Choice) -> u128 {
        let tables = self.read();
        match action.0 {
            Packed::Node { node, action } => {
                fingerprint(&(0, node, &tables.nodes[node as usize].actions[action as usize]))
            }
            Packed::Drop { envelope } => {
                fingerprint(&(1, tables.envelopes.keys[envelope as usize]))
            }
            Packed::Duplicate { envelope } => {
                fingerprint(&(2, tables.envelopes.keys[envelope as usize]))
            }
            Packed::Wide { action } => fingerprint(&(3, &tables.wide.actions[action as usize])),
        }
    }
}

impl<P: Protocol> Cluster<P> {
    /// What is asleep that another process can know to be: not what adds to the clients' history,
    /// as there what it adds would first have to be found out.
    fn asleep_elsewhere(
        &self,
        tables: &Tables<P>,
        state: &Configuration,
        Asleep(asleep): Asleep,
    ) -> u128 {
        let rows = tables.nodes.iter().zip(state.words());
        rows.fold(asleep, |asleep, (node, local)| asleep & !node.rows[*local as usize].telling)
    }

    /// The configuration that a sender's words mean; `None` where they name what was never told.
    fn translated(
        &self,
        tables: &Tables<P>,
        heard: &Heard,
        words: &[u32],
    ) -> Option<Configuration> {
        let layout = self.layout;
        let mut state = Configuration::new(layout);
        if words.len() < state.words().len() {
            return None;
        }
        for (node, word) in words[..layout.nodes].iter().enumerate() {
            let local = *heard.locals.get(node)?.get(*word as usize)?;
            state.set_local(node, local, tables.nodes[node].locals.keys[local as usize]);
        }
        let history = *heard.histories.get(layout.history_of(words) as usize)?;
        state.set_history(layout, history, tables.histories.keys[history as usize]);
        let budgets = layout.budgets_of(words);
        state.set_budgets(layout, budgets, self.purse.key(budgets));
        let conditions = layout.conditions_of(words);
        self.turn(tables, &mut state, *heard.conditions.get(conditions as usize)?);
        let network = layout.network_of(words);
        let mut send = |envelope: u32| {
            let envelope = *heard.envelopes.get(envelope as usize)?;
            self.put_in(tables, &mut state, envelope);
            Some(())
        };
        match self.network {
            Network::GrowingSet => set_members(network).try_for_each(&mut send)?,
            Network::ConsumedOnce | Network::Fifo => {
                network.iter().copied().try_for_each(&mut send)?;
            }
        }
        Some(state)
    }
}

impl Told {
    /// What the cluster has met since; `None` where that is nothing.
    fn catch_up<P: Protocol>(&mut self, tables: &Tables<P>) -> Option<Definitions> {
        let nodes = tables.nodes.len();
        let mut new = Definitions { is_first: self.locals.is_empty(), ..Definitions::default() };
        self.locals.resize(nodes, 0);
        self.actions.resize(nodes, 0);
        for (node, tables) in tables.nodes.iter().enumerate() {
            let known = &mut self.locals[node];
            let locals = tables.locals.values.iter().zip(&tables.locals.keys).skip(*known);
            new.locals
                .extend(locals.map(|(local, key)| LocalDefinition::of::<P>(node, local, *key)));
            *known = tables.locals.values.len();
            let looked_through = &mut self.actions[node];
            for (action, bit) in tables.own_bits().skip(*looked_through) {
                if let Some(bit) = bit {
                    new.bits.push(BitDefinition { bit, node, action: fingerprint(action) });
                }
            }
            *looked_through = tables.actions.len();
        }
        let Tables { envelopes, conditions, histories, .. } = tables;
        let told = envelopes.values.iter().zip(&envelopes.keys).skip(self.envelopes);
        new.envelopes.extend(told.map(|(envelope, key)| {
            let Envelope { from, to, message } = envelope.as_ref();
            EnvelopeDefinition { key: *key, from: *from, to: *to, message: to_json(message) }
        }));
        self.envelopes = envelopes.values.len();
        let told = conditions.values.iter().zip(&conditions.keys).skip(self.conditions);
        new.conditions.extend(told.map(|(conditions, key)| ConditionsDefinition {
            key: *key,
            cut: conditions.cut.iter().copied().collect(),
            past: conditions.past.iter().copied().collect(),
        }));
        self.conditions = conditions.values.len();
        let told = histories.values.iter().zip(&histories.keys).skip(self.histories);
        new.histories.extend(told.map(|(history, key)| HistoryDefinition::of::<P>(history, *key)));
        self.histories = histories.values.len();
        (!new.is_empty()).then_some(new)
    }
}

impl Heard {
    /// Makes what a sender has told part of this cluster.
    fn take_in<P: Protocol>(
        &mut self,
        tables: &mut Tables<P>,
        protocol: &P,
        new: Definitions,
    ) -> Result<(), PortableError> {
        let changed = |what, is_same: bool| match is_same {
            true => Ok(()),
            false => Err(PortableError::Changed { what }),
        };
        let nodes = tables.nodes.len();
        if new.is_first {
            *self = Self { locals: vec![Vec::new(); nodes], ..Self::default() };
            self.bits.resize(u128::BITS as usize, 0);
        }
        let is_node = |node: usize| match node < nodes && self.locals.len() == nodes {
            true => Ok(()),
            false => Err(PortableError::garbled("a node that does not exist")),
        };
        for definition in &new.locals {
            is_node(definition.node)?;
        }
        for LocalDefinition { key, node, snapshot, why } in new.locals {
            let mut local: LocalOf<P> =
                local::read::<P>(&snapshot).map_err(PortableError::garbled)?;
            if let (Life::Failed(reason), Some(why)) = (&mut local.life, why) {
                *reason = why;
            }
            let id = tables.local_id(protocol, node, local);
            changed("a node's state", tables.nodes[node].locals.keys[id as usize] == key)?;
            self.locals[node].push(id);
        }
        for EnvelopeDefinition { key, from, to, message } in new.envelopes {
            if from.index().max(to.index()) >= nodes {
                return Err(PortableError::garbled("a node that does not exist"));
            }
            let message = from_json("message", &message).map_err(PortableError::garbled)?;
            let id = tables.envelope_id(Envelope { from, to, message });
            changed("a message", tables.envelopes.keys[id as usize] == key)?;
            self.hear_bit(self.envelopes.len(), if id < ENVELOPE_BITS { 1 << id } else { 0 });
            self.envelopes.push(id);
        }
        for ConditionsDefinition { key, cut, past } in new.conditions {
            let links = cut.iter().flat_map(|(from, to)| [from, to]);
            let are_known = links.into_iter().all(|node| node.index() < nodes)
                && past.iter().all(|key| tables.is_envelope(*key));
            if !are_known {
                return Err(PortableError::garbled("conditions of what does not exist"));
            }
            let (cut, past) = (cut.into_iter().collect(), past.into_iter().collect());
            let id = tables.conditions_id(Conditions { cut, past });
            changed("conditions", tables.conditions.keys[id as usize] == key)?;
            self.conditions.push(id);
        }
        for HistoryDefinition { key, entries } in new.histories {
            let history = history_of::<P>(&entries).map_err(PortableError::garbled)?;
            let id = tables.history_id(history);
            changed("a response", tables.histories.keys[id as usize] == key)?;
            self.histories.push(id);
        }
        for BitDefinition { bit, node, action } in new.bits {
            let known = tables.nodes.get(node).into_iter().flat_map(|node| node.own_bits());
            let mut same = known.filter(|(known, _)| fingerprint(*known) == action);
            let here = same.next().and_then(|(_, bit)| bit);
            self.bits[bit as usize % u128::BITS as usize] = here.map_or(0, |bit| 1 << bit);
        }
        Ok(())
    }

    /// Notes what the bit of one of the first envelopes is here.
    fn hear_bit(&mut self, envelope: usize, here: u128) {
        if envelope < ENVELOPE_BITS as usize {
            self.bits[envelope] = here;
        }
    }

    /// What is asleep, in the bits of this cluster.
    #[inline]
    fn asleep(&self, told: u128) -> Asleep {
        let (mut here, mut rest) = (0, told);
        while rest != 0 {
            here |= self.bits.get(rest.trailing_zeros() as usize).copied().unwrap_or(0);
            rest &= rest - 1;
        }
        Asleep(here)
    }
}

impl Definitions {
    fn is_empty(&self) -> bool {
        let Self { is_first, locals, envelopes, conditions, histories, bits } = self;
        !is_first
            && locals.is_empty()
            && envelopes.is_empty()
            && conditions.is_empty()
            && histories.is_empty()
            && bits.is_empty()
    }
}

impl LocalDefinition {
    fn of<P: Protocol>(node: usize, local: &LocalOf<P>, key: u128) -> Self {
        let why = match &local.life {
            Life::Failed(why) => Some(why.clone()),
            Life::Up(_) | Life::Down => None,
        };
        Self { key, node, snapshot: local::tell::<P>(local), why }
    }
}

impl HistoryDefinition {
    fn of<P: Protocol>(history: &History<P>, key: u128) -> Self {
        let entry = |entry: &HistoryEntry<P::Response>| match entry {
            HistoryEntry::Invoke { id } => EntryDefinition::Invoke(*id),
            HistoryEntry::Return { id, response } => {
                EntryDefinition::Return(*id, to_json(response))
            }
        };
        Self { key, entries: history.iter().map(entry).collect() }
    }
}

fn history_of<P: Protocol>(entries: &[EntryDefinition]) -> Result<History<P>, String> {
    let entry = |entry: &EntryDefinition| {
        Ok(match entry {
            EntryDefinition::Invoke(id) => HistoryEntry::Invoke { id: *id },
            EntryDefinition::Return(id, response) => {
                HistoryEntry::Return { id: *id, response: from_json("response", response)? }
            }
        })
    };
    entries.iter().map(entry).collect()
}
