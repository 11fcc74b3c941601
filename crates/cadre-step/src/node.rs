use serde::{Deserialize, Serialize};

/// The identity of one node of a cluster.
///
/// Opaque on purpose: a protocol may compare, store and send ids, but not compute with them, so
/// that a search may rename interchangeable nodes. Whoever builds a cluster hands the ids out, in
/// the order in which nodes are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "$cadre_step::NodeId")]
pub struct NodeId(u32);

impl NodeId {
    /// Makes the id of the node at a position of the cluster's node list.
    ///
    /// For clusters, runtimes and tests. A protocol takes the ids it needs as part of its
    /// configuration.
    ///
    /// # Panics
    ///
    /// Where `index` does not fit 32 bits.
    #[inline]
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("a cluster has fewer than 2^32 nodes"))
    }

    /// The position of the node in the cluster's node list.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
