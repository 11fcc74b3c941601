use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cadre::process::{Program, Stop, run_through};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::measurement::{Measurement, Searched};
use crate::peers::stateright::Order;
use crate::peers::{spin, stateright, tlc};
use crate::tool::Tool;
use crate::usage::{Usage, Whose};
use crate::{ours, output};

/// Measures one search: those of Rust in this process, which should be fresh, the others in a child
/// of it.
///
/// # Errors
///
/// Where the tool is not there, or its verdict is not that all holds.
pub(crate) fn measure(tool: Tool, case: Case, size: u32, workers: u32) -> Result<Measurement> {
    let in_order = |order| here(|| stateright::search(case, size, order, workers));
    match tool {
        Tool::Ours => here(|| ours::search(case, size, workers)),
        Tool::StaterightBfs => in_order(Order::BreadthFirst),
        Tool::StaterightDfs => in_order(Order::DepthFirst),
        Tool::Tlc => tlc::measure(case, size, workers),
        Tool::Spin => spin::measure(case, size),
    }
}

/// What a program in a process of its own has cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weight {
    /// From its start to its end.
    pub(crate) wall_seconds: f64,
    /// What it has used.
    pub(crate) usage: Usage,
}

impl Weight {
    /// A program that runs the given one, whose arguments are to be added, and tells its weight in
    /// its last line.
    ///
    /// # Errors
    ///
    /// Where this program does not know where it is.
    pub(crate) fn program(path: &Path) -> Result<Program> {
        Ok(Program::new(this_program()?).args(["weigh", "--"]).arg(path))
    }

    /// Reads the weight off the output of such a program.
    ///
    /// # Errors
    ///
    /// Where it is not there.
    pub(crate) fn read(output: &str) -> Result<Self> {
        let line = output.lines().last().unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("expected a weight, found\n{output}"))
    }
}

/// Runs a program on the outputs of this one, and prints its weight as the last line; gives its
/// exit code.
///
/// # Errors
///
/// Where it cannot be started.
#[expect(clippy::disallowed_methods, reason = "measuring the time of a run is the purpose")]
pub(crate) fn weigh(words: &[String]) -> Result<Option<i32>> {
    let (path, arguments) = words.split_first().context("expected a program, found none")?;
    let begun = Instant::now();
    let code = run_through(&Program::new(path).args(arguments), TIME_LIMIT, &Stop::new())?;
    let wall_seconds = begun.elapsed().as_secs_f64();
    let weight = Weight { wall_seconds, usage: Usage::of(Whose::Children)? };
    output::line(&serde_json::to_string(&weight)?);
    Ok(code)
}

/// Where this program is.
///
/// # Errors
///
/// Where the operating system does not tell.
pub(crate) fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("expected to know where this program is")
}

const TIME_LIMIT: Duration = Duration::from_secs(3600);

/// Measures a search in this process. Whoever has started it knows better how long it ran.
fn here(search: impl FnOnce() -> Result<Searched>) -> Result<Measurement> {
    let searched = search()?;
    let after = Usage::of(Whose::Own)?;
    Ok(Measurement {
        workers: searched.workers,
        distinct: searched.distinct,
        generated: searched.generated,
        depth: searched.depth,
        search_seconds: searched.seconds,
        wall_seconds: searched.seconds,
        cpu_seconds: after.cpu_seconds,
        peak_bytes: after.peak_bytes,
        bytes_behind: searched.bytes_behind,
    })
}
