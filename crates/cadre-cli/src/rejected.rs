use cadre::conform::{self, FalsePart, Reason, Rejection, Report, SpecAction, TraceVerdict};
use cadre::tla::Value;
use cadre::trace::{Guarantee, GuaranteeKind, Trace, Verdict};

use crate::output;
use crate::stages::Named;

/// Says of each trace that does not conform which step the specification does not allow, in at most
/// so many lines and one more; gives how many lines it took.
pub(crate) fn print_rejections(report: &Report, traces: &[Named], lines_max: usize) -> usize {
    let mut lines = Vec::new();
    for (Named { name, trace }, verdict) in traces.iter().zip(&report.verdicts) {
        let (step, why) = match verdict {
            TraceVerdict::Conforms => continue,
            TraceVerdict::Rejected(rejection) => (rejection.step, why_rejected(rejection, trace)),
            TraceVerdict::Undetermined { step, why } => (*step, format!("unknown: {why}")),
        };
        let action = trace.steps.get(step.wrapping_sub(1));
        let action = action.map_or("the initial state".to_owned(), |step| step.action.to_string());
        lines.push((name, format!("step {step}, {action}: {why}")));
    }
    let more = lines.len().saturating_sub(lines_max);
    lines.truncate(lines_max);
    for (name, line) in &lines {
        output::labelled("", &format!("{name}: {line}"));
    }
    if more > 0 {
        output::labelled("", &format!("and {more} more"));
    }
    lines.len() + usize::from(more > 0)
}

/// Why the specification does not allow a step, in a clause.
fn why_rejected(rejection: &Rejection, trace: &Trace) -> String {
    let step = trace.steps.get(rejection.step.wrapping_sub(1));
    let whole = step.and_then(|step| step.spec.as_ref()?.title());
    let whole = whole.unwrap_or_else(|| "stuttering".to_owned());
    let action = rejection.part.as_ref().map_or(whole.as_str(), |part| name(&part.action));
    let composed = within(rejection, &whole);
    match &rejection.reason {
        Reason::NotEnabled => {
            let false_part = rejection.false_parts.first().map(|part| format!(": {}", told(part)));
            let false_part = false_part.unwrap_or_default();
            format!("the spec does not allow {action}{composed} here{false_part}")
        }
        Reason::UnknownAction => format!("the spec has no action {action}{composed}"),
        Reason::WrongArguments => format!("{action}{composed} has other arguments in the spec"),
        Reason::WrongState { differs } | Reason::WrongInitial { differs } => {
            let differs = differs.iter().map(|difference| {
                let conform::Difference { variable, logged, spec } = difference;
                format!("{variable} is {logged}, the spec has {spec}")
            });
            format!("{}{composed}", differs.collect::<Vec<_>>().join("; "))
        }
        Reason::InvariantViolated { name } => {
            format!("the spec's own invariant {name} is violated{composed}")
        }
    }
}

/// Which of the steps it is that a composition consists of, to be added in brackets.
pub(crate) fn within(rejection: &Rejection, composition: &str) -> String {
    match &rejection.part {
        None => String::new(),
        Some(part) => format!(" (step {} of {} of {composition})", part.number, part.count),
    }
}

fn name(action: &SpecAction) -> &str {
    match action {
        SpecAction::Step { name, .. } => name,
        SpecAction::Stutter | SpecAction::Sequence(_) | SpecAction::OneOf(_) => "stuttering",
    }
}

/// What a part of the specification is, in a clause.
fn told(part: &FalsePart) -> String {
    let is = if part.error.is_some() { "has no value" } else { "is false" };
    format!("{} {is}", part.text)
}

/// Prints which part of the specification is false at a step, the state there and what is enabled;
/// gives how many lines it took.
pub(crate) fn print_explanation(rejection: &Rejection) -> usize {
    let mut lines = 0;
    for part in &rejection.false_parts {
        let label = if part.error.is_some() { "no value" } else { "false" };
        let place = match &part.place {
            Some((file, line)) => format!(" ({} in {file}, line {line})", part.operator),
            None => String::new(),
        };
        let values = shown(part.values.iter().map(|(name, value)| (name, value)));
        let values = if values.is_empty() { values } else { format!(": {values}") };
        output::labelled(label, &clipped(&format!("{}{place}{values}", part.text)));
        lines += 1;
    }
    output::labelled("state", &clipped(&shown(rejection.spec_state.iter())));
    if !rejection.enabled.is_empty() {
        output::labelled("enabled", &clipped(&rejection.enabled.join(", ")));
        lines += 1;
    }
    lines + 1
}

/// The first trace that is rejected.
pub(crate) fn first_rejection<'r>(
    report: &'r Report,
    traces: &'r [Named],
) -> Option<(&'r Named, &'r Rejection)> {
    traces.iter().zip(&report.verdicts).find_map(|(named, verdict)| match verdict {
        TraceVerdict::Rejected(rejection) => Some((named, rejection)),
        TraceVerdict::Conforms | TraceVerdict::Undetermined { .. } => None,
    })
}

/// A trace up to a step as the one of a violated guarantee, for the picture alone.
pub(crate) fn drawn(trace: &Trace, steps: usize, guarantee: &str) -> Trace {
    let mut drawn = trace.clone();
    drawn.steps.truncate(steps);
    drawn.header.loop_from = None;
    drawn.header.verdict = Verdict::Violated;
    let node = drawn.steps.last().and_then(|step| step.action.node()).map(str::to_owned);
    drawn.header.guarantee = Some(Guarantee {
        name: guarantee.to_owned(),
        kind: GuaranteeKind::Always,
        reads: node.into_iter().collect(),
        finding: None,
    });
    drawn
}

/// Variables with their values, in one line.
pub(crate) fn shown<'v>(values: impl Iterator<Item = (&'v String, &'v Value)>) -> String {
    values.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

/// A line that is not for copying need not be whole: the saved trace is.
pub(crate) fn clipped(text: &str) -> String {
    const COLUMNS: usize = 240;
    match text.char_indices().nth(COLUMNS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
