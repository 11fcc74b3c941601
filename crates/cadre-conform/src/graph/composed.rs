//! Steps of a graph that are several steps of the specification: TLC takes them from each state,
//! through whatever states the specification has in between.

use std::collections::{BTreeMap, BTreeSet};

use cadre_tla::{Module, Value};

use super::spec_graph::SpecGraph;
use crate::events::Events;
use crate::{ConformError, SpecAction};

/// The compositions that a graph has.
#[derive(Debug)]
pub(crate) struct Compositions {
    events: Events,
    /// Each of them by its id.
    by_id: BTreeMap<usize, SpecAction>,
    /// One that nobody can take, and one that changes nothing.
    canaries: (usize, usize),
}

/// What came of a composition, as TLC says it.
#[derive(Clone, Debug)]
pub(crate) enum Composed {
    /// A state within one.
    Part,
    /// A state after one, and whether each part of it was one of `Next`.
    Whole(SpecAction, bool),
    /// A state after one that nobody can take.
    Impossible,
    /// A state after one that changes nothing.
    Nothing,
}

impl Compositions {
    /// Those of a graph, if there is any.
    pub(crate) fn of(graph: &SpecGraph) -> Option<Self> {
        let (mut events, mut by_id) = (Events::default(), BTreeMap::new());
        for action in graph.actions().iter().filter(|action| !action.is_single()) {
            by_id.insert(events.id(action), action.clone());
        }
        let canaries = events.add_composed_canaries()?;
        Some(Self { events, by_id, canaries })
    }

    /// Adds the model values that they mention.
    pub(super) fn collect_models(&self, models: &mut BTreeSet<String>) {
        self.events.collect_models(models);
    }

    /// Defines `CadreCompose`, the steps to the states within them and after them.
    ///
    /// # Errors
    ///
    /// [`ConformError::Tla`] for a value that TLC cannot read.
    pub(super) fn define(&self, module: Module) -> Result<Module, ConformError> {
        let (impossible, nothing) = self.canaries;
        let ids = self.by_id.keys().chain([&impossible, &nothing]).map(usize::to_string);
        let ids = format!("{{{}}}", ids.collect::<Vec<_>>().join(", "));
        let module = self.events.define_ways(self.events.define(module)?);
        Ok(module
            .definition("CadreComposed", &ids)
            .definition("CadreTakePart(cadreId, cadreNumber, cadrePlace, cadreIsNext)", TAKE_PART)
            .definition("CadreCompose", COMPOSE))
    }

    /// What a kind of state stands for; `None` if it is none of these.
    pub(super) fn read(&self, word: &str, rest: &[Value]) -> Option<Composed> {
        match (word, rest) {
            ("part", [_, _, _, _]) => Some(Composed::Part),
            ("whole", [Value::Int(id), Value::Bool(is_next)]) => {
                let id = usize::try_from(*id).ok()?;
                match self.by_id.get(&id) {
                    Some(action) => Some(Composed::Whole(action.clone(), *is_next)),
                    None if id == self.canaries.0 => Some(Composed::Impossible),
                    None if id == self.canaries.1 => Some(Composed::Nothing),
                    None => None,
                }
            }
            _ => None,
        }
    }
}

/// Takes an event of a sequence, and looks whether it is one of `Next` as well.
const TAKE_PART: &str = "
  /\\ CadreTakeEvent(CadreWays[cadreId][cadreNumber][cadrePlace])
  /\\ cadreKind' = IF cadrePlace = Len(CadreWays[cadreId][cadreNumber])
                  THEN <<\"whole\", cadreId, cadreIsNext /\\ [Next]_CadreVariables>>
                  ELSE <<\"part\", cadreId, cadreNumber, cadrePlace,
                         cadreIsNext /\\ [Next]_CadreVariables>>";

const COMPOSE: &str = "
  \\/ /\\ cadreNode > 0
     /\\ cadreNode' = -cadreNode
     /\\ \\E cadreId \\in CadreComposed : \\E cadreNumber \\in DOMAIN CadreWays[cadreId] :
          CadreTakePart(cadreId, cadreNumber, 1, TRUE)
  \\/ /\\ cadreNode < 0
     /\\ cadreKind[1] = \"part\"
     /\\ cadreNode' = cadreNode
     /\\ CadreTakePart(cadreKind[2], cadreKind[3], cadreKind[4] + 1, cadreKind[5])";
