use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use cadre_step::{Disk, NodeId, Protocol};

use super::builder::Network;
use super::configuration::{Configuration, Layout, set_members};
use super::history::{History, HistoryEntry};
use super::local::{Life, LocalOf};
use super::tables::{Envelope, Tables};

/// A configuration with the protocol's own types: what guarantees and refinement mappings look at.
pub struct View<P: Protocol> {
    ids: Vec<u32>,
    locals: Vec<Arc<LocalOf<P>>>,
    /// Which nodes have been looked at since the last [`forget_reads`](View::forget_reads).
    reads: Vec<Cell<bool>>,
    history_id: u32,
    history: Arc<History<P>>,
    envelopes: Vec<Arc<Envelope<P::Message>>>,
    network: Network,
    in_flight: Vec<u32>,
}

impl<P: Protocol> View<P> {
    /// The nodes, in order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<P> {
        (0..self.locals.len()).map(NodeId::from_index)
    }

    /// What a node keeps in memory; `None` while it is down.
    pub fn state(&self, node: NodeId) -> Option<&P::State> {
        self.reads[node.index()].set(true);
        match &self.locals[node.index()].life {
            Life::Up(state) => Some(state),
            Life::Down | Life::Failed(_) => None,
        }
    }

    /// Whether a node runs.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.state(node).is_some()
    }

    /// What of a node survives a crash.
    pub fn disk(&self, node: NodeId) -> &Disk {
        self.reads[node.index()].set(true);
        &self.locals[node.index()].disk
    }

    /// The messages in flight as sender, destination and payload; one that is there twice comes
    /// twice.
    pub fn in_flight(&self) -> impl Iterator<Item = (NodeId, NodeId, &P::Message)> {
        let ids: Box<dyn Iterator<Item = u32>> = match self.network {
            Network::GrowingSet => Box::new(set_members(&self.in_flight)),
            Network::ConsumedOnce => Box::new(self.in_flight.iter().copied()),
        };
        ids.map(|id| {
            let envelope = &self.envelopes[id as usize];
            (envelope.from, envelope.to, &envelope.message)
        })
    }

    /// What the clients asked and were answered, in the order in which it happened.
    pub fn history(&self) -> &[HistoryEntry<P::Response>] {
        &self.history
    }

    /// Why the first of the failed nodes failed.
    pub(super) fn failure(&self) -> Option<(NodeId, &str)> {
        self.nodes().find_map(|node| match &self.locals[node.index()].life {
            Life::Failed(why) => Some((node, why.as_str())),
            Life::Up(_) | Life::Down => None,
        })
    }

    pub(super) fn new(nodes: usize, network: Network) -> Self {
        let nowhere: Arc<LocalOf<P>> = Arc::new(LocalOf::<P> {
            life: Life::Down,
            timers: Vec::new(),
            disk: Disk::new(),
            unsynced: Vec::new(),
        });
        Self {
            ids: vec![u32::MAX; nodes],
            locals: (0..nodes).map(|_| Arc::clone(&nowhere)).collect(),
            reads: vec![Cell::new(false); nodes],
            history_id: u32::MAX,
            history: Arc::new(Vec::new()),
            envelopes: Vec::new(),
            network,
            in_flight: Vec::new(),
        }
    }

    /// Shows another configuration; only what differs from the last one is looked up.
    pub(super) fn show(&mut self, layout: Layout, shown: &Configuration, tables: &Tables<P>) {
        for (node, id) in self.ids.iter_mut().enumerate() {
            let now = shown.local(node);
            if *id != now {
                *id = now;
                self.locals[node] = Arc::clone(&tables.nodes[node].locals.values[now as usize]);
            }
        }
        let history = shown.history(layout);
        if self.history_id != history {
            self.history_id = history;
            self.history = Arc::clone(&tables.histories.values[history as usize]);
        }
        let known = self.envelopes.len();
        self.envelopes.extend(tables.envelopes.values[known..].iter().cloned());
        self.in_flight.clear();
        self.in_flight.extend_from_slice(shown.network(layout));
    }

    pub(super) fn forget_reads(&self) {
        self.reads.iter().for_each(|read| read.set(false));
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes().filter(|node| self.reads[node.index()].get())
    }
}

impl<P: Protocol> fmt::Debug for View<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("nodes", &self.locals.len()).finish_non_exhaustive()
    }
}
