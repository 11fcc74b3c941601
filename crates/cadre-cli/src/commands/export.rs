use std::path::Path;

use cadre::conform::BEHAVIOUR_ORIGIN;
use cadre::trace::export;
use cadre::view::lineage_of;

use crate::args::Format;
use crate::commands;
use crate::exit::{Exit, Failure, OrExit};

/// `export`: writes a trace in the form of another tool.
pub(crate) fn run(path: &Path, format: Format, output: &Path) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
    if format == Format::Shiviz && trace.header.origin == BEHAVIOUR_ORIGIN {
        return Err(anyhow::anyhow!(
            "expected an execution, whose nodes have clocks that ShiViz draws, found a behaviour \
             of {}; export it as mermaid, or follow it by `spec GAME --drive` first",
            trace.header.protocol
        ))
        .or_exit(Exit::Usage);
    }
    let text = match format {
        Format::Shiviz => export::shiviz(&trace),
        Format::Mermaid => export::mermaid(&trace),
        Format::Dot => export::dot(&trace),
        Format::LineageDot => export::lineage_dot(&lineage_of(&trace)),
        Format::Itf => export::itf(&trace).or_exit(Exit::Usage)?,
    };
    commands::write_text(output, &text)?;
    Ok(Exit::Holds)
}
