//! The module that lets TLC say all steps that a specification allows in given states.
//!
//! Input is what costs time in TLC, so only the states are sent, as ids of tables of values, and no
//! step at all: TLC dumps what it can do from each of them, and the steps are looked up here. Each
//! state is an initial state of the run, so that a wrong step hides no other, and none has to be
//! reachable in the specification.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::{Config, Module};

use super::composed::Compositions;
use super::spec_graph::SpecGraph;
use crate::encode::{TELL_ACTIONS, constants, listing, rows, text};
use crate::{ConformError, Spec};

/// The variable that holds the row of a state, and that number below zero after a step from it.
pub(crate) const NODE: &str = "cadreNode";
/// The variable that says what a state of the run stands for.
pub(crate) const KIND: &str = "cadreKind";
/// The root module.
pub(super) const MODULE: &str = "CadreGraph";

/// The module and the configuration for some states of a graph; the row of a state is its position
/// among them, from 1.
///
/// # Errors
///
/// [`ConformError::Tla`] for a value that TLC cannot read.
pub(crate) fn encode(
    spec: &Spec,
    graph: &SpecGraph,
    compositions: Option<&Compositions>,
    states: &[usize],
) -> Result<(Module, Config), ConformError> {
    let tables = Tables::of(graph, states);
    let mut models = tables.models(graph);
    compositions.inspect(|compositions| compositions.collect_models(&mut models));
    let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
    let (module, config) = constants(module, &spec.constants, models)?;
    let module = module
        .variables([NODE, KIND])
        .definition("CadreVariables", &format!("<<{}>>", spec.variables.join(", ")));
    let (defined, load) =
        tables.define(module, graph, |place| format!("CadreEvent({NODE}, {place})"))?;
    let module = rows(defined, &tables.rows, tables.id_max())
        .definition("CadreInit", &format!("{STATES}{load}{INITIAL}"))
        .definition("CadreTake(cadreName, cadreArguments)", TAKE)
        .definition("CadreStep", STEP)
        .definition("CadreReport", &format!("{NODE} = 1 => {TELL_ACTIONS}"));
    let module = match compositions {
        None => module.definition("CadreNext", "CadreStep"),
        Some(compositions) => {
            compositions.define(module)?.definition("CadreNext", "CadreStep \\/ CadreCompose")
        }
    };
    Ok((module, config.init_next("CadreInit", "CadreNext").invariant("CadreReport")))
}

/// The states that are given; their values follow.
const STATES: &str = "
  \\/ /\\ cadreNode \\in 1..Len(CadreRows)
     /\\ cadreKind = <<\"state\">>";

/// The initial states of the specification.
const INITIAL: &str = "
  \\/ /\\ cadreNode = 0
     /\\ cadreKind = <<\"initial\">>
     /\\ TraceInit";

const TAKE: &str = "
  /\\ TraceEvent([name |-> cadreName, args |-> cadreArguments])
  /\\ CadreVariables' # CadreVariables
  /\\ cadreKind' = <<\"action\", cadreName, cadreArguments>>";

/// Each step twice: once with its action, once as `Next` allows it. Beside them two steps whose
/// fate is known: an action that does not exist, and from the first state one that is always there.
const STEP: &str = "
  /\\ cadreNode > 0
  /\\ cadreNode' = -cadreNode
  /\\ \\/ \\E cadreName \\in DOMAIN TraceArguments :
           \\E cadreArguments \\in TraceArguments[cadreName] :
             CadreTake(cadreName, cadreArguments)
     \\/ CadreTake(\"CadreImpossible\", <<>>)
     \\/ /\\ cadreKind' = <<\"next\">>
        /\\ Next
        /\\ CadreVariables' # CadreVariables
     \\/ /\\ cadreNode = 1
        /\\ cadreKind' = <<\"stay\">>
        /\\ UNCHANGED CadreVariables";

/// The values that some states have, and the states as rows of ids of them.
pub(super) struct Tables {
    /// For each variable the positions of its values in the graph.
    used: Vec<Vec<u32>>,
    pub(super) rows: Vec<Vec<usize>>,
}

impl Tables {
    pub(super) fn of(graph: &SpecGraph, states: &[usize]) -> Self {
        let count = graph.variables().len();
        let mut used = vec![Vec::new(); count];
        let mut ids = vec![BTreeMap::new(); count];
        let row = |state: &usize| {
            let positions = graph.positions(*state).iter().enumerate();
            positions
                .map(|(variable, position)| {
                    *ids[variable].entry(*position).or_insert_with(|| {
                        used[variable].push(*position);
                        used[variable].len()
                    })
                })
                .collect()
        };
        let rows = states.iter().map(row).collect();
        Self { used, rows }
    }

    /// The largest id.
    pub(super) fn id_max(&self) -> usize {
        self.used.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// The model values in them.
    pub(super) fn models(&self, graph: &SpecGraph) -> BTreeSet<String> {
        let mut models = BTreeSet::new();
        for (variable, positions) in self.used.iter().enumerate() {
            let values = positions.iter().map(|position| graph.value(variable, *position));
            values.for_each(|value| value.collect_models(&mut models));
        }
        models
    }

    /// Defines the tables; gives the conjuncts by which each variable has the value of an id, which
    /// depends on the variable's place from 1.
    ///
    /// # Errors
    ///
    /// [`ConformError::Tla`] for a value that TLC cannot read.
    pub(super) fn define(
        &self,
        mut module: Module,
        graph: &SpecGraph,
        id: impl Fn(usize) -> String,
    ) -> Result<(Module, String), ConformError> {
        let mut load = String::new();
        for (variable, name) in graph.variables().iter().enumerate() {
            let values = self.used[variable].iter();
            let values = values.map(|position| text(graph.value(variable, *position)));
            let table = format!("CadreValues_{name}");
            module = module.definition(&table, &listing(values.collect::<Result<Vec<_>, _>>()?));
            let _ = write!(load, "\n     /\\ {name} = {table}[{}]", id(variable + 1));
        }
        Ok((module, load))
    }
}
