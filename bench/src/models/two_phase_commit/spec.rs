use std::path::Path;

use anyhow::{Context, Result};

/// Writes the specification of this repository into a directory, with a configuration for so many
/// resource managers and the one invariant that all tools judge; gives the module's name.
pub(crate) fn lay_out(directory: &Path, participants: u32) -> Result<&'static str> {
    let names: Vec<String> = (1..=participants).map(|index| format!("rm{index}")).collect();
    let names = names.join(", ");
    let config = format!("CONSTANT RM = {{{names}}}\nSPECIFICATION Spec\nINVARIANT Consistent\n");
    let specification = include_str!("../../../../tla/TwoPhase/TwoPhase.tla");
    for (name, text) in [("TwoPhase.tla", specification), ("TwoPhase.cfg", config.as_str())] {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok("TwoPhase")
}
