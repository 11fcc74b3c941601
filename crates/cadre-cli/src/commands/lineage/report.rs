use cadre::lineage::{Account, Run};
use cadre::view::{LaneOptions, Report, ReportRun, STEPS_MAX, html, lanes_about};

use super::Playing;
use crate::context::Context;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;

/// The most rows of the drawing.
const ROWS_MAX: usize = 14;
/// The columns of the drawing, and of a sentence behind its label.
const COLUMNS: usize = 100;
const SENTENCE_COLUMNS: usize = 88;
/// The lines of a sentence.
const SENTENCE_LINES_MAX: usize = 2;

impl Playing<'_> {
    /// Prints a run that breaks a guarantee: drawn, explained, and how to run it again.
    pub(super) fn print_counterexample(
        &mut self,
        context: &Context<'_>,
        run: &Run,
        how: &str,
    ) -> Result<(), Failure> {
        let account = self.rounds.account(run, &self.origin).or_exit(Exit::Internal)?;
        let saved = context.save(&account.bad)?;
        let faults = run.faults.text(self.rounds.names());
        output::line(&format!("\nviolated  {}", run.broken[0].guarantee));
        output::line(&format!("          {how}: {faults}\n"));
        let options = LaneOptions { width: COLUMNS, steps_max: ROWS_MAX };
        output::line(&lanes_about(&account.bad, &options, &account.about));
        output::line("");
        print_account(&account);
        output::line("");
        if let Some(page) = &self.html {
            let report = self.report(&account, run);
            std::fs::write(page, html(&report))
                .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", page.display()))
                .or_exit(Exit::ToolChain)?;
            output::labelled("report", &page.display().to_string());
        }
        output::labelled("saved", &saved.display().to_string());
        output::labelled("replay", &context.command("replay", &saved));
        Ok(())
    }
}

impl Playing<'_> {
    /// Both runs of an account, the bad one first, with the lineage that differs.
    fn report(&self, account: &Account, run: &Run) -> Report {
        let names = self.rounds.names();
        let explanation = [&account.faults, &account.outcome, &account.repairs];
        let bad = ReportRun {
            name: format!("with {}", run.faults.text(names)),
            faults: account.faults.clone(),
            lineage: Some(account.difference.clone()),
            explanation: explanation.into_iter().flatten().cloned().collect(),
            ..ReportRun::of(account.bad.clone())
        };
        let good = ReportRun {
            name: "without faults".to_owned(),
            faults: Vec::new(),
            lineage: Some(account.good_graph.clone()),
            explanation: account.needed.clone(),
            ..ReportRun::of(account.good.clone())
        };
        Report { title: self.title("lineage"), runs: vec![bad, good], steps_max: STEPS_MAX }
    }
}

fn print_account(account: &Account) {
    let parts = [
        ("good", &account.needed),
        ("faults", &account.faults),
        ("bad", &account.outcome),
        ("repair", &account.repairs),
    ];
    for (label, sentences) in parts {
        let mut label = label;
        for sentence in sentences {
            for line in output::wrap(sentence, SENTENCE_COLUMNS, SENTENCE_LINES_MAX, "  ") {
                output::labelled(label, &line);
                label = "";
            }
        }
    }
}
