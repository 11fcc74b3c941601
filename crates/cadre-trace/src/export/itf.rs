use serde_json::{Map, json};

use crate::{Json, Trace};

/// The trace does not map to a specification, so that it has no variables of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a trace that maps to a TLA+ specification, found one that does not; \
     choose another format"
)]
pub struct NoSpec;

/// The trace in the Informal Trace Format: the variables of its specification in each state, the
/// initial one first, each with the action that led to it.
///
/// A cycle is told by the index of the state to which the last one returns.
///
/// # Errors
///
/// [`NoSpec`] if the trace, or one of its steps, maps to no specification.
pub fn itf(trace: &Trace) -> Result<String, NoSpec> {
    let spec = trace.header.spec.as_ref().ok_or(NoSpec)?;
    let names: Vec<&String> = spec.variables.keys().collect();
    let state = |index: usize, action: &str, variables: Vec<(&String, &Json)>| {
        let mut state = Map::new();
        state.insert("#meta".to_owned(), json!({ "index": index, "action": action }));
        state.extend(variables.into_iter().map(|(name, value)| (name.clone(), value.clone())));
        Json::Object(state)
    };
    let mut states = vec![state(0, "Init", spec.variables.iter().collect())];
    for step in &trace.steps {
        let told = step.spec.as_ref().ok_or(NoSpec)?;
        let action = told.title().unwrap_or_else(|| "stuttering".to_owned());
        states.push(state(step.step, &action, told.variables.iter().collect()));
    }
    let mut document = json!({
        "#meta": {
            "format": "ITF",
            "description": format!("{}, found by {}", trace.header.protocol, trace.header.origin),
            "source": spec.module,
            "constants": spec.constants,
        },
        "vars": names,
        "states": states,
    });
    if let Some(from) = trace.header.loop_from {
        document["loop"] = json!(from);
    }
    Ok(document.to_string() + "\n")
}
