use std::fmt::Debug;
use std::hash::Hash;

use cadre_trace::GuaranteeKind;

use crate::expansion::{Asleep, Expansion};
use crate::guarantee::Part;
use crate::nature::{Class, Nature};

/// A transition system with its guarantees: what every engine searches.
///
/// A plain state machine implements the first three methods; [`check`](crate::check) adds
/// guarantees to it. [`Cluster`](crate::Cluster) implements all of them over interned
/// configurations.
///
/// # Contract
///
/// * Pure: every method's result depends on its arguments alone, orders included.
/// * [`next`](Model::next) accepts every action that [`actions`](Model::actions) lists.
/// * Equal states have equal [fingerprints](Model::fingerprint).
///
/// The methods from [`expand`](Model::expand) on are what a fast search calls, for many
/// configurations in one go; what they do by default is right for every model.
pub trait Model: Sync {
    /// A configuration of the whole system.
    type State: Clone + Eq + Hash + Debug + Send + Sync;
    /// A choice of the environment.
    type Action: Clone + Eq + Hash + Debug + Send + Sync;

    /// The configurations an execution may begin in.
    fn init(&self) -> Vec<Self::State>;

    /// Appends the actions that are enabled, in a fixed order.
    fn actions(&self, state: &Self::State, out: &mut Vec<Self::Action>);

    /// The configuration after an action; `None` where the action is not enabled.
    fn next(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// A 128-bit fingerprint of a configuration.
    fn fingerprint(&self, state: &Self::State) -> u128 {
        crate::fingerprint(state)
    }

    /// Whether an action is a fault: a configuration in which only faults can change anything is at
    /// rest, and the `pre → post` guarantees are judged there.
    fn is_fault(&self, action: &Self::Action) -> bool {
        let _ = action;
        false
    }

    /// Whether nothing but faults can change a configuration any more.
    fn is_at_rest(&self, state: &Self::State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        actions.iter().all(|action| {
            self.is_fault(action) || self.next(state, action).is_none_or(|after| after == *state)
        })
    }

    /// The classes that actions fall into, in a fixed order.
    fn classes(&self) -> Vec<Class> {
        vec![Class::ACTION, Class::FAULT]
    }

    /// What an action is like.
    fn nature(&self, action: &Self::Action) -> Nature {
        let class = if self.is_fault(action) { Class::FAULT } else { Class::ACTION };
        Nature { class, subject: None }
    }

    /// An action in words: the name by which it is found again after the code has changed.
    fn label(&self, action: &Self::Action) -> String {
        format!("{action:?}")
    }

    /// Whether one action may stand in for another when an execution is made shorter, such as the
    /// delivery of a message of the same kind.
    fn is_like(&self, one: &Self::Action, other: &Self::Action) -> bool {
        let _ = (one, other);
        false
    }

    /// What an action is for fairness: a fair execution does not neglect a class for ever.
    ///
    /// Each action is a class of its own unless said otherwise. A process that may go on in several
    /// ways and need not try them all gives these actions one class. `None` is what nobody owes.
    /// Faults have no class, whatever is said here.
    ///
    /// A class is *possible* in a configuration where one of its actions leads to another
    /// configuration, and it *happens* where one does. What changes nothing is as if it were not
    /// there, as in TLA+: a model may list it or not.
    fn fairness_class(&self, action: &Self::Action) -> Option<u128> {
        Some(crate::fingerprint(action))
    }

    /// The guarantees, in the order in which they are judged.
    fn guarantees(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// Evaluates a part of the guarantee at a position of [`guarantees`](Model::guarantees).
    fn evaluate(&self, guarantee: usize, part: Part, state: &Self::State) -> bool {
        let _ = (guarantee, part, state);
        true
    }

    /// What there is to say about a configuration that violates a guarantee, such as the message of
    /// a panic.
    fn describe(&self, guarantee: usize, state: &Self::State) -> Option<String> {
        let _ = (guarantee, state);
        None
    }

    /// What another configuration that violates the guarantee must have in common with this one for
    /// the violation to be the same, such as where a step failed.
    fn symptom(&self, guarantee: usize, state: &Self::State) -> Option<String> {
        let _ = (guarantee, state);
        None
    }

    /// Whether configurations with equal fingerprints are equal, and not only alike.
    fn is_exact(&self) -> bool {
        true
    }

    /// How many times code of the user has been called so far, where the model counts it.
    fn user_calls(&self) -> Option<u64> {
        None
    }

    /// Finds what can happen in each of some configurations, but for what is asleep there; actions
    /// that change nothing are left out.
    ///
    /// `asleep` is as long as `states`. A model that knows nothing of independent actions tells
    /// every successor with [`Asleep::NONE`].
    fn expand(
        &self,
        states: &[Self::State],
        asleep: &[Asleep],
        out: &mut impl Expansion<Self::Action>,
    ) {
        let _ = asleep;
        let mut actions = Vec::new();
        for (index, state) in states.iter().enumerate() {
            actions.clear();
            self.actions(state, &mut actions);
            expand_by(self, index, state, &actions, out);
        }
    }

    /// Tells what would *cover* some configurations: calls `found` with the position of one and the
    /// fingerprint of another from which all that can happen can happen as well. A search that has
    /// met it need not look at the one that it covers.
    ///
    /// # Contract
    ///
    /// * What an action makes of a configuration is covered by what it makes of each that covers
    ///   it. What covers what covers a configuration covers it; nothing covers itself.
    /// * In both the same is at rest, and guarantees that finite executions violate say the same.
    /// * The two fingerprints have their lowest [`COVERING_BITS`] in common.
    fn covering(&self, states: &[Self::State], found: &mut impl FnMut(usize, u128)) {
        let _ = (states, found);
    }

    /// Finds out what [`expand`](Model::expand) reported as unknown.
    fn learn(&self, unknown: &[(Self::State, Self::Action)]) {
        let _ = unknown;
    }

    /// Appends the configuration after each of some actions that are enabled.
    fn follow<'a>(
        &self,
        steps: impl Iterator<Item = (&'a Self::State, &'a Self::Action)>,
        out: &mut Vec<Self::State>,
    ) where
        Self: 'a,
    {
        let after = |(state, action)| self.next(state, action);
        out.extend(steps.map(|step| after(step).expect("an action that was found is enabled")));
    }

    /// Appends configurations as bytes of which [`restore`](Model::restore) makes the same
    /// configurations in this process, so that a search can put them aside where memory is scarce.
    ///
    /// `false`, with nothing appended, where the model has no such form: then all configurations
    /// stay in memory.
    fn store(&self, states: &[Self::State], out: &mut Vec<u8>) -> bool {
        let _ = (states, out);
        false
    }

    /// Appends the configurations that [`store`](Model::store) has made these bytes of; `false`
    /// where it cannot have.
    fn restore(&self, bytes: &[u8], out: &mut Vec<Self::State>) -> bool {
        let _ = (bytes, out);
        false
    }

    /// Roughly the bytes that the model itself keeps by now, beside the configurations.
    fn memory(&self) -> u64 {
        0
    }

    /// Evaluates predicates in configurations: calls `found` with the position of the state, that
    /// of the guarantee, and what its [main](Part::Main) predicate says.
    fn judge(
        &self,
        states: &[Self::State],
        guarantees: &[usize],
        found: &mut impl FnMut(usize, usize, bool),
    ) {
        for (index, state) in states.iter().enumerate() {
            for guarantee in guarantees {
                found(index, *guarantee, self.evaluate(*guarantee, Part::Main, state));
            }
        }
    }
}

/// How many bits of a fingerprint are the same in what [covers](Model::covering) a configuration:
/// those by which processes that share a search find its owner are among them.
pub const COVERING_BITS: u32 = 24;

/// Tells what some actions make of a configuration, one after the other.
fn expand_by<M: Model + ?Sized>(
    model: &M,
    index: usize,
    state: &M::State,
    actions: &[M::Action],
    out: &mut impl Expansion<M::Action>,
) {
    let before = model.fingerprint(state);
    let mut is_at_rest = true;
    for action in actions {
        let Some(after) = model.next(state, action) else { continue };
        let fingerprint = model.fingerprint(&after);
        if fingerprint != before {
            is_at_rest = is_at_rest && model.is_fault(action);
            out.successor(index, action.clone(), fingerprint, Asleep::NONE);
        }
    }
    if is_at_rest {
        out.at_rest(index);
    }
}

/// A guarantee without its predicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name, a phrase that states a fact.
    pub name: String,
    /// What it demands.
    pub kind: GuaranteeKind,
}
