//! The states of the specification, as TLC dumped them, against those that were logged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cadre_tla::{Dump, TlaError, Value};

use crate::batch::{Batch, Cuts, wrong_state};
use crate::encode::{PART, STEP, TRACE};
use crate::lines::Within;
use crate::{ConformError, Difference, Spec, SpecTrace};

/// What a trace logs of the state after its step; step 0 is the initial state.
pub(crate) fn logged(trace: &SpecTrace, step: usize) -> Option<&BTreeMap<String, Value>> {
    match step {
        0 => trace.initial.as_ref(),
        _ => trace.steps[step - 1].variables.as_ref(),
    }
}

/// The variables in which a state of the specification is not what was logged.
pub(crate) fn differences(
    logged: &BTreeMap<String, Value>,
    spec: &BTreeMap<String, Value>,
) -> Vec<Difference> {
    let differs = logged.iter().filter_map(|(variable, logged)| {
        let spec = spec.get(variable)?;
        // Most values are normal already and equal at first sight.
        if logged == spec || logged.clone().normal() == *spec {
            return None;
        }
        let (logged, spec) = (logged.clone().normal(), spec.clone());
        Some(Difference { variable: variable.clone(), logged, spec })
    });
    differs.collect()
}

/// That the dumped states have all that is mapped: what they lack would be equal to anything.
fn judge_variables(spec: &Spec, state: &BTreeMap<String, Value>) -> Result<(), ConformError> {
    let Some(variable) = spec.variables.iter().find(|name| !state.contains_key(*name)) else {
        return Ok(());
    };
    let found = state.keys().filter(|name| !is_own(name)).map(String::as_str);
    let (variable, found) = (variable.clone(), found.collect::<Vec<_>>().join(", "));
    Err(ConformError::NotVariable { variable, found })
}

/// Whether a variable is one of the generated module.
fn is_own(name: &str) -> bool {
    [TRACE, STEP, PART].contains(&name)
}

/// How the states of one trace compare.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// For each step, how many states of the specification agree with the log, and how many do not.
    counts: Vec<(u32, u32)>,
    /// The nearest state that does not agree, at the first step that has one.
    first: Option<Mismatch>,
}

/// A state of the specification that is not the logged one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mismatch {
    pub(crate) step: usize,
    differs_count: usize,
    /// The last event of a composition, if the step is one and this is known.
    pub(crate) within: Option<Within>,
    pub(crate) differs: Vec<Difference>,
    pub(crate) state: BTreeMap<String, Value>,
}

/// What the comparison of a trace says.
#[derive(Debug)]
pub(crate) enum Finding<'a> {
    /// All states agree.
    Agrees,
    /// No state agrees at this step, and all did before.
    Differs(&'a Mismatch),
    /// At some step a part of the states agree: the events alone do not determine them.
    Ambiguous,
}

impl Comparison {
    pub(crate) fn finding(&self) -> Finding<'_> {
        let Some(first) = &self.first else {
            return Finding::Agrees;
        };
        match self.counts[first.step] {
            (0, _) => Finding::Differs(first),
            _ => Finding::Ambiguous,
        }
    }

    /// Whether TLC has dumped at least one state after each of so many steps.
    pub(crate) fn is_complete(&self, steps: usize) -> bool {
        (0..=steps).all(|step| self.counts.get(step).is_some_and(|counts| *counts != (0, 0)))
    }

    fn add(&mut self, step: usize, state: &BTreeMap<String, Value>, differs: Vec<Difference>) {
        if self.counts.len() <= step {
            self.counts.resize(step + 1, (0, 0));
        }
        if differs.is_empty() {
            self.counts[step].0 += 1;
            return;
        }
        self.counts[step].1 += 1;
        // The order of a dump depends on the workers: the choice is by content.
        if self.first.as_ref().is_some_and(|first| first.step < step) {
            return;
        }
        let state = state.clone();
        let differs_count = differs.len();
        let mismatch = Mismatch { step, differs_count, within: None, differs, state };
        if self.first.as_ref().is_none_or(|first| mismatch < *first) {
            self.first = Some(mismatch);
        }
    }
}

/// Compares every dumped state with the logs of the traces that went through it, and those of the
/// empty trace with values that no state has.
///
/// # Errors
///
/// [`ConformError::Tla`] if the dump cannot be read, [`ConformError::Vacuous`] if a wrong value of
/// any variable is not found.
pub(crate) fn compare(
    batch: &Batch<'_>,
    traces: &[SpecTrace],
    cuts: &Cuts,
    dump: Dump,
    log: &Path,
) -> Result<BTreeMap<usize, Comparison>, ConformError> {
    let traces_by_row = batch.traces_by_row();
    let wrong = wrong_state(batch.spec);
    let mut is_found = false;
    let mut comparisons: BTreeMap<usize, Comparison> = BTreeMap::new();
    for (number, state) in dump.enumerate() {
        let mut state = state?;
        if number == 0 {
            judge_variables(batch.spec, &state)?;
        }
        let (Some(row), Some(step), None) = place(&mut state, 1) else {
            continue;
        };
        is_found |= row == batch.empty && differences(&wrong, &state).len() == wrong.len();
        for &position in traces_by_row.get(&row).into_iter().flatten() {
            let trace = &traces[position];
            if step > cuts.get(&position).copied().unwrap_or(trace.steps.len()) {
                continue;
            }
            let differs = match logged(trace, step) {
                Some(logged) => differences(logged, &state),
                None => Vec::new(),
            };
            comparisons.entry(position).or_default().add(step, &state, differs);
        }
    }
    match is_found {
        true => Ok(comparisons),
        false => {
            let expected = "a value that no state has to be found in each variable";
            Err(ConformError::Vacuous { expected, log: log.into() })
        }
    }
}

/// For each row, the state nearest to the log among those which the exact walk took in vain.
///
/// # Errors
///
/// [`ConformError::Tla`] if the dump cannot be read.
pub(crate) fn probes(
    batch: &Batch<'_>,
    traces: &[SpecTrace],
    dump: Dump,
) -> Result<BTreeMap<(usize, usize), Mismatch>, ConformError> {
    let traces_by_row = batch.traces_by_row();
    let mut nearest: BTreeMap<(usize, usize), Mismatch> = BTreeMap::new();
    for (number, state) in dump.enumerate() {
        let mut state = state?;
        if number == 0 {
            judge_variables(batch.spec, &state)?;
        }
        let (Some(row), Some(step), within) = place(&mut state, -1) else {
            continue;
        };
        for &position in traces_by_row.get(&row).into_iter().flatten() {
            let Some(logged) = logged(&traces[position], step) else {
                continue;
            };
            let differs = differences(logged, &state);
            let state = state.clone();
            let differs_count = differs.len();
            let mismatch = Mismatch { step, differs_count, within, differs, state };
            let key = (position, step);
            if nearest.get(&key).is_none_or(|other| mismatch < *other) {
                nearest.insert(key, mismatch);
            }
        }
    }
    Ok(nearest)
}

/// For each trace the states at a step that agree with its log; the least ones of very many,
/// because the order of a dump depends on the workers.
///
/// # Errors
///
/// [`ConformError::Tla`] if the dump cannot be read.
pub(crate) fn states_at(
    steps: &BTreeMap<usize, usize>,
    batch: &Batch<'_>,
    traces: &[SpecTrace],
    mut dump: Dump,
) -> Result<BTreeMap<usize, BTreeSet<BTreeMap<String, Value>>>, ConformError> {
    let mut by_place: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (position, step) in steps {
        by_place.entry((batch.row(*position), *step)).or_default().push(*position);
    }
    let mut found: BTreeMap<usize, BTreeSet<BTreeMap<String, Value>>> = BTreeMap::new();
    while let Some(texts) = dump.next_texts() {
        let texts = texts?;
        let number = |name: &str| {
            let text = texts.iter().find(|(variable, _)| *variable == name);
            text.and_then(|(_, text)| text.parse().ok())
        };
        let place = number(TRACE).zip(number(STEP));
        for position in place.and_then(|place| by_place.get(&place)).into_iter().flatten() {
            let of_spec = texts.iter().filter(|(name, _)| !is_own(name));
            let state = of_spec.map(|(name, text)| Ok(((*name).to_owned(), Value::parse(text)?)));
            let state = state.collect::<Result<BTreeMap<_, _>, TlaError>>()?;
            let log = logged(&traces[*position], steps[position]);
            if log.is_none_or(|log| differences(log, &state).is_empty()) {
                let states = found.entry(*position).or_default();
                states.insert(state);
                if states.len() > STATES_MAX {
                    states.pop_last();
                }
            }
        }
    }
    Ok(found)
}

/// From how many states one step of a trace is looked at.
const STATES_MAX: usize = 16;

/// Takes out of a state its row, which has the sign, its step, and its place within that.
fn place(
    state: &mut BTreeMap<String, Value>,
    sign: i64,
) -> (Option<usize>, Option<usize>, Option<Within>) {
    let within = state.remove(PART).and_then(|value| Within::read(&value)).flatten();
    (number(state.remove(TRACE), sign), number(state.remove(STEP), 1), within)
}

fn number(value: Option<Value>, sign: i64) -> Option<usize> {
    match value {
        Some(Value::Int(number)) => usize::try_from(sign * number).ok(),
        Some(_) | None => None,
    }
}
