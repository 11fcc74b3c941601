//! Values of `tla-checker` as those of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use tla_checker::ast::State;

use crate::{SpecState, TlaError, Value};

/// A value in normal form.
///
/// # Errors
///
/// [`TlaError::Unreadable`] for a set without end.
pub(super) fn value(found: &tla_checker::ast::Value) -> Result<Value, TlaError> {
    use tla_checker::ast::Value as Found;
    let sequence = |items: &[Found]| items.iter().map(value).collect::<Result<Vec<_>, _>>();
    Ok(match found {
        Found::Bool(truth) => Value::Bool(*truth),
        Found::Int(number) => Value::Int(*number),
        Found::Str(text) => Value::string(&**text),
        Found::Model(name) => Value::model(&**name),
        Found::Set(elements) => Value::Set(elements.iter().map(value).collect::<Result<_, _>>()?),
        Found::Tuple(items) => Value::Sequence(sequence(items)?),
        Found::Record(fields) => {
            let field = |(name, found): (&Arc<str>, &Found)| Ok((name.to_string(), value(found)?));
            Value::record(fields.iter().map(field).collect::<Result<Vec<_>, TlaError>>()?)
        }
        Found::Fn(pairs) => {
            let pair = |(key, found): (&Found, &Found)| Ok((value(key)?, value(found)?));
            Value::function(pairs.iter().map(pair).collect::<Result<Vec<_>, TlaError>>()?)
        }
        Found::IntSet(domain) => {
            let expected = "a value that has an end".to_owned();
            let found = domain.name().to_owned();
            return Err(TlaError::Unreadable { expected, found, offset: 0 });
        }
    })
}

/// The variables of a state with their values.
pub(super) fn variables(
    names: &[Arc<str>],
    state: &State,
) -> Result<BTreeMap<String, Value>, TlaError> {
    let pairs = names.iter().zip(&state.values);
    pairs.map(|(name, found)| Ok((name.to_string(), value(found)?))).collect()
}

/// A behaviour from its states with the actions that lead to them.
pub(super) fn behaviour<'a>(
    names: &[Arc<str>],
    states: impl IntoIterator<Item = (&'a State, Option<&'a Arc<str>>)>,
) -> Result<Vec<SpecState>, TlaError> {
    let numbered = states.into_iter().zip(1..);
    let state = |((state, action), index): ((&'a State, Option<&'a Arc<str>>), usize)| {
        let action = match (index, action) {
            (1, _) => "Initial predicate".to_owned(),
            (_, Some(name)) => name.to_string(),
            (_, None) => "Next".to_owned(),
        };
        let variables = variables(names, state)?;
        Ok(SpecState { index, action, location: String::new(), variables })
    };
    numbered.map(state).collect()
}
