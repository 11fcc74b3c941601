use std::sync::Arc;

use cadre::tla::{Engine, TlaError};

/// Whether there is an engine that needs no Java.
pub(crate) const HAS_EMBEDDED: bool = cfg!(feature = "embedded");

/// What the embedded engine is called where its version does not matter.
pub(crate) const EMBEDDED: &str = "tla-checker";

/// What Apalache is called.
pub(crate) const APALACHE: &str = "Apalache";

/// The engine in this process.
#[cfg(feature = "embedded")]
pub(crate) fn embedded() -> Result<Arc<dyn Engine>, anyhow::Error> {
    Ok(Arc::new(cadre::tla::Embedded))
}

/// The engine in this process, which this command does not have.
#[cfg(not(feature = "embedded"))]
pub(crate) fn embedded() -> Result<Arc<dyn Engine>, anyhow::Error> {
    Err(anyhow::anyhow!(
        "expected the embedded engine in this command, found it left out; build it with \
         `--features embedded`, or leave out --engine"
    ))
}

/// Whether TLC is missing and cannot be installed, not one that was named and is wrong.
pub(crate) fn cannot_be_had(error: &TlaError) -> bool {
    matches!(
        error,
        TlaError::Offline { .. }
            | TlaError::NoCache
            | TlaError::NoPython { .. }
            | TlaError::Install { .. }
    )
}

/// What an engine calls itself, TLC without its date.
pub(crate) fn name(version: &str) -> String {
    let mut words = version.split_whitespace();
    let number = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    match number.filter(|_| version.starts_with("TLC")) {
        Some(number) => format!("TLC {number}"),
        None => version.to_owned(),
    }
}
