use cadre_tla::Contents;

use crate::{ConformError, LogMapping, Spec};

/// The specification of a module against which sequences of states are checked that do not say
/// which actions led from one to the next: any step of `Next` may have.
///
/// They are to be checked with [`Walk::States`](crate::Walk::States).
///
/// # Errors
///
/// [`ConformError::NoTraceModule`] where the module does not define `Init` and `Next`, or is a
/// trace module itself.
pub fn spec_of_states(
    contents: &Contents,
    files: Vec<(String, String)>,
    mapping: &LogMapping,
) -> Result<Spec, ConformError> {
    let module = &contents.module;
    for name in ["Init", "Next"] {
        if contents.definition(name).is_none() {
            return Err(ConformError::NoStates { module: module.clone(), lacks: name });
        }
    }
    let variables: Vec<String> = contents.variables.iter().map(|v| v.name.clone()).collect();
    let text = format!(
        "---- MODULE {MODULE} ----\nEXTENDS {module}\n\nTraceInit == Init\n\n\
         TraceArguments == [{SEEN_STEP} |-> {{<<>>}}, {UNSEEN_STEP} |-> {{<<>>}}]\n\n\
         TraceEvent(cadreEvent) ==\n  \\/ cadreEvent.name \\in DOMAIN TraceArguments /\\ Next\n  \
         \\/ cadreEvent.name = \"{UNSEEN_STEP}\" /\\ UNCHANGED <<{}>>\n====\n",
        variables.join(", ")
    );
    let mut files = files;
    files.push((format!("{MODULE}.tla"), text));
    Ok(Spec {
        name: module.clone(),
        trace_module: MODULE.to_owned(),
        files,
        constants: mapping.constants.clone(),
        variables,
        invariants: mapping.invariants.clone(),
        temporal: None,
    })
}

/// What a step is called that changes what is known of the state.
pub(crate) const SEEN_STEP: &str = "Next";

/// What a step is called that changes nothing of what is known: it may be a step all the same, or
/// nothing.
pub(crate) const UNSEEN_STEP: &str = "NextOrNothing";

const MODULE: &str = "CadreStates";
