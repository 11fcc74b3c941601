use cadre_step::Protocol;

use super::Cluster;
use super::configuration::Configuration;
use super::interchange::{Group, Symmetry};
use super::tables::Tables;
use super::twins::Images;

/// What the parts of configurations become when neighbours among the interchangeable units change
/// places, and what the parts say about each unit.
///
/// Once something is known of a part it is known of the part's whole orbit; so a configuration of
/// which every part [has been met](Missing) can be arranged in every way.
pub(super) struct Orbits {
    pub(super) symmetry: Symmetry,
    /// For each swap what takes the place of what.
    pub(super) images: Vec<Images>,
    /// For each node and local state what it says about interchangeable units.
    pub(super) told_by_locals: Vec<Known<Told>>,
    pub(super) told_by_envelopes: Known<Told>,
    pub(super) told_by_histories: Known<Told>,
    /// For each node the outcomes that have been compared with their twins.
    pub(super) compared: Vec<Known<()>>,
    pub(super) asymmetry: Option<Asymmetry>,
}

/// That something is not as interchangeable as it is declared to be, or cannot be renamed.
pub(super) struct Asymmetry {
    /// The fingerprint of the configuration where that came out.
    pub(super) at: u128,
    pub(super) why: String,
}

/// For interchangeable units, what is said about them.
pub(super) type Told = Vec<(usize, u128)>;

/// A part of a configuration that has not been met yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Missing {
    Local { node: usize, local: u32 },
    Envelope { envelope: u32 },
    History { history: u32 },
}

/// What is known of the things with small ids.
#[derive(Clone)]
pub(super) struct Known<T>(Vec<Option<T>>);

/// The parts of a configuration, but for its budgets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Parts {
    locals: Vec<u32>,
    history: u32,
    /// Sorted.
    envelopes: Vec<u32>,
}

/// How many arrangements of units that look alike are tried; beyond, an orbit may have several
/// representatives, which costs time but hides nothing.
const ARRANGEMENTS_MAX: usize = 5_040;

impl Orbits {
    pub(super) fn new(symmetry: Symmetry, nodes: usize) -> Self {
        Self {
            images: vec![Images::new(nodes); symmetry.swaps.len()],
            symmetry,
            told_by_locals: vec![Known::default(); nodes],
            told_by_envelopes: Known::default(),
            told_by_histories: Known::default(),
            compared: vec![Known::default(); nodes],
            asymmetry: None,
        }
    }

    /// Roughly the bytes of all of it.
    pub(super) fn bytes(&self) -> u64 {
        let images: u64 = self.images.iter().map(Images::bytes).sum();
        let told = self.told_by_locals.iter().map(Known::bytes).sum::<u64>()
            + self.told_by_envelopes.bytes()
            + self.told_by_histories.bytes();
        images + told + self.compared.iter().map(Known::bytes).sum::<u64>()
    }

    /// The parts of the representative of a configuration's orbit.
    ///
    /// The units of each group are sorted by all that is said about each of them, their own states
    /// included; of the arrangements of units about which the same is said, the one with the least
    /// fingerprint counts. Units that can change places without any effect need not be arranged.
    pub(super) fn representative<P: Protocol>(
        &self,
        cluster: &Cluster<P>,
        tables: &Tables<P>,
        at: &Configuration,
    ) -> Result<Parts, Missing> {
        let mut parts = cluster.parts(at);
        let mut told = self.told(&parts)?;
        for Group { first_unit, first_swap, units } in &self.symmetry.groups {
            for end in (1..*units).rev() {
                for at in 0..end {
                    let unit = first_unit + at;
                    if told[unit] > told[unit + 1] {
                        told.swap(unit, unit + 1);
                        parts = self.swapped(&parts, first_swap + at);
                    }
                }
            }
        }
        let ties = self.ties(&parts, &told);
        let arrangements = ties.iter().map(|(_, run)| (1..=*run).product::<usize>());
        if !ties.is_empty() && arrangements.product::<usize>() <= ARRANGEMENTS_MAX {
            let mut best = (parts.key(tables), parts.clone());
            self.arrange(&parts, &ties, &mut |parts| {
                let key = parts.key(tables);
                if key < best.0 {
                    best = (key, parts.clone());
                }
            });
            parts = best.1;
        }
        Ok(parts)
    }

    /// For each of the interchangeable units the sum of what is said about it.
    fn told(&self, parts: &Parts) -> Result<Vec<u128>, Missing> {
        let mut sums = vec![0_u128; self.symmetry.units()];
        let mut add = |told: &Told| {
            for (unit, key) in told {
                sums[*unit] = sums[*unit].wrapping_add(*key);
            }
        };
        for (node, local) in parts.locals.iter().copied().enumerate() {
            let told = self.told_by_locals[node].get(local);
            add(told.ok_or(Missing::Local { node, local })?);
        }
        for envelope in parts.envelopes.iter().copied() {
            add(self.told_by_envelopes.get(envelope).ok_or(Missing::Envelope { envelope })?);
        }
        let history = parts.history;
        add(self.told_by_histories.get(history).ok_or(Missing::History { history })?);
        Ok(sums)
    }

    /// The runs of units that look alike and are not, as the position of the first swap and the
    /// length.
    fn ties(&self, parts: &Parts, told: &[u128]) -> Vec<(usize, usize)> {
        let mut ties = Vec::new();
        for Group { first_unit, first_swap, units } in &self.symmetry.groups {
            let mut first = *first_swap;
            let told = &told[*first_unit..first_unit + units];
            for run in told.chunk_by(|one, other| one == other) {
                let mut swaps = first..first + run.len() - 1;
                if swaps.any(|swap| !self.stays(parts, swap)) {
                    ties.push((first, run.len()));
                }
                first += run.len();
            }
        }
        ties
    }

    /// Whether two neighbours can change places without any effect.
    fn stays(&self, parts: &Parts, swap: usize) -> bool {
        let images = &self.images[swap].locals;
        let stays = |(node, local): (usize, &u32)| {
            let other = parts.locals[self.symmetry.swaps[swap].node(node)];
            images[node].get(*local) == Some(&other)
        };
        // What is cheap first: most that look alike and are not differ there.
        parts.locals.iter().enumerate().all(stays) && self.swapped(parts, swap) == *parts
    }

    /// The parts, all of which have been met, after two neighbours have changed places.
    pub(super) fn swapped(&self, parts: &Parts, swap: usize) -> Parts {
        const MET: &str = "the parts have been met";
        let images = &self.images[swap];
        let mut after = parts.clone();
        for (node, local) in parts.locals.iter().enumerate() {
            let other = images.locals[node].get(*local).expect(MET);
            after.locals[self.symmetry.swaps[swap].node(node)] = *other;
        }
        for envelope in &mut after.envelopes {
            *envelope = *images.envelopes.get(*envelope).expect(MET);
        }
        after.envelopes.sort_unstable();
        after.history = *images.histories.get(parts.history).expect(MET);
        after
    }

    /// Visits every arrangement of the units in some runs: each run's by exchanging neighbours
    /// (Johnson 1963, Trotter 1962).
    fn arrange(&self, parts: &Parts, runs: &[(usize, usize)], visit: &mut dyn FnMut(&Parts)) {
        let Some(((first, run), rest)) = runs.split_first() else { return visit(parts) };
        let mut parts = parts.clone();
        self.arrange(&parts, rest, visit);
        let mut order: Vec<usize> = (0..*run).collect();
        let mut goes_up = vec![false; *run];
        loop {
            let can_move = |at: usize| {
                let to = if goes_up[order[at]] { at + 1 } else { at.wrapping_sub(1) };
                order.get(to).is_some_and(|other| *other < order[at]).then_some(to)
            };
            let movable = (0..*run).filter_map(|at| can_move(at).map(|to| (order[at], at, to)));
            let Some((mover, at, to)) = movable.max() else { return };
            order.swap(at, to);
            goes_up[mover + 1..].iter_mut().for_each(|larger| *larger = !*larger);
            parts = self.swapped(&parts, first + at.min(to));
            self.arrange(&parts, rest, visit);
        }
    }
}

impl<T> Known<T> {
    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.0.get(id as usize)?.as_ref()
    }

    pub(super) fn set(&mut self, id: u32, value: T) {
        let at = id as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || None);
        }
        self.0[at] = Some(value);
    }
}

impl<T> Known<T> {
    /// Roughly the bytes of all of it: what is known is small.
    pub(super) fn bytes(&self) -> u64 {
        (self.0.capacity() * size_of::<Option<T>>()) as u64
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Parts {
    /// The part of a configuration's fingerprint that follows from these.
    pub(super) fn key<P: Protocol>(&self, tables: &Tables<P>) -> u128 {
        let locals = self.locals.iter().zip(&tables.nodes);
        let locals = locals.map(|(local, node)| node.locals.keys[*local as usize]);
        let envelopes = self.envelopes.iter().map(|id| tables.envelopes.keys[*id as usize]);
        let history = tables.histories.keys[self.history as usize];
        locals.chain(envelopes).fold(history, u128::wrapping_add)
    }
}

impl<P: Protocol> Cluster<P> {
    pub(super) fn parts(&self, at: &Configuration) -> Parts {
        Parts {
            locals: (0..self.layout.nodes).map(|node| at.local(node)).collect(),
            history: at.history(self.layout),
            envelopes: self.envelopes(at),
        }
    }

    /// The configuration of some parts, with the budgets of another.
    pub(super) fn assemble(
        &self,
        tables: &Tables<P>,
        budgets: &Configuration,
        parts: &Parts,
    ) -> Configuration {
        let mut configuration = Configuration::new(self.layout);
        for (node, local) in parts.locals.iter().enumerate() {
            let key = tables.nodes[node].locals.keys[*local as usize];
            configuration.set_local(node, *local, key);
        }
        for envelope in &parts.envelopes {
            self.put_in(tables, &mut configuration, *envelope);
        }
        let key = tables.histories.keys[parts.history as usize];
        configuration.set_history(self.layout, parts.history, key);
        let budgets = budgets.budgets(self.layout);
        configuration.set_budgets(self.layout, budgets, self.purse.key(budgets));
        configuration
    }
}
