use std::path::Path;

use cadre::trace::{Trace, Verdict};
use cadre::view::{LaneOptions, because, lanes};

use crate::exit::{Exit, Failure};
use crate::{commands, output};

/// `show`: draws a trace, all of it.
pub(crate) fn run(path: &Path, width: usize) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    let header = &trace.header;
    let setup: Vec<String> =
        header.setup.iter().map(|(name, value)| format!("{name} {value}")).collect();
    output::line(&format!(
        "{} · {} · found by {} · {} steps",
        header.protocol,
        setup.join(", "),
        header.origin,
        trace.steps.len()
    ));
    if let Some(guarantee) = &header.guarantee {
        output::line(&format!("{:<9} {}", header.verdict.to_string(), guarantee.name));
    }
    output::line("");
    draw(&trace, width);
    Ok(Exit::Holds)
}

/// Draws the lanes, and the argument where a guarantee is violated.
pub(crate) fn draw(trace: &Trace, width: usize) {
    output::line(&lanes(trace, &LaneOptions { width, steps_max: usize::MAX }));
    if trace.header.verdict == Verdict::Violated
        && let Some(because) = because(trace)
    {
        output::line(&format!("\n{because}"));
    }
}
