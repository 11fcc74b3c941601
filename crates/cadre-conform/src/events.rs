//! The events that TLC is sent, as ids of a table.

use std::collections::{BTreeMap, BTreeSet};

use cadre_tla::{Module, Value};

use crate::encode::{listing, text, tuple};
use crate::{ConformError, SpecAction};

/// The name of the event that no trace module knows.
pub(crate) const IMPOSSIBLE: &str = "CadreImpossible";

/// The id of what changes nothing.
pub(crate) const STUTTER: usize = 0;

/// Events with their ids, which count from 1.
#[derive(Debug, Default)]
pub(crate) struct Events {
    all: Vec<Event>,
    ids: BTreeMap<SpecAction, usize>,
}

#[derive(Debug)]
enum Event {
    /// One step, as the trace module gets it.
    Single(Value),
    /// A composition: the sequences of ids that it may be.
    Several(Vec<Vec<usize>>),
}

impl Events {
    /// The id of an action, and of all that it consists of.
    pub(crate) fn id(&mut self, action: &SpecAction) -> usize {
        if let Some(id) = self.ids.get(action) {
            return *id;
        }
        let event = match action {
            SpecAction::Stutter => return STUTTER,
            SpecAction::Step { name, arguments } => Event::Single(event_value(name, arguments)),
            SpecAction::Sequence(_) | SpecAction::OneOf(_) => {
                let ways = action.ways();
                let ids = ways.iter().map(|way| way.iter().map(|step| self.id(step)).collect());
                Event::Several(ids.collect())
            }
        };
        let id = self.add(event);
        self.ids.insert(action.clone(), id);
        id
    }

    /// The id of the event that no trace module knows.
    pub(crate) fn impossible(&mut self) -> usize {
        self.id(&SpecAction::named(IMPOSSIBLE))
    }

    /// Where any event is a composition: one that ends in an event which no trace module knows, and
    /// one in which nothing happens.
    pub(crate) fn add_composed_canaries(&mut self) -> Option<(usize, usize)> {
        if !self.is_composed() {
            return None;
        }
        let impossible = self.impossible();
        let ends_badly = self.add(Event::Several(vec![vec![STUTTER, impossible]]));
        Some((ends_badly, self.add(Event::Several(vec![vec![STUTTER, STUTTER]]))))
    }

    /// How many there are, the largest id.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// Whether any event is a composition.
    pub(crate) fn is_composed(&self) -> bool {
        self.all.iter().any(|event| matches!(event, Event::Several(_)))
    }

    /// Adds the model values that the events mention.
    pub(crate) fn collect_models(&self, models: &mut BTreeSet<String>) {
        for event in &self.all {
            if let Event::Single(value) = event {
                value.collect_models(models);
            }
        }
    }

    /// Defines `CadreEvents`, what the trace module gets for each id.
    ///
    /// # Errors
    ///
    /// [`ConformError::Tla`] for a value that TLC cannot read.
    pub(crate) fn define(&self, module: Module) -> Result<Module, ConformError> {
        let defined = |event: &Event| match event {
            Event::Single(value) => text(value),
            // The trace module does not get it, but what it consists of.
            Event::Several(_) => Ok("<<>>".to_owned()),
        };
        let texts = self.all.iter().map(defined).collect::<Result<Vec<_>, _>>()?;
        Ok(module.definition("CadreEvents", &listing(texts)))
    }

    /// Defines `CadreWays`, the sequences of ids that each id may be, and `CadreTakeEvent`,
    /// which takes a single one.
    pub(crate) fn define_ways(&self, module: Module) -> Module {
        let ways = (1..).zip(&self.all).map(|(id, event)| match event {
            Event::Single(_) => format!("<<<<{id}>>>>"),
            Event::Several(ways) => {
                let ways: Vec<String> = ways.iter().map(|way| tuple(way)).collect();
                format!("<<{}>>", ways.join(", "))
            }
        });
        module
            .definition("CadreWays", &listing(ways))
            .definition("CadreTakeEvent(cadreId)", TAKE_EVENT)
    }

    fn add(&mut self, event: Event) -> usize {
        self.all.push(event);
        self.all.len()
    }
}

/// An event as the trace module gets it.
pub(crate) fn event_value(name: &str, arguments: &BTreeMap<String, Value>) -> Value {
    let arguments = arguments.iter().map(|(name, value)| (name, value.clone()));
    Value::record([("name", Value::string(name)), ("args", Value::record(arguments))])
}

const TAKE_EVENT: &str = "
  IF cadreId = 0 THEN UNCHANGED CadreVariables
  ELSE \\E cadreEvent \\in {CadreEvents[cadreId]} : TraceEvent(cadreEvent)";
