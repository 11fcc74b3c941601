use std::rc::Rc;

use cadre_model::{Claim, Model, Part};
use cadre_trace::GuaranteeKind;

use crate::minimise::violates;
use crate::walk::Walk;

/// Judges the guarantees of a model along walks.
pub(crate) struct Judge {
    claims: Vec<Claim>,
    /// For each guarantee whether it is one that is `reachable` and has been reached.
    pub(crate) reached: Vec<bool>,
}

impl Judge {
    pub(crate) fn new<M: Model>(model: &Rc<M>) -> Self {
        let claims = model.guarantees();
        Self { reached: vec![false; claims.len()], claims }
    }

    /// Judges the configuration that a walk has come to; the first guarantee that is violated.
    pub(crate) fn judge<M: Model>(&mut self, walk: &Walk<M>) -> Option<usize> {
        let (model, state) = (walk.model(), walk.state());
        for (guarantee, claim) in self.claims.iter().enumerate() {
            match claim.kind {
                GuaranteeKind::Reachable => {
                    let reached = &mut self.reached[guarantee];
                    *reached = *reached || model.evaluate(guarantee, Part::Main, state);
                }
                // No walk is endless: of these it shows nothing, and the outcome is bounded.
                GuaranteeKind::Eventually(_)
                | GuaranteeKind::LeadsTo(_)
                | GuaranteeKind::Convergent(_) => {}
                GuaranteeKind::Always | GuaranteeKind::PrePost => {
                    if violates(model, claim.kind, guarantee, state) {
                        return Some(guarantee);
                    }
                }
            }
        }
        None
    }
}
