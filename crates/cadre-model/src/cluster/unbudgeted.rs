use cadre_step::Protocol;

use super::configuration::Configuration;
use super::{Choice, Cluster};
use crate::guarantee::Part;
use crate::model::{Claim, Model};
use crate::nature::{Class, Nature};

/// A cluster in which faults cost nothing: the one that schedules are carried out in.
///
/// A schedule is no search: a simulator or a person may have put more faults into it than an
/// exhaustive search could bear. What is listed as enabled is what the cluster's budgets allow, but
/// [`next`](Model::next) carries out whatever is possible, and no budget becomes less.
#[derive(Debug)]
pub struct Unbudgeted<'a, P: Protocol>(pub(super) &'a Cluster<P>);

impl<P: Protocol> Model for Unbudgeted<'_, P> {
    type State = Configuration;
    type Action = Choice;

    fn init(&self) -> Vec<Configuration> {
        self.0.init()
    }

    fn actions(&self, state: &Configuration, out: &mut Vec<Choice>) {
        self.0.actions(state, out);
    }

    fn next(&self, state: &Configuration, action: &Choice) -> Option<Configuration> {
        let is_possible = self.0.is_possible(&self.0.read(), state, *action);
        is_possible.then(|| self.0.carried_out(state, *action))
    }

    fn fingerprint(&self, state: &Configuration) -> u128 {
        self.0.fingerprint(state)
    }

    fn is_fault(&self, action: &Choice) -> bool {
        self.0.is_fault(action)
    }

    fn is_at_rest(&self, state: &Configuration) -> bool {
        self.0.is_at_rest(state)
    }

    fn fairness_class(&self, action: &Choice) -> Option<u128> {
        self.0.fairness_class(action)
    }

    fn classes(&self) -> Vec<Class> {
        self.0.classes()
    }

    fn nature(&self, action: &Choice) -> Nature {
        self.0.nature(action)
    }

    fn label(&self, action: &Choice) -> String {
        self.0.label(action)
    }

    fn is_like(&self, one: &Choice, other: &Choice) -> bool {
        self.0.is_like(one, other)
    }

    fn guarantees(&self) -> Vec<Claim> {
        self.0.guarantees()
    }

    fn evaluate(&self, guarantee: usize, part: Part, state: &Configuration) -> bool {
        self.0.evaluate(guarantee, part, state)
    }

    fn describe(&self, guarantee: usize, state: &Configuration) -> Option<String> {
        Model::describe(self.0, guarantee, state)
    }

    fn symptom(&self, guarantee: usize, state: &Configuration) -> Option<String> {
        self.0.symptom(guarantee, state)
    }
}
