use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cadre::process::{PrivateDirectory, ProcessError, Program, Stop, run};

use crate::case::Case;
use crate::measurement::Measurement;
use crate::models::two_phase_commit;
use crate::one::Weight;

/// Searches a case with Spin: generates its verifier, compiles it, and measures its run alone.
///
/// # Errors
///
/// Where Spin or a C compiler is not there, or the verifier finds an error or does not see all.
pub(crate) fn measure(case: Case, size: u32) -> Result<Measurement> {
    if case != Case::TwoPhaseCommit {
        bail!("expected a case that is written in Promela, found {}", case.name());
    }
    let directory = PrivateDirectory::new("bench")?;
    let path = directory.path();
    let model = path.join("model.pml");
    std::fs::write(&model, two_phase_commit::promela(size))
        .with_context(|| model.display().to_string())?;
    call(Program::new("spin").args(["-a", "model.pml"]).directory(path), path)?;
    call(Program::new("cc").args(COMPILE).directory(path), path)?;
    let expected = two_phase_commit::distinct(size);
    // A table of the size that fits, as one who knows the model would ask for.
    let table = (2 * expected).next_power_of_two().ilog2().max(10);
    let verifier = path.join("pan");
    let pan = Weight::program(&verifier)?.arg(format!("-w{table}")).arg("-m100000");
    let told = call(pan.directory(path), path)?;
    let weight = Weight::read(&told)?;
    ensure!(told.contains("errors: 0"), "expected the verifier to find no error, found\n{told}");
    for trouble in ["max search depth too small", "out of memory", "error:"] {
        ensure!(!told.contains(trouble), "expected a complete search, found\n{told}");
    }
    Ok(Measurement {
        workers: 1,
        distinct: number_before(&told, " states, stored")? as u64,
        generated: number_before(&told, " transitions (= stored+matched)")? as u64,
        depth: number_after(&told, "depth reached ")? as u64,
        search_seconds: number_after(&told, "elapsed time ")?,
        wall_seconds: weight.wall_seconds,
        cpu_seconds: weight.usage.cpu_seconds,
        peak_bytes: weight.usage.peak_bytes,
        bytes_behind: None,
    })
}

/// Looks whether there are Spin and a C compiler.
///
/// # Errors
///
/// Where one is not there.
pub(crate) fn present() -> Result<()> {
    let directory = PrivateDirectory::new("bench")?;
    for (name, flag) in [("spin", "-V"), ("cc", "--version")] {
        let log = directory.path().join(name);
        match run(&Program::new(name).arg(flag), &log, COMPILE_LIMIT, &Stop::new()) {
            Ok(_) => {}
            Err(ProcessError::NotFound { .. }) => bail!("{name} not installed"),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// An exact search for violated assertions, without what only other searches need.
const COMPILE: [&str; 8] =
    ["-O2", "-DSAFETY", "-DNOCLAIM", "-DNOFAIR", "-DMEMLIM=16384", "-o", "pan", "pan.c"];
const COMPILE_LIMIT: Duration = Duration::from_secs(300);
const TIME_LIMIT: Duration = Duration::from_secs(3600);

fn call(program: Program, directory: &Path) -> Result<String> {
    let log = directory.join("output");
    let finished = run(&program, &log, TIME_LIMIT, &Stop::new())?;
    let output = finished.output()?;
    ensure!(
        finished.code == Some(0),
        "expected success of {}, found\n{output}",
        program.command_line()
    );
    Ok(output)
}

/// The number that stands before the first occurrence of a text.
fn number_before(told: &str, text: &str) -> Result<f64> {
    let before = told.split(text).next().filter(|before| before.len() < told.len());
    let word = before.and_then(|before| before.split_whitespace().last());
    parse(word, text, told)
}

/// The number that stands after the first occurrence of a text.
fn number_after(told: &str, text: &str) -> Result<f64> {
    let word = told.split_once(text).and_then(|(_, after)| after.split_whitespace().next());
    parse(word, text, told)
}

fn parse(word: Option<&str>, text: &str, told: &str) -> Result<f64> {
    let number = word.and_then(|word| word.trim_end_matches(',').parse().ok());
    number.with_context(|| format!("expected a number by `{text}`, found\n{told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "State-vector 28 byte, depth reached 33, errors: 0\n\
                        \x20     288 states, stored\n     1146 transitions (= stored+matched)\n\
                        pan: elapsed time 0.01 seconds\n";

    #[test]
    fn numbers_are_read_off_what_the_verifier_tells() {
        assert_eq!(number_before(TOLD, " states, stored").unwrap(), 288.0);
        assert_eq!(number_before(TOLD, " transitions (= stored+matched)").unwrap(), 1146.0);
        assert_eq!(number_after(TOLD, "depth reached ").unwrap(), 33.0);
        assert_eq!(number_after(TOLD, "elapsed time ").unwrap(), 0.01);
        number_before(TOLD, " states, lost").unwrap_err();
        number_after(TOLD, "memory ").unwrap_err();
    }
}
