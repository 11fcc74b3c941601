use cadre_model::{Cluster, Live, Model, Part};
use cadre_step::Protocol;
use cadre_trace::GuaranteeKind;

/// Judges an execution by the guarantees while it goes on.
///
/// What is demanded of every configuration is looked at whenever something has happened. What is
/// demanded of the clients' history is looked at when that has grown: each time while it is short,
/// then each time it has grown by an eighth. A history that is inconsistent stays so however it
/// goes on, so that nothing is missed but the earliest moment; a recording looks each time.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    demands: Vec<(usize, Demand)>,
    history_next: usize,
    is_patient: bool,
}

/// What is demanded by a guarantee, and how that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Always,
    OfHistory,
    Reachable { is_met: bool },
    Eventually { is_met: bool },
    Convergent { is_true: bool },
    LeadsTo { is_owed: bool },
    AtRest,
}

/// The longest history that is judged each time it grows.
const HISTORY_SHORT: usize = 32;

impl Judge {
    pub(crate) fn new<P: Protocol>(cluster: &Cluster<P>, live: &Live<'_, P>, eager: bool) -> Self {
        let claims = cluster.guarantees().into_iter().enumerate().skip(1);
        let demand = |(guarantee, kind): (usize, GuaranteeKind)| match kind {
            GuaranteeKind::Always if live.is_of_history(guarantee) => Demand::OfHistory,
            GuaranteeKind::Always => Demand::Always,
            GuaranteeKind::Reachable => Demand::Reachable { is_met: false },
            GuaranteeKind::Eventually(_) => Demand::Eventually { is_met: false },
            GuaranteeKind::Convergent(_) => Demand::Convergent { is_true: false },
            GuaranteeKind::LeadsTo(_) => Demand::LeadsTo { is_owed: false },
            GuaranteeKind::PrePost => Demand::AtRest,
        };
        let demands = claims.map(|(at, claim)| (at, demand((at, claim.kind)))).collect::<Vec<_>>();
        Self { demands, history_next: 1, is_patient: !eager }
    }

    /// Looks at the execution after something has happened: the guarantee that is violated.
    pub(crate) fn look<P: Protocol>(&mut self, live: &Live<'_, P>) -> Option<usize> {
        let mut violated = None;
        let length = live.view().history().len();
        let has_grown = length >= self.history_next;
        if has_grown {
            let more = if self.is_patient && length > HISTORY_SHORT { length / 8 } else { 1 };
            self.history_next = length + more;
        }
        for (guarantee, demand) in &mut self.demands {
            let says = |part| live.evaluate(*guarantee, part);
            let is_violated = match demand {
                Demand::Always => !says(Part::Main),
                Demand::OfHistory => has_grown && !says(Part::Main),
                Demand::Reachable { is_met } | Demand::Eventually { is_met } => {
                    *is_met = *is_met || says(Part::Main);
                    false
                }
                Demand::Convergent { is_true } => {
                    *is_true = says(Part::Main);
                    false
                }
                Demand::LeadsTo { is_owed } => {
                    *is_owed = (*is_owed || says(Part::Main)) && !says(Part::Post);
                    false
                }
                Demand::AtRest => false,
            };
            if is_violated && violated.is_none() {
                violated = Some(*guarantee);
            }
        }
        violated
    }

    /// Looks once more at the end, at what was put off.
    pub(crate) fn look_at_last<P: Protocol>(&mut self, live: &Live<'_, P>) -> Option<usize> {
        self.history_next = 0;
        self.look(live)
    }

    /// What is violated where nothing but faults can happen any more.
    pub(crate) fn look_at_rest<P: Protocol>(&self, live: &Live<'_, P>) -> Option<usize> {
        let is_violated = |(guarantee, demand): &&(usize, Demand)| {
            *demand == Demand::AtRest
                && live.evaluate(*guarantee, Part::Main)
                && !live.evaluate(*guarantee, Part::Post)
        };
        self.demands.iter().find(is_violated).map(|(guarantee, _)| *guarantee)
    }

    /// Whether there is anything that has to come true once the faults have stopped.
    pub(crate) fn has_promises(&self) -> bool {
        self.demands.iter().any(|(_, demand)| match demand {
            Demand::Eventually { .. }
            | Demand::Convergent { .. }
            | Demand::LeadsTo { .. }
            | Demand::AtRest => true,
            Demand::Always | Demand::OfHistory | Demand::Reachable { .. } => false,
        })
    }

    /// The first promise that is not kept, and whether there is any that could be judged.
    pub(crate) fn unkept(&self) -> Option<usize> {
        let is_unkept = |(_, demand): &&(usize, Demand)| match demand {
            Demand::Eventually { is_met } => !is_met,
            Demand::Convergent { is_true } => !is_true,
            Demand::LeadsTo { is_owed } => *is_owed,
            Demand::Always | Demand::OfHistory | Demand::Reachable { .. } | Demand::AtRest => false,
        };
        self.demands.iter().find(is_unkept).map(|(guarantee, _)| *guarantee)
    }

    /// The `reachable` guarantees that an example was met of.
    pub(crate) fn met(&self) -> Vec<usize> {
        let is_met = |(_, demand): &&(usize, Demand)| *demand == Demand::Reachable { is_met: true };
        self.demands.iter().filter(is_met).map(|(guarantee, _)| *guarantee).collect()
    }
}
