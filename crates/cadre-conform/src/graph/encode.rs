//! The module that lets TLC say all steps that a specification allows in given states.
//!
//! Input is what costs time in TLC, so only the states are sent, as ids of tables of values, and no
//! step at all: TLC dumps what it can do from each of them, and the steps are looked up here. Each
//! state is an initial state of the run, so that a wrong step hides no other, and none has to be
//! reachable in the specification.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::{Config, Module};

use super::spec_graph::SpecGraph;
use crate::encode::{constants, listing, rows};
use crate::{ConformError, Spec};

/// The variable that holds the row of a state, and that number below zero after a step from it.
pub(crate) const NODE: &str = "cadreNode";
/// The variable that says what a state of the run stands for.
pub(crate) const KIND: &str = "cadreKind";
/// The root module.
const MODULE: &str = "CadreGraph";
/// The event that no trace module knows.
pub(crate) const IMPOSSIBLE: &str = "CadreImpossible";

/// The module and the configuration for some states of a graph; the row of a state is its position
/// among them, from 1.
///
/// # Errors
///
/// [`ConformError::Tla`] for a value that TLC cannot read.
pub(crate) fn encode(
    spec: &Spec,
    graph: &SpecGraph,
    states: &[usize],
) -> Result<(Module, Config), ConformError> {
    let tables = Tables::of(graph, states);
    let mut models = BTreeSet::new();
    for (variable, positions) in tables.used.iter().enumerate() {
        let values = positions.iter().map(|position| graph.value(variable, *position));
        values.for_each(|value| value.collect_models(&mut models));
    }
    let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
    let (module, config) = constants(module, &spec.constants, models)?;
    let mut module = module
        .variables([NODE, KIND])
        .definition("CadreVariables", &format!("<<{}>>", spec.variables.join(", ")));
    let mut load = String::new();
    for (variable, name) in graph.variables().iter().enumerate() {
        let values = tables.used[variable].iter();
        let values = values.map(|position| graph.value(variable, *position).to_text());
        let table = format!("CadreValues_{name}");
        module = module.definition(&table, &listing(values.collect::<Result<Vec<_>, _>>()?));
        let _ = write!(load, "\n     /\\ {name} = {table}[CadreEvent({NODE}, {})]", variable + 1);
    }
    let id_max = tables.used.iter().map(Vec::len).max().unwrap_or_default();
    let module = rows(module, &tables.rows, id_max)
        .definition("CadreInit", &format!("{STATES}{load}{INITIAL}"))
        .definition("CadreTake(name, args)", TAKE)
        .definition("CadreNext", NEXT);
    Ok((module, config.init_next("CadreInit", "CadreNext")))
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
  /\\ TraceEvent([name |-> name, args |-> args])
  /\\ CadreVariables' # CadreVariables
  /\\ cadreKind' = <<\"action\", name, args>>";

/// Each step twice: once with its action, once as `Next` allows it. Beside them two steps whose
/// fate is known: an action that does not exist, and from the first state one that is always there.
const NEXT: &str = "
  /\\ cadreNode > 0
  /\\ cadreNode' = -cadreNode
  /\\ \\/ \\E name \\in DOMAIN TraceArguments :
           \\E args \\in TraceArguments[name] : CadreTake(name, args)
     \\/ CadreTake(\"CadreImpossible\", <<>>)
     \\/ /\\ cadreKind' = <<\"next\">>
        /\\ Next
        /\\ CadreVariables' # CadreVariables
     \\/ /\\ cadreNode = 1
        /\\ cadreKind' = <<\"stay\">>
        /\\ UNCHANGED CadreVariables";

/// The values that some states have, and the states as rows of ids of them.
struct Tables {
    /// For each variable the positions of its values in the graph.
    used: Vec<Vec<u32>>,
    rows: Vec<Vec<usize>>,
}

impl Tables {
    fn of(graph: &SpecGraph, states: &[usize]) -> Self {
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
}
