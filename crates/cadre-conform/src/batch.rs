//! Traces as rows of event ids: what one run of TLC is given.

use std::collections::BTreeMap;

use cadre_tla::Value;

use crate::events::Events;
use crate::{Spec, SpecTrace};

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
    pub(crate) impossible: Vec<usize>,
    /// The rows that must be accepted.
    pub(crate) possible: Vec<usize>,
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
        batch.add_canaries(&first);
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
        batch.add_canaries(&[]);
        let unknown = vec![0; spec.variables.len()];
        for row in &batch.rows[logged.ids.len()..] {
            logged.ids.push(vec![unknown.clone(); row.len() + 1]);
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
            possible: Vec::new(),
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
    fn add_canaries(&mut self, first: &[usize]) {
        let composed = self.events.add_composed_canaries();
        let impossible = self.events.impossible();
        let alone = self.add_row(vec![impossible]);
        let corrupted = self.add_row([first, &[impossible]].concat());
        self.impossible = vec![alone, corrupted];
        self.possible = vec![self.add_row(Vec::new())];
        if let Some((ends_badly, ends_well)) = composed {
            let rejected = self.add_row(vec![ends_badly]);
            self.impossible.push(rejected);
            let accepted = self.add_row(vec![ends_well]);
            self.possible.push(accepted);
        }
    }
}

/// A value, or what is equal to none if TLC cannot read it: no state has it then.
fn readable(value: &Value) -> Value {
    match value.to_text() {
        Ok(_) => value.clone(),
        Err(_) => Value::model("CadreUnreadable"),
    }
}

impl Logged {
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
