use std::time::Duration;

use anyhow::{Result, bail, ensure};
use cadre::process::{PrivateDirectory, Stop};
use cadre::tla::{Engine, Find, Jit, Run, Tlc, Verdict, find};

use crate::case::Case;
use crate::measurement::Measurement;
use crate::models::two_phase_commit;
use crate::output;
use crate::usage::{Usage, Whose};

/// Searches a case with TLC.
///
/// # Errors
///
/// Where TLC is not there, or does not find that the invariant holds.
pub(crate) fn measure(case: Case, size: u32, workers: u32) -> Result<Measurement> {
    if case != Case::TwoPhaseCommit {
        bail!("expected a case that has a specification, found {}", case.name());
    }
    let directory = PrivateDirectory::new("bench")?;
    let module = two_phase_commit::lay_out(directory.path(), size)?;
    let run = Run {
        workers,
        heap_mb: HEAP_MB,
        jit: Jit::Full,
        time_limit: TIME_LIMIT,
        ..Run::new(directory.path(), module)
    };
    let tlc = present()?;
    let before = Usage::of(Whose::Children)?;
    let outcome = tlc.run(&run, &Stop::new())?;
    let after = Usage::of(Whose::Children)?;
    ensure!(
        outcome.verdict == Verdict::NoError,
        "expected TLC to find no error, found {:?}",
        outcome.verdict
    );
    let seconds = outcome.elapsed.as_secs_f64();
    Ok(Measurement {
        workers,
        distinct: outcome.distinct,
        generated: outcome.generated,
        depth: outcome.depth.unwrap_or(0),
        // TLC tells its own time in whole seconds, the start of Java included.
        search_seconds: seconds,
        wall_seconds: seconds,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        // The largest child is TLC: the ones before only told their versions.
        peak_bytes: after.peak_bytes,
        bytes_behind: None,
    })
}

/// TLC, found or installed in the way of the toolkit.
///
/// # Errors
///
/// Where it is not there and cannot be installed.
pub(crate) fn present() -> Result<Tlc> {
    Ok(find(&Find::default(), &mut |text| output::note(text), &Stop::new())?)
}

/// Enough for the largest size; what of it is taken depends on how Java collects.
const HEAP_MB: u32 = 8192;
const TIME_LIMIT: Duration = Duration::from_secs(3600);
