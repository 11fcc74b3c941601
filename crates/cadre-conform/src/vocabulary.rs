use std::collections::{BTreeMap, BTreeSet};

use cadre_tla::{Contents, Expression, Head};

use crate::names::nearest;
use crate::{ConformError, EventStep, LogMapping, Spec, SpecTrace};

/// The names that a trace module knows, as SANY reads them.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    module: String,
    /// The actions a trace may name with the names of their arguments, as far as the module lists
    /// them.
    actions: Option<BTreeMap<String, Option<BTreeSet<String>>>>,
    variables: Vec<String>,
    constants: Vec<String>,
}

impl Vocabulary {
    /// The names of a trace module: see [`Spec`] for what it defines.
    ///
    /// # Errors
    ///
    /// [`ConformError::NoTraceModule`] where it does not define what a trace module has to.
    pub fn of(contents: &Contents) -> Result<Self, ConformError> {
        for name in ["TraceInit", "TraceEvent", "TraceArguments"] {
            if contents.definition(name).is_none() {
                return Err(ConformError::NoTraceModule {
                    module: contents.module.clone(),
                    lacks: name,
                });
            }
        }
        let names = |declared: &[cadre_tla::Declaration]| {
            declared.iter().map(|declaration| declaration.name.clone()).collect()
        };
        Ok(Self {
            module: contents.module.clone(),
            actions: actions(contents),
            variables: names(&contents.variables),
            constants: names(&contents.constants),
        })
    }

    /// The actions that traces may name, as far as the module lists them.
    pub fn actions(&self) -> Option<impl Iterator<Item = &str>> {
        self.actions.as_ref().map(|actions| actions.keys().map(String::as_str))
    }

    /// The specification of a trace module, with the constants and invariants of a mapping.
    pub fn spec(&self, files: Vec<(String, String)>, mapping: &LogMapping) -> Spec {
        let name = self.module.strip_prefix("Trace").unwrap_or(&self.module);
        Spec {
            name: name.to_owned(),
            trace_module: self.module.clone(),
            files,
            constants: mapping.constants.clone(),
            variables: self.variables.clone(),
            invariants: mapping.invariants.clone(),
            temporal: None,
        }
    }

    /// Checks that a specification gives every constant its value and nothing else, and that a
    /// mapping names its variables.
    ///
    /// # Errors
    ///
    /// [`ConformError::UnknownName`], with the nearest name that there is;
    /// [`ConformError::NoConstant`].
    pub fn check_mapping(&self, mapping: &LogMapping, spec: &Spec) -> Result<(), ConformError> {
        let place = |what: &str| format!("under `{what}` in the mapping");
        for name in mapping.variables.keys() {
            known("a variable", &self.module, &self.variables, name, || place("variables"))?;
        }
        self.check_constants(spec, || place("constants"))
    }

    /// Checks that a specification as a mapping in Rust describes it names the variables of the
    /// module, each of them, and gives every constant its value.
    ///
    /// # Errors
    ///
    /// As [`check_mapping`](Self::check_mapping); [`ConformError::NoVariable`].
    pub fn check_spec(&self, spec: &Spec) -> Result<(), ConformError> {
        let place = || format!("in the mapping to {}", spec.name);
        for name in &spec.variables {
            known("a variable", &self.module, &self.variables, name, place)?;
        }
        match self.variables.iter().find(|name| !spec.variables.contains(name)) {
            None => self.check_constants(spec, place),
            Some(name) => {
                let (module, name) = (self.module.clone(), name.clone());
                Err(ConformError::NoVariable { module, name })
            }
        }
    }

    fn check_constants(&self, spec: &Spec, place: impl Fn() -> String) -> Result<(), ConformError> {
        for name in spec.constants.keys() {
            known("a constant", &self.module, &self.constants, name, &place)?;
        }
        match self.constants.iter().find(|name| !spec.constants.contains_key(*name)) {
            None => Ok(()),
            Some(name) => {
                let (module, name) = (self.module.clone(), name.clone());
                Err(ConformError::NoConstant { module, name })
            }
        }
    }

    /// Checks that each action that a mapping names is one that traces may name, with exactly its
    /// arguments.
    ///
    /// # Errors
    ///
    /// [`ConformError::UnknownName`], [`ConformError::OtherArguments`].
    pub fn check_events(&self, mapping: &LogMapping) -> Result<(), ConformError> {
        mapping.events.iter().try_for_each(|(event, step)| self.check_event(event, step))
    }

    fn check_event(&self, event: &str, step: &EventStep) -> Result<(), ConformError> {
        if step.parts().next().is_some() {
            return step.parts().try_for_each(|part| self.check_event(event, part));
        }
        if step.stutter {
            return Ok(());
        }
        let action = step.action.as_deref().unwrap_or(event);
        let place = || format!("for the event `{event}` of the mapping");
        self.check_action(action, step.arguments.keys(), place)
    }

    /// Checks the same for the steps of traces.
    ///
    /// # Errors
    ///
    /// As [`check_events`](Self::check_events).
    pub fn check_traces(&self, traces: &[SpecTrace]) -> Result<(), ConformError> {
        for trace in traces {
            for (number, step) in (1..).zip(&trace.steps) {
                for (name, arguments) in step.action.mentioned() {
                    let place = || format!("in step {number} of {}", trace.name);
                    self.check_action(name, arguments.keys(), place)?;
                }
            }
        }
        Ok(())
    }

    fn check_action<'a>(
        &self,
        name: &str,
        arguments: impl Iterator<Item = &'a String>,
        place: impl Fn() -> String,
    ) -> Result<(), ConformError> {
        let Some(actions) = &self.actions else { return Ok(()) };
        let names: Vec<String> = actions.keys().cloned().collect();
        known("an action", &self.module, &names, name, &place)?;
        let Some(expected) = &actions[name] else { return Ok(()) };
        let found: BTreeSet<String> = arguments.cloned().collect();
        match found == *expected {
            true => Ok(()),
            false => Err(ConformError::OtherArguments {
                action: name.to_owned(),
                expected: listed(expected),
                found: listed(&found),
                place: place(),
            }),
        }
    }
}

/// Checks that a name is one of those that a module has.
///
/// # Errors
///
/// [`ConformError::UnknownName`], with the nearest name that there is.
pub(crate) fn known<'a>(
    what: &'static str,
    module: &str,
    known: impl IntoIterator<Item = &'a String> + Copy,
    name: &str,
    place: impl Fn() -> String,
) -> Result<(), ConformError> {
    if known.into_iter().any(|other| other == name) {
        return Ok(());
    }
    Err(ConformError::UnknownName {
        what,
        known: format!("{module} ({})", listed(known)),
        found: name.to_owned(),
        nearest: nearest(name, known.into_iter().map(String::as_str)).map(str::to_owned),
        place: place(),
    })
}

fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The fields of `TraceArguments`, each an action; `None` where it is no record that is written
/// out.
fn actions(contents: &Contents) -> Option<BTreeMap<String, Option<BTreeSet<String>>>> {
    let body = &contents.definition("TraceArguments")?.body;
    let fields = fields(body, "$RcdConstructor")?;
    let actions = fields.into_iter().map(|(name, sets)| (name, arguments(contents, sets)));
    Some(actions.collect())
}

/// The names of arguments, from the set of argument records.
fn arguments(contents: &Contents, sets: &Expression) -> Option<BTreeSet<String>> {
    match &sets.head {
        Head::Defined(name) if sets.operands.is_empty() => {
            arguments(contents, &contents.definition(name)?.body)
        }
        Head::Builtin(name) if name == "$SetEnumerate" => match sets.operands.as_slice() {
            [only] if is_empty_tuple(only) => Some(BTreeSet::new()),
            _ => None,
        },
        _ => Some(fields(sets, "$SetOfRcds")?.into_iter().map(|(name, _)| name).collect()),
    }
}

fn is_empty_tuple(expression: &Expression) -> bool {
    matches!(&expression.head, Head::Builtin(name) if name == "$Tuple")
        && expression.operands.is_empty()
}

/// The fields of a record, or of a set of records.
fn fields<'a>(expression: &'a Expression, shape: &str) -> Option<Vec<(String, &'a Expression)>> {
    match &expression.head {
        Head::Builtin(name) if name == shape => {}
        _ => return None,
    }
    let field = |pair: &'a Expression| match pair.operands.as_slice() {
        [Expression { head: Head::Text(name), .. }, value] => Some((name.clone(), value)),
        _ => None,
    };
    expression.operands.iter().map(field).collect()
}
