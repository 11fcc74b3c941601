use cadre::explore::Flow;
use cadre::trace::{GuaranteeKind, Trace, Verdict};
use cadre::{Explored, Found};

use crate::args::{BoundArgs, GameArgs, SharingArgs};
use crate::chosen::Chosen;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::sharing::{Asked, SPOKEN};
use crate::watch::{count, grouped};
use crate::{output, stages};

/// `explore`: searches every configuration of a game.
pub(crate) fn run(
    context: &Context<'_>,
    game: &GameArgs,
    bounds: &BoundArgs,
    sharing: &SharingArgs,
) -> Result<Exit, Failure> {
    let chosen = Chosen::new(context, game)?;
    let asked = Asked { context, chosen: &chosen, bounds, sharing };
    if sharing.hosts.as_ref().is_some_and(|hosts| hosts.as_os_str() == SPOKEN) {
        return take_part(&asked);
    }
    let processes = sharing.processes.map_or(String::new(), |processes| {
        format!(" · {}", count(processes.into(), "process", "processes"))
    });
    output::line(&format!("exploring {}{processes}", chosen.title()));
    let found = match sharing.is_asked_for() {
        true => stages::explore_by(context, bounds, |settings, watch| {
            asked.search(settings, &mut |progress| watch.look(progress))
        })?,
        false => stages::explore(context, &chosen, bounds)?,
    };
    if let Some(violated) = violated(&found) {
        match &violated.trace {
            // The title, the stage's line, a blank and the verdict.
            Some(trace) => drop(stages::print_violation(context, trace, "shortest", 4)?),
            None => output::line(&never_true(violated)),
        }
        output::verdict("FAIL", &violated.claim.name, Exit::Violated);
        return Ok(Exit::Violated);
    }
    for finding in &found.findings {
        output::stage("", &finding.verdict.to_string(), &describe(finding));
    }
    output::stage("", "executed", &format!("{} transitions", grouped(found.progress.transitions)));
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
    let found = asked.search(&stages::settings(asked.bounds), &mut |_| Flow::Continue)?;
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
    let example = match (finding.claim.kind, &finding.trace) {
        (GuaranteeKind::Reachable, Some(Trace { steps, .. })) => {
            format!(", first after {} steps", steps.len())
        }
        _ => String::new(),
    };
    format!("{}{example}", finding.claim.name)
}
