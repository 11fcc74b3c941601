//! What the specification would have allowed where it rejects a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cadre_tla::{Module, TlaError, Value};

use crate::encode::constants;
use crate::runs::Runs;
use crate::{ConformError, Reason, SpecAction, TraceVerdict};

const MODULE: &str = "CadreDiagnosis";

/// Asks TLC for the actions that are enabled where the first traces were rejected.
///
/// That is a help, not a verdict: where the arguments of an action cannot be enumerated, or a state
/// cannot be evaluated, there is no answer, and no error either.
pub(crate) fn add_enabled(
    mut verdicts: Vec<TraceVerdict>,
    runs: &mut Runs<'_>,
    traces_max: usize,
) -> Result<Vec<TraceVerdict>, ConformError> {
    let states: BTreeSet<_> = verdicts.iter().filter_map(refused_in).take(traces_max).collect();
    if states.is_empty() {
        return Ok(verdicts);
    }
    let states: Vec<BTreeMap<String, Value>> = states.into_iter().cloned().collect();
    let enabled = match ask(&states, runs) {
        Ok(enabled) => enabled,
        Err(ConformError::Tla(TlaError::Evaluation(_) | TlaError::Config { .. })) => {
            return Ok(verdicts);
        }
        Err(other) => return Err(other),
    };
    for verdict in &mut verdicts {
        let Some(state) = refused_in(verdict) else {
            continue;
        };
        let Some(number) = states.iter().position(|other| other == state) else {
            continue;
        };
        if let TraceVerdict::Rejected(rejection) = verdict {
            rejection.enabled = enabled.get(&(number + 1)).cloned().unwrap_or_default();
        }
    }
    Ok(verdicts)
}

/// The state in which the specification takes no such step, if that is why a trace is rejected.
fn refused_in(verdict: &TraceVerdict) -> Option<&BTreeMap<String, Value>> {
    match verdict {
        TraceVerdict::Rejected(rejection) => match rejection.reason {
            Reason::NotEnabled | Reason::UnknownAction | Reason::WrongArguments => {
                Some(&rejection.spec_state)
            }
            Reason::WrongState { .. }
            | Reason::WrongInitial { .. }
            | Reason::InvariantViolated { .. } => None,
        },
        TraceVerdict::Conforms | TraceVerdict::Undetermined { .. } => None,
    }
}

fn ask(
    states: &[BTreeMap<String, Value>],
    runs: &mut Runs<'_>,
) -> Result<BTreeMap<usize, Vec<String>>, ConformError> {
    let spec = runs.spec;
    let mut models = BTreeSet::new();
    states.iter().flat_map(BTreeMap::values).for_each(|value| value.collect_models(&mut models));
    let mut init = String::new();
    for (number, state) in states.iter().enumerate() {
        let _ = write!(init, "\n  \\/ /\\ cadreState = {}", number + 1);
        for (variable, value) in state {
            let _ = write!(init, "\n     /\\ {variable} = {}", value.to_text()?);
        }
    }
    let module = Module::new(MODULE).extends([spec.trace_module.as_str()]);
    let (module, config) = constants(module, &spec.constants, models)?;
    let module = module
        .variables(["cadreState"])
        .definition("CadreInit", &init)
        .definition(
            "CadreNext",
            &format!("UNCHANGED <<cadreState, {}>>", spec.variables.join(", ")),
        )
        .definition(
            "CadreEnabled(name)",
            "\n  {args \\in TraceArguments[name] : \
             ENABLED TraceEvent([name |-> name, args |-> args])}",
        )
        .definition(
            "CadreReport",
            "\n  \\A name \\in DOMAIN TraceArguments :\n    \
             PrintT(<<\"ENA\", cadreState, name, CadreEnabled(name)>>)",
        );
    let config = config.init_next("CadreInit", "CadreNext").invariant("CadreReport");
    let run = runs.prepare(&module, &config, 0)?;
    let outcome = runs.run(&run)?;
    Ok(read(outcome.user_values()?))
}

fn read(values: Vec<Value>) -> BTreeMap<usize, Vec<String>> {
    let mut enabled: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for value in values {
        let Value::Sequence(parts) = value else {
            continue;
        };
        let [_, Value::Int(state), Value::String(name), Value::Set(arguments)] = parts.as_slice()
        else {
            continue;
        };
        let actions = arguments.iter().map(|arguments| {
            let arguments = match arguments {
                Value::Record(fields) => fields.clone(),
                _ => BTreeMap::new(),
            };
            SpecAction::Step { name: name.clone(), arguments }.to_string()
        });
        enabled.entry(usize::try_from(*state).unwrap_or_default()).or_default().extend(actions);
    }
    enabled.values_mut().for_each(|actions| actions.sort());
    enabled
}
