use std::fmt::Debug;
use std::hash::Hash;

use cadre_trace::GuaranteeKind;

use crate::guarantee::Part;

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
pub trait Model {
    /// A configuration of the whole system.
    type State: Clone + Eq + Hash + Debug;
    /// A choice of the environment.
    type Action: Clone + Eq + Hash + Debug;

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

    /// How many times code of the user has been called so far, where the model counts it.
    fn user_calls(&self) -> Option<u64> {
        None
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
