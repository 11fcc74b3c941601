//! Why the specification does not allow a step, and what it allows instead.

mod ask;
mod parts;

use std::collections::BTreeMap;

use cadre_tla::Value;
use cadre_tla::syntax::Definitions;

use crate::check::Draft;
use crate::compare::logged;
use crate::events::event_value;
use crate::report::FalsePart;
use crate::runs::Runs;
use crate::{ConformError, Reason, Rejection, SpecAction, SpecTrace};
use ask::{Answer, Case, Subject, ask};

/// Asks TLC about the first rejected traces: which part of the specification is false there, and
/// which actions are enabled.
///
/// That is a help, not a verdict: where the arguments of an action cannot be enumerated, or a state
/// cannot be evaluated, there is no answer, and no error either.
pub(crate) fn explain(
    drafts: &mut [Draft],
    traces: &[SpecTrace],
    runs: &mut Runs<'_>,
    traces_max: usize,
) -> Result<(), ConformError> {
    let spec = runs.spec;
    let files = spec.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let definitions = Definitions::of_module(&spec.trace_module, &files.collect::<Vec<_>>());
    find_states_before(drafts, traces, &definitions, runs, traces_max)?;
    let mut cases = Vec::new();
    let mut asked = Vec::new();
    for (position, (draft, trace)) in drafts.iter().zip(traces).enumerate() {
        let Draft::Rejected { rejection, after, .. } = draft else { continue };
        if asked.len() < traces_max
            && let Some(case) = case(rejection, after.as_ref(), trace, &spec.variables).writable()
        {
            asked.push(position);
            cases.push(case);
        }
    }
    if cases.is_empty() {
        return Ok(());
    }
    let mut answers = ask(&cases, &definitions, runs)?;
    for (case, position) in asked.into_iter().enumerate() {
        let Draft::Rejected { rejection, .. } = &mut drafts[position] else { continue };
        let Answer { false_parts, enabled, .. } = answers.remove(&case).unwrap_or_default();
        (rejection.false_parts, rejection.enabled) = match &cases[case].subject {
            Subject::Stutter => (vec![changed(&cases[case])], enabled),
            Subject::Event(_) => (false_parts, enabled),
            Subject::Initial | Subject::Invariant(_) => (false_parts, Vec::new()),
        };
    }
    Ok(())
}

/// Of several states in which a step may have begun, finds the one from which it leads to the
/// state that is not the logged one: a step from another one would be explained by other parts.
fn find_states_before(
    drafts: &mut [Draft],
    traces: &[SpecTrace],
    definitions: &Definitions,
    runs: &mut Runs<'_>,
    traces_max: usize,
) -> Result<(), ConformError> {
    let mut cases = Vec::new();
    let mut asked = Vec::new();
    let rejected = drafts.iter().enumerate().filter(|(_, d)| matches!(d, Draft::Rejected { .. }));
    for (position, draft) in rejected.take(traces_max) {
        let Draft::Rejected { rejection, after: Some(after), candidates } = draft else { continue };
        if candidates.len() < 2 {
            continue;
        }
        for before in candidates {
            let subject = subject(rejection, &traces[position]);
            asked.push(position);
            cases.push(Case { subject, before: before.clone(), after: Some(after.clone()) });
        }
    }
    if cases.is_empty() {
        return Ok(());
    }
    let answers = ask(&cases, definitions, runs)?;
    let leads_there = |number: &usize| match &cases[*number].subject {
        Subject::Stutter => cases[*number].after.as_ref() == Some(&cases[*number].before),
        _ => answers.get(number).is_some_and(|answer| answer.holds),
    };
    // The first one counts, and so it is set last.
    for number in (0..cases.len()).rev().filter(leads_there) {
        if let Draft::Rejected { rejection, .. } = &mut drafts[asked[number]] {
            rejection.spec_state = cases[number].before.clone();
        }
    }
    Ok(())
}

type State = BTreeMap<String, Value>;

/// The event of a rejected step, or of the part of it that is rejected.
fn subject(rejection: &Rejection, trace: &SpecTrace) -> Subject {
    let part = rejection.part.as_ref();
    match part.map_or(&trace.steps[rejection.step - 1].action, |part| &part.action) {
        SpecAction::Step { name, arguments } => Subject::Event(event_value(name, arguments)),
        SpecAction::Stutter | SpecAction::Sequence(_) | SpecAction::OneOf(_) => Subject::Stutter,
    }
}

/// What TLC is to look at for a rejected trace.
fn case(
    rejection: &Rejection,
    after: Option<&State>,
    trace: &SpecTrace,
    variables: &[String],
) -> Case {
    let logged = logged(trace, rejection.step);
    let over = |state: &State| {
        let mut state = state.clone();
        state.extend(
            logged.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())),
        );
        state
    };
    let spec_state = &rejection.spec_state;
    match &rejection.reason {
        Reason::WrongInitial { .. } => {
            Case { subject: Subject::Initial, before: over(spec_state), after: None }
        }
        Reason::InvariantViolated { name } => {
            let subject = Subject::Invariant(name.clone());
            Case { subject, before: spec_state.clone(), after: None }
        }
        Reason::NotEnabled
        | Reason::UnknownAction
        | Reason::WrongArguments
        | Reason::WrongState { .. } => {
            // What the specification does not say of a step that it does not take is known only if
            // everything was logged, and that is the state after the last part of a step.
            let part = rejection.part.as_ref();
            let is_last = part.is_none_or(|part| part.number == part.count);
            let is_whole = is_last && logged.is_some_and(|state| state.len() == variables.len());
            let after = match after {
                Some(after) => Some(over(after)),
                None if is_whole => logged.cloned(),
                None => None,
            };
            Case { subject: subject(rejection, trace), before: spec_state.clone(), after }
        }
    }
}

/// The part that is false where something changes in a step in which nothing does.
fn changed(case: &Case) -> FalsePart {
    let after = case.after.as_ref().unwrap_or(&case.before);
    let mut values = Vec::new();
    let mut names = Vec::new();
    for (name, before) in &case.before {
        let after = after.get(name).unwrap_or(before);
        if after.clone().normal() != *before {
            names.push(name.as_str());
            values.push((name.clone(), before.clone()));
            values.push((format!("{name}'"), after.clone()));
        }
    }
    FalsePart {
        text: format!("UNCHANGED <<{}>>", names.join(", ")),
        operator: "stuttering".to_owned(),
        place: None,
        values,
        error: None,
    }
}
