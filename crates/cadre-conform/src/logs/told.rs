//! What the lines of one execution tell, step by step.

use std::collections::BTreeMap;

use cadre_tla::Value;

use super::events::{LogEvent, no_field};
use super::{
    EventStep, FieldSource, Kind, LogError, LogMapping, LogTrace, LoggedEvent, LoggedVariable,
    fields,
};
use crate::names::nearest_remark;
use crate::states::{SEEN_STEP, UNSEEN_STEP};
use crate::{SpecAction, SpecStep, SpecTrace};

/// An execution that is being read.
pub(super) struct Told<'a> {
    mapping: &'a LogMapping,
    /// The functions of which lines tell entries, as they are now.
    functions: BTreeMap<&'a str, BTreeMap<Value, Value>>,
    initial: BTreeMap<String, Value>,
    steps: Vec<SpecStep>,
    lines: Vec<LoggedEvent>,
    /// The state before, where lines are states.
    before: Option<BTreeMap<String, Value>>,
}

impl<'a> Told<'a> {
    /// The execution of these events, in this order.
    pub(super) fn read(
        mapping: &'a LogMapping,
        name: String,
        events: Vec<LogEvent>,
    ) -> Result<LogTrace, LogError> {
        let mut told = Self::new(mapping)?;
        let is_step = |event: &LogEvent| !mapping.ignore.contains(&event.name);
        let mut clocked = Vec::new();
        for event in events.into_iter().filter(is_step) {
            if event.clock.is_some() {
                clocked.push(event.clone());
            }
            told.add(event)?;
        }
        let initial = Some(told.initial).filter(|initial| !initial.is_empty());
        let spec = SpecTrace { name, initial, steps: told.steps };
        Ok(LogTrace { spec, lines: told.lines, events: clocked })
    }

    fn new(mapping: &'a LogMapping) -> Result<Self, LogError> {
        let (mut functions, mut initial) = (BTreeMap::new(), BTreeMap::new());
        for (name, variable) in &mapping.variables {
            if let Some(value) = &variable.initial {
                initial.insert(name.clone(), value.clone());
            }
            if variable.entry.is_some() {
                let pairs = variable.initial.as_ref().and_then(pairs);
                functions.insert(name.as_str(), pairs.ok_or_else(|| no_function(name, variable))?);
            }
        }
        Ok(Self { mapping, functions, initial, steps: Vec::new(), lines: Vec::new(), before: None })
    }

    fn add(&mut self, event: LogEvent) -> Result<(), LogError> {
        if self.mapping.event.is_none() {
            return self.add_state(event);
        }
        let action = self.action(&event)?;
        let variables = self.variables(&event)?;
        self.steps.push(SpecStep { action, variables: Some(variables).filter(|v| !v.is_empty()) });
        self.lines.push(LoggedEvent { at: event.at, event: event.name, node: event.node });
        Ok(())
    }

    /// Adds a state, to which any step of the specification may have led.
    fn add_state(&mut self, event: LogEvent) -> Result<(), LogError> {
        let variables = match self.mapping.variables.is_empty() {
            true => all_fields(&event)?,
            false => self.variables(&event)?,
        };
        let Some(before) = &self.before else {
            self.initial.extend(variables.clone());
            self.before = Some(variables);
            return Ok(());
        };
        // What the state before does not tell may have had the same value there.
        let is_other = |(name, value)| before.get(name).is_some_and(|before| before != value);
        let is_seen = variables.iter().any(is_other);
        let action = SpecAction::named(if is_seen { SEEN_STEP } else { UNSEEN_STEP });
        self.before = Some(variables.clone());
        self.steps.push(SpecStep { action, variables: Some(variables) });
        let event = LoggedEvent { at: event.at, event: "a step".to_owned(), node: event.node };
        self.lines.push(event);
        Ok(())
    }

    fn action(&self, event: &LogEvent) -> Result<SpecAction, LogError> {
        let events = &self.mapping.events;
        let step = events.get(&event.name).ok_or_else(|| {
            let known = events.keys().chain(&self.mapping.ignore).map(String::as_str);
            let near = nearest_remark(&event.name, known);
            LogError::Line {
                at: event.at.clone(),
                expected: format!("an event of the mapping{near}"),
                found: format!("`{}`", event.name),
                advice: "name it under `events`, or under `ignore`",
            }
        })?;
        action(step, event)
    }

    /// What a line says about variables after its event.
    fn variables(&mut self, event: &LogEvent) -> Result<BTreeMap<String, Value>, LogError> {
        let mut told = BTreeMap::new();
        for (name, variable) in &self.mapping.variables {
            let found = fields::value(&variable.source, &event.fields, &event.at)?;
            let Some(value) = found else { continue };
            let value = match &variable.entry {
                None => value,
                Some(entry) => {
                    let key = fields::value(entry, &event.fields, &event.at)?;
                    let key = key.ok_or_else(|| {
                        let purpose = format!("for the entry of {name}");
                        no_field(path(entry), &purpose, &event.fields, event.at.clone())
                    })?;
                    self.enter(name, key, value, event)?
                }
            };
            told.insert(name.clone(), value);
        }
        Ok(told)
    }

    /// Changes an entry of a function, and gives the function.
    fn enter(
        &mut self,
        name: &str,
        key: Value,
        value: Value,
        event: &LogEvent,
    ) -> Result<Value, LogError> {
        let function = self.functions.get_mut(name).expect("functions were collected before");
        match function.get_mut(&key) {
            Some(entry) => *entry = value,
            None => {
                let known = function.keys().map(Value::to_string).collect::<Vec<_>>().join(", ");
                return Err(LogError::Line {
                    at: event.at.clone(),
                    expected: format!("an entry that {name} has ({known})"),
                    found: key.to_string(),
                    advice: "correct the log, or `entry` and `initial` in the mapping",
                });
            }
        }
        Ok(Value::function(function.clone()))
    }
}

/// What an event is.
fn action(step: &EventStep, event: &LogEvent) -> Result<SpecAction, LogError> {
    let all = |steps: &[EventStep]| {
        steps.iter().map(|step| action(step, event)).collect::<Result<Vec<_>, _>>()
    };
    if step.stutter {
        return Ok(SpecAction::Stutter);
    }
    if !step.steps.is_empty() {
        return Ok(SpecAction::Sequence(all(&step.steps)?));
    }
    if !step.one_of.is_empty() {
        return Ok(SpecAction::OneOf(all(&step.one_of)?));
    }
    let name = step.action.as_ref().unwrap_or(&event.name).clone();
    let mut arguments = BTreeMap::new();
    for (argument, source) in &step.arguments {
        let found = fields::value(source, &event.fields, &event.at)?;
        let value = found.ok_or_else(|| {
            let purpose = format!("for the argument `{argument}` of {name}");
            no_field(path(source), &purpose, &event.fields, event.at.clone())
        })?;
        arguments.insert(argument.clone(), value);
    }
    Ok(SpecAction::Step { name, arguments })
}

/// Every field of a state as the variable of its name.
fn all_fields(event: &LogEvent) -> Result<BTreeMap<String, Value>, LogError> {
    let mut variables = BTreeMap::new();
    for name in event.fields.keys() {
        let (path, kind, rename) = (name.clone(), Kind::Itself, BTreeMap::new());
        let source = FieldSource::Field { path, kind, rename };
        let found = fields::value(&source, &event.fields, &event.at)?;
        variables.extend(found.map(|value| (name.clone(), value)));
    }
    Ok(variables)
}

fn no_function(name: &str, variable: &LoggedVariable) -> LogError {
    LogError::Mapping {
        expected: format!("the whole function as `initial` of {name}, whose entries are logged"),
        found: variable.initial.as_ref().map_or("none".to_owned(), |value| format!("`{value}`")),
        advice: "write it as `(a :> 1 @@ b :> 2)`",
    }
}

/// The pairs of a function in normal form.
fn pairs(value: &Value) -> Option<BTreeMap<Value, Value>> {
    match value {
        Value::Function(pairs) => Some(pairs.clone()),
        Value::Record(fields) => {
            Some(fields.iter().map(|(name, v)| (Value::string(name), v.clone())).collect())
        }
        Value::Sequence(elements) => {
            Some((1..).map(Value::Int).zip(elements.iter().cloned()).collect())
        }
        Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::Model(_) | Value::Set(_) => None,
    }
}

/// The field of a source, for messages.
pub(super) fn path(source: &FieldSource) -> &str {
    match source {
        FieldSource::Field { path, .. } => path,
        FieldSource::Constant(_) => "",
    }
}
