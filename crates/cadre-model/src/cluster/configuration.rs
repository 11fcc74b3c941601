use std::fmt;

use smallvec::SmallVec;

use crate::portable::{PortableError, Reader};

/// A configuration of a [`Cluster`](super::Cluster): a small flat array of ids with a fingerprint
/// that is kept up to date as it changes.
///
/// The words are: for each node the id of its local state; the id of the clients' history; what is
/// left of the fault budgets; the id of the conditions; and the network, as a bit set over envelope
/// ids (growing set), as a sorted list of envelope ids (consumed once), or as a list of them link
/// by link, each in the order in which they were sent (FIFO). The fingerprint is the wrapping sum
/// of 128-bit keys of the parts; keys depend on the contents alone, so that it is the same in every
/// run.
#[derive(PartialEq, Eq, Hash)]
pub struct Configuration {
    fingerprint: u128,
    words: SmallVec<[u32; 16]>,
}

/// Where the parts of a configuration's words begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) nodes: usize,
}

impl Layout {
    fn history(self) -> usize {
        self.nodes
    }

    fn budgets(self) -> usize {
        self.nodes + 1
    }

    fn conditions(self) -> usize {
        self.nodes + 2
    }

    fn network(self) -> usize {
        self.nodes + 3
    }

    /// The conditions of a configuration's words.
    pub(super) fn conditions_of(self, words: &[u32]) -> u32 {
        words[self.conditions()]
    }

    /// The history of a configuration's words.
    pub(super) fn history_of(self, words: &[u32]) -> u32 {
        words[self.history()]
    }

    /// What is left of the budgets in a configuration's words.
    pub(super) fn budgets_of(self, words: &[u32]) -> u32 {
        words[self.budgets()]
    }

    /// The network of a configuration's words.
    pub(super) fn network_of(self, words: &[u32]) -> &[u32] {
        &words[self.network()..]
    }
}

// Inlined by hand where a search calls it for each action: the callers are generic, and thus
// compiled in other crates.
impl Configuration {
    pub(super) fn new(layout: Layout) -> Self {
        Self { fingerprint: 0, words: SmallVec::from_elem(0, layout.network()) }
    }

    /// The 128-bit fingerprint.
    #[inline]
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// All parts, as one array.
    #[inline]
    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    /// Appends the fingerprint, the number of words and the words; ids mean the same as long as
    /// the cluster lives.
    pub(super) fn store(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.words.len()).expect("configurations are small");
        out.reserve(size_of::<u128>() + size_of::<u32>() + size_of_val(self.words()));
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        self.words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Appends the configurations that were [stored](Self::store) one after the other.
    pub(super) fn restore(
        layout: Layout,
        bytes: &[u8],
        out: &mut Vec<Self>,
    ) -> Result<(), PortableError> {
        let mut rest = Reader(bytes);
        while !rest.is_empty() {
            let fingerprint = u128::from_le_bytes(rest.array()?);
            let count = rest.word()? as usize;
            if count < layout.network() {
                return Err(PortableError::garbled("too few words"));
            }
            let words = rest.take(count * size_of::<u32>())?.chunks_exact(size_of::<u32>());
            let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            out.push(Self { fingerprint, words: words.map(word).collect() });
        }
        Ok(())
    }

    #[inline]
    pub(super) fn local(&self, node: usize) -> u32 {
        self.words[node]
    }

    /// Replaces a node's local state; `key_change` is the new key minus the old one.
    #[inline]
    pub(super) fn set_local(&mut self, node: usize, local: u32, key_change: u128) {
        self.words[node] = local;
        self.add_key(key_change);
    }

    #[inline]
    pub(super) fn history(&self, layout: Layout) -> u32 {
        self.words[layout.history()]
    }

    pub(super) fn set_history(&mut self, layout: Layout, history: u32, key_change: u128) {
        self.words[layout.history()] = history;
        self.add_key(key_change);
    }

    #[inline]
    pub(super) fn budgets(&self, layout: Layout) -> u32 {
        self.words[layout.budgets()]
    }

    pub(super) fn set_budgets(&mut self, layout: Layout, budgets: u32, key_change: u128) {
        self.words[layout.budgets()] = budgets;
        self.add_key(key_change);
    }

    #[inline]
    pub(super) fn conditions(&self, layout: Layout) -> u32 {
        self.words[layout.conditions()]
    }

    pub(super) fn set_conditions(&mut self, layout: Layout, conditions: u32, key_change: u128) {
        self.words[layout.conditions()] = conditions;
        self.add_key(key_change);
    }

    #[inline]
    pub(super) fn network(&self, layout: Layout) -> &[u32] {
        &self.words[layout.network()..]
    }

    #[inline]
    pub(super) fn set_contains(&self, layout: Layout, envelope: u32) -> bool {
        let (word, bit) = bit_of(envelope);
        self.network(layout).get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Adds an envelope to a growing set; whether it was new.
    #[inline]
    pub(super) fn set_insert(&mut self, layout: Layout, envelope: u32, key: u128) -> bool {
        let (word, bit) = bit_of(envelope);
        let at = layout.network() + word;
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        let is_new = self.words[at] & bit == 0;
        if is_new {
            self.words[at] |= bit;
            self.add_key(key);
        }
        is_new
    }

    pub(super) fn list_contains(&self, layout: Layout, envelope: u32) -> bool {
        self.network(layout).binary_search(&envelope).is_ok()
    }

    /// Adds an envelope to a consumed-once network.
    pub(super) fn list_insert(&mut self, layout: Layout, envelope: u32, key: u128) {
        let at = self.network(layout).partition_point(|other| *other < envelope);
        self.words.insert(layout.network() + at, envelope);
        self.add_key(key);
    }

    /// Takes an envelope out of a consumed-once network; whether it was there.
    pub(super) fn list_remove(&mut self, layout: Layout, envelope: u32, key: u128) -> bool {
        let Ok(at) = self.network(layout).binary_search(&envelope) else { return false };
        self.words.remove(layout.network() + at);
        self.add_key(key.wrapping_neg());
        true
    }

    /// Puts an envelope into a FIFO network, at a position among its messages.
    pub(super) fn queue_insert(&mut self, layout: Layout, at: usize, envelope: u32) {
        self.words.insert(layout.network() + at, envelope);
    }

    /// Takes the envelope at a position out of a FIFO network.
    pub(super) fn queue_remove(&mut self, layout: Layout, at: usize) {
        self.words.remove(layout.network() + at);
    }

    #[inline]
    pub(super) fn add_key(&mut self, key: u128) {
        self.fingerprint = self.fingerprint.wrapping_add(key);
    }
}

impl Clone for Configuration {
    #[inline]
    fn clone(&self) -> Self {
        // As one copy of memory: the clone that is derived pushes word after word.
        Self { fingerprint: self.fingerprint, words: SmallVec::from_slice(&self.words) }
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Configuration({:032x})", self.fingerprint)
    }
}

/// The envelopes whose bits are set, in the order of their ids.
#[inline]
pub(super) fn set_members(words: &[u32]) -> impl Iterator<Item = u32> + '_ {
    words.iter().zip(0..).flat_map(|(word, index)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            Some(index * u32::BITS + bit)
        })
    })
}

#[inline]
fn bit_of(envelope: u32) -> (usize, u32) {
    ((envelope / u32::BITS) as usize, 1 << (envelope % u32::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { nodes: 2 };

    #[test]
    fn a_growing_set_counts_each_envelope_once() {
        let mut configuration = Configuration::new(LAYOUT);
        assert!(configuration.set_insert(LAYOUT, 70, 5));
        assert!(!configuration.set_insert(LAYOUT, 70, 5));
        assert!(configuration.set_insert(LAYOUT, 3, 7));
        assert_eq!(configuration.fingerprint(), 12);
        assert_eq!(set_members(configuration.network(LAYOUT)).collect::<Vec<_>>(), [3, 70]);
        assert!(configuration.set_contains(LAYOUT, 70));
        assert!(
            !configuration.set_contains(LAYOUT, 71) && !configuration.set_contains(LAYOUT, 999)
        );
    }

    #[test]
    fn the_order_of_sends_does_not_change_a_configuration() {
        let (mut one, mut two) = (Configuration::new(LAYOUT), Configuration::new(LAYOUT));
        for (envelope, key) in [(4, 9), (1, 2), (4, 9)] {
            one.list_insert(LAYOUT, envelope, key);
        }
        for (envelope, key) in [(4, 9), (4, 9), (1, 2)] {
            two.list_insert(LAYOUT, envelope, key);
        }
        assert_eq!(one, two);
        assert!(one.list_remove(LAYOUT, 4, 9) && one.list_remove(LAYOUT, 4, 9));
        assert!(!one.list_remove(LAYOUT, 4, 9));
        assert_eq!((one.network(LAYOUT), one.fingerprint()), (&[1][..], 2));
    }

    #[test]
    fn stored_configurations_come_back_and_what_is_cut_off_does_not() {
        let mut states = Vec::new();
        for words in 0..40 {
            let mut state = Configuration::new(LAYOUT);
            state.set_local(1, words, u128::MAX - 5);
            (0..words).for_each(|envelope| state.list_insert(LAYOUT, envelope, 3));
            states.push(state);
        }
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for state in &states {
            state.store(&mut bytes);
            ends.push(bytes.len());
        }
        for length in 0..=bytes.len() {
            let mut restored = Vec::new();
            let result = Configuration::restore(LAYOUT, &bytes[..length], &mut restored);
            assert_eq!(result.is_ok(), ends.contains(&length));
            assert_eq!(restored, states[..restored.len()]);
            assert!(result.is_err() || ends[restored.len()] == length);
        }
    }
}
