use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cadre_step::Protocol;
use cadre_trace::GuaranteeKind;

use super::configuration::Configuration;
use super::orbit::{Missing, Orbits};
use super::survey::Survey;
use super::tables::Tables;
use super::{Choice, Cluster, Packed};
use crate::expansion::{Asleep, Expansion};
use crate::guarantee::Part;
use crate::model::{Claim, Model};

/// A [`Cluster`] up to the names of its [interchangeable
/// nodes](super::ClusterBuilder::interchangeable): configurations that differ in who is who alone
/// count as one.
///
/// A search of it looks at one representative of each orbit (Ip and Dill, "Better verification
/// through symmetry", 1996), found by sorting the nodes, not by trying all permutations. Its paths
/// are executions of the cluster itself.
///
/// Where more than 5 040 arrangements of look-alike nodes would have to be tried, an orbit may
/// count more than once: that costs time and hides nothing.
///
/// # Contract
///
/// The guarantees name no interchangeable node: what they say of a configuration they say of every
/// other in its orbit. Guarantees that only endless executions violate are not judged. That the
/// protocol treats the nodes alike is checked for every step that a search takes, and violates a
/// guarantee of its own where it does not.
pub struct Quotient<'a, P: Protocol> {
    cluster: &'a Cluster<P>,
    orbits: RwLock<Orbits>,
}

impl<'a, P: Protocol> Quotient<'a, P> {
    pub(super) fn new(cluster: &'a Cluster<P>) -> Self {
        let group = cluster.interchangeable.clone();
        Self { cluster, orbits: RwLock::new(Orbits::new(group)) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Orbits> {
        self.orbits.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Orbits> {
        self.orbits.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The representative of a configuration's orbit, after having found out what it takes.
    fn representative(&self, at: &Configuration) -> Configuration {
        loop {
            let found = self.read().representative(self.cluster, &self.cluster.read(), at);
            match found {
                Ok(representative) => return representative,
                Err(missing) => self.find_out(missing),
            }
        }
    }

    fn find_out(&self, missing: Missing) {
        let (mut orbits, mut tables) = (self.write(), self.cluster.write());
        let found = orbits.find_out(&self.cluster.protocol, &mut tables, missing);
        if found.is_err() {
            orbits.leave_as_is(missing);
        }
        note(&mut orbits, found);
    }

    /// The position of the guarantee that the nodes are what they are declared to be.
    fn alike(&self) -> usize {
        self.cluster.guarantees().len()
    }

    fn step(
        &self,
        tables: &Tables<P>,
        orbits: &Orbits,
        at: &Configuration,
        choice: Choice,
    ) -> Option<Configuration> {
        let after = self.cluster.carry_out(tables, at, choice).ok()??;
        orbits.representative(self.cluster, tables, &after).ok()
    }
}

/// Notes that something could not be renamed.
fn note(orbits: &mut Orbits, result: Result<(), String>) {
    if let Err(why) = result {
        orbits.asymmetry.get_or_insert(format!("the nodes cannot be renamed: {why}"));
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
        self.representative(state).fingerprint()
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn is_fault(&self, action: &Choice) -> bool {
        self.cluster.is_fault(action)
    }

    fn guarantees(&self) -> Vec<Claim> {
        let mut claims = self.cluster.guarantees();
        let name = "interchangeable nodes behave alike".to_owned();
        claims.push(Claim { name, kind: GuaranteeKind::Always });
        claims
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &Configuration) -> bool {
        guarantee == self.alike() || self.cluster.evaluate(guarantee, part, state)
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
                    Some(after) => found.push((*choice, after.fingerprint())),
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
            if let Some(why) = &orbits.asymmetry {
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
            if let Some(after) = self.cluster.next(state, choice) {
                self.representative(&after);
            }
            if let Packed::Node { node, action } = choice.0 {
                let step = (node as usize, state.local(node as usize), action);
                let (mut orbits, mut tables) = (self.write(), self.cluster.write());
                let compared = orbits.compare(&self.cluster.protocol, &mut tables, step);
                note(&mut orbits, compared);
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
            let after = self.step(&tables, &orbits, state, *choice);
            out.push(after.expect("an action that was found leads somewhere known"));
        }
    }

    fn judge(
        &self,
        states: &[Configuration],
        guarantees: &[usize],
        found: &mut impl FnMut(usize, usize, bool),
    ) {
        let alike = self.alike();
        let others: Vec<usize> =
            guarantees.iter().copied().filter(|guarantee| *guarantee != alike).collect();
        self.cluster.judge(states, &others, found);
    }
}

impl<P: Protocol> std::fmt::Debug for Quotient<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quotient").field("cluster", self.cluster).finish_non_exhaustive()
    }
}
