mod data;
mod page;

use cadre_trace::{Action, LineageGraph, Trace, Verdict};

use crate::because::because;
use crate::lineage_of;

/// What a report shows: one run, or several that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What it is about, in a few words.
    pub title: String,
    /// The runs, in the order of the list; the first one is shown first.
    pub runs: Vec<ReportRun>,
    /// The most steps of a run that are drawn; of a longer run those are left out that the
    /// violation does not follow from.
    pub steps_max: usize,
}

/// One run of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportRun {
    /// What it is called in the list of runs.
    pub name: String,
    /// What was found.
    pub verdict: Verdict,
    /// The faults that were injected, in words.
    pub faults: Vec<String>,
    /// What happened.
    pub trace: Trace,
    /// What its outcome rests on. Good run, bad run and their difference are one graph: what stands
    /// as cut or fallen is in the good run only, what stands as added in the bad run only.
    pub lineage: Option<LineageGraph>,
    /// Why it is so, a paragraph each.
    pub explanation: Vec<String>,
}

/// Draws a report as one page of HTML that needs nothing but itself, and requests nothing.
///
/// A list of runs, the space-time diagram of the selected one, the selected step with what it
/// changed, the whole state on demand, what it follows from and what follows from it; below it the
/// lineage. A step is named by the address, such as `#run=1&step=7`. The same report gives the same
/// bytes.
pub fn html(report: &Report) -> String {
    page::page(report).into_string() + "\n"
}

impl ReportRun {
    /// A trace as the only run of a report, with what it says of itself.
    pub fn of(trace: Trace) -> Self {
        let fault = |action: &Action| match action {
            Action::Fault(fault) => Some(fault.to_string()),
            Action::Deliver(_)
            | Action::Choose { .. }
            | Action::Fire { .. }
            | Action::SyncDone { .. }
            | Action::Invoke { .. }
            | Action::Tick => None,
        };
        let is_violated = trace.header.verdict == Verdict::Violated;
        let because = if is_violated { because(&trace) } else { None };
        Self {
            name: trace.header.protocol.clone(),
            verdict: trace.header.verdict,
            faults: trace.schedule().filter_map(fault).collect(),
            lineage: Some(lineage_of(&trace)),
            explanation: because.into_iter().collect(),
            trace,
        }
    }
}
