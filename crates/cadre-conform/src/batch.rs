//! Traces as rows of event ids: what one run of TLC is given.

use std::collections::BTreeMap;
use std::path::Path;

use cadre_tla::Value;

use crate::events::{Events, STUTTER};
use crate::lines::Lines;
use crate::{ConformError, Spec, SpecTrace};

/// The rows of a run, and which traces each of them stands for.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) spec: &'a Spec,
    /// Event ids. Row `n` of TLC is `rows[n - 1]`.
    pub(crate) rows: Vec<Vec<usize>>,
    /// The row of each trace of the batch, by the trace's position in the report.
    row_of: BTreeMap<usize, usize>,
    pub(crate) events: Events,
    pub(crate) logged: Option<Logged>,
    /// The rows that must be rejected.
    impossible: Vec<usize>,
    /// The rows that must be rejected for what they say about a state: one for each variable.
    wrong: Vec<usize>,
    /// The rows that must be accepted.
    possible: Vec<usize>,
    /// The one of them that has no events.
    pub(crate) empty: usize,
}

/// What the traces say about states, as ids into a table of values for each variable.
#[derive(Debug, Default)]
pub(crate) struct Logged {
    pub(crate) values: Vec<Vec<Value>>,
    /// For each row and each position from 0 an id for each variable; 0 is unknown.
    pub(crate) ids: Vec<Vec<Vec<usize>>>,
}

/// How much of its steps a trace contributes.
pub(crate) type Cuts = BTreeMap<usize, usize>;

impl<'a> Batch<'a> {
    /// All these traces by their events alone; traces with the same events share a row.
    pub(crate) fn of_events(spec: &'a Spec, traces: &[SpecTrace], cuts: &Cuts) -> Self {
        let mut batch = Self::new(spec);
        let mut known = BTreeMap::new();
        for (position, trace) in traces.iter().enumerate() {
            let length = cuts.get(&position).copied().unwrap_or(trace.steps.len());
            let row = batch.events_of(trace, length);
            let number = *known.entry(row.clone()).or_insert_with(|| batch.add_row(row));
            batch.row_of.insert(position, number);
        }
        let first = batch.rows.first().cloned().unwrap_or_default();
        batch.add_canaries();
        let impossible = batch.events.impossible();
        batch.add_impossible([&first[..], &[impossible]].concat());
        batch
    }

    /// These traces with all that they say about states.
    pub(crate) fn of_states(
        spec: &'a Spec,
        traces: &[SpecTrace],
        chosen: &[usize],
        cuts: &Cuts,
    ) -> Self {
        let mut batch = Self::new(spec);
        let mut logged = Logged { values: vec![Vec::new(); spec.variables.len()], ids: Vec::new() };
        let mut known = vec![BTreeMap::new(); spec.variables.len()];
        for &position in chosen {
            let trace = &traces[position];
            let length = cuts.get(&position).copied().unwrap_or(trace.steps.len());
            let row = batch.events_of(trace, length);
            let number = batch.add_row(row);
            batch.row_of.insert(position, number);
            let states = std::iter::once(&trace.initial)
                .chain(trace.steps[..length].iter().map(|step| &step.variables));
            let rows = states.map(|state| logged.ids_of(spec, state.as_ref(), &mut known));
            let rows = rows.collect();
            logged.ids.push(rows);
        }
        batch.add_canaries();
        let unknown = vec![0; spec.variables.len()];
        for row in &batch.rows[logged.ids.len()..] {
            logged.ids.push(vec![unknown.clone(); row.len() + 1]);
        }
        for place in 0..spec.variables.len() {
            let mut wrong = unknown.clone();
            wrong[place] = logged.add_wrong(place);
            let row = batch.add_row(vec![STUTTER]);
            batch.wrong.push(row);
            logged.ids.push(vec![unknown.clone(), wrong]);
        }
        batch.logged = Some(logged);
        batch
    }

    /// The row of a trace.
    pub(crate) fn row(&self, trace: usize) -> usize {
        self.row_of[&trace]
    }

    /// The traces of each row.
    pub(crate) fn traces_by_row(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut traces: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (trace, row) in &self.row_of {
            traces.entry(*row).or_default().push(*trace);
        }
        traces
    }

    /// How many events a row has.
    pub(crate) fn length(&self, row: usize) -> usize {
        self.rows[row - 1].len()
    }

    /// The events of a row up to a position.
    pub(crate) fn prefix(&self, row: usize, length: usize) -> &[usize] {
        let events = &self.rows[row - 1];
        &events[..length.min(events.len())]
    }

    /// How many events all rows have.
    pub(crate) fn events_total(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }

    fn new(spec: &'a Spec) -> Self {
        Self {
            spec,
            rows: Vec::new(),
            row_of: BTreeMap::new(),
            events: Events::default(),
            logged: None,
            impossible: Vec::new(),
            wrong: Vec::new(),
            possible: Vec::new(),
            empty: 0,
        }
    }

    fn events_of(&mut self, trace: &SpecTrace, length: usize) -> Vec<usize> {
        trace.steps[..length].iter().map(|step| self.events.id(&step.action)).collect()
    }

    fn add_row(&mut self, row: Vec<usize>) -> usize {
        self.rows.push(row);
        self.rows.len()
    }

    /// Rows whose verdicts are known beforehand: if TLC finds otherwise, all verdicts are
    /// worthless.
    fn add_canaries(&mut self) {
        let composed = self.events.add_composed_canaries();
        let impossible = self.events.impossible();
        self.add_impossible(vec![impossible]);
        self.empty = self.add_row(Vec::new());
        self.possible = vec![self.empty];
        if let Some((ends_badly, ends_well)) = composed {
            self.add_impossible(vec![ends_badly]);
            let accepted = self.add_row(vec![ends_well]);
            self.possible.push(accepted);
        }
    }

    fn add_impossible(&mut self, row: Vec<usize>) {
        let number = self.add_row(row);
        self.impossible.push(number);
    }

    /// Holds the rows whose verdicts are known against what TLC says.
    ///
    /// # Errors
    ///
    /// [`ConformError::Vacuous`].
    pub(crate) fn judge_canaries(&self, lines: &Lines, log: &Path) -> Result<(), ConformError> {
        let vacuous = |expected| ConformError::Vacuous { expected, log: log.into() };
        let wrongly = |row: &usize| lines.accepted(*row) || lines.stuck(*row).is_none();
        if self.impossible.iter().any(wrongly) {
            return Err(vacuous("an action that does not exist to be rejected"));
        }
        if self.wrong.iter().any(wrongly) {
            return Err(vacuous("a value that no state has to be rejected"));
        }
        if !self.possible.iter().all(|row| lines.accepted(*row)) {
            return Err(vacuous("a trace in which nothing happens to be accepted"));
        }
        Ok(())
    }
}

/// A value, or what is equal to none if TLC cannot read it: no state has it then.
fn readable(value: &Value) -> Value {
    match value.to_text() {
        Ok(_) => value.clone(),
        Err(_) => Value::model(WRONG),
    }
}

/// A value for each variable that no state has.
pub(crate) fn wrong_state(spec: &Spec) -> BTreeMap<String, Value> {
    spec.variables.iter().map(|name| (name.clone(), Value::model(WRONG))).collect()
}

/// The model value that no state has: TLC takes it to differ from whatever else there is.
const WRONG: &str = "CadreWrong";

impl Logged {
    /// Adds the value that no state has to those of a variable; its id.
    fn add_wrong(&mut self, place: usize) -> usize {
        self.values[place].push(Value::model(WRONG));
        self.values[place].len()
    }

    fn ids_of(
        &mut self,
        spec: &Spec,
        state: Option<&BTreeMap<String, Value>>,
        known: &mut [BTreeMap<Value, usize>],
    ) -> Vec<usize> {
        let mut ids = vec![0; spec.variables.len()];
        let Some(state) = state else {
            return ids;
        };
        for (place, variable) in spec.variables.iter().enumerate() {
            if let Some(value) = state.get(variable) {
                let values = &mut self.values[place];
                ids[place] = *known[place].entry(value.clone()).or_insert_with(|| {
                    values.push(readable(value));
                    values.len()
                });
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SpecAction;

    fn spec() -> Spec {
        Spec {
            name: "M".to_owned(),
            trace_module: "TraceM".to_owned(),
            files: Vec::new(),
            constants: BTreeMap::new(),
            variables: vec!["x".to_owned(), "y".to_owned()],
            invariants: Vec::new(),
            temporal: None,
        }
    }

    /// What TLC prints where it accepts these rows and rejects all others.
    fn lines(batch: &Batch<'_>, accepted: &[usize]) -> Lines {
        let state = || Value::record([("x", Value::Int(0))]);
        let line = |row: usize| match accepted.contains(&row) {
            true => vec!["ACC".into(), Value::Int(row as i64)],
            false => {
                vec!["REJ".into(), Value::Int(row as i64), 0.into(), "disabled".into(), state()]
            }
        };
        let lines = (1..=batch.rows.len()).map(|row| Value::Sequence(line(row)));
        Lines::read(lines.collect()).unwrap()
    }

    #[test]
    fn a_batch_means_nothing_if_one_of_its_canaries_is_judged_otherwise() {
        let spec = spec();
        let either = SpecAction::named("A").or(SpecAction::Stutter);
        let trace = SpecTrace {
            name: "t".to_owned(),
            initial: Some([("x".to_owned(), Value::Int(0))].into()),
            steps: vec![crate::SpecStep { action: either, variables: None }],
        };
        let traces = [trace];
        let batches = [
            (Batch::of_events(&spec, &traces, &Cuts::new()), 3),
            (Batch::of_states(&spec, &traces, &[0], &Cuts::new()), 4),
        ];
        for (batch, rejected_count) in batches {
            // Composed events have canaries of their own; of states there is one for each variable.
            let rejected = [&batch.impossible[..], &batch.wrong[..]].concat();
            assert_eq!((rejected.len(), batch.possible.len()), (rejected_count, 2));
            let judge = |accepted: &[usize]| {
                batch.judge_canaries(&lines(&batch, accepted), Path::new("log")).is_ok()
            };
            assert!(judge(&batch.possible));
            for row in &rejected {
                assert!(!judge(&[&batch.possible[..], &[*row]].concat()), "{row}");
            }
            for row in 0..batch.possible.len() {
                let mut accepted = batch.possible.clone();
                accepted.remove(row);
                assert!(!judge(&accepted), "{row}");
            }
        }
    }

    #[test]
    fn what_is_logged_wrongly_of_a_variable_is_one_canary_for_each() {
        let spec = spec();
        let trace = SpecTrace { name: "t".to_owned(), initial: None, steps: Vec::new() };
        let batch = Batch::of_states(&spec, &[trace], &[0], &Cuts::new());
        let logged = batch.logged.as_ref().unwrap();
        assert_eq!(logged.ids.len(), batch.rows.len());
        let wrong = batch.wrong.iter().map(|row| logged.ids[row - 1].clone());
        let expected = [[[0, 0], [1, 0]], [[0, 0], [0, 1]]];
        assert_eq!(wrong.collect::<Vec<_>>(), expected.map(|ids| ids.map(Vec::from).to_vec()));
        assert!(logged.values.iter().all(|values| *values == [Value::model(WRONG)]));
    }
}
