//! Traces as rows of event ids: what one run of TLC is given.

use std::collections::BTreeMap;

use cadre_tla::Value;

use crate::{Spec, SpecAction, SpecStep, SpecTrace};

/// The event that no trace module knows.
pub(crate) const IMPOSSIBLE: &str = "CadreImpossible";

/// The rows of a run, and which traces each of them stands for.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) spec: &'a Spec,
    /// Event ids; 0 is a stutter. Row `n` of TLC is `rows[n - 1]`.
    pub(crate) rows: Vec<Vec<usize>>,
    /// The row of each trace of the batch, by the trace's position in the report.
    row_of: BTreeMap<usize, usize>,
    pub(crate) events: Vec<Value>,
    pub(crate) logged: Option<Logged>,
    /// The rows that must be rejected.
    pub(crate) impossible: Vec<usize>,
    /// The row that must be accepted.
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
        let mut ids = BTreeMap::new();
        for (position, trace) in traces.iter().enumerate() {
            let length = cuts.get(&position).copied().unwrap_or(trace.steps.len());
            let row = batch.events_of(trace, length, &mut ids);
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
        let mut ids = BTreeMap::new();
        let mut logged = Logged { values: vec![Vec::new(); spec.variables.len()], ids: Vec::new() };
        let mut known = vec![BTreeMap::new(); spec.variables.len()];
        for &position in chosen {
            let trace = &traces[position];
            let length = cuts.get(&position).copied().unwrap_or(trace.steps.len());
            let row = batch.events_of(trace, length, &mut ids);
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
            events: Vec::new(),
            logged: None,
            impossible: Vec::new(),
            empty: 0,
        }
    }

    fn events_of<'t>(
        &mut self,
        trace: &'t SpecTrace,
        length: usize,
        ids: &mut BTreeMap<&'t SpecAction, usize>,
    ) -> Vec<usize> {
        let steps = trace.steps[..length].iter();
        let id = |step: &'t SpecStep| {
            *ids.entry(&step.action).or_insert_with(|| match &step.action {
                SpecAction::Stutter => 0,
                SpecAction::Step { name, arguments } => {
                    self.add_event(event_value(name, arguments))
                }
            })
        };
        steps.map(id).collect()
    }

    fn add_event(&mut self, event: Value) -> usize {
        self.events.push(event);
        self.events.len()
    }

    fn add_row(&mut self, row: Vec<usize>) -> usize {
        self.rows.push(row);
        self.rows.len()
    }

    /// Rows whose verdicts are known beforehand: if TLC finds otherwise, all verdicts are
    /// worthless.
    fn add_canaries(&mut self, first: &[usize]) {
        let impossible = self.add_event(event_value(IMPOSSIBLE, &BTreeMap::new()));
        let alone = self.add_row(vec![impossible]);
        let corrupted = self.add_row([first, &[impossible]].concat());
        self.impossible = vec![alone, corrupted];
        self.empty = self.add_row(Vec::new());
    }
}

/// An event as the trace module gets it.
pub(crate) fn event_value(name: &str, arguments: &BTreeMap<String, Value>) -> Value {
    let arguments = arguments.iter().map(|(name, value)| (name, value.clone()));
    Value::record([("name", Value::string(name)), ("args", Value::record(arguments))])
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
                    values.push(value.clone());
                    values.len()
                });
            }
        }
        ids
    }
}
