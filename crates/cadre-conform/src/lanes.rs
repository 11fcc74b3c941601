use std::collections::{BTreeMap, BTreeSet};

use cadre_tla::{Lasso, Outcome, Value};
use cadre_trace::{
    Action, Change, Guarantee, GuaranteeKind, Header, Json, NodeSnapshot, Snapshot, SpecHeader,
    SpecStep, Status, Step, Trace, Verdict,
};

use crate::Spec;
use crate::mapping::itf_of;

/// The behaviour that TLC found as a trace: to be drawn, saved and exported, not to be replayed.
///
/// A constant of the specification that is a set gives the lanes, if variables are functions over
/// it: each of its elements has its values of them. All other variables are in a lane called
/// `spec`. A step is of the one element whose values it changes, otherwise of that lane.
pub fn behaviour_trace(spec: &Spec, outcome: &Outcome, violated: &str) -> Trace {
    let mut states = outcome.behaviour.iter();
    let first = states.next().map(|state| &state.variables);
    let empty = BTreeMap::new();
    let first = first.unwrap_or(&empty);
    let lanes = Lanes::of(spec, first);
    let mut later: Vec<(&str, &BTreeMap<String, Value>)> =
        states.map(|state| (state.action.as_str(), &state.variables)).collect();
    let mut loop_from = None;
    if let Some(Lasso::BackTo { index, action }) = &outcome.lasso
        && let Some(again) = outcome.behaviour.get(index - 1)
    {
        later.push((action, &again.variables));
        loop_from = Some(index - 1);
    }
    let initial = lanes.snapshot(first);
    let (mut before, mut steps) = (initial.clone(), Vec::new());
    for (action, variables) in later {
        let after = lanes.snapshot(variables);
        steps.push(lanes.step(
            steps.len() + 1,
            action,
            variables,
            Change::between(&before, &after),
        ));
        before = after;
    }
    Trace { header: header(spec, lanes, initial, first, (violated, loop_from)), steps }
}

/// What a trace says of its origin that is a behaviour of a specification.
pub const BEHAVIOUR_ORIGIN: &str = "TLC";

/// The lane of the variables that are not of one element.
const COMMON: &str = "spec";

/// Which variables have values for each element of a set.
struct Lanes<'s> {
    elements: BTreeSet<Value>,
    variables: BTreeSet<&'s str>,
}

impl<'s> Lanes<'s> {
    /// Those of the constant over which most variables are functions.
    fn of(spec: &'s Spec, state: &BTreeMap<String, Value>) -> Self {
        let mut best = Self { elements: BTreeSet::new(), variables: BTreeSet::new() };
        for constant in spec.constants.values() {
            let Value::Set(elements) = constant else { continue };
            let is_over = |name: &&String| state.get(*name).is_some_and(|v| is_over(v, elements));
            let variables = spec.variables.iter().filter(is_over).map(String::as_str);
            let variables: BTreeSet<&str> = variables.collect();
            if variables.len() > best.variables.len() {
                best = Self { elements: elements.clone(), variables };
            }
        }
        best
    }

    /// The names of the lanes, from left to right.
    fn names(&self) -> Vec<String> {
        let elements = self.elements.iter().map(plain_text);
        std::iter::once(COMMON.to_owned()).chain(elements).collect()
    }

    fn snapshot(&self, state: &BTreeMap<String, Value>) -> Snapshot {
        let mut nodes = BTreeMap::new();
        for element in &self.elements {
            let own = self.variables.iter().filter_map(|name| {
                let value = applied(state.get(*name)?, element)?;
                Some(((*name).to_owned(), plain(value)))
            });
            nodes.insert(plain_text(element), node(own.collect()));
        }
        let common = state.iter().filter(|(name, _)| !self.variables.contains(name.as_str()));
        let common = common.map(|(name, value)| (name.clone(), plain(value))).collect();
        nodes.insert(COMMON.to_owned(), node(common));
        Snapshot { nodes, ..Snapshot::default() }
    }

    fn step(
        &self,
        number: usize,
        action: &str,
        variables: &BTreeMap<String, Value>,
        change: Change,
    ) -> Step {
        let mut changed = change.nodes.keys().filter(|name| *name != COMMON);
        let who = match (changed.next(), changed.next()) {
            (Some(element), None) => element.clone(),
            (None | Some(_), _) => COMMON.to_owned(),
        };
        Step {
            step: number,
            action: Action::Choose { node: who, timer: Json::from(action) },
            event: None,
            effects: Vec::new(),
            lamport: number as u64,
            clock: BTreeMap::new(),
            causes: if number > 1 { vec![number - 1] } else { Vec::new() },
            change,
            failure: None,
            spec: Some(SpecStep {
                action: Some(action.to_owned()),
                arguments: BTreeMap::new(),
                variables: itf_of(variables),
                ways: Vec::new(),
            }),
            at_us: None,
        }
    }
}

fn header(
    spec: &Spec,
    lanes: Lanes<'_>,
    initial: Snapshot,
    variables: &BTreeMap<String, Value>,
    (violated, loop_from): (&str, Option<usize>),
) -> Header {
    Header {
        protocol: spec.name.clone(),
        setup: spec.constants.iter().map(|(name, value)| (name.clone(), told(value))).collect(),
        origin: BEHAVIOUR_ORIGIN.to_owned(),
        nodes: lanes.names(),
        network: "part of the specification".to_owned(),
        guarantee: Some(Guarantee {
            name: violated.to_owned(),
            kind: GuaranteeKind::Always,
            reads: Vec::new(),
            finding: None,
        }),
        verdict: Verdict::Violated,
        initial,
        spec: Some(SpecHeader {
            module: spec.name.clone(),
            constants: itf_of(&spec.constants),
            variables: itf_of(variables),
        }),
        loop_from,
    }
}

fn told(value: &Value) -> Json {
    Json::from(value.to_string())
}

fn node(state: serde_json::Map<String, Json>) -> NodeSnapshot {
    NodeSnapshot {
        status: Status::Up,
        state: Json::Object(state),
        timers: Vec::new(),
        due: Vec::new(),
        disk: BTreeMap::new(),
        unsynced: Vec::new(),
    }
}

/// Whether a value is a function over exactly these.
fn is_over(value: &Value, elements: &BTreeSet<Value>) -> bool {
    let domain: BTreeSet<Value> = match value {
        Value::Function(pairs) => pairs.keys().cloned().collect(),
        Value::Record(fields) => fields.keys().map(Value::string).collect(),
        Value::Sequence(items) => (1..=items.len()).map(place).collect(),
        Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::Model(_) | Value::Set(_) => {
            return false;
        }
    };
    !domain.is_empty() && domain == *elements
}

fn applied<'v>(function: &'v Value, argument: &Value) -> Option<&'v Value> {
    match (function, argument) {
        (Value::Function(pairs), argument) => pairs.get(argument),
        (Value::Record(fields), Value::String(name)) => fields.get(name),
        (Value::Sequence(items), Value::Int(index)) => {
            items.get(usize::try_from(*index).ok()?.checked_sub(1)?)
        }
        _ => None,
    }
}

fn place(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// A value for people to read: sets are sorted lists, and what has no word in JSON is text.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::Int(number) => Json::from(*number),
        Value::String(text) | Value::Model(text) => Json::from(text.as_str()),
        Value::Set(elements) => elements.iter().map(plain).collect(),
        Value::Sequence(items) => items.iter().map(plain).collect(),
        Value::Record(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        Value::Function(pairs) => {
            pairs.iter().map(|(key, value)| (plain_text(key), plain(value))).collect()
        }
    }
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Model(text) => text.clone(),
        other => other.to_string(),
    }
}
