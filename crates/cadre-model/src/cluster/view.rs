use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cadre_step::{Disk, NodeId, Protocol, RequestId};

use super::configuration::{Configuration, Layout, set_members};
use super::flying::Flying;
use super::history::{History, HistoryEntry};
use super::local::{Life, LocalOf};
use super::rules::Network;
use super::tables::{Envelope, Tables};

/// A configuration with the protocol's own types: what guarantees and refinement mappings look at.
pub struct View<P: Protocol> {
    layout: Layout,
    network: Network,
    /// The configuration that is shown.
    shown: Vec<u32>,
    /// For each node its local states by their ids, so far as they have been asked for.
    locals: Vec<Vec<Arc<LocalOf<P>>>>,
    histories: Vec<Arc<History<P>>>,
    envelopes: Vec<Arc<Envelope<P::Message>>>,
    /// What each client asks, one after the other.
    requests: Arc<Vec<Vec<P::Request>>>,
    /// For each guarantee that looks at histories alone what it says of each history.
    pub(super) truths: HashMap<(usize, u32), bool>,
    /// Which nodes have been looked at since the last [`forget_reads`](View::forget_reads).
    reads: Vec<Cell<bool>>,
    /// The execution in progress that is shown instead, if one is.
    live: Option<LiveParts<P>>,
}

/// What an execution in progress consists of: nothing is shared, and everything changes.
struct LiveParts<P: Protocol> {
    locals: Vec<LocalOf<P>>,
    history: History<P>,
    flying: Flying<P::Message>,
}

impl<P: Protocol> View<P> {
    /// The nodes, in order.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<P> {
        (0..self.layout.nodes).map(NodeId::from_index)
    }

    /// What a node keeps in memory; `None` while it is down.
    pub fn state(&self, node: NodeId) -> Option<&P::State> {
        self.reads[node.index()].set(true);
        match &self.local(node).life {
            Life::Up(state) => Some(state),
            Life::Down | Life::Failed(_) => None,
        }
    }

    /// Whether a node runs.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.state(node).is_some()
    }

    /// Whether a node is paused: it has a state, but takes no steps.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.reads[node.index()].set(true);
        self.local(node).is_paused
    }

    /// What of a node survives a crash.
    pub fn disk(&self, node: NodeId) -> &Disk {
        self.reads[node.index()].set(true);
        &self.local(node).disk
    }

    /// The messages in flight as sender, destination and payload; one that is there twice comes
    /// twice.
    pub fn in_flight(&self) -> impl Iterator<Item = (NodeId, NodeId, &P::Message)> {
        let in_flight = || self.layout.network_of(&self.shown);
        let of_id = |id: u32| self.envelopes[id as usize].as_ref();
        let envelopes: Box<dyn Iterator<Item = &Envelope<P::Message>>> =
            match (&self.live, self.network) {
                (Some(live), _) => live.flying.iter(),
                (None, Network::GrowingSet) => Box::new(set_members(in_flight()).map(of_id)),
                (None, Network::ConsumedOnce | Network::Fifo) => {
                    Box::new(in_flight().iter().copied().map(of_id))
                }
            };
        envelopes.map(|envelope| (envelope.from, envelope.to, &envelope.message))
    }

    /// What the clients asked and were answered, in the order in which it happened.
    pub fn history(&self) -> &[HistoryEntry<P::Response>] {
        match &self.live {
            Some(live) => &live.history,
            None => &self.histories[self.history_id() as usize],
        }
    }

    /// What a client asked with one of its requests.
    pub fn request(&self, id: RequestId) -> &P::Request {
        &self.requests[id.client as usize][id.number as usize]
    }

    pub(super) fn history_id(&self) -> u32 {
        self.layout.history_of(&self.shown)
    }

    #[inline]
    pub(super) fn local(&self, node: NodeId) -> &LocalOf<P> {
        match &self.live {
            Some(live) => &live.locals[node.index()],
            None => &self.locals[node.index()][self.shown[node.index()] as usize],
        }
    }

    /// Why the first of the failed nodes failed.
    pub(super) fn failure(&self) -> Option<(NodeId, &str)> {
        self.nodes().find_map(|node| match &self.local(node).life {
            Life::Failed(why) => Some((node, why.as_str())),
            Life::Up(_) | Life::Down => None,
        })
    }

    pub(super) fn new(
        layout: Layout,
        network: Network,
        requests: Arc<Vec<Vec<P::Request>>>,
    ) -> Self {
        Self {
            layout,
            network,
            shown: Vec::new(),
            locals: (0..layout.nodes).map(|_| Vec::new()).collect(),
            histories: Vec::new(),
            envelopes: Vec::new(),
            requests,
            truths: HashMap::new(),
            reads: vec![Cell::new(false); layout.nodes],
            live: None,
        }
    }

    /// Shows from now on an execution in progress, whose nodes are yet to start.
    pub(super) fn go_live(&mut self) {
        let nodes = self.layout.nodes;
        self.live = Some(LiveParts {
            locals: (0..nodes).map(|_| LocalOf::<P>::stopped(Disk::new())).collect(),
            history: History::<P>::new(),
            flying: Flying::new(self.network, nodes),
        });
    }

    pub(super) fn flying(&self) -> &Flying<P::Message> {
        &self.live.as_ref().expect(LIVE).flying
    }

    pub(super) fn flying_mut(&mut self) -> &mut Flying<P::Message> {
        &mut self.live_mut().flying
    }

    /// A node of the execution in progress.
    pub(super) fn live_local(&mut self, node: NodeId) -> &mut LocalOf<P> {
        &mut self.live_mut().locals[node.index()]
    }

    /// The clients' history of the execution in progress.
    pub(super) fn live_history(&mut self) -> &mut History<P> {
        &mut self.live_mut().history
    }

    fn live_mut(&mut self) -> &mut LiveParts<P> {
        self.live.as_mut().expect(LIVE)
    }

    /// Gets to know what has been met since the last time.
    pub(super) fn catch_up(&mut self, tables: &Tables<P>) {
        for (known, node) in self.locals.iter_mut().zip(&tables.nodes) {
            known.extend(node.locals.values[known.len()..].iter().cloned());
        }
        let (histories, envelopes) = (&mut self.histories, &mut self.envelopes);
        histories.extend(tables.histories.values[histories.len()..].iter().cloned());
        envelopes.extend(tables.envelopes.values[envelopes.len()..].iter().cloned());
    }

    /// Shows another configuration, of whose parts all are known.
    #[inline]
    pub(super) fn show(&mut self, configuration: &Configuration) {
        self.shown.clear();
        self.shown.extend_from_slice(configuration.words());
    }

    pub(super) fn forget_reads(&self) {
        self.reads.iter().for_each(|read| read.set(false));
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes().filter(|node| self.reads[node.index()].get())
    }
}

/// Why there are parts of an execution in progress.
const LIVE: &str = "the view is that of an execution in progress";

impl<P: Protocol> fmt::Debug for View<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("nodes", &self.layout.nodes).finish_non_exhaustive()
    }
}
