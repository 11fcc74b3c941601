use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cadre_step::Protocol;
use cadre_trace::GuaranteeKind;

use super::configuration::Configuration;
use super::orbit::{Asymmetry, Orbits, Parts};
use super::survey::Survey;
use super::tables::Tables;
use super::twins::Twins;
use super::view::View;
use super::{Choice, Cluster, Packed, STEPS_RETURN};
use crate::expansion::{Asleep, Expansion};
use crate::guarantee::Part;
use crate::guarded;
use crate::model::{Claim, Model};

/// A [`Cluster`] up to the names of what is interchangeable in it:
/// [nodes](super::ClusterBuilder::interchangeable) with their clients, and
/// [values](super::ClusterBuilder::interchangeable_values). Configurations that differ in who is
/// who alone count as one.
///
/// A search of it looks at one representative of each orbit (Ip and Dill, "Better verification
/// through symmetry", 1996), found by sorting, not by trying all permutations. Its paths are
/// executions of the cluster itself.
///
/// Where more than 5 040 arrangements of what looks alike would have to be tried, an orbit may
/// count more than once: that costs time and hides nothing.
///
/// # Contract
///
/// That the protocol treats alike what is declared interchangeable is checked for every step that a
/// search takes and for every step that takes the place of such a one. That the guarantees do is
/// checked in every configuration of the search, against those in which two neighbours have changed
/// places and one in which many have: a sample of the orbit, so that a guarantee which tells names
/// apart only in others may go unnoticed. Each is a guarantee of its own. Guarantees that only
/// endless executions violate are not judged.
pub struct Quotient<'a, P: Protocol> {
    cluster: &'a Cluster<P>,
    orbits: RwLock<Orbits>,
}

impl<'a, P: Protocol> Quotient<'a, P> {
    pub(super) fn new(cluster: &'a Cluster<P>) -> Self {
        let orbits = Orbits::new(cluster.symmetry.clone(), cluster.layout.nodes);
        let quotient = Self { cluster, orbits: RwLock::new(orbits) };
        quotient.compare_starts();
        quotient
    }

    fn read(&self) -> RwLockReadGuard<'_, Orbits> {
        self.orbits.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Orbits> {
        self.orbits.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something be found out about what takes the place of what.
    fn with_twins<R>(&self, at: &Configuration, look: impl FnOnce(&mut Twins<'_, P>) -> R) -> R {
        let (mut orbits, mut tables) = (self.write(), self.cluster.write());
        look(&mut Twins {
            protocol: &self.cluster.protocol,
            orbits: &mut orbits,
            tables: &mut tables,
            names: self.cluster.node_names(),
            at: at.fingerprint(),
        })
    }

    /// Sees to it that what is interchangeable starts alike.
    fn compare_starts(&self) {
        let initial = self.cluster.initial();
        let parts = self.cluster.parts(initial);
        self.meet_all(initial, initial);
        let mut orbits = self.write();
        for swap in 0..orbits.images.len() {
            if orbits.swapped(&parts, swap) != parts {
                let what = orbits.symmetry.swaps[swap].described(self.cluster.node_names());
                let why = format!("{what} do not start alike");
                orbits.asymmetry.get_or_insert(Asymmetry { at: initial.fingerprint(), why });
            }
        }
    }

    /// The parts of the representative of a configuration's orbit, after having got to know what it
    /// takes; `at` is where the search is.
    fn meet_all(&self, at: &Configuration, configuration: &Configuration) -> Parts {
        loop {
            let orbits = self.read();
            let tables = self.cluster.read();
            let found = orbits.representative(self.cluster, &tables, configuration);
            drop((tables, orbits));
            match found {
                Ok(parts) => return parts,
                Err(missing) => self.with_twins(at, |twins| twins.meet(missing)),
            }
        }
    }

    /// The position of the guarantee that steps are alike.
    fn alike(&self) -> usize {
        self.cluster.guarantees().len()
    }

    /// The position of the guarantee that guarantees are impartial.
    fn impartial(&self) -> usize {
        self.alike() + 1
    }

    /// Which guarantee tells apart what is interchangeable; `None` where none does.
    ///
    /// A configuration is compared with those in which two neighbours have changed places, and with
    /// one in which many have, chosen by the fingerprint.
    fn partial(&self, state: &Configuration) -> Option<String> {
        let (tables, orbits) = (self.cluster.read(), self.read());
        let mut view = self.cluster.lend_view(&tables);
        let declared = &self.cluster.guarantees;
        let mut verdicts = |at: &Configuration| {
            view.show(at);
            (0..declared.len()).map(|guarantee| self.verdict(guarantee, &mut view)).collect()
        };
        let expected: Vec<_> = verdicts(state);
        let parts = self.cluster.parts(state);
        let swaps = 0..orbits.images.len();
        let mut far = parts.clone();
        for (bit, swap) in swaps.clone().chain(swaps.clone()).enumerate() {
            if state.fingerprint() >> (bit % 128) & 1 == 1 {
                far = orbits.swapped(&far, swap);
            }
        }
        let near = swaps.map(|swap| (orbits.swapped(&parts, swap), Some(swap)));
        let mut others = near.chain([(far, None)]).filter(|(other, _)| *other != parts);
        let found = others.find_map(|(other, swap)| {
            let found = verdicts(&self.cluster.assemble(&tables, state, &other));
            let partial = (0..declared.len()).find(|at| found[*at] != expected[*at])?;
            let names = self.cluster.node_names();
            let what = match swap {
                Some(swap) => orbits.symmetry.swaps[swap].described(names),
                None => "several that are declared interchangeable".to_owned(),
            };
            let name = declared[partial].name();
            Some(format!(
                "the guarantee `{name}` says something else when {what} change places; let it look \
                 at all of them alike, or declare less interchangeable"
            ))
        });
        self.cluster.take_back(view);
        found
    }

    /// What a declared guarantee's predicates say of the configuration that a view shows, if it is
    /// one that is judged in single configurations; a predicate that panics says nothing.
    fn verdict(&self, declared: usize, view: &mut View<P>) -> [Option<bool>; 2] {
        let guarantee = &self.cluster.guarantees[declared];
        let has_post = match guarantee.kind() {
            GuaranteeKind::Always | GuaranteeKind::Reachable => false,
            GuaranteeKind::PrePost => true,
            GuaranteeKind::Eventually(_)
            | GuaranteeKind::LeadsTo(_)
            | GuaranteeKind::Convergent(_) => return [None; 2],
        };
        let main = guarded(|| self.cluster.main_of(STEPS_RETURN + 1 + declared, view)).ok();
        let post = || guarded(|| guarantee.evaluate(Part::Post, view)).ok();
        [main, if has_post && main == Some(true) { post() } else { None }]
    }

    /// The parts of the representative of what an action leads to, with the configuration itself;
    /// `None` where that takes what is not known yet.
    fn step(
        &self,
        tables: &Tables<P>,
        orbits: &Orbits,
        at: &Configuration,
        choice: Choice,
    ) -> Option<(Configuration, Parts)> {
        if let Packed::Node { node, action } = choice.0 {
            let node = node as usize;
            let outcome = tables.nodes[node].outcome_id(at.local(node), action)?;
            orbits.compared[node].get(outcome)?;
        }
        let after = self.cluster.carry_out(tables, at, choice).ok()??;
        let parts = orbits.representative(self.cluster, tables, &after).ok()?;
        Some((after, parts))
    }

    /// The fingerprint of a configuration whose parts are others.
    fn fingerprint_of(&self, tables: &Tables<P>, at: &Configuration, parts: &Parts) -> u128 {
        let change = parts.key(tables).wrapping_sub(self.cluster.parts(at).key(tables));
        at.fingerprint().wrapping_add(change)
    }
}

impl<P: Protocol> Model for Quotient<'_, P> {
    type State = Configuration;
    type Action = Choice;

    fn init(&self) -> Vec<Configuration> {
        self.cluster.init()
    }

    fn actions(&self, state: &Configuration, out: &mut Vec<Choice>) {
        self.cluster.actions(state, out);
    }

    fn next(&self, state: &Configuration, action: &Choice) -> Option<Configuration> {
        self.cluster.next(state, action)
    }

    /// The fingerprint of the representative.
    fn fingerprint(&self, state: &Configuration) -> u128 {
        let parts = self.meet_all(state, state);
        self.fingerprint_of(&self.cluster.read(), state, &parts)
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn is_fault(&self, action: &Choice) -> bool {
        self.cluster.is_fault(action)
    }

    fn guarantees(&self) -> Vec<Claim> {
        let own = [
            "what is interchangeable behaves alike",
            "guarantees treat what is interchangeable alike",
        ];
        let own = own.map(|name| Claim { name: name.to_owned(), kind: GuaranteeKind::Always });
        self.cluster.guarantees().into_iter().chain(own).collect()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &Configuration) -> bool {
        if guarantee == self.impartial() {
            self.meet_all(state, state);
            return self.partial(state).is_none();
        }
        guarantee == self.alike() || self.cluster.evaluate(guarantee, part, state)
    }

    fn describe(&self, guarantee: usize, state: &Configuration) -> Option<String> {
        if guarantee == self.impartial() {
            self.meet_all(state, state);
            return self.partial(state);
        }
        Model::describe(self.cluster, guarantee, state)
    }

    fn user_calls(&self) -> Option<u64> {
        self.cluster.user_calls()
    }

    fn expand(&self, states: &[Configuration], _: &[Asleep], out: &mut impl Expansion<Choice>) {
        let (tables, orbits) = (self.cluster.read(), self.read());
        let mut survey = Survey::new(self.cluster, &tables);
        for (index, state) in states.iter().enumerate() {
            survey.look(state, Asleep::NONE);
            let mut found = Vec::new();
            for (choice, ..) in &survey.found {
                match self.step(&tables, &orbits, state, *choice) {
                    Some((after, parts)) => {
                        found.push((*choice, self.fingerprint_of(&tables, &after, &parts)));
                    }
                    None => survey.unknown.push(*choice),
                }
            }
            if !survey.unknown.is_empty() {
                survey.unknown.iter().for_each(|choice| out.unknown(index, *choice));
                continue;
            }
            for (choice, fingerprint) in found {
                out.successor(index, choice, fingerprint, Asleep::NONE);
            }
            if survey.is_at_rest {
                out.at_rest(index);
            }
            if let Some(Asymmetry { at, why }) = &orbits.asymmetry
                && *at == state.fingerprint()
            {
                out.failed(index, None, self.alike(), why.clone());
            }
        }
    }

    /// Which arrangement represents an orbit does not depend on budgets.
    fn covering(&self, states: &[Configuration], found: &mut impl FnMut(usize, u128)) {
        self.cluster.tell_covering(states, found);
    }

    fn learn(&self, unknown: &[(Configuration, Choice)]) {
        self.cluster.learn(unknown);
        for (state, choice) in unknown {
            if let Packed::Node { node, action } = choice.0 {
                let node = node as usize;
                let step = (node, state.local(node), action);
                self.with_twins(state, |twins| twins.compare(step));
            }
            if let Some(after) = self.cluster.next(state, choice) {
                self.meet_all(state, &after);
            }
        }
    }

    fn follow<'b>(
        &self,
        steps: impl Iterator<Item = (&'b Configuration, &'b Choice)>,
        out: &mut Vec<Configuration>,
    ) where
        Self: 'b,
    {
        let (tables, orbits) = (self.cluster.read(), self.read());
        for (state, choice) in steps {
            let step = self.step(&tables, &orbits, state, *choice);
            let (after, parts) = step.expect("an action that was found leads somewhere known");
            out.push(self.cluster.assemble(&tables, &after, &parts));
        }
    }

    fn store(&self, states: &[Configuration], out: &mut Vec<u8>) -> bool {
        self.cluster.store(states, out)
    }

    fn restore(&self, bytes: &[u8], out: &mut Vec<Configuration>) -> bool {
        self.cluster.restore(bytes, out)
    }

    fn memory(&self) -> u64 {
        self.cluster.memory() + self.read().bytes()
    }

    fn judge(
        &self,
        states: &[Configuration],
        guarantees: &[usize],
        found: &mut impl FnMut(usize, usize, bool),
    ) {
        let (alike, impartial) = (self.alike(), self.impartial());
        let others: Vec<usize> =
            guarantees.iter().copied().filter(|guarantee| *guarantee < alike).collect();
        self.cluster.judge(states, &others, found);
        if guarantees.contains(&impartial) {
            for (index, state) in states.iter().enumerate() {
                found(index, impartial, self.partial(state).is_none());
            }
        }
    }
}

impl<P: Protocol> std::fmt::Debug for Quotient<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quotient").field("cluster", self.cluster).finish_non_exhaustive()
    }
}
