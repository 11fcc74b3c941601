use cadre_trace::{Action, LineageGraph, Trace, Verdict};

use crate::because::because;
use crate::{LaneOptions, lanes};

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

/// As many steps of a run are drawn, unless told.
pub const STEPS_MAX: usize = 2_000;

/// Draws a report as one page of HTML that needs nothing but itself.
///
/// The same report gives the same bytes.
pub fn html(report: &Report) -> String {
    let mut page = format!("<!doctype html><title>{}</title>", escaped(&report.title));
    for run in &report.runs {
        let drawn = lanes(&run.trace, &LaneOptions::default());
        page += &format!("<h2>{}</h2><pre>{}</pre>", escaped(&run.name), escaped(&drawn));
    }
    page
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
        Self {
            name: trace.header.protocol.clone(),
            verdict: trace.header.verdict,
            faults: trace.schedule().filter_map(fault).collect(),
            lineage: None,
            explanation: because(&trace).into_iter().collect(),
            trace,
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
