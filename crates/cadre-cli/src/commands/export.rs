use std::path::Path;

use cadre::trace::export;
use cadre::view::lineage_of;

use crate::args::Format;
use crate::commands;
use crate::exit::{Exit, Failure, OrExit};

/// `export`: writes a trace in the form of another tool.
pub(crate) fn run(path: &Path, format: Format, output: &Path) -> Result<Exit, Failure> {
    let trace = commands::read_trace(path)?;
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
