use cadre::explore::Flow;
use cadre::trace::{Fairness, GuaranteeKind, Trace, Verdict};
use cadre::{Explored, Found};

use crate::args::{GameArgs, SearchArgs, SharingArgs};
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::sharing::{Asked, SPOKEN};
use crate::watch::{count, grouped};
use crate::{coverage, output, stages};

/// `explore`: searches every configuration of a game.
pub(crate) fn run(
    context: &Context<'_>,
    game: &GameArgs,
    search: &SearchArgs,
    sharing: &SharingArgs,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    let asked = Asked { context, chosen: &chosen, search, sharing };
    if sharing.hosts.as_ref().is_some_and(|hosts| hosts.as_os_str() == SPOKEN) {
        return take_part(&asked);
    }
    let processes = sharing.processes.map_or(String::new(), |processes| {
        format!(" · {}", count(processes.into(), "process", "processes"))
    });
    output::line(&format!("exploring {}{processes}", chosen.title()));
    if !sharing.is_asked_for() {
        return print(context, &stages::explore(context, &chosen, search)?, None);
    }
    let found = stages::searched(context, search, |settings, watch| asked.search(settings, watch))?;
    if let Some(advice) = asked.how_to_go_on(&found) {
        output::labelled("", &advice);
    }
    print(context, &found, None)
}

/// `explore --symmetry`: searches up to the names of interchangeable nodes and values.
pub(crate) fn orbits(
    context: &Context<'_>,
    game: &GameArgs,
    search: &SearchArgs,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    output::line(&format!("exploring {}, up to names", chosen.title()));
    let found = stages::explore_orbits(context, &chosen, search)?;
    print(context, &found, None)
}

/// `explore --coverage`: says as well what was tried and what never.
pub(crate) fn cover(
    context: &Context<'_>,
    game: &GameArgs,
    search: &SearchArgs,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    output::line(&format!("exploring {}", chosen.title()));
    let (found, coverage) = stages::cover(context, &chosen, search)?;
    print(context, &found, Some(&coverage::table(&coverage, &found)))
}

/// Prints what was found, then what was tried, and the verdict last.
fn print(context: &Context<'_>, found: &Explored, coverage: Option<&str>) -> Result<Exit, Failure> {
    let print_coverage = || coverage.into_iter().for_each(output::line);
    if let Some(violated) = violated(found) {
        match &violated.trace {
            // The title, the stage's line, a blank and the verdict.
            Some(trace) => drop(stages::print_violation(context, trace, "shortest", 4)?),
            None => output::line(&never_true(violated)),
        }
        // What the trace does not say itself.
        let is_told = violated.trace.as_ref().is_some_and(|trace| trace.header.guarantee.is_some());
        if let (Some(why), false) = (&violated.why, is_told) {
            output::labelled("", why);
        }
        print_coverage();
        output::verdict("FAIL", &violated.claim.name, Exit::Violated);
        return Ok(Exit::Violated);
    }
    for finding in &found.findings {
        output::stage("", &finding.verdict.to_string(), &describe(finding));
    }
    output::stage("", "executed", &format!("{} transitions", grouped(found.progress.transitions)));
    print_coverage();
    match found.verdict {
        Verdict::Holds => {
            output::verdict("PASS", "every guarantee holds, everything was seen", Exit::Holds);
            Ok(Exit::Holds)
        }
        Verdict::Bounded | Verdict::Violated => {
            output::verdict(
                "BOUNDED",
                "nothing was found, but not everything was seen",
                Exit::Bounded,
            );
            Ok(Exit::Bounded)
        }
    }
}

/// Takes part in a search whose result the process prints that has started this one.
fn take_part(asked: &Asked<'_>) -> Result<Exit, Failure> {
    let found = asked.search(&asked.search.settings(), &mut |_| Flow::Continue)?;
    Ok(match found.verdict {
        Verdict::Holds => Exit::Holds,
        Verdict::Violated => Exit::Violated,
        Verdict::Bounded => Exit::Bounded,
    })
}

/// The guarantee that an exploration found violated.
pub(crate) fn violated(found: &Explored) -> Option<&Found> {
    found.findings.iter().find(|finding| finding.verdict == Verdict::Violated)
}

/// What is said where no configuration makes a `reachable` guarantee true.
pub(crate) fn never_true(violated: &Found) -> String {
    format!("\nviolated  {}: true in no configuration that can be reached", violated.claim.name)
}

fn describe(finding: &Found) -> String {
    let particulars = match (finding.claim.kind, &finding.trace) {
        (GuaranteeKind::Reachable, Some(Trace { steps, .. })) => {
            format!(", first after {} steps", steps.len())
        }
        (GuaranteeKind::Always | GuaranteeKind::Reachable | GuaranteeKind::PrePost, _) => {
            String::new()
        }
        (
            GuaranteeKind::Eventually(fairness)
            | GuaranteeKind::LeadsTo(fairness)
            | GuaranteeKind::Convergent(fairness),
            _,
        ) => format!(", {}", under(fairness)),
    };
    format!("{}{particulars}", finding.claim.name)
}

fn under(fairness: Fairness) -> &'static str {
    match fairness {
        Fairness::None => "whatever is put off",
        Fairness::Weak => "under weak fairness",
        Fairness::Strong => "under strong fairness",
    }
}
