use std::fmt;
use std::path::{Path, PathBuf};

use cadre_model::Claim;
use cadre_trace::Trace;

/// What a suite did that found nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuiteReport {
    /// The failures of earlier runs that were executed again, and did not fail.
    pub replayed: Vec<Replayed>,
    /// How many executions were tried.
    pub cases: u32,
    /// How many steps or calls they took in all.
    pub steps: u64,
    /// The `reachable` guarantees, and whether an example was met.
    pub reached: Vec<(Claim, bool)>,
    /// Histories of which it is not known whether they are consistent: their search ended at its
    /// bound.
    pub unknown: u64,
}

/// A failure of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The file.
    pub file: PathBuf,
    /// The steps that cannot be taken any more, because the code has changed. They were left out,
    /// and nothing took their place.
    pub missing: Vec<String>,
}

/// The traces that were saved below a directory for a name, in the order of their files; none where
/// nothing was ever saved.
pub(super) fn read(directory: &Path, name: &str) -> Result<Vec<(PathBuf, Trace)>, String> {
    let folder = directory.join(name);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(told)? {
        files.push(entry.map_err(told)?.path());
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let read = |path: PathBuf| {
        let at = path.display();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{at}: {error}"))?;
        let trace = Trace::from_ndjson(&text).map_err(|error| format!("{at}: {error}"))?;
        Ok((path, trace))
    };
    files.into_iter().map(read).collect()
}

/// What is said of a saved failure that fails again.
pub(super) fn again(file: &Path, story: &str) -> String {
    format!("\n{} fails again, as it did when it was saved:\n{story}", file.display())
}

impl SuiteReport {
    /// Refuses saved failures with steps that cannot be taken any more.
    pub(super) fn fresh(self, is_asked_for: bool) -> Result<Self, String> {
        let is_stale = |replayed: &&Replayed| !replayed.missing.is_empty();
        match self.replayed.iter().find(is_stale) {
            Some(stale) if is_asked_for => Err(format!(
                "{stale}; where that is meant to be, remove the file or save the failure anew"
            )),
            Some(_) | None => Ok(self),
        }
    }
}

impl fmt::Display for SuiteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was found in {} executions of {} steps", self.cases, self.steps)?;
        if self.unknown > 0 {
            write!(f, "; of {} histories nothing is known", self.unknown)?;
        }
        let missed = self.reached.iter().filter(|(_, was_met)| !was_met);
        missed.clone().try_for_each(|(claim, _)| write!(f, "\nnot met: {}", claim.name))?;
        self.replayed.iter().try_for_each(|replayed| write!(f, "\n{replayed}"))
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not fail any more", self.file.display())?;
        if !self.missing.is_empty() {
            write!(f, ", but it cannot be executed as it was saved: {}", self.missing.join("; "))?;
        }
        Ok(())
    }
}
