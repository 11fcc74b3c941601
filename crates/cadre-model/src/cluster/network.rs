use std::ops::Range;

use cadre_step::Protocol;

use super::Cluster;
use super::conditions::NO_CONDITIONS;
use super::configuration::{Configuration, set_members};
use super::rules::Network;
use super::tables::Tables;

/// What is in flight, for each kind of network.
impl<P: Protocol> Cluster<P> {
    /// Sends an envelope: over a cut link or into a full queue it is lost.
    #[inline]
    pub(super) fn send(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
    ) {
        if !self.filters(configuration) || self.is_let_through(tables, configuration, envelope) {
            self.put_in(tables, configuration, envelope);
        }
    }

    /// Whether what is sent may be lost at once. Also a cluster that has no budget for partitions
    /// carries out a schedule that has one.
    #[inline]
    pub(super) fn filters(&self, at: &Configuration) -> bool {
        self.filters_sends || at.conditions(self.layout) != NO_CONDITIONS
    }

    fn is_let_through(&self, tables: &Tables<P>, at: &Configuration, envelope: u32) -> bool {
        let link = tables.links[envelope as usize];
        let is_of_link = |other: &&u32| tables.links[**other as usize] == link;
        let waiting = || at.network(self.layout).iter().filter(is_of_link).count();
        !self.is_blocked(tables, at, envelope)
            && self.rules.queue_max.is_none_or(|queue_max| waiting() < queue_max)
    }

    /// Whether an envelope's link is cut.
    #[inline]
    pub(super) fn is_blocked(&self, tables: &Tables<P>, at: &Configuration, envelope: u32) -> bool {
        let blocked = &tables.blocked[at.conditions(self.layout) as usize];
        let word = blocked.get((envelope / u32::BITS) as usize);
        word.is_some_and(|word| word >> (envelope % u32::BITS) & 1 == 1)
    }

    /// Puts an envelope in flight, whatever is there.
    #[inline]
    pub(super) fn put_in(
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
            Network::Fifo => {
                let queue = self.queue(tables, configuration, envelope);
                self.change_queue(tables, configuration, envelope, |configuration| {
                    configuration.queue_insert(self.layout, queue.end, envelope);
                });
            }
        }
    }

    /// Takes an envelope out of a network that consumes.
    #[inline]
    pub(super) fn take_out(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
    ) {
        let key = tables.envelopes.keys[envelope as usize];
        match self.network {
            Network::GrowingSet => {}
            Network::ConsumedOnce => {
                configuration.list_remove(self.layout, envelope, key);
            }
            Network::Fifo => {
                if let Some(at) = self.position(configuration, envelope) {
                    self.change_queue(tables, configuration, envelope, |configuration| {
                        configuration.queue_remove(self.layout, at);
                    });
                }
            }
        }
    }

    /// Lets an envelope be there once more: where order counts, right behind itself.
    pub(super) fn put_in_again(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
    ) {
        match (self.network, self.position(configuration, envelope)) {
            (Network::Fifo, Some(at)) => {
                self.change_queue(tables, configuration, envelope, |configuration| {
                    configuration.queue_insert(self.layout, at, envelope);
                });
            }
            (Network::Fifo | Network::GrowingSet | Network::ConsumedOnce, _) => {
                self.put_in(tables, configuration, envelope);
            }
        }
    }

    /// Puts another envelope of the same link in the place of one in a FIFO network.
    pub(super) fn replace_first(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
        into: u32,
    ) {
        if let Some(at) = self.position(configuration, envelope) {
            self.change_queue(tables, configuration, envelope, |configuration| {
                configuration.queue_remove(self.layout, at);
                configuration.queue_insert(self.layout, at, into);
            });
        }
    }

    /// Whether an envelope is in flight, and where order counts the first of its link.
    pub(super) fn is_next(
        &self,
        tables: &Tables<P>,
        configuration: &Configuration,
        envelope: u32,
    ) -> bool {
        match self.network {
            Network::GrowingSet => configuration.set_contains(self.layout, envelope),
            Network::ConsumedOnce => configuration.list_contains(self.layout, envelope),
            Network::Fifo => {
                let queue = self.queue(tables, configuration, envelope);
                configuration.network(self.layout)[queue].first() == Some(&envelope)
            }
        }
    }

    pub(super) fn envelopes(&self, configuration: &Configuration) -> Vec<u32> {
        let network = configuration.network(self.layout);
        match self.network {
            Network::GrowingSet => set_members(network).collect(),
            Network::ConsumedOnce | Network::Fifo => network.to_vec(),
        }
    }

    /// The envelopes that may be next, each once: those in flight, and where order counts the first
    /// of each link.
    pub(super) fn first_in_flight(&self, tables: &Tables<P>, at: &Configuration) -> Vec<u32> {
        let mut envelopes = self.envelopes(at);
        match self.network {
            Network::GrowingSet => {}
            Network::ConsumedOnce => envelopes.dedup(),
            Network::Fifo => envelopes.dedup_by_key(|envelope| tables.links[*envelope as usize]),
        }
        envelopes
    }

    /// Where the envelopes of one link stand in a FIFO network.
    fn queue(
        &self,
        tables: &Tables<P>,
        configuration: &Configuration,
        envelope: u32,
    ) -> Range<usize> {
        let link = tables.links[envelope as usize];
        let network = configuration.network(self.layout);
        let link_of = |other: &u32| tables.links[*other as usize];
        let start = network.partition_point(|other| link_of(other) < link);
        start..start + network[start..].partition_point(|other| link_of(other) == link)
    }

    fn position(&self, configuration: &Configuration, envelope: u32) -> Option<usize> {
        configuration.network(self.layout).iter().position(|other| *other == envelope)
    }

    /// Changes the queue of an envelope's link, and the fingerprint with it.
    fn change_queue(
        &self,
        tables: &Tables<P>,
        configuration: &mut Configuration,
        envelope: u32,
        change: impl FnOnce(&mut Configuration),
    ) {
        let key = |configuration: &Configuration| {
            let queue = self.queue(tables, configuration, envelope);
            queue_key(tables, &configuration.network(self.layout)[queue])
        };
        let before = key(configuration);
        change(configuration);
        let after = key(configuration);
        configuration.add_key(after.wrapping_sub(before));
    }
}

/// The key of a queue: a polynomial in the keys of its envelopes, so that their order counts.
fn queue_key<P: Protocol>(tables: &Tables<P>, queue: &[u32]) -> u128 {
    // Odd, so that no part of a key is lost.
    const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    queue.iter().rev().fold(0, |sum: u128, envelope| {
        sum.wrapping_mul(FACTOR).wrapping_add(tables.envelopes.keys[*envelope as usize])
    })
}
