use std::path::Path;

use cadre::model::consistency::{
    Budget, Consistency, Object, Recording, RecordingReport, Told, Verdict,
};

use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::watch::{count, grouped};

/// The columns of the sentence that argues a violation.
const BECAUSE_COLUMNS: usize = 90;
/// The lines of it: with a drawing of the most lines, the output has 25.
const BECAUSE_LINES: usize = 4;

/// What is asked of a history.
pub(crate) struct Question {
    pub(crate) object: Option<Object>,
    pub(crate) consistency: Consistency,
    pub(crate) budget: Budget,
}

/// `history`: judges what clients were answered, without knowing what answered them.
pub(crate) fn run(path: &Path, question: &Question) -> Result<Exit, Failure> {
    let at = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read the history {at}: {error}"))
        .or_exit(Exit::Input)?;
    let recording = Recording::from_ndjson(&text)
        .map_err(|error| anyhow::anyhow!("{at}: {error}"))
        .or_exit(Exit::Input)?;
    let consistency = question.consistency;
    let judged = recording.judge(question.object, consistency, question.budget);
    let report = judged.map_err(|error| Failure {
        exit: if error.is_of_question() { Exit::Usage } else { Exit::Input },
        error: anyhow::anyhow!("{at}: {error}"),
    })?;
    output::line(&format!("judging {at} · {} · {}", report.object.name(), consistency.name()));
    output::stage("history", word(report.verdict), &particulars(&report));
    if let Some(told) = &report.told {
        print_violation(&report, told);
    }
    Ok(print_verdict(&report, consistency))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated => "violated",
        Verdict::Unknown { .. } => "unknown",
    }
}

fn particulars(report: &RecordingReport) -> String {
    let mut particulars = count(report.operations, "operation", "operations");
    if report.failed > 0 {
        particulars += &format!(", {} failed", report.failed);
    }
    if report.unknown > 0 {
        particulars += &format!(", {} without an answer", report.unknown);
    }
    match report.steps {
        Some(1) => particulars + ", 1 step",
        Some(steps) => format!("{particulars}, {} steps", grouped(steps)),
        None => particulars,
    }
}

fn print_violation(report: &RecordingReport, told: &Told) {
    let all = count(report.operations, "operation", "operations");
    let enough = grouped(told.operations as u64);
    let perhaps = if told.is_minimal { "" } else { ", perhaps fewer" };
    let how = format!("{enough} of {all} suffice to show it{perhaps}");
    output::line(&format!("\nviolated  {}   {how}", report.violated.name()));
    output::line("");
    output::line(&told.drawing);
    let mut label = "\nbecause ";
    for line in output::wrap(&told.because, BECAUSE_COLUMNS, BECAUSE_LINES, "") {
        output::line(&format!("{label:<8} {line}"));
        label = "";
    }
}

fn print_verdict(report: &RecordingReport, consistency: Consistency) -> Exit {
    let name = consistency.name();
    let (word, what, exit) = match report.verdict {
        Verdict::Holds => ("PASS", format!("{name} holds of this history"), Exit::Holds),
        Verdict::Violated => {
            ("FAIL", format!("{} does not hold", report.violated.name()), Exit::Violated)
        }
        Verdict::Unknown { .. } => {
            ("BOUNDED", "the steps ran out before there was a verdict".to_owned(), Exit::Bounded)
        }
    };
    output::verdict(word, &what, exit);
    exit
}
