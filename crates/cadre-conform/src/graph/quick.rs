//! The quick way through a graph, which finds out no more than whether it is the specification's.
//!
//! TLC is given the states with the events and targets of their steps. It goes through them in
//! three levels and writes nothing, because to write steps takes longer than to take them:
//!
//! 1. The states.
//! 2. Each state once more, and each pair of a state and one that `Next` leads to from there.
//! 3. What the events lead to: for each step its target, and the pair of its source and its target.
//!
//! If every step is one of its event and of `Next`, the third level has nothing that the second one
//! has not, so that the search is two levels deep. If the specification allows no more than the
//! graph has, the second level has as many pairs as the graph. That each event leads somewhere at
//! all is counted, and printed where it is not so. Whatever differs is left to the thorough way.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cadre_tla::{Config, Module, Outcome, Value};

use super::encode::{MODULE, NODE, Tables};
use super::spec_graph::SpecGraph;
use crate::encode::{
    constants, digits, listing, number_at, packed, packed_width, state_record, text,
};
use crate::events::{IMPOSSIBLE, event_value};
use crate::{ConformError, Spec, SpecAction};

/// What is asked about some states, all of which were expanded.
pub(super) struct Question<'a> {
    pub(super) spec: &'a Spec,
    pub(super) graph: &'a SpecGraph,
    pub(super) states: &'a [usize],
    /// For each state of the graph the numbers of the steps from it.
    pub(super) steps: &'a [Vec<usize>],
}

/// What came of the states.
#[derive(Debug)]
pub(super) enum Answer {
    /// The graph is that of the specification; these are the initial states, `None` for one that
    /// the graph does not have.
    Same(Vec<Option<usize>>),
    /// Something differs.
    Other,
    /// TLC has taken an action that does not exist.
    Vacuous,
    /// TLC has not taken the states as they were sent.
    Incomplete,
}

impl Question<'_> {
    /// The module and the configuration. The targets of all steps have to be among the states.
    pub(super) fn encode(&self) -> Result<(Module, Config), ConformError> {
        let graph = self.graph;
        // The first state once more comes last, with a step that nobody can take.
        let states: Vec<usize> = self.states.iter().chain(self.states.first()).copied().collect();
        let numbers: HashMap<usize, usize> = self.states.iter().copied().zip(1..).collect();
        let mut known = HashMap::new();
        let mut events = vec![event_value(IMPOSSIBLE, &BTreeMap::new())];
        let mut steps = Vec::with_capacity(states.len());
        for state in self.states {
            let of_state = self.steps[*state].iter().map(|step| graph.steps()[*step]);
            let of_state = of_state.map(|step| {
                let event = *known.entry(step.action).or_insert_with(|| {
                    if let SpecAction::Step { name, arguments } = graph.action(step.action) {
                        events.push(event_value(name, arguments));
                    }
                    events.len()
                });
                (event, numbers[&step.to])
            });
            steps.push(of_state.collect::<Vec<_>>());
        }
        steps.push(vec![(1, 1)]);
        let tables = Tables::of(graph, &states);
        let (digits, rows) = Digits::pack(&tables, &steps, events.len());
        let mut models = tables.models(graph);
        events.iter().for_each(|event| event.collect_models(&mut models));
        let module = Module::new(MODULE).extends([self.spec.trace_module.as_str()]);
        let (module, config) = constants(module, &self.spec.constants, models)?;
        let module = module.variables([NODE, "cadreAgain"]);
        let (module, given) =
            tables.define(module, graph, |place| format!("CadreValue{place}({NODE})"))?;
        let texts = events.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let module = digits
            .define(module, graph.variables().len(), &rows)
            .definition("CadreVariables", &format!("<<{}>>", self.spec.variables.join(", ")))
            .definition("CadreEvents", &listing(texts))
            .definition("CadreInit", &format!("{STATES}{given}{INITIAL}"))
            .definition("CadreAgain", AGAIN)
            .definition("CadreAllowed", ALLOWED)
            .definition("CadreSeen(cadrePlace)", SEEN)
            .definition("CadreTake", TAKE)
            .definition("CadreLack", LACK)
            .definition("CadreNext", "CadreAllowed \\/ CadreAgain \\/ CadreTake \\/ CadreLack")
            .definition("CadreReport", &report(&state_record(self.spec)))
            .assumption("TLCSet(1, <<0, 0, 0>>)");
        Ok((module, config.init_next("CadreInit", "CadreNext").invariant("CadreReport")))
    }

    /// Reads what came of it.
    ///
    /// # Errors
    ///
    /// [`ConformError::ForeignLine`] if the module has not printed it.
    pub(super) fn read(&self, outcome: &Outcome) -> Result<Answer, ConformError> {
        let impossible = self.states.len() + 1;
        let mut initial = Vec::new();
        let mut loaded = 0;
        let mut lacking = HashSet::new();
        for line in outcome.user_values()? {
            let foreign = || ConformError::ForeignLine { found: line.to_string() };
            let Value::Sequence(parts) = &line else { return Err(foreign()) };
            match parts.as_slice() {
                [Value::String(word), Value::Int(node)] if word == "LACKS" => {
                    lacking.insert(usize::try_from(*node).unwrap_or_default());
                }
                [Value::String(word), Value::Int(node), Value::Record(state)] if word == "HAS" => {
                    let number = self.number(state);
                    let row = usize::try_from(*node).unwrap_or_default();
                    match row.checked_sub(1) {
                        None => initial.push(number),
                        Some(index) => {
                            let sent = self.states.get(index).or(self.states.first()).copied();
                            loaded += usize::from(number == sent);
                        }
                    }
                }
                _ => return Err(foreign()),
            }
        }
        if initial.is_empty() || loaded != BTreeSet::from([1, impossible]).len() {
            return Ok(Answer::Incomplete);
        }
        if !lacking.remove(&impossible) {
            return Ok(Answer::Vacuous);
        }
        let targets = |state: &usize| {
            let targets = self.steps[*state].iter().map(|step| self.graph.steps()[*step].to);
            targets.collect::<HashSet<usize>>().len()
        };
        let of_copy = self.states.first().map_or(0, targets);
        let pairs: usize = self.states.iter().map(targets).sum::<usize>() + of_copy;
        let states = 2 * impossible + initial.len() + pairs;
        let is_same = lacking.is_empty()
            && outcome.distinct == states as u64
            && outcome.depth.is_some_and(|depth| depth <= 2);
        Ok(if is_same { Answer::Same(initial) } else { Answer::Other })
    }

    fn number(&self, state: &BTreeMap<String, Value>) -> Option<usize> {
        let graph = self.graph;
        let positions = graph
            .variables()
            .iter()
            .enumerate()
            .map(|(variable, name)| graph.position(variable, state.get(name)?));
        graph.number(&positions.collect::<Option<Vec<u32>>>()?)
    }
}

/// How many digits the ids in a row have: first those of the values, then for each step its event
/// and its target.
struct Digits {
    value: usize,
    event: usize,
    target: usize,
}

impl Digits {
    /// Packs each row into one string, because TLC's parser takes its time for each token.
    fn pack(tables: &Tables, steps: &[Vec<(usize, usize)>], events: usize) -> (Self, Vec<String>) {
        let digits = Self {
            value: packed_width(tables.id_max()),
            event: packed_width(events),
            target: packed_width(steps.len()),
        };
        let rows = tables.rows.iter().zip(steps).map(|(values, steps)| {
            let mut row = packed(values, digits.value);
            for (event, target) in steps {
                row.push_str(&packed(&[*event], digits.event));
                row.push_str(&packed(&[*target], digits.target));
            }
            format!("\"{row}\"")
        });
        let rows = rows.collect();
        (digits, rows)
    }

    fn define(&self, module: Module, variables: usize, rows: &[String]) -> Module {
        let Self { value, event, target } = *self;
        let (values, step) = (value * variables, event + target);
        let mut module = digits(module).definition("CadreRows", &listing(rows.iter().cloned()));
        for place in 1..=variables {
            let begin = (value * (place - 1) + 1).to_string();
            module = module
                .definition(&format!("CadreValue{place}(cadreRow)"), &number_at(&begin, value));
        }
        // Additions alone: the place of the first step is so many characters before its number.
        let begin = |offset: usize| match (values + offset + 1).checked_sub(step) {
            Some(constant) => format!("{step} * cadrePlace + {constant}"),
            None => format!("{step} * cadrePlace - {}", step - values - offset - 1),
        };
        module
            .definition(
                "CadreCount(cadreRow)",
                &format!("(Len(CadreRows[cadreRow]) - {values}) \\div {step}"),
            )
            .definition("CadreEvent(cadreRow, cadrePlace)", &number_at(&begin(0), event))
            .definition("CadreTarget(cadreRow, cadrePlace)", &number_at(&begin(event), target))
    }
}

const STATES: &str = "
  \\/ /\\ cadreNode \\in 1..Len(CadreRows)
     /\\ cadreAgain = FALSE";

const INITIAL: &str = "
  \\/ /\\ cadreNode = 0
     /\\ cadreAgain = FALSE
     /\\ TraceInit";

const AGAIN: &str = "
  /\\ cadreNode > 0 /\\ ~cadreAgain
  /\\ cadreNode' = cadreNode /\\ cadreAgain' = TRUE
  /\\ UNCHANGED CadreVariables";

const ALLOWED: &str = "
  /\\ cadreNode > 0 /\\ ~cadreAgain
  /\\ cadreNode' = -cadreNode /\\ cadreAgain' = FALSE
  /\\ Next
  /\\ CadreVariables' # CadreVariables";

/// Counts the steps from a state that lead somewhere; what a step leads to comes in a row.
const SEEN: &str = "
  \\E cadreSeen \\in {TLCGet(1)} :
    IF cadreSeen[1] # cadreNode THEN TLCSet(1, <<cadreNode, cadrePlace, 1>>)
    ELSE cadreSeen[2] = cadrePlace \\/ TLCSet(1, <<cadreNode, cadrePlace, cadreSeen[3] + 1>>)";

const TAKE: &str = "
  /\\ cadreAgain
  /\\ \\E cadrePlace \\in 1..CadreCount(cadreNode) :
       /\\ \\E cadreEvent \\in {CadreEvents[CadreEvent(cadreNode, cadrePlace)]} :
            TraceEvent(cadreEvent)
       /\\ CadreSeen(cadrePlace)
       /\\ \\/ cadreNode' = CadreTarget(cadreNode, cadrePlace) /\\ cadreAgain' = TRUE
          \\/ cadreNode' = -cadreNode /\\ cadreAgain' = FALSE";

/// Comes after all steps from a state, and is none.
const LACK: &str = "
  /\\ cadreAgain
  /\\ CadreCount(cadreNode) > 0
  /\\ TLCGet(1)[1] # cadreNode \\/ TLCGet(1)[3] # CadreCount(cadreNode)
  /\\ PrintT(<<\"LACKS\", cadreNode>>)
  /\\ FALSE";

/// The initial states, and the first and the last one of those that were sent, as they came.
fn report(state: &str) -> String {
    format!(
        "\n  cadreNode \\in {{0, 1, Len(CadreRows)}} /\\ ~cadreAgain =>\n    \
         PrintT(<<\"HAS\", cadreNode, {state}>>)"
    )
}
